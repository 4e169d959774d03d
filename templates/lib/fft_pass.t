$ -- Passes of transforms: loops over short transforms in straight lines. K: the kernel (gen/fft.h has the words).
$ local butterfly = import("lib/butterfly.lua")
$ local vec = import("lib/vec.lua")
$ local at = vec.at

$ local function literal(V, value) return V.number(("%.17g"):format(value):gsub("^(-?%d+)$", "%1.0")) end

$ -- Twiddles between the passes of an axis: cosine and sine of j·k/points of a turn for the second pass' place j and the first's
$ -- result k.
$ local function twiddles(K, axis, name)
static const ${K.V.ctype} ${name}[${2 * axis.points}] = {
$   for j = 0, axis.second - 1 do
$     local row = {}
$     for k = 0, axis.first - 1 do
$       local cos, sin = butterfly.root(K.cosines, j * k, axis.points)
$       row[k + 1] = literal(K.V, cos) .. ", " .. literal(K.V, sin)
$     end
${table.concat(row, ", ")},
$   end
};

$ end

$ -- Real and imaginary part, exchanged on the way back.
$ local function parts(V, back) return back and V.lanes or 0, back and 0 or V.lanes end

$ local function define(K, pass, name, back, table_name)
$   local V = K.V
$   local re, im = parts(V, back)
CONVSMITH_NOINLINE ${V.isa.attribute}
void ${name}(const ${V.ctype} *from, ${V.ctype} *to)
{
$   if pass.twiddled then
const ${V.ctype} *t = ${table_name};
$   end
$   if pass.count > 1 then
CONVSMITH_ROLLED
for (ptrdiff_t i = 0; i < ${pass.count}; i++) {
$   end
$   butterfly.print(V, K.cosines, pass.points, pass.live, pass.kept, function(k, part)
$     return V.get(at("from", k * pass.from_step + (part == "re" and re or im)), 1, V.lanes)
$   end, function(k, real, imaginary)
$     local to = k * pass.to_step
$     if pass.twiddled then
{
const ${V.type} c = ${V.broadcast(at("t", 2 * k * pass.twiddle_step))}, s = ${V.broadcast(at("t", 2 * k * pass.twiddle_step + 1))};
${V.put(at("to", to + re), 1, V.lanes, V.mac("(" .. V.mul(real, "c") .. ")", imaginary, "s"))}
${V.put(at("to", to + im), 1, V.lanes, V.minus("(" .. V.mul(imaginary, "c") .. ")", real, "s"))}
}
$     else
${V.put(at("to", to + re), 1, V.lanes, real)}
${V.put(at("to", to + im), 1, V.lanes, imaginary)}
$     end
$   end)
$   if pass.count > 1 then
from += ${pass.from_next};
to += ${pass.to_next};
$     if pass.twiddled then
t += ${2 * pass.twiddle_next};
$     end
}
$   end
}

$ end

$ -- The passes of an axis there and back: name_forward1, ...
$ local function axis(K, axis, name)
$   local table_name = name .. "_twiddles"
$   if #axis.forward > 1 then twiddles(K, axis, table_name) end
$   for i, pass in ipairs(axis.forward) do define(K, pass, name .. "_forward" .. i, false, table_name) end
$   for i, pass in ipairs(axis.inverse) do define(K, pass, name .. "_inverse" .. i, true, table_name) end
$ end

$ -- Calls of an axis' passes from `from` through `work` to `to`.
$ local function call(passes, name, from, work, to)
$   for i = 1, #passes do
${name}${i}(${i == 1 and from or work}, ${i == #passes and to or work});
$   end
$ end

$ return { axis = axis, call = call, literal = literal }
