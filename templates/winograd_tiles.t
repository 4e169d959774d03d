$ -- Winograd convolution on tile registers: blocks of tiles whose transformed inputs are split into planes, multiplied with the planes of
$ -- the transformed weights into M, and transformed into outputs; and the direct kernels that compute the layer where the system has
$ -- no tile registers to lend. gen/winograd_tiles.h has the words.
$ local arguments = import("lib/arguments.lua")
$ local direct = import("direct.t")
$ local helpers = import("lib/helpers.t")
$ local ordered = import("lib/order.lua")
$ local pack = import("lib/pack.t")
$ local parts = import("lib/parts.t")
$ local steps = import("lib/steps.t")
$ local tiles = import("lib/tile.t")
$ local vec = import("lib/vec.lua")
$ local winograd = import("winograd.t")
$ local at = vec.at
$ local W, P, K -- tiles; the products, a kernel of one tap; what is around them

$ -- Tiles of a panel's columns, with all channels and in the last one.
$ local function widths()
$   local last = (P.out_channels - (P.panels - 1) * P.panel + 15) // 16
$   if P.panels == 1 then return last, last end
$   return P.panel // 16, last
$ end

$ -- ---- V -----------------------------------------------------------------------------------------------------------------

$ local function define_split()
$   local V, lanes = K.V, K.V.lanes
$   local vectors = W.v.point // lanes
/* The planes of one tile's transformed inputs. */
CONVSMITH_NOINLINE ${V.isa.attribute}
void ${K.symbol}_split(const float *x, uint8_t *to)
{
CONVSMITH_ROLLED
for (ptrdiff_t i = 0; i < ${W.points}; i++, x += ${W.v.point}, to += ${P.point_bytes}) {
$   for step = 0, P.steps - 1 do
{
const ${V.type} v0 = ${V.get(at("x", step * P.terms), 1, lanes)};
const ${V.type} v1 = ${step * P.terms + lanes < vectors * lanes and V.get(at("x", step * P.terms + lanes), 1, lanes) or V.zero()};
${V.split(P.planes, "v0", "v1", at("to", step * P.planes * 64))}
}
$   end
}
}

$ end

$ -- ---- weights -----------------------------------------------------------------------------------------------------------

$ local function define_pack()
$   local V, whole, last = K.V, widths()
/* Transformed weights as planes, in the order in which tiles take them. */
static ${V.isa.attribute}
void ${K.symbol}_split_weights(const float *weights, uint16_t *to)
{
CONVSMITH_ROLLED
for (ptrdiff_t channel = 0; channel < ${((P.panels - 1) * whole + last) * 16}; channel++)
CONVSMITH_ROLLED
for (ptrdiff_t term = 0; term < ${P.steps * P.terms}; term++) {
float points[${W.points}] = {0.0f};
const ptrdiff_t panel = channel / ${P.panel}, column = channel % ${P.panel}, tiles = panel < ${P.panels - 1} ? ${whole} : ${last};
uint16_t *at = to + (panel * ${P.steps * whole} + term / 32 * tiles) * ${P.planes * 512} + column / 16 * 512 + term % 32 / 2 * 32 + column % 16 * 2 + term % 2;
if (channel < ${P.out_channels} && term < ${P.in_channels}) ${K.symbol}_weights(weights + ${P.w_first} + channel * ${P.w_out} + term * ${P.w_in}, points, 1);
CONVSMITH_ROLLED
for (ptrdiff_t i = 0; i < ${W.points}; i++, at += ${P.point_weights * 2})
CONVSMITH_ROLLED
for (ptrdiff_t plane = 0; plane < ${P.planes}; plane++) {
const float rounded = ${V.rounded("points[i]")};
at[plane * tiles * 512] = (uint16_t)(${V.bits("rounded")} >> 16);
points[i] -= rounded;
}
}
}

$ end

$ -- ---- blocks ------------------------------------------------------------------------------------------------------------

$ -- All positions of one panel at one point.
$ local function panel(wide)
CONVSMITH_ROLLED
for (ptrdiff_t position = 0; position < count; position += 32) {
const uint8_t *const from = pixels + i * ${P.point_bytes} + position * ${P.pixel_bytes};
float *const sums = m + i * ${W.m.point} + position * ${W.m.tile} + panel * ${P.panel};
if (count - position > 16) ${P.symbol}_sums2x${wide}(from, ws, sums);
else ${P.symbol}_sums1x${wide}(from, ws, sums);
}
$ end

$ local function define_blocks()
$   local whole, last = widths()
$   local list = { { "const float *", "x" }, { "const uint8_t *", "tiles" } }
$   for i, argument in ipairs(winograd.outputs()) do if i > 1 then list[#list + 1] = argument end end
$   list = arguments.join(list, { { "uint8_t *", "pixels" }, { "ptrdiff_t", "u" }, { "ptrdiff_t", "end" } })
/* Blocks [u, end). */
static ${K.V.isa.attribute}
void ${K.symbol}_blocks(${arguments.declare(list)})
{
float *const m = (float *)(void *)(pixels + ${P.v_bytes}), *const one = (float *)(void *)(pixels + ${P.v_bytes} + ${W.points * W.m.point * 4});
for (; u < end; u++) {
const ptrdiff_t first = u * ${W.block};
const ptrdiff_t count = ${W.all} - first < ${W.block} ? ${W.all} - first : ${W.block};
CONVSMITH_COUNT(1);
CONVSMITH_ROLLED
for (ptrdiff_t i = 0; i < count; i++) {
${K.symbol}_load(x, one, first + i);
${K.symbol}_split(one, pixels + i * ${P.pixel_bytes});
}
CONVSMITH_ROLLED
for (ptrdiff_t i = 0; i < ${W.points}; i++)
CONVSMITH_ROLLED
for (ptrdiff_t panel = 0; panel < ${P.panels}; panel++) {
const uint8_t *const ws = tiles + i * ${P.point_weights * 4} + panel * ${P.steps * P.planes * whole * 1024};
$   if whole ~= last then
if (panel < ${P.panels - 1}) {
$     panel(whole)
} else {
$     panel(last)
}
$   else
$     panel(last)
$   end
}
CONVSMITH_ROLLED
for (ptrdiff_t i = 0; i < count; i++)
${K.symbol}_store(${arguments.pass(arguments.join(winograd.outputs(), { { "", "first + i" } }), { m = "m + i * " .. W.m.tile })});
}
}

$   return list
$ end

$ -- ---- shares ------------------------------------------------------------------------------------------------------------

$ -- The first packed element of the weights' planes, behind bias and slope: a line begins there.
$ local function first_weight() return (K.base + P.shell + P.line - 1) // P.line * P.line end

$ local function call_direct(D)
$   local units, values = 1, { x = at(layer.inputs[1].name, D.x_first), r = at("residual", D.y_first), y = at("output", D.y_first) }
$   for _, dimension in ipairs(D.order) do units = units * dimension[2] end
{
$   parts.shares(units)
$   parts.parameter_pointers(D)
CONVSMITH_COUNT(0);
${D.symbol}_units(${arguments.pass(arguments.join(tiles.pointers(D), { { "", "from" }, { "", "end" } }), values)});
}
$ end

$ local function define_part(kernels, list, target, symbol)
void ${symbol}_part(${arguments.declare(arguments.join(arguments.call_list(layer), arguments.share))})
{
if (${layer.name}_pick() == ${ordered.number(targets, target)}) {
uint8_t *const pixels = (uint8_t *)(((uintptr_t)workspace + 63) & ~(uintptr_t)63);
$   if K.baked_weights then
const uint8_t *const tiles = (const uint8_t *)${K.baked.planes.symbol}.bits;
$   else
const uint8_t *const tiles = (const uint8_t *)packed + ${first_weight() * 4};
$   end
$   parts.parameter_pointers(K)
$   if K.baked_weights then
(void)w;
$   end
$   parts.shares(W.blocks)
if (from < end) {
${K.V.planes.begin}
${K.symbol}_blocks(${arguments.pass(list, { x = at(layer.inputs[1].name, K.x_first), r = at("residual", K.y_first), y = at("output", K.y_first), u = "from" })});
${K.V.planes.done}
}
return;
}
$   for i = 1, #kernels - 1 do call_direct(kernels[i]) end
}
$ end

$ local function section(target, symbol)
$   local kernels = parts.kernels(target, symbol)
$   K, W, P = kernels[#kernels], target.kernels.winograd, { V = kernels[#kernels].V, symbol = kernels[#kernels].symbol }
$   for _, key in ipairs(keys(target.kernels.tiles)) do P[key] = target.kernels.tiles[key] end
#ifndef CONVSMITH_COUNT /* what looks how many blocks take tiles defines it */
#define CONVSMITH_COUNT(planned) ((void)0)
#endif
static int ${layer.name}_pick(void);
$   for i = 1, #kernels - 1 do
$     local D = kernels[i]
$     direct.define(D)
$     parts.units(D, tiles.pointers(D), direct.number, function() direct.compute(D) end)
$   end
$   helpers(K)
$   winograd.use(target, K)
$   winograd.load()
$   winograd.store()
$   if not K.baked_weights then winograd.weights() end
$   define_split()
$   if not K.baked_weights then define_pack() end
$   local whole, last = widths()
$   for _, wide in ipairs(whole ~= last and { whole, last } or { last }) do
$     steps.define(P, 2, wide)
$     steps.define(P, 1, wide)
$   end
$   local list = define_blocks()
$   pack(kernels, symbol, nil, not K.baked_weights and function()
${K.symbol}_split_weights(weights, (uint16_t *)(void *)(p + ${first_weight()}));
$   end)
$   define_part(kernels, list, target, symbol)
$   parts.whole(symbol)
$ end

$ return { section = section }
