$ -- Small functions of a section, printed only where they are used.
$ local epilogue = import("lib/epilogue.lua")

$ local function strided(K)
$   local V = K.V
$   if V.lanes > 1 and (K.x_lane > 1 or ((layer.residual or K.chunks > 1) and K.y_lane ~= 1)) then
/* n elements, step apart, and zeros */
CONVSMITH_INLINE ${V.isa.attribute}
${V.type} ${K.symbol}_gather(const ${V.ctype} *p, ptrdiff_t step, ptrdiff_t n)
{
${V.ctype} t[${V.lanes}] = {0};
for (ptrdiff_t i = 0; i < n; i++) t[i] = p[i * step];
return ${V.get("t", 1, V.lanes)};
}
$   end
$   if V.lanes > 1 and K.y_lane ~= 1 then
CONVSMITH_INLINE ${V.isa.attribute}
void ${K.symbol}_scatter(${V.ctype} *p, ptrdiff_t step, ptrdiff_t n, ${V.type} v)
{
${V.ctype} t[${V.lanes}];
${V.put("t", 1, V.lanes, "v")}
for (ptrdiff_t i = 0; i < n; i++) p[i * step] = t[i];
}
$   end
$ end

$ local function activation(K)
$   local V, row = K.F, epilogue[layer.activation.name]
$   if not has(row, "scalar") then return end
CONVSMITH_NOINLINE ${K.V.isa.attribute}
${V.type} ${K.symbol}_activate(${V.type} v)
{
${V.ctype} t[${V.lanes}];
${V.put("t", 1, V.lanes, "v")}
for (int i = 0; i < ${V.lanes}; i++) {
const ${V.ctype} x = t[i];
t[i] = ${row.scalar[layer.dtype]};
}
return ${V.get("t", 1, V.lanes)};
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
