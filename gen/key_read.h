/* Readers of layer keys: what the rows of keys.c call. Each returns false after reporting. */
#ifndef GEN_KEY_READ_H
#define GEN_KEY_READ_H
#include "keys.h"

/* Into the field of the key's row: an int64_t ≥ 1, a bool, an enum out of the row's words, or MAX_SPATIAL int64_t ≥ 1
 * (counts: ≥ 0). */
bool read_integer(struct reading *reading, const struct node *node);
bool read_bool(struct reading *reading, const struct node *node);
bool read_word(struct reading *reading, const struct node *node);
bool read_sizes(struct reading *reading, const struct node *node);
bool read_counts(struct reading *reading, const struct node *node);

/* One key each. */
bool read_name(struct reading *reading, const struct node *node);
bool read_dtype(struct reading *reading, const struct node *node);
bool read_input(struct reading *reading, const struct node *node);
bool read_kernel(struct reading *reading, const struct node *node);
bool read_algorithm(struct reading *reading, const struct node *node);
bool read_axis(struct reading *reading, const struct node *node);
bool read_padding(struct reading *reading, const struct node *node);
bool read_bias(struct reading *reading, const struct node *node);
bool read_weights(struct reading *reading, const struct node *node);
bool read_activation(struct reading *reading, const struct node *node);
bool read_layout(struct reading *reading, const struct node *node);
bool read_target(struct reading *reading, const struct node *node);

/* Says that the key does nothing yet. */
bool read_later(struct reading *reading, const struct node *node);
#endif
