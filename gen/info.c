/* Info: counts from the layer's tensors, the error bound from its terms, plans from the planner. */
#include "info.h"
#include "alg.h"
#include "mem.h"
#include "op.h"
#include <math.h>

const char *plan_algorithm(const struct plan *plan) {
  return plan->algorithm->name;
}

static void count_tensors(struct info *info) {
  struct tensor *tensors = mem_array(MAX_TENSORS, sizeof *tensors); /* shapes are pointed to */
  size_t count = info->layer->op->tensors(info->layer, tensors);
  for (size_t i = 0; i < count; i++) {
    if (tensors[i].role == TENSOR_PARAMETER) info->parameters += (int64_t)tensor_count(&tensors[i]);
    if (tensors[i].role == TENSOR_OUTPUT) info->output = tensors[i].shape;
  }
  info->input = tensors[0].shape;
  info->rank = tensors[0].rank;
}

/* γ(n) = nu / (1 - nu) */
static void bound(struct info *info) {
  const struct layer *layer = info->layer;
  info->terms = layer->op->terms(layer);
  double nu = (double)info->terms * (layer->dtype == CS_F64 ? 0x1p-53 : 0x1p-24);
  info->gamma = nu < 1 ? nu / (1 - nu) : INFINITY;
}

double info_factor(const struct info *info, const struct cs_promise *promise) {
  static const struct { double gammas, more; } rows[] = {[CS_STRICT] = {1, 0}, [CS_NORMWISE] = {4, 0}, [CS_FAST] = {4, 0x1p-13}};
  return rows[promise->accuracy].gammas * info->gamma + rows[promise->accuracy].more;
}

static void choose_plans(struct info *info, struct job *job) {
  info->targets = job_targets(job, info->layer, TARGETS_NATIVE);
  info->plans = mem_array(info->targets.count, sizeof *info->plans);
  for (size_t i = 0; i < info->targets.count; i++) info->plans[i] = job_plan(job, info->layer, info->targets.items[i]);
}

struct info info_of(struct job *job, const struct layer *layer) {
  struct info info = {.layer = layer, .multiply_adds = layer->op->multiply_adds(layer)};
  count_tensors(&info);
  run_fields(layer, 1, info.field); /* one layer's is bounded: it fits its padded input */
  bound(&info);
  choose_plans(&info, job);
  return info;
}
