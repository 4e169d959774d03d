/* YAML to a tree of nodes with places. Strict: limits on depth (64), aliases, and nodes are enforced while libyaml's events
 * stream; anchors' copies count (alias bombs); duplicate keys, merge keys, several documents, tags, NUL and invalid UTF-8 are
 * errors. */
#ifndef GEN_YAML_H
#define GEN_YAML_H
#include "diag.h"
#include <stdbool.h>

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

/* What an alias stands for is the anchor's own node: two parents may share one. */
struct node {
  enum node_kind kind;
  struct place place;
  const char *text;    /* scalar */
  bool quoted;         /* scalar in quotes or block style: never a number or a boolean */
  bool partial;        /* map: a pair was left out after an error, so a key that is not there may have been meant */
  size_t count;        /* items of a list, pairs of a map */
  struct node **items; /* list: values; map: values */
  struct node **keys;  /* map: keys, scalars */
};

/* The document in `path`, or NULL where its errors leave none to look at. Duplicate and merge keys and tags are reported, and what
 * remains is returned. */
struct node *yaml_read(const char *path, struct diags *diags);
/* The document in `text`; `file` is what places say (line 0 for every node when `file` names an option). */
struct node *yaml_parse(const char *text, const char *file, bool option, struct diags *diags);
/* The value of `key` in a map, or NULL. */
struct node *yaml_get(const struct node *map, const char *key);
/* The place of a file as a whole, or of an option. */
struct place yaml_whole(const char *file);
#endif
