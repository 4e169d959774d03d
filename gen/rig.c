/* Rigs. Buffers come from the C library and not from the arena: they are large, aligned, and go one by one. */
#include "rig.h"
#include "mem.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64 };
static const size_t ROTATED_BYTES = (size_t)256 << 20; /* beyond what one core gets of a shared last-level cache */

void *rig_buffer(size_t size) {
  void *data = NULL;
  return posix_memalign(&data, ALIGNMENT, size + ALIGNMENT) == 0 ? memset(data, 0, size + ALIGNMENT) : NULL;
}

size_t rig_copies(size_t bytes) {
  const size_t copies = ROTATED_BYTES / (bytes + 4096) + 1;
  return copies < 2 ? 2 : copies;
}

static size_t tensor_bytes(const struct tensor *tensor) {
  return tensor_count(tensor) * cs_size(tensor->dtype);
}

/* The tensor in memory order; parameters stay in logical order. */
static void *filled(const struct tensor *tensor, const void *logical, uint64_t seed) {
  void *data = rig_buffer(tensor_bytes(tensor));
  if (!data) return NULL;
  if (!logical)
    cs_fill(data, tensor_count(tensor), tensor->dtype, CS_FILL_RANDOM, 0, seed);
  else if (tensor->role == TENSOR_PARAMETER)
    memcpy(data, logical, tensor_bytes(tensor));
  else
    cs_to_layout(logical, data, tensor->shape, tensor->rank, tensor->dtype, tensor->layout);
  return data;
}

static void free_all(const void *const *buffers, size_t count) {
  for (size_t i = 0; i < count; i++) free((void *)(uintptr_t)buffers[i]);
}

static bool pack(struct rig *rig, const void *const *parameters) {
  const size_t bytes = rig->kernel->packed_bytes;
  for (size_t i = 0; i < rig->copies; i++) {
    rig->packed[i] = rig_buffer(bytes);
    if (!rig->packed[i]) return false;
    if (i > 0)
      memcpy(rig->packed[i], rig->packed[0], bytes);
    else if (rig->kernel->pack)
      rig->kernel->pack(parameters, rig->packed[0]);
  }
  return true;
}

bool rig_open(struct rig *rig, const struct layer *layer, const struct kernel *kernel, const void *const *logical, size_t copies) {
  struct tensor tensors[MAX_TENSORS];
  const void *parameters[MAX_TENSORS];
  const size_t count = layer->op->tensors(layer, tensors);
  size_t inputs = 0, given = 0;
  *rig = (struct rig){.kernel = kernel, .copies = copies, .packed = calloc(copies, sizeof *rig->packed)};
  bool good = rig->packed != NULL;
  for (size_t i = 0; i < count; i++) {
    if (tensors[i].baked) continue;
    void *data = filled(&tensors[i], logical ? logical[i] : NULL, i + 1);
    good = good && data;
    if (tensors[i].role == TENSOR_OUTPUT)
      rig->output = data;
    else if (tensors[i].role == TENSOR_PARAMETER)
      parameters[given++] = data;
    else
      rig->inputs[inputs++] = data;
  }
  rig->workspace = rig_buffer(kernel->workspace_bytes);
  good = good && rig->workspace && pack(rig, parameters);
  free_all(parameters, given);
  return good;
}

void rig_in_place(struct rig *rig, const struct layer *layer) {
  struct tensor tensors[MAX_TENSORS];
  const size_t count = layer->op->tensors(layer, tensors);
  size_t input = 0;
  for (size_t i = 0; i < count; i++) {
    if (tensors[i].role == TENSOR_RESIDUAL) {
      rig->residual = (void *)(uintptr_t)rig->inputs[input];
      rig->inputs[input] = rig->output;
      return;
    }
    if (tensors[i].role == TENSOR_INPUT) input++;
  }
}

static void free_tensors(struct rig *rig) {
  for (size_t i = 0; rig->residual && i < MAX_TENSORS; i++)
    if (rig->inputs[i] == rig->output) rig->inputs[i] = rig->residual;
  free_all(rig->inputs, MAX_TENSORS);
  free(rig->output);
}

void rig_share(struct rig *rig, const struct rig *owner) {
  free_tensors(rig);
  memcpy(rig->inputs, owner->inputs, sizeof rig->inputs);
  rig->output = owner->output;
  rig->residual = NULL;
  rig->borrows = true;
}

void rig_close(struct rig *rig) {
  if (!rig->borrows) free_tensors(rig);
  for (size_t i = 0; rig->packed && i < rig->copies; i++) free(rig->packed[i]);
  free(rig->packed);
  free(rig->workspace);
  *rig = (struct rig){0};
}

static void call(void *context) {
  struct rig *rig = context;
  rig->kernel->whole(rig->inputs, rig->packed[rig->next], rig->output, rig->workspace);
  rig->next = rig->next + 1 < rig->copies ? rig->next + 1 : 0;
}

struct timed rig_timed(struct rig *rig) {
  return (struct timed){call, rig};
}
