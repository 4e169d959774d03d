/* Shape arithmetic: overflow-checked sizes, pads resolved from their spelling, output sizes. */
#ifndef GEN_SHAPE_H
#define GEN_SHAPE_H
#include <stdbool.h>
#include <stdint.h>

/* a·b or a+b into *result; false when the result exceeds 2^63-1 (operands are not negative). */
bool shape_mul(int64_t a, int64_t b, int64_t *result);
bool shape_add(int64_t a, int64_t b, int64_t *result);

/* floor(a / b), b > 0. */
int64_t shape_floor(int64_t a, int64_t b);

/* Of factors that are not negative; 2^63-1 where it would exceed that. */
int64_t shape_product(const int64_t *factors, int count);

enum pad_kind { PAD_EXPLICIT, PAD_SAME, PAD_SAME_LOWER, PAD_FULL, PAD_CAUSAL };
/* Pads of one dimension; PAD_EXPLICIT leaves pad as it is. False on overflow.
 * same: ONNX SAME_UPPER: out = ceil(in/stride), total = max(0, (out-1)·stride + d(k-1)+1 - in), the odd one after (same_lower:
 * before); full: d(k-1) on both sides; causal: d(k-1) before. */
bool shape_pads(enum pad_kind kind, int64_t in, int64_t kernel, int64_t stride, int64_t dilation, int64_t pad[2]);
/* floor((in + before + after - d(k-1) - 1) / stride) + 1 into *out, 0 where the window does not fit. False on overflow. */
bool shape_out(int64_t in, int64_t kernel, int64_t stride, int64_t dilation, const int64_t pad[2], int64_t *out);
#endif
