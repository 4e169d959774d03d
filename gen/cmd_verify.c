/* convsmith verify: every layer on every target against the reference. Tasks are counted off layer by layer into batches; results
 * are printed in that order, whatever order workers end in. */
#include "batch.h"
#include "compile.h"
#include "json.h"
#include "mem.h"
#include "op.h"
#include "progress.h"
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const int64_t BATCH_WORK = 2000000000; /* multiply-adds; seconds of examining */
enum { PLAN_WIDTH = 28 };                     /* column of plans in the table; longer ids push what follows */

struct run {
  struct job job;
  struct crew crew;
  size_t layer, target, plan;  /* of the next task */
  struct plan_list plans;      /* of that layer and target, while `enumerated` */
  struct isa_set targets;      /* of that layer, while `enumerated` */
  bool enumerated, named_seen; /* named_seen: --plans ID was found */
  size_t batch_kernels;
  size_t right, wrong;
  int name_width;
  struct json json;
};

/* ---- tasks ----------------------------------------------------------------------------------------------------------- */

static bool takes_all(const struct run *run) {
  return !strcmp(run->job.options->plans, "all");
}

static bool takes_chosen(const struct run *run) {
  return !strcmp(run->job.options->plans, "chosen");
}

/* The plan of the current layer and target that verify was asked for by name: a list of at most one. */
static struct plan_list named_plan(struct run *run, const struct layer *layer, struct plan_list plans) {
  for (size_t i = 0; i < plans.count; i++) {
    struct plan *plan = &plans.items[i];
    if (strcmp(plan->id, run->job.options->plans) != 0) continue;
    run->named_seen = true;
    if (!plan->reason) return (struct plan_list){plan, 1, 1};
    diag_error(&run->job.diags, layer_place(layer, "name"), "plan %s was refused for %s on %s: %s", plan->id, layer->name,
               plan->isa->name, plan->reason);
  }
  return (struct plan_list){0};
}

static struct plan_list chosen_plan(struct run *run, const struct layer *layer, const struct isa *isa) {
  const struct plan *plan = job_plan(&run->job, layer, isa);
  if (!plan) return (struct plan_list){0};
  struct plan *copy = mem_new(sizeof *copy);
  *copy = *plan;
  return (struct plan_list){copy, 1, 1};
}

/* Plans of the current layer and target; a list that was released with a batch is made again. */
static void enumerate(struct run *run, const struct layer *layer) {
  run->targets = job_targets(&run->job, layer, TARGETS_HERE);
  const struct isa *isa = run->targets.items[run->target];
  if (takes_chosen(run))
    run->plans = chosen_plan(run, layer, isa);
  else if (takes_all(run))
    run->plans = plan_enumerate(layer, isa);
  else
    run->plans = named_plan(run, layer, plan_enumerate(layer, isa));
  run->enumerated = true;
}

static void next_target(struct run *run) {
  run->plan = 0;
  run->enumerated = false;
  if (++run->target < run->targets.count) return;
  run->target = 0;
  run->layer++;
}

/* Adds the next task, if there is one. */
static bool add_task(struct run *run, struct batch *batch) {
  while (run->layer < run->job.spec.count) {
    const struct layer *layer = &run->job.spec.layers[run->layer];
    if (!run->enumerated) enumerate(run, layer);
    if (run->plan < run->plans.usable) {
      batch_add(batch, layer, run->targets.items[run->target], &run->plans.items[run->plan++]);
      if (run->plan == run->plans.usable) next_target(run);
      return true;
    }
    next_target(run);
  }
  return false;
}

/* Large batches end with a layer if they can: its reference is computed once for all that a batch has of it. */
static bool batch_full(const struct run *run, const struct batch *batch) {
  if (batch->count >= BATCH_KERNELS) return true;
  if (run->target != 0 || run->plan != 0) return false;
  return batch->count >= run->batch_kernels || batch->work >= BATCH_WORK;
}

/* Starts a worker on the next batch. False when there is nothing left, or after reporting. */
static bool start_batch(struct run *run) {
  const size_t mark = mem_mark();
  struct batch *batch = batch_new();
  while (batch && !batch_full(run, batch) && add_task(run, batch)) continue;
  const bool started = batch && batch->count && crew_start(&run->crew, batch);
  if (!batch || (batch->count && !started))
    diag_error(&run->job.diags, (struct place){0}, "cannot start a worker process: out of memory or processes");
  if (batch && !started) batch_free(batch);
  mem_release(mark);
  run->enumerated = false;
  return started;
}

/* ---- reports --------------------------------------------------------------------------------------------------------- */

/* A word as a shell reads it. */
static const char *quoted(const char *word) {
  bool plain = *word != 0;
  for (const char *c = word; *c; c++) plain &= isalnum((unsigned char)*c) || strchr("_-./=,:+", *c);
  if (plain) return word;
  const char *text = "'";
  for (const char *c = word; *c; c++) text = *c == '\'' ? mem_text("%s'\\''", text) : mem_text("%s%c", text, *c);
  return mem_text("%s'", text);
}

static const char *repeat_words(const char *text, const char *option, const struct words *words) {
  for (size_t i = 0; i < words->count; i++) text = mem_text("%s %s %s", text, option, quoted(words->items[i]));
  return text;
}

/* The one command that repeats a result. */
static const char *repeat_command(const struct command_options *options, const struct task *task) {
  const char *text = mem_text("convsmith verify %s --layer %s --target %s --plans %s --seed %" PRIu64, quoted(options->spec),
                              task->layer->name, task->isa->name, task->id, options->seed);
  text = repeat_words(text, "--set", &options->sets);
  text = repeat_words(text, "--template-path", &options->template_paths);
  return options->full ? mem_text("%s --full", text) : text;
}

/* The share of blocks of random data that a kernel did not compute as planned; "" where it has no choice. */
static const char *fallen_back(const struct outcome *outcome) {
  const long blocks = outcome->blocks[0] + outcome->blocks[1];
  return blocks ? mem_text(", %.0f%% of blocks fell back", 100 * (double)outcome->blocks[0] / (double)blocks) : "";
}

static void print_line(const struct run *run, const struct task *task, const struct outcome *outcome) {
  const bool right = outcome->state == RIGHT;
  const int pad = PLAN_WIDTH - (int)strlen(task->id);
  printf("%s %-*s  %-6s  %s", right ? "ok  " : "FAIL", run->name_width, task->layer->name, task->isa->name, task->id);
  if (right)
    printf("%*s  max error/bound %.2f%s\n", pad > 0 ? pad : 0, "", outcome->ratio, fallen_back(outcome));
  else
    printf("\n     %s\n     repeat: %s\n", outcome->message, repeat_command(run->job.options, task));
}

static void print_object(struct json *json, const struct command_options *options, const struct task *task,
                         const struct outcome *outcome) {
  const bool right = outcome->state == RIGHT;
  json_open(json, '{');
  json_key(json, "name");
  json_string(json, task->layer->name);
  json_key(json, "target");
  json_string(json, task->isa->name);
  json_key(json, "plan");
  json_string(json, task->id);
  json_key(json, "tile");
  json_string(json, task->tile);
  json_key(json, "ok");
  json_bool(json, right);
  json_key(json, "error_over_bound");
  json_number(json, outcome->ratio);
  json_key(json, "message");
  json_string(json, right ? NULL : outcome->message);
  json_key(json, "repeat");
  json_string(json, repeat_command(options, task));
  json_close(json, '}');
}

static void report(struct run *run, const struct batch *batch) {
  const size_t mark = mem_mark();
  progress_clear();
  for (size_t i = 0; i < batch->count; i++) {
    const bool right = batch->outcomes[i].state == RIGHT;
    run->right += right;
    run->wrong += !right;
    if (run->job.options->json)
      print_object(&run->json, run->job.options, &batch->tasks[i], &batch->outcomes[i]);
    else
      print_line(run, &batch->tasks[i], &batch->outcomes[i]);
  }
  fflush(stdout);
  mem_release(mark);
}

static void begin_json(struct run *run) {
  json_open(&run->json, '{');
  json_key(&run->json, "kernels");
  json_open(&run->json, '[');
}

static void end_json(struct run *run) {
  json_close(&run->json, ']');
  json_key(&run->json, "right");
  json_integer(&run->json, (int64_t)run->right);
  json_key(&run->json, "wrong");
  json_integer(&run->json, (int64_t)run->wrong);
  json_key(&run->json, "seed");
  json_string(&run->json, mem_text("%" PRIu64, run->job.options->seed));
  json_close(&run->json, '}');
  json_print(&run->json);
}

/* ---- command --------------------------------------------------------------------------------------------------------- */

/* How many kernels go into a batch: few enough that every core gets some, and no more than compile well together. Names of targets
 * that this machine lacks are reported here, before anything starts. */
static void measure(struct run *run) {
  size_t kernels = 0;
  for (size_t i = 0; i < run->job.spec.count; i++) {
    const struct layer *layer = &run->job.spec.layers[i];
    const struct isa_set targets = job_targets(&run->job, layer, TARGETS_HERE);
    job_targets_run(&run->job, layer, &targets);
    kernels += targets.count;
    const int width = (int)strlen(layer->name);
    if (width > run->name_width) run->name_width = width;
  }
  const size_t share = kernels / (2 * run->crew.cores) + 1;
  run->batch_kernels = takes_chosen(run) && share < BATCH_KERNELS ? share : BATCH_KERNELS;
}

/* Layers of which every kernel was handed out and examined. */
static size_t layers_done(const struct run *run) {
  const struct layer *open = NULL, *next = run->job.spec.layers + run->layer;
  size_t done = run->layer;
  for (size_t w = 0; w < run->crew.count; w++) {
    const struct batch *batch = run->crew.workers[w].batch;
    for (size_t i = 0; i < batch->count; i++) {
      const struct layer *layer = batch->tasks[i].layer;
      if (batch->outcomes[i].state != NOT_EXAMINED || layer == open || layer >= next) continue;
      open = layer;
      done--;
    }
  }
  return done;
}

static void show_progress(const struct run *run) {
  const char *doing = run->crew.count ? run->crew.workers[0].batch->doing : "";
  char text[100];
  snprintf(text, sizeof text, "layers verified%s%s", *doing ? "; " : "", doing);
  progress_show(layers_done(run), run->job.spec.count, text);
}

/* Hands out the next batch's results. False when generating or compiling it failed. */
static bool take_batch(struct run *run) {
  struct batch *batch = crew_take(&run->crew);
  if (!batch) return true;
  const bool made = !*batch->message;
  if (made) report(run, batch);
  progress_clear();
  if (!made) job_fail(&run->job, batch->message);
  batch_free(batch);
  return made;
}

static bool run_batches(struct run *run) {
  bool made = true, more = true;
  while (made && (more || run->crew.count)) {
    if (more && !crew_busy(&run->crew)) more = start_batch(run);
    crew_poll(&run->crew);
    made = take_batch(run);
    show_progress(run);
    if (crew_busy(&run->crew) || !more) usleep(2000);
  }
  progress_clear();
  crew_end(&run->crew);
  return made;
}

static int verify(struct run *run) {
  struct job *job = &run->job;
  run->crew = crew_new(job);
  measure(run);
  if (job->diags.errors) return EXIT_BAD;
  if (job->options->json) begin_json(run);
  const bool made = run_batches(run);
  if (!takes_all(run) && !takes_chosen(run) && !run->named_seen)
    diag_error(&job->diags, (struct place){.file = mem_text("--plans %s", job->options->plans)},
               "no layer has this plan; all, chosen or an id that convsmith info --explain lists");
  if (!made || job->diags.errors) return EXIT_BAD;
  if (job->options->json)
    end_json(run);
  else
    printf("%zu kernels: %zu right, %zu wrong\n", run->right + run->wrong, run->right, run->wrong);
  return run->wrong ? EXIT_FAILED : EXIT_OK;
}

int cmd_verify(const struct command_options *options) {
  struct run run = {0};
  const int status = job_open(&run.job, options) ? verify(&run) : EXIT_BAD;
  text_free(&run.json.text);
  scratch_remove();
  return job_close(&run.job, status);
}
