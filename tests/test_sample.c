/* Which outputs verify compares: all of small layers; of large ones, corners, edges, seams and seeded ones. */
#include "../gen/mem.h"
#include "../gen/sample.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* 64 to 32 channels, 3x3, on a picture of `size` squared: 18,432 multiply-adds an output place. */
static struct layer square(int64_t size) {
  return (struct layer){.op = &op_conv,
                        .rank = 2,
                        .batch = 3,
                        .in_channels = 64,
                        .out_channels = 32,
                        .groups = 1,
                        .in = {size, size},
                        .out = {size, size},
                        .kernel = {3, 3},
                        .stride = {1, 1},
                        .dilation = {1, 1},
                        .pad = {{1, 1}, {1, 1}},
                        .in_layout = CS_NCHW,
                        .out_layout = CS_NCHW};
}

static struct sample sample_of(const struct layer *layer, struct tensor *output, const struct plan *plan, bool full) {
  struct tensor tensors[MAX_TENSORS];
  *output = tensors[layer->op->tensors(layer, tensors) - 1];
  return sample_outputs(layer, output, &plan, 1, full, 1);
}

static bool has(const struct sample *sample, const struct tensor *output, ptrdiff_t n, ptrdiff_t m, ptrdiff_t y, ptrdiff_t x) {
  const size_t element = (size_t)(((n * output->shape[1] + m) * output->shape[2] + y) * output->shape[3] + x);
  for (size_t i = 0; i < sample->count; i++)
    if (sample->elements[i] == element) return true;
  return false;
}

static void small_layers_whole(void **state) {
  (void)state;
  const struct layer layer = square(20);
  const struct plan plan = {.row_tile = 6};
  struct tensor output;
  struct sample sample = sample_of(&layer, &output, &plan, false);
  assert_int_equal(sample.count, 3 * 32 * 20 * 20);
  assert_int_equal(sample.elements[sample.count - 1], sample.count - 1);
  mem_release(0);
}

static void large_layers_at_edges_and_seams(void **state) {
  (void)state;
  const struct layer layer = square(100);
  const struct plan plan = {.row_tile = 14};
  struct tensor output;
  struct sample sample = sample_of(&layer, &output, &plan, false);
  const size_t edges = (size_t)2 * 32 * (4 * 99);
  assert_true(sample.count > edges + 19000 && sample.count < 3 * 32 * 100 * 100 / 4);
  for (ptrdiff_t m = 0; m < 32; m++) {
    for (ptrdiff_t i = 0; i < 100; i++) {
      assert_true(has(&sample, &output, 0, m, 0, i) && has(&sample, &output, 2, m, 99, i));
      assert_true(has(&sample, &output, 0, m, i, 0) && has(&sample, &output, 2, m, i, 99));
    }
    for (ptrdiff_t seam = 14; seam < 100; seam += 14)
      for (ptrdiff_t x = seam - 1; x <= seam + 1; x++) assert_true(has(&sample, &output, 0, m, 50, x));
    assert_true(has(&sample, &output, 0, m, 50, 1) && has(&sample, &output, 0, m, 98, 50)); /* where the border's taps end */
  }
  for (size_t i = 1; i < sample.count; i++) assert_true(sample.elements[i - 1] < sample.elements[i]);
  mem_release(0);
}

static void large_layers_whole_when_asked(void **state) {
  (void)state;
  const struct layer layer = square(100);
  const struct plan plan = {.row_tile = 14};
  struct tensor output;
  assert_int_equal(sample_of(&layer, &output, &plan, true).count, 3 * 32 * 100 * 100);
  mem_release(0);
}

static void indices_in_logical_order(void **state) {
  (void)state;
  const struct tensor tensor = {.rank = 4, .shape = {2, 3, 4, 5}};
  ptrdiff_t index[CS_MAX_RANK];
  tensor_index(&tensor, 119, index);
  assert_memory_equal(index, ((const ptrdiff_t[]){1, 2, 3, 4}), 4 * sizeof *index);
  tensor_index(&tensor, 61, index);
  assert_memory_equal(index, ((const ptrdiff_t[]){1, 0, 0, 1}), 4 * sizeof *index);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(small_layers_whole), cmocka_unit_test(large_layers_at_edges_and_seams),
                                     cmocka_unit_test(large_layers_whole_when_asked), cmocka_unit_test(indices_in_logical_order)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
