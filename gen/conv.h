/* What the ops of the conv family share. */
#ifndef GEN_CONV_H
#define GEN_CONV_H
#include "op.h"
#include "piece.h"

/* Keys that every convolution with a bias takes. */
#define CONV_KEYS CONV_GRAD_KEYS, "padding_mode", "bias", "weights", "activation", "residual"
/* Those that make sense of its gradients too. */
#define CONV_GRAD_KEYS                                                                                                             \
  "name", "op", "target", "input", "out_channels", "layout", "input_layout", "output_layout", "dtype", "kernel_size", "stride",    \
      "dilation", "padding", "groups", "flip", "algorithm", "accuracy", "unroll", "max_code_bytes"

/* ---- rules: false where some key is wrong by now ---- */
bool conv_check_channels(struct layer *layer, struct diags *diags);
bool conv_check_windows(struct layer *layer, struct diags *diags); /* pads and outputs of an op whose windows move by the stride */
bool conv_check_tensors(struct layer *layer, struct diags *diags); /* when the output's size is known: sizes, baked values */
bool conv_resolve(struct layer *layer, struct diags *diags);       /* all of them */

/* Single rules (rule.h) that other ops share: sizes of tensors, whole groups, numbers of the activation. */
bool conv_check_input(struct layer *layer, struct diags *diags);
bool conv_check_output(struct layer *layer, struct diags *diags);
bool conv_check_in_groups(struct layer *layer, struct diags *diags);
bool conv_check_activation(struct layer *layer, struct diags *diags);

/* ---- sizes and tensors ---- */
int conv_exact_limit(const struct layer *layer, int bits);
int conv_exact_limit_of(const struct layer *first, const struct layer *second); /* where the second takes what the first gives */
int64_t conv_terms(const struct layer *layer);                                  /* (C/g)·Πk + 2, of passes Σk + 2 */
int64_t conv_multiply_adds(const struct layer *layer);                          /* op.h's hooks of a plain convolution */
struct window conv_window(const struct layer *layer, int axis);
int64_t conv_taps(const struct layer *layer); /* of the kernel: Πk */
/* input, residual, weights, bias, slope, output: those that the layer has. */
size_t conv_tensors(const struct layer *layer, struct tensor tensors[MAX_TENSORS]);
/* The input or, for another role, what is shaped as the output: [N, channels, spatial...] */
struct tensor conv_activation(const struct layer *layer, const char *name, enum tensor_role role);
/* [first, second, k...] */
struct tensor conv_kernel(const struct layer *layer, int64_t first, int64_t second);
/* A parameter [M]. */
struct tensor conv_channels(const struct layer *layer, const char *name, const void *baked);

/* ---- one pass a dimension (`algorithm: separable`) ---- */
/* Finds the factors of baked weights where the layer asks for it, or says why there are none. After all other rules. */
bool conv_check_separable(struct layer *layer, struct diags *diags);
/* op.h's hooks: the passes as stages of a chain, and what they save. */
size_t conv_chain(const struct layer *layer, struct stage stages[MAX_STAGES]);
bool conv_saving(const struct layer *layer, struct saving *saving);

/* ---- lowering ---- */
/* The layer as a problem; steps of weights are those of [M, C/g, k...]. */
struct problem conv_problem(const struct layer *layer);
/* Those of `whole` when its output goes through the layer's pixel_shuffle or shuffle. */
size_t conv_store(const struct layer *layer, struct problem whole, struct problem **problems);
/* What the output then is. */
void conv_output_sizes(const struct layer *layer, int64_t *channels, int64_t sizes[MAX_SPATIAL]);
/* The problems of a transposed convolution. */
size_t conv_transpose_lower(const struct layer *layer, struct problem **problems);

/* ---- reference ---- */
/* The layer as a convolution, and as a transposed one: an op's `conv`. */
struct cs_conv conv_reference(const struct layer *layer);
struct cs_conv conv_reference_transposed(const struct layer *layer);
/* Pushes it as templates/lib/test_conv.t wants it. */
void conv_push(lua_State *L, const struct cs_conv *conv);
/* `expect` and `push_reference` of an op that has a `conv`. */
void conv_expect(const struct layer *layer, const struct cs_promise *promise, const void *const *data, const size_t *elements,
                 size_t count, struct cs_expect *results);
void conv_push_layer(lua_State *L, const struct layer *layer);
#endif
