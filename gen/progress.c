/* The progress line. It is rewritten in place: carriage return, text, erase to the end of the line. */
#include "progress.h"
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

static bool shown;

void progress_show(size_t done, size_t total, const char *doing) {
  if (!isatty(STDERR_FILENO)) return;
  fprintf(stderr, "\r[%zu/%zu] %.60s\033[K", done, total, doing);
  fflush(stderr);
  shown = true;
}

void progress_clear(void) {
  if (!shown) return;
  fputs("\r\033[K", stderr);
  fflush(stderr);
  shown = false;
}
