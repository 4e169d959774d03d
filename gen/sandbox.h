/* What templates may use of Lua: names whose results are the same in every run and on every machine. */
#ifndef GEN_SANDBOX_H
#define GEN_SANDBOX_H
#include <lua.h>

/* Pushes a new table of the functions that need no engine: ipairs, tostring, string, table, math, has, keys, derive, ... */
void sandbox_push(lua_State *L);
#endif
