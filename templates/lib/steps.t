$ -- Steps of tiles: the sums of one or two tiles of pixels and of channels over all taps and channels.
$ local arguments = import("lib/arguments.lua")
$ local vec = import("lib/vec.lua")
$ local at = vec.at
$ local K -- the kernel that is being printed

$ -- Numbers of the registers: sums, input, weights.
$ local function sum_of(m, n) return m * 2 + n end
$ local function input_of(m) return 4 + m end
$ local function weights_of(n) return 6 + n end

$ local function each(count, body) for i = 0, count - 1 do body(i) end end

$ -- Do tiles end with rows, so that they lie anywhere?
$ local function is_cut() return has(K, "cut") and K.cut end

$ -- Where tile m of two begins.
$ local function input_at(m, plane)
$   if not is_cut() then return at("xs", m * 16 * K.pixel_bytes + plane) end
$   return at(m > 0 and "xs + other" or "xs", plane)
$ end

$ -- One step: all products of planes; a tile that the product before had is there.
$ local function products(high, wide)
$   local V, x, w, all = K.V, -1, -1, #K.products
$   for i, product in ipairs(K.products) do
$     if product.x ~= x then each(high, function(m)
${V.load_tile(input_of(m), input_at(m, product.x * 64), is_cut() and "apart" or K.pixel_bytes)}
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

$ -- Where a block's channels come in chunks: which one, and how many steps it has.
$ local function chunk() return K.passes > 1 and { { "ptrdiff_t", "pass" }, { "ptrdiff_t", "steps" } } or {} end

$ -- Where tiles lie anywhere: from each of a tile's pixels to the next, and from one tile to the other, in bytes.
$ local function places(high)
$   return arguments.join(is_cut() and { { "ptrdiff_t", "apart" } } or {}, is_cut() and high > 1 and { { "ptrdiff_t", "other" } } or {})
$ end

$ -- Axes of whose taps some may be beyond the input.
$ local function is_trimmed()
$   for _, axis in ipairs(has(K, "axes") and K.axes or {}) do if axis.trimmed then return true end end
$   return false
$ end

$ -- Of these axes the taps that are not, as arguments.
$ local function live()
$   local list = {}
$   if is_trimmed() then
$     for a, axis in ipairs(K.axes) do
$       if axis.trimmed then list = arguments.join(list, { { "ptrdiff_t", "from" .. a }, { "ptrdiff_t", "to" .. a } }) end
$     end
$   end
$   return list
$ end

$ -- Loops over the taps of outer axes that are there, and over those along a row.
$ local function live_taps(wide)
$   local number, columns = "0", K.axes[#K.axes]
$   local first = columns.trimmed and " + from" .. #K.axes or ""
$   local last = columns.trimmed and "to" .. #K.axes or columns.kernel
$   for a = 1, #K.axes - 1 do
$     local axis = K.axes[a]
$     if axis.kernel > 1 or axis.trimmed then
CONVSMITH_ROLLED
for (ptrdiff_t k${a} = ${axis.trimmed and "from" .. a or 0}; k${a} < ${axis.trimmed and "to" .. a or axis.kernel}; k${a}++)
$       number = number == "0" and "k" .. a or ("(%s * %d + k%d)"):format(number, axis.kernel, a)
$     end
$   end
CONVSMITH_ROLLED
for (ptrdiff_t row = ${number} * ${columns.kernel}, tap = row${first}; tap < row + ${last}; tap++) {
const uint8_t *xs = pixels + taps[tap], *ws = panel + tap * ${K.passes > 1 and "steps" or K.steps} * ${K.planes * wide * 1024};
$ end

$ -- The sums that the next tiles go on with, a few lines a step of these.
$ local function fetch_sums()
$   local lines, steps = 2 * 16 * K.sum_step // 16, #K.taps * K.chunk
$   local each_step = (lines + steps - 1) // steps
$   each(each_step, function(i)
CONVSMITH_AHEAD(${at("next", i * 16)}, 2);
$   end)
next += ${each_step * 16};
$ end

$ local function define_sums(high, wide)
$   local list = arguments.join({ { "const uint8_t *", "pixels" }, { "const uint8_t *", is_trimmed() and "panel" or "ws" }, { "float *", "sums" } }, places(high), live(), chunk(), ahead())
/* ${high * 16} positions from 'pixels', ${wide * 16} channels. */
CONVSMITH_NOINLINE ${K.V.isa.attribute}
void ${name(high, wide)}(${arguments.declare(list)})
{
$   if #K.taps > 1 then
static const int taps[${#K.taps}] = {${table.concat({ table.unpack(K.taps) }, ", ")}};
$   end
$   if K.passes > 1 then
const float *next = ${at("sums", 32 * K.sum_step)};
if (pass > 0) {
$     each(high, function(m) each(wide, function(n)
${K.V.load_tile(sum_of(m, n), at("sums", m * 16 * K.sum_step + n * 16), K.sum_step * 4)}
$     end) end)
} else {
$   end
$   each(high, function(m) each(wide, function(n)
${K.V.planes.zero:gsub("%%1", tostring(sum_of(m, n)))}
$   end) end)
$   if K.passes > 1 then
}
$   end
$   if is_trimmed() then
$     live_taps(wide)
$   elseif #K.taps > 1 then
CONVSMITH_ROLLED
for (ptrdiff_t tap = 0; tap < ${#K.taps}; tap++) {
const uint8_t *xs = pixels + taps[tap];
$   else
{
const uint8_t *xs = pixels;
$   end
$   if K.steps > 1 then
CONVSMITH_ROLLED
for (ptrdiff_t step = 0; step < ${K.passes > 1 and "steps" or K.steps}; step++)
$   end
{
$   products(high, wide)
$   if K.passes > 1 then fetch_sums() end
xs += ${K.planes * 64};
ws += ${K.planes * wide * 1024};
}
}
$   each(high, function(m) each(wide, function(n)
${K.V.store_tile(sum_of(m, n), at("sums", m * 16 * K.sum_step + n * 16), K.sum_step * 4)}
$   end) end)
}

$ end

$ local function use(kernel) K = kernel end

$ -- Of a kernel: high rows of tiles, wide columns.
$ local function define(kernel, high, wide)
$   use(kernel)
$   define_sums(high, wide)
$ end

$ return { use = use, define = define, name = name, places = places, live = live, chunk = chunk, ahead = ahead, each = each }
