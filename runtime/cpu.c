/* What this machine is: raw facts only (CPUID, XCR0, the auxiliary vector), so that which instruction set needs which bit stays
 * data in its own file. Everything that does not exist here reads as 0. */
#include "convsmith.h"
#include <time.h>
#if defined __x86_64__ || defined __i386__
#include <cpuid.h>
#endif
#ifdef __linux__
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#if defined __x86_64__ || defined __i386__
uint32_t cs_cpuid(uint32_t leaf, uint32_t subleaf, char reg) {
  unsigned registers[4];
  if (reg < 'a' || reg > 'd') return 0;
  if (!__get_cpuid_count(leaf, subleaf, &registers[0], &registers[1], &registers[2], &registers[3])) return 0;
  return registers[reg - 'a'];
}

uint64_t cs_xcr0(void) {
  uint32_t low, high;
  const uint32_t osxsave = UINT32_C(1) << 27; /* without it XGETBV is an illegal instruction */
  if (!(cs_cpuid(1, 0, 'c') & osxsave)) return 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t)high << 32 | low;
}
#else
uint32_t cs_cpuid(uint32_t leaf, uint32_t subleaf, char reg) {
  (void)leaf, (void)subleaf, (void)reg;
  return 0;
}

uint64_t cs_xcr0(void) {
  return 0;
}
#endif

const char *cs_arch(void) {
#if defined __x86_64__
  return "x86_64";
#elif defined __i386__
  return "i386";
#elif defined __aarch64__
  return "aarch64";
#elif defined __arm__
  return "arm";
#elif defined __riscv && __riscv_xlen == 64
  return "riscv64";
#elif defined __wasm__
  return "wasm32";
#else
  return "unknown";
#endif
}

unsigned long cs_auxval(unsigned long type) {
#ifdef __linux__
  return getauxval(type);
#else
  (void)type;
  return 0;
#endif
}

int cs_permission(long request, long what) {
#if defined __linux__ && defined SYS_arch_prctl
  return syscall(SYS_arch_prctl, request, what) == 0;
#else
  (void)request, (void)what;
  return 0;
#endif
}

double cs_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}
