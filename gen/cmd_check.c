/* convsmith check: everything that is wrong with a spec, and what is legal and unwise, without writing anything. */
#include "coverage.h"
#include "gridding.h"
#include "job.h"
#include "mem.h"
#include "op.h"
#include "receptive.h"
#include <inttypes.h>

static const int64_t most_baked_bytes = 4 << 20;

/* The tail of the input is left over when the last window ends before the padded input does. */
static bool is_tail(const struct gaps *unread) {
  return unread->last == unread->total - 1 && unread->last - unread->first[0] + 1 == unread->count;
}

/* Padding after the input that one more output needs. */
static int64_t padding_missing(const struct layer *layer, int axis) {
  int64_t span = (layer->out[axis] - 1) * layer->stride[axis] + (layer->kernel[axis] - 1) * layer->dilation[axis] + 1;
  return span + layer->stride[axis] - layer->in[axis] - layer->pad[axis][0] - layer->pad[axis][1];
}

static const char *tail_text(const struct layer *layer, int axis, const struct gaps *unread) {
  return mem_text("%s: the last window ends before them; %" PRId64 " more of padding after would read them, an input of %" PRId64
                  " would have none",
                  gaps_text(unread), padding_missing(layer, axis), unread->first[0]);
}

static const char *skipped_text(const struct layer *layer, int axis, const struct gaps *unread) {
  return mem_text("%s: stride %" PRId64 " passes over them with kernel size %" PRId64 " and dilation %" PRId64
                  "; a smaller stride or a larger kernel would read them",
                  gaps_text(unread), layer->stride[axis], layer->kernel[axis], layer->dilation[axis]);
}

static void warn_axes(const struct layer *layer, const char *key, const char *const *found, struct diags *diags) {
  const char *text = axes_text(found, layer->rank);
  if (text) diag_warning(diags, layer_place(layer, key), "no output of %s reads input %s", layer->name, text);
}

/* Windows that move by the stride from one output to the next, or from one block of a convolution's pixel shuffle to the next. */
static bool windows_slide(const struct layer *layer) {
  return layer->op->window(layer, 0).chains || layer->pixel_shuffle > 1;
}

static void warn_unread(const struct layer *layer, struct diags *diags) {
  const char *tails[MAX_SPATIAL] = {NULL}, *skipped[MAX_SPATIAL] = {NULL};
  if (!windows_slide(layer)) return;
  for (int axis = 0; axis < layer->rank; axis++) {
    struct gaps unread;
    if (!input_unread(layer, axis, &unread) || unread.count == 0) continue;
    if (is_tail(&unread))
      tails[axis] = tail_text(layer, axis, &unread);
    else
      skipped[axis] = skipped_text(layer, axis, &unread);
  }
  warn_axes(layer, "stride", skipped, diags);
  warn_axes(layer, "padding", tails, diags);
}

static void warn_baked(const struct layer *layer, struct diags *diags) {
  int64_t bytes = (int64_t)((layer->weights.count + layer->bias_values.count) * cs_size(layer->dtype));
  if (bytes <= most_baked_bytes) return;
  diag_warning(diags, layer_place(layer, "weights"),
               "%s has %" PRId64 " bytes of baked values, more than %" PRId64 ": compiling will be slow; without `weights` they "
               "are given to %s_pack at run time",
               layer->name, bytes, most_baked_bytes, layer->name);
}

int cmd_check(const struct command_options *options) {
  struct job job;
  const bool open = job_open(&job, options);
  job_check_plans(&job, TARGETS_PORTABLE);
  for (size_t i = 0; open && i < job.spec.count; i++) {
    warn_unread(&job.spec.layers[i], &job.diags);
    warn_baked(&job.spec.layers[i], &job.diags);
    if (job.spec.layers[i].op->warn) job.spec.layers[i].op->warn(&job.spec.layers[i], &job.diags);
  }
  if (open) gridding_warn(&job.spec, &job.diags);
  return job_close(&job, open ? EXIT_OK : EXIT_BAD);
}
