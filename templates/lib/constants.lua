-- What emitted tests write of the runtime's types.

-- "f32" as CS_F32
local function constant(name) return ("CS_" .. name):upper() end

-- "{1, 2, 3}"
local function sizes(values)
  local text = {}
  for i, value in ipairs(values) do text[i] = value end
  return "{" .. table.concat(text, ", ") .. "}"
end

return { constant = constant, sizes = sizes }
