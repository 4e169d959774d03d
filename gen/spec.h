/* Specs: the YAML file as typed layers. Every key is checked here or by the op that owns it; every error of a file is reported in
 * one run, with its place. What the keys mean: docs/spec.md. */
#ifndef GEN_SPEC_H
#define GEN_SPEC_H
#include "../runtime/convsmith.h"
#include "diag.h"
#include "shape.h"
#include "yaml.h"
#include <stdbool.h>
#include <stdint.h>

enum { MAX_SPATIAL = CS_MAX_SPATIAL, DTYPES = CS_BF16 + 1 };
enum unroll { UNROLL_AUTO, UNROLL_FULL, UNROLL_NONE };

struct op;

/* Values written into the generated file; data NULL: given at run time. Canonical order. */
struct baked {
  const char *path; /* as found: relative to the working directory */
  const void *data; /* count elements of the layer's type */
  size_t count;
};

/* A layer with everything resolved: sizes checked against overflow, pads and output known. */
struct layer {
  const char *name;
  const struct node *node; /* the layer's map; its place serves messages about the whole layer */
  const struct node *const
      *values;    /* what each key of keys.h got, from --set, the layer or `defaults`; NULL where it got nothing */
  uint64_t wrong; /* bit i: key i was reported; nothing that follows from it is checked */
  const struct op *op;
  enum cs_dtype dtype;
  int rank; /* spatial dimensions: 1 to 3 */
  int64_t batch, in_channels, out_channels, groups;
  int64_t in[MAX_SPATIAL], out[MAX_SPATIAL];
  int64_t kernel[MAX_SPATIAL], stride[MAX_SPATIAL], dilation[MAX_SPATIAL];
  enum pad_kind pad_kind;
  int64_t pad[MAX_SPATIAL][2]; /* before, after */
  enum cs_pad_mode pad_mode;
  int64_t shuffle, pixel_shuffle;                                /* permutation of the output: groups, factor; 0: none */
  int64_t tile[MAX_SPATIAL];                                     /* outputs after which weights repeat; 0: all share them */
  int64_t output_padding[MAX_SPATIAL], output_size[MAX_SPATIAL]; /* output_size: 0 where not given */
  enum cs_layout in_layout, out_layout;
  int64_t run; /* of a pool along channels: how many; else 0 */
  bool global_kernel, adaptive, ceil_mode, count_include_pad, along_channels;
  int64_t factor; /* of pixel_shuffle and pixel_unshuffle */
  enum cs_order order;
  bool bias, residual, flip;
  struct baked weights, bias_values;
  const void *factors[MAX_SPATIAL]; /* weights [M, 1, k...] as products: [M, k] for each dimension; NULL: they are taken whole */
  enum cs_activation activation;
  double act[2];      /* leaky_relu: slope; clamp: lo, hi */
  int64_t multiplier; /* channels of the depthwise half for each input channel */
  enum cs_activation depthwise_activation;
  double depthwise_act[2];
  const char *algorithm; /* "auto", "direct", … */
  enum cs_accuracy accuracy;
  enum unroll unroll;
  int64_t max_code_bytes;
  const char *const *targets; /* names as written, checked; count 0: the command's default */
  size_t target_count;
};

struct spec {
  const char *path;
  struct layer *layers;
  size_t count;
};

/* Options that change how a spec is read. */
struct spec_options {
  const char *const *sets; /* "KEY=VALUE" of --set, in order */
  size_t set_count;
  const char *const *layers; /* names of --layer: only these are kept (an unknown one is an error); --set reaches only these */
  size_t layer_count;
  const char *prefix;               /* of --prefix, for the check that symbols do not clash; "" if none */
  const char *const *known_targets; /* NULL at the end: targets that exist in this program, "native" not among them */
};

/* Reads and resolves. False after reporting at least one error. */
bool spec_read(const char *path, const struct spec_options *options, struct spec *spec, struct diags *diags);

/* The place of `key`'s value in the layer (or of the layer where it has no such key). */
struct place layer_place(const struct layer *layer, const char *key);
/* Spelling of enum values, for messages, banners and JSON. */
const char *dtype_name(enum cs_dtype dtype);
const char *layout_name(enum cs_layout layout);
const char *pad_mode_name(enum cs_pad_mode mode);
const char *order_name(enum cs_order order);
const char *accuracy_name(enum cs_accuracy accuracy);
const char *activation_name(enum cs_activation activation); /* without arguments */
const char *activation_text(const struct layer *layer);     /* with them */
#endif
