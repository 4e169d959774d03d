/* Generated files as a compiler sees them: clean with every warning, no data but the picker's word, no symbols but the documented
 * ones, functions within their bound, estimates near what compilers make. FULL: every spec, each target alone, both compilers. */
#include "made.h"
#include <dirent.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../gen/alg.h"

static const char *const folders[] = {"specs/features", "specs/frameworks", "tests/data", "specs"};
enum { SMALL_FOLDERS = 3, FOLDERS = 4 };
/* gcc makes one of equal functions; alone, each has its size. */
static const struct compiler { const char *name, *flag; } compilers[] = {{"gcc", "-fno-ipa-icf"}, {"clang", ""}};
static bool full;

/* ---- specs ----------------------------------------------------------------------------------------------------------- */

static int by_name(const struct dirent **a, const struct dirent **b) {
  return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_spec(const struct dirent *entry) {
  const size_t length = strlen(entry->d_name);
  return length > 5 && strcmp(entry->d_name + length - 5, ".yaml") == 0;
}

/* Calls check(path, number) for every spec of the first `count` folders. Returns how many there were. */
static size_t each_spec(size_t count, void (*check)(const char *spec, size_t number)) {
  size_t number = 0;
  for (size_t f = 0; f < count; f++) {
    struct dirent **entries;
    const int found = scandir(folders[f], &entries, is_spec, by_name);
    for (int i = 0; i < found; i++) {
      char path[600];
      snprintf(path, sizeof path, "%s/%s", folders[f], entries[i]->d_name);
      check(path, number++);
      free(entries[i]);
    }
    if (found >= 0) free(entries);
  }
  return number;
}

/* ---- what an object holds ------------------------------------------------------------------------------------------------ */

static struct object object;

static bool is_exported(const char *name) {
  for (size_t i = 0; i < object.count; i++)
    if (object.symbols[i].type == 'T' && strcmp(object.symbols[i].name, name) == 0) return true;
  return false;
}

/* The functions of a layer under one symbol. Returns how many. */
static size_t check_trio(const char *symbol, bool packed) {
  static const char *const ends[] = {"", "_part", "_pack"};
  for (int i = 0; i < 2 + packed; i++)
    if (!is_exported(mem_text("%s%s", symbol, ends[i]))) fail_msg("%s%s is not exported", symbol, ends[i]);
  return packed ? 3 : 2;
}

static size_t check_exports_of(const struct layer *layer) {
  const struct isa_set targets = made_targets(layer);
  const struct plan *const *plans = job_plans(&made, layer, &targets);
  const bool packed = plans[0]->packed_bytes > 0;
  size_t count = check_trio(layer->name, packed);
  for (size_t i = 0; i < targets.count && targets.count > 1; i++) count += check_trio(made_symbol(layer, &targets, i), packed);
  return count;
}

/* Exactly the documented functions are exported, and nothing is called but mem* and <math.h>. */
static void check_symbols(const char *spec) {
  size_t expected = 0, exported = 0;
  for (size_t i = 0; i < made.spec.count; i++) expected += check_exports_of(&made.spec.layers[i]);
  for (size_t i = 0; i < object.count; i++) {
    const struct symbol *symbol = &object.symbols[i];
    if (symbol->type == 'U' && !object_may_call(symbol->name)) fail_msg("%s calls %s", spec, symbol->name);
    if (strchr("DBCGSVW", symbol->type)) fail_msg("%s exports the data %s", spec, symbol->name);
    exported += symbol->type == 'T';
  }
  if (exported != expected) fail_msg("%s exports %zu functions, not %zu", spec, exported, expected);
}

/* No writable data but one word for each layer that picks. */
static void check_data(const char *spec) {
  unsigned long words = 0;
  for (size_t i = 0; i < made.spec.count; i++) words += made_targets(&made.spec.layers[i]).count > 1;
  if (object.data != 0) fail_msg("%s has %lu bytes of .data", spec, object.data);
  if (object.bss != 4 * words) fail_msg("%s has %lu bytes of .bss, not %lu", spec, object.bss, 4 * words);
}

/* ---- how large functions are ------------------------------------------------------------------------------------------------- */

/* Largest function over its estimate: the extremes of what each compiler made. In code of less than SMALL bytes, packing and the
 * loops around the tiles are as long as the tiles, which are all that estimates count. */
enum { SMALL = 4096 };
static struct ratio {
  double value;
  char what[300];
} highest[2], lowest[2] = {{1e9, ""}, {1e9, ""}};

static void note_ratio(const struct layer *layer, const struct plan *plan, unsigned long bytes, int compiler) {
  const double value = (double)bytes / (double)plan->code_bytes;
  struct ratio *ratio = value > highest[compiler].value  ? &highest[compiler]
                        : value < lowest[compiler].value ? &lowest[compiler]
                                                         : NULL;
  if (!ratio) return;
  ratio->value = value;
  snprintf(ratio->what, sizeof ratio->what, "%.2f: %s of %s, %s: %lu bytes, about %lld expected", value, layer->name,
           made.spec.path, plan->isa->name, bytes, (long long)plan->code_bytes);
}

static void check_sizes_of(const struct layer *layer, int compiler) {
  const struct isa_set targets = made_targets(layer);
  const struct plan *const *plans = job_plans(&made, layer, &targets);
  for (size_t i = 0; i < targets.count; i++) {
    const unsigned long bytes = object_largest(&object, made_symbol(layer, &targets, i));
    if (bytes > (unsigned long)layer->max_code_bytes)
      fail_msg("%s of %s has %lu bytes, max_code_bytes is %lld", made_symbol(layer, &targets, i), made.spec.path, bytes,
               (long long)layer->max_code_bytes);
    if (bytes > SMALL) note_ratio(layer, plans[i], bytes, compiler);
  }
}

/* ---- compiling -----------------------------------------------------------------------------------------------------------------
 */

/* Compiles all layers of a spec as one file, and looks at the object. */
static void check_spec(const char *spec, const char *target, const char *set, const struct compiler *compiler) {
  made_open(spec, target, set);
  made_generate("all");
  MUST("cd all && %s -std=c99 -O2 %s " CLEAN " -c all.c -o all.o", compiler->name, compiler->flag);
  assert_true(object_read(scratch_path("all/all.o"), &object));
  check_symbols(spec);
  check_data(spec);
  for (size_t i = 0; i < made.spec.count; i++) check_sizes_of(&made.spec.layers[i], (int)(compiler - compilers));
  object_free(&object);
  made_close();
}

/* FULL: the default targets and each by itself, with both compilers. */
static void check_all_ways(const char *spec, size_t number) {
  static const char *const targets[] = {"", "scalar", "vec128", "sse41", "avx2", "avx512", "amx"};
  (void)number;
  for (size_t t = 0; t < sizeof targets / sizeof *targets; t++)
    for (int c = 0; c < 2; c++)
      if (have(compilers[c].name)) check_spec(spec, targets[t], "", &compilers[c]);
}

/* Default targets; the compilers take turns. */
static void check_in_turn(const char *spec, size_t number) {
  check_spec(spec, "", "", &compilers[number % 2 && have("clang")]);
}

static void every_spec(void **state) {
  (void)state;
  assert_true(each_spec(full ? FOLDERS : SMALL_FOLDERS, full ? check_all_ways : check_in_turn) >= 20);
}

/* What the default does not have with every layer, the others with few. */
static void targets_alone(void **state) {
  static const struct {
    const char *target, *spec;
  } rows[] = {{"vec128", "tests/data/odd.yaml"},
              {"sse41", "tests/data/odd.yaml"},
              {"scalar", "specs/features/f64.yaml"},
              {"avx2", "specs/features/batch.yaml"},
              {"avx512", "specs/features/conv3d.yaml"}};
  (void)state;
  for (int i = 0; i < 5; i++) check_spec(rows[i].spec, rows[i].target, "", &compilers[i % 2 && have("clang")]);
}

static void all_unrolled(void **state) {
  (void)state;
  check_spec("specs/features/unroll.yaml", "", "unroll=full", &compilers[0]);
}

/* f32 vectors have activations of their own. */
static void vectors_call_no_library(void **state) {
  static const char *const targets[] = {"vec128", "sse41", "avx2", "avx512", "amx"};
  (void)state;
  for (int t = 0; t < 4; t++) {
    made_open("specs/features/activations.yaml", targets[t], "");
    made_generate("vectors");
    MUST("cd vectors && cc -std=c99 -O2 -c all.c -o all.o");
    assert_true(object_read(scratch_path("vectors/all.o"), &object));
    for (size_t i = 0; i < object.count; i++)
      if (object.symbols[i].type == 'U' && strncmp(object.symbols[i].name, "mem", 3) != 0)
        fail_msg("%s: %s is called", targets[t], object.symbols[i].name);
    object_free(&object);
    made_close();
  }
}

/* Estimates know gcc's code; clang, which takes other ways, is bound loosely. */
static void estimates_of_code_bytes(void **state) {
  (void)state;
  for (int c = 0; c < 2; c++)
    print_message("%s: code over estimate %s\n     %s\n", compilers[c].name, lowest[c].what, highest[c].what);
  assert_true(highest[0].value < 1.5 && lowest[0].value > 0.2);
  assert_true(highest[1].value < 2.5);
}

static int begin(void **state) {
  (void)state;
  const char *asked = getenv("FULL");
  full = asked && *asked;
  scratch_begin("generated");
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_spec),
      cmocka_unit_test(targets_alone),
      cmocka_unit_test(all_unrolled),
      cmocka_unit_test(vectors_call_no_library),
      cmocka_unit_test(estimates_of_code_bytes),
  };
  return cmocka_run_group_tests(tests, begin, NULL);
}
