/* Diagnostics: every error and warning of a run, collected with its place, sorted and printed once. */
#ifndef GEN_DIAG_H
#define GEN_DIAG_H
#include "text.h"

/* Where something stands. line 0: not in a file; `file` then names an option ("--set stride=x") or is NULL. */
struct place {
  const char *file;
  int line, column; /* from 1; the column counts bytes of the line, as compilers do */
};

struct diags {
  struct diag *items;
  size_t count, errors;
};

/* `format` says what is wrong and what would be right. */
void diag_error(struct diags *diags, struct place place, const char *format, ...) __attribute__((format(printf, 3, 4)));
void diag_warning(struct diags *diags, struct place place, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Prints to standard error, by file, line and column, what was collected, and forgets it:
 * `FILE:LINE:COLUMN: error: …`, or `convsmith: error: …` where the place has no line. Returns the number of errors. */
size_t diag_flush(struct diags *diags);
/* The same, into `lines` instead. */
size_t diag_take(struct diags *diags, struct text *lines);
/* The name among `names` (NULL at the end) that is nearest to `word` (edit distance ≤ 2 and < half), else one that begins with it;
 * NULL if there is none. */
const char *diag_nearest(const char *word, const char *const *names);
#endif
