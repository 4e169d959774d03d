/* The engine's state, for the files that make it up: engine.c (runs, errors, bounds) and print.c (what templates print). */
#ifndef GEN_ENGINE_STATE_H
#define GEN_ENGINE_STATE_H
#include "indent.h"
#include "source.h"

/* A line of a source; source -1: none. */
struct spot {
  int source, line;
};

struct engine {
  lua_State *lua;
  struct sources sources;
  size_t used; /* bytes of the Lua state */
  int steps;   /* of this run, in STEPS_AT_ONCE */
  struct spot spot;
  struct text error, line;
  struct text *out; /* NULL where nothing can be printed */
  size_t out_start;
  struct indent indent;
  struct text captured; /* what the open captures printed, one after the other */
  int captures;
};

struct engine *engine_of(lua_State *L);
/* Where the template function number `level` (from 1) stands, counted from the running one. */
struct spot spot_of(lua_State *L, int level);

/* Functions for Lua: a template's text line; emit(text), emit_raw(text), capture(function). */
int print_line(lua_State *L);
int print_emit(lua_State *L);
int print_raw(lua_State *L);
int print_capture(lua_State *L);
#endif
