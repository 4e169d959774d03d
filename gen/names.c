/* A layer's name becomes functions, constants and files. Every one of them is listed and the list sorted, so that any two layers
 * that would define the same are found, however the names came to meet: `foo` and `FOO`, `a` and `a_part`. */
#include "names.h"
#include "mem.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_NAME = 128 }; /* a file name may have 255 bytes, and suffixes follow */

/* Follows the layer's name in functions; a target's functions put _TARGET before. */
static const char *const function_suffixes[] = {"", "_pack", "_part", NULL};
/* Follows the name in capitals: size constants, the header's guard, the switch of --single-file. */
static const char *const constant_suffixes[] = {"_PACKED_BYTES", "_WORKSPACE_BYTES", "_H", "_IMPLEMENTATION", NULL};
static const char *const file_suffixes[] = {".c", ".h", "_test.c", NULL};

bool name_is_identifier(const char *text) {
  if (!isalpha((unsigned char)*text) && *text != '_') return false;
  while (isalnum((unsigned char)*text) || *text == '_') text++;
  return !*text;
}

const char *name_problem(const char *name, const char *prefix) {
  const char *symbol = mem_text("%s%s", prefix, name);
  if (!name_is_identifier(name)) return "is not a C identifier: letters, digits and '_', not beginning with a digit";
  if (*name == '_') return "begins with '_': such names belong to the compiler; begin with a letter";
  if (strlen(symbol) > LONGEST_NAME) return "is too long; 128 characters with the prefix are the most";
  if (name_is_keyword(name) || name_is_keyword(symbol)) return "is a keyword of C or C++; choose another name";
  if (name_is_library(symbol)) return "is a name of the C library; choose another name";
  if (name_is_header(name)) return "is the name of a system header, which its own header would hide; choose another name";
  return NULL;
}

/* Something that a layer defines. */
struct entry {
  char *text;
  size_t layer;
};

struct entries {
  struct entry *items;
  size_t count;
};

static void add(struct entries *entries, char *text, size_t layer) {
  entries->items = mem_grow(entries->items, entries->count, sizeof *entries->items);
  entries->items[entries->count++] = (struct entry){text, layer};
}

static char *with_case(char *text, int (*convert)(int)) {
  for (char *c = text; *c; c++) *c = (char)convert((unsigned char)*c);
  return text;
}

static void add_functions(struct entries *entries, size_t layer, const char *stem, const char *target) {
  for (size_t i = 0; function_suffixes[i]; i++)
    add(entries, mem_text("%s%s%s%s", stem, *target ? "_" : "", target, function_suffixes[i]), layer);
}

/* Files are compared without case, as some file systems do; "/" keeps them apart from symbols. */
static void add_layer(struct entries *entries, size_t layer, const char *name, const char *prefix, const char *const *targets) {
  const char *stem = mem_text("%s%s", prefix, name);
  add_functions(entries, layer, stem, "");
  for (; *targets; targets++) add_functions(entries, layer, stem, *targets);
  const char *capitals = with_case(mem_text("%s", stem), toupper);
  for (size_t i = 0; constant_suffixes[i]; i++) add(entries, mem_text("%s%s", capitals, constant_suffixes[i]), layer);
  for (size_t i = 0; file_suffixes[i]; i++) add(entries, with_case(mem_text("/%s%s", name, file_suffixes[i]), tolower), layer);
}

static int compare(const void *left, const void *right) {
  const struct entry *a = left, *b = right;
  int order = strcmp(a->text, b->text);
  if (order) return order;
  return a->layer < b->layer ? -1 : a->layer > b->layer;
}

static void report(const struct named *first, const struct named *second, const char *what, struct diags *diags) {
  bool file = *what == '/';
  if (!strcmp(first->name, second->name))
    diag_error(diags, second->place, "name: '%s' is the name of two layers; each needs its own", second->name);
  else
    diag_error(diags, second->place, "name: '%s' clashes with layer '%s': both would %s %s; choose another name", second->name,
               first->name, file ? "write" : "define", what + file);
}

void names_check_clashes(const struct named *layers, size_t count, const char *prefix, const char *const *targets,
                         struct diags *diags) {
  struct entries entries = {0};
  bool *reported = mem_array(count + 1, sizeof *reported);
  for (size_t i = 0; i < count; i++) add_layer(&entries, i, layers[i].name, prefix, targets);
  if (entries.count) qsort(entries.items, entries.count, sizeof *entries.items, compare);
  const struct entry *first = entries.items; /* that defines what `second` does */
  for (size_t i = 1; i < entries.count; i++) {
    const struct entry *second = &entries.items[i];
    if (strcmp(first->text, second->text)) first = second;
    if (first->layer == second->layer || reported[second->layer]) continue;
    reported[second->layer] = true;
    report(&layers[first->layer], &layers[second->layer], second->text, diags);
  }
}
