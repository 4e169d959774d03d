/* Entrants: what takes part in a bench beside our kernel: a variant of a peer, ready to be called, and found right. */
#ifndef GEN_ENTRANT_H
#define GEN_ENTRANT_H
#include "bench.h"
#include "exam.h"
#include "rig.h"

/* Data of one layer, and what a sample of the outputs may be. */
struct bench_data {
  const struct layer *layer;
  struct tensor tensors[MAX_TENSORS]; /* the last one is the output */
  size_t count;
  const void *logical[MAX_TENSORS]; /* of the output nothing */
  struct sample sample;
  struct cs_expect *expect; /* one for each sample */
  double seconds;           /* of a call of our kernel */
};

/* Outputs are held to what our plan promises. */
struct bench_data bench_data_new(const struct layer *layer, const struct cs_promise *promise);
/* Is this output, in the layer's layout, within the bound? Else `message` says where it is not. */
bool bench_right(const struct bench_data *data, const void *output, char *message, size_t size);

struct entrant {
  const struct peer *peer;
  size_t index; /* of the peer in its list */
  int variant;
  void *run;
};

enum { MAX_ENTRANTS = MAX_PEERS * MAX_VARIANTS };

/* Creates each variant of each peer and calls it once; those whose output is right become entrants, and all leave their state in
 * the row. What is hopelessly slow has its ratio from that call and takes no further part. Returns how many entrants there are.
 * `rig` lends its inputs. */
size_t entrants_open(struct entrant *entrants, const struct peer_list *peers, const struct bench_data *data,
                     const struct bench_mode *mode, const struct rig *rig, struct bench_row *row);
void entrants_close(struct entrant *entrants, size_t count);
#endif
