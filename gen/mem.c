/* The arena: a chain of blocks, newest first. A position is the number of bytes handed out before it, so a mark is one number and
 * releasing it drops the blocks that start at or after it. */
#include "mem.h"
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 1 << 16, ALIGNMENT = 16 };

struct block {
  struct block *older;
  size_t start, used, capacity;
  _Alignas(ALIGNMENT) unsigned char data[];
};

static struct block *newest;

static _Noreturn void out_of_memory(void) {
  fputs("convsmith: error: out of memory\n", stderr);
  exit(2);
}

size_t mem_mark(void) {
  return newest ? newest->start + newest->used : 0;
}

static struct block *block_new(size_t size) {
  size_t capacity = size > BLOCK_BYTES ? size : BLOCK_BYTES;
  struct block *block = malloc(sizeof *block + capacity);
  if (!block) out_of_memory();
  *block = (struct block){newest, mem_mark(), 0, capacity};
  return block;
}

/* Bytes that an allocation takes. */
static size_t rounded(size_t size) {
  if (size > SIZE_MAX / 2) out_of_memory();
  return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

void *mem_new(size_t size) {
  size = rounded(size);
  if (!newest || newest->capacity - newest->used < size) newest = block_new(size);
  void *bytes = memset(newest->data + newest->used, 0, size);
  newest->used += size;
  return bytes;
}

void *mem_array(size_t count, size_t size) {
  if (size && count > SIZE_MAX / size) out_of_memory();
  return mem_new(count * size);
}

/* Makes the allocation of `size` bytes twice as long where it lies. False if something lies behind it, or too little is left. */
static bool extend(const void *items, size_t size) {
  const size_t before = rounded(size), more = rounded(2 * size) - before;
  if ((const unsigned char *)items + before != newest->data + newest->used || newest->capacity - newest->used < more) return false;
  memset(newest->data + newest->used, 0, more);
  newest->used += more;
  return true;
}

/* A list is full exactly when its count is zero or a power of two. */
void *mem_grow(void *items, size_t count, size_t size) {
  if (count & (count - 1)) return items;
  if (count > SIZE_MAX / 2 / size) out_of_memory();
  if (count && extend(items, count * size)) return items;
  void *grown = mem_array(count ? 2 * count : 1, size);
  if (count) memcpy(grown, items, count * size);
  return grown;
}

char *mem_text(const char *format, ...) {
  va_list arguments, again;
  va_start(arguments, format);
  va_copy(again, arguments);
  size_t size = (size_t)vsnprintf(NULL, 0, format, arguments) + 1;
  char *text = mem_new(size);
  vsnprintf(text, size, format, again);
  va_end(again);
  va_end(arguments);
  return text;
}

void mem_release(size_t mark) {
  while (newest && newest->start >= mark) {
    struct block *block = newest;
    newest = block->older;
    free(block);
  }
  if (newest && mark < newest->start + newest->used) newest->used = mark - newest->start;
}
