$ -- Small functions of a section, printed only where they are used.
$ local epilogue = import("lib/epilogue.lua")
$ local vec = import("lib/vec.lua")
$ local tiles = import("lib/tile.t")

$ -- The elements that gather takes, as expressions; calls name n, which leaves none of the tests.
$ local function elements(V)
$   local list = { V.element("p") }
$   for i = 1, V.lanes - 1 do
$     list[i + 1] = ("n > %d ? %s : 0"):format(i, V.element("p + " .. i .. " * step"))
$   end
$   return list
$ end

$ -- Does some tile put its outputs to lines of their own lane by lane?
$ local function scatters(K)
$   local some = not (has(K, "places") and K.places)
$   for _, tile in ipairs(has(K, "tiles") and K.tiles or {}) do some = some or not tiles.leaves(tile) end
$   return some and K.V.lanes > 1 and K.y_lane ~= 1
$ end

$ local function strided(K)
$   local V, scattered = K.V, scatters(K)
$   local step = has(K, "strip") and K.strip.lane or K.x_lane
$   if (step > 1 and V.gathers(step)) or ((K.residual or K.chunks > 1) and scattered and V.gathers(K.y_lane)) then
/* n elements, step apart, and zeros */
CONVSMITH_INLINE ${V.isa.attribute}
${V.type} ${K.symbol}_gather(const ${V.ctype} *p, ptrdiff_t step, ptrdiff_t n)
{
$     if V.set then
return ${V.set(elements(V))};
$     else
${V.ctype} t[${V.lanes}] = {0};
for (ptrdiff_t i = 0; i < n; i++) t[i] = p[i * step];
return ${V.get("t", 1, V.lanes)};
$     end
}
$   end
$   if scattered then
CONVSMITH_INLINE ${V.isa.attribute}
void ${K.symbol}_scatter(${V.ctype} *p, ptrdiff_t step, ptrdiff_t n, ${V.type} v)
{
${V.ctype} t[${V.lanes}];
${V.put("t", 1, V.lanes, "v")}
for (ptrdiff_t i = 0; i < n; i++) p[i * step] = t[i];
}
$   end
$ end

$ -- Through the C library.
$ local function by_lanes(V, scalar)
${V.ctype} t[${V.lanes}];
${V.put("t", 1, V.lanes, "v")}
for (int i = 0; i < ${V.lanes}; i++) {
const ${V.ctype} x = t[i];
t[i] = ${scalar};
}
return ${V.get("t", 1, V.lanes)};
$ end

$ -- Sums of the dot form are no vectors: they go through the first lane of one.
$ local function by_vectors(V, F, body)
const ${V.type} x = ${F.lanes == V.lanes and "v" or V.set1("v")};
$   local value = body(V, "x")
$   if F.lanes == V.lanes then
return ${value};
$   else
const ${V.type} y = ${value};
${V.ctype} t[${V.lanes}];
${V.put("t", 1, V.lanes, "y")}
return t[0];
$   end
$ end

$ local function activation(K)
$   local V, row = vec.new(K.V.isa, K.V.numbers, K.symbol, false), epilogue[K.activation.name]
$   if not has(row, "smooth") then return end
CONVSMITH_NOINLINE ${V.isa.attribute}
${K.F.type} ${K.symbol}_activate(${K.F.type} v)
{
$   if V.smooth then by_vectors(V, K.F, row.smooth) else by_lanes(vec.new(K.F.isa, V.numbers, K.symbol, false), row.scalar[V.numbers]) end
}
$ end

$ -- Where position i of a padded axis of n elements reads.
$ local folds = {
$   reflect = "i < 0 ? -i : i < n ? i : 2 * (n - 1) - i",
$   replicate = "i < 0 ? 0 : i < n ? i : n - 1",
$   circular = "i < 0 ? i + n : i < n ? i : i - n",
$ }
$ local function padding(K)
$   local mapped = false
$   for _, axis in ipairs(K.axes) do mapped = mapped or axis.mapped end
$   if has(K, "tall") then mapped = mapped or K.tall.mapped end
$   if not mapped then return end
CONVSMITH_INLINE ptrdiff_t ${K.symbol}_${K.padding_mode}(ptrdiff_t i, ptrdiff_t n)
{
return ${folds[K.padding_mode]};
}
$ end

$ return function(K)
$   strided(K)
$   activation(K)
$   padding(K)
$ end
