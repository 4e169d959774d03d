-- Generated files put together, and calls of their functions.

-- The source of a layer without the line that includes its header.
local function without_header(layer)
  local line = '#include "' .. layer.file .. '.h"\n'
  local first, last = layer.source:find(line, 1, true)
  assert(first, "the source does not include its header")
  return layer.source:sub(1, first - 1) .. layer.source:sub(last + 1)
end

-- The tensors of `list` as arguments: `form` names the i-th, counted from 0.
local function tensors(list, form)
  local arguments = {}
  for i, tensor in ipairs(list) do
    arguments[i] = "(const " .. tensor.ctype .. " *)" .. form:format(i - 1)
  end
  return arguments
end

-- Arguments of NAME and, but for part and parts, of NAME_part.
local function arguments(layer, form)
  local list = tensors(layer.inputs, form)
  if layer.packed then list[#list + 1] = "packed" end
  list[#list + 1] = "(" .. layer.output .. " *)output"
  if layer.workspace then list[#list + 1] = "workspace" end
  return table.concat(list, ", ")
end

local function pack_arguments(layer, form)
  local list = tensors(layer.parameters, form)
  list[#list + 1] = "packed"
  return table.concat(list, ", ")
end

return { without_header = without_header, arguments = arguments, pack_arguments = pack_arguments }
