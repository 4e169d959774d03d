/* Between the types of tensors and those of files. */
#include "array.h"
#include "mem.h"
#include <string.h>

enum cs_dtype array_dtype(enum cs_dtype dtype) {
  return dtype == CS_BF16 ? CS_F32 : dtype;
}

void *array_convert(const void *elements, enum cs_dtype from, size_t count, enum cs_dtype to) {
  void *copy = mem_array(count, cs_size(to));
  if (from == to) return memcpy(copy, elements, count * cs_size(to));
  for (size_t i = 0; i < count; i++) cs_put(copy, i, to, cs_get(elements, i, from));
  return copy;
}
