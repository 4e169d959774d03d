/* The tree is built while libyaml's events stream, so that every bound (size, depth, nodes with what aliases repeat) holds before
 * memory or time is spent. libyaml counts characters; places count bytes: a cursor that only walks forward translates. */
#include "yaml.h"
#include "file.h"
#include "mem.h"
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { MAX_BYTES = 16 << 20, MAX_DEPTH = 64, MAX_NODES = 100000, MAX_ANCHORS = 256 };

struct anchor {
  const char *name;
  struct node *node;
  size_t nodes; /* of the whole subtree */
  int depth;
};

struct reader {
  yaml_parser_t parser;
  struct diags *diags;
  const char *file;
  bool option;
  const char *bytes;
  size_t size;
  size_t characters, offset, line_start; /* the cursor: character number `characters` is byte `offset` */
  int line;
  size_t nodes;
  int depth, deepest; /* of the node being read; of the subtree just read */
  struct anchor anchors[MAX_ANCHORS];
  size_t anchor_count;
};

struct place yaml_whole(const char *file) {
  return (struct place){file, 0, 0};
}

static void step(struct reader *reader) {
  if (reader->bytes[reader->offset++] == '\n') {
    reader->line++;
    reader->line_start = reader->offset;
  }
}

static struct place cursor_place(const struct reader *reader) {
  if (reader->option) return yaml_whole(reader->file);
  return (struct place){reader->file, reader->line, (int)(reader->offset - reader->line_start) + 1};
}

static void rewind_cursor(struct reader *reader) {
  reader->characters = reader->offset = reader->line_start = 0;
  reader->line = 1;
}

/* The place of a libyaml mark. */
static struct place at_mark(struct reader *reader, yaml_mark_t mark) {
  if (mark.index < reader->characters) rewind_cursor(reader);
  for (; reader->characters < mark.index && reader->offset < reader->size; reader->characters++) {
    step(reader);
    while (reader->offset < reader->size && ((unsigned char)reader->bytes[reader->offset] & 0xC0) == 0x80) reader->offset++;
  }
  return cursor_place(reader);
}

/* The place of a byte that is no character. */
static struct place at_byte(struct reader *reader, size_t offset) {
  rewind_cursor(reader);
  while (reader->offset < offset && reader->offset < reader->size) step(reader);
  return cursor_place(reader);
}

static void syntax_error(struct reader *reader) {
  const yaml_parser_t *parser = &reader->parser;
  if (parser->error == YAML_READER_ERROR) {
    struct place place = at_byte(reader, parser->problem_offset);
    diag_error(reader->diags, place, "not text in UTF-8: %s", parser->problem);
    return;
  }
  struct place place = at_mark(reader, parser->problem_mark);
  const char *context = parser->context ? parser->context : "";
  diag_error(reader->diags, place, "not YAML: %s%s%s", context, *context ? ", " : "",
             parser->problem ? parser->problem : "out of memory");
}

static bool next_event(struct reader *reader, yaml_event_t *event) {
  if (yaml_parser_parse(&reader->parser, event)) return true;
  syntax_error(reader);
  return false;
}

/* Counts `count` more nodes that reach `depth` levels. False beyond a limit. */
static bool take(struct reader *reader, struct place place, size_t count, int depth) {
  if (depth > MAX_DEPTH) {
    diag_error(reader->diags, place, "nested more than %d levels deep; a spec needs fewer than 10", MAX_DEPTH);
    return false;
  }
  if (count > MAX_NODES - reader->nodes) {
    diag_error(reader->diags, place, "more than %d values, aliases counted as what they repeat; split the spec", MAX_NODES);
    return false;
  }
  reader->nodes += count;
  if (depth > reader->deepest) reader->deepest = depth;
  return true;
}

static struct node *read_node(struct reader *reader, yaml_event_t *event);

/* What the anchor holds, standing where the alias does. */
static struct node *alias_of(const struct node *anchored, struct place place) {
  struct node *node = mem_new(sizeof *node);
  *node = *anchored;
  node->place = place;
  return node;
}

static struct node *read_alias(struct reader *reader, const char *name, struct place place) {
  for (size_t i = reader->anchor_count; i-- > 0;) { /* the latest anchor of a name counts */
    const struct anchor *anchor = &reader->anchors[i];
    if (strcmp(anchor->name, name)) continue;
    return take(reader, place, anchor->nodes, reader->depth + anchor->depth - 1) ? alias_of(anchor->node, place) : NULL;
  }
  diag_error(reader->diags, place, "alias '*%s' has no anchor '&%s' that ends before it", name, name);
  return NULL;
}

static struct node *read_scalar(struct reader *reader, struct node *node, const yaml_event_t *event) {
  const char *text = (const char *)event->data.scalar.value;
  if (strlen(text) != event->data.scalar.length) {
    diag_error(reader->diags, node->place, "a string holds a NUL; leave '\\0' out");
    return NULL;
  }
  node->text = mem_text("%s", text);
  node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
  return node;
}

/* The items up to `end` are added to `node`; with `pairs`, every other one is a key. */
static bool read_items(struct reader *reader, struct node *node, yaml_event_type_t end, bool pairs) {
  for (;;) {
    yaml_event_t event;
    if (!next_event(reader, &event)) return false;
    bool last = event.type == end;
    struct node *key = NULL, *item = last ? NULL : read_node(reader, &event);
    yaml_event_delete(&event);
    if (!item) return last;
    if (pairs) {
      key = item;
      if (!next_event(reader, &event)) return false;
      item = read_node(reader, &event);
      yaml_event_delete(&event);
      if (!item) return false;
      node->keys = mem_grow(node->keys, node->count, sizeof *node->keys);
      node->keys[node->count] = key;
    }
    node->items = mem_grow(node->items, node->count, sizeof *node->items);
    node->items[node->count++] = item;
  }
}

static bool before(struct place a, struct place b) {
  return a.line < b.line || (a.line == b.line && a.column < b.column);
}

static int compare_keys(const void *left, const void *right) {
  const struct node *a = *(struct node *const *)left, *b = *(struct node *const *)right;
  int order = strcmp(a->text, b->text);
  if (order) return order;
  return before(a->place, b->place) ? -1 : before(b->place, a->place);
}

/* Says what is wrong with a key by itself; false if it is no key. */
static bool check_key(struct reader *reader, const struct node *key) {
  if (key->kind != NODE_SCALAR)
    diag_error(reader->diags, key->place, "a key is a word, not a list or a map");
  else if (!key->quoted && !strcmp(key->text, "<<"))
    diag_error(reader->diags, key->place, "merge keys are not supported; write shared keys under 'defaults', or repeat them");
  else
    return true;
  return false;
}

/* Leaves out the pairs whose keys are no keys. */
static void drop_wrong_keys(struct reader *reader, struct node *map) {
  size_t kept = 0;
  for (size_t i = 0; i < map->count; i++) {
    if (!check_key(reader, map->keys[i])) continue;
    map->keys[kept] = map->keys[i];
    map->items[kept++] = map->items[i];
  }
  map->partial = kept < map->count;
  map->count = kept;
}

/* Sorted, so that a map of many keys costs n·log n. The first of equal keys is the one that yaml_get finds. */
static void report_duplicates(struct reader *reader, const struct node *map) {
  struct node **sorted = mem_array(map->count, sizeof *sorted);
  memcpy(sorted, map->keys, map->count * sizeof *sorted);
  qsort(sorted, map->count, sizeof *sorted, compare_keys);
  for (size_t i = 1; i < map->count; i++) {
    const struct node *first = sorted[i - 1], *second = sorted[i];
    if (strcmp(first->text, second->text)) continue;
    diag_error(reader->diags, second->place, "duplicate key '%s', first at line %d; keep one", second->text, first->place.line);
  }
}

static struct node *read_map(struct reader *reader, struct node *node) {
  if (!read_items(reader, node, YAML_MAPPING_END_EVENT, true)) return NULL;
  drop_wrong_keys(reader, node);
  if (node->count > 1) report_duplicates(reader, node);
  return node;
}

/* What an event of each type holds of a node. */
static struct node *read_content(struct reader *reader, struct node *node, const yaml_event_t *event) {
  switch (event->type) {
  case YAML_SCALAR_EVENT:
    node->kind = NODE_SCALAR;
    return read_scalar(reader, node, event);
  case YAML_SEQUENCE_START_EVENT:
    node->kind = NODE_LIST;
    return read_items(reader, node, YAML_SEQUENCE_END_EVENT, false) ? node : NULL;
  default:
    node->kind = NODE_MAP;
    return read_map(reader, node);
  }
}

/* An event's field by the event's type: scalars, lists and maps each keep their own. */
static const yaml_char_t *event_field(const yaml_event_t *event, const yaml_char_t *scalar, const yaml_char_t *list,
                                      const yaml_char_t *map) {
  return event->type == YAML_SCALAR_EVENT ? scalar : event->type == YAML_SEQUENCE_START_EVENT ? list : map;
}

static const char *event_anchor(const yaml_event_t *event) {
  return (const char *)event_field(event, event->data.scalar.anchor, event->data.sequence_start.anchor,
                                   event->data.mapping_start.anchor);
}

static const char *event_tag(const yaml_event_t *event) {
  return (const char *)event_field(event, event->data.scalar.tag, event->data.sequence_start.tag, event->data.mapping_start.tag);
}

static bool add_anchor(struct reader *reader, const char *name, struct node *node, size_t nodes, int depth) {
  if (!name) return true;
  if (reader->anchor_count == MAX_ANCHORS) {
    diag_error(reader->diags, node->place, "more than %d anchors; write shared keys under 'defaults'", MAX_ANCHORS);
    return false;
  }
  reader->anchors[reader->anchor_count++] = (struct anchor){mem_text("%s", name), node, nodes, depth};
  return true;
}

/* `[?, 3, 8]`: YAML reads the question mark as the beginning of a key. */
static bool is_question(const struct reader *reader, const yaml_event_t *event) {
  return event->type == YAML_MAPPING_START_EVENT && event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE &&
         reader->offset < reader->size && reader->bytes[reader->offset] == '?';
}

/* The node that starts with `event`. NULL when reading cannot go on. */
static struct node *read_node(struct reader *reader, yaml_event_t *event) {
  struct place place = at_mark(reader, event->start_mark);
  reader->depth++;
  int deepest_before = reader->deepest;
  struct node *node = NULL;
  reader->deepest = reader->depth;
  if (event->type == YAML_ALIAS_EVENT) {
    node = read_alias(reader, (const char *)event->data.alias.anchor, place);
  } else if (is_question(reader, event)) {
    diag_error(reader->diags, place, "run-time sizes ('?') are not supported yet; give a number");
  } else if (take(reader, place, 1, reader->depth)) {
    size_t nodes_before = reader->nodes - 1;
    if (event_tag(event)) diag_error(reader->diags, place, "tags such as '%s' are not supported; leave it out", event_tag(event));
    node = mem_new(sizeof *node);
    node->place = place;
    node = read_content(reader, node, event);
    int depth = reader->deepest - reader->depth + 1;
    if (node && !add_anchor(reader, event_anchor(event), node, reader->nodes - nodes_before, depth)) node = NULL;
  }
  if (deepest_before > reader->deepest) reader->deepest = deepest_before;
  reader->depth--;
  return node;
}

/* The next event that is not a mere frame (start and end of stream and document) of the first document. */
static bool next_content(struct reader *reader, yaml_event_t *event, yaml_event_type_t *type) {
  for (;;) {
    if (!next_event(reader, event)) return false;
    *type = event->type;
    bool frame = *type == YAML_STREAM_START_EVENT || *type == YAML_DOCUMENT_END_EVENT;
    if (!frame) return true;
    yaml_event_delete(event);
  }
}

static struct node *read_root(struct reader *reader) {
  yaml_event_t event;
  yaml_event_type_t type;
  if (!next_content(reader, &event, &type)) return NULL;
  yaml_event_delete(&event);
  if (type == YAML_STREAM_END_EVENT) {
    diag_error(reader->diags, at_byte(reader, 0), reader->option ? "no value" : "nothing in it; a spec begins with 'convsmith: 1'");
    return NULL;
  }
  if (!next_event(reader, &event)) return NULL;
  struct node *root = read_node(reader, &event);
  yaml_event_delete(&event);
  return root;
}

/* Nothing may follow the document. */
static bool read_end(struct reader *reader) {
  yaml_event_t event;
  yaml_event_type_t type;
  if (!next_content(reader, &event, &type)) return false;
  if (type != YAML_STREAM_END_EVENT)
    diag_error(reader->diags, at_mark(reader, event.start_mark),
               "a second document; a spec is one, so put all layers under one 'layers'");
  yaml_event_delete(&event);
  return type == YAML_STREAM_END_EVENT;
}

static struct node *parse(const char *bytes, size_t size, const char *file, bool option, struct diags *diags) {
  static const char mark[] = "\xEF\xBB\xBF"; /* what some editors begin text in UTF-8 with */
  struct reader *reader = mem_new(sizeof *reader);
  const size_t skipped = size >= strlen(mark) && !memcmp(bytes, mark, strlen(mark)) ? strlen(mark) : 0;
  bytes += skipped;
  size -= skipped;
  reader->diags = diags;
  reader->file = file;
  reader->option = option;
  reader->bytes = bytes;
  reader->size = size;
  rewind_cursor(reader);
  if (!yaml_parser_initialize(&reader->parser)) {
    diag_error(diags, yaml_whole(file), "out of memory");
    return NULL;
  }
  yaml_parser_set_encoding(&reader->parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(&reader->parser, (const unsigned char *)bytes, size);
  struct node *root = read_root(reader);
  if (root && !read_end(reader)) root = NULL;
  yaml_parser_delete(&reader->parser);
  return root;
}

struct node *yaml_parse(const char *text, const char *file, bool option, struct diags *diags) {
  return parse(text, strlen(text), file, option, diags);
}

struct node *yaml_read(const char *path, struct diags *diags) {
  struct text text = {0};
  const char *problem = file_read(path, MAX_BYTES, &text);
  struct node *root = NULL;
  if (problem)
    diag_error(diags, yaml_whole(NULL), "%s", problem);
  else
    root = parse(text.data ? text.data : "", text.size, path, false, diags);
  text_free(&text);
  return root;
}

struct node *yaml_get(const struct node *map, const char *key) {
  for (size_t i = 0; i < map->count; i++)
    if (!strcmp(map->keys[i]->text, key)) return map->items[i];
  return NULL;
}
