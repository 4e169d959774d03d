$ -- Top of a generated source: banner, headers of every ISA before any code, and the macros that keep compilers from unrolling,
$ -- hoisting and reloading. Guarded: many generated files may be one translation unit.
$ local epilogue = import("lib/epilogue.lua")
/* ${layer.name}: made by convsmith ${version} from ${layer.spec}. Do not edit: generate again.
$ for _, line in ipairs(layer.banner) do
 * ${line}
$ end
$ if layer.prefix ~= "" then
 * prefix ${layer.prefix}
$ end
$ for _, target in ipairs(targets) do
 * target ${target.name}: plan ${target.plan}
$ end
 * This file is yours: SPDX-License-Identifier: 0BSD */
#include "${layer.file}.h"
$ if has(epilogue[layer.activation.name], "scalar") then
#include <math.h>
$ end
#include <stddef.h>
#include <stdint.h>
$ for _, target in ipairs(targets) do for _, header in ipairs(target.isa.headers) do
#if ${target.isa.when}
#include <${header}>
#endif
$ end end
$ if #targets > 1 then
#if (defined(__x86_64__) || defined(__i386__)) && defined(__GNUC__)
#include <cpuid.h>
#endif
$ end
#ifndef CONVSMITH_MACROS
#define CONVSMITH_MACROS
#if defined(__GNUC__)
#define CONVSMITH_INLINE static inline __attribute__((always_inline, unused))
#define CONVSMITH_NOINLINE static __attribute__((noinline))
#define CONVSMITH_BARRIER() __asm__ __volatile__("" ::: "memory")
#else
#define CONVSMITH_INLINE static
#define CONVSMITH_NOINLINE static
#define CONVSMITH_BARRIER() ((void)0)
#endif
#if defined(__clang__)
#define CONVSMITH_ROLLED _Pragma("clang loop unroll(disable)")
#elif defined(__GNUC__) && __GNUC__ >= 8
#define CONVSMITH_ROLLED _Pragma("GCC unroll 1")
#else
#define CONVSMITH_ROLLED
#endif
#if defined(__GNUC__) && !defined(__clang__)
#define CONVSMITH_PIN(constraint, value) __asm__("" : constraint(value))
#define CONVSMITH_DONE(constraint, value) __asm__ __volatile__("" : constraint(value))
#define CONVSMITH_LANE __attribute__((optimize("no-tree-loop-vectorize")))
#else
#define CONVSMITH_PIN(constraint, value) ((void)0)
#define CONVSMITH_DONE(constraint, value) ((void)0)
#define CONVSMITH_LANE
#endif
#endif
$ for _, target in ipairs(targets) do if target.isa.prelude then
#if ${target.isa.when}
#ifndef CONVSMITH_${target.isa.name:upper()}
#define CONVSMITH_${target.isa.name:upper()}
$ emit(target.isa.prelude)
#endif
#endif
$ end end

