/* Bench: one kernel beside its peers and the machine's peaks, in a process of its own. */
#ifndef GEN_BENCH_H
#define GEN_BENCH_H
#include "peers.h"

enum { MAX_VARIANTS = 4 };

/* How far a peer may fall behind its own benchmark: more than this share of that speed is fair. */
#define JUDGE_FAIR 0.85

/* How a layer is timed. */
struct bench_mode {
  int rounds, threads;
  bool cold;     /* weights come from memory in each call */
  bool consumer; /* after each call, the output is read once */
};

/* One way to run one peer. */
struct bench_entry {
  enum { ENTRY_ABSENT, ENTRY_TIMED, ENTRY_REFUSED, ENTRY_DIFFERS } state;
  char variant[16], implementation[48];
  char message[160]; /* why it was refused, or where it differs */
  double ratio;      /* its time over ours */
  double judged;     /* its speed over what its own benchmark measures; 0: there is none. Below JUDGE_FAIR, or below 0 where that
                        failed, `message` says so */
};

struct bench_peer {
  struct bench_entry entries[MAX_VARIANTS];
  int best; /* the fastest of the timed, or -1 */
  char version[64];
};

/* What came out. Lies in memory that the measuring process shares with the one that waits. */
struct bench_row {
  const struct layer *layer;
  const struct isa *isa;
  const struct plan *plan;
  bool done;                   /* measured */
  bool failed;                 /* nothing was measured: `message` is for job_fail */
  char message[512];           /* or why our own output is wrong */
  double macs, seconds, bytes; /* nominal multiply-adds; of one call; that must move: inputs, packed, output */
  double peak;                 /* multiply-adds a second between registers */
  double share_of_peak;
  double share_of_limit; /* of the larger of the times that the peak and moving the bytes take; 0: not measured (several threads) */
  double scaling;        /* our kernel on one thread over that on all of them; 0: there is only one */
  double ceiling;        /* the same of the peak: what this machine's threads can give */
  struct bench_peer peers[MAX_PEERS];
};

/* A row in shared memory; NULL when there is none. */
struct bench_row *bench_row_new(void);
void bench_row_free(struct bench_row *row);
/* Measures row->plan of row->layer on row->isa. */
void bench_run(const struct job *job, const struct bench_mode *mode, const struct peer_list *peers, struct bench_row *row);
/* Is a peer slower here than in its own benchmark, or did that fail? */
static inline bool bench_unfair(const struct bench_entry *entry) {
  return entry->judged != 0 && entry->judged < JUDGE_FAIR;
}
/* The best ratio of all peers but the slow ones, 0 if none was timed: below 1 somebody is faster. */
double bench_best(const struct bench_row *row, const struct peer_list *peers);
#endif
