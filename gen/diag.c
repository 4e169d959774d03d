/* Diagnostics are kept on the heap, not in the arena: a stage may release what it allocated before its errors are printed.
 * A fault in `defaults` is found again by every layer that takes it, so equal lines are printed once. */
#include "diag.h"
#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LONGEST_WORD = 64, LONGEST_MESSAGE = 1000 };

struct diag {
  char *file;
  int row, column;
  bool error;
  struct text line; /* what is printed */
};

/* Text from a file may hold anything: a message stays one printable line of bounded length. */
static void add_clean(struct text *line, const char *message) {
  size_t size = strlen(message), end = size;
  if (size > LONGEST_MESSAGE) {
    end = LONGEST_MESSAGE;
    while (((unsigned char)message[end] & 0xC0) == 0x80) end--; /* not in the middle of a UTF-8 character */
  }
  for (size_t i = 0; i < end; i++) {
    unsigned char byte = (unsigned char)message[i];
    if (byte < 0x20 || byte == 0x7F)
      text_print(line, "\\x%02x", byte);
    else
      text_add(line, message + i, 1);
  }
  if (end < size) text_print(line, "…");
}

static void put_place(struct text *line, struct place place, const char *severity) {
  if (place.line)
    text_print(line, "%s:%d:%d: %s: ", place.file, place.line, place.column, severity);
  else
    text_print(line, place.file ? "convsmith: %s: %s: " : "convsmith: %s: ", severity, place.file);
}

static void *grown(void *items, size_t size) {
  void *moved = realloc(items, size);
  if (moved) return moved;
  fputs("convsmith: error: out of memory\n", stderr);
  exit(2);
}

static char *copy(const char *text) {
  size_t size = strlen(text) + 1;
  return memcpy(grown(NULL, size), text, size);
}

static void report(struct diags *diags, struct place place, bool error, const char *format, va_list arguments) {
  va_list again;
  va_copy(again, arguments);
  size_t size = (size_t)vsnprintf(NULL, 0, format, arguments) + 1;
  char *message = grown(NULL, size);
  vsnprintf(message, size, format, again);
  va_end(again);
  struct diag diag = {.file = copy(place.file ? place.file : ""), .row = place.line, .column = place.column, .error = error};
  put_place(&diag.line, place, error ? "error" : "warning");
  add_clean(&diag.line, message);
  free(message);
  if (!(diags->count & (diags->count - 1))) diags->items = grown(diags->items, (2 * diags->count + 1) * sizeof diag);
  diags->items[diags->count++] = diag;
  diags->errors += error;
}

void diag_error(struct diags *diags, struct place place, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  report(diags, place, true, format, arguments);
  va_end(arguments);
}

void diag_warning(struct diags *diags, struct place place, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  report(diags, place, false, format, arguments);
  va_end(arguments);
}

static int compare(const void *left, const void *right) {
  const struct diag *a = left, *b = right;
  int files = strcmp(a->file, b->file);
  if (files) return files;
  if (a->row != b->row) return a->row < b->row ? -1 : 1;
  if (a->column != b->column) return a->column < b->column ? -1 : 1;
  return strcmp(a->line.data, b->line.data);
}

static void forget(struct diags *diags) {
  for (size_t i = 0; i < diags->count; i++) {
    free(diags->items[i].file);
    text_free(&diags->items[i].line);
  }
  free(diags->items);
  *diags = (struct diags){0};
}

size_t diag_take(struct diags *diags, struct text *lines) {
  size_t errors = 0;
  if (diags->count) qsort(diags->items, diags->count, sizeof *diags->items, compare);
  for (size_t i = 0; i < diags->count; i++) {
    if (i && !compare(&diags->items[i - 1], &diags->items[i])) continue;
    text_print(lines, "%s\n", diags->items[i].line.data);
    errors += diags->items[i].error;
  }
  forget(diags);
  return errors;
}

/* Written at once: standard error has no buffer of its own. */
size_t diag_flush(struct diags *diags) {
  struct text lines = {0};
  size_t errors = diag_take(diags, &lines);
  if (lines.size) fwrite(lines.data, 1, lines.size, stderr);
  text_free(&lines);
  return errors;
}

/* Edits that lead from one word to the other: a character put in, left out, replaced, or two neighbours swapped. The
 * case of letters does not count. */
static size_t distance(const char *a, size_t m, const char *b, size_t n) {
  size_t cost[LONGEST_WORD + 1][LONGEST_WORD + 1];
  for (size_t i = 0; i <= m; i++) cost[i][0] = i;
  for (size_t j = 0; j <= n; j++) cost[0][j] = j;
  for (size_t i = 1; i <= m; i++)
    for (size_t j = 1; j <= n; j++) {
      size_t best = cost[i - 1][j - 1] + (tolower((unsigned char)a[i - 1]) != tolower((unsigned char)b[j - 1]));
      if (cost[i - 1][j] + 1 < best) best = cost[i - 1][j] + 1;
      if (cost[i][j - 1] + 1 < best) best = cost[i][j - 1] + 1;
      bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped && cost[i - 2][j - 2] + 1 < best) best = cost[i - 2][j - 2] + 1;
      cost[i][j] = best;
    }
  return cost[m][n];
}

/* The first name that is longer than `word`, of three letters or more, and begins with it. */
static const char *longer_name(const char *word, const char *const *names) {
  const size_t size = strlen(word);
  while (*names && strncasecmp(word, *names, size) != 0) names++;
  return size < 3 ? NULL : *names;
}

const char *diag_nearest(const char *word, const char *const *names) {
  const char *const *const all = names;
  size_t size = strlen(word), least = 3;
  const char *nearest = NULL;
  if (size > LONGEST_WORD) return NULL;
  for (; *names; names++) {
    size_t length = strlen(*names);
    if (length > LONGEST_WORD || length > size + 2 || size > length + 2) continue;
    size_t edits = distance(word, size, *names, length);
    if (edits < least && 2 * edits < length) {
      least = edits;
      nearest = *names;
    }
  }
  return nearest ? nearest : longer_name(word, all);
}
