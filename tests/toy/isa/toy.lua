-- A made-up instruction set: two lanes in a struct, every operation a function. It shows that a target is one file.

local function prelude(name, ctype)
  local text = [[
typedef struct {
TYPE lane[2];
} NAME;
CONVSMITH_INLINE NAME NAME_set(TYPE a, TYPE b)
{
NAME v;
v.lane[0] = a, v.lane[1] = b;
return v;
}
CONVSMITH_INLINE NAME NAME_add(NAME a, NAME b)
{
return NAME_set(a.lane[0] + b.lane[0], a.lane[1] + b.lane[1]);
}
CONVSMITH_INLINE NAME NAME_mul(NAME a, NAME b)
{
return NAME_set(a.lane[0] * b.lane[0], a.lane[1] * b.lane[1]);
}
CONVSMITH_INLINE NAME NAME_max(NAME c, NAME x)
{
return NAME_set(x.lane[0] < c.lane[0] ? c.lane[0] : x.lane[0], x.lane[1] < c.lane[1] ? c.lane[1] : x.lane[1]);
}
CONVSMITH_INLINE NAME NAME_min(NAME c, NAME x)
{
return NAME_set(x.lane[0] > c.lane[0] ? c.lane[0] : x.lane[0], x.lane[1] > c.lane[1] ? c.lane[1] : x.lane[1]);
}
CONVSMITH_INLINE NAME NAME_negative(NAME x, NAME a, NAME b)
{
return NAME_set(x.lane[0] < 0 ? a.lane[0] : b.lane[0], x.lane[1] < 0 ? a.lane[1] : b.lane[1]);
}
/* acc where w is zero */
CONVSMITH_INLINE NAME NAME_live(NAME acc, NAME x, NAME w)
{
const NAME sum = NAME_add(acc, NAME_mul(x, w));
return NAME_set(w.lane[0] != 0 ? sum.lane[0] : acc.lane[0], w.lane[1] != 0 ? sum.lane[1] : acc.lane[1]);
}
CONVSMITH_INLINE void NAME_store(TYPE *p, NAME v)
{
p[0] = v.lane[0], p[1] = v.lane[1];
}
]]
  return (text:gsub("NAME", name):gsub("TYPE", ctype))
end

local function type_of(name)
  local text = {
    zero = "NAME_set(0, 0)", set1 = "NAME_set(%1, %1)", broadcast = "NAME_set(*(%1), *(%1))",
    load = "NAME_set((%1)[0], (%1)[1])", load_part = "NAME_set(*(%1), 0)",
    store = "NAME_store(%1, %2);", store_part = "*(%1) = (%2).lane[0];",
    sum = "((%1).lane[0] + (%1).lane[1])", add = "NAME_add(%1, %2)", mul = "NAME_mul(%1, %2)", max = "NAME_max(%1, %2)", min = "NAME_min(%1, %2)",
    select_negative = "NAME_negative(%1, %2, %3)",
  }
  local ops = { type = name, lanes = 2 }
  for _, key in ipairs(keys(text)) do ops[key] = text[key]:gsub("NAME", name) end
  return ops
end

local function mac(name, dtype)
  local op = ("NAME_add(%1, NAME_mul(%2, %3))"):gsub("NAME", name)
  return { x = dtype, w = dtype, acc = dtype, op = op, live = name .. "_live(%1, %2, %3)" }
end

return derive(import("isa/scalar.lua"), {
  name = "toy",
  about = "two lanes in a struct, made up",
  rank = 1,
  prelude = prelude("toy_f32", "float") .. prelude("toy_f64", "double"),
  vec = { f32 = type_of("toy_f32"), f64 = type_of("toy_f64") },
  mac = { mac("toy_f32", "f32"), mac("toy_f64", "f64") },
})
