/* The arena: lists that grow keep what they hold, wherever they lie, new places are zero, and marks release. */
#include "../gen/mem.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { LISTS = 3, ITEMS = 5000 };

struct item {
  int list, number;
  char name[4];
};

static struct item item_of(int list, int number) {
  return (struct item){list, number, {'a', (char)number, 0, 'z'}};
}

static void check_list(const struct item *items, int list) {
  for (int i = 0; i < ITEMS; i++) {
    const struct item wanted = item_of(list, i);
    assert_memory_equal(&items[i], &wanted, sizeof wanted);
  }
}

/* One list alone grows where it lies; those that grow in turn move. */
static void lists_keep_what_they_hold(void **state) {
  struct item *lists[LISTS] = {NULL}, *alone = NULL;
  (void)state;
  for (int i = 0; i < ITEMS; i++)
    for (int l = 0; l < LISTS; l++) {
      lists[l] = mem_grow(lists[l], (size_t)i, sizeof *lists[l]);
      lists[l][i] = item_of(l, i);
    }
  for (int i = 0; i < ITEMS; i++) {
    alone = mem_grow(alone, (size_t)i, sizeof *alone);
    alone[i] = item_of(LISTS, i);
  }
  for (int l = 0; l < LISTS; l++) check_list(lists[l], l);
  check_list(alone, LISTS);
  mem_release(0);
}

/* Also where something was before. */
static void new_places_are_zero(void **state) {
  char *list = NULL;
  (void)state;
  mem_new(1);
  const size_t mark = mem_mark();
  memset(mem_new(40000), 1, 40000);
  mem_release(mark);
  for (size_t i = 0; i < 1000; i++) {
    list = mem_grow(list, i, 1);
    assert_int_equal(list[i], 0);
    list[i] = 2;
  }
  mem_release(0);
}

/* What grows in place ends before what comes next. */
static void nothing_overlaps(void **state) {
  unsigned char *list = NULL;
  (void)state;
  for (size_t i = 0; i < 300; i++) {
    list = mem_grow(list, i, 1);
    list[i] = (unsigned char)i;
    if (i % 7 == 0) memset(mem_new(5), 255, 5);
  }
  for (size_t i = 0; i < 300; i++) assert_int_equal(list[i], (unsigned char)i);
  mem_release(0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lists_keep_what_they_hold),
      cmocka_unit_test(new_places_are_zero),
      cmocka_unit_test(nothing_overlaps),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
