/* Copies between logical order [N, C, spatial...] and memory order. Channels last is, image by image, the transpose of the matrix
 * whose rows are channels; channels first is logical order itself. */
#include "convsmith.h"
#include <string.h>

/* Transposes `count` matrices of rows * columns elements. */
static void layout_transpose(const void *from, void *to, ptrdiff_t count, ptrdiff_t rows, ptrdiff_t columns, size_t size) {
  for (ptrdiff_t n = 0; n < count; n++)
    for (ptrdiff_t row = 0; row < rows; row++)
      for (ptrdiff_t column = 0; column < columns; column++) {
        const ptrdiff_t source = (n * rows + row) * columns + column, target = (n * columns + column) * rows + row;
        memcpy((char *)to + (size_t)target * size, (const char *)from + (size_t)source * size, size);
      }
}

static ptrdiff_t layout_product(const ptrdiff_t *shape, int first, int last) {
  ptrdiff_t product = 1;
  for (int i = first; i < last; i++) product *= shape[i];
  return product;
}

/* A layout reorders tensors with a channel and a spatial dimension; what has neither (a bias) is copied as it is. */
static int layout_is_logical(int rank, enum cs_layout layout) {
  return layout == CS_NCHW || rank < 3;
}

void cs_to_layout(const void *logical, void *memory, const ptrdiff_t *shape, int rank, enum cs_dtype dtype, enum cs_layout layout) {
  if (layout_is_logical(rank, layout))
    memcpy(memory, logical, (size_t)layout_product(shape, 0, rank) * cs_size(dtype));
  else
    layout_transpose(logical, memory, shape[0], shape[1], layout_product(shape, 2, rank), cs_size(dtype));
}

void cs_from_layout(const void *memory, void *logical, const ptrdiff_t *shape, int rank, enum cs_dtype dtype,
                    enum cs_layout layout) {
  if (layout_is_logical(rank, layout))
    memcpy(logical, memory, (size_t)layout_product(shape, 0, rank) * cs_size(dtype));
  else
    layout_transpose(memory, logical, shape[0], layout_product(shape, 2, rank), shape[1], cs_size(dtype));
}
