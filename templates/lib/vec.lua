-- An ISA's operations on one type as functions that return C: the only reader of templates/isa. Operands are C expressions.

local elements = import("isa/scalar.lua").vec

-- Puts operands into the holes of an operation.
local function fill(text, operands)
  return (text:gsub("%%([1-9bfilmnp])", operands))
end

-- Pointer plus a constant.
local function at(pointer, offset)
  if offset == 0 then return pointer end
  return pointer .. (offset < 0 and " - " .. -offset or " + " .. offset)
end

local function mac_row(isa, dtype)
  for _, row in ipairs(isa.mac) do
    if row.x == dtype and row.w == dtype and row.acc == dtype then return row end
  end
  fail("isa/" .. isa.name .. ".lua has no mac row for " .. dtype)
end

-- A whole or a partial operation: `part` is a string with %n or a list with a string for each number of live lanes.
local function partly(ops, whole, part, operands, live)
  if live == ops.lanes then return fill(ops[whole], operands) end
  local text = ops[part]
  operands.n = tostring(live)
  return fill(type(text) == "string" and text or text[live], operands)
end

-- The lanes [from, to) of `lanes`: the first, how many, as bits, and as a list of 0 and -1.
local function range(lanes, from, to)
  local list = {}
  for lane = 0, lanes - 1 do list[lane + 1] = lane >= from and lane < to and "-1" or "0" end
  return { f = tostring(from), n = tostring(to - from), b = ("0x%x"):format((1 << to) - (1 << from)), l = table.concat(list, ", ") }
end

-- Those lanes that take the second vector's: as bits, and as a list of 0 and -1. False where one leaves its place.
local function chosen(lanes)
  local bits, list, count = 0, {}, #lanes
  for i, lane in ipairs(lanes) do
    if lane % count ~= i - 1 then return false end
    bits, list[i] = bits | lane // count << i - 1, lane < count and "0" or "-1"
  end
  return { b = ("0x%x"):format(bits), l = table.concat(list, ", ") }
end

-- The lanes [from, to) of elements 2 apart, from their neighbourhood: what lies up to the end of one vector, and from there on.
local function every_second(v, ops, pointer, from, to)
  local first, last, lanes = 2 * from, 2 * to - 1, v.lanes
  local low = first < lanes and v.get_lanes(pointer, 1, first, last < lanes and last or lanes)
  local high = last > lanes and v.get_lanes(at(pointer, lanes - 1), 1, first >= lanes and first - lanes + 1 or 0, last - lanes + 1)
  return fill(ops.even, { ["1"] = low or v.zero(), ["2"] = high or v.zero() })
end

-- NaN of the last value stays by the order of operands; that of the others is found two by two, alike in lists that begin alike.
local function largest(v, ops, list)
  local text, seen, count = list[1], false, #list
  if count == 1 then return text end
  if count == 2 then return fill(ops.top, { ["1"] = text, ["2"] = list[2] }) end
  for i = 2, count - 1 do text = v.max(list[i], text) end
  for i = 1, count - 1, 2 do
    local other = i + 1 < count and list[i + 1] or list[i]
    seen = fill(seen and ops.tops.next or ops.tops.first, { ["1"] = list[i], ["2"] = other, ["3"] = seen })
  end
  return fill(ops.tops.last, { ["1"] = text, ["2"] = list[count], ["3"] = seen })
end

-- symbol: prefix of the helpers gather and scatter; live_weights: a weight of zero is no tap.
local function new(isa, dtype, symbol, live_weights)
  local ops, numbers = isa.vec[dtype], dtype
  if has(ops, "numbers") then
    numbers = ops.numbers
    ops = derive(isa.vec[numbers], ops)
  end
  local row, scalar = mac_row(isa, numbers), numbers == "f32" and "float" or "double"
  -- ctype: an element in memory; numbers, scalar: the type of what vectors hold, and of one of them in C
  local v = { type = ops.type, lanes = ops.lanes, ctype = has(ops, "ctype") and ops.ctype or scalar, numbers = numbers, scalar = scalar, isa = isa,
              asm = not live_weights and isa.mac_asm and isa.mac_asm[numbers],
              lanes_asm = not live_weights and isa.lanes_asm and isa.lanes_asm[numbers] }

  -- A float literal.
  function v.number(text) return text .. (numbers == "f32" and "f" or "") end
  function v.zero() return ops.zero end
  function v.set1(value) return fill(ops.set1, { ["1"] = value }) end
  -- list: a scalar for each lane; v.set is false where there is no such operation
  v.set = ops.set and function(list) return fill(ops.set, { i = table.concat(list, ",\n") }) end
  function v.element(pointer) return fill(elements[dtype].load, { ["1"] = pointer }) end
  function v.broadcast(pointer) return fill(ops.broadcast, { ["1"] = pointer }) end
  function v.add(a, b) return fill(ops.add, { ["1"] = a, ["2"] = b }) end
  function v.sub(a, b) return fill(ops.sub, { ["1"] = a, ["2"] = b }) end
  -- lanes: which lane of a each lane takes, from 0; by an operand and as bits of a number (%m)
  -- order: a variable that holds v.order(lanes), where there is one
  function v.permute(a, lanes, order)
    local bits, width = 0, ops.lanes < 4 and 1 or 2
    for i = #lanes, 1, -1 do bits = bits << width | lanes[i] end
    return fill(ops.permute, { ["1"] = a, ["2"] = order or v.order(lanes), m = tostring(bits) })
  end
  -- What permute takes as its second operand, or false where it has none; its type.
  v.order_type = ops.order and ops.order.type
  function v.next_order(order) return fill(ops.order.next, { ["1"] = order }) end
  function v.order(lanes) return ops.order and fill(ops.order.value, { i = table.concat(lanes, ", ") }) end
  -- lanes of a (from 0) and b (from the number of lanes)
  function v.shuffle(a, b, lanes)
    local copy = {}
    for i, lane in ipairs(lanes) do copy[i] = lane end
    return fill(ops.shuffle, { ["1"] = a, ["2"] = b, i = table.concat(copy, ", ") })
  end
  -- The same, as a blend where all lanes stay in their places.
  function v.take(a, b, lanes)
    local operands = chosen(lanes)
    if not operands then return v.shuffle(a, b, lanes) end
    operands["1"], operands["2"] = a, b
    return fill(ops.blend, operands)
  end
  -- A vector whose equal parts lie at these pointers, as many as the ISA's `pieces` says.
  function v.join(pointers)
    local operands = {}
    for i, pointer in ipairs(pointers) do operands[tostring(i)] = pointer end
    return fill(ops.pieces.load, operands)
  end
  function v.sum(a) return fill(ops.sum, { ["1"] = a }) end
  -- The sums of four vectors, side by side to pointer; false where there is no such operation.
  v.sums = ops.sums and function(pointer, a, b, c, d)
    return fill(ops.sums, { ["1"] = a, ["2"] = b, ["3"] = c, ["4"] = d, ["5"] = pointer })
  end
  function v.mul(a, b) return fill(ops.mul, { ["1"] = a, ["2"] = b }) end
  -- Are there operations for smooth activations? Else they go through the C library, lane by lane.
  v.smooth = ops.div and ops.scale and true
  function v.div(a, b) return fill(ops.div, { ["1"] = a, ["2"] = b }) end
  function v.scale(a, exponent) return fill(ops.scale, { ["1"] = a, ["2"] = exponent }) end
  -- constant: a name or literal; x stays where it is NaN
  function v.max(constant, x) return fill(ops.max, { ["1"] = constant, ["2"] = x }) end
  function v.min(constant, x) return fill(ops.min, { ["1"] = constant, ["2"] = x }) end
  -- The largest of a list, NaN where one of them is; more than two only where the ISA has `tops`.
  v.tops = ops.tops and true
  function v.top(list) return largest(v, ops, list) end
  -- Which lanes of vectors have NaN, in a variable of nan_type: with what is known already, or false; has one of them? Only with `tops`.
  v.nan_type = ops.tops and ops.tops.type
  function v.see_nan(seen, a, b) return fill(seen and ops.tops.next or ops.tops.first, { ["1"] = a, ["2"] = b, ["3"] = seen }) end
  function v.any_nan(seen) return fill(ops.tops.any, { ["1"] = seen }) end
  function v.select_negative(x, a, b) return fill(ops.select_negative, { ["1"] = x, ["2"] = a, ["3"] = b }) end
  function v.mac(acc, x, w) return fill(live_weights and row.live or row.op, { ["1"] = acc, ["2"] = x, ["3"] = w }) end
  -- acc - x * w
  function v.minus(acc, x, w) return fill(ops.minus, { ["1"] = acc, ["2"] = x, ["3"] = w }) end
  -- Does a vector of elements `step` apart go through a helper, lane by lane?
  function v.gathers(step) return v.lanes > 1 and step ~= 1 and not (step == 2 and ops.even) end
  -- `live` elements, `step` apart, as a vector; the other way round
  function v.get(pointer, step, live)
    if step == 1 or v.lanes == 1 then return partly(ops, "load", "load_part", { ["1"] = pointer }, live) end
    if not v.gathers(step) then return every_second(v, ops, pointer, 0, live) end
    return symbol .. "_gather(" .. pointer .. ", " .. step .. ", " .. live .. ")"
  end
  -- The same where stretches are read in turns. v.fetches: does the kernel, by the ISA's own operation?
  v.fetches = false
  function v.fetch(pointer, step, live)
    if v.fetches and step == 1 and live == v.lanes then return symbol .. "_fetch(" .. pointer .. ")" end
    return v.get(pointer, step, live)
  end
  function v.fetched(pointer) return fill(ops.fetch, { ["1"] = pointer }) end
  -- The lanes [from, to) of the vector at pointer; only they are there. step: 1, or 2 where the ISA has `even`
  function v.get_lanes(pointer, step, from, to)
    if from == 0 then return v.fetch(pointer, step, to) end
    if step == 2 then return every_second(v, ops, pointer, from, to) end
    local operands = range(v.lanes, from, to)
    operands["1"], operands.p = pointer, partly(ops, "load", "load_part", { ["1"] = at(pointer, from) }, to - from)
    return fill(ops.load_lanes, operands)
  end
  -- The operand of lanes_asm that names them.
  function v.mask(from, to) return fill(v.lanes_asm.mask, range(v.lanes, from, to)) end
  -- b in the lanes [from, to), a in the others
  function v.blend(a, b, from, to)
    local operands = range(v.lanes, from, to)
    operands["1"], operands["2"] = a, b
    return fill(ops.blend, operands)
  end
  function v.put(pointer, step, live, value)
    if step == 1 or v.lanes == 1 then return partly(ops, "store", "store_part", { ["1"] = pointer, ["2"] = value }, live) end
    return symbol .. "_scatter(" .. pointer .. ", " .. step .. ", " .. live .. ", " .. value .. ");"
  end
  -- Tiles of planes, where the ISA has them: registers are numbers.
  v.planes = has(ops, "planes") and ops.planes
  function v.load_tile(tile, from, step) return fill(v.planes.load, { ["1"] = tostring(tile), ["2"] = from, ["3"] = tostring(step) }) end
  function v.store_tile(tile, to, step) return fill(v.planes.store, { ["1"] = tostring(tile), ["2"] = to, ["3"] = tostring(step) }) end
  function v.multiply_tiles(sum, x, w)
    return fill(v.planes.multiply, { ["1"] = tostring(sum), ["2"] = tostring(x), ["3"] = tostring(w) })
  end
  function v.split(planes, a, b, to) return fill(v.planes.split[planes], { ["1"] = a, ["2"] = b, ["3"] = to }) end
  function v.extend(least, most, a) return fill(v.planes.extend, { ["1"] = least, ["2"] = most, ["3"] = a }) end
  function v.bits(a) return fill(v.planes.bits, { ["1"] = a }) end
  function v.rounded(a) return fill(v.planes.rounded, { ["1"] = a }) end
  return v
end

return { new = new, at = at }
