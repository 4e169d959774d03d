/* Info as JSON. A layer's own keys (algorithm, tile, sizes) speak of its first target; `targets` has them for each. `stack` is the
 * receptive field of the whole file where every layer chains with the next, else null; `runs` has it for each run that chains. */
#include "info_json.h"
#include "info.h"
#include "json.h"
#include "mem.h"
#include "op.h"
#include "stack.h"
#include <math.h>

static void put_string(struct json *json, const char *key, const char *value) {
  json_key(json, key);
  json_string(json, value);
}

static void put_integer(struct json *json, const char *key, int64_t value) {
  json_key(json, key);
  json_integer(json, value);
}

static void put_null(struct json *json, const char *key) {
  put_string(json, key, NULL);
}

static void put_shape(struct json *json, const char *key, const ptrdiff_t *shape, int rank) {
  json_key(json, key);
  json_open(json, '[');
  for (int i = 0; i < rank; i++) json_integer(json, shape[i]);
  json_close(json, ']');
}

static void put_sizes(struct json *json, const char *key, const struct field *fields, int rank) {
  json_key(json, key);
  json_open(json, '[');
  for (int axis = 0; axis < rank; axis++) json_integer(json, fields[axis].size);
  json_close(json, ']');
}

static void put_plan(struct json *json, const struct plan *plan) {
  put_string(json, "algorithm", plan_algorithm(plan));
  put_string(json, "tile", plan->tile);
  put_integer(json, "packed_bytes", plan->packed_bytes);
  put_integer(json, "workspace_bytes", plan->workspace_bytes);
  put_integer(json, "code_bytes", plan->code_bytes);
  put_string(json, "plan", plan->id);
  put_string(json, "accuracy", accuracy_name(plan->promise.accuracy));
  json_key(json, "cycles");
  json_number(json, round(plan->cost));
}

static void put_no_plan(struct json *json) {
  static const char *const keys[] = {"algorithm",  "tile", "packed_bytes", "workspace_bytes",
                                     "code_bytes", "plan", "accuracy",     "cycles"};
  for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) put_null(json, keys[i]);
}

static void put_chosen(struct json *json, const struct plan *plan) {
  if (plan)
    put_plan(json, plan);
  else
    put_no_plan(json);
}

/* --explain: every plan in its order; `reason` is null where it is usable. */
static void put_plans(struct json *json, const struct layer *layer, const struct isa *isa) {
  struct plan_list plans = plan_enumerate(layer, isa);
  json_key(json, "plans");
  json_open(json, '[');
  for (size_t i = 0; i < plans.count; i++) {
    json_open(json, '{');
    put_plan(json, &plans.items[i]);
    put_string(json, "reason", plans.items[i].reason);
    json_close(json, '}');
  }
  json_close(json, ']');
}

static void put_targets(struct json *json, const struct info *info, bool explain) {
  json_key(json, "targets");
  json_open(json, '[');
  for (size_t i = 0; i < info->targets.count; i++) {
    json_open(json, '{');
    put_string(json, "target", info->targets.items[i]->name);
    put_chosen(json, info->plans[i]);
    if (explain) put_plans(json, info->layer, info->targets.items[i]);
    json_close(json, '}');
  }
  json_close(json, ']');
}

/* What the first target's plan promises. */
static void put_promise(struct json *json, const struct info *info, const struct cs_promise *promise) {
  ptrdiff_t block[MAX_SPATIAL];
  for (int d = 0; d < info->layer->rank; d++) block[d] = promise->block[d] > 1 ? promise->block[d] : 1;
  put_string(json, "accuracy", accuracy_name(promise->accuracy));
  json_key(json, "factor");
  json_number(json, info_factor(info, promise));
  put_shape(json, "block", block, info->layer->rank);
}

/* null where the op saves nothing. */
static void put_saving(struct json *json, const struct layer *layer) {
  struct saving saving;
  if (!layer->op->saving || !layer->op->saving(layer, &saving)) {
    put_null(json, "saving");
    return;
  }
  json_key(json, "saving");
  json_open(json, '{');
  put_integer(json, "multiply_adds", saving.after);
  put_integer(json, "instead_of", saving.before);
  json_key(json, "ratio");
  json_number(json, (double)saving.after / (double)saving.before);
  json_close(json, '}');
}

static void put_layer(struct json *json, struct job *job, const struct layer *layer) {
  struct info info = info_of(job, layer);
  json_open(json, '{');
  put_string(json, "name", layer->name);
  put_string(json, "op", layer->op->name);
  put_shape(json, "input", info.input, info.rank);
  put_shape(json, "output", info.output, info.rank);
  put_integer(json, "parameters", info.parameters);
  put_integer(json, "multiply_adds", info.multiply_adds);
  put_sizes(json, "receptive_field", info.field, layer->rank);
  put_chosen(json, info.plans[0]);
  put_string(json, "dtype", dtype_name(layer->dtype));
  put_string(json, "input_layout", layout_name(layer->in_layout));
  put_string(json, "output_layout", layout_name(layer->out_layout));
  json_key(json, "bound");
  json_open(json, '{');
  put_integer(json, "terms", info.terms);
  json_key(json, "gamma");
  json_number(json, info.gamma);
  if (info.plans[0]) put_promise(json, &info, &info.plans[0]->promise);
  json_close(json, '}');
  put_saving(json, layer);
  put_targets(json, &info, job->options->explain);
  json_close(json, '}');
}

/* null below `least`. */
static void put_known(struct json *json, int64_t value, int64_t least) {
  if (value < least)
    json_string(json, NULL);
  else
    json_integer(json, value);
}

/* null where outputs take turns. */
static void put_jump(struct json *json, const struct field *fields, int rank) {
  json_key(json, "jump");
  json_open(json, '[');
  for (int axis = 0; axis < rank; axis++) put_known(json, fields[axis].jump, 1);
  json_close(json, ']');
}

/* Holes along each axis; null where there are some, too many to count, or where outputs take turns. */
static void put_holes(struct json *json, const struct field *fields, int rank) {
  json_key(json, "holes");
  json_open(json, '[');
  for (int axis = 0; axis < rank; axis++) put_known(json, fields[axis].jump ? field_holes(&fields[axis]).count : -1, 0);
  json_close(json, ']');
}

static void put_run(struct json *json, const struct layer *layers, size_t count) {
  struct field fields[MAX_SPATIAL];
  if (!stack_fields(layers, count, fields)) return;
  json_open(json, '{');
  json_key(json, "layers");
  json_open(json, '[');
  for (size_t i = 0; i < count; i++) json_string(json, layers[i].name);
  json_close(json, ']');
  put_sizes(json, "receptive_field", fields, layers->rank);
  put_jump(json, fields, layers->rank);
  put_holes(json, fields, layers->rank);
  json_close(json, '}');
}

static void put_runs(struct json *json, const struct spec *spec) {
  json_key(json, "runs");
  json_open(json, '[');
  for (size_t i = 0, length; i < spec->count; i += length) {
    length = stack_length(spec->layers + i, spec->count - i);
    if (length > 1) put_run(json, spec->layers + i, length);
  }
  json_close(json, ']');
}

static void put_stack(struct json *json, const struct spec *spec) {
  struct field fields[MAX_SPATIAL];
  if (stack_length(spec->layers, spec->count) == spec->count && stack_fields(spec->layers, spec->count, fields))
    put_sizes(json, "stack", fields, spec->layers->rank);
  else
    put_null(json, "stack");
}

static void put_layers(struct json *json, struct job *job) {
  json_key(json, "layers");
  json_open(json, '[');
  for (size_t i = 0; i < job->spec.count; i++) {
    size_t mark = mem_mark();
    put_layer(json, job, &job->spec.layers[i]);
    mem_release(mark);
  }
  json_close(json, ']');
}

void info_json(struct job *job) {
  struct json json = {0};
  json_open(&json, '{');
  put_layers(&json, job);
  put_stack(&json, &job->spec);
  put_runs(&json, &job->spec);
  json_close(&json, '}');
  json_print(&json);
}
