/* Guard buffers: an access outside is a fault at the address expected, one in the slack is found. */
#include "../runtime/convsmith.h"
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static sigjmp_buf after_fault;
static const void *volatile fault_address;

static void on_fault(int signal_number, siginfo_t *info, void *context) {
  (void)signal_number, (void)context;
  fault_address = info->si_addr;
  siglongjmp(after_fault, 1);
}

/* Non-zero if reading `address` faults right there. */
static int faults(const unsigned char *address) {
  struct sigaction action = {0}, before_segv, before_bus;
  action.sa_sigaction = on_fault;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGSEGV, &action, &before_segv);
  sigaction(SIGBUS, &action, &before_bus);
  fault_address = NULL;
  if (sigsetjmp(after_fault, 1) == 0) (void)*(const volatile unsigned char *)address;
  sigaction(SIGSEGV, &before_segv, NULL);
  sigaction(SIGBUS, &before_bus, NULL);
  return fault_address == address;
}

static void the_end_is_guarded(void **state) {
  (void)state;
  struct cs_guard guard;
  assert_int_equal(cs_guard_new(&guard, 1000, 1, 0), 0);
  assert_false(faults(guard.data));
  assert_false(faults(guard.data + 999));
  assert_true(faults(guard.data + 1000));
  assert_true(faults(guard.data + 1000 + 65535));
  assert_int_equal(cs_guard_hit(&guard, guard.data + 1000), 1);
  assert_int_equal(cs_guard_hit(&guard, guard.data + 999), 0);
  assert_int_equal(cs_guard_hit(&guard, &guard), 0);
  cs_guard_free(&guard);
  assert_null(guard.data);
}

static void the_beginning_is_guarded(void **state) {
  (void)state;
  struct cs_guard guard;
  assert_int_equal(cs_guard_new(&guard, 100000, 0, 4), 0);
  assert_int_equal((uintptr_t)guard.data % 4096, 4);
  assert_false(faults(guard.data - 4));
  assert_true(faults(guard.data - 5));
  assert_int_equal(cs_guard_hit(&guard, guard.data - 5), -1);
  assert_int_equal(cs_guard_hit(&guard, guard.data - 4), 0);
  cs_guard_free(&guard);
}

static void writes_into_the_slack_are_found(void **state) {
  (void)state;
  struct cs_guard guard;
  assert_int_equal(cs_guard_new(&guard, 1000, 1, 0), 0);
  memset(guard.data, 1, guard.size);
  assert_false(cs_guard_touched(&guard));
  guard.data[-1] = 1;
  assert_true(cs_guard_touched(&guard));
  cs_guard_free(&guard);
  assert_int_equal(cs_guard_new(&guard, 1000, 0, 8), 0);
  memset(guard.data, 1, guard.size);
  assert_false(cs_guard_touched(&guard));
  guard.data[1000] = 1;
  assert_true(cs_guard_touched(&guard));
  guard.data[1000] = guard.data[1001];
  assert_false(cs_guard_touched(&guard));
  guard.data[-8] = 1;
  assert_true(cs_guard_touched(&guard));
  cs_guard_free(&guard);
}

static void nothing_can_be_guarded(void **state) {
  (void)state;
  struct cs_guard guard;
  assert_int_equal(cs_guard_new(&guard, 0, 1, 0), 0);
  assert_true(faults(guard.data));
  assert_true(faults(guard.data - 1));
  assert_false(cs_guard_touched(&guard));
  cs_guard_free(&guard);
  cs_guard_free(&guard);
}

static void too_much_is_refused(void **state) {
  (void)state;
  struct cs_guard guard;
  assert_int_equal(cs_guard_new(&guard, SIZE_MAX, 1, 0), -1);
  assert_int_equal(cs_guard_new(&guard, (size_t)1 << 60, 1, 0), -1);
  assert_int_equal(cs_guard_new(&guard, 1, 0, SIZE_MAX), -1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_end_is_guarded),
      cmocka_unit_test(the_beginning_is_guarded),
      cmocka_unit_test(writes_into_the_slack_are_found),
      cmocka_unit_test(nothing_can_be_guarded),
      cmocka_unit_test(too_much_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
