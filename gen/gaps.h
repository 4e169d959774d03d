/* Gaps: which of a row of indices are missing, counted and named by a few of them. Receptive fields have them (holes), and so have
 * inputs that no output reads. */
#ifndef GEN_GAPS_H
#define GEN_GAPS_H
#include <stdint.h>

enum { GAPS_LISTED = 3 };

struct gaps {
  int64_t total;              /* indices in all: 0 to total-1 */
  int64_t count;              /* missing ones; -1: some, too many to count in bounded time, and only first[0] is known */
  int64_t first[GAPS_LISTED]; /* the first of them */
  int64_t last;
};

/* "1, 3, 5 … 223 (112 of 224)", "5 to 9 (5 of 10)". */
const char *gaps_text(const struct gaps *gaps);
#endif
