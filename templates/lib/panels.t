$ -- Blocks of outputs: which tiles steps take, panel by panel, and what stores their sums.
$ local arguments = import("lib/arguments.lua")
$ local steps = import("lib/steps.t")
$ local tiles = import("lib/tile.t")
$ local vec = import("lib/vec.lua")
$ local at = vec.at
$ local each = steps.each
$ local K -- the kernel that is being printed

$ -- Which outputs to store: positions, or so many at a distance.
$ local function stretch()
$   if K.cut then return { { "ptrdiff_t", "step" }, { "ptrdiff_t", "count" } } end
$   return { { "ptrdiff_t", "position" }, { "ptrdiff_t", "end" } }
$ end

$ -- Bias and residual, the sums, the activation, for positions that are outputs and not gaps between rows.
$ local function define_store(kind, number)
$   local V, columns, rows = K.V, K.axes[#K.axes], K.axes[#K.axes - 1]
$   local tile, N = { rows = 1, vectors = kind.tiles, last = kind.last }, vec.new(V.isa, V.numbers, K.symbol, false)
CONVSMITH_NOINLINE ${V.isa.attribute}
void ${K.symbol}_store${number}(${arguments.declare(arguments.join({ { "const float *", "sums" } }, K.outputs, stretch()))})
{
$   if K.cut then
CONVSMITH_ROLLED
for (; count > 0; count--, yb += step, sums += 32) {
{
${V.ctype} *const y = yb;
$   elseif K.level then
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
$   if K.residual and K.cut then
const ${V.ctype} *const r = rb;
rb += step;
$   elseif K.residual then
const ${V.ctype} *const r = rb + (y - yb);
$   end
$   tiles.use(K)
$   tiles.start(tile)
$   each(kind.tiles, function(q)
a0_${q} = ${V.add("a0_" .. q, N.get(at("sums", q * 16), 1, N.lanes))};
$   end)
$   tiles.finish(tile)
}
$   if not K.level and not K.cut then
if (++column == ${columns.extent}) {
column = 0;
row++;
}
$   end
}
}

$ end

$ -- What the taps that are there depend on, as arguments.
$ local function live_from()
$   local list = {}
$   for a, axis in ipairs(K.axes) do
$     if axis.trimmed and a < #K.axes then list[#list + 1] = { "ptrdiff_t", a == #K.axes - 1 and "r0" or "o" .. a } end
$   end
$   return list
$ end

$ -- Taps of an axis that outputs from `first` to `last` have.
$ local function find_live(a, first, last)
$   local axis = K.axes[a]
const ptrdiff_t before${a} = ${axis.pad} - (${last}) * ${axis.stride}, behind${a} = ${axis.input + axis.pad} - (${first}) * ${axis.stride};
const ptrdiff_t from${a} = before${a} > 0 ? (before${a} + ${axis.dilation - 1}) / ${axis.dilation} : 0;
const ptrdiff_t to${a} = behind${a} > ${(axis.kernel - 1) * axis.dilation} ? ${axis.kernel} : behind${a} > 0 ? (behind${a} + ${axis.dilation - 1}) / ${axis.dilation} : 0;
$ end

$ -- Is the first of a block's panels an argument, and not the one that runs?
$ local function counts_first() return K.phases > 1 or K.across end

$ local function block_arguments()
$   return arguments.join({ { "const uint8_t *", "pixels" }, { "float *", "sums" }, { "const uint8_t *", "tiles" } }, K.outputs,
$                         { { "ptrdiff_t", "rows" }, { "ptrdiff_t", counts_first() and "first" or "panel" }, { "ptrdiff_t", "count" } },
$                         live_from(), K.passes > 1 and { { "ptrdiff_t", "pass" } } or {}, steps.ahead())
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

$ -- Where the weights of a panel lie: behind those of the chunks before.
$ local function panel_weights()
$   local phase = K.phases > 1 and "phase * " .. K.phase_bytes .. " + " or ""
$   if K.passes == 1 then return phase .. "panel * " .. K.panel_bytes end
$   return ("%spass * %d + panel * steps * %d"):format(phase, K.chunk_bytes, K.panel_bytes // K.chunk)
$ end

$ -- Sums that wait for the next chunk have places of their own.
$ local function sums_name() return K.passes > 1 and "own" or "sums" end

$ -- Where the outputs of the panel lie.
$ local function panel_offset() return (K.phases > 1 and "offset + " or "") .. ("panel * %d"):format(32 * K.y_lane) end

$ -- Stores the outputs of sums: values say which.
$ local function store(kind, number, values)
$   local before = panel_offset() .. (values.offset or "")
$   values.yb, values.rb, values.b, values.s = "yb + " .. before, "rb + " .. before, "b + panel * 32", "s + panel * 32"
${K.symbol}_store${number}(${arguments.pass(arguments.join({ { "", "sums" } }, K.outputs, stretch()), values)});
$ end

$ -- Two tiles, or one where not `both`, and their outputs: runs of them, `step` elements apart.
$ local function cut_tiles(kind, number, both, apart, other, runs)
const uint8_t *const from = pixels + (row * ${K.axes[#K.axes].extent} + column) * ${K.pixel_bytes};
$   local function passed(high)
$     local list = arguments.join({ { "", "from" }, { "", "ws" }, { "", "sums" } }, steps.places(high), steps.live(), steps.chunk())
$     return arguments.pass(list, { sums = sums_name(), apart = tostring(apart), other = tostring(other) })
$   end
if (${both}) ${steps.name(2, kind.tiles)}(${passed(2)});
else ${steps.name(1, kind.tiles)}(${passed(1)});
$   if K.passes > 1 then
if (pass == ${K.passes - 1}) {
$   else
{
$   end
$   for i, run in ipairs(runs) do
$     if i > 1 then
if (${both})
$     end
$     store(kind, number, { sums = at(sums_name(), (i - 1) * 16 * K.sum_step), step = tostring(run.step), count = run.count,
$                           offset = (" + (row%s) * %d + column * %d"):format(i > 1 and " + 1" or "", K.axes[#K.axes - 1].y, K.axes[#K.axes].y) })
$   end
}
$   if K.passes > 1 then
own += ${32 * K.sum_step};
$   end
$ end

$ -- One panel where tiles end with rows: two rows at a time, then the columns that are left.
$ local function cut_panel(kind, number)
$   local rows, columns, last = K.axes[#K.axes - 1], K.axes[#K.axes], #K.axes
$   local whole, line = columns.outputs // 16 * 16, columns.extent * K.pixel_bytes
const uint8_t *const ws = tiles + ${panel_weights()};
$   if K.passes > 1 then
float *own = sums + ${K.phases > 1 and "first" or "panel"} * ${K.pairs * 32 * K.sum_step};
$   end
CONVSMITH_ROLLED
for (ptrdiff_t column = 0; column < ${whole}; column += 16) {
$   if columns.trimmed then find_live(last, "column", "column + 15") end
CONVSMITH_ROLLED
for (ptrdiff_t row = 0; row < rows; row += 2) {
const int both = rows - row > 1;
$   if rows.trimmed then find_live(last - 1, "r0 + row", "r0 + row + both") end
$   cut_tiles(kind, number, "both", K.pixel_bytes, line, { { step = columns.y, count = "16" }, { step = columns.y, count = "16" } })
}
}
$   if whole < columns.outputs then
CONVSMITH_ROLLED
for (ptrdiff_t column = ${whole}; column < ${columns.outputs}; column++) {
$     if columns.trimmed then find_live(last, "column", "column") end
CONVSMITH_ROLLED
for (ptrdiff_t row = 0; row < rows; row += 32) {
const ptrdiff_t here = rows - row < 32 ? rows - row : 32;
$     if rows.trimmed then find_live(last - 1, "r0 + row", "r0 + row + here - 1") end
$     cut_tiles(kind, number, "here > 16", line, 16 * line, { { step = rows.y, count = "here" } })
}
}
$   end
$ end

$ local function each_position()
CONVSMITH_ROLLED
for (ptrdiff_t position = 0; position < positions; position += 32) {
$ end

$ -- The residual of two tiles, while these multiply.
$ local function fetch_residual(kind)
CONVSMITH_ROLLED
for (ptrdiff_t i = position; i < stop; i++) {
const ${K.V.ctype} *const r = rb + ${panel_offset()} + i * ${K.axes[#K.axes].y};
$   each(kind.tiles, function(q)
CONVSMITH_AHEAD(${at("r", q * 16)}, 3);
$   end)
}
$ end

$ -- Two tiles of one panel, and their outputs.
$ local function pair(kind, number)
$   local columns = K.axes[#K.axes]
const uint8_t *const from = pixels + position * ${K.pixel_bytes}, *const ws = tiles + ${panel_weights()};
const ptrdiff_t stop = positions - position < 32 ? positions : position + 32;
$   if K.passes > 1 then
float *const own = sums + (${K.phases > 1 and "first" or "panel"} * ${K.pairs} + position / 32) * ${32 * K.sum_step};
$   end
$   local passed = arguments.pass(arguments.join({ { "", "from" }, { "", "ws" }, { "", "sums" } }, steps.live(), steps.chunk(), steps.ahead()), { sums = sums_name() })
$   if K.across and K.residual and K.level and K.y_lane == 1 then fetch_residual(kind) end
$   local rows = #K.axes - 1
$   if K.axes[rows].trimmed then
$     find_live(rows, ("r0 + position / %d"):format(columns.extent), ("r0 + (stop - 1) / %d"):format(columns.extent))
$   end
if (stop - position > 16) ${steps.name(2, kind.tiles)}(${passed});
else ${steps.name(1, kind.tiles)}(${passed});
$   if K.passes > 1 then
if (pass == ${K.passes - 1})
$   end
$   store(kind, number, { ["end"] = "stop", sums = sums_name() })
$ end

$ -- All positions of one panel, or those of the pair that runs.
$ local function panel(kind, number)
$   if not K.across then each_position() end
$   pair(kind, number)
$   if not K.across then
}
$   end
$ end

$ -- The phase and the panel of its own that a panel among those of all phases is.
$ local function panel_of(number)
$   if K.phases == 1 then
const ptrdiff_t panel = ${number};
$   else
const ptrdiff_t phase = ${number} / ${K.panels}, panel = ${number} % ${K.panels};
const ptrdiff_t offset = ${phase_offset()};
$   end
$ end

$ local function define_block()
$   local columns = K.axes[#K.axes]
static ${K.V.isa.attribute}
void ${K.symbol}_block(${arguments.declare(block_arguments())})
{
$   if not K.cut then
const ptrdiff_t positions = (rows - 1) * ${columns.extent} + ${columns.outputs};
$   end
$   for a = 1, #K.axes - 2 do if K.axes[a].trimmed then find_live(a, "o" .. a, "o" .. a) end end
$   if K.passes > 1 then
const ptrdiff_t left = ${K.steps} - pass * ${K.chunk}, steps = left < ${K.chunk} ? left : ${K.chunk};
$   end
$   if K.across then each_position() end
CONVSMITH_ROLLED
$   if K.across then
for (ptrdiff_t u = first; u < first + count; u++) {
$     panel_of("u")
$   elseif K.phases > 1 then
for (const ptrdiff_t last = first + count; first < last; first++) {
$     panel_of("first")
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
$     if K.cut then cut_panel(kind, number) else panel(kind, number) end
}
$   end
}
$   if K.across then
}
$   end
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
$       steps.define(K, 2, kind.tiles)
$       steps.define(K, 1, kind.tiles)
$     end
$     done[kind.tiles] = true
$     define_store(kind, number)
$   end
$   define_block()
$ end

$ local function call(kernel, values)
$   K = kernel
$   steps.use(K)
${K.symbol}_block(${arguments.pass(block_arguments(), values)});
$ end

$ return { define = define, call = call }
