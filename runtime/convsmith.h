/* convsmith's runtime: what checks a kernel. C99; ref_*.c, fill.c and compare.c need nothing but the standard library and are
 * also written into emitted tests; npy.c is standard C; guard.c and cpu.c are for POSIX and x86.
 *
 * Tensors are in logical order here, whatever layout a kernel uses: activations [N, C, spatial...], weights
 * [M, C/groups, kernel...]; rows are contiguous, the last dimension fastest. */
#ifndef CONVSMITH_H
#define CONVSMITH_H
#include <stddef.h>
#include <stdint.h>

enum { CS_MAX_SPATIAL = 3, CS_MAX_RANK = 8 };
enum cs_dtype { CS_F32, CS_F64 };
enum cs_layout { CS_NHWC, CS_NCHW };
enum cs_pad_mode { CS_ZEROS, CS_REFLECT, CS_REPLICATE, CS_CIRCULAR };
enum cs_activation {
  CS_NONE, CS_RELU, CS_RELU6, CS_SIGMOID, CS_TANH, CS_SILU, CS_HARDSWISH, CS_HARDSIGMOID, CS_GELU, CS_LEAKY_RELU, CS_CLAMP, CS_PRELU
};

/* ---- reference: ref_conv.c ---------------------------------------------------------------------------------------- */

/* A convolution by its definition. Spatial arrays hold `rank` entries. */
struct cs_conv {
  int rank;
  enum cs_dtype dtype;
  ptrdiff_t batch, in_channels, out_channels, groups;
  ptrdiff_t in[CS_MAX_SPATIAL], out[CS_MAX_SPATIAL], kernel[CS_MAX_SPATIAL];
  ptrdiff_t stride[CS_MAX_SPATIAL], dilation[CS_MAX_SPATIAL], pad[CS_MAX_SPATIAL]; /* pad: before the first element */
  enum cs_pad_mode pad_mode;
  int flip;              /* true convolution: the kernel is flipped in every spatial dimension */
  int skip_zero_weights; /* a weight that is exactly zero is no tap (baked weights) */
  enum cs_activation activation;
  double act[2];         /* leaky_relu: slope; clamp: lo, hi */
};

/* Its data, each of the layer's type; bias, residual and slope (prelu, [M]) may be NULL. */
struct cs_conv_data {
  const void *input, *weights, *bias, *residual, *slope;
};

/* What an output may be. value + rest is y* (rest: the low part of a double-double; 0 for f32), and a finite y* is met within
 * `bound`. Where y* is NaN or an infinity, the result must be the same, the sign of infinity too.
 * overflow: the sum of |x||w| over finite terms exceeds the type's maximum, so that partial sums may leave the type's range: NaN is
 * right as well, and so are `low` and `high`, what -infinity and +infinity become through the activation (NaN: no such result). */
struct cs_expect {
  double value, rest, bound;
  double low, high;
  int overflow;
};

/* y* of output index [n, m, o...] with the bound of `strict`: γ(n)Σ|x||w| + n·denormal, carried through the activation
 * (+ 8u·S). n = (C/g)·Πk + 2; u = 2^-24 (f64: 2^-53). Sums are in double; for f64 in double-double. */
void cs_conv_expect(const struct cs_conv *conv, const struct cs_conv_data *data, const ptrdiff_t *index, struct cs_expect *expect);

/* ---- comparison: compare.c ---------------------------------------------------------------------------------------- */

/* Non-zero if `got` (an element of type dtype, as double) is right. exact: error must be 0 (small integers). */
int cs_right(const struct cs_expect *expect, double got, int exact);

/* ---- data: fill.c ------------------------------------------------------------------------------------------------- */

enum cs_fill { CS_FILL_INTEGERS, CS_FILL_RANDOM, CS_FILL_HOSTILE };
/* Fills `count` elements, the same for equal `seed` on every machine. INTEGERS: -limit..limit whole numbers; RANDOM: in (-1, 1);
 * HOSTILE: mostly random, with NaN, infinities, denormals, zeros of both signs, huge beside tiny. */
void cs_fill(void *data, size_t count, enum cs_dtype dtype, enum cs_fill kind, int limit, uint64_t seed);
uint64_t cs_random(uint64_t *state); /* splitmix64 */
double cs_get(const void *data, size_t index, enum cs_dtype dtype);
void cs_put(void *data, size_t index, enum cs_dtype dtype, double value);
size_t cs_size(enum cs_dtype dtype); /* bytes of an element */

/* Copies between logical order [N, C, spatial...] and a layout's memory order. `shape` has rank dimensions. */
void cs_to_layout(const void *logical, void *memory, const ptrdiff_t *shape, int rank, enum cs_dtype dtype, enum cs_layout layout);
void cs_from_layout(const void *memory, void *logical, const ptrdiff_t *shape, int rank, enum cs_dtype dtype, enum cs_layout layout);

/* ---- .npy files: npy.c -------------------------------------------------------------------------------------------- */

struct cs_npy {
  enum cs_dtype dtype;
  int rank;
  ptrdiff_t shape[CS_MAX_RANK];
  size_t count;
  void *data; /* malloc'ed, C order, native byte order */
};
/* Reads a float32 or float64 array. Strict: NULL on success, else a static text that says what is wrong (truncated, trailing
 * bytes, wrong type, Fortran order, a header that lies about size, too many dimensions, not a .npy file, cannot be opened). */
const char *cs_npy_read(const char *path, struct cs_npy *array);
/* Writes version 1.0, little-endian, to a temporary file beside `path` that is then renamed. Returns as cs_npy_read. */
const char *cs_npy_write(const char *path, const struct cs_npy *array);
void cs_npy_free(struct cs_npy *array);

/* ---- guard-page buffers: guard.c (POSIX) -------------------------------------------------------------------------- */

/* `size` bytes between two inaccessible pages. at_end: the last byte touches the page after; else the first byte lies `offset`
 * bytes after the page before. */
struct cs_guard {
  unsigned char *data;
  size_t size;
  unsigned char *map;
  size_t map_size;
};
int cs_guard_new(struct cs_guard *guard, size_t size, int at_end, size_t offset); /* 0, or -1 when out of memory */
/* Non-zero if the slack between data and the page on its far side was written. */
int cs_guard_touched(const struct cs_guard *guard);
/* Non-zero if `address` lies in one of the guard's two pages: -1 before, 1 after. */
int cs_guard_hit(const struct cs_guard *guard, const void *address);
void cs_guard_free(struct cs_guard *guard);

/* ---- CPU probe: cpu.c --------------------------------------------------------------------------------------------- */

/* CPUID leaf/subleaf's register ('a'..'d'), 0 off x86; XCR0 by xgetbv, 0 where the system has not enabled it. */
uint32_t cs_cpuid(uint32_t leaf, uint32_t subleaf, char reg);
uint64_t cs_xcr0(void);
/* "x86_64", "i386", "aarch64", …: what this program was compiled for. */
const char *cs_arch(void);
/* getauxval(type) on Linux, else 0. */
unsigned long cs_auxval(unsigned long type);
/* Seconds of a monotonic clock. */
double cs_seconds(void);
#endif
