/* Names of layers: what makes a C identifier that compiles everywhere, and which layers' symbols or files would clash. */
#ifndef GEN_NAMES_H
#define GEN_NAMES_H
#include "diag.h"
#include <stdbool.h>

bool name_is_identifier(const char *text);
bool name_is_keyword(const char *name); /* of C or C++, any version that a compiler may default to */
bool name_is_library(const char *name); /* declared by headers that generated code may include */
bool name_is_header(const char *name);  /* NAME.h is a header of the system */

/* What is wrong with `name` as a layer's name under `prefix`, or NULL. */
const char *name_problem(const char *name, const char *prefix);

struct named {
  const char *name;
  struct place place;
};
/* Reports each layer whose symbols, constants or files are also those of one before it. `targets`: NULL at the end. */
void names_check_clashes(const struct named *layers, size_t count, const char *prefix, const char *const *targets,
                         struct diags *diags);
#endif
