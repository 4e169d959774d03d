/* The smooth activations of every instruction set that runs here, against double precision: over all floats in steps, and every
 * float around zero and where they saturate. tests/ops/activations.t makes a function of each. FULL: smaller steps. */
#include "../gen/engine.h"
#include "../gen/isa.h"
#include "../gen/mem.h"
#include "isa_library.h"
#include "scratch.h"
#include <dlfcn.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { MOST_LANES = 64, NEIGHBOURS = 3000, STEP = 20011, FULL_STEP = 257 };

/* What activations.t exports. */
struct activation {
  const char *name;
  void (*run)(const float *x, float *y);
};

static struct set {
  const char *isa;
  int lanes;
  const struct activation *activations;
} sets[16];
static size_t set_count;

/* ---- what they are --------------------------------------------------------------------------------------------------- */

static double sigmoid(double x) {
  return 1 / (1 + exp(-x));
}

static double silu(double x) {
  return x * sigmoid(x);
}

static double gelu(double x) {
  return x * 0.5 * erfc(-x * 0.70710678118654752);
}

/* unit: values lie within -1..1, and errors count beside 1; else beside the larger of |x| and |value|. */
static const struct meaning {
  const char *name;
  double (*value)(double x);
  bool unit;
  double below, above; /* of infinities */
} meanings[] = {{"sigmoid", sigmoid, true, 0, 1},
                {"tanh", tanh, true, -1, 1},
                {"silu", silu, false, NAN, INFINITY},
                {"gelu", gelu, false, NAN, INFINITY}};
enum { MEANINGS = sizeof meanings / sizeof meanings[0] };

static double scale_of(const struct meaning *meaning, double x, double y) {
  return meaning->unit ? 1 : fmax(fabs(x), fabs(y));
}

/* ---- a vector of them ------------------------------------------------------------------------------------------------ */

static double worst[MEANINGS]; /* in units of rounding */

static void check_lane(const struct set *set, const struct meaning *meaning, float x, float got) {
  const double y = meaning->value((double)x), error = fabs((double)got - y);
  const double unit = 0x1p-24 * scale_of(meaning, (double)x, y) + 0x1p-149;
  double *most = &worst[meaning - meanings];
  if (error / unit > *most) *most = error / unit;
  if (!(error <= 8 * unit) || (meaning->unit && fabs((double)got) > 1))
    fail_msg("%s, %s(%a) = %.9g, not %.9g", set->isa, meaning->name, (double)x, (double)got, y);
}

/* Values in both orders: in whatever lane a value lies, its result has the same bits. */
static void check_vector(const struct set *set, int a, const float *x) {
  float y[MOST_LANES], turned[MOST_LANES], other[MOST_LANES];
  for (int i = 0; i < set->lanes; i++) turned[i] = x[set->lanes - 1 - i];
  set->activations[a].run(x, y);
  set->activations[a].run(turned, other);
  for (int i = 0; i < set->lanes; i++) {
    check_lane(set, &meanings[a], x[i], y[i]);
    assert_memory_equal(&y[i], &other[set->lanes - 1 - i], sizeof *y);
  }
}

static float float_of(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static uint32_t bits_of(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof x);
  return bits;
}

/* All activations of a set on `count` floats, `step` apart as integers; finite ones. */
static void check_floats(const struct set *set, uint32_t first, uint32_t step, uint64_t count) {
  float x[MOST_LANES] = {0};
  uint64_t done = 0;
  while (done < count) {
    for (int i = 0; i < set->lanes; i++, done++) {
      const float value = float_of(first + (uint32_t)done * step);
      x[i] = isfinite(value) ? value : 1;
    }
    for (int a = 0; a < MEANINGS; a++) check_vector(set, a, x);
  }
}

/* ---- tests ----------------------------------------------------------------------------------------------------------- */

static void all_floats_in_steps(void **state) {
  const uint32_t step = getenv("FULL") ? FULL_STEP : STEP;
  (void)state;
  for (size_t s = 0; s < set_count; s++) check_floats(&sets[s], 0, step, UINT32_MAX / step);
  for (int a = 0; a < MEANINGS; a++) {
    print_message("%s: errors up to %.2f units of rounding\n", meanings[a].name, worst[a]);
    assert_true(worst[a] > 0.5); /* else nothing was compared */
  }
}

static void every_float_around(void **state) {
  static const float centres[] = {FLT_MIN, 1e-20F, 0.17F, 0.35F, 0.625F, 1,     5.4F, 5.8F, 9,
                                  9.2F,    16.6F,  17.3F, 87.3F, 88,     88.4F, 89,   104,  FLT_MAX};
  (void)state;
  for (size_t s = 0; s < set_count; s++) {
    check_floats(&sets[s], 0, 1, NEIGHBOURS);
    check_floats(&sets[s], 0x80000000, 1, NEIGHBOURS);
    for (size_t i = 0; i < sizeof centres / sizeof *centres; i++) {
      check_floats(&sets[s], bits_of(centres[i]) - NEIGHBOURS, 1, 2 * NEIGHBOURS);
      check_floats(&sets[s], bits_of(-centres[i]) - NEIGHBOURS, 1, 2 * NEIGHBOURS);
    }
  }
}

static void same(const struct set *set, int a, float x, double expected) {
  float all[MOST_LANES], y[MOST_LANES];
  for (int i = 0; i < set->lanes; i++) all[i] = x;
  set->activations[a].run(all, y);
  for (int i = 0; i < set->lanes; i++)
    if (isnan(expected) ? !isnan(y[i]) : (double)y[i] != expected)
      fail_msg("%s, %s(%g) = %.9g, not %.9g", set->isa, meanings[a].name, (double)x, (double)y[i], expected);
}

/* NaN stays, infinities and what is large give the limits exactly, zeros stay zeros. */
static void limits(void **state) {
  (void)state;
  for (size_t s = 0; s < set_count; s++)
    for (int a = 0; a < MEANINGS; a++) {
      const struct meaning *meaning = &meanings[a];
      same(&sets[s], a, NAN, NAN);
      same(&sets[s], a, -INFINITY, meaning->below);
      same(&sets[s], a, INFINITY, meaning->above);
      same(&sets[s], a, 0, meaning->value(0));
      same(&sets[s], a, -1e30F, meaning->unit ? meaning->below : 0);
      same(&sets[s], a, 1e30F, meaning->unit ? 1 : (double)1e30F);
      same(&sets[s], a, -90, meaning->unit ? meaning->below : 0);
      same(&sets[s], a, 90, meaning->unit ? 1 : 90);
    }
}

/* ---- compiled -------------------------------------------------------------------------------------------------------- */

static void load_set(struct engine *engine, const struct isa *isa) {
  void *loaded = isa_library(engine, isa, "activations.t");
  const int *lanes = dlsym(loaded, "lanes");
  sets[set_count] = (struct set){isa->name, *lanes, dlsym(loaded, "activations")};
  assert_true(*lanes <= MOST_LANES);
  set_count += sets[set_count].activations[0].name != NULL;
}

static int load_sets(void **state) {
  static const char *const paths[] = {"tests/ops"};
  struct isa_list isas;
  (void)state;
  scratch_begin("activations");
  struct engine *engine = engine_new(paths, 1);
  if (!isa_read(engine, &isas)) return -1;
  for (size_t i = 0; i < isas.count; i++)
    if (isas.items[i].runs_here) load_set(engine, &isas.items[i]);
  engine_free(engine);
  return set_count > 0 ? 0 : -1;
}

static int release(void **state) {
  (void)state;
  mem_release(0);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(all_floats_in_steps), cmocka_unit_test(every_float_around),
                                     cmocka_unit_test(limits)};
  return cmocka_run_group_tests_name("activations", tests, load_sets, release);
}
