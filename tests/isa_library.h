/* Functions that a test's template makes for one instruction set, compiled and loaded. */
#ifndef TESTS_ISA_LIBRARY_H
#define TESTS_ISA_LIBRARY_H
#include "../gen/engine.h"
#include "../gen/isa.h"

/* Expands `template`, which finds the ISA's table as `isa`, compiles it in the scratch folder with every warning an error, and
 * loads it for dlsym. A test in which anything of this fails has failed. */
void *isa_library(struct engine *engine, const struct isa *isa, const char *template);
#endif
