/* A growing string on the heap. It doubles, so that adding n bytes costs O(n) whatever the pieces are. */
#include "text.h"
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for `count` more bytes and the NUL. */
static void reserve(struct text *text, size_t count) {
  if (text->capacity - text->size > count) return;
  size_t capacity = text->capacity ? text->capacity : 256;
  while (capacity - text->size <= count && capacity <= SIZE_MAX / 2) capacity *= 2;
  char *data = capacity - text->size > count ? realloc(text->data, capacity) : NULL;
  if (!data) {
    fputs("convsmith: error: out of memory\n", stderr);
    exit(2);
  }
  text->data = data;
  text->capacity = capacity;
}

void text_add(struct text *text, const char *bytes, size_t count) {
  reserve(text, count);
  if (count) memcpy(text->data + text->size, bytes, count);
  text->size += count;
  text->data[text->size] = '\0';
}

void text_fill(struct text *text, char byte, size_t count) {
  reserve(text, count);
  memset(text->data + text->size, byte, count);
  text->size += count;
  text->data[text->size] = '\0';
}

void text_print(struct text *text, const char *format, ...) {
  va_list arguments, again;
  va_start(arguments, format);
  va_copy(again, arguments);
  size_t count = (size_t)vsnprintf(NULL, 0, format, arguments);
  reserve(text, count);
  vsnprintf(text->data + text->size, count + 1, format, again);
  text->size += count;
  va_end(again);
  va_end(arguments);
}

void text_free(struct text *text) {
  free(text->data);
  *text = (struct text){0};
}
