$ -- Direct convolution on one target: tiles, blocks of output channels that walk rows of outputs, and the shares of NAME_part.
$ local arguments = import("lib/arguments.lua")
$ local tiles = import("lib/tile.t")
$ local rows_of = import("lib/rows.t")
$ local parts = import("lib/parts.t")
$ local helpers = import("lib/helpers.t")
$ local section = import("lib/section.t")
$ local strips = import("lib/strip.t")
$ local placed = import("lib/placed.t")
$ local K -- the kernel that is being printed

$ -- Calls of equal neighbouring tiles; each fetches its share of the weights that come next, and of what the caller reads next.
$ local function call(block, run, px, pw, py, pr, x)
$   local before = (K.by_tile and "" or "(row - r0) * " .. block.tiles .. " + ") .. rows_of.index(run.first, run.count, 1)
$   local ahead = ("ahead + (uintptr_t)(%s%s) * %d"):format(before, K.by_tile and " - r0" or "", block.share)
$   local values = { x = px, w = pw, y = py, r = pr, ahead = ahead }
$   if K.fetches then
$     local from = ("next + (uintptr_t)(%s - r0) * %d"):format(before, block.fetched)
$     local fetch = ("for (uintptr_t at = %s, end = at + %d; at < end; at += 64)\nCONVSMITH_AHEAD(at, 2);"):format(from, block.fetched)
$     if K.in_trips then values.ahead = from else values.before = fetch end
$   end
$   rows_of.call(K, run, arguments.join(tiles.pointers(K), tiles.counts(K)), values, x)
$ end

$ -- The rows of a full design: a case where the outer axes' taps are alike.
$ local function full_case(block, rows)
$   local conditions, x = {}, {}
$   for a, axis in ipairs(K.axes) do
$     if rows.from[a] > 0 then conditions[#conditions + 1] = ("o%d >= %d"):format(a, rows.from[a]) end
$     if rows.to[a] < axis.output then conditions[#conditions + 1] = ("o%d < %d"):format(a, rows.to[a]) end
$     if rows.live and a == 1 and K.x_rows > 0 then x[#x + 1] = ("(o1 * %d - x0) * %d"):format(axis.stride, axis.x)
$     elseif rows.live then x[#x + 1] = ("o%d * %d"):format(a, axis.stride * axis.x) end
$   end
$   if #conditions > 0 then
if (${table.concat(conditions, " && ")})
$   end
{
const ${K.V.ctype} *xr = ${table.concat({ "x", table.unpack(x) }, " + ")};
$   for _, run in ipairs(rows.runs) do call(block, run, "xr", "w", "yr", "rr", rows.live and rows.x or 0) end
}
$ end

$ local function next_of(kernel) return kernel.fetches and { { "uintptr_t", "next" } } or {} end

$ local function block_arguments()
$   return arguments.join(tiles.pointers(K), rows_of.origins(K), { { "ptrdiff_t", "r0" }, { "ptrdiff_t", "r1" } }, tiles.chunk(K), next_of(K))
$ end

$ -- One kind of channel block: rows [r0, r1) of its outputs, one chunk of its input channels.
$ local function define_block(block, name)
static ${K.V.isa.attribute}
void ${name}(${arguments.declare(block_arguments())})
{
$   if K.x_rows > 0 and (K.full or K.axes[1].mapped) then
(void)x0; /* ${K.full and "where no row has a live tap" or "each tap goes through a map"} */
$   end
$   if K.ahead_w and not K.in_trips then
/* the weights that come next */
const uintptr_t ahead = (uintptr_t)w + ${block.chunk_w} * sizeof *w;
$   end
$   if K.by_tile then
$     for _, run in ipairs(block.cases[1].runs) do call(block, run, "x", "w", "y", "r", 0) end
$   else
CONVSMITH_ROLLED
for (ptrdiff_t row = r0; row < r1; row++) {
$     rows_of.outputs(K)
$     if K.full then
$       for _, rows in ipairs(block.cases) do full_case(block, rows) end
$     else
$       local runs = block.cases[1].runs
$       rows_of.first_taps(K, K.tiles[runs[1].tile + 1].loop_w)
$       for _, run in ipairs(runs) do call(block, run, "xr", "wr", "yr", "rr", 0) end
$     end
}
$   end
}

$ end

$ local function block_terms(block, key)
$   local terms = {}
$   local step = block.count > 1 and block[key .. "_step"] or 0
$   local offset = block[key] - block.from * step
$   if step ~= 0 then terms[#terms + 1] = "block * " .. step end
$   if offset ~= 0 then terms[#terms + 1] = tostring(offset) end
$   return terms
$ end

$ local function call_block(block, number)
$   local values = { r0 = K.rows > 1 and "row" or "0", r1 = K.rows > 1 and "row + count" or "1" }
$   for _, pair in ipairs({ { "x", "x" }, { "w", "w" }, { "b", "b" }, { "s", "b" }, { "y", "y" }, { "r", "y" } }) do
$     local name = pair[1] == "x" and K.strip and "strip" or pair[1]
$     values[pair[1]] = parts.sum(name, parts.unit_offset(K, pair[2]), block_terms(block, pair[2]))
$   end
$   if number < #K.blocks then
${number > 1 and "else " or ""}if (block < ${block.from + block.count})
$   elseif number > 1 then
else
$   end
$   if K.chunks > 1 then
$     values.x = values.x .. " + chunk * " .. K.chunk_x
$     values.w = values.w .. " + chunk * " .. block.chunk_w
CONVSMITH_ROLLED
for (ptrdiff_t chunk = 0; chunk < ${K.chunks}; chunk++)
$   end
$   if K.fetches then
{
${K.symbol}_block${number}(${arguments.pass(block_arguments(), values)});
next += (uintptr_t)(${values.r1} - ${K.rows > 1 and "row" or "0"}) * ${block.fetched};
}
$   else
${K.symbol}_block${number}(${arguments.pass(block_arguments(), values)});
$   end
$ end

$ -- How rows and channel blocks are numbered among the units, and how many rows one call takes: all rows of a block, then of the next
$ -- one; or all blocks of a row; or bands of rows, the last of which may be lower, in each of them all rows of a block, then of the
$ -- next one.
$ local function banded() return K.band > 1 and K.rows > 1 and K.channel_blocks > 1 end

$ local function set_order()
$   local blocks, rows = { "block", K.channel_blocks }, { "row", K.rows }
$   if banded() then
$     K.order = parts.order(K, { { "place", K.rows * K.channel_blocks } })
$   else
$     K.order = parts.order(K, K.band == 1 and { blocks, rows } or { rows, blocks })
$   end
$ end

$ -- Blocks of different sizes that take all rows in turn: {units, work of each} one after the other, else nil.
$ local function sizes()
$   local list, differ = {}, false
$   for i, block in ipairs(K.blocks) do
$     list[i] = { block.count * K.rows, block.work }
$     differ = differ or block.work ~= K.blocks[1].work
$   end
$   return differ and K.band ~= 1 and not banded() and list or nil
$ end

$ local function number_rows()
$   if not banded() then
$     if K.band == 1 then parts.count(false) else parts.neighbours(K) end
$     return
$   end
const ptrdiff_t band = place / ${K.band * K.channel_blocks} * ${K.band};
const ptrdiff_t rows = ${K.rows} - band < ${K.band} ? ${K.rows} - band : ${K.band};
const ptrdiff_t block = (place - band * ${K.channel_blocks}) / rows;
const ptrdiff_t row = band + (place - band * ${K.channel_blocks}) % rows;
$   parts.count("band + rows - row")
$ end

$ -- The kernel as what is printed for placed outputs sees it.
$ local function shell()
$   return {
$     form = "pixels", V = K.V, F = K.F, symbol = K.symbol, chunks = K.chunks, bias = K.bias, residual = K.residual,
$     activation = K.activation, b_row = 0, b_vector = 0, y_row = 0, y_vector = 0, y_lane = 1,
$   }
$ end

$ -- Tiles and blocks of a kernel.
$ local function define(kernel)
$   K = kernel
$   set_order()
$   K.sizes = sizes()
$   helpers(K)
$   for _, place in ipairs(K.places or {}) do
$     placed.define(shell(), tiles.placed_name(K, place.rows, place.live), place, K.y_lane)
$   end
$   for i, tile in ipairs(K.tiles) do tiles.define(K, tile, K.symbol .. "_tile" .. i - 1) end
$   for i, block in ipairs(K.blocks) do define_block(block, K.symbol .. "_block" .. i) end
$   if K.strip then strips.define(K) end
$ end

$ -- Computes `count` rows from `row` of a unit.
$ local function compute(kernel)
$   K = kernel
$   if K.strip then strips.call(K) end
$   for number, block in ipairs(K.blocks) do call_block(block, number) end
$ end

$ return { define = define, number = number_rows, compute = compute, section = section(define, number_rows, compute) }
