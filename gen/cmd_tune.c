/* convsmith tune: times the candidate plans of each layer on this machine and writes the fastest ones into a plan file. What the
 * cost model would have chosen is shown beside, so that everyone sees how far it can be trusted. */
#include "compile.h"
#include "file.h"
#include "mem.h"
#include "progress.h"
#include "race.h"
#include <stdio.h>
#include <string.h>

/* The untuned choice counts as good up to this gain. */
static const double near_enough = 1.05;

struct tuning {
  struct job job;
  struct plan_choices choices;
  size_t pairs, near; /* layers × targets in all; of those done, where the cost model's choice is near enough */
  int name_width;
};

/* Counts what there is to do. Targets that this machine lacks and layers without a plan are reported before anything is timed. */
static void survey(struct tuning *tuning) {
  struct job *job = &tuning->job;
  for (size_t i = 0; i < job->spec.count; i++) {
    const struct layer *layer = &job->spec.layers[i];
    const size_t mark = mem_mark();
    const struct isa_set targets = job_targets(job, layer, TARGETS_NATIVE);
    if (job_targets_run(job, layer, &targets)) job_plans(job, layer, &targets);
    tuning->pairs += targets.count;
    const int width = (int)strlen(layer->name);
    if (width > tuning->name_width) tuning->name_width = width;
    if (!job->diags.errors) mem_release(mark);
  }
}

static void check_output(struct job *job) {
  const char *path = job->options->output;
  if (!path) {
    diag_error(&job->diags, (struct place){0}, "tune needs -o PLAN.yaml");
    return;
  }
  const char *failure = file_same(path, job->options->spec) ? "it would overwrite the spec; choose another name" : file_check(path);
  if (failure) diag_error(&job->diags, (struct place){.file = mem_text("-o %s", path)}, "%s", failure);
}

static void print_line(const struct tuning *tuning, const char *layer, const char *target, const char *by_cost, const char *by_time,
                       const char *gain) {
  printf("%-*s  %-7s  %-32s  %-32s  %s\n", tuning->name_width, layer, target, by_cost, by_time, gain);
  fflush(stdout);
}

static void keep(struct tuning *tuning, const struct race *race) {
  const struct plan *by_cost = &race->plans.items[0], *by_time = &race->plans.items[race->fastest];
  const double gain = 1 / race->time[race->fastest];
  tuning->near += gain <= near_enough;
  plan_choices_add(&tuning->choices, (struct plan_choice){race->layer, race->isa, by_time, race_lead(race)});
  progress_clear();
  print_line(tuning, race->layer->name, race->isa->name, by_cost->id, by_time == by_cost ? "the same" : by_time->id,
             mem_text("%.2f", gain));
}

static bool tune_pair(struct tuning *tuning, const struct layer *layer, const struct isa *isa) {
  struct race race;
  struct text message = {0};
  progress_show(tuning->choices.count, tuning->pairs, mem_text("%s on %s", layer->name, isa->name));
  const bool done = race_run(&race, &tuning->job, layer, isa, &message);
  if (done) keep(tuning, &race);
  progress_clear();
  if (!done) job_fail(&tuning->job, message.data);
  text_free(&message);
  return done;
}

static bool tune_all(struct tuning *tuning) {
  const struct spec *spec = &tuning->job.spec;
  print_line(tuning, "layer", "target", "by cost", "by time", "gain");
  for (size_t i = 0; i < spec->count; i++) {
    const struct isa_set targets = job_targets(&tuning->job, &spec->layers[i], TARGETS_NATIVE);
    for (size_t t = 0; t < targets.count; t++)
      if (!tune_pair(tuning, &spec->layers[i], targets.items[t])) return false;
  }
  return true;
}

static void write_plans(struct tuning *tuning) {
  struct text text = {0};
  const char *path = tuning->job.options->output;
  plan_file_print(&text, &tuning->choices);
  const char *failure = file_write_all(&(struct output){path, &text}, 1);
  if (failure) diag_error(&tuning->job.diags, (struct place){.file = mem_text("-o %s", path)}, "%s", failure);
  text_free(&text);
}

static int tune(struct tuning *tuning) {
  check_output(&tuning->job);
  survey(tuning);
  if (tuning->job.diags.errors || !tune_all(tuning)) return EXIT_BAD;
  write_plans(tuning);
  printf("within 5 %% of the fastest by cost alone: %zu of %zu (%.0f %%)\n", tuning->near, tuning->pairs,
         tuning->pairs ? 100.0 * (double)tuning->near / (double)tuning->pairs : 100);
  return EXIT_OK;
}

int cmd_tune(const struct command_options *options) {
  struct tuning tuning = {.name_width = (int)strlen("layer")};
  const int status = job_open(&tuning.job, options) ? tune(&tuning) : EXIT_BAD;
  scratch_remove();
  return job_close(&tuning.job, status);
}
