/* PGM in, PNG out, with the standard library alone: the PNG is stored, not compressed, one block a row. */
#include "image.h"
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { MAX_WIDTH = 4096 };

/* ---- PGM ---------------------------------------------------------------------------------------------------------- */

/* The next number of a header, -1 if there is none. Comments run from '#' to the end of the line. */
static long header_number(FILE *file) {
  long value = -1;
  for (int c = getc(file); c != EOF; c = getc(file)) {
    if (c == '#')
      while (c != '\n' && c != EOF) c = getc(file);
    if (c >= '0' && c <= '9' && value < 100000)
      value = (value < 0 ? 0 : value * 10) + (c - '0');
    else if (value >= 0)
      return value;
  }
  return value;
}

static const char *read_pixels(FILE *file, size_t width, size_t height, float *pixels) {
  char magic[2];
  if (fread(magic, 1, sizeof magic, file) != sizeof magic || memcmp(magic, "P5", sizeof magic) != 0) return "not a binary PGM";
  if (header_number(file) != (long)width || header_number(file) != (long)height) return "not of the size expected";
  if (header_number(file) != 255) return "not of 8 bits";
  for (size_t i = 0; i < width * height; i++) {
    const int value = getc(file);
    if (value == EOF) return "truncated";
    pixels[i] = (float)value / 255;
  }
  return NULL;
}

const char *image_read(const char *path, size_t width, size_t height, float *pixels) {
  FILE *file = fopen(path, "rb");
  if (!file) return "cannot be opened";
  const char *wrong = read_pixels(file, width, height, pixels);
  fclose(file);
  return wrong;
}

/* ---- PNG ---------------------------------------------------------------------------------------------------------- */

/* Bytes go to the file and into both checksums: the chunk's CRC-32, the pixels' Adler-32. */
struct png {
  FILE *file;
  uint32_t crc, a, b;
};

static void put(struct png *png, const unsigned char *bytes, size_t count) {
  fwrite(bytes, 1, count, png->file);
  for (size_t i = 0; i < count; i++) {
    png->crc ^= bytes[i];
    for (int bit = 0; bit < 8; bit++) png->crc = png->crc >> 1 ^ (png->crc & 1 ? 0xEDB88320u : 0);
  }
}

static void put32(struct png *png, uint32_t value) {
  const unsigned char bytes[] = {(unsigned char)(value >> 24), (unsigned char)(value >> 16), (unsigned char)(value >> 8),
                                 (unsigned char)value};
  put(png, bytes, sizeof bytes);
}

static void begin_chunk(struct png *png, const char *type, size_t size) {
  put32(png, (uint32_t)size);
  png->crc = 0xFFFFFFFFu;
  put(png, (const unsigned char *)type, 4);
}

static void end_chunk(struct png *png) {
  put32(png, ~png->crc);
}

static void put_header(struct png *png, size_t width, size_t height) {
  static const unsigned char signature[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  static const unsigned char grey8[] = {8, 0, 0, 0, 0};
  put(png, signature, sizeof signature);
  begin_chunk(png, "IHDR", 13);
  put32(png, (uint32_t)width);
  put32(png, (uint32_t)height);
  put(png, grey8, sizeof grey8);
  end_chunk(png);
}

/* A stored deflate block: its head, then the row behind its filter byte. */
static void put_row(struct png *png, const unsigned char *row, size_t size, int last) {
  const unsigned low = (unsigned)size & 0xFF, high = (unsigned)size >> 8;
  const unsigned char head[] = {(unsigned char)last, (unsigned char)low, (unsigned char)high, (unsigned char)~low,
                                (unsigned char)~high};
  put(png, head, sizeof head);
  put(png, row, size);
  for (size_t i = 0; i < size; i++) {
    png->a = (png->a + row[i]) % 65521;
    png->b = (png->b + png->a) % 65521;
  }
}

static void put_pixels(struct png *png, size_t width, size_t height, const float *pixels) {
  static const unsigned char zlib[] = {0x78, 0x01};
  unsigned char row[1 + MAX_WIDTH] = {0};
  begin_chunk(png, "IDAT", sizeof zlib + height * (5 + 1 + width) + 4);
  put(png, zlib, sizeof zlib);
  for (size_t y = 0; y < height; y++) {
    for (size_t x = 0; x < width; x++) {
      const float value = pixels[y * width + x];
      row[1 + x] = (unsigned char)(value <= 0 ? 0 : value >= 1 ? 255 : value * 255 + 0.5f);
    }
    put_row(png, row, 1 + width, y + 1 == height);
  }
  put32(png, png->b << 16 | png->a);
  end_chunk(png);
}

const char *image_write(const char *path, size_t width, size_t height, const float *pixels) {
  struct png png = {.file = NULL, .a = 1};
  if (width > MAX_WIDTH) return "too wide";
  png.file = fopen(path, "wb");
  if (!png.file) return "cannot be written";
  put_header(&png, width, height);
  put_pixels(&png, width, height, pixels);
  begin_chunk(&png, "IEND", 0);
  end_chunk(&png);
  const int failed = ferror(png.file);
  return fclose(png.file) != 0 || failed ? "cannot be written" : NULL;
}
