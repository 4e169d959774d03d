-- Targets from the best to the least, as the picker numbers them from 1.
local function order(targets)
  local list = {}
  for i, target in ipairs(targets) do list[i] = target end
  table.sort(list, function(a, b) return a.isa.rank > b.isa.rank end)
  return list
end

local function number(targets, target)
  for i, other in ipairs(order(targets)) do
    if other.name == target.name then return i end
  end
end

-- Is there one whose kernels ask which target was picked?
local function asking(targets)
  for _, target in ipairs(targets) do
    if target.asks then return true end
  end
  return false
end

return { order = order, number = number, asking = asking }
