/* Bad templates: each tests/bad_templates/NAME.t fails with exactly the message in NAME.txt. UPDATE=1 writes the messages. */
#include "../gen/engine.h"
#include "../gen/file.h"
#include "../gen/mem.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static const char folder[] = "tests/bad_templates";

/* What every template gets: plan = {tile = 4, bias = true, list = {5, 6}}. */
static void push_fields(lua_State *L) {
  lua_createtable(L, 0, 1);
  lua_createtable(L, 0, 3);
  lua_pushinteger(L, 4);
  lua_setfield(L, -2, "tile");
  lua_pushboolean(L, 1);
  lua_setfield(L, -2, "bias");
  lua_createtable(L, 2, 0);
  for (int i = 1; i <= 2; i++) {
    lua_pushinteger(L, 4 + i);
    lua_rawseti(L, -2, i);
  }
  lua_setfield(L, -2, "list");
  lua_setfield(L, -2, "plan");
}

static void update(const char *path, const char *message) {
  struct text text = {NULL, 0, 0};
  text_print(&text, "%s\n", message);
  assert_null(file_write_all(&(struct output){path, &text}, 1));
  text_free(&text);
}

static void check_message(const char *path, const char *message) {
  struct text expected = {NULL, 0, 0};
  const char *problem = file_read(path, 1 << 20, &expected);
  if (problem) fail_msg("%s (UPDATE=1 writes it)", problem);
  assert_string_equal(mem_text("%s\n", message), expected.data);
  text_free(&expected);
}

static void check(struct engine *engine, const char *name) {
  struct text out = {NULL, 0, 0};
  const char *path = mem_text("%s/%s.txt", folder, name);
  push_fields(engine_lua(engine));
  if (engine_expand(engine, mem_text("%s.t", name), &out)) fail_msg("%s.t expands", name);
  assert_int_equal(out.size, 0);
  assert_int_equal(lua_gettop(engine_lua(engine)), 0);
  (getenv("UPDATE") ? update : check_message)(path, engine_error(engine));
  text_free(&out);
}

/* One engine for all: an error must leave nothing behind. */
static void every_message(void **state) {
  const char *const path = folder;
  struct engine *engine = engine_new(&path, 1);
  size_t count = 0;
  (void)state;
  for (const char *const *name = engine_list(engine, ".", ".t"); *name; name++, count++) check(engine, *name);
  assert_true(count > 50);
  engine_free(engine);
  mem_release(0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_message)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
