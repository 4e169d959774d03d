/* bf16: what each instruction set that runs here loads and stores, against the definition, at the edge of guard pages; what has no
 * bf16 says so. That whole layers are right is for test_sweep and specs/features/bf16.yaml. */
#include "../gen/engine.h"
#include "../gen/isa.h"
#include "../gen/mem.h"
#include "isa_library.h"
#include "scratch.h"
#include <dlfcn.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { MOST_LANES = 16, HALVES = 1 << 16 };

/* What halves.t exports. */
struct form {
  const char *name;
  int from, to;
  void (*run)(const void *from, void *to);
};

static struct engine *engine;
static struct isa_list isas;

/* ---- the definition -------------------------------------------------------------------------------------------------- */

static float number_of(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static uint32_t bits_of(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

/* The nearer of the two neighbours, at half way the even one; NaN is quiet. By distances, not by adding to bits. */
static uint16_t rounded(float value) {
  const uint32_t bits = bits_of(value), below = bits & 0xffff0000u, above = below + 0x10000u, part = bits & 0xffffu;
  if (isnan(value)) return (uint16_t)(bits >> 16 | 0x40);
  if (part == 0x8000u) return (uint16_t)((below >> 16 & 1 ? above : below) >> 16);
  return (uint16_t)((part > 0x8000u ? above : below) >> 16);
}

/* ---- loads and stores ------------------------------------------------------------------------------------------------ */

/* Elements from..to of a vector between guard pages: behind the last of them, or before the first. */
static unsigned char *lay(struct cs_guard *guard, const struct form *form, size_t size, bool at_end) {
  assert_int_equal(cs_guard_new(guard, (size_t)(form->to - form->from) * size, at_end, 0), 0);
  return guard->data - (size_t)form->from * size;
}

static void widens(const char *isa, const struct form *form, int lanes, bool at_end) {
  const bool broadcasts = strcmp(form->name, "broadcast") == 0;
  const struct form one = {form->name, 0, 1, form->run};
  struct cs_guard guard;
  float result[MOST_LANES];
  uint16_t *from = (uint16_t *)(void *)lay(&guard, broadcasts ? &one : form, sizeof *from, at_end);
  for (uint32_t first = 0; first < HALVES; first += (uint32_t)(form->to - form->from)) {
    for (int i = form->from; i < (broadcasts ? 1 : form->to); i++) from[i] = (uint16_t)(first + (uint32_t)i * 257u);
    form->run(from, result);
    for (int i = 0; i < lanes; i++) {
      const bool live = i >= form->from && i < form->to;
      const uint32_t wanted = live ? (uint32_t)from[broadcasts ? 0 : i] << 16 : 0;
      if (isnan(number_of(wanted)) ? !isnan(result[i]) : bits_of(result[i]) != wanted)
        fail_msg("%s: %s %d..%d: lane %d is %08x, not %08x", isa, form->name, form->from, form->to, i, bits_of(result[i]), wanted);
    }
  }
  assert_false(cs_guard_touched(&guard));
  cs_guard_free(&guard);
}

/* Every upper half with lower halves around the middle. */
static void narrows(const char *isa, const struct form *form, bool at_end) {
  static const uint32_t lower[] = {0, 1, 0x7fff, 0x8000, 0x8001, 0xffff};
  struct cs_guard guard;
  float from[MOST_LANES];
  uint16_t *to = (uint16_t *)(void *)lay(&guard, form, sizeof *to, at_end);
  for (uint32_t first = 0; first < HALVES * 6; first += (uint32_t)form->to) {
    for (uint32_t i = 0; i < MOST_LANES; i++) from[i] = number_of((first + i) / 6 << 16 | lower[(first + i) % 6]);
    form->run(from, to);
    for (int i = 0; i < form->to; i++)
      if (to[i] != rounded(from[i]))
        fail_msg("%s: store of %d: %08x becomes %04x, not %04x", isa, form->to, bits_of(from[i]), to[i], rounded(from[i]));
  }
  assert_false(cs_guard_touched(&guard));
  cs_guard_free(&guard);
}

static void every_form_is_right(void **state) {
  (void)state;
  for (size_t i = 0; i < isas.count; i++) {
    const struct isa *isa = &isas.items[i];
    if (!isa->runs_here) continue;
    void *library = isa_library(engine, isa, "halves.t");
    const struct form *forms = dlsym(library, "forms");
    const int lanes = *(const int *)dlsym(library, "lanes");
    int count = 0;
    assert_int_equal(lanes, isa->lanes[CS_BF16]);
    for (; forms[count].name; count++)
      for (int at_end = 0; at_end < 2; at_end++)
        if (strcmp(forms[count].name, "store") == 0)
          narrows(isa->name, &forms[count], at_end);
        else
          widens(isa->name, &forms[count], lanes, at_end);
    assert_int_equal(count, lanes * (lanes + 1) / 2 + lanes + 1);
  }
}

/* The runtime's own, of doubles, which are rounded once: not to f32 before. */
static void the_runtime_rounds_alike(void **state) {
  (void)state;
  uint16_t stored;
  for (uint32_t bits = 0; bits < HALVES; bits++)
    for (uint32_t low = 0x7fff; low <= 0x8001; low++) {
      const float value = number_of(bits << 16 | low);
      cs_put(&stored, 0, CS_BF16, (double)value);
      if (stored != rounded(value)) fail_msg("%08x becomes %04x", bits << 16 | low, stored);
    }
  cs_put(&stored, 0, CS_BF16, 1 + 0x1p-8 + 0x1p-40);
  assert_int_equal(stored, 0x3f81);
  cs_put(&stored, 0, CS_BF16, 1e39);
  assert_int_equal(stored, 0x7f80);
  cs_put(&stored, 0, CS_BF16, -0x1p-134 * 1.01);
  assert_int_equal(stored, 0x8001);
  assert_true(cs_get(&stored, 0, CS_BF16) == -0x1p-133);
  assert_int_equal(cs_size(CS_BF16), 2);
}

/* ---- what results may be --------------------------------------------------------------------------------------------- */

static struct cs_expect expect_of(double value, double bound) {
  struct cs_expect expect = {value, 0, bound, NAN, NAN, 0};
  cs_round_expect(CS_BF16, &expect);
  return expect;
}

/* What both ends of the bound are rounded to is right, and nothing beyond. */
static void expectations_are_rounded(void **state) {
  (void)state;
  struct cs_expect expect = expect_of(1 + 0x1p-9, 0x1p-20);
  assert_true(cs_right(&expect, 1, 0) && cs_right(&expect, 1, 1));
  assert_false(cs_right(&expect, 1 + 0x1p-7, 0) || cs_right(&expect, 1 + 0x1p-9, 0));
  expect = expect_of(1 + 0x1p-8, 0x1p-20); /* half way */
  assert_true(cs_right(&expect, 1, 0) && cs_right(&expect, 1 + 0x1p-7, 0) && cs_right(&expect, 1, 1));
  assert_false(cs_right(&expect, 1 + 0x1p-6, 0) || cs_right(&expect, 1 + 0x1p-7, 1));
  expect = expect_of(0x1.ffp127, 0x1p100); /* half way to infinity */
  assert_true(cs_right(&expect, INFINITY, 0) && cs_right(&expect, 0x1.fep127, 0));
  assert_false(cs_right(&expect, -INFINITY, 0) || cs_right(&expect, 0x1.fcp127, 0));
  expect = expect_of(-0x1.ff8p127, 0x1p100);
  assert_true(cs_right(&expect, -INFINITY, 0));
  assert_false(cs_right(&expect, -0x1.fep127, 0));
  expect = expect_of(0x1p-134, 0); /* a tie between zero and the least denormal */
  assert_true(cs_right(&expect, 0, 1));
  assert_false(cs_right(&expect, 0x1p-133, 0));
}

/* ---- what there is not ----------------------------------------------------------------------------------------------- */

static void refusals_have_reasons(void **state) {
  (void)state;
  static const char layer[] = "convsmith: 1\nlayers:\n  - {name: layer, dtype: bf16, input: [1, 256, 24, 24], out_channels: 640, "
                              "kernel_size: 3, padding: 1, accuracy: fast}\n";
  static const struct {
    const char *set, *reason;
  } rows[] = {
      {"kernel_size=3", "between chunks they would be"},
      {"input='[1, 16, 8, 8]' --set out_channels=16", "transforms of bf16 would be rounded to it"},
      {"kernel_size=13 --set padding=6 --set out_channels=256 --set groups=256", "transforms of bf16 would be rounded to it"},
  };
  const char *path = mem_text("%s", scratch_write("layer.yaml", layer));
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    assert_int_equal(convsmith("info %s --target avx2 --explain --set %s", path, rows[i].set), 0);
    if (!strstr(said, rows[i].reason)) fail_msg("--set %s: no '%s' in\n%s", rows[i].set, rows[i].reason, said);
  }
}

/* One whose vectors are others than those that its inherited loads of bf16 fill. */
static void an_isa_may_lack_it(void **state) {
  (void)state;
  static const char isa[] = "return derive(import('isa/vec128.lua'), {name = 'own', vec = {bf16 = {lanes = 1}}})";
  static const char layer[] =
      "convsmith: 1\nlayers:\n  - {name: a, dtype: bf16, input: [1, 3, 8], out_channels: 4, kernel_size: 3}\n";
  char made[1000];
  assert_int_equal(process_run(made, sizeof made, "mkdir -p %s", scratch_path("isa")), 0);
  const char *folder = mem_text("%s", scratch_path(""));
  scratch_write("isa/own.lua", isa);
  const char *spec = mem_text("%s", scratch_write("own.yaml", layer));
  assert_int_equal(convsmith("generate %s --template-path %s --target own -o %s", spec, folder, scratch_path("none")), 2);
  assert_non_null(strstr(said, "no plan for a on own: isa/own.lua has no vec.bf16"));
}

static int open_engine(void **state) {
  static const char *const paths[] = {"tests/halves"};
  (void)state;
  scratch_begin("bf16");
  engine = engine_new(paths, 1);
  return isa_read(engine, &isas) ? 0 : -1;
}

static int close_engine(void **state) {
  (void)state;
  engine_free(engine);
  mem_release(0);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_form_is_right), cmocka_unit_test(the_runtime_rounds_alike),
                                     cmocka_unit_test(expectations_are_rounded), cmocka_unit_test(refusals_have_reasons),
                                     cmocka_unit_test(an_isa_may_lack_it)};
  return cmocka_run_group_tests_name("bf16", tests, open_engine, close_engine);
}
