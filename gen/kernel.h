/* Kernels: generated layers compiled and loaded into this process, callable without knowing their signatures. */
#ifndef GEN_KERNEL_H
#define GEN_KERNEL_H
#include "job.h"

/* What templates/glue.t exports for each layer; the struct there has the same members. */
struct kernel {
  void (*pack)(const void *const *parameters,
               void *packed); /* parameters that are not baked, in pack order; NULL: nothing to pack */
  void (*whole)(const void *const *inputs, const void *packed, void *output, void *workspace);
  void (*part)(const void *const *inputs, const void *packed, void *output, void *workspace, int part, int parts);
  size_t packed_bytes, workspace_bytes;
  long *blocks; /* that all kernels so far computed with what they fall back to, and as planned: two counts */
};

/* One generated file: a layer for one or several targets. `prefix` tells apart the files of one layer in one build. */
struct kernel_source {
  const struct layer *layer;
  const struct plan *const *plans;
  size_t count;
  const char *prefix;
};

/* Generates `count` files, compiles them as one, named `name`, in the scratch folder, and loads it. Returns the kernels in the
 * order of `sources`, or NULL with a message for job_fail in `message`. What is loaded stays until the process ends. */
const struct kernel *kernel_build(const struct job *job, const struct kernel_source *sources, size_t count, const char *name,
                                  struct text *message);
/* The same for as many of the first of them as compile well at once, one at least: `count` becomes how many. */
const struct kernel *kernel_build_some(const struct job *job, const struct kernel_source *sources, size_t *count, const char *name,
                                       struct text *message);
#endif
