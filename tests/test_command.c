/* The command line: what is right, what is wrong with it, and help. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scratch.h"

static void version_and_help(void **state) {
  (void)state;
  assert_int_equal(convsmith("--version"), 0);
  assert_string_equal(said, "convsmith 0.1.0\n");
  assert_int_equal(convsmith("--help"), 0);
  assert_non_null(strstr(said, "\n  verify     compare the kernels with the reference\n"));
  assert_non_null(strstr(said, "\n  bench "));
  assert_null(strstr(said, "import"));
  assert_int_equal(convsmith("%s", ""), 2);
  assert_non_null(strstr(said, "usage: convsmith COMMAND"));
}

static void each_command_has_help(void **state) {
  (void)state;
  static const struct {
    const char *command, *taken, *other;
  } rows[] = {{"generate", "--single-file FILE.h", "--explain"},
              {"check", "--set KEY=VALUE", "--target"},
              {"info", "--explain", "--seed"},
              {"run", "--tensor NAME=FILE", "--json"},
              {"verify", "--plans WHICH", "--prefix"},
              {"targets", "--json", "--set"},
              {"tune", "-o PLAN.yaml", "--plan"},
              {"bench", "--against LIST", "--seed"}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    assert_int_equal(convsmith("%s --help", rows[i].command), 0);
    assert_non_null(strstr(said, rows[i].taken));
    assert_null(strstr(said, rows[i].other));
  }
}

/* Arguments and the one line that they get, all with status 2. */
static const struct {
  const char *arguments, *message;
} wrong[] = {
    {"verfy x.yaml", "no command 'verfy'; did you mean 'verify'?"},
    {"frobnicate", "no command 'frobnicate'; see convsmith --help"},
    {"import x.onnx", "import is not supported yet"},
    {"tune x.yaml --json", "tune has no option '--json'; see convsmith tune --help"},
    {"check", "check needs SPEC.yaml"},
    {"check a.yaml b.yaml", "one spec at a time: 'b.yaml' after 'a.yaml'"},
    {"targets a.yaml", "targets takes no argument, found 'a.yaml'"},
    {"verify x.yaml --ful", "verify has no option '--ful'; did you mean '--full'?"},
    {"verify x.yaml --whatever", "verify has no option '--whatever'; see convsmith verify --help"},
    {"verify x.yaml --seed -1", "--seed -1: not a whole number from 0 to 18446744073709551615"},
    {"verify x.yaml --seed 18446744073709551616", "--seed 18446744073709551616: not a whole number from 0 to 18446744073709551615"},
    {"verify x.yaml --seed", "--seed needs N"},
    {"verify x.yaml --seed 1 --seed=2", "--seed is given twice"},
    {"verify x.yaml --full=yes", "--full takes no value"},
    {"check --template-path /nowhere specs/lenet5.yaml", "--template-path /nowhere: not a folder"},
    {"generate specs/lenet5.yaml", "generate needs -o DIR or --single-file FILE.h"},
    {"generate specs/lenet5.yaml -o a --single-file b.h",
     "-o and --single-file exclude each other: one file, or a folder of files"},
    {"generate specs/lenet5.yaml -o a --prefix 1x", "--prefix 1x: not the start of a C identifier: letters, digits and _"},
    {"verify specs/lenet5.yaml --plans nosuch",
     "--plans nosuch: no layer has this plan; all, chosen or an id that convsmith info --explain lists"},
};

static void what_is_wrong_is_said(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    char expected[300];
    snprintf(expected, sizeof expected, "convsmith: error: %s\n", wrong[i].message);
    assert_int_equal(convsmith("%s", wrong[i].arguments), 2);
    assert_string_equal(said, expected);
  }
}

static void targets_are_checked(void **state) {
  (void)state;
  assert_int_equal(convsmith("verify specs/lenet5.yaml --target avx3"), 2);
  assert_non_null(strstr(said, "convsmith: error: --target avx3: "));
  assert_non_null(strstr(said, "did you mean 'avx2'?"));
  assert_int_equal(convsmith("verify specs/lenet5.yaml --target scalar,neon"), 2);
  assert_non_null(strstr(said, "not supported yet"));
  assert_int_equal(convsmith("verify specs/lenet5.yaml --target scalar,scalar"), 2);
}

static void options_in_every_spelling(void **state) {
  (void)state;
  const char *folder = scratch_path("spellings");
  assert_int_equal(convsmith("generate --layer=c3_5x5 specs/lenet5.yaml -o%s --target=scalar", folder), 0);
  assert_int_equal(convsmith("generate -o %s --layer c3_5x5 --target scalar -- specs/lenet5.yaml", folder), 0);
  assert_int_equal(convsmith("check --help --nonsense"), 0);
  assert_int_equal(convsmith("check -h"), 0);
}

static void targets_lists_what_runs(void **state) {
  (void)state;
  assert_int_equal(convsmith("targets"), 0);
  assert_non_null(strstr(said, "scalar       yes   plain C"));
  assert_non_null(strstr(said, "\nnative is "));
  assert_int_equal(convsmith("targets --json"), 0);
  assert_non_null(strstr(said, "\"name\": \"scalar\""));
  assert_non_null(strstr(said, "\"runs_here\": true"));
}

static void a_full_disk_is_noticed(void **state) {
  (void)state;
  if (!exists("/dev/full")) SKIP_BECAUSE("there is no /dev/full");
  assert_int_equal(process_run(said, sizeof said, "(%s/convsmith targets >/dev/full)", process_out()), 2);
  assert_non_null(strstr(said, "cannot write to standard output"));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(version_and_help),          cmocka_unit_test(each_command_has_help),
                                     cmocka_unit_test(what_is_wrong_is_said),     cmocka_unit_test(targets_are_checked),
                                     cmocka_unit_test(options_in_every_spelling), cmocka_unit_test(targets_lists_what_runs),
                                     cmocka_unit_test(a_full_disk_is_noticed)};
  scratch_begin("command");
  return cmocka_run_group_tests(tests, NULL, NULL);
}
