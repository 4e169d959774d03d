$ -- Steps of tiles: the sums of one or two tiles of pixels and of channels over all taps and channels, and what stores them.
$ local arguments = import("lib/arguments.lua")
$ local tiles = import("lib/tile.t")
$ local vec = import("lib/vec.lua")
$ local at = vec.at
$ local K -- the kernel that is being printed

$ -- Numbers of the registers: sums, input, weights.
$ local function sum_of(m, n) return m * 2 + n end
$ local function input_of(m) return 4 + m end
$ local function weights_of(n) return 6 + n end

$ local function each(count, body) for i = 0, count - 1 do body(i) end end

$ -- One step: all products of planes; a tile that the product before had is there.
$ local function products(high, wide)
$   local V, x, w, all = K.V, -1, -1, #K.products
$   for i, product in ipairs(K.products) do
$     if product.x ~= x then each(high, function(m)
${V.load_tile(input_of(m), at("xs", m * 16 * K.pixel_bytes + product.x * 64), K.pixel_bytes)}
$     end) end
$     if product.w ~= w then each(wide, function(n)
${V.load_tile(weights_of(n), at("ws", (product.w * wide + n) * 1024), 64)}
$     end) end
$     x, w = product.x, product.w
$     each(high, function(m) each(wide, function(n)
${V.multiply_tiles(sum_of(m, n), input_of(m), weights_of(n))}
$     end) end)
$     local count = i * K.ahead // all - (i - 1) * K.ahead // all
$     if count > 0 then
${K.symbol}_ahead(ahead, ${count});
$     end
$   end
$ end

$ local function name(high, wide) return ("%s_sums%dx%d"):format(K.symbol, high, wide) end

$ -- What is split meanwhile, as an argument.
$ local function ahead() return K.ahead > 0 and { { "struct " .. K.symbol .. "_ahead *", "ahead" } } or {} end

$ local function define_sums(high, wide)
$   local list = arguments.join({ { "const uint8_t *", "pixels" }, { "const uint8_t *", "ws" }, { "float *", "sums" } }, ahead())
/* ${high * 16} positions from 'pixels', ${wide * 16} channels. */
CONVSMITH_NOINLINE ${K.V.isa.attribute}
void ${name(high, wide)}(${arguments.declare(list)})
{
$   if #K.taps > 1 then
static const int taps[${#K.taps}] = {${table.concat({ table.unpack(K.taps) }, ", ")}};
$   end
$   each(high, function(m) each(wide, function(n)
${K.V.planes.zero:gsub("%%1", tostring(sum_of(m, n)))}
$   end) end)
$   if #K.taps > 1 then
CONVSMITH_ROLLED
for (ptrdiff_t tap = 0; tap < ${#K.taps}; tap++) {
const uint8_t *xs = pixels + taps[tap];
$   else
{
const uint8_t *xs = pixels;
$   end
$   if K.steps > 1 then
CONVSMITH_ROLLED
for (ptrdiff_t step = 0; step < ${K.steps}; step++)
$   end
{
$   products(high, wide)
xs += ${K.planes * 64};
ws += ${K.planes * wide * 1024};
}
}
$   each(high, function(m) each(wide, function(n)
${K.V.store_tile(sum_of(m, n), at("sums", m * 16 * K.sum_step + n * 16), K.sum_step * 4)}
$   end) end)
}

$ end

$ -- Bias and residual, the sums, the activation, for positions that are outputs and not gaps between rows.
$ local function define_store(kind, number)
$   local V, columns, rows = K.V, K.axes[#K.axes], K.axes[#K.axes - 1]
$   local tile, N = { rows = 1, vectors = kind.tiles, last = kind.last }, vec.new(V.isa, V.numbers, K.symbol, false)
CONVSMITH_NOINLINE ${V.isa.attribute}
void ${K.symbol}_store${number}(${arguments.declare(arguments.join({ { "const float *", "sums" } }, K.outputs, { { "ptrdiff_t", "position" }, { "ptrdiff_t", "end" } }))})
{
$   if K.level then
CONVSMITH_ROLLED
for (; position < end; position++, sums += 32) {
{
${V.ctype} *const y = yb + position * ${columns.y};
$   else
ptrdiff_t column = position % ${columns.extent}, row = position / ${columns.extent};
CONVSMITH_ROLLED
for (; position < end; position++, sums += 32) {
if (column < ${columns.outputs}) {
${V.ctype} *const y = yb + row * ${rows.y} + column * ${columns.y};
$   end
$   if K.residual then
const ${V.ctype} *const r = rb + (y - yb);
$   end
$   tiles.use(K)
$   tiles.start(tile)
$   each(kind.tiles, function(q)
a0_${q} = ${V.add("a0_" .. q, N.get(at("sums", q * 16), 1, N.lanes))};
$   end)
$   tiles.finish(tile)
}
$   if not K.level then
if (++column == ${columns.extent}) {
column = 0;
row++;
}
$   end
}
}

$ end

$ local function block_arguments()
$   return arguments.join({ { "const uint8_t *", "pixels" }, { "float *", "sums" }, { "const uint8_t *", "tiles" } }, K.outputs,
$                         { { "ptrdiff_t", "rows" }, { "ptrdiff_t", K.phases > 1 and "first" or "panel" }, { "ptrdiff_t", "count" } }, ahead())
$ end

$ -- Where the outputs of a phase lie.
$ local function phase_offset()
$   local terms, below = {}, 1
$   for i = #K.phase, 1, -1 do
$     terms[#terms + 1] = ("phase / %d %% %d * %d"):format(below, K.phase[i].count, K.phase[i].y)
$     below = below * K.phase[i].count
$   end
$   return table.concat(terms, " + ")
$ end

$ -- All positions of one panel.
$ local function panel(kind, number)
$   local columns = K.axes[#K.axes]
CONVSMITH_ROLLED
for (ptrdiff_t position = 0; position < positions; position += 32) {
const uint8_t *const from = pixels + position * ${K.pixel_bytes}, *const ws = tiles + ${K.phases > 1 and "phase * " .. K.phase_bytes .. " + " or ""}panel * ${K.panel_bytes};
const ptrdiff_t stop = positions - position < 32 ? positions : position + 32;
$   local passed = arguments.pass(arguments.join({ { "", "from" }, { "", "ws" }, { "", "sums" } }, ahead()))
if (stop - position > 16) ${name(2, kind.tiles)}(${passed});
else ${name(1, kind.tiles)}(${passed});
$   local phase = K.phases > 1 and "offset + " or ""
$   local values = { yb = ("yb + %spanel * %d"):format(phase, 32 * K.y_lane), rb = ("rb + %spanel * %d"):format(phase, 32 * K.y_lane),
$                    b = "b + panel * 32", s = "s + panel * 32", ["end"] = "stop" }
${K.symbol}_store${number}(${arguments.pass(arguments.join({ { "", "sums" } }, K.outputs, { { "", "position" }, { "", "end" } }), values)});
}
$ end

$ local function define_block()
$   local columns = K.axes[#K.axes]
static ${K.V.isa.attribute}
void ${K.symbol}_block(${arguments.declare(block_arguments())})
{
const ptrdiff_t positions = (rows - 1) * ${columns.extent} + ${columns.outputs};
CONVSMITH_ROLLED
$   if K.phases > 1 then
for (const ptrdiff_t last = first + count; first < last; first++) {
const ptrdiff_t phase = first / ${K.panels}, panel = first % ${K.panels};
const ptrdiff_t offset = ${phase_offset()};
$   else
for (const ptrdiff_t last = panel + count; panel < last; panel++) {
$   end
$   for number, kind in ipairs(K.kinds) do
$     if number < #K.kinds then
if (panel < ${kind.count}) {
$     elseif number > 1 then
else {
$     else
{
$     end
$     panel(kind, number)
}
$   end
}
}

$ end

$ local function define(kernel)
$   K = kernel
$   K.outputs = {}
$   local T = K.V.ctype
$   if K.bias then K.outputs[#K.outputs + 1] = { "const " .. T .. " *", "b" } end
$   if K.activation.name == "prelu" then K.outputs[#K.outputs + 1] = { "const " .. T .. " *", "s" } end
$   if K.residual then K.outputs[#K.outputs + 1] = { "const " .. T .. " *", "rb" } end
$   K.outputs[#K.outputs + 1] = { T .. " *", "yb" }
$   local done = {}
$   for number, kind in ipairs(K.kinds) do
$     if not done[kind.tiles] then
$       define_sums(2, kind.tiles)
$       define_sums(1, kind.tiles)
$     end
$     done[kind.tiles] = true
$     define_store(kind, number)
$   end
$   define_block()
$ end

$ local function call(kernel, values)
$   K = kernel
${K.symbol}_block(${arguments.pass(block_arguments(), values)});
$ end

$ -- The sums of a kernel that has one tap: high rows of tiles, wide columns.
$ local function sums(kernel, high, wide)
$   K = kernel
$   define_sums(high, wide)
$ end

$ return { define = define, call = call, sums = sums }
