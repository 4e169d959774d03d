/* Exams: preparing the data, and the process around each kernel. A kernel may write anywhere, loop or crash: it runs in a child
 * whose faults are told apart by the guard page that they hit, and a timer ends it. The checks themselves are in trial.c. */
#include "exam.h"
#include "mem.h"
#include "trial.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- data ------------------------------------------------------------------------------------------------------------ */

static const struct trial kinds[TRIALS] = {
    {.kind = "whole-number", .fill = CS_FILL_INTEGERS, .at_end = true},
    {.kind = "random", .fill = CS_FILL_RANDOM, .parts = true},
    {.kind = "hostile", .fill = CS_FILL_HOSTILE, .skip = 1},
    {.kind = "spotted-input", .fill = CS_FILL_RANDOM, .spots = SPOTS_IN_INPUTS, .skip = 3, .parts = true},
    {.kind = "spotted-weight", .fill = CS_FILL_RANDOM, .spots = SPOTS_IN_PARAMETERS, .skip = 2},
};

/* FNV-1a: the data depends on the layer's name, not on its place in the file, so that --layer repeats it. */
static uint64_t name_seed(const char *name, uint64_t seed) {
  uint64_t hash = UINT64_C(14695981039346656037);
  for (; *name; name++) hash = (hash ^ (unsigned char)*name) * UINT64_C(1099511628211);
  return hash ^ (seed * UINT64_C(0x9e3779b97f4a7c15));
}

/* The values that are always special among hostile ones. */
static void spot(void *data, size_t count, enum cs_dtype dtype, uint64_t seed) {
  const size_t mark = mem_mark(), places[] = {count / 2, count - 1};
  void *hostile = mem_array(count, cs_size(dtype));
  cs_fill(hostile, count, dtype, CS_FILL_HOSTILE, 0, seed);
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) cs_put(data, places[i], dtype, cs_get(hostile, places[i], dtype));
  mem_release(mark);
}

static bool has_spots(const struct trial *trial, enum tensor_role role) {
  return trial->spots == (role == TENSOR_PARAMETER ? SPOTS_IN_PARAMETERS : SPOTS_IN_INPUTS);
}

static void fill(const struct exam *exam, struct trial *trial, int limit, uint64_t seed) {
  for (size_t i = 0; i < exam->count; i++) {
    const struct tensor *tensor = &exam->tensors[i];
    const size_t elements = tensor_count(tensor);
    trial->logical[i] = mem_array(elements, cs_size(tensor->dtype));
    if (tensor->baked)
      memcpy(trial->logical[i], tensor->baked, elements * cs_size(tensor->dtype));
    else
      cs_fill(trial->logical[i], elements, tensor->dtype, trial->fill, limit, cs_random(&seed));
    if (!tensor->baked && has_spots(trial, tensor->role)) spot(trial->logical[i], elements, tensor->dtype, seed);
  }
}

static void expect(const struct exam *exam, struct trial *trial) {
  const void *data[MAX_TENSORS];
  for (size_t i = 0; i < exam->count; i++) data[i] = trial->logical[i];
  trial->expect = mem_array(exam->sample.count, sizeof *trial->expect);
  exam->layer->op->expect(exam->layer, &exam->promise, data, exam->sample.elements, exam->sample.count, trial->expect);
}

void exam_prepare(struct exam *exam, const struct layer *layer, const struct plan *const *plans, size_t count, bool full,
                  uint64_t seed) {
  *exam = (struct exam){.layer = layer, .promise = plans[0]->promise};
  exam->count = layer->op->tensors(layer, exam->tensors);
  exam->sample = sample_outputs(layer, &exam->tensors[exam->count - 1], plans, count, full, seed);
  const int limit = plan_exact_limit(layer, plans[0]);
  for (int i = 0; i < TRIALS; i++) {
    exam->trials[i] = kinds[i];
    exam->trials[i].exact = kinds[i].fill == CS_FILL_INTEGERS && limit > 0;
    fill(exam, &exam->trials[i], limit > 0 ? limit : 4, name_seed(layer->name, seed) + (uint64_t)i);
    expect(exam, &exam->trials[i]);
  }
}

/* ---- the process ----------------------------------------------------------------------------------------------------- */

/* What the fault handler needs to know. */
static const struct desk *faulting_desk;
static struct outcome *faulting_outcome;

static void on_fault(int signal_number, siginfo_t *info, void *context) {
  (void)context;
  for (size_t i = 0; i < faulting_desk->count; i++) {
    const int side = cs_guard_hit(&faulting_desk->guards[i], info->si_addr);
    if (!side) continue;
    faulting_outcome->guard = (int)i;
    faulting_outcome->side = side;
  }
  signal(signal_number, SIG_DFL);
  raise(signal_number);
}

static void catch_faults(const struct desk *desk, struct outcome *outcome) {
  faulting_desk = desk;
  faulting_outcome = outcome;
  struct sigaction action = {.sa_flags = SA_SIGINFO | SA_NODEFER};
  action.sa_sigaction = on_fault;
  sigaction(SIGSEGV, &action, NULL);
  sigaction(SIGBUS, &action, NULL);
}

/* Seconds of processor time, which does not pass while the program is stopped, after which a kernel hangs: even scalar code is many
 * times faster. */
static int patience(const struct layer *layer) {
  return 10 + (int)(layer->op->multiply_adds(layer) / 5000000);
}

static void examine(const struct exam *exam, const struct kernel *kernel, struct outcome *outcome) {
  const struct itimerval end = {.it_value.tv_sec = patience(exam->layer)};
  setitimer(ITIMER_PROF, &end, NULL);
  bool right = true;
  for (int i = 0; i < TRIALS && right; i++) {
    struct desk desk;
    catch_faults(&desk, outcome);
    right = trial_run(exam, &exam->trials[i], kernel, &desk, outcome);
  }
  _exit(right ? 0 : 1);
}

static void describe_end(const struct exam *exam, int status, struct outcome *outcome) {
  const int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  const char *name = desk_name(exam, outcome->guard), *side = outcome->side < 0 ? "before the start" : "beyond the end";
  if (number == SIGPROF)
    snprintf(outcome->message, sizeof outcome->message, "%s: no end after %d seconds", outcome->doing, patience(exam->layer));
  else if (number && outcome->side)
    snprintf(outcome->message, sizeof outcome->message, "%s: access %s of %s", outcome->doing, side, name);
  else if (number)
    snprintf(outcome->message, sizeof outcome->message, "%s: ended by signal %d (%s)", outcome->doing, number, strsignal(number));
  else
    snprintf(outcome->message, sizeof outcome->message, "%s: the process ended with status %d", outcome->doing,
             WEXITSTATUS(status));
}

void exam_run(const struct exam *exam, const struct kernel *kernel, struct outcome *outcome) {
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) examine(exam, kernel, outcome);
  int status = -1;
  while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  outcome->state = status == 0 ? RIGHT : WRONG;
  if (child < 0)
    snprintf(outcome->message, sizeof outcome->message, "cannot start a process: %s", strerror(errno));
  else if (status != 0 && !*outcome->message)
    describe_end(exam, status, outcome);
}
