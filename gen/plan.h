/* Plans: how one problem runs on one ISA. The planner enumerates candidates of every algorithm, refuses with a reason that names
 * the number and the limit, and orders the others by cost. */
#ifndef GEN_PLAN_H
#define GEN_PLAN_H
#include "isa.h"
#include "problem.h"

struct algorithm;

struct plan {
  const char *id; /* unique for a layer and ISA, stable between runs: "direct-channels-14x2-u2-rows" */
  const struct algorithm *algorithm;
  const struct isa *isa;
  const char *tile;          /* "14x2" */
  const char *reason;        /* why it was refused, or NULL */
  double cost;               /* estimated cycles */
  struct cs_promise promise; /* blocks: along the layer's axes */
  int exact_bits;            /* of the type's precision that whole numbers need beyond those of the sum; -1: they are not exact */
  int64_t packed_bytes, workspace_bytes;
  int64_t code_bytes;             /* estimate of the largest function */
  int64_t multiply_adds;          /* vector multiply-adds written in the text */
  int64_t left_out;               /* of what the text would hold: those that meet baked zeros only */
  int64_t row_tile, channel_tile; /* seams: outputs along the innermost axis and channels that one tile covers */
  int64_t channel_blocks;         /* turns that it takes through its output channels, which shares may divide; 0: not known */
  int64_t together;               /* rows of the outermost axis that it computes together; 0: it has no rows */
  bool asks;                      /* its kernels ask whether this CPU and system run the target, and carry what runs otherwise */
  const void *parameters;         /* the algorithm's own */
};

struct plan_list {
  struct plan *items; /* applicable ones by cost, then the refused in order of enumeration */
  size_t count, usable;
};

/* op.h's limit for the plan's sums. */
int plan_exact_limit(const struct layer *layer, const struct plan *plan);
/* Are results of both held to the same? */
bool plan_same_promise(const struct plan *a, const struct plan *b);
struct plan_list plan_enumerate(const struct layer *layer, const struct isa *isa);

/* What goes into NAME.c beside the plans. */
struct generate_options {
  const char *prefix; /* before every symbol ("" if none); in capitals before constants */
  const char *spec;   /* base name of the spec, for the banner */
};
struct generated {
  struct text source, header;
};

/* Expands the templates of `layer` for `count` targets, plans[i] each. False with engine_error set. */
bool generate_layer(struct engine *engine, const struct layer *layer, const struct plan *const *plans, size_t count,
                    const struct generate_options *options, struct generated *result);
void generated_free(struct generated *generated);
#endif
