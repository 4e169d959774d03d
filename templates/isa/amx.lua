-- AMX with bf16: what AVX-512 has, and eight registers of 16 rows of 64 bytes that multiply pairs of bf16 numbers. The system lends
-- these registers to a process that asks. They are spoken to in assembly: compilers' own functions are macros in some versions, and
-- say nothing about the memory that they read and write.

local attribute = '__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))'
local prelude = ([[
/* Tiles are numbers; rows of 64 bytes lie `step` bytes apart. */
#define CONVSMITH_AMX_ZERO(tile) __asm__ __volatile__("tilezero {%%tmm" #tile "|tmm" #tile "}" : :)
#define CONVSMITH_AMX_LOAD(tile, from, step) \
__asm__ __volatile__("tileloadd {(%0,%1,1), %%tmm" #tile "|tmm" #tile ", [%0+%1*1]}" : : "r"(from), "r"((ptrdiff_t)(step)) : "memory")
#define CONVSMITH_AMX_STORE(tile, to, step) \
__asm__ __volatile__("tilestored {%%tmm" #tile ", (%0,%1,1)|[%0+%1*1], tmm" #tile "}" : : "r"(to), "r"((ptrdiff_t)(step)) : "memory")
#define CONVSMITH_AMX_MULTIPLY(sum, x, w) \
__asm__ __volatile__("tdpbf16ps {%%tmm" #w ", %%tmm" #x ", %%tmm" #sum "|tmm" #sum ", tmm" #x ", tmm" #w "}" : :)
/* Eight tiles of 16 rows of 64 bytes: palette 1, bytes of each row, rows. */
static inline __attribute__((unused)) void convsmith_amx_begin(void)
{
static const uint8_t shape[64] = {1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 64, 0, 64, 0, 64, 0, 64, 0, 64, 0, 64, 0, 64, 0,
0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 16, 16, 16, 16, 16, 16, 16, 0, 0, 0, 0, 0, 0, 0, 0};
__asm__ __volatile__("ldtilecfg %0" : : "m"(shape));
}
static inline __attribute__((unused)) void convsmith_amx_done(void)
{
__asm__ __volatile__("tilerelease" : :);
}
CONVSMITH_INLINE uint32_t convsmith_amx_bits(float a)
{
return (uint32_t)_mm_cvtsi128_si32(_mm_castps_si128(_mm_set_ss(a)));
}
/* To the nearest number of eight bits. */
CONVSMITH_INLINE float convsmith_amx_rounded(float a)
{
const uint32_t bits = convsmith_amx_bits(a), half = 0x7fffu + (bits >> 16 & 1u);
return _mm_cvtss_f32(_mm_castsi128_ps(_mm_cvtsi32_si128((int)((bits + half) & 0xffff0000u))));
}
/* The upper halves of 32 numbers, in order. */
CONVSMITH_INLINE ATTRIBUTE
__m512i convsmith_amx_upper(__m512 a, __m512 b)
{
const __m512i odd = _mm512_set_epi32(
0x3f003d, 0x3b0039, 0x370035, 0x330031, 0x2f002d, 0x2b0029, 0x270025, 0x230021, 0x1f001d, 0x1b0019, 0x170015, 0x130011, 0xf000d, 0xb0009, 0x70005, 0x30001);
return _mm512_permutex2var_epi16(_mm512_castps_si512(a), odd, _mm512_castps_si512(b));
}
/* What is left of numbers without their upper halves: exact. */
CONVSMITH_INLINE ATTRIBUTE
__m512 convsmith_amx_rest(__m512 a)
{
const __m512i upper = _mm512_set1_epi32(-65536);
return _mm512_sub_ps(a, _mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(a), upper)));
}
/* The upper two planes of 32 numbers, 64 bytes each; all three. */
CONVSMITH_INLINE ATTRIBUTE
void convsmith_amx_split2(__m512 a, __m512 b, uint8_t *to)
{
_mm512_storeu_si512(to, convsmith_amx_upper(a, b));
_mm512_storeu_si512(to + 64, convsmith_amx_upper(convsmith_amx_rest(a), convsmith_amx_rest(b)));
}
CONVSMITH_INLINE ATTRIBUTE
void convsmith_amx_split3(__m512 a, __m512 b, uint8_t *to)
{
_mm512_storeu_si512(to, convsmith_amx_upper(a, b));
a = convsmith_amx_rest(a);
b = convsmith_amx_rest(b);
_mm512_storeu_si512(to + 64, convsmith_amx_upper(a, b));
a = convsmith_amx_rest(a);
b = convsmith_amx_rest(b);
_mm512_storeu_si512(to + 128, convsmith_amx_upper(a, b));
}
/* The bits of the largest magnitude, and those of the least but 0, less 1. */
CONVSMITH_INLINE ATTRIBUTE
void convsmith_amx_extend(__m512i *least, __m512i *most, __m512 a)
{
const __m512i bits = _mm512_and_si512(_mm512_castps_si512(a), _mm512_set1_epi32(0x7fffffff));
*least = _mm512_min_epu32(*least, _mm512_add_epi32(bits, _mm512_set1_epi32(-1)));
*most = _mm512_max_epu32(*most, bits);
}
]]):gsub("ATTRIBUTE", attribute)

return derive(import("isa/avx512.lua"), {
  name = "amx",
  about = "x86-64 Linux, AVX-512 and AMX tiles of bf16",
  rank = 60,
  when = "defined(__x86_64__) && !defined(__ILP32__) && defined(__linux__) && defined(__GNUC__)",
  -- AMX-BF16 and AMX-TILE, the state of both kinds of their registers, and the process' permission to use the larger one
  probe = { cpuid = { { 1, 0, "c", 27 }, { 7, 0, "b", 16 }, { 7, 0, "b", 17 }, { 7, 0, "b", 30 }, { 7, 0, "b", 31 }, { 7, 0, "d", 22 }, { 7, 0, "d", 24 } },
            xcr0 = 0x600e6, permission = { 0x1023, 18 }, macro = false },
  limits = {},
  prelude = prelude,
  vec = {
    f32 = {
      planes = {
        begin = "convsmith_amx_begin();", done = "convsmith_amx_done();",
        zero = "CONVSMITH_AMX_ZERO(%1);",
        load = "CONVSMITH_AMX_LOAD(%1, %2, %3);",
        store = "CONVSMITH_AMX_STORE(%1, %2, %3);",
        multiply = "CONVSMITH_AMX_MULTIPLY(%1, %2, %3);",
        split = { "_mm512_storeu_si512(%3, convsmith_amx_upper(%1, %2));", "convsmith_amx_split2(%1, %2, %3);", "convsmith_amx_split3(%1, %2, %3);" },
        bits = "convsmith_amx_bits(%1)", rounded = "convsmith_amx_rounded(%1)",
        aligned = "__attribute__((aligned(64)))",
        range_type = "__m512i",
        range = { least = "_mm512_set1_epi32(-1)", most = "_mm512_setzero_si512()" },
        extend = "convsmith_amx_extend(&%1, &%2, %3);",
        least = "_mm512_reduce_min_epu32(%1)", most = "_mm512_reduce_max_epu32(%1)",
      },
    },
  },
})
