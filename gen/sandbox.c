/* The sandbox: Lua's libraries by name, so that nothing comes in that reads a file, the time, an address or a hash order. Two
 * functions that could run for ever in C or print an address stand behind a check; patterns are Lua's own and not bounded in time.
 */
#include "sandbox.h"
#include "frozen.h"
#include "words.h"
#include <lauxlib.h>
#include <lualib.h>
#include <stdbool.h>
#include <string.h>

struct library {
  const char *name; /* "_G": its names become globals */
  lua_CFunction open;
  const char *const *names;
};

static const char *const base_names[] = {"assert", "ipairs", "select", "tonumber", "type", NULL};
static const char *const math_names[] = {"abs", "ceil",       "floor",     "fmod", "max", "maxinteger",
                                         "min", "mininteger", "tointeger", "type", "ult", NULL};
static const char *const string_names[] = {"byte", "char",     "find", "format",  "gmatch", "gsub",   "len",   "lower", "match",
                                           "pack", "packsize", "rep",  "reverse", "sub",    "unpack", "upper", NULL};
static const char *const table_names[] = {"concat", "insert", "remove", "sort", "unpack", NULL};

static const struct library libraries[] = {
    {"_G", luaopen_base, base_names},
    {LUA_MATHLIBNAME, luaopen_math, math_names},
    {LUA_STRLIBNAME, luaopen_string, string_names},
    {LUA_TABLIBNAME, luaopen_table, table_names},
};

/* ---- functions that stand behind a check -------------------------------------------------------------------------- */

/* A table or a function would print its address. */
static void check_printable(lua_State *L, int index) {
  const int type = lua_type(L, index);
  if (type == LUA_TSTRING || type == LUA_TNUMBER || type == LUA_TBOOLEAN || type == LUA_TNIL) return;
  luaL_argerror(L, index, lua_pushfstring(L, "a %s has no text", luaL_typename(L, index)));
}

static int safe_tostring(lua_State *L) {
  luaL_checkany(L, 1);
  check_printable(L, 1);
  luaL_tolstring(L, 1, NULL);
  return 1;
}

/* Calls the function that is upvalue 1 with all arguments. */
static int call_original(lua_State *L) {
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
  return lua_gettop(L);
}

/* True if a format has the conversion of addresses. */
static bool prints_address(const char *format) {
  for (format = strchr(format, '%'); format; format = strchr(format, '%')) {
    format += 1 + strspn(format + 1, "-+ #0123456789.");
    if (*format == 'p') return true;
    if (*format) format++;
  }
  return false;
}

static int safe_format(lua_State *L) {
  luaL_argcheck(L, !prints_address(luaL_checkstring(L, 1)), 1, "'%p' is not there");
  for (int i = 2; i <= lua_gettop(L); i++) check_printable(L, i);
  return call_original(L);
}

/* The original loops for ever over nothing: rep("", 1 << 62). */
static int safe_rep(lua_State *L) {
  size_t size, separator;
  luaL_checklstring(L, 1, &size);
  luaL_optlstring(L, 3, "", &separator);
  if (size + separator > 0) return call_original(L);
  luaL_checkinteger(L, 2);
  lua_pushliteral(L, "");
  return 1;
}

static void guard(lua_State *L, const char *name, lua_CFunction check) {
  lua_getfield(L, -1, name);
  lua_pushcclosure(L, check, 1);
  lua_setfield(L, -2, name);
}

/* ---- the table ---------------------------------------------------------------------------------------------------- */

/* Copies the library's allowed names into the table on top of the stack. */
static void copy_names(lua_State *L, const struct library *library) {
  luaL_requiref(L, library->name, library->open, 0);
  for (const char *const *name = library->names; *name; name++) {
    lua_getfield(L, -1, *name);
    lua_setfield(L, -3, *name);
  }
  lua_pop(L, 1);
}

/* Methods of strings, ("x"):rep(3), come from the sandbox's table on top of the stack too. */
static void set_string_methods(lua_State *L) {
  lua_pushliteral(L, "");
  lua_getmetatable(L, -1);
  lua_pushvalue(L, -3);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 2);
}

static void add_library(lua_State *L, const struct library *library) {
  const bool strings = strcmp(library->name, LUA_STRLIBNAME) == 0;
  lua_newtable(L);
  copy_names(L, library);
  if (strings) {
    guard(L, "format", safe_format);
    guard(L, "rep", safe_rep);
  }
  frozen_push(L, -1);
  if (strings) set_string_methods(L);
  lua_setfield(L, -3, library->name);
  lua_pop(L, 1);
}

void sandbox_push(lua_State *L) {
  static const luaL_Reg own[] = {{"tostring", safe_tostring}, {"has", frozen_has},      {"keys", frozen_keys},
                                 {"derive", frozen_derive},   {"hex_words", words_hex}, {NULL, NULL}};
  lua_newtable(L);
  copy_names(L, &libraries[0]);
  for (size_t i = 1; i < sizeof libraries / sizeof *libraries; i++) add_library(L, &libraries[i]);
  luaL_setfuncs(L, own, 0);
}
