/* convsmith tune: the plan file that it writes, who reads it, when it is refused, and what is wrong before anything is timed. Times
 * themselves are never looked at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scratch.h"

static const char spec[] =
    "convsmith: 1\n"
    "layers:\n"
    "  - {name: first, input: [1, 4, 6, 6], out_channels: 8, kernel_size: 3, padding: 1}\n"
    "  - {name: no, input: [1, 8, 5], out_channels: 8, kernel_size: 2, groups: 8, bias: true, activation: prelu}\n";

static const char *spec_path(void) {
  return scratch_write("spec.yaml", spec);
}

/* Tunes the spec with `options` into NAME, which is returned. */
static const char *tuned(const char *name, const char *options) {
  const char *path = scratch_path(name);
  if (convsmith("tune %s -o %s --target scalar %s", spec_path(), path, options) != 0) fail_msg("%s", said);
  return path;
}

static void every_layer_gets_a_plan(void **state) {
  (void)state;
  const char *path = tuned("all.yaml", "");
  assert_non_null(strstr(said, "first  scalar   direct-"));
  assert_non_null(strstr(said, "no     scalar   direct-"));
  assert_non_null(strstr(said, "within 5 % of the fastest by cost alone: "));
  const char *text = text_of(path);
  assert_non_null(strstr(text, "\nconvsmith-plan: 1\nversion: \"0.1.0\"\nmachine: \""));
  assert_non_null(strstr(text, "\nplans:\n  - {layer: first, target: scalar, plan: direct-"));
  assert_non_null(strstr(text, "}\n  - {layer: no, target: scalar, plan: direct-"));
}

static void layers_are_chosen(void **state) {
  (void)state;
  assert_null(strstr(text_of(tuned("one.yaml", "--layer no --set stride=2")), "first"));
}

/* The plan named for `first`, NUL-terminated. */
static void plan_of_first(const char *path, char *id, size_t size) {
  const char *from = strstr(text_of(path), "plan: direct-");
  assert_non_null(from);
  const size_t length = strcspn(from + 6, ",}");
  assert_true(length < size);
  snprintf(id, size, "%.*s", (int)length, from + 6);
}

static void others_read_it(void **state) {
  char id[128];
  (void)state;
  const char *path = tuned("read.yaml", "");
  plan_of_first(path, id, sizeof id);
  assert_int_equal(convsmith("generate %s -o %s --target scalar --plan %s", spec_path(), scratch_path("made"), path), 0);
  assert_non_null(strstr(text_of(scratch_path("made/first.c")), id));
  assert_int_equal(convsmith("verify %s --target scalar --plan %s", spec_path(), path), 0);
  assert_non_null(strstr(said, "2 right, 0 wrong"));
}

/* The layer that the plan was for is gone, or became one that this plan does not serve. */
static void stale_plans_are_refused(void **state) {
  static const struct {
    const char *spec, *message;
  } rows[] = {
      {"convsmith: 1\nlayers:\n  - {name: first, input: [1, 4, 6], out_channels: 4, kernel_size: 3, groups: 4}\n",
       "first.yaml:6:42: error: plan direct-channels-"},
      {"convsmith: 1\nlayers:\n  - {name: frist, input: [1, 4, 6, 6], out_channels: 8, kernel_size: 3, padding: 1}\n",
       "first.yaml:6:13: error: "},
  };
  (void)state;
  const char *plan =
      scratch_write("first.yaml", "convsmith-plan: 1\nversion: \"0.0.1\"\nmachine: \"another \\\"one\\\"\"\n\nplans:\n"
                                  "  - {layer: first, target: scalar, plan: direct-channels-1x1-rows, lead: 1.5}\n");
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    const char *changed = scratch_write("changed.yaml", rows[i].spec);
    assert_int_equal(convsmith("verify %s --target scalar --plan %s", changed, plan), 2);
    if (!strstr(said, rows[i].message)) fail_msg("expected %s, said: %s", rows[i].message, said);
  }
}

/* Nothing is timed where the outcome could not be kept: not even the table's head is printed. */
static void errors_come_first(void **state) {
  (void)state;
  const char *file = scratch_write("file", "");
  assert_int_equal(convsmith("tune %s", spec_path()), 2);
  assert_string_equal(said, "convsmith: error: tune needs -o PLAN.yaml\n");
  assert_int_equal(convsmith("tune %s -o %s/plan.yaml", spec_path(), file), 2);
  assert_non_null(strstr(said, "/plan.yaml: cannot make folder '"));
  assert_null(strstr(said, "by cost"));
  assert_int_equal(convsmith("tune %s -o %s", spec_path(), scratch_path("")), 2);
  assert_non_null(strstr(said, "Is a directory"));
  assert_null(strstr(said, "by cost"));
  assert_int_equal(convsmith("tune %s -o %s", spec_path(), spec_path()), 2);
  assert_non_null(strstr(said, "it would overwrite the spec; choose another name"));
  assert_int_equal(convsmith("tune %s -o %s --set out_channels=0", spec_path(), scratch_path("none/x.yaml")), 2);
  assert_false(exists(scratch_path("none")));
}

static void a_failed_compiler_leaves_the_file_alone(void **state) {
  (void)state;
  const char *path = scratch_write("kept.yaml", "as it was\n");
  assert_int_equal(process_run(said, sizeof said, "CC=false %s/convsmith tune %s -o %s", process_out(), spec_path(), path), 2);
  assert_non_null(strstr(said, "convsmith: error: "));
  assert_string_equal(text_of(path), "as it was\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_layer_gets_a_plan), cmocka_unit_test(layers_are_chosen),
      cmocka_unit_test(others_read_it),          cmocka_unit_test(stale_plans_are_refused),
      cmocka_unit_test(errors_come_first),       cmocka_unit_test(a_failed_compiler_leaves_the_file_alone),
  };
  scratch_begin("tune");
  return cmocka_run_group_tests(tests, NULL, NULL);
}
