/* A problem: what an op lowers a layer to, and all that an algorithm sees of it. Pure numbers: nothing here knows ops, layouts or
 * names, so whatever can be written as this sum runs on every algorithm, ISA and type:
 *
 *   y[n, g, m, o...] = act(bias[g, m] + residual + Σ_{c, k...} x[n, g, c, o·stride - pad + k·dilation] · w[g, m, c, k...])
 *
 * Steps are in elements. w's steps lead into the canonical tensor (a flip is a negative step from w_first), b's into canonical bias
 * and slope. Phases are problems that differ only in where they begin: phase i reads x, w and b and writes y at i steps more.
 *
 * Other works: a copy has no axes, only moves, dimensions along which input and output walk with steps of their own. A pool has
 * moves too, and along its axes y is the largest or the mean of what the sum above would add up; an axis' w_step leads through
 * slopes. */
#ifndef GEN_PROBLEM_H
#define GEN_PROBLEM_H
#include "spec.h"

struct axis {
  int64_t in, out, kernel, stride, dilation, pad; /* pad: before the first element */
  int64_t x_step, y_step, w_step;                 /* of one index of in, out, kernel */
};

struct phase {
  int64_t count, x, w, b, y;
};

enum work { WORK_SUM, WORK_COPY, WORK_POOL };
enum { MAX_MOVES = 2 + 2 * MAX_SPATIAL };

struct move {
  int64_t count, x, y, b; /* b: through slopes */
};

struct problem {
  enum work work;
  enum cs_dtype dtype; /* of elements */
  int rank;
  struct axis axis[MAX_SPATIAL];                    /* outermost first */
  int64_t batch, groups, in_channels, out_channels; /* channels of one group */
  int64_t x_batch, x_group, x_channel;
  int64_t y_batch, y_group, y_channel;
  int64_t x_rows, y_rows; /* of the outermost axis, that x and y hold at a time while others take turns there; 0: all */
  int64_t x_first, y_first;
  int64_t w_first, w_group, w_out, w_in;
  int64_t b_first, b_group, b_out;
  struct phase phase[MAX_SPATIAL];
  int phases;
  enum cs_pad_mode pad_mode;
  bool bias, residual;
  enum cs_activation activation;
  double act[2];
  enum cs_accuracy accuracy; /* what plans may promise at least */
  const void *baked_weights; /* canonical order, or NULL */
  bool baked_bias;
  bool gathered;        /* weights are an input: each call puts them into kernel order in its workspace */
  bool zero_weights;    /* some baked weight is exactly zero: it is no tap */
  const int64_t *zeros; /* zeros.c: [out_channels, taps], how many of the weights of all groups, input channels and phases are; or
                           NULL */
  int64_t zero_members; /* of so many */
  bool streamed;        /* between two uses of a weight so much goes by that caches near the core lose it */
  int64_t next_bytes;   /* that are read after it and should come near meanwhile, from an address that the caller passes */
  enum unroll unroll;
  int64_t max_code_bytes;
  struct move move[MAX_MOVES];
  int moves;
  /* Of pools: windows of an adaptive one run from o·in/out up to (o+1)·in/out, rounded outwards; the divisor of a mean counts
   * places in the padding, of which pad_after lie behind the last element. */
  bool mean, adaptive, count_padding;
  int64_t pad_after[MAX_SPATIAL];
};

/* Are sums kept in a wider type than elements? Then they must not pass through memory before they are whole. */
static inline bool has_wide_sums(const struct problem *problem) {
  return problem->dtype == CS_BF16;
}

/* A stage of a chain: problems one after the other, each reading what the one before wrote. Between them only some rows of the
 * outermost axis exist at a time. Every stage has at least two axes; steps in what lies between are set when its rows are known. */
enum { MAX_STAGES = 3 };
struct stage {
  struct problem problem;
  const char *weights, *bias; /* the names of its parameters */
  int64_t together;   /* rows of the stage before that one row of this one spans: 1, or as many as a long axis is cut into */
  bool channels_last; /* what it reads */
};
#endif
