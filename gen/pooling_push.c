/* A pooling kernel as the Lua table that templates/pool.t loops over. */
#include "direct.h"
#include "mem.h"
#include "pooling.h"
#include "signature.h"

static void push_columns(lua_State *L, const struct pool_tile *tile) {
  lua_createtable(L, (int)tile->column_count, 0);
  for (int64_t i = 0; i < tile->column_count; i++) {
    lua_createtable(L, 0, 3);
    set_integer(L, "at", tile->columns[i].at);
    set_integer(L, "live", tile->columns[i].live);
    set_integer(L, "row", tile->columns[i].row);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "columns");
}

static void push_outputs(lua_State *L, const struct pool_tile *tile) {
  lua_createtable(L, (int)tile->output_count, 0);
  for (int64_t i = 0; i < tile->output_count; i++) {
    const struct pool_output *output = &tile->outputs[i];
    lua_createtable(L, 0, 4);
    set_integer(L, "y", output->y);
    set_integer(L, "s", output->s);
    set_integer(L, "live", output->live);
    push_integers(L, "values", output->values, output->value_count);
    push_integers(L, "divisors", output->divisors, output->divisor_count);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "outputs");
}

static void push_tiles(lua_State *L, const struct pooling *pooling) {
  lua_createtable(L, (int)pooling->tile_count, 0);
  for (int64_t i = 0; i < pooling->tile_count; i++) {
    lua_createtable(L, 0, 5);
    push_columns(L, &pooling->tiles[i]);
    set_bool(L, "zero", pooling->tiles[i].zero);
    network_push(L, &pooling->tiles[i].network);
    push_outputs(L, &pooling->tiles[i]);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "tiles");
}

static void push_runs(lua_State *L, const struct pooling *pooling) {
  lua_createtable(L, (int)pooling->run_count, 0);
  for (int64_t i = 0; i < pooling->run_count; i++) {
    const struct pool_run *run = &pooling->runs[i];
    lua_createtable(L, 0, 9);
    set_integer(L, "tile", run->tile);
    set_integer(L, "band", run->band);
    set_integer(L, "count", run->count);
    set_integer(L, "x", run->x);
    set_integer(L, "y", run->y);
    set_integer(L, "s", run->b);
    set_integer(L, "x_step", run->x_step);
    set_integer(L, "y_step", run->y_step);
    set_integer(L, "s_step", run->b_step);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "runs");
}

/* An outer axis; taps, places: of every window, or false where they must be counted. */
static void push_axis(lua_State *L, const struct pooling *pooling, int a) {
  const struct axis *axis = &pooling->axis[a];
  const int64_t most = pooling->problem->adaptive ? axis->in / axis->out : axis->kernel;
  lua_createtable(L, 0, 15);
  set_axis(L, axis);
  set_integer(L, "padded", axis->in + pooling->pad_after[a]);
  set_integer(L, "s", axis->w_step);
  set_bool(L, "taps", false);
  set_bool(L, "places", false);
  set_integer(L, "full", most);
  if (pool_even(pooling, a, false)) set_integer(L, "taps", most);
  if (pool_even(pooling, a, true)) set_integer(L, "places", most);
  set_bool(L, "mapped", false);
}

static void push_axes(lua_State *L, const struct pooling *pooling) {
  lua_createtable(L, pooling->axes - 1, 0);
  for (int a = 0; a < pooling->axes - 1; a++) {
    push_axis(L, pooling, a);
    lua_rawseti(L, -2, a + 1);
  }
  lua_setfield(L, -2, "axes");
}

/* Where the taps behind the first one of a window lie that is whole along the outer axes: none where it is taken in loops. */
static void push_others(lua_State *L, const struct pooling *pooling) {
  const int64_t taps = pool_taps_at_once(pooling, POOL_AT_ONCE);
  lua_createtable(L, (int)taps, 0);
  for (int64_t i = 1; i < taps; i++) {
    lua_pushinteger(L, pool_tap_place(pooling, i));
    lua_rawseti(L, -2, i);
  }
  lua_setfield(L, -2, "others");
}

/* Tall tiles: what columns read, the rows that they make of it, and the blocks of rows; or false. */
static void push_tall(lua_State *L, const struct pooling *pooling) {
  set_bool(L, "row_block", false);
  if (pooling->blocks == 0) return;
  lua_createtable(L, 0, 5);
  push_columns(L, &pooling->tall);
  push_outputs(L, &pooling->tall);
  set_integer(L, "first", pooling->first_block);
  set_integer(L, "blocks", pooling->blocks);
  set_bool(L, "held", pooling->held);
  lua_setfield(L, -2, "row_block");
}

static void push_moves(lua_State *L, const struct pooling *pooling) {
  lua_createtable(L, pooling->moves, 0);
  for (int i = 0; i < pooling->moves; i++) {
    const struct move *move = &pooling->move[i];
    lua_createtable(L, 0, 5);
    set_text(L, "name", mem_text("m%d", i + 1));
    set_integer(L, "count", move->count);
    set_integer(L, "x", move->x);
    set_integer(L, "y", move->y);
    set_integer(L, "s", move->b);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "units");
}

/* Slopes are packed as they are. */
static void push_slopes(lua_State *L, const struct pooling *pooling) {
  const struct problem *problem = pooling->problem;
  const int64_t count = problem->groups * problem->out_channels;
  const struct box slopes = {.from = "slope", .loop_count = 1, .loops = {{count, 1, 1}}};
  push_boxes(L, &slopes, problem->activation == CS_PRELU);
  set_integer(L, "b_size", count);
}

static void push_lanes(lua_State *L, const struct pooling *pooling) {
  set_integer(L, "x_lane", pooling->lanes.x);
  set_integer(L, "y_lane", pooling->lanes.y);
  set_integer(L, "s_lane", pooling->lanes.b);
  set_integer(L, "vectors", pooling->choice.vectors);
  set_integer(L, "whole", pooling->whole);
  set_integer(L, "last", pooling->last);
  set_integer(L, "bands", pooling->bands);
}

void pooling_push_base(lua_State *L, const struct pooling *pooling) {
  set_text(L, "form", "pool");
  set_bool(L, "shared", false);
  set_bool(L, "gathered", false);
  set_bool(L, "zero_weights", false);
  set_integer(L, "chunks", 1);
  set_integer(L, "w_size", 0);
  set_integer(L, "x_first", pooling->problem->x_first);
  set_integer(L, "y_first", pooling->problem->y_first);
  set_bool(L, "mean", pooling->problem->mean);
  kernel_push_epilogue(L, pooling->problem);
  push_lanes(L, pooling);
  push_axes(L, pooling);
  push_moves(L, pooling);
  push_slopes(L, pooling);
}

void pooling_push(lua_State *L, const struct pooling *pooling) {
  lua_createtable(L, 0, 32);
  pooling_push_base(L, pooling);
  set_bool(L, "planes", pooling->choice.planes);
  set_bool(L, "fetches", pooling->fetches);
  set_bool(L, "sweep", pooling->choice.sweep);
  set_bool(L, "adaptive", pooling->problem->adaptive);
  set_bool(L, "count_padding", pooling->problem->count_padding);
  push_integers(L, "divisors", pooling->divisors, pooling->divisor_count);
  push_others(L, pooling);
  push_tall(L, pooling);
  push_tiles(L, pooling);
  push_runs(L, pooling);
}
