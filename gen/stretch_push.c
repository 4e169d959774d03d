/* A pool of planes as stretches, as the Lua table that templates/stretch.t loops over. */
#include "direct.h"
#include "mem.h"
#include "signature.h"
#include "stretch.h"

static void push_places(lua_State *L, const struct stretch_column *column, int64_t lanes) {
  lua_createtable(L, (int)column->place_count, 0);
  for (int64_t i = 0; i < column->place_count; i++) {
    const struct stretch_place *place = &column->places[i];
    lua_createtable(L, 0, 4);
    set_integer(L, "at", place->at);
    set_integer(L, "from", place->from);
    set_integer(L, "to", place->to);
    set_bool(L, "lanes", false);
    if (place->lanes) push_integers(L, "lanes", place->lanes, lanes);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "places");
}

static void push_columns(lua_State *L, const struct stretch_tile *tile) {
  lua_createtable(L, (int)tile->column_count, 0);
  for (int64_t i = 0; i < tile->column_count; i++) {
    lua_createtable(L, 0, 3);
    set_integer(L, "at", tile->columns[i].at);
    set_integer(L, "live", tile->columns[i].live);
    push_places(L, &tile->columns[i], tile->network.lanes);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "columns");
}

static void push_outputs(lua_State *L, const struct stretch_tile *tile) {
  lua_createtable(L, (int)tile->column_count, 0);
  for (int64_t i = 0; i < tile->column_count; i++) {
    lua_createtable(L, 0, 2);
    push_integers(L, "values", tile->outputs[i].values, tile->outputs[i].value_count);
    push_integers(L, "divisors", tile->outputs[i].divisors, tile->outputs[i].divisor_count);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "outputs");
}

static void push_tiles(lua_State *L, const struct stretch *stretch) {
  lua_createtable(L, stretch->tile_count, 0);
  for (int i = 0; i < stretch->tile_count; i++) {
    lua_createtable(L, 0, 3);
    push_columns(L, &stretch->tiles[i]);
    push_outputs(L, &stretch->tiles[i]);
    network_push(L, &stretch->tiles[i].network);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "tiles");
}

/* Tiles are the units that parts share; the last may have fewer planes. */
static void push_units(lua_State *L, const struct stretch *stretch) {
  const int64_t step = stretch->planes * stretch->plane;
  const struct unit tiles = {.count = stretch->whole + (stretch->rest > 0), .x = step, .y = step};
  lua_createtable(L, 1, 0);
  push_unit(L, "tile", &tiles);
  lua_setfield(L, -2, "units");
  set_integer(L, "whole", stretch->whole);
}

void stretch_push(lua_State *L, const struct stretch *stretch) {
  const struct problem *problem = stretch->problem;
  lua_createtable(L, 0, 28);
  set_text(L, "form", "stretch");
  set_bool(L, "shared", false);
  set_bool(L, "gathered", false);
  set_bool(L, "zero_weights", false);
  set_integer(L, "chunks", 1);
  set_integer(L, "w_size", 0);
  set_integer(L, "b_size", 0);
  set_integer(L, "x_first", problem->x_first);
  set_integer(L, "y_first", problem->y_first);
  set_integer(L, "x_lane", 1);
  set_integer(L, "y_lane", 1);
  set_bool(L, "mean", problem->mean);
  set_bool(L, "watched", stretch_watched(problem));
  lua_newtable(L);
  lua_setfield(L, -2, "axes");
  kernel_push_epilogue(L, problem);
  push_units(L, stretch);
  push_boxes(L, NULL, 0);
  push_tiles(L, stretch);
}
