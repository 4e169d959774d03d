/* A transform as the Lua table that templates/fft.t loops over: the same numbers under the same names. */
#include "direct.h"
#include "fft.h"
#include "mem.h"
#include "signature.h"

/* ---- constants ---------------------------------------------------------------------------------------------------------- */

/* Of a whole turn in `points` steps. */
static void push_cosines(lua_State *L, int64_t points) {
  lua_createtable(L, (int)points, 0);
  for (int64_t i = 0; i < points; i++) {
    lua_pushnumber(L, fft_cosine(i, points));
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "cosines");
}

/* ---- passes ------------------------------------------------------------------------------------------------------------- */

static void push_pass(lua_State *L, const struct fft_pass *pass) {
  lua_createtable(L, 0, 9);
  set_integer(L, "points", pass->points);
  set_integer(L, "count", pass->count);
  set_integer(L, "live", pass->live);
  set_integer(L, "kept", pass->kept);
  set_integer(L, "from_step", pass->from_step);
  set_integer(L, "from_next", pass->from_next);
  set_integer(L, "to_step", pass->to_step);
  set_integer(L, "to_next", pass->to_next);
  set_bool(L, "twiddled", pass->twiddled);
  set_integer(L, "twiddle_step", pass->twiddle_step);
  set_integer(L, "twiddle_next", pass->twiddle_next);
}

static void push_passes(lua_State *L, const char *key, const struct fft_pass *passes, int count) {
  lua_createtable(L, count, 0);
  for (int p = 0; p < count; p++) {
    push_pass(L, &passes[p]);
    lua_rawseti(L, -2, p + 1);
  }
  lua_setfield(L, -2, key);
}

static void push_axis(lua_State *L, const struct fft_axis *axis, bool mapped_mode) {
  const struct axis *own = &axis->axis;
  lua_createtable(L, 0, 20);
  set_axis(L, own);
  set_integer(L, "w", own->w_step);
  set_bool(L, "trimmed", axis_trimmed(own));
  set_bool(L, "mapped", axis_trimmed(own) && mapped_mode);
  set_integer(L, "points", axis->points);
  set_integer(L, "used", axis->used);
  set_integer(L, "gap", axis->gap);
  set_integer(L, "outputs", axis->outputs);
  set_integer(L, "pair", axis->pair);
  set_integer(L, "tiles", axis->tiles);
  set_integer(L, "first", axis->factor[0]);
  set_integer(L, "second", axis->factor[1]);
  push_passes(L, "forward", axis->forward, axis->passes);
  push_passes(L, "inverse", axis->inverse, axis->passes);
}

static void push_axes(lua_State *L, const struct fft *fft) {
  lua_createtable(L, FFT_AXES, 0);
  for (int a = 0; a < FFT_AXES; a++) {
    push_axis(L, &fft->axis[a], fft->problem->pad_mode != CS_ZEROS);
    lua_rawseti(L, -2, a + 1);
  }
  lua_setfield(L, -2, "axes");
}

/* ---- units -------------------------------------------------------------------------------------------------------------- */

/* Do the groups' first outputs come before their second ones in bias and slope? */
static bool by_outputs(const struct problem *problem) {
  return problem->in_channels == 1 && problem->groups > 1;
}

/* Outermost first; what a step of each adds to x, w, b and y. */
static void push_units(lua_State *L, const struct fft *fft) {
  const struct problem *problem = fft->problem;
  const int64_t b_group = by_outputs(problem) ? 1 : problem->out_channels;
  lua_newtable(L);
  if (fft->choice.lanes == FFT_GROUPS) {
    push_unit(L, "image", &(struct unit){.count = problem->batch, .x = problem->x_batch, .y = problem->y_batch});
    push_unit(L, "bundle",
              &(struct unit){.count = fft->bundles,
                             .x = fft->lanes * problem->x_group,
                             .w = fft->w_group,
                             .b = fft->lanes,
                             .y = fft->lanes * problem->y_group});
  } else {
    push_unit(
        L, "group",
        &(struct unit){.count = problem->groups, .x = problem->x_group, .w = fft->w_group, .b = b_group, .y = problem->y_group});
    push_unit(L, "bundle", &(struct unit){.count = fft->bundles});
  }
  lua_setfield(L, -2, "units");
}

static void push_steps(lua_State *L, const struct fft *fft) {
  const struct problem *problem = fft->problem;
  set_integer(L, "x_image", problem->x_batch);
  set_integer(L, "y_image", problem->y_batch);
  set_integer(L, "x_group", problem->x_group);
  set_integer(L, "y_group", problem->y_group);
  set_integer(L, "x_channel", problem->x_channel);
  set_integer(L, "y_channel", problem->y_channel);
  set_integer(L, "w_first", problem->w_first);
  set_integer(L, "w_from_group", problem->w_group);
  set_integer(L, "w_from_out", problem->w_out);
  set_integer(L, "w_from_in", problem->w_in);
  set_integer(L, "w_lane", fft->w_lane);
  set_integer(L, "w_column", fft->w_column);
  set_integer(L, "w_out", fft->w_out);
  set_integer(L, "w_group", fft->w_group);
  set_integer(L, "b_group", by_outputs(problem) ? 1 : problem->out_channels);
  set_integer(L, "b_out", by_outputs(problem) ? problem->groups : 1);
}

static void push_sizes(lua_State *L, const struct fft *fft) {
  set_integer(L, "batch", fft->problem->batch);
  set_integer(L, "groups", fft->problem->groups);
  set_integer(L, "in_channels", fft->problem->in_channels);
  set_integer(L, "out_channels", fft->problem->out_channels);
  set_integer(L, "bundles", fft->bundles);
  set_integer(L, "last", fft->last);
  set_integer(L, "step", fft->step);
  set_integer(L, "line", fft->line);
  set_integer(L, "pitch", fft->pitch);
  set_integer(L, "plane", fft->plane);
  set_integer(L, "columns", fft->columns);
  set_integer(L, "column", fft->column);
  set_integer(L, "w_size", fft->w_size);
  set_integer(L, "b_size", fft->b_size);
}

/* What other templates ask of every kernel. */
static void push_common(lua_State *L, const struct fft *fft) {
  set_text(L, "form", "fft");
  set_text(L, "padding_mode", pad_mode_name(fft->problem->pad_mode));
  set_bool(L, "shared", false);
  set_bool(L, "gathered", false);
  set_bool(L, "zero_weights", false);
  set_bool(L, "scratch", true);
  set_integer(L, "chunks", 1);
  set_integer(L, "x_lane", 1);
  set_integer(L, "y_lane", 1);
  set_integer(L, "x_first", fft->problem->x_first);
  set_integer(L, "y_first", fft->problem->y_first);
  set_integer(L, "baked_w", 0);
  set_integer(L, "baked_b", 0);
  kernel_push_epilogue(L, fft->problem);
}

void fft_push(lua_State *L, const struct fft *fft) {
  const int64_t tall = fft->axis[FFT_TALL].points, row = fft->axis[FFT_ROW].points;
  lua_createtable(L, 0, 60);
  push_common(L, fft);
  set_bool(L, "over_groups", fft->choice.lanes == FFT_GROUPS);
  set_bool(L, "scattered", fft->scattered);
  set_bool(L, "fused", fft->fused);
  push_sizes(L, fft);
  push_steps(L, fft);
  push_axes(L, fft);
  push_units(L, fft);
  push_cosines(L, tall > row ? tall : row);
}
