/* The list of ops, and what all tensors have in common. */
#include "op.h"
#include <string.h>

static const struct op *const ops[] = {
    &op_conv,          &op_conv_transpose,  &op_local_conv,      &op_tiled_conv, &op_conv_grad_input, &op_conv_grad_weights,
    &op_pixel_shuffle, &op_pixel_unshuffle, &op_channel_shuffle, &op_max_pool,   &op_avg_pool,        &op_separable_conv};
enum { OPS = sizeof ops / sizeof *ops };

const struct op *op_find(const char *name) {
  for (int i = 0; i < OPS; i++)
    if (!strcmp(ops[i]->name, name)) return ops[i];
  return NULL;
}

const char *const *op_names(void) {
  static const char *names[OPS + 1];
  for (int i = 0; i < OPS; i++) names[i] = ops[i]->name;
  return names;
}

const char *const *op_reserved(void) {
  static const char *const names[] = {"deform_conv", "deform_roi_pool", "max_unpool", "resize", "resize_conv", NULL};
  return names;
}

int tensor_find(const struct tensor *tensors, size_t count, const char *name) {
  for (size_t i = 0; i < count; i++)
    if (!strcmp(tensors[i].name, name)) return (int)i;
  return -1;
}

size_t tensor_count(const struct tensor *tensor) {
  size_t count = 1;
  for (int d = 0; d < tensor->rank; d++) count *= (size_t)tensor->shape[d];
  return count;
}

void tensor_index(const struct tensor *tensor, size_t element, ptrdiff_t *index) {
  for (int d = tensor->rank - 1; d >= 0; d--) {
    index[d] = (ptrdiff_t)(element % (size_t)tensor->shape[d]);
    element /= (size_t)tensor->shape[d];
  }
}
