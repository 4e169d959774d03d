/* The graph library of straight-line code: what it shares and folds, counted in the operations that it prints, and what it prints,
 * evaluated: a template makes C of matrices, which is compiled and compared with plain loops. */
#include "../gen/cook_toom.h"
#include "../gen/engine.h"
#include "../gen/isa.h"
#include "../gen/mem.h"
#include "isa_library.h"
#include "scratch.h"
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct engine *engine;

static const char code[] =
    "$ local graph, vec = import(\"lib/graph.lua\"), import(\"lib/vec.lua\")\n"
    "$ local V = vec.new(isa, \"f64\", \"graph\", false)\n"
    "$ local function product(name, rows)\n"
    "void ${name}(const double *x, double *y) {\n"
    "$   local g, inputs = graph.new(), {}\n"
    "$   for j = 1, #rows[1] do inputs[j] = g.input(tostring(j - 1)) end\n"
    "$   g.print(V, g.linear(rows, inputs), function(j) return \"x[\" .. j .. \"]\" end, function(i, value)\n"
    "y[${i - 1}] = ${value};\n"
    "$   end)\n"
    "}\n"
    "$ end\n";

/* A new file each time: an engine reads one only once. */
static const char *template_of(const char *calls) {
  static int number;
  const char *name = mem_text("graph%d.t", number++);
  scratch_write(name, mem_text("%s%s", code, calls));
  return name;
}

/* Rows of numbers as a Lua table. */
static const char *table_of(const struct rational (*rows)[COOK_TOOM_POINTS], int height, int width) {
  const char *text = "{";
  for (int i = 0; i < height; i++) {
    text = mem_text("%s{", text);
    for (int j = 0; j < width; j++) text = mem_text("%s%.17g,", text, rational_value(rows[i][j]));
    text = mem_text("%s},", text);
  }
  return mem_text("%s}", text);
}

typedef void product(const double *x, double *y);

/* Unit vectors, and all of them with factors of their own: everything is exact in double. */
static void check(product *call, const struct rational (*rows)[COOK_TOOM_POINTS], int height, int width) {
  for (int unit = 0; unit <= width; unit++) {
    double x[COOK_TOOM_POINTS] = {0}, y[COOK_TOOM_POINTS];
    for (int j = 0; j < width; j++) x[j] = unit == width ? 1 << 2 * j : j == unit;
    call(x, y);
    for (int i = 0; i < height; i++) {
      double sum = 0;
      for (int j = 0; j < width; j++) sum += rational_value(rows[i][j]) * x[j];
      assert_true(y[i] == sum);
    }
  }
}

static void matrices_are_multiplied(void **state) {
  static const int sizes[][2] = {{2, 3}, {4, 3}, {6, 3}, {3, 2}, {2, 5}, {4, 5}, {2, 7}};
  enum { SIZES = sizeof sizes / sizeof *sizes };
  struct isa_list isas;
  const char *calls = "";
  (void)state;
  for (int s = 0; s < SIZES; s++) {
    const struct cook_toom t = cook_toom(sizes[s][0], sizes[s][1]);
    calls = mem_text("%s$ product(\"input%d\", %s)\n$ product(\"output%d\", %s)\n", calls, s, table_of(t.input, t.points, t.points),
                     s, table_of(t.output, t.m, t.points));
  }
  assert_true(isa_read(engine, &isas));
  void *library = isa_library(engine, isa_find(&isas, "scalar"), template_of(calls));
  for (int s = 0; s < SIZES; s++) {
    const struct cook_toom t = cook_toom(sizes[s][0], sizes[s][1]);
    product *input = (product *)(intptr_t)dlsym(library, mem_text("input%d", s));
    product *output = (product *)(intptr_t)dlsym(library, mem_text("output%d", s));
    check(input, t.input, t.points, t.points);
    check(output, t.output, t.m, t.points);
  }
  dlclose(library);
}

/* Lines of the function that a matrix becomes which compute something, by what they compute. */
static int operations(const char *rows) {
  struct text text = {0};
  struct isa_list isas;
  int count = 0;
  assert_true(isa_read(engine, &isas));
  lua_newtable(engine_lua(engine));
  isa_push(engine, isa_find(&isas, "scalar"));
  lua_setfield(engine_lua(engine), -2, "isa");
  if (!engine_expand(engine, template_of(mem_text("$ product(\"f\", %s)\n", rows)), &text)) fail_msg("%s", engine_error(engine));
  for (const char *line = text.data; (line = strstr(line, " = ")); line++) {
    const char *end = strchr(line, '\n');
    count += strcspn(line + 3, "+-*") < (size_t)(end - line - 3);
  }
  text_free(&text);
  return count;
}

static void work_is_shared(void **state) {
  const struct cook_toom two = cook_toom(2, 3), four = cook_toom(4, 3);
  (void)state;
  assert_int_equal(operations(table_of(two.input, 4, 4)), 4);   /* Lavin and Gray's 32 of a tile: 8 times 4 */
  assert_int_equal(operations(table_of(two.output, 2, 4)), 4);  /* 24: 6 times 4 */
  assert_int_equal(operations(table_of(four.input, 6, 6)), 12); /* their 156 of a tile count multiplications apart */
  assert_int_equal(operations(table_of(four.output, 4, 6)), 10);
  assert_int_equal(operations("{{1, 2}, {1, 2}}"), 1); /* equal rows are one value */
  assert_int_equal(operations("{{0, 1}, {1, 0}}"), 0); /* ones and zeros are nothing */
  assert_int_equal(operations("{{0, 3}}"), 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(matrices_are_multiplied), cmocka_unit_test(work_is_shared)};
  scratch_begin("graph");
  const char *path = mem_text("%s", scratch_path("."));
  engine = engine_new(&path, 1);
  const int failed = cmocka_run_group_tests_name("graph", tests, NULL, NULL);
  engine_free(engine);
  mem_release(0);
  return failed;
}
