-- Makes a page of what `convsmith bench --json` wrote: FOLDER/bench.md, bench.json and bench.svg; or PAGE.md alone, of means and
-- losses, for a further machine. Ratios only: absolute times belong to the machine.
-- usage: lua5.4 tools/bench_page.lua FOLDER|PAGE.md PIECE.json...

-- ---- JSON, as bench writes it ------------------------------------------------------------------------------------------

local parse

local function spaces(text, at) return text:find("[^ \n\t\r]", at) end

local function list(text, at)
  local result = {}
  at = spaces(text, at)
  while text:sub(at, at) ~= "]" do
    result[#result + 1], at = parse(text, at)
    at = spaces(text, at)
    if text:sub(at, at) == "," then at = spaces(text, at + 1) end
  end
  return result, at + 1
end

local function object(text, at)
  local result = {}
  at = spaces(text, at)
  while text:sub(at, at) ~= "}" do
    local key, value
    key, at = parse(text, at)
    value, at = parse(text, (text:find(":", at, true)) + 1)
    result[key] = value
    at = spaces(text, at)
    if text:sub(at, at) == "," then at = spaces(text, at + 1) end
  end
  return result, at + 1
end

local escapes = { ['\\"'] = '"', ["\\\\"] = "\\", ["\\u000a"] = "\n" }

local function quoted(text, at)
  local stop = at
  while text:sub(stop, stop) ~= '"' do stop = stop + (text:sub(stop, stop) == "\\" and 2 or 1) end
  local value = text:sub(at, stop - 1):gsub("\\u%x%x%x%x", escapes):gsub("\\.", escapes)
  return value, stop + 1
end

local words = { ["true"] = true, ["false"] = false } -- null is nil: the field is not there

function parse(text, at)
  at = spaces(text, at)
  local first = text:sub(at, at)
  if first == "{" then return object(text, at + 1) end
  if first == "[" then return list(text, at + 1) end
  if first == '"' then return quoted(text, at + 1) end
  local word = text:match("^[%w%.%+%-]+", at)
  return words[word] == nil and tonumber(word) or words[word], at + #word
end

local function write_value(value, indent)
  if type(value) == "string" then return '"' .. value:gsub('[\\"]', "\\%0"):gsub("\n", "\\u000a") .. '"' end
  if type(value) == "number" and math.type(value) == "float" then return ("%.4g"):format(value) end
  if type(value) ~= "table" then return tostring(value) end
  local inner, parts = indent .. "  ", {}
  if #value > 0 then
    for _, item in ipairs(value) do parts[#parts + 1] = inner .. write_value(item, inner) end
    return "[\n" .. table.concat(parts, ",\n") .. "\n" .. indent .. "]"
  end
  local keys = {}
  for key in pairs(value) do keys[#keys + 1] = key end
  table.sort(keys)
  for _, key in ipairs(keys) do parts[#parts + 1] = ('%s"%s": %s'):format(inner, key, write_value(value[key], inner)) end
  return "{\n" .. table.concat(parts, ",\n") .. "\n" .. indent .. "}"
end

-- ---- files -------------------------------------------------------------------------------------------------------------

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  file:close()
end

-- ---- sums --------------------------------------------------------------------------------------------------------------

-- What was measured of a piece: its spec, and how where that is not the usual.
local function title(piece)
  local text = piece.spec:gsub("%.yaml$", "")
  if piece.cold then text = text .. ", weights cold" end
  if piece.consumer then text = text .. ", output read" end
  if piece.threads > 1 then text = text .. (", %d threads"):format(piece.threads) end
  for _, setting in ipairs(piece.set or {}) do text = text .. ", " .. setting end
  return text
end

-- Everything measured, piece by piece and target by target, without absolute times.
local function sections_of(pieces)
  local sections = {}
  for _, piece in ipairs(pieces) do
    for _, target in ipairs(piece.targets) do
      for _, layer in ipairs(target.layers) do layer.gflops = nil end
      target.spec = title(piece)
      target.rounds, target.threads = piece.rounds, piece.threads
      sections[#sections + 1] = target
    end
  end
  return sections
end

local function peer_ratio(layer, name)
  for _, peer in ipairs(layer.peers) do
    if peer.name == name or peer.name == name .. "-plain" then return peer.ratio, peer.implementation end
  end
end

local function mean(layers, ratio_of)
  local sum, count = 0, 0
  for _, layer in ipairs(layers) do
    local ratio = ratio_of(layer)
    if ratio then sum, count = sum + math.log(ratio), count + 1 end
  end
  return count > 0 and math.exp(sum / count) or nil
end

local function least(layers)
  local slowest
  for _, layer in ipairs(layers) do
    if layer.best and (not slowest or layer.best < slowest.best) then slowest = layer end
  end
  return slowest
end

-- ---- the page ----------------------------------------------------------------------------------------------------------

local page = {}
local function put(format, ...) page[#page + 1] = select("#", ...) > 0 and format:format(...) or format end
local function number(value) return value and ("%.2f"):format(value) or "–" end
local function percent(value) return value and ("%.0f %%"):format(100 * value) or "–" end

local peer_names = { "onednn", "xnnpack", "openblas", "naive" }

local function put_versions(sections, piece)
  put("Measured on %s, convsmith %s; one thread and weights hot, where nothing else is said. The others, of this system's packages:",
    piece.machine, piece.version)
  put("")
  local seen = {}
  for _, section in ipairs(sections) do
    for _, peer in ipairs(section.peers) do
      if peer.version and not seen[peer.name] then
        seen[peer.name] = true
        put("- %s: %s", peer.name, peer.version)
      end
    end
  end
  put("")
end

local function put_means(sections)
  put("| spec | target | layers | best of them | %s | slowest layer |", table.concat(peer_names, " | "))
  put("| --- | --- | ---: | ---: |%s --- |", (" ---: |"):rep(#peer_names))
  for _, section in ipairs(sections) do
    local cells, slowest = {}, least(section.layers)
    for i, name in ipairs(peer_names) do
      cells[i] = number(mean(section.layers, function(layer) return (peer_ratio(layer, name)) end))
    end
    put("| %s | %s | %d | **%s** | %s | %s |", section.spec, section.target, #section.layers,
      number(mean(section.layers, function(layer) return layer.best end)), table.concat(cells, " | "),
      slowest and ("%s %s"):format(slowest.layer, number(slowest.best)) or "–")
  end
  put("")
end

local function put_losses(sections)
  put("## What we lose")
  put("")
  put("What limits such layers, and what was tried: [losses](losses.md).")
  put("")
  local count = 0
  for _, section in ipairs(sections) do
    for _, layer in ipairs(section.layers) do
      if not layer.ok then put("- %s, %s: not timed: %s", layer.layer, layer.target, layer.message or "?") end
      if layer.best and layer.best < 0.97 then
        local _, implementation = peer_ratio(layer, "onednn")
        put("- %s %s, %s: %s of the best (%s)", section.spec, layer.layer, layer.target, number(layer.best), implementation or "not oneDNN")
        count = count + 1
      end
    end
  end
  put(count == 0 and "No layer is below 0.97." or "")
  put("")
end

local function put_layers(section)
  put("## %s, %s", section.spec, section.target)
  put("")
  local several = section.threads > 1
  put("| layer | peak | %s | best of them | %s | oneDNN's implementation | plan |", several and "scaling | ceiling" or "limit",
    table.concat(peer_names, " | "))
  put("| --- | ---: | ---: | ---: |%s --- | --- |", (" ---: |"):rep(#peer_names + (several and 1 or 0)))
  for _, layer in ipairs(section.layers) do
    local cells = {}
    for i, name in ipairs(peer_names) do cells[i] = number((peer_ratio(layer, name))) end
    local _, implementation = peer_ratio(layer, "onednn")
    local bounds = several and number(layer.scaling) .. " | " .. number(layer.ceiling) or percent(layer.share_of_limit)
    put("| %s | %s | %s | **%s** | %s | %s | %s |", layer.layer, percent(layer.share_of_peak), bounds,
      number(layer.best), table.concat(cells, " | "), implementation or "–", layer.plan)
  end
  put("")
end

-- A row of the picture for each spec and target: geometric means; and all layers in its roofline.
local function chart_rows(sections)
  local rows = {}
  for _, section in ipairs(sections) do
    local bars = {}
    for i = 1, 3 do
      local ratio = mean(section.layers, function(layer) return (peer_ratio(layer, peer_names[i])) end)
      if ratio then bars[#bars + 1] = { name = peer_names[i], ratio = ratio } end
    end
    local dots = {}
    for _, layer in ipairs(section.layers) do
      if layer.ok then
        dots[#dots + 1] = { name = layer.layer, target = layer.target, intensity = layer.flops_per_byte, peak = layer.share_of_peak,
                            limit = layer.share_of_peak / (layer.share_of_limit or layer.share_of_peak) }
      end
    end
    rows[#rows + 1] = { name = section.spec, target = section.target, bars = bars, dots = dots }
  end
  return rows
end

local function put_page(sections, piece)
  put("# Measured")
  put("")
  put("Made by `make bench`. A number above 1 says how many times faster the generated kernel is, below 1 that the other one is. One thread,")
  put("medians of rounds in which all take turns; [bench](commands.md#bench) tells how. *Best of them* is the fastest of oneDNN, XNNPACK and")
  put("OpenBLAS for each layer; *peak* is the share of the multiply-add peak, *limit* of the roofline: the longer of computing at the peak and")
  put("moving input, weights and output once; *scaling* tells how many times faster several threads are than one, *ceiling* the same of the")
  put("peak. No layer is left out of a mean. [bench.json](bench.json) holds every row.")
  put("Layers are channels last (`nhwc`), and the libraries choose how tensors lie, where nothing else is said; with `layout=nchw` theirs lie")
  put("channels first as ours do. [Both layouts](layouts.md): what channels first costs. [Another machine](bench_zen5.md).")
  put("")
  put("![geometric means against each peer, and the roofline](bench.svg)")
  put("")
  put_versions(sections, piece)
  put_means(sections)
  put_losses(sections)
  for _, section in ipairs(sections) do put_layers(section) end
end

-- Means and losses alone.
local function put_short_page(sections, piece)
  put("# Measured on another machine")
  put("")
  put("The same generated kernels, whose plans never look at the machine, as [measured](bench.md) elsewhere. A number above 1 says how many")
  put("times faster they are than the other library, which chooses its own code for the machine.")
  put("")
  put_versions(sections, piece)
  put_means(sections)
  put_losses(sections)
end

local function text_of_page() return table.concat(page, "\n"):gsub("\n+$", "") .. "\n" end

local goal, pieces = arg[1], {}
for i = 2, #arg do pieces[#pieces + 1] = (parse(read(arg[i]), 1)) end
local sections = sections_of(pieces)

if goal:find("%.md$") then
  put_short_page(sections, pieces[1])
  write(goal, text_of_page())
else
  put_page(sections, pieces[1])
  write(goal .. "/bench.md", text_of_page())
  write(goal .. "/bench.json", write_value({ machine = pieces[1].machine, version = pieces[1].version, sections = sections }, "") .. "\n")
  local chart = dofile("templates/lib/chart.lua")
  write(goal .. "/bench.svg", chart({ title = "Generated kernels against other libraries: geometric means", rows = chart_rows(sections) }))
end
