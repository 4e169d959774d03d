/* Ops: one row each. An op owns its keys, its tensors, its shapes, its reference and its lowering to problems. */
#ifndef GEN_OP_H
#define GEN_OP_H
#include "problem.h"
#include <lua.h>

enum { MAX_TENSORS = 8 };
enum tensor_role { TENSOR_INPUT, TENSOR_RESIDUAL, TENSOR_PARAMETER, TENSOR_OUTPUT };

struct tensor {
  const char *name;
  enum tensor_role role; /* PARAMETER: taken by NAME_pack, canonical order; the others by NAME, in `layout` */
  enum cs_dtype dtype;
  enum cs_layout layout;
  int rank;
  ptrdiff_t shape[CS_MAX_RANK]; /* logical order */
  const void *baked;            /* values in the generated file: no argument anywhere; else NULL */
};

/* Taps 0, dilation, … dilation·(kernel-1), `stride` apart from output to output. Where outputs take turns (chains false), the most
 * taps that one has, and no stack of layers is followed through. */
struct window {
  int64_t kernel, stride, dilation;
  bool chains;
};

/* Multiply-adds of the layer as it runs, and of what it does the work of. */
struct saving {
  const char *than; /* "a dense layer's multiply-adds" */
  const char *formula;
  int64_t after, before;
};

struct op {
  const char *name;
  const char *const *keys;       /* layer keys that it takes, NULL at the end */
  const char *const *algorithms; /* beside auto and direct: those that it may ask for, NULL at the end; NULL: none */
  bool bf16;                     /* takes that dtype */
  bool any_window;               /* kernel_size may be `global`, or left out for something else that says it */
  /* Fills what follows from the keys (pads, out) and reports what does not fit. Called even when some keys were wrong: what rests
   * on those (layer_right) is left out, so that one run shows all errors and no follow-ups. */
  bool (*resolve)(struct layer *layer, struct diags *diags);
  /* Every tensor in the order of the generated signatures: inputs, residual, parameters in pack order, output. Returns the count.
   */
  size_t (*tensors)(const struct layer *layer, struct tensor tensors[MAX_TENSORS]);
  /* The tensor `weights`; NULL where an op has none. */
  struct tensor (*weights)(const struct layer *layer);
  /* Allocates the problems that together compute the layer (disjoint outputs, one packed buffer) and returns their number. */
  size_t (*lower)(const struct layer *layer, struct problem **problems);
  /* The stages of a chain that computes the layer in place of problems, and their number, 0 where it is none; NULL: it never is. */
  size_t (*chain)(const struct layer *layer, struct stage stages[MAX_STAGES]);
  /* The layer as runtime/ref_conv.c and other implementations take it; NULL where it is no single convolution. */
  struct cs_conv (*conv)(const struct layer *layer);
  /* What `count` outputs may be: elements[i] is the number of one in logical order. data[i] belongs to tensors[i], logical order.
   * Only an op with a `conv` has plans that promise less than strict accuracy. */
  void (*expect)(const struct layer *layer, const struct cs_promise *promise, const void *const *data, const size_t *elements,
                 size_t count, struct cs_expect *expect);
  /* Nominal multiply-adds of the whole layer (padded taps counted); parameters are the elements of the PARAMETER tensors. */
  int64_t (*multiply_adds)(const struct layer *layer);
  /* What the layer saves against another that does the same, false: nothing; NULL: it never does. */
  bool (*saving)(const struct layer *layer, struct saving *saving);
  /* n of the bound γ(n): the terms of a sum, and two more for bias and residual. */
  int64_t (*terms)(const struct layer *layer);
  /* Magnitude up to which small whole numbers as data make every sum and the activation exact in the type, with `bits` of its
   * precision to spare; 0: never exact. */
  int (*exact_limit)(const struct layer *layer, int bits);
  /* The inputs that an output reads along an axis: from the first that output o may read, taps at equal distances. */
  struct window (*window)(const struct layer *layer, int axis);
  /* Where windows are not alike: turns outputs *first to *last along an axis into the inputs that they read, beyond the borders
   * too; false: they read none. NULL: window() says it all, or the op's output is no next layer's input. */
  bool (*reads)(const struct layer *layer, int axis, int64_t *first, int64_t *last);
  /* What its own keys say, for the banner; NULL: those of a convolution. */
  const char *(*describe)(const struct layer *layer);
  /* Warns of what is legal and unwise about such a layer; NULL: nothing is. */
  void (*warn)(const struct layer *layer, struct diags *diags);
  /* "conv": an emitted test carries runtime/ref_conv.c and what templates/lib/test_conv.t prints of the table that this pushes. */
  const char *reference;
  void (*push_reference)(lua_State *L, const struct layer *layer);
};

/* The row of `name`, or NULL. */
const struct op *op_find(const char *name);
/* Names of the ops this program has, NULL at the end; and of those whose names are taken ("not supported yet"). */
const char *const *op_names(void);
const char *const *op_reserved(void);
/* The tensor called `name`, or -1. */
int tensor_find(const struct tensor *tensors, size_t count, const char *name);
size_t tensor_count(const struct tensor *tensor); /* elements */
/* Logical index [n, m, o...] of an element. */
void tensor_index(const struct tensor *tensor, size_t element, ptrdiff_t *index);
extern const struct op op_separable_conv;
extern const struct op op_conv, op_conv_transpose, op_local_conv, op_tiled_conv, op_conv_grad_input, op_conv_grad_weights;
extern const struct op op_max_pool, op_avg_pool;
extern const struct op op_pixel_shuffle, op_pixel_unshuffle, op_channel_shuffle;
#endif
