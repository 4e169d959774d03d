-- Straight-line linear code as a graph: values are inputs, a + c·b and c·b for constants c. Equal values are one; zeros, ones and
-- nested factors go. Constants are numbers that are exact in binary or meant to be rounded. A graph knows no ISA until it is printed.

local function new()
  local g, known, count = {}, {}, 0

  local function node(key, value)
    if known[key] then return known[key] end
    count = count + 1
    value.id, known[key] = count, value
    return value
  end

  function g.input(name) return node("input " .. name, { kind = "input", name = name }) end
  g.zero = node("zero", { kind = "zero" })

  function g.scale(c, a)
    if a.kind == "zero" or c == 0 then return g.zero end
    if a.kind == "scale" then return g.scale(c * a.c, a.b) end
    return c == 1 and a or node(("scale %.17g %d"):format(c, a.id), { kind = "scale", c = c, b = a })
  end

  -- a + c·b
  function g.sum(a, c, b)
    if b.kind == "zero" or c == 0 then return a end
    if b.kind == "scale" then return g.sum(a, c * b.c, b.b) end
    if a.kind == "zero" then return g.scale(c, b) end
    if a == b then return g.scale(1 + c, a) end
    if c == 1 and (a.kind == "scale" or a.id > b.id) then a, c, b = b, a.kind == "scale" and a.c or 1, a.kind == "scale" and a.b or a end
    return node(("sum %d %.17g %d"):format(a.id, c, b.id), { kind = "sum", a = a, c = c, b = b })
  end

  function g.add(a, b) return g.sum(a, 1, b) end
  function g.sub(a, b) return g.sum(a, -1, b) end

  -- Σ row[j]·values[j], from a term without a factor if there is one.
  local function row_sum(row, values)
    local first, total = 0, g.zero
    for j, c in ipairs(row) do if first == 0 and c == 1 then first = j end end
    if first > 0 then total = values[first] end
    for j, c in ipairs(row) do if j ~= first then total = g.sum(total, c, values[j]) end end
    return total
  end

  -- How two lists of factors go together: they are equal up to signs, some alike, some opposite.
  local function alike(count_of, first, second)
    local same, opposite = false, false
    for i = 1, count_of do
      local a, b = first(i), second(i)
      if math.abs(a) ~= math.abs(b) then return false end
      if a ~= 0 then same, opposite = same or a == b, opposite or a ~= b end
    end
    return same and opposite
  end

  -- Columns j and k that are alike become those of x[j] + x[k] and x[j] - x[k].
  local function pair_columns(matrix, values)
    for j = 1, #values do for k = j + 1, #values do
      if alike(#matrix, function(i) return matrix[i][j] end, function(i) return matrix[i][k] end) then
        local plus, minus = g.add(values[j], values[k]), g.sub(values[j], values[k])
        values[j], values[k] = plus, minus
        for _, row in ipairs(matrix) do
          local c = row[j]
          if row[j] == row[k] then row[k] = 0 else row[j], row[k] = 0, c end
        end
      end
    end end
  end

  -- The terms in which two rows agree, or those in which they don't, over `by`.
  local function part(row, other, agree, by)
    local list = {}
    for j, a in ipairs(row) do list[j] = a ~= 0 and (a == other[j]) == agree and a / by or 0 end
    return list
  end

  -- The factor that all of these share: none if some term has none, else the first.
  local function shared(row)
    local c = false
    for _, a in ipairs(row) do
      if a == 1 or a == -1 then return 1 end
      if a ~= 0 and not c then c = a end
    end
    return c
  end

  -- The products of a matrix (rows of factors) with values; rows that are alike share both their parts.
  function g.linear(rows, inputs)
    local matrix, values, outputs = {}, {}, {}
    for i, row in ipairs(rows) do
      matrix[i] = {}
      for j, c in ipairs(row) do matrix[i][j] = c end
    end
    for j, value in ipairs(inputs) do values[j] = value end
    pair_columns(matrix, values)
    for i, row in ipairs(matrix) do for k = i + 1, #matrix do
      local other = matrix[k]
      if not outputs[i] and not outputs[k] and alike(#row, function(j) return row[j] end, function(j) return other[j] end) then
        local same, c = row_sum(part(row, other, true, 1), values), shared(part(row, other, false, 1))
        local opposite = row_sum(part(row, other, false, c), values)
        outputs[i], outputs[k] = g.sum(same, c, opposite), g.sum(same, -c, opposite)
      end
    end end
    for i, row in ipairs(matrix) do outputs[i] = outputs[i] or row_sum(row, values) end
    return outputs
  end

  -- Prints what the values `outputs` need as constants of V's type, each as late as it may be; put(i, name) prints what becomes of
  -- output i, and inputs are loaded by get(name).
  function g.print(V, outputs, get, put)
    local names = {}

    local function constant(c)
      local text = ("%.17g"):format(c)
      return V.set1(V.number(text:find("[.e]") and text or text .. ".0"))
    end

    local function value(n)
      if n.kind == "zero" then return V.zero() end
      if n.kind == "input" then return get(n.name) end
      if n.kind == "scale" then return V.mul(names[n.b], constant(n.c)) end
      if n.c == 1 then return V.add(names[n.a], names[n.b]) end
      if n.c == -1 then return V.sub(names[n.a], names[n.b]) end
      return V.mac(names[n.a], names[n.b], constant(n.c))
    end

    local function define(n)
      if names[n] then return end
      if n.kind == "sum" then define(n.a) end
      if n.kind == "sum" or n.kind == "scale" then define(n.b) end
      names[n] = "g" .. n.id
      emit(("const %s %s = %s;"):format(V.type, names[n], value(n)))
    end

    for i, n in ipairs(outputs) do
      define(n)
      put(i, names[n])
    end
  end

  return g
end

return { new = new }
