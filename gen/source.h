/* Where templates come from: the folders of --template-path in order, then the files inside the program. */
#ifndef GEN_SOURCE_H
#define GEN_SOURCE_H
#include "engine.h"

struct source {
  char *name;       /* as asked for: "isa/avx2.lua" */
  char *path;       /* where it was found, for messages: a path, or the name of a file inside the program */
  bool outside;     /* found in a folder */
  const char *data; /* a NUL follows */
  size_t size;
  struct text text; /* owns data of an outside file */
};

struct sources {
  const char **paths;
  size_t path_count;
  struct source *items; /* what was read so far */
  size_t count;
};

void source_open(struct sources *sources, const char *const *paths, size_t count);
void source_close(struct sources *sources);
/* The index of `name`, read if it was not yet, or -1 and what went wrong in *error. */
int source_find(struct sources *sources, const char *name, const char **error);
/* Line `line` (from 1) of a source, without its newline; empty if there is none. */
const char *source_line(const struct source *source, int line, size_t *size);
/* What malloc returned, or the end of the program: for what must outlive the arena's marks. */
void *source_must(void *pointer);
/* engine_list and engine_files. */
const char *const *source_list(const struct sources *sources, const char *folder, const char *suffix);
const char *const *source_files(const struct sources *sources);
#endif
