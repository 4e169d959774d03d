/* The matrix: its axes, the pairs that no layer can have, what a sweep covers, and the choice of values for the next layer, which
 * is led by the pairs that are still missing. */
#include "sweep.h"
#include "../gen/mem.h"
#include <stdio.h>
#include <string.h>

enum { MOST_VALUES = 16, TRIES = 20000 };

static const char *targets[MOST_VALUES]; /* that run here; NULL at the end */
static int lanes_of[MOST_VALUES][DTYPES];

static const struct {
  const char *name;
  const char *const *values; /* NULL at the end */
} axes[SWEEP_AXES] = {
#define VALUES(...)                                                                                                                \
  (const char *const[]) {                                                                                                          \
    __VA_ARGS__, NULL                                                                                                              \
  }
    [SWEEP_TARGET] = {"target", targets},
    [SWEEP_DTYPE] = {"dtype", VALUES("f32", "f64", "bf16")},
    [SWEEP_INPUT_LAYOUT] = {"input_layout", VALUES("nhwc", "nchw")},
    [SWEEP_OUTPUT_LAYOUT] = {"output_layout", VALUES("nhwc", "nchw")},
    [SWEEP_CHANNELS] = {"channels", VALUES("1", "3", "V-1", "V", "V+1", "2V+1")},
    [SWEEP_OUTPUTS] = {"outputs", VALUES("1", "3", "V-1", "V", "V+1", "2V+1", "as channels")},
    [SWEEP_GROUPS] = {"groups", VALUES("1", "2", "several", "small", "depthwise", "depthwise x2")},
    [SWEEP_KERNEL] = {"kernel", VALUES("1", "2", "3", "4", "5", "7", "1x8", "8x1", "beyond input")},
    [SWEEP_RANK] = {"rank", VALUES("1", "2", "3")},
    [SWEEP_BATCH] = {"batch", VALUES("1", "2", "3")},
    [SWEEP_STRIDE] = {"stride", VALUES("1", "2", "3")},
    [SWEEP_DILATION] = {"dilation", VALUES("1", "2", "3")},
    [SWEEP_PADDING] = {"padding", VALUES("number", "list", "pairs", "beyond kernel", "beyond tile", "valid", "same", "same_lower",
                                         "full", "causal")},
    [SWEEP_MODE] = {"padding_mode", VALUES("zeros", "reflect", "replicate", "circular")},
    [SWEEP_FLIP] = {"flip", VALUES("false", "true")},
    [SWEEP_BIAS] = {"bias", VALUES("false", "true", "baked")},
    [SWEEP_WEIGHTS] = {"weights", VALUES("given", "baked")},
    [SWEEP_RESIDUAL] = {"residual", VALUES("false", "true")},
    [SWEEP_ACTIVATION] = {"activation", VALUES("none", "relu", "relu6", "sigmoid", "tanh", "silu", "hardswish", "hardsigmoid",
                                               "gelu", "leaky_relu", "clamp", "prelu")},
    [SWEEP_UNROLL] = {"unroll", VALUES("auto", "full", "none")},
};

/* Pairs that no layer can have: a value and those of another axis that it excludes. */
static const struct {
  enum sweep_axis axis;
  const char *value;
  enum sweep_axis other;
  const char *const *excluded;
  const char *reason;
} impossible[] = {
#define OWN_OUTPUTS VALUES("1", "3", "V-1", "V", "V+1", "2V+1")
    {SWEEP_GROUPS, "depthwise", SWEEP_OUTPUTS, OWN_OUTPUTS, "a depthwise layer has as many outputs as channels"},
    {SWEEP_GROUPS, "depthwise x2", SWEEP_OUTPUTS, OWN_OUTPUTS, "a multiplier of 2 makes twice as many outputs as channels"},
    {SWEEP_GROUPS, "small", SWEEP_OUTPUTS, OWN_OUTPUTS, "groups of few channels draw how many outputs they have"},
    {SWEEP_KERNEL, "8x1", SWEEP_RANK, VALUES("1"), "one row of 8 is what 1x8 is in one dimension"},
    {SWEEP_KERNEL, "beyond input", SWEEP_PADDING, VALUES("valid"), "without padding there is no output"},
};

static int count_of(enum sweep_axis axis) {
  int count = 0;
  while (axes[axis].values[count]) count++;
  return count;
}

const char *sweep_word(enum sweep_axis axis, int value) {
  return axes[axis].values[value];
}

const char *sweep_value(const struct sweep_layer *layer, enum sweep_axis axis) {
  return sweep_word(axis, layer->value[axis]);
}

static bool among(const char *word, const char *const *words) {
  while (*words && strcmp(*words, word) != 0) words++;
  return *words != NULL;
}

/* Whether some layer can have both values. */
static bool possible(enum sweep_axis a, int value_a, enum sweep_axis b, int value_b) {
  const char *word_a = sweep_word(a, value_a), *word_b = sweep_word(b, value_b);
  for (size_t i = 0; i < sizeof impossible / sizeof impossible[0]; i++) {
    const bool forth = impossible[i].axis == a && impossible[i].other == b;
    const bool back = impossible[i].axis == b && impossible[i].other == a;
    if (forth && !strcmp(impossible[i].value, word_a) && among(word_b, impossible[i].excluded)) return false;
    if (back && !strcmp(impossible[i].value, word_b) && among(word_a, impossible[i].excluded)) return false;
  }
  return true;
}

/* ---- coverage -------------------------------------------------------------------------------------------------------- */

/* How often each pair of values occurred; a value with itself: how often that value did. */
struct coverage {
  size_t times[SWEEP_AXES][MOST_VALUES][SWEEP_AXES][MOST_VALUES];
};

static void cover(struct coverage *coverage, const struct sweep_layer *layer) {
  for (int a = 0; a < SWEEP_AXES; a++)
    for (int b = 0; b < SWEEP_AXES; b++) coverage->times[a][layer->value[a]][b][layer->value[b]]++;
}

struct pair {
  enum sweep_axis axis[2];
  int value[2];
};

/* The next pair of values of two axes, in a fixed order. False after the last. */
static bool next_pair(struct pair *pair) {
  if (++pair->value[1] < count_of(pair->axis[1])) return true;
  pair->value[1] = 0;
  if (++pair->value[0] < count_of(pair->axis[0])) return true;
  pair->value[0] = 0;
  if (++pair->axis[1] < SWEEP_AXES) return true;
  pair->axis[1] = ++pair->axis[0] + 1;
  return pair->axis[1] < SWEEP_AXES;
}

static const struct pair before_first = {{0, 1}, {0, -1}};

static bool is_missing(const struct coverage *coverage, const struct pair *pair) {
  const enum sweep_axis a = pair->axis[0], b = pair->axis[1];
  return coverage->times[a][pair->value[0]][b][pair->value[1]] == 0 && possible(a, pair->value[0], b, pair->value[1]);
}

static void print_pair(const char *what, const struct pair *pair) {
  printf("%s: %s %s with %s %s\n", what, axes[pair->axis[0]].name, sweep_word(pair->axis[0], pair->value[0]),
         axes[pair->axis[1]].name, sweep_word(pair->axis[1], pair->value[1]));
}

static size_t missing_values(const struct coverage *coverage, size_t least) {
  size_t missing = 0;
  for (enum sweep_axis a = 0; a < SWEEP_AXES; a++)
    for (int v = 0; v < count_of(a); v++) {
      const size_t times = coverage->times[a][v][a][v];
      if (times >= least) continue;
      printf("not covered: %s %s, %zu times of %zu\n", axes[a].name, sweep_word(a, v), times, least);
      missing++;
    }
  return missing;
}

void sweep_explain(void) {
  for (size_t i = 0; i < sizeof impossible / sizeof impossible[0]; i++) {
    printf("impossible: %s %s with %s", axes[impossible[i].axis].name, impossible[i].value, axes[impossible[i].other].name);
    for (const char *const *word = impossible[i].excluded; *word; word++) printf(" %s", *word);
    printf(": %s\n", impossible[i].reason);
  }
}

size_t sweep_missing(const struct sweep *sweep, size_t least) {
  struct coverage *coverage = mem_new(sizeof *coverage);
  for (size_t i = 0; i < sweep->count; i++) cover(coverage, &sweep->layers[i]);
  size_t missing = missing_values(coverage, least);
  for (struct pair pair = before_first; next_pair(&pair);) {
    if (!is_missing(coverage, &pair)) continue;
    print_pair("not covered", &pair);
    missing++;
  }
  return missing;
}

/* ---- choice ---------------------------------------------------------------------------------------------------------- */

static bool all_possible(const struct sweep_layer *layer) {
  for (enum sweep_axis a = 0; a < SWEEP_AXES; a++)
    for (enum sweep_axis b = a + 1; b < SWEEP_AXES; b++)
      if (!possible(a, layer->value[a], b, layer->value[b])) return false;
  return true;
}

/* Random values, but for those of `fixed` (NULL: none). */
static void choose(struct sweep_layer *layer, const struct pair *fixed, uint64_t *random) {
  for (enum sweep_axis a = 0; a < SWEEP_AXES; a++) layer->value[a] = (int)sweep_random(random, 0, count_of(a) - 1);
  for (int i = 0; fixed && i < 2; i++) layer->value[fixed->axis[i]] = fixed->value[i];
}

static bool make_layer(struct sweep_layer *layer, const struct pair *fixed, uint64_t *random) {
  for (int try = 0; try < TRIES; try++) {
    choose(layer, fixed, random);
    const int lanes = lanes_of[layer->value[SWEEP_TARGET]][layer->value[SWEEP_DTYPE]];
    if (all_possible(layer) && sweep_realize(layer, lanes, random)) return true;
  }
  return false;
}

/* The first missing pair after `pair`. */
static bool next_missing(const struct coverage *coverage, struct pair *pair) {
  while (next_pair(pair))
    if (is_missing(coverage, pair)) return true;
  return false;
}

/* With one lane no vector has a tail: its channels are as those of four lanes, so that V-1 is something. */
static void take_targets(const struct isa_list *isas) {
  int count = 0;
  for (size_t i = 0; i < isas->count && count < MOST_VALUES - 1; i++) {
    const struct isa *isa = &isas->items[i];
    if (!isa->runs_here) continue;
    for (int type = 0; type < DTYPES; type++) lanes_of[count][type] = isa->lanes[type] > 1 ? isa->lanes[type] : 4;
    targets[count++] = isa->name;
  }
  targets[count] = NULL;
}

bool sweep_make(struct sweep *sweep, size_t count, const struct isa_list *isas, uint64_t seed) {
  struct coverage *coverage = mem_new(sizeof *coverage);
  struct pair pair = before_first;
  uint64_t random = seed;
  bool led = true;
  take_targets(isas);
  *sweep = (struct sweep){mem_array(count, sizeof *sweep->layers), 0};
  while (sweep->count < count) {
    struct sweep_layer *layer = &sweep->layers[sweep->count];
    led = led && next_missing(coverage, &pair);
    layer->number = (int)sweep->count;
    if (!make_layer(layer, led ? &pair : NULL, &random)) {
      print_pair("no layer found", &pair);
      return false;
    }
    cover(coverage, layer);
    sweep->count++;
  }
  return true;
}
