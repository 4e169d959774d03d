$ -- Windows whose pixels are taken one by one, all channels of each, which is the order of memory: no line is fetched before its turn. What the
$ -- channels come to so far is kept in the outputs, which stay near.
$ local at = import("lib/vec.lua").at

$ -- All channels of the first pixel, then of the others. turns, over_taps: as pool.t has them.
$ local function sum(K, turns, over_taps, combine)
$   local V = K.V
$   local steps = { { "xk", K.x_lane }, { "to", K.y_lane } }
$   local function get(pointer, v) return V.get(at(pointer, v.offset), 1, v.live) end
$   local function put(v, value)
${V.put(at("to", v.offset), 1, v.live, value)}
$   end
{
const ${V.ctype} *xk = x;
${V.ctype} *to = y;
$   turns(function(vectors)
$     for _, v in ipairs(vectors) do put(v, get("xk", v)) end
$   end, steps)
}
$   over_taps(function()
${V.ctype} *to = y;
$     turns(function(vectors)
$       for _, v in ipairs(vectors) do
{
const ${V.type} sum = ${get("to", v)}, next = ${get("xk", v)};
$         put(v, combine("sum", "next"))
}
$       end
$     end, steps)
$   end)
$ end

$ -- Columns of vectors as the outputs have them by then.
$ local function reduced(K, vectors)
$   local V = K.V
$   for _, v in ipairs(vectors) do
const ${V.type} c${v.number}_0 = ${V.get(at("y", v.offset), 1, v.live)};
$   end
$ end

$ return { sum = sum, reduced = reduced }
