$ -- Depthwise convolution in patches on one target: strips of rows that patches walk along, and the shares of NAME_part.
$ local arguments = import("lib/arguments.lua")
$ local tiles = import("lib/tile.t")
$ local patches = import("lib/patch.t")
$ local rows = import("lib/rows.t")
$ local parts = import("lib/parts.t")
$ local helpers = import("lib/helpers.t")
$ local section = import("lib/section.t")
$ local K -- the kernel that is being printed

$ -- The strip's first row of outputs, and the row of inputs that its first tap reads.
$ local function strip()
$   local tall, high = K.tall, K.strips[1]
$   if tall.strips == 1 then
const ptrdiff_t top = ${-tall.pad};
$     if #K.axes == 0 and K.y_rows > 0 then
(void)y0;
$     end
$   else
$     local low = K.strips[#K.strips]
$     local extra = #K.strips > 1 and (" + (strip < %d ? strip : %d) * %d"):format(high.to, high.to, high.rows - low.rows) or ""
const ptrdiff_t strip = row % ${tall.strips}, first = strip * ${low.rows}${extra};
const ptrdiff_t top = first * ${tall.stride} - ${tall.pad};
yr += ${#K.axes == 0 and K.y_rows > 0 and "(first - y0)" or "first"} * ${tall.y};
$     if K.residual then
rr += first * ${tall.y};
$     end
$   end
$ end

$ local function row_arguments()
$   return arguments.join(tiles.pointers(K), rows.origins(K), { { "ptrdiff_t", "r0" }, { "ptrdiff_t", "r1" } })
$ end

$ local function define_row()
$   local list = row_arguments()
static ${K.V.isa.attribute}
void ${K.symbol}_rows(${arguments.declare(list)})
{
$   if not K.by_tile then
CONVSMITH_ROLLED
for (ptrdiff_t row = r0; row < r1; row++)
$   end
{
$   rows.outputs(K)
$   rows.first_taps(K, K.loop_w)
$   strip()
$   for i, strips in ipairs(K.strips) do
$     if i < #K.strips then
if (strip < ${strips.to}) {
$     end
$     for _, run in ipairs(strips.runs) do rows.call(K, run, patches.list(K), { x = "xr", w = "wr", y = "yr", r = "rr" }, 0) end
$     if i < #K.strips then
} else {
$     end
$   end
$   if #K.strips > 1 then
}
$   end
}
}

$ end

$ -- Patches of a kernel, and its rows.
$ local function define(kernel)
$   K = kernel
$   K.order = parts.order(K, { { "row", K.rows } })
$   helpers(K)
$   for i, patch in ipairs(K.patches) do patches.define(K, patch, K.symbol .. "_tile" .. i - 1) end
$   define_row()
$ end

$ -- Computes `count` rows from `row` of a unit.
$ local function compute(kernel)
$   K = kernel
$   local values = { r0 = K.rows > 1 and "row" or "0", r1 = K.rows > 1 and "row + count" or "1" }
$   local offsets = { x = "x", w = "w", b = "b", s = "b", y = "y", r = "y" }
$   for _, name in ipairs(keys(offsets)) do values[name] = parts.sum(name, parts.unit_offset(K, offsets[name])) end
${K.symbol}_rows(${arguments.pass(row_arguments(), values)});
$ end

$ local function number_rows() parts.neighbours(K) end

$ return { define = define, compute = compute, section = section(define, number_rows, compute) }
