/* Outputs channels first. A tile's vectors are of channels, whose planes lie far apart, while its rows are pixels that lie side by
 * side: its sums go through a near buffer, [rows][lanes], to vectors of pixels, each of one channel (templates/lib/placed.t). */
#include "copy.h"
#include "direct.h"
#include "mem.h"
#include "signature.h"

/* Pixels that are worth a vector: of fewer, lanes are stored one by one as fast. */
static const int64_t fewest_rows = 3;

bool places_apply(const struct design *design, const struct isa *isa) {
  const bool lanes_are_channels = design->choice.form == FORM_CHANNELS || design->choice.form == FORM_DEPTH;
  if (!isa->shuffles || design->problem.dtype == CS_BF16 || design->choice.rows < fewest_rows) return false;
  return lanes_are_channels && design->y_lane != 1 && design->y_row == 1;
}

bool tile_places(const struct design *design, const struct tile *tile) {
  return design->places && tile->rows >= fewest_rows;
}

/* What one vector of channels of a tile is. */
struct placing {
  int64_t rows, live;
};

static struct copy copy_of(const struct design *design, const struct placing *place) {
  struct problem *problem = mem_new(sizeof *problem);
  *problem = (struct problem){.work = WORK_COPY, .dtype = design->problem.dtype, .moves = 2};
  problem->move[0] = (struct move){place->live, 1, design->y_lane, 0};
  problem->move[1] = (struct move){place->rows, design->lanes, 1, 0};
  return copy_of_vectors(problem, design->places, design->y_lane);
}

/* Adds it to the list on top, unless it is there. */
static void push_place(lua_State *L, const struct design *design, struct placing place, struct placing *there, int *count) {
  for (int i = 0; i < *count; i++)
    if (there[i].rows == place.rows && there[i].live == place.live) return;
  const struct copy copy = copy_of(design, &place);
  there[(*count)++] = place;
  lua_createtable(L, 0, 4);
  set_integer(L, "rows", place.rows);
  set_integer(L, "live", place.live);
  copy_push_loops(L, &copy);
  copy_push_blocks(L, &copy);
  lua_rawseti(L, -2, *count);
}

void design_push_places(lua_State *L, const struct design *design) {
  if (!design->places) {
    set_bool(L, "places", false);
    return;
  }
  struct placing *there = mem_array(2 * design->tile_count, sizeof *there);
  int count = 0;
  lua_newtable(L);
  for (size_t i = 0; i < design->tile_count; i++) {
    const struct tile *tile = &design->tiles[i];
    if (!tile_places(design, tile)) continue;
    if (tile->vectors > 1) push_place(L, design, (struct placing){tile->rows, design->lanes}, there, &count);
    push_place(L, design, (struct placing){tile->rows, tile->last}, there, &count);
  }
  lua_setfield(L, -2, "places");
}
