/* YAML 1.1 would read 012 as octal, 1_000 as a number and yes as a boolean; a spec has one spelling for each value. */
#include "value.h"
#include "mem.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Skips digits; false if there is none. */
static bool skip_digits(const char **text) {
  size_t count = strspn(*text, "0123456789");
  *text += count;
  return count > 0;
}

static bool is_plain(const struct node *node) {
  return node->kind == NODE_SCALAR && !node->quoted;
}

bool value_parse_integer(const struct node *node, int64_t *value) {
  if (!is_plain(node)) return false;
  const char *digits = node->text + (*node->text == '-'), *end = digits;
  if (!skip_digits(&end) || *end || (*digits == '0' && digits[1])) return false;
  errno = 0;
  *value = strtoll(node->text, NULL, 10);
  return errno == 0;
}

static bool is_number(const char *text) {
  text += *text == '-';
  if (*text == '0' && strspn(text, "0123456789") > 1) return false;
  const bool whole = skip_digits(&text), fraction = *text == '.' && (text++, skip_digits(&text));
  if (!whole && !fraction) return false;
  if (*text != 'e' && *text != 'E') return !*text;
  text++;
  text += *text == '-' || *text == '+';
  return skip_digits(&text) && !*text;
}

bool value_parse_number(const struct node *node, double *value) {
  if (!is_plain(node) || !is_number(node->text)) return false;
  *value = strtod(node->text, NULL);
  return isfinite(*value);
}

bool value_parse_bool(const struct node *node, bool *value) {
  if (!is_plain(node)) return false;
  *value = !strcmp(node->text, "true");
  return *value || !strcmp(node->text, "false");
}

const char *value_show(const struct node *node) {
  if (node->kind == NODE_LIST) return mem_text("a list of %zu", node->count);
  if (node->kind == NODE_MAP) return "a map";
  if (node->quoted) return mem_text("the string '%s'", node->text);
  return *node->text ? mem_text("'%s'", node->text) : "nothing";
}

void value_error(struct diags *diags, const char *key, const struct node *node, const char *expected) {
  diag_error(diags, node->place, "%s: expected %s, found %s", key, expected, value_show(node));
}

bool value_integer(struct diags *diags, const char *key, const struct node *node, int64_t least, int64_t *value) {
  if (value_parse_integer(node, value) && *value >= least) return true;
  value_error(diags, key, node, mem_text("a decimal integer from %lld to 2^63-1", (long long)least));
  return false;
}

const char *value_hint(const char *word, const char *const *names) {
  const char *nearest = diag_nearest(word, names);
  return nearest ? mem_text("; did you mean '%s'?", nearest) : "";
}

/* The names of the words that do something (or, with `later`, of all), NULL at the end. */
static const char *const *word_names(const struct word *words, bool later) {
  const char **names = NULL;
  size_t count = 0;
  for (; words->name; words++) {
    if (words->value == LATER && !later) continue;
    names = mem_grow(names, count, sizeof *names);
    names[count++] = words->name;
  }
  names = mem_grow(names, count, sizeof *names);
  names[count] = NULL;
  return names;
}

const char *value_choices(const struct word *words) {
  const char *const *names = word_names(words, false);
  const char *text = *names;
  while (text && *++names) text = mem_text("%s, %s", text, *names);
  return text;
}

bool value_word(struct diags *diags, const char *key, const struct node *node, const struct word *words, int *value) {
  const char *choices = value_choices(words);
  if (node->kind != NODE_SCALAR || !*node->text) {
    value_error(diags, key, node, mem_text("one of %s", choices));
    return false;
  }
  const struct word *word = words;
  while (word->name && strcmp(word->name, node->text)) word++;
  *value = word->value;
  if (!word->name)
    diag_error(diags, node->place, "%s: '%s' is not one of %s%s", key, node->text, choices,
               value_hint(node->text, word_names(words, true)));
  else if (word->value == LATER)
    diag_error(diags, node->place, "%s: '%s' is not supported yet; choose from %s", key, node->text, choices);
  return word->name && word->value != LATER;
}
