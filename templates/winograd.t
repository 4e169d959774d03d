$ -- Winograd convolution on one target: blocks of tiles whose inputs are transformed into V, multiplied with the transformed weights
$ -- into M by the direct kernels of a 1×1 layer, one at each point, and transformed into outputs. gen/winograd.h has the words.
$ local arguments = import("lib/arguments.lua")
$ local direct = import("direct.t")
$ local helpers = import("lib/helpers.t")
$ local pack = import("lib/pack.t")
$ local parts = import("lib/parts.t")
$ local strips = import("lib/winograd_strip.t")
$ local tile = import("lib/winograd_tile.t")
$ local tiles = import("lib/tile.t")
$ local W, K, V, T -- tiles; the kernel of all that is around the products, its operations, its C type

$ -- ---- tiles -------------------------------------------------------------------------------------------------------------

$ -- Vectors of input channels.
$ local function vectors() return (W.v.channels + V.lanes - 1) // V.lanes end

$ -- Vectors of channels that go through the buffer at once: a few kilobytes.
$ local function buffered() return math.max(1, math.min(vectors(), 2048 // (W.points * V.lanes))) end

$ -- Copies `count` vectors of the patch from channel vector c into the buffer, [points][vectors][lanes], the last with `live` lanes.
$ local function copy_whole(live)
$   local steps, test, at, to = tile.point_steps(), {}, { "x", "c * " .. V.lanes }, { "buffer" }
$   for a, axis in ipairs(W.axes) do
$     test[a] = ("at%d[j%d] >= 0"):format(a, a)
$     at[#at + 1], to[#to + 1] = ("at%d[j%d]"):format(a, a), ("j%d * %d"):format(a, steps[a] * V.lanes * buffered())
CONVSMITH_ROLLED
for (ptrdiff_t j${a} = 0; j${a} < ${axis.points}; j${a}++)
$   end
{
const ${T} *from = x;
${T} *to = ${table.concat(to, " + ")};
const int read = ${table.concat(test, " && ")};
if (read) from = ${table.concat(at, " + ")};
CONVSMITH_ROLLED
for (ptrdiff_t i = 0; i < count${live < V.lanes and " - last" or ""}; i++) {
${V.put("to + i * " .. V.lanes, 1, V.lanes, ("read ? %s : %s"):format(V.get("from + i * " .. V.lanes, 1, V.lanes), V.zero()))}
}
$   if live < V.lanes then
if (last) {
${V.type} patch = ${V.zero()};
if (read) patch = ${V.get("from + (count - 1) * " .. V.lanes, 1, live)};
${V.put("to + (count - 1) * " .. V.lanes, 1, V.lanes, "patch")}
}
$   end
}
$ end

$ -- The same where channels lie apart: element by element.
$ local function copy_apart()
$   local steps, test, at, to = tile.point_steps(), {}, { "x", "lane * " .. W.x_lane }, { "buffer", "lane - c * " .. V.lanes }
CONVSMITH_ROLLED
for (ptrdiff_t lane = c * ${V.lanes}; lane < (c + count) * ${V.lanes}; lane++)
$   if W.v.channels % V.lanes > 0 then test[1] = "lane < " .. W.v.channels end
$   for a, axis in ipairs(W.axes) do
$     test[#test + 1] = ("at%d[j%d] >= 0"):format(a, a)
$     at[#at + 1], to[#to + 1] = ("at%d[j%d]"):format(a, a), ("j%d * %d"):format(a, steps[a] * V.lanes * buffered())
CONVSMITH_ROLLED
for (ptrdiff_t j${a} = 0; j${a} < ${axis.points}; j${a}++)
$   end
*(${table.concat(to, " + ")}) = ${table.concat(test, " && ")} ? *(${table.concat(at, " + ")}) : 0;
$ end

$ -- One tile of V.
$ local function define_load()
$   local packed, steps, tail, inside = tile.point_steps(), {}, W.v.channels % V.lanes, W.x_lane == 1 and W.v.channels // V.lanes > 0
static ${V.isa.attribute}
void ${K.symbol}_load(const ${T} *x, ${T} *v, ptrdiff_t tile)
{
$   tile.decode("tile", #W.axes)
$   local inner, first = {}, { "x" }
$   for a, axis in ipairs(W.axes) do
const ptrdiff_t i${a} = o${a} - ${axis.pad};
$     inner[#inner + 1] = ("live%d == %d"):format(a, axis.m)
$     inner[#inner + 1] = ("i%d >= 0 && i%d < %d"):format(a, a, axis.input - (axis.points - 1) * axis.apart)
$     first[#first + 1] = ("i%d * %d"):format(a, axis.x)
$     steps[a] = axis.x * axis.apart
$   end
$   if W.batch > 1 then
x += image * ${W.x_batch};
$   end
ptrdiff_t c = 0;
$   if inside then
$     local axes, count = tile.transformed(), W.v.channels // V.lanes
$     local last = axes[#axes]
/* a whole tile inside the input is read where it lies */
if (${table.concat(inner, " && ")}) {
const ${T} *from = ${table.concat(first, " + ")};
${T} *to = v;
const ptrdiff_t count = ${count};
$     tile.forward(steps, { V.lanes, V.lanes }, W.axes[last].m * steps[last])
$     if count == vectors() then
return;
$     else
c = ${count};
$     end
}
$   end
$   for a, axis in ipairs(W.axes) do tile.define_map(a, axis) end
CONVSMITH_ROLLED
for (; c < ${vectors()}; c += ${buffered()}) {
${T} buffer[${W.points * V.lanes * buffered()}];
const ptrdiff_t count = ${vectors()} - c < ${buffered()} ? ${vectors()} - c : ${buffered()};
$   if W.x_lane ~= 1 then copy_apart() else
$     if tail > 0 then
const int last = c + count == ${vectors()};
$     end
$     copy_whole(tail > 0 and tail or V.lanes)
$   end
{
const ${T} *from = buffer;
${T} *to = v + c * ${V.lanes};
$   for a in ipairs(W.axes) do steps[a] = packed[a] * V.lanes * buffered() end
$   tile.forward(steps, { V.lanes, V.lanes }, false)
}
}
}

$ end

$ -- What goes into a tile's outputs beside M.
$ local function outputs_list()
$   local list = { { "const " .. T .. " *", "m" } }
$   if K.bias then list[#list + 1] = { "const " .. T .. " *", "b" } end
$   if K.activation.name == "prelu" then list[#list + 1] = { "const " .. T .. " *", "s" } end
$   if K.residual then list[#list + 1] = { "const " .. T .. " *", "r" } end
$   return arguments.join(list, { { T .. " *", "y" } })
$ end

$ -- `live` lanes of all live outputs of a tile, from m.
$ local function finish_vector(live)
$   local steps = tile.point_steps()
${V.type} t[${W.points}];
$   tile.inverse(function(place) return V.get(("mp + (%s) * %d"):format(place, W.m.point), 1, V.lanes) end, function(axis, i, value)
t[${tile.place(steps, axis, i)}] = ${value};
$   end)
$   local y, t = {}, {}
$   for a, axis in ipairs(W.axes) do
$     y[a] = ("j%d * %d"):format(a, axis.apart * axis.y)
$     t[a] = ("j%d * %d"):format(a, steps[a])
CONVSMITH_ROLLED
for (ptrdiff_t j${a} = 0; j${a} < live${a}; j${a}++)
$   end
{
${T} *y = yp + ${table.concat(y, " + ")};
$   if K.residual then
const ${T} *r = rp + ${table.concat(y, " + ")};
$   end
$   if K.y_lane == 1 then
CONVSMITH_AHEAD((uintptr_t)y + ${W.axes[#W.axes].m * W.axes[#W.axes].apart * W.axes[#W.axes].y} * sizeof *y, 3); /* the next tile's */
$   end
$   local output = { rows = 1, vectors = 1, last = live }
$   tiles.use(K)
$   tiles.start(output)
a0_0 = ${V.add("a0_0", ("t[%s]"):format(table.concat(t, " + ")))};
$   tiles.finish(output)
}
$ end

$ -- One tile of M to its outputs.
$ local function define_store()
$   local channels, list = W.m.channels, arguments.join(outputs_list(), { { "ptrdiff_t", "tile" } })
$   local names = { y = "yq", r = "rq", b = "bq", s = "sq" }
$   for _, argument in ipairs(list) do argument[2] = has(names, argument[2]) and names[argument[2]] or argument[2] end
CONVSMITH_NOINLINE ${V.isa.attribute}
void ${K.symbol}_store(${arguments.declare(list)})
{
$   tile.decode("tile", #W.axes)
$   local from = {}
$   for a, axis in ipairs(W.axes) do from[a] = ("o%d * %d"):format(a, axis.y) end
$   if W.batch > 1 then from[#from + 1] = "image * " .. W.y_batch end
$   local function vector(live)
const ${T} *mp = m + c;
${T} *yp = yq + ${table.concat(from, " + ")} + c * ${K.y_lane};
$     if K.residual then
const ${T} *rp = rq + ${table.concat(from, " + ")} + c * ${K.y_lane};
$     end
$     if K.bias then
const ${T} *b = bq + c;
$     end
$     if K.activation.name == "prelu" then
const ${T} *s = sq + c;
$     end
$     finish_vector(live)
$   end
$   if channels >= V.lanes then
CONVSMITH_ROLLED
for (ptrdiff_t c = 0; c < ${channels // V.lanes * V.lanes}; c += ${V.lanes}) {
$     vector(V.lanes)
}
$   end
$   if channels % V.lanes > 0 then
{
const ptrdiff_t c = ${channels // V.lanes * V.lanes};
$     vector(channels % V.lanes)
}
$   end
}

$ end

$ -- ---- weights -----------------------------------------------------------------------------------------------------------

$ -- out[o][a][i] = Σ_k matrix[a][k] · in[o][k][i]
$ local function define_spread()
static void ${K.symbol}_spread(const double *matrix, int rows, int taps, int outer, int inner, const double *in, double *out)
{
for (int o = 0; o < outer; o++)
for (int a = 0; a < rows; a++)
for (int i = 0; i < inner; i++) {
double sum = 0;
CONVSMITH_ROLLED
for (int k = 0; k < taps; k++) sum += matrix[a * taps + k] * in[(o * taps + k) * inner + i];
out[(o * rows + a) * inner + i] = sum;
}
}
$ end

$ -- The transformed kernel of one input and output channel, its points `step` apart.
$ local function define_weights()
$   local from, terms, taps = {}, {}, 1
$   define_spread()
static void ${K.symbol}_weights(const ${T} *w, ${T} *p, ptrdiff_t step)
{
$   for _, a in ipairs(tile.transformed()) do
$     local axis, rows = W.axes[a], {}
$     for i, row in ipairs(axis.from_kernel) do
$       local numbers = {}
$       for k, number in ipairs(row) do numbers[k] = number end
$       rows[i] = table.concat(numbers, ", ")
$     end
static const double matrix${a}[${axis.points * axis.kernel}] = {
$     for _, row in ipairs(rows) do
${row},
$     end
};
$   end
double u0[${W.points}], u1[${W.points}];
int n = 0;
$   for a, axis in ipairs(W.axes) do
for (ptrdiff_t k${a} = 0; k${a} < ${axis.kernel}; k${a}++)
$     from[a] = ("k%d * (%d)"):format(a, axis.w)
$     taps = taps * axis.kernel
$   end
u0[n++] = w[${table.concat(from, " + ")}];
$   local outer, now = 1, 0
$   for a, axis in ipairs(W.axes) do
$     taps = taps // axis.kernel
$     if axis.points > 1 then
${K.symbol}_spread(matrix${a}, ${axis.points}, ${axis.kernel}, ${outer}, ${taps}, u${now}, u${1 - now});
$       now = 1 - now
$     end
$     outer = outer * axis.points
$   end
for (int j = 0; j < ${W.points}; j++) p[j * step] = (${T})u${now}[j];
}

$ end

$ -- A box of packing: its outermost loop is over the points.
$ local function pack_kernel(box, to, from)
$   local points = box.loops[1]
${K.symbol}_weights(${from}, ${to}, ${points.dst});
$ end

$ -- ---- blocks ------------------------------------------------------------------------------------------------------------

$ local function block_list()
$   local list = { { "const " .. T .. " *", "x" }, { "const " .. T .. " *", "w" } }
$   for i, argument in ipairs(outputs_list()) do if i > 1 then list[#list + 1] = argument end end
$   return arguments.join(list, { { T .. " *", "v" }, { "ptrdiff_t", "u" }, { "ptrdiff_t", "end" } })
$ end

$ local function multiply(products)
$   for _, product in ipairs(products) do
$     local units = 1
$     for _, dimension in ipairs(product.order) do units = units * dimension[2] end
${product.symbol}_units(${arguments.pass(arguments.join(tiles.pointers(product), { { "", "0" }, { "", tostring(units) } }), { x = "v", w = "w + " .. (product.baked_weights and product.baked_w or product.base), y = "m" })});
$   end
$ end

$ -- Calls call(tile, number) for tile number `first` + i of the block, or for strips a side of which lies channels last.
$ local function each_tile(call)
$   local S = W.strips
CONVSMITH_ROLLED
for (ptrdiff_t i = 0; i < count; i++)
$   if not S then
$     call("i", "first + i")
$     return
$   end
{
const ptrdiff_t part = (first + i) % ${S.parts} * ${S.tiles}, begin = (first + i) / ${S.parts} * ${S.row} + part;
const ptrdiff_t left = ${S.row} - part, tiles = left < ${S.tiles} ? left : ${S.tiles};
CONVSMITH_ROLLED
for (ptrdiff_t j = 0; j < tiles; j++)
$   call(("(i * %d + j)"):format(S.tiles), "begin + j")
}
$ end

$ local function load_block()
$   if W.strips and W.strips.x then
CONVSMITH_ROLLED
for (ptrdiff_t i = 0; i < count; i++) ${K.symbol}_load(x, v + i * ${W.strips.tiles * W.v.tile}, strip, first + i);
$   else
$     each_tile(function(tile, number)
${K.symbol}_load(x, v + ${tile} * ${W.v.tile}, ${number});
$     end)
$   end
$ end

$ local function store_block()
$   local step, last = W.m.tile, {}
$   if W.strips and W.strips.y then
$     step, last = step * W.strips.tiles, { { "", "strip" } }
$   end
$   local function call(tile, number)
${K.symbol}_store(${arguments.pass(arguments.join(outputs_list(), last, { { "", number } }), { m = ("m + %s * %d"):format(tile, step) })});
$   end
$   if #last == 0 then return each_tile(call) end
CONVSMITH_ROLLED
for (ptrdiff_t i = 0; i < count; i++)
$   call("i", "first + i")
$ end

$ -- Blocks [u, end) of tiles or of strips.
$ local function define_blocks(products)
$   local all, block = W.all, W.block
$   if W.strips then all, block = W.strips.count, W.strips.block end
static ${V.isa.attribute}
void ${K.symbol}_blocks(${arguments.declare(block_list())})
{
${T} *m = v + ${W.points * W.v.point};
$   if W.strips then
${T} *strip = m + ${W.points * W.m.point};
$   end
for (; u < end; u++) {
const ptrdiff_t first = u * ${block};
const ptrdiff_t count = ${all} - first < ${block} ? ${all} - first : ${block};
$   load_block()
$   multiply(products)
$   store_block()
}
}

$ end

$ local function define_part(symbol)
$   local at = import("lib/vec.lua").at
void ${symbol}_part(${arguments.declare(arguments.join(arguments.call_list(layer), arguments.share))})
{
const uintptr_t line = ((uintptr_t)workspace + 63) / 64 * 64;
${T} *v = (${T} *)workspace + (line - (uintptr_t)workspace) / sizeof(${T});
$   if not K.baked_weights then
const ${T} *w = (const ${T} *)packed;
$   end
$   parts.parameter_pointers(K)
$   parts.shares(W.blocks)
${K.symbol}_blocks(${arguments.pass(block_list(), { x = at(layer.inputs[1].name, K.x_first), r = at("residual", K.y_first), y = at("output", K.y_first), u = "from" })});
}
$ end

$ -- The tiles and the shell that are printed from now on.
$ local function use(target, shell)
$   W, K = target.kernels.winograd, shell
$   V, T = K.V, K.V.ctype
$   tile.use(W, K)
$   strips.use(W, K)
$ end

$ local function section(target, symbol)
$   local kernels = parts.kernels(target, symbol)
$   local products = { table.unpack(kernels, 1, #kernels - 1) }
$   use(target, kernels[#kernels])
$   for _, product in ipairs(products) do
$     direct.define(product)
$     parts.units(product, tiles.pointers(product), direct.number, function() direct.compute(product) end)
$   end
$   helpers(K)
$   if W.strips then strips.copies() end
$   if W.strips and W.strips.x then strips.load() else define_load() end
$   if W.strips and W.strips.y then strips.store() else define_store() end
$   if not K.baked_weights then define_weights() end
$   define_blocks(products)
$   pack(kernels, symbol, pack_kernel)
$   define_part(symbol)
$   parts.whole(symbol)
$ end

$ return { section = section, use = use, outputs = outputs_list, load = define_load, store = define_store, weights = define_weights }
