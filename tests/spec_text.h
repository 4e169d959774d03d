/* A spec from a string in a test: written to the scratch folder and read as the program reads it. */
#ifndef TESTS_SPEC_TEXT_H
#define TESTS_SPEC_TEXT_H
#include "../gen/mem.h"
#include "../gen/op.h"
#include "scratch.h"

static const char *const spec_targets[] = {"scalar", "avx2", NULL};
static struct spec spec_read_last;
static struct text spec_messages;

/* Reads it into spec_read_last; what was diagnosed stands in spec_messages. */
static inline bool spec_text_with(const char *content, struct spec_options options) {
  struct diags diags = {0};
  options.known_targets = spec_targets;
  if (!options.prefix) options.prefix = "";
  const char *path = scratch_write("spec.yaml", content);
  bool right = spec_read(path, &options, &spec_read_last, &diags);
  text_free(&spec_messages);
  diag_take(&diags, &spec_messages);
  return right;
}

static inline bool spec_text(const char *content) {
  return spec_text_with(content, (struct spec_options){0});
}

/* The only layer of `convsmith: 1, layers: [{name: a, KEYS}]`. Ends the test program if it is wrong. */
static inline const struct layer *spec_layer(const char *keys) {
  if (!spec_text(mem_text("convsmith: 1\nlayers: [{name: a, %s}]\n", keys))) {
    fputs(spec_messages.data, stderr);
    abort();
  }
  return &spec_read_last.layers[0];
}

static inline int spec_done(void **state) {
  (void)state;
  text_free(&spec_messages);
  mem_release(0);
  return 0;
}
#endif
