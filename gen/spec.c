/* A spec file as layers. Values of a key come from --set, the layer's own map and `defaults`, the first that has it. All layers are
 * read and judged, whichever are chosen; an error in one never hides one in another. */
#include "spec.h"
#include "key_read.h"
#include "mem.h"
#include "names.h"
#include "op.h"
#include <string.h>

enum { FORMAT_VERSION = 1 };

/* A value from the command line. */
struct set {
  int key;
  const struct node *value;
};

struct reader {
  const char *path;
  const struct spec_options *options;
  struct diags *diags;
  const struct node **defaults; /* a value or NULL for each key */
  uint64_t taken;               /* keys whose default some layer took */
  uint64_t unsure;              /* keys that `defaults` may have meant to give: their absence is no error */
  struct set *sets;
  size_t set_count;
  struct layer *layers; /* that can be used so far */
  size_t layer_count;
  bool *found;         /* --layer i names a layer */
  struct named *named; /* every layer with a good name */
  size_t named_count;
};

static uint64_t bit(int key) {
  return key < 0 ? 0 : UINT64_C(1) << key;
}

/* Is it a word for what layers may make together one day? */
static bool is_later(const char *word) {
  return !strcmp(word, "network") || !strcmp(word, "streaming");
}

/* Reports a key that no layer has. Returns the bit of the key that was probably meant: nothing else is said of that one. */
static uint64_t unknown_key(struct diags *diags, struct place place, const char *word, const char *const *names) {
  const char *nearest = diag_nearest(word, names);
  if (is_later(word))
    diag_error(diags, place, "%s: not supported yet; leave it out", word);
  else if (nearest)
    diag_error(diags, place, "unknown key '%s'; did you mean '%s'?", word, nearest);
  else
    diag_error(diags, place, "unknown key '%s'; docs/spec.md lists the keys of a layer", word);
  return nearest ? bit(key_find(nearest)) : 0;
}

/* ---- --set -------------------------------------------------------------------------------------------------------- */

static void read_set(struct reader *reader, const char *text) {
  const char *option = mem_text("--set %s", text), *equals = strchr(text, '=');
  struct diags *diags = reader->diags;
  if (!equals || equals == text) {
    diag_error(diags, yaml_whole(option), "expected KEY=VALUE");
    return;
  }
  const char *name = mem_text("%.*s", (int)(equals - text), text);
  int key = key_find(name);
  if (key < 0) {
    unknown_key(diags, yaml_whole(option), name, key_names());
    return;
  }
  const struct node *value = yaml_parse(equals + 1, option, true, diags);
  if (!value) return;
  reader->sets = mem_grow(reader->sets, reader->set_count, sizeof *reader->sets);
  reader->sets[reader->set_count++] = (struct set){key, value};
}

/* ---- one layer ---------------------------------------------------------------------------------------------------- */

static bool takes(const struct op *op, const char *key) {
  for (const char *const *name = op->keys; *name; name++)
    if (!strcmp(*name, key)) return true;
  return false;
}

/* Whether --layer leaves a layer in; `name` as the file has it, whatever --set makes of it. */
static bool choose(struct reader *reader, const struct node *name) {
  const struct spec_options *options = reader->options;
  bool chosen = options->layer_count == 0;
  for (size_t i = 0; i < options->layer_count; i++) {
    bool same = name && name->kind == NODE_SCALAR && !strcmp(options->layers[i], name->text);
    reader->found[i] |= same;
    chosen |= same;
  }
  return chosen;
}

/* Reports keys that do not belong, and returns the bits of those that were meant. */
static uint64_t check_keys(struct reader *reader, const struct node *map) {
  uint64_t meant = 0;
  for (size_t i = 0; i < map->count; i++) {
    const struct node *key = map->keys[i];
    if (key_find(key->text) < 0) meant |= unknown_key(reader->diags, key->place, key->text, key_names());
  }
  return meant;
}

/* The value or NULL that a map has for each key; `map` may be NULL. */
static const struct node **key_values(const struct node *map) {
  size_t count = 0;
  while (layer_keys[count].name) count++;
  const struct node **values = mem_array(count, sizeof *values);
  for (size_t i = 0; map && i < count; i++) values[i] = yaml_get(map, layer_keys[i].name);
  return values;
}

/* Every key's value: the last --set, else the layer's own, else the default. Says whether the layer is chosen. */
static const struct node **gather(struct reader *reader, const struct node *map, bool *chosen) {
  const struct node **values = key_values(map);
  for (int i = 0; layer_keys[i].name; i++)
    if (!values[i]) values[i] = reader->defaults[i];
  *chosen = choose(reader, values[key_find("name")]);
  for (size_t i = 0; *chosen && i < reader->set_count; i++) values[reader->sets[i].key] = reader->sets[i].value;
  return values;
}

static bool judge_name(struct reader *reader, const struct node *name) {
  if (name->kind != NODE_SCALAR || !*name->text) {
    value_error(reader->diags, "name", name, "a C identifier");
    return false;
  }
  const char *problem = name_problem(name->text, reader->options->prefix);
  if (problem) {
    diag_error(reader->diags, name->place, "name: '%s' %s", name->text, problem);
    return false;
  }
  return true;
}

/* Judges the layer's name and notes it, for the check that none clash. */
static bool check_name(struct reader *reader, const struct node *name) {
  if (!judge_name(reader, name)) return false;
  reader->named = mem_grow(reader->named, reader->named_count, sizeof *reader->named);
  reader->named[reader->named_count++] = (struct named){name->text, name->place};
  return true;
}

/* The layer's op, or NULL after reporting. */
static const struct op *find_op(struct reader *reader, const struct node *node) {
  if (!node) return op_find("conv");
  const struct op *op = node->kind == NODE_SCALAR ? op_find(node->text) : NULL;
  if (op) return op;
  struct word words[64];
  size_t count = 0;
  for (const char *const *name = op_names(); *name; name++) words[count++] = (struct word){*name, 0};
  for (const char *const *name = op_reserved(); *name; name++) words[count++] = (struct word){*name, LATER};
  words[count] = (struct word){NULL, 0};
  int value;
  value_word(reader->diags, "op", node, words, &value);
  return NULL;
}

/* Keys of other ops are errors where the layer itself or --set gives them, and passed over in `defaults`. */
static void check_taken(struct reader *reader, struct layer *layer) {
  for (int i = 0; layer_keys[i].name; i++) {
    const char *name = layer_keys[i].name;
    const struct node *value = layer->values[i];
    if (!layer_gives(layer, name) || takes(layer->op, name)) continue;
    diag_error(reader->diags, value->place, "%s: op '%s' has no such key; leave it out", name, layer->op->name);
    layer->wrong |= bit(i);
  }
}

/* Required keys that are not there, unless a misspelt one may have meant them, in one message. */
static void check_missing(struct reader *reader, struct layer *layer) {
  const char *missing = "";
  for (int i = 0; layer_keys[i].name; i++) {
    const char *name = layer_keys[i].name;
    if (layer->values[i] || layer->wrong & bit(i) || !layer_keys[i].required || !takes(layer->op, name)) continue;
    if (layer->op->any_window && i == key_find("kernel_size")) continue;
    missing = mem_text("%s%s'%s'", missing, *missing ? ", " : "", name);
    layer->wrong |= bit(i);
  }
  if (*missing)
    diag_error(reader->diags, layer->node->place, "missing: %s; a layer of op '%s' needs them", missing, layer->op->name);
}

static void read_values(struct reader *reader, struct layer *layer) {
  struct reading reading = {layer, reader->diags, reader->path, reader->options->known_targets, NULL};
  for (int i = 0; layer_keys[i].name; i++) {
    reading.key = &layer_keys[i];
    if (!layer->values[i] || !reading.key->read || !takes(layer->op, reading.key->name)) continue;
    if (layer->values[i] == reader->defaults[i]) reader->taken |= bit(i);
    if (!reading.key->read(&reading, layer->values[i])) layer->wrong |= bit(i);
  }
}

/* Keys without a value that a wrong key of the layer or of `defaults` may have meant to give. */
static uint64_t unsure_keys(const struct reader *reader, const struct layer *layer, uint64_t meant) {
  uint64_t absent = 0;
  for (int i = 0; layer_keys[i].name; i++)
    if (!layer->values[i]) absent |= bit(i);
  return absent & (layer->node->partial ? UINT64_MAX : meant | reader->unsure);
}

static void fill_defaults(struct layer *layer) {
  for (int d = 0; d < MAX_SPATIAL; d++) layer->kernel[d] = layer->stride[d] = layer->dilation[d] = 1;
  layer->multiplier = 1;
  layer->groups = 1;
  layer->count_include_pad = true;
  layer->algorithm = "auto";
  layer->max_code_bytes = 65536;
}

static void read_layer(struct reader *reader, const struct node *map) {
  if (map->kind != NODE_MAP) {
    value_error(reader->diags, "layers", map, "each layer to be a map of keys");
    return;
  }
  struct layer layer = {.node = map};
  uint64_t meant = check_keys(reader, map);
  bool chosen;
  layer.values = gather(reader, map, &chosen);
  const struct node *name = layer.values[key_find("name")];
  layer.name = name && name->kind == NODE_SCALAR ? name->text : "";
  if (name && !check_name(reader, name)) layer.wrong |= bit(key_find("name"));
  layer.op = find_op(reader, layer.values[key_find("op")]);
  if (!layer.op) return;
  fill_defaults(&layer);
  layer.wrong |= unsure_keys(reader, &layer, meant);
  check_taken(reader, &layer);
  check_missing(reader, &layer);
  read_values(reader, &layer);
  if (!layer.op->resolve(&layer, reader->diags) || !chosen) return;
  reader->layers = mem_grow(reader->layers, reader->layer_count, sizeof layer);
  reader->layers[reader->layer_count++] = layer;
}

/* ---- the file ----------------------------------------------------------------------------------------------------- */

/* False if this is no spec of this version, so that nothing else in it can be judged. */
static bool check_version(struct reader *reader, const struct node *root) {
  const struct node *node = yaml_get(root, "convsmith");
  int64_t version;
  if (!node) {
    if (!root->partial)
      diag_error(reader->diags, root->place, "missing key 'convsmith': begin with 'convsmith: %d'", FORMAT_VERSION);
    return true;
  }
  if (value_parse_integer(node, &version) && version == FORMAT_VERSION) return true;
  value_error(reader->diags, "convsmith", node, mem_text("%d, the version of the format that this program reads", FORMAT_VERSION));
  return false;
}

/* Unknown keys at the top. Returns whether `layers` may have been meant by one. */
static bool check_top(struct reader *reader, const struct node *root) {
  static const char *const names[] = {"convsmith", "defaults", "layers", NULL};
  bool meant = root->partial;
  for (size_t i = 0; i < root->count; i++) {
    const struct node *key = root->keys[i];
    const char *const *name = names;
    while (*name && strcmp(*name, key->text)) name++;
    if (*name) continue;
    const bool later = is_later(key->text);
    const char *nearest = diag_nearest(key->text, names);
    if (later)
      diag_error(reader->diags, key->place, "%s: not supported yet; list single layers under 'layers'", key->text);
    else if (nearest)
      diag_error(reader->diags, key->place, "unknown key '%s'; did you mean '%s'?", key->text, nearest);
    else
      diag_error(reader->diags, key->place, "unknown key '%s'; a spec has convsmith, defaults, layers", key->text);
    meant |= later || (nearest && !strcmp(nearest, "layers"));
    if (nearest && !strcmp(nearest, "defaults")) reader->unsure = UINT64_MAX;
  }
  return meant;
}

static void read_defaults(struct reader *reader, const struct node *node) {
  bool is_map = node && node->kind == NODE_MAP;
  reader->defaults = key_values(is_map ? node : NULL);
  if (!node) return;
  if (!is_map) {
    value_error(reader->diags, "defaults", node, "a map of layer keys");
    reader->unsure = UINT64_MAX;
    return;
  }
  reader->unsure |= check_keys(reader, node);
  if (node->partial) reader->unsure = UINT64_MAX;
}

/* Judges the defaults that no layer took, alone: only what they are, not what they mean to a layer. Keys that are for later may
 * stand there. */
static void read_untaken(struct reader *reader) {
  for (int i = 0; layer_keys[i].name; i++) {
    const struct node *value = reader->defaults[i];
    struct layer ignored = {.values = reader->defaults};
    struct reading reading = {&ignored, reader->diags, reader->path, reader->options->known_targets, &layer_keys[i]};
    if (!value || reader->taken & bit(i) || reading.key->read == read_later) continue;
    if (i == key_find("op"))
      find_op(reader, value);
    else if (i == key_find("name"))
      judge_name(reader, value);
    else
      reading.key->read(&reading, value);
  }
}

static void read_layers(struct reader *reader, const struct node *root, bool meant) {
  const struct node *list = yaml_get(root, "layers");
  if (!list) {
    if (!meant) diag_error(reader->diags, root->place, "missing key 'layers': a list of at least one layer");
    return;
  }
  if (list->kind != NODE_LIST || !list->count) {
    value_error(reader->diags, "layers", list, "a list of at least one layer");
    return;
  }
  for (size_t i = 0; i < list->count; i++) read_layer(reader, list->items[i]);
}

/* Each --layer must name one. */
static void check_choice(struct reader *reader) {
  const char **names = mem_array(reader->named_count + 1, sizeof *names);
  for (size_t i = 0; i < reader->named_count; i++) names[i] = reader->named[i].name;
  for (size_t i = 0; i < reader->options->layer_count; i++) {
    const char *wanted = reader->options->layers[i];
    struct place place = yaml_whole(mem_text("--layer %s", wanted));
    if (!reader->found[i])
      diag_error(reader->diags, place, "%s has no layer of this name%s", reader->path, value_hint(wanted, names));
  }
}

static void read_root(struct reader *reader, const struct node *root) {
  if (root->kind != NODE_MAP) {
    value_error(reader->diags, "spec", root, "a map that begins with 'convsmith: 1'");
    return;
  }
  if (!check_version(reader, root)) return;
  bool meant = check_top(reader, root);
  read_defaults(reader, yaml_get(root, "defaults"));
  read_layers(reader, root, meant);
  read_untaken(reader);
  names_check_clashes(reader->named, reader->named_count, reader->options->prefix, reader->options->known_targets, reader->diags);
  check_choice(reader);
}

bool spec_read(const char *path, const struct spec_options *options, struct spec *spec, struct diags *diags) {
  size_t errors = diags->errors;
  struct reader reader = {.path = path, .options = options, .diags = diags};
  reader.found = mem_array(options->layer_count, sizeof *reader.found);
  for (size_t i = 0; i < options->set_count; i++) read_set(&reader, options->sets[i]);
  const struct node *root = yaml_read(path, diags);
  if (root) read_root(&reader, root);
  *spec = (struct spec){path, reader.layers, reader.layer_count};
  return diags->errors == errors;
}
