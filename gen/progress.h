/* One line on standard error that says how far a long command is, only if that is a terminal. */
#ifndef GEN_PROGRESS_H
#define GEN_PROGRESS_H
#include <stddef.h>

/* Shows "[done/total] doing" in place of what was shown before. */
void progress_show(size_t done, size_t total, const char *doing);
/* Takes the line away; before anything else is printed. */
void progress_clear(void);
#endif
