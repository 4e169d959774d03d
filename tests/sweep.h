/* Sweep: random small conv layers over the matrix of what breaks convolution code. A layer is a choice of one value on each axis
 * of the matrix, made concrete by random numbers. Layers are made until every pair of values of two axes has occurred, then at
 * random; pairs that no layer can have are listed with their reason. */
#ifndef TESTS_SWEEP_H
#define TESTS_SWEEP_H
#include "../gen/isa.h"
#include "../gen/text.h"

enum sweep_axis {
  SWEEP_TARGET,
  SWEEP_DTYPE,
  SWEEP_INPUT_LAYOUT,
  SWEEP_OUTPUT_LAYOUT,
  SWEEP_CHANNELS, /* of a group; of the layer where it is depthwise */
  SWEEP_OUTPUTS,  /* of a group */
  SWEEP_GROUPS,
  SWEEP_KERNEL,
  SWEEP_RANK,
  SWEEP_BATCH,
  SWEEP_STRIDE,   /* of the innermost dimension */
  SWEEP_DILATION, /* of the innermost dimension */
  SWEEP_PADDING,
  SWEEP_MODE,
  SWEEP_FLIP,
  SWEEP_BIAS,
  SWEEP_WEIGHTS,
  SWEEP_RESIDUAL,
  SWEEP_ACTIVATION,
  SWEEP_UNROLL,
  SWEEP_AXES
};

struct sweep_layer {
  int number; /* its name is "s" and this */
  int value[SWEEP_AXES];
  int rank;
  int64_t batch, channels, outputs, groups;
  int64_t in[CS_MAX_SPATIAL], kernel[CS_MAX_SPATIAL], stride[CS_MAX_SPATIAL], dilation[CS_MAX_SPATIAL];
  int64_t pad[CS_MAX_SPATIAL][2]; /* as written; where `padding` is a word, what it stands for */
  uint64_t seed;                  /* of its baked values */
};

struct sweep {
  struct sweep_layer *layers;
  size_t count;
};

/* Makes `count` layers for the ISAs that run here. False where a pair of values is neither declared impossible nor can be made; it
 * is printed. */
bool sweep_make(struct sweep *sweep, size_t count, const struct isa_list *isas, uint64_t seed);
/* Prints each axis value that occurs fewer than `least` times and each possible pair that never does. Returns how many. */
size_t sweep_missing(const struct sweep *sweep, size_t least);
/* Prints the pairs that no layer can have, with the reason. */
void sweep_explain(void);
/* How a value of an axis is called: "V-1". */
const char *sweep_word(enum sweep_axis axis, int value);
/* The word of the layer's value. */
const char *sweep_value(const struct sweep_layer *layer, enum sweep_axis axis);

/* ---- sweep_layer.c ------------------------------------------------------------------------------------------------ */

/* Finds numbers for the layer's values. False if these random ones don't fit together; others may. `lanes`: V. */
bool sweep_realize(struct sweep_layer *layer, int lanes, uint64_t *random);
/* A number from `least` to `most`. */
int64_t sweep_random(uint64_t *random, int64_t least, int64_t most);
/* Appends the layer to a spec's list of layers. */
void sweep_print(const struct sweep_layer *layer, struct text *spec);
/* Writes the layer's baked .npy files into the folder of the spec. NULL, or what went wrong. */
const char *sweep_bake(const struct sweep_layer *layer, const char *folder);
#endif
