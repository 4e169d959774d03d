/* Winograd convolution of one problem: outputs in tiles, m along each axis, from m + r - 1 points an axis where transformed inputs
 * are multiplied by transformed weights. At each point that is an ordinary 1×1 convolution from input to output channels over the
 * tiles of a block, for which the direct algorithm has plans. A dilated axis has tiles of its own for each residue: outputs
 * residue + dilation · (m · tile + i).
 *
 * Workspace, for one block of tiles: V, transformed inputs [points][tiles][channels of all groups], then M, products
 * [points][tiles] [output channels of all groups], tiles and points some elements apart.
 *
 * Where channels lie apart, tiles of a row, or of an even part of one, are a strip: its inputs, or outputs, lie channels last
 * behind M, one vector of channels at a time, [rows][columns][lanes]. A block is some whole strips. */
#ifndef GEN_WINOGRAD_H
#define GEN_WINOGRAD_H
#include "alg.h"
#include "cook_toom.h"

enum { WINOGRAD_POINTS = 64 }; /* at most, of all axes together */

/* V or M. */
struct plane {
  int64_t channels, tile, point; /* elements from tile to tile and from point to point */
};

/* The tiles of a row of tiles come in `parts` strips; the last may have fewer. */
struct strips {
  bool x, y;                    /* inputs, outputs go through them */
  int64_t tiles, row;           /* of a strip, of a row */
  int64_t parts, count;         /* strips of a row, of all images */
  int64_t columns, out_columns; /* pixels of a row of a strip */
};

struct winograd {
  struct problem problem;
  const struct isa *isa;
  int64_t m[MAX_SPATIAL];
  struct cook_toom transform[MAX_SPATIAL];
  int64_t residues[MAX_SPATIAL], tiles[MAX_SPATIAL]; /* tiles of a residue */
  int64_t points;
  int64_t all, block, blocks; /* tiles of all images, of a block; blocks */
  struct plane v, m_plane;
  struct strips strips;
  struct plan products; /* of one block */
};

/* Why a layer has no such tiles, or NULL; outputs of a tile along an axis, where up to `side` are asked for; "2x2". */
const char *winograd_reason(const struct candidates *candidates);
int64_t winograd_side(const struct axis *axis, int64_t side);
const char *winograd_sizes(const int64_t *sizes, int count);
struct cs_promise winograd_promise(const struct winograd *winograd);
int winograd_exact_bits(const struct winograd *winograd);
/* Geometry for `m`, which fits; false where there are too many points. */
bool winograd_lay_out(struct winograd *winograd, const int64_t m[MAX_SPATIAL]);
/* At most `block` tiles a block, in blocks of even size; the problem of a block's products. */
struct problem winograd_products(struct winograd *winograd, int64_t block);
int64_t winograd_workspace(const struct winograd *winograd);   /* bytes */
double winograd_weight_bytes(const struct winograd *winograd); /* of all points */
int64_t winograd_shell(const struct problem *problem);         /* elements that bias and slope take when packed */
int64_t winograd_channels(const struct problem *problem);      /* output channels of all groups */
struct plane winograd_plane(const struct winograd *winograd, int64_t channels, int64_t tiles);
double winograd_tile_cycles(const struct winograd *winograd); /* the transforms of one tile */
double winograd_stream(double bytes);                         /* the least for weights that come from afar */
/* Estimated cycles, where the products at one point take `point` cycles a block. */
double winograd_cost(const struct winograd *winograd, double point);
/* Elements of the products' packed weights; these, of baked ones. */
int64_t winograd_baked(const struct winograd *winograd);
const void *winograd_bake(const struct winograd *winograd);
/* The transformed kernel that begins at element `from` of the layer's weights. */
void winograd_points(const struct winograd *winograd, int64_t from, double points[WINOGRAD_POINTS]);
/* winograd_strip.c: which sides go through strips, once all is laid out. Cuts rows into strips for blocks of about `block` tiles;
 * bytes of one. */
void winograd_choose_strips(struct winograd *winograd);
void winograd_cut_strips(struct winograd *winograd, int64_t block);
int64_t winograd_strip_bytes(const struct winograd *winograd);
/* What goes through copies of a strip, with all lines of the tensors that these touch, and how long that takes. */
double winograd_copied_bytes(const struct winograd *winograd);
double winograd_copy_cycles(const struct winograd *winograd);
void winograd_push_strips(lua_State *L, const struct winograd *winograd); /* as field `strips` of the table on top */
void winograd_push(lua_State *L, const struct winograd *winograd);
/* Once that is pushed: the products read their weights, which are baked, behind those of the products before. */
void winograd_push_baked(lua_State *L, const struct winograd *winograd);
#endif
