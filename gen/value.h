/* Scalars of a spec as typed values. Each function reports what is wrong, at the value's place, and returns false. Messages begin
 * with the key: "stride: expected an integer of at least 1, found 'x'". */
#ifndef GEN_VALUE_H
#define GEN_VALUE_H
#include "yaml.h"
#include <stdint.h>

/* Plain decimal: no sign but '-', no leading zero, no exponent, at most 2^63-1. */
bool value_parse_integer(const struct node *node, int64_t *value);
/* Decimal with optional fraction and exponent, finite. */
bool value_parse_number(const struct node *node, double *value);
/* `true` or `false`, unquoted. */
bool value_parse_bool(const struct node *node, bool *value);

/* `expected` completes "KEY: expected …, found …". */
void value_error(struct diags *diags, const char *key, const struct node *node, const char *expected);
bool value_integer(struct diags *diags, const char *key, const struct node *node, int64_t least, int64_t *value);

/* A word and what it stands for; a list of them ends with name NULL. LATER: a word that is taken but does nothing yet. */
enum { LATER = -1 };
struct word {
  const char *name;
  int value;
};
bool value_word(struct diags *diags, const char *key, const struct node *node, const struct word *words, int *value);
/* "a, b, c" of the words that are not LATER. */
const char *value_choices(const struct word *words);
/* "; did you mean 'x'?" or "". */
const char *value_hint(const char *word, const char *const *names);
/* "'x'", "the string 'x'", "a list of 3", …: a node in a message. */
const char *value_show(const struct node *node);
#endif
