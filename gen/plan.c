/* The planner: asks each algorithm for its candidates and puts the usable ones in order of cost. */
#include "alg.h"
#include "mem.h"
#include "op.h"
#include "zeros.h"
#include <stdlib.h>
#include <string.h>

static const struct algorithm *const algorithms[] = {&alg_direct,         &alg_depthwise, &alg_planes, &alg_winograd,
                                                     &alg_winograd_tiles, &alg_fft,       &alg_copy,   &alg_pool,
                                                     &alg_pool_passes,    &alg_stretch};

/* Does the plan promise less than what is asked for? */
static const char *too_loose(const struct candidates *candidates, const struct plan *plan) {
  const enum cs_accuracy asked = candidates->problem_count > 0 ? candidates->problems->accuracy : CS_STRICT;
  if (plan->promise.accuracy <= asked) return NULL;
  return mem_text("it needs accuracy: %s, the layer's is %s", accuracy_name(plan->promise.accuracy), accuracy_name(asked));
}

const char *code_reason(int64_t bytes, const struct problem *problem) {
  if (bytes <= problem->max_code_bytes) return NULL;
  return mem_text("its largest function needs about %lld bytes of code, max_code_bytes is %lld", (long long)bytes,
                  (long long)problem->max_code_bytes);
}

void candidates_add(struct candidates *candidates, struct plan plan) {
  const struct problem *problem = candidates->stage_count > 0 ? &candidates->stages->problem : candidates->problems;
  if (!plan.reason) plan.reason = too_loose(candidates, &plan);
  if (!plan.reason) plan.reason = code_reason(plan.code_bytes, problem);
  candidates->plans = mem_grow(candidates->plans, candidates->count, sizeof plan);
  candidates->plans[candidates->count++] = plan;
}

/* Usable before refused, and of these the ones that were built first; then by cost; equal ones by id, so that the order never
 * depends on the sort. */
static int by_cost(const void *a, const void *b) {
  const struct plan *left = a, *right = b;
  if (!left->reason != !right->reason) return left->reason ? 1 : -1;
  if ((left->cost > 0) != (right->cost > 0)) return left->cost > 0 ? -1 : 1;
  if (left->cost != right->cost) return left->cost < right->cost ? -1 : 1;
  return strcmp(left->id, right->id);
}

static struct plan_list ordered(const struct candidates *candidates) {
  if (candidates->count > 0) qsort(candidates->plans, candidates->count, sizeof *candidates->plans, by_cost);
  struct plan_list list = {.items = candidates->plans, .count = candidates->count};
  while (list.usable < list.count && !list.items[list.usable].reason) list.usable++;
  return list;
}

/* The only plan where an ISA has no vectors of the type. */
static struct plan without_type(const struct isa *isa, enum cs_dtype dtype) {
  return (struct plan){.id = "none",
                       .algorithm = &alg_direct,
                       .isa = isa,
                       .tile = "",
                       .reason = mem_text("isa/%s.lua has no vec.%s", isa->name, dtype_name(dtype))};
}

struct plan_list problem_plans(const struct problem *problems, size_t count, const struct isa *isa, const char *algorithm) {
  struct candidates candidates = {.isa = isa, .problems = problems, .problem_count = count};
  if (isa->lanes[problems->dtype] == 0) {
    candidates_add(&candidates, without_type(isa, problems->dtype));
    return ordered(&candidates);
  }
  for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++)
    if (algorithms[i]->work == problems->work && (strcmp(algorithm, "auto") == 0 || strcmp(algorithm, algorithms[i]->name) == 0))
      algorithms[i]->enumerate(&candidates);
  return ordered(&candidates);
}

int plan_exact_limit(const struct layer *layer, const struct plan *plan) {
  return plan->exact_bits < 0 ? 0 : layer->op->exact_limit(layer, plan->exact_bits);
}

bool plan_same_promise(const struct plan *a, const struct plan *b) {
  bool same = a->promise.accuracy == b->promise.accuracy && a->exact_bits == b->exact_bits;
  for (int d = 0; d < MAX_SPATIAL; d++) same &= a->promise.block[d] == b->promise.block[d];
  return same;
}

struct plan_list plan_enumerate(const struct layer *layer, const struct isa *isa) {
  struct problem *problems;
  struct stage stages[MAX_STAGES];
  const size_t count = layer->op->chain ? layer->op->chain(layer, stages) : 0;
  if (count == 0) {
    const size_t problem_count = layer->op->lower(layer, &problems);
    for (size_t i = 0; i < problem_count; i++) {
      problems[i].accuracy = layer->accuracy;
      zeros_count(&problems[i]);
    }
    return problem_plans(problems, problem_count, isa, layer->algorithm);
  }
  for (size_t i = 0; i < count; i++) zeros_count(&stages[i].problem);
  struct candidates candidates = {.isa = isa, .stages = stages, .stage_count = count};
  alg_chain.enumerate(&candidates);
  return ordered(&candidates);
}
