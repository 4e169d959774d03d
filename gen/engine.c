/* The engine: one Lua state with bounds on memory and steps, and the functions of templates that print, import and fail.
 *
 * Every chunk is named "=#N" after the source it comes from, so that Lua's messages, "#N:LINE: ...", and the running function lead
 * to a file and a line. Nothing in the sandbox catches errors: the first one ends the run. */
#include "engine_state.h"
#include "frozen.h"
#include "mem.h"
#include "sandbox.h"
#include "template.h"
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEMORY_MB = 256, STEPS_AT_ONCE = 1000000, MAX_STEPS = 100 };

static const struct spot nowhere = {-1, 0};
/* Keys of the registry. */
static char functions_key, environment_key, imported_key;

struct engine *engine_of(lua_State *L) {
  return *(struct engine **)lua_getextraspace(L);
}

/* ---- errors ------------------------------------------------------------------------------------------------------- */

struct spot spot_of(lua_State *L, int level) {
  lua_Debug frame;
  for (int i = 0; lua_getstack(L, i, &frame); i++) {
    lua_getinfo(L, "Sl", &frame);
    if (frame.source[0] == '=' && frame.source[1] == '#' && --level == 0)
      return (struct spot){atoi(frame.source + 2), frame.currentline};
  }
  return nowhere;
}

/* The message after the "#N:LINE: " that Lua puts before it; *spot becomes that place. */
static const char *without_spot(const char *message, struct spot *spot) {
  char *after = NULL;
  if (message[0] != '#') return message;
  const long source = strtol(message + 1, &after, 10);
  if (*after != ':') return message;
  const long line = strtol(after + 1, &after, 10);
  if (strncmp(after, ": ", 2) != 0) return message;
  *spot = (struct spot){(int)source, (int)line};
  return after + 2;
}

static void set_error(struct engine *engine, const char *message) {
  struct spot spot = nowhere;
  engine->error.size = 0;
  message = without_spot(message, &spot);
  if (engine->spot.source >= 0) spot = engine->spot;
  if (spot.source < 0) {
    text_print(&engine->error, "convsmith: error: %s", message);
    return;
  }
  const struct source *source = &engine->sources.items[spot.source];
  size_t size;
  const char *line = source_line(source, spot.line, &size);
  text_print(&engine->error, "%s:%d: error: %s\n  %.*s", source->path, spot.line, message, (int)size, line);
}

/* The message handler: notes where the error is while the functions still stand on the stack. */
static int note_error(lua_State *L) {
  struct engine *engine = engine_of(L);
  const char *message = lua_tostring(L, 1);
  struct spot spot = nowhere;
  if (!message) message = lua_pushfstring(L, "the error is a %s, not a text", luaL_typename(L, 1));
  without_spot(message, &spot);
  if (engine->spot.source < 0) engine->spot = spot.source < 0 ? spot_of(L, 1) : spot;
  lua_pushstring(L, message);
  return 1;
}

/* fail(message): an error at the line that calls it; error(message, 2): at the line that called the function it stands in. */
static int fail(lua_State *L) {
  engine_of(L)->spot = spot_of(L, (int)luaL_optinteger(L, 2, 1));
  lua_settop(L, 1);
  return lua_error(L);
}

/* ---- bounds ------------------------------------------------------------------------------------------------------- */

static void *allocate(void *user, void *old, size_t old_size, size_t size) {
  struct engine *engine = user;
  const size_t before = old ? old_size : 0;
  if (size == 0) {
    engine->used -= before;
    free(old);
    return NULL;
  }
  const bool full = size > before && size - before > ((size_t)MEMORY_MB << 20) - engine->used;
  void *memory = full ? NULL : realloc(old, size);
  if (memory)
    engine->used += size - before;
  else if (engine->lua)
    engine->spot = spot_of(engine->lua, 1); /* Lua collects garbage and tries again: this may not be the end */
  return memory;
}

static void count_steps(lua_State *L, lua_Debug *frame) {
  struct engine *engine = engine_of(L);
  (void)frame;
  if (++engine->steps < MAX_STEPS) return;
  engine->spot = spot_of(L, 1);
  lua_pushfstring(L, "this template runs for ever: more than %d million steps", MAX_STEPS * (STEPS_AT_ONCE / 1000000));
  lua_error(L);
}

/* An error outside of a run: filling a table that exceeds the bound of memory. */
static int panic(lua_State *L) {
  const char *message = lua_tostring(L, -1);
  fprintf(stderr, "convsmith: error: %s\n", message ? message : "an error in Lua");
  exit(2);
}

/* ---- files -------------------------------------------------------------------------------------------------------- */

static int find_source(lua_State *L, const char *name) {
  const char *error;
  const int index = source_find(&engine_of(L)->sources, name, &error);
  return index >= 0 ? index : luaL_error(L, "%s", error);
}

/* builtin(name): the text of a file. */
static int builtin_text(lua_State *L) {
  const int index = find_source(L, luaL_checkstring(L, 1));
  const struct source *source = &engine_of(L)->sources.items[index];
  lua_pushlstring(L, source->data, source->size);
  return 1;
}

static bool is_lua(const char *name) {
  const size_t length = strlen(name);
  return length > 4 && strcmp(name + length - 4, ".lua") == 0;
}

/* Translates a template and pushes its text as Lua. */
static void push_translated(lua_State *L, int index) {
  struct engine *engine = engine_of(L);
  const struct source *source = &engine->sources.items[index];
  int line;
  engine->line.size = 0;
  const char *error = template_compile(source->data, source->size, &engine->line, &line);
  if (error) {
    engine->spot = (struct spot){index, line};
    luaL_error(L, "%s", error);
  }
  lua_pushlstring(L, engine->line.data, engine->line.size);
}

/* Pushes the function of a source, its globals those of this run. */
static void push_chunk(lua_State *L, int index) {
  const struct source *source = &engine_of(L)->sources.items[index];
  if (is_lua(source->name))
    lua_pushlstring(L, source->data, source->size);
  else
    push_translated(L, index);
  size_t size;
  const char *text = lua_tolstring(L, -1, &size);
  if (luaL_loadbufferx(L, text, size, lua_pushfstring(L, "=#%d", index), "t") != LUA_OK) {
    without_spot(lua_tostring(L, -1), &engine_of(L)->spot);
    lua_error(L);
  }
  lua_rawgetp(L, LUA_REGISTRYINDEX, &environment_key);
  lua_setupvalue(L, -2, 1);
}

/* Runs the source and pushes what it returns. */
static void run_source(lua_State *L, int index) {
  push_chunk(L, index);
  lua_pushcfunction(L, print_line);
  lua_call(L, 1, 1);
}

/* import(file): what it returns; run once. The registry's table holds {value} for what was run and `true` for what runs now. */
static int import(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  lua_settop(L, 1);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &imported_key);
  const int type = lua_getfield(L, 2, name);
  if (type == LUA_TBOOLEAN) return luaL_error(L, "'%s' imports itself", name);
  if (type == LUA_TTABLE) {
    lua_rawgeti(L, -1, 1);
    return 1;
  }
  lua_pushboolean(L, 1);
  lua_setfield(L, 2, name);
  run_source(L, find_source(L, name));
  lua_createtable(L, 1, 0);
  lua_pushvalue(L, -2);
  lua_rawseti(L, -2, 1);
  lua_setfield(L, 2, name);
  return 1;
}

/* ---- runs --------------------------------------------------------------------------------------------------------- */

static int refuse_global(lua_State *L) {
  return luaL_error(L, "cannot set '%s': globals are read-only, write 'local %s'", lua_tostring(L, 2), lua_tostring(L, 2));
}

static int undefined_name(lua_State *L) {
  return luaL_error(L, "undefined name '%s'", lua_tostring(L, 2));
}

/* Gives the table on top of the stack a metatable whose `event` is the value below it; pops that value. */
static void set_metamethod(lua_State *L, const char *event) {
  if (!lua_getmetatable(L, -1)) lua_newtable(L);
  lua_pushvalue(L, -3);
  lua_setfield(L, -2, event);
  lua_setmetatable(L, -2);
  lua_remove(L, -2);
}

/* Makes the globals of a run: the fields of the table at `fields` (or none), behind them the sandbox's functions, behind them an
 * error. */
static void set_environment(lua_State *L, int fields) {
  if (lua_isnil(L, fields)) {
    lua_newtable(L);
    frozen_push(L, -1);
  } else {
    frozen_push(L, fields);
  }
  lua_pushcfunction(L, refuse_global);
  lua_insert(L, -2);
  set_metamethod(L, "__newindex");
  lua_rawgetp(L, LUA_REGISTRYINDEX, &functions_key);
  frozen_content(L, -2);
  lua_newtable(L);
  lua_setmetatable(L, -2);
  set_metamethod(L, "__index");
  lua_pop(L, 1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &environment_key);
}

/* Runs file (2) with fields (1). */
static int run(lua_State *L) {
  set_environment(L, 1);
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &imported_key);
  lua_pushcfunction(L, import);
  lua_pushvalue(L, 2);
  lua_call(L, 1, 1);
  return 1;
}

/* Takes the fields from the top of the stack and runs `file`; leaves its value, or nothing on failure. */
static bool run_protected(struct engine *engine, const char *file, struct text *out) {
  lua_State *L = engine->lua;
  engine->spot = nowhere;
  engine->steps = 0;
  lua_sethook(L, count_steps, LUA_MASKCOUNT, STEPS_AT_ONCE);
  engine->captures = 0;
  engine->captured.size = 0;
  engine->indent = (struct indent){.blank = false};
  engine->out = out;
  engine->out_start = out ? out->size : 0;
  lua_pushcfunction(L, note_error);
  lua_insert(L, -2);
  lua_pushcfunction(L, run);
  lua_insert(L, -2);
  lua_pushstring(L, file);
  const int status = lua_pcall(L, 2, 1, -4);
  lua_remove(L, -2);
  if (status == LUA_OK) return true;
  set_error(engine,
            status == LUA_ERRMEM ? mem_text("out of memory: templates use more than %d MB", MEMORY_MB) : lua_tostring(L, -1));
  lua_pop(L, 1);
  return false;
}

bool engine_load(struct engine *engine, const char *file) {
  lua_pushnil(engine->lua);
  return run_protected(engine, file, NULL);
}

bool engine_expand(struct engine *engine, const char *file, struct text *out) {
  const size_t start = out->size;
  const bool done = run_protected(engine, file, out);
  if (done)
    lua_pop(engine->lua, 1);
  else
    out->size = start;
  return done;
}

/* ---- the rest of the interface ------------------------------------------------------------------------------------ */

static int open_sandbox(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"import", import}, {"builtin", builtin_text}, {"emit", print_emit}, {"emit_raw", print_raw}, {"capture", print_capture},
      {"fail", fail},     {"error", fail},           {NULL, NULL}};
  sandbox_push(L);
  luaL_setfuncs(L, functions, 0);
  lua_pushcfunction(L, undefined_name);
  lua_insert(L, -2);
  set_metamethod(L, "__index");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &functions_key);
  return 0;
}

struct engine *engine_new(const char *const *paths, size_t count) {
  struct engine *engine = source_must(calloc(1, sizeof *engine));
  source_open(&engine->sources, paths, count);
  engine->lua = source_must(lua_newstate(allocate, engine));
  lua_atpanic(engine->lua, panic);
  *(struct engine **)lua_getextraspace(engine->lua) = engine;
  lua_pushcfunction(engine->lua, open_sandbox);
  lua_call(engine->lua, 0, 0);
  return engine;
}

void engine_free(struct engine *engine) {
  lua_close(engine->lua);
  source_close(&engine->sources);
  text_free(&engine->error);
  text_free(&engine->line);
  text_free(&engine->captured);
  free(engine);
}

lua_State *engine_lua(struct engine *engine) {
  return engine->lua;
}

const char *engine_error(const struct engine *engine) {
  return engine->error.data ? engine->error.data : "";
}

const char *const *engine_list(struct engine *engine, const char *folder, const char *suffix) {
  return source_list(&engine->sources, folder, suffix);
}

const char *const *engine_files(struct engine *engine) {
  return source_files(&engine->sources);
}
