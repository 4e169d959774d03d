/* The YAML reader: the tree and its places; limits that hold while events stream. What it says of bad files is in tests/bad. */
#include "../gen/mem.h"
#include "../gen/text.h"
#include "../gen/yaml.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct diags diags;

static struct node *parse(const char *text) {
  return yaml_parse(text, "spec.yaml", false, &diags);
}

static void assert_place(const struct node *node, int line, int column) {
  assert_string_equal(node->place.file, "spec.yaml");
  assert_int_equal(node->place.line, line);
  assert_int_equal(node->place.column, column);
}

static void tree(void **state) {
  (void)state;
  const struct node *root = parse("a: 1\nb: [x, 'y', \"z\"]\nc:\n  d: |\n    text\n  e:\n");
  assert_non_null(root);
  assert_int_equal(root->kind, NODE_MAP);
  assert_int_equal(root->count, 3);
  assert_string_equal(root->keys[1]->text, "b");
  assert_string_equal(yaml_get(root, "a")->text, "1");
  assert_false(yaml_get(root, "a")->quoted);
  assert_null(yaml_get(root, "d"));
  const struct node *list = yaml_get(root, "b");
  assert_int_equal(list->kind, NODE_LIST);
  assert_int_equal(list->count, 3);
  assert_false(list->items[0]->quoted);
  assert_true(list->items[1]->quoted);
  assert_true(list->items[2]->quoted);
  const struct node *map = yaml_get(root, "c");
  assert_string_equal(yaml_get(map, "d")->text, "text\n");
  assert_true(yaml_get(map, "d")->quoted);
  assert_string_equal(yaml_get(map, "e")->text, "");
  assert_int_equal(diags.errors, 0);
}

/* Columns count bytes: é has two, € three, 𝄞 four; a carriage return ends no line. */
static void places(void **state) {
  (void)state;
  const struct node *root = parse("# é€𝄞\r\n'é€𝄞': [a, \"𝄞\", b]\r\nc:\n  - é: {f: g}\n");
  assert_non_null(root);
  assert_place(root, 2, 1);
  assert_place(root->items[0], 2, 14);
  assert_place(root->items[0]->items[0], 2, 15);
  assert_place(root->items[0]->items[1], 2, 18);
  assert_place(root->items[0]->items[2], 2, 26);
  const struct node *inner = yaml_get(root, "c")->items[0]->items[0];
  assert_place(inner, 4, 9);
  assert_place(yaml_get(inner, "f"), 4, 13);
}

/* The byte order mark that some editors begin with is no character of the first line. */
static void byte_order_mark(void **state) {
  (void)state;
  const struct node *root = parse("\xEF\xBB\xBF"
                                  "a: 1\n");
  assert_non_null(root);
  assert_int_equal(diags.errors, 0);
  assert_place(yaml_get(root, "a"), 1, 4);
}

static void aliases_share(void **state) {
  (void)state;
  const struct node *root = parse("a: &x [1, 2]\nb: *x\nc: &x 3\nd: *x\n");
  assert_non_null(root);
  assert_ptr_equal(yaml_get(root, "a")->items, yaml_get(root, "b")->items);
  assert_place(yaml_get(root, "a"), 1, 4);
  assert_place(yaml_get(root, "b"), 2, 4);
  assert_string_equal(yaml_get(root, "d")->text, "3");
}

static void options_have_no_line(void **state) {
  (void)state;
  const struct node *root = yaml_parse("[1, 2]", "--set stride=[1, 2]", true, &diags);
  assert_non_null(root);
  assert_int_equal(root->items[1]->place.line, 0);
  assert_string_equal(root->items[1]->place.file, "--set stride=[1, 2]");
}

/* What remains beside a wrong key is returned, marked if a pair is missing. */
static void goes_on_after_wrong_keys(void **state) {
  (void)state;
  const struct node *root = parse("a: 1\na: 2\nb: 3\n");
  assert_int_equal(diags.errors, 1);
  assert_string_equal(yaml_get(root, "a")->text, "1");
  assert_false(root->partial);
  root = parse("x: &x {y: 1}\nz: {<<: *x, w: 2}\n");
  assert_int_equal(diags.errors, 2);
  assert_true(yaml_get(root, "z")->partial);
  assert_int_equal(yaml_get(root, "z")->count, 1);
}

static char *repeat(struct text *text, const char *piece, size_t count) {
  for (size_t i = 0; i < count; i++) text_add(text, piece, strlen(piece));
  return text->data;
}

static void depth(void **state) {
  (void)state;
  struct text text = {0};
  repeat(&text, "[", 64);
  assert_non_null(parse(repeat(&text, "]", 64)));
  assert_int_equal(diags.errors, 0);
  text_free(&text);
  repeat(&text, "[", 65);
  assert_null(parse(repeat(&text, "]", 65)));
  assert_int_equal(diags.errors, 1);
  text_free(&text);
}

static void number_of_nodes(void **state) {
  (void)state;
  struct text text = {0};
  assert_non_null(parse(repeat(&text, "- 1\n", 99999))); /* the list is a node too */
  assert_int_equal(diags.errors, 0);
  assert_null(parse(repeat(&text, "- 1\n", 1)));
  assert_int_equal(diags.errors, 1);
  text_free(&text);
}

/* 10,000 items, ten times: an alias counts as what it repeats. */
static void aliases_count(void **state) {
  (void)state;
  struct text text = {0};
  text_print(&text, "a: &a [");
  repeat(&text, "1,", 10000);
  repeat(&text, "]\nb: [*a,*a,*a,*a,*a,*a,*a,*a]\n", 1);
  assert_non_null(parse(text.data));
  assert_null(parse(repeat(&text, "c: *a\n", 1)));
  assert_int_equal(diags.errors, 1);
  text_free(&text);
}

static int forget(void **state) {
  (void)state;
  struct text lines = {0};
  diag_take(&diags, &lines);
  text_free(&lines);
  mem_release(0);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(tree, forget),
      cmocka_unit_test_teardown(places, forget),
      cmocka_unit_test_teardown(byte_order_mark, forget),
      cmocka_unit_test_teardown(aliases_share, forget),
      cmocka_unit_test_teardown(options_have_no_line, forget),
      cmocka_unit_test_teardown(goes_on_after_wrong_keys, forget),
      cmocka_unit_test_teardown(depth, forget),
      cmocka_unit_test_teardown(number_of_nodes, forget),
      cmocka_unit_test_teardown(aliases_count, forget),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
