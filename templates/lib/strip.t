$ -- Brings the inputs of a strip together: each channel's pixels side by side, channel by channel. K: the kernel (gen/direct_strip.c).
$ local vec = import("lib/vec.lua")
$ local at = vec.at

$ local function move(V, strip, from, to, live)
${V.put(to, 1, live, V.get(from, strip.lane, live))}
$ end

$ local function pixels(V, strip)
$   if strip.vectors > 0 then
CONVSMITH_ROLLED
for (ptrdiff_t vector = 0; vector < ${strip.vectors}; vector++) {
$     move(V, strip, ("xr + vector * %d"):format(strip.lane * V.lanes), "strip", V.lanes)
strip += ${V.lanes};
}
$   end
$   if strip.last > 0 then
$     move(V, strip, at("xr", strip.vectors * V.lanes * strip.lane), "strip", strip.last)
strip += ${strip.last};
$   end
$ end

$ local function define(K)
$   local V, strip = K.V, K.strip
/* ${strip.rows} row${strip.rows > 1 and "s" or ""} of every channel */
CONVSMITH_NOINLINE ${V.isa.attribute}
void ${K.symbol}_bring(const ${V.ctype} *x, ${V.ctype} *strip)
{
CONVSMITH_ROLLED
for (ptrdiff_t channel = 0; channel < ${strip.channels}; channel++) {
$   if strip.rows > 1 then
CONVSMITH_ROLLED
for (ptrdiff_t row = 0; row < ${strip.rows}; row++) {
const ${V.ctype} *xr = x + channel * ${strip.channel} + row * ${strip.row};
$     pixels(V, strip)
}
$   else
const ${V.ctype} *xr = x + channel * ${strip.channel};
$     pixels(V, strip)
$   end
}
}

$ end

$ -- Units of one strip are neighbours: the first of them, and the first of a share, bring it.
$ local function call(K)
$   local inside, x = K.channel_blocks * (K.by_tile and K.rows or 1), "x"
$   if not K.by_tile then x = ("x + row * %d"):format(K.strip.rows * K.strip.row) end
$   if K.units[1].count > 1 then x = ("%s + image * %d"):format(x, K.strip.image) end
$   if inside > 1 then
if (u == first || u % ${inside} == 0)
$   end
${K.symbol}_bring(${x}, strip);
$ end

$ return { define = define, call = call }
