/* Baked weights: their spectra, as NAME_pack of templates/lib/fft_pack.t makes them where weights are given at run time: sums over
 * the taps, in the order in which passes leave points. */
#include "fft.h"
#include "mem.h"
#include <math.h>

double fft_cosine(int64_t k, int64_t n) {
  static const double turn = 6.283185307179586476925;
  k %= n;
  if (2 * k > n) k = n - k;
  if (4 * k > n) return -fft_cosine(n - 2 * k, 2 * n);
  if (8 * k > n) return sin(turn * (double)(n - 4 * k) / (double)(4 * n));
  return cos(turn * (double)k / (double)n);
}

/* cos(2πk/n) and the same a quarter of a turn before. */
struct turn {
  double cosine, sine;
};

static struct turn turn_of(int64_t k, int64_t n) {
  return (struct turn){fft_cosine(4 * k, 4 * n), fft_cosine(4 * k + 3 * n, 4 * n)};
}

/* The frequency that passes leave at place i. */
static int64_t frequency(const struct fft_axis *axis, int64_t i) {
  if (axis->passes < 2) return i;
  return i / axis->factor[1] + i % axis->factor[1] * axis->factor[0];
}

/* Taps `step` apart as a line's sum at one frequency, of n. */
static struct turn along_row(const struct fft *fft, int64_t from, int64_t step, int64_t taps, int64_t angle, int64_t n) {
  struct turn sum = {0, 0};
  for (int64_t k = 0; k < taps; k++) {
    const double value = cs_get(fft->problem->baked_weights, (size_t)(from + k * step), fft->problem->dtype);
    const struct turn turn = turn_of(k * angle, n);
    sum.cosine += value * turn.cosine;
    sum.sine += value * turn.sine;
  }
  return sum;
}

/* The sum over the rows of a column of `taps`. */
static struct turn along_column(const struct turn *rows, int64_t taps, int64_t angle, int64_t n) {
  struct turn sum = {0, 0};
  for (int64_t k = 0; k < taps; k++) {
    const struct turn turn = turn_of(k * angle, n);
    sum.cosine += rows[k].cosine * turn.cosine - rows[k].sine * turn.sine;
    sum.sine += rows[k].cosine * turn.sine + rows[k].sine * turn.cosine;
  }
  return sum;
}

/* The kernel at element `from` to element `to` of the spectra, column by column. */
static void spectrum(const struct fft *fft, int64_t from, char *spectra, int64_t to) {
  const struct fft_axis *tall = &fft->axis[FFT_TALL], *row = &fft->axis[FFT_ROW];
  const enum cs_dtype dtype = fft->problem->dtype;
  const double share = 1 / (double)(tall->points * row->points);
  struct turn *rows = mem_array((size_t)tall->axis.kernel, sizeof *rows);
  for (int64_t c = 0; c < row->points; c++) {
    for (int64_t a = 0; a < tall->axis.kernel; a++)
      rows[a] = along_row(fft, from + a * tall->axis.w_step, row->axis.w_step, row->axis.kernel, frequency(row, c), row->points);
    for (int64_t p = 0; p < tall->points; p++, to += 2 * fft->problem->in_channels * fft->w_lane) {
      const struct turn value = along_column(rows, tall->axis.kernel, frequency(tall, p), tall->points);
      cs_put(spectra, (size_t)to, dtype, value.cosine * share);
      cs_put(spectra, (size_t)(to + fft->w_lane), dtype, value.sine * share);
    }
  }
}

const void *fft_spectra(const struct fft *fft) {
  const struct problem *problem = fft->problem;
  char *spectra = mem_array((size_t)fft->w_size, cs_size(problem->dtype));
  for (int64_t g = 0; g < problem->groups; g++) {
    const int64_t group = fft->choice.lanes == FFT_GROUPS ? g / fft->lanes * fft->w_group + g % fft->lanes : g * fft->w_group;
    for (int64_t m = 0; m < problem->out_channels; m++)
      for (int64_t c = 0; c < problem->in_channels; c++)
        spectrum(fft, problem->w_first + g * problem->w_group + m * problem->w_out + c * problem->w_in, spectra,
                 group + m * fft->w_out + c * 2 * fft->w_lane);
  }
  return spectra;
}
