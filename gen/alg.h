/* Algorithms: one row each. An algorithm enumerates its candidate plans for a layer's problems, with the reason of each that it
 * refuses, and turns a plan into the Lua table that its template loops over. */
#ifndef GEN_ALG_H
#define GEN_ALG_H
#include "plan.h"

struct candidates {
  const struct problem *problems;
  size_t problem_count;
  const struct stage *stages; /* in place of problems: a chain */
  size_t stage_count;
  const struct isa *isa;
  struct plan *plans;
  size_t count;
};

/* Transformed weights may be many times as long as the layer's: what a file of them may have at most, so that it compiles in good
 * time. */
enum { MOST_BAKED_BYTES = 16 << 20 };

/* Values in the order that kernels read; NULL and 0 where not baked. */
struct baked_values {
  const void *weights, *bias, *planes; /* planes: of the weights, beside these */
  size_t weight_bytes, bias_bytes, plane_bytes;
};

struct algorithm {
  const char *name;
  enum work work;
  const char *template; /* file that returns the function which prints a target's section */
  void (*enumerate)(struct candidates *candidates);
  /* Pushes the table `kernels` of the template: one for each problem. */
  void (*push)(lua_State *L, const struct plan *plan);
  /* The layer's baked values, in the order in which the plan reads them; NULL: such layers have none. */
  struct baked_values (*bake)(const struct plan *plan, const struct layer *layer);
};

/* Sets what happens to sums before they are stored, which templates want to know of every kernel. */
void kernel_push_epilogue(lua_State *L, const struct problem *problem);
/* Why code of so many bytes is too long, or NULL. */
const char *code_reason(int64_t bytes, const struct problem *problem);
/* Adds a plan; one that promises too little, or whose code is too long, as refused. */
void candidates_add(struct candidates *candidates, struct plan plan);
/* The plans of problems, ordered. */
struct plan_list problem_plans(const struct problem *problems, size_t count, const struct isa *isa, const char *algorithm);
extern const struct algorithm alg_direct, alg_depthwise, alg_planes, alg_winograd, alg_winograd_tiles, alg_copy, alg_pool,
    alg_pool_passes, alg_stretch, alg_chain, alg_fft;
#endif
