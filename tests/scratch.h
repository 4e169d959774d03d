/* Scratch files of tests: under the build folder, one sub-folder for each test program. */
#ifndef TESTS_SCRATCH_H
#define TESTS_SCRATCH_H
#include "process.h"
#include <stdbool.h>
#include <unistd.h>

enum { LONGEST_TEXT = 1 << 20 };

/* Empties the folder and makes it the place of scratch_path. */
static inline void scratch_begin(const char *name) {
  char said[1000];
  setenv("SCRATCH", name, 1);
  process_run(said, sizeof said, "rm -rf %s/test/%s && mkdir -p %s/test/%s", process_out(), name, process_out(), name);
}

/* "FOLDER/name"; the text lives until eight more were asked for. */
static inline const char *scratch_path(const char *name) {
  static char paths[8][600];
  static int next;
  char *path = paths[next++ % 8];
  snprintf(path, sizeof paths[0], "%s/test/%s/%s", process_out(), getenv("SCRATCH"), name);
  return path;
}

static inline const char *scratch_write(const char *name, const char *content) {
  const char *path = scratch_path(name);
  FILE *file = fopen(path, "w");
  if (!file || fputs(content, file) < 0 || fclose(file) != 0) abort();
  return path;
}

/* The whole file, until the next call; "" if it is not there. */
static inline char *text_of(const char *path) {
  static char content[LONGEST_TEXT];
  FILE *file = fopen(path, "r");
  size_t size = file ? fread(content, 1, sizeof content - 1, file) : 0;
  content[size] = '\0';
  if (file) fclose(file);
  return content;
}

static inline bool exists(const char *path) {
  return access(path, F_OK) == 0;
}

/* Ends a test of cmocka that cannot run here; tools/test.sh shows the reason. */
#define SKIP_BECAUSE(reason) (print_message("# skipped: %s\n", reason), skip())

/* Runs `convsmith ARGUMENTS` in the current folder; what it said on both outputs stands in `said`. */
static char said[LONGEST_TEXT];
__attribute__((format(printf, 1, 2))) static inline int convsmith(const char *format, ...) {
  char arguments[3000];
  va_list list;
  va_start(list, format);
  vsnprintf(arguments, sizeof arguments, format, list);
  va_end(list);
  return process_run(said, sizeof said, "%s/convsmith %s", process_out(), arguments);
}
#endif
