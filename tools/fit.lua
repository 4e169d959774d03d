-- Finds the coefficients of templates/lib/smooth.lua: polynomials and quotients of polynomials that stay closest to a function.
-- usage: lua5.4 tools/fit.lua
--
-- Lawson's method: least squares over points, whose weights grow where the error is large until it is equally large everywhere. A
-- quotient P/Q near f is a least squares problem too, P - f Q = 0, divided by the Q of the round before.

local POINTS, ROUNDS = 160, 60

-- Solves least squares by Householder reflections: rows of the matrix, each with its right side as last element.
local function solve(rows, unknowns)
  for k = 1, unknowns do
    local square = 0
    for i = k, #rows do square = square + rows[i][k] ^ 2 end
    local v, length = {}, rows[k][k] > 0 and -math.sqrt(square) or math.sqrt(square)
    for i = k, #rows do v[i] = rows[i][k] end
    v[k] = v[k] - length
    local half = length * (length - rows[k][k])
    for j = k, unknowns + 1 do
      local dot = 0
      for i = k, #rows do dot = dot + v[i] * rows[i][j] end
      for i = k, #rows do rows[i][j] = rows[i][j] - v[i] * dot / half end
    end
  end
  local x = {}
  for k = unknowns, 1, -1 do
    local rest = rows[k][unknowns + 1]
    for j = k + 1, unknowns do rest = rest - rows[k][j] * x[j] end
    x[k] = rest / rows[k][k]
  end
  return x
end

local function polynomial(coefficients, t)
  local sum = 0.0
  for i = #coefficients, 1, -1 do sum = sum * t + coefficients[i] end
  return sum
end

-- P and Q (1 + ...) from the solution, whose unknowns belong to t / scale.
local function split(solution, problem, scale)
  local above, below = {}, { 1.0 }
  for i = 0, problem.above do above[i + 1] = solution[i + 1] / scale ^ i end
  for i = 1, problem.below do below[i + 1] = solution[problem.above + 1 + i] / scale ^ i end
  return above, below
end

-- One round: the best P and Q under the points' weights.
local function round(problem, points, scale)
  local rows = {}
  for i, point in ipairs(points) do
    local row, factor = {}, math.sqrt(point.weight) * point.worth / point.below
    for j = 0, problem.above do row[#row + 1] = factor * (point.t / scale) ^ j end
    for j = 1, problem.below do row[#row + 1] = -factor * point.f * (point.t / scale) ^ j end
    row[#row + 1] = factor * point.f
    rows[i] = row
  end
  return split(solve(rows, problem.above + 1 + problem.below), problem, scale)
end

-- Errors under P and Q make the next weights. Returns the largest.
local function weigh(points, above, below)
  local largest, sum = 0, 0
  for _, point in ipairs(points) do
    point.below = polynomial(below, point.t)
    point.error = math.abs(polynomial(above, point.t) / point.below - point.f) * point.worth
    largest = math.max(largest, point.error)
  end
  for _, point in ipairs(points) do
    point.weight = point.weight * (point.error / largest + 1e-3)
    sum = sum + point.weight
  end
  for _, point in ipairs(points) do point.weight = point.weight * #points / sum end
  return largest
end

local function fit(problem)
  local points, best = {}, { error = math.huge }
  local middle, half = (problem.to + problem.from) / 2, (problem.to - problem.from) / 2
  for i = 1, POINTS do
    local t = middle + half * math.cos(math.pi * (i - 0.5) / POINTS)
    points[i] = { t = t, f = problem.f(t), worth = problem.worth(t), weight = 1, below = 1 }
  end
  for _ = 1, ROUNDS do
    local above, below = round(problem, points, problem.to)
    local error = weigh(points, above, below)
    if error < best.error then best = { error = error, above = above, below = below } end
  end
  return best
end

local function tanh(x) return 1 - 2 / (math.exp(2 * x) + 1) end

-- The normal distribution's share between 0 and x: a series of positive terms.
local function share(x)
  local term, sum, n = x, x, 1
  while term > sum * 1e-17 do
    n = n + 2
    term = term * x * x / n
    sum = sum + term
  end
  return sum * math.exp(-x * x / 2) / math.sqrt(2 * math.pi)
end

-- Odd functions are x times a function of t = x * x. worth: what a unit of error counts; relative errors of exp and tanh, those of
-- x times the share beside |x|.
local problems = {
  { name = "exp(-t)", from = -0.3467, to = 0.3467, above = 6, below = 0,
    f = function(t) return math.exp(-t) end, worth = function(t) return math.exp(t) end },
  { name = "tanh(x) / x", from = 1e-4, to = 9.1 ^ 2, above = 4, below = 4,
    f = function(t) return tanh(math.sqrt(t)) / math.sqrt(t) end, worth = function(t) return math.sqrt(t) / tanh(math.sqrt(t)) end },
  { name = "share(x) / x", from = 1e-4, to = 5.6 ^ 2, above = 5, below = 5,
    f = function(t) return share(math.sqrt(t)) / math.sqrt(t) end, worth = function(t) return math.max(math.sqrt(t), 0.5) end },
}

local function show(title, coefficients)
  local text = {}
  for i, value in ipairs(coefficients) do text[i] = ("%.10g"):format(value) end
  print("  " .. title .. " " .. table.concat(text, ", "))
end

for _, problem in ipairs(problems) do
  local best = fit(problem)
  print(("%s: error %.2f u"):format(problem.name, best.error * 2 ^ 24))
  show("above", best.above)
  show("below", best.below)
end
