/* Read-only tables of the sandbox, and the functions templates have on tables that are maps. */
#ifndef GEN_FROZEN_H
#define GEN_FROZEN_H
#include <lua.h>

/* Pushes the read-only face of the table at `index`, in which the tables among its fields, at every depth, are replaced by theirs.
 * Reading an absent string key of a face is an error. */
void frozen_push(lua_State *L, int index);
/* Pushes the plain table that holds the fields of the table at `index`, which may be frozen or not. */
void frozen_content(lua_State *L, int index);

int frozen_has(lua_State *L);    /* has(table, key): it is there and not false */
int frozen_keys(lua_State *L);   /* keys(table): the string keys that it has, sorted */
int frozen_derive(lua_State *L); /* derive(base, changes): a new table; maps are merged, everything else is replaced */
#endif
