/* Peers: other implementations of a convolution, each one source file that `convsmith bench` compiles with $CC, loads and times
 * beside its own kernels. A peer exports one struct peer named `convsmith_peer`. All data is f32. */
#ifndef CONVSMITH_PEER_H
#define CONVSMITH_PEER_H
#include "../convsmith.h"

struct peer_layer {
  struct cs_conv conv;
  enum cs_layout in_layout, out_layout;
  int bias, residual; /* whether there are such tensors */
  int threads;
  int copies; /* of the packed weights, used in turn from call to call */
};

/* Activations in the layer's layouts, parameters in logical order. All outlive the run; only `output` may be written. */
struct peer_data {
  const float *input, *weights, *bias, *residual;
  float *output;
};

struct peer {
  const char *const *variants; /* ways to run it, NULL at the end; the best one counts */
  int usual;                   /* so many of them are tried; one beyond these only where it alone is asked for */
  void (*version)(char *text, size_t size);
  /* A layer ready to run, its weights packed; or NULL with the reason in `why`. */
  void *(*create)(const struct peer_layer *layer, const struct peer_data *data, int variant, char *why, size_t size);
  const char *(*implementation)(void *run);
  void (*call)(void *run);
  /* Where calls leave the output, in whatever format. */
  const void *(*memory)(void *run, size_t *bytes);
  /* Brings what the last call computed to the data's `output`. */
  void (*fetch)(void *run);
  void (*destroy)(void *run);
};
extern const struct peer convsmith_peer;
#endif
