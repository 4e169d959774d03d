/* The judge: oneDNN's own benchmark, benchdnn, where there is one. A peer that runs slower beside our kernels than there is run
 * badly here, and a ratio to it means nothing. */
#ifndef GEN_JUDGE_H
#define GEN_JUDGE_H
#include "bench.h"

/* Compares an entry, timed at `seconds`, with what $BENCHDNN or `benchdnn` measures for the layer in formats of its own choice,
 * with the environment and on the processors of this process. Where neither is there, and none was named, nothing happens. */
void judge(struct bench_entry *entry, const struct layer *layer, double seconds);
#endif
