-- SSE4.1: 128-bit, 16 registers, no fused multiply-add.

local x86 = "(defined(__x86_64__) || defined(__i386__)) && defined(__GNUC__)"

return derive(import("isa/scalar.lua"), {
  name = "sse41",
  about = "x86, 128-bit",
  rank = 20,
  when = x86,
  headers = { "immintrin.h" },
  attribute = '__attribute__((target("sse4.1")))',
  probe = { arch = "x86", cpuid = { { 1, 0, "c", 19 } }, xcr0 = 0, macro = "defined(__SSE4_1__)" },
  limits = { "ONEDNN_MAX_CPU_ISA=SSE41", "OPENBLAS_CORETYPE=Nehalem" },
  flags = { "-msse4.1" },
  mac_bytes = 12,
  pin = "x",
  barrier = true,
  vec = {
    f32 = {
      type = "__m128", lanes = 4,
      zero = "_mm_setzero_ps()", set1 = "_mm_set1_ps(%1)", broadcast = "_mm_set1_ps(*(%1))",
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
      add = "_mm_add_ps(%1, %2)", sub = "_mm_sub_ps(%1, %2)", mul = "_mm_mul_ps(%1, %2)", max = "_mm_max_ps(%1, %2)", min = "_mm_min_ps(%1, %2)",
      top = "_mm_blendv_ps(_mm_max_ps(%1, %2), %1, _mm_cmpunord_ps(%1, %1))",
      div = "_mm_div_ps(%1, %2)",
      -- 2^23 + 127 + exponent ends in the bits of the power of two
      scale = "_mm_mul_ps(%1, _mm_castsi128_ps(_mm_slli_epi32(_mm_castps_si128(_mm_add_ps(%2, _mm_set1_ps(8388735.0f))), 23)))",
      select_negative = "_mm_blendv_ps(%3, %2, _mm_cmplt_ps(%1, _mm_setzero_ps()))",
    },
    f64 = {
      type = "__m128d", lanes = 2,
      zero = "_mm_setzero_pd()", set1 = "_mm_set1_pd(%1)", broadcast = "_mm_set1_pd(*(%1))",
      load = "_mm_loadu_pd(%1)", store = "_mm_storeu_pd(%1, %2);",
      load_part = { "_mm_load_sd(%1)" }, store_part = { "_mm_store_sd(%1, %2);" },
      load_lanes = "_mm_castsi128_pd(_mm_slli_si128(_mm_castpd_si128(%p), 8 * %f))",
      blend = "_mm_blend_pd(%1, %2, %b)",
      permute = "_mm_shuffle_pd(%1, %1, %m)",
      even = "_mm_shuffle_pd(%1, %2, 2)",
      shuffle = "CONVSMITH_SHUFFLE(%1, %2, %i)",
      sum = "_mm_cvtsd_f64(_mm_hadd_pd(%1, %1))",
      add = "_mm_add_pd(%1, %2)", sub = "_mm_sub_pd(%1, %2)", mul = "_mm_mul_pd(%1, %2)", max = "_mm_max_pd(%1, %2)", min = "_mm_min_pd(%1, %2)",
      top = "_mm_blendv_pd(_mm_max_pd(%1, %2), %1, _mm_cmpunord_pd(%1, %1))",
      select_negative = "_mm_blendv_pd(%3, %2, _mm_cmplt_pd(%1, _mm_setzero_pd()))",
    },
  },
  mac = {
    { x = "f32", w = "f32", acc = "f32", op = "_mm_add_ps(%1, _mm_mul_ps(%2, %3))",
      live = "_mm_blendv_ps(_mm_add_ps(%1, _mm_mul_ps(%2, %3)), %1, _mm_cmpeq_ps(%3, _mm_setzero_ps()))" },
    { x = "f64", w = "f64", acc = "f64", op = "_mm_add_pd(%1, _mm_mul_pd(%2, %3))",
      live = "_mm_blendv_pd(_mm_add_pd(%1, _mm_mul_pd(%2, %3)), %1, _mm_cmpeq_pd(%3, _mm_setzero_pd()))" },
  },
})
