/* Convolution by fast Fourier transforms, for large kernels: overlap-save. Outputs are cut into blocks. What a block reads is
 * transformed, multiplied by the kernel's spectrum, summed over input channels and transformed back; the first outputs of the block
 * are those around which nothing wrapped.
 *
 * Data are real: two neighbouring blocks are one tile, the real and the imaginary part of one complex block, which the real
 * kernel's spectrum leaves apart. So every transform is complex and nothing is computed twice. A vector holds the same point of
 * several tiles:
 *
 *   groups: of neighbouring groups of one input channel each; the spectra are vectors too
 *   tiles:  of neighbouring tiles; a point of a spectrum is broadcast
 *
 * A complex vector is a vector of real parts and one of imaginary parts behind it. Transforms along an axis take one pass of
 * straight code, or two with twiddles between them; their results lie in the order in which the passes leave them, spectra too.
 * Transforms back are the same with real and imaginary parts exchanged. */
#ifndef GEN_FFT_H
#define GEN_FFT_H
#include "alg.h"

enum fft_lanes { FFT_GROUPS, FFT_TILES };
enum { FFT_AXES = 2, FFT_PASSES = 2, FFT_TALL = 0, FFT_ROW = 1 };

/* `count` transforms of `points` complex vectors each. Steps are between points, `next` between transforms; in twiddles both count
 * complex numbers. */
struct fft_pass {
  int64_t points, count;
  int64_t live, kept; /* points that are not always zero, results that something comes of: the first ones */
  int64_t from_step, from_next, to_step, to_next;
  bool twiddled; /* each result is multiplied by a twiddle */
  int64_t twiddle_step, twiddle_next;
};

struct fft_axis {
  struct axis axis;
  int64_t points;             /* of a block; 1: the axis is not transformed */
  int64_t factor[FFT_PASSES]; /* points of each pass forward */
  int passes;
  int64_t outputs, pair, tiles; /* of a block; blocks of a tile; tiles */
  int64_t used;                 /* points that passes read: those behind are zeros */
  int64_t gap;                  /* elements left free behind each transform of the second pass in a line */
  struct fft_pass forward[FFT_PASSES], inverse[FFT_PASSES];
};

struct fft_choice {
  enum fft_lanes lanes;
  int64_t points[FFT_AXES];
};

struct fft {
  const struct problem *problem;
  struct fft_choice choice;
  int64_t lanes, bundles, last; /* of a vector; vectors of groups or tiles; live lanes of the last one */
  bool scattered;               /* lanes are brought together one by one */
  bool fused; /* a column is transformed there and back at once: no sum over channels, no two outputs of one input */
  struct fft_axis axis[FFT_AXES];
  int64_t step, pitch, plane;      /* elements from a complex vector to the next, to the next row, to the next channel */
  int64_t columns, column;         /* products: columns, and complex vectors in each */
  int64_t w_lane, w_column, w_out; /* elements from a real part to the imaginary one; of a column, of an output channel */
  int64_t w_group, w_size, b_size; /* of a group, or a vector of groups; of all */
  int64_t line;                    /* elements of a line: blocks on their way in or out */
  int64_t workspace;               /* elements */
};

/* Lays out a choice, which must fit: fft_reason is NULL. */
void fft_build(struct fft *fft, const struct problem *problem, const struct isa *isa, const struct fft_choice *choice);
/* Estimated cycles; bytes of code of the largest function; vector operations written in the text. */
double fft_cost(const struct fft *fft, const struct isa *isa);
int64_t fft_code_bytes(const struct fft *fft);
int64_t fft_operations(const struct fft *fft);
/* cos(2πk/n), from angles up to an eighth of a turn: symmetries hold exactly. */
double fft_cosine(int64_t k, int64_t n);
/* The spectra of baked weights, w_size elements. */
const void *fft_spectra(const struct fft *fft);
/* Pushes the kernel as a Lua table, in the templates' words. */
void fft_push(lua_State *L, const struct fft *fft);
#endif
