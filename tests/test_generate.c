/* convsmith generate: which files, what they compile as, and what is left alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "../runtime/convsmith.h"
#include "scratch.h"

#define FLAGS "-Wall -Wextra -Wpedantic -Wconversion -Werror -O1"

static const char spec[] =
    "convsmith: 1\n"
    "layers:\n"
    "  - {name: conv, input: [1, 3, 7, 9], out_channels: 4, kernel_size: 3, padding: 1, bias: true, activation: relu6}\n"
    "  - {name: fixed, input: [1, 1, 6], out_channels: 1, kernel_size: 2, dtype: f64, weights: w.npy, residual: true}\n";

static const char *spec_path(void) {
  const double weights[] = {0.5, -3};
  struct cs_npy array = {.dtype = CS_F64, .rank = 3, .shape = {1, 1, 2}, .count = 2, .data = (void *)(uintptr_t)weights};
  assert_null(cs_npy_write(scratch_path("w.npy"), &array));
  return scratch_write("spec.yaml", spec);
}

/* A shell command in the folder of scratch files. */
__attribute__((format(printf, 1, 2))) static int shell(const char *format, ...) {
  char command[3000];
  va_list list;
  va_start(list, format);
  vsnprintf(command, sizeof command, format, list);
  va_end(list);
  return process_run(said, sizeof said, "(cd %s && %s)", scratch_path(""), command);
}

static void three_files_a_layer(void **state) {
  (void)state;
  assert_int_equal(convsmith("generate %s -o %s --emit-test", spec_path(), scratch_path("three/folders/")), 0);
  assert_string_equal(said, "");
  assert_int_equal(shell("ls three/folders"), 0);
  assert_string_equal(said, "conv.c\nconv.h\nconv_test.c\nfixed.c\nfixed.h\nfixed_test.c\n");
}

static void emitted_tests_pass_and_can_fail(void **state) {
  (void)state;
  assert_int_equal(convsmith("generate %s -o %s --emit-test", spec_path(), scratch_path("tests")), 0);
  static const char *const compilers[] = {"gcc", "clang-14"};
  static const char *const layers[] = {"conv", "fixed"};
  for (int i = 0; i < 4; i++) {
    const char *compiler = compilers[i / 2], *layer = layers[i % 2];
    if (shell("command -v %s", compiler) != 0) continue;
    assert_int_equal(shell("cd tests && %s -std=c99 " FLAGS " %s.c %s_test.c -o t -lm && ./t", compiler, layer, layer), 0);
    char expected[50];
    snprintf(expected, sizeof expected, "%s: ok\n", layer);
    assert_string_equal(said, expected);
  }
  /* one constant changed: relu6 becomes relu 5, and a baked weight another one */
  assert_int_equal(shell("cd tests && sed -i 's/6\\.0f/5.0f/' conv.c && cc -std=c99 conv.c conv_test.c -o t -lm && ./t"), 1);
  assert_non_null(strstr(said, "conv: whole-number data: output[0, "));
  assert_int_equal(convsmith("generate %s -o %s --emit-test --target scalar", spec_path(), scratch_path("tests")), 0);
  assert_int_equal(shell("cd tests && grep -c 0xc0080000 fixed.c"), 0);
  assert_int_equal(
      shell("cd tests && sed -i 's/0xc0080000/0xc0090000/' fixed.c && cc -std=c99 fixed.c fixed_test.c -o t -lm && ./t"), 1);
  assert_non_null(strstr(said, "fixed: "));
}

static void one_header_in_c_and_cxx(void **state) {
  (void)state;
  assert_int_equal(convsmith("generate %s --single-file %s --emit-test --prefix my_", spec_path(), scratch_path("a-b.h")), 0);
  const char *program = "#define A_B_IMPLEMENTATION\n#include \"a-b.h\"\n#include \"a-b.h\"\n"
                        "int main(void) { return MY_CONV_OUTPUT_BYTES == 4 * 4 * 7 * 9 && my_conv_part ? 0 : 1; }\n";
  scratch_write("user.c", program);
  scratch_write("user.cc", program);
  assert_int_equal(shell("cc -std=c99 -Wno-address " FLAGS " user.c -o user -lm && ./user"), 0);
  assert_int_equal(shell("cc -std=c99 " FLAGS " conv_test.c -o t -lm && ./t"), 0);
  assert_string_equal(said, "my_conv: ok\n");
  if (shell("command -v c++") == 0) assert_int_equal(shell("c++ -std=c++11 -Wno-address " FLAGS " user.cc -o user && ./user"), 0);
}

static void equal_files_are_left_alone(void **state) {
  (void)state;
  struct stat before, after;
  assert_int_equal(convsmith("generate %s -o %s", spec_path(), scratch_path("again")), 0);
  shell("touch -d '2001-02-03' again/conv.c && echo 'changed' >> again/conv.h");
  assert_int_equal(stat(scratch_path("again/conv.c"), &before), 0);
  assert_int_equal(convsmith("generate %s -o %s", spec_path(), scratch_path("again")), 0);
  assert_int_equal(stat(scratch_path("again/conv.c"), &after), 0);
  assert_int_equal(before.st_mtime, after.st_mtime);
  assert_int_equal(shell("grep changed again/conv.h"), 1);
}

static void dependencies_as_make_reads_them(void **state) {
  (void)state;
  shell("mkdir -p 'a b/t' && cp w.npy spec.yaml 'a b' && cp %s/templates/single.t 'a b/t'", getenv("PWD"));
  spec_path();
  assert_int_equal(shell("cp w.npy spec.yaml 'a b'"), 0);
  assert_int_equal(
      process_run(said, sizeof said,
                  "(P=$(realpath %s/convsmith) && cd %s && $P generate 'a b/spec.yaml' --single-file 'x $#.h' --depfile d "
                  "--template-path 'a b/t')",
                  process_out(), scratch_path("")),
      0);
  const char *rule = text_of(scratch_path("d"));
  const char *expected = "x\\ $$\\#.h: \\\n  a\\ b/spec.yaml \\\n  a\\ b/w.npy \\\n  a\\ b/t/single.t \\\n  /";
  assert_memory_equal(rule, expected, strlen(expected));
  assert_non_null(strstr(rule, "/convsmith\n"));
}

static void nothing_is_written_on_errors(void **state) {
  (void)state;
  assert_int_equal(convsmith("generate %s -o %s --set unroll=full --set max_code_bytes=1", spec_path(), scratch_path("none")), 2);
  assert_int_equal(convsmith("generate %s -o %s --target nosuch", spec_path(), scratch_path("none")), 2);
  assert_int_equal(convsmith("generate %s -o %s --depfile Makefile/d", spec_path(), scratch_path("none")), 2);
  assert_int_equal(convsmith("generate %s --single-file %s", spec_path(), spec_path()), 2);
  assert_non_null(strstr(said, "would overwrite the spec; "));
  assert_int_equal(convsmith("generate %s -o %s --depfile %s/conv.c", spec_path(), scratch_path("none"), scratch_path("none")), 2);
  assert_non_null(strstr(said, "would overwrite another generated file; "));
  assert_false(exists(scratch_path("none")));
  assert_int_equal(convsmith("check %s", spec_path()), 0);
  assert_int_equal(convsmith("generate %s -o %s", spec_path(), "Makefile/x"), 2);
  assert_non_null(strstr(said, "convsmith: error: "));
}

/* ---- plan files ------------------------------------------------------------------------------------------------------ */

/* The id of conv's chosen plan on the scalar target. */
static const char *chosen_id(void) {
  static char id[128];
  assert_int_equal(convsmith("verify %s --layer conv --target scalar", spec_path()), 0);
  assert_int_equal(sscanf(strstr(said, "direct-"), "%127s", id), 1);
  return id;
}

static void plan_files_choose(void **state) {
  (void)state;
  static char id[128], other[128];
  strcpy(id, chosen_id());
  assert_int_equal(convsmith("verify %s --layer conv --target scalar --plans all", spec_path()), 0);
  for (const char *line = strstr(said, "direct-"); line; line = strstr(line + 1, " direct-"))
    if (sscanf(line, "%127s", other) == 1 && strcmp(id, other) != 0) break;
  assert_string_not_equal(id, other);
  char plan[600];
  snprintf(plan, sizeof plan, "convsmith-plan: 1\nplans:\n  - {layer: conv, target: scalar, plan: %s}\n", other);
  const char *path = scratch_write("plan.yaml", plan);
  assert_int_equal(convsmith("generate %s -o %s --target scalar --plan %s", spec_path(), scratch_path("planned"), path), 0);
  assert_non_null(strstr(text_of(scratch_path("planned/conv.c")), other));
  assert_int_equal(convsmith("verify %s --target scalar --layer conv --plan %s", spec_path(), path), 0);
  assert_non_null(strstr(said, other));
}

static const struct {
  const char *text, *message;
} bad_plans[] = {
    {"plans: []\n", ":1:1: error: a plan file starts with 'convsmith-plan: 1'"},
    {"convsmith-plan: 2\nplans: []\n", ":1:17: error: a plan file starts with 'convsmith-plan: 1'"},
    {"convsmith-plan: 1\n", ":1:1: error: plans: a list of {layer, target, plan} is needed"},
    {"- a\n", ":1:1: error: a plan file is a map: convsmith-plan and plans"},
    {"convsmith-plan: 1\nlayers: []\nplans: []\n",
     ":2:1: error: unknown key 'layers'; keys are convsmith-plan, version, machine, plans\n"},
    {"convsmith-plan: 1\nplan: []\nplans: []\n", ":2:1: error: unknown key 'plan'; did you mean 'plans'?"},
    {"convsmith-plan: 1\nmachine: [a, b]\nplans: []\n", ":2:10: error: machine: expected a string, found "},
    {"convsmith-plan: 1\nversion: {a: b}\nplans: []\n", ":2:10: error: version: expected a string, found "},
    {"convsmith-plan: 1\nplans:\n  - {layer: conv, target: scalar, plan: direct-channels-1x1-rows, lead: 0.9}\n",
     ": error: lead: expected a number of at least 1, found "},
    {"convsmith-plan: 1\nplans:\n  - x\n", ":3:5: error: a line of plans is {layer: NAME, target: TARGET, plan: ID}"},
    {"convsmith-plan: 1\nplans:\n  - {layer: conv, target: scalar}\n",
     ":3:5: error: plan: a plan's line needs layer, target and plan"},
    {"convsmith-plan: 1\nplans:\n  - {layer: cnv, target: scaler, plan: x}\n", ":3:13: error: "},
    {"convsmith-plan: 1\nplans:\n  - {layer: conv, target: scaler, plan: x}\n",
     ":3:27: error: no target 'scaler'; see convsmith targets"},
    {"convsmith-plan: 1\nplans:\n  - {layer: conv, target: scalar, plan: x}\n",
     ":3:41: error: conv has no plan 'x' on scalar; see"},
};

static void bad_plan_files_are_refused(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof bad_plans / sizeof bad_plans[0]; i++) {
    const char *path = scratch_write("plan.yaml", bad_plans[i].text);
    assert_int_equal(convsmith("generate %s -o %s --plan %s", spec_path(), scratch_path("none"), path), 2);
    if (!strstr(said, bad_plans[i].message)) print_error("expected %s\nsaid: %s", bad_plans[i].message, said);
    assert_non_null(strstr(said, bad_plans[i].message));
  }
  assert_int_equal(convsmith("generate %s -o %s --plan /nowhere/p.yaml", spec_path(), scratch_path("none")), 2);
  assert_false(exists(scratch_path("none")));
}

/* Weights that several tiles take are fetched ahead, also where a tap has few steps; what a single one takes is a stream of its
 * own. */
static void weights_taken_once_are_not_fetched_ahead(void **state) {
  (void)state;
  const char *path =
      scratch_write("ahead.yaml", "convsmith: 1\n"
                                  "layers:\n"
                                  "  - {name: one, input: [1, 2048, 1, 1], out_channels: 256, kernel_size: 1}\n"
                                  "  - {name: many, input: [1, 2048, 7, 7], out_channels: 256, kernel_size: 1}\n"
                                  "  - {name: few, input: [1, 8, 14, 14], out_channels: 4096, kernel_size: 3, dilation: 2}\n");
  assert_int_equal(convsmith("generate %s -o %s --target avx2", path, scratch_path("ahead")), 0);
  assert_null(strstr(text_of(scratch_path("ahead/one.c")), "CONVSMITH_AHEAD(ahead"));
  assert_non_null(strstr(text_of(scratch_path("ahead/many.c")), "CONVSMITH_AHEAD(ahead"));
  assert_non_null(strstr(text_of(scratch_path("ahead/few.c")), "CONVSMITH_AHEAD(ahead"));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(three_files_a_layer),
                                     cmocka_unit_test(emitted_tests_pass_and_can_fail),
                                     cmocka_unit_test(one_header_in_c_and_cxx),
                                     cmocka_unit_test(equal_files_are_left_alone),
                                     cmocka_unit_test(dependencies_as_make_reads_them),
                                     cmocka_unit_test(nothing_is_written_on_errors),
                                     cmocka_unit_test(plan_files_choose),
                                     cmocka_unit_test(bad_plan_files_are_refused),
                                     cmocka_unit_test(weights_taken_once_are_not_fetched_ahead)};
  scratch_begin("generate");
  return cmocka_run_group_tests(tests, NULL, NULL);
}
