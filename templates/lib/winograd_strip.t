$ -- Strips of Winograd tiles (gen/winograd.h): inputs are brought channels last, [rows][columns][lanes], for one vector of channels
$ -- after the other, and all tiles are transformed from there; or outputs are made there and placed as vectors of pixels, which get
$ -- bias, residual and activation on their way.
$ local arguments = import("lib/arguments.lua")
$ local moves = import("lib/moves.t")
$ local placed = import("lib/placed.t")
$ local tile = import("lib/winograd_tile.t")
$ local tiles = import("lib/tile.t")
$ local at = import("lib/vec.lua").at
$ local W, S, K, V, T -- tiles, strips; the kernel of all that is around the products, its operations, its C type

$ local function use(points, shell)
$   W, S, K, V, T = points, points.strips, shell, shell.V, shell.V.ctype
$   tile.use(W, K)
$ end

$ -- ---- copies ------------------------------------------------------------------------------------------------------------

$ local function define_copy(number, copy)
$   local name = K.symbol .. "_copy" .. number
$   if copy.output then return placed.define(K, name, copy, S.y_channel) end
$   local list = { { "const " .. T .. " *", "x0" }, { T .. " *", "y0" } }
CONVSMITH_NOINLINE ${V.isa.attribute}
void ${name}(${arguments.declare(list)})
{
$   moves.run({ V = V, loops = copy.loops, blocks = copy.blocks })
}

$ end

$ -- Calls the copy of a side of the strip's kind, for whole vectors of channels or for the last one.
$ local function copy_channels(side, channels, values)
$   local number = side.whole > 0 and side.whole or side.tail
$   if side.whole > 0 and side.tail > 0 then
if (c >= ${channels // V.lanes * V.lanes}) ${K.symbol}_copy${side.tail}(${values});
else
$   end
$   if number > 0 then
${K.symbol}_copy${number}(${values});
$   end
$ end

$ -- ---- strips ------------------------------------------------------------------------------------------------------------

$ -- Which part of its row a strip is, and where that row's tiles begin along the other axes.
$ local function decode()
$   local rows = #W.axes - 1
$   if rows == 0 and W.batch == 1 and S.parts == 1 then
(void)number;
$   end
$   if S.parts > 1 then
const ptrdiff_t part = number % ${S.parts};
$   end
$   if rows > 0 or W.batch > 1 then
const ptrdiff_t row = number${S.parts > 1 and " / " .. S.parts or ""};
$   end
$   tile.decode("row", rows)
$ end

$ -- Prints body(kind) for each kind of strip.
$ local function each_kind(body)
$   for i, kind in ipairs(S.kinds) do
${i > 1 and "else " or ""}${i < #S.kinds and ("if (part < %d) "):format(kind.below) or ""}{
$     body(kind)
}
$   end
$ end

$ -- Columns of the tensor before the strip's.
$ local function before(offset)
$   local last = W.axes[#W.axes]
$   return S.parts > 1 and ("part * %d + (%d)"):format(S.tiles * last.m, offset) or tostring(offset)
$ end

$ -- Elements of a strip from place to place along each axis.
$ local function steps_of(count, columns)
$   local last = #W.axes
$   local steps, step = { [last] = W.axes[last].apart * V.lanes }, columns * V.lanes
$   for a = last - 1, 1, -1 do
$     steps[a] = step
$     step = step * W.axes[a][count]
$   end
$   return steps, step
$ end

$ -- All tiles of a strip: body() goes through `count` of them, whose vectors begin at `from` and `to`; those of another residue begin
$ -- so many elements further on.
$ local function all_tiles(from, from_step, to, to_step, body)
$   local residues, rest = W.axes[#W.axes].residues, ""
$   if residues > 1 then
CONVSMITH_ROLLED
for (ptrdiff_t residue = 0; residue < ${residues}; residue++) {
$     rest = " + residue * "
$   else
{
$   end
const ${T} *from = ${from}${residues > 1 and rest .. from_step or ""};
${T} *to = ${to}${residues > 1 and rest .. to_step or ""};
const ptrdiff_t count = ${S.tiles // residues};
$   body()
}
$ end

$ -- Columns that a padding mode takes from others, lane by lane.
$ local function mapped(kind)
$   local last = W.axes[#W.axes]
$   for _, range in ipairs({ { 0, kind.at }, { kind.at + kind.live, kind.limit } }) do
$     if range[1] < range[2] then
CONVSMITH_ROLLED
for (ptrdiff_t j = ${range[1]}; j < ${range[2]}; j++) {
const ptrdiff_t column = ${K.symbol}_${K.padding_mode}(${before(-last.pad)} + j, ${last.input});
const ptrdiff_t left = ${W.v.channels} - c, lanes = left < ${V.lanes} ? left : ${V.lanes};
CONVSMITH_ROLLED
for (ptrdiff_t lane = 0; lane < lanes; lane++) to[j * ${V.lanes} + lane] = from[lane * ${W.x_lane} + column];
}
$     end
$   end
$ end

$ -- One strip into V.
$ local function define_load()
$   local last = #W.axes
$   local axis, steps, elements = W.axes[last], steps_of("points", S.columns)
static ${V.isa.attribute}
void ${K.symbol}_load(const ${T} *x, ${T} *v, ${T} *strip, ptrdiff_t number)
{
$   decode()
$   local test, place, to = {}, { "x", "c * " .. W.x_lane }, { "strip" }
$   for a = 1, last - 1 do
const ptrdiff_t i${a} = o${a} - ${W.axes[a].pad};
$     tile.define_map(a, W.axes[a])
$     test[a] = ("at%d[j%d] >= 0"):format(a, a)
$     place[#place + 1], to[#to + 1] = ("at%d[j%d]"):format(a, a), ("j%d * %d"):format(a, steps[a])
$   end
$   if W.batch > 1 then
x += image * ${W.x_batch};
$   end
/* stays so in columns and rows beyond the input */
CONVSMITH_ROLLED
for (ptrdiff_t i = 0; i < ${elements}; i += ${V.lanes}) {
${V.put("strip + i", 1, V.lanes, V.zero())}
}
CONVSMITH_ROLLED
for (ptrdiff_t c = 0; c < ${W.v.channels}; c += ${V.lanes}) {
$   for a = 1, last - 1 do
CONVSMITH_ROLLED
for (ptrdiff_t j${a} = 0; j${a} < ${W.axes[a].points}; j${a}++)
$   end
${#test > 0 and "if (" .. table.concat(test, " && ") .. ") " or ""}{
const ${T} *const from = ${table.concat(place, " + ")};
${T} *const to = ${table.concat(to, " + ")};
$   each_kind(function(kind)
$     copy_channels(kind.bring, W.v.channels, ("from + (%s), to + %d"):format(before(kind.at - axis.pad), kind.at * V.lanes))
$     if axis.mapped then mapped(kind) end
$   end)
}
$   all_tiles("strip", V.lanes, "v + c", S.tiles // axis.residues * W.v.tile, function()
$     tile.forward(steps, { axis.m * axis.apart * V.lanes, W.v.tile }, false)
$   end)
}
}

$ end

$ -- `count` tiles of M to outputs in the strip.
$ local function make_outputs(steps)
$   local axis = W.axes[#W.axes]
CONVSMITH_ROLLED
for (ptrdiff_t i = 0; i < count; i++, from += ${W.m.tile}, to += ${axis.m * axis.apart * V.lanes}) {
$   if #tile.transformed() > 1 then
${V.type} t[${W.points}];
$   end
$   tile.inverse(function(place) return V.get(("from + (%s) * %d"):format(place, W.m.point), 1, V.lanes) end, function(a, i, value)
${V.put("to + " .. tile.place(steps, a, i), 1, V.lanes, value)}
$   end)
}
$ end

$ -- One strip of M to its outputs.
$ local function define_store()
$   local list = arguments.join({ { "const " .. T .. " *", "m" } }, tiles.outputs(K, "all_"), { { T .. " *", "strip" }, { "ptrdiff_t", "number" } })
$   local last, steps = #W.axes, steps_of("m", S.out_columns)
$   local axis = W.axes[last]
CONVSMITH_NOINLINE ${V.isa.attribute}
void ${K.symbol}_store(${arguments.declare(list)})
{
$   decode()
CONVSMITH_ROLLED
for (ptrdiff_t c = 0; c < ${W.m.channels}; c += ${V.lanes}) {
$   all_tiles("m + c", S.tiles // axis.residues * W.m.tile, "strip", V.lanes, function() make_outputs(steps) end)
$   local from, place = { "strip" }, { "c * " .. S.y_channel, before(0) }
$   if W.batch > 1 then place[#place + 1] = "image * " .. W.y_batch end
$   for a = 1, last - 1 do
CONVSMITH_ROLLED
for (ptrdiff_t j${a} = 0; j${a} < live${a}; j${a}++)
$     from[#from + 1] = ("j%d * %d"):format(a, steps[a])
$     place[#place + 1] = ("(o%d + j%d * %d) * %d"):format(a, a, W.axes[a].apart, W.axes[a].y)
$   end
{
const ptrdiff_t at = ${table.concat(place, " + ")};
$   local values = {}
$   for _, argument in ipairs(tiles.outputs(K, "all_")) do
$     local pixel = argument[2] == "all_y" or argument[2] == "all_r"
$     values[#values + 1] = argument[2] .. " + " .. (pixel and "at" or "c")
$   end
$   each_kind(function(kind) copy_channels(kind.place, W.m.channels, table.concat(from, " + ") .. ", " .. table.concat(values, ", ")) end)
}
}
}

$ end

$ local function define_copies()
$   for number, copy in ipairs(S.copies) do define_copy(number, copy) end
$ end

$ return { use = use, copies = define_copies, load = define_load, store = define_store }
