/* Gridding, axis by axis: the holes, the dilations that leave them, their common divisor and M_2 of hybrid dilated convolution
 * (Wang et al. 2018), and the smallest change that closes them. */
#include "gridding.h"
#include "mem.h"
#include "receptive.h"
#include <inttypes.h>
#include <string.h>

enum { MOST_NAMED = 8 };

/* Layers that chain. */
struct run {
  const struct layer *layers;
  size_t count;
};

/* Dilations of the layers with more than one tap along the axis; the others read what is already read. */
static size_t run_dilations(const struct run *run, int axis, int64_t *dilations, int64_t *first_kernel) {
  size_t count = 0;
  for (size_t i = 0; i < run->count; i++) {
    const struct layer *layer = &run->layers[i];
    if (layer->kernel[axis] == 1) continue;
    if (count == 0) *first_kernel = layer->kernel[axis];
    dilations[count++] = layer->dilation[axis];
  }
  return count;
}

/* Dilated where it counts: along an axis with more than one tap. */
static bool is_dilated(const struct layer *layer) {
  for (int axis = 0; axis < layer->rank; axis++)
    if (layer->kernel[axis] > 1 && layer->dilation[axis] > 1) return true;
  return false;
}

static const struct layer *first_dilated(const struct run *run) {
  for (size_t i = 0; i < run->count; i++)
    if (is_dilated(&run->layers[i])) return &run->layers[i];
  return NULL;
}

/* ---- words -------------------------------------------------------------------------------------------------------- */

static const char *run_text(const struct run *run) {
  const char *text = run->layers[0].name;
  for (size_t i = 1; i < run->count && i < MOST_NAMED - 1; i++) text = mem_text("%s, %s", text, run->layers[i].name);
  if (run->count < MOST_NAMED) return text;
  return mem_text("%s … %s (%zu layers)", text, run->layers[run->count - 1].name, run->count);
}

static const char *dilations_text(const int64_t *dilations, size_t count) {
  const char *text = mem_text("%" PRId64, dilations[0]);
  for (size_t i = 1; i < count && i < MOST_NAMED; i++) text = mem_text("%s, %" PRId64, text, dilations[i]);
  return count > MOST_NAMED ? mem_text("%s …", text) : text;
}

/* "dilations 2, 2, 2 with common divisor 2 and M_2 = 2 (kernel size 3)". */
static const char *cause_text(const struct run *run, int axis) {
  int64_t *dilations = mem_array(run->count, sizeof *dilations), kernel = 1;
  size_t count = run_dilations(run, axis, dilations, &kernel);
  const char *list = dilations_text(dilations, count);
  if (count < 2) return mem_text("dilation %s, the only one (M_2 takes two)", list);
  int64_t m2 = dilations_m2(dilations, count);
  return mem_text("dilations %s with common divisor %" PRId64 " and M_2 = %" PRId64 " (%s kernel size %" PRId64 ")", list,
                  dilations_divisor(dilations, count), m2, m2 <= kernel ? "within" : "more than", kernel);
}

/* What is wrong along one axis, or NULL. *cover: kernel size that a layer of dilation 1 before the run would need, at least. */
static const char *axis_text(const struct run *run, int axis, int64_t *cover) {
  struct field field;
  if (!run_field(run->layers, run->count, axis, &field)) return NULL;
  struct gaps holes = field_holes(&field);
  if (holes.count == 0) return NULL;
  int64_t kernel = field_cover(&field);
  if (kernel > *cover) *cover = kernel;
  return mem_text("%s: %s", gaps_text(&holes), cause_text(run, axis));
}

static void warn_run(const struct run *run, struct diags *diags) {
  const struct layer *dilated = first_dilated(run);
  if (!dilated) return;
  const char *found[MAX_SPATIAL];
  int64_t cover = 2;
  for (int axis = 0; axis < dilated->rank; axis++) found[axis] = axis_text(run, axis, &cover);
  const char *findings = axes_text(found, dilated->rank);
  if (!findings) return;
  diag_warning(diags, layer_place(dilated, "dilation"),
               "gridding: the receptive field of the run %s has holes at %s; a dilation-1 layer of kernel size %" PRId64
               " or more before the run, or dilations as the saw-tooth 1, 2, 5 with kernel size 3, would cover them",
               run_text(run), findings, cover);
}

void gridding_warn(const struct spec *spec, struct diags *diags) {
  for (size_t i = 0; i < spec->count;) {
    struct run run = {spec->layers + i, run_length(spec->layers + i, spec->count - i)};
    if (run.count > 1) warn_run(&run, diags);
    i += run.count;
  }
}
