/* Uses one generated layer: all inputs 1, so that an inner output is the sum of its weights. */
#include "stem.h"
#include <stdio.h>

static float input[STEM_INPUT_BYTES / 4], output[STEM_OUTPUT_BYTES / 4], packed[STEM_PACKED_BYTES / 4];

int main(void) {
  const float bias[] = {0.5f, -1000.0f};
  size_t i;
  for (i = 0; i < sizeof input / sizeof *input; i++) input[i] = 1;
  stem_pack(bias, packed);
  stem(input, packed, output);
  printf("%g %g\n", output[(1 * 7 + 1) * 2], output[(1 * 7 + 1) * 2 + 1]);
  return 0;
}
