-- Activations. A row gives the vector expression of x, or `smooth`: a function of its own, whose statements end in an expression.
-- Where a type lacks the operations for that, `scalar` runs lane by lane through the C library.
-- v: operations (lib/vec.lua); a, b: the layer's constants as C literals; slope: the vector of prelu's slopes.

local smooth = import("lib/smooth.lua")

local function hardsigmoid(v, x)
  local six, zero = v.set1(v.number("6.0")), v.zero()
  local shifted = v.add(x, v.set1(v.number("3.0")))
  return v.mul(v.min(six, "(" .. v.max(zero, "(" .. shifted .. ")") .. ")"), v.set1(v.number("0.166666666666666667")))
end

local function clamp(v, x, lo, hi)
  return v.min(v.set1(v.number(hi)), "(" .. v.max(v.set1(v.number(lo)), x) .. ")")
end

return {
  none = {},
  relu = { vector = function(v, x) return v.max(v.zero(), x) end },
  relu6 = { vector = function(v, x) return clamp(v, x, "0.0", "6.0") end },
  clamp = { vector = function(v, x, a, b) return clamp(v, x, a, b) end },
  leaky_relu = { vector = function(v, x, a) return v.select_negative(x, "(" .. v.mul(x, v.set1(v.number(a))) .. ")", x) end },
  prelu = { vector = function(v, x, a, b, slope) return v.select_negative(x, "(" .. v.mul(x, slope) .. ")", x) end },
  hardsigmoid = { vector = hardsigmoid },
  hardswish = { vector = function(v, x) return v.mul(x, "(" .. hardsigmoid(v, x) .. ")") end },
  sigmoid = { smooth = smooth.sigmoid, scalar = { f32 = "1.0f / (1.0f + expf(-x))", f64 = "1.0 / (1.0 + exp(-x))" } },
  tanh = { smooth = smooth.tanh, scalar = { f32 = "tanhf(x)", f64 = "tanh(x)" } },
  silu = { smooth = smooth.silu, scalar = { f32 = "x / (1.0f + expf(-x))", f64 = "x / (1.0 + exp(-x))" } },
  gelu = { smooth = smooth.gelu,
           scalar = { f32 = "0.5f * x * (1.0f + erff(x * 0.707106781186547524f))", f64 = "0.5 * x * (1.0 + erf(x * 0.707106781186547524))" } },
}
