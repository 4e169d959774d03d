/* The C compiler, and a folder for what it reads and writes. */
#ifndef GEN_COMPILE_H
#define GEN_COMPILE_H
#include "text.h"
#include <stdbool.h>

/* The run's own folder under $TMPDIR (/tmp), made at the first call; NULL with errno set if that fails. A guardian process removes
 * it when this one and its workers are gone, whatever ended them. */
const char *scratch_folder(void);
/* Removes it now and waits until it is gone. Called by the process that made it. */
void scratch_remove(void);

/* Runs $CC (cc if unset; spaces separate words, no shell) with `arguments`, NULL at the end. False with an
 * error message in `messages`: the command and what it printed, or why it did not start. */
bool compile(const char *const *arguments, struct text *messages);
#endif
