/* The keys of a layer: one row each, with what it expects and how it is read. Which of them an op takes is the op's matter. */
#ifndef GEN_KEYS_H
#define GEN_KEYS_H
#include "spec.h"
#include "value.h"

/* What a key's reader works on. */
struct reading {
  struct layer *layer;
  struct diags *diags;
  const char *spec; /* its path: .npy files lie beside it */
  const char *const *known_targets;
  const struct key *key; /* the one being read */
};

struct key {
  const char *name;
  const char *expects;                                 /* completes "expected …" */
  bool (*read)(struct reading *, const struct node *); /* key_read.h; NULL: `op`, read before all others */
  size_t field;                                        /* of struct layer, for readers of one field */
  const struct word *words;                            /* what it may say, for readers of words */
  bool required;
};

extern const struct key layer_keys[]; /* name NULL at the end; in the order of reading: a key may need what those before it gave */
const char *const *key_names(void);   /* of all, NULL at the end */
int key_find(const char *name);       /* its row, or -1 */

/* Whether what `key` says (or leaves to its default) was read and held so far. */
bool layer_right(const struct layer *layer, const char *key);
void layer_set_wrong(struct layer *layer, const char *key);
/* Whether the layer itself or --set has the key, not `defaults` alone. */
bool layer_gives(const struct layer *layer, const char *key);
/* Whether the key's value counts where `rival` excludes it: a default gives way to what the layer itself says. */
bool layer_says(const struct layer *layer, const char *key, const char *rival);
/* An error at the key's value. Where that does not stand in the layer itself, the layer is named. */
void layer_error(const struct layer *layer, struct diags *diags, const char *key, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
#endif
