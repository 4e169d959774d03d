/* convsmith bench: each layer on each target, timed in turn with its peers. */
#include "bench_print.h"
#include "compile.h"
#include "file.h"
#include "mem.h"
#include "progress.h"
#include "timing.h"
#include <stdio.h>
#include <string.h>

enum { MOST_ROUNDS = 1000, MOST_THREADS = 256 };

struct run {
  struct job job;
  struct bench_results results;
  size_t done, total;
  bool wrong, as_table;
};

/* ---- what is asked for ------------------------------------------------------------------------------------------------- */

static bool takes_chosen(const struct run *run) {
  return !strcmp(run->job.options->plans, "chosen");
}

static void check_number(struct run *run, const char *option, uint64_t value, uint64_t most) {
  if (value < 1 || value > most)
    diag_error(&run->job.diags, (struct place){0}, "%s %llu: from 1 to %llu", option, (unsigned long long)value,
               (unsigned long long)most);
}

static void check_peers(struct run *run) {
  const struct words *wanted = &run->job.options->against;
  for (size_t i = 0; i < wanted->count; i++) {
    bool known = !strcmp(wanted->items[i], "none");
    for (const char *const *name = peer_names(); *name; name++) known |= !strcmp(*name, wanted->items[i]);
    if (!known)
      diag_error(&run->job.diags, (struct place){.file = mem_text("--against %s", wanted->items[i])},
                 "no such peer; there are onednn, onednn-plain, onednn-winograd, xnnpack, openblas, naive, and none");
  }
}

static void check_options(struct run *run) {
  const struct command_options *options = run->job.options;
  check_number(run, "--threads", options->threads, MOST_THREADS);
  check_number(run, "--rounds", options->rounds, MOST_ROUNDS);
  check_peers(run);
  if (options->json && options->csv) diag_error(&run->job.diags, (struct place){0}, "--json and --csv exclude each other");
  const char *failure = options->svg ? file_check(options->svg) : NULL;
  if (failure) diag_error(&run->job.diags, (struct place){.file = mem_text("--svg %s", options->svg)}, "%s", failure);
}

static bool has_target(const struct isa_set *set, const struct isa *isa) {
  for (size_t i = 0; i < set->count; i++)
    if (set->items[i] == isa) return true;
  return false;
}

/* ---- rows -------------------------------------------------------------------------------------------------------------- */

static void add_row(struct run *run, struct bench_section *section, const struct layer *layer, const struct plan *plan) {
  struct bench_row *row = bench_row_new();
  if (!row) {
    diag_error(&run->job.diags, (struct place){0}, "out of memory");
    return;
  }
  row->layer = layer;
  row->isa = section->isa;
  row->plan = plan;
  section->rows = mem_grow(section->rows, section->count, sizeof *section->rows);
  section->rows[section->count++] = row;
  run->total++;
}

/* The plans of a layer that --plans asks for. */
static size_t add_rows(struct run *run, struct bench_section *section, const struct layer *layer) {
  if (takes_chosen(run)) {
    const struct plan *plan = job_plan(&run->job, layer, section->isa);
    if (plan) add_row(run, section, layer, plan);
    return plan != NULL;
  }
  const bool all = !strcmp(run->job.options->plans, "all");
  const struct plan_list plans = plan_enumerate(layer, section->isa);
  size_t found = 0;
  for (size_t i = 0; i < plans.usable; i++) {
    if (!all && strcmp(plans.items[i].id, run->job.options->plans) != 0) continue;
    add_row(run, section, layer, &plans.items[i]);
    found++;
  }
  return found;
}

/* A section for each target of any layer, the lowest first. */
static void survey(struct run *run) {
  struct job *job = &run->job;
  struct bench_results *results = &run->results;
  size_t found = 0;
  results->name_width = (int)strlen("geometric mean"); /* as wide as what stands in the column beside names */
  for (size_t t = 0; t < job->isas.count; t++) {
    struct bench_section section = {.isa = &job->isas.items[t]};
    for (size_t i = 0; i < job->spec.count; i++) {
      const struct layer *layer = &job->spec.layers[i];
      const struct isa_set targets = job_targets(job, layer, TARGETS_NATIVE);
      if (t == 0) job_targets_run(job, layer, &targets);
      if (has_target(&targets, section.isa)) found += add_rows(run, &section, layer);
      const int width = (int)strlen(layer->name);
      if (width > results->name_width) results->name_width = width;
    }
    if (!section.count) continue;
    results->sections = mem_grow(results->sections, results->count, sizeof section);
    results->sections[results->count++] = section;
  }
  if (!found && !job->diags.errors)
    diag_error(&job->diags, (struct place){.file = mem_text("--plans %s", job->options->plans)},
               "no layer has this plan; all, chosen or an id that convsmith info --explain lists");
}

/* ---- measuring --------------------------------------------------------------------------------------------------------- */

/* Without --against, comparing plans is about plans: peers stay out. */
static bool has_peers(const struct run *run) {
  const struct words *against = &run->job.options->against;
  if (!against->count) return takes_chosen(run);
  return strcmp(against->items[0], "none") != 0;
}

static bool is_fault(const struct bench_entry *entry) {
  return entry->state == ENTRY_DIFFERS || bench_unfair(entry);
}

static bool has_faults(const struct bench_row *row) {
  bool any = false;
  for (size_t p = 0; p < MAX_PEERS; p++)
    for (int i = 0; i < MAX_VARIANTS; i++) any |= is_fault(&row->peers[p].entries[i]);
  return any;
}

/* False when nothing could be measured. */
static bool measure_row(struct run *run, const struct bench_section *section, struct bench_row *row) {
  progress_show(run->done++, run->total, mem_text("%s on %s", row->layer->name, row->isa->name));
  bench_run(&run->job, &run->results.mode, &section->peers, row);
  progress_clear();
  if (row->failed) {
    job_fail(&run->job, row->message);
    return false;
  }
  run->wrong |= !row->done || has_faults(row);
  if (run->as_table) bench_print_row(&run->results, section, row);
  return true;
}

static bool measure_section(struct run *run, struct bench_section *section) {
  if (has_peers(run)) section->peers = peers_compile(&run->job, &run->job.options->against, section->isa);
  if (run->as_table) bench_print_head(&run->results, section);
  for (size_t i = 0; i < section->count; i++)
    if (!measure_row(run, section, section->rows[i])) return false;
  if (run->as_table && section->peers.count) bench_print_means(&run->results, section);
  return true;
}

static bool write_picture(struct run *run) {
  const char *path = run->job.options->svg;
  struct text picture = {0}, message = {0};
  const bool drawn = bench_draw(&run->results, &picture, &message);
  if (!drawn) job_fail(&run->job, message.data);
  const char *failure = drawn ? file_write_all(&(struct output){path, &picture}, 1) : NULL;
  if (failure) diag_error(&run->job.diags, (struct place){.file = mem_text("--svg %s", path)}, "%s", failure);
  text_free(&picture);
  text_free(&message);
  return drawn && !failure;
}

static int bench(struct run *run) {
  const struct command_options *options = run->job.options;
  check_options(run);
  survey(run);
  if (run->job.diags.errors) return EXIT_BAD;
  run->as_table = !options->json && !options->csv;
  run->results.job = &run->job;
  run->results.mode = (struct bench_mode){(int)options->rounds, (int)options->threads, options->cold, options->consumer};
  for (size_t i = 0; i < run->results.count; i++)
    if (!measure_section(run, &run->results.sections[i])) return EXIT_BAD;
  if (options->json) bench_print_json(&run->results);
  if (options->csv) bench_print_csv(&run->results);
  if (options->svg && !write_picture(run)) return EXIT_BAD;
  return run->wrong ? EXIT_FAILED : EXIT_OK;
}

int cmd_bench(const struct command_options *options) {
  struct run run = {0};
  const int status = job_open(&run.job, options) ? bench(&run) : EXIT_BAD;
  for (size_t s = 0; s < run.results.count; s++)
    for (size_t i = 0; i < run.results.sections[s].count; i++) bench_row_free(run.results.sections[s].rows[i]);
  scratch_remove();
  return job_close(&run.job, status);
}
