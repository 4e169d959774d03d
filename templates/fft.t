$ -- Convolution by fast Fourier transforms on one target (gen/fft.h has the words): tiles of two blocks, row by row and column by column
$ -- there, times the kernel's spectrum, column by column and row by row back; and the shares of NAME_part.
$ local arguments = import("lib/arguments.lua")
$ local helpers = import("lib/helpers.t")
$ local lines = import("lib/fft_line.t")
$ local pack = import("lib/fft_pack.t")
$ local parts = import("lib/parts.t")
$ local passes = import("lib/fft_pass.t")
$ local tiles = import("lib/tile.t")
$ local vec = import("lib/vec.lua")
$ local at = vec.at
$ local K, V, tall, row -- the kernel that is being printed, its operations, its axes

$ -- ---- products ----------------------------------------------------------------------------------------------------------

$ -- A column's sums over input channels of spectrum times spectrum.
$ local function define_product()
$   local from_step, channels = K.fused and K.step or #tall.forward > 0 and K.pitch or K.step, K.in_channels
$   local load = K.over_groups and function(p) return V.get(p, 1, V.lanes) end or V.broadcast
CONVSMITH_NOINLINE ${V.isa.attribute}
void ${K.symbol}_fft_product(const ${V.ctype} *z, const ${V.ctype} *w, ${V.ctype} *to)
{
CONVSMITH_ROLLED
for (ptrdiff_t i = 0; i < ${K.column}; i++) {
$   if channels > 1 then
${V.type} re = ${V.zero()}, im = ${V.zero()};
CONVSMITH_ROLLED
for (ptrdiff_t c = 0; c < ${channels}; c++) {
const ${V.type} x = ${V.get("z + c * " .. K.plane, 1, V.lanes)}, y = ${V.get("z + c * " .. K.plane .. " + " .. V.lanes, 1, V.lanes)};
const ${V.type} u = ${load("w")}, v = ${load("w + " .. K.w_lane)};
re = ${V.minus("(" .. V.mac("re", "x", "u") .. ")", "y", "v")};
im = ${V.mac("(" .. V.mac("im", "x", "v") .. ")", "y", "u")};
w += ${2 * K.w_lane};
}
$   else
const ${V.type} x = ${V.get("z", 1, V.lanes)}, y = ${V.get("z + " .. V.lanes, 1, V.lanes)};
const ${V.type} u = ${load("w")}, v = ${load("w + " .. K.w_lane)};
const ${V.type} re = ${V.minus("(" .. V.mul("x", "u") .. ")", "y", "v")};
const ${V.type} im = ${V.mac("(" .. V.mul("x", "v") .. ")", "y", "u")};
w += ${2 * K.w_lane};
$   end
${V.put("to", 1, V.lanes, "re")}
${V.put("to + " .. V.lanes, 1, V.lanes, "im")}
z += ${from_step};
to += ${K.step};
}
}

$ end

$ -- ---- one tile ----------------------------------------------------------------------------------------------------------

$ -- Where the parts of the workspace begin: a line, a column, the channels' planes, and that of an output.
$ local function scratch()
${V.ctype} *line = strip, *column = strip + ${K.line}, *z = strip + ${K.line + tall.points * K.step};
$   if not K.fused then
${V.ctype} *sums = z + ${K.in_channels * K.plane};
$   end
$   if #row.forward == 0 then
(void)line;
$   end
$   if #tall.forward == 0 then
(void)column;
$   end
$ end


$ -- Row i of channel c as a line of vectors.
$ local function bring(line)
$   local channel = K.in_channels > 1 and " + c * " .. K.x_channel or ""
int any = 0;
$   if K.scattered then
CONVSMITH_ROLLED
for (int lane = 0; lane < ${V.lanes}; lane++) any |= ${K.symbol}_fft_row(from[lane]${channel}, i, top[lane], left[lane], ${line} + lane);
$   elseif K.over_groups and K.last < V.lanes then
any = last ? ${K.symbol}_fft_last_row(x${channel}, i, top, left, ${line}) : ${K.symbol}_fft_row(x${channel}, i, top, left, ${line});
$   else
any = ${K.symbol}_fft_row(x${channel}, i, top, left, ${line});
$   end
$ end

$ -- All rows there; those without input are zeros.
$ local function rows_there()
$   local plane = K.in_channels > 1 and "z + c * " .. K.plane or "z"
$   local line = #row.forward > 0 and "line" or "points"
CONVSMITH_ROLLED
for (ptrdiff_t i = 0; i < ${tall.used}; i++) {
${V.ctype} *points = ${plane}${tall.points > 1 and " + i * " .. K.pitch or ""};
$   bring(line)
$   if #row.forward > 0 then
if (any) {
$     passes.call(row.forward, K.symbol .. "_fft_row_forward", "line", "line", "points")
} else {
CONVSMITH_ROLLED
for (ptrdiff_t j = 0; j < ${2 * row.points}; j++) ${V.put("points + j * " .. V.lanes, 1, V.lanes, V.zero())}
}
$   else
(void)any;
$   end
}
$ end

$ local function each_column(body)
$   if K.columns > 1 then
CONVSMITH_ROLLED
for (ptrdiff_t f = 0; f < ${K.columns}; f++)
$   end
{
$   body(K.columns > 1 and " + f * " .. K.step or "", K.columns > 1 and " + f * " .. K.w_column or "")
}
$ end

$ -- Of one input and one output channel: each column there and back.
$ local function columns_fused()
$   local column = #tall.forward > 0 and "column"
$   each_column(function(z, w)
$     passes.call(tall.forward, K.symbol .. "_fft_column_forward", "z" .. z, "column", "column")
${K.symbol}_fft_product(${column or "z" .. z}, w${w}, ${column or "z" .. z});
$     passes.call(tall.inverse, K.symbol .. "_fft_column_inverse", "column", "column", "z" .. z)
$   end)
$ end

$ local function columns_there()
$   if #tall.forward == 0 then return end
$   local plane = K.in_channels > 1 and "z + c * " .. K.plane or "z"
$   each_column(function(z)
$     passes.call(tall.forward, K.symbol .. "_fft_column_forward", plane .. z, "column", plane .. z)
$   end)
$ end

$ local function columns_back()
$   local column = #tall.forward > 0 and "column"
$   local weights = K.out_channels > 1 and "w + m * " .. K.w_out or "w"
$   each_column(function(z, w)
${K.symbol}_fft_product(z${z}, ${weights}${w}, ${column or "sums" .. z});
$     passes.call(tall.inverse, K.symbol .. "_fft_column_inverse", "column", "column", "sums" .. z)
$   end)
$ end

$ -- Row i of outputs as it goes out; `y` of the output channel.
$ local function give(line)
$   local channel = K.out_channels > 1
$   local values = { line = line, b = channel and "b + m * " .. K.b_out or "b", s = channel and "s + m * " .. K.b_out or "s",
$     r = channel and "r + m * " .. K.y_channel or "r", y = channel and "y + m * " .. K.y_channel or "y" }
$   local list = { values.line }
$   if K.bias then list[#list + 1] = values.b end
$   if K.activation.name == "prelu" then list[#list + 1] = values.s end
$   if not K.scattered then
$     if K.residual then list[#list + 1] = values.r end
$     list[#list + 1] = values.y
$     local all = table.concat(list, ", ") .. ", i, top, left"
$     if K.over_groups and K.last < V.lanes then
if (last)
${K.symbol}_fft_last_put(${all});
else
$     end
${K.symbol}_fft_put(${all});
$     return
$   end
$   local offset = channel and " + m * " .. K.y_channel or ""
$   if K.residual then
CONVSMITH_ROLLED
for (int lane = 0; lane < count; lane++) ${K.symbol}_fft_add(${line} + lane, r + to[lane]${offset}, i, top[lane], left[lane]);
$   end
$   if K.over_groups and K.last < V.lanes and (K.bias or K.activation.name == "prelu") then
if (count < ${V.lanes})
${K.symbol}_fft_last_finish(${table.concat(list, ", ")});
else
$   end
$   if K.bias or K.activation.name ~= "none" then
${K.symbol}_fft_finish(${table.concat(list, ", ")});
$   end
CONVSMITH_ROLLED
for (int lane = 0; lane < count; lane++) ${K.symbol}_fft_give(${line} + lane, y + to[lane]${offset}, i, top[lane], left[lane]);
$ end

$ local function rows_back(plane)
$   local line = #row.inverse > 0 and "line" or "from_row"
CONVSMITH_ROLLED
for (ptrdiff_t i = 0; i < ${tall.outputs}; i++) {
${V.ctype} *from_row = ${plane}${tall.points > 1 and " + i * " .. K.pitch or ""};
$   passes.call(row.inverse, K.symbol .. "_fft_row_inverse", "from_row", "line", "line")
$   give(line)
}
$ end

$ local function define_tile()
$   local list = arguments.join(tiles.pointers(K), { { V.ctype .. " *", "strip" } })
$   if K.scattered then
$     list = arguments.join(list, { { "const " .. V.ctype .. " *const *", "from" }, { "const ptrdiff_t *", "to" },
$       { "const ptrdiff_t *", "top" }, { "const ptrdiff_t *", "left" }, { "int", "count" } })
$   else
$     list = arguments.join(list, { { "ptrdiff_t", "top" }, { "ptrdiff_t", "left" } }, K.last < V.lanes and { { "int", "last" } } or {})
$   end
CONVSMITH_NOINLINE ${V.isa.attribute}
void ${K.symbol}_fft_tile(${arguments.declare(list)})
{
$   scratch()
$   if K.scattered then
(void)x;
$   end
$   if K.in_channels > 1 then
CONVSMITH_ROLLED
for (ptrdiff_t c = 0; c < ${K.in_channels}; c++) {
$   end
$   rows_there()
$   if not K.fused then columns_there() end
$   if K.in_channels > 1 then
}
$   end
$   if K.fused then
$     columns_fused()
$     rows_back("z")
$   else
CONVSMITH_ROLLED
for (ptrdiff_t m = 0; m < ${K.out_channels}; m++) {
$     columns_back()
$     rows_back("sums")
}
$   end
}

$   return list
$ end

$ -- ---- units -------------------------------------------------------------------------------------------------------------

$ local function outputs(axis) return axis.outputs * axis.pair end

$ -- Units: tiles of a vector of groups, or vectors of tiles.
$ local function set_order()
$   local inner = K.over_groups and { { "across", row.tiles }, { "down", tall.tiles } } or {}
$   K.order = parts.order(K, inner)
$ end

$ local function first(axis, name, count) return count > 1 and ("%s * %d"):format(name, outputs(axis)) or "0" end

$ -- Where each lane's tile lies. Lanes without one have no outputs.
$ local function places()
$   local bundle = K.bundles > 1 and "bundle" or "0"
const ${V.ctype} *from[${V.lanes}];
ptrdiff_t to[${V.lanes}], top[${V.lanes}], left[${V.lanes}];
const int live = ${K.bundles > 1 and ("bundle < %d ? %d : %d"):format(K.bundles - 1, V.lanes, K.last) or K.last};
CONVSMITH_ROLLED
for (int lane = 0; lane < ${V.lanes}; lane++) {
$   if K.over_groups then
from[lane] = lane < live ? x0 + lane * ${K.x_group} : x0;
to[lane] = lane * ${K.y_group};
top[lane] = lane < live ? ${first(tall, "down", tall.tiles)} : ${tall.output};
left[lane] = ${first(row, "across", row.tiles)};
$   else
const ptrdiff_t tile = lane < live ? ${bundle} * ${V.lanes} + lane : 0, image = tile / ${tall.tiles * row.tiles};
from[lane] = x0 + image * ${K.x_image};
to[lane] = image * ${K.y_image};
top[lane] = lane < live ? tile / ${row.tiles} % ${tall.tiles} * ${outputs(tall)} : ${tall.output};
left[lane] = tile % ${row.tiles} * ${outputs(row)};
$   end
}
$ end

$ local function compute(list)
$   local values = { top = first(tall, "down", tall.tiles), left = first(row, "across", row.tiles),
$     last = K.bundles > 1 and "bundle == " .. K.bundles - 1 or "1", count = "live" }
$   local offsets = { x = "x", w = "w", b = "b", s = "b", y = "y", r = "y" }
$   for _, name in ipairs(keys(offsets)) do values[name] = parts.sum(name, parts.unit_offset(K, offsets[name])) end
$   if K.scattered then
const ${V.ctype} *x0 = ${values.x};
$     values.x = "x0"
$     for _, name in ipairs({ "top", "left", "from", "to" }) do values[name] = name end
$     places()
$   end
${K.symbol}_fft_tile(${arguments.pass(list, values)});
$ end

$ local function define_lines()
$   local last = K.over_groups and K.last < V.lanes
$   if K.scattered then
$     lines.bring(K, vec.new(V.isa.single, layer.dtype, K.symbol, false), 1, K.symbol .. "_fft")
$     lines.lane(K, K.symbol .. "_fft")
$     if K.bias or K.activation.name ~= "none" then lines.finish_line(K, V.lanes, K.symbol .. "_fft") end
$     if last and (K.bias or K.activation.name == "prelu") then lines.finish_line(K, K.last, K.symbol .. "_fft_last") end
$     return
$   end
$   lines.bring(K, V, V.lanes, K.symbol .. "_fft")
$   lines.put(K, V.lanes, K.symbol .. "_fft")
$   if last then
$     lines.bring(K, V, K.last, K.symbol .. "_fft_last")
$     lines.put(K, K.last, K.symbol .. "_fft_last")
$   end
$ end

$ local function section(target, symbol)
$   local kernels = parts.kernels(target, symbol)
$   K = kernels[1]
$   V, tall, row = K.V, K.axes[1], K.axes[2]
$   set_order()
$   helpers(K)
$   passes.axis(K, row, K.symbol .. "_fft_row")
$   passes.axis(K, tall, K.symbol .. "_fft_column")
$   define_lines()
$   define_product()
$   local list = define_tile()
$   parts.units(K, tiles.pointers(K), function() parts.count(false) end, function() compute(list) end)
$   pack(K, symbol)
$   parts.define(kernels, tiles.pointers, symbol)
$ end

$ return { section = section }
