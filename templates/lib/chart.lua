-- A bench as a picture (SVG): on top how many times faster we are than each peer, layer by layer, on a logarithmic axis around 1;
-- below, how close each layer comes to the machine's limit (the roofline).
--
-- Takes {title, rows = {{name, target, bars = {{name, ratio}, …}, dots = {{name, target, intensity, peak, limit}, …}}, …}}: intensity in
-- FLOP a byte, peak and limit as shares of the multiply-add peak (limit: what moving the bytes would allow). Plain Lua: templates and
-- tools use it.

local WIDTH, LEFT, RIGHT, TOP, BAR, GAP, ROOF = 960, 300, 40, 70, 9, 5, 320
local COLOURS = { "#2f6fb0", "#e08a1e", "#7a9a3c", "#8a5aa8" }
local LEAST, MOST = 0.25, 16 -- of the ratios' axis; what is beyond ends in an arrow

-- Base-2 logarithm by halving: the sandbox has no math.log.
local function log2(x)
  local whole, part, weight = 0, 0, 0.5
  while x >= 2 do x, whole = x / 2, whole + 1 end
  while x < 1 do x, whole = x * 2, whole - 1 end
  for _ = 1, 20 do
    x = x * x
    if x >= 2 then x, part = x / 2, part + weight end
    weight = weight / 2
  end
  return whole + part
end

local function escape(text)
  return (text:gsub("&", "&amp;"):gsub("<", "&lt;"):gsub(">", "&gt;"))
end

-- A canvas: lines of SVG.
local function canvas()
  local lines = {}
  local c = { lines = lines }
  function c.put(format, ...) lines[#lines + 1] = format:format(...) end
  function c.line(x1, y1, x2, y2, colour, width)
    c.put('<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s" stroke-width="%.1f"/>', x1, y1, x2, y2, colour, width)
  end
  function c.rect(x, y, width, height, colour)
    c.put('<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>', x, y, width, height, colour)
  end
  function c.text(x, y, anchor, size, text, colour)
    c.put('<text x="%.1f" y="%.1f" text-anchor="%s" font-size="%d" fill="%s">%s</text>', x, y, anchor, size, colour or "#222", escape(text))
  end
  return c
end

-- Peers in the order in which they are met, each with a colour.
local function peers_of(rows)
  local list, known = {}, {}
  for _, row in ipairs(rows) do
    for _, bar in ipairs(row.bars) do
      if not known[bar.name] then
        list[#list + 1] = bar.name
        known[bar.name] = COLOURS[(#list - 1) % #COLOURS + 1]
      end
    end
  end
  return list, known
end

-- Place of a value on a logarithmic axis from x0 to x1.
local function scale(value, least, most, x0, x1)
  if value < least then value = least end
  if value > most then value = most end
  return x0 + (x1 - x0) * (log2(value) - log2(least)) / (log2(most) - log2(least))
end

local function ratio_x(ratio)
  return scale(ratio, LEAST, MOST, LEFT, WIDTH - RIGHT - 50)
end

local function draw_ratio_axis(c, top, bottom)
  local ticks = { { 0.25, "¼" }, { 0.5, "½" }, { 1, "1" }, { 2, "2" }, { 4, "4" }, { 8, "8" }, { 16, "16" } }
  c.rect(LEFT, top, ratio_x(1) - LEFT, bottom - top, "#fbeaea")
  for _, tick in ipairs(ticks) do
    c.line(ratio_x(tick[1]), top, ratio_x(tick[1]), bottom, tick[1] == 1 and "#444" or "#ddd", tick[1] == 1 and 1.5 or 1)
    c.text(ratio_x(tick[1]), top - 5, "middle", 11, tick[2] .. "×", "#555")
  end
end

local function draw_bar(c, bar, y, colour)
  local from, to = ratio_x(1), ratio_x(bar.ratio)
  if from > to then from, to = to, from end
  c.rect(from, y, to - from < 1 and 1 or to - from, BAR - 1, colour)
  c.text(bar.ratio < 1 and from - 3 or to + 3, y + BAR - 2, bar.ratio < 1 and "end" or "start", 9,
    (bar.ratio > MOST and "%.0f →" or "%.2f"):format(bar.ratio), "#444")
end

local function height_of(row)
  return (#row.bars > 0 and #row.bars or 1) * BAR + GAP
end

local function draw_row(c, row, y, colours)
  c.text(LEFT - 8, y + height_of(row) / 2 + 2, "end", 11, row.name .. "  " .. row.target)
  for i, bar in ipairs(row.bars) do draw_bar(c, bar, y + (i - 1) * BAR, colours[bar.name]) end
end

local function draw_legend(c, names, colours, y)
  local x = LEFT
  for _, name in ipairs(names) do
    c.rect(x, y - 9, 10, 10, colours[name])
    c.text(x + 14, y, "start", 12, "faster than " .. name)
    x = x + 40 + 8 * (#name + 12)
  end
end

-- ---- roofline ---------------------------------------------------------------------------------------------------------

local function roof_x(intensity)
  return scale(intensity, 0.25, 1024, 80, WIDTH - RIGHT)
end

local function roof_y(share, top)
  return top + ROOF - 30 - (ROOF - 60) * (share > 1.1 and 1.1 or share) / 1.1
end

local function draw_roof_axes(c, top)
  for percent = 0, 100, 25 do
    local y = roof_y(percent / 100, top)
    c.line(80, y, WIDTH - RIGHT, y, percent == 100 and "#444" or "#ddd", percent == 100 and 1.5 or 1)
    c.text(74, y + 4, "end", 11, percent .. " %", "#555")
  end
  for power = -2, 10, 2 do
    local value = 2.0 ^ power
    c.text(roof_x(value), top + ROOF - 14, "middle", 11, value < 1 and "¼" or ("%.0f"):format(value), "#555")
  end
  c.text(80, top + 8, "start", 13, "Share of the multiply-add peak, by FLOP per byte moved; the tick above a dot is the layer's limit")
end

local function draw_dot(c, dot, top)
  local x, limit, y = roof_x(dot.intensity), roof_y(dot.limit > 1 and 1 or dot.limit, top), roof_y(dot.peak, top)
  c.line(x, limit, x, y, "#bbb", 1)
  c.line(x - 4, limit, x + 4, limit, "#b03030", 1.5)
  c.put('<circle cx="%.1f" cy="%.1f" r="3.5" fill="#2f6fb0"><title>%s %s</title></circle>', x, y, escape(dot.name), dot.target)
end

local function draw_roof(c, rows, top)
  draw_roof_axes(c, top)
  for _, row in ipairs(rows) do
    for _, dot in ipairs(row.dots) do draw_dot(c, dot, top) end
  end
end

-- ---- the picture ------------------------------------------------------------------------------------------------------

return function(chart)
  local c = canvas()
  local names, colours = peers_of(chart.rows)
  local bottom = TOP
  if #names > 0 then
    for _, row in ipairs(chart.rows) do bottom = bottom + height_of(row) end
  end
  local roof = #names > 0 and bottom + 40 or TOP
  local height = roof + ROOF
  c.put('<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="sans-serif">', WIDTH, height,
    WIDTH, height)
  c.rect(0, 0, WIDTH, height, "#ffffff")
  c.text(20, 26, "start", 16, chart.title)
  if #names > 0 then
    draw_legend(c, names, colours, 46)
    draw_ratio_axis(c, TOP - 4, bottom)
    local y = TOP
    for _, row in ipairs(chart.rows) do
      draw_row(c, row, y, colours)
      y = y + height_of(row)
    end
  end
  draw_roof(c, chart.rows, roof)
  c.put("</svg>")
  return table.concat(c.lines, "\n") .. "\n"
end
