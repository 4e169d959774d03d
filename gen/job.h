/* A job: what nearly every command starts with: the template engine, the ISAs, the spec, and the choice of targets and plans. */
#ifndef GEN_JOB_H
#define GEN_JOB_H
#include "command.h"
#include "plan_file.h"

struct job {
  const struct command_options *options;
  struct engine *engine;
  struct isa_list isas;
  bool targets_right; /* --target names known ones */
  struct spec spec;
  struct plan_choices choices; /* of --plan */
  struct diags diags;
};

/* Opens the engine, reads the ISAs and, where the command has one, the spec; checks --target and --plan. False after at least one
 * error was reported; job_close is due in both cases. */
bool job_open(struct job *job, const struct command_options *options);
/* Frees the engine and prints what was diagnosed. Returns EXIT_BAD if there was an error, else `status`. */
int job_close(struct job *job, int status);
/* Prints a message that names its own place and may have several lines, after what was diagnosed so far. Returns EXIT_BAD for the
 * caller to return. */
int job_fail(struct job *job, const char *message);

/* What a layer is made for: --target, else the spec's `target`, else the command's default. */
enum target_default {
  TARGETS_PORTABLE, /* generate: scalar, avx2, avx512 */
  TARGETS_HERE,     /* verify: everything that this machine runs */
  TARGETS_NATIVE    /* the others: the best that this machine runs */
};
struct isa_set {
  const struct isa **items; /* as listed, `native` resolved, without duplicates */
  size_t count;
};
struct isa_set job_targets(const struct job *job, const struct layer *layer, enum target_default otherwise);
/* Reports each target of the set that this machine lacks, as commands that run code must. False if there was one. */
bool job_targets_run(struct job *job, const struct layer *layer, const struct isa_set *set);

/* The plan for a layer on a target: what --plan says, else the cheapest. NULL after reporting why there is none. */
const struct plan *job_plan(struct job *job, const struct layer *layer, const struct isa *isa);
/* The same for each target of the set, in its order; NULL after reporting. */
const struct plan *const *job_plans(struct job *job, const struct layer *layer, const struct isa_set *set);
/* Reports which layers have no plan. After other errors only those are looked at that are right so far and ask for a certain kind
 * of plan, so that all errors of a file show in one run, and soon. */
void job_check_plans(struct job *job, enum target_default otherwise);
/* Expands `layer` for `count` plans. False with the message for job_fail in engine_error. */
bool job_generate(const struct job *job, const struct layer *layer, const struct plan *const *plans, size_t count,
                  const char *prefix, struct generated *result);
#endif
