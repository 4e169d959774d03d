/* What templates/winograd.t gets: the kernels of the products, then one more, the shell, which has all that is around them: input,
 * output, bias, activation; and the tiles as the list's field `winograd`. */
#include "direct.h"
#include "mem.h"
#include "signature.h"
#include "winograd.h"

/* A parameter [groups][channels] of the layer, to element `at` of what the shell packs. */
static struct box vector_box(const struct problem *problem, const char *from, int64_t at) {
  struct box box = {.from = from, .src = problem->b_first, .dst = at, .loop_count = 2};
  box.loops[0].count = problem->groups;
  box.loops[0].src = problem->b_group;
  box.loops[0].dst = problem->out_channels;
  box.loops[1].count = problem->out_channels;
  box.loops[1].src = problem->b_out;
  box.loops[1].dst = 1;
  return box;
}

static void set_boxes(lua_State *L, struct design *shell) {
  const struct problem *problem = &shell->problem;
  int64_t at = 0;
  shell->boxes = mem_array(2, sizeof *shell->boxes);
  if (problem->bias && !problem->baked_bias) {
    shell->boxes[shell->box_count++] = vector_box(problem, "bias", at);
    at = shell->b_size;
  }
  if (problem->activation == CS_PRELU) shell->boxes[shell->box_count++] = vector_box(problem, "slope", at);
  push_boxes(L, shell->boxes, shell->box_count);
}

static void set_steps(lua_State *L, const struct winograd *winograd) {
  const struct problem *problem = &winograd->problem;
  static const char *const none[] = {"w_size", "b_row", "b_vector", "y_row", "y_vector"};
  for (size_t i = 0; i < sizeof none / sizeof *none; i++) set_integer(L, none[i], 0);
  set_integer(L, "chunks", 1);
  set_integer(L, "b_size", winograd_channels(problem));
  set_integer(L, "x_lane", 1);
  set_integer(L, "y_lane", winograd->strips.y ? 1 : problem->y_channel);
}

/* Outputs are finished as vectors of channels, or from strips as vectors of pixels. */
static void push_shell(lua_State *L, const struct winograd *winograd) {
  const struct problem *problem = &winograd->problem;
  struct design shell = {.problem = *problem, .rank = problem->rank, .b_size = winograd_channels(problem)};
  for (int a = 0; a < problem->rank; a++) shell.axis[a] = problem->axis[a];
  lua_createtable(L, 0, 32);
  set_text(L, "form", winograd->strips.y ? "pixels" : "channels");
  set_text(L, "padding_mode", pad_mode_name(problem->pad_mode));
  set_bool(L, "shared", false);
  set_bool(L, "zero_weights", false);
  design_push_axes(L, &shell, problem->rank, 1);
  design_push_firsts(L, &shell);
  set_steps(L, winograd);
  set_boxes(L, &shell);
}

/* ---- tiles -------------------------------------------------------------------------------------------------------------- */

/* Rows of numbers, or with `text` of literals of double. */
static void set_matrix(lua_State *L, const char *key, const struct rational (*rows)[COOK_TOOM_POINTS], int height, int width,
                       bool text) {
  lua_createtable(L, height, 0);
  for (int i = 0; i < height; i++) {
    lua_createtable(L, width, 0);
    for (int j = 0; j < width; j++) {
      if (text)
        lua_pushstring(L, mem_text("%.17g", rational_value(rows[i][j])));
      else
        lua_pushnumber(L, rational_value(rows[i][j]));
      lua_rawseti(L, -2, j + 1);
    }
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, key);
}

static void push_axis(lua_State *L, const struct winograd *winograd, int a) {
  const struct axis *axis = &winograd->problem.axis[a];
  const struct cook_toom *transform = &winograd->transform[a];
  lua_createtable(L, 0, 20);
  set_axis(L, axis);
  set_bool(L, "mapped", axis_trimmed(axis) && winograd->problem.pad_mode != CS_ZEROS);
  set_integer(L, "w", axis->w_step);
  set_integer(L, "apart", axis->kernel > 1 ? axis->dilation : 1);
  set_integer(L, "m", transform->m);
  set_integer(L, "points", transform->points);
  set_integer(L, "residues", winograd->residues[a]);
  set_integer(L, "tiles", winograd->tiles[a]);
  set_matrix(L, "from_input", transform->input, transform->points, transform->points, false);
  set_matrix(L, "from_kernel", transform->kernel, transform->points, transform->r, true);
  set_matrix(L, "to_output", transform->output, transform->m, transform->points, false);
  lua_rawseti(L, -2, a + 1);
}

static void set_plane(lua_State *L, const char *key, const struct plane *plane) {
  lua_createtable(L, 0, 3);
  set_integer(L, "channels", plane->channels);
  set_integer(L, "tile", plane->tile);
  set_integer(L, "point", plane->point);
  lua_setfield(L, -2, key);
}

void winograd_push_baked(lua_State *L, const struct winograd *winograd) {
  size_t count;
  const struct design *designs = direct_designs(&winograd->products, &count);
  int64_t base = 0, next = 0;
  for (size_t i = 0; i < count; i++) {
    if (!designs[i].shared) {
      base = next;
      next += designs[i].w_size;
    }
    lua_rawgeti(L, -1, (lua_Integer)i + 1);
    set_bool(L, "baked_weights", true);
    set_integer(L, "baked_w", base);
    push_boxes(L, NULL, 0);
    lua_pop(L, 1);
  }
}

void winograd_push(lua_State *L, const struct winograd *winograd) {
  const struct problem *problem = &winograd->problem;
  winograd->products.algorithm->push(L, &winograd->products);
  push_shell(L, winograd);
  lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
  lua_createtable(L, 0, 10);
  lua_createtable(L, problem->rank, 0);
  for (int a = 0; a < problem->rank; a++) push_axis(L, winograd, a);
  lua_setfield(L, -2, "axes");
  set_integer(L, "points", winograd->points);
  set_integer(L, "all", winograd->all);
  set_integer(L, "block", winograd->block);
  set_integer(L, "blocks", winograd->blocks);
  set_integer(L, "batch", problem->batch);
  set_integer(L, "x_batch", problem->x_batch);
  set_integer(L, "y_batch", problem->y_batch);
  set_integer(L, "x_lane", problem->x_channel);
  set_plane(L, "v", &winograd->v);
  set_plane(L, "m", &winograd->m_plane);
  winograd_push_strips(L, winograd);
  lua_setfield(L, -2, "winograd");
}
