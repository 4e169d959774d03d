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

$ local function block(number, x, y)
$   local V, block = K.V, K.blocks[number]
{
$   for i, load in ipairs(block.loads) do
const ${V.type} v${i - 1} = ${V.get(at(x, load.at), 1, load.live)};
$   end
$   for _, step in ipairs(block.steps) do
const ${V.type} v${step.value} = ${V.shuffle("v" .. step.a, "v" .. step.b, step.lanes)};
$   end
$   for _, store in ipairs(block.stores) do
${V.put(at(y, store.at), 1, store.live, "v" .. store.value)}
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

$ -- A loop inside a unit runs here.
$ local function inner(l, loop, number)
CONVSMITH_ROLLED
for (ptrdiff_t i${l} = 0; i${l} < ${loop.whole}; i${l}++) {
$   turn(l, "i" .. l, number)
}
$   if loop.rest then
{
$     turn(l, loop.whole, number + (1 << l - 1))
}
$   end
$ end

$ -- One outside says where the unit is.
$ local function outer(l, loop, number)
$   local i = loop.whole + (loop.rest and 1 or 0) > 1 and "i" .. l or "0"
$   if loop.rest then
if (${i} < ${loop.whole}) {
$   else
{
$   end
$   turn(l, i, number)
}
$   if loop.rest then
else {
$     turn(l, i, number + (1 << l - 1))
}
$   end
$ end

$ nest = function(l, number)
$   if l > #K.loops then
$     block(number + 1, "x" .. l - 1, "y" .. l - 1)
$   elseif K.loops[l].inner then
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
$       local loop = K.loops[l]
$       if not loop.inner then K.order[#K.order + 1] = { "i" .. l, loop.whole + (loop.rest and 1 or 0) } end
$     end
$     parts.units(K, pointers(K), function() parts.count(false) end, unit)
$   end
$   parts.define(kernels, pointers, symbol)
$ end

$ return { section = section }
