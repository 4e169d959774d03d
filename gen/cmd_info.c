/* convsmith info: what each layer is, costs and becomes, as text for people. The same as JSON is in info_json.c. */
#include "info.h"
#include "info_json.h"
#include "mem.h"
#include "op.h"
#include "stack.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static void print_shape(const char *title, const ptrdiff_t *shape, int rank) {
  printf("  %-16s ", title);
  for (int i = 0; i < rank; i++) printf("%s%td", i ? "×" : "", shape[i]);
  printf("\n");
}

static const char *layouts_text(const struct layer *layer) {
  const char *in = layout_name(layer->in_layout), *out = layout_name(layer->out_layout);
  return layer->in_layout == layer->out_layout ? in : mem_text("%s to %s", in, out);
}

/* "118013952 (118 M)" */
static void print_count(const char *title, int64_t count) {
  static const struct {
    double unit;
    const char *name;
  } units[] = {{1e12, "T"}, {1e9, "G"}, {1e6, "M"}};
  printf("  %-16s %" PRId64, title, count);
  size_t i = 0;
  while (i < 3 && (double)count < units[i].unit) i++;
  if (i < 3) printf(" (%.3g %s)", (double)count / units[i].unit, units[i].name);
  printf("\n");
}

static void print_fields(const struct field *fields, int rank) {
  for (int axis = 0; axis < rank; axis++) printf("%s%" PRId64, axis ? "×" : "", fields[axis].size);
}

/* "a tile of 4×4 outputs", from what the plan says of each axis. */
static const char *block_text(const struct cs_promise *promise, int rank) {
  const char *text = "";
  ptrdiff_t outputs = 1;
  for (int d = 0; d < rank; d++) {
    const ptrdiff_t block = promise->block[d] > 1 ? promise->block[d] : 1;
    text = mem_text("%s%s%td", text, d ? "×" : "", block);
    outputs *= block;
  }
  return outputs > 1 ? mem_text("a tile of %s outputs", text) : "an output";
}

static void print_bound(const struct info *info, const struct cs_promise *promise) {
  static const char *const factors[] = {[CS_STRICT] = "γ(n)", [CS_NORMWISE] = "4γ(n)", [CS_FAST] = "4γ(n) + 2⁻¹³"};
  const bool strict = promise->accuracy == CS_STRICT;
  printf("  %-16s ", "error bound");
  if (!isfinite(info->gamma))
    printf("none: n = %" PRId64 " terms are more than 1/u\n", info->terms);
  else if (info->terms == 0)
    printf("0%s\n", info->layer->activation == CS_NONE ? ": results are exact" : " before the activation");
  else
    printf("|y - y*| ≤ %.2g·%s: %s, n = %" PRId64 "\n", info_factor(info, promise), strict ? "Σ|x||w|" : "T",
           factors[promise->accuracy], info->terms);
  if (info->layer->dtype == CS_BF16) printf("  %-16s before it is rounded to bf16, once\n", "");
  if (isfinite(info->gamma) && !strict)
    printf("  %-16s T: sum over channels of the largest |x| that %s reads, times Σ|w|\n", "",
           block_text(promise, info->layer->rank));
}

/* The plans' bound if they share one; else each target has its own below. */
static bool one_bound(const struct info *info) {
  for (size_t i = 1; i < info->targets.count; i++)
    if (info->plans[0] && info->plans[i] && !plan_same_promise(info->plans[0], info->plans[i])) return false;
  return true;
}

static void print_target(const struct isa *isa, const struct plan *plan) {
  printf("  %-16s ", isa->name);
  if (!plan) {
    printf("no plan\n");
    return;
  }
  printf("%s, tile %s; packed %" PRId64 ", workspace %" PRId64 ", code about %" PRId64 " bytes\n", plan_algorithm(plan), plan->tile,
         plan->packed_bytes, plan->workspace_bytes, plan->code_bytes);
}

/* Where baked weights are zero for all that a vector multiply-add covers. */
static void print_left_out(const struct plan *plan) {
  if (plan && plan->left_out)
    printf("  %-16s %" PRId64 " of %" PRId64 " vector multiply-adds, whose weights are all zero, are not in its text\n", "",
           plan->left_out, plan->left_out + plan->multiply_adds);
}

static void print_plans(const struct layer *layer, const struct isa *isa) {
  struct plan_list plans = plan_enumerate(layer, isa);
  printf("  plans for %s: %zu, refused %zu\n", isa->name, plans.usable, plans.count - plans.usable);
  for (size_t i = 0; i < plans.count; i++) {
    const struct plan *plan = &plans.items[i];
    if (plan->reason)
      printf("    %-34s refused: %s\n", plan->id, plan->reason);
    else
      printf("    %-34s %.2f of the chosen's cost: %.4g cycles, %" PRId64 " bytes of code\n", plan->id,
             plan->cost / plans.items[0].cost, plan->cost, plan->code_bytes);
  }
}

static void print_saving(const struct layer *layer) {
  struct saving saving;
  if (!layer->op->saving || !layer->op->saving(layer, &saving)) return;
  printf("  %-16s %.3g of %s: %s; %" PRId64 " for %" PRId64 "\n", "saving", (double)saving.after / (double)saving.before,
         saving.than, saving.formula, saving.after, saving.before);
}

/* Baked weights that are exactly zero. */
static void print_dropped(const struct layer *layer) {
  size_t zeros = 0;
  for (size_t i = 0; i < layer->weights.count; i++) zeros += cs_get(layer->weights.data, i, layer->dtype) == 0;
  if (zeros) printf("  %-16s %zu of %zu baked weights are exactly zero: no taps\n", "dropped", zeros, layer->weights.count);
}

static void print_layer(struct job *job, const struct layer *layer) {
  struct info info = info_of(job, layer);
  printf("%s: %s, %s, %s\n", layer->name, layer->op->name, dtype_name(layer->dtype), layouts_text(layer));
  print_shape("input", info.input, info.rank);
  print_shape("output", info.output, info.rank);
  print_count("parameters", info.parameters);
  print_count("multiply-adds", info.multiply_adds);
  print_saving(layer);
  if (job->options->explain) print_dropped(layer);
  printf("  %-16s ", "receptive field");
  print_fields(info.field, layer->rank);
  printf("\n");
  const bool shared = one_bound(&info);
  if (shared) print_bound(&info, info.plans[0] ? &info.plans[0]->promise : &(struct cs_promise){CS_STRICT, {0}});
  for (size_t i = 0; i < info.targets.count; i++) {
    print_target(info.targets.items[i], info.plans[i]);
    if (job->options->explain) print_left_out(info.plans[i]);
    if (!shared && info.plans[i]) print_bound(&info, &info.plans[i]->promise);
    if (job->options->explain) print_plans(layer, info.targets.items[i]);
  }
  printf("\n");
}

/* A run of layers that chain: its receptive field, and what of it is not read. */
static void print_run(const struct layer *layers, size_t count) {
  struct field fields[MAX_SPATIAL];
  if (!stack_fields(layers, count, fields)) return;
  printf("%s to %s, %zu layers that chain: receptive field ", layers[0].name, layers[count - 1].name, count);
  print_fields(fields, layers->rank);
  for (int axis = 0; axis < layers->rank; axis++) {
    const bool known = fields[axis].jump > 0;
    const struct gaps holes = known ? field_holes(&fields[axis]) : (struct gaps){0};
    if (holes.count) printf(", holes at %s %s", axis_name(axis, layers->rank), gaps_text(&holes));
  }
  printf("\n");
}

static void print_text(struct job *job) {
  const struct spec *spec = &job->spec;
  for (size_t i = 0; i < spec->count; i++) {
    size_t mark = mem_mark();
    print_layer(job, &spec->layers[i]);
    mem_release(mark);
  }
  for (size_t i = 0, length; i < spec->count; i += length) {
    length = stack_length(spec->layers + i, spec->count - i);
    if (length > 1) print_run(spec->layers + i, length);
  }
}

int cmd_info(const struct command_options *options) {
  struct job job;
  if (!job_open(&job, options)) return job_close(&job, EXIT_BAD);
  if (options->json)
    info_json(&job);
  else
    print_text(&job);
  return job_close(&job, EXIT_OK);
}
