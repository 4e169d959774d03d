/* Read-only tables.
 *
 * A frozen table is an empty table whose metatable leads to its content: reads of what is there stay inside the Lua virtual
 * machine, only a miss or a write calls C. `pairs` does not exist in the sandbox, since its order is not the same in every run;
 * keys() is. */
#include "frozen.h"
#include <lauxlib.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NESTING = 64 };

static void check_nesting(lua_State *L, int depth) {
  if (depth > MAX_NESTING) luaL_error(L, "tables nested deeper than %d levels", MAX_NESTING);
  luaL_checkstack(L, 16, "tables nested too deep");
}

/* ---- freezing ----------------------------------------------------------------------------------------------------- */

/* __index of contents: an absent element of a list is nil, so that ipairs ends. */
static int read_absent(lua_State *L) {
  if (lua_type(L, 2) == LUA_TSTRING) return luaL_error(L, "no field '%s'", lua_tostring(L, 2));
  lua_pushnil(L);
  return 1;
}

static int refuse_write(lua_State *L) {
  return luaL_error(L, "cannot set '%s': the table is read-only", luaL_tolstring(L, 2, NULL));
}

static int content_length(lua_State *L) {
  frozen_content(L, 1);
  lua_pushinteger(L, (lua_Integer)lua_rawlen(L, -1));
  return 1;
}

/* Gives the content on top of the stack its metatable, one for all. */
static void mark_content(lua_State *L) {
  if (luaL_newmetatable(L, "convsmith content")) {
    lua_pushcfunction(L, read_absent);
    lua_setfield(L, -2, "__index");
  }
  lua_setmetatable(L, -2);
}

/* Makes the empty table below the content on top of the stack its read-only face; pops the content. */
static void face_content(lua_State *L) {
  lua_createtable(L, 0, 3);
  lua_insert(L, -2);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, refuse_write);
  lua_setfield(L, -2, "__newindex");
  lua_pushcfunction(L, content_length);
  lua_setfield(L, -2, "__len");
  lua_setmetatable(L, -2);
}

static bool is_frozen(lua_State *L, int index) {
  if (luaL_getmetafield(L, index, "__newindex") == LUA_TNIL) return false;
  const bool frozen = lua_tocfunction(L, -1) == refuse_write;
  lua_pop(L, 1);
  return frozen;
}

static void freeze(lua_State *L, int memo, int depth);

/* Freezes the tables among the fields of the table at `table`. */
static void freeze_fields(lua_State *L, int table, int memo, int depth) {
  const int key = lua_gettop(L) + 1;
  for (lua_pushnil(L); lua_next(L, table); lua_settop(L, key)) {
    if (!lua_istable(L, -1)) continue;
    freeze(L, memo, depth + 1);
    lua_pushvalue(L, key);
    lua_insert(L, -2);
    lua_rawset(L, table);
  }
}

/* Replaces the table on top of the stack by its read-only face; `memo` maps contents to theirs. What is a face stays. */
static void freeze(lua_State *L, int memo, int depth) {
  const int table = lua_gettop(L);
  check_nesting(L, depth);
  if (is_frozen(L, table)) return;
  lua_pushvalue(L, table);
  lua_rawget(L, memo);
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, table);
    lua_pushvalue(L, -2);
    lua_rawset(L, memo);
    freeze_fields(L, table, memo, depth);
    lua_pushvalue(L, table);
    mark_content(L);
    face_content(L);
  }
  lua_replace(L, table);
}

void frozen_push(lua_State *L, int index) {
  lua_pushvalue(L, index);
  lua_newtable(L);
  lua_insert(L, -2);
  freeze(L, lua_gettop(L) - 1, 1);
  lua_remove(L, -2);
}

void frozen_content(lua_State *L, int index) {
  index = lua_absindex(L, index);
  if (luaL_getmetafield(L, index, "__index") == LUA_TNIL) lua_pushvalue(L, index);
}

/* ---- functions on maps -------------------------------------------------------------------------------------------- */

int frozen_has(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checkany(L, 2);
  frozen_content(L, 1);
  lua_pushvalue(L, 2);
  lua_rawget(L, -2);
  lua_pushboolean(L, lua_toboolean(L, -1));
  return 1;
}

static int by_bytes(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Appends the string keys of the table at `from` to the list on top of the stack. Returns their number. */
static size_t list_keys(lua_State *L, int from) {
  const int list = lua_gettop(L);
  lua_Integer count = 0;
  for (lua_pushnil(L); lua_next(L, from); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING || !lua_toboolean(L, -1)) continue;
    lua_pushvalue(L, -2);
    lua_rawseti(L, list, ++count);
  }
  return (size_t)count;
}

int frozen_keys(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  frozen_content(L, 1);
  lua_newtable(L);
  const int list = lua_gettop(L);
  const size_t count = list_keys(L, list - 1);
  const char **names = lua_newuserdatauv(L, (count + 1) * sizeof *names, 0);
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, list, (lua_Integer)i + 1);
    names[i] = lua_tostring(L, -1);
    lua_pop(L, 1);
  }
  qsort(names, count, sizeof *names, by_bytes);
  lua_createtable(L, (int)count, 0);
  for (size_t i = 0; i < count; i++) {
    lua_pushstring(L, names[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

/* Replaces the value on top of the stack by a deep copy without the frozen parts. */
static void copy_value(lua_State *L, int depth) {
  if (!lua_istable(L, -1)) return;
  check_nesting(L, depth);
  frozen_content(L, -1);
  const int from = lua_gettop(L);
  lua_newtable(L);
  for (lua_pushnil(L); lua_next(L, from);) {
    copy_value(L, depth + 1);
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, from + 1);
  }
  lua_replace(L, from - 1);
  lua_settop(L, from - 1);
}

static bool is_map(lua_State *L, int index) {
  return lua_istable(L, index) && lua_rawlen(L, index) == 0;
}

/* Applies the table on top of the stack to the one below it, which nobody else has; pops it. */
static void merge(lua_State *L, int depth) {
  check_nesting(L, depth);
  const int to = lua_gettop(L) - 1;
  frozen_content(L, to + 1);
  for (lua_pushnil(L); lua_next(L, to + 2); lua_settop(L, to + 3)) {
    lua_pushvalue(L, to + 3);
    lua_rawget(L, to);
    lua_pushvalue(L, to + 4); /* to + 3: key, change, inherited, change */
    if (is_map(L, -1) && is_map(L, -2)) {
      merge(L, depth + 1);
      continue;
    }
    copy_value(L, depth + 1);
    lua_pushvalue(L, to + 3);
    lua_insert(L, -2);
    lua_rawset(L, to);
  }
  lua_settop(L, to);
}

int frozen_derive(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_pushvalue(L, 1);
  copy_value(L, 1);
  lua_pushvalue(L, 2);
  merge(L, 1);
  return 1;
}
