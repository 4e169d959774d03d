/* Generated files in tests: a spec's layers as the program itself sees them, made and compiled in the scratch folder. */
#ifndef TESTS_MADE_H
#define TESTS_MADE_H
#include "../gen/job.h"
#include "../gen/mem.h"
#include "object.h"
#include "scratch.h"
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#define CLEAN "-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror"

/* A shell command in the folder of scratch files. */
__attribute__((format(printf, 1, 2))) static inline int in_scratch(const char *format, ...) {
  char command[3000];
  va_list list;
  va_start(list, format);
  vsnprintf(command, sizeof command, format, list);
  va_end(list);
  return process_run(said, sizeof said, "cd %s && %s", scratch_path(""), command);
}

/* The same, which has to succeed. */
#define MUST(...)                                                                                                                  \
  do {                                                                                                                             \
    if (in_scratch(__VA_ARGS__) != 0) fail_msg("%s", said);                                                                        \
  } while (0)

static inline bool have(const char *command) {
  return process_run(said, sizeof said, "command -v %s", command) == 0;
}

/* What `generate SPEC --target TARGET --set SET` sees, until made_close; "" stands for an option that is left out. */
static struct job made;
static struct command_options made_options;

static inline struct words made_words(const char *word) {
  struct words words = {NULL, 0};
  if (!*word) return words;
  words.items = mem_grow(NULL, 0, sizeof word);
  words.items[words.count++] = word;
  return words;
}

static inline void made_open(const char *spec, const char *target, const char *set) {
  made_options = (struct command_options){.program = "convsmith", .command = "generate", .spec = spec, .prefix = ""};
  made_options.targets = made_words(target);
  made_options.sets = made_words(set);
  if (!job_open(&made, &made_options)) abort();
}

static inline void made_close(void) {
  job_close(&made, 0);
  mem_release(0);
}

/* Generates the open spec into FOLDER, and FOLDER/all.c that includes every file. */
static inline void made_generate(const char *folder) {
  const char *options = "", *all = "";
  if (made_options.targets.count) options = mem_text("--target %s", made_options.targets.items[0]);
  if (made_options.sets.count) options = mem_text("%s --set %s", options, made_options.sets.items[0]);
  if (convsmith("generate %s -o %s %s", made.spec.path, scratch_path(folder), options) != 0) fail_msg("%s", said);
  for (size_t i = 0; i < made.spec.count; i++) all = mem_text("%s#include \"%s.c\"\n", all, made.spec.layers[i].name);
  scratch_write(mem_text("%s/all.c", folder), all);
}

static inline struct isa_set made_targets(const struct layer *layer) {
  return job_targets(&made, layer, TARGETS_PORTABLE);
}

/* "stem" or, of a file with several targets, "stem_avx2": what the symbols of a target begin with. */
static inline const char *made_symbol(const struct layer *layer, const struct isa_set *targets, size_t i) {
  return targets->count > 1 ? mem_text("%s_%s", layer->name, targets->items[i]->name) : layer->name;
}
#endif
