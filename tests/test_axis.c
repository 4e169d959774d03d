/* Axes: closed forms against counting, on random small axes. */
#include "../gen/axis.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { AXES = 20000 };

static int64_t pick(uint64_t *seed, int64_t from, int64_t to) {
  return from + (int64_t)(cs_random(seed) % (uint64_t)(to - from + 1));
}

static struct axis random_axis(uint64_t *seed) {
  struct axis axis = {.in = pick(seed, 1, 12), .out = pick(seed, 1, 15)};
  axis.kernel = pick(seed, 1, 5);
  axis.stride = pick(seed, 1, 4);
  axis.dilation = pick(seed, 1, 7);
  axis.pad = pick(seed, -3, 12);
  return axis;
}

static bool is_live(const struct axis *axis, int64_t output, int64_t tap) {
  const int64_t at = output * axis->stride - axis->pad + tap * axis->dilation;
  return at >= 0 && at < axis->in;
}

static bool is_whole(const struct axis *axis, int64_t output) {
  bool whole = true;
  for (int64_t k = 0; k < axis->kernel; k++) whole &= is_live(axis, output, k);
  return whole;
}

/* A group has a tap if what lies between its first and its last output's meets the input: between strides too. */
static int64_t counted(const struct axis *axis, int64_t span) {
  int64_t live = 0;
  for (int64_t first = 0; first < axis->out; first += span)
    for (int64_t k = 0; k < axis->kernel; k++) {
      const int64_t last = (first + span < axis->out ? first + span : axis->out) - 1, at = k * axis->dilation - axis->pad;
      live += last * axis->stride + at >= 0 && first * axis->stride + at < axis->in;
    }
  return live;
}

static void live_taps_are_counted(void **state) {
  (void)state;
  uint64_t seed = 1;
  for (int i = 0; i < AXES; i++) {
    const struct axis axis = random_axis(&seed);
    int64_t single = 0;
    for (int64_t o = 0; o < axis.out; o++)
      for (int64_t k = 0; k < axis.kernel; k++) single += is_live(&axis, o, k);
    assert_int_equal(axis_live(&axis, 1), single);
    for (int64_t span = 1; span <= 6; span++) assert_int_equal(axis_live(&axis, span), counted(&axis, span));
  }
}

static void interiors_are_whole(void **state) {
  (void)state;
  uint64_t seed = 2;
  for (int i = 0; i < AXES; i++) {
    struct axis axis = random_axis(&seed);
    int64_t from, to;
    axis_interior(&axis, &from, &to);
    for (int64_t o = 0; o < axis.out; o++) assert_int_equal(o >= from && o < to, is_whole(&axis, o));
    bool trimmed = false;
    for (int64_t o = 0; o < axis.out; o++) trimmed |= !is_whole(&axis, o);
    if (axis.pad >= 0) assert_int_equal(axis_trimmed(&axis), trimmed);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(live_taps_are_counted),
      cmocka_unit_test(interiors_are_whole),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
