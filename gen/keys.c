/* The table of layer keys, and the words that their values may be. Keys that only later ops will take have rows as well, so that
 * `defaults` may hold them and a misspelling finds them. */
#include "keys.h"
#include "key_read.h"
#include "mem.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct word dtypes[] = {{"f32", CS_F32}, {"f64", CS_F64}, {"bf16", CS_BF16}, {"f16", LATER}, {NULL, 0}};
static const struct word layouts[] = {{"nhwc", CS_NHWC}, {"nchw", CS_NCHW}, {NULL, 0}};
static const struct word pad_kinds[] = {{"valid", PAD_EXPLICIT}, {"same", PAD_SAME},     {"same_lower", PAD_SAME_LOWER},
                                        {"full", PAD_FULL},      {"causal", PAD_CAUSAL}, {NULL, 0}};
static const struct word pad_modes[] = {
    {"zeros", CS_ZEROS}, {"reflect", CS_REFLECT}, {"replicate", CS_REPLICATE}, {"circular", CS_CIRCULAR}, {NULL, 0}};
static const struct word activations[] = {
    {"none", CS_NONE}, {"relu", CS_RELU},   {"relu6", CS_RELU6},           {"sigmoid", CS_SIGMOID},
    {"tanh", CS_TANH}, {"silu", CS_SILU},   {"hardswish", CS_HARDSWISH},   {"hardsigmoid", CS_HARDSIGMOID},
    {"gelu", CS_GELU}, {"prelu", CS_PRELU}, {"leaky_relu", CS_LEAKY_RELU}, {"clamp", CS_CLAMP},
    {NULL, 0}};
static const struct word algorithms[] = {{"auto", 0}, {"direct", 0}, {"winograd", 0}, {"fft", 0}, {"separable", 0}, {NULL, 0}};
static const struct word accuracies[] = {{"strict", CS_STRICT}, {"normwise", CS_NORMWISE}, {"fast", CS_FAST}, {NULL, 0}};
static const struct word axes[] = {{"channels", true}, {"spatial", false}, {NULL, 0}};
static const struct word orders[] = {{"crd", CS_CRD}, {"dcr", CS_DCR}, {"focus", CS_FOCUS}, {NULL, 0}};
static const struct word unrolls[] = {{"auto", UNROLL_AUTO}, {"full", UNROLL_FULL}, {"none", UNROLL_NONE}, {NULL, 0}};

#define POSITIVE "a decimal integer from 1 to 2^63-1"
#define SIZES POSITIVE ", or a list with one for each spatial dimension"
#define COUNTS "a decimal integer from 0 to 2^63-1, or a list with one for each spatial dimension"
#define PADDING                                                                                                                    \
  "an integer of at least 0, a list with one or a pair [before, after] for each spatial dimension, or one of valid, same, "        \
  "same_lower, full, causal"
#define FIELD(name) offsetof(struct layer, name)
#define LATER_KEY(name)                                                                                                            \
  { name, "", read_later, 0, NULL, false }

/* In the order of reading: `input` gives the rank that lists are judged by, `layout` comes before what overrides one side of it. */
const struct key layer_keys[] = {
    {"name", "a C identifier, the prefix of every symbol", read_name, 0, NULL, true},
    {"op", "the name of an op", NULL, 0, NULL, false},
    {"dtype", "", read_dtype, FIELD(dtype), dtypes, false},
    {"input", "a list [N, C, spatial...] with 1 to 3 spatial sizes", read_input, 0, NULL, true},
    {"out_channels", POSITIVE, read_integer, FIELD(out_channels), NULL, true},
    {"kernel_size", SIZES, read_kernel, FIELD(kernel), NULL, true},
    {"stride", SIZES, read_sizes, FIELD(stride), NULL, false},
    {"dilation", SIZES, read_sizes, FIELD(dilation), NULL, false},
    {"padding", PADDING, read_padding, FIELD(pad_kind), pad_kinds, false},
    {"padding_mode", "", read_word, FIELD(pad_mode), pad_modes, false},
    {"groups", POSITIVE, read_integer, FIELD(groups), NULL, false},
    {"bias", "true, false or the path of a .npy file", read_bias, 0, NULL, false},
    {"weights", "the path of a .npy file", read_weights, 0, NULL, false},
    {"activation", "", read_activation, FIELD(activation), activations, false},
    {"residual", "true or false", read_bool, FIELD(residual), NULL, false},
    {"flip", "true or false", read_bool, FIELD(flip), NULL, false},
    {"algorithm", "", read_algorithm, FIELD(algorithm), algorithms, false},
    {"accuracy", "", read_word, FIELD(accuracy), accuracies, false},
    {"unroll", "", read_word, FIELD(unroll), unrolls, false},
    {"max_code_bytes", POSITIVE, read_integer, FIELD(max_code_bytes), NULL, false},
    {"layout", "", read_layout, FIELD(in_layout), layouts, false},
    {"input_layout", "", read_word, FIELD(in_layout), layouts, false},
    {"output_layout", "", read_word, FIELD(out_layout), layouts, false},
    {"target", "a target, or a list of them", read_target, 0, NULL, false},
    {"shuffle", POSITIVE, read_integer, FIELD(shuffle), NULL, false},
    {"pixel_shuffle", POSITIVE, read_integer, FIELD(pixel_shuffle), NULL, false},
    LATER_KEY("scale"),
    LATER_KEY("zero_point"),
    {"output_padding", COUNTS, read_counts, FIELD(output_padding), NULL, false},
    {"output_size", SIZES, read_sizes, FIELD(output_size), NULL, false},
    {"multiplier", POSITIVE, read_integer, FIELD(multiplier), NULL, false},
    {"depthwise_activation", "", read_activation, FIELD(depthwise_activation), activations, false},
    {"tile", SIZES, read_sizes, FIELD(tile), NULL, true},
    LATER_KEY("offset_groups"),
    LATER_KEY("modulated"),
    LATER_KEY("offset"),
    LATER_KEY("position_sensitive"),
    LATER_KEY("group_size"),
    LATER_KEY("part_size"),
    LATER_KEY("spatial_scale"),
    LATER_KEY("sampling_ratio"),
    LATER_KEY("gamma"),
    {"ceil_mode", "true or false", read_bool, FIELD(ceil_mode), NULL, false},
    {"count_include_pad", "true or false", read_bool, FIELD(count_include_pad), NULL, false},
    {"axis", "", read_axis, FIELD(along_channels), axes, false},
    LATER_KEY("mode"),
    LATER_KEY("coordinates"),
    LATER_KEY("align_corners"),
    LATER_KEY("resize"),
    {"factor", POSITIVE, read_integer, FIELD(factor), NULL, true},
    {"order", "", read_word, FIELD(order), orders, false},
    {NULL, NULL, NULL, 0, NULL, false},
};

enum { KEYS = sizeof layer_keys / sizeof *layer_keys - 1 };
_Static_assert(KEYS <= 64, "layer.wrong has a bit for each key");

const char *const *key_names(void) {
  static const char *names[KEYS + 1];
  for (int i = 0; i < KEYS; i++) names[i] = layer_keys[i].name;
  return names;
}

int key_find(const char *name) {
  for (int i = 0; i < KEYS; i++)
    if (!strcmp(layer_keys[i].name, name)) return i;
  return -1;
}

bool layer_right(const struct layer *layer, const char *key) {
  return !(layer->wrong >> key_find(key) & 1);
}

void layer_set_wrong(struct layer *layer, const char *key) {
  layer->wrong |= UINT64_C(1) << key_find(key);
}

struct place layer_place(const struct layer *layer, const char *key) {
  const struct node *value = layer->values[key_find(key)];
  return value ? value->place : layer->node->place;
}

/* Whether a value was written in the layer's own map. */
static bool is_own(const struct layer *layer, const char *key) {
  const struct node *value = layer->values[key_find(key)];
  return !value || value == yaml_get(layer->node, key);
}

bool layer_gives(const struct layer *layer, const char *key) {
  const struct node *value = layer->values[key_find(key)];
  return value && (value == yaml_get(layer->node, key) || !strncmp(value->place.file, "--set", 5));
}

bool layer_says(const struct layer *layer, const char *key, const char *rival) {
  return layer->values[key_find(key)] && (layer_gives(layer, key) || !layer_gives(layer, rival));
}

void layer_error(const struct layer *layer, struct diags *diags, const char *key, const char *format, ...) {
  char text[1000];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  if (is_own(layer, key))
    diag_error(diags, layer_place(layer, key), "%s: %s", key, text);
  else
    diag_error(diags, layer_place(layer, key), "%s: %s (in layer '%s')", key, text, layer->name);
}

static const char *word_name(const struct word *words, int value) {
  while (words->value != value) words++;
  return words->name;
}

const char *dtype_name(enum cs_dtype dtype) {
  return word_name(dtypes, (int)dtype);
}

const char *layout_name(enum cs_layout layout) {
  return word_name(layouts, (int)layout);
}

const char *pad_mode_name(enum cs_pad_mode mode) {
  return word_name(pad_modes, (int)mode);
}

const char *order_name(enum cs_order order) {
  return word_name(orders, (int)order);
}

const char *accuracy_name(enum cs_accuracy accuracy) {
  return word_name(accuracies, (int)accuracy);
}

const char *activation_name(enum cs_activation activation) {
  return word_name(activations, (int)activation);
}
