/* convsmith's runtime: what checks a kernel. C99; ref_*.c, fill.c, layout.c and compare.c need nothing but the standard library
 * (and compile as C++11): they are also written into emitted tests, one after the other in one file. npy.c and guard.c are for
 * POSIX, cpu.c knows x86 and Linux and answers 0 elsewhere.
 *
 * Tensors are in logical order here, whatever layout a kernel uses: activations [N, C, spatial...], weights
 * [M, C/groups, kernel...]; rows are contiguous, the last dimension fastest. Sizes count elements unless they say bytes.
 * u is the unit roundoff of a type's sums: 2^-24 for f32 and bf16, 2^-53 for f64. bf16 is the upper half of an f32, as a uint16_t;
 * its sums are kept in f32 and rounded once. Nothing here keeps state: every function may run in any thread. */
#ifndef CONVSMITH_H
#define CONVSMITH_H
#include <stddef.h>
#include <stdint.h>

enum { CS_MAX_SPATIAL = 3, CS_MAX_RANK = 8 };
enum cs_dtype { CS_F32, CS_F64, CS_BF16 };
enum cs_layout { CS_NHWC, CS_NCHW };
enum cs_accuracy { CS_STRICT, CS_NORMWISE, CS_FAST };
enum cs_pad_mode { CS_ZEROS, CS_REFLECT, CS_REPLICATE, CS_CIRCULAR };
enum cs_activation {
  CS_NONE,
  CS_RELU,
  CS_RELU6,
  CS_SIGMOID,
  CS_TANH,
  CS_SILU,
  CS_HARDSWISH,
  CS_HARDSIGMOID,
  CS_GELU,
  CS_LEAKY_RELU,
  CS_CLAMP,
  CS_PRELU
};

/* ---- reference: ref_conv.c ---------------------------------------------------------------------------------------- */

/* What results are held to; cs_conv_expect has the bounds. The outputs of a tile are computed together: along each dimension those
 * `dilation` apart, `block` of them. Where a tile holds more than one output, the stride is 1. */
struct cs_promise {
  enum cs_accuracy accuracy;
  ptrdiff_t block[CS_MAX_SPATIAL]; /* 0 is 1 */
};

/* A convolution by its definition (ONNX Conv; padding modes and activations as PyTorch's of the same names). Spatial arrays hold
 * `rank` entries, all sizes, strides and dilations at least 1; `groups` divides both channel counts. Only `out` says what is padded
 * after the last element: whatever a window reaches. */
struct cs_conv {
  int rank;
  enum cs_dtype dtype;
  ptrdiff_t batch, in_channels, out_channels, groups;
  ptrdiff_t in[CS_MAX_SPATIAL], out[CS_MAX_SPATIAL], kernel[CS_MAX_SPATIAL];
  ptrdiff_t stride[CS_MAX_SPATIAL], dilation[CS_MAX_SPATIAL], pad[CS_MAX_SPATIAL]; /* pad: before the first element */
  ptrdiff_t tile[CS_MAX_SPATIAL];   /* weights are [M, tile..., C/groups, kernel...], those of output o at o modulo tile; 0: [M,
                                       C/groups,   kernel...], shared by all outputs (all dimensions alike) */
  ptrdiff_t shuffle, pixel_shuffle; /* the output goes through ShuffleNet's channel shuffle of so many groups, or PyTorch's pixel
                                       shuffle of this factor; 0: neither. out_channels and out are those before it */
  enum cs_pad_mode pad_mode;
  int flip;              /* true convolution: the kernel is flipped in every spatial dimension */
  int transposed;        /* input i goes to outputs i * stride - pad + k * dilation (ONNX ConvTranspose), weights are [C, M/groups,
                            kernel...];        padding mode zeros only */
  int skip_zero_weights; /* a weight that is exactly zero is no tap (baked weights): NaN and infinity do not pass it */
  enum cs_activation activation;
  double act[2];     /* leaky_relu: slope; clamp: lo, hi */
  int channels_last; /* input lies as [N, in..., C] and weights, transposed or not, as [M, kernel..., C/groups], which is much
                        faster to read */
  ptrdiff_t terms; /* n of the bound where it is not that of the definition: the sum of the kernel sizes + 2 where a kernel of rank
                      1 runs as one pass a dimension; 0: as cs_conv_expect says */
  struct cs_promise promise;
};

/* Its data, each of the layer's type and aligned for it: input [N, C, in...], weights [M, C/groups, kernel...], bias [M], residual
 * [N, M, out...] (added before the activation), slope [M] (prelu only). bias and residual may be NULL. */
struct cs_conv_data {
  const void *input, *weights, *bias, *residual, *slope;
};

/* What an output may be. value + rest is y* (rest: the low part of a double-double; 0 for f32), and a finite y* is met within
 * `bound`. bf16: y* is rounded to it, and `bound` is how far from there a number within the bound may be rounded to. Where y* is
 * NaN or an infinity, the result must be the same, the sign of infinity too. overflow: the sum of |x||w| over finite terms, with
 * its bound, exceeds the type's maximum, so that partial sums may be infinite: NaN is right as well, and so are `low` and `high`,
 * what -infinity and +infinity become through the activation (NaN: no such result). Without overflow low and high are NaN, save
 * that an activation takes a finite sum beyond the type's maximum (leaky_relu with a slope of 10): the infinity of that side is
 * right then. */
struct cs_expect {
  double value, rest, bound;
  double low, high;
  int overflow;
};

/* y* of output index [n, m, o...] with the bound of the promise. CS_STRICT:
 *
 *   b = gamma(n) * sum of |x||w| + n * least,  n = C/groups * kernel sizes + 2,  gamma(n) = n u / (1 - n u)
 *
 * where |bias| and |residual| count in the sum and `least` is the type's smallest denormal (Higham, Accuracy and Stability of
 * Numerical Algorithms, 2nd ed., section 3.1; the denormal term is for products that underflow). The others, with the sum over
 * channels c of (largest |x| in c that the output's tile reads) * (sum of |w| in c) in place of that of |x||w|:
 *
 *   CS_NORMWISE: b = 4 gamma(n) * sum + n * least        CS_FAST: b = (4 gamma(n) + 2^-13) * sum + n * least
 *
 * where some channel's largest |x| or |w| is not finite, or neither zero nor within 2^-50 and 2^50, anything is right (bound
 * infinite). An activation f turns b into
 *
 *   L * b + 8u * S + 8 * least
 *
 * L: f's Lipschitz constant (relu, relu6, clamp, tanh 1; sigmoid 1/4; hardsigmoid 1/6; silu 1.1; gelu 1.13; hardswish 1.5;
 * leaky_relu, prelu max(1, |slope|)); S: 1 for sigmoid, tanh and hardsigmoid, else max(|x|, |f(x)|). */
void cs_conv_expect(const struct cs_conv *conv, const struct cs_conv_data *data, const ptrdiff_t *index, struct cs_expect *expect);

/* The gradient of weight [m, c, k...] of a plain convolution (padding mode zeros), with the bound above of its
 * n = batch * output sizes + 2 terms: the sum of grad_output[n, m, o] * input[n, c, o * stride - pad + k * dilation] over all
 * images and outputs. input [N, C, in...] and grad_output [N, M, out...] in logical order. */
void cs_conv_grad_weights_expect(const struct cs_conv *conv, const void *input, const void *grad_output, const ptrdiff_t *index,
                                 struct cs_expect *expect);

/* ---- reference: ref_separable.c ----------------------------------------------------------------------------------- */

/* A depthwise convolution with its activation, then a 1x1 convolution of all its channels. */
struct cs_separable {
  struct cs_conv depthwise, pointwise;
};

/* input [N, C, in...], depthwise [C * m, 1, kernel...], depthwise_bias [C * m], weights [M, C * m, 1...]; the rest as above, any
 * bias and the residual may be NULL. */
struct cs_separable_data {
  const void *input, *depthwise, *depthwise_bias, *weights, *bias, *residual, *slope;
};

/* y* of output index [n, m, o...]; its bound is that of the sum over the C * m channels (n = C * m + 2), with what the bounds of
 * the depthwise half come to: gamma(n) * sum of (|d| + b)|w| + sum of b|w| + n * least. */
void cs_separable_expect(const struct cs_separable *layer, const struct cs_separable_data *data, const ptrdiff_t *index,
                         struct cs_expect *expect);

/* ---- reference: ref_activation.c ---------------------------------------------------------------------------------- */

/* Replaces what a sum may be by its activation, and carries the bound and the other right results through it, as cs_conv_expect
 * says. a: the activation's numbers, or the slope of prelu. */
void cs_activate_expect(enum cs_activation activation, const double *a, enum cs_dtype dtype, struct cs_expect *expect);

/* ---- reference: ref_round.c --------------------------------------------------------------------------------------- */

/* Rounds y* to the type, whose sums are wider (bf16), and widens the bound to all that numbers within it are rounded to. Changes
 * nothing for other types. */
void cs_round_expect(enum cs_dtype dtype, struct cs_expect *expect);

/* ---- reference: ref_pool.c ---------------------------------------------------------------------------------------- */

/* Pooling by its definition (PyTorch's pools of these names; ONNX's dilations). Windows begin at o * stride - pad; those of an
 * adaptive pool run from floor(o * in / out) up to ceil((o + 1) * in / out). Elements outside the input are none; only the divisor
 * of a mean counts those within the padding (pad before, pad_after behind), where count_padding says so. run > 0: windows are runs
 * of that many neighbouring channels instead. */
struct cs_pool {
  int rank;
  enum cs_dtype dtype;
  int mean; /* else the largest; NaN in a window makes NaN of it */
  ptrdiff_t batch, in_channels, out_channels, run;
  ptrdiff_t in[CS_MAX_SPATIAL], out[CS_MAX_SPATIAL], kernel[CS_MAX_SPATIAL];
  ptrdiff_t stride[CS_MAX_SPATIAL], dilation[CS_MAX_SPATIAL], pad[CS_MAX_SPATIAL], pad_after[CS_MAX_SPATIAL];
  int adaptive, count_padding;
  enum cs_activation activation;
  double act[2];
};

/* input [N, C, in...], residual [N, M, out...] (added before the activation) or NULL, slope [M] (prelu only). */
struct cs_pool_data {
  const void *input, *residual, *slope;
};

/* The largest is exact, and with a residual met within gamma(3) * (|largest| + |residual|). A mean of k elements is met within
 * gamma(k + 2) * (sum of |x| / divisor + |residual|) + (k + 2) * least. */
void cs_pool_expect(const struct cs_pool *pool, const struct cs_pool_data *data, const ptrdiff_t *index, struct cs_expect *expect);

/* ---- reference: ref_shuffle.c ------------------------------------------------------------------------------------- */

/* Permutations. A cell has factor^rank pixels, which one side has as channels: CS_PIXEL_SHUFFLE spreads channels over pixels,
 * CS_PIXEL_UNSHUFFLE gathers them. The orders of these channels: CRD (PyTorch), a channel's cell together, its last dimension
 * fastest; DCR (ONNX), a place's channels together, places in the same order; FOCUS (YOLOv5), as DCR, the first dimension fastest.
 * CS_CHANNEL_SHUFFLE: output channel j * groups + g is input channel g * C/groups + j. */
enum cs_shuffle_kind { CS_PIXEL_SHUFFLE, CS_PIXEL_UNSHUFFLE, CS_CHANNEL_SHUFFLE };
enum cs_order { CS_CRD, CS_DCR, CS_FOCUS };
struct cs_shuffle {
  int rank;
  enum cs_dtype dtype;
  enum cs_shuffle_kind kind;
  enum cs_order order;
  ptrdiff_t in_channels, out_channels, in[CS_MAX_SPATIAL];
  ptrdiff_t factor, groups;
};

/* The element of the input (logical order) that output index [n, c, o...] is a copy of; and what it may be: that, exactly. */
ptrdiff_t cs_shuffle_source(const struct cs_shuffle *shuffle, const ptrdiff_t *index);
void cs_shuffle_expect(const struct cs_shuffle *shuffle, const void *input, const ptrdiff_t *index, struct cs_expect *expect);

/* ---- comparison: compare.c ---------------------------------------------------------------------------------------- */

/* Non-zero if `got` (an element of the layer's type, as double) is right. exact: the error must be 0 (data and activation with
 * which every sum is exact). Zeros of both signs are equal. */
int cs_right(const struct cs_expect *expect, double got, int exact);

/* ---- data: fill.c ------------------------------------------------------------------------------------------------- */

enum cs_fill { CS_FILL_INTEGERS, CS_FILL_RANDOM, CS_FILL_HOSTILE };
/* Fills `count` elements, the same for equal `seed` on every machine. INTEGERS: whole numbers, uniform in -limit..limit;
 * RANDOM: uniform in (-1, 1), never 0 (bf16: rounded, so that 1 occurs); HOSTILE: random, but one element in 128, the middle one
 * and the last are special: NaN, an infinity, a denormal, zero of either sign, the type's largest and smallest, huge or tiny. A
 * quarter of those is not finite, so that most outputs stay finite, but of more than eight elements the middle one never is, so
 * that small tensors hold one too. `limit` is read by INTEGERS only. */
void cs_fill(void *data, size_t count, enum cs_dtype dtype, enum cs_fill kind, int limit, uint64_t seed);
/* The next of splitmix64's numbers; any state is a good seed. */
uint64_t cs_random(uint64_t *state);
/* Element `index` as double and back (rounded once, to nearest, ties to even; NaN stays a quiet NaN). No alignment is needed. */
double cs_get(const void *data, size_t index, enum cs_dtype dtype);
void cs_put(void *data, size_t index, enum cs_dtype dtype, double value);
size_t cs_size(enum cs_dtype dtype); /* bytes of an element */

/* ---- layouts: layout.c -------------------------------------------------------------------------------------------- */

/* Copies between logical order [N, C, spatial...] and a layout's memory order; `shape` has `rank` dimensions in logical order. A
 * tensor of fewer than three dimensions has no spatial ones and is copied as it is. The buffers do not overlap and need no
 * alignment. */
void cs_to_layout(const void *logical, void *memory, const ptrdiff_t *shape, int rank, enum cs_dtype dtype, enum cs_layout layout);
void cs_from_layout(const void *memory, void *logical, const ptrdiff_t *shape, int rank, enum cs_dtype dtype,
                    enum cs_layout layout);

/* ---- .npy files: npy.c (POSIX) ------------------------------------------------------------------------------------ */

/* rank 0 is a single value: count 1. A size of 0 makes count 0. */
struct cs_npy {
  enum cs_dtype dtype;
  int rank;
  ptrdiff_t shape[CS_MAX_RANK];
  size_t count;
  void *data; /* malloc'ed, C order, native byte order */
};
/* Reads a float32 or float64 array of either byte order, .npy versions 1.0 to 3.0. Strict: NULL on success, else a static text that
 * says what is wrong (truncated, trailing bytes, wrong type, Fortran order, a header that lies about size, too many dimensions, not
 * a .npy file, cannot be opened) and nothing to free. Memory is bounded by the file's real size. */
const char *cs_npy_read(const char *path, struct cs_npy *array);
/* Writes version 1.0 in native byte order to a temporary file beside `path` that is then renamed: `path` appears whole or is left
 * alone. What is no regular file (/dev/stdout) is written directly. Returns as cs_npy_read. */
const char *cs_npy_write(const char *path, const struct cs_npy *array);
/* Frees the values and clears the rest; fine on an array that is clear. */
void cs_npy_free(struct cs_npy *array);

/* ---- guard-page buffers: guard.c (POSIX) -------------------------------------------------------------------------- */

/* `size` bytes between two inaccessible regions of 64 KiB. at_end: the last byte touches the region after (data is aligned as size
 * is, and `offset` is not read); else the first byte lies `offset` bytes after the region before (data is aligned as offset is).
 * All bytes, the slack around data too, start as 0xA5. */
struct cs_guard {
  unsigned char *data;
  size_t size;
  unsigned char *map;
  size_t map_size;
};
int cs_guard_new(struct cs_guard *guard, size_t size, int at_end, size_t offset); /* 0, or -1 when out of memory */
/* Non-zero if the slack between data and the inaccessible regions was changed. */
int cs_guard_touched(const struct cs_guard *guard);
/* Whether `address` (of a fault) lies in one of the guard's inaccessible regions: -1 before, 1 after, else 0. */
int cs_guard_hit(const struct cs_guard *guard, const void *address);
/* Unmaps and clears; fine on a guard that is clear. */
void cs_guard_free(struct cs_guard *guard);

/* ---- CPU probe: cpu.c --------------------------------------------------------------------------------------------- */

/* CPUID leaf/subleaf's register ('a'..'d'), 0 off x86 and for leaves beyond the highest; XCR0 by XGETBV, 0 where the system has not
 * enabled it. */
uint32_t cs_cpuid(uint32_t leaf, uint32_t subleaf, char reg);
uint64_t cs_xcr0(void);
int cs_permission(long request, long what); /* does the system lend registers to this process? (arch_prctl) */
/* "x86_64", "i386", "aarch64", …: what this program was compiled for. */
const char *cs_arch(void);
/* getauxval(type) on Linux, else 0. */
unsigned long cs_auxval(unsigned long type);
/* Seconds of a monotonic clock whose start is arbitrary. */
double cs_seconds(void);
#endif
