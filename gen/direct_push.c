/* A design as the Lua table that templates/direct.t loops over: the same numbers under the same names, nothing computed here. */
#include "direct.h"
#include "mem.h"
#include "signature.h"
#include <string.h>

void push_integers(lua_State *L, const char *key, const int64_t *values, int64_t count) {
  lua_createtable(L, (int)count, 0);
  for (int64_t i = 0; i < count; i++) {
    lua_pushinteger(L, values[i]);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, key);
}

void design_push_axes(lua_State *L, const struct design *design, int outer, int64_t below) {
  lua_createtable(L, outer, 0);
  for (int a = outer - 1; a >= 0; a--) {
    const struct axis *axis = &design->axis[a];
    lua_createtable(L, 0, 10);
    set_axis(L, axis);
    set_integer(L, "below", below);
    set_bool(L, "trimmed", axis_trimmed(axis));
    set_bool(L, "mapped", axis_trimmed(axis) && design->problem.pad_mode != CS_ZEROS);
    lua_rawseti(L, -2, a + 1);
    below *= axis->out;
  }
  lua_setfield(L, -2, "axes");
}

static void push_span(lua_State *L, const struct span *span) {
  lua_createtable(L, 0, 13);
  set_integer(L, "first", span->first);
  set_integer(L, "count", span->count);
  push_integers(L, "x", span->x, span->count);
  set_integer(L, "w", span->w);
  set_integer(L, "loop", span->loop);
  set_integer(L, "loop_x", span->loop_x);
  set_integer(L, "loop_w", span->loop_w);
  set_integer(L, "trips", span->trips);
  set_integer(L, "unroll", span->unroll);
  set_integer(L, "rest", span->rest);
  set_integer(L, "part", span->part);
  set_integer(L, "step_x", span->step_x);
  set_integer(L, "step_w", span->step_w);
}

static void push_tile(lua_State *L, const struct design *design, const struct tile *tile) {
  const int outer = design->rank - 1;
  lua_createtable(L, 0, 12);
  set_integer(L, "rows", tile->rows);
  set_integer(L, "vectors", tile->vectors);
  set_integer(L, "last", tile->last);
  set_bool(L, "places", tile_places(design, tile));
  set_integer(L, "w_ahead", tile->w_ahead);
  set_integer(L, "x_ahead", tile->x_ahead);
  set_integer(L, "x_from", tile->x_from);
  set_integer(L, "x_panel", tile->x_panel);
  push_integers(L, "loop_w", tile->loop_w, outer);
  lua_createtable(L, (int)tile->span_count, 0);
  for (size_t i = 0; i < tile->span_count; i++) {
    push_span(L, &tile->spans[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "spans");
}

static void push_tiles(lua_State *L, const struct design *design) {
  lua_createtable(L, (int)design->tile_count, 0);
  for (size_t i = 0; i < design->tile_count; i++) {
    push_tile(L, design, &design->tiles[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "tiles");
}

void push_run(lua_State *L, const struct run *run) {
  lua_createtable(L, 0, 7);
  set_integer(L, "tile", run->tile);
  set_integer(L, "count", run->count);
  set_integer(L, "first", run->first);
  set_integer(L, "x", run->x);
  set_integer(L, "y", run->y);
  set_integer(L, "x_step", run->x_step);
  set_integer(L, "y_step", run->y_step);
}

static void push_case(lua_State *L, const struct part_case *rows, int outer) {
  lua_createtable(L, 0, 5);
  push_integers(L, "from", rows->from, outer);
  push_integers(L, "to", rows->to, outer);
  set_integer(L, "x", rows->x);
  set_bool(L, "live", rows->live);
  lua_createtable(L, (int)rows->run_count, 0);
  for (size_t i = 0; i < rows->run_count; i++) {
    push_run(L, &rows->runs[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "runs");
}

static void push_block(lua_State *L, const struct design *design, const struct block *block) {
  lua_createtable(L, 0, 16);
  set_integer(L, "from", block->from);
  set_integer(L, "count", block->count);
  set_integer(L, "x", block->x);
  set_integer(L, "x_step", block->x_step);
  set_integer(L, "w", block->w);
  set_integer(L, "w_step", block->w_step);
  set_integer(L, "chunk_w", block->chunk_w);
  set_integer(L, "tiles", block->tiles);
  set_integer(L, "share", block->share);
  set_integer(L, "fetched", block->fetched);
  set_integer(L, "b", block->b);
  set_integer(L, "b_step", block->b_step);
  set_integer(L, "y", block->y);
  set_integer(L, "y_step", block->y_step);
  set_integer(L, "work", design->choice.form == FORM_PIXELS ? block->rows : block->vectors);
  lua_createtable(L, (int)block->case_count, 0);
  for (size_t i = 0; i < block->case_count; i++) {
    push_case(L, &block->cases[i], design->rank - 1);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "cases");
}

static void push_blocks(lua_State *L, const struct design *design) {
  lua_createtable(L, (int)design->block_count, 0);
  for (size_t i = 0; i < design->block_count; i++) {
    push_block(L, design, &design->blocks[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "blocks");
}

static void push_box(lua_State *L, const struct box *box) {
  lua_createtable(L, 0, 5);
  if (box->from)
    set_text(L, "from", box->from);
  else
    set_bool(L, "from", false);
  set_integer(L, "src", box->src);
  set_integer(L, "dst", box->dst);
  set_integer(L, "turn", box->turn);
  lua_createtable(L, box->loop_count, 0);
  for (int i = 0; i < box->loop_count; i++) {
    lua_createtable(L, 0, 3);
    set_integer(L, "count", box->loops[i].count);
    set_integer(L, "src", box->loops[i].src);
    set_integer(L, "dst", box->loops[i].dst);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "loops");
}

void kernel_push_epilogue(lua_State *L, const struct problem *problem) {
  const bool single = problem->dtype != CS_F64;
  set_bool(L, "bias", problem->bias);
  set_bool(L, "residual", problem->residual);
  set_bool(L, "baked_weights", problem->baked_weights != NULL);
  set_bool(L, "baked_bias", problem->baked_bias);
  lua_createtable(L, 0, 3);
  set_text(L, "name", activation_name(problem->activation));
  for (int i = 0; i < 2; i++) {
    const char *value = mem_text(single ? "%.9g" : "%.17g", single ? (double)(float)problem->act[i] : problem->act[i]);
    set_text(L, i ? "b" : "a", strpbrk(value, ".e") ? value : mem_text("%s.0", value));
  }
  lua_setfield(L, -2, "activation");
}

/* Where the kernel begins in input, output and the layer's baked arrays, whether its weights are an input, what its input and
 * output hold at a time, and the rest of what it computes. */
void design_push_firsts(lua_State *L, const struct design *design) {
  set_integer(L, "x_first", design->problem.x_first);
  set_integer(L, "y_first", design->problem.y_first);
  set_integer(L, "baked_w", design->baked_w);
  set_integer(L, "baked_b", design->baked_b);
  set_bool(L, "gathered", design->problem.gathered);
  set_integer(L, "x_rows", design->problem.x_rows);
  set_integer(L, "y_rows", design->problem.y_rows);
  kernel_push_epilogue(L, &design->problem);
}

void push_boxes(lua_State *L, const struct box *boxes, size_t count) {
  lua_createtable(L, (int)count, 0);
  for (size_t i = 0; i < count; i++) {
    push_box(L, &boxes[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "boxes");
}

void push_unit(lua_State *L, const char *name, const struct unit *unit) {
  lua_createtable(L, 0, 6);
  set_text(L, "name", name);
  set_integer(L, "count", unit->count);
  set_integer(L, "x", unit->x);
  set_integer(L, "w", unit->w);
  set_integer(L, "b", unit->b);
  set_integer(L, "y", unit->y);
  lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

void design_push_units(lua_State *L, const struct design *design) {
  lua_newtable(L);
  push_unit(L, "image", &design->batch);
  for (int i = 0; i < design->problem.phases; i++) push_unit(L, mem_text("phase%d", i), &design->phase[i]);
  push_unit(L, "group", &design->group);
  push_unit(L, "member", &design->multiplier);
  lua_setfield(L, -2, "units");
}

static void push_steps(lua_State *L, const struct design *design) {
  set_integer(L, "x_vector", design->x_vector);
  set_integer(L, "x_lane", design->x_lane);
  set_integer(L, "w_row", design->w_row);
  set_integer(L, "w_vector", design->w_vector);
  set_integer(L, "b_row", design->b_row);
  set_integer(L, "b_vector", design->b_vector);
  set_integer(L, "y_row", design->y_row);
  set_integer(L, "y_vector", design->y_vector);
  set_integer(L, "y_lane", design->y_lane);
}

void design_push(lua_State *L, const struct design *design) {
  lua_createtable(L, 0, 32);
  set_text(L, "form", form_name(design->choice.form));
  set_text(L, "padding_mode", pad_mode_name(design->problem.pad_mode));
  set_bool(L, "shared", design->shared);
  set_bool(L, "full", design->choice.full);
  set_bool(L, "w_exact", design->w_exact);
  set_bool(L, "zero_weights", design->tests_zeros);
  set_bool(L, "ahead_w", design->choice.ahead_w || design->in_trips);
  set_bool(L, "fetches", design->fetches);
  set_bool(L, "in_trips", design->in_trips);
  set_integer(L, "chunks", design->chunks);
  set_integer(L, "chunk_x", design->problem.in_channels * design->problem.x_channel);
  set_integer(L, "w_size", design->w_size);
  set_integer(L, "b_size", design->b_size);
  design_push_axes(L, design, design->rank - 1, 1);
  push_steps(L, design);
  push_tiles(L, design);
  push_blocks(L, design);
  design_push_units(L, design);
  design_push_firsts(L, design);
  design_push_strip(L, design);
  design_push_places(L, design);
  set_integer(L, "channel_blocks", design->channel_blocks);
  set_integer(L, "rows", design->rows);
  set_bool(L, "by_tile", design->rank == 1);
  set_integer(L, "band", design->choice.band);
  push_boxes(L, design->boxes, design->box_count);
}
