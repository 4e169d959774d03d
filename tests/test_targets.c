/* Targets: a folder with one file adds an instruction set, and every vector target's hot loop is made of its own vector
 * multiply-adds, seen in the disassembly of what the compiler made. */
#include "../gen/mem.h"
#include "code.h"
#include "scratch.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int begin(void **state) {
  (void)state;
  scratch_begin("targets");
  return 0;
}

static int end(void **state) {
  (void)state;
  mem_release(0);
  return 0;
}

/* ---- a made-up instruction set --------------------------------------------------------------------------------------- */

#define TOY "--template-path tests/toy"
static const char toy_spec[] = "convsmith: 1\n"
                               "layers:\n"
                               "  - {name: a, input: [2, 5, 7, 9], out_channels: 7, kernel_size: 3, padding: 1, bias: true, "
                               "activation: relu}\n"
                               "  - {name: b, input: [1, 5, 7, 9], out_channels: 5, kernel_size: 3, groups: 5, layout: nchw, "
                               "activation: {clamp: [-1, 0.5]}, dtype: f64}\n";

static void toy_is_a_target(void **state) {
  (void)state;
  assert_int_equal(convsmith("targets " TOY), 0);
  assert_non_null(strstr(said, "toy          yes   two lanes in a struct, made up"));
  assert_int_equal(convsmith("targets"), 0);
  assert_null(strstr(said, "toy"));
}

static void toy_verifies(void **state) {
  (void)state;
  const char *spec = scratch_write("toy.yaml", toy_spec);
  if (convsmith("verify %s --target toy --plans all " TOY, spec) != 0) fail_msg("%s", said);
  assert_non_null(strstr(said, "ok   a  toy "));
  assert_non_null(strstr(said, "ok   b  toy "));
}

/* In one file with others, clean at every warning. */
static void toy_generates(void **state) {
  (void)state;
  const char *spec = scratch_write("toy.yaml", toy_spec), *folder = scratch_path("toy");
  assert_int_equal(convsmith("generate %s --target toy,scalar -o %s " TOY, spec, folder), 0);
  const char *flags = "-std=c99 -O2 -Wall -Wextra -Wpedantic -Wconversion -Werror";
  if (process_run(said, sizeof said, "for f in %s/*.c; do ${CC:-cc} %s -c -o %s.o $f || exit 1; done", folder, flags, folder) != 0)
    fail_msg("%s", said);
  assert_non_null(strstr(text_of(mem_text("%s/a.h", folder)), "void a_toy("));
}

/* ---- hot loops ------------------------------------------------------------------------------------------------------- */

/* Instructions of [from, to] that begin with `operation` and name `reg`. */
static size_t count_in(const struct code *code, size_t from, size_t to, const char *operation, const char *reg) {
  size_t count = 0;
  for (size_t i = from; i <= to; i++)
    count += !strncmp(code->items[i].text, operation, strlen(operation)) && strstr(code->items[i].text, reg);
  return count;
}

/* What a target's multiply-adds look like. */
struct look {
  const char *target, *type, *multiply, *add, *reg;
};

/* The innermost loop with the most multiply-adds; returns how many, and its first and last instruction. */
static size_t hot_loop(const struct code *code, const struct look *look, size_t *from, size_t *to) {
  size_t most = 0;
  long inner = -1; /* the last loop's start: a loop around it is no innermost one */
  for (size_t i = 0; i < code->count; i++) {
    const long start = code_loop_start(code, i);
    if (start < 0 || start <= inner) continue;
    inner = start;
    const size_t multiplies = count_in(code, (size_t)start, i, look->multiply, look->reg);
    if (multiplies <= most) continue;
    most = multiplies;
    *from = (size_t)start;
    *to = i;
  }
  return most;
}

static const struct look looks[] = {
    {"vec128", "f32", "mulps", "addps", "xmm"},   {"vec128", "f64", "mulpd", "addpd", "xmm"},
    {"sse41", "f32", "mulps", "addps", "xmm"},    {"sse41", "f64", "mulpd", "addpd", "xmm"},
    {"avx2", "f32", "vfmadd", "vfmadd", "ymm"},   {"avx2", "f64", "vfmadd", "vfmadd", "ymm"},
    {"avx512", "f32", "vfmadd", "vfmadd", "zmm"}, {"avx512", "f64", "vfmadd", "vfmadd", "zmm"},
};

static const char hot_spec[] =
    "convsmith: 1\n"
    "layers:\n"
    "  - {name: nhwc, input: [1, 64, 28, 28], out_channels: 64, kernel_size: 3, padding: 1}\n"
    "  - {name: nchw, input: [1, 64, 28, 28], out_channels: 64, kernel_size: 3, padding: 1, layout: nchw}\n";

/* At least eight multiply-adds in the loop, each with its addition. */
static void check_loop(const struct look *look, const char *compiler, const char *layer) {
  const size_t mark = mem_mark();
  size_t from = 0, to = 0;
  const char *source = mem_text("%s/%s.c", scratch_path("hot"), layer), *object = mem_text("%s.o", source);
  if (process_run(said, sizeof said, "%s -std=c99 -O2 -c -o %s %s", compiler, object, source) != 0) fail_msg("%s", said);
  struct code code;
  assert_true(code_read(object, &code));
  const size_t multiplies = hot_loop(&code, look, &from, &to),
               adds = multiplies ? count_in(&code, from, to, look->add, look->reg) : 0;
  print_message("%s, %s, %s, %s: %zu multiply-adds in %zu instructions\n", look->target, look->type, layer, compiler, multiplies,
                to - from + 1);
  assert_in_range(multiplies, 8, 1000);
  assert_true(adds >= multiplies);
  mem_release(mark);
}

static void hot_loops_multiply_vectors(void **state) {
  const char *compiler = *state, *spec = mem_text("%s", scratch_write("hot.yaml", hot_spec));
  for (size_t i = 0; i < sizeof looks / sizeof looks[0]; i++) {
    assert_int_equal(
        convsmith("generate %s --target %s --set dtype=%s -o %s", spec, looks[i].target, looks[i].type, scratch_path("hot")), 0);
    check_loop(&looks[i], compiler, "nhwc");
    check_loop(&looks[i], compiler, "nchw");
  }
}

int main(void) {
  static char gcc[] = "gcc", clang[] = "clang";
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(toy_is_a_target),
    cmocka_unit_test(toy_verifies),
    cmocka_unit_test(toy_generates),
#if defined(__x86_64__)
    {"hot loops that gcc makes multiply vectors", hot_loops_multiply_vectors, NULL, NULL, gcc},
    {"hot loops that clang makes multiply vectors", hot_loops_multiply_vectors, NULL, NULL, clang},
#endif
  };
  return cmocka_run_group_tests_name("targets", tests, begin, end);
}
