/* The search for templates, and what was read: each file once, so that all of a run sees the same text. */
#include "source.h"
#include "file.h"
#include "mem.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_TEMPLATE_BYTES = 16 << 20 };

void *source_must(void *pointer) {
  if (pointer) return pointer;
  fprintf(stderr, "convsmith: error: out of memory\n");
  exit(2);
}

void source_open(struct sources *sources, const char *const *paths, size_t count) {
  *sources = (struct sources){.paths = source_must(calloc(count + 1, sizeof *paths)), .path_count = count};
  for (size_t i = 0; i < count; i++) sources->paths[i] = paths[i];
}

void source_close(struct sources *sources) {
  for (size_t i = 0; i < sources->count; i++) {
    free(sources->items[i].name);
    free(sources->items[i].path);
    text_free(&sources->items[i].text);
  }
  free(sources->items);
  free(sources->paths);
}

/* A relative name without "..", "." or empty parts: it cannot leave the folder that is searched. */
static bool name_allowed(const char *name) {
  for (;;) {
    const size_t part = strcspn(name, "/");
    if (part == 0 || (part == 1 && name[0] == '.') || (part == 2 && name[0] == '.' && name[1] == '.')) return false;
    if (name[part] == '\0') return true;
    name += part + 1;
  }
}

static int add_source(struct sources *sources, const char *name, const char *path, const struct source *found) {
  sources->items = source_must(realloc(sources->items, (sources->count + 1) * sizeof *sources->items));
  struct source *item = &sources->items[sources->count];
  *item = *found;
  item->name = source_must(strdup(name));
  item->path = source_must(strdup(path));
  return (int)sources->count++;
}

static int read_outside(struct sources *sources, const char *name, const char *path, const char **error) {
  struct source found = {.outside = true};
  *error = file_read(path, MAX_TEMPLATE_BYTES, &found.text);
  if (*error) return -1;
  found.data = found.text.data ? found.text.data : "";
  found.size = found.text.size;
  return add_source(sources, name, path, &found);
}

static const struct builtin *find_builtin(const char *name) {
  for (const struct builtin *file = builtins; file->name; file++)
    if (strcmp(file->name, name) == 0) return file;
  return NULL;
}

static int search(struct sources *sources, const char *name, const char **error) {
  for (size_t i = 0; i < sources->path_count; i++) {
    const char *path = mem_text("%s/%s", sources->paths[i], name);
    struct stat status;
    if (stat(path, &status) == 0) return read_outside(sources, name, path, error);
  }
  const struct builtin *file = find_builtin(name);
  if (file) return add_source(sources, name, name, &(struct source){.data = file->data, .size = file->size});
  *error = mem_text("no template '%s' in the folders of --template-path or inside the program", name);
  return -1;
}

int source_find(struct sources *sources, const char *name, const char **error) {
  for (size_t i = 0; i < sources->count; i++)
    if (strcmp(sources->items[i].name, name) == 0) return (int)i;
  if (name_allowed(name)) return search(sources, name, error);
  *error = mem_text("'%s' is no template name: names are relative and have no '..'", name);
  return -1;
}

const char *source_line(const struct source *source, int line, size_t *size) {
  const char *at = source->data, *const end = at + source->size;
  for (int i = 1; i < line && at < end; i++) {
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    at = newline ? newline + 1 : end;
  }
  const char *newline = memchr(at, '\n', (size_t)(end - at));
  *size = (size_t)((newline ? newline : end) - at);
  if (*size > 0 && at[*size - 1] == '\r') (*size)--;
  return at;
}

/* ---- listing ------------------------------------------------------------------------------------------------------ */

struct names {
  const char **items;
  size_t count;
};

static void add_name(struct names *names, const char *name, size_t size) {
  names->items = mem_grow(names->items, names->count, sizeof *names->items);
  names->items[names->count++] = mem_text("%.*s", (int)size, name);
}

/* Adds `file` without its suffix if it has the suffix and no folder. */
static void add_if_suffixed(struct names *names, const char *file, const char *suffix) {
  const size_t length = strlen(file), tail = strlen(suffix);
  if (length > tail && strcmp(file + length - tail, suffix) == 0 && !strchr(file, '/')) add_name(names, file, length - tail);
}

static void add_folder(struct names *names, const char *path, const char *suffix) {
  DIR *folder = opendir(path);
  if (!folder) return;
  for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
    if (entry->d_name[0] != '.') add_if_suffixed(names, entry->d_name, suffix);
  closedir(folder);
}

static void add_builtins(struct names *names, const char *folder, const char *suffix) {
  const size_t length = strlen(folder);
  for (const struct builtin *file = builtins; file->name; file++)
    if (strncmp(file->name, folder, length) == 0 && file->name[length] == '/')
      add_if_suffixed(names, file->name + length + 1, suffix);
}

static int by_name(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted, each name once, NULL at the end. */
static const char *const *sorted(struct names *names) {
  const char **list = mem_array(names->count + 1, sizeof *list);
  size_t count = 0;
  if (names->count > 0) qsort(names->items, names->count, sizeof *names->items, by_name);
  for (size_t i = 0; i < names->count; i++)
    if (count == 0 || strcmp(list[count - 1], names->items[i]) != 0) list[count++] = names->items[i];
  return list;
}

const char *const *source_list(const struct sources *sources, const char *folder, const char *suffix) {
  struct names names = {NULL, 0};
  for (size_t i = 0; i < sources->path_count; i++) add_folder(&names, mem_text("%s/%s", sources->paths[i], folder), suffix);
  add_builtins(&names, folder, suffix);
  return sorted(&names);
}

const char *const *source_files(const struct sources *sources) {
  struct names names = {NULL, 0};
  for (size_t i = 0; i < sources->count; i++)
    if (sources->items[i].outside) add_name(&names, sources->items[i].path, strlen(sources->items[i].path));
  return sorted(&names);
}
