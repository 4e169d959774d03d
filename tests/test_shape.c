/* Shape arithmetic against numbers worked by hand from the formulas of docs/spec.md, and at the edge of 63 bits. */
#include "../gen/shape.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct same {
  int64_t in, kernel, stride, dilation, out, before, after; /* pads of `same` */
};

/* total = max(0, (out-1)·stride + dilation·(kernel-1) + 1 - in), the smaller half before. */
static const struct same table[] = {
    {7, 3, 1, 1, 7, 1, 1}, {7, 3, 2, 1, 4, 1, 1}, {7, 3, 3, 1, 3, 1, 1},     {7, 3, 1, 2, 7, 2, 2}, {7, 3, 2, 2, 4, 2, 2},
    {7, 3, 3, 2, 3, 2, 2}, {7, 3, 1, 3, 7, 3, 3}, {7, 3, 2, 3, 4, 3, 3},     {7, 3, 3, 3, 3, 3, 3}, {8, 3, 1, 1, 8, 1, 1},
    {8, 3, 2, 1, 4, 0, 1}, {8, 3, 3, 1, 3, 0, 1}, {8, 3, 1, 2, 8, 2, 2},     {8, 3, 2, 2, 4, 1, 2}, {8, 3, 3, 2, 3, 1, 2},
    {8, 3, 1, 3, 8, 3, 3}, {8, 3, 2, 3, 4, 2, 3}, {8, 3, 3, 3, 3, 2, 3},     {7, 2, 1, 1, 7, 0, 1}, {7, 2, 2, 1, 4, 0, 1},
    {7, 2, 3, 1, 3, 0, 1}, {8, 2, 1, 1, 8, 0, 1}, {8, 2, 2, 1, 4, 0, 0},     {8, 2, 3, 1, 3, 0, 0}, {8, 1, 3, 1, 3, 0, 0},
    {1, 5, 1, 1, 1, 2, 2}, {1, 4, 2, 3, 1, 4, 5}, {224, 7, 2, 1, 112, 2, 3},
};

static void same(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    const struct same *row = &table[i];
    int64_t upper[2], lower[2], out;
    assert_true(shape_pads(PAD_SAME, row->in, row->kernel, row->stride, row->dilation, upper));
    assert_true(shape_pads(PAD_SAME_LOWER, row->in, row->kernel, row->stride, row->dilation, lower));
    assert_int_equal(upper[0], row->before);
    assert_int_equal(upper[1], row->after);
    assert_int_equal(lower[0], row->after);
    assert_int_equal(lower[1], row->before);
    assert_true(shape_out(row->in, row->kernel, row->stride, row->dilation, upper, &out));
    assert_int_equal(out, row->out);
    assert_true(shape_out(row->in, row->kernel, row->stride, row->dilation, lower, &out));
    assert_int_equal(out, row->out);
  }
}

static void full_causal_explicit(void **state) {
  (void)state;
  int64_t pad[2] = {4, 5}, out;
  assert_true(shape_pads(PAD_EXPLICIT, 9, 3, 1, 1, pad));
  assert_int_equal(pad[0], 4);
  assert_int_equal(pad[1], 5);
  assert_true(shape_pads(PAD_FULL, 9, 3, 1, 2, pad));
  assert_int_equal(pad[0], 4);
  assert_int_equal(pad[1], 4);
  assert_true(shape_out(9, 3, 1, 2, pad, &out));
  assert_int_equal(out, 13); /* in + dilation·(kernel-1) */
  assert_true(shape_pads(PAD_CAUSAL, 9, 3, 1, 2, pad));
  assert_int_equal(pad[0], 4);
  assert_int_equal(pad[1], 0);
  assert_true(shape_out(9, 3, 1, 2, pad, &out));
  assert_int_equal(out, 9);
}

static void output_sizes(void **state) {
  static const int64_t rows[][7] = {/* in, kernel, stride, dilation, before, after, out */
                                    {224, 7, 2, 1, 3, 3, 112}, {13, 3, 1, 1, 1, 1, 13}, {227, 11, 4, 1, 0, 0, 55},
                                    {5, 5, 1, 1, 0, 0, 1},     {5, 6, 1, 1, 0, 0, 0},   {5, 6, 1, 1, 0, 1, 1},
                                    {8, 3, 1, 4, 0, 0, 0},     {9, 3, 1, 4, 0, 0, 1},   {1, 1, 9, 9, 0, 0, 1},
                                    {4, 3, 2, 1, 0, 0, 1},     {1, 2, 1, 7, 0, 0, 0}};
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const int64_t *row = rows[i];
    int64_t out = -1;
    assert_true(shape_out(row[0], row[1], row[2], row[3], &row[4], &out));
    assert_int_equal(out, row[6]);
  }
}

static void overflow(void **state) {
  (void)state;
  int64_t result, pad[2] = {0, 0};
  assert_true(shape_mul(INT64_C(1) << 31, (INT64_C(1) << 32) - 1, &result));
  assert_true(result == INT64_MAX - ((INT64_C(1) << 31) - 1));
  assert_false(shape_mul(INT64_C(1) << 31, INT64_C(1) << 32, &result));
  assert_true(shape_add(INT64_MAX - 1, 1, &result));
  assert_false(shape_add(INT64_MAX, 1, &result));
  assert_true(shape_product((const int64_t[]){3, 5, 7}, 3) == 105);
  assert_true(shape_product((const int64_t[]){INT64_MAX, 1, 2}, 3) == INT64_MAX);
  assert_true(shape_out(INT64_MAX, 1, 1, 1, pad, &result));
  assert_true(result == INT64_MAX);
  pad[1] = 1;
  assert_false(shape_out(INT64_MAX, 1, 1, 1, pad, &result));
  assert_false(shape_out(1, (INT64_C(1) << 62) + 1, 1, 2, (const int64_t[]){0, 0}, &result));
  assert_false(shape_pads(PAD_SAME, 1, (INT64_C(1) << 62) + 1, 1, 2, pad));
  assert_true(shape_pads(PAD_CAUSAL, 1, INT64_MAX, 1, 1, pad));
  assert_true(pad[0] == INT64_MAX - 1);
  assert_true(shape_pads(PAD_SAME, INT64_MAX, 3, INT64_MAX, 1, pad));
  assert_true(pad[0] + pad[1] == 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(same), cmocka_unit_test(full_causal_explicit), cmocka_unit_test(output_sizes),
                                     cmocka_unit_test(overflow)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
