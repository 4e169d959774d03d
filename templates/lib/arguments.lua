-- Argument lists. An argument is {ctype, name}; what is passed may be an expression in place of the name.

-- "const float *x, ptrdiff_t n"
local function declare(list)
  local text = {}
  for i, argument in ipairs(list) do
    local pointer = argument[1]:sub(-1) == "*"
    text[i] = argument[1] .. (pointer and "" or " ") .. argument[2]
  end
  return table.concat(text, ", ")
end

-- "x + 4, n": names, or what `values` has for them
local function pass(list, values)
  local text = {}
  for i, argument in ipairs(list) do text[i] = values and values[argument[2]] or argument[2] end
  return table.concat(text, ", ")
end

local function join(...)
  local all = {}
  for _, list in ipairs({ ... }) do
    for _, argument in ipairs(list) do all[#all + 1] = argument end
  end
  return all
end

-- Of NAME_pack and NAME.
local function pack_list(layer)
  local list = {}
  for _, tensor in ipairs(layer.parameters) do list[#list + 1] = { "const " .. tensor.ctype .. " *", tensor.name } end
  list[#list + 1] = { "void *", "packed" }
  return list
end

local function call_list(layer)
  local list = {}
  for _, tensor in ipairs(layer.inputs) do list[#list + 1] = { "const " .. tensor.ctype .. " *", tensor.name } end
  if layer.packed then list[#list + 1] = { "const void *", "packed" } end
  list[#list + 1] = { layer.output .. " *", "output" }
  if layer.workspace then list[#list + 1] = { "void *", "workspace" } end
  return list
end

local share = { { "int", "part" }, { "int", "parts" } }

return { declare = declare, pass = pass, join = join, pack_list = pack_list, call_list = call_list, share = share }
