/* Bad specs: `generate` answers each tests/bad/NAME.yaml with exactly the text in NAME.expected, exit status 2 and no file, in
 * less than 2 seconds of processor time. UPDATE=1 writes the texts: read them before you keep them. */
#include "scratch.h"
#include <dirent.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

static const char folder[] = "tests/bad";

/* Processor time of the programs that were run: a busy machine takes longer, not more. */
static double seconds(void) {
  struct rusage used;
  assert_int_equal(getrusage(RUSAGE_CHILDREN, &used), 0);
  return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + 1e-6 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

static void update(const char *path) {
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fputs(said, file);
  assert_int_equal(fclose(file), 0);
}

static void check_text(const char *path) {
  const char *expected = text_of(path);
  if (strcmp(said, expected)) fail_msg("%s (UPDATE=1 writes it)\nsaid:\n%swanted:\n%s", path, said, expected);
}

static void check(const char *name, int length) {
  char path[600];
  double start = seconds();
  int status = convsmith("generate %s/%s -o %s", folder, name, scratch_path("written"));
  double taken = seconds() - start;
  snprintf(path, sizeof path, "%s/%.*s.expected", folder, length, name);
  (getenv("UPDATE") ? update : check_text)(path);
  if (status != 2) fail_msg("%s/%s: exit status %d, not 2", folder, name, status);
  if (taken > 2) fail_msg("%s/%s took %.1f s", folder, name, taken);
  if (exists(scratch_path("written"))) fail_msg("%s/%s: something was written", folder, name);
}

/* The length of the name before ".yaml", or 0. */
static int stem_length(const char *name) {
  size_t length = strlen(name);
  return length > 5 && !strcmp(name + length - 5, ".yaml") ? (int)length - 5 : 0;
}

static void every_spec(void **state) {
  (void)state;
  int count = 0;
  DIR *list = opendir(folder);
  assert_non_null(list);
  for (const struct dirent *entry; (entry = readdir(list));) {
    int length = stem_length(entry->d_name);
    if (length) check(entry->d_name, length);
    count += length > 0;
  }
  closedir(list);
  assert_true(count >= 40);
}

/* What is no spec at all has no line to point to. */
static void no_file(void **state) {
  (void)state;
  assert_int_equal(convsmith("check %s/none.yaml", folder), 2);
  assert_string_equal(said, "convsmith: error: cannot read 'tests/bad/none.yaml': No such file or directory\n");
  assert_int_equal(convsmith("check %s", folder), 2);
  assert_string_equal(said, "convsmith: error: cannot read 'tests/bad': Is a directory\n");
}

/* A file of 17 MB is refused before it is parsed. */
static void too_large(void **state) {
  (void)state;
  const char *path = scratch_write("large.yaml", "convsmith: 1\n");
  assert_int_equal(truncate(path, 17 << 20), 0);
  assert_int_equal(convsmith("check %s", path), 2);
  assert_non_null(strstr(said, "is larger than 16777216 bytes"));
}

/* As many errors as a file can hold: all are reported, soon. */
static void many_errors(void **state) {
  (void)state;
  const char *path = scratch_write("many.yaml", "convsmith: 1\nlayers:\n");
  FILE *file = fopen(path, "a");
  assert_non_null(file);
  for (int i = 0; i < 90000; i++) fputs("  - {}\n", file);
  assert_int_equal(fclose(file), 0);
  double start = seconds();
  assert_int_equal(convsmith("check %s >%s", path, scratch_path("many.out")), 2);
  assert_true(seconds() - start < 10); /* 1 s on an idle machine */
}

/* A type of file that would block or grow without end. */
static void not_a_regular_array(void **state) {
  (void)state;
  assert_int_equal(mkfifo(scratch_path("w.npy"), 0600), 0);
  const char *path =
      scratch_write("fifo.yaml", "convsmith: 1\nlayers:\n"
                                 "  - {name: a, input: [1, 1, 8], out_channels: 1, kernel_size: 3, weights: w.npy}\n");
  assert_int_equal(convsmith("check %s", path), 2);
  assert_non_null(strstr(said, "not a regular file"));
}

static int begin(void **state) {
  (void)state;
  scratch_begin("bad");
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_spec), cmocka_unit_test(no_file), cmocka_unit_test(too_large),
                                     cmocka_unit_test(many_errors), cmocka_unit_test(not_a_regular_array)};
  return cmocka_run_group_tests(tests, begin, NULL);
}
