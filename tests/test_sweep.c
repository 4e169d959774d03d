/* Random small layers through `convsmith verify`: 1,000 of them; with FULL=1 20,000, with FULL=N N of them, and every plan. SEED
 * chooses others. A tenth is compiled by clang, another tenth is verified with every plan. */
#include "../gen/engine.h"
#include "../gen/file.h"
#include "../gen/isa.h"
#include "../gen/mem.h"
#include "process.h"
#include "sweep.h"
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

enum { LAYERS = 1000, FULL_LAYERS = 20000, SPEC_LAYERS = 1000, SHOWN = 5, LONGEST = 1 << 22 };

static struct sweep sweep;
static uint64_t seed = 1;
static bool full;

static const char *folder(void) {
  return mem_text("%s/test/sweep", process_out());
}

/* ---- the layers ------------------------------------------------------------------------------------------------------ */

static int make(void **state) {
  (void)state;
  const char *given = getenv("SEED"), *all = getenv("FULL");
  if (given && *given) seed = strtoull(given, NULL, 10);
  const size_t asked = all ? strtoull(all, NULL, 10) : 0, count = asked > 1 ? asked : asked == 1 ? FULL_LAYERS : LAYERS;
  full = asked > 0;
  setvbuf(stdout, NULL, _IOLBF, 0);
  struct engine *engine = engine_new(NULL, 0);
  struct isa_list isas;
  if (!isa_read(engine, &isas) || !sweep_make(&sweep, count, &isas, seed)) return -1;
  mkdir(mem_text("%s/test", process_out()), 0777);
  mkdir(folder(), 0777);
  printf("%zu layers, seed %" PRIu64 "\n", sweep.count, seed);
  return 0;
}

static void covers_every_value_and_pair(void **state) {
  (void)state;
  sweep_explain();
  assert_int_equal(sweep_missing(&sweep, 20), 0);
}

/* ---- verify ---------------------------------------------------------------------------------------------------------- */

/* A share of the layers: those whose number ends in one of the digits. Kinds: parts of plans' names that must occur. */
struct share {
  const char *name, *compiler, *plans;
  size_t first_digit, last_digit;
  const char *kinds[8];
};

/* Writes a spec with the share's layers among [first, end). Returns how many. */
static size_t write_spec(const struct share *share, size_t first, size_t end, const char *path) {
  struct text spec = {0};
  size_t count = 0;
  text_print(&spec, "convsmith: 1\nlayers:\n");
  for (size_t i = first; i < end; i++) {
    if (i % 10 < share->first_digit || i % 10 > share->last_digit) continue;
    sweep_print(&sweep.layers[i], &spec);
    assert_null(sweep_bake(&sweep.layers[i], folder()));
    count++;
  }
  const struct output output = {path, &spec};
  assert_null(file_write_all(&output, 1));
  text_free(&spec);
  return count;
}

/* Prints the layers that `said` calls wrong, or all it says where it calls none. */
static void show_failures(const char *said) {
  int shown = 0;
  for (const char *line = strstr(said, "FAIL s"); line && shown < SHOWN; line = strstr(line + 1, "FAIL s"), shown++) {
    const char *end = line;
    for (int i = 0; i < 3 && end; i++) end = strchr(end + 1, '\n');
    struct text spec = {0};
    sweep_print(&sweep.layers[atoi(line + 6)], &spec);
    printf("%.*s\n%s\n", end ? (int)(end - line) : (int)strlen(line), line, spec.data);
    text_free(&spec);
  }
  if (!shown) printf("%s\n", said);
}

/* Whether all is right, and every kind of plan among it. */
static bool verify(const struct share *share, size_t first, size_t end) {
  char *said = mem_new(LONGEST);
  const char *path = mem_text("%s/%s%zu.yaml", folder(), share->name, first / SPEC_LAYERS);
  const size_t layers = write_spec(share, first, end, path);
  const double start = cs_seconds();
  const int status = process_run(said, LONGEST, "CC=%s %s/convsmith verify %s --plans %s", share->compiler, process_out(), path,
                                 full ? "all" : share->plans);
  const char *sum = strstr(said, " kernels: ");
  while (sum && sum > said && sum[-1] != '\n') sum--;
  printf("CC=%s, %s, up to layer %zu of %zu: %zu layers, %.1f s, %s", share->compiler, path, end, sweep.count, layers,
         cs_seconds() - start, sum ? sum : "no result\n");
  if (status != 0) show_failures(said);
  bool right = status == 0 && sum && strtoull(sum, NULL, 10) >= layers;
  for (const char *const *kind = share->kinds; *kind; kind++) {
    if (strstr(said, *kind)) continue;
    printf("no plan of %s is named %s\n", path, *kind);
    right = false;
  }
  return right;
}

/* To the end, whatever is wrong on the way: a long sweep shall find all there is. */
static void kernels_are_right(void **state) {
  const struct share *share = *state;
  bool right = true;
  for (size_t first = 0; first < sweep.count; first += SPEC_LAYERS) {
    const size_t mark = mem_mark(), end = first + SPEC_LAYERS;
    right &= verify(share, first, end < sweep.count ? end : sweep.count);
    mem_release(mark);
  }
  assert_true(right);
}

static struct share shares[] = {
    {"chosen", "cc", "chosen", 0, 7, {NULL}},
    {"plans", "cc", "all", 8, 8, {"-channels-", "-pixels-", "-depth-", "-dot-", "-patch-", NULL}},
    {"clang", "clang", "chosen", 9, 9, {NULL}},
};

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(covers_every_value_and_pair),
      {"chosen plans are right", kernels_are_right, NULL, NULL, &shares[0]},
      {"every plan is right", kernels_are_right, NULL, NULL, &shares[1]},
      {"what clang makes is right", kernels_are_right, NULL, NULL, &shares[2]},
  };
  return cmocka_run_group_tests_name("sweep", tests, make, NULL);
}
