/* The processor's name: 48 bytes of three CPUID leaves, padded with spaces. */
#include "machine.h"
#include "../runtime/convsmith.h"
#include "mem.h"
#include <stdbool.h>

enum { BRAND_BYTES = 48 };

/* Byte i of the leaves' registers a, b, c, d in turn, lowest byte first. */
static char brand_byte(int i) {
  const uint32_t word = cs_cpuid(UINT32_C(0x80000002) + (uint32_t)i / 16, 0, "abcd"[i / 4 % 4]);
  return (char)(word >> 8 * (i % 4) & 0xff);
}

const char *machine_name(void) {
  char name[BRAND_BYTES + 1] = "";
  int size = 0;
  for (int i = 0; i < BRAND_BYTES; i++) {
    const char byte = brand_byte(i);
    const bool doubled = byte == ' ' && (size == 0 || name[size - 1] == ' ');
    if (byte >= ' ' && byte <= '~' && !doubled) name[size++] = byte;
  }
  while (size > 0 && name[size - 1] == ' ') size--;
  return size ? mem_text("%.*s", size, name) : cs_arch();
}
