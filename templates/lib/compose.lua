-- Generated files put together.

-- The source of a layer without the line that includes its header.
local function without_header(layer)
  local line = '#include "' .. layer.file .. '.h"\n'
  local first, last = layer.source:find(line, 1, true)
  assert(first, "the source does not include its header")
  return layer.source:sub(1, first - 1) .. layer.source:sub(last + 1)
end

return { without_header = without_header }
