-- Fast Fourier transforms of few points as graphs, by split radix: a transform of n points from one of the even points and two of
-- every second odd one. Complex values are {re =, im =}.

local graph = import("lib/graph.lua")

-- Cosine and sine of k/n of a turn; cosines: of a whole turn in equal steps, from 0.
local function root(cosines, k, n)
  local turn = #cosines
  local step = k * (turn // n)
  return cosines[step % turn + 1], cosines[(step - turn // 4) % turn + 1]
end

-- The results of `count` points: first, first + step, ...
local function transform(g, cosines, points, first, step, count)
  local results = {}

  -- z turned back by k/count of a turn. The larger of cosine and sine is a factor for later sums.
  local function turned(z, k)
    local cos, sin = root(cosines, k, count)
    if math.abs(cos) >= math.abs(sin) then
      return { re = g.scale(cos, g.sum(z.re, sin / cos, z.im)), im = g.scale(cos, g.sum(z.im, -sin / cos, z.re)) }
    end
    return { re = g.scale(sin, g.sum(z.im, cos / sin, z.re)), im = g.scale(-sin, g.sum(z.re, -cos / sin, z.im)) }
  end

  local function set(k, re, im) results[k] = { re = re, im = im } end

  if count == 1 then return { [0] = points[first] } end
  if count == 2 then
    local a, b = points[first], points[first + step]
    set(0, g.add(a.re, b.re), g.add(a.im, b.im))
    set(1, g.sub(a.re, b.re), g.sub(a.im, b.im))
    return results
  end
  local quarter = count // 4
  local even = transform(g, cosines, points, first, 2 * step, count // 2)
  local one = transform(g, cosines, points, first + step, 4 * step, quarter)
  local three = transform(g, cosines, points, first + 3 * step, 4 * step, quarter)
  for k = 0, quarter - 1 do
    local a, b = turned(one[k], k), turned(three[k], 3 * k)
    local sum = { re = g.add(a.re, b.re), im = g.add(a.im, b.im) }
    local difference = { re = g.sub(a.re, b.re), im = g.sub(a.im, b.im) }
    local low, high = even[k], even[k + quarter]
    set(k, g.add(low.re, sum.re), g.add(low.im, sum.im))
    set(k + 2 * quarter, g.sub(low.re, sum.re), g.sub(low.im, sum.im))
    set(k + quarter, g.add(high.re, difference.im), g.sub(high.im, difference.re))
    set(k + 3 * quarter, g.sub(high.re, difference.im), g.add(high.im, difference.re))
  end
  return results
end

-- Prints the first `kept` results of a transform of `count` points, of which those from `live` on are zeros: get(k, part) is what
-- loads part "re" or "im" of point k, put(k, re, im) prints what becomes of result k.
local function print(V, cosines, count, live, kept, get, put)
  local g, points, outputs, real = graph.new(), {}, {}, false
  for k = 0, count - 1 do
    points[k] = k < live and { re = g.input("re " .. k), im = g.input("im " .. k) } or { re = g.zero, im = g.zero }
  end
  local results = transform(g, cosines, points, 0, 1, count)
  for k = 0, kept - 1 do
    outputs[2 * k + 1], outputs[2 * k + 2] = results[k].re, results[k].im
  end
  g.print(V, outputs, function(name)
    return get(math.tointeger(tonumber(name:sub(4))), name:sub(1, 2))
  end, function(i, name)
    if i % 2 == 1 then real = name else put(i // 2 - 1, real, name) end
  end)
end

return { root = root, print = print }
