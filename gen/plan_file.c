/* Plan files. Everything is checked when the file is read, so all that is wrong with it is reported in one run. */
#include "plan_file.h"
#include "command.h"
#include "machine.h"
#include "mem.h"
#include "value.h"
#include <string.h>

struct reader {
  const struct spec *spec;
  bool some_layers;
  const struct isa_list *isas;
  struct plan_choices *choices;
  struct diags *diags;
};

static const char *keys_text(const char *const *keys) {
  const char *text = *keys;
  while (*++keys) text = mem_text("%s, %s", text, *keys);
  return text;
}

static void check_keys(const struct node *map, const char *const *known, struct diags *diags) {
  for (size_t i = 0; i < map->count; i++) {
    const struct node *key = map->keys[i];
    bool found = false;
    for (const char *const *name = known; *name; name++) found |= !strcmp(*name, key->text);
    if (found) continue;
    const char *nearest = diag_nearest(key->text, known);
    if (nearest)
      diag_error(diags, key->place, "unknown key '%s'; did you mean '%s'?", key->text, nearest);
    else
      diag_error(diags, key->place, "unknown key '%s'; keys are %s", key->text, keys_text(known));
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

void plan_choices_add(struct plan_choices *choices, struct plan_choice choice) {
  choices->items = mem_grow(choices->items, choices->count, sizeof choice);
  choices->items[choices->count++] = choice;
}

/* The number under `lead`, 0 if it is not there. */
static double lead_of(const struct reader *reader, const struct node *line) {
  const struct node *node = yaml_get(line, "lead");
  double lead = 0;
  if (node && (!value_parse_number(node, &lead) || lead < 1))
    diag_error(reader->diags, node->place, "lead: expected a number of at least 1, found %s", value_show(node));
  return lead;
}

static void add_choice(const struct reader *reader, const struct node *line, const struct node *id, const struct layer *layer,
                       const struct isa *isa) {
  if (plan_choice_find(reader->choices, layer, isa)) {
    diag_error(reader->diags, id->place, "a second plan for %s on %s; one is right", layer->name, isa->name);
    return;
  }
  const struct plan *plan = plan_named(reader, id, layer, isa);
  const double lead = lead_of(reader, line);
  if (plan) plan_choices_add(reader->choices, (struct plan_choice){layer, isa, plan, lead});
}

static void read_line(const struct reader *reader, const struct node *line) {
  static const char *const keys[] = {"layer", "target", "plan", "lead", NULL};
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
  if (layer && isa) add_choice(reader, line, id, layer, isa);
}

/* Where the plans come from: words for people. */
static void check_origin(const struct reader *reader, const struct node *root, const char *key) {
  const struct node *node = yaml_get(root, key);
  if (node && node->kind != NODE_SCALAR)
    diag_error(reader->diags, node->place, "%s: expected a string, found %s", key, value_show(node));
}

static void read_lines(const struct reader *reader, const struct node *root) {
  static const char *const keys[] = {"convsmith-plan", "version", "machine", "plans", NULL};
  check_keys(root, keys, reader->diags);
  check_origin(reader, root, "version");
  check_origin(reader, root, "machine");
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

/* ---- writing --------------------------------------------------------------------------------------------------------- */

/* A string of printable ASCII in double quotes. */
static void print_quoted(struct text *text, const char *key, const char *value) {
  text_print(text, "%s: \"", key);
  for (const char *c = value; *c; c++) text_print(text, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
  text_print(text, "\"\n");
}

void plan_file_print(struct text *text, const struct plan_choices *choices) {
  text_print(text, "# The fastest plans that convsmith tune found. lead: the time of the next best over that of the plan.\n"
                   "convsmith-plan: 1\n");
  print_quoted(text, "version", CONVSMITH_VERSION);
  print_quoted(text, "machine", machine_name());
  text_print(text, choices->count ? "plans:\n" : "plans: []\n");
  for (size_t i = 0; i < choices->count; i++) {
    const struct plan_choice *choice = &choices->items[i];
    text_print(text, "  - {layer: %s, target: %s, plan: %s", choice->layer->name, choice->isa->name, choice->plan->id);
    if (choice->lead > 0) text_print(text, ", lead: %.2f", choice->lead);
    text_print(text, "}\n");
  }
}
