/* Plan files. Everything is checked when the file is read, so all that is wrong with it is reported in one run. */
#include "plan_file.h"
#include "mem.h"
#include <string.h>

struct reader {
  const struct spec *spec;
  bool some_layers;
  const struct isa_list *isas;
  struct plan_choices *choices;
  struct diags *diags;
};

static void check_keys(const struct node *map, const char *const *known, struct diags *diags) {
  for (size_t i = 0; i < map->count; i++) {
    const struct node *key = map->keys[i];
    bool found = false;
    for (const char *const *name = known; *name; name++) found |= !strcmp(*name, key->text);
    if (found) continue;
    const char *nearest = diag_nearest(key->text, known);
    diag_error(diags, key->place, "unknown key '%s'; did you mean '%s'?", key->text, nearest ? nearest : known[0]);
  }
}

/* The text under `key`, or NULL after reporting. */
static const struct node *text_of(const struct reader *reader, const struct node *map, const char *key) {
  const struct node *value = yaml_get(map, key);
  if (value && value->kind == NODE_SCALAR) return value;
  diag_error(reader->diags, value ? value->place : map->place, "%s: a plan's line needs layer, target and plan, a word each", key);
  return NULL;
}

static const struct layer *layer_named(const struct spec *spec, const char *name) {
  for (size_t i = 0; i < spec->count; i++)
    if (!strcmp(spec->layers[i].name, name)) return &spec->layers[i];
  return NULL;
}

/* The plan called `id`, or NULL after reporting what is wrong with it. */
static const struct plan *plan_named(const struct reader *reader, const struct node *id, const struct layer *layer,
                                     const struct isa *isa) {
  struct plan_list plans = plan_enumerate(layer, isa);
  const char **names = mem_array(plans.count + 1, sizeof *names);
  for (size_t i = 0; i < plans.count; i++) {
    const struct plan *plan = plans.items + i;
    names[i] = plan->id;
    if (strcmp(plan->id, id->text) != 0) continue;
    if (!plan->reason) return plan;
    diag_error(reader->diags, id->place, "plan %s was refused for %s on %s: %s", plan->id, layer->name, isa->name, plan->reason);
    return NULL;
  }
  const char *nearest = diag_nearest(id->text, names);
  diag_error(reader->diags, id->place, "%s has no plan '%s' on %s; %s%s", layer->name, id->text, isa->name,
             nearest ? "did you mean " : "see convsmith info --explain", nearest ? nearest : "");
  return NULL;
}

static void add_choice(const struct reader *reader, const struct node *id, const struct layer *layer, const struct isa *isa) {
  struct plan_choices *choices = reader->choices;
  if (plan_choice_find(choices, layer, isa)) {
    diag_error(reader->diags, id->place, "a second plan for %s on %s; one is right", layer->name, isa->name);
    return;
  }
  const struct plan *plan = plan_named(reader, id, layer, isa);
  if (!plan) return;
  choices->items = mem_grow(choices->items, choices->count, sizeof *choices->items);
  choices->items[choices->count++] = (struct plan_choice){layer, isa, plan};
}

static void read_line(const struct reader *reader, const struct node *line) {
  static const char *const keys[] = {"layer", "target", "plan", NULL};
  if (line->kind != NODE_MAP) {
    diag_error(reader->diags, line->place, "a line of plans is {layer: NAME, target: TARGET, plan: ID}");
    return;
  }
  check_keys(line, keys, reader->diags);
  const struct node *name = text_of(reader, line, "layer");
  const struct node *target = text_of(reader, line, "target");
  const struct node *id = text_of(reader, line, "plan");
  if (!name || !target || !id) return;
  const struct layer *layer = layer_named(reader->spec, name->text);
  const struct isa *isa = isa_find(reader->isas, target->text);
  if (!layer && !reader->some_layers)
    diag_error(reader->diags, name->place, "%s has no layer '%s'", reader->spec->path, name->text);
  if (!isa) diag_error(reader->diags, target->place, "no target '%s'; see convsmith targets", target->text);
  if (layer && isa) add_choice(reader, id, layer, isa);
}

static void read_lines(const struct reader *reader, const struct node *root) {
  static const char *const keys[] = {"convsmith-plan", "plans", NULL};
  check_keys(root, keys, reader->diags);
  const struct node *version = yaml_get(root, "convsmith-plan"), *lines = yaml_get(root, "plans");
  if (!version || version->kind != NODE_SCALAR || strcmp(version->text, "1") != 0)
    diag_error(reader->diags, version ? version->place : root->place, "a plan file starts with 'convsmith-plan: 1'");
  if (!lines || lines->kind != NODE_LIST) {
    diag_error(reader->diags, lines ? lines->place : root->place, "plans: a list of {layer, target, plan} is needed");
    return;
  }
  for (size_t i = 0; i < lines->count; i++) read_line(reader, lines->items[i]);
}

bool plan_file_read(const char *path, const struct spec *spec, bool some_layers, const struct isa_list *isas,
                    struct plan_choices *choices, struct diags *diags) {
  size_t errors = diags->errors;
  struct reader reader = {spec, some_layers, isas, choices, diags};
  const struct node *root = yaml_read(path, diags);
  if (root && root->kind == NODE_MAP)
    read_lines(&reader, root);
  else if (root)
    diag_error(diags, root->place, "a plan file is a map: convsmith-plan and plans");
  return diags->errors == errors;
}

const struct plan *plan_choice_find(const struct plan_choices *choices, const struct layer *layer, const struct isa *isa) {
  for (size_t i = 0; i < choices->count; i++)
    if (choices->items[i].layer == layer && choices->items[i].isa == isa) return choices->items[i].plan;
  return NULL;
}
