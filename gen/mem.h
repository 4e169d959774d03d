/* Memory of the program: one arena. What a stage allocates lives until the mark taken before it is released, or until
 * mem_release(0) at the end of main; nothing is freed piece by piece. Out of memory ends the program with exit 2. */
#ifndef GEN_MEM_H
#define GEN_MEM_H
#include <stddef.h>

/* `size` zeroed bytes, aligned for any type. */
void *mem_new(size_t size);
/* `count` zeroed elements of `size` bytes; the product is overflow-checked. */
void *mem_array(size_t count, size_t size);
/* A copy of `count` elements of `size` bytes with room for one more: how arena lists grow (doubling at powers of two). */
void *mem_grow(void *items, size_t count, size_t size);
/* A formatted string. */
char *mem_text(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The position to come back to with mem_release, which frees everything allocated since. */
size_t mem_mark(void);
void mem_release(size_t mark);
#endif
