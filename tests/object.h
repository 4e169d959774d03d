/* Object files in tests: their symbols and sections as binutils print them. */
#ifndef TESTS_OBJECT_H
#define TESTS_OBJECT_H
#include <stdbool.h>
#include <stddef.h>

struct symbol {
  char name[200];
  char type; /* as nm's: 'T' exported code, 't' local code, 'b' local zeroed data, 'U' undefined, … */
  unsigned long size;
};

struct object {
  struct symbol *symbols;
  size_t count;
  unsigned long data, bss; /* bytes of writable sections, relocated read-only data aside */
};

/* False if the file is no object or the tools are missing. */
bool object_read(const char *path, struct object *object);
void object_free(struct object *object);
/* The largest function whose name begins with `prefix` and then ends or goes on with '_' or '.'; 0 if there is none. */
unsigned long object_largest(const struct object *object, const char *prefix);
/* One of the functions of <math.h> or mem* that generated code may call. */
bool object_may_call(const char *name);
#endif
