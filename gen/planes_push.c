/* A layout of planes as the Lua table that templates/planes.t loops over: the same numbers under the same names. */
#include "planes.h"
#include "signature.h"

static void push_runs(lua_State *L, const struct planes *planes, int64_t phase) {
  size_t count;
  const struct place_run *runs = planes_runs(planes, phase, &count);
  lua_createtable(L, (int)count, 0);
  for (size_t i = 0; i < count; i++) {
    lua_createtable(L, 0, 6);
    set_integer(L, "skip", runs[i].skip);
    set_integer(L, "live", runs[i].live);
    set_integer(L, "at", runs[i].at);
    set_integer(L, "count", runs[i].count);
    set_integer(L, "from", runs[i].from);
    set_integer(L, "step", runs[i].step);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
}

/* Of the innermost axis: the runs of each phase. */
static void push_columns(lua_State *L, const struct planes *planes) {
  const struct places *places = &planes->places[planes->problem.rank - 1];
  lua_createtable(L, (int)places->phases, 0);
  for (int64_t phase = 0; phase < places->phases; phase++) {
    push_runs(L, planes, phase);
    lua_rawseti(L, -2, phase + 1);
  }
  lua_setfield(L, -2, "columns");
}

static void push_axes(lua_State *L, const struct planes *planes) {
  const struct problem *problem = &planes->problem;
  lua_createtable(L, problem->rank, 0);
  for (int a = 0; a < problem->rank; a++) {
    const struct axis *axis = &problem->axis[a];
    lua_createtable(L, 0, 16);
    set_axis(L, axis);
    set_integer(L, "w", axis->w_step);
    set_bool(L, "mapped", axis_trimmed(axis) && problem->pad_mode != CS_ZEROS);
    set_bool(L, "trimmed", planes_trimmed(planes, a));
    set_integer(L, "outputs", planes->places[a].outputs);
    set_integer(L, "extent", planes->places[a].extent);
    push_integers(L, "first", planes->places[a].first, planes->places[a].phases);
    lua_rawseti(L, -2, a + 1);
  }
  lua_setfield(L, -2, "axes");
}

static void push_taps(lua_State *L, const struct planes *planes) {
  lua_createtable(L, (int)planes->taps, 0);
  for (int64_t tap = 0; tap < planes->taps; tap++) {
    lua_pushinteger(L, planes_tap(planes, tap) * planes->pixel_bytes);
    lua_rawseti(L, -2, tap + 1);
  }
  lua_setfield(L, -2, "taps");
}

/* The next product of planes of the list on top of the stack. */
static void push_product(lua_State *L, int64_t x, int64_t w) {
  lua_createtable(L, 0, 2);
  set_integer(L, "x", x);
  set_integer(L, "w", w);
  lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

/* Products of planes in an order in which one of their tiles often stays where it is. */
void planes_push_products(lua_State *L, int64_t count) {
  lua_newtable(L);
  for (int64_t w = count; w-- > 0;) push_product(L, 0, w);
  for (int64_t x = count; x-- > 1;)
    for (int64_t w = 0; w < count - x; w++) push_product(L, x, w);
  lua_setfield(L, -2, "products");
}

/* The bits of 2^exponent. */
static int64_t power_bits(int exponent) {
  return (int64_t)(127 + exponent) << 23;
}

/* Phases, outermost first: where their outputs and weights lie. */
static void push_phases(lua_State *L, const struct problem *problem) {
  lua_createtable(L, problem->phases, 0);
  for (int i = 0; i < problem->phases; i++) {
    lua_createtable(L, 0, 3);
    set_integer(L, "count", problem->phase[i].count);
    set_integer(L, "y", problem->phase[i].y);
    set_integer(L, "w", problem->phase[i].w);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "phase");
}

static void push_sizes(lua_State *L, const struct planes *planes) {
  const struct problem *problem = &planes->problem;
  set_integer(L, "planes", planes->count);
  set_integer(L, "block_rows", planes->rows);
  set_integer(L, "blocks", planes_blocks(planes));
  set_integer(L, "phases", planes->phases);
  set_integer(L, "joined", planes->joined);
  set_integer(L, "w_joined", problem->axis[problem->rank - 1].w_step);
  set_integer(L, "panels", planes->panels);
  set_integer(L, "steps", planes->steps);
  set_integer(L, "chunk", planes->chunk);
  set_integer(L, "passes", planes_passes(planes));
  set_integer(L, "pairs", planes_pairs(planes, planes->rows, &(int64_t){0}));
  set_bool(L, "cut", planes->way == WAY_CUT);
  set_bool(L, "across", planes->way == WAY_ACROSS);
  set_integer(L, "sum_bytes", planes_sums(planes));
  set_integer(L, "pixel_bytes", planes->pixel_bytes);
  set_integer(L, "sum_step", PLANE_PAIR * PLANE_COLUMNS);
  set_integer(L, "block_bytes", planes->pixels * planes->pixel_bytes);
  set_integer(L, "ahead", planes_ahead(planes));
  set_integer(L, "in_channels", problem->in_channels);
  set_integer(L, "out_channels", problem->out_channels);
  set_integer(L, "batch", problem->batch);
  set_integer(L, "groups", problem->groups);
  set_integer(L, "terms", PLANE_TERMS);
  set_integer(L, "pair", PLANE_PAIR);
  set_integer(L, "columns_of_tile", PLANE_COLUMNS);
  set_integer(L, "panel_bytes", planes->taps * planes->chunk * planes->count * PLANE_PAIR * PLANE_ROWS * PLANE_BYTES);
  set_integer(L, "chunk_bytes", planes_phase(planes) / planes->steps * planes->chunk * (int64_t)sizeof(float));
  set_integer(L, "phase_bytes", planes_phase(planes) * (int64_t)sizeof(float));
  set_integer(L, "verdict", VERDICT_ELEMENTS);
  set_integer(L, "least", power_bits(-GUARD_EXPONENT) - 1);
  set_integer(L, "most", power_bits(GUARD_EXPONENT));
  set_integer(L, "w_group_size", planes_group(planes));
  set_integer(L, "x_batch", problem->x_batch);
  set_integer(L, "x_group", problem->x_group);
  set_integer(L, "x_lane", problem->x_channel);
  set_integer(L, "y_batch", problem->y_batch);
  set_integer(L, "y_group", problem->y_group);
  set_integer(L, "y_lane", problem->y_channel);
  set_integer(L, "y_row", 0);
  set_integer(L, "y_vector", PLANE_COLUMNS * problem->y_channel);
  set_integer(L, "b_row", 0);
  set_integer(L, "b_vector", PLANE_COLUMNS);
  set_integer(L, "w_first", problem->w_first);
  set_integer(L, "w_group", problem->w_group);
  set_integer(L, "w_out", problem->w_out);
  set_integer(L, "w_in", problem->w_in);
}

/* Panels with the same number of tiles. last: live columns of their last tile. */
static void push_kinds(lua_State *L, const struct planes *planes) {
  const int64_t channels = planes->problem.out_channels, panel = PLANE_PAIR * PLANE_COLUMNS;
  const int64_t whole = channels / panel, rest = channels % panel, tiles = ceil_div(rest, PLANE_COLUMNS);
  const int64_t kinds[][3] = {{whole, PLANE_PAIR, PLANE_COLUMNS}, {rest > 0, tiles, rest - (tiles - 1) * PLANE_COLUMNS}};
  lua_newtable(L);
  for (int i = 0; i < 2; i++) {
    if (kinds[i][0] == 0) continue;
    lua_createtable(L, 0, 3);
    set_integer(L, "count", kinds[i][0]);
    set_integer(L, "tiles", kinds[i][1]);
    set_integer(L, "last", kinds[i][2]);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
  }
  lua_setfield(L, -2, "kinds");
}

/* Do outputs lie one behind the other, without gaps between the rows of positions? */
static bool is_level(const struct planes *planes) {
  const struct axis *columns = &planes->problem.axis[planes->problem.rank - 1];
  return planes->places[planes->problem.rank - 1].extent == columns->out && columns[-1].y_step == columns->out * columns->y_step;
}

/* What templates ask of every kernel. */
static void push_common(lua_State *L, const struct planes *planes) {
  const struct problem *problem = &planes->problem;
  set_text(L, "form", "planes");
  set_text(L, "padding_mode", pad_mode_name(problem->pad_mode));
  set_bool(L, "shared", false);
  set_bool(L, "zero_weights", false);
  set_bool(L, "gathered", false);
  set_integer(L, "chunks", 1);
  set_integer(L, "w_size", planes_packed(planes) * (int64_t)(sizeof(float) / cs_size(problem->dtype)));
  set_integer(L, "b_size", 0);
  set_integer(L, "x_first", problem->x_first);
  set_integer(L, "y_first", problem->y_first);
  kernel_push_epilogue(L, problem);
  push_boxes(L, NULL, 0);
}

void planes_push(lua_State *L, const struct planes *planes, int64_t baked) {
  lua_createtable(L, 0, 64);
  push_common(L, planes);
  push_sizes(L, planes);
  push_axes(L, planes);
  push_columns(L, planes);
  push_taps(L, planes);
  push_phases(L, &planes->problem);
  set_integer(L, "baked_planes", baked);
  planes_push_products(L, planes->count);
  push_kinds(L, planes);
  set_bool(L, "level", is_level(planes));
}
