/* Re-indentation of C text by its brackets, line by line: what lets templates be indented for their own reader. */
#ifndef GEN_INDENT_H
#define GEN_INDENT_H
#include "text.h"
#include <stdbool.h>

enum { INDENT_DEPTH = 64, INDENT_CONDITIONS = 16 };

/* Where a line stands: what the lines before it opened. */
struct nesting {
  int depth;
  char open[INDENT_DEPTH]; /* '{', '(' or 'e': the brace of extern "C", which does not indent */
  bool comment;            /* inside a block comment */
  int comment_column;      /* where it opened */
  int headers;             /* of the last statement so far: each an if, for or while without its body yet */
  char last;               /* last byte of code, '\0' at the start */
};

struct indent {
  struct nesting now;
  struct nesting before[INDENT_CONDITIONS]; /* at each open #if: its #else starts from there again */
  int conditions;
  struct nesting outside; /* of the macro definition whose lines are read */
  bool macro;
  bool blank, started;
};

/* Appends the line (without newline) to `out`. A zeroed struct starts a file. */
void indent_line(struct indent *indent, const char *line, size_t size, struct text *out);
/* Appends the blank line that is due, if any: before text that goes to `out` directly. */
void indent_flush(struct indent *indent, struct text *out);
#endif
