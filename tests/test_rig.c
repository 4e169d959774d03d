/* Rigs: whose buffers a call gets, its own or those of the rig that it shares with, and that all are given back once. */
#include "../gen/rig.h"
#include "../gen/spec.h"
#include "release.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { ELEMENTS = 6 };

static size_t tensors(const struct layer *layer, struct tensor out[MAX_TENSORS]) {
  (void)layer;
  out[0] = (struct tensor){.name = "input", .role = TENSOR_INPUT, .dtype = CS_F32, .rank = 1, .shape = {ELEMENTS}};
  out[1] = (struct tensor){.name = "residual", .role = TENSOR_RESIDUAL, .dtype = CS_F32, .rank = 1, .shape = {ELEMENTS}};
  out[2] = (struct tensor){.name = "output", .role = TENSOR_OUTPUT, .dtype = CS_F32, .rank = 1, .shape = {ELEMENTS}};
  return 3;
}

/* What the last call got. */
static struct {
  const void *input, *residual;
  void *output, *workspace;
} got;

static void whole(const void *const *inputs, const void *packed, void *output, void *workspace) {
  (void)packed;
  got.input = inputs[0];
  got.residual = inputs[1];
  got.output = output;
  got.workspace = workspace;
}

static const struct op op = {.tensors = tensors};
static const struct layer layer = {.op = &op};
static const struct kernel kernel = {.whole = whole, .workspace_bytes = 8};

static void call(struct rig *rig) {
  const struct timed timed = rig_timed(rig);
  timed.call(timed.context);
}

static void buffers_are_its_own(void **state) {
  (void)state;
  struct rig rigs[2];
  for (int i = 0; i < 2; i++) assert_true(rig_open(&rigs[i], &layer, &kernel, NULL, 1));
  call(&rigs[0]);
  const void *input = got.input;
  assert_ptr_not_equal(got.residual, got.output);
  rig_in_place(&rigs[0], &layer);
  call(&rigs[0]);
  assert_ptr_equal(got.residual, got.output);
  call(&rigs[1]);
  assert_ptr_not_equal(got.input, input);
  for (int i = 0; i < 2; i++) rig_close(&rigs[i]);
}

static void shared_ones_are_the_owners(void **state) {
  (void)state;
  struct rig rigs[2];
  for (int i = 0; i < 2; i++) assert_true(rig_open(&rigs[i], &layer, &kernel, NULL, 1));
  rig_in_place(&rigs[0], &layer);
  call(&rigs[0]);
  const void *input = got.input, *output = got.output, *workspace = got.workspace;
  rig_share(&rigs[1], &rigs[0]);
  call(&rigs[1]);
  assert_ptr_equal(got.input, input);
  assert_ptr_equal(got.residual, output);
  assert_ptr_equal(got.output, output);
  assert_ptr_not_equal(got.workspace, workspace);
  for (int i = 0; i < 2; i++) rig_close(&rigs[i]); /* memory that is freed twice ends the test */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(buffers_are_its_own),
      cmocka_unit_test(shared_ones_are_the_owners),
  };
  return cmocka_run_group_tests(tests, NULL, release_memory);
}
