/* Gaps in words: all of them while they are few, a range where they are neighbours, else the first ones and the last. */
#include "gaps.h"
#include "mem.h"
#include <inttypes.h>
#include <stdbool.h>

/* Index `n` of at most GAPS_LISTED + 1 missing ones. */
static int64_t listed(const struct gaps *gaps, int64_t n) {
  return n < GAPS_LISTED ? gaps->first[n] : gaps->last;
}

static bool is_range(const struct gaps *gaps) {
  return gaps->count > 2 && gaps->last - gaps->first[0] + 1 == gaps->count;
}

static const char *names(const struct gaps *gaps) {
  if (gaps->count < 0) return mem_text("%" PRId64 " …", gaps->first[0]);
  if (is_range(gaps)) return mem_text("%" PRId64 " to %" PRId64, gaps->first[0], gaps->last);
  const char *text = "";
  for (int64_t n = 0; n < gaps->count && n <= GAPS_LISTED; n++) {
    const char *separator = n == 0 ? "" : n == GAPS_LISTED && gaps->count > GAPS_LISTED + 1 ? " … " : ", ";
    text = mem_text("%s%s%" PRId64, text, separator, listed(gaps, n));
  }
  return text;
}

const char *gaps_text(const struct gaps *gaps) {
  if (gaps->count < 0) return mem_text("%s (of %" PRId64 ")", names(gaps), gaps->total);
  return mem_text("%s (%" PRId64 " of %" PRId64 ")", names(gaps), gaps->count, gaps->total);
}
