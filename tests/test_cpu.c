/* The CPU probe against what the compiler's own probe says. */
#include "../runtime/convsmith.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#if defined __x86_64__
static int bit(uint32_t leaf, char reg, int position) {
  return (int)(cs_cpuid(leaf, 0, reg) >> position & 1);
}

/* The compiler's probe asks CPUID and XCR0 together: 2: SSE, 4: AVX, 0xe0: AVX-512's three parts. */
static void agrees_with_the_compiler(void **state) {
  (void)state;
  __builtin_cpu_init();
  const int avx = (cs_xcr0() & 6) == 6, avx512 = (cs_xcr0() & 0xe6) == 0xe6;
  assert_int_equal(bit(1, 'c', 19), !!__builtin_cpu_supports("sse4.1"));
  assert_int_equal(bit(7, 'b', 5) && avx, !!__builtin_cpu_supports("avx2"));
  assert_int_equal(bit(1, 'c', 12) && avx, !!__builtin_cpu_supports("fma"));
  assert_int_equal(bit(7, 'b', 16) && avx512, !!__builtin_cpu_supports("avx512f"));
  assert_string_equal(cs_arch(), "x86_64");
}

static void what_is_not_there_is_zero(void **state) {
  (void)state;
  assert_int_equal(cs_cpuid(0x7fffffff, 0, 'a'), 0);
  assert_int_equal(cs_cpuid(0xffffffff, 0, 'a'), 0);
  assert_int_equal(cs_cpuid(1, 0, 'e'), 0);
  assert_true(cs_cpuid(0, 0, 'a') >= 1);
}
#else
static void agrees_with_the_compiler(void **state) {
  (void)state;
  assert_int_equal(cs_cpuid(1, 0, 'c'), 0);
  assert_int_equal(cs_xcr0(), 0);
}

static void what_is_not_there_is_zero(void **state) {
  (void)state;
  assert_true(strlen(cs_arch()) > 0);
}
#endif

/* AT_PAGESZ is 6 on every Linux. */
static void auxiliary_vector(void **state) {
  (void)state;
#ifdef __linux__
  assert_true(cs_auxval(6) >= 4096 && cs_auxval(6) % 4096 == 0);
#endif
  assert_int_equal(cs_auxval(0x7fffffff), 0);
}

static void the_clock_goes_on(void **state) {
  (void)state;
  const double start = cs_seconds();
  double now = start;
  while (now == start) now = cs_seconds();
  assert_true(now > start && now < start + 60);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(agrees_with_the_compiler),
      cmocka_unit_test(what_is_not_there_is_zero),
      cmocka_unit_test(auxiliary_vector),
      cmocka_unit_test(the_clock_goes_on),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
