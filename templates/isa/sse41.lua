-- SSE4.1: 128-bit, 16 registers, no fused multiply-add.

local scalar = import("isa/scalar.lua")
local x86 = "(defined(__x86_64__) || defined(__i386__)) && defined(__GNUC__)"

local attribute = '__attribute__((target("sse4.1")))'
local bf16_prelude = { name = "BF16_SSE41", text = "CONVSMITH_INLINE " .. attribute .. [[

__m128i convsmith_bf16_narrow4(__m128 a)
{
const __m128i bits = _mm_castps_si128(a), nan = _mm_castps_si128(_mm_cmpunord_ps(a, a));
const __m128i odd = _mm_and_si128(_mm_srli_epi32(bits, 16), _mm_set1_epi32(1));
const __m128i even = _mm_add_epi32(_mm_add_epi32(bits, _mm_set1_epi32(0x7fff)), odd);
const __m128i quiet = _mm_or_si128(bits, _mm_set1_epi32(0x400000));
const __m128i upper = _mm_srli_epi32(_mm_blendv_epi8(even, quiet, nan), 16);
return _mm_packus_epi32(upper, upper);
}
]] }

-- Some elements of 16 bits, one by one beside those that lie in 64 bits: no byte behind them is touched.
local function load_some(live)
  local text = live < 4 and "_mm_setzero_si128()" or "_mm_loadl_epi64((const __m128i *)(const void *)(%1))"
  for lane = live < 4 and 0 or 4, live - 1 do text = ("_mm_insert_epi16(%s, (%%1)[%d], %d)"):format(text, lane, lane) end
  return text
end

local function store_some(live)
  local lines = { "{", "const __m128i narrow = NARROW;" }
  if live >= 4 then lines[#lines + 1] = "_mm_storel_epi64((__m128i *)(void *)(%1), narrow);" end
  for lane = live < 4 and 0 or 4, live - 1 do
    lines[#lines + 1] = ("(%%1)[%d] = (uint16_t)_mm_extract_epi16(narrow, %d);"):format(lane, lane)
  end
  return table.concat(lines, "\n") .. "\n}"
end

-- elements: up to 7 of them as integers, for wider vectors too
local bf16 = {
  lanes = 4,
  elements = { load = {}, store = {} },
  preludes = { scalar.vec.bf16.preludes[1], bf16_prelude },
  load_part = {}, store_part = {},
  broadcast = "_mm_castsi128_ps(_mm_set1_epi32((int)((uint32_t)*(%1) << 16)))",
  store = "_mm_storel_epi64((__m128i *)(void *)(%1), convsmith_bf16_narrow4(%2));",
}
for live = 1, 7 do bf16.elements.load[live], bf16.elements.store[live] = load_some(live), store_some(live) end
for live = 1, 4 do
  bf16.load_part[live] = "_mm_castsi128_ps(_mm_unpacklo_epi16(_mm_setzero_si128(), " .. bf16.elements.load[live] .. "))"
  bf16.store_part[live] = bf16.elements.store[live]:gsub("NARROW", "convsmith_bf16_narrow4(%%2)")
end
bf16.load = bf16.load_part[4]

return derive(scalar, {
  name = "sse41",
  about = "x86, 128-bit",
  rank = 20,
  when = x86,
  headers = { "immintrin.h" },
  attribute = attribute,
  probe = { arch = "x86", cpuid = { { 1, 0, "c", 19 } }, xcr0 = 0, macro = "defined(__SSE4_1__)" },
  limits = { "ONEDNN_MAX_CPU_ISA=SSE41", "OPENBLAS_CORETYPE=Nehalem" },
  flags = { "-msse4.1" },
  mac_bytes = 12,
  pin = "x",
  barrier = true,
  vec = {
    f32 = {
      type = "__m128", lanes = 4,
      zero = "_mm_setzero_ps()", set1 = "_mm_set1_ps(%1)", set = "_mm_setr_ps(%i)", broadcast = "_mm_set1_ps(*(%1))",
      load = "_mm_loadu_ps(%1)", store = "_mm_storeu_ps(%1, %2);",
      load_part = {
        "_mm_load_ss(%1)",
        "_mm_loadl_pi(_mm_setzero_ps(), (const __m64 *)(const void *)(%1))",
        "_mm_movelh_ps(_mm_loadl_pi(_mm_setzero_ps(), (const __m64 *)(const void *)(%1)), _mm_load_ss(%1 + 2))",
      },
      store_part = {
        "_mm_store_ss(%1, %2);",
        "_mm_storel_pi((__m64 *)(void *)(%1), %2);",
        "_mm_storel_pi((__m64 *)(void *)(%1), %2); _mm_store_ss(%1 + 2, _mm_movehl_ps(%2, %2));",
      },
      load_lanes = "_mm_castsi128_ps(_mm_slli_si128(_mm_castps_si128(%p), 4 * %f))",
      blend = "_mm_blend_ps(%1, %2, %b)",
      permute = "_mm_shuffle_ps(%1, %1, %m)",
      even = "_mm_shuffle_ps(%1, %2, 0xd8)",
      shuffle = "CONVSMITH_SHUFFLE(%1, %2, %i)",
      sum = "_mm_cvtss_f32(_mm_hadd_ps(_mm_hadd_ps(%1, %1), %1))",
      sums = "_mm_storeu_ps(%5, _mm_hadd_ps(_mm_hadd_ps(%1, %2), _mm_hadd_ps(%3, %4)));",
      add = "_mm_add_ps(%1, %2)", sub = "_mm_sub_ps(%1, %2)", mul = "_mm_mul_ps(%1, %2)", max = "_mm_max_ps(%1, %2)", min = "_mm_min_ps(%1, %2)",
      top = "_mm_or_ps(_mm_max_ps(%1, %2), _mm_and_ps(_mm_cmpunord_ps(%1, %1), _mm_castsi128_ps(_mm_set1_epi32(0x7fc00000))))",
      tops = { type = "__m128", any = "(_mm_movemask_ps(%1) != 0)",
               first = "_mm_cmpunord_ps(%1, %2)", next = "_mm_or_ps(%3, _mm_cmpunord_ps(%1, %2))",
               last = "_mm_or_ps(_mm_max_ps(%1, %2), _mm_and_ps(%3, _mm_castsi128_ps(_mm_set1_epi32(0x7fc00000))))" },
      div = "_mm_div_ps(%1, %2)",
      -- 2^23 + 127 + exponent ends in the bits of the power of two
      scale = "_mm_mul_ps(%1, _mm_castsi128_ps(_mm_slli_epi32(_mm_castps_si128(_mm_add_ps(%2, _mm_set1_ps(8388735.0f))), 23)))",
      select_negative = "_mm_blendv_ps(%3, %2, _mm_cmplt_ps(%1, _mm_setzero_ps()))",
      minus = "_mm_sub_ps(%1, _mm_mul_ps(%2, %3))",
    },
    f64 = {
      type = "__m128d", lanes = 2,
      zero = "_mm_setzero_pd()", set1 = "_mm_set1_pd(%1)", set = "_mm_setr_pd(%i)", broadcast = "_mm_set1_pd(*(%1))",
      load = "_mm_loadu_pd(%1)", store = "_mm_storeu_pd(%1, %2);",
      load_part = { "_mm_load_sd(%1)" }, store_part = { "_mm_store_sd(%1, %2);" },
      load_lanes = "_mm_castsi128_pd(_mm_slli_si128(_mm_castpd_si128(%p), 8 * %f))",
      blend = "_mm_blend_pd(%1, %2, %b)",
      permute = "_mm_shuffle_pd(%1, %1, %m)",
      even = "_mm_shuffle_pd(%1, %2, 2)",
      shuffle = "CONVSMITH_SHUFFLE(%1, %2, %i)",
      sum = "_mm_cvtsd_f64(_mm_hadd_pd(%1, %1))",
      add = "_mm_add_pd(%1, %2)", sub = "_mm_sub_pd(%1, %2)", mul = "_mm_mul_pd(%1, %2)", max = "_mm_max_pd(%1, %2)", min = "_mm_min_pd(%1, %2)",
      top = "_mm_or_pd(_mm_max_pd(%1, %2), _mm_and_pd(_mm_cmpunord_pd(%1, %1), _mm_castsi128_pd(_mm_set1_epi64x(0x7ff8000000000000))))",
      tops = { type = "__m128d", any = "(_mm_movemask_pd(%1) != 0)",
               first = "_mm_cmpunord_pd(%1, %2)", next = "_mm_or_pd(%3, _mm_cmpunord_pd(%1, %2))",
               last = "_mm_or_pd(_mm_max_pd(%1, %2), _mm_and_pd(%3, _mm_castsi128_pd(_mm_set1_epi64x(0x7ff8000000000000))))" },
      select_negative = "_mm_blendv_pd(%3, %2, _mm_cmplt_pd(%1, _mm_setzero_pd()))",
      minus = "_mm_sub_pd(%1, _mm_mul_pd(%2, %3))",
    },
    bf16 = bf16,
  },
  mac = {
    { x = "f32", w = "f32", acc = "f32", op = "_mm_add_ps(%1, _mm_mul_ps(%2, %3))",
      live = "_mm_blendv_ps(_mm_add_ps(%1, _mm_mul_ps(%2, %3)), %1, _mm_cmpeq_ps(%3, _mm_setzero_ps()))" },
    { x = "f64", w = "f64", acc = "f64", op = "_mm_add_pd(%1, _mm_mul_pd(%2, %3))",
      live = "_mm_blendv_pd(_mm_add_pd(%1, _mm_mul_pd(%2, %3)), %1, _mm_cmpeq_pd(%3, _mm_setzero_pd()))" },
  },
})
