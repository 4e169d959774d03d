/* Strips of Winograd tiles: pixels of all rows that they read or write, channels last in the workspace. Copies between these and
 * the tensors go through registers, as those of copy.h do. */
#include "copy.h"
#include "direct.h"
#include "mem.h"
#include "processor.h"
#include "signature.h"
#include "winograd.h"
#include <math.h>

/* Bytes of a strip's input, which stays near the core while its tiles are transformed. */
static const int64_t most_bytes = 64 << 10, most_whole_bytes = 512 << 10; /* the latter where a row can't be cut */
static const double copying = 0.2;                                        /* of all work */

static bool lie_apart(const struct problem *problem, const struct isa *isa, bool output) {
  const struct axis *row = &problem->axis[problem->rank - 1];
  const int64_t channel = output ? problem->y_channel : problem->x_channel, pixel = output ? row->y_step : row->x_step;
  return isa->shuffles && channel != 1 && pixel == 1;
}

/* Columns from the first to the last that `count` places of each tile have, in a strip of `tiles`. */
static int64_t columns_of(const struct winograd *winograd, int64_t count) {
  const int last = winograd->problem.rank - 1;
  const struct axis *axis = &winograd->problem.axis[last];
  const int64_t apart = axis->kernel > 1 ? axis->dilation : 1, residues = winograd->residues[last];
  return residues + ((winograd->strips.tiles / residues - 1) * winograd->m[last] + count - 1) * apart;
}

/* Rows that `count[a]` places along each axis but the last make. */
static int64_t rows_of(const struct winograd *winograd, bool output) {
  int64_t rows = 1;
  for (int a = 0; a < winograd->problem.rank - 1; a++) rows *= output ? winograd->m[a] : winograd->transform[a].points;
  return rows;
}

static void set_tiles(struct winograd *winograd, int64_t tiles) {
  struct strips *strips = &winograd->strips;
  const int last = winograd->problem.rank - 1;
  strips->tiles = tiles;
  strips->columns = columns_of(winograd, winograd->transform[last].points);
  strips->out_columns = columns_of(winograd, winograd->m[last]);
}

static int64_t vector_bytes(const struct winograd *winograd) {
  const enum cs_dtype dtype = winograd->problem.dtype;
  return winograd->isa->lanes[dtype] * (int64_t)cs_size(dtype);
}

static int64_t bytes_of(const struct winograd *winograd, bool output) {
  const struct strips *strips = &winograd->strips;
  return rows_of(winograd, output) * (output ? strips->out_columns : strips->columns) * vector_bytes(winograd);
}

int64_t winograd_strip_bytes(const struct winograd *winograd) {
  const struct strips *strips = &winograd->strips;
  const int64_t in = strips->x ? bytes_of(winograd, false) : 0, out = strips->y ? bytes_of(winograd, true) : 0;
  return in > out ? in : out;
}

/* Tiles of several residues make one strip, unless their row is too long for that. */
void winograd_choose_strips(struct winograd *winograd) {
  struct strips *strips = &winograd->strips;
  const int last = winograd->problem.rank - 1;
  strips->x = lie_apart(&winograd->problem, winograd->isa, false);
  strips->y = lie_apart(&winograd->problem, winograd->isa, true);
  set_tiles(winograd, winograd->residues[last] * winograd->tiles[last]);
  if (winograd->residues[last] > 1 && bytes_of(winograd, false) > most_whole_bytes) strips->x = strips->y = false;
}

/* Vectors that copies of a strip take for one vector of channels: lines that it shares with its neighbours count whole. */
static double copied(const struct winograd *winograd, bool output) {
  const int64_t line = (int64_t)processor.line / (int64_t)cs_size(winograd->problem.dtype);
  const int64_t columns = output ? winograd->strips.out_columns : winograd->strips.columns;
  return (double)(rows_of(winograd, output) * (columns + line - 1));
}

static double tensor_bytes(const struct problem *problem) {
  double in = (double)(problem->groups * problem->in_channels), out = (double)winograd_channels(problem);
  for (int a = 0; a < problem->rank; a++) {
    in *= (double)problem->axis[a].in;
    out *= (double)problem->axis[a].out;
  }
  return (in + out) * (double)cs_size(problem->dtype);
}

double winograd_copied_bytes(const struct winograd *winograd) {
  const double lanes = winograd->isa->lanes[winograd->problem.dtype];
  const double in = ceil((double)winograd->v.channels / lanes), out = ceil((double)winograd->m_plane.channels / lanes);
  const double vectors =
      (winograd->strips.x ? in * copied(winograd, false) : 0) + (winograd->strips.y ? out * copied(winograd, true) : 0);
  return vectors * (double)vector_bytes(winograd);
}

double winograd_copy_cycles(const struct winograd *winograd) {
  const double byte = processor.transpose / (double)vector_bytes(winograd);
  const bool far = tensor_bytes(&winograd->problem) > processor.l2;
  return winograd_copied_bytes(winograd) * (byte + (far ? processor.from_l3 : 0));
}

/* How well strips of so many tiles make blocks of `block`: tiles that are there and wanted, less what is copied beside their own.
 */
static double fitness(struct winograd *winograd, int64_t row, int64_t tiles, int64_t block) {
  const double wanted = (double)(block / tiles * tiles) / (double)block;
  const double there = (double)row / (double)(ceil_div(row, tiles) * tiles);
  set_tiles(winograd, tiles);
  const double own =
      (double)(tiles * winograd->m[winograd->problem.rank - 1] * (rows_of(winograd, false) + rows_of(winograd, true)));
  return wanted * there - copying * ((copied(winograd, false) + copied(winograd, true)) / own - 1);
}

/* Tiles of a strip of several that a block has room for, and a cache near the core for their input. */
static int64_t most_tiles(const struct winograd *winograd, int64_t row, int64_t block) {
  const int64_t tile = winograd->m[winograd->problem.rank - 1] * rows_of(winograd, false) * vector_bytes(winograd);
  int64_t most = most_bytes / tile > 1 ? most_bytes / tile : 1;
  if (most > block) most = block;
  return most < row ? most : row;
}

/* A row's tiles in even parts; those of several residues stay together, since their columns do. */
void winograd_cut_strips(struct winograd *winograd, int64_t block) {
  struct strips *strips = &winograd->strips;
  const int last = winograd->problem.rank - 1;
  const int64_t row = winograd->residues[last] * winograd->tiles[last];
  int64_t best = row;
  double most = -HUGE_VAL;
  for (int64_t tiles = winograd->residues[last] == 1 ? most_tiles(winograd, row, block) : 0; tiles > 0; tiles--) {
    const int64_t even = ceil_div(row, ceil_div(row, tiles));
    const double fit = fitness(winograd, row, even, block);
    if (fit <= most) continue;
    most = fit;
    best = even;
  }
  set_tiles(winograd, best);
  strips->row = row;
  strips->parts = ceil_div(row, best);
  strips->count = winograd->all / row * strips->parts;
}

/* ---- what the template gets --------------------------------------------------------------------------------------------- */

/* Of the strips [first, end) of a row: the columns that are in the input or the output. Beyond `limit` no output's taps are. */
struct kind {
  int64_t end, at, live, limit, out_live;
};

static int64_t within(int64_t value, int64_t most) {
  return value < 0 ? 0 : value < most ? value : most;
}

static struct kind kind_of(const struct winograd *winograd, int64_t part) {
  const struct strips *strips = &winograd->strips;
  const int last = winograd->problem.rank - 1;
  const struct axis *axis = &winograd->problem.axis[last];
  const int64_t o = part * strips->tiles * winograd->m[last], taps = (axis->kernel - 1) * axis->dilation;
  struct kind kind = {.end = part + 1};
  kind.limit = within(axis->out + taps - o, strips->columns);
  kind.at = within(axis->pad - o, kind.limit);
  kind.live = within(axis->pad + axis->in - o, kind.limit) - kind.at;
  kind.out_live = within(axis->out - o, strips->out_columns);
  return kind;
}

static bool alike(const struct kind *a, const struct kind *b) {
  return a->at == b->at && a->live == b->live && a->limit == b->limit && a->out_live == b->out_live;
}

/* The copies of all kinds, each once. */
struct copies {
  struct key {
    int64_t channels, columns;
    bool output;
  } * keys;
  int64_t count;
};

/* The number of a copy, from 1; 0 where there is nothing to copy. */
static int64_t number_of(struct copies *copies, struct key key) {
  if (key.channels == 0 || key.columns == 0) return 0;
  for (int64_t i = 0; i < copies->count; i++)
    if (copies->keys[i].channels == key.channels && copies->keys[i].columns == key.columns && copies->keys[i].output == key.output)
      return i + 1;
  copies->keys = mem_grow(copies->keys, (size_t)copies->count, sizeof *copies->keys);
  copies->keys[copies->count++] = key;
  return copies->count;
}

static struct copy copy_of(const struct winograd *winograd, const struct key *key) {
  const struct problem *outer = &winograd->problem;
  const int64_t lanes = winograd->isa->lanes[outer->dtype];
  struct problem *problem = mem_new(sizeof *problem);
  *problem = (struct problem){.work = WORK_COPY, .dtype = outer->dtype, .moves = 2};
  problem->move[0] =
      key->output ? (struct move){key->channels, 1, outer->y_channel, 0} : (struct move){key->channels, outer->x_channel, 1, 0};
  problem->move[1] = key->output ? (struct move){key->columns, lanes, 1, 0} : (struct move){key->columns, 1, lanes, 0};
  return copy_of_vectors(problem, winograd->isa, key->output ? outer->y_channel : 0);
}

static void push_copies(lua_State *L, const struct winograd *winograd, const struct copies *copies) {
  lua_createtable(L, (int)copies->count, 0);
  for (int64_t i = 0; i < copies->count; i++) {
    const struct copy copy = copy_of(winograd, &copies->keys[i]);
    lua_createtable(L, 0, 4);
    copy_push_loops(L, &copy);
    copy_push_blocks(L, &copy);
    set_bool(L, "output", copies->keys[i].output);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "copies");
}

/* Fields `whole` and `tail`: numbers of the copies of whole vectors of channels and of the last, where that is less. */
static void push_side(lua_State *L, struct copies *copies, const char *key, int64_t channels, int64_t lanes, struct key wanted) {
  lua_createtable(L, 0, 2);
  wanted.channels = channels >= lanes ? lanes : 0;
  set_integer(L, "whole", number_of(copies, wanted));
  wanted.channels = channels % lanes;
  set_integer(L, "tail", number_of(copies, wanted));
  lua_setfield(L, -2, key);
}

static void push_kind(lua_State *L, const struct winograd *winograd, const struct kind *kind, struct copies *copies) {
  const struct strips *strips = &winograd->strips;
  const int64_t lanes = winograd->isa->lanes[winograd->problem.dtype];
  lua_createtable(L, 0, 8);
  set_integer(L, "below", kind->end);
  set_integer(L, "at", kind->at);
  set_integer(L, "live", kind->live);
  set_integer(L, "limit", kind->limit);
  push_side(L, copies, "bring", strips->x ? winograd->v.channels : 0, lanes, (struct key){.columns = kind->live});
  push_side(L, copies, "place", strips->y ? winograd->m_plane.channels : 0, lanes,
            (struct key){.columns = kind->out_live, .output = true});
}

static void push_kinds(lua_State *L, const struct winograd *winograd, struct copies *copies) {
  int count = 0;
  lua_newtable(L);
  for (int64_t part = 0; part < winograd->strips.parts;) {
    struct kind kind = kind_of(winograd, part);
    for (part++; part < winograd->strips.parts; part++) {
      const struct kind next = kind_of(winograd, part);
      if (!alike(&kind, &next)) break;
      kind.end = next.end;
    }
    push_kind(L, winograd, &kind, copies);
    lua_rawseti(L, -2, ++count);
  }
  lua_setfield(L, -2, "kinds");
}

void winograd_push_strips(lua_State *L, const struct winograd *winograd) {
  const struct strips *strips = &winograd->strips;
  struct copies copies = {0};
  if (!strips->x && !strips->y) {
    set_bool(L, "strips", false);
    return;
  }
  lua_createtable(L, 0, 14);
  set_bool(L, "x", strips->x);
  set_bool(L, "y", strips->y);
  set_integer(L, "tiles", strips->tiles);
  set_integer(L, "row", strips->row);
  set_integer(L, "parts", strips->parts);
  set_integer(L, "count", strips->count);
  set_integer(L, "block", winograd->block / strips->tiles);
  set_integer(L, "columns", strips->columns);
  set_integer(L, "out_columns", strips->out_columns);
  set_integer(L, "y_channel", winograd->problem.y_channel);
  push_kinds(L, winograd, &copies);
  push_copies(L, winograd, &copies);
  lua_setfield(L, -2, "strips");
}
