/* Jobs: what commands share between the command line and their own work. */
#include "job.h"
#include "key_read.h"
#include "mem.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char *const portable[] = {"scalar", "avx2", "avx512"};

/* An option's words as the file of a place: line 0. */
static struct place option_place(const char *option, const char *value) {
  return (struct place){.file = mem_text("%s %s", option, value)};
}

static bool is_native(const char *name) {
  return !strcmp(name, "native");
}

/* ---- checks of options --------------------------------------------------------------------------------------------- */

/* As the spec's key `target` is checked. */
static void check_targets(struct job *job) {
  const struct words *targets = &job->options->targets;
  struct node **items = mem_array(targets->count, sizeof *items);
  for (size_t i = 0; i < targets->count; i++) {
    items[i] = mem_new(sizeof **items);
    *items[i] = (struct node){.kind = NODE_SCALAR, .text = targets->items[i], .place = option_place("--target", targets->items[i])};
  }
  struct node list = {.kind = NODE_LIST, .count = targets->count, .items = items};
  struct layer ignored = {0};
  struct reading reading = {.layer = &ignored, .diags = &job->diags, .known_targets = job->isas.names};
  if (targets->count) read_target(&reading, &list);
}

static void check_prefix(struct job *job) {
  const char *prefix = job->options->prefix;
  bool good = !isdigit((unsigned char)*prefix);
  for (const char *c = prefix; *c; c++) good &= isalnum((unsigned char)*c) || *c == '_';
  if (!good) diag_error(&job->diags, option_place("--prefix", prefix), "not the start of a C identifier: letters, digits and _");
}

static void check_template_paths(struct job *job) {
  const struct words *paths = &job->options->template_paths;
  for (size_t i = 0; i < paths->count; i++) {
    struct stat status;
    if (stat(paths->items[i], &status) != 0 || !S_ISDIR(status.st_mode))
      diag_error(&job->diags, option_place("--template-path", paths->items[i]), "not a folder");
  }
}

/* ---- opening and closing ------------------------------------------------------------------------------------------- */

static bool read_spec(struct job *job) {
  const struct command_options *options = job->options;
  struct spec_options how = {
      .sets = options->sets.items,
      .set_count = options->sets.count,
      .layers = options->layers.items,
      .layer_count = options->layers.count,
      .prefix = options->prefix,
      .known_targets = job->isas.names,
  };
  return spec_read(options->spec, &how, &job->spec, &job->diags);
}

bool job_open(struct job *job, const struct command_options *options) {
  *job = (struct job){.options = options};
  check_template_paths(job);
  check_prefix(job);
  job->engine = engine_new(options->template_paths.items, options->template_paths.count);
  if (!isa_read(job->engine, &job->isas)) {
    job_fail(job, engine_error(job->engine));
    return false;
  }
  const size_t errors = job->diags.errors;
  check_targets(job);
  job->targets_right = job->diags.errors == errors;
  bool readable = !options->spec || read_spec(job);
  if (readable && options->plan_file)
    plan_file_read(options->plan_file, &job->spec, options->layers.count > 0, &job->isas, &job->choices, &job->diags);
  return !job->diags.errors;
}

int job_close(struct job *job, int status) {
  if (job->engine) engine_free(job->engine);
  job->engine = NULL;
  return diag_flush(&job->diags) ? EXIT_BAD : status;
}

int job_fail(struct job *job, const char *message) {
  diag_flush(&job->diags);
  fprintf(stderr, "%s\n", message);
  return EXIT_BAD;
}

/* ---- targets ------------------------------------------------------------------------------------------------------- */

static void add_isa(struct isa_set *set, const struct isa *isa) {
  for (size_t i = 0; i < set->count; i++)
    if (set->items[i] == isa) return;
  set->items = mem_grow(set->items, set->count, sizeof *set->items);
  set->items[set->count++] = isa;
}

static void add_named(const struct job *job, struct isa_set *set, const char *const *names, size_t count) {
  for (size_t i = 0; i < count; i++) add_isa(set, is_native(names[i]) ? isa_native(&job->isas) : isa_find(&job->isas, names[i]));
}

static void add_running(const struct job *job, struct isa_set *set) {
  for (size_t i = 0; i < job->isas.count; i++)
    if (job->isas.items[i].runs_here) add_isa(set, &job->isas.items[i]);
}

struct isa_set job_targets(const struct job *job, const struct layer *layer, enum target_default otherwise) {
  static const char *const native[] = {"native"};
  struct isa_set set = {0};
  if (job->options->targets.count)
    add_named(job, &set, job->options->targets.items, job->options->targets.count);
  else if (layer->target_count)
    add_named(job, &set, layer->targets, layer->target_count);
  else if (otherwise == TARGETS_PORTABLE)
    add_named(job, &set, portable, sizeof portable / sizeof portable[0]);
  else if (otherwise == TARGETS_HERE)
    add_running(job, &set);
  else
    add_named(job, &set, native, 1);
  return set;
}

bool job_targets_run(struct job *job, const struct layer *layer, const struct isa_set *set) {
  bool all = true;
  for (size_t i = 0; i < set->count; i++) {
    const char *name = set->items[i]->name;
    if (set->items[i]->runs_here) continue;
    all = false;
    struct place place = job->options->targets.count ? option_place("--target", name) : layer_place(layer, "target");
    diag_error(&job->diags, place, "this machine cannot run %s; see convsmith targets", name);
  }
  return all;
}

/* ---- plans --------------------------------------------------------------------------------------------------------- */

const struct plan *job_plan(struct job *job, const struct layer *layer, const struct isa *isa) {
  const struct plan *chosen = plan_choice_find(&job->choices, layer, isa);
  if (chosen) return chosen;
  struct plan_list plans = plan_enumerate(layer, isa);
  if (plans.usable) return plans.items; /* the cheapest is first */
  const char *key = strcmp(layer->algorithm, "auto") != 0 ? "algorithm" : layer->unroll == UNROLL_FULL ? "unroll" : "name";
  diag_error(&job->diags, layer_place(layer, key), "no plan for %s on %s: %s", layer->name, isa->name,
             plans.count ? plans.items[0].reason : "no algorithm applies");
  return NULL;
}

const struct plan *const *job_plans(struct job *job, const struct layer *layer, const struct isa_set *set) {
  const struct plan **plans = mem_array(set->count, sizeof *plans);
  bool all = true;
  for (size_t i = 0; i < set->count; i++) {
    plans[i] = job_plan(job, layer, set->items[i]);
    all &= plans[i] != NULL;
  }
  return all ? plans : NULL;
}

/* Does the layer ask for plans that there may be none of? */
static bool is_choosy(const struct layer *layer) {
  return strcmp(layer->algorithm, "auto") != 0 || layer->unroll == UNROLL_FULL || layer->values[key_find("max_code_bytes")];
}

void job_check_plans(struct job *job, enum target_default otherwise) {
  const bool all = !job->diags.errors;
  for (size_t i = 0; i < job->spec.count && job->targets_right; i++) {
    const struct layer *layer = &job->spec.layers[i];
    const size_t mark = mem_mark();
    const struct isa_set targets = job_targets(job, layer, otherwise);
    if (all || is_choosy(layer)) job_plans(job, layer, &targets);
    mem_release(mark);
  }
}

bool job_generate(const struct job *job, const struct layer *layer, const struct plan *const *plans, size_t count,
                  const char *prefix, struct generated *result) {
  const char *slash = strrchr(job->options->spec, '/');
  struct generate_options options = {.prefix = prefix, .spec = slash ? slash + 1 : job->options->spec};
  *result = (struct generated){0};
  if (generate_layer(job->engine, layer, plans, count, &options, result)) return true;
  generated_free(result);
  return false;
}
