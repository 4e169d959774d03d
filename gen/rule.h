/* Rules: what keys must fulfil together. Each is checked when all that it rests on is right, so that every fault of a layer is
 * reported in one run and none for being the consequence of another. */
#ifndef GEN_RULE_H
#define GEN_RULE_H
#include "keys.h"

struct rule {
  const char *needs[6]; /* keys that must be right */
  bool (*check)(struct layer *layer, struct diags *diags);
  const char *spoils; /* key that counts as wrong when the check fails */
};

/* Checks all `count` rules in order. False if one failed or some key was wrong before. */
bool rules_check(const struct rule *rules, size_t count, struct layer *layer, struct diags *diags);
#endif
