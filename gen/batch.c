/* Batches. A worker inherits spec, plans and engine by being forked, and answers through the batch's shared memory; it dies with
 * the main process. */
#include "batch.h"
#include "compile.h"
#include "mem.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

struct crew crew_new(const struct job *job) {
  const long cores = sysconf(_SC_NPROCESSORS_ONLN), most = sizeof((struct crew *)0)->workers / sizeof(struct worker);
  return (struct crew){.job = job, .cores = (size_t)(cores < 1 ? 1 : cores > most ? most : cores)};
}

struct batch *batch_new(void) {
  void *memory = mmap(NULL, sizeof(struct batch), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? NULL : memory;
}

void batch_free(struct batch *batch) {
  munmap(batch, sizeof *batch);
}

void batch_add(struct batch *batch, const struct layer *layer, const struct isa *isa, const struct plan *plan) {
  struct task *task = &batch->tasks[batch->count++];
  *task = (struct task){.layer = layer, .isa = isa, .plan = plan};
  snprintf(task->id, sizeof task->id, "%s", plan->id);
  snprintf(task->tile, sizeof task->tile, "%s", plan->tile);
  const int64_t work = layer->op->multiply_adds(layer);
  batch->work = work < INT64_MAX / 2 - batch->work ? batch->work + work : INT64_MAX / 2;
}

/* ---- the worker ------------------------------------------------------------------------------------------------------ */

#define DOING(batch, ...) snprintf((batch)->doing, sizeof(batch)->doing, __VA_ARGS__)

/* Compiles all kernels, some at a time: very large ones together would take too much memory. */
static bool build(const struct job *job, struct batch *batch, struct kernel *kernels) {
  struct kernel_source sources[BATCH_KERNELS];
  for (size_t i = 0; i < batch->count; i++)
    sources[i] = (struct kernel_source){batch->tasks[i].layer, &batch->tasks[i].plan, 1, mem_text("k%zu_", i)};
  struct text message = {0};
  for (size_t first = 0, count; first < batch->count && !message.size; first += count) {
    count = batch->count - first;
    DOING(batch, "compiling");
    const struct kernel *built =
        kernel_build_some(job, sources + first, &count, mem_text("batch%zu_%zu", batch->number, first), &message);
    if (built) memcpy(kernels + first, built, count * sizeof *built);
  }
  if (message.size) snprintf(batch->message, sizeof batch->message, "%s", message.data);
  text_free(&message);
  return !*batch->message;
}

/* Examines those kernels of first..last-1, which are of one layer, that promise what the first does: the reference is computed
 * once.
 */
static void examine_alike(const struct job *job, struct batch *batch, const struct kernel *kernels, size_t first, size_t last) {
  const struct plan *plans[BATCH_KERNELS];
  size_t numbers[BATCH_KERNELS], count = 0;
  const size_t mark = mem_mark();
  struct exam exam;
  for (size_t i = first; i < last; i++) {
    if (!plan_same_promise(batch->tasks[i].plan, batch->tasks[first].plan)) continue;
    plans[count] = batch->tasks[i].plan;
    numbers[count++] = i;
  }
  DOING(batch, "reference of %s", batch->tasks[first].layer->name);
  exam_prepare(&exam, batch->tasks[first].layer, plans, count, job->options->full, job->options->seed);
  for (size_t i = 0; i < count; i++) {
    DOING(batch, "%s on %s", batch->tasks[first].layer->name, plans[i]->isa->name);
    exam_run(&exam, &kernels[numbers[i]], &batch->outcomes[numbers[i]]);
  }
  mem_release(mark);
}

/* All kernels of a layer. */
static void examine_layer(const struct job *job, struct batch *batch, const struct kernel *kernels, size_t first, size_t last) {
  for (; first < last; first++)
    if (batch->outcomes[first].state == NOT_EXAMINED) examine_alike(job, batch, kernels, first, last);
}

static void work(const struct job *job, struct batch *batch) {
#ifdef __linux__
  prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
  struct kernel kernels[BATCH_KERNELS];
  const bool built = build(job, batch, kernels);
  for (size_t first = 0, last; built && first < batch->count; first = last) {
    for (last = first + 1; last < batch->count && batch->tasks[last].layer == batch->tasks[first].layer; last++) continue;
    examine_layer(job, batch, kernels, first, last);
  }
  _exit(0);
}

/* ---- the main process ------------------------------------------------------------------------------------------------ */

bool crew_start(struct crew *crew, struct batch *batch) {
  batch->number = crew->batches++;
  scratch_folder(); /* before the fork: the folder belongs to the main process */
  fflush(NULL);
  const pid_t process = fork();
  if (process == 0) work(crew->job, batch);
  if (process < 0) return false;
  crew->workers[crew->count++] = (struct worker){batch, process};
  return true;
}

void crew_poll(struct crew *crew) {
  for (size_t i = 0; i < crew->count; i++) {
    struct worker *worker = &crew->workers[i];
    int status;
    if (!worker->process || waitpid(worker->process, &status, WNOHANG) == 0) continue;
    worker->process = 0;
    if (status && !*worker->batch->message)
      snprintf(worker->batch->message, sizeof worker->batch->message,
               "convsmith: error: a worker ended unexpectedly (wait status %d)", status);
  }
}

bool crew_busy(const struct crew *crew) {
  size_t running = 0;
  for (size_t i = 0; i < crew->count; i++) running += crew->workers[i].process != 0;
  return running >= crew->cores || crew->count >= sizeof crew->workers / sizeof crew->workers[0];
}

struct batch *crew_take(struct crew *crew) {
  if (!crew->count || crew->workers[0].process) return NULL;
  struct batch *batch = crew->workers[0].batch;
  memmove(crew->workers, crew->workers + 1, --crew->count * sizeof *crew->workers);
  return batch;
}

void crew_end(struct crew *crew) {
  for (size_t i = 0; i < crew->count; i++) {
    if (crew->workers[i].process) {
      kill(crew->workers[i].process, SIGKILL);
      waitpid(crew->workers[i].process, NULL, 0);
    }
    batch_free(crew->workers[i].batch);
  }
  crew->count = 0;
}
