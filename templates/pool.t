$ -- Pooling on one target: tiles along rows, columns of inputs reduced in loops over the outer axes' live taps, and the shares of
$ -- NAME_part. gen/pooling.h has the words.
$ local arguments = import("lib/arguments.lua")
$ local vec = import("lib/vec.lua")
$ local tiles = import("lib/tile.t")
$ local parts = import("lib/parts.t")
$ local helpers = import("lib/helpers.t")
$ local fetch = import("lib/fetch.t")
$ local pack = import("lib/pack.t")
$ local planes = import("lib/pool_planes.t")
$ local sweep = import("lib/pool_sweep.t")
$ local at = vec.at
$ local K, V -- the kernel that is being printed, and its operations
$ local sloped -- has it a tensor of slopes?

$ local function pointers(kernel)
$   local T = kernel.V.ctype
$   local list = { { "const " .. T .. " *", "x" } }
$   if sloped then list[#list + 1] = { "const " .. T .. " *", "s" } end
$   if kernel.residual then list[#list + 1] = { "const " .. T .. " *", "r" } end
$   list[#list + 1] = { T .. " *", "y" }
$   return list
$ end

$ -- What a tile is told beside its pointers: the live taps of each outer axis (tall ones have all; they are told how many blocks of rows
$ -- there are, and where rows are held inside the input the first one's place there), and reciprocals of the divisors.
$ local function counts(tall)
$   local list = {}
$   for a, axis in ipairs(K.axes) do
$     if not axis.taps and not tall then list[#list + 1] = { "ptrdiff_t", "taps" .. a } end
$   end
$   if tall then list[#list + 1] = { "ptrdiff_t", "blocks" } end
$   if tall and K.row_block.held then list[#list + 1] = { "ptrdiff_t", "top" } end
$   if K.mean then list[#list + 1] = { "const " .. V.ctype .. " *", "inverse" } end
$   return list
$ end

$ local function combine(a, b) return K.mean and V.add(a, b) or V.top({ a, b }) end

$ -- `to`, which holds the first of the list, with the others.
$ local function combine_all(to, list)
$   if V.tops and not K.mean then
${to} = ${V.top(list)};
$     return
$   end
$   for i = 2, #list do
${to} = ${combine(to, list[i])};
$   end
$ end

$ -- ---- a tile ----
$ -- v: a vector of channels, at `offset` channels from the tile's first, `live` of them (none: as the plan says), of the row that is y
$ -- further in outputs and s in slopes
$ local function name(tile, v, value)
$   if value < #tile.columns then return ("c%d_%d"):format(v.number, value) end
$   if tile.zero and value == #tile.columns then return "zero" end
$   return ("t%d_%d"):format(v.number, value)
$ end

$ local function column(v, column, pointer)
$   return V.fetch(at(pointer, column.at + v.offset * K.x_lane), K.x_lane, v.live or column.live)
$ end

$ -- The other taps of windows that are whole along the outer axes, all at once.
$ local function reduce_whole(tile, vectors)
$   for _, v in ipairs(vectors) do
$     for i, c in ipairs(tile.columns) do
$       local name = ("c%d_%d"):format(v.number, i - 1)
$       local list = { name }
{
$       for k, offset in ipairs(K.others) do
$         list[k + 1] = "next" .. k
const ${V.type} next${k} = ${column(v, c, at("x", offset))};
$       end
$       combine_all(name, list)
}
$     end
$   end
$ end

$ -- Loops over the other taps; xk: where the turn's tap lies.
$ local function over_taps(body)
$   local start, offset, outer = {}, "x", #K.axes
$   for a, axis in ipairs(K.axes) do
$     local first = "0"
$     if a == outer then first = #start > 0 and table.concat(start, " && ") .. " ? 1 : 0" or "1" end
CONVSMITH_ROLLED
for (ptrdiff_t k${a} = ${first}; k${a} < ${axis.taps or "taps" .. a}; k${a}++)
$     start[#start + 1] = "k" .. a .. " == 0"
$     offset = offset .. " + k" .. a .. " * " .. axis.dilation * axis.x
$   end
$   if outer > 0 then
{
const ${V.ctype} *xk = ${offset};
$     body()
}
$   end
$ end

$ -- The other taps in loops.
$ local function reduce_some(tile, vectors)
$   over_taps(function()
$     for _, v in ipairs(vectors) do
$       for i, c in ipairs(tile.columns) do
{
const ${V.type} next = ${column(v, c, "xk")};
c${v.number}_${i - 1} = ${combine(("c%d_%d"):format(v.number, i - 1), "next")};
}
$       end
$     end
$   end)
$ end

$ -- Columns begin as the first live tap of every outer axis; the others follow.
$ local function reduce(tile, vectors)
$   for _, v in ipairs(vectors) do
$     for i, c in ipairs(tile.columns) do
${V.type} c${v.number}_${i - 1} = ${column(v, c, "x")};
$     end
$   end
$   local whole = {}
$   for a, axis in ipairs(K.axes) do
$     if not axis.taps then whole[#whole + 1] = ("taps%d == %d"):format(a, axis.full) end
$   end
$   if #K.others > 0 and #whole == 0 then
$     reduce_whole(tile, vectors)
$   elseif #K.others > 0 then
if (${table.concat(whole, " && ")}) {
$     reduce_whole(tile, vectors)
}
else {
$     reduce_some(tile, vectors)
}
$   else
$     reduce_some(tile, vectors)
$   end
$ end

$ -- Column i (from 1) of a tall tile in each of its rows: what they are made of is loaded once, and pairs of rows share what they
$ -- begin with.
$ local function reduce_tall(c, i, rows)
$   local places = {}
$   for k, place in ipairs(K.row_block.columns) do
$     places[k] = ("x%d_%d_%d"):format(rows[1].number, i, k)
const ${V.type} ${places[k]} = ${column(rows[1], c, at(K.row_block.held and "x" .. place.row or "x", place.at))};
$   end
$   for r, row in ipairs(rows) do
$     local name, list = ("c%d_%d"):format(row.number, i - 1), {}
$     for k, value in ipairs(K.row_block.outputs[r].values) do list[k] = places[value + 1] end
${V.type} ${name} = ${list[1]};
$     combine_all(name, list)
$   end
$ end

$ -- The rows of a tall tile's vector.
$ local function rows_of(v)
$   local list = {}
$   for r, row in ipairs(K.row_block.outputs) do
$     list[r] = { number = v.number * #K.row_block.outputs + r - 1, offset = v.offset, live = v.live, y = row.y, s = row.s }
$   end
$   return list
$ end

$ -- The reciprocal of each lane's divisor.
$ local function inverse(output)
$   if #output.divisors == 1 then return V.broadcast(at("inverse", output.divisors[1])) end
$   local list = {}
$   for i, divisor in ipairs(output.divisors) do list[i] = "inverse[" .. divisor .. "]" end
const ${V.ctype} inverses[${V.lanes}] = {${table.concat(list, ", ")}};
$   return V.get("inverses", 1, V.lanes)
$ end

$ local function slope(v, output, live)
$   local pointer = at("s", v.offset * K.s_lane + output.s + v.s)
$   return K.s_lane > 0 and V.get(pointer, K.s_lane, live) or V.broadcast(pointer)
$ end

$ local function finish(tile, v, output)
$   local live, place = v.live or output.live, output.y + v.offset * K.y_lane + v.y
$   local taps = {}
$   for i, value in ipairs(output.values) do taps[i] = name(tile, v, value) end
{
${V.type} out = ${taps[1]};
$   combine_all("out", taps)
$   if K.mean then
$     local scale = inverse(output)
out = ${V.mul("out", scale)};
$   end
$   if K.residual then
out = ${V.add("out", V.get(at("r", place), K.y_lane, live))};
$   end
$   tiles.activate("out", sloped and slope(v, output, live) or false)
${V.put(at("y", place), K.y_lane, live, "out")}
}
$ end

$ -- Pointers to the rows that a block reads, of which compilers make no sums for each column ahead of the loop.
$ local function point_at_rows()
$   local known = {}
$   for _, place in ipairs(K.row_block.columns) do
$     if not known[place.row] then
const ${V.ctype} *x${place.row} = x + row${place.row};
CONVSMITH_PIN("r", x${place.row});
$     end
$     known[place.row] = true
$   end
$ end

$ -- A vector of a tall tile whose columns lie along a move: each is made where an output first needs it, so that few are held at a time.
$ local function slide(tile, rows)
$   local made = {}
$   for _, output in ipairs(tile.outputs) do
$     for _, value in ipairs(output.values) do
$       if not made[value] then reduce_tall(tile.columns[value + 1], value + 1, rows) end
$       made[value] = true
$     end
$     for _, row in ipairs(rows) do finish(tile, row, output) end
$   end
$ end

$ -- Vectors whose columns are there.
$ local function finish_all(tile, vectors)
$   if tile.zero then
const ${V.type} zero = ${V.zero()};
$   end
$   for _, v in ipairs(vectors) do
$     for _, step in ipairs(tile.steps) do
const ${V.type} t${v.number}_${step.value} = ${V.shuffle(name(tile, v, step.a), name(tile, v, step.b), step.lanes)};
$     end
$     for _, output in ipairs(tile.outputs) do finish(tile, v, output) end
$   end
$ end

$ -- A vector of a tall tile.
$ local function tall_vector(tile, rows)
$   if K.row_block.held then point_at_rows() end
$   if tile.outputs[1].live == 0 then return slide(tile, rows) end
$   for i, c in ipairs(tile.columns) do reduce_tall(c, i, rows) end
$   finish_all(tile, rows)
$ end

$ local function body(tile, vectors, tall)
{
$   if tall then
$     for _, v in ipairs(vectors) do tall_vector(tile, rows_of(v)) end
$   else
$     if K.planes then planes(K, vectors[1], combine) elseif K.sweep then sweep.reduced(K, vectors) else reduce(tile, vectors) end
$     finish_all(tile, vectors)
$   end
}
$ end

$ -- Vectors of `channels` channels side by side.
$ local function vectors_of(channels)
$   local list = {}
$   for offset = 0, channels - 1, V.lanes do
$     list[#list + 1] = { number = #list, offset = offset, live = math.min(V.lanes, channels - offset), y = 0, s = 0 }
$   end
$   return list
$ end

$ -- All vectors of channels: `each` prints what is done to some; pointers go on by a step for each channel.
$ local function turns(each, steps)
$   local turn = K.vectors * V.lanes
$   if K.whole > 0 then
CONVSMITH_ROLLED
for (ptrdiff_t turn = 0; turn < ${K.whole}; turn++) {
$     each(vectors_of(turn))
$     for _, step in ipairs(steps) do
${step[1]} += ${turn * step[2]};
$     end
}
$   end
$   if K.last > 0 then each(vectors_of(K.last)) end
$ end

$ -- All vectors of channels of a tile.
$ local function tile_turns(tile, tall)
$   local steps = {}
$   for _, pointer in ipairs(pointers(K)) do
$     local name = pointer[2]
$     steps[#steps + 1] = { name, name == "x" and K.x_lane or name == "s" and K.s_lane or K.y_lane }
$   end
$   if K.sweep then sweep.sum(K, turns, over_taps, combine) end
$   turns(function(vectors) body(tile, vectors, tall) end, steps)
$ end

$ -- Where the rows that a block reads lie: beyond the input's ends are its first and last one.
$ local function hold_rows()
$   local axis, known = K.axes[#K.axes], {}
$   for _, place in ipairs(K.row_block.columns) do
$     local row = "top + " .. place.row
$     if not known[place.row] then
const ptrdiff_t row${place.row} = (${row} < 0 ? 0 : ${row} < ${axis.input} ? ${row} : ${axis.input - 1}) * ${axis.x};
$     end
$     known[place.row] = true
$   end
$ end

$ -- From behind one block of a tall tile's rows to the next.
$ local function next_block(done)
$   local axis, rows = K.axes[#K.axes], #K.row_block.outputs
$   local steps = { x = -done * K.x_lane, y = rows * axis.y - done * K.y_lane }
$   if K.row_block.held then
top += ${rows * axis.stride};
$   else
$     steps.x = steps.x + rows * axis.stride * axis.x
$   end
$   if steps.x ~= 0 then
x += ${steps.x};
$   end
y += ${steps.y};
$   if K.residual then
r += ${steps.y};
$   end
$   if sloped then
s += ${rows * axis.s - done * K.s_lane};
$   end
$ end

$ local function define_tile(tile, name, tall)
$   local list, along = arguments.join(pointers(K), counts(tall)), tile.outputs[1].live > 0
CONVSMITH_NOINLINE ${V.isa.attribute}
void ${name}(${arguments.declare(list)})
{
$   if tall then
CONVSMITH_ROLLED
for (ptrdiff_t block = 0; block < blocks; block++) {
$     if K.row_block.held then hold_rows() end
$   end
$   if along then
$     body(tile, { { number = 0, offset = 0, live = false, y = 0, s = 0 } }, tall)
$   else
$     tile_turns(tile, tall)
$   end
$   if tall then
$     next_block(along and 0 or K.whole * K.vectors * V.lanes)
}
$   end
}

$ end

$ -- ---- a row ----
$ -- Rows that do not go in blocks.
$ local function single_rows() return K.row_block and K.axes[#K.axes].output - K.row_block.blocks * #K.row_block.outputs or false end

$ -- Where the outer axes' windows begin, their live taps, and their places in the divisor.
$ local function window(a, axis)
$   if K.adaptive then
const ptrdiff_t i${a} = o${a} * ${axis.input} / ${axis.output};
$     if not axis.taps then
const ptrdiff_t taps${a} = ((o${a} + 1) * ${axis.input} - 1) / ${axis.output} + 1 - i${a};
$     end
x += i${a} * ${axis.x};
$   elseif axis.taps then
x += (o${a} * ${axis.stride} - ${axis.pad}) * ${axis.x};
$   else
const ptrdiff_t i${a} = o${a} * ${axis.stride} - ${axis.pad};
$     if a == #K.axes and K.row_block and K.row_block.held and single_rows() == 0 then return end
const ptrdiff_t from${a} = i${a} < 0 ? (${axis.dilation - 1} - i${a}) / ${axis.dilation} : 0;
const ptrdiff_t end${a} = (${axis.input - 1} - i${a}) / ${axis.dilation} + 1;
const ptrdiff_t taps${a} = (end${a} < ${axis.kernel} ? end${a} : ${axis.kernel}) - from${a};
x += (i${a} + from${a} * ${axis.dilation}) * ${axis.x};
$   end
$ end

$ local function places(a, axis)
$   if axis.places then return tostring(axis.places) end
$   if K.adaptive or not K.count_padding then return "taps" .. a end
const ptrdiff_t behind${a} = (${axis.padded - 1} - i${a}) / ${axis.dilation} + 1;
const ptrdiff_t places${a} = behind${a} < ${axis.kernel} ? behind${a} : ${axis.kernel};
$   return "places" .. a
$ end

$ local function inverses()
$   local outer, list = {}, {}
$   for a, axis in ipairs(K.axes) do outer[a] = places(a, axis) .. " * " end
$   for i, divisor in ipairs(K.divisors) do
$     list[i] = ("%s / (%s)(%s%d)"):format(V.number("1.0"), V.ctype, table.concat(outer), divisor)
$   end
const ${V.ctype} inverse[${#list}] = {${table.concat(list, ", ")}};
$ end

$ -- The function of a tile, tall or not.
$ local function name_of(number, tall) return K.symbol .. (tall and "_tall" or "_tile") .. number end

$ local function call(run, tall)
$   local values, bases = { top = "i" .. #K.axes }, { x = tall and K.row_block.held and "plane" or "x", y = "y", s = "s" }
$   for _, key in ipairs({ "x", "y", "s" }) do
$     values[key] = at(bases[key], run[key]) .. (run.count > 1 and (" + i * %d"):format(run[key .. "_step"]) or "")
$   end
$   values.r = "r" .. values.y:sub(2)
$   if run.count > 1 then
CONVSMITH_ROLLED
for (ptrdiff_t i = 0; i < ${run.count}; i++)
$   end
${name_of(run.tile, tall)}(${arguments.pass(arguments.join(pointers(K), counts(tall)), values)});
$ end

$ -- Where a call of rows is among the outputs of the outer axes, and in which band of the row.
$ local function places_of(ctype)
$   local list = {}
$   for a in ipairs(K.axes) do list[a] = { ctype, "o" .. a } end
$   if K.bands > 1 then list[#list + 1] = { ctype, "band" } end
$   if K.row_block then list[#list + 1] = { ctype, "blocks" } end
$   return list
$ end

$ -- The tiles of a band: all of them where there are none.
$ local function tiles_of_bands(tall)
$   for band = 0, K.bands - 1 do
$     if K.bands > 1 then
if (band == ${band}) {
$     end
$     for _, run in ipairs(K.runs) do
$       if run.band == band then call(run, tall) end
$     end
$     if K.bands > 1 then
}
$     end
$   end
$ end

$ -- Units of work along an outer axis.
$ local function units_along(a)
$   return a == #K.axes and K.row_block and K.row_block.blocks + single_rows() or K.axes[a].output
$ end

$ -- From the number of a call to its first row, and whether that begins a block.
$ local function place_block()
$   local o, rows = "o" .. #K.axes, #K.row_block.outputs
$   if single_rows() == 0 then
${o} *= ${rows};
$   else
const ptrdiff_t place = ${o}${K.row_block.first > 0 and " - " .. K.row_block.first or ""};
const int tall = place >= 0 && place < ${K.row_block.blocks};
${o} += (tall ? place : place < 0 ? 0 : ${K.row_block.blocks}) * ${rows - 1};
$   end
$ end

$ local function define_row()
$   local outputs = places_of("ptrdiff_t")
static ${V.isa.attribute}
void ${K.symbol}_rows(${arguments.declare(arguments.join(pointers(K), outputs))})
{
$   if K.row_block then place_block() end
$   for a, axis in ipairs(K.axes) do
$     if a == #K.axes and K.row_block and K.row_block.held then
const ${V.ctype} *plane = x;
$     end
$     window(a, axis)
y += o${a} * ${axis.y};
$     if K.residual then
r += o${a} * ${axis.y};
$     end
$     if sloped then
s += o${a} * ${axis.s};
$     end
$   end
$   if K.mean then inverses() end
$   if not K.row_block or single_rows() == 0 then
$     tiles_of_bands(K.row_block)
$   else
if (tall) {
$     tiles_of_bands(true)
}
else {
$     tiles_of_bands(false)
}
$   end
}

$ end

$ -- Blocks of rows that are neighbours go in one call, single rows in one each.
$ local function number_rows()
$   local block, o = K.row_block, "o" .. #K.axes
$   if not block or units_along(#K.axes) == 1 then
$     parts.count(false)
$   else
const ptrdiff_t left = ${o} < ${block.first} || ${o} >= ${block.first + block.blocks} ? 1 : ${block.first + block.blocks} - ${o};
$     parts.count("left")
$   end
$ end

$ local function call_row()
$   local values, outputs = { blocks = "count" }, places_of("")
$   for a in ipairs(K.axes) do
$     values["o" .. a] = units_along(a) > 1 and "o" .. a or "0"
$   end
$   for _, key in ipairs({ "x", "y", "s" }) do values[key] = parts.sum(key, parts.unit_offset(K, key)) end
$   values.r = parts.sum("r", parts.unit_offset(K, "y"))
${K.symbol}_rows(${arguments.pass(arguments.join(pointers(K), outputs), values)});
$ end

$ local function section(target, symbol)
$   local kernels = parts.kernels(target, symbol)
$   for _, kernel in ipairs(kernels) do
$     K, V = kernel, kernel.V
$     sloped = K.activation.name == "prelu"
$     local inner = {}
$     for a = #K.axes, 1, -1 do
$       inner[#inner + 1] = { "o" .. a, units_along(a) }
$       if a == #K.axes and K.bands > 1 then inner[#inner + 1] = { "band", K.bands } end
$     end
$     K.order = parts.order(K, inner)
$     tiles.use(K)
$     helpers(K)
$     fetch(K)
$     for i, tile in ipairs(K.tiles) do
$       if single_rows() ~= 0 then define_tile(tile, name_of(i - 1, false), false) end
$       if K.row_block then define_tile(tile, name_of(i - 1, true), true) end
$     end
$     define_row()
$     parts.units(K, pointers(K), number_rows, call_row)
$   end
$   pack(kernels, symbol)
$   parts.define(kernels, pointers, symbol)
$ end

$ return { section = section }
