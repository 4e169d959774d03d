-- 128-bit vectors by the vector extensions of gcc and clang: any CPU, no intrinsics.

local function prelude(ctype, itype, name, lanes)
  local each, sum, even = {}, {}, {}
  for lane = 0, lanes - 1 do
    even[#even + 1] = 2 * lane < lanes and "a[" .. 2 * lane .. "]" or "b[" .. 2 * lane - lanes + 1 .. "]"
    each[#each + 1] = "a"
    sum[#sum + 1] = "v[" .. lane .. "]"
  end
  return [[
typedef ]] .. ctype .. " " .. name .. [[ __attribute__((vector_size(16)));
typedef ]] .. itype .. " " .. name .. [[_bits __attribute__((vector_size(16)));
CONVSMITH_INLINE ]] .. name .. " " .. name .. "_set1(" .. ctype .. [[ a)
{
const ]] .. name .. " v = {" .. table.concat(each, ", ") .. [[};
return v;
}
CONVSMITH_INLINE ]] .. name .. " " .. name .. "_load(const " .. ctype .. [[ *p, unsigned n)
{
]] .. name .. " v = " .. name .. [[_set1(0);
__builtin_memcpy(&v, p, n * sizeof *p);
return v;
}
CONVSMITH_INLINE ]] .. name .. " " .. name .. "_load_lanes(const " .. ctype .. [[ *p, unsigned from, unsigned n)
{
]] .. name .. " v = " .. name .. [[_set1(0);
__builtin_memcpy((]] .. ctype .. [[ *)&v + from, p + from, n * sizeof *p);
return v;
}
CONVSMITH_INLINE void ]] .. name .. "_store(" .. ctype .. " *p, " .. name .. [[ v, unsigned n)
{
__builtin_memcpy(p, &v, n * sizeof *p);
}
]] .. "CONVSMITH_INLINE " .. ctype .. " " .. name .. "_sum(" .. name .. [[ v)
{
return ]] .. table.concat(sum, " + ") .. [[;
}
CONVSMITH_INLINE ]] .. name .. " " .. name .. "_even(" .. name .. " a, " .. name .. [[ b)
{
const ]] .. name .. " v = {" .. table.concat(even, ", ") .. [[};
return v;
}
/* a where mask is set, else b */
CONVSMITH_INLINE ]] .. name .. " " .. name .. "_select(" .. name .. "_bits mask, " .. name .. " a, " .. name .. [[ b)
{
return (]] .. name .. ")((mask & (" .. name .. "_bits)a) | (~mask & (" .. name .. [[_bits)b));
}
]]
end

-- %1 · 2^%2: 2^23 + 127 + exponent ends in the bits of the power of two.
local scale = "%1 * (convsmith_f32x4)((convsmith_f32x4_bits)(%2 + convsmith_f32x4_set1(8388735.0f)) << 23)"

local function type_of(name, lanes)
  return {
    type = name, lanes = lanes,
    zero = name .. "_set1(0)", set1 = name .. "_set1(%1)", set = "(" .. name .. "){%i}", broadcast = name .. "_set1(*(%1))",
    load = name .. "_load(%1, " .. lanes .. ")", load_part = name .. "_load(%1, %n)",
    store = name .. "_store(%1, %2, " .. lanes .. ");", store_part = name .. "_store(%1, %2, %n);",
    sum = name .. "_sum(%1)", even = name .. "_even(%1, %2)",
    shuffle = "CONVSMITH_SHUFFLE(%1, %2, %i)",
    load_lanes = name .. "_load_lanes(%1, %f, %n)",
    blend = name .. "_select((" .. name .. "_bits){%l}, %2, %1)",
    add = "%1 + %2", sub = "%1 - %2", mul = "%1 * %2",
    max = name .. "_select(%2 < %1, %1, %2)", min = name .. "_select(%2 > %1, %1, %2)",
    top = name .. "_select((%1 > %2) | (%1 != %1), %1, %2)",
    select_negative = name .. "_select(%1 < " .. name .. "_set1(0), %2, %3)",
    minus = "%1 - %2 * %3",
  }
end

local scalar = import("isa/scalar.lua")
local bf16 = {
  lanes = 4,
  preludes = { scalar.vec.bf16.preludes[1], { name = "BF16_VEC128", text = [[
typedef uint32_t convsmith_u32x4 __attribute__((vector_size(16)));
CONVSMITH_INLINE convsmith_f32x4 convsmith_bf16x4_load(const uint16_t *p, unsigned from, unsigned n)
{
convsmith_u32x4 bits = {0, 0, 0, 0};
for (unsigned i = from; i < from + n; i++) bits[i] = (uint32_t)p[i] << 16;
return (convsmith_f32x4)bits;
}
CONVSMITH_INLINE void convsmith_bf16x4_store(uint16_t *p, convsmith_f32x4 v, unsigned n)
{
const convsmith_u32x4 bits = (convsmith_u32x4)v, nan = (convsmith_u32x4)(v != v);
const convsmith_u32x4 even = bits + 0x7fffu + (bits >> 16 & 1u), quiet = bits | 0x400000u;
const convsmith_u32x4 upper = ((nan & quiet) | (~nan & even)) >> 16;
for (unsigned i = 0; i < n; i++) p[i] = (uint16_t)upper[i];
}
]] } },
  load = "convsmith_bf16x4_load(%1, 0, 4)", load_part = "convsmith_bf16x4_load(%1, 0, %n)",
  load_lanes = "convsmith_bf16x4_load(%1, %f, %n)",
  broadcast = "convsmith_f32x4_set1(convsmith_bf16_widen(*(%1)))",
  store = "convsmith_bf16x4_store(%1, %2, 4);", store_part = "convsmith_bf16x4_store(%1, %2, %n);",
}

local function live(name)
  return name .. "_select(%3 != " .. name .. "_set1(0), %1 + %2 * %3, %1)"
end

return derive(scalar, {
  name = "vec128",
  about = "128-bit vectors of gcc and clang, any CPU",
  rank = 10,
  when = "defined(__GNUC__)",
  prelude = prelude("float", "int", "convsmith_f32x4", 4) .. prelude("double", "long long", "convsmith_f64x2", 2),
  attribute = "",
  probe = { arch = "any" },
  barrier = true,
  vec = { f32 = derive(type_of("convsmith_f32x4", 4), { div = "%1 / %2", scale = scale }), f64 = type_of("convsmith_f64x2", 2), bf16 = bf16 },
  mac = {
    { x = "f32", w = "f32", acc = "f32", op = "%1 + %2 * %3", live = live("convsmith_f32x4") },
    { x = "f64", w = "f64", acc = "f64", op = "%1 + %2 * %3", live = live("convsmith_f64x2") },
  },
})
