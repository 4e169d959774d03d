$ -- Convolution in planes of bf16 on tile registers (gen/planes.h has the words): splitting a block's inputs, the steps of tiles, what
$ -- stores their sums, and the shares of NAME_part, which leave what the guard refuses to the direct kernels behind the first one.
$ local arguments = import("lib/arguments.lua")
$ local vec = import("lib/vec.lua")
$ local direct = import("direct.t")
$ local helpers = import("lib/helpers.t")
$ local ordered = import("lib/order.lua")
$ local pack = import("lib/pack.t")
$ local blocks = import("lib/panels.t")
$ local parts = import("lib/parts.t")
$ local split = import("lib/split.t")
$ local stage = import("lib/stage.t")
$ local given = { image = true, group = true }
$ local at = vec.at
$ local K -- the kernel that is being printed

$ local function last_axis() return K.axes[#K.axes] end
$ local function row_axis() return K.axes[#K.axes - 1] end

$ -- Panels of a block, those of all phases.
$ local function panels() return K.phases * K.panels end

$ -- All units, innermost first: panels of a block, blocks, rows of outer axes, groups, images.
$ local function dimensions()
$   local list = { { "panel", panels() }, { "block", K.blocks } }
$   for a = #K.axes - 2, 1, -1 do list[#list + 1] = { "o" .. a, K.axes[a].output } end
$   list[#list + 1] = { "group", K.groups }
$   list[#list + 1] = { "image", K.batch }
$   return list
$ end

$ local function units_of(list)
$   local units = 1
$   for _, dimension in ipairs(list) do units = units * dimension[2] end
$   return units
$ end

$ local function term(name, count, step) return count > 1 and step ~= 0 and name .. " * " .. step or nil end

$ -- A pointer to where the unit's image and group begin.
$ local function begin(pointer, first, batch, group)
$   return parts.sum(at(pointer, first), { term("image", K.batch, batch), }, { term("group", K.groups, group) })
$ end

$ -- The block's outputs: rows from r0.
$ local function outputs(pointer)
$   local text = begin(pointer, K.y_first, K.y_batch, K.y_group)
$   for a = 1, #K.axes - 2 do text = parts.sum(text, { term("o" .. a, K.axes[a].output, K.axes[a].y) }) end
$   return parts.sum(text, { term("r0", K.blocks, row_axis().y) })
$ end

$ local function count_rows()
$   local out = row_axis().output
$   if K.blocks == 1 then
const ptrdiff_t rows = ${out};
$   else
const ptrdiff_t r0 = block * ${K.block_rows}, rows = ${out} - r0 < ${K.block_rows} ? ${out} - r0 : ${K.block_rows};
$   end
$   if panels() > 1 then
const ptrdiff_t count = ${panels()} - panel < end - u ? ${panels()} - panel : end - u;
$   else
const ptrdiff_t count = 1;
$   end
$ end

$ -- The rows of the block as a direct kernel numbers them: all outer axes' outputs, and a pixel each where it is trimmed.
$ local function direct_rows(D)
$   local all, first = 1, K.blocks > 1 and "r0" or "0"
$   for a = 1, #K.axes - 1 do all = all * K.axes[a].output end
$   for a = 1, #K.axes - 2 do
$     if K.axes[a].output > 1 then first = ("o%d * %d + %s"):format(a, row_axis().output, first) end
$   end
$   local each = D.rows // all
$   if each == 1 then return first, ("%s + rows"):format(first) end
$   return ("(%s) * %d"):format(first, each), ("(%s + rows) * %d"):format(first, each)
$ end

$ local function call_direct(D)
{
$   parts.parameter_pointers(D)
$   local r0, r1 = direct_rows(D)
$   stage.call(D, given, { x = at(layer.inputs[1].name, D.x_first), y = at("output", D.y_first), r = at("residual", D.y_first),
$                          x0 = "0", y0 = "0", r0 = r0, r1 = r1 })
}
$ end

$ -- The weights' planes: baked, or packed behind what the guard says of them.
$ local function weights()
$   if K.baked_weights then return at(("(const uint8_t *)%s.bits"):format(K.baked.planes.symbol), K.baked_planes) end
$   return ("(const uint8_t *)packed + %d"):format((split.packed_at(K) + K.verdict) * 4)
$ end

$ local function call_tiles(first)
$   parts.parameter_pointers(first)
(void)w;
$   local b = parts.sum("b", { term("group", K.groups, K.out_channels) })
$   local s = parts.sum("s", { term("group", K.groups, K.out_channels) })
$   local tiles = parts.sum("tiles", { term("group", K.groups, K.w_group_size * 4) })
$   local values = { pixels = "pixels", sums = "sums", tiles = tiles, b = b, s = s, rb = outputs("residual"), yb = outputs("output"),
$                   rows = "rows", panel = panels() > 1 and "panel" or "0", first = panels() > 1 and "panel" or "0", count = "count", pass = "pass", ahead = "&ahead", r0 = K.blocks > 1 and "r0" or "0" }
$   for a = 1, #K.axes - 2 do values["o" .. a] = K.axes[a].output > 1 and "o" .. a or "0" end
$   blocks.call(K, values)
$ end

$ local function fill()
$   local values = { x = begin(layer.inputs[1].name, K.x_first, K.x_batch, K.x_group), pixels = "pixels", rows = "rows",
$                    r0 = K.blocks > 1 and "r0" or "0", pass = "pass" }
$   for a = 1, #K.axes - 2 do values["o" .. a] = K.axes[a].output > 1 and "o" .. a or "0" end
$   return split.call(K, values)
$ end

$ -- The planes of a block that was split ahead are those of the other place; what is left of it is split now.
$ local function take_ahead()
if (ready) {
uint8_t *const before = pixels;
pixels = other;
other = before;
${K.symbol}_ahead(&ahead, ahead.left);
}
$ end

$ -- Sets out to split the block of the next unit, if this share goes on.
$ local function set_ahead()
$   local rows, columns = row_axis(), last_axis()
ready = usable && u + count < end;
ahead.left = 0;
if (ready) {
const ptrdiff_t next = (u + count) / ${panels()};
const ptrdiff_t row = next % ${K.blocks} * ${K.block_rows};
ahead.x = ${at(layer.inputs[1].name, K.x_first)} + next / ${K.blocks} * ${K.x_batch} + row * ${rows.x};
ahead.to = other;
ahead.left = (${rows.output} - row < ${K.block_rows} ? ${rows.output} - row : ${K.block_rows}) * ${columns.output * K.steps};
ahead.step = 0;
ahead.least = ${K.V.planes.range.least};
ahead.most = ${K.V.planes.range.most};
}
$ end

$ -- A chunk of channels after the other; sums become outputs in the last one, once all channels are known to be within the range.
$ local function passes(first)
int good = usable;
CONVSMITH_ROLLED
for (ptrdiff_t pass = 0; good && pass < ${K.passes}; pass++) {
good = ${fill()};
if (good) {
$   call_tiles(first)
}
}
$ end

$ -- The units of a part of one kernel.
$ local function compute(kernels, target)
$   local list = dimensions()
{
$   parts.shares(units_of(list))
$   local good = K.baked_weights and "" or (" && ((const float *)packed)[%d] > 0.0f"):format(split.packed_at(K))
const int usable = from < end && ${layer.name}_pick() == ${ordered.number(targets, target)}${good};
const uint8_t *const tiles = ${weights()};
uint8_t *const aligned = (uint8_t *)(((uintptr_t)workspace + 63) & ~(uintptr_t)63);
float *const sums = (float *)(void *)aligned;
$   if K.ahead > 0 then
uint8_t *pixels = aligned + ${K.sum_bytes}, *other = pixels + ${K.block_bytes};
struct ${K.symbol}_ahead ahead = {0, pixels, 0, 0, ${K.V.planes.range.least}, ${K.V.planes.range.most}};
int ready = 0; /* is the block split that comes next? */
$   else
uint8_t *const pixels = aligned + ${K.sum_bytes};
$   end
if (usable) ${K.V.planes.begin}
CONVSMITH_ROLLED
for (ptrdiff_t u = from; u < end;) {
$   parts.decode(list)
$   count_rows()
$   if K.ahead > 0 then
$     take_ahead()
const int good = ready ? ${split.in_range(K, "ahead.least", "ahead.most")} : usable && ${fill()};
$     set_ahead()
$   elseif K.passes > 1 then
$     passes(kernels[K.directs[1]])
$   else
const int good = usable && ${fill()};
$   end
CONVSMITH_COUNT(good);
$   local otherwise = panels() > 1 and "if (panel == 0)" or false
$   if K.passes > 1 then
if (!good${otherwise and " && panel == 0" or ""}) {
$   else
if (good) {
$     call_tiles(kernels[K.directs[1]])
} else${otherwise and " " .. otherwise or ""} {
$   end
$   for _, i in ipairs(K.directs) do call_direct(kernels[i]) end
}
u += count;
}
if (usable) ${K.V.planes.done}
}
$ end

$ local function define_part(kernels, planned, target, symbol)
$   local ahead = false
$   for _, kernel in ipairs(planned) do ahead = ahead or kernel.ahead > 0 end
$   if ahead then emit(planned[1].V.isa.attribute) end
void ${symbol}_part(${arguments.declare(arguments.join(arguments.call_list(layer), arguments.share))})
{
$   for _, kernel in ipairs(planned) do
$     K = kernel
$     compute(kernels, target)
$   end
}
$ end

$ -- Those of tiles.
$ local function planned_of(kernels)
$   local list = {}
$   for _, kernel in ipairs(kernels) do if kernel.form == "planes" then list[#list + 1] = kernel end end
$   return list
$ end

$ local function section(target, symbol)
$   local kernels = parts.kernels(target, symbol)
$   local planned = planned_of(kernels)
#ifndef CONVSMITH_COUNT /* what looks how many blocks take tiles defines it */
#define CONVSMITH_COUNT(planned) ((void)0)
#endif
static int ${layer.name}_pick(void);
$   for i = #planned + 1, #kernels do
$     direct.define(kernels[i])
$     stage.define(kernels[i], direct, given)
$   end
$   for _, kernel in ipairs(planned) do
$     helpers(kernel)
$     split.define(kernel)
$     blocks.define(kernel)
$     if not kernel.baked_weights then split.define_pack(kernel) end
$   end
$   pack(kernels, symbol, nil, not planned[1].baked_weights and function()
$     for _, kernel in ipairs(planned) do split.pack(kernel) end
$   end)
$   define_part(kernels, planned, target, symbol)
$   parts.whole(symbol)
$ end

$ return { section = section }
