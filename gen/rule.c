/* Runs an op's rules. */
#include "rule.h"

static bool applies(const struct rule *rule, const struct layer *layer) {
  for (size_t i = 0; i < sizeof rule->needs / sizeof *rule->needs && rule->needs[i]; i++)
    if (!layer_right(layer, rule->needs[i])) return false;
  return true;
}

bool rules_check(const struct rule *rules, size_t count, struct layer *layer, struct diags *diags) {
  for (const struct rule *rule = rules; rule < rules + count; rule++)
    if (applies(rule, layer) && !rule->check(layer, diags)) layer_set_wrong(layer, rule->spoils);
  return !layer->wrong;
}
