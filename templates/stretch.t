$ -- Pools of planes that are one stretch on one target: tiles of some planes, each a straight run of columns, shuffles and outputs, and
$ -- the shares of NAME_part. gen/stretch.h has the words.
$ local arguments = import("lib/arguments.lua")
$ local vec = import("lib/vec.lua")
$ local tiles = import("lib/tile.t")
$ local parts = import("lib/parts.t")
$ local helpers = import("lib/helpers.t")
$ local pack = import("lib/pack.t")
$ local at = vec.at
$ local K, V -- the kernel that is being printed, and its operations
$ local clean -- is the tile made as if there were no NaN?
$ local sums = 4 -- of what is looked at for NaN: one would wait for itself

$ local function pointers(kernel)
$   local T = kernel.V.ctype
$   local list = { { "const " .. T .. " *", "x" } }
$   if kernel.residual then list[#list + 1] = { "const " .. T .. " *", "r" } end
$   list[#list + 1] = { T .. " *", "y" }
$   return list
$ end

$ local function combine(a, b)
$   return K.mean and V.add(a, b) or clean and V.max(a, b) or V.top({ a, b })
$ end

$ -- The values of a list as one, in `to`.
$ local function combine_all(to, list)
$   if V.tops and not K.mean and not clean then
${to} = ${V.top(list)};
$     return
$   end
${to} = ${list[1]};
$   for i = 2, #list do
${to} = ${combine(to, list[i])};
$   end
$ end

$ -- ---- a tile ----
$ local function name(tile, value)
$   return value == #tile.columns and "zero" or (value < #tile.columns and "c" or "t") .. value
$ end

$ -- What a column has beside its own elements; lanes without such a tap have these once more, or zero.
$ local function place_of(i, place)
$   local load = "more" .. i
const ${V.type} ${load} = ${V.get_lanes(at("x", place.at), 1, place.from, place.to)};
$   return place.lanes and V.take(K.mean and "zero" or "own", load, place.lanes) or load
$ end

$ local function column(tile, number)
$   local this, sum = tile.columns[number + 1], "seen" .. number % sums
$   local list = {}
${V.type} c${number};
{
const ${V.type} own = ${V.get(at("x", this.at), 1, this.live)};
$   if clean then
${sum} = ${V.mac(sum, "own", "zero")};
$   end
$   for i, p in ipairs(this.places) do list[i] = place_of(i, p) end
$   list[#list + 1] = "own"
$   combine_all("c" .. number, list)
}
$ end

$ -- The reciprocal of each lane's divisor.
$ local function inverse(divisors)
$   local list = {}
$   for i, divisor in ipairs(divisors) do list[i] = V.number("1.0") .. " / " .. V.number(divisor .. ".0") end
$   return #list == 1 and V.set1(list[1]) or V.set(list)
$ end

$ local function finish(tile, number)
$   local output, this, list = tile.outputs[number], tile.columns[number], {}
$   for i, value in ipairs(output.values) do list[i] = name(tile, value) end
{
${V.type} out;
$   combine_all("out", list)
$   if K.mean then
out = ${V.mul("out", inverse(output.divisors))};
$   end
$   if K.residual then
out = ${V.add("out", V.get(at("r", this.at), 1, this.live))};
$   end
$   tiles.activate("out", false)
${V.put(at("y", this.at), 1, this.live, "out")}
}
$ end

$ -- Columns and shuffles are made where an output first needs them, so that few are held at a time.
$ local function body(tile)
$   local made = { [#tile.columns] = true }
$   local function make(value)
$     local step = value > #tile.columns and tile.steps[value - #tile.columns]
$     if made[value] then return end
$     made[value] = true
$     if not step then return column(tile, value) end
$     make(step.a)
$     make(step.b)
const ${V.type} t${value} = ${V.take(name(tile, step.a), name(tile, step.b), step.lanes)};
$   end
$   for i, output in ipairs(tile.outputs) do
$     for _, value in ipairs(output.values) do make(value) end
$     finish(tile, i)
$   end
$ end

$ local function name_of(number) return K.symbol .. (clean and "_clean" or "_tile") .. number end

$ -- What comes back is NaN where an input was, or infinite; else 0.
$ local function define_tile(tile, number)
CONVSMITH_NOINLINE ${V.isa.attribute}
${clean and V.ctype or "void"} ${name_of(number)}(${arguments.declare(pointers(K))})
{
$   if clean or K.mean then
const ${V.type} zero = ${V.zero()};
$   end
$   if clean then
${V.type} seen0 = zero, seen1 = zero, seen2 = zero, seen3 = zero;
$   end
$   body(tile)
$   if clean then
seen0 = ${V.add("seen0", "seen1")};
seen2 = ${V.add("seen2", "seen3")};
seen0 = ${V.add("seen0", "seen2")};
return ${V.sum("seen0")};
$   end
}

$ end

$ local function call_tile(number)
$   local values = { x = parts.sum("x", parts.unit_offset(K, "x")), y = parts.sum("y", parts.unit_offset(K, "y")) }
$   values.r = "r" .. values.y:sub(2)
$   local list = arguments.pass(pointers(K), values)
$   if K.watched then
if (${K.symbol}_clean${number}(${list}) != 0)
$   end
${K.symbol}_tile${number}(${list});
$ end

$ local function call()
$   if #K.tiles == 1 then return call_tile(0) end
if (tile < ${K.whole}) {
$   call_tile(0)
} else {
$   call_tile(1)
}
$ end

$ local function section(target, symbol)
$   local kernels = parts.kernels(target, symbol)
$   for _, kernel in ipairs(kernels) do
$     K, V = kernel, kernel.V
$     K.order = parts.order(K, {})
$     tiles.use(K)
$     helpers(K)
$     for i, tile in ipairs(K.tiles) do
$       for _, way in ipairs(K.watched and { true, false } or { false }) do
$         clean = way
$         define_tile(tile, i - 1)
$       end
$     end
$     parts.units(K, pointers(K), function() parts.count(false) end, call)
$   end
$   pack(kernels, symbol)
$   parts.define(kernels, pointers, symbol)
$ end

$ return { section = section }
