/* Diagnostics: order, form, what is printed once; the nearest name. And the arena and the growing text below them. */
#include "../gen/diag.h"
#include "../gen/mem.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct text lines;

static const char *take(struct diags *diags, size_t errors) {
  text_free(&lines);
  assert_int_equal(diag_take(diags, &lines), errors);
  assert_int_equal(diags->count, 0);
  return lines.data ? lines.data : "";
}

static void sorted_lines(void **state) {
  (void)state;
  struct diags diags = {0};
  assert_string_equal(take(&diags, 0), "");
  diag_error(&diags, (struct place){"b", 1, 1}, "last");
  diag_warning(&diags, (struct place){"a", 10, 2}, "third of %d", 5);
  diag_error(&diags, (struct place){"a", 9, 12}, "second");
  diag_error(&diags, (struct place){"a", 9, 3}, "first");
  diag_error(&diags, (struct place){NULL, 0, 0}, "nowhere");
  diag_error(&diags, (struct place){"--set x=1", 0, 0}, "option");
  assert_int_equal(diags.errors, 5);
  assert_string_equal(take(&diags, 5), "convsmith: error: nowhere\nconvsmith: error: --set x=1: option\na:9:3: error: first\n"
                                       "a:9:12: error: second\na:10:2: warning: third of 5\nb:1:1: error: last\n");
}

static void equal_lines_once(void **state) {
  (void)state;
  struct diags diags = {0};
  for (int i = 0; i < 6; i++) diag_error(&diags, (struct place){"a", 1, 1}, i % 2 ? "odd" : "even");
  assert_string_equal(take(&diags, 2), "a:1:1: error: even\na:1:1: error: odd\n");
}

/* Whatever a file holds, a message is one line of bounded length that ends between characters. */
static void one_clean_line(void **state) {
  (void)state;
  struct diags diags = {0};
  diag_error(&diags, (struct place){NULL, 0, 0}, "%s", "a\nb\x1b[31m\x7f é");
  assert_string_equal(take(&diags, 1), "convsmith: error: a\\x0ab\\x1b[31m\\x7f é\n");
  char text[3001] = "x";
  for (size_t i = 1; i < 2999; i += 2) memcpy(text + i, "é", 2);
  diag_error(&diags, (struct place){NULL, 0, 0}, "%s", text);
  const char *line = take(&diags, 1);
  assert_int_equal(strlen(line), strlen("convsmith: error: ") + 999 + strlen("…\n"));
  assert_string_equal(line + strlen(line) - 6, "é…\n");
}

static void nearest(void **state) {
  static const char *const names[] = {"stride", "dilation", "groups", "bias", "same", "op", NULL};
  static const struct {
    const char *word, *name;
  } rows[] = {{"strid", "stride"}, {"Stride", "stride"}, {"tsride", "stride"}, {"dilations", "dilation"},
              {"group", "groups"}, {"baise", NULL},      {"bais", "bias"},     {"smae", "same"},
              {"pads", NULL},      {"o", NULL},          {"", NULL},           {"kernel", NULL},
              {"dil", "dilation"}, {"Dil", "dilation"},  {"di", NULL},         {"strides_of", NULL}};
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const char *found = diag_nearest(rows[i].word, names);
    if (rows[i].name) {
      assert_non_null(found);
      assert_string_equal(found, rows[i].name);
    } else {
      assert_null(found);
    }
  }
}

static void arena(void **state) {
  (void)state;
  size_t start = mem_mark();
  char *kept = mem_text("%s-%d", "kept", 7);
  size_t mark = mem_mark();
  for (int i = 0; i < 2000; i++) {
    unsigned char *bytes = mem_new(100);
    assert_int_equal((uintptr_t)bytes % 16, 0);
    for (int k = 0; k < 100; k++) assert_int_equal(bytes[k], 0);
    memset(bytes, 0xAA, 100);
  }
  memset(mem_array(3, 1 << 20), 0xBB, 3 << 20);
  mem_release(mark);
  assert_int_equal(mem_mark(), mark);
  assert_string_equal(kept, "kept-7");
  const unsigned char *again = mem_new(100); /* zeroed though used before */
  for (int k = 0; k < 100; k++) assert_int_equal(again[k], 0);
  mem_release(start);
  assert_int_equal(mem_mark(), start);
}

static void growing_list(void **state) {
  (void)state;
  int *items = NULL;
  for (int i = 0; i < 1000; i++) {
    items = mem_grow(items, (size_t)i, sizeof *items);
    items[i] = i;
  }
  for (int i = 0; i < 1000; i++) assert_int_equal(items[i], i);
  mem_release(0);
}

static void growing_text(void **state) {
  (void)state;
  struct text text = {0};
  text_add(&text, "", 0);
  assert_string_equal(text.data, "");
  for (int i = 0; i < 1000; i++) text_print(&text, "%03d,", i);
  text_add(&text, "a\0b", 3);
  assert_int_equal(text.size, 4003);
  assert_memory_equal(text.data + 3996, "999,a\0b", 8);
  text_free(&text);
  assert_null(text.data);
}

static int done(void **state) {
  (void)state;
  text_free(&lines);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(sorted_lines),   cmocka_unit_test(equal_lines_once),
                                     cmocka_unit_test(one_clean_line), cmocka_unit_test(nearest),
                                     cmocka_unit_test(arena),          cmocka_unit_test(growing_list),
                                     cmocka_unit_test(growing_text)};
  return cmocka_run_group_tests(tests, NULL, done);
}
