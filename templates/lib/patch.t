$ -- A patch: rows × columns of outputs, each a vector, that every input is brought to once (for each input channel of a group). Lanes are
$ -- channels, and the same is done for the next ones, or pixels of one channel. K: the kernel (gen/depthwise.h has the words).
$ local arguments = import("lib/arguments.lua")
$ local vec = import("lib/vec.lua")
$ local tiles = import("lib/tile.t")
$ local at = vec.at
$ local K

$ -- `top`: the input row of the first line.
$ local function list_of(kernel)
$   return arguments.join(tiles.pointers(kernel), tiles.counts(kernel), { { "ptrdiff_t", "top" } })
$ end

$ local uses = 2 -- of every operand: all that matters is that there are several

$ -- k: the input channel, of each group, that is gone through; of inputs and weights.
$ local function input(tile, x, k)
$   local read = tile.inputs[x + 1]
$   local from = at("xl", read.element * K.x_column)
$   local value = K.form == "pixels" and K.V.get_lanes(from, K.x_lane, read.from, read.to) or K.V.get(from, 1, tile.last // K.out_channels * K.in_channels)
$   if K.spread then
const ${K.V.type} l${x} = ${value};
$   end
$   tiles.hold("u" .. x, K.spread and K.V.permute("l" .. x, K.spread[k + 1], "order") or value, uses)
$ end

$ local function weight(tile, wp, tap, uses, k)
$   local live, from = K.w_exact and tile.last or K.V.lanes, at(wp, tap * K.w_tap + k * K.w_channel)
$   tiles.hold("v" .. tap, K.form == "pixels" and K.V.broadcast(from) or K.V.get(from, 1, live), uses)
$ end

$ -- One step of a line whose row of inputs begins at xl.
$ local function step(tile, step, wp, k)
$   if K.V.isa.barrier then
CONVSMITH_BARRIER();
$   end
$   for _, x in ipairs(step.loads) do input(tile, x, k) end
$   if step.tap then
{
$     weight(tile, wp, step.tap, #step.macs, k)
$   end
$   for _, mac in ipairs(step.macs) do
$     local acc, x, w, read = ("a%d_%d"):format(mac.row, mac.column), "u" .. mac.x, "v" .. mac.tap, tile.inputs[mac.x + 1]
$     if mac.part then
$       tiles.accumulate_lanes(acc, x, w, read.from, read.to)
$     else
$       tiles.accumulate(acc, x, w, step.tap and #step.macs or uses)
$     end
$   end
$   if step.tap then
}
$   end
$ end

$ -- A line, where it lies inside the input.
$ local function line(tile, line, xp, wp, k)
$   local conditions, row = {}, line.at == 0 and "top" or "(top + " .. line.at .. ")"
$   if K.tall.mapped then
$     row = ("%s_%s(top + %d, %d)"):format(K.symbol, K.padding_mode, line.at, K.tall.input)
$   else
$     if line.above then conditions[#conditions + 1] = row .. " >= 0" end
$     if line.below then conditions[#conditions + 1] = row .. " < " .. K.tall.input end
$   end
$   if #conditions > 0 then
if (${table.concat(conditions, " && ")})
$   end
{
const ${K.V.ctype} *xl = ${xp} + ${row} * ${K.tall.x};
$   for _, s in ipairs(line.steps) do step(tile, s, wp, k) end
}
$ end

$ -- All lines for one input channel of a group.
$ local function channel(tile, xp, wp, k)
$   local used = {} -- at a border, some taps are not
$   for _, l in ipairs(tile.lines) do for _, s in ipairs(l.steps) do for _, mac in ipairs(s.macs) do used[mac.tap] = true end end end
$   for tap = 0, K.held and K.taps - 1 or -1 do
$     if used[tap] then weight(tile, wp, tap, uses, k) end
$   end
$   for _, l in ipairs(tile.lines) do line(tile, l, xp, wp, k) end
$ end

$ -- What permutes inputs for input channel k of a group.
$ local function order(k)
$   if not K.spread or not K.V.order_type then return end
${K.V.order_type} order = ${K.V.order(K.spread[k + 1])};
$   if K.V.isa.pin then -- or gcc loads it for each use
CONVSMITH_PIN("${K.V.isa.pin}", order);
$   end
$ end

$ -- Each sum moves on by a channel of its group: after all input channels it is where it began.
$ local function turn(tile)
$   if not K.turn then return end
{
$   if K.V.order_type then
const ${K.V.order_type} turn = ${K.V.order(K.turn)};
$   end
$   for row = 0, tile.rows - 1 do for column = 0, tile.vectors - 1 do
$     local acc = ("a%d_%d"):format(row, column)
${acc} = ${K.V.permute(acc, K.turn, "turn")};
$   end end
}
$ end

$ local function lines(tile, xp, wp)
$   if K.spelled < K.in_channels then
$     order(0)
const ${K.V.ctype} *wk = ${wp};
CONVSMITH_ROLLED
for (ptrdiff_t k = 0; k < ${K.in_channels}; k++) {
$     channel(tile, xp, "wk", 0)
$     turn(tile)
wk += ${K.w_channel};
$     if K.spread then
order = ${K.V.next_order("order")};
$     end
}
$     return
$   end
$   for k = 0, K.in_channels - 1 do
{
$     order(k)
$     channel(tile, xp, wp, k)
$     turn(tile)
}
$   end
$ end

$ -- The lines that the next vector's outputs go to.
$ local function ahead(patch)
$   for row = 0, K.ahead_y and patch.rows - 1 or -1 do for column = 0, patch.vectors - 1 do
CONVSMITH_AHEAD((uintptr_t)(${at("y", row * K.y_row + column * K.y_vector)}) + ${K.next.y} * sizeof *y, 3);
$   end end
$ end

$ -- The outputs of one vector of channels, `live` of its lanes.
$ local function body(patch, live)
$   local tile = { rows = patch.rows, vectors = patch.vectors, last = live, inputs = patch.inputs, lines = patch.lines, loop_w = K.loop_w }
$   tiles.start(tile)
$   if #tile.lines > 0 then tiles.taps(tile, 1, "x", "w", lines) end
$   tiles.finish(tile)
$ end

$ local function define(kernel, patch, name)
$   K = kernel
$   tiles.use(K)
/* ${patch.rows} x ${patch.vectors} outputs, ${K.whole} vectors of channels and ${K.last} lanes */
CONVSMITH_NOINLINE ${K.V.isa.attribute}
void ${name}(${arguments.declare(list_of(K))})
{
$   if #patch.lines == 0 then
(void)x, (void)w, (void)top;
$     for _, trim in ipairs(tiles.counts(K)) do
(void)${trim[2]};
$     end
$   end
$   if K.form == "pixels" then
$     body(patch, patch.last)
$   elseif K.whole > 0 then
CONVSMITH_ROLLED
for (ptrdiff_t vector = 0; vector < ${K.whole}; vector++) {
$     ahead(patch)
$     body(patch, K.live)
$     for _, argument in ipairs(tiles.pointers(K)) do
${argument[2]} += ${K.next[argument[2]]};
$     end
}
$   end
$   if K.last > 0 then body(patch, K.last) end
}

$ end

$ return { define = define, list = list_of }
