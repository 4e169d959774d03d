/* Programs run by tests: a shell command, its exit status and what it said. */
#ifndef TESTS_PROCESS_H
#define TESTS_PROCESS_H
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/* The build folder: the program is in it, scratch files are under its folder "test". */
static inline const char *process_out(void) {
  const char *out = getenv("OUT");
  return out ? out : "out";
}

/* Runs a command line of printf's kind; what it says on both outputs goes to `said`, cut to its size. Returns the exit status, -1
 * if it did not end by itself. */
__attribute__((format(printf, 3, 4))) static inline int process_run(char *said, size_t size, const char *format, ...) {
  char command[4096];
  va_list arguments;
  va_start(arguments, format);
  const int length = vsnprintf(command, sizeof command - 6, format, arguments);
  va_end(arguments);
  FILE *pipe = length < 0 || (size_t)length >= sizeof command - 6 ? NULL : popen(strcat(command, " 2>&1"), "r");
  if (!pipe) return -1;
  size_t count = fread(said, 1, size - 1, pipe);
  said[count] = '\0';
  for (char rest[4096]; fread(rest, 1, sizeof rest, pipe) > 0;) continue;
  const int status = pclose(pipe);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
#endif
