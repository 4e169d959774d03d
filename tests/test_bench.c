/* The command bench: what it prints, what it refuses, and that wrong results are found. Nothing here depends on how fast anything
 * is, nor on which libraries are there: `naive` needs only the compiler. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../gen/mem.h"
#include "../gen/pool.h"
#include "scratch.h"
#include <sys/stat.h>

static const char spec_text[] =
    "convsmith: 1\n"
    "layers:\n"
    "  - {name: small, input: [1, 3, 9, 9], out_channels: 5, kernel_size: 3, bias: true, activation: relu6}\n"
    "  - {name: pair, input: [2, 4, 8, 7], out_channels: 4, groups: 2, kernel_size: 1, residual: true}\n";

static const char *spec(void) {
  return scratch_write("bench.yaml", spec_text);
}

static size_t count_of(const char *text, const char *word) {
  size_t count = 0;
  for (const char *at = strstr(text, word); at; at = strstr(at + 1, word)) count++;
  return count;
}

static void table_has_layers_and_means(void **state) {
  (void)state;
  assert_int_equal(convsmith("bench %s --against naive --rounds 1", spec()), 0);
  assert_non_null(strstr(said, "\nsmall "));
  assert_non_null(strstr(said, "\npair "));
  assert_non_null(strstr(said, "\ngeometric mean "));
  assert_non_null(strstr(said, "\nlayer           GFLOP/s")); /* names and what else stands below them, in one column */
}

static void every_mode_runs(void **state) {
  (void)state;
  assert_int_equal(convsmith("bench %s --against naive --rounds 1 --cold --consumer", spec()), 0);
  assert_non_null(strstr(said, "weights from memory, outputs read"));
  assert_int_equal(convsmith("bench %s --against naive --rounds 1 --threads 2", spec()), 0);
  assert_non_null(strstr(said, "2 threads"));
  assert_int_equal(convsmith("bench %s --rounds 1 --layer small --plans all", spec()), 0);
  assert_true(count_of(said, "\nsmall ") > 1);
  assert_null(strstr(said, "geometric mean"));
}

static void json_and_csv_hold_each_layer(void **state) {
  (void)state;
  assert_int_equal(convsmith("bench %s --against naive --rounds 1 --json", spec()), 0);
  assert_int_equal(count_of(said, "\"layer\": "), 2);
  assert_int_equal(count_of(said, "\"state\": \"timed\""), 2);
  assert_non_null(strstr(said, "\"set\": []"));
  assert_int_equal(convsmith("bench %s --against none --rounds 1 --layer small --set layout=nchw --json", spec()), 0);
  assert_non_null(strstr(said, "\"layout=nchw\""));
  assert_int_equal(convsmith("bench %s --against none --rounds 1 --csv --target scalar", spec()), 0);
  assert_memory_equal(said, "layer,target,plan,", 18);
  assert_non_null(strstr(said, "\nsmall,scalar,"));
}

static double number_after(const char *text, const char *before) {
  const char *at = strstr(text, before);
  assert_non_null(at);
  return strtod(at + strlen(before), NULL);
}

/* What must be read: all of it where windows touch or are one, what windows hold where strides pass over the rest. */
static void bytes_are_of_what_is_read(void **state) {
  (void)state;
  static const struct {
    const char *layer;
    double read, written; /* elements */
  } cases[] = {
      {"op: avg_pool, input: [1, 16, 7, 7], kernel_size: global", 16 * 49, 16},
      {"op: avg_pool, input: [1, 16, 12, 12], output_size: 5", 16 * 144, 16 * 25},
      {"op: avg_pool, input: [1, 16, 12, 12], kernel_size: 2, stride: 4", 16 * 36, 16 * 9},
      {"op: avg_pool, input: [1, 16, 12, 12], kernel_size: 3, stride: 1", 16 * 144, 16 * 100},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    scratch_write("bytes.yaml", mem_text("convsmith: 1\nlayers: [{name: a, %s}]\n", cases[i].layer));
    assert_int_equal(convsmith("bench %s --against none --rounds 1 --json", scratch_path("bytes.yaml")), 0);
    const long least = 4 * (long)(cases[i].read + cases[i].written);
    const double bytes = 2 * number_after(said, "\"multiply_adds\": ") / number_after(said, "\"flops_per_byte\": ");
    assert_in_range((long)(bytes + 0.5), least, least + 64); /* what is packed, at most a line */
  }
}

/* With several threads, and only then, ours and the peak are timed in one of them too. */
static void threads_are_compared_with_one(void **state) {
  (void)state;
  assert_int_equal(convsmith("bench %s --against naive --rounds 1 --threads 2 --json", spec()), 0);
  assert_int_equal(count_of(said, "\"scaling\": "), 2);
  assert_int_equal(count_of(said, "\"scaling\": null"), 0);
  assert_int_equal(count_of(said, "\"ceiling\": null"), 0);
  assert_int_equal(count_of(said, "\"share_of_limit\": null"), 2);
  assert_int_equal(convsmith("bench %s --against none --rounds 1 --threads 2 --layer small", spec()), 0);
  assert_non_null(strstr(said, " scaling ceiling "));
  assert_int_equal(convsmith("bench %s --against none --rounds 1 --layer small --json", spec()), 0);
  assert_int_equal(count_of(said, "\"scaling\": null"), 1);
  assert_int_equal(count_of(said, "\"ceiling\": null"), 1);
  assert_int_equal(convsmith("bench %s --against none --rounds 1 --threads 2 --csv --layer small --consumer", spec()), 0);
  assert_non_null(strstr(said, ",scaling,ceiling,"));
}

static void picture_is_whole(void **state) {
  (void)state;
  const char *path = scratch_path("bench.svg");
  assert_int_equal(convsmith("bench %s --against naive,none --rounds 1 --svg %s", spec(), path), 0);
  const char *picture = text_of(path);
  assert_memory_equal(picture, "<svg ", 5);
  assert_non_null(strstr(picture, "</svg>\n"));
  assert_int_equal(count_of(picture, "<circle "), 2);
}

static void every_peer_is_timed_or_says_why(void **state) {
  (void)state;
  assert_int_equal(convsmith("bench %s --rounds 1 --json", spec()), 0);
  assert_int_equal(count_of(said, "\"variants\": ["), 8);
  assert_null(strstr(said, "\"variants\": []"));
  assert_null(strstr(said, "\"differs\""));
}

/* XNNPACK has no switch: it is compared where its kernels go no further than the target, and left out below. */
static void peers_use_no_more_than_the_target(void **state) {
  (void)state;
  if (convsmith("bench %s --against xnnpack --rounds 1 --layer small --target avx512", spec()) == 2)
    SKIP_BECAUSE("this machine does not run avx512");
  assert_null(strstr(said, "nothing keeps it to"));
  assert_int_equal(convsmith("bench %s --against xnnpack --rounds 1 --layer small --target sse41", spec()), 0);
  assert_non_null(strstr(said, "xnnpack is left out: nothing keeps it to sse41 on this machine"));
}

/* A template that is wrong by a tap: nothing is timed, and the status says so. */
static void wrong_kernels_are_not_timed(void **state) {
  (void)state;
  char command[3000];
  const char *folder = scratch_path("wrong");
  snprintf(command, sizeof command,
           "mkdir -p %s/isa && sed 's/add = \"%%1 + %%2\"/add = \"%%1 - %%2\"/; s/\"%%1 + %%2 \\* %%3\"/\"%%1 - %%2 * %%3\"/' "
           "templates/isa/scalar.lua > %s/isa/scalar.lua",
           folder, folder);
  assert_int_equal(process_run(said, sizeof said, "%s", command), 0);
  assert_int_equal(convsmith("bench %s --against none --rounds 1 --target scalar --layer small --template-path %s", spec(), folder),
                   1);
  assert_non_null(strstr(said, "is wrong and not timed: output "));
}

/* A benchdnn that takes so long whatever it is asked, and writes down what that was. */
static int judged_by(const char *milliseconds) {
  const char *path = scratch_write("benchdnn", mem_text("#!/bin/sh\necho \"$@\" > \"$0.asked\"\necho 'Output template: "
                                                        "convsmith=%%0time%%'\necho convsmith=%s\n",
                                                        milliseconds));
  chmod(path, 0755);
  setenv("BENCHDNN", path, 1);
  const int status = convsmith("bench %s --against onednn --rounds 1 --layer pair", spec());
  unsetenv("BENCHDNN");
  return status;
}

/* oneDNN that is slower here than in its own benchmark is no fair comparison: a layer of a picosecond, and one of an hour. */
static void slow_peers_are_faults(void **state) {
  (void)state;
  const int unfair = judged_by("1e-9");
  if (strstr(said, "onednn is left out")) SKIP_BECAUSE("oneDNN is not installed");
  assert_int_equal(unfair, 1);
  assert_non_null(strstr(said, "onednn any is judged: it has 0.00 of the speed that benchdnn measures"));
  assert_string_equal(text_of(scratch_path("benchdnn.asked")),
                      "--conv --mode=p --dir=FWD_I --stag=any --dtag=any --perf-template=convsmith=%0time% "
                      "g2mb2ic4oc4ih8oh8kh1sh1ph0dh0iw7ow7kw1sw1pw0dw0\n");
  assert_int_equal(judged_by("3.6e6"), 0);
  assert_null(strstr(said, "judged"));
  assert_int_equal(judged_by("nothing"), 1);
  assert_non_null(strstr(said, "gave no time for g2mb2ic4oc4ih8"));
}

static void bad_usage(void **state) {
  (void)state;
  static const struct {
    const char *options, *message;
  } rows[] = {
      {"--against mkl",
       "--against mkl: no such peer; there are onednn, onednn-plain, onednn-winograd, xnnpack, openblas, naive, and none"},
      {"--rounds 0", "--rounds 0: from 1 to 1000"},
      {"--threads 257", "--threads 257: from 1 to 256"},
      {"--json --csv", "--json and --csv exclude each other"},
      {"--plans nosuch", "--plans nosuch: no layer has this plan"},
      {"--svg /dev/null/a.svg", "--svg /dev/null/a.svg: "},
      {"--target neon_or_so", "--target neon_or_so"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    assert_int_equal(convsmith("bench %s %s", spec(), rows[i].options), 2);
    if (!strstr(said, rows[i].message)) fail_msg("%s: %s", rows[i].options, said);
  }
}

/* ---- the pool ---------------------------------------------------------------------------------------------------------- */

static void count_part(void *context, int part, int parts) {
  int *counts = context;
  counts[part] += parts;
}

static void pool_calls_each_part_once(void **state) {
  (void)state;
  int counts[3] = {0};
  struct pool *pool = pool_new(3);
  assert_non_null(pool);
  for (int i = 0; i < 1000; i++) pool_run(pool, count_part, counts);
  usleep(50000); /* long enough that the others fall asleep */
  pool_run(pool, count_part, counts);
  pool_free(pool);
  for (int i = 0; i < 3; i++) assert_int_equal(counts[i], 3003);
}

int main(void) {
  scratch_begin("bench");
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(table_has_layers_and_means),
      cmocka_unit_test(every_mode_runs),
      cmocka_unit_test(json_and_csv_hold_each_layer),
      cmocka_unit_test(bytes_are_of_what_is_read),
      cmocka_unit_test(picture_is_whole),
      cmocka_unit_test(every_peer_is_timed_or_says_why),
      cmocka_unit_test(peers_use_no_more_than_the_target),
      cmocka_unit_test(wrong_kernels_are_not_timed),
      cmocka_unit_test(slow_peers_are_faults),
      cmocka_unit_test(bad_usage),
      cmocka_unit_test(threads_are_compared_with_one),
      cmocka_unit_test(pool_calls_each_part_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
