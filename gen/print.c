/* What templates print: lines that are indented on their way out, raw text that is not, and text that is captured instead. */
#include "engine_state.h"
#include "template.h"
#include <lauxlib.h>
#include <string.h>

enum { OUTPUT_MB = 128 };

static void check_output(lua_State *L, const struct engine *engine) {
  if (!engine->out) {
    luaL_error(L, "text where nothing can be printed: this file is read for its value");
    return; /* never: luaL_error jumps */
  }
  const size_t size = engine->captures > 0 ? engine->captured.size : engine->out->size - engine->out_start;
  if (size > (size_t)OUTPUT_MB << 20) luaL_error(L, "more than %d MB of text", OUTPUT_MB);
}

static void add_line(struct engine *engine, const char *line, size_t size) {
  if (engine->captures == 0) {
    indent_line(&engine->indent, line, size, engine->out);
    return;
  }
  text_add(&engine->captured, line, size);
  text_add(&engine->captured, "\n", 1);
}

static void add_lines(struct engine *engine, const char *text, size_t size) {
  const char *newline;
  while ((newline = memchr(text, '\n', size)) != NULL) {
    add_line(engine, text, (size_t)(newline - text));
    size -= (size_t)(newline + 1 - text);
    text = newline + 1;
  }
  add_line(engine, text, size);
}

/* Says what the hole number `hole` of the running line holds. */
static int refuse_value(lua_State *L, int index, size_t hole) {
  struct engine *engine = engine_of(L);
  const struct spot spot = spot_of(L, 1);
  const char *expression = "";
  size_t size = 0, length = 0;
  if (spot.source >= 0) {
    const char *line = source_line(&engine->sources.items[spot.source], spot.line, &size);
    template_hole(line, size, hole, &expression, &length);
  }
  const char *name = lua_pushlstring(L, expression, length);
  if (lua_isnil(L, index)) return luaL_error(L, "'${%s}' is nil", name);
  if (!lua_isnumber(L, index)) return luaL_error(L, "'${%s}' is a %s, not a string or an integer", name, luaL_typename(L, index));
  return luaL_error(L, "'${%s}' is %f, not an integer", name, lua_tonumber(L, index));
}

/* A text line of a template: literal, value, literal, ..., literal. */
int print_line(lua_State *L) {
  struct engine *engine = engine_of(L);
  const int count = lua_gettop(L);
  check_output(L, engine);
  engine->line.size = 0;
  for (int i = 1; i <= count; i++) {
    size_t size;
    if (lua_type(L, i) != LUA_TSTRING && !lua_isinteger(L, i)) return refuse_value(L, i, (size_t)(i / 2 - 1));
    const char *part = lua_tolstring(L, i, &size);
    text_add(&engine->line, part, size);
  }
  add_lines(engine, engine->line.size > 0 ? engine->line.data : "", engine->line.size);
  return 0;
}

/* emit(text): appends a line, or several. */
int print_emit(lua_State *L) {
  size_t size;
  const char *text = luaL_checklstring(L, 1, &size);
  check_output(L, engine_of(L));
  add_lines(engine_of(L), text, size > 0 && text[size - 1] == '\n' ? size - 1 : size);
  return 0;
}

/* emit_raw(text): appends text as it is. */
int print_raw(lua_State *L) {
  struct engine *engine = engine_of(L);
  size_t size;
  const char *text = luaL_checklstring(L, 1, &size);
  check_output(L, engine);
  if (engine->captures > 0) return luaL_error(L, "emit_raw inside capture");
  indent_flush(&engine->indent, engine->out);
  text_add(engine->out, text, size);
  if (size > 0 && text[size - 1] != '\n') text_add(engine->out, "\n", 1);
  return 0;
}

/* capture(function): the text that it prints, lines joined by newlines. */
int print_capture(lua_State *L) {
  struct engine *engine = engine_of(L);
  luaL_checktype(L, 1, LUA_TFUNCTION);
  const size_t start = engine->captured.size;
  engine->captures++;
  lua_settop(L, 1);
  lua_call(L, 0, 0);
  engine->captures--;
  const size_t size = engine->captured.size - start;
  lua_pushlstring(L, size > 0 ? engine->captured.data + start : "", size > 0 ? size - 1 : 0);
  engine->captured.size = start;
  return 1;
}
