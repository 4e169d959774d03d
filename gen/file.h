/* Files: whole or not at all. */
#ifndef GEN_FILE_H
#define GEN_FILE_H
#include "text.h"
#include <stdbool.h>

/* Reads all of `path` (regular files and pipes, at most `limit` bytes). NULL on success, else what went wrong. */
const char *file_read(const char *path, size_t limit, struct text *text);
/* Writes `count` texts as one step: all go to temporary files beside their targets, then each is renamed if its content differs
 * from what is there (an equal file is left alone, its time too). On error nothing is changed. NULL on success, else a message with
 * the path. */
struct output {
  const char *path;
  const struct text *text;
};
const char *file_write_all(const struct output *outputs, size_t count);
/* Do both paths lead to one file that is there? Either may be NULL. */
bool file_same(const char *path, const char *other);
/* Whether `path` could be written now, before work that would be lost: NULL, or what file_write_all would say. */
const char *file_check(const char *path);
#endif
