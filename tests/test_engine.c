/* The engine: what templates can do, what they are given, the search for files, and the time it takes. Wrong templates are in
 * test_bad_templates.c. */
#include "../gen/engine.h"
#include "../gen/file.h"
#include "../gen/mem.h"
#include <lauxlib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static const char *folder; /* searched for templates */
static const char *other;  /* searched after it */

static void put(const char *where, const char *name, const char *content) {
  struct text text = {NULL, 0, 0};
  text_print(&text, "%s", content);
  assert_null(file_write_all(&(struct output){mem_text("%s/%s", where, name), &text}, 1));
  text_free(&text);
}

static struct engine *new_engine(void) {
  const char *const paths[] = {folder, other};
  return engine_new(paths, 2);
}

/* Runs Lua that returns the fields and leaves them on the stack. */
static void push_fields(struct engine *engine, const char *lua) {
  if (luaL_loadstring(engine_lua(engine), lua) || lua_pcall(engine_lua(engine), 0, 1, 0))
    fail_msg("%s", lua_tostring(engine_lua(engine), -1));
}

/* What `template` expands to with `fields`, or the error. */
static const char *expand_in(struct engine *engine, const char *template, const char *fields) {
  struct text out = {NULL, 0, 0};
  push_fields(engine, fields);
  put(folder, "case.t", template);
  const bool done = engine_expand(engine, "case.t", &out);
  const char *result = done ? mem_text("%.*s", (int)out.size, out.data ? out.data : "") : mem_text("%s", engine_error(engine));
  assert_int_equal(lua_gettop(engine_lua(engine)), 0);
  text_free(&out);
  return result;
}

static const char *expand_with(const char *template, const char *fields) {
  struct engine *engine = new_engine();
  const char *result = expand_in(engine, template, fields);
  engine_free(engine);
  return result;
}

static const char *expand(const char *template) {
  return expand_with(template, "return {}");
}

static void text_and_holes(void **state) {
  (void)state;
  assert_string_equal(expand(""), "");
  assert_string_equal(expand("int a;"), "int a;\n");
  assert_string_equal(expand("int a;\n\n\n"), "int a;\n");
  assert_string_equal(expand("x${1}${2}y${\"z\"}\n"), "x12yz\n");
  assert_string_equal(expand("$$ $${x} ${1 + 1}$$\n"), "$ ${x} 2$\n");
  assert_string_equal(expand("\"quoted \\n\" \\ 'c' %d\n"), "\"quoted \\n\" \\ 'c' %d\n");
  assert_string_equal(expand("a${(\"}\"):rep(2)}b${'{\\'}'}${#({1, 2})}\n"), "a}}b{'}2\n");
  assert_string_equal(expand("int a;\r\n$ if true then\r\nint b; ${1}\r\n$ end\r\n"), "int a;\nint b; 1\n");
  assert_string_equal(expand("${\"a;\\nb;\"}\n"), "a;\nb;\n");
  assert_string_equal(expand("${-9223372036854775807 - 1}\n"), "-9223372036854775808\n");
}

static void lua_lines(void **state) {
  (void)state;
  assert_string_equal(expand("$ for i = 0, 2 do\nx${i};\n$ end\n"), "x0;\nx1;\nx2;\n");
  assert_string_equal(expand("$ local function twice(x)\n${x};\n${x};\n$ end\n$ twice('a')\n$\n$ twice('b')\n"),
                      "a;\na;\nb;\nb;\n");
  assert_string_equal(expand("$ local t = {\n$   3,\n$ }\n${t[1]};\n"), "3;\n");
  assert_string_equal(expand("a;\n$ do return end\nb;\n"), "a;\n");
}

static void emitting(void **state) {
  (void)state;
  assert_string_equal(expand("$ emit('a;') emit('b;\\nc;\\n')\n"), "a;\nb;\nc;\n");
  assert_string_equal(expand("{\n$ emit_raw('  raw {')\nx;\n$ emit_raw('\\traw\\n')\n}\n"), "{\n  raw {\n  x;\n\traw\n}\n");
  assert_string_equal(expand("$ local t = capture(function()\na;\nb;\n$ end)\nf(${#t});\n${t}\n"), "f(5);\na;\nb;\n");
  assert_string_equal(expand("$ emit('<' .. capture(function() emit('a' .. capture(function() emit('b') end)) end) .. '>')\n"),
                      "<ab>\n");
  assert_string_equal(expand("<${capture(function() end)}>\n"), "<>\n");
}

/* Words are numbers in this machine's byte order, whatever that is. */
static void hex_words(void **state) {
  const char *four = "$ local bytes = string.pack('=I4I4I4', 1, 0x80000000, 0xfedcba98)\n${hex_words('0x%su', bytes, 4, 2, 3)}\n";
  const char *eight = "$ local bytes = string.pack('=i8i8', -2, 0x0123456789abcdef)\n${hex_words('U(%s)', bytes, 8, 1, 2)}\n";
  (void)state;
  assert_string_equal(expand(four), "0x80000000u, 0xfedcba98u\n");
  assert_string_equal(expand(eight), "U(fffffffffffffffe), U(0123456789abcdef)\n");
  assert_string_equal(expand("<${hex_words('%s', 'abcd', 4, 2, 1)}>\n"), "<>\n");
  assert_string_equal(expand("${hex_words('%s%%', '\\0\\xff', 1, 1, 2)}\n"), "00%%, ff%%\n");
}

static void given_fields(void **state) {
  const char *fields = "return {name = 'stem', none = false, plan = {tile = {14, 2}, b = 1, a = 2, off = false}}";
  (void)state;
  assert_string_equal(expand_with("${name}: ${#plan.tile} ${plan.tile[2]} ${plan.b}\n", fields), "stem: 2 2 1\n");
  assert_string_equal(expand_with("$ for i, n in ipairs(plan.tile) do\n${i}=${n}\n$ end\n", fields), "1=14\n2=2\n");
  assert_string_equal(expand_with("${table.concat(plan.tile, 'x')} ${select('#', table.unpack(plan.tile))}\n", fields), "14x2 2\n");
  assert_string_equal(expand_with("${table.concat(keys(plan), ',')}\n", fields), "a,b,tile\n");
  assert_string_equal(
      expand_with("${tostring(has(plan, 'a'))} ${tostring(has(plan, 'z'))} ${tostring(has(plan, 'off'))}\n", fields),
      "true false false\n");
  assert_string_equal(expand_with("$ if not none and not plan.off then\nyes\n$ end\n", fields), "yes\n");
  assert_string_equal(expand_with("$ if plan.tile[3] == nil then\nyes\n$ end\n", fields), "yes\n");
  assert_string_equal(expand_with("$ local t = derive(plan, {b = 5}) t.c = t.b + t.tile[1]\n${t.c}\n", fields), "19\n");
}

/* A table may stand in several places, be given again, and change in between; no expansion can write it. */
static void fields_are_given_again(void **state) {
  struct engine *engine = new_engine();
  lua_State *L = engine_lua(engine);
  struct text out = {NULL, 0, 0};
  (void)state;
  put(folder, "case.t", "${plan.n} ${again.n} ${again.list[1].m} ${plan == again and 'one' or 'two'}\n");
  put(folder, "writes.t", "$ again.list[1].m = 3\n");
  push_fields(engine, "return {n = 1, list = {{m = 7}}}");
  for (int i = 0; i < 4; i++) {
    lua_newtable(L);
    lua_pushvalue(L, 1);
    lua_setfield(L, -2, "plan");
    lua_pushvalue(L, 1);
    lua_setfield(L, -2, "again");
    assert_int_equal(engine_expand(engine, i % 2 ? "writes.t" : "case.t", &out), i % 2 == 0);
    lua_pushinteger(L, i + 2);
    lua_setfield(L, 1, "n");
  }
  assert_non_null(strstr(engine_error(engine), "writes.t:1: error: cannot set 'm': the table is read-only"));
  assert_string_equal(out.data, "1 1 7 one\n3 3 7 one\n");
  text_free(&out);
  engine_free(engine);
}

static void importing(void **state) {
  (void)state;
  put(folder, "lib/part.t", "/* part of ${name} */\n$ return {n = 7}\n");
  put(folder, "lib/plain.lua", "local t = {f = function(x) return name .. x end}\nreturn t\n");
  put(folder, "lib/nothing.t", "nothing;\n");
  const char *fields = "return {name = 'stem'}";
  assert_string_equal(
      expand_with("$ local a, b = import('lib/part.t'), import('lib/part.t')\n${a.n} ${a == b and 1 or 0}\n", fields),
      "/* part of stem */\n7 1\n");
  assert_string_equal(expand_with("${import('lib/plain.lua').f(3)}\n", fields), "stem3\n");
  assert_string_equal(expand("$ import('lib/nothing.t')\n$ import('lib/nothing.t')\n"), "nothing;\n");
  assert_string_equal(expand("${#builtin('lib/nothing.t')}\n"), "9\n");
}

/* Each expansion imports anew, also after one that failed in the middle of a capture. */
static void expansions_are_separate(void **state) {
  struct engine *engine = new_engine();
  (void)state;
  put(folder, "lib/named.t", "${name};\n");
  for (int i = 0; i < 2; i++) {
    push_fields(engine, "return {name = 'a'}");
    struct text out = {NULL, 0, 0};
    assert_true(engine_expand(engine, "lib/named.t", &out));
    push_fields(engine, "return {}");
    assert_false(engine_expand(engine, "lib/named.t", &out));
    assert_non_null(strstr(engine_error(engine), "lib/named.t:1: error: undefined name 'name'\n  ${name};"));
    assert_int_equal(out.size, 3);
    push_fields(engine, "return {}");
    put(folder, "lib/torn.t", "$ capture(function() emit('lost') fail('torn') end)\n");
    assert_false(engine_expand(engine, "lib/torn.t", &out));
    text_free(&out);
  }
  engine_free(engine);
}

/* Loads `lua` as a file and returns field `result` of its value as text. */
static const char *load(const char *lua) {
  struct engine *engine = new_engine();
  put(folder, "case.lua", lua);
  const bool done = engine_load(engine, "case.lua");
  if (done) lua_getfield(engine_lua(engine), -1, "result");
  const char *result = mem_text("%s", done ? lua_tostring(engine_lua(engine), -1) : engine_error(engine));
  assert_int_equal(lua_gettop(engine_lua(engine)), done ? 2 : 0);
  engine_free(engine);
  return result;
}

static void deriving(void **state) {
  (void)state;
  put(folder, "isa/base.lua", "return {a = 1, list = {1, 2, 3}, deep = {x = 1, y = {z = 1}}, gone = 'here'}\n");
#define DERIVED                                                                                                                    \
  "local base = import('isa/base.lua')\nlocal t = derive(base, {b = 2, list = {9}, deep = {y = {w = 5}}, gone = false})\n"
  assert_string_equal(load(DERIVED "return {result = t.a .. t.b .. #t.list .. t.list[1] .. t.deep.x .. t.deep.y.z .. t.deep.y.w}"),
                      "1219115");
  assert_string_equal(load(DERIVED "return {result = tostring(t.gone) .. tostring(has(t, 'gone'))}"), "falsefalse");
  assert_string_equal(load(DERIVED "t.deep.y.z = 8 t.list[1] = 8\nreturn {result = base.deep.y.z .. #base.list .. base.gone}"),
                      "13here");
  assert_string_equal(load("return {result = derive({l = {}}, {l = {4}}).l[1]}"), "4");
#undef DERIVED
}

static void loading_fails(void **state) {
  (void)state;
  assert_non_null(strstr(load("return {\n  a = b,\n}\n"), "/case.lua:2: error: undefined name 'b'\n    a = b,"));
  assert_non_null(strstr(load("emit('x')\n"), "/case.lua:1: error: text where nothing can be printed"));
  assert_non_null(strstr(load("return {\n"), "/case.lua:2: error: "));
  struct engine *engine = new_engine();
  assert_false(engine_load(engine, "isa/none.lua"));
  assert_string_equal(engine_error(engine),
                      "convsmith: error: no template 'isa/none.lua' in the folders of --template-path or inside the program");
  engine_free(engine);
}

static void searching(void **state) {
  struct engine *engine = new_engine();
  (void)state;
  put(folder, "list/b.x", "first\n");
  put(other, "list/b.x", "second\n");
  put(other, "list/a.x", "second\n");
  put(other, "list/.hidden.x", "\n");
  put(other, "list/a.y", "\n");
  const char *const *names = engine_list(engine, "list", ".x");
  assert_string_equal(names[0], "a");
  assert_string_equal(names[1], "b");
  assert_null(names[2]);
  assert_string_equal(expand_in(engine, "${builtin('list/b.x')}${builtin('list/a.x')}\n", "return {}"), "first\nsecond\n");
  const char *const *files = engine_files(engine);
  assert_string_equal(files[0], mem_text("%s/case.t", folder));
  assert_string_equal(files[1], mem_text("%s/list/b.x", folder));
  assert_string_equal(files[2], mem_text("%s/list/a.x", other));
  assert_null(files[3]);
  engine_free(engine);
}

/* Files inside the program are found, listed, and covered by a file of the same name in a folder. */
static void builtin_files(void **state) {
  (void)state;
  remove(mem_text("%s/isa/scalar.lua", folder));
  struct engine *engine = new_engine();
  const char *const *names = engine_list(engine, "isa", ".lua");
  size_t scalar = 0;
  for (; *names; names++) scalar += strcmp(*names, "scalar") == 0;
  assert_int_equal(scalar, 1);
  assert_true(engine_load(engine, "isa/scalar.lua"));
  lua_pop(engine_lua(engine), 1);
  assert_null(engine_files(engine)[0]);
  engine_free(engine);
  put(folder, "isa/scalar.lua", "return 'covered'\n");
  engine = new_engine();
  assert_true(engine_load(engine, "isa/scalar.lua"));
  assert_string_equal(lua_tostring(engine_lua(engine), -1), "covered");
  engine_free(engine);
}

static void builtins_are_sorted(void **state) {
  (void)state;
  for (size_t i = 1; builtins[i].name; i++) assert_true(strcmp(builtins[i - 1].name, builtins[i].name) < 0);
}

static double milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return 1e3 * (double)now.tv_sec + 1e-6 * (double)now.tv_nsec;
}

/* 1,000 lines with three holes each, the engine's own start with them: milliseconds.. */
static void a_thousand_lines(void **state) {
  double best = 1e9;
  (void)state;
  for (int i = 0; i < 5; i++) {
    const double start = milliseconds();
    const char *text = expand("$ local function acc(m, n) return 'acc' .. m .. '_' .. n end\n$ for m = 1, 100 do for n = 1, 10 do\n"
                              "${acc(m, n)} = fma(x${m}, w${n}, ${acc(m, n)});\n$ end end\n");
    const double time = milliseconds() - start;
    size_t lines = 0;
    for (; *text; text++) lines += *text == '\n';
    assert_int_equal(lines, 1000);
    if (time < best) best = time;
  }
  if (best > 50) fail_msg("%.1f ms for 1,000 lines", best);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(text_and_holes),
      cmocka_unit_test(lua_lines),
      cmocka_unit_test(emitting),
      cmocka_unit_test(given_fields),
      cmocka_unit_test(importing),
      cmocka_unit_test(expansions_are_separate),
      cmocka_unit_test(fields_are_given_again),
      cmocka_unit_test(deriving),
      cmocka_unit_test(loading_fails),
      cmocka_unit_test(searching),
      cmocka_unit_test(builtin_files),
      cmocka_unit_test(builtins_are_sorted),
      cmocka_unit_test(a_thousand_lines),
      cmocka_unit_test(hex_words),
  };
  const char *out = getenv("OUT") ? getenv("OUT") : "out";
  folder = mem_text("%s/test/engine", out);
  other = mem_text("%s/test/engine_other", out);
  const int status = cmocka_run_group_tests(tests, NULL, NULL);
  mem_release(0);
  return status;
}
