/* convsmith generate: every file of every layer is composed in memory first, then all are written as one step. */
#include "emit_test.h"
#include "file.h"
#include "job.h"
#include "mem.h"
#include "op.h"
#include "progress.h"
#include "signature.h"
#include <ctype.h>
#include <string.h>
#include <unistd.h>

struct file {
  const char *path;
  struct text text;
};

struct run {
  struct job job;
  struct file *files;
  size_t count;
  const char *folder;        /* where NAME_test.c and, but for --single-file, NAME.c and NAME.h go; ends in '/' or empty */
  struct test_header single; /* of --single-file */
  struct generated *layers;  /* of --single-file, until they are composed */
  const struct plan *const *const *plans; /* of each layer, one for each of its targets */
  const size_t *plan_counts;
};

static struct text *add_file(struct run *run, const char *path) {
  run->files = mem_grow(run->files, run->count, sizeof *run->files);
  run->files[run->count] = (struct file){.path = path};
  return &run->files[run->count++].text;
}

/* ---- what is right on the command line ------------------------------------------------------------------------------ */

static const char *base_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

static const char *folder_of(const char *path) {
  return mem_text("%.*s", (int)(base_name(path) - path), path);
}

/* FILE_IMPLEMENTATION from "a/file.h". */
static const char *implementation_macro(const char *path) {
  const char *base = base_name(path), *dot = strrchr(base, '.');
  char *name = mem_text("%.*s", dot ? (int)(dot - base) : (int)strlen(base), base);
  for (char *c = name; *c; c++)
    if (!isalnum((unsigned char)*c)) *c = '_';
  return mem_text("%s%s_IMPLEMENTATION", isdigit((unsigned char)*name) ? "_" : "", capitals(name));
}

static bool where_to(struct run *run, const struct command_options *options) {
  const char *output = options->output, *single = options->single_file;
  static const struct place nowhere = {0};
  if (output && single) {
    diag_error(&run->job.diags, nowhere, "-o and --single-file exclude each other: one file, or a folder of files");
  } else if (single) {
    run->folder = folder_of(single);
    run->single = (struct test_header){base_name(single), implementation_macro(single)};
    if (!*run->single.file) diag_error(&run->job.diags, nowhere, "--single-file %s: a folder, not a file", single);
  } else if (output && *output) {
    run->folder = output[strlen(output) - 1] == '/' ? output : mem_text("%s/", output);
  } else {
    diag_error(&run->job.diags, nowhere, "generate needs -o DIR or --single-file FILE.h");
  }
  return !run->job.diags.errors;
}

/* ---- files --------------------------------------------------------------------------------------------------------- */

/* Plans of every layer first: what is wrong with any of them is reported in one run. */
static bool choose_plans(struct run *run) {
  struct job *job = &run->job;
  const struct plan *const **plans = mem_array(job->spec.count, sizeof *plans);
  size_t *counts = mem_array(job->spec.count, sizeof *counts);
  for (size_t i = 0; i < job->spec.count; i++) {
    struct isa_set targets = job_targets(job, &job->spec.layers[i], TARGETS_PORTABLE);
    plans[i] = job_plans(job, &job->spec.layers[i], &targets);
    counts[i] = targets.count;
  }
  run->plans = plans;
  run->plan_counts = counts;
  return !job->diags.errors;
}

static bool make_test(struct run *run, size_t i) {
  const struct layer *layer = &run->job.spec.layers[i];
  struct test_header header = run->single;
  if (!header.file) header.file = mem_text("%s.h", layer->name);
  struct text *text = add_file(run, mem_text("%s%s_test.c", run->folder, layer->name));
  return emit_test(run->job.engine, layer, run->job.options->prefix, run->plans[i], run->plan_counts[i], &header, text);
}

static bool make_layer(struct run *run, size_t i) {
  const struct layer *layer = &run->job.spec.layers[i];
  struct generated *generated = &run->layers[i];
  if (!job_generate(&run->job, layer, run->plans[i], run->plan_counts[i], run->job.options->prefix, generated)) return false;
  if (!run->single.file) {
    *add_file(run, mem_text("%s%s.c", run->folder, layer->name)) = generated->source;
    *add_file(run, mem_text("%s%s.h", run->folder, layer->name)) = generated->header;
    generated->source = generated->header = (struct text){0}; /* the files own them now */
  }
  return !run->job.options->emit_test || make_test(run, i);
}

/* All layers in one header, by templates/single.t. */
static bool make_single(struct run *run) {
  const struct spec *spec = &run->job.spec;
  lua_State *L = engine_lua(run->job.engine);
  lua_newtable(L);
  set_text(L, "implementation", run->single.implementation);
  lua_createtable(L, (int)spec->count, 0);
  for (size_t i = 0; i < spec->count; i++) {
    lua_newtable(L);
    set_text(L, "file", spec->layers[i].name);
    set_text(L, "header", run->layers[i].header.data);
    set_text(L, "source", run->layers[i].source.data);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "layers");
  return engine_expand(run->job.engine, "single.t", add_file(run, run->job.options->single_file));
}

static bool make_files(struct run *run) {
  const size_t count = run->job.spec.count;
  run->layers = mem_array(count, sizeof *run->layers);
  for (size_t i = 0; i < count; i++) {
    progress_show(i, count, run->job.spec.layers[i].name);
    if (!make_layer(run, i)) return false;
  }
  return !run->single.file || make_single(run);
}

/* ---- dependency file ----------------------------------------------------------------------------------------------- */

/* A path as Make reads it. */
static void put_path(struct text *rule, const char *path) {
  for (; *path; path++) {
    if (*path == '$')
      text_print(rule, "$$");
    else
      text_print(rule, strchr(" #\\:", *path) ? "\\%c" : "%c", *path);
  }
}

static void put_prerequisite(struct text *rule, const char *path) {
  if (!path) return;
  text_print(rule, " \\\n  ");
  put_path(rule, path);
}

/* The built-in templates are inside the program: when it changes, so may what it writes. */
static const char *own_path(const char *invoked_as) {
  char path[4096];
  ssize_t size = readlink("/proc/self/exe", path, sizeof path);
  if (size > 0 && (size_t)size < sizeof path) return mem_text("%.*s", (int)size, path);
  return strchr(invoked_as, '/') ? invoked_as : NULL;
}

static void make_depfile(struct run *run) {
  const struct command_options *options = run->job.options;
  struct text rule = {0};
  for (size_t i = 0; i < run->count; i++) {
    if (i) text_print(&rule, " ");
    put_path(&rule, run->files[i].path);
  }
  text_print(&rule, ":");
  put_prerequisite(&rule, options->spec);
  put_prerequisite(&rule, options->plan_file);
  for (size_t i = 0; i < run->job.spec.count; i++) {
    put_prerequisite(&rule, run->job.spec.layers[i].weights.path);
    put_prerequisite(&rule, run->job.spec.layers[i].bias_values.path);
  }
  for (const char *const *file = engine_files(run->job.engine); *file; file++) put_prerequisite(&rule, *file);
  put_prerequisite(&rule, own_path(options->program));
  text_print(&rule, "\n");
  *add_file(run, options->depfile) = rule;
}

/* ---- command ------------------------------------------------------------------------------------------------------- */

/* What file number i would take the place of: what it is made from, or another one of those made. NULL: nothing. */
static const char *overwritten(const struct run *run, size_t i) {
  const char *path = run->files[i].path;
  const struct spec *spec = &run->job.spec;
  if (file_same(path, run->job.options->spec)) return "the spec";
  if (file_same(path, run->job.options->plan_file)) return "the plan file";
  for (size_t k = 0; k < spec->count; k++)
    if (file_same(path, spec->layers[k].weights.path) || file_same(path, spec->layers[k].bias_values.path)) return "baked values";
  for (size_t k = 0; k < i; k++)
    if (!strcmp(path, run->files[k].path)) return "another generated file";
  return NULL;
}

static int write_files(struct run *run) {
  for (size_t i = 0; i < run->count; i++) {
    const char *lost = overwritten(run, i);
    if (lost)
      return job_fail(&run->job,
                      mem_text("convsmith: error: '%s' would overwrite %s; choose another name", run->files[i].path, lost));
  }
  struct output *outputs = mem_array(run->count, sizeof *outputs);
  for (size_t i = 0; i < run->count; i++) outputs[i] = (struct output){run->files[i].path, &run->files[i].text};
  const char *failure = file_write_all(outputs, run->count);
  return failure ? job_fail(&run->job, mem_text("convsmith: error: %s", failure)) : EXIT_OK;
}

static int generate(struct run *run) {
  if (!choose_plans(run)) return EXIT_BAD;
  bool made = make_files(run);
  progress_clear();
  if (!made) return job_fail(&run->job, engine_error(run->job.engine));
  if (run->job.options->depfile) make_depfile(run);
  return write_files(run);
}

static void free_texts(struct run *run) {
  for (size_t i = 0; i < run->count; i++) text_free(&run->files[i].text);
  for (size_t i = 0; run->layers && i < run->job.spec.count; i++) generated_free(&run->layers[i]);
}

int cmd_generate(const struct command_options *options) {
  struct run run = {0};
  bool open = job_open(&run.job, options);
  if (!open) job_check_plans(&run.job, TARGETS_PORTABLE);
  int status = where_to(&run, options) && open ? generate(&run) : EXIT_BAD;
  free_texts(&run);
  return job_close(&run.job, status);
}
