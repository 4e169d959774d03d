/* Races in two heats and a final: one round of all candidates, then of those that kept up as many rounds as the time allows. Of
 * many that are as fast, the one whose noise flatters it wins, so the winner meets the cheapest by cost once more, and only these
 * rounds count between the two. */
#include "race.h"
#include "mem.h"
#include "rig.h"
#include <math.h>

static const double race_seconds = 5; /* for a race, compiling included */
static const double too_costly = 2;   /* estimated, over the cheapest: not worth compiling */
static const double kept_up = 1.25;   /* over the fastest of the first heat */
static const double heats = 0.8;      /* share of the time; the rest is the final's */
static const double worth = 0.99;     /* calls of the cheapest by cost: what takes longer is no faster, for all that can be told */
enum { LEAST_ROUNDS = 3 };

/* The plans of a heat. */
struct heat {
  size_t plans[RACE_PLANS]; /* numbers in the race, the cheapest by cost first */
  struct timed timed[RACE_PLANS];
  size_t count;
};

static void choose(struct race *race) {
  const struct plan_list *plans = &race->plans;
  while (race->count < plans->usable && race->count < RACE_PLANS &&
         plans->items[race->count].cost <= too_costly * plans->items[0].cost)
    race->count++;
}

static const struct kernel *build(const struct race *race, const struct job *job, struct text *message) {
  struct kernel_source sources[RACE_PLANS];
  const struct plan *plans[RACE_PLANS];
  for (size_t i = 0; i < race->count; i++) {
    plans[i] = &race->plans.items[i];
    sources[i] = (struct kernel_source){race->layer, &plans[i], 1, mem_text("k%zu_", i)};
  }
  return kernel_build(job, sources, race->count, mem_text("%s-%s", race->layer->name, race->isa->name), message);
}

/* Runs a heat, and writes each one's time relative to the first into the race. Returns the seconds of one round. */
static double run_heat(struct race *race, const struct heat *heat, int rounds) {
  const size_t mark = mem_mark(), size = (size_t)rounds;
  double *seconds = mem_array(heat->count * size, sizeof *seconds);
  const double start = cs_seconds();
  timing_rounds(heat->timed, heat->count, rounds, false, seconds);
  for (size_t i = 0; i < heat->count; i++) race->time[heat->plans[i]] = timing_ratio(seconds + i * size, seconds, size);
  mem_release(mark);
  return (cs_seconds() - start) / rounds;
}

static void find_fastest(struct race *race) {
  race->fastest = 0;
  for (size_t i = 1; i < race->count; i++)
    if (race->time[i] < race->time[race->fastest]) race->fastest = i;
}

/* Those of `all` that kept up, and the first, which the others are measured by. */
static struct heat second_heat(struct race *race, const struct heat *all) {
  struct heat heat = {.count = 0};
  find_fastest(race);
  for (size_t i = 0; i < all->count; i++) {
    if (i > 0 && race->time[i] > kept_up * race->time[race->fastest]) continue;
    heat.plans[heat.count] = i;
    heat.timed[heat.count++] = all->timed[i];
  }
  return heat;
}

static int rounds_within(double seconds, double round) {
  const double rounds = seconds / round;
  return rounds < LEAST_ROUNDS ? LEAST_ROUNDS : rounds > TIMING_ROUNDS ? TIMING_ROUNDS : (int)rounds;
}

void race_final(struct race *race, const struct timed *timed, int rounds) {
  const size_t fastest = race->fastest;
  const struct heat heat = {.plans = {0, fastest}, .timed = {timed[0], timed[fastest]}, .count = 2};
  if (fastest == 0) return;
  run_heat(race, &heat, rounds);
  if (race->time[fastest] > worth) race->fastest = 0;
}

static double seconds_left(double start, double share) {
  return share * race_seconds - (cs_seconds() - start);
}

static void run_heats(struct race *race, struct rig *rigs, double start) {
  struct heat all = {.count = race->count};
  for (size_t i = 0; i < race->count; i++) {
    all.plans[i] = i;
    all.timed[i] = rig_timed(&rigs[i]);
  }
  const double round = run_heat(race, &all, 1);
  const struct heat best = second_heat(race, &all);
  if (best.count > 1) run_heat(race, &best, rounds_within(seconds_left(start, heats), round));
  find_fastest(race);
  race_final(race, all.timed, rounds_within(seconds_left(start, 1), round * 2 / (double)race->count));
}

static bool open_rigs(const struct race *race, const struct kernel *kernels, struct rig *rigs) {
  for (size_t i = 0; i < race->count; i++) {
    if (!rig_open(&rigs[i], race->layer, &kernels[i], NULL, 1)) return false;
    if (i == 0)
      rig_in_place(rigs, race->layer);
    else
      rig_share(&rigs[i], rigs);
  }
  return true;
}

bool race_run(struct race *race, const struct job *job, const struct layer *layer, const struct isa *isa, struct text *message) {
  const double start = cs_seconds();
  struct rig rigs[RACE_PLANS] = {{0}};
  *race = (struct race){.layer = layer, .isa = isa, .plans = plan_enumerate(layer, isa)};
  choose(race);
  const struct kernel *kernels = build(race, job, message);
  const bool ready = kernels && open_rigs(race, kernels, rigs);
  if (ready) run_heats(race, rigs, start);
  if (kernels && !ready) text_print(message, "convsmith: error: out of memory for the tensors of %s", layer->name);
  for (size_t i = 0; i < race->count; i++) rig_close(&rigs[i]);
  return ready;
}

double race_lead(const struct race *race) {
  double next = 0;
  for (size_t i = 0; i < race->count; i++)
    if (i != race->fastest && (next == 0 || race->time[i] < next)) next = race->time[i];
  if (next == 0) return 0;
  return fmax(1, next / race->time[race->fastest]);
}
