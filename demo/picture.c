/* Two generated layers on a picture: gaussian removes the grain, sobel finds the edges of what is left. This is all that a user of
 * generated code writes: include the headers, call the functions. Their weights are baked, so there is nothing to pack. */
#include "gaussian.h"
#include "image.h"
#include "sobel.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { SIDE = 256, PIXELS = SIDE * SIDE };

/* The sizes that the layers were made for must be the picture's. */
typedef char sizes_fit[GAUSSIAN_INPUT_BYTES == PIXELS * sizeof(float) && SOBEL_OUTPUT_BYTES == 2 * GAUSSIAN_OUTPUT_BYTES ? 1 : -1];

static float input[PIXELS], smooth[PIXELS], gradient[2 * PIXELS]; /* gradient: x and y side by side (nhwc) */
static float sobel_x[PIXELS], sobel_y[PIXELS], edges[PIXELS];

static void stop_if(const char *wrong, const char *path) {
  if (!wrong) return;
  fprintf(stderr, "%s: %s\n", path, wrong);
  exit(1);
}

static void save(const char *folder, const char *name, const float *pixels) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s.png", folder, name);
  stop_if(image_write(path, SIDE, SIDE, pixels), path);
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: picture INPUT.pgm FOLDER\n");
    return 2;
  }
  stop_if(image_read(argv[1], SIDE, SIDE, input), argv[1]);
  gaussian(input, smooth);
  sobel(smooth, gradient);
  for (int i = 0; i < PIXELS; i++) {
    const float x = gradient[2 * i], y = gradient[2 * i + 1];
    sobel_x[i] = 0.5f + 0.5f * x; /* grey: no slope */
    sobel_y[i] = 0.5f + 0.5f * y;
    edges[i] = sqrtf(x * x + y * y);
  }
  save(argv[2], "input", input);
  save(argv[2], "gaussian", smooth);
  save(argv[2], "sobel_x", sobel_x);
  save(argv[2], "sobel_y", sobel_y);
  save(argv[2], "edges", edges);
  return 0;
}
