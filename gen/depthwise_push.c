/* A depthwise kernel as the Lua table that templates/depthwise.t loops over: the same numbers under the same names. */
#include "depthwise.h"
#include "mem.h"
#include "signature.h"

static void push_mac(lua_State *L, const struct patch_mac *mac) {
  lua_createtable(L, 0, 5);
  set_integer(L, "row", mac->row);
  set_integer(L, "column", mac->column);
  set_integer(L, "x", mac->x);
  set_integer(L, "tap", mac->tap);
  set_bool(L, "part", mac->part);
}

static void push_step(lua_State *L, const struct patch_step *step) {
  lua_createtable(L, 0, 3);
  push_integers(L, "loads", step->loads, (int)step->load_count);
  if (step->tap < 0)
    set_bool(L, "tap", false);
  else
    set_integer(L, "tap", step->tap);
  lua_createtable(L, (int)step->mac_count, 0);
  for (size_t i = 0; i < step->mac_count; i++) {
    push_mac(L, &step->macs[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "macs");
}

static void push_line(lua_State *L, const struct patch_line *line) {
  lua_createtable(L, 0, 4);
  set_integer(L, "at", line->at);
  set_bool(L, "above", line->above);
  set_bool(L, "below", line->below);
  lua_createtable(L, (int)line->step_count, 0);
  for (size_t i = 0; i < line->step_count; i++) {
    push_step(L, &line->steps[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "steps");
}

static void push_inputs(lua_State *L, const struct patch *patch) {
  lua_createtable(L, (int)patch->input_count, 0);
  for (int64_t i = 0; i < patch->input_count; i++) {
    lua_createtable(L, 0, 3);
    set_integer(L, "element", patch->inputs[i].element);
    set_integer(L, "from", patch->inputs[i].from);
    set_integer(L, "to", patch->inputs[i].to);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "inputs");
}

static void push_patch(lua_State *L, const struct patch *patch) {
  lua_createtable(L, 0, 5);
  set_integer(L, "rows", patch->rows);
  set_integer(L, "vectors", patch->columns);
  set_integer(L, "last", patch->last);
  push_inputs(L, patch);
  lua_createtable(L, (int)patch->line_count, 0);
  for (size_t i = 0; i < patch->line_count; i++) {
    push_line(L, &patch->lines[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "lines");
}

static void push_patches(lua_State *L, const struct depthwise *depthwise) {
  lua_createtable(L, (int)depthwise->patch_count, 0);
  for (size_t i = 0; i < depthwise->patch_count; i++) {
    push_patch(L, &depthwise->patches[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "patches");
}

static void push_strips(lua_State *L, const struct depthwise *depthwise) {
  lua_createtable(L, (int)depthwise->strips_count, 0);
  for (size_t i = 0; i < depthwise->strips_count; i++) {
    const struct strips *strips = &depthwise->strips[i];
    lua_createtable(L, 0, 3);
    set_integer(L, "to", strips->to);
    set_integer(L, "rows", strips->rows);
    lua_createtable(L, (int)strips->run_count, 0);
    for (size_t r = 0; r < strips->run_count; r++) {
      push_run(L, &strips->runs[r]);
      lua_rawseti(L, -2, (lua_Integer)r + 1);
    }
    lua_setfield(L, -2, "runs");
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "strips");
}

/* The axis of a patch's rows. */
static void push_tall(lua_State *L, const struct depthwise *depthwise) {
  const struct axis *tall = &depthwise->tall;
  lua_createtable(L, 0, 8);
  set_integer(L, "strips", depthwise->strip_count);
  set_integer(L, "input", tall->in);
  set_integer(L, "stride", tall->stride);
  set_integer(L, "pad", tall->pad);
  set_integer(L, "x", tall->x_step);
  set_integer(L, "y", tall->y_step);
  set_bool(L, "mapped", axis_trimmed(tall) && depthwise->base.problem.pad_mode != CS_ZEROS);
  lua_setfield(L, -2, "tall");
}

/* Distances: between taps, between outputs of a patch, and to the next vector of channels. */
static void push_steps(lua_State *L, const struct depthwise *depthwise) {
  const struct design *base = &depthwise->base;
  const struct block *block = &base->blocks[0];
  const int64_t tap = base->problem.in_channels * block->panel, taps = depthwise->row.kernel * depthwise->tall.kernel;
  int64_t loop_w[MAX_AXES], step = taps * tap;
  for (int a = depthwise->outer - 1; a >= 0; a--) {
    loop_w[a] = step;
    step *= base->axis[a].kernel;
  }
  push_integers(L, "loop_w", loop_w, depthwise->outer);
  set_integer(L, "w_tap", tap);
  set_integer(L, "w_channel", block->panel);
  set_integer(L, "taps", taps);
  set_integer(L, "x_column", depthwise->row.x_step);
  set_integer(L, "x_lane", base->x_lane);
  set_integer(L, "b_row", 0);
  set_integer(L, "y_row", depthwise->tall.y_step);
  set_integer(L, "y_vector", depthwise->width * depthwise->row.y_step);
  set_integer(L, "y_lane", base->y_lane);
  set_integer(L, "b_vector", 0);
  lua_createtable(L, 0, 6);
  set_integer(L, "x", block->x_step);
  set_integer(L, "w", block->w_step);
  set_integer(L, "b", block->b_step);
  set_integer(L, "s", block->b_step);
  set_integer(L, "r", block->y_step);
  set_integer(L, "y", block->y_step);
  lua_setfield(L, -2, "next");
}

/* The lane of the loaded inputs that each lane takes for input channel k of its group; lanes without an output take any. */
static void push_lanes(lua_State *L, const struct depthwise *depthwise, int64_t k) {
  const struct problem *problem = &depthwise->base.problem;
  lua_createtable(L, (int)depthwise->base.lanes, 0);
  for (int64_t lane = 0; lane < depthwise->base.lanes; lane++) {
    const int64_t group = lane / problem->out_channels;
    lua_pushinteger(L, (group < depthwise->together ? group : 0) * problem->in_channels + k);
    lua_rawseti(L, -2, lane + 1);
  }
}

/* How sums are permuted after each input channel of a group, or false where they stay: each lane takes the next one's. */
static void push_turn(lua_State *L, const struct depthwise *depthwise) {
  const int64_t channels = depthwise->base.problem.out_channels;
  if (!depthwise->choice.turned) {
    set_bool(L, "turn", false);
    return;
  }
  lua_createtable(L, (int)depthwise->base.lanes, 0);
  for (int64_t lane = 0; lane < depthwise->base.lanes; lane++) {
    const int64_t first = lane - lane % channels;
    lua_pushinteger(L, lane < depthwise->together * channels ? first + (lane + 1) % channels : lane);
    lua_rawseti(L, -2, lane + 1);
  }
  lua_setfield(L, -2, "turn");
}

/* For each input channel of a group how inputs are permuted, or false where they stay as they are. */
static void push_spread(lua_State *L, const struct depthwise *depthwise) {
  const struct problem *problem = &depthwise->base.problem;
  if (!depthwise->choice.permuted || depthwise->choice.turned) {
    set_bool(L, "spread", false);
    return;
  }
  lua_createtable(L, (int)problem->in_channels, 0);
  for (int64_t k = 0; k < problem->in_channels; k++) {
    push_lanes(L, depthwise, k);
    lua_rawseti(L, -2, k + 1);
  }
  lua_setfield(L, -2, "spread");
}

void depthwise_push(lua_State *L, const struct depthwise *depthwise) {
  const struct design *base = &depthwise->base;
  lua_createtable(L, 0, 34);
  set_text(L, "form", depthwise->choice.pixels ? form_name(FORM_PIXELS) : "patch");
  set_text(L, "padding_mode", pad_mode_name(base->problem.pad_mode));
  set_bool(L, "shared", false);
  set_bool(L, "full", false);
  set_bool(L, "ahead_w", false);
  set_integer(L, "chunks", 1);
  set_bool(L, "held", depthwise->choice.held);
  set_bool(L, "ahead_y", depthwise->choice.ahead);
  set_bool(L, "w_exact", base->w_exact);
  set_bool(L, "zero_weights", depthwise->tests_zeros);
  set_integer(L, "w_size", base->w_size);
  set_integer(L, "b_size", base->b_size);
  set_integer(L, "whole", depthwise->vectors);
  set_integer(L, "last", depthwise->last);
  set_integer(L, "rows", depthwise->rows);
  set_bool(L, "by_tile", depthwise->by_tile);
  design_push_axes(L, base, depthwise->outer, depthwise->strip_count);
  design_push_units(L, base);
  design_push_firsts(L, base);
  push_boxes(L, base->boxes, base->box_count);
  set_integer(L, "live", depthwise->together * base->problem.out_channels);
  set_integer(L, "in_channels", base->problem.in_channels);
  set_integer(L, "spelled", depthwise->spelled);
  set_integer(L, "out_channels", base->problem.out_channels);
  push_spread(L, depthwise);
  push_turn(L, depthwise);
  push_tall(L, depthwise);
  push_steps(L, depthwise);
  push_patches(L, depthwise);
  push_strips(L, depthwise);
}
