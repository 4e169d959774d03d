/* Libraries: C compiled by $CC and loaded into this process. */
#ifndef GEN_LIBRARY_H
#define GEN_LIBRARY_H
#include "text.h"
#include <stdbool.h>

/* Compiles `source` to the shared library `object`; `flags` follow the standard ones, NULL at the end. */
bool library_compile(const char *source, const char *object, const char *const *flags, struct text *message);
/* Loads a library for as long as the process lives, and finds a symbol in it. NULL with a message for job_fail. */
void *library_load(const char *object, const char *symbol, struct text *message);
/* Both for C text: NAME.c and NAME.so in the scratch folder. */
void *library_build(const struct text *code, const char *name, const char *symbol, struct text *message);
#endif
