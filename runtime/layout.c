/* Copies between logical order [N, C, spatial...] and memory order. Channels last is, image by image, the transpose of the matrix
 * whose rows are channels; channels first is logical order itself. */
#include "convsmith.h"
#include <string.h>

/* A matrix of rows * columns elements. */
struct layout_matrix {
  const char *from;
  char *to;
  ptrdiff_t rows, columns;
  size_t size; /* of an element */
};

/* Copies element [row, column] to [column, row]. */
static void layout_element(const struct layout_matrix *matrix, ptrdiff_t row, ptrdiff_t column) {
  const char *from = matrix->from + (size_t)(row * matrix->columns + column) * matrix->size;
  char *to = matrix->to + (size_t)(column * matrix->rows + row) * matrix->size;
  if (matrix->size == sizeof(float)) /* a size that the compiler knows is one move */
    memcpy(to, from, sizeof(float));
  else
    memcpy(to, from, matrix->size);
}

/* Blocks keep the lines of both sides in the nearest cache. */
static void layout_transpose(const struct layout_matrix *matrix) {
  enum { BLOCK = 16 };
  for (ptrdiff_t r = 0; r < matrix->rows; r += BLOCK)
    for (ptrdiff_t c = 0; c < matrix->columns; c += BLOCK)
      for (ptrdiff_t row = r; row < r + BLOCK && row < matrix->rows; row++)
        for (ptrdiff_t column = c; column < c + BLOCK && column < matrix->columns; column++) layout_element(matrix, row, column);
}

/* Transposes `count` matrices. */
static void layout_transpose_all(const void *from, void *to, ptrdiff_t count, ptrdiff_t rows, ptrdiff_t columns, size_t size) {
  const size_t bytes = (size_t)(rows * columns) * size;
  for (ptrdiff_t n = 0; n < count; n++) {
    const struct layout_matrix matrix = {(const char *)from + (size_t)n * bytes, (char *)to + (size_t)n * bytes, rows, columns,
                                         size};
    layout_transpose(&matrix);
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
    layout_transpose_all(logical, memory, shape[0], shape[1], layout_product(shape, 2, rank), cs_size(dtype));
}

void cs_from_layout(const void *memory, void *logical, const ptrdiff_t *shape, int rank, enum cs_dtype dtype,
                    enum cs_layout layout) {
  if (layout_is_logical(rank, layout))
    memcpy(logical, memory, (size_t)layout_product(shape, 0, rank) * cs_size(dtype));
  else
    layout_transpose_all(memory, logical, shape[0], layout_product(shape, 2, rank), shape[1], cs_size(dtype));
}
