/* The table and CSV of bench, and its means. JSON and picture are in bench_json.c and bench_draw.c. */
#include "bench_print.h"
#include "mem.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PEER_WIDTH = 30 };

/* ---- numbers ----------------------------------------------------------------------------------------------------------- */

/* The ratio to a peer's best variant, or to the best of all; 0 if there is none. */
static double ratio_of(const struct bench_section *section, const struct bench_row *row, size_t index) {
  if (index == section->peers.count) return bench_best(row, &section->peers);
  const struct bench_peer *one = &row->peers[index];
  return one->best < 0 ? 0 : one->entries[one->best].ratio;
}

double bench_mean(const struct bench_section *section, size_t index) {
  double sum = 0;
  size_t count = 0;
  for (size_t i = 0; i < section->count; i++) {
    const double ratio = section->rows[i]->done ? ratio_of(section, section->rows[i], index) : 0;
    if (ratio <= 0) continue;
    sum += log(ratio);
    count++;
  }
  return count ? exp(sum / (double)count) : 0;
}

static double gflops(const struct bench_row *row) {
  return 2e-9 * row->macs / row->seconds;
}

/* ---- table ------------------------------------------------------------------------------------------------------------- */

void bench_print_head(const struct bench_results *results, const struct bench_section *section) {
  const struct bench_mode *mode = &results->mode;
  printf("%s: %d thread%s, weights %s%s; numbers above 1: this many times faster than that peer\n", section->isa->name,
         mode->threads, mode->threads > 1 ? "s" : "", mode->cold ? "from memory" : "hot", mode->consumer ? ", outputs read" : "");
  for (size_t i = 0; i < section->peers.count; i++)
    if (section->peers.items[i].why) printf("  %s is left out: %s\n", section->peers.items[i].name, section->peers.items[i].why);
  printf("%-*s %8s %6s", results->name_width, "layer", "GFLOP/s", "peak");
  if (mode->threads > 1)
    printf(" %7s %7s", "scaling", "ceiling");
  else
    printf(" %6s", "limit");
  for (size_t i = 0; i < section->peers.count; i++)
    if (section->peers.items[i].object)
      printf("  %-*s", section->peers.items[i].slow ? 6 : PEER_WIDTH, section->peers.items[i].name);
  printf("  plan\n");
}

/* The variant that says why a peer was not timed: one whose output differs, else the first. */
static const struct bench_entry *telling(const struct bench_peer *one) {
  for (int i = 0; i < MAX_VARIANTS; i++)
    if (one->entries[i].state == ENTRY_DIFFERS) return &one->entries[i];
  return &one->entries[0];
}

static void print_peer(const struct bench_peer *one, bool slow) {
  const struct bench_entry *entry = one->best < 0 ? telling(one) : &one->entries[one->best];
  const char *text = one->best >= 0                  ? mem_text("%5.2f %s %s", entry->ratio, entry->variant, entry->implementation)
                     : entry->state == ENTRY_DIFFERS ? "differs"
                                                     : mem_text("    - %s", entry->message);
  printf("  %-*.*s", slow ? 6 : PEER_WIDTH, slow ? 6 : PEER_WIDTH, text);
}

/* Peers whose output is not right, and those that are faster elsewhere. */
static void print_faults(const struct bench_section *section, const struct bench_row *row) {
  for (size_t p = 0; p < section->peers.count; p++)
    for (int i = 0; i < MAX_VARIANTS; i++) {
      const struct bench_entry *entry = &row->peers[p].entries[i];
      if (entry->state == ENTRY_DIFFERS || bench_unfair(entry))
        printf("     %s %s %s: %s\n", section->peers.items[p].name, entry->variant,
               entry->state == ENTRY_DIFFERS ? "is not compared" : "is judged", entry->message);
    }
}

/* How near the kernel comes to what bounds it: the roofline, or with several threads their number. */
static void print_bounds(const struct bench_mode *mode, const struct bench_row *row) {
  if (mode->threads > 1)
    printf(" %7.2f %7.2f", row->scaling, row->ceiling);
  else
    printf(" %5.1f%%", 100 * row->share_of_limit);
}

/* The width of the columns between the name and the peers. */
static int bounds_width(const struct bench_mode *mode) {
  return mode->threads > 1 ? 31 : 22;
}

void bench_print_row(const struct bench_results *results, const struct bench_section *section, const struct bench_row *row) {
  const size_t mark = mem_mark();
  printf("%-*s ", results->name_width, row->layer->name);
  if (row->done) {
    printf("%8.1f %5.1f%%", gflops(row), 100 * row->share_of_peak);
    print_bounds(&results->mode, row);
    for (size_t i = 0; i < section->peers.count; i++)
      if (section->peers.items[i].object) print_peer(&row->peers[i], section->peers.items[i].slow);
    printf("  %s\n", row->plan->id);
    print_faults(section, row);
  } else {
    printf("is wrong and not timed: %s; convsmith verify says more\n", row->message);
  }
  fflush(stdout);
  mem_release(mark);
}

void bench_print_means(const struct bench_results *results, const struct bench_section *section) {
  const double best = bench_mean(section, section->peers.count);
  const int width = bounds_width(&results->mode);
  printf("%-*s %*s", results->name_width, "geometric mean", width, "");
  for (size_t i = 0; i < section->peers.count; i++) {
    const double mean = bench_mean(section, i);
    const char *text = mean > 0 ? mem_text("%5.2f", mean) : "    -";
    if (section->peers.items[i].object) printf("  %-*s", section->peers.items[i].slow ? 6 : PEER_WIDTH, text);
  }
  printf("\n");
  if (best > 0) printf("%-*s %*s  %5.2f\n", results->name_width, "best of them", width, "", best);
  printf("\n");
}

/* ---- CSV --------------------------------------------------------------------------------------------------------------- */

static void csv_peer(const struct bench_peer *one) {
  if (one->best < 0)
    printf(",,,");
  else
    printf(",%.4f,%s,%s", one->entries[one->best].ratio, one->entries[one->best].variant, one->entries[one->best].implementation);
}

static void csv_row(const struct bench_section *section, const struct bench_row *row) {
  printf("%s,%s,%s,%.0f", row->layer->name, section->isa->name, row->plan->id, row->macs);
  if (row->done)
    printf(",%.2f,%.4f,%.4f,%.3f,%.4f,%.4f", gflops(row), row->share_of_peak, row->share_of_limit, 2 * row->macs / row->bytes,
           row->scaling, row->ceiling);
  else
    printf(",,,,,,");
  for (size_t i = 0; i < section->peers.count; i++) csv_peer(&row->peers[i]);
  printf(",%.4f\n", row->done ? bench_best(row, &section->peers) : 0);
}

void bench_print_csv(const struct bench_results *results) {
  printf("layer,target,plan,multiply_adds,gflops,share_of_peak,share_of_limit,flops_per_byte,scaling,ceiling");
  for (size_t i = 0; results->count && i < results->sections[0].peers.count; i++) {
    const char *name = results->sections[0].peers.items[i].name;
    printf(",%s,%s_variant,%s_implementation", name, name, name);
  }
  printf(",best\n");
  for (size_t s = 0; s < results->count; s++)
    for (size_t i = 0; i < results->sections[s].count; i++) csv_row(&results->sections[s], results->sections[s].rows[i]);
}
