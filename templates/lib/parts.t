$ -- The kernels of a target as templates see them, and the shares of NAME_part: units of work numbered along a kernel's dimensions
$ -- `order`, {name, count} innermost first.
$ local vec = import("lib/vec.lua")
$ local arguments = import("lib/arguments.lua")
$ local at = vec.at

$ -- The plan's kernel (read-only) with what templates add to it: operations on vectors (V) and on what it stores (F), the prefix of
$ -- its symbols, its part of the packed buffer.
$ local function extend(target, kernel, symbol, base)
$   local own = { V = vec.new(target.isa, layer.dtype, symbol, kernel.zero_weights), symbol = symbol, base = base, baked = target.baked }
$   own.names = { weights = "weights", bias = "bias", slope = "slope" } -- of the arguments of NAME_pack
$   own.F = kernel.form == "dot" and vec.new(target.isa.single, layer.dtype, symbol, false) or own.V
$   for _, key in ipairs(keys(kernel)) do own[key] = kernel[key] end
$   own.V.fetches = has(kernel, "fetches")
$   return own
$ end

$ local function packed_elements(kernel)
$   local vectors = (kernel.bias and not kernel.baked_bias and 1 or 0) + (kernel.activation.name == "prelu" and 1 or 0)
$   return (kernel.baked_weights and 0 or kernel.w_size) + vectors * kernel.b_size
$ end

$ -- The kernels of a target. What a shared one reads, the one before it packed.
$ local function kernels_of(target, symbol)
$   local kernels, base, free = {}, 0, 0
$   for i, kernel in ipairs(target.kernels) do
$     if not kernel.shared then
$       base = free
$       free = base + packed_elements(kernel)
$     end
$     kernels[i] = extend(target, kernel, #target.kernels > 1 and symbol .. "_phase" .. i or symbol, base)
$   end
$   return kernels
$ end

$ -- All dimensions of the units: `inner` ones, then the kernel's own.
$ local function order(K, inner)
$   for i = #K.units, 1, -1 do inner[#inner + 1] = { K.units[i].name, K.units[i].count } end
$   return inner
$ end

$ -- Decodes unit u; dimensions of one are not there.
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
$ local function unit_offset(K, key)
$   local terms = {}
$   for _, unit in ipairs(K.units) do
$     if unit.count > 1 and unit[key] ~= 0 then terms[#terms + 1] = unit.name .. " * " .. unit[key] end
$   end
$   return terms
$ end

$ local function sum(first, ...)
$   local text = first
$   for _, terms in ipairs({ ... }) do
$     for _, term in ipairs(terms) do text = text .. (term:sub(1, 1) == "-" and " - " .. term:sub(2) or " + " .. term) end
$   end
$   return text
$ end

$ -- Pointers into the packed buffer or the baked arrays.
$ local function parameter_pointers(K)
$   local T, offset = K.V.ctype, K.base + (K.baked_weights and 0 or K.w_size)
$   local buffer = K.gathered and "workspace" or layer.packed and "packed" or false
$   local packed = buffer and "(const " .. T .. " *)" .. buffer
$   if K.baked_weights then
const ${T} *w = ${at(K.baked.weights.symbol .. ".values", K.baked_w)};
$   elseif K.w_size > 0 then
const ${T} *w = ${at(packed, K.base)};
$   end
$   if K.bias and K.baked_bias then
const ${T} *b = ${at(K.baked.bias.symbol .. ".values", K.baked_b)};
$   elseif K.bias then
const ${T} *b = ${at(packed, offset)};
$     offset = offset + K.b_size
$   end
$   if K.activation.name == "prelu" then
const ${T} *s = ${at(packed, offset)};
$   end
$ end

$ -- Where a kernel keeps what it brings together.
$ local function scratch(K) return (has(K, "strip") or has(K, "scratch")) and { { K.V.ctype .. " *", "strip" } } or {} end

$ -- How many neighbouring units one call takes: at most `left`; false: one.
$ local function count(left)
$   if left then
const ptrdiff_t count = ${left} < end - u ? ${left} : end - u;
$   else
const ptrdiff_t count = 1;
$   end
$ end

$ -- Where all rows are neighbours among the units.
$ local function neighbours(K) count(K.rows > 1 and K.rows .. " - row") end

$ -- Units [u, end) of a kernel: what call() prints takes the `count` units that number() counts.
$ local function units(K, pointers, number, call)
$   local list = arguments.join(pointers, scratch(K), { { "ptrdiff_t", "u" }, { "ptrdiff_t", "end" } })
static ${K.V.isa.attribute}
void ${K.symbol}_units(${arguments.declare(list)})
{
$   if has(K, "strip") then
const ptrdiff_t first = u;
$   end
while (u < end) {
$   decode(K.order)
$   number()
$   call()
u += count;
}
}

$ end

$ -- How much work a kernel is, and how many units: of the same size, or of K.sizes again and again.
$ local function extent(K)
$   local units, period, work = 1, 0, 0
$   for _, dimension in ipairs(K.order) do units = units * dimension[2] end
$   if not K.sizes then return units, units end
$   for _, size in ipairs(K.sizes) do period, work = period + size[1], work + size[1] * size[2] end
$   return units // period * work, units, period, work
$ end

$ -- Where units differ in size: the one that begins nearest to `work`.
$ local function define_unit(K)
$   local _, units, period, whole = extent(K)
$   local first, done = "", 0
static ptrdiff_t ${K.symbol}_unit(ptrdiff_t work)
{
$   if units > period then
$     first = "first + "
const ptrdiff_t first = work / ${whole} * ${period};
work %= ${whole};
$   end
$   for i, size in ipairs(K.sizes) do
$     local behind = done + size[1]
$     if i < #K.sizes then
if (work < ${size[1] * size[2]}) return ${first}${done > 0 and done .. " + " or ""}(work + ${size[2] // 2}) / ${size[2]};
work -= ${size[1] * size[2]};
$     else
return ${first}${done} + (work + ${size[2] // 2}) / ${size[2]};
$     end
$     done = behind
$   end
}

$ end

$ -- Units [from, end) of this part, or work [from, end) of so many units.
$ local function shares(work, units)
/* even shares of ${work} units${units and units ~= work and (" of work in %d rows of channel blocks"):format(units) or ""}: the first ones get one more where they don't divide */
const ptrdiff_t share = ${work} / parts, more = ${work} % parts;
const ptrdiff_t from = part * share + (part < more ? part : more), end = from + share + (part < more);
$ end

$ -- NAME: all of it as one part.
$ local function whole(symbol)
$   local list = arguments.call_list(layer)
void ${symbol}(${arguments.declare(list)})
{
${symbol}_part(${arguments.pass(list)}, 0, 1);
}

$ end

$ local function define(kernels, pointers, symbol)
$   local list = arguments.call_list(layer)
$   for _, K in ipairs(kernels) do if K.sizes then define_unit(K) end end
void ${symbol}_part(${arguments.declare(arguments.join(list, arguments.share))})
{
$   if layer.workspace and #scratch(kernels[1]) == 0 and not kernels[1].gathered then
(void)workspace;
$   end
$   if kernels[1].gathered then
${symbol}_repack(${layer.inputs[#layer.inputs].name}, workspace);
$   end
$   for _, K in ipairs(kernels) do
$     local work, units = extent(K)
$     local range = { { "", "from" }, { "", "end" } }
$     if K.sizes then
$       for _, bound in ipairs(range) do bound[2] = ("%s_unit(%s)"):format(K.symbol, bound[2]) end
$     end
{
$     shares(work, units)
$     parameter_pointers(K)
${K.symbol}_units(${arguments.pass(arguments.join(pointers(K), scratch(K), range), { strip = "(" .. K.V.ctype .. " *)workspace", x = at(layer.inputs[1].name, K.x_first), r = at("residual", K.y_first), y = at("output", K.y_first) })});
}
$   end
}
$   whole(symbol)
$ end

$ return {
$   decode = decode, kernels = kernels_of, order = order, count = count, neighbours = neighbours, units = units, unit_offset = unit_offset, sum = sum, define = define,
$   shares = shares, whole = whole, parameter_pointers = parameter_pointers,
$ }
