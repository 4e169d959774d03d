/* Transposed convolutions and gradients in the reference: by hand, from the matrix of the convolution that impulses rebuild, by the
 * adjoint property, and by differences. What a convolution is, test_reference.c says. */
#include "conv_case.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 4096, LAYERS = 60 };

static const float kernel_by_hand[] = {1, 4, 1, 1, 4, 3, 3, 3, 1};

static ptrdiff_t product(const ptrdiff_t *sizes, int count) {
  ptrdiff_t result = 1;
  for (int i = 0; i < count; i++) result *= sizes[i];
  return result;
}

/* The convolution of the same geometry the other way round. */
static struct cs_conv turned(const struct cs_conv *conv) {
  struct cs_conv other = *conv;
  other.transposed = !conv->transposed;
  other.in_channels = conv->out_channels;
  other.out_channels = conv->in_channels;
  memcpy(other.in, conv->out, sizeof other.in);
  memcpy(other.out, conv->in, sizeof other.out);
  return other;
}

static struct cs_conv square(ptrdiff_t in, ptrdiff_t out) {
  return (struct cs_conv){.rank = 2,
                          .batch = 1,
                          .in_channels = 1,
                          .out_channels = 1,
                          .groups = 1,
                          .in = {in, in},
                          .out = {out, out},
                          .kernel = {3, 3},
                          .stride = {1, 1},
                          .dilation = {1, 1}};
}

/* ---- by hand ------------------------------------------------------------------------------------------------------ */

static void transposed_by_hand(void **state) {
  (void)state;
  static const struct {
    float x[4];
    double y[16];
  } cases[] = {
      {{2, 1, 4, 4}, {2, 9, 6, 1, 6, 29, 30, 7, 10, 29, 33, 13, 12, 24, 16, 4}},
      {{122, 148, 126, 134}, {122, 636, 714, 148, 248, 1274, 1620, 578, 492, 1448, 1480, 550, 378, 780, 528, 134}},
  };
  struct cs_conv conv = square(2, 4);
  conv.transposed = 1;
  for (int c = 0; c < 2; c++) {
    const struct cs_conv_data data = {.input = cases[c].x, .weights = kernel_by_hand};
    for (ptrdiff_t i = 0; i < 16; i++) assert_true(conv_at(&conv, &data, i).value == cases[c].y[i]);
  }
}

/* Column i of the convolution's matrix is what it makes of impulse i; its transpose is the transposed convolution's. */
static void matrix_is_transposed(void **state) {
  (void)state;
  const struct cs_conv conv = square(4, 2), back = turned(&conv);
  for (ptrdiff_t i = 0; i < 16; i++)
    for (ptrdiff_t o = 0; o < 4; o++) {
      float x[16] = {0}, y[4] = {0};
      x[i] = y[o] = 1;
      const struct cs_conv_data forward = {.input = x, .weights = kernel_by_hand},
                                backward = {.input = y, .weights = kernel_by_hand};
      assert_true(conv_at(&conv, &forward, o).value == conv_at(&back, &backward, i).value);
    }
}

/* n inputs at distance s, each of k: s·n + (k - s) outputs, the last of which the last tap reaches. */
static void reaches_its_last_output(void **state) {
  (void)state;
  const float x[] = {0, 0, 1}, w[] = {1, 2, 3, 4};
  struct cs_conv conv = conv_row(3, 4, 0);
  conv.transposed = 1;
  conv.stride[0] = 3;
  conv.out[0] = 3 * 3 + (4 - 3);
  const struct cs_conv_data data = {.input = x, .weights = w};
  assert_true(conv_at(&conv, &data, 9).value == 4);
  assert_true(conv_at(&conv, &data, 6).value == 1);
  assert_true(conv_at(&conv, &data, 5).value == 0);
}

/* ---- random layers ------------------------------------------------------------------------------------------------ */

static ptrdiff_t pick(uint64_t *random, ptrdiff_t least, ptrdiff_t most) {
  return least + (ptrdiff_t)(cs_random(random) % (uint64_t)(most - least + 1));
}

/* A small layer of doubles, with every output that its padding of `pad` on both sides makes. */
static struct cs_conv random_conv(uint64_t *random) {
  struct cs_conv conv = {
      .rank = (int)pick(random, 1, 3), .dtype = CS_F64, .batch = pick(random, 1, 2), .groups = pick(random, 1, 3)};
  conv.in_channels = conv.groups * pick(random, 1, 3);
  conv.out_channels = conv.groups * pick(random, 1, 3);
  conv.flip = (int)pick(random, 0, 1);
  for (int d = 0; d < conv.rank; d++) {
    conv.kernel[d] = pick(random, 1, 3);
    conv.stride[d] = pick(random, 1, 3);
    conv.dilation[d] = pick(random, 1, 2);
    conv.pad[d] = pick(random, 0, 2);
    const ptrdiff_t span = conv.dilation[d] * (conv.kernel[d] - 1) + 1, pads = 2 * conv.pad[d];
    conv.in[d] = pick(random, span > pads ? span - pads : 1, span + 4);
    conv.out[d] = (conv.in[d] + pads - span) / conv.stride[d] + 1;
  }
  return conv;
}

/* Tensors of a layer in doubles, and how many elements each has. */
struct tensors {
  double x[MOST], w[MOST], y[MOST], made[MOST];
  ptrdiff_t x_count, w_count, y_count;
};

static void fill(const struct cs_conv *conv, struct tensors *tensors, uint64_t seed) {
  tensors->x_count = conv->batch * conv->in_channels * product(conv->in, conv->rank);
  tensors->y_count = conv->batch * conv->out_channels * product(conv->out, conv->rank);
  tensors->w_count = conv->out_channels * (conv->in_channels / conv->groups) * product(conv->kernel, conv->rank);
  assert_true(tensors->x_count <= MOST && tensors->y_count <= MOST && tensors->w_count <= MOST);
  cs_fill(tensors->x, (size_t)tensors->x_count, CS_F64, CS_FILL_RANDOM, 0, seed);
  cs_fill(tensors->w, (size_t)tensors->w_count, CS_F64, CS_FILL_RANDOM, 0, seed + 1);
  cs_fill(tensors->y, (size_t)tensors->y_count, CS_F64, CS_FILL_RANDOM, 0, seed + 2);
}

/* <conv(x; w), y> */
static double forward_dot(const struct cs_conv *conv, const struct tensors *tensors) {
  const struct cs_conv_data data = {.input = tensors->x, .weights = tensors->w};
  double dot = 0;
  for (ptrdiff_t i = 0; i < tensors->y_count; i++) dot += conv_at(conv, &data, i).value * tensors->y[i];
  return dot;
}

/* Weights [M, C/g, k] of a convolution are those of its transposed one, whose inputs are its outputs. */
static void transposed_is_adjoint(void **state) {
  (void)state;
  static struct tensors tensors;
  uint64_t random = 1;
  for (int layer = 0; layer < LAYERS; layer++) {
    const struct cs_conv conv = random_conv(&random), back = turned(&conv);
    fill(&conv, &tensors, (uint64_t)layer);
    const struct cs_conv_data data = {.input = tensors.y, .weights = tensors.w};
    double dot = 0;
    for (ptrdiff_t i = 0; i < tensors.x_count; i++) dot += conv_at(&back, &data, i).value * tensors.x[i];
    assert_true(fabs(dot - forward_dot(&conv, &tensors)) < 1e-11);
  }
}

/* How <conv(x; w), y> changes with one element of x or w: it is linear in each, so a central difference is exact. */
static double difference(const struct cs_conv *conv, struct tensors *tensors, double *element) {
  const double before = *element;
  *element = before + 1;
  const double above = forward_dot(conv, tensors);
  *element = before - 1;
  const double below = forward_dot(conv, tensors);
  *element = before;
  return (above - below) / 2;
}

static void gradients_are_differences(void **state) {
  (void)state;
  static struct tensors tensors;
  uint64_t random = 2;
  for (int layer = 0; layer < LAYERS; layer++) {
    const struct cs_conv conv = random_conv(&random), back = turned(&conv);
    fill(&conv, &tensors, (uint64_t)layer);
    const ptrdiff_t x = pick(&random, 0, tensors.x_count - 1);
    const struct cs_conv_data data = {.input = tensors.y, .weights = tensors.w};
    assert_true(fabs(conv_at(&back, &data, x).value - difference(&conv, &tensors, &tensors.x[x])) < 1e-11);
    ptrdiff_t w = pick(&random, 0, tensors.w_count - 1), index[CS_MAX_RANK], rest = w;
    for (int d = conv.rank - 1; d >= 0; rest /= conv.kernel[d--]) index[2 + d] = rest % conv.kernel[d];
    index[1] = rest % (conv.in_channels / conv.groups);
    index[0] = rest / (conv.in_channels / conv.groups);
    struct cs_expect expect;
    cs_conv_grad_weights_expect(&conv, tensors.x, tensors.y, index, &expect);
    assert_true(fabs(expect.value - difference(&conv, &tensors, &tensors.w[w])) < 1e-11);
  }
}

/* ---- weights of their own, permuted outputs ------------------------------------------------------------------------- */

/* A tile of one is a convolution, one of all outputs has a kernel for each. */
static void tiles_by_hand(void **state) {
  (void)state;
  const float x[] = {1, 2, 3, 4}, w[] = {1, 10, 2, 20, 3, 30};
  const double shared[] = {21, 32, 43}, in_turn[] = {21, 64, 43}, own[] = {21, 64, 129};
  const double *const expected[] = {shared, in_turn, own};
  struct cs_conv conv = conv_row(4, 2, 0);
  conv.out[0] = 3;
  const struct cs_conv_data data = {.input = x, .weights = w};
  for (int tile = 1; tile <= 3; tile++) {
    conv.tile[0] = tile;
    for (ptrdiff_t i = 0; i < 3; i++) assert_true(conv_at(&conv, &data, i).value == expected[tile - 1][i]);
  }
}

/* Channels 0 1 2 3 4 5 of two groups come out as 0 3 1 4 2 5. */
static void channels_are_shuffled(void **state) {
  (void)state;
  const float x[] = {1}, w[] = {0, 1, 2, 3, 4, 5};
  const double expected[] = {0, 3, 1, 4, 2, 5};
  struct cs_conv conv = conv_row(1, 1, 0);
  conv.out_channels = 6;
  conv.shuffle = 2;
  const struct cs_conv_data data = {.input = x, .weights = w};
  for (ptrdiff_t i = 0; i < 6; i++) {
    struct cs_expect expect;
    cs_conv_expect(&conv, &data, (const ptrdiff_t[]){0, i, 0}, &expect);
    assert_true(expect.value == expected[i]);
  }
}

/* Two channels of two blocks of pixels: channel c·2 + i of pixel x is channel c of pixel 2x + i. */
static void pixels_are_shuffled(void **state) {
  (void)state;
  const float x[] = {1, 10}, w[] = {0, 1, 2, 3}, residual[] = {100, 200, 300, 400, 500, 600, 700, 800};
  const double expected[] = {100, 201, 300, 410, 502, 603, 720, 830};
  struct cs_conv conv = conv_row(2, 1, 0);
  conv.out_channels = 4;
  conv.pixel_shuffle = 2;
  const struct cs_conv_data data = {.input = x, .weights = w, .residual = residual};
  for (ptrdiff_t i = 0; i < 8; i++) {
    struct cs_expect expect;
    cs_conv_expect(&conv, &data, (const ptrdiff_t[]){0, i / 4, i % 4}, &expect);
    assert_true(expect.value == expected[i]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(transposed_by_hand),        cmocka_unit_test(matrix_is_transposed),
      cmocka_unit_test(reaches_its_last_output),   cmocka_unit_test(transposed_is_adjoint),
      cmocka_unit_test(gradients_are_differences), cmocka_unit_test(tiles_by_hand),
      cmocka_unit_test(channels_are_shuffled),     cmocka_unit_test(pixels_are_shuffled),
  };
  return cmocka_run_group_tests_name("adjoint", tests, NULL, NULL);
}
