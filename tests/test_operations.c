/* Each operation of each instruction set that runs here, by itself, against plain C lane by lane: on NaN, infinities, zeros of both
 * signs, denormals and ordinary numbers, at the edge of guard pages. tests/ops/ops.t makes a function of every operation. */
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

/* What ops.t exports. n: lanes that the operation is about, 0: all. */
struct operation {
  const char *name;
  int n, f64, lanes;
  void (*run)(const void *a, const void *b, const void *c, void *r);
};

static struct engine *engine;
static struct isa_list isas;

/* ---- what each operation does ---------------------------------------------------------------------------------------- */

/* One lane of the operands, lane 0 of a, the one beside it, the one twice as far, the one in the next quarter where it is in the
 * second, and the sums of all of a and |a|. Lanes that are
 * not loaded are zero. odd: its number is; part: it is one that an operation on some lanes is about. */
struct lane {
  double a, b, c, first, beside, twice, across, sum, sum_abs;
  bool odd, part;
};

static double load(struct lane lane) {
  return lane.a;
}

static double zero(struct lane lane) {
  (void)lane;
  return 0;
}

static double set1(struct lane lane) {
  (void)lane;
  return 1.5;
}

static double broadcast(struct lane lane) {
  return lane.first;
}

/* Neighbours change places. */
static double permute(struct lane lane) {
  return lane.beside;
}

/* Odd lanes are b's, even ones their neighbours in a. */
static double shuffle(struct lane lane) {
  return lane.odd ? lane.b : lane.beside;
}

/* Compilers know many ways to write a shuffle of one vector. */
static double shuffle_across(struct lane lane) {
  return lane.across;
}

static double every_second(struct lane lane) {
  return lane.twice;
}

static double sum(struct lane lane) {
  return lane.sum;
}

static double add(struct lane lane) {
  return lane.a + lane.b;
}

static double mul(struct lane lane) {
  return lane.a * lane.b;
}

static double quotient(struct lane lane) {
  return lane.a / lane.b;
}

static double scaled(struct lane lane) {
  return lane.a * exp2(lane.b);
}

/* a is a constant, never NaN; b stays where it is NaN. */
static double difference(struct lane lane) {
  return lane.a - lane.b;
}

static double larger(struct lane lane) {
  return lane.b < lane.a ? lane.a : lane.b;
}

static double smaller(struct lane lane) {
  return lane.b > lane.a ? lane.a : lane.b;
}

static double top(struct lane lane) {
  return isnan(lane.a) || lane.a > lane.b ? lane.a : lane.b;
}

static double top_of_three(struct lane lane) {
  const double larger_one = top(lane);
  return isnan(larger_one) || larger_one > lane.c ? larger_one : lane.c;
}

static double select_negative(struct lane lane) {
  return lane.a < 0 ? lane.b : lane.c;
}

static double blend(struct lane lane) {
  return lane.part ? lane.b : lane.a;
}

static double mac(struct lane lane) {
  return fma(lane.b, lane.c, lane.a);
}

static double minus(struct lane lane) {
  return fma(-lane.b, lane.c, lane.a);
}

static double live_mac(struct lane lane) {
  return lane.c != 0 ? mac(lane) : lane.a;
}

static double mac_lanes(struct lane lane) {
  return lane.part ? mac(lane) : lane.a;
}

static const struct meaning {
  const char *name;
  double (*result)(struct lane lane);
  bool constant; /* the first operand is never NaN */
  bool rounds;   /* once or twice, as the target likes */
} meanings[] = {
    {"load", load, false, false},
    {"fetch", load, false, false},
    {"zero", zero, false, false},
    {"set1", set1, false, false},
    {"broadcast", broadcast, false, false},
    {"set", permute, false, false},
    {"permute", permute, false, false},
    {"shuffle", shuffle, false, false},
    {"shuffle_across", shuffle_across, false, false},
    {"pieces", blend, false, false},
    {"every_second", every_second, false, false},
    {"sum", sum, false, true},
    {"sums0", sum, false, true},
    {"sums1", sum, false, true},
    {"sums2", sum, false, true},
    {"sums3", sum, false, true},
    {"add", add, false, false},
    {"sub", difference, false, false},
    {"mul", mul, false, false},
    {"div", quotient, false, false},
    {"scale", scaled, false, false},
    {"max", larger, true, false},
    {"min", smaller, true, false},
    {"top", top, false, false},
    {"tops1", top_of_three, false, false},
    {"tops2", top_of_three, false, false},
    {"tops3", top_of_three, false, false},
    {"select_negative", select_negative, false, false},
    {"mac", mac, false, true},
    {"minus", minus, false, true},
    {"live_mac", live_mac, false, true},
    {"load_part", load, false, false},
    {"store_part", load, false, false},
    {"every_second_later", every_second, false, false},
    {"blend", blend, false, false},
    {"mac_lanes", mac_lanes, false, true},
    {"load_lanes", load, false, false},
    {"load_inner", load, false, false},
};

static const struct meaning *meaning_of(const char *name) {
  size_t i = 0;
  while (i < sizeof meanings / sizeof meanings[0] && strcmp(meanings[i].name, name) != 0) i++;
  if (i == sizeof meanings / sizeof meanings[0]) fail_msg("nothing is known about %s", name);
  return &meanings[i];
}

/* ---- one operation --------------------------------------------------------------------------------------------------- */

static const double values[] = {1, -1.5, NAN, 0.0, 6, INFINITY, 0.1, -0.0, -INFINITY, 1e-40, -3e15, 2.5};
enum { VALUES = sizeof values / sizeof values[0], ROUNDS = VALUES * VALUES };
/* Exponents of `scale`. */
static const double exponents[VALUES] = {-126, 127, 0, 1, -1, 5, -24, 100, -100, 64, -3, 23};

/* Operands a, b, c and the result, each at a guard page; only the lanes that an operation is about are there: a load's from
 * `first`, any other's of which it changes some from `part`. */
struct bench {
  const struct meaning *meaning;
  enum cs_dtype dtype;
  int loaded, stored, first, part;
  struct cs_guard a, b, c, result;
};

/* Before the guard page, or behind one where lanes before the first might be touched. */
static void lay(const struct bench *bench, int count, struct cs_guard *guard) {
  const bool to_the_last = bench->first + bench->loaded == bench->stored;
  assert_int_equal(cs_guard_new(guard, (size_t)count * cs_size(bench->dtype), bench->first == 0 || !to_the_last, 0), 0);
}

/* The lanes that an operation on n lanes is about. */
static void set_lanes(struct bench *bench, const char *name, int n) {
  if (strcmp(name, "load_lanes") == 0)
    bench->loaded = bench->stored - n, bench->first = n;
  else if (strcmp(name, "load_inner") == 0)
    bench->loaded = bench->stored - 1 - n, bench->first = n;
  else if (strcmp(name, "every_second") == 0)
    bench->loaded = 2 * n - 1;
  else if (strcmp(name, "every_second_later") == 0)
    bench->loaded = 2 * (bench->stored - n) - 1, bench->first = n;
  else if (strcmp(name, "load_part") == 0)
    bench->loaded = n;
  else if (strcmp(name, "store_part") == 0)
    bench->stored = n;
  else
    bench->part = n;
}

static struct bench bench_of(const struct operation *operation) {
  struct bench bench = {
      meaning_of(operation->name), operation->f64 ? CS_F64 : CS_F32, operation->lanes, operation->lanes, 0, 0, {0}, {0}, {0}, {0}};
  if (operation->n) set_lanes(&bench, operation->name, operation->n);
  lay(&bench, bench.loaded, &bench.a);
  lay(&bench, bench.loaded, &bench.b);
  lay(&bench, bench.loaded, &bench.c);
  lay(&bench, bench.stored, &bench.result);
  return bench;
}

static void clear(struct bench *bench) {
  struct cs_guard *const guards[] = {&bench->a, &bench->b, &bench->c, &bench->result};
  for (int i = 0; i < 4; i++) {
    assert_false(cs_guard_touched(guards[i]));
    cs_guard_free(guards[i]);
  }
}

/* Over all rounds every pair of values meets in lanes of a and b, and of b and c. Sums are finite every other round. */
static void fill(struct bench *bench, int round) {
  for (int i = 0; i < bench->loaded; i++) {
    const double a = values[(round + i) % VALUES];
    const double b = (bench->meaning->result == scaled ? exponents : values)[(round / VALUES + 5 * i) % VALUES];
    const bool kept = bench->meaning->result == sum ? round % 2 || isfinite(a) : !bench->meaning->constant || !isnan(a);
    cs_put(bench->a.data, (size_t)i, bench->dtype, kept ? a : 3);
    cs_put(bench->b.data, (size_t)i, bench->dtype, b);
    cs_put(bench->c.data, (size_t)i, bench->dtype, values[(round + 7 * i + 2) % VALUES]);
  }
}

static struct lane lane_of(const struct bench *bench, int i) {
  struct lane lane = {.first = cs_get(bench->a.data, 0, bench->dtype), .odd = i % 2 != 0};
  for (int other = 0; other < bench->loaded; other++) {
    const double a = cs_get(bench->a.data, (size_t)other, bench->dtype);
    lane.sum += a;
    lane.sum_abs += fabs(a);
  }
  lane.part = i >= bench->part;
  i -= bench->first;
  if (i >= 0 && 2 * i < bench->loaded) lane.twice = cs_get(bench->a.data, (size_t)i * 2, bench->dtype);
  if (i < 0 || i >= bench->loaded) return lane;
  lane.a = cs_get(bench->a.data, (size_t)i, bench->dtype);
  lane.b = cs_get(bench->b.data, (size_t)i, bench->dtype);
  const int quarter = bench->loaded / 4, across = quarter > 0 && i / quarter == 1 ? i + quarter : i;
  lane.across = cs_get(bench->a.data, (size_t)across, bench->dtype);
  lane.c = cs_get(bench->c.data, (size_t)i, bench->dtype);
  if ((i ^ 1) < bench->loaded) lane.beside = cs_get(bench->a.data, (size_t)i ^ 1, bench->dtype);
  return lane;
}

static bool right(const struct bench *bench, const struct lane *lane, double got) {
  const bool f64 = bench->dtype == CS_F64;
  const double exact = bench->meaning->result(*lane), expected = f64 ? exact : (double)(float)exact;
  const double u = f64 ? DBL_EPSILON : (double)FLT_EPSILON, least = (f64 ? DBL_MIN : (double)FLT_MIN) * u;
  if (isnan(expected) || isnan(got)) return isnan(expected) && isnan(got);
  if (got == expected || !bench->meaning->rounds || isinf(expected)) return got == expected;
  const double product = lane->c != 0 ? fabs(lane->b * lane->c) : 0;
  const double terms = bench->meaning->result == sum ? bench->loaded * lane->sum_abs : fabs(lane->a) + product;
  return fabs(got - expected) <= u * terms + least;
}

static void try_operation(const char *isa, const struct operation *operation) {
  struct bench bench = bench_of(operation);
  for (int round = 0; round < ROUNDS; round++) {
    fill(&bench, round);
    operation->run(bench.a.data, bench.b.data, bench.c.data, bench.result.data);
    for (int i = 0; i < bench.stored; i++) {
      const struct lane lane = lane_of(&bench, i);
      const double got = cs_get(bench.result.data, (size_t)i, bench.dtype);
      if (!right(&bench, &lane, got))
        fail_msg("%s, %s %s %d: lane %d of a = %g, b = %g, c = %g is %g", isa, operation->f64 ? "f64" : "f32", operation->name,
                 operation->n, i, lane.a, lane.b, lane.c, got);
    }
  }
  clear(&bench);
}

/* ---- one instruction set --------------------------------------------------------------------------------------------- */

/* Operations on some of a vector's lanes: load_part, store_part, load_lanes, blend, mac_lanes; load_inner; every second element;
 * pieces: those from one on from elsewhere. */
static int on_parts(const struct isa *isa, enum cs_dtype dtype) {
  const int lanes = isa->lanes[dtype], second = isa->evens ? 2 * lanes - 1 : 0;
  const int pieces = isa->pieces[dtype] > 0 ? isa->pieces[dtype] - 1 : 0;
  return lanes > 1 ? 5 * (lanes - 1) + (lanes - 2) + second + pieces : 0;
}

static void are_right(void **state) {
  (void)state;
  for (size_t i = 0; i < isas.count; i++) {
    const struct isa *isa = &isas.items[i];
    if (!isa->runs_here) continue;
    const struct operation *operations = dlsym(isa_library(engine, isa, "ops.t"), "operations");
    size_t count = 0, tops = 0, sets = 0;
    for (; operations[count].name; count++) {
      try_operation(isa->name, &operations[count]);
      tops += strncmp(operations[count].name, "tops", 4) == 0;
      sets += strcmp(operations[count].name, "set") == 0;
    }
    assert_true(tops == 0 || tops == 6);
    assert_int_equal(sets, isa->lanes[CS_F32] > 1 ? 2 : 0);
    assert_int_equal(count - tops - sets, 2 * (15 + isa->permutes + 2 * isa->shuffles) + 4 * isa->sums + isa->fetches[CS_F32] +
                                              isa->fetches[CS_F64] + (isa->lanes[CS_F32] > 1 ? 2 : 0) + on_parts(isa, CS_F32) +
                                              on_parts(isa, CS_F64));
  }
}

static int open_engine(void **state) {
  static const char *const paths[] = {"tests/ops"};
  (void)state;
  scratch_begin("operations");
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
  const struct CMUnitTest tests[] = {cmocka_unit_test(are_right)};
  return cmocka_run_group_tests_name("operations", tests, open_engine, close_engine);
}
