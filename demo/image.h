/* Grey images, a float from 0 to 1 for each pixel: read from PGM, written as PNG. */
#ifndef DEMO_IMAGE_H
#define DEMO_IMAGE_H
#include <stddef.h>

/* Reads a binary 8-bit PGM of exactly this size. Returns NULL, or what is wrong. */
const char *image_read(const char *path, size_t width, size_t height, float *pixels);
/* Values outside 0..1 are clipped. Returns NULL, or what is wrong. */
const char *image_write(const char *path, size_t width, size_t height, const float *pixels);
#endif
