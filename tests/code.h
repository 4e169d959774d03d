/* Machine code in tests: what objdump, which every compiler comes with, shows of an object file. */
#ifndef TESTS_CODE_H
#define TESTS_CODE_H
#include <stdbool.h>
#include <stddef.h>

/* A line of the disassembly: "  1f4:\tvfmadd231ps (%rax),%zmm1,%zmm0". */
struct instruction {
  unsigned long address;
  const char *text;
};

/* A function: instructions [from, to). */
struct function {
  const char *name;
  size_t from, to;
};

struct code {
  struct instruction *items;
  size_t count;
  struct function *functions;
  size_t function_count;
};

/* All of an object file, until mem_release. False if it is none or there is no objdump. */
bool code_read(const char *object, struct code *code);
/* Where a jump goes back to: the index of that instruction, or -1. */
long code_loop_start(const struct code *code, size_t i);
#endif
