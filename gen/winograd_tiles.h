/* Winograd convolution whose products run on tile registers: the transformed inputs of a block of tiles are split into planes of
 * bf16 as soon as they are known, every point's products are a matrix product on the registers (planes.h has the words), and what
 * these leave is transformed into outputs.
 *
 * Workspace: the transformed inputs of one tile, floats [points][channels]; V, planes [points][tiles], points some lines apart; M
 * as winograd.h has it. Weights: [points][panels of channels] as planes.h has them. */
#ifndef GEN_WINOGRAD_TILES_H
#define GEN_WINOGRAD_TILES_H
#include "planes.h"
#include "winograd.h"

struct winograd_tiles {
  struct winograd base; /* v: of one tile; its products: the direct plan that serves where there are no tile registers */
  int64_t steps, panels, pixel_bytes, point_bytes;
};

/* Blocks of about `block` tiles, a multiple of the rows of a register, for a base that is laid out. */
void winograd_tiles_lay_out(struct winograd_tiles *tiles, int64_t block);
int64_t winograd_tiles_workspace(const struct winograd_tiles *tiles); /* bytes */
int64_t winograd_tiles_weights(const struct winograd_tiles *tiles);   /* elements */
const void *winograd_tiles_bake(const struct winograd_tiles *tiles, size_t *bytes);
double winograd_tiles_cost(const struct winograd_tiles *tiles);
void winograd_tiles_push(lua_State *L, const struct winograd_tiles *tiles);
#endif
