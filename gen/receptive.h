/* Receptive fields: which inputs one output reads, along one axis, through a stack of layers.
 *
 * A layer's taps are a comb: offsets 0, D, …, D(K-1). Seen from the stack's input its teeth stand `jump` times as far apart (the
 * product of the strides before it), and the stack's offsets are all sums of one tooth of each comb. */
#ifndef GEN_RECEPTIVE_H
#define GEN_RECEPTIVE_H
#include "gaps.h"
#include "spec.h"

struct comb {
  int64_t step, teeth;
};

/* One axis of a receptive field. */
struct field {
  int64_t size;       /* from the first input read to the last: D(K-1)+1 for a single layer */
  int64_t jump;       /* inputs between the windows of neighbouring outputs */
  struct comb *combs; /* those with more than one tooth, by step, equal steps as one comb */
  size_t count;
};

struct field field_new(void);
/* Puts a layer behind the stack. False (and nothing done) when the field would exceed 2^63-1. */
bool field_add(struct field *field, int64_t kernel, int64_t stride, int64_t dilation);
/* The offsets that are not read, exactly. count 0: no holes. */
struct gaps field_holes(const struct field *field);
/* The least kernel size that a layer of dilation 1 before the stack needs to leave no hole. */
int64_t field_cover(const struct field *field);

/* Hybrid dilated convolution (Wang et al. 2018), dilations r_1…r_n, n ≥ 2: M_n = r_n, M_i = max(M_{i+1} - 2r_i,
 * M_{i+1} - 2(M_{i+1} - r_i), r_i). Its design goal is M_2 ≤ K. Returns M_2. */
int64_t dilations_m2(const int64_t *dilations, size_t count);
int64_t dilations_divisor(const int64_t *dilations, size_t count);

/* How many layers from the first on form a run: each one's output shape is the next one's input shape. At least 1. */
size_t run_length(const struct layer *layers, size_t count);
/* The receptive field of a run along `axis`. False beyond 2^63-1. */
bool run_field(const struct layer *layers, size_t count, int axis, struct field *field);
bool run_fields(const struct layer *layers, size_t count, struct field *fields); /* along every axis */
/* What the indices of `axis` are called, one of `rank`: "rows", "columns". */
const char *axis_name(int axis, int rank);
/* Each axis's name and what was found there (NULL: nothing), equal findings together: "rows and columns 1, 3 (2 of 5); planes …".
 * NULL if nothing was found. */
const char *axes_text(const char *const *found, int rank);
#endif
