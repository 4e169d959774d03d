$ -- Where a row of outputs begins: its place on each outer axis, its y, which taps of those axes are live; and the calls of its tiles.
$ -- K: the kernel.
$ local arguments = import("lib/arguments.lua")

$ -- The rows of the outermost axis where x and y begin, for kernels of which only some exist at a time.
$ local function origins(K)
$   local list = {}
$   if K.x_rows > 0 then list[#list + 1] = { "ptrdiff_t", "x0" } end
$   if K.y_rows > 0 then list[#list + 1] = { "ptrdiff_t", "y0" } end
$   return list
$ end

$ -- Output o of each outer axis for a row, and y (and residual) there.
$ local function outputs(K)
$   local y = { "y" }
$   for a, axis in ipairs(K.axes) do
const ptrdiff_t o${a} = row${axis.below > 1 and " / " .. axis.below or ""}${a > 1 and " % " .. axis.output or ""};
$     y[a + 1] = (a == 1 and K.y_rows > 0 and "(o1 - y0)" or "o" .. a) .. " * " .. axis.y
$   end
${K.V.ctype} *yr = ${table.concat(y, " + ")};
$   if K.residual then
const ${K.V.ctype} *rr = r + (yr - y);
$   end
$ end

$ -- Live taps [from, from + taps) of one outer axis for this row.
$ local function trim(a, axis)
const ptrdiff_t i${a} = o${a} * ${axis.stride} - ${axis.pad};
$   if axis.trimmed then
const ptrdiff_t from${a} = i${a} < 0 ? (${axis.dilation - 1} - i${a}) / ${axis.dilation} : 0;
const ptrdiff_t end${a} = i${a} > ${axis.input - 1} ? 0 : (${axis.input - 1} - i${a}) / ${axis.dilation} + 1;
const ptrdiff_t taps${a} = (end${a} < ${axis.kernel} ? end${a} : ${axis.kernel}) - from${a};
$   else
const ptrdiff_t taps${a} = ${axis.kernel};
$   end
$ end

$ -- Where each tap of one outer axis reads, for a padding mode.
$ local function map(K, a, axis)
ptrdiff_t map${a}[${axis.kernel}];
CONVSMITH_ROLLED
for (ptrdiff_t k = 0; k < ${axis.kernel}; k++)
map${a}[k] = ${K.symbol}_${K.padding_mode}(o${a} * ${axis.stride} - ${axis.pad} + k * ${axis.dilation}, ${axis.input}) * ${axis.x};
$ end

$ -- x and w of a row's first live taps; a row without one keeps the pointers where they are.
$ local function first_taps(K, loop_w)
$   local live, x, w = {}, {}, {}
$   for a, axis in ipairs(K.axes) do
$     if axis.mapped then map(K, a, axis) else
$       trim(a, axis)
$       if axis.trimmed then
$         live[#live + 1] = "taps" .. a .. " > 0"
$         w[#w + 1] = "from" .. a .. " * " .. loop_w[a]
$       end
$       local from = axis.trimmed and (" + from%d * %d"):format(a, axis.dilation) or ""
$       x[#x + 1] = ("(i%d%s%s) * %d"):format(a, from, a == 1 and K.x_rows > 0 and " - x0" or "", axis.x)
$     end
$   end
const ${K.V.ctype} *xr = x, *wr = w;
$   if #live > 0 then
if (${table.concat(live, " && ")}) {
$   end
$   if #x > 0 then
xr += ${table.concat(x, " + ")};
$   end
$   if #w > 0 then
wr += ${table.concat(w, " + ")};
$   end
$   if #live > 0 then
}
$   end
$ end

$ local function index(offset, count, step)
$   return count > 1 and step ~= 0 and ("%d + i * %d"):format(offset, step) or tostring(offset)
$ end

$ -- Calls of equal neighbouring tiles with the arguments of `list`, from pointers `from` and offset x. Where the row's tiles are the
$ -- units: only those in [r0, r1). from.before: a statement before each.
$ local function call(K, run, list, from, x)
$   local x_at, y_at = index(x + run.x, run.count, run.x_step), index(run.y, run.count, run.y_step)
$   local values = { x = from.x .. " + " .. x_at, w = from.w, y = from.y .. " + " .. y_at, r = from.r .. " + " .. y_at, ahead = from.ahead }
$   local one = K.symbol .. "_tile" .. run.tile .. "(" .. arguments.pass(list, values) .. ");"
$   if from.before then one = "{\n" .. from.before .. "\n" .. one .. "\n}" end
$   if K.by_tile and run.count == 1 then
if (r0 <= ${run.first} && ${run.first} < r1) ${one}
$   elseif K.by_tile then
for (ptrdiff_t i = r0 > ${run.first} ? r0 - ${run.first} : 0; i < ${run.count} && i < r1 - ${run.first}; i++) ${one}
$   elseif run.count == 1 then
${one}
$   else
CONVSMITH_ROLLED
for (ptrdiff_t i = 0; i < ${run.count}; i++) ${one}
$   end
$ end

$ return { origins = origins, outputs = outputs, first_taps = first_taps, index = index, call = call }
