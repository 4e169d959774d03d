/* What `convsmith info --json` prints; docs/commands.md names the keys. */
#ifndef GEN_INFO_JSON_H
#define GEN_INFO_JSON_H
#include "job.h"

/* Prints one object: {layers: […], stack, runs}. */
void info_json(struct job *job);
#endif
