-- The activations that are no pieces of lines, of a vector of f32: statements over operations (lib/vec.lua), no call of the C
-- library, the same bits in every lane. tools/fit.lua finds the coefficients. Errors below are the largest over floats in steps, on targets
-- with and without fused multiply-adds; u = 2^-24.

-- Declares a constant vector and returns its name.
local function let(v, name, value)
  emit(("const %s %s = %s;"):format(v.type, name, value))
  return name
end

local function number(v, text) return v.set1(v.number(text)) end

-- low <= x <= high; NaN stays
local function clamp(v, name, x, low, high)
  local raised = let(v, name .. "_raised", v.max(number(v, low), x))
  return let(v, name, v.min(number(v, high), raised))
end

-- coefficients[1] + coefficients[2] x + …
local function polynomial(v, name, x, coefficients)
  emit(("%s %s = %s;"):format(v.type, name, number(v, coefficients[#coefficients])))
  for i = #coefficients - 1, 1, -1 do
    emit(("%s = %s;"):format(name, v.mac(number(v, coefficients[i]), name, x)))
  end
  return name
end

-- x times a rational function of x * x
local function odd(v, x, above, below)
  local square = let(v, "square", v.mul(x, x))
  local numerator = let(v, "numerator", v.mul(x, polynomial(v, "above", square, above)))
  return let(v, "quotient", v.div(numerator, polynomial(v, "below", square, below)))
end

-- 1 + exp(-x), infinite from -88.4 downwards. -x = n ln 2 + rest with a whole n, which adding and taking away 1.5 * 2^23 rounds to;
-- ln 2 in two parts, of which the first has few bits, so that n times it is exact.
local function one_and_exp(v, x)
  local near = clamp(v, "near", x, "-89.0", "87.0")
  local shifted = let(v, "shifted", v.mac(number(v, "12582912.0"), near, number(v, "-1.44269504")))
  local whole = let(v, "whole", v.add(shifted, number(v, "-12582912.0")))
  local most = let(v, "most", v.mac(near, whole, number(v, "0.693359375")))
  local rest = let(v, "rest", v.mac(most, whole, number(v, "-2.12194440e-4")))
  local power = polynomial(v, "power", rest,
    { "1.0", "-1.0", "0.4999999206", "-0.1666641981", "0.04166822792", "-0.008374845883", "0.001383680381" })
  return let(v, "denominator", v.add(number(v, "1.0"), "(" .. v.scale(power, whole) .. ")"))
end

-- Within 1.5u, and 2.5u of the value.
local function sigmoid(v, x)
  return v.div(number(v, "1.0"), one_and_exp(v, x))
end

-- Within 2.5u of the value down to x = -87; zero from -88.4 downwards.
local function silu(v, x)
  return v.div(x, one_and_exp(v, x))
end

-- Within 5.5u of the value; exactly 1 from 9.8 onwards, where the quotient alone is beyond it.
local function tanh(v, x)
  local quotient = odd(v, clamp(v, "near", x, "-9.8", "9.8"),
    { "0.999999977", "0.133744931", "3.487831554e-3", "2.048149034e-5", "1.317787868e-8" },
    { "1.0", "0.4670780688", "0.02584746866", "3.272952278e-4", "7.704205574e-7" })
  return clamp(v, "tanh", quotient, "-1.0", "1.0")
end

-- x times the normal distribution's share below x, which is within 3.5u, and exactly 0 and 1 from 6 onwards.
local function gelu(v, x)
  local quotient = odd(v, clamp(v, "near", x, "-6.0", "6.0"),
    { "0.3989422609", "0.03421123806", "4.69622291e-3", "1.720128443e-4", "6.329214775e-6", "2.218858347e-8" },
    { "1.0", "0.2524209281", "0.02884315981", "1.902817379e-3", "7.443024672e-5", "1.179412473e-6" })
  local share = let(v, "share", v.add(number(v, "0.5"), quotient))
  return v.mul(x, clamp(v, "below_x", share, "0.0", "1.0"))
end

return { sigmoid = sigmoid, silu = silu, tanh = tanh, gelu = gelu }
