$ -- Lines of a tile: rows of its blocks that come in, and rows of outputs that go out. Where lanes lie side by side they do so as vectors,
$ -- else lane by lane. K: the kernel (gen/fft.h has the words).
$ local tiles = import("lib/tile.t")
$ local vec = import("lib/vec.lua")

$ -- Live outputs of the block that begins at output o of an axis.
$ local function live(axis, o)
$   local left = ("(%d - (%s))"):format(axis.output, o)
$   return ("(%s < 0 ? 0 : %s < %d ? %s : %d)"):format(left, left, axis.outputs, left, axis.outputs)
$ end

$ -- Where an element outside the input is found.
$ local function place(K, axis, i)
$   return axis.mapped and ("%s_%s(%s, %d)"):format(K.symbol, K.padding_mode, i, axis.input) or i
$ end

$ -- Point j of a line.
$ local function point(K, j)
$   local row = K.axes[2]
$   local gaps = row.gap > 0 and (" + %s / %d * %d"):format(j, row.second, row.gap) or ""
$   return ("line + %s * %d%s"):format(j, K.step, gaps)
$ end

$ -- Elements [column, column + width) of a row of the input, and zeros behind them. Is there one that lies in the input?
$ local function define_bring(K, W, lanes, name)
$   local tall, row = K.axes[1], K.axes[2]
$   local function put(j, value) return W.put(point(K, j), 1, lanes, value) end
static ${K.V.isa.attribute}
int ${name}_bring(const ${W.ctype} *x, ptrdiff_t i, ptrdiff_t column, ptrdiff_t width, ${W.ctype} *line)
{
$   if row.mapped or not row.trimmed then
const ptrdiff_t from = 0, to = width;
$   else
ptrdiff_t from = column < 0 ? -column : 0, to = width < ${row.input} - column ? width : ${row.input} - column;
$   end
$   local outside = tall.trimmed and not tall.mapped and ("i < 0 || i >= %d || "):format(tall.input) or ""
if (${outside}from >= to) {
CONVSMITH_ROLLED
for (ptrdiff_t j = 0; j < ${row.used}; j++) { ${put("j", W.zero())} }
return 0;
}
$   if tall.x ~= 0 then
x += ${place(K, tall, "i")} * ${tall.x};
$   else
(void)i;
$   end
$   if row.trimmed and not row.mapped then
CONVSMITH_ROLLED
for (ptrdiff_t j = 0; j < from; j++) { ${put("j", W.zero())} }
$   end
CONVSMITH_ROLLED
for (ptrdiff_t j = from; j < to; j++) { ${put("j", W.get("x + " .. place(K, row, "(column + j)") .. " * " .. row.x, 1, lanes))} }
CONVSMITH_ROLLED
for (ptrdiff_t j = to; j < ${row.used}; j++) { ${put("j", W.zero())} }
return 1;
}

$ end

$ -- What each block of a tile does: body(part, its first output o1, o2 on both axes).
$ local function each_block(K, body)
$   local tall, row = K.axes[1], K.axes[2]
$   for part = 0, tall.pair * row.pair - 1 do
$     local second = part == 1
$     body(part, second and tall.pair == 2 and "top + " .. tall.outputs or "top",
$       second and row.pair == 2 and "left + " .. row.outputs or "left")
$   end
$ end

$ -- Row i of both blocks of the tile whose outputs begin at top, left.
$ local function define_row(K, W, lanes, name)
$   local tall, row = K.axes[1], K.axes[2]
static ${K.V.isa.attribute}
int ${name}_row(const ${W.ctype} *x, ptrdiff_t i, ptrdiff_t top, ptrdiff_t left, ${W.ctype} *line)
{
int any = 0;
$   each_block(K, function(part, o1, o2)
{
const ptrdiff_t high = ${live(tall, o1)}, wide = ${live(row, o2)};
const ptrdiff_t width = high > 0 && wide > 0 && i < high + ${tall.kernel - 1} ? wide + ${row.kernel - 1} : 0;
any |= ${name}_bring(x, ${o1} + i - ${tall.pad}, ${o2} - ${row.pad}, width, line + ${part * K.V.lanes});
}
$   end)
$   if tall.pair * row.pair == 1 then
(void)${name}_bring(x, 0, 0, 0, line + ${K.V.lanes});
$   end
return any;
}

$ end

$ local function bring(K, W, lanes, name)
$   define_bring(K, W, lanes, name)
$   define_row(K, W, lanes, name)
$ end

$ local function pointer_list(K)
$   local list = { "const " .. K.V.ctype .. " *line" }
$   if K.bias then list[#list + 1] = "const " .. K.V.ctype .. " *b" end
$   if K.activation.name == "prelu" then list[#list + 1] = "const " .. K.V.ctype .. " *s" end
$   return list
$ end

$ -- Bias or slope of the lanes.
$ local function parameter(K, pointer, lanes)
$   return K.over_groups and K.V.get(pointer, 1, lanes) or K.V.broadcast(pointer)
$ end

$ local function finish(K, lanes)
$   if K.bias then
a = ${K.V.add("a", parameter(K, "b", lanes))};
$   end
$ end

$ -- Row i of outputs of both blocks: body() prints what becomes of part line[j] and y[j], j < wide.
$ local function rows_out(K, body)
$   local tall, row = K.axes[1], K.axes[2]
$   each_block(K, function(part, o1, o2)
if (i < ${live(tall, o1)}) {
const ptrdiff_t wide = ${live(row, o2)}, at = (${o1} + i) * ${tall.y} + (${o2}) * ${row.y};
CONVSMITH_ROLLED
for (ptrdiff_t j = 0; j < wide; j++) {
$     body(point(K, "j") .. " + " .. part * K.V.lanes, "at + j * " .. row.y)
}
}
$   end)
$ end

$ local function arguments_out(K)
$   local list = pointer_list(K)
$   if K.residual then list[#list + 1] = "const " .. K.V.ctype .. " *r" end
$   list[#list + 1] = K.V.ctype .. " *y"
$   for _, name in ipairs({ "i", "top", "left" }) do list[#list + 1] = "ptrdiff_t " .. name end
$   return table.concat(list, ", ")
$ end

$ -- Vectors of outputs, finished and stored.
$ local function put(K, lanes, name)
$   local V = K.V
$   tiles.use(K)
static ${V.isa.attribute}
void ${name}_put(${arguments_out(K)})
{
$   rows_out(K, function(line, y)
${V.type} a = ${V.get(line, 1, V.lanes)};
$     finish(K, lanes)
$     if K.residual then
a = ${V.add("a", V.get("r + " .. y, 1, lanes))};
$     end
$     tiles.activate("a", parameter(K, "s", lanes))
${V.put("y + " .. y, 1, lanes, "a")}
$   end)
}

$ end

$ -- A line of outputs, finished before its lanes go each to its own place.
$ local function finish_line(K, lanes, name)
$   local V = K.V
$   tiles.use(K)
static ${V.isa.attribute}
void ${name}_finish(${table.concat(pointer_list(K), ", "):gsub("^const ", "")})
{
CONVSMITH_ROLLED
for (ptrdiff_t j = 0; j < ${K.axes[2].outputs}; j++) {
$   each_block(K, function(part)
{
${V.ctype} *p = ${point(K, "j")} + ${part * V.lanes};
${V.type} a = ${V.get("p", 1, V.lanes)};
$     finish(K, lanes)
$     tiles.activate("a", parameter(K, "s", lanes))
${V.put("p", 1, V.lanes, "a")}
}
$   end)
}
}

$ end

$ -- One lane of a line of outputs: what is added to it, and how it goes out.
$ local function lane(K, name)
$   local T = K.V.ctype
$   if K.residual then
static ${K.V.isa.attribute}
void ${name}_add(${T} *line, const ${T} *r, ptrdiff_t i, ptrdiff_t top, ptrdiff_t left)
{
$     rows_out(K, function(line, y)
*(${line}) += r[${y}];
$     end)
}

$   end
static ${K.V.isa.attribute}
void ${name}_give(const ${T} *line, ${T} *y, ptrdiff_t i, ptrdiff_t top, ptrdiff_t left)
{
$   rows_out(K, function(line, y)
y[${y}] = *(${line});
$   end)
}

$ end

$ return { bring = bring, put = put, finish_line = finish_line, lane = lane }
