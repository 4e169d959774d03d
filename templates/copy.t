$ -- A permutation on one target: loops over blocks, and the shares of NAME_part. A block is loaded in the order of the input, goes
$ -- through shuffles, and is stored in the order of the output.
$ local vec = import("lib/vec.lua")
$ local parts = import("lib/parts.t")
$ local at = vec.at
$ local K -- the kernel that is being printed

$ local function pointers(kernel)
$   local T = kernel.V.ctype
$   return { { "const " .. T .. " *", "x" }, { T .. " *", "y" } }
$ end

$ -- What is loaded from a place on, from one for each piece, or into some lanes.
$ local function loaded(load, pieces, x)
$   local pointers = {}
$   for i, offset in ipairs(pieces) do pointers[i] = at(x, load.at + offset) end
$   if #pieces > 0 then return K.V.join(pointers) end
$   return K.V.get_lanes(at(x, load.at - load.from), 1, load.from, load.from + load.live)
$ end

$ -- Prints what makes a value, unless that is there: loads and shuffles stand shortly before what needs them.
$ local function make(block, value, x, there)
$   if there[value] then return end
$   there[value] = true
$   local load, step = block.loads[value + 1], block.steps[value + 1 - #block.loads]
$   if load then
const ${K.V.type} v${value} = ${loaded(load, block.pieces, x)};
$   else
$     make(block, step.a, x, there)
$     make(block, step.b, x, there)
const ${K.V.type} v${value} = ${K.V.shuffle("v" .. step.a, "v" .. step.b, step.lanes)};
$   end
$ end

$ local function block(number, x, y)
$   local block, there = K.blocks[number], {}
{
$   for value = 0, block.loads_first and #block.loads - 1 or -1 do make(block, value, x, there) end
$   for _, store in ipairs(block.stores) do
$     make(block, store.value, x, there)
${K.V.put(at(y, store.at), 1, store.live, "v" .. store.value)}
$   end
}
$ end

$ -- Loop l and those inside it; the blocks' number so far, which has a bit for each loop that is at its rest. Pointers of a loop have
$ -- its number.
$ local nest
$ local function turn(l, i, number)
$   local loop = K.loops[l]
const ${K.V.ctype} *x${l} = x${l - 1} + ${i} * ${loop.x};
${K.V.ctype} *y${l} = y${l - 1} + ${i} * ${loop.y};
$   nest(l + 1, number)
$ end

$ -- Blocks along a loop, with the rest; units along it.
$ local function blocks_along(loop) return loop.whole + (loop.rest and 1 or 0) end
$ local function units_along(loop) return (blocks_along(loop) + loop.unit - 1) // loop.unit end

$ -- A loop with several blocks in a unit runs here.
$ local function inner(l, loop, number)
$   local units = units_along(loop)
$   if units > 1 then
const ptrdiff_t from${l} = i${l} * ${loop.unit}, next${l} = from${l} + ${loop.unit};
$     if units * loop.unit > loop.whole then
const ptrdiff_t end${l} = next${l} < ${loop.whole} ? next${l} : ${loop.whole};
$     end
$   end
CONVSMITH_ROLLED
for (ptrdiff_t b${l} = ${units > 1 and "from" .. l or 0}; b${l} < ${units == 1 and loop.whole or units * loop.unit > loop.whole and "end" .. l or "next" .. l}; b${l}++) {
$   turn(l, "b" .. l, number)
}
$   if loop.rest then
$     if units > 1 then
if (i${l} == ${units - 1}) {
$     else
{
$     end
$     turn(l, loop.whole, number + (1 << l - 1))
}
$   end
$ end

$ -- One outside says where the unit is.
$ local function outer(l, loop, number)
$   if loop.rest then
if (i${l} < ${loop.whole}) {
$   else
{
$   end
$   turn(l, "i" .. l, number)
}
$   if loop.rest then
else {
$     turn(l, "i" .. l, number + (1 << l - 1))
}
$   end
$ end

$ nest = function(l, number)
$   if l > #K.loops then
$     block(number + 1, "x" .. l - 1, "y" .. l - 1)
$   elseif K.loops[l].unit > 1 then
$     inner(l, K.loops[l], number)
$   else
$     outer(l, K.loops[l], number)
$   end
$ end

$ local function unit()
const ${K.V.ctype} *x0 = x;
${K.V.ctype} *y0 = y;
$   nest(1, 0)
$ end

$ local function section(target, symbol)
$   local kernels = parts.kernels(target, symbol)
$   for _, kernel in ipairs(kernels) do
$     K = kernel
$     K.order = {}
$     for l = #K.loops, 1, -1 do
$       K.order[#K.order + 1] = { "i" .. l, units_along(K.loops[l]) }
$     end
$     parts.units(K, pointers(K), function() parts.count(false) end, unit)
$   end
$   parts.define(kernels, pointers, symbol)
$ end

$ return { section = section }
