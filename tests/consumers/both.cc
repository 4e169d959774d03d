// Layers of two specs, compiled as C, called from C++.
#include "head.h"
#include "tail.h"
#include <cstdio>
#include <vector>

int main() {
  std::vector<float> x(HEAD_INPUT_BYTES / sizeof(float), 1.0f), w(HEAD_WEIGHTS_BYTES / sizeof(float), 1.0f),
      y(HEAD_OUTPUT_BYTES / sizeof(float));
  std::vector<unsigned char> packed(HEAD_PACKED_BYTES), tail_packed(TAIL_PACKED_BYTES);
  head_pack(w.data(), packed.data());
  for (int part = 0; part < 3; part++) head_part(x.data(), packed.data(), y.data(), part, 3);
  std::vector<double> x2(y.begin(), y.end()), w2(TAIL_WEIGHTS_BYTES / sizeof(double), 0.0), y2(x2.size());
  w2[4] = 1.0 / 27; // the centre of the first channel
  tail_pack(w2.data(), tail_packed.data());
  tail(x2.data(), tail_packed.data(), y2.data());
  std::printf("%g %g %.6f %g\n", static_cast<double>(y[0]), static_cast<double>(y[(7 + 1) * 5]), y2[(7 + 1) * 5], y2[1]);
}
