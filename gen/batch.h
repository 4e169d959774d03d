/* Batches: kernels that are compiled together and examined by one worker process, several workers at a time. */
#ifndef GEN_BATCH_H
#define GEN_BATCH_H
#include "exam.h"

/* One kernel to examine. */
struct task {
  const struct layer *layer;
  const struct isa *isa;
  const struct plan *plan; /* gone when a finished batch is handed back: see id and tile */
  char id[128], tile[32];
};

enum { BATCH_KERNELS = 50 };

/* A batch in shared memory: filled by the main process, then by its worker. */
struct batch {
  struct task tasks[BATCH_KERNELS];
  struct outcome outcomes[BATCH_KERNELS];
  size_t count;
  int64_t work; /* multiply-adds of the tasks, at most about 2^62 */
  size_t number;
  char doing[64];      /* what the worker is at, for people */
  char message[16000]; /* why there is no outcome: generating or compiling failed */
};

/* Workers under way, oldest first. */
struct crew {
  const struct job *job;
  struct worker {
    struct batch *batch;
    int process; /* 0: finished */
  } workers[64];
  size_t count, cores, batches;
};

struct crew crew_new(const struct job *job);
/* An empty batch in shared memory. */
struct batch *batch_new(void);
void batch_free(struct batch *batch);
void batch_add(struct batch *batch, const struct layer *layer, const struct isa *isa, const struct plan *plan);
/* Starts a worker; the caller waits for a free core first (crew_busy). False if the system refuses. */
bool crew_start(struct crew *crew, struct batch *batch);
/* Notes workers that have ended, without waiting. */
void crew_poll(struct crew *crew);
bool crew_busy(const struct crew *crew);
/* Takes the oldest batch if it is finished, else NULL: results come in the order of starting. */
struct batch *crew_take(struct crew *crew);
/* Ends all workers. */
void crew_end(struct crew *crew);
#endif
