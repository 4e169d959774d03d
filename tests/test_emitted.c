/* Emitted tests: they compile without a warning, pass, and fail when one constant of the kernel is changed. */
#include "made.h"
#include <regex.h>
#include <stddef.h>

/* ---- right kernels --------------------------------------------------------------------------------------------------- */

/* Every odd layer, default targets, the compilers in turn. */
static void right_kernels_pass(void **state) {
  (void)state;
  made_open("tests/data/odd.yaml", "", "");
  assert_int_equal(convsmith("generate %s -o %s --emit-test", made.spec.path, scratch_path("right")), 0);
  for (size_t i = 0; i < made.spec.count; i++) {
    const char *name = made.spec.layers[i].name, *compiler = i % 2 && have("clang") ? "clang" : "gcc";
    MUST("cd right && %s -std=c99 -O1 " CLEAN " %s_test.c %s.c -o test -lm && ./test", compiler, name, name);
    assert_string_equal(said, mem_text("%s: ok\n", name));
  }
  made_close();
}

/* ---- changed constants --------------------------------------------------------------------------------------------------- */

static const char layer[] = "convsmith: 1\n"
                            "layers:\n"
                            "  - {name: a, input: [1, 5, 5, 16], out_channels: 6, kernel_size: 3, padding: 1, stride: [2, 1],\n"
                            "     bias: true, unroll: none, activation: {leaky_relu: 0.25}, target: scalar}\n";

/* Where the constant stands: to the number in the first match's group `change` is added. */
static const struct constant {
  const char *what, *pattern;
  int change;
} constants[] = {
    {"padding", "i1 = o1 \\* [0-9]+ - ([0-9]+);", 1},
    {"last input row", "i1 > [0-9]+ \\? 0 : \\(([0-9]+) - i1\\)", 1},
    {"kernel rows", "\\(end1 < [0-9]+ \\? end1 : ([0-9]+)\\)", 1},
    {"bound of the loop over taps and channels", "k < ([0-9]+); k\\+\\+", 1},
    {"offset of an input element", "\\*\\(xk \\+ ([0-9]+)\\)", 1},
    {"offset of a weight", "\\*\\(wk \\+ ([0-9]+)\\)", 1},
    {"offset of a bias", "\\*\\(b \\+ ([0-9]+)\\)", 1},
    {"offset of an output", "\\*\\(y \\+ ([0-9]+)\\) =", 1},
    {"step of the input", "xk \\+= ([0-9]+);", 1},
    {"step of the weights", "wk \\+= ([0-9]+);", 1},
    {"row of inputs", "\\(i1 \\+ [^)]*\\) \\* ([0-9]+);", 1},
    {"row of outputs", "yr = y \\+ o1 \\* ([0-9]+);", 1},
    {"inputs of the next tile", "xr \\+ [0-9]+ \\+ i \\* ([0-9]+)", 1},
    {"outputs of the next tile", "yr \\+ [0-9]+ \\+ i \\* ([0-9]+)", 1},
    {"units", "share = ([0-9]+) / parts", -1},
    {"rows of units", "row = u % ([0-9]+);", -1},
    {"order of packed weights", "p\\[0 \\+ i1 \\* ([0-9]+)", 1},
    {"order of given weights", "weights\\[.* \\* ([0-9]+)\\]", 1},
    {"biases that are packed", "i1 < ([0-9]+); i1\\+\\+\\)\n *p\\[[0-9]+ \\+ i1 \\* 1\\] = bias", 1},
    {"place of the bias", "packed \\+ ([0-9]+);", 1},
    {"slope", "\\* \\(0\\.([0-9]+)f\\)", 1},
};

/* Writes changed.c; false where nothing matches. */
static bool change(const char *source, const struct constant *constant) {
  regex_t regex;
  regmatch_t match[2];
  assert_int_equal(regcomp(&regex, constant->pattern, REG_EXTENDED | REG_NEWLINE), 0);
  const bool found = regexec(&regex, source, 2, match, 0) == 0;
  regfree(&regex);
  if (!found) return false;
  const int from = (int)match[1].rm_so;
  const long number = strtol(source + from, NULL, 10) + constant->change;
  scratch_write("changed.c", mem_text("%.*s%ld%s", from, source, number, source + match[1].rm_eo));
  return true;
}

static void changed_constants_fail(void **state) {
  (void)state;
  const char *spec = scratch_write("spec.yaml", layer);
  assert_int_equal(convsmith("generate %s -o %s --emit-test", spec, scratch_path("")), 0);
  const char *source = mem_text("%s", text_of(scratch_path("a.c")));
  MUST("cc -std=c99 -O1 -c a_test.c && cc -std=c99 -O0 a.c a_test.o -o unchanged -lm && ./unchanged");
  for (size_t i = 0; i < sizeof constants / sizeof *constants; i++) {
    if (!change(source, &constants[i])) fail_msg("%s: nothing like %s in a.c", constants[i].what, constants[i].pattern);
    MUST("cc -std=c99 -O0 changed.c a_test.o -o changed -lm");
    if (in_scratch("timeout 10 ./changed") == 0) fail_msg("%s: changed, and the test says %s", constants[i].what, said);
  }
}

/* The failure says what data, which output, and what was expected. */
static void failures_tell(void **state) {
  (void)state;
  assert_true(change(mem_text("%s", text_of(scratch_path("a.c"))), &constants[6]));
  MUST("cc -std=c99 changed.c a_test.o -o changed -lm");
  assert_int_equal(in_scratch("./changed"), 1);
  assert_non_null(strstr(said, "a: whole-number data: output[0, "));
  assert_non_null(strstr(said, "; the reference is "));
}

/* Of several targets each one that runs here is checked, not only the one that is picked. */
static void every_target_is_checked(void **state) {
  (void)state;
  const char *spec = scratch_write("spec.yaml", layer);
  assert_int_equal(convsmith("generate %s -o %s --emit-test --target scalar,vec128,avx2", spec, scratch_path("")), 0);
  assert_true(change(mem_text("%s", text_of(scratch_path("a.c"))), &constants[6]));
  MUST("cc -std=c99 -O1 " CLEAN " a_test.c a.c -o several -lm && ./several");
  MUST("cc -std=c99 a_test.c changed.c -o several -lm");
  assert_int_equal(in_scratch("./several"), 1);
  assert_non_null(strstr(said, "a_scalar: whole-number data: output[0, "));
}

static int begin(void **state) {
  (void)state;
  scratch_begin("emitted");
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(right_kernels_pass), cmocka_unit_test(changed_constants_fail),
                                     cmocka_unit_test(failures_tell), cmocka_unit_test(every_target_is_checked)};
  return cmocka_run_group_tests(tests, begin, NULL);
}
