/* Names: what generated files define is no other layer's name. The files of many specs are read for it, so that a template that
 * defines something new is noticed here. */
#include "../gen/file.h"
#include "../gen/mem.h"
#include "../gen/names.h"
#include "scratch.h"
#include <ctype.h>
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <strings.h>

#include <cmocka.h>

static const char *const targets[] = {"scalar", "sse41", "vec128", "avx2", "avx512", "amx", NULL};

/* How many of the layers are refused beside the others. */
static size_t clashes(const char *prefix, const char *const *names, size_t count) {
  struct named *layers = mem_array(count, sizeof *layers);
  struct diags diags = {0};
  struct text lines = {0};
  for (size_t i = 0; i < count; i++) layers[i].name = names[i];
  names_check_clashes(layers, count, prefix, targets, &diags);
  const size_t errors = diag_take(&diags, &lines);
  text_free(&lines);
  return errors;
}

#define CLASHES(prefix, ...)                                                                                                       \
  clashes(prefix, (const char *const[]){__VA_ARGS__}, sizeof(const char *const[]){__VA_ARGS__} / sizeof(char *))

/* ---- what files define ----------------------------------------------------------------------------------------------- */

enum { MOST_SYMBOLS = 5000 };
static const char *seen[MOST_SYMBOLS];
static size_t seen_count, checked;

/* Is it new? Then it is noted. */
static bool notice(const char *symbol) {
  for (size_t i = 0; i < seen_count; i++)
    if (!strcmp(seen[i], symbol)) return false;
  assert_true(seen_count < MOST_SYMBOLS);
  seen[seen_count++] = symbol;
  return true;
}

static void check_symbol(const char *layer, const char *symbol) {
  if (!notice(symbol) || name_problem(symbol, "")) return;
  checked++;
  if (CLASHES("", layer, symbol) != 1) fail_msg("layer '%s' defines %s, but a layer of that name is accepted", layer, symbol);
  if (CLASHES("", symbol, layer) != 1) fail_msg("layer '%s' defines %s, which a layer before it may be called", layer, symbol);
}

static size_t word_length(const char *text) {
  size_t length = 0;
  while (isalnum((unsigned char)text[length]) || text[length] == '_') length++;
  return length;
}

/* Every word that begins with the layer's name, or with what generated files share. */
static void check_text(const char *layer, const char *text) {
  for (size_t length; *text; text += length > 0 ? length : 1) {
    length = word_length(text);
    const bool own = length >= strlen(layer) && strncasecmp(text, layer, strlen(layer)) == 0;
    if (own || strncasecmp(text, "convsmith_", 10) == 0) check_symbol(layer, mem_text("%.*s", (int)length, text));
  }
}

/* The layer's NAME.c or NAME.h. */
static void check_file(const char *folder, const char *file) {
  struct text text = {0};
  const size_t mark = mem_mark(), length = strlen(file);
  if (length < 3 || file[length - 2] != '.') return;
  assert_null(file_read(mem_text("%s/%s", folder, file), 1 << 28, &text));
  seen_count = 0;
  check_text(mem_text("%.*s", (int)length - 2, file), text.data);
  text_free(&text);
  mem_release(mark);
}

static void check_files(const char *spec, const char *options) {
  const char *folder = scratch_path("files");
  if (convsmith("generate %s -o %s %s", spec, folder, options) != 0) fail_msg("%s: %s", spec, said);
  DIR *list = opendir(folder);
  assert_non_null(list);
  for (const struct dirent *entry; (entry = readdir(list));) check_file(folder, entry->d_name);
  closedir(list);
  process_run(said, sizeof said, "rm -r %s", folder);
}

/* Layers of every feature, for all targets at once and for one alone, whose symbols have no target's name. */
static void every_symbol_clashes(void **state) {
  static const char *const options[] = {"--target scalar,sse41,vec128,avx2,avx512,amx", "--target avx2", "--target vec128"};
  (void)state;
  for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
    check_files("tests/data/odd.yaml", options[i]);
    DIR *list = opendir("specs/features");
    assert_non_null(list);
    for (const struct dirent *entry; (entry = readdir(list));)
      if (strstr(entry->d_name, ".yaml")) check_files(mem_text("specs/features/%s", entry->d_name), options[i]);
    closedir(list);
  }
  assert_true(checked > 5000);
}

/* ---- pairs ------------------------------------------------------------------------------------------------------------- */

static void clashes_by_number(void **state) {
  (void)state;
  assert_int_equal(CLASHES("", "a", "a_tile0"), 1);
  assert_int_equal(CLASHES("", "a", "a_tile123"), 1);
  assert_int_equal(CLASHES("", "a_block1", "a"), 1);
  assert_int_equal(CLASHES("", "a", "a_avx2_phase2_block10"), 1);
  assert_int_equal(CLASHES("", "a", "a_phase1"), 1); /* a_phase1_units */
  assert_int_equal(CLASHES("", "a", "a_tile0", "a_tile1", "a_tile2"), 3);
}

static void clashes_of_constants(void **state) {
  (void)state;
  assert_int_equal(CLASHES("", "a", "A_INPUT_BYTES"), 1);
  assert_int_equal(CLASHES("p_", "a", "A_INPUT_BYTES"), 0);
  assert_int_equal(CLASHES("P_", "a", "A_INPUT_BYTES"), 1);
  assert_int_equal(CLASHES("", "foo", "Foo", "foo_part"), 2);
}

/* Names that networks give to their layers. */
static void no_clashes(void **state) {
  (void)state;
  assert_int_equal(CLASHES("", "enc_block1", "enc_block2", "enc_block1_a", "enc_tile3", "enc_tile"), 0);
  assert_int_equal(CLASHES("", "a", "a_b", "a_1", "a_tile", "a_tilex", "a_tile1x", "a_tile1_2", "ab_part", "a_blocks1"), 0);
  assert_int_equal(CLASHES("", "a_pack_b", "a", "a_input_bytes", "a_3x3", "a_avx"), 0);
}

static void shared_names(void **state) {
  (void)state;
  assert_non_null(name_problem("convsmith_f32x4", ""));
  assert_non_null(name_problem("CONVSMITH_INLINE", ""));
  assert_null(name_problem("convsmith", ""));
  assert_null(name_problem("stem", "convsmith_"));
}

/* As many layers as a file can hold, each of which begins like the first. */
static void many_layers(void **state) {
  enum { MANY = 100000 };
  const char **names = mem_array(MANY, sizeof *names);
  (void)state;
  for (int i = 0; i < MANY; i++) names[i] = i ? mem_text("conv_%d", i) : "conv";
  assert_int_equal(clashes("", names, MANY), 0);
}

static int begin(void **state) {
  (void)state;
  scratch_begin("names");
  return 0;
}

static int end(void **state) {
  (void)state;
  mem_release(0);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_symbol_clashes), cmocka_unit_test(clashes_by_number), cmocka_unit_test(clashes_of_constants),
      cmocka_unit_test(no_clashes),           cmocka_unit_test(shared_names),      cmocka_unit_test(many_layers),
  };
  return cmocka_run_group_tests(tests, begin, end);
}
