/* The type in which a tensor's elements stand in .npy files: these know no bf16, whose values travel as f32. */
#ifndef GEN_ARRAY_H
#define GEN_ARRAY_H
#include "../runtime/convsmith.h"

enum cs_dtype array_dtype(enum cs_dtype dtype);
/* A copy of `count` elements of type `from` in type `to`, each rounded to nearest, ties to even, where that is narrower. */
void *array_convert(const void *elements, enum cs_dtype from, size_t count, enum cs_dtype to);
#endif
