/* Baked weights of layers with many input channels, whose plans take these in chunks: the arrays hold all of them, in each plan's
 * order. */
#include "../gen/mem.h"
#include "../runtime/convsmith.h"
#include "scratch.h"
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A layer: keys beside its weights' path, and the weights' shape. */
static const struct layer_case {
  const char *name, *keys;
  enum cs_dtype dtype;
  int rank;
  int64_t shape[5];
} cases[] = {
    {"plain", "input: [2, 64, 5, 6], out_channels: 17, kernel_size: 3, padding: 1, bias: true", CS_F32, 4, {17, 64, 3, 3}},
    {"channels_first",
     "input: [1, 64, 5, 6], out_channels: 6, kernel_size: 3, layout: nchw, residual: true",
     CS_F32,
     4,
     {6, 64, 3, 3}},
    {"groups", "input: [1, 128, 4, 5], out_channels: 34, kernel_size: 3, groups: 2, flip: true", CS_F32, 4, {34, 64, 3, 3}},
    {"doubles", "input: [1, 64, 9], out_channels: 9, kernel_size: 5, dtype: f64", CS_F64, 3, {9, 64, 5}},
    {"volume", "input: [1, 64, 2, 5, 4], out_channels: 3, kernel_size: 3, padding: same, stride: 2", CS_F32, 5, {3, 64, 3, 3, 3}},
    {"transposed",
     "op: conv_transpose, input: [1, 64, 4, 3], out_channels: 5, kernel_size: 5, stride: 2",
     CS_F32,
     4,
     {64, 5, 5, 5}},
    {"fewer_products", "input: [1, 64, 8, 8], out_channels: 32, kernel_size: 3, accuracy: normwise", CS_F32, 4, {32, 64, 3, 3}},
};

/* Some weights are zero: no taps. */
static void write_weights(const struct layer_case *layer) {
  struct cs_npy array = {.dtype = layer->dtype, .rank = layer->rank, .count = 1};
  for (int d = 0; d < layer->rank; d++) {
    array.shape[d] = layer->shape[d];
    array.count *= (size_t)layer->shape[d];
  }
  uint64_t random = 1;
  array.data = mem_array(array.count, cs_size(layer->dtype));
  for (size_t i = 0; i < array.count; i++) {
    const uint64_t drawn = cs_random(&random);
    cs_put(array.data, i, layer->dtype, drawn % 8 ? (double)(drawn % 1000) / 500 - 1 : 0);
  }
  assert_null(cs_npy_write(scratch_path(mem_text("%s.npy", layer->name)), &array));
}

static void chunks_are_right(void **state) {
  const struct layer_case *layer = *state;
  const size_t mark = mem_mark();
  write_weights(layer);
  const char *spec = scratch_write(
      "spec.yaml", mem_text("convsmith: 1\nlayers: [{name: %s, weights: %s.npy, %s}]\n", layer->name, layer->name, layer->keys));
  if (convsmith("verify %s --target vec128,native --plans all", spec) != 0 || !strstr(said, "-by")) fail_msg("%s", said);
  mem_release(mark);
}

int main(void) {
  struct CMUnitTest tests[sizeof cases / sizeof *cases];
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    tests[i] = (struct CMUnitTest){cases[i].name, chunks_are_right, NULL, NULL, (void *)(uintptr_t)&cases[i]};
  scratch_begin("baked");
  return cmocka_run_group_tests(tests, NULL, NULL);
}
