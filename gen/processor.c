/* What follows from the table of processor.h. */
#include "processor.h"
#include <math.h>

double processor_lines(double apart) {
  double step = processor.page;
  while (step > processor.line && fmod(apart, step) != 0) step /= 2;
  return processor.ways * processor.page / step;
}
