/* Peaks: what one core can do on a target, measured in the same turns as kernels. */
#ifndef GEN_PEAKS_H
#define GEN_PEAKS_H
#include "job.h"

/* What templates/peak.t exports; the struct there has the same members. */
struct peaks {
  double (*macs)(long steps); /* multiply-adds between registers; returns how many */
  /* Reads the arrays from[0], from[1], … (NULL at the end) of read[i] floats, writes `written` floats. */
  void (*stream)(const float *const *from, const size_t *read, float *to, size_t written);
};

const struct peaks *peaks_build(const struct job *job, const struct isa *isa, struct text *message);
#endif
