-- AVX-512 F, BW, DQ, VL: 512-bit, 32 registers. Partial vectors go through mask registers; masked-off lanes are not touched.

-- Even lanes of %1, then odd lanes of %2, those numbered behind %1's.
local function even(suffix, set, lanes)
  local order = {}
  for lane = 0, lanes - 1 do order[#order + 1] = 2 * lane + (2 * lane < lanes and 0 or 1) end
  return ("_mm512_permutex2var_%s(%%1, %s(%s), %%2)"):format(suffix, set, table.concat(order, ", "))
end

-- Four quarters, each from its place.
local function quarters(suffix, insert)
  local text = ("_mm512_cast%s128_%s512(_mm_loadu_%s(%%1))"):format(suffix, suffix, suffix)
  for i = 1, 3 do text = ("_mm512_insert%s(%s, _mm_loadu_%s(%%%d), %d)"):format(insert, text, suffix, i + 1, i) end
  return { count = 4, load = text }
end

-- A load by a mask of all lanes, which compilers must not see: by such loads caches learn no steps of a load, which go wrong where
-- several stretches are read in turns.
local function fetch(suffix, lanes)
  return "__mmask" .. lanes .. (" all = 0x%x;\n"):format((1 << lanes) - 1) .. '__asm__("" : "+Yk"(all));\n' ..
         "return _mm512_maskz_loadu_" .. suffix .. "(all, %1);"
end

local function masked(text, lanes)
  local rows = {}
  for live = 1, lanes - 1 do rows[live] = text:gsub("MASK", string.format("(__mmask%d)0x%xu", lanes, (1 << live) - 1)) end
  return rows
end

local avx2 = import("isa/avx2.lua")
local attribute = '__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))'
local bf16_prelude = { name = "BF16_AVX512", text = "CONVSMITH_INLINE " .. attribute .. [[

__m256i convsmith_bf16_narrow16(__m512 a)
{
const __m512i bits = _mm512_castps_si512(a), odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
const __m512i even = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), odd);
const __mmask16 nan = _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q);
return _mm512_cvtepi32_epi16(_mm512_srli_epi32(_mm512_mask_or_epi32(even, nan, bits, _mm512_set1_epi32(0x400000)), 16));
}
]] }

local function widened(elements)
  return "_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(" .. elements .. "), 16))"
end

local bf16 = {
  lanes = 16,
  preludes = { avx2.vec.bf16.preludes[1], bf16_prelude },
  load = widened("_mm256_loadu_si256((const __m256i *)(const void *)(%1))"),
  load_part = masked(widened("_mm256_maskz_loadu_epi16(MASK, %1)"), 16),
  load_lanes = widened("_mm256_maskz_loadu_epi16((__mmask16)%bu, %1)"),
  broadcast = "_mm512_castsi512_ps(_mm512_set1_epi32((int)((uint32_t)*(%1) << 16)))",
  store = "_mm256_storeu_si256((__m256i *)(void *)(%1), convsmith_bf16_narrow16(%2));",
  store_part = masked("_mm256_mask_storeu_epi16(%1, MASK, convsmith_bf16_narrow16(%2));", 16),
}

return derive(avx2, {
  name = "avx512",
  about = "x86, AVX-512 F, BW, DQ and VL, 512-bit",
  rank = 40,
  attribute = attribute,
  probe = { cpuid = { { 1, 0, "c", 27 }, { 7, 0, "b", 16 }, { 7, 0, "b", 17 }, { 7, 0, "b", 30 }, { 7, 0, "b", 31 } }, xcr0 = 0xe6,
            macro = "defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)" },
  within = { "xnnpack" },
  limits = { "ONEDNN_MAX_CPU_ISA=AVX512_CORE", "OPENBLAS_CORETYPE=SkylakeX" },
  flags = { "-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mfma" },
  registers = 32,
  crossing = 1,
  mac_bytes = 10,
  pin = "v",
  folds = true,
  vec = {
    f32 = {
      type = "__m512", lanes = 16,
      zero = "_mm512_setzero_ps()", set1 = "_mm512_set1_ps(%1)", set = "_mm512_setr_ps(%i)", broadcast = "_mm512_set1_ps(*(%1))",
      load = "_mm512_loadu_ps(%1)", store = "_mm512_storeu_ps(%1, %2);",
      load_part = masked("_mm512_maskz_loadu_ps(MASK, %1)", 16),
      store_part = masked("_mm512_mask_storeu_ps(%1, MASK, %2);", 16),
      load_lanes = "_mm512_maskz_loadu_ps((__mmask16)%bu, %1)",
      blend = "_mm512_mask_mov_ps(%1, (__mmask16)%bu, %2)",
      fetch = fetch("ps", 16),
      pieces = quarters("ps", "f32x4"),
      permute = "_mm512_permutexvar_ps(%2, %1)",
      order = { type = "__m512i", value = "_mm512_setr_epi32(%i)", next = "_mm512_add_epi32(%1, _mm512_set1_epi32(1))" },
      even = even("ps", "_mm512_setr_epi32", 16),
      sum = "_mm512_reduce_add_ps(%1)",
      -- halves of two, then a quarter of each in every 128 bits
      sums = [[{
const __m512 low = _mm512_add_ps(_mm512_unpacklo_ps(%1, %2), _mm512_unpackhi_ps(%1, %2));
const __m512 high = _mm512_add_ps(_mm512_unpacklo_ps(%3, %4), _mm512_unpackhi_ps(%3, %4));
const __m512 quarters = _mm512_add_ps(_mm512_shuffle_ps(low, high, 0x44), _mm512_shuffle_ps(low, high, 0xee));
const __m256 halves = _mm256_add_ps(_mm512_castps512_ps256(quarters), _mm512_extractf32x8_ps(quarters, 1));
_mm_storeu_ps(%5, _mm_add_ps(_mm256_castps256_ps128(halves), _mm256_extractf128_ps(halves, 1)));
}]],
      add = "_mm512_add_ps(%1, %2)", sub = "_mm512_sub_ps(%1, %2)", mul = "_mm512_mul_ps(%1, %2)", max = "_mm512_max_ps(%1, %2)", min = "_mm512_min_ps(%1, %2)",
      top = "_mm512_mask_max_ps(%1, _mm512_cmp_ps_mask(%1, %1, _CMP_ORD_Q), %1, %2)",
      tops = { type = "__mmask16", any = "(%1 != 0xffff)",
               first = "_mm512_cmp_ps_mask(%1, %2, _CMP_ORD_Q)", next = "_mm512_mask_cmp_ps_mask(%3, %1, %2, _CMP_ORD_Q)",
               last = "_mm512_mask_max_ps(_mm512_castsi512_ps(_mm512_set1_epi32(0x7fc00000)), %3, %1, %2)" },
      div = "_mm512_div_ps(%1, %2)",
      scale = "_mm512_scalef_ps(%1, %2)",
      select_negative = "_mm512_mask_mov_ps(%3, _mm512_cmp_ps_mask(%1, _mm512_setzero_ps(), _CMP_LT_OQ), %2)",
      minus = "_mm512_fnmadd_ps(%2, %3, %1)",
    },
    f64 = {
      type = "__m512d", lanes = 8,
      zero = "_mm512_setzero_pd()", set1 = "_mm512_set1_pd(%1)", set = "_mm512_setr_pd(%i)", broadcast = "_mm512_set1_pd(*(%1))",
      load = "_mm512_loadu_pd(%1)", store = "_mm512_storeu_pd(%1, %2);",
      load_part = masked("_mm512_maskz_loadu_pd(MASK, %1)", 8),
      store_part = masked("_mm512_mask_storeu_pd(%1, MASK, %2);", 8),
      load_lanes = "_mm512_maskz_loadu_pd((__mmask8)%bu, %1)",
      blend = "_mm512_mask_mov_pd(%1, (__mmask8)%bu, %2)",
      fetch = fetch("pd", 8),
      pieces = quarters("pd", "f64x2"),
      permute = "_mm512_permutexvar_pd(%2, %1)",
      -- as whole numbers: gcc makes vpermilpd, which stays in each quarter, of shuffles that take other quarters into the second
      shuffle = "_mm512_castsi512_pd(CONVSMITH_SHUFFLE(_mm512_castpd_si512(%1), _mm512_castpd_si512(%2), %i))",
      order = { type = "__m512i", value = "_mm512_setr_epi64(%i)", next = "_mm512_add_epi64(%1, _mm512_set1_epi64(1))" },
      even = even("pd", "_mm512_setr_epi64", 8),
      sum = "_mm512_reduce_add_pd(%1)",
      add = "_mm512_add_pd(%1, %2)", sub = "_mm512_sub_pd(%1, %2)", mul = "_mm512_mul_pd(%1, %2)", max = "_mm512_max_pd(%1, %2)", min = "_mm512_min_pd(%1, %2)",
      top = "_mm512_mask_max_pd(%1, _mm512_cmp_pd_mask(%1, %1, _CMP_ORD_Q), %1, %2)",
      tops = { type = "__mmask8", any = "(%1 != 0xff)",
               first = "_mm512_cmp_pd_mask(%1, %2, _CMP_ORD_Q)", next = "_mm512_mask_cmp_pd_mask(%3, %1, %2, _CMP_ORD_Q)",
               last = "_mm512_mask_max_pd(_mm512_castsi512_pd(_mm512_set1_epi64(0x7ff8000000000000)), %3, %1, %2)" },
      select_negative = "_mm512_mask_mov_pd(%3, _mm512_cmp_pd_mask(%1, _mm512_setzero_pd(), _CMP_LT_OQ), %2)",
      minus = "_mm512_fnmadd_pd(%2, %3, %1)",
    },
    bf16 = bf16,
  },
  -- clang makes blends by constant masks into permutes
  lanes_asm = {
    f32 = { text = "vfmadd231ps {%2, %1, %0%{%3%}|%0%{%3%}, %1, %2}", constraint = "Yk", mask = "(__mmask16)%bu" },
    f64 = { text = "vfmadd231pd {%2, %1, %0%{%3%}|%0%{%3%}, %1, %2}", constraint = "Yk", mask = "(__mmask8)%bu" },
  },
  mac = {
    { x = "f32", w = "f32", acc = "f32", op = "_mm512_fmadd_ps(%2, %3, %1)",
      live = "_mm512_mask3_fmadd_ps(%2, %3, %1, _mm512_cmp_ps_mask(%3, _mm512_setzero_ps(), _CMP_NEQ_UQ))" },
    { x = "f64", w = "f64", acc = "f64", op = "_mm512_fmadd_pd(%2, %3, %1)",
      live = "_mm512_mask3_fmadd_pd(%2, %3, %1, _mm512_cmp_pd_mask(%3, _mm512_setzero_pd(), _CMP_NEQ_UQ))" },
  },
})
