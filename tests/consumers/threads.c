/* Four threads, each with a packed buffer of its own, make the first calls at the same time; then their parts are one output. */
#include "head.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 4 };
static float input[HEAD_INPUT_BYTES / 4], weights[HEAD_WEIGHTS_BYTES / 4];
static float output[HEAD_OUTPUT_BYTES / 4], whole[HEAD_OUTPUT_BYTES / 4];
static float packed[THREADS][HEAD_PACKED_BYTES / 4];

static void *work(void *argument) {
  const int part = *(int *)argument;
  head_pack(weights, packed[part]);
  head_part(input, packed[part], output, part, THREADS);
  return NULL;
}

int main(void) {
  pthread_t threads[THREADS];
  int numbers[THREADS], i;
  for (i = 0; i < HEAD_INPUT_BYTES / 4; i++) input[i] = (float)(i % 7) - 3;
  for (i = 0; i < HEAD_WEIGHTS_BYTES / 4; i++) weights[i] = (float)(i % 5) - 2;
  for (i = 0; i < THREADS; i++) {
    numbers[i] = i;
    if (pthread_create(&threads[i], NULL, work, &numbers[i]) != 0) return 2;
  }
  for (i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  head(input, packed[0], whole);
  puts(memcmp(output, whole, sizeof whole) == 0 ? "equal" : "different");
  return 0;
}
