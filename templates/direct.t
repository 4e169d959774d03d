$ -- Direct convolution on one target: tiles, blocks of output channels that walk rows of outputs, and the shares of NAME_part.
$ local vec = import("lib/vec.lua")
$ local arguments = import("lib/arguments.lua")
$ local tiles = import("lib/tile.t")
$ local helpers = import("lib/helpers.t")
$ local pack = import("lib/pack.t")
$ local at = vec.at
$ local K -- the kernel that is being printed

$ -- The plan's kernel (read-only) with what templates add to it: operations, the prefix of its symbols, its part of the packed buffer.
$ local function extend(target, kernel, symbol, base)
$   local own = { V = vec.new(target.isa, layer.dtype, symbol, kernel.zero_weights), symbol = symbol, base = base }
$   for _, key in ipairs(keys(kernel)) do own[key] = kernel[key] end
$   return own
$ end

$ local function packed_elements(kernel)
$   local size = kernel.w_size
$   for _, tensor in ipairs(layer.parameters) do if tensor.name ~= "weights" then size = size + kernel.b_size end end
$   return size
$ end

$ -- Output o of each outer axis for a row, and y (and residual) there.
$ local function outputs()
$   local y = {}
$   for a, axis in ipairs(K.axes) do
const ptrdiff_t o${a} = row${axis.below > 1 and " / " .. axis.below or ""}${a > 1 and " % " .. axis.output or ""};
$     y[a] = "o" .. a .. " * " .. axis.y
$   end
${K.V.ctype} *yr = y + ${table.concat(y, " + ")};
$   if layer.residual then
const ${K.V.ctype} *rr = r + (yr - y);
$   end
$ end

$ -- Live taps [from, from + taps) of one outer axis for this row.
$ local function trim(a, axis)
const ptrdiff_t i${a} = o${a} * ${axis.stride} - ${axis.pad};
$   if axis.trimmed then
const ptrdiff_t from${a} = i${a} < 0 ? (${axis.dilation - 1} - i${a}) / ${axis.dilation} : 0;
const ptrdiff_t end${a} = i${a} > ${axis.input - 1} ? 0 : (${axis.input - 1} - i${a}) / ${axis.dilation} + 1;
const ptrdiff_t taps${a} = (end${a} < ${axis.kernel} ? end${a} : ${axis.kernel}) - from${a};
$   else
const ptrdiff_t taps${a} = ${axis.kernel};
$   end
$ end

$ -- Where each tap of one outer axis reads, for a padding mode.
$ local function map(a, axis)
ptrdiff_t map${a}[${axis.kernel}];
CONVSMITH_ROLLED
for (ptrdiff_t k = 0; k < ${axis.kernel}; k++)
map${a}[k] = ${K.symbol}_${K.padding_mode}(o${a} * ${axis.stride} - ${axis.pad} + k * ${axis.dilation}, ${axis.input}) * ${axis.x};
$ end

$ -- x and w of a row's first live taps; a row without one keeps the pointers where they are.
$ local function first_taps(loop_w)
$   local live, x, w = {}, {}, {}
$   for a, axis in ipairs(K.axes) do
$     if axis.mapped then map(a, axis) else
$       trim(a, axis)
$       if axis.trimmed then
$         live[#live + 1] = "taps" .. a .. " > 0"
$         w[#w + 1] = "from" .. a .. " * " .. loop_w[a]
$       end
$       local from = axis.trimmed and (" + from%d * %d"):format(a, axis.dilation) or ""
$       x[#x + 1] = ("(i%d%s) * %d"):format(a, from, axis.x)
$     end
$   end
const ${K.V.ctype} *xr = x, *wr = w;
$   if #live > 0 then
if (${table.concat(live, " && ")}) {
$   end
$   if #x > 0 then
xr += ${table.concat(x, " + ")};
$   end
$   if #w > 0 then
wr += ${table.concat(w, " + ")};
$   end
$   if #live > 0 then
}
$   end
$ end

$ local function index(offset, count, step)
$   return count > 1 and step ~= 0 and ("%d + i * %d"):format(offset, step) or tostring(offset)
$ end

$ -- Calls of equal neighbouring tiles. With one axis the row's tiles are the units: only those in [r0, r1).
$ local function call(run, px, pw, py, pr, x)
$   local name = K.symbol .. "_tile" .. run.tile
$   local offset = index(run.y, run.count, run.y_step)
$   local values = { x = px .. " + " .. index(x + run.x, run.count, run.x_step), w = pw, y = py .. " + " .. offset, r = pr .. " + " .. offset }
$   local one = name .. "(" .. arguments.pass(arguments.join(tiles.pointers(K), tiles.trims(K)), values) .. ");"
$   if #K.axes == 0 and run.count == 1 then
if (r0 <= ${run.first} && ${run.first} < r1) ${one}
$   elseif #K.axes == 0 then
for (ptrdiff_t i = r0 > ${run.first} ? r0 - ${run.first} : 0; i < ${run.count} && i < r1 - ${run.first}; i++) ${one}
$   elseif run.count == 1 then
${one}
$   else
CONVSMITH_ROLLED
for (ptrdiff_t i = 0; i < ${run.count}; i++) ${one}
$   end
$ end

$ -- The rows of a full design: a case where the outer axes' taps are alike.
$ local function full_case(rows)
$   local conditions, x = {}, {}
$   for a, axis in ipairs(K.axes) do
$     if rows.from[a] > 0 then conditions[#conditions + 1] = ("o%d >= %d"):format(a, rows.from[a]) end
$     if rows.to[a] < axis.output then conditions[#conditions + 1] = ("o%d < %d"):format(a, rows.to[a]) end
$     if rows.live then x[#x + 1] = ("o%d * %d"):format(a, axis.stride * axis.x) end
$   end
$   if #conditions > 0 then
if (${table.concat(conditions, " && ")})
$   end
{
const ${K.V.ctype} *xr = ${table.concat({ "x", table.unpack(x) }, " + ")};
$   for _, run in ipairs(rows.runs) do call(run, "xr", "w", "yr", "rr", rows.live and rows.x or 0) end
}
$ end

$ -- One kind of channel block: rows [r0, r1) of its outputs.
$ local function define_block(block, name)
$   local list = arguments.join(tiles.pointers(K), { { "ptrdiff_t ", "r0" }, { "ptrdiff_t ", "r1" } })
static ${K.V.isa.attribute} void ${name}(${arguments.declare(list)})
{
$   if #K.axes == 0 then
$     for _, run in ipairs(block.cases[1].runs) do call(run, "x", "w", "y", "r", 0) end
$   else
CONVSMITH_ROLLED
for (ptrdiff_t row = r0; row < r1; row++) {
$     outputs()
$     if K.full then
$       for _, rows in ipairs(block.cases) do full_case(rows) end
$     else
$       local runs = block.cases[1].runs
$       first_taps(K.tiles[runs[1].tile + 1].loop_w)
$       for _, run in ipairs(runs) do call(run, "xr", "wr", "yr", "rr", 0) end
$     end
}
$   end
}

$ end

$ -- Decodes a unit: `names` is {name, count} innermost first; dimensions of one are not there.
$ local function decode(dimensions)
$   local total = 1
$   for _, dimension in ipairs(dimensions) do
$     if dimension[2] > 1 then
const ptrdiff_t ${dimension[1]} = u${total > 1 and " / " .. total or ""} % ${dimension[2]};
$     end
$     total = total * dimension[2]
$   end
$ end

$ -- The offset of a unit in x, w, b or y.
$ local function unit_offset(key)
$   local terms = {}
$   for _, unit in ipairs(K.units) do
$     if unit.count > 1 and unit[key] ~= 0 then terms[#terms + 1] = unit.name .. " * " .. unit[key] end
$   end
$   return terms
$ end

$ local function block_terms(block, key)
$   local terms = {}
$   local step = block.count > 1 and block[key .. "_step"] or 0
$   local offset = block[key] - block.from * step
$   if step ~= 0 then terms[#terms + 1] = "block * " .. step end
$   if offset ~= 0 then terms[#terms + 1] = tostring(offset) end
$   return terms
$ end

$ local function sum(first, ...)
$   local text = first
$   for _, terms in ipairs({ ... }) do
$     for _, term in ipairs(terms) do text = text .. (term:sub(1, 1) == "-" and " - " .. term:sub(2) or " + " .. term) end
$   end
$   return text
$ end

$ local function call_block(block, number)
$   local values = { r0 = K.rows > 1 and "row" or "0", r1 = K.rows > 1 and "row + count" or "1" }
$   for _, pair in ipairs({ { "x", "x" }, { "w", "w" }, { "b", "b" }, { "s", "b" }, { "y", "y" }, { "r", "y" } }) do
$     values[pair[1]] = sum(pair[1], unit_offset(pair[2]), block_terms(block, pair[2]))
$   end
$   local list = arguments.join(tiles.pointers(K), { { "ptrdiff_t ", "r0" }, { "ptrdiff_t ", "r1" } })
$   local condition = number < #K.blocks and ("if (block < %d) "):format(block.from + block.count) or ""
$   return condition .. ("%s_block%d(%s);"):format(K.symbol, number, arguments.pass(list, values)) .. (number < #K.blocks and " else" or "")
$ end

$ -- Units [u, end) of a kernel: neighbouring rows of one channel block go together.
$ local function define_units()
$   local list = arguments.join(tiles.pointers(K), { { "ptrdiff_t ", "u" }, { "ptrdiff_t ", "end" } })
$   local blocks, rows = { "block", K.channel_blocks }, { "row", K.rows }
$   local order = K.channels_inner and { blocks, rows } or { rows, blocks }
$   for i = #K.units, 1, -1 do order[#order + 1] = { K.units[i].name, K.units[i].count } end
static ${K.V.isa.attribute} void ${K.symbol}_units(${arguments.declare(list)})
{
while (u < end) {
$   decode(order)
$   if K.channels_inner or K.rows == 1 then
const ptrdiff_t count = 1;
$   else
const ptrdiff_t count = ${K.rows} - row < end - u ? ${K.rows} - row : end - u;
$   end
$   for number, block in ipairs(K.blocks) do
${call_block(block, number)}
$   end
u += count;
}
}

$ end

$ -- Pointers into the packed buffer or the baked arrays.
$ local function parameter_pointers()
$   local T, offset = K.V.ctype, K.base + K.w_size
$   local packed = layer.packed and "(const " .. T .. " *)packed" or false
$   if not layer.baked_weights then
const ${T} *w = ${at(packed, K.base)};
$   else
const ${T} *w = ${layer.name}_baked_weights.values;
$   end
$   if layer.bias and layer.baked_bias then
const ${T} *b = ${layer.name}_baked_bias.values;
$   elseif layer.bias then
const ${T} *b = ${at(packed, offset)};
$     offset = offset + K.b_size
$   end
$   if layer.activation.name == "prelu" then
const ${T} *s = ${at(packed, offset)};
$   end
$ end

$ local function define_part(kernels, symbol)
$   local list = arguments.call_list(layer)
void ${symbol}_part(${arguments.declare(arguments.join(list, arguments.share))})
{
$   for _, kernel in ipairs(kernels) do
$     K = kernel
$     local units = K.channel_blocks * K.rows
$     for _, unit in ipairs(K.units) do units = units * unit.count end
{
/* even shares of ${units} units: the first ones get one more where they don't divide */
const ptrdiff_t share = ${units} / parts, more = ${units} % parts;
const ptrdiff_t from = part * share + (part < more ? part : more), end = from + share + (part < more);
$     parameter_pointers()
${K.symbol}_units(${arguments.pass(arguments.join(tiles.pointers(K), { { "", "from" }, { "", "end" } }), { x = "input", r = "residual", y = "output" })});
}
$   end
}
void ${symbol}(${arguments.declare(list)})
{
${symbol}_part(${arguments.pass(list)}, 0, 1);
}

$ end

$ return function(target, symbol)
$   local kernels, base, free = {}, 0, 0
$   for i, kernel in ipairs(target.kernels) do
$     if not kernel.shared then
$       base = free
$       free = base + packed_elements(kernel)
$     end
$     kernels[i] = extend(target, kernel, #target.kernels > 1 and symbol .. "_phase" .. i or symbol, base)
$   end
$   for _, kernel in ipairs(kernels) do
$     K = kernel
$     helpers(K)
$     for i, tile in ipairs(K.tiles) do tiles.define(K, tile, K.symbol .. "_tile" .. i - 1) end
$     for i, block in ipairs(K.blocks) do define_block(block, K.symbol .. "_block" .. i) end
$     define_units()
$   end
$   pack(kernels, symbol)
$   define_part(kernels, symbol)
$ end
