/* Emitted tests: NAME_test.c, a C99 program that checks the generated kernel against the reference that it carries. */
#ifndef GEN_EMIT_TEST_H
#define GEN_EMIT_TEST_H
#include "plan.h"

/* What the test includes. */
struct test_header {
  const char *file;           /* "stem.h" */
  const char *implementation; /* a macro to define before, for single files; NULL: none */
};

/* Appends the test of `layer`. False with engine_error set. */
bool emit_test(struct engine *engine, const struct layer *layer, const char *prefix, const struct plan *const *plans, size_t count,
               const struct test_header *header, struct text *out);
#endif
