/* A file's size is looked at before it is read: one that cannot be right is not worth gigabytes of memory. */
#include "baked.h"
#include "array.h"
#include "keys.h"
#include "mem.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

enum { LONGEST_HEADER = 1 << 20 };

static const char *show_shape(const ptrdiff_t *shape, int rank) {
  const char *text = "";
  for (int d = 0; d < rank; d++) text = mem_text("%s%s%td", text, d ? ", " : "", shape[d]);
  return mem_text("[%s]", text);
}

/* What is wrong with the file as such, or NULL. */
static const char *file_problem(const char *path, const struct tensor *tensor) {
  struct stat status;
  if (stat(path, &status)) return strerror(errno);
  if (!S_ISREG(status.st_mode)) return "not a regular file";
  uint64_t limit = (uint64_t)tensor_count(tensor) * cs_size(array_dtype(tensor->dtype)) + LONGEST_HEADER;
  if ((uint64_t)status.st_size <= limit) return NULL;
  return mem_text("too large for %s of %s", show_shape(tensor->shape, tensor->rank), dtype_name(array_dtype(tensor->dtype)));
}

/* What keeps the array from being the tensor, or NULL. */
static const char *array_problem(const struct cs_npy *array, const struct tensor *tensor) {
  if (array->dtype != array_dtype(tensor->dtype))
    return mem_text("holds %s, but the layer's dtype is %s; convert one", dtype_name(array->dtype), dtype_name(tensor->dtype));
  bool same = array->rank == tensor->rank;
  for (int d = 0; same && d < tensor->rank; d++) same = array->shape[d] == tensor->shape[d];
  if (same) return NULL;
  return mem_text("has the shape %s; the layer's tensor '%s' has %s", show_shape(array->shape, array->rank), tensor->name,
                  show_shape(tensor->shape, tensor->rank));
}

bool baked_read(struct baked *baked, const struct layer *layer, const char *key, const struct tensor *tensor, struct diags *diags) {
  struct cs_npy array = {0};
  const char *problem = file_problem(baked->path, tensor);
  if (!problem) problem = cs_npy_read(baked->path, &array);
  if (!problem) problem = array_problem(&array, tensor);
  if (problem) {
    layer_error(layer, diags, key, "'%s': %s", baked->path, problem);
  } else {
    baked->data = array_convert(array.data, array.dtype, array.count, tensor->dtype);
    baked->count = array.count;
  }
  cs_npy_free(&array);
  return !problem;
}
