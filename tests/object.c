/* Reads `nm -P` (name type value size) and `size -A` (section size address). */
#include "object.h"
#include "../gen/mem.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_symbol(struct object *object, const char *line) {
  struct symbol symbol = {{0}, 0, 0};
  if (sscanf(line, "%199s %c %*x %lx", symbol.name, &symbol.type, &symbol.size) < 2) return;
  object->symbols = realloc(object->symbols, (object->count + 1) * sizeof symbol);
  if (!object->symbols) abort();
  object->symbols[object->count++] = symbol;
}

static bool begins(const char *text, const char *with) {
  return strncmp(text, with, strlen(with)) == 0;
}

static void add_section(struct object *object, const char *line) {
  char name[200];
  unsigned long size;
  if (sscanf(line, "%199s %lu", name, &size) != 2) return;
  if (begins(name, ".data") && !begins(name, ".data.rel.ro")) object->data += size;
  if (begins(name, ".bss") || begins(name, ".tbss")) object->bss += size;
}

static bool each_line(const char *command, struct object *object, void (*take)(struct object *, const char *)) {
  char line[1000];
  FILE *pipe = popen(command, "r");
  if (!pipe) return false;
  while (fgets(line, sizeof line, pipe)) take(object, line);
  return pclose(pipe) == 0;
}

bool object_read(const char *path, struct object *object) {
  *object = (struct object){NULL, 0, 0, 0};
  return each_line(mem_text("nm -P '%s'", path), object, add_symbol) &&
         each_line(mem_text("size -A '%s'", path), object, add_section) && object->count > 0;
}

void object_free(struct object *object) {
  free(object->symbols);
  *object = (struct object){NULL, 0, 0, 0};
}

unsigned long object_largest(const struct object *object, const char *prefix) {
  const size_t length = strlen(prefix);
  unsigned long largest = 0;
  for (size_t i = 0; i < object->count; i++) {
    const struct symbol *symbol = &object->symbols[i];
    const char after = begins(symbol->name, prefix) ? symbol->name[length] : '?';
    if (!strchr("tT", symbol->type) || (after && after != '_' && after != '.')) continue;
    if (symbol->size > largest) largest = symbol->size;
  }
  return largest;
}

bool object_may_call(const char *name) {
  static const char *const names[] = {"memcpy", "memmove", "memset", "memcmp", "expf", "exp", "tanhf", "tanh", "erff", "erf"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp(name, names[i]) == 0) return true;
  return strcmp(name, "_GLOBAL_OFFSET_TABLE_") == 0; /* of position-independent code */
}
