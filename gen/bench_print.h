/* What bench found, for people (a table), for programs (JSON, CSV), and as a picture. */
#ifndef GEN_BENCH_PRINT_H
#define GEN_BENCH_PRINT_H
#include "bench.h"

/* All rows of one target, in order. */
struct bench_section {
  const struct isa *isa;
  struct peer_list peers;
  struct bench_row **rows;
  size_t count;
};

struct bench_results {
  const struct job *job;
  struct bench_mode mode;
  struct bench_section *sections;
  size_t count;
  int name_width;
};

/* The table, as rows come in: what precedes a section's rows, a row, and what follows them. */
void bench_print_head(const struct bench_results *results, const struct bench_section *section);
void bench_print_row(const struct bench_results *results, const struct bench_section *section, const struct bench_row *row);
void bench_print_means(const struct bench_results *results, const struct bench_section *section);
void bench_print_csv(const struct bench_results *results);
void bench_print_json(const struct bench_results *results);
/* Draws the picture. False with the message for job_fail. */
bool bench_draw(const struct bench_results *results, struct text *picture, struct text *message);
/* Geometric mean of the best ratios to peer `index`, or with index = count of peers to the best of all; 0 if there are none. */
double bench_mean(const struct bench_section *section, size_t index);
#endif
