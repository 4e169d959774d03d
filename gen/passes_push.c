/* Pools in two passes as the Lua table that templates/pool_passes.t loops over. */
#include "direct.h"
#include "passes.h"
#include "signature.h"

/* steps: of the values behind the places. */
static void push_stretch(lua_State *L, const struct pass_stretch *stretch) {
  lua_createtable(L, 0, 4);
  set_integer(L, "places", stretch->places);
  push_integers(L, "outputs", stretch->outputs, stretch->output_count);
  push_integers(L, "shares", stretch->shares, stretch->output_count);
  lua_createtable(L, (int)(stretch->value_count - stretch->places), 0);
  for (int64_t i = stretch->places; i < stretch->value_count; i++) {
    lua_createtable(L, 0, 2);
    set_integer(L, "a", stretch->values[i].a);
    set_integer(L, "b", stretch->values[i].b);
    lua_rawseti(L, -2, i - stretch->places + 1);
  }
  lua_setfield(L, -2, "steps");
}

static void push_pass_run(lua_State *L, const struct pass_run *run) {
  lua_createtable(L, 0, 6);
  set_integer(L, "stretch", run->stretch);
  set_integer(L, "count", run->count);
  set_integer(L, "place", run->place);
  set_integer(L, "output", run->output);
  set_integer(L, "place_step", run->place_step);
  set_integer(L, "output_step", run->output_step);
}

static void push_pass(lua_State *L, const char *name, const struct pass *pass) {
  lua_createtable(L, 0, 14);
  set_axis(L, pass->axis);
  push_integers(L, "shares", pass->shares, pass->share_count);
  push_integers(L, "share_of", pass->share_of, pass->axis->out);
  lua_createtable(L, (int)pass->stretch_count, 0);
  for (int64_t i = 0; i < pass->stretch_count; i++) {
    push_stretch(L, &pass->stretches[i]);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "stretches");
  lua_createtable(L, (int)pass->run_count, 0);
  for (int64_t i = 0; i < pass->run_count; i++) {
    push_pass_run(L, &pass->runs[i]);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "runs");
  lua_setfield(L, -2, name);
}

void passes_push(lua_State *L, const struct passes *passes) {
  lua_createtable(L, 0, 36);
  pooling_push_base(L, &passes->base);
  set_bool(L, "scratch", true);
  set_integer(L, "channels", passes->channels);
  set_integer(L, "last_channels", passes->last);
  set_integer(L, "channel_chunks", passes->chunks);
  push_pass(L, "along_rows", &passes->rows);
  push_pass(L, "along_columns", &passes->columns);
}
