/* The program's info and check commands, run on specs as a user runs them. */
#include "../runtime/convsmith.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

enum { LONGEST = 1 << 20 };

static const char *out_folder(void) {
  const char *out = getenv("OUT");
  return out ? out : "out";
}

/* A path in the folder for scratch files. */
static const char *scratch(const char *name) {
  static char path[4][512];
  static int next;
  char *text = path[next++ % 4];
  snprintf(text, sizeof path[0], "%s/test/info_%s", out_folder(), name);
  return text;
}

static void write_file(const char *path, const char *content) {
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fputs(content, file);
  assert_int_equal(fclose(file), 0);
}

static const char *read_file(const char *path) {
  static char content[LONGEST];
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  content[fread(content, 1, sizeof content - 1, file)] = '\0';
  fclose(file);
  return content;
}

/* Runs `convsmith ARGUMENTS`; what it says stands in the scratch files "out" and "err". */
static int run(const char *arguments) {
  char command[2048];
  snprintf(command, sizeof command, "%s/convsmith %s >%s 2>%s", out_folder(), arguments, scratch("out"), scratch("err"));
  int status = system(command);
  assert_true(WIFEXITED(status));
  return WEXITSTATUS(status);
}

/* Runs `convsmith COMMAND FILE` on a spec with this text. */
static int run_on(const char *command, const char *spec) {
  char arguments[1024];
  write_file(scratch("spec.yaml"), spec);
  snprintf(arguments, sizeof arguments, "%s %s", command, scratch("spec.yaml"));
  return run(arguments);
}

/* The same text without white space: what JSON means. */
static const char *packed(const char *text) {
  static char result[LONGEST];
  size_t size = 0;
  for (; *text; text++)
    if (*text != ' ' && *text != '\n') result[size++] = *text;
  result[size] = '\0';
  return result;
}

static void assert_says(const char *text, const char *part) {
  if (!strstr(text, part)) fail_msg("'%s' is not in:\n%s", part, text);
}

/* ---- info --------------------------------------------------------------------------------------------------------- */

static void info_names_the_numbers(void **state) {
  (void)state;
  assert_int_equal(run("info specs/resnet50.yaml --layer conv1_7x7 --target scalar"), 0);
  const char *text = read_file(scratch("out"));
  assert_says(text, "conv1_7x7: conv, f32, nhwc\n");
  assert_says(text, "  input            1×3×224×224\n");
  assert_says(text, "  output           1×64×112×112\n");
  assert_says(text, "  parameters       9472\n");
  assert_says(text, "  multiply-adds    118013952 (118 M)\n");
  assert_says(text, "  receptive field  7×7\n");
  assert_says(text, "  error bound      |y - y*| ≤ 8.9e-06·Σ|x||w|: γ(n), n = 149\n");
  assert_says(text, "\n  scalar           direct, tile ");
}

static void info_names_runs(void **state) {
  (void)state;
  assert_int_equal(run("info specs/features/sawtooth.yaml --target scalar"), 0);
  assert_says(read_file(scratch("out")), "\nsawtooth_1 to sawtooth_5, 3 layers that chain: receptive field 17×17\n");
}

static void info_lists_every_target(void **state) {
  (void)state;
  assert_int_equal(run("info specs/features/conv1d.yaml --target scalar,avx2 --layer signal_k5"), 0);
  assert_says(read_file(scratch("out")), "\n  scalar  ");
  assert_says(read_file(scratch("out")), "\n  avx2  ");
}

static void explain_lists_plans(void **state) {
  (void)state;
  assert_int_equal(run("info specs/features/groups.yaml --layer groups_2 --target avx2 --explain"), 0);
  assert_says(read_file(scratch("out")), "  plans for avx2: ");
  assert_says(read_file(scratch("out")), " 1.00 of the chosen's cost: ");
}

static void json_has_the_promised_keys(void **state) {
  (void)state;
  assert_int_equal(run("info specs/resnet50.yaml --layer conv1_7x7 --target scalar --json"), 0);
  const char *json = packed(read_file(scratch("out")));
  assert_says(json,
              "{\"layers\":[{\"name\":\"conv1_7x7\",\"op\":\"conv\",\"input\":[1,3,224,224],\"output\":[1,64,112,112],"
              "\"parameters\":9472,\"multiply_adds\":118013952,\"receptive_field\":[7,7],\"algorithm\":\"direct\",\"tile\":\"");
  const char *const keys[] = {"\"packed_bytes\":", "\"workspace_bytes\":", "\"code_bytes\":", "\"stack\":[7,7]"};
  for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) assert_says(json, keys[i]);
}

static void json_stack(void **state) {
  (void)state;
  assert_int_equal(run("info specs/features/sawtooth.yaml --target scalar --json"), 0);
  assert_says(packed(read_file(scratch("out"))),
              "\"stack\":[17,17],\"runs\":[{\"layers\":[\"sawtooth_1\",\"sawtooth_2\",\"sawtooth_5\"],"
              "\"receptive_field\":[17,17],\"jump\":[1,1],\"holes\":[0,0]}]}");
  assert_int_equal(run("info specs/lenet5.yaml --target scalar --json"), 0);
  assert_says(packed(read_file(scratch("out"))), "\"stack\":null,\"runs\":[]}");
}

/* What one output of h reads of each layer's input: h 0 to 15, g -1 to 8, f -2 to 17, e -3 to 18, d -5 to 20, c -3 to 10 (odd
 * outputs take taps 0 and 2, even ones 1 and 3), b -6 to 21, a -13 to 43. */
static void json_stack_of_turns(void **state) {
  (void)state;
  assert_int_equal(
      run_on("info --json --target scalar",
             "convsmith: 1\n"
             "layers:\n"
             "  - {name: a, input: [1, 3, 32], out_channels: 8, kernel_size: 3, stride: 2, padding: 1}\n"
             "  - {name: b, op: max_pool, input: [1, 8, 16], kernel_size: 2}\n"
             "  - {name: c, op: conv_transpose, input: [1, 8, 8], out_channels: 8, kernel_size: 4, stride: 2, padding: 1}\n"
             "  - {name: d, input: [1, 8, 16], out_channels: 8, kernel_size: 3, dilation: 2, padding: 2}\n"
             "  - {name: e, op: separable_conv, input: [1, 8, 16], out_channels: 8, kernel_size: 3, padding: 1}\n"
             "  - {name: f, op: pixel_unshuffle, input: [1, 8, 16], factor: 2}\n"
             "  - {name: g, input: [1, 16, 8], out_channels: 8, kernel_size: 3, padding: 1, pixel_shuffle: 2}\n"
             "  - {name: h, op: avg_pool, input: [1, 4, 16], kernel_size: global}\n"),
      0);
  assert_says(packed(read_file(scratch("out"))),
              "\"stack\":[57],\"runs\":[{\"layers\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\"],"
              "\"receptive_field\":[57],\"jump\":[null],\"holes\":[null]}]}");
  assert_int_equal(run_on("info --target scalar",
                          "convsmith: 1\n"
                          "layers:\n"
                          "  - {name: a, input: [1, 1, 8, 10], out_channels: 1, kernel_size: [1, 2], padding: [0, 1]}\n"
                          "  - {name: b, op: avg_pool, input: [1, 1, 8, 11], output_size: [1, 3]}\n"
                          "  - {name: c, op: pixel_shuffle, input: [1, 4, 1, 3], factor: 2}\n"),
                   0);
  assert_says(read_file(scratch("out")), "a to b, 2 layers that chain: receptive field 8×6\n");
}

static void exact_layers_have_no_bound(void **state) {
  (void)state;
  const char *spec = "convsmith: 1\n"
                     "defaults: {op: max_pool, input: [1, 4, 8], kernel_size: 2}\n"
                     "layers: [{name: a}, {name: b, activation: tanh}, {name: c, residual: true}]\n";
  assert_int_equal(run_on("info --target scalar", spec), 0);
  assert_says(read_file(scratch("out")), "  error bound      0: results are exact\n");
  assert_says(read_file(scratch("out")), "  error bound      0 before the activation\n");
  assert_says(read_file(scratch("out")), "  error bound      |y - y*| ≤ 1.8e-07·Σ|x||w|: γ(n), n = 3\n");
}

/* Brackets outside of strings close in order: what can be said without a parser. */
static void assert_balanced(const char *json) {
  char open[64];
  size_t depth = 0;
  bool quoted = false;
  for (; *json; json++) {
    if (*json == '"') quoted = !quoted;
    if (quoted) continue;
    if (*json == '{' || *json == '[') {
      assert_in_range(depth, 0, sizeof open - 1);
      open[depth++] = *json == '{' ? '}' : ']';
    }
    if (*json == '}' || *json == ']') {
      assert_int_not_equal(depth, 0);
      assert_int_equal(open[--depth], *json);
    }
  }
  assert_int_equal(depth, 0);
}

static void json_is_valid(void **state) {
  (void)state;
  char command[600];
  assert_int_equal(run("info specs/features/activations.yaml --explain --json --target scalar,avx2"), 0);
  assert_balanced(read_file(scratch("out")));
  if (system("python3 -c pass 2>/dev/null") != 0) return;
  snprintf(command, sizeof command, "python3 -m json.tool %s >/dev/null", scratch("out"));
  assert_int_equal(system(command), 0);
}

/* ---- check -------------------------------------------------------------------------------------------------------- */

static const char gridding[] = "convsmith: 1\n"
                               "defaults: {input: [1, 4, 20, 20], out_channels: 4, kernel_size: 3, padding: same}\n"
                               "layers:\n"
                               "  - {name: a, dilation: 2}\n"
                               "  - {name: b, dilation: 2}\n"
                               "  - {name: c, dilation: 2}\n";

static void check_warns_of_gridding(void **state) {
  (void)state;
  assert_int_equal(run_on("check", gridding), 0);
  char expected[1024];
  snprintf(
      expected, sizeof expected,
      "%s:4:25: warning: gridding: the receptive field of the run a, b, c has holes at rows and columns 1, 3, 5 … 11 (6 of 13): "
      "dilations 2, 2, 2 with common divisor 2 and M_2 = 2 (within kernel size 3); a dilation-1 layer of kernel size 2 or more "
      "before the run, or dilations as the saw-tooth 1, 2, 5 with kernel size 3, would cover them\n",
      scratch("spec.yaml"));
  assert_string_equal(read_file(scratch("err")), expected);
  assert_string_equal(read_file(scratch("out")), "");
}

static void check_knows_sawtooth(void **state) {
  (void)state;
  assert_int_equal(run("check specs/features/sawtooth.yaml"), 0);
  assert_string_equal(read_file(scratch("err")), "");
  assert_int_equal(run("check specs/wavenet.yaml"), 0);
  assert_string_equal(read_file(scratch("err")), "");
}

static void check_takes_axes_apart(void **state) {
  (void)state;
  assert_int_equal(run_on("check", "convsmith: 1\n"
                                   "defaults: {input: [1, 4, 20, 20], out_channels: 4, kernel_size: [1, 3], padding: same}\n"
                                   "layers:\n"
                                   "  - {name: a}\n"
                                   "  - {name: b, dilation: [1, 4]}\n"),
                   0);
  const char *text = read_file(scratch("err"));
  assert_says(text, ":5:25: warning: gridding: the receptive field of the run a, b has holes at columns 3, 7 (2 of 11): ");
  assert_says(text, "dilations 1, 4 with common divisor 1 and M_2 = 4 (more than kernel size 3)");
}

static void check_warns_of_unread_input(void **state) {
  (void)state;
  assert_int_equal(run_on("check",
                          "convsmith: 1\n"
                          "layers:\n"
                          "  - name: skip\n"
                          "    input: [1, 4, 8, 9]\n"
                          "    out_channels: 4\n"
                          "    kernel_size: 1\n"
                          "    stride: 2\n"
                          "  - name: tail\n"
                          "    input: [1, 4, 9, 11]\n"
                          "    out_channels: 4\n"
                          "    kernel_size: 3\n"
                          "    stride: [2, 3]\n"
                          "  - name: shuffled\n"
                          "    input: [1, 4, 9]\n"
                          "    out_channels: 4\n"
                          "    kernel_size: 1\n"
                          "    stride: 3\n"
                          "    pixel_shuffle: 2\n"
                          "  - {name: cut, op: conv_transpose, input: [1, 4, 9], out_channels: 4, kernel_size: 2, stride: 2,\n"
                          "     padding: [[4, 3]]}\n"),
                   0);
  const char *text = read_file(scratch("err"));
  assert_says(text, "no output of cut reads input positions 0, 1, 8 (3 of 9): all that they reach is cut off\n");
  assert_says(text, "no output of shuffled reads input positions 1, 2, 4 … 8 (6 of 9)");
  assert_says(text, "spec.yaml:7:13: warning: no output of skip reads input rows 1, 3, 5, 7 (4 of 8): stride 2 ");
  assert_says(text,
              "; columns 1, 3, 5, 7 (4 of 9): stride 2 passes over them with kernel size 1 and dilation 1; a smaller stride ");
  assert_says(text, "warning: no output of tail reads input columns 9, 10 (2 of 11): the last window ends before them; 1 more of "
                    "padding after would read them, an input of 9 would have none\n");
  assert_null(strstr(text, "tail reads input rows"));
}

/* Windows of every op, not those that a convolution of these keys would have. */
static void check_knows_what_ops_read(void **state) {
  (void)state;
  assert_int_equal(run_on("check", "convsmith: 1\n"
                                   "layers:\n"
                                   "  - {name: a, op: pixel_unshuffle, input: [1, 4, 8, 8], factor: 4}\n"
                                   "  - {name: b, op: avg_pool, input: [1, 4, 8, 10], output_size: [1, 3]}\n"
                                   "  - {name: c, op: avg_pool, input: [1, 4, 8, 10], output_size: [4, 5]}\n"
                                   "  - {name: d, op: pixel_shuffle, input: [1, 4, 8, 8], factor: 2}\n"),
                   0);
  assert_string_equal(read_file(scratch("err")), "");
}

static void check_warns_of_big_constants(void **state) {
  (void)state;
  struct cs_npy weights = {.dtype = CS_F32, .rank = 4, .shape = {1100, 1000, 1, 1}, .count = 1100000};
  weights.data = calloc(weights.count, sizeof(float));
  assert_non_null(weights.data);
  assert_null(cs_npy_write(scratch("big.npy"), &weights));
  free(weights.data);
  assert_int_equal(run_on("check",
                          "convsmith: 1\n"
                          "layers:\n"
                          "  - {name: big, input: [1, 1000, 1, 1], out_channels: 1100, kernel_size: 1, weights: info_big.npy}\n"),
                   0);
  assert_says(read_file(scratch("err")), "spec.yaml:3:86: warning: big has 4400000 bytes of baked values, more than 4194304: ");
}

static void check_writes_and_accepts_nothing_wrong(void **state) {
  (void)state;
  assert_int_equal(run_on("check", "convsmith: 1\nlayers:\n  - {name: a, input: [1, 4, 8], out_channels: 0, kernel_size: 3}\n"), 2);
  assert_says(read_file(scratch("err")), "spec.yaml:3:47: error: ");
}

static int make_scratch(void **state) {
  (void)state;
  char path[512];
  snprintf(path, sizeof path, "%s/test", out_folder());
  mkdir(path, 0777);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(info_names_the_numbers),
      cmocka_unit_test(info_names_runs),
      cmocka_unit_test(info_lists_every_target),
      cmocka_unit_test(explain_lists_plans),
      cmocka_unit_test(json_has_the_promised_keys),
      cmocka_unit_test(json_stack),
      cmocka_unit_test(json_stack_of_turns),
      cmocka_unit_test(exact_layers_have_no_bound),
      cmocka_unit_test(json_is_valid),
      cmocka_unit_test(check_warns_of_gridding),
      cmocka_unit_test(check_knows_sawtooth),
      cmocka_unit_test(check_takes_axes_apart),
      cmocka_unit_test(check_warns_of_unread_input),
      cmocka_unit_test(check_knows_what_ops_read),
      cmocka_unit_test(check_warns_of_big_constants),
      cmocka_unit_test(check_writes_and_accepts_nothing_wrong),
  };
  return cmocka_run_group_tests(tests, make_scratch, NULL);
}
