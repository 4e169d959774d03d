/* Peers: other implementations that bench compares with. Their sources (runtime/peers) travel inside the program and are compiled
 * where it runs, so that it links none of them. */
#ifndef GEN_PEERS_H
#define GEN_PEERS_H
#include "../runtime/peers/peer.h"
#include "job.h"

enum { MAX_PEERS = 6 };

/* One peer on one target. */
struct peer_source {
  const char *name;    /* "onednn" */
  const char *variant; /* the only one that is wanted, or NULL */
  const char *object;  /* the compiled library, or NULL */
  const char *why;     /* it is not there: what is missing and how to install it */
  bool judged;         /* benchdnn tells how fast its first variant can be (judge.h) */
  bool slow;           /* far slower than the others: it counts for no mean of the best */
};
struct peer_list {
  struct peer_source items[MAX_PEERS];
  size_t count;
};

/* Names of all peers, NULL at the end. */
const char *const *peer_names(void);
/* Compiles the peers of `wanted` (count 0: all) for a target; unknown names are reported in the job. A library that cannot be kept
 * to a target below the machine's best is left out. */
struct peer_list peers_compile(struct job *job, const struct words *wanted, const struct isa *isa);
/* Sets what libraries read when they are loaded: the target that they are kept to, and the number of threads. */
void peers_environment(const struct isa *isa, bool native, int threads);
const struct peer *peer_load(const struct peer_source *source, struct text *message);
#endif
