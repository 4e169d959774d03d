$ -- Splitting into planes: a block's inputs into the workspace, weights into the packed buffer, and what both say of their range.
$ local arguments = import("lib/arguments.lua")
$ local vec = import("lib/vec.lua")
$ local words = import("lib/words.t")
$ local at = vec.at
$ local K -- the kernel that is being printed

$ -- ---- inputs ---------------------------------------------------------------------------------------------------------

$ -- A step of channels from xc to `to`: `live` of them.
$ local function split_step(live)
$   local V, lanes = K.V, K.V.lanes
{
$   local first, second = live < lanes and live or lanes, live - lanes
const ${V.type} v0 = ${V.get("xc", K.x_lane, first)};
const ${V.type} v1 = ${second > 0 and V.get(at("xc", lanes * K.x_lane), K.x_lane, second) or V.zero()};
${V.split(K.planes, "v0", "v1", "tc")}
${V.extend("low", "high", "v0")}
$   if second > 0 then
${V.extend("low", "high", "v1")}
$   end
}
$ end

$ -- Do inputs come in pieces, which no processor fetches by itself: chunks of pixels, or some pixels?
$ local function is_pieces() return K.x_lane == 1 and (K.passes > 1 or K.axes[#K.axes].stride > 1) end

$ -- The same step of a pixel further on.
$ local function fetch_pixel()
$   local pixels = (16 + K.chunk - 1) // K.chunk
CONVSMITH_AHEAD(xc + step * ${pixels}, 3);
CONVSMITH_AHEAD(xc + step * ${pixels} + 16, 3);
$ end

$ local function define_run()
$   local V, range, whole, rest = K.V, K.V.planes.range_type, K.in_channels // K.terms, K.in_channels % K.terms
$   local bytes, N = K.planes * 64, vec.new(V.isa, V.numbers, K.symbol, false)
$   local chunked = K.passes > 1
/* `count` pixels, `step` elements apart, and their range${chunked and "; `steps` whole steps of each, and the rest if these are fewer than a chunk" or ""}. */
CONVSMITH_NOINLINE ${V.isa.attribute}
void ${K.symbol}_split(const ${V.ctype} *x, ptrdiff_t step, ptrdiff_t count, ${chunked and "ptrdiff_t steps, " or ""}uint8_t *to, ${range} *least, ${range} *most)
{
${range} low = *least, high = *most;
CONVSMITH_ROLLED
for (ptrdiff_t i = 0; i < count; i++) {
const ${V.ctype} *xc = x;
uint8_t *tc = to;
$   if whole > 0 then
CONVSMITH_ROLLED
for (ptrdiff_t k = 0; k < ${chunked and "steps" or whole}; k++) {
$     split_step(K.terms)
$     if is_pieces() then fetch_pixel() end
xc += ${K.terms * K.x_lane};
tc += ${bytes};
}
$   end
$   if rest > 0 then
$     if chunked then
if (steps < ${K.chunk})
$     end
$     split_step(rest)
$   end
x += step;
to += ${K.pixel_bytes};
}
*least = low;
*most = high;
}

/* Zeros for `count` pixels. */
CONVSMITH_INLINE ${V.isa.attribute}
void ${K.symbol}_clear(uint8_t *to, ptrdiff_t count)
{
CONVSMITH_ROLLED
for (ptrdiff_t i = 0; i < count * ${K.pixel_bytes // 64}; i++) ${N.put("(float *)(void *)to + i * 16", 1, N.lanes, N.zero())}
}

$ end

$ -- Runs of columns of which only a part is there.
$ local function has_borders()
$   for _, runs in ipairs(K.columns) do
$     for _, run in ipairs(runs) do if run.from >= 0 and run.live < K.joined then return true end end
$   end
$   return false
$ end

$ local function define_border()
/* A pixel of whose terms `count` are there, behind `first` zeros. */
CONVSMITH_NOINLINE ${K.V.isa.attribute}
void ${K.symbol}_split_border(const float *x, ptrdiff_t first, ptrdiff_t count, uint8_t *to, ${K.V.planes.range_type} *least, ${K.V.planes.range_type} *most)
{
float terms[${K.in_channels}] = {0.0f};
CONVSMITH_ROLLED
for (ptrdiff_t i = 0; i < count; i++) terms[first + i] = x[i];
${K.symbol}_split(terms, 0, 1, to, least, most);
}

$ end

$ -- The input of place `i` of phase `p` on axis a, as i1 and so on.
$ local function input(a, axis, begin, place)
$   local first = #axis.first > 1 and ("first%d[p%d]"):format(a, a) or tostring(axis.first[1])
const ptrdiff_t s${a} = (${begin} + ${place}) * ${axis.stride} + ${first} - ${axis.pad};
const ptrdiff_t i${a} = ${axis.mapped and ("%s_%s(s%d, %d)"):format(K.symbol, K.padding_mode, a, axis.input) or "s" .. a};
$ end

$ -- The row that the inputs of all outer axes make.
$ local function offsets()
$   local terms = {}
$   for a = 1, #K.axes - 1 do terms[a] = ("i%d * %d"):format(a, K.axes[a].x) end
$   return table.concat(terms, " + ")
$ end

$ local function row_runs(columns, rows)
$   local axis = K.axes[#K.axes]
$   local size = K.pixel_bytes
$   for phase, runs in ipairs(columns) do
{
uint8_t *const to = line + ${(phase - 1) * rows.extent * axis.extent * size};
if (!inside) ${K.symbol}_clear(to, ${axis.extent});
else {
$     for _, run in ipairs(runs) do
$       if run.from < 0 then
${K.symbol}_clear(${at("to", run.at * size)}, ${run.count});
$       elseif run.live < K.joined then
${K.symbol}_split_border(${at("xr", run.from * axis.x)}, ${run.skip * axis.x}, ${run.live * axis.x}, ${at("to", run.at * size)}, &least, &most);
$       else
${K.symbol}_split(${at("xr", run.from * axis.x)}, ${run.step * axis.x}, ${run.count}, ${K.passes > 1 and "steps, " or ""}${at("to", run.at * size)}, &least, &most);
$       end
$     end
}
}
$   end
$ end

$ local function fill_arguments(kernel)
$   local list = { { "const " .. kernel.V.ctype .. " *", "x" }, { "uint8_t *", "pixels" }, { "ptrdiff_t", "rows" }, { "ptrdiff_t", "r0" } }
$   for a = 1, #kernel.axes - 2 do list[#list + 1] = { "ptrdiff_t", "o" .. a } end
$   if kernel.passes > 1 then list[#list + 1] = { "ptrdiff_t", "pass" } end
$   return list
$ end

$ local function phases(a, axis)
$   if #axis.first > 1 then
static const int first${a}[${#axis.first}] = {${table.concat({ table.unpack(axis.first) }, ", ")}};
$   end
$ end

$ local function loop(name, count)
$   if count ~= "1" then
CONVSMITH_ROLLED
for (ptrdiff_t ${name} = 0; ${name} < ${count}; ${name}++)
$   end
$ end

$ -- Do numbers of this range pass the guard?
$ local function in_range(kernel, least, most)
$   local planes = kernel.V.planes
$   return ("%s >= %du && %s <= %du"):format(planes.least:gsub("%%1", least), kernel.least, (planes.most:gsub("%%1", most)), kernel.most)
$ end

$ -- Loops over the phases of the outer axes and the rows, `line` leading through the workspace.
$ local function define_fill()
$   local V, rank, conditions = K.V, #K.axes, {}
$   local rows, columns = K.axes[rank - 1], K.axes[rank]
$   local line, region = columns.extent * K.pixel_bytes, rows.extent * columns.extent * #columns.first * K.pixel_bytes
$   for a = 1, rank - 1 do conditions[a] = ("i%d >= 0 && i%d < %d"):format(a, a, K.axes[a].input) end
/* Splits ${K.passes > 1 and "a chunk of the channels of " or ""}the inputs of a block's rows; are all of them 0 or within the guard's range? */
CONVSMITH_NOINLINE ${V.isa.attribute}
int ${K.symbol}_fill(${arguments.declare(fill_arguments(K))})
{
$   for a = 1, rank - 1 do phases(a, K.axes[a]) end
$   if K.passes > 1 then
const ptrdiff_t left = ${K.in_channels // K.terms} - pass * ${K.chunk}, steps = left < ${K.chunk} ? left : ${K.chunk};
$   end
${V.planes.range_type} least = ${V.planes.range.least}, most = ${V.planes.range.most};
$   for a = 1, rank - 2 do loop("p" .. a, tostring(#K.axes[a].first)) end
$   loop("p" .. rank - 1, tostring(#rows.first))
{
$   local number = "0"
$   for a = 1, rank - 1 do
$     if #K.axes[a].first > 1 then
$       number = number == "0" and "p" .. a or ("(%s * %d + p%d)"):format(number, #K.axes[a].first, a)
$     end
$   end
uint8_t *const part = pixels${number ~= "0" and " + " .. number .. " * " .. region or ""};
CONVSMITH_ROLLED
for (ptrdiff_t place = 0; place < rows + ${rows.extent - rows.outputs}; place++) {
uint8_t *const line = part + place * ${line};
$   for a = 1, rank - 2 do input(a, K.axes[a], "o" .. a, "0") end
$   input(rank - 1, rows, "r0", "place")
const int inside = ${table.concat(conditions, " && ")};
const ${V.ctype} *const xr = inside ? x + ${offsets()}${K.passes > 1 and " + pass * " .. K.chunk * K.terms * K.x_lane or ""} : x;
$   row_runs(K.columns, rows)
}
}
return ${in_range(K, "least", "most")};
}

$ end

$ -- What is split of the next block, a step of channels at a time.
$ local function define_ahead()
$   local V, bytes = K.V, K.planes * 64
struct ${K.symbol}_ahead {
const ${V.ctype} *x;
uint8_t *to;
ptrdiff_t left, step;
${V.planes.range_type} least, most;
};
/* Splits 'count' steps of those that are left. */
CONVSMITH_INLINE ${V.isa.attribute}
void ${K.symbol}_ahead(struct ${K.symbol}_ahead *ahead, ptrdiff_t count)
{
const ${V.ctype} *xc = ahead->x;
uint8_t *tc = ahead->to;
ptrdiff_t step = ahead->step;
${V.planes.range_type} low = ahead->least, high = ahead->most;
if (count > ahead->left) count = ahead->left;
ahead->left -= count;
CONVSMITH_ROLLED
for (; count > 0; count--) {
$   split_step(K.terms)
xc += ${K.terms};
tc += ${bytes};
if (++step == ${K.steps}) {
step = 0;
tc += ${K.pixel_bytes - K.steps * bytes};
}
}
ahead->x = xc;
ahead->to = tc;
ahead->step = step;
ahead->least = low;
ahead->most = high;
}

$ end

$ local function define(kernel)
$   K = kernel
$   define_run()
$   if has_borders() then define_border() end
$   define_fill()
$   if K.ahead > 0 then define_ahead() end
$ end

$ local function call(kernel, values)
$   return kernel.symbol .. "_fill(" .. arguments.pass(fill_arguments(kernel), values) .. ")"
$ end

$ -- ---- weights --------------------------------------------------------------------------------------------------------

$ -- Where a weight lies in canonical order.
$ local function weight()
$   local terms = { "group * " .. K.w_group, "channel * " .. K.w_out }
$   if K.joined > 1 then
$     local channels = K.in_channels // K.joined
$     terms[3] = ("term / %d * %d + term %% %d * %d"):format(channels, K.w_joined, channels, K.w_in)
$   else
$     terms[3] = "term * " .. K.w_in
$   end
$   for a, axis in ipairs(K.axes) do
$     if axis.kernel > 1 then terms[#terms + 1] = ("k%d * %d"):format(a, axis.w) end
$   end
$   for i, phase in ipairs(K.phase) do terms[#terms + 1] = ("phase%d * %d"):format(i, phase.w) end
$   return K.w_first .. " + " .. table.concat(terms, " + ")
$ end

$ local function define_pack(kernel)
$   K = kernel
$   local tiles = (K.out_channels + K.columns_of_tile - 1) // K.columns_of_tile
$   local last, one = tiles - (K.panels - 1) * K.pair, vec.new(K.V.isa.single, layer.dtype, K.symbol, false)
$   local element = one.ctype == one.scalar and ("weights[%s]"):format(weight()) or one.get("weights + " .. weight(), 1, 1)
/* Weights as planes, in the order in which tiles take them; are all of them 0 or within the guard's range? */
static ${K.V.isa.attribute}
int ${K.symbol}_split_weights(const ${one.ctype} *weights, uint16_t *to)
{
int good = 1;
CONVSMITH_ROLLED
for (ptrdiff_t group = 0; group < ${K.groups}; group++)
$   for i, phase in ipairs(K.phase) do loop("phase" .. i, tostring(phase.count)) end
$   loop("pass", tostring(K.passes))
CONVSMITH_ROLLED
for (ptrdiff_t panel = 0; panel < ${K.panels}; panel++) {
const ptrdiff_t tiles = panel == ${K.panels - 1} ? ${last} : ${K.pair};
$   for a, axis in ipairs(K.axes) do loop("k" .. a, tostring(axis.kernel)) end
CONVSMITH_ROLLED
$   if K.passes > 1 then
for (ptrdiff_t step = pass * ${K.chunk}, end = pass < ${K.passes - 1} ? step + ${K.chunk} : ${K.steps}; step < end; step++) {
$   else
for (ptrdiff_t step = 0; step < ${K.steps}; step++) {
$   end
CONVSMITH_ROLLED
for (ptrdiff_t tile = 0; tile < tiles; tile++)
CONVSMITH_ROLLED
for (ptrdiff_t i = 0; i < 512; i++) {
const ptrdiff_t channel = (panel * ${K.pair} + tile) * 16 + i / 2 % 16, term = step * 32 + i / 32 * 2 + i % 2;
float left = channel < ${K.out_channels} && term < ${K.in_channels} ? ${element} : 0.0f;
const uint32_t bits = ${K.V.bits("left")} & 0x7fffffffu;
if (bits != 0 && (bits <= ${K.least}u || bits > ${K.most}u)) good = 0;
CONVSMITH_ROLLED
for (ptrdiff_t plane = 0; plane < ${K.planes}; plane++) {
const float rounded = ${K.V.rounded("left")};
to[(plane * tiles + tile) * 512 + i] = (uint16_t)(${K.V.bits("rounded")} >> 16);
left -= rounded;
}
}
to += tiles * ${K.planes * 512};
}
}
return good;
}

$ end

$ -- Where a kernel's part of the packed buffer begins, in elements of f32.
$ local function packed_at(kernel) return kernel.base * words.rows[layer.dtype].width // words.rows.f32.width end

$ local function pack(kernel)
{
float *const verdict = ${at("(float *)packed", packed_at(kernel))};
for (int i = 0; i < ${kernel.verdict}; i++) verdict[i] = 0.0f;
if (${kernel.symbol}_split_weights(weights, (uint16_t *)(void *)(verdict + ${kernel.verdict}))) verdict[0] = 1.0f;
}
$ end

$ return { in_range = in_range, define = define, call = call, define_pack = define_pack, packed_at = packed_at, pack = pack }
