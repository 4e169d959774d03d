$ -- What tiles of Winograd convolution are: where they begin, what they read, and their transforms. W: the tiles, K: the kernel of all
$ -- that is around the products, V: its operations.
$ local graph = import("lib/graph.lua")
$ local W, K, V

$ local function use(tiles, shell) W, K, V = tiles, shell, shell.V end

$ -- ---- places ------------------------------------------------------------------------------------------------------------

$ -- The image of the tile of this number and, along each axis up to `last`, its first output o, and how many outputs are live. Beyond
$ -- `last` all tiles have one number.
$ local function decode(tile, last)
$   local below = 1
$   for a = last, 1, -1 do
$     local axis = W.axes[a]
$     local number, count = tile .. (below > 1 and " / " .. below or ""), axis.residues * axis.tiles
$     if a > 1 or W.batch > 1 then number = number .. " % " .. count end
$     if axis.residues > 1 then
const ptrdiff_t n${a} = ${number};
const ptrdiff_t o${a} = n${a} / ${axis.tiles} + n${a} % ${axis.tiles} * ${axis.m * axis.apart};
$     else
const ptrdiff_t o${a} = (${number}) * ${axis.m * axis.apart};
$     end
const ptrdiff_t left${a} = (${axis.output - 1 + axis.apart} - o${a}) / ${axis.apart};
const ptrdiff_t live${a} = left${a} < ${axis.m} ? left${a} : ${axis.m};
$     below = below * count
$   end
$   if W.batch > 1 then
const ptrdiff_t image = ${tile} / ${below};
$   end
$ end

$ -- Where place j of a patch along an axis lies in the input, -1 for a zero: only taps of live outputs are read.
$ local function define_map(a, axis)
ptrdiff_t at${a}[${axis.points}];
CONVSMITH_ROLLED
for (ptrdiff_t j = 0; j < ${axis.points}; j++) {
const ptrdiff_t i = i${a} + j * ${axis.apart};
$   if axis.mapped then
at${a}[j] = live${a} > 0 && j < live${a} + ${axis.kernel - 1} ? ${K.symbol}_${K.padding_mode}(i, ${axis.input}) * ${axis.x} : -1;
$   else
at${a}[j] = live${a} > 0 && j < live${a} + ${axis.kernel - 1} && i >= 0 && i < ${axis.input} ? i * ${axis.x} : -1;
$   end
}
$ end

$ -- ---- transforms --------------------------------------------------------------------------------------------------------

$ -- Elements from a point to the next along each axis where all points of a tile lie together, the last axis innermost.
$ local function point_steps()
$   local steps, step = {}, 1
$   for a = #W.axes, 1, -1 do
$     steps[a] = step
$     step = step * W.axes[a].points
$   end
$   return steps
$ end

$ -- The axes that have something to transform.
$ local function transformed()
$   local list = {}
$   for a, axis in ipairs(W.axes) do if axis.points > 1 then list[#list + 1] = a end end
$   return list
$ end

$ -- One axis: loops over the places j of the others, count(b) of axis b, and in them the products of `matrix` with what get(i) loads;
$ -- put(i, value) stores the i-th, from 0; also() prints what else is done there.
$ local function along(axis, matrix, count, get, put, also)
$   for b, other in ipairs(W.axes) do
$     if b ~= axis and other.points > 1 then
CONVSMITH_ROLLED
for (ptrdiff_t j${b} = 0; j${b} < ${count(b)}; j${b}++)
$     end
$   end
{
$   local g, inputs = graph.new(), {}
$   for i = 1, W.axes[axis].points do inputs[i] = g.input(tostring(i - 1)) end
$   g.print(V, g.linear(matrix, inputs), get, function(i, value) put(i - 1, value) end)
$   if also then also() end
}
$ end

$ -- Place i on `axis` and j on the others.
$ local function place(steps, axis, i)
$   local terms = i * steps[axis] ~= 0 and { tostring(i * steps[axis]) } or {}
$   for b, other in ipairs(W.axes) do
$     if b ~= axis and other.points > 1 then terms[#terms + 1] = ("j%d%s"):format(b, steps[b] ~= 1 and " * " .. steps[b] or "") end
$   end
$   return #terms > 0 and table.concat(terms, " + ") or "0"
$ end

$ -- `count` vectors of patches, by[1] elements from one to the next and their results by[2], places of x being steps[a] apart along axis
$ -- a; ahead: elements to the next tile's patch, whose part that this one does not share is fetched meanwhile, or false.
$ local function forward(steps, by, ahead)
$   local packed, axes = point_steps(), transformed()
$   local last = axes[#axes]
CONVSMITH_ROLLED
for (ptrdiff_t i = 0; i < count; i++, from += ${by[1]}, to += ${by[2]}) {
$   if #axes > 1 then
${V.type} t[${W.points}];
$   end
$   for n = #axes, 1, -1 do
$     local axis = axes[n]
$     along(axis, W.axes[axis].from_input, function(b) return W.axes[b].points end, function(i)
$       if n < #axes then return ("t[%s]"):format(place(packed, axis, i)) end
$       return V.get("from + " .. place(steps, axis, i), 1, V.lanes)
$     end, function(i, value)
$       if n > 1 then
t[${place(packed, axis, i)}] = ${value};
$       else
${V.put(("to + (%s) * %d"):format(place(packed, axis, i), W.v.point), 1, V.lanes, value)}
$       end
$     end, n == #axes and ahead and function()
$       for k = W.axes[last].points - W.axes[last].m, W.axes[last].points - 1 do
CONVSMITH_AHEAD((uintptr_t)from + (size_t)(${ahead} + ${place(steps, axis, k)}) * sizeof *from, 3);
$       end
$     end)
$   end
}
$ end

$ -- The transforms of products get(place) to outputs put(place, value), n-th axis from the first: all but the last go through t.
$ local function inverse(get, put)
$   local steps, axes = point_steps(), transformed()
$   for n, axis in ipairs(axes) do
$     local row = W.axes[axis]
$     local function done(b) return b < axis end
$     along(axis, row.to_output, function(b) return done(b) and W.axes[b].m or W.axes[b].points end, function(i)
$       return n > 1 and ("t[%s]"):format(place(steps, axis, i)) or get(place(steps, axis, i))
$     end, function(i, value)
$       if n < #axes then
t[${place(steps, axis, i)}] = ${value};
$       else
$         put(axis, i, value)
$       end
$     end)
$   end
$ end

$ return {
$   use = use, decode = decode, define_map = define_map, point_steps = point_steps, transformed = transformed, place = place,
$   forward = forward, inverse = inverse,
$ }
