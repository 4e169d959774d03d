-- AVX2 with FMA: 256-bit, 16 registers. Partial vectors go through literal lane masks; masked-off lanes are not touched.

-- One string for each number of live lanes.
local function masked(text, lanes, set)
  local rows = {}
  for live = 1, lanes - 1 do
    local bits = {}
    for lane = 1, lanes do bits[lane] = lane <= live and "-1" or "0" end
    rows[live] = text:gsub("MASK", set .. "(" .. table.concat(bits, ", ") .. ")")
  end
  return rows
end

-- The sum of a vector is that of its halves' sum.
local function sum(half, add, text)
  return (text:gsub("HALVES", add .. "(_mm256_cast" .. half .. "128(%%1), _mm256_extractf128_" .. half:sub(1, 2) .. "(%%1, 1))"))
end

local sse41 = import("isa/sse41.lua")
local attribute = '__attribute__((target("avx2,fma")))'
local bf16_prelude = { name = "BF16_AVX2", text = "CONVSMITH_INLINE " .. attribute .. [[

__m128i convsmith_bf16_narrow8(__m256 a)
{
const __m256i bits = _mm256_castps_si256(a), nan = _mm256_castps_si256(_mm256_cmp_ps(a, a, _CMP_UNORD_Q));
const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
const __m256i even = _mm256_add_epi32(_mm256_add_epi32(bits, _mm256_set1_epi32(0x7fff)), odd);
const __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));
const __m256i upper = _mm256_srli_epi32(_mm256_blendv_epi8(even, quiet, nan), 16);
return _mm256_castsi256_si128(_mm256_permute4x64_epi64(_mm256_packus_epi32(upper, upper), 0xd8));
}
]] }

local function widened(elements)
  return "_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(" .. elements .. "), 16))"
end

local bf16 = {
  lanes = 8,
  preludes = { sse41.vec.bf16.preludes[1], bf16_prelude },
  load = widened("_mm_loadu_si128((const __m128i *)(const void *)(%1))"),
  load_part = {}, store_part = {},
  -- what is loaded from lane %f on, moved there
  load_lanes = "_mm256_and_ps(_mm256_castsi256_ps(_mm256_setr_epi32(%l)), " ..
               "_mm256_permutevar8x32_ps(%p, _mm256_sub_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32(%f))))",
  broadcast = "_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_set1_epi16((short)*(%1)), 16))",
  store = "_mm_storeu_si128((__m128i *)(void *)(%1), convsmith_bf16_narrow8(%2));",
}
for live = 1, 7 do
  bf16.load_part[live] = widened(sse41.vec.bf16.elements.load[live])
  bf16.store_part[live] = sse41.vec.bf16.elements.store[live]:gsub("NARROW", "convsmith_bf16_narrow8(%%2)")
end

return derive(sse41, {
  name = "avx2",
  about = "x86, AVX2 and FMA, 256-bit",
  rank = 30,
  attribute = attribute,
  probe = { cpuid = { { 1, 0, "c", 12 }, { 1, 0, "c", 27 }, { 7, 0, "b", 5 } }, xcr0 = 6, macro = "defined(__AVX2__) && defined(__FMA__)" },
  limits = { "ONEDNN_MAX_CPU_ISA=AVX2", "OPENBLAS_CORETYPE=Haswell" },
  flags = { "-mavx2", "-mfma" },
  registers = 16,
  crossing = 3,
  mac_bytes = 9,
  macs_per_cycle = 2,
  vec = {
    f32 = {
      type = "__m256", lanes = 8,
      zero = "_mm256_setzero_ps()", set1 = "_mm256_set1_ps(%1)", set = "_mm256_setr_ps(%i)", broadcast = "_mm256_broadcast_ss(%1)",
      load = "_mm256_loadu_ps(%1)", store = "_mm256_storeu_ps(%1, %2);",
      load_part = masked("_mm256_maskload_ps(%1, MASK)", 8, "_mm256_setr_epi32"),
      store_part = masked("_mm256_maskstore_ps(%1, MASK, %2);", 8, "_mm256_setr_epi32"),
      load_lanes = "_mm256_maskload_ps(%1, _mm256_setr_epi32(%l))",
      blend = "_mm256_blend_ps(%1, %2, %b)",
      pieces = { count = 2, load = "_mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(%1)), _mm_loadu_ps(%2), 1)" },
      permute = "_mm256_permutevar8x32_ps(%1, %2)",
      order = { type = "__m256i", value = "_mm256_setr_epi32(%i)", next = "_mm256_add_epi32(%1, _mm256_set1_epi32(1))" },
      -- both halves of each, then the halves' first pairs before their second ones
      even = "_mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(_mm256_shuffle_ps(%1, %2, 0xd8)), 0xd8))",
      sum = sum("ps256_ps", "_mm_add_ps", "_mm_cvtss_f32(_mm_hadd_ps(_mm_hadd_ps(HALVES, HALVES), HALVES))"),
      -- a quarter of each in either half
      sums = [[{
const __m256 quarters = _mm256_hadd_ps(_mm256_hadd_ps(%1, %2), _mm256_hadd_ps(%3, %4));
_mm_storeu_ps(%5, _mm_add_ps(_mm256_castps256_ps128(quarters), _mm256_extractf128_ps(quarters, 1)));
}]],
      add = "_mm256_add_ps(%1, %2)", sub = "_mm256_sub_ps(%1, %2)", mul = "_mm256_mul_ps(%1, %2)", max = "_mm256_max_ps(%1, %2)", min = "_mm256_min_ps(%1, %2)",
      top = "_mm256_blendv_ps(_mm256_max_ps(%1, %2), %1, _mm256_cmp_ps(%1, %1, _CMP_UNORD_Q))",
      tops = { type = "__m256", any = "(_mm256_movemask_ps(%1) != 0)",
               first = "_mm256_cmp_ps(%1, %2, _CMP_UNORD_Q)", next = "_mm256_or_ps(%3, _mm256_cmp_ps(%1, %2, _CMP_UNORD_Q))",
               last = "_mm256_or_ps(_mm256_max_ps(%1, %2), _mm256_and_ps(%3, _mm256_castsi256_ps(_mm256_set1_epi32(0x7fc00000))))" },
      div = "_mm256_div_ps(%1, %2)",
      -- 2^23 + 127 + exponent ends in the bits of the power of two
      scale = "_mm256_mul_ps(%1, _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(_mm256_add_ps(%2, _mm256_set1_ps(8388735.0f))), 23)))",
      select_negative = "_mm256_blendv_ps(%3, %2, _mm256_cmp_ps(%1, _mm256_setzero_ps(), _CMP_LT_OQ))",
      minus = "_mm256_fnmadd_ps(%2, %3, %1)",
    },
    f64 = {
      type = "__m256d", lanes = 4,
      zero = "_mm256_setzero_pd()", set1 = "_mm256_set1_pd(%1)", set = "_mm256_setr_pd(%i)", broadcast = "_mm256_broadcast_sd(%1)",
      load = "_mm256_loadu_pd(%1)", store = "_mm256_storeu_pd(%1, %2);",
      load_part = masked("_mm256_maskload_pd(%1, MASK)", 4, "_mm256_setr_epi64x"),
      store_part = masked("_mm256_maskstore_pd(%1, MASK, %2);", 4, "_mm256_setr_epi64x"),
      load_lanes = "_mm256_maskload_pd(%1, _mm256_setr_epi64x(%l))",
      blend = "_mm256_blend_pd(%1, %2, %b)",
      pieces = { count = 2, load = "_mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(%1)), _mm_loadu_pd(%2), 1)" },
      permute = "_mm256_permute4x64_pd(%1, %m)", order = false,
      even = "_mm256_permute4x64_pd(_mm256_shuffle_pd(%1, %2, 10), 0xd8)",
      sum = sum("pd256_pd", "_mm_add_pd", "_mm_cvtsd_f64(_mm_hadd_pd(HALVES, HALVES))"),
      add = "_mm256_add_pd(%1, %2)", sub = "_mm256_sub_pd(%1, %2)", mul = "_mm256_mul_pd(%1, %2)", max = "_mm256_max_pd(%1, %2)", min = "_mm256_min_pd(%1, %2)",
      top = "_mm256_blendv_pd(_mm256_max_pd(%1, %2), %1, _mm256_cmp_pd(%1, %1, _CMP_UNORD_Q))",
      tops = { type = "__m256d", any = "(_mm256_movemask_pd(%1) != 0)",
               first = "_mm256_cmp_pd(%1, %2, _CMP_UNORD_Q)", next = "_mm256_or_pd(%3, _mm256_cmp_pd(%1, %2, _CMP_UNORD_Q))",
               last = "_mm256_or_pd(_mm256_max_pd(%1, %2), _mm256_and_pd(%3, _mm256_castsi256_pd(_mm256_set1_epi64x(0x7ff8000000000000))))" },
      select_negative = "_mm256_blendv_pd(%3, %2, _mm256_cmp_pd(%1, _mm256_setzero_pd(), _CMP_LT_OQ))",
      minus = "_mm256_fnmadd_pd(%2, %3, %1)",
    },
    bf16 = bf16,
  },
  mac_asm = { f32 = "vfmadd231ps {%2, %1, %0|%0, %1, %2}", f64 = "vfmadd231pd {%2, %1, %0|%0, %1, %2}" },
  mac = {
    { x = "f32", w = "f32", acc = "f32", op = "_mm256_fmadd_ps(%2, %3, %1)",
      live = "_mm256_blendv_ps(_mm256_fmadd_ps(%2, %3, %1), %1, _mm256_cmp_ps(%3, _mm256_setzero_ps(), _CMP_EQ_OQ))" },
    { x = "f64", w = "f64", acc = "f64", op = "_mm256_fmadd_pd(%2, %3, %1)",
      live = "_mm256_blendv_pd(_mm256_fmadd_pd(%2, %3, %1), %1, _mm256_cmp_pd(%3, _mm256_setzero_pd(), _CMP_EQ_OQ))" },
  },
})
