-- Text for those compilers and architectures only where a target exists.

-- Prints what body() prints under the condition, or under none where the condition always holds.
local function only(condition, body)
  if condition == "1" then return body() end
  emit("#if " .. condition)
  body()
  emit("#endif")
end

-- True where one of the targets exists, as a C condition.
local function any(targets)
  local list, seen = {}, {}
  for _, target in ipairs(targets) do
    local condition = target.isa.when
    if condition == "1" then return "1" end
    if not has(seen, condition) then
      seen[condition] = true
      list[#list + 1] = "(" .. condition .. ")"
    end
  end
  return table.concat(list, " || ")
end

return { only = only, any = any }
