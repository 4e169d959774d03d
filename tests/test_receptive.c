/* Receptive fields and coverage: worked numbers, and both against plain enumeration over random small stacks and layers. */
#include "../gen/coverage.h"
#include "../gen/mem.h"
#include "../gen/op.h"
#include "../gen/receptive.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* A stack of `count` layers with kernel 3 and these dilations. */
static struct field dilated(const int64_t *dilations, size_t count) {
  struct field field = field_new();
  for (size_t i = 0; i < count; i++) assert_true(field_add(&field, 3, 1, dilations[i]));
  return field;
}
#define DILATED(...) dilated((const int64_t[]){__VA_ARGS__}, sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

static void sizes_of_dilated_layers(void **state) {
  (void)state;
  assert_int_equal(DILATED(1).size, 3);
  assert_int_equal(DILATED(2).size, 5);
  assert_int_equal(DILATED(4).size, 9);
  assert_int_equal(DILATED(1, 2).size, 7);
  assert_int_equal(DILATED(1, 2, 4).size, 15);
  assert_int_equal(DILATED(1, 1, 1).size, 7);
}

static void strides_multiply(void **state) {
  (void)state;
  struct field field = field_new(); /* ResNet's stem: 7×7/2, then 3×3/2 */
  assert_true(field_add(&field, 7, 2, 1) && field_add(&field, 3, 2, 1));
  assert_int_equal(field.size, 11);
  assert_int_equal(field.jump, 4);
  assert_true(field_add(&field, 3, 1, 1));
  assert_int_equal(field.size, 19);
}

static void holes_are_named(void **state) {
  (void)state;
  struct field field = DILATED(2, 2, 2);
  struct gaps holes = field_holes(&field);
  assert_int_equal(holes.count, 6);
  assert_string_equal(gaps_text(&holes), "1, 3, 5 … 11 (6 of 13)");
  field = DILATED(1, 2, 5);
  assert_int_equal(field_holes(&field).count, 0);
  field = DILATED(1, 2, 9);
  holes = field_holes(&field);
  assert_string_equal(gaps_text(&holes), "7, 8, 16, 17 (4 of 25)");
}

static void a_dilation_1_layer_covers(void **state) {
  (void)state;
  struct field field = DILATED(2, 2, 2);
  assert_int_equal(field_cover(&field), 2);
  field = DILATED(4, 8);
  assert_int_equal(field_cover(&field), 4);
  assert_true(field_add(&field, 4, 1, 1)); /* stride 1: the order of the layers does not matter */
  assert_int_equal(field_holes(&field).count, 0);
}

static void hybrid_dilated_convolution(void **state) {
  (void)state;
  assert_int_equal(dilations_m2((const int64_t[]){1, 2, 5}, 3), 2);
  assert_int_equal(dilations_m2((const int64_t[]){1, 2, 9}, 3), 5);
  assert_int_equal(dilations_m2((const int64_t[]){2, 2, 2}, 3), 2);
  assert_int_equal(dilations_m2((const int64_t[]){3, 4}, 2), 4);
  assert_int_equal(dilations_divisor((const int64_t[]){4, 6, 10}, 3), 2);
  assert_int_equal(dilations_divisor((const int64_t[]){1, 2, 5}, 3), 1);
}

static void huge_fields_take_no_time(void **state) {
  (void)state;
  struct field field = field_new();
  for (int i = 0; i < 20; i++) assert_true(field_add(&field, 2, 1, (int64_t)1 << (2 * i)));
  struct gaps holes = field_holes(&field); /* 2^20 ranges: not counted */
  assert_int_equal(holes.count, -1);
  assert_string_equal(gaps_text(&holes), "2 … (of 366503875926)");
  field = field_new();
  assert_true(field_add(&field, 3, 1, (int64_t)1 << 60));
  assert_int_equal(field_holes(&field).count, ((int64_t)1 << 61) - 2);
  assert_false(field_add(&field, 3, 1, (int64_t)1 << 62));
  assert_int_equal(field.size, ((int64_t)1 << 61) + 1);
}

/* ---- against enumeration ------------------------------------------------------------------------------------------ */

static int64_t below(uint64_t *seed, int64_t limit) {
  return (int64_t)(cs_random(seed) % (uint64_t)limit);
}

enum { LONGEST = 4096 };

/* The set `read` of `size` offsets, moved by each tooth and united: how the definition says it. */
static void add_taps(bool *read, int64_t kernel, int64_t step) {
  bool sum[LONGEST] = {false};
  for (int64_t k = 0; k < kernel; k++)
    for (int64_t at = 0; at + k * step < LONGEST; at++) sum[at + k * step] |= read[at];
  memcpy(read, sum, sizeof sum);
}

static void assert_gaps(const bool *read, int64_t total, const struct gaps *gaps) {
  int64_t count = 0, last = 0;
  for (int64_t at = 0; at < total; at++) {
    if (read[at]) continue;
    if (count < GAPS_LISTED) assert_int_equal(gaps->first[count], at);
    count++;
    last = at;
  }
  assert_int_equal(gaps->count, count);
  assert_int_equal(gaps->total, total);
  if (count) assert_int_equal(gaps->last, last);
}

static void holes_equal_enumeration(void **state) {
  (void)state;
  uint64_t seed = 1;
  for (int trial = 0; trial < 500; trial++) {
    struct field field = field_new();
    bool read[LONGEST] = {true};
    for (int64_t n = 1 + below(&seed, 4); n > 0; n--) {
      int64_t kernel = 1 + below(&seed, 4), stride = 1 + below(&seed, 3), dilation = 1 + below(&seed, 6);
      add_taps(read, kernel, field.jump * dilation);
      assert_true(field_add(&field, kernel, stride, dilation));
    }
    assert_in_range(field.size, 1, LONGEST);
    struct gaps gaps = field_holes(&field);
    assert_gaps(read, field.size, &gaps);
    if (gaps.count) assert_true(field_cover(&field) > 1);
  }
}

/* Index that position `at` of a padded input reads, -1 for a zero. */
static int64_t read_index(enum cs_pad_mode mode, int64_t at, int64_t in) {
  if (at >= 0 && at < in) return at;
  switch (mode) {
  case CS_REFLECT:
    return at < 0 ? -at : 2 * in - 2 - at;
  case CS_REPLICATE:
    return at < 0 ? 0 : in - 1;
  case CS_CIRCULAR:
    return at < 0 ? at + in : at - in;
  default:
    return -1;
  }
}

static struct layer random_layer(uint64_t *seed) {
  struct layer layer = {.op = &op_conv, .rank = 1, .in = {2 + below(seed, 40)}, .pad_mode = (enum cs_pad_mode)below(seed, 4)};
  layer.kernel[0] = 1 + below(seed, 6);
  layer.stride[0] = 1 + below(seed, 9);
  layer.dilation[0] = 1 + below(seed, 8);
  for (int side = 0; side < 2; side++) layer.pad[0][side] = below(seed, 10) % layer.in[0];
  int64_t room = layer.in[0] + layer.pad[0][0] + layer.pad[0][1] - layer.dilation[0] * (layer.kernel[0] - 1) - 1;
  layer.out[0] = room < 0 ? 0 : room / layer.stride[0] + 1;
  return layer;
}

static void unread_input_equals_enumeration(void **state) {
  (void)state;
  uint64_t seed = 2;
  for (int trial = 0; trial < 5000; trial++) {
    struct layer layer = random_layer(&seed);
    if (layer.out[0] == 0) continue;
    bool read[64] = {false};
    for (int64_t o = 0; o < layer.out[0]; o++)
      for (int64_t k = 0; k < layer.kernel[0]; k++) {
        int64_t at = o * layer.stride[0] + k * layer.dilation[0] - layer.pad[0][0];
        int64_t index = read_index(layer.pad_mode, at, layer.in[0]);
        if (index >= 0) read[index] = true;
      }
    struct gaps gaps;
    assert_true(input_unread(&layer, 0, &gaps));
    assert_gaps(read, layer.in[0], &gaps);
  }
}

static void unread_input_of_a_huge_signal(void **state) {
  (void)state;
  const int64_t in = (int64_t)1 << 50;
  struct layer layer = {.op = &op_conv, .rank = 1, .in = {in}, .out = {in / 4}, .kernel = {3}, .stride = {4}, .dilation = {1}};
  struct gaps gaps;
  assert_true(input_unread(&layer, 0, &gaps));
  assert_int_equal(gaps.count, in / 4);
  assert_string_equal(gaps_text(&gaps), "3, 7, 11 … 1125899906842623 (281474976710656 of 1125899906842624)");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sizes_of_dilated_layers),
      cmocka_unit_test(strides_multiply),
      cmocka_unit_test(holes_are_named),
      cmocka_unit_test(a_dilation_1_layer_covers),
      cmocka_unit_test(hybrid_dilated_convolution),
      cmocka_unit_test(huge_fields_take_no_time),
      cmocka_unit_test(holes_equal_enumeration),
      cmocka_unit_test(unread_input_equals_enumeration),
      cmocka_unit_test(unread_input_of_a_huge_signal),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  mem_release(0);
  return failed;
}
