/* Specs as layers: every key lands where it should, defaults and --set give way in the right order, names do not clash. What is
 * said of wrong specs is in tests/bad. */
#include "../gen/names.h"
#include "spec_text.h"
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SHAPE "input: [2, 6, 8, 9], out_channels: 4, kernel_size: 3"

static void defaults_of_keys(void **state) {
  (void)state;
  const struct layer *layer = spec_layer(SHAPE);
  assert_string_equal(layer->name, "a");
  assert_ptr_equal(layer->op, &op_conv);
  assert_int_equal(layer->rank, 2);
  assert_int_equal(layer->batch, 2);
  assert_int_equal(layer->in_channels, 6);
  assert_int_equal(layer->in[0], 8);
  assert_int_equal(layer->in[1], 9);
  assert_int_equal(layer->out_channels, 4);
  for (int d = 0; d < 2; d++) {
    assert_int_equal(layer->kernel[d], 3);
    assert_int_equal(layer->stride[d], 1);
    assert_int_equal(layer->dilation[d], 1);
    assert_int_equal(layer->pad[d][0], 0);
    assert_int_equal(layer->pad[d][1], 0);
  }
  assert_int_equal(layer->out[0], 6);
  assert_int_equal(layer->out[1], 7);
  assert_int_equal(layer->groups, 1);
  assert_int_equal(layer->dtype, CS_F32);
  assert_int_equal(layer->pad_mode, CS_ZEROS);
  assert_int_equal(layer->in_layout, CS_NHWC);
  assert_int_equal(layer->out_layout, CS_NHWC);
  assert_false(layer->bias || layer->residual || layer->flip);
  assert_null(layer->weights.data);
  assert_int_equal(layer->activation, CS_NONE);
  assert_string_equal(layer->algorithm, "auto");
  assert_int_equal(layer->accuracy, CS_STRICT);
  assert_int_equal(layer->unroll, UNROLL_AUTO);
  assert_int_equal(layer->max_code_bytes, 65536);
  assert_int_equal(layer->target_count, 0);
}

static void every_key(void **state) {
  (void)state;
  const struct layer *layer = spec_layer(
      "op: conv, input: [1, 6, 20, 30, 40], out_channels: 9, kernel_size: [1, 2, 3], stride: [1, 2, 3], dilation: [4, 5, 6],"
      "padding: [[1, 2], [3, 4], [5, 6]], padding_mode: replicate, groups: 3, bias: true, residual: true, flip: true,"
      "layout: nchw, output_layout: nhwc, dtype: f64, activation: {clamp: [-1.5, 2e1]}, algorithm: direct,"
      "accuracy: fast, unroll: full, max_code_bytes: 1000, target: [native, avx2]");
  assert_int_equal(layer->rank, 3);
  for (int d = 0; d < 3; d++) {
    assert_int_equal(layer->kernel[d], 1 + d);
    assert_int_equal(layer->stride[d], 1 + d);
    assert_int_equal(layer->dilation[d], 4 + d);
    assert_int_equal(layer->pad[d][0], 1 + 2 * d);
    assert_int_equal(layer->pad[d][1], 2 + 2 * d);
  }
  assert_int_equal(layer->out[0], 23); /* (20 + 3 - 1) / 1 + 1 */
  assert_int_equal(layer->out[1], 16); /* (30 + 7 - 6) / 2 + 1 */
  assert_int_equal(layer->out[2], 13); /* (40 + 11 - 13) / 3 + 1 */
  assert_int_equal(layer->pad_mode, CS_REPLICATE);
  assert_int_equal(layer->groups, 3);
  assert_true(layer->bias && layer->residual && layer->flip);
  assert_int_equal(layer->in_layout, CS_NCHW);
  assert_int_equal(layer->out_layout, CS_NHWC);
  assert_int_equal(layer->dtype, CS_F64);
  assert_int_equal(layer->activation, CS_CLAMP);
  assert_true(layer->act[0] == -1.5 && layer->act[1] == 20);
  assert_string_equal(layer->algorithm, "direct");
  assert_int_equal(layer->accuracy, CS_FAST);
  assert_int_equal(layer->unroll, UNROLL_FULL);
  assert_int_equal(layer->max_code_bytes, 1000);
  assert_int_equal(layer->target_count, 2);
  assert_string_equal(layer->targets[0], "native");
  assert_string_equal(layer->targets[1], "avx2");
}

static void paddings(void **state) {
  static const struct {
    const char *padding;
    int64_t pad[2][2];
  } rows[] = {{"2", {{2, 2}, {2, 2}}},      {"[1, 2]", {{1, 1}, {2, 2}}}, {"[[0, 1], [2, 3]]", {{0, 1}, {2, 3}}},
              {"valid", {{0, 0}, {0, 0}}},  {"same", {{0, 1}, {1, 1}}},   {"same_lower", {{1, 0}, {1, 1}}},
              {"'full'", {{2, 2}, {2, 2}}}, {"causal", {{2, 0}, {2, 0}}}, {"0", {{0, 0}, {0, 0}}}};
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const struct layer *layer = spec_layer(mem_text(SHAPE ", stride: 2, padding: %s", rows[i].padding));
    assert_memory_equal(layer->pad, rows[i].pad, sizeof rows[i].pad);
  }
}

static void activations(void **state) {
  static const char *const names[] = {"none",      "relu",        "relu6", "sigmoid",    "tanh",  "silu",
                                      "hardswish", "hardsigmoid", "gelu",  "leaky_relu", "clamp", "prelu"};
  (void)state;
  for (int i = 0; i < (int)(sizeof names / sizeof *names); i++) {
    const char *value = i == CS_LEAKY_RELU ? "{leaky_relu: -0.25}" : i == CS_CLAMP ? "{clamp: [0, 0]}" : names[i];
    const struct layer *layer = spec_layer(mem_text(SHAPE ", activation: %s", value));
    assert_int_equal((int)layer->activation, i);
    assert_string_equal(activation_name(layer->activation), names[i]);
    assert_true(layer->act[0] == (i == CS_LEAKY_RELU ? -0.25 : 0));
  }
}

/* Numbers are decimal, with digits before the point, behind it, or both. */
static void slopes(void **state) {
  static const struct {
    const char *text;
    double value;
  } rows[] = {{"0.5", 0.5}, {".5", 0.5}, {"-.5", -0.5}, {"2.", 2}, {"25e-2", 0.25}, {"1E+1", 10}, {"0", 0}, {"-0.0", 0}};
  static const char *const wrong[] = {"01", "00.5", "+1", ".", "-", "1_0", "0x1", ".inf", ".nan", "1e", "1e400", "\"1\"", "1:30"};
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    assert_true(spec_layer(mem_text(SHAPE ", activation: {leaky_relu: %s}", rows[i].text))->act[0] == rows[i].value);
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    if (spec_text(mem_text("convsmith: 1\nlayers: [{name: a, " SHAPE ", activation: {leaky_relu: %s}}]\n", wrong[i])))
      fail_msg("a slope of %s", wrong[i]);
}

static void spellings(void **state) {
  (void)state;
  assert_string_equal(dtype_name(CS_F64), "f64");
  assert_string_equal(layout_name(CS_NCHW), "nchw");
  assert_string_equal(pad_mode_name(CS_CIRCULAR), "circular");
}

/* Of keys that exclude one another the layer's own counts, wherever the other is a default. */
static void defaults_give_way(void **state) {
  (void)state;
  assert_true(spec_text("convsmith: 1\n"
                        "defaults: {input: [1, 4, 9], kernel_size: 3, stride: 2, dilation: 2, padding: 1, output_padding: 1, \n"
                        "  ceil_mode: true, out_channels: 4, padding_mode: reflect}\n"
                        "layers:\n"
                        "  - {name: a, op: max_pool, output_size: 3}\n"
                        "  - {name: b, op: max_pool, kernel_size: global}\n"
                        "  - {name: c, op: max_pool}\n"
                        "  - {name: d, op: conv_transpose, output_size: 16}\n"
                        "  - {name: e, op: conv_transpose}\n"));
  const struct layer *layers = spec_read_last.layers;
  const int64_t outputs[] = {3, 1, 4, 16, 20};
  for (int i = 0; i < 5; i++) assert_int_equal(layers[i].out[0], outputs[i]);
  for (int i = 0; i < 2; i++) {
    assert_int_equal(layers[i].dilation[0], 1);
    assert_int_equal(layers[i].pad[0][0], 0);
  }
  assert_int_equal(layers[3].pad_mode, CS_ZEROS);
  assert_true(spec_text("convsmith: 1\n"
                        "defaults: {input: [1, 4, 9], out_channels: 4, kernel_size: 3, output_size: 10}\n"
                        "layers: [{name: a, op: max_pool, kernel_size: 2}, {name: b, op: conv_transpose, padding: 1}]\n"));
  assert_int_equal(spec_read_last.layers[0].out[0], 4);
  assert_int_equal(spec_read_last.layers[1].out[0], 9);
  assert_true(spec_text("convsmith: 1\n"
                        "defaults: {input: [1, 4, 9], out_channels: 4, kernel_size: 3, stride: 2, output_size: 10, shuffle: 2}\n"
                        "layers: [{name: a, op: conv_transpose, output_padding: 1}, {name: b, pixel_shuffle: 4}]\n"));
  assert_int_equal(spec_read_last.layers[0].out[0], 20);
  assert_int_equal(spec_read_last.layers[1].shuffle, 0);
  assert_true(
      spec_text("convsmith: 1\n"
                "defaults: {op: conv_transpose, input: [1, 4, 9], out_channels: 4, kernel_size: 3, stride: 2, output_padding: 1}\n"
                "layers: [{name: a, padding: same}]\n"));
  assert_int_equal(spec_read_last.layers[0].out[0], 18);
  assert_true(
      spec_text("convsmith: 1\n"
                "defaults: {op: conv_transpose, input: [1, 4, 9], out_channels: 4, kernel_size: 3, stride: 2, padding: same}\n"
                "layers: [{name: a, output_padding: 1}]\n"));
  assert_int_equal(spec_read_last.layers[0].out[0], 20);
  assert_false(
      spec_text("convsmith: 1\n"
                "defaults: {input: [1, 4, 9], kernel_size: 3, output_size: 10}\n"
                "layers: [{name: a, op: max_pool}, {name: b, op: conv_transpose, out_channels: 4, padding: 1, output_size: 3}]"));
}

static const char two_layers[] = "convsmith: 1\n"
                                 "defaults: {" SHAPE ", stride: 2, layout: nchw, output_padding: 1}\n"
                                 "layers:\n"
                                 "  - {name: one}\n"
                                 "  - {name: two, stride: 1, input_layout: nhwc}\n";

/* The layer's own key beats the default; a default of another op is passed over. */
static void file_defaults(void **state) {
  (void)state;
  assert_true(spec_text(two_layers));
  assert_int_equal(spec_read_last.count, 2);
  const struct layer *one = &spec_read_last.layers[0], *two = &spec_read_last.layers[1];
  assert_int_equal(one->stride[0], 2);
  assert_int_equal(two->stride[0], 1);
  assert_int_equal(one->in_layout, CS_NCHW);
  assert_int_equal(two->in_layout, CS_NHWC);
  assert_int_equal(two->out_layout, CS_NCHW);
  assert_int_equal(layer_place(one, "stride").line, 2);
  assert_int_equal(layer_place(two, "stride").line, 5);
  assert_int_equal(layer_place(two, "stride").column, 25);
  assert_int_equal(layer_place(two, "groups").line, 5); /* not there: the layer */
  assert_int_equal(layer_place(two, "groups").column, 5);
}

static void sets_and_choice(void **state) {
  static const char *const sets[] = {"stride=3", "padding=[[1, 2], [3, 4]]", "stride=1", "name=renamed"};
  static const char *const layers[] = {"two"};
  (void)state;
  assert_true(spec_text_with(two_layers, (struct spec_options){.sets = sets, .set_count = 3}));
  assert_int_equal(spec_read_last.count, 2);
  assert_int_equal(spec_read_last.layers[0].stride[1], 1);
  assert_int_equal(spec_read_last.layers[1].pad[1][1], 4);
  assert_int_equal(layer_place(&spec_read_last.layers[0], "stride").line, 0);
  assert_true(spec_text_with(two_layers, (struct spec_options){.sets = sets, .set_count = 4, .layers = layers, .layer_count = 1}));
  assert_int_equal(spec_read_last.count, 1);
  assert_string_equal(spec_read_last.layers[0].name, "renamed");
}

/* --set does not reach layers that are not chosen, and those are judged all the same. */
static void set_reaches_the_chosen(void **state) {
  static const char *const sets[] = {"kernel_size=9"}, *const one[] = {"one"}, *const none[] = {"tow"};
  (void)state;
  assert_false(spec_text_with(two_layers, (struct spec_options){.sets = sets, .set_count = 1, .layers = one, .layer_count = 1}));
  assert_non_null(strstr(spec_messages.data, "(in layer 'one')"));
  assert_null(strstr(spec_messages.data, "(in layer 'two')"));
  assert_false(spec_text_with(two_layers, (struct spec_options){.layers = none, .layer_count = 1}));
  assert_non_null(strstr(spec_messages.data, "convsmith: error: --layer tow: "));
  assert_non_null(strstr(spec_messages.data, "did you mean 'two'?"));
}

static void wrong_sets(void **state) {
  static const struct {
    const char *set, *message;
  } rows[] = {
      {"stride", "convsmith: error: --set stride: expected KEY=VALUE\n"},
      {"=1", "convsmith: error: --set =1: expected KEY=VALUE\n"},
      {"strid=1", "convsmith: error: --set strid=1: unknown key 'strid'; did you mean 'stride'?\n"},
      {"stride=0",
       "convsmith: error: --set stride=0: stride: expected a decimal integer from 1 to 2^63-1, or a list with one for each "
       "spatial dimension, found '0'\n"},
      {"stride=[1",
       "convsmith: error: --set stride=[1: not YAML: while parsing a flow sequence, did not find expected ',' or ']'\n"},
      {"stride=", "convsmith: error: --set stride=: no value\n"},
      {"axis=channels", "convsmith: error: --set axis=channels: axis: op 'conv' has no such key; leave it out\n"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    assert_false(spec_text_with(two_layers, (struct spec_options){.sets = &rows[i].set, .set_count = 1}));
    assert_string_equal(spec_messages.data, rows[i].message);
  }
}

static void one_target(void **state) {
  (void)state;
  const struct layer *layer = spec_layer(SHAPE ", target: scalar");
  assert_int_equal(layer->target_count, 1);
  assert_string_equal(layer->targets[0], "scalar");
}

static void prefix_counts(void **state) {
  static const char spec[] = "convsmith: 1\ndefaults: {" SHAPE "}\nlayers: [{name: log}, {name: p}]\n";
  (void)state;
  assert_false(spec_text(spec));
  assert_non_null(strstr(spec_messages.data, "'log' is a name of the C library"));
  assert_true(spec_text_with(spec, (struct spec_options){.prefix = "net_"}));
  assert_false(spec_text_with(spec, (struct spec_options){.prefix = "ex"})); /* ex + p */
}

static void names(void **state) {
  static const struct {
    const char *name;
    bool right;
  } rows[] = {{"stem", true},  {"layer1_0_conv2", true}, {"a__b", true}, {"no", true},
              {"NULL", false}, {"co_yield", false},      {"x1", true},   {"1x", false},
              {"", false},     {"static", false},        {"_a", false},  {"char8_t", false},
              {"conv", true},  {"typeof", false},        {"sin", false}, {"sinus", true},
              {"a.b", false},  {"inline", false},        {"Int", true},  {"compl", false},
              {"time", true},  {"memset", false},        {"a b", false}, {"string", false}};
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (!name_problem(rows[i].name, "") != rows[i].right) fail_msg("'%s'", rows[i].name);
  char longest[130] = {0};
  memset(longest, 'x', 128);
  assert_null(name_problem(longest, ""));
  assert_non_null(name_problem(longest, "y"));
}

/* The path of baked values is relative to the spec. */
static void baked_values(void **state) {
  (void)state;
  const float weights[] = {1, 2, 3}, bias[] = {7};
  struct cs_npy array = {.dtype = CS_F32, .rank = 3, .shape = {1, 1, 3}, .count = 3, .data = (void *)(uintptr_t)weights};
  assert_null(cs_npy_write(scratch_path("w.npy"), &array));
  array = (struct cs_npy){.dtype = CS_F32, .rank = 1, .shape = {1}, .count = 1, .data = (void *)(uintptr_t)bias};
  assert_null(cs_npy_write(scratch_path("b.npy"), &array));
  const struct layer *layer = spec_layer("input: [1, 1, 9], out_channels: 1, kernel_size: 3, weights: w.npy, bias: b.npy");
  assert_string_equal(layer->weights.path, scratch_path("w.npy"));
  assert_int_equal(layer->weights.count, 3);
  assert_memory_equal(layer->weights.data, weights, sizeof weights);
  assert_true(layer->bias);
  assert_int_equal(layer->bias_values.count, 1);
  assert_memory_equal(layer->bias_values.data, bias, sizeof bias);
}

static int begin(void **state) {
  (void)state;
  scratch_begin("spec");
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(defaults_of_keys), cmocka_unit_test(every_key),
                                     cmocka_unit_test(paddings),         cmocka_unit_test(activations),
                                     cmocka_unit_test(spellings),        cmocka_unit_test(file_defaults),
                                     cmocka_unit_test(slopes),           cmocka_unit_test(defaults_give_way),
                                     cmocka_unit_test(sets_and_choice),  cmocka_unit_test(set_reaches_the_chosen),
                                     cmocka_unit_test(wrong_sets),       cmocka_unit_test(one_target),
                                     cmocka_unit_test(prefix_counts),    cmocka_unit_test(names),
                                     cmocka_unit_test(baked_values)};
  return cmocka_run_group_tests(tests, begin, spec_done);
}
