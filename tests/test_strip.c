/* Strips (gen/direct_strip.c): rows of a 1×1 kernel with a stride that are brought together, where lines are as narrow as can be.
 */
#include "scratch.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* One pixel a line: a strip of one line would be a single element. So many channels that two lines are too much for a strip. */
static void strips_of_narrow_lines(void **state) {
  (void)state;
  const char *spec =
      scratch_write("strip.yaml", "convsmith: 1\n"
                                  "defaults: {layout: nchw, kernel_size: 1, stride: [1, 2], target: [scalar, vec128]}\n"
                                  "layers:\n"
                                  "  - {name: one, input: [2, 3, 8, 2], out_channels: 1}\n"
                                  "  - {name: prime, input: [2, 3, 7, 1], out_channels: 5}\n"
                                  "  - {name: deep, input: [2, 2300, 29, 2], out_channels: 2}\n"
                                  "  - {name: single, input: [2, 3, 1, 2], out_channels: 2}\n");
  if (convsmith("verify %s --plans all", spec) != 0 || !strstr(said, "-strips2")) fail_msg("%s", said);
}

int main(void) {
  scratch_begin("strip");
  const struct CMUnitTest tests[] = {cmocka_unit_test(strips_of_narrow_lines)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
