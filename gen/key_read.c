/* Readers of the layer keys. A reader checks its own value alone; what keys mean together is the op's to check, in its rules. */
#include "key_read.h"
#include "mem.h"
#include "op.h"
#include "value.h"
#include <string.h>

static bool expected(struct reading *reading, const struct node *node) {
  value_error(reading->diags, reading->key->name, node, reading->key->expects);
  return false;
}

static bool integer(struct reading *reading, const struct node *node, int64_t least, int64_t *value) {
  return value_integer(reading->diags, reading->key->name, node, least, value);
}

/* The layer's field that the key's row names. */
static void *field(const struct reading *reading) {
  return (char *)reading->layer + reading->key->field;
}

bool read_integer(struct reading *reading, const struct node *node) {
  return integer(reading, node, 1, field(reading));
}

bool read_bool(struct reading *reading, const struct node *node) {
  return value_parse_bool(node, field(reading)) || expected(reading, node);
}

bool read_word(struct reading *reading, const struct node *node) {
  int value;
  if (!value_word(reading->diags, reading->key->name, node, reading->key->words, &value)) return false;
  memcpy(field(reading), &value, sizeof value); /* into an enum */
  return true;
}

/* Does the op know this algorithm? Each has `auto` and `direct`. */
static bool takes_algorithm(const struct op *op, const char *name) {
  const char *const *other = op->algorithms;
  if (!strcmp(name, "auto") || !strcmp(name, "direct")) return true;
  while (other && *other && strcmp(*other, name)) other++;
  return other && *other;
}

bool read_algorithm(struct reading *reading, const struct node *node) {
  struct layer *layer = reading->layer;
  int value;
  if (!value_word(reading->diags, reading->key->name, node, reading->key->words, &value)) return false;
  if (layer->op && !takes_algorithm(layer->op, node->text)) {
    layer_error(layer, reading->diags, "algorithm", "op '%s' has no '%s'; choose auto or direct", layer->op->name, node->text);
    return false;
  }
  layer->algorithm = node->text;
  return true;
}

/* The name was judged when the layers of the file were counted. */
bool read_name(struct reading *reading, const struct node *node) {
  reading->layer->name = node->text;
  return true;
}

/* A question mark; on a line of a block list, YAML reads it as a map of nothing to nothing. */
static bool is_question(const struct node *node) {
  const struct node *key = node->kind == NODE_MAP && node->count == 1 ? node->keys[0] : NULL;
  return key ? !*key->text : node->kind == NODE_SCALAR && !strcmp(node->text, "?");
}

static bool read_extent(struct reading *reading, const struct node *node, int64_t *value) {
  if (is_question(node)) {
    diag_error(reading->diags, node->place, "input: run-time sizes ('?') are not supported yet; give a number");
    return false;
  }
  return integer(reading, node, 1, value);
}

bool read_input(struct reading *reading, const struct node *node) {
  struct layer *layer = reading->layer;
  if (node->kind != NODE_LIST || node->count < 3 || node->count > 2 + MAX_SPATIAL) return expected(reading, node);
  int64_t *const extents[2 + MAX_SPATIAL] = {&layer->batch, &layer->in_channels, &layer->in[0], &layer->in[1], &layer->in[2]};
  bool right = true;
  layer->rank = (int)node->count - 2;
  for (size_t i = 0; i < node->count; i++) right &= read_extent(reading, node->items[i], extents[i]);
  return right;
}

/* A list must have an entry for each spatial dimension. Where the rank is unknown, `input` was reported. */
static bool right_length(struct reading *reading, const struct node *list) {
  int rank = reading->layer->rank;
  if (list->count == (size_t)rank || (!rank && list->count <= MAX_SPATIAL)) return true;
  const char *key = reading->key->name;
  if (rank)
    diag_error(reading->diags, list->place, "%s: %zu entries, but input has %d spatial dimension%s; give one for each", key,
               list->count, rank, rank > 1 ? "s" : "");
  else
    diag_error(reading->diags, list->place, "%s: %zu entries, but at most %d spatial dimensions", key, list->count, MAX_SPATIAL);
  return false;
}

/* One number of at least `least` for every dimension, or a list. */
static bool read_numbers(struct reading *reading, const struct node *node, int64_t least) {
  int64_t *sizes = field(reading), size;
  if (node->kind == NODE_MAP) return expected(reading, node);
  if (node->kind == NODE_LIST) {
    if (!right_length(reading, node)) return false;
    bool right = true;
    for (size_t d = 0; d < node->count; d++) right &= integer(reading, node->items[d], least, &sizes[d]);
    return right;
  }
  if (!value_parse_integer(node, &size) || size < least) return expected(reading, node);
  for (int d = 0; d < MAX_SPATIAL; d++) sizes[d] = size;
  return true;
}

bool read_sizes(struct reading *reading, const struct node *node) {
  return read_numbers(reading, node, 1);
}

bool read_counts(struct reading *reading, const struct node *node) {
  return read_numbers(reading, node, 0);
}

/* Sizes, or the word for the whole input where the op has such windows. A default is judged before it has an op. */
bool read_kernel(struct reading *reading, const struct node *node) {
  struct layer *layer = reading->layer;
  const bool global = node->kind == NODE_SCALAR && !strcmp(node->text, "global");
  if (!global || (layer->op && !layer->op->any_window)) return read_sizes(reading, node);
  layer->global_kernel = true;
  return true;
}

bool read_axis(struct reading *reading, const struct node *node) {
  int value;
  if (!value_word(reading->diags, reading->key->name, node, reading->key->words, &value)) return false;
  reading->layer->along_channels = value;
  return true;
}

/* An entry of a padding list: a number for both sides or [before, after]. */
static bool read_pads(struct reading *reading, const struct node *node, bool pair, int64_t pad[2]) {
  if (!pair) {
    bool right = integer(reading, node, 0, &pad[0]);
    pad[1] = pad[0];
    return right;
  }
  if (node->kind != NODE_LIST || node->count != 2) {
    value_error(reading->diags, "padding", node, "a pair [before, after] like the first entry");
    return false;
  }
  bool before = integer(reading, node->items[0], 0, &pad[0]);
  return integer(reading, node->items[1], 0, &pad[1]) && before;
}

static bool read_padding_list(struct reading *reading, const struct node *list) {
  if (!right_length(reading, list)) return false;
  bool right = true;
  for (size_t d = 0; d < list->count; d++)
    right &= read_pads(reading, list->items[d], list->items[0]->kind == NODE_LIST, reading->layer->pad[d]);
  return right;
}

bool read_padding(struct reading *reading, const struct node *node) {
  int64_t pad;
  if (node->kind == NODE_LIST) return read_padding_list(reading, node);
  if (value_parse_integer(node, &pad) && pad >= 0) {
    for (int d = 0; d < MAX_SPATIAL; d++) reading->layer->pad[d][0] = reading->layer->pad[d][1] = pad;
    return true;
  }
  bool numeric = node->kind == NODE_SCALAR && strchr("+-.0123456789", *node->text);
  return node->kind == NODE_MAP || numeric ? expected(reading, node) : read_word(reading, node);
}

static bool is_npy(const struct node *node) {
  size_t size = node->kind == NODE_SCALAR ? strlen(node->text) : 0;
  return size > 4 && !strcmp(node->text + size - 4, ".npy");
}

/* A path in the spec is relative to the spec's folder. */
static const char *beside(const char *spec, const char *path) {
  const char *slash = strrchr(spec, '/');
  if (!slash || *path == '/') return path;
  return mem_text("%.*s%s", (int)(slash + 1 - spec), spec, path);
}

bool read_weights(struct reading *reading, const struct node *node) {
  if (!is_npy(node)) return expected(reading, node);
  reading->layer->weights.path = beside(reading->spec, node->text);
  return true;
}

bool read_bias(struct reading *reading, const struct node *node) {
  if (value_parse_bool(node, &reading->layer->bias)) return true;
  if (!is_npy(node)) return expected(reading, node);
  reading->layer->bias = true;
  reading->layer->bias_values.path = beside(reading->spec, node->text);
  return true;
}

/* The numbers of the activation that the key's row names. */
static double *act_of(const struct reading *reading) {
  struct layer *layer = reading->layer;
  return field(reading) == (void *)&layer->activation ? layer->act : layer->depthwise_act;
}

static bool read_slope(struct reading *reading, const struct node *node) {
  return value_parse_number(node, act_of(reading));
}

static bool read_bounds(struct reading *reading, const struct node *node) {
  double *bounds = act_of(reading);
  return node->kind == NODE_LIST && node->count == 2 && value_parse_number(node->items[0], &bounds[0]) &&
         value_parse_number(node->items[1], &bounds[1]) && bounds[0] <= bounds[1];
}

/* Activations with arguments, written as maps of one pair. */
static const struct {
  const char *name, *expects;
  bool (*read)(struct reading *, const struct node *);
  enum cs_activation activation;
} with_arguments[] = {
    {"leaky_relu", "{leaky_relu: slope} with a finite number", read_slope, CS_LEAKY_RELU},
    {"clamp", "{clamp: [lo, hi]} with finite numbers, lo <= hi", read_bounds, CS_CLAMP},
};

/* The row of `name`, or -1. */
static int find_with_arguments(const char *name) {
  int row = (int)(sizeof with_arguments / sizeof *with_arguments) - 1;
  while (row >= 0 && strcmp(with_arguments[row].name, name)) row--;
  return row;
}

static bool read_activation_map(struct reading *reading, const struct node *map) {
  int row = map->count == 1 ? find_with_arguments(map->keys[0]->text) : -1;
  if (row < 0) {
    diag_error(reading->diags, map->place, "%s: a map is {leaky_relu: slope} or {clamp: [lo, hi]}", reading->key->name);
    return false;
  }
  memcpy(field(reading), &with_arguments[row].activation, sizeof with_arguments[row].activation);
  if (with_arguments[row].read(reading, map->items[0])) return true;
  diag_error(reading->diags, map->items[0]->place, "%s: expected %s", reading->key->name, with_arguments[row].expects);
  return false;
}

bool read_activation(struct reading *reading, const struct node *node) {
  if (node->kind == NODE_MAP) return read_activation_map(reading, node);
  int row = node->kind == NODE_SCALAR ? find_with_arguments(node->text) : -1;
  if (row < 0) return read_word(reading, node);
  diag_error(reading->diags, node->place, "%s: expected %s, found '%s' alone", reading->key->name, with_arguments[row].expects,
             node->text);
  return false;
}

/* Both sides; `input_layout` and `output_layout` are read after it. */
bool read_layout(struct reading *reading, const struct node *node) {
  if (!read_word(reading, node)) return false;
  reading->layer->out_layout = reading->layer->in_layout;
  return true;
}

/* Is the type, which was read, one that the op takes? */
static bool check_dtype(struct reading *reading) {
  const struct layer *layer = reading->layer;
  if (!layer->op || layer->op->bf16 || layer->dtype != CS_BF16) return true;
  layer_error(layer, reading->diags, "dtype", "'bf16' is not supported yet by op '%s'; choose f32 or f64", layer->op->name);
  return false;
}

bool read_dtype(struct reading *reading, const struct node *node) {
  if (node->kind != NODE_MAP) return read_word(reading, node) && check_dtype(reading);
  diag_error(reading->diags, node->place, "dtype: quantized types are not supported yet; choose from %s",
             value_choices(reading->key->words));
  return false;
}

/* Words for value_word: the known targets, `native`, and those that will be. */
static const struct word *target_words(const char *const *known) {
  static const char *const later[] = {"avx512vnni", "avx512bf16", "neon", "neon_dotprod", "sve", "rvv", "wasm128", NULL};
  struct word *words = NULL;
  size_t count = 0;
  const struct {
    const char *const *names;
    int value;
  } lists[] = {{known, 0}, {(const char *const[]){"native", NULL}, 0}, {later, LATER}, {(const char *const[]){NULL, NULL}, 0}};
  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
    for (const char *const *name = lists[i].names; *name; name++) {
      words = mem_grow(words, count, sizeof *words);
      words[count++] = (struct word){*name, lists[i].value};
    }
  words = mem_grow(words, count, sizeof *words);
  words[count] = (struct word){NULL, 0};
  return words;
}

static bool read_one_target(struct reading *reading, const struct node *node, const struct word *words, const char **names,
                            size_t count) {
  int value;
  if (!value_word(reading->diags, "target", node, words, &value)) return false;
  for (size_t i = 0; i < count; i++)
    if (!strcmp(names[i], node->text)) {
      diag_error(reading->diags, node->place, "target: '%s' is listed twice; keep one", node->text);
      return false;
    }
  names[count] = node->text;
  return true;
}

bool read_target(struct reading *reading, const struct node *node) {
  const struct word *words = target_words(reading->known_targets);
  size_t count = node->kind == NODE_SCALAR ? 1 : node->count;
  if (node->kind == NODE_MAP || !count) return expected(reading, node);
  const char **names = mem_array(count, sizeof *names);
  bool right = true;
  for (size_t i = 0; right && i < count; i++)
    right = read_one_target(reading, node->kind == NODE_SCALAR ? node : node->items[i], words, names, i);
  reading->layer->targets = names;
  reading->layer->target_count = right ? count : 0;
  return right;
}

bool read_later(struct reading *reading, const struct node *node) {
  diag_error(reading->diags, node->place, "%s: not supported yet; leave it out", reading->key->name);
  return false;
}
