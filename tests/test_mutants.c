/* Mutants: each file tests/mutants/NAME.mutant damages one built-in template, and `convsmith verify` must see it: exit status 1 and
 * a failing layer. What verify does not see could be wrong in any release.
 *
 *   # what is damaged
 *   file lib/tile.t         the template
 *   times 2                 how often the old text stands in it, if not once
 *   verify --layer tails    arguments of verify on tests/mutants/layers.yaml
 *   says was not written    text that verify must print, optional
 *   -old text               lines that are replaced ...
 *   +new text               ... by these; the first and the last may be parts of lines
 */
#include "../gen/engine.h"
#include "../gen/mem.h"
#include "../gen/text.h"
#include "scratch.h"
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { LEAST_MUTANTS = 25 };
static const char folder[] = "tests/mutants";

struct mutant {
  const char *name, *file, *verify, *says;
  size_t times;
  struct text was, becomes; /* lines, the last without its end */
};

/* ---- reading --------------------------------------------------------------------------------------------------------- */

/* What follows `word` at the start of the line, or NULL. */
static const char *after(const char *line, const char *word) {
  const size_t length = strlen(word);
  return strncmp(line, word, length) ? NULL : mem_text("%s", line + length);
}

static void add_line(struct text *text, const char *line) {
  text_print(text, text->data ? "\n%s" : "%s", line);
}

static void read_line(struct mutant *mutant, const char *line) {
  const char *file = after(line, "file "), *verify = after(line, "verify "), *says = after(line, "says ");
  const char *times = after(line, "times ");
  if (*line == '-')
    add_line(&mutant->was, line + 1);
  else if (*line == '+')
    add_line(&mutant->becomes, line + 1);
  else if (times)
    mutant->times = strtoul(times, NULL, 10);
  else if (file || verify || says)
    *(file ? &mutant->file : verify ? &mutant->verify : &mutant->says) = file ? file : verify ? verify : says;
  else if (*line != '#')
    fail_msg("%s: what is '%s'?", mutant->name, line);
}

static struct mutant read_mutant(const char *name) {
  struct mutant mutant = {.name = name, .times = 1};
  char *rest, *content = text_of(mem_text("%s/%s.mutant", folder, name));
  for (char *line = strtok_r(content, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) read_line(&mutant, line);
  if (!mutant.file || !mutant.verify || !mutant.was.data || !mutant.becomes.data) fail_msg("%s: incomplete", name);
  return mutant;
}

/* ---- applying -------------------------------------------------------------------------------------------------------- */

static const struct builtin *find_template(const struct mutant *mutant) {
  const struct builtin *builtin = builtins;
  while (builtin->name && strcmp(builtin->name, mutant->file) != 0) builtin++;
  if (!builtin->name) fail_msg("%s: there is no template '%s'", mutant->name, mutant->file);
  return builtin;
}

/* The template with every occurrence of the old text replaced. */
static void damage(const struct mutant *mutant, struct text *result) {
  const char *from = find_template(mutant)->data;
  size_t times = 0;
  for (const char *next; (next = strstr(from, mutant->was.data)); from = next + mutant->was.size, times++) {
    text_add(result, from, (size_t)(next - from));
    text_add(result, mutant->becomes.data, mutant->becomes.size);
  }
  text_print(result, "%s", from);
  if (times != mutant->times)
    fail_msg("%s: '%s' stands %zu times in %s, not %zu", mutant->name, mutant->was.data, times, mutant->file, mutant->times);
}

/* Writes the damaged template as --template-path wants it; returns the folder. */
static const char *write_template(const struct mutant *mutant) {
  char message[1000];
  struct text text = {0};
  damage(mutant, &text);
  const char *path = mem_text("%s/%s", mutant->name, mutant->file);
  assert_int_equal(process_run(message, sizeof message, "mkdir -p $(dirname %s)", scratch_path(path)), 0);
  scratch_write(path, text.data);
  text_free(&text);
  return scratch_path(mutant->name);
}

/* ---- tests ----------------------------------------------------------------------------------------------------------- */

static void is_caught(void **state) {
  struct mutant mutant = read_mutant(*state);
  const int status = convsmith("verify %s/layers.yaml --template-path %s %s", folder, write_template(&mutant), mutant.verify);
  if (status == 2 && strstr(said, "this machine cannot run")) SKIP_BECAUSE("this machine cannot run the target");
  if (status != 1 || !strstr(said, "FAIL ") || (mutant.says && !strstr(said, mutant.says)))
    fail_msg("%s: exit status %d%s%s, and verify says:\n%s", mutant.name, status, mutant.says ? ", expected " : "",
             mutant.says ? mutant.says : "", said);
  text_free(&mutant.was);
  text_free(&mutant.becomes);
}

/* Without damage the same layers are right. */
static void layers_are_right(void **state) {
  (void)state;
  if (convsmith("verify %s/layers.yaml", folder) != 0) fail_msg("%s", said);
}

static int by_name(const void *a, const void *b) {
  return strcmp(((const struct CMUnitTest *)a)->name, ((const struct CMUnitTest *)b)->name);
}

/* A test for each mutant, by name. */
static struct CMUnitTest *find_mutants(size_t *count) {
  struct CMUnitTest *tests = NULL;
  DIR *mutants = opendir(folder);
  for (struct dirent *entry; mutants && (entry = readdir(mutants));) {
    const char *end = strstr(entry->d_name, ".mutant");
    if (!end) continue;
    char *name = mem_text("%.*s", (int)(end - entry->d_name), entry->d_name);
    tests = mem_grow(tests, *count, sizeof *tests);
    tests[(*count)++] = (struct CMUnitTest){name, is_caught, NULL, NULL, name};
  }
  if (mutants) closedir(mutants);
  if (*count) qsort(tests, *count, sizeof *tests, by_name);
  return tests;
}

int main(void) {
  const struct CMUnitTest undamaged[] = {cmocka_unit_test(layers_are_right)};
  size_t count = 0;
  scratch_begin("mutants");
  const struct CMUnitTest *tests = find_mutants(&count);
  if (count < LEAST_MUTANTS) {
    fprintf(stderr, "%zu mutants in %s, expected at least %d\n", count, folder, LEAST_MUTANTS);
    return 1;
  }
  return cmocka_run_group_tests_name("layers", undamaged, NULL, NULL) +
         _cmocka_run_group_tests("mutants", tests, count, NULL, NULL);
}
