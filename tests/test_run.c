/* convsmith run: real arrays through a generated kernel, and everything that can be wrong with them. */
#include "../gen/mem.h"
#include "../runtime/convsmith.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scratch.h"

/* Writes a float32 array of whole numbers. */
static void write_array(const char *name, int rank, const ptrdiff_t *shape, const float *values) {
  struct cs_npy array = {.dtype = CS_F32, .rank = rank, .count = 1, .data = (void *)(uintptr_t)values};
  for (int i = 0; i < rank; i++) array.count *= (size_t)(array.shape[i] = shape[i]);
  assert_null(cs_npy_write(scratch_path(name), &array));
}

/* Reads an array and compares it; frees it. */
static void assert_array(const char *name, int rank, const ptrdiff_t *shape, const float *values) {
  struct cs_npy array;
  assert_null(cs_npy_read(scratch_path(name), &array));
  assert_int_equal(array.dtype, CS_F32);
  assert_int_equal(array.rank, rank);
  assert_memory_equal(array.shape, shape, (size_t)rank * sizeof *shape);
  assert_memory_equal(array.data, values, array.count * sizeof *values);
  cs_npy_free(&array);
}

static const float picture[16] = {4, 5, 8, 7, 1, 8, 8, 8, 3, 6, 6, 4, 6, 5, 7, 8};
static const float kernel[9] = {1, 4, 1, 1, 4, 3, 3, 3, 1};

static void write_picture(void) {
  write_array("x.npy", 4, (const ptrdiff_t[]){1, 1, 4, 4}, picture);
  write_array("w.npy", 4, (const ptrdiff_t[]){1, 1, 3, 3}, kernel);
}

static const char *spec_path(void) {
  return scratch_write("spec.yaml",
                       "convsmith: 1\n"
                       "layers:\n"
                       "  - {name: plain, input: [1, 1, 4, 4], out_channels: 1, kernel_size: 3}\n"
                       "  - {name: two, input: [1, 2, 1, 3], out_channels: 2, kernel_size: 1, bias: true, residual: true,\n"
                       "     input_layout: nhwc, output_layout: nchw}\n"
                       "  - {name: fixed, input: [1, 1, 4, 4], out_channels: 1, kernel_size: 3, weights: w.npy}\n");
}

/* Rows (4 5 8 7; 1 8 8 8; 3 6 6 4; 6 5 7 8) and kernel (1 4 1; 1 4 3; 3 3 1) give (122 148; 126 134). */
static void worked_example(void **state) {
  (void)state;
  write_picture();
  assert_int_equal(convsmith("run %s --layer plain --tensor input=%s --tensor weights=%s -o %s", spec_path(), scratch_path("x.npy"),
                             scratch_path("w.npy"), scratch_path("y.npy")),
                   0);
  assert_string_equal(said, "");
  assert_array("y.npy", 4, (const ptrdiff_t[]){1, 1, 2, 2}, (const float[]){122, 148, 126, 134});
}

/* Arrays of bf16 are float32: what is no bf16 is rounded, and so are sums: between 128 and 256 to whole numbers, from there on to
 * even ones, 257 to 256. */
static void bf16_travels_as_f32(void **state) {
  (void)state;
  const char *path =
      mem_text("%s", scratch_write("half.yaml", "convsmith: 1\nlayers:\n  - {name: half, dtype: bf16, input: [1, 1, 3], "
                                                "out_channels: 1, kernel_size: 1}\n"));
  write_array("x.npy", 3, (const ptrdiff_t[]){1, 1, 3}, (const float[]){128.6F, 257, -3});
  write_array("w.npy", 3, (const ptrdiff_t[]){1, 1, 1}, (const float[]){1.001F});
  assert_int_equal(convsmith("run %s --tensor input=%s --tensor weights=%s -o %s", path, scratch_path("x.npy"),
                             scratch_path("w.npy"), scratch_path("y.npy")),
                   0);
  assert_array("y.npy", 3, (const ptrdiff_t[]){1, 1, 3}, (const float[]){129, 256, -3});
  write_array("w.npy", 3, (const ptrdiff_t[]){1, 1, 1}, (const float[]){1.002F}); /* nearer to 1 than to 1.0078125 */
  assert_int_equal(
      convsmith("run %s --set weights=w.npy --tensor input=%s -o %s", path, scratch_path("x.npy"), scratch_path("y.npy")), 0);
  assert_array("y.npy", 3, (const ptrdiff_t[]){1, 1, 3}, (const float[]){129, 256, -3});
}

static void baked_weights_are_not_asked_for(void **state) {
  (void)state;
  write_picture();
  assert_int_equal(convsmith("run %s --layer fixed --target scalar --tensor input=%s -o %s", spec_path(), scratch_path("x.npy"),
                             scratch_path("y.npy")),
                   0);
  assert_array("y.npy", 4, (const ptrdiff_t[]){1, 1, 2, 2}, (const float[]){122, 148, 126, 134});
  assert_int_equal(convsmith("run %s --layer fixed --tensor input=%s --tensor weights=%s -o %s", spec_path(), scratch_path("x.npy"),
                             scratch_path("w.npy"), scratch_path("y.npy")),
                   2);
  assert_non_null(strstr(said, "the values of 'weights' are baked into fixed; it takes input f32 [1, 1, 4, 4]\n"));
}

/* y[m][j] = Σ_c w[m][c] x[c][j] + bias[m] + residual[m][j], whatever the layouts are, and with a choice among targets. */
static void logical_order_in_every_layout(void **state) {
  (void)state;
  write_array("x.npy", 4, (const ptrdiff_t[]){1, 2, 1, 3}, (const float[]){1, 2, 3, 10, 20, 30});
  write_array("r.npy", 4, (const ptrdiff_t[]){1, 2, 1, 3}, (const float[]){0, 1000, 0, 0, 0, 2000});
  write_array("w2.npy", 4, (const ptrdiff_t[]){2, 2, 1, 1}, (const float[]){1, 1, 2, -1});
  write_array("b.npy", 1, (const ptrdiff_t[]){2}, (const float[]){100, 500});
  const char *const ways[] = {"", "--target scalar,native", "--set layout=nchw --set input_layout=nchw"};
  for (int i = 0; i < 3; i++) {
    assert_int_equal(
        convsmith("run %s --layer two --tensor bias=%s --tensor input=%s --tensor residual=%s --tensor weights=%s -o %s %s",
                  spec_path(), scratch_path("b.npy"), scratch_path("x.npy"), scratch_path("r.npy"), scratch_path("w2.npy"),
                  scratch_path("y.npy"), ways[i]),
        0);
    assert_array("y.npy", 4, (const ptrdiff_t[]){1, 2, 1, 3}, (const float[]){111, 1122, 133, 492, 484, 2476});
  }
}

/* Arguments after "run SPEC"; %x and %w stand for the files. Each gets this message, status 2 and no output. */
static const struct {
  const char *arguments, *message;
} wrong[] = {
    {"--tensor input=$X -o $Y", "run computes one layer; --layer NAME chooses it: plain, two, fixed"},
    {"--layer plain --tensor input=$X --tensor weights=$W", "run needs -o FILE.npy for the output"},
    {"--layer plain --tensor input=$X -o $Y", "plain needs --tensor weights=FILE.npy: weights f32 [1, 1, 3, 3]"},
    {"--layer plain --tensor input=$X --tensor weights=$W --tensor bias=$W -o $Y",
     "plain takes no tensor 'bias', but input f32 [1, 1, 4, 4], weights f32 [1, 1, 3, 3]"},
    {"--layer plain --tensor input=$X --tensor weights=$W --tensor output=$W -o $Y",
     "plain takes no tensor 'output', but input f32"},
    {"--layer plain --tensor input=$X --tensor weights=$W --tensor input=$X -o $Y", "'input' is given twice"},
    {"--layer plain --tensor input=$X --tensor weights -o $Y", "--tensor weights: NAME=FILE.npy is right; plain takes input f32"},
    {"--layer plain --tensor input=$W --tensor weights=$W -o $Y", "has shape [1, 1, 3, 3]; input f32 [1, 1, 4, 4] is right"},
    {"--layer plain --set dtype=f64 --tensor input=$X --tensor weights=$W -o $Y", "holds f32; input f64 [1, 1, 4, 4] is right"},
    {"--layer plain --tensor input=/nowhere/x.npy --tensor weights=$W -o $Y", "--tensor input=/nowhere/x.npy: "},
    {"--layer plain --tensor input=Makefile --tensor weights=$W -o $Y", "--tensor input=Makefile: "},
    {"--layer plain --tensor input=$X --tensor weights=$W -o /nowhere/y.npy", "-o /nowhere/y.npy: "},
    {"--layer nosuch --tensor input=$X -o $Y", "nosuch"},
};

static void what_is_wrong_is_said(void **state) {
  (void)state;
  write_picture();
  setenv("X", scratch_path("x.npy"), 1);
  setenv("W", scratch_path("w.npy"), 1);
  setenv("Y", scratch_path("none.npy"), 1);
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    assert_int_equal(convsmith("run %s %s", spec_path(), wrong[i].arguments), 2);
    if (!strstr(said, wrong[i].message)) print_error("%s\nsaid: %s", wrong[i].arguments, said);
    assert_non_null(strstr(said, wrong[i].message));
    assert_false(exists(scratch_path("none.npy")));
  }
}

static void a_failing_compiler_fails_the_run(void **state) {
  (void)state;
  write_picture();
  assert_int_equal(process_run(said, sizeof said,
                               "CC=false %s/convsmith run %s --layer plain --tensor input=%s --tensor weights=%s -o %s",
                               process_out(), spec_path(), scratch_path("x.npy"), scratch_path("w.npy"), scratch_path("none.npy")),
                   2);
  assert_non_null(strstr(said, "convsmith: error: the compiler failed: false"));
  assert_false(exists(scratch_path("none.npy")));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(worked_example),
                                     cmocka_unit_test(bf16_travels_as_f32),
                                     cmocka_unit_test(baked_weights_are_not_asked_for),
                                     cmocka_unit_test(logical_order_in_every_layout),
                                     cmocka_unit_test(what_is_wrong_is_said),
                                     cmocka_unit_test(a_failing_compiler_fails_the_run)};
  scratch_begin("run");
  return cmocka_run_group_tests(tests, NULL, NULL);
}
