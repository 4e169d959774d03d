/* One layer of the sweep: numbers for its values, its YAML, its baked files. Numbers are drawn, then judged: what has no output,
 * breaks a padding mode's rule or costs too much is drawn again by the caller. */
#include "../gen/mem.h"
#include "../gen/shape.h"
#include "sweep.h"
#include <stdlib.h>
#include <string.h>

/* Multiply-adds of a layer, and steps of one output that may be written out: halved up to four times, since small layers compile
 * in a fraction of the time and find as much. */
static const int64_t most_multiply_adds = 160000, most_steps = 100, most_unrolled = 250;

int64_t sweep_random(uint64_t *random, int64_t least, int64_t most) {
  return least + (int64_t)(cs_random(random) % (uint64_t)(most - least + 1));
}

static bool is(const struct sweep_layer *layer, enum sweep_axis axis, const char *word) {
  return !strcmp(sweep_value(layer, axis), word);
}

/* ---- numbers --------------------------------------------------------------------------------------------------------- */

/* "3", "V+1", "2V+1" */
static int64_t channel_count(const char *word, int lanes) {
  const char *v = strchr(word, 'V');
  if (!v) return atoi(word);
  return (v > word ? 2 : 1) * lanes + atoi(v + 1);
}

/* Groups of 2 to 8 channels, half of them with other numbers of outputs; as many groups as others have channels. */
static bool draw_small_groups(struct sweep_layer *layer, int64_t groups, uint64_t *random) {
  const int64_t channels = sweep_random(random, 2, 8);
  const int64_t outputs = sweep_random(random, 0, 1) ? channels : sweep_random(random, 1, 8);
  layer->groups = groups > 1 ? groups : 2;
  layer->channels = layer->groups * channels;
  layer->outputs = layer->groups * outputs;
  return true;
}

static bool draw_channels(struct sweep_layer *layer, int lanes, uint64_t *random) {
  const int64_t channels = channel_count(sweep_value(layer, SWEEP_CHANNELS), lanes);
  const bool derived = is(layer, SWEEP_OUTPUTS, "as channels"), depthwise = *sweep_value(layer, SWEEP_GROUPS) == 'd';
  const int64_t outputs = derived ? channels : channel_count(sweep_value(layer, SWEEP_OUTPUTS), lanes);
  const int64_t groups = is(layer, SWEEP_GROUPS, "several") ? sweep_random(random, 3, 5) : atoi(sweep_value(layer, SWEEP_GROUPS));
  layer->batch = atoi(sweep_value(layer, SWEEP_BATCH));
  if (is(layer, SWEEP_GROUPS, "small")) return draw_small_groups(layer, channels, random);
  layer->groups = depthwise ? channels : groups;
  layer->channels = depthwise ? channels : groups * channels;
  layer->outputs = depthwise ? channels * (is(layer, SWEEP_GROUPS, "depthwise x2") ? 2 : 1) : groups * outputs;
  return layer->channels > 0 && layer->outputs > 0;
}

static int64_t extent(const struct sweep_layer *layer, int d) {
  return layer->dilation[d] * (layer->kernel[d] - 1) + 1;
}

static void draw_kernel(struct sweep_layer *layer, uint64_t *random) {
  const char *word = sweep_value(layer, SWEEP_KERNEL);
  const bool row = !strcmp(word, "1x8"), column = !strcmp(word, "8x1"), beyond = *word == 'b';
  for (int d = 0; d < layer->rank; d++) {
    const bool innermost = d == layer->rank - 1, long_side = row ? innermost : d == 0;
    layer->kernel[d] = beyond ? sweep_random(random, innermost ? 2 : 1, 5) : atoi(word);
    if (row || column) layer->kernel[d] = long_side ? 8 : 1;
    layer->stride[d] = innermost ? atoi(sweep_value(layer, SWEEP_STRIDE)) : sweep_random(random, 1, 3);
    layer->dilation[d] = innermost ? atoi(sweep_value(layer, SWEEP_DILATION)) : sweep_random(random, 1, 3);
  }
}

/* Half of the inputs are a little larger than the kernel's extent, half are anything small. */
static void draw_input(struct sweep_layer *layer, uint64_t *random) {
  static const int64_t span[] = {40, 10, 5};
  const bool beyond = is(layer, SWEEP_KERNEL, "beyond input");
  for (int d = 0; d < layer->rank; d++) {
    const int64_t least = sweep_random(random, 0, 1) ? extent(layer, d) : 1;
    layer->in[d] = sweep_random(random, least, least - 1 + span[layer->rank - 1]);
    if (beyond && d == layer->rank - 1) layer->in[d] = sweep_random(random, 1, extent(layer, d) - 1);
  }
}

static void draw_number(struct sweep_layer *layer, uint64_t *random) {
  const int64_t pad = sweep_random(random, 0, 3);
  for (int d = 0; d < layer->rank; d++) layer->pad[d][0] = layer->pad[d][1] = pad;
}

static void draw_list(struct sweep_layer *layer, uint64_t *random) {
  for (int d = 0; d < layer->rank; d++) layer->pad[d][0] = layer->pad[d][1] = sweep_random(random, 0, layer->kernel[d]);
}

static void draw_pairs(struct sweep_layer *layer, uint64_t *random) {
  for (int d = 0; d < layer->rank; d++) {
    layer->pad[d][0] = sweep_random(random, 0, layer->kernel[d]);
    do layer->pad[d][1] = sweep_random(random, 0, layer->kernel[d] + 1);
    while (layer->pad[d][1] == layer->pad[d][0]);
  }
}

/* At least as wide as the kernel's extent in some dimension: windows without a tap. */
static void draw_beyond_kernel(struct sweep_layer *layer, uint64_t *random) {
  draw_pairs(layer, random);
  const int d = (int)sweep_random(random, 0, layer->rank - 1), side = (int)sweep_random(random, 0, 1);
  layer->pad[d][side] = extent(layer, d) + sweep_random(random, 0, 2);
}

/* Wider than a register tile along the row. */
static void draw_beyond_tile(struct sweep_layer *layer, uint64_t *random) {
  draw_list(layer, random);
  layer->pad[layer->rank - 1][sweep_random(random, 0, 1)] = sweep_random(random, 17, 34);
}

static void draw_nothing(struct sweep_layer *layer, uint64_t *random) {
  (void)random;
  memset(layer->pad, 0, sizeof layer->pad);
}

static const struct {
  const char *word;
  void (*draw)(struct sweep_layer *layer, uint64_t *random);
  enum pad_kind kind;
} paddings[] = {
    {"number", draw_number, PAD_EXPLICIT},
    {"list", draw_list, PAD_EXPLICIT},
    {"pairs", draw_pairs, PAD_EXPLICIT},
    {"beyond kernel", draw_beyond_kernel, PAD_EXPLICIT},
    {"beyond tile", draw_beyond_tile, PAD_EXPLICIT},
    {"valid", draw_nothing, PAD_EXPLICIT},
    {"same", draw_nothing, PAD_SAME},
    {"same_lower", draw_nothing, PAD_SAME_LOWER},
    {"full", draw_nothing, PAD_FULL},
    {"causal", draw_nothing, PAD_CAUSAL},
};

static bool draw_padding(struct sweep_layer *layer, uint64_t *random) {
  size_t row = 0;
  while (!is(layer, SWEEP_PADDING, paddings[row].word)) row++;
  paddings[row].draw(layer, random);
  for (int d = 0; d < layer->rank; d++)
    if (!shape_pads(paddings[row].kind, layer->in[d], layer->kernel[d], layer->stride[d], layer->dilation[d], layer->pad[d]))
      return false;
  return true;
}

/* Reflecting needs an element beside the border's, wrapping around reaches the input once. */
static bool mode_fits(const struct sweep_layer *layer) {
  const bool reflect = is(layer, SWEEP_MODE, "reflect"), circular = is(layer, SWEEP_MODE, "circular");
  for (int d = 0; d < layer->rank; d++) {
    const int64_t most = layer->pad[d][0] > layer->pad[d][1] ? layer->pad[d][0] : layer->pad[d][1];
    if ((reflect && most >= layer->in[d]) || (circular && most > layer->in[d])) return false;
  }
  return true;
}

/* Whether there is an output, and not too much of it. `halvings`: of what is too much. Where all is unrolled, each border has text
 * of its own: few such layers took most of the time in which compilers read. */
static bool size_fits(const struct sweep_layer *layer, int64_t halvings) {
  int64_t steps = layer->channels / layer->groups, outputs = layer->batch * layer->outputs, borders = 1;
  for (int d = 0; d < layer->rank; d++) {
    int64_t out;
    if (!shape_out(layer->in[d], layer->kernel[d], layer->stride[d], layer->dilation[d], layer->pad[d], &out) || out < 1)
      return false;
    outputs *= out;
    steps *= layer->kernel[d];
    const int64_t distinct = 1 + (layer->pad[d][0] + layer->pad[d][1]) / layer->stride[d];
    borders *= distinct < out ? distinct : out;
  }
  const bool unrolled = is(layer, SWEEP_UNROLL, "full") || (is(layer, SWEEP_UNROLL, "auto") && steps <= most_steps);
  const int64_t most = unrolled ? most_unrolled : INT64_MAX;
  return outputs * steps <= most_multiply_adds >> halvings && (!unrolled || steps <= most_steps >> halvings) &&
         steps * borders <= most >> halvings;
}

bool sweep_realize(struct sweep_layer *layer, int lanes, uint64_t *random) {
  layer->rank = atoi(sweep_value(layer, SWEEP_RANK));
  layer->seed = cs_random(random);
  if (!draw_channels(layer, lanes, random)) return false;
  draw_kernel(layer, random);
  draw_input(layer, random);
  return draw_padding(layer, random) && mode_fits(layer) && size_fits(layer, sweep_random(random, 0, 4));
}

/* ---- YAML ------------------------------------------------------------------------------------------------------------ */

static void print_list(struct text *spec, const int64_t *numbers, int count) {
  for (int i = 0; i < count; i++) text_print(spec, "%s%lld", i ? ", " : "[", (long long)numbers[i]);
  text_print(spec, "]");
}

/* One number where that says it all. */
static void print_sizes(struct text *spec, const char *key, const int64_t *sizes, int rank) {
  bool equal = true;
  for (int d = 1; d < rank; d++) equal &= sizes[d] == sizes[0];
  text_print(spec, "    %s: ", key);
  if (equal)
    text_print(spec, "%lld", (long long)sizes[0]);
  else
    print_list(spec, sizes, rank);
  text_print(spec, "\n");
}

/* A number, a list, pairs, or a word: where the word is none of YAML's, pairs. */
static void print_padding(struct text *spec, const struct sweep_layer *layer) {
  const char *word = sweep_value(layer, SWEEP_PADDING);
  const bool number = !strcmp(word, "number"), list = !strcmp(word, "list"), pairs = !strcmp(word, "pairs") || *word == 'b';
  if (!number && !list && !pairs) {
    text_print(spec, "    padding: %s\n", word);
    return;
  }
  text_print(spec, "    padding: %s", number ? "" : "[");
  for (int d = 0; d < (number ? 1 : layer->rank); d++) {
    text_print(spec, d ? ", " : "");
    if (pairs)
      print_list(spec, layer->pad[d], 2);
    else
      text_print(spec, "%lld", (long long)layer->pad[d][0]);
  }
  text_print(spec, number ? "\n" : "]\n");
}

static void print_activation(struct text *spec, const struct sweep_layer *layer) {
  static const char *const slopes[] = {"0.1", "1.5", "-0.5", "3"}, *const bounds[] = {"[-1, 1]", "[0.5, 2.25]", "[-3, -2]",
                                                                                      "[2, 2]"};
  const char *word = sweep_value(layer, SWEEP_ACTIVATION);
  const bool leaky = !strcmp(word, "leaky_relu");
  if (leaky || !strcmp(word, "clamp"))
    text_print(spec, "    activation: {%s: %s}\n", word, (leaky ? slopes : bounds)[layer->seed % 4]);
  else
    text_print(spec, "    activation: %s\n", word);
}

/* Keys whose values are the axes' words. */
static const struct {
  const char *key;
  enum sweep_axis axis;
} plain_keys[] = {
    {"target", SWEEP_TARGET},
    {"dtype", SWEEP_DTYPE},
    {"input_layout", SWEEP_INPUT_LAYOUT},
    {"output_layout", SWEEP_OUTPUT_LAYOUT},
    {"flip", SWEEP_FLIP},
    {"unroll", SWEEP_UNROLL},
    {"residual", SWEEP_RESIDUAL},
    {"padding_mode", SWEEP_MODE},
};

void sweep_print(const struct sweep_layer *layer, struct text *spec) {
  int64_t input[2 + CS_MAX_SPATIAL] = {layer->batch, layer->channels};
  for (int d = 0; d < layer->rank; d++) input[2 + d] = layer->in[d];
  text_print(spec, "  - name: s%d\n    input: ", layer->number);
  print_list(spec, input, 2 + layer->rank);
  text_print(spec, "\n    out_channels: %lld\n    groups: %lld\n", (long long)layer->outputs, (long long)layer->groups);
  print_sizes(spec, "kernel_size", layer->kernel, layer->rank);
  print_sizes(spec, "stride", layer->stride, layer->rank);
  print_sizes(spec, "dilation", layer->dilation, layer->rank);
  print_padding(spec, layer);
  for (size_t i = 0; i < sizeof plain_keys / sizeof plain_keys[0]; i++)
    text_print(spec, "    %s: %s\n", plain_keys[i].key, sweep_value(layer, plain_keys[i].axis));
  print_activation(spec, layer);
  if (is(layer, SWEEP_WEIGHTS, "baked")) text_print(spec, "    weights: s%d_weights.npy\n", layer->number);
  if (is(layer, SWEEP_BIAS, "baked"))
    text_print(spec, "    bias: s%d_bias.npy\n", layer->number);
  else
    text_print(spec, "    bias: %s\n", sweep_value(layer, SWEEP_BIAS));
}

/* ---- baked values ---------------------------------------------------------------------------------------------------- */

/* Whole numbers in half of the layers, so that sums are exact; a third of the values are exact zeros. */
static const char *bake(const struct sweep_layer *layer, const char *tensor, struct cs_npy *array, const char *folder) {
  uint64_t random = layer->seed;
  array->dtype = is(layer, SWEEP_DTYPE, "f64") ? CS_F64 : CS_F32; /* bf16 travels as f32 */
  array->data = mem_array(array->count, cs_size(array->dtype));
  cs_fill(array->data, array->count, array->dtype, layer->seed & 1 ? CS_FILL_INTEGERS : CS_FILL_RANDOM, 3, layer->seed);
  for (size_t i = 0; i < array->count; i++)
    if (i == 0 || cs_random(&random) % 3 == 0) cs_put(array->data, i, array->dtype, 0);
  return cs_npy_write(mem_text("%s/s%d_%s.npy", folder, layer->number, tensor), array);
}

static const char *bake_weights(const struct sweep_layer *layer, const char *folder) {
  struct cs_npy array = {.rank = 2 + layer->rank, .shape = {layer->outputs, layer->channels / layer->groups}, .count = 1};
  for (int d = 0; d < layer->rank; d++) array.shape[2 + d] = layer->kernel[d];
  for (int d = 0; d < array.rank; d++) array.count *= (size_t)array.shape[d];
  return bake(layer, "weights", &array, folder);
}

static const char *bake_bias(const struct sweep_layer *layer, const char *folder) {
  struct cs_npy array = {.rank = 1, .shape = {layer->outputs}, .count = (size_t)layer->outputs};
  return bake(layer, "bias", &array, folder);
}

const char *sweep_bake(const struct sweep_layer *layer, const char *folder) {
  const char *failure = is(layer, SWEEP_WEIGHTS, "baked") ? bake_weights(layer, folder) : NULL;
  return !failure && is(layer, SWEEP_BIAS, "baked") ? bake_bias(layer, folder) : failure;
}
