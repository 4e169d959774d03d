/* A growing string: what templates print into and what is written to files. Its bytes live outside the arena. */
#ifndef GEN_TEXT_H
#define GEN_TEXT_H
#include <stddef.h>

struct text {
  char *data; /* NUL-terminated; NULL while empty */
  size_t size, capacity;
};

void text_add(struct text *text, const char *bytes, size_t count);
void text_fill(struct text *text, char byte, size_t count);
void text_print(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_free(struct text *text);
#endif
