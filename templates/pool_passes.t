$ -- Pools in two passes over the plane of a chunk of channels on one target: rows into a near buffer, columns from there.
$ -- gen/passes.h has the words.
$ local arguments = import("lib/arguments.lua")
$ local vec = import("lib/vec.lua")
$ local tiles = import("lib/tile.t")
$ local parts = import("lib/parts.t")
$ local helpers = import("lib/helpers.t")
$ local pack = import("lib/pack.t")
$ local at = vec.at
$ local K, V -- the kernel that is being printed, and its operations
$ local sloped -- has it a tensor of slopes?
$ local spots -- is NaN looked for, and lost elsewhere?
$ local row, column -- the passes
$ local pixel -- elements of a place in the buffer

$ local function pointers(kernel)
$   local T = kernel.V.ctype
$   local list = { { "const " .. T .. " *", "x" } }
$   if sloped then list[#list + 1] = { "const " .. T .. " *", "s" } end
$   if kernel.residual then list[#list + 1] = { "const " .. T .. " *", "r" } end
$   list[#list + 1] = { T .. " *", "y" }
$   return list
$ end

$ -- The same of what reads the buffer, and of what writes it.
$ local function from_buffer()
$   local list = pointers(K)
$   list[1] = { list[1][1], "buffer" }
$   return list
$ end
$ local function to_buffer() return { pointers(K)[1], { V.ctype .. " *", "buffer" } } end

$ local function combine(a, b)
$   if K.mean then return V.add(a, b) end
$   return spots and V.max(a, b) or V.top({ a, b })
$ end

$ -- ---- channels ----
$ -- Vectors of so many channels side by side.
$ local function vectors_of(channels)
$   local list = {}
$   for offset = 0, channels - 1, V.lanes do
$     list[#list + 1] = { number = #list, offset = offset, live = math.min(V.lanes, channels - offset) }
$   end
$   return list
$ end

$ -- Turns of `turn` channels through a chunk, then the rest; names: the pointers that go along, then, from turn to turn.
$ local function turns(channels, turn, names, body)
$   local whole, rest = channels // turn, channels % turn
$   if whole > 0 then
$     if whole > 1 or rest > 0 then
CONVSMITH_ROLLED
for (ptrdiff_t turn = 0; turn < ${whole}; turn++)
$     end
{
$     body(vectors_of(turn))
$     if whole > 1 or rest > 0 then
$       for _, name in ipairs(names) do
${name} += ${turn};
$       end
$     end
}
$   end
$   if rest > 0 then
{
$     body(vectors_of(rest))
}
$   end
$   return (whole > 1 or rest > 0) and whole * turn or 0
$ end

$ local function slope(v)
$   return K.s_lane > 0 and V.get(at("s", v.offset), 1, v.live) or V.broadcast("s")
$ end

$ -- Stores an output, a number of elements from what the pointers say; share: the reciprocal's pointer.
$ local function finish(v, value, offset, share)
$   local place = at("y", offset + v.offset)
{
${V.type} out = ${value};
$   if K.mean then
out = ${V.mul("out", V.broadcast(share))};
$   end
$   if K.residual then
out = ${V.add("out", V.get("r" .. place:sub(2), 1, v.live))};
$   end
$   tiles.activate("out", sloped and slope(v) or false)
${V.put(place, 1, v.live, "out")}
}
$ end

$ -- ---- a stretch ----
$ -- Prints the value of each vector where an output first needs it; load(v, place) is the text of one place.
$ local function maker(stretch, vectors, load, loaded)
$   local made = {}
$   local function make(value)
$     if made[value] then return end
$     made[value] = true
$     local step = value >= stretch.places and stretch.steps[value - stretch.places + 1]
$     if step then
$       make(step.a)
$       make(step.b)
$     end
$     for _, v in ipairs(vectors) do
$       local name = ("v%d_"):format(v.number)
const ${V.type} ${name}${value} = ${step and combine(name .. step.a, name .. step.b) or load(v, value)};
$     end
$     if not step then loaded(value) end
$   end
$   return make
$ end

$ -- Looks for NaN in places, two at a time: what is known of each vector.
$ local function spotter(vectors)
$   local pending, seen = false, 0
$   local function see(a, b)
$     seen = seen + 1
$     for _, v in ipairs(vectors) do
$       local first, second = ("v%d_%d"):format(v.number, a), ("v%d_%d"):format(v.number, b)
const ${V.nan_type} seen${v.number}_${seen} = ${V.see_nan(seen > 1 and ("seen%d_%d"):format(v.number, seen - 1), first, second)};
$     end
$   end
$   local function loaded(value)
$     if not pending then pending = value return end
$     see(pending, value)
$     pending = false
$   end
$   local function done()
$     if pending then see(pending, pending) end
$     for _, v in ipairs(vectors) do
nan |= ${V.any_nan(("seen%d_%d"):format(v.number, seen))};
$     end
$   end
$   return loaded, done
$ end

$ local function row_body(stretch, vectors)
$   local loaded, done = function() end, function() end
$   if spots then loaded, done = spotter(vectors) end
$   local make = maker(stretch, vectors, function(v, place) return V.get(at("x", place * row.x + v.offset), 1, v.live) end, loaded)
$   for o, value in ipairs(stretch.outputs) do
$     make(value)
$     for _, v in ipairs(vectors) do
${V.put(at("buffer", (o - 1) * pixel + v.offset), 1, V.lanes, ("v%d_%d"):format(v.number, value))}
$     end
$   end
$   done()
$ end

$ local function column_body(stretch, vectors)
$   local line = row.output * pixel
$   local function load(v, place) return V.get(at("buffer", place * line + v.offset), 1, V.lanes) end
$   local make = maker(stretch, vectors, load, function() end)
$   for o, value in ipairs(stretch.outputs) do
$     make(value)
$     for _, v in ipairs(vectors) do
$       finish(v, ("v%d_%d"):format(v.number, value), (o - 1) * column.y, K.mean and at("inverse", stretch.shares[o]))
$     end
$   end
$ end

$ -- One row of a stretch; returns whether it has NaN, where that is looked for.
$ local function define_row(name, stretch, channels)
CONVSMITH_NOINLINE ${V.isa.attribute}
${spots and "int" or "void"} ${name}(${arguments.declare(to_buffer())})
{
$   if spots then
int nan = 0;
$   end
$   turns(channels, K.vectors * V.lanes, { "x", "buffer" }, function(vectors) row_body(stretch, vectors) end)
$   if spots then
return nan;
$   end
}

$ end

$ -- Steps from column to column of what a pass along columns goes through, of which `done` elements are done.
$ local function next_column(done)
$   local steps = { { "buffer", pixel - done }, { "y", row.y - done } }
$   if K.residual then steps[3] = { "r", row.y - done } end
$   if sloped and K.s_lane > 0 then steps[#steps + 1] = { "s", -done } end
$   for _, step in ipairs(steps) do
$     if step[2] ~= 0 then
${step[1]} += ${step[2]};
$     end
$   end
$ end

$ local function names(list)
$   local result = {}
$   for _, argument in ipairs(list) do
$     if argument[2] ~= "s" or K.s_lane > 0 then result[#result + 1] = argument[2] end
$   end
$   return result
$ end

$ -- All columns of a stretch.
$ local function define_column(name, stretch, channels)
CONVSMITH_NOINLINE ${V.isa.attribute}
void ${name}(${arguments.declare(from_buffer())})
{
CONVSMITH_ROLLED
for (ptrdiff_t o = 0; o < ${row.output}; o++) {
$   if K.mean then
const ${V.ctype} *inverse = ${K.symbol}_inverses[${#row.shares > 1 and K.symbol .. "_shares[o]" or "0"}];
$   end
$   next_column(turns(channels, K.vectors * V.lanes, names(from_buffer()), function(vectors) column_body(stretch, vectors) end))
}
}

$ end

$ -- ---- place by place ----
$ -- Lines of a pass that keep NaN. list: arguments, what is read first; steps: of each of them from line to line, and from place to
$ -- place, or output to output.
$ local function define_keeping(name, pass, lines, list, steps, channels, store)
$   local own, live = {}, list[1][2] == "x"
$   for i, argument in ipairs(list) do own[i] = { argument[1], argument[2] .. "0" } end
CONVSMITH_NOINLINE ${V.isa.attribute}
void ${name}(${arguments.declare(own)})
{
CONVSMITH_ROLLED
for (ptrdiff_t line = 0; line < ${lines}; line++)
CONVSMITH_ROLLED
for (ptrdiff_t o = 0; o < ${pass.output}; o++) {
const ptrdiff_t first = o * ${pass.stride} - ${pass.pad}, behind = first + ${pass.kernel};
const ptrdiff_t from = first < 0 ? 0 : first, end = behind < ${pass.input} ? behind : ${pass.input};
$   for i, argument in ipairs(list) do
$     local step = steps[argument[2]]
${argument[1]}${argument[2]} = ${own[i][2]}${step and (" + line * %d + %s * %d"):format(step[1], i == 1 and "from" or "o", step[2]) or ""};
$   end
$   turns(channels, V.lanes, names(list), function(vectors)
$     local function load(pointer) return V.get(pointer, 1, live and vectors[1].live or V.lanes) end
${V.type} v = ${load(list[1][2])};
CONVSMITH_ROLLED
for (ptrdiff_t k = 1; k < end - from; k++) {
const ${V.type} next = ${load(("%s + k * %d"):format(list[1][2], steps[list[1][2]][2]))};
v = ${V.top({ "v", "next" })};
}
$     store(vectors[1])
$   end)
}
}

$ end

$ local function define_both_keeping(suffix, channels)
$   local line, y = row.output * pixel, { row.y, column.y }
$   local function to_near() emit(V.put("buffer", 1, V.lanes, "v")) end
$   define_keeping(K.symbol .. "_keep_rows" .. suffix, row, column.input, to_buffer(), { x = { column.x, row.x }, buffer = { line, pixel } }, channels, to_near)
$   local function to_output(v) finish(v, "v", 0, false) end
$   define_keeping(K.symbol .. "_keep_columns" .. suffix, column, row.output, from_buffer(), { buffer = { pixel, line }, y = y, r = y }, channels, to_output)
$ end

$ -- ---- a plane ----
$ local function calls(pass, name, list, steps, result)
$   for _, run in ipairs(pass.runs) do
$     local values = {}
$     for i, argument in ipairs(list) do
$       local key = i == 1 and "place" or "output"
$       local step = steps[argument[2]]
$       local base = argument[2] .. (result and steps.line[argument[2]] or "")
$       if step then values[argument[2]] = at(base, run[key] * step) .. (run.count > 1 and (" + i * %d"):format(run[key .. "_step"] * step) or "") end
$     end
$     if run.count > 1 then
CONVSMITH_ROLLED
for (ptrdiff_t i = 0; i < ${run.count}; i++)
$     end
${result or ""}${name}${run.stretch}(${arguments.pass(list, values)});
$   end
$ end

$ -- A chunk of so many channels: both passes, and where a place is NaN both again.
$ local function define_chunk(suffix, channels)
$   local rows, columns = K.symbol .. "_row" .. suffix, K.symbol .. "_column" .. suffix
$   for i, stretch in ipairs(row.stretches) do define_row(rows .. i - 1, stretch, channels) end
$   for i, stretch in ipairs(column.stretches) do define_column(columns .. i - 1, stretch, channels) end
$   if spots then define_both_keeping(suffix, channels) end
static ${V.isa.attribute}
void ${K.symbol}_chunk${suffix}(${arguments.declare(arguments.join(pointers(K), { { V.ctype .. " *", "buffer" } }))})
{
$   if spots then
int nan = 0;
$   end
CONVSMITH_ROLLED
for (ptrdiff_t line = 0; line < ${column.input}; line++) {
$   local line = { x = " + line * " .. column.x, buffer = " + line * " .. row.output * pixel }
$   calls(row, rows, to_buffer(), { x = row.x, buffer = pixel, line = line }, spots and "nan |= " or "")
}
$   if spots then
if (nan) {
${K.symbol}_keep_rows${suffix}(${arguments.pass(to_buffer())});
${K.symbol}_keep_columns${suffix}(${arguments.pass(from_buffer())});
return;
}
$   end
$   calls(column, columns, from_buffer(), { buffer = row.output * pixel, y = column.y, r = column.y }, false)
}

$ end

$ -- ---- the kernel ----
$ -- Reciprocals of the divisors, by the shares of columns, then of rows; and the columns' shares.
$ local function define_inverses()
static const ${V.ctype} ${K.symbol}_inverses[${#row.shares}][${#column.shares}] = {
$   for _, share in ipairs(row.shares) do
$     local list = {}
$     for i, other in ipairs(column.shares) do list[i] = ("%s / %s"):format(V.number("1.0"), V.number(("%d.0"):format(share * other))) end
{${table.concat(list, ", ")}},
$   end
};
$   if #row.shares > 1 then
static const unsigned short ${K.symbol}_shares[${#row.share_of}] = {${table.concat(row.share_of, ", ")}};
$   end

$ end

$ local function call_chunk()
$   local own, step = { x = 1, y = 1, s = K.s_lane }, K.channels
$   local values = { buffer = "strip" }
$   for _, key in ipairs({ "x", "y", "s" }) do
$     local offsets = parts.unit_offset(K, key)
$     if K.channel_chunks > 1 and own[key] > 0 then offsets[#offsets + 1] = "chunk * " .. step end
$     values[key] = parts.sum(key, offsets)
$     if key == "y" then values.r = parts.sum("r", offsets) end
$   end
$   local list = arguments.pass(arguments.join(pointers(K), { { V.ctype .. " *", "buffer" } }), values)
$   if K.last_channels > 0 then
if (chunk == ${K.channel_chunks - 1}) ${K.symbol}_chunk_last(${list});
else ${K.symbol}_chunk(${list});
$   else
${K.symbol}_chunk(${list});
$   end
$ end

$ local function section(target, symbol)
$   local kernels = parts.kernels(target, symbol)
$   for _, kernel in ipairs(kernels) do
$     K, V = kernel, kernel.V
$     sloped = K.activation.name == "prelu"
$     spots = V.tops and not K.mean
$     row, column = K.along_rows, K.along_columns
$     pixel = (K.channels + V.lanes - 1) // V.lanes * V.lanes
$     K.order = parts.order(K, { { "chunk", K.channel_chunks } })
$     tiles.use(K)
$     helpers(K)
$     if K.mean then define_inverses() end
$     define_chunk("", K.channels)
$     if K.last_channels > 0 then define_chunk("_last", K.last_channels) end
$     parts.units(K, pointers(K), function() parts.count(false) end, call_chunk)
$   end
$   pack(kernels, symbol)
$   parts.define(kernels, pointers, symbol)
$ end

$ return { section = section }
