$ -- Copies in blocks (gen/copy.h): loops over them, each loaded in the order of the input, taken through shuffles, and stored in the
$ -- order of the output. K: what C planned, with its operations V.
$ local vec = import("lib/vec.lua")
$ local at = vec.at
$ local K, store -- what is being printed; prints how a value is stored

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
CONVSMITH_BARRIER();
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
$   for _, vector in ipairs(block.stores) do
$     make(block, vector.value, x, there)
$     store(vector, y)
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

$ -- Vector `value` of a block to pointer y, in this order: gcc would mix stores, and lines that two of them share go to memory slower then.
$ local function put(vector, y)
${K.V.put(at(y, vector.at), 1, vector.live, "v" .. vector.value)}
CONVSMITH_BARRIER();
$ end

$ -- All blocks of a unit of work of `copy`, from x0 to y0. to: a function of a stored vector and its block's pointer, or nil.
$ local function run(copy, to)
$   K, store = copy, to or put
$   nest(1, 0)
$ end

$ return { run = run, units_along = units_along }
