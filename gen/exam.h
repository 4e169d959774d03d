/* Exams: a kernel against the reference, on several kinds of data, between guard pages, in a process of its own. */
#ifndef GEN_EXAM_H
#define GEN_EXAM_H
#include "kernel.h"
#include "sample.h"

/* Data of one kind, what each sampled output may be, and how the buffers lie. */
struct trial {
  const char *kind; /* "random" */
  enum cs_fill fill;
  bool exact;  /* every sum is exact: the error must be 0 */
  bool at_end; /* buffers end at a guard page; else they begin `skip` elements after one */
  bool parts;  /* the parts too, not only the whole */
  enum { NO_SPOTS, SPOTS_IN_INPUTS, SPOTS_IN_PARAMETERS } spots; /* hostile values in the middle and at the end of these tensors */
  size_t skip;
  void *logical[MAX_TENSORS];
  struct cs_expect *expect; /* one for each sample */
};

enum { TRIALS = 5 };

/* All that examining kernels of one layer needs. */
struct exam {
  const struct layer *layer;
  struct tensor tensors[MAX_TENSORS]; /* the last one is the output */
  size_t count;
  struct sample sample;
  struct cs_promise promise; /* what the kernels are held to */
  struct trial trials[TRIALS];
};

/* What came out; written by the examining process into memory that it shares with the one that waits. */
struct outcome {
  enum { NOT_EXAMINED, RIGHT, WRONG } state;
  double ratio;      /* largest error over bound */
  long blocks[2];    /* on random data: those computed with what the kernel falls back to, and as planned */
  char doing[64];    /* the call that was running: "random data, part 2 of 3" */
  int guard, side;   /* of a fault: which buffer's guard page was hit; side 0: none's */
  char message[512]; /* what is wrong */
};

/* Fills the data from the seed and computes the expected outputs, for kernels of these plans, which promise the same. */
void exam_prepare(struct exam *exam, const struct layer *layer, const struct plan *const *plans, size_t count, bool full,
                  uint64_t seed);
/* Examines one kernel in a child process. `outcome` lies in shared memory. */
void exam_run(const struct exam *exam, const struct kernel *kernel, struct outcome *outcome);
#endif
