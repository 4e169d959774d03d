/* The progress line. It is rewritten in place: carriage return, text, erase to the end of the line. */
#include "progress.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char shown[128]; /* empty: nothing */

void progress_show(size_t done, size_t total, const char *doing) {
  char line[sizeof shown];
  snprintf(line, sizeof line, "[%zu/%zu] %.60s", done, total, doing);
  if (!strcmp(line, shown) || !isatty(STDERR_FILENO)) return;
  strcpy(shown, line);
  fprintf(stderr, "\r%s\033[K", line);
  fflush(stderr);
}

void progress_clear(void) {
  if (!*shown) return;
  fputs("\r\033[K", stderr);
  fflush(stderr);
  *shown = 0;
}
