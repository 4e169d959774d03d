/* A layer's name becomes functions, constants and files: the name and a suffix. Two layers clash where the longer name is the
 * shorter one and a suffix, or begins one, so only layers are compared of which one's name begins the other's, whatever the case:
 * `foo` and `FOO`, `a` and `a_part`, `a` and `a_tile0`. */
#include "names.h"
#include "mem.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LONGEST_NAME = 128 }; /* a file name may have 255 bytes, and suffixes follow */

/* Suffixes; '#' stands for a number. Of what is exported, for each target too, which puts _TARGET before: */
static const char *const exported[] = {"", "_pack", "_part", NULL};
/* of what only the layer's file sees, for each target too, and for each of a target's kernels: */
static const char *const of_kernels[] = {"_units",
                                         "_unit",
                                         "_rows",
                                         "_stage",
                                         "_repack",
                                         "_gather",
                                         "_fetch",
                                         "_scatter",
                                         "_activate",
                                         "_reflect",
                                         "_replicate",
                                         "_circular",
                                         "_tile#",
                                         "_tall#",
                                         "_row#",
                                         "_row_last#",
                                         "_column#",
                                         "_column_last#",
                                         "_keep_rows",
                                         "_keep_rows_last",
                                         "_keep_columns",
                                         "_keep_columns_last",
                                         "_chunk",
                                         "_chunk_last",
                                         "_inverses",
                                         "_shares",
                                         "_clean#",
                                         "_block#",
                                         "_split",
                                         "_clear",
                                         "_copy#",
                                         "_place#x#",
                                         "_fill",
                                         "_block",
                                         "_sums#x#",
                                         "_store#",
                                         "_split_border",
                                         "_split_weights",
                                         "_ahead",
                                         "_blocks",
                                         "_bring",
                                         "_forward",
                                         "_load",
                                         "_spread",
                                         "_store",
                                         "_weights",
                                         "_fft_row_forward#",
                                         "_fft_row_inverse#",
                                         "_fft_row_twiddles",
                                         "_fft_column_forward#",
                                         "_fft_column_inverse#",
                                         "_fft_column_twiddles",
                                         "_fft_row",
                                         "_fft_last_row",
                                         "_fft_bring",
                                         "_fft_last_bring",
                                         "_fft_put",
                                         "_fft_last_put",
                                         "_fft_add",
                                         "_fft_give",
                                         "_fft_finish",
                                         "_fft_last_finish",
                                         "_fft_product",
                                         "_fft_tile",
                                         "_fft_cosines",
                                         "_fft_spectrum",
                                         "_baked_weights",
                                         "_baked_planes",
                                         "_baked_bias",
                                         NULL};
/* and once for all targets. */
static const char *const of_layers[] = {"_cpuid", "_xcr0", "_permission", "_ask", "_pick", NULL};
/* After the name in capitals: sizes, the header's guard, the switch of --single-file. */
static const char *const of_capitals[] = {"_PACKED_BYTES",
                                          "_WORKSPACE_BYTES",
                                          "_INPUT_BYTES",
                                          "_RESIDUAL_BYTES",
                                          "_WEIGHTS_BYTES",
                                          "_BIAS_BYTES",
                                          "_GRAD_OUTPUT_BYTES",
                                          "_DEPTHWISE_BYTES",
                                          "_DEPTHWISE_BIAS_BYTES",
                                          "_SLOPE_BYTES",
                                          "_OUTPUT_BYTES",
                                          "_IMPLEMENTATION",
                                          "_H",
                                          NULL};
static const char *const of_files[] = {".c", ".h", "_test.c", NULL};

bool name_is_identifier(const char *text) {
  if (!isalpha((unsigned char)*text) && *text != '_') return false;
  while (isalnum((unsigned char)*text) || *text == '_') text++;
  return !*text;
}

const char *name_problem(const char *name, const char *prefix) {
  const char *symbol = mem_text("%s%s", prefix, name);
  if (!name_is_identifier(name)) return "is not a C identifier: letters, digits and '_', not beginning with a digit";
  if (*name == '_') return "begins with '_': such names belong to the compiler; begin with a letter";
  if (strncasecmp(name, "convsmith_", 10) == 0) return "begins with 'convsmith_': generated files share such names; choose another";
  if (strlen(symbol) > LONGEST_NAME) return "is too long; 128 characters with the prefix are the most";
  if (name_is_keyword(name) || name_is_keyword(symbol)) return "is a keyword of C or C++; choose another name";
  if (name_is_library(symbol)) return "is a name of the C library; choose another name";
  if (name_is_header(name)) return "is the name of a system header, which its own header would hide; choose another name";
  return NULL;
}

/* ---- suffixes ------------------------------------------------------------------------------------------------------ */

/* What a layer defines: its symbol, its symbol in capitals, or its file's name, and one of the suffixes of this kind. */
enum kind { SYMBOL, CAPITALS, FILES, KINDS };

struct suffixes {
  const char **items;
  size_t count;
};

static void add_each(struct suffixes *list, const char *before, const char *const *suffixes) {
  for (; *suffixes; suffixes++) {
    list->items = mem_grow(list->items, list->count, sizeof *list->items);
    list->items[list->count++] = mem_text("%s%s", before, *suffixes);
  }
}

/* `target`: "" or "_TARGET". */
static void add_target(struct suffixes *list, const char *target) {
  add_each(list, target, exported);
  add_each(list, target, of_kernels);
  add_each(list, mem_text("%s_phase#", target), of_kernels);
}

static void list_suffixes(struct suffixes lists[KINDS], const char *const *targets) {
  add_target(&lists[SYMBOL], "");
  for (; *targets; targets++) add_target(&lists[SYMBOL], mem_text("_%s", *targets));
  add_each(&lists[SYMBOL], "", of_layers);
  add_each(&lists[CAPITALS], "", of_capitals);
  add_each(&lists[FILES], "", of_files);
}

/* What is left of the suffix after `start`, or NULL where it does not begin so. */
static const char *after(const char *suffix, const char *start) {
  while (*start) {
    const size_t digits = *suffix == '#' ? strspn(start, "0123456789") : 0;
    if (digits == 0 && *suffix != *start) return NULL;
    start += digits > 0 ? digits : 1;
    suffix++;
  }
  return suffix;
}

static bool listed(const struct suffixes *list, const char *suffix) {
  for (size_t i = 0; i < list->count; i++)
    if (!strcmp(list->items[i], suffix)) return true;
  return false;
}

/* The suffix among `longer` that, behind `between`, is one of `shorter`; or NULL. */
static const char *shared_suffix(const struct suffixes *shorter, const char *between, const struct suffixes *longer) {
  for (size_t i = 0; i < shorter->count; i++) {
    const char *left = after(shorter->items[i], between);
    if (left && listed(longer, left)) return left;
  }
  return NULL;
}

/* ---- clashes ------------------------------------------------------------------------------------------------------- */

struct check {
  const struct named *layers;
  const char *prefix;
  struct suffixes suffixes[KINDS];
  bool *reported;
  struct diags *diags;
};

/* A layer by its name in lower case, as some file systems see it. */
struct entry {
  const char *name;
  size_t length, layer;
};

static char *with_case(char *text, int (*convert)(int)) {
  for (char *c = text; *c; c++) *c = (char)convert((unsigned char)*c);
  return text;
}

static int in_order(const void *left, const void *right) {
  const struct entry *a = left, *b = right;
  const int order = strcmp(a->name, b->name);
  return order ? order : a->layer < b->layer ? -1 : a->layer > b->layer;
}

/* The key is the first `length` bytes of its name. */
static int by_name(const void *key, const void *item) {
  const struct entry *wanted = key, *entry = item;
  const int order = strncmp(wanted->name, entry->name, wanted->length);
  return order ? order : wanted->length < entry->length ? -1 : 0;
}

/* Reports the later one of two layers, once. */
static void report(struct check *check, size_t one, size_t other, const char *verb, const char *what) {
  const struct named *first = &check->layers[one < other ? one : other], *second = &check->layers[one < other ? other : one];
  bool *reported = &check->reported[second - check->layers];
  if (!*reported)
    diag_error(check->diags, second->place, "name: '%s' clashes with layer '%s': both would %s %s; choose another name",
               second->name, first->name, verb, what);
  *reported = true;
}

static void report_same(struct check *check, size_t one, size_t other) {
  const struct named *second = &check->layers[other];
  if (strcmp(check->layers[one].name, second->name) != 0)
    report(check, one, other, "write", mem_text("%s.c", with_case(mem_text("%s", second->name), tolower)));
  else if (!check->reported[other])
    diag_error(check->diags, second->place, "name: '%s' is the name of two layers; each needs its own", second->name);
  check->reported[other] = true;
}

/* What stands before the suffixes of a kind. */
static char *base_of(const struct check *check, size_t layer, enum kind kind) {
  char *name = mem_text("%s%s", kind == FILES ? "" : check->prefix, check->layers[layer].name);
  return kind == SYMBOL ? name : with_case(name, kind == FILES ? tolower : toupper);
}

/* The shorter name begins the longer one, but for the case. */
static void check_pair(struct check *check, size_t shorter, size_t longer) {
  static const enum kind pairs[][2] = {{SYMBOL, SYMBOL}, {CAPITALS, SYMBOL}, {CAPITALS, CAPITALS}, {FILES, FILES}};
  for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
    const char *one = base_of(check, shorter, pairs[i][0]), *other = base_of(check, longer, pairs[i][1]);
    const size_t length = strlen(one);
    if (strncmp(one, other, length) != 0) continue;
    const char *suffix = shared_suffix(&check->suffixes[pairs[i][0]], other + length, &check->suffixes[pairs[i][1]]);
    if (suffix) report(check, shorter, longer, pairs[i][0] == FILES ? "write" : "define", mem_text("%s%s", other, suffix));
  }
}

/* Compares an entry with those whose names begin its own: suffixes of names begin with '_'. */
static void check_beginnings(struct check *check, const struct entry *entry, const struct entry *entries, size_t count) {
  for (size_t i = 1; i < entry->length; i++) {
    const struct entry beginning = {entry->name, i, 0};
    const struct entry *found = entry->name[i] == '_' ? bsearch(&beginning, entries, count, sizeof *entries, by_name) : NULL;
    if (!found) continue;
    const size_t mark = mem_mark();
    check_pair(check, found->layer, entry->layer);
    mem_release(mark);
  }
}

/* Sorted entries, one for each name; those that repeat one are reported. */
static size_t sort_entries(struct check *check, struct entry *entries, size_t count) {
  size_t kept = 0;
  for (size_t i = 0; i < count; i++) {
    const char *name = with_case(mem_text("%s", check->layers[i].name), tolower);
    entries[i] = (struct entry){name, strlen(name), i};
  }
  qsort(entries, count, sizeof *entries, in_order);
  for (size_t i = 0; i < count; i++) {
    if (kept > 0 && !strcmp(entries[kept - 1].name, entries[i].name))
      report_same(check, entries[kept - 1].layer, entries[i].layer);
    else
      entries[kept++] = entries[i];
  }
  return kept;
}

void names_check_clashes(const struct named *layers, size_t count, const char *prefix, const char *const *targets,
                         struct diags *diags) {
  struct check check = {.layers = layers, .prefix = prefix, .diags = diags};
  struct entry *entries = mem_array(count + 1, sizeof *entries);
  check.reported = mem_array(count + 1, sizeof *check.reported);
  list_suffixes(check.suffixes, targets);
  const size_t kept = sort_entries(&check, entries, count);
  for (size_t i = 0; i < kept; i++) check_beginnings(&check, &entries[i], entries, kept);
}
