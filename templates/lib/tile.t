$ -- A register tile: rows × vectors accumulators, named scalars, started at bias and residual, stepped through taps and input channels,
$ -- finished by the activation, and stored once a chunk. K: the kernel (gen/direct.h has the words), V: operations of its type.
$ local K
$ local epilogue = import("lib/epilogue.lua")
$ local vec = import("lib/vec.lua")
$ local arguments = import("lib/arguments.lua")
$ local at = vec.at

$ -- What goes into outputs beside sums, and these.
$ local function outputs(kernel, prefix)
$   local T, list, before = kernel.V.ctype, {}, prefix or ""
$   if kernel.bias then list[#list + 1] = { "const " .. T .. " *", before .. "b" } end
$   if kernel.activation.name == "prelu" then list[#list + 1] = { "const " .. T .. " *", before .. "s" } end
$   if kernel.residual then list[#list + 1] = { "const " .. T .. " *", before .. "r" } end
$   list[#list + 1] = { T .. " *", before .. "y" }
$   return list
$ end

$ -- The arguments that tiles and blocks share.
$ local function pointers(kernel)
$   local T = kernel.V.ctype
$   return arguments.join({ { "const " .. T .. " *", "x" }, { "const " .. T .. " *", "w" } }, outputs(kernel))
$ end

$ -- What a row of outputs tells its tiles of each outer axis: how many taps are live, or where each reads.
$ local function trims(kernel)
$   local list = {}
$   for a, axis in ipairs(kernel.full and {} or kernel.axes) do
$     list[a] = axis.mapped and { "const ptrdiff_t *", "map" .. a } or { "ptrdiff_t", "taps" .. a }
$   end
$   return list
$ end

$ -- The number of the chunk of input channels, where there are several.
$ local function chunk(kernel)
$   return kernel.chunks > 1 and { { "ptrdiff_t", "chunk" } } or {}
$ end

$ -- What a tile is told beside its pointers.
$ local function counts(kernel)
$   return arguments.join(trims(kernel), chunk(kernel), kernel.ahead_w and { { "uintptr_t", "ahead" } } or {})
$ end

$ -- The arguments of a function of lib/placed.t, and its name for vectors of `live` channels.
$ local function placed(kernel)
$   return arguments.join({ { "const " .. kernel.V.ctype .. " *", "x0" } }, outputs(kernel, "placed_"), chunk(kernel))
$ end
$ local function placed_name(kernel, rows, live) return ("%s_place%dx%d"):format(kernel.symbol, rows, live) end

$ -- Does a tile leave its outputs to one?
$ local function leaves(tile) return has(tile, "places") and tile.places end

$ -- Live lanes of vector q. In patches all are alike: their vectors lie side by side as pixels do.
$ local function live_lanes(tile, q)
$   return (K.form == "patch" or q == tile.vectors - 1) and tile.last or K.F.lanes
$ end

$ -- Calls body(row, vector) for every accumulator.
$ local function each(tile, body)
$   for row = 0, tile.rows - 1 do for q = 0, tile.vectors - 1 do body(row, q, live_lanes(tile, q)) end end
$ end

$ -- Where an accumulator lies in y and in the residual.
$ local function place(pointer, row, q) return at(pointer, row * K.y_row + q * K.y_vector) end

$ local function bias(row, q, live)
$   if K.form == "pixels" then return K.V.broadcast(at("b", row * K.b_row)) end
$   return row == 0 and K.V.get(at("b", q * K.b_vector), 1, live) or "a0_" .. q
$ end

$ -- Sums begin at bias and residual; in a later chunk at what the ones before it left in y. Those that are placed later begin at 0.
$ local function start(tile)
$   if leaves(tile) then
$     each(tile, function(row, q)
${K.V.type} a${row}_${q} = ${K.V.zero()};
$     end)
$     return
$   end
$   local V, T = K.V, K.chunks > 1 and "" or K.V.type .. " "
$   if K.chunks > 1 then
$     each(tile, function(row, q, live)
${V.type} a${row}_${q};
$     end)
if (chunk == 0) {
$   end
$   each(tile, function(row, q, live)
${T}a${row}_${q} = ${K.bias and K.form ~= "dot" and bias(row, q, live) or V.zero()};
$   end)
$   each(tile, function(row, q, live)
$     if K.residual and K.form ~= "dot" then
a${row}_${q} = ${V.add(("a%d_%d"):format(row, q), V.get(place("r", row, q), K.y_lane, live))};
$     end
$   end)
$   each(tile, function(row, q, live)
$     if V.isa.pin and K.form ~= "dot" and K.y_lane ~= 1 and live < V.lanes then
CONVSMITH_PIN("${V.isa.pin}", a${row}_${q}); /* or gcc makes the partial load a whole one where lanes are stored one by one */
$     end
$   end)
$   if K.chunks > 1 then
} else {
$     each(tile, function(row, q, live)
a${row}_${q} = ${V.get(place("y", row, q), K.y_lane, live)};
$     end)
}
$   end
$ end

$ -- Are multiply-adds written in assembly that use the streaming operand so many times?
$ local function assembled(uses) return K.V.asm and (uses > 1 or not K.V.isa.folds) end

$ -- One operand of a step, kept in a register where intrinsics use it more than once (gcc would load it for each use). streamed: uses
$ -- of the streaming one, if it is another.
$ local function hold(name, value, uses, streamed)
${K.V.type} ${name} = ${value};
$   if uses > 1 and K.V.isa.pin and not assembled(streamed or uses) then
CONVSMITH_PIN("${K.V.isa.pin}", ${name});
$   end
$ end

$ -- Or compilers put it off, and the loads of all steps before it go to the stack.
$ local function done(acc)
$   if K.V.isa.barrier and K.V.isa.pin then
CONVSMITH_DONE("${K.V.isa.pin}", ${acc});
$   end
$ end

$ local function accumulate(acc, x, w, streamed)
$   if assembled(streamed) then
CONVSMITH_MAC("${K.V.asm}", "${K.V.isa.pin}", ${acc}, ${x}, ${w});
$   else
${acc} = ${K.V.mac(acc, x, w)};
$     done(acc)
$   end
$ end

$ -- The same in the lanes [from, to) alone.
$ local function accumulate_lanes(acc, x, w, from, to)
$   local asm = K.V.lanes_asm
$   if asm then
CONVSMITH_MAC_LANES("${asm.text}", "${K.V.isa.pin}", ${acc}, ${x}, ${w}, "${asm.constraint}", ${K.V.mask(from, to)});
$   else
${acc} = ${K.V.blend(acc, "(" .. K.V.mac(acc, x, w) .. ")", from, to)};
$     done(acc)
$   end
$ end

$ -- The operands of a step at pointers xp and wp with constant offsets: of row i (the i-th live one) and of vector q.
$ local operand = {
$   channels = {
$     row = function(V, tile, span, i, q, xp, wp, dx, dw) return V.broadcast(at(xp, span.x[i] + dx)) end,
$     vector = function(V, tile, span, q, live, xp, wp, dx, dw) return V.get(at(wp, dw + q * K.w_vector), 1, K.w_exact and live or V.lanes) end,
$   },
$   pixels = {
$     row = function(V, tile, span, i, q, xp, wp, dx, dw) return V.broadcast(at(wp, dw + (span.first + i - 1) * K.w_row)) end,
$     vector = function(V, tile, span, q, live, xp, wp, dx, dw) return V.get(at(xp, span.x[1] + dx + q * K.x_vector), K.x_lane, live) end,
$   },
$   depth = {
$     row = function(V, tile, span, i, q, xp, wp, dx, dw)
$       local live = q == tile.vectors - 1 and tile.last or V.lanes
$       return V.get(at(xp, span.x[i] + dx + q * K.x_vector), K.x_lane, live)
$     end,
$     vector = function(V, tile, span, q, live, xp, wp, dx, dw) return V.get(at(wp, dw + q * K.w_vector), 1, K.w_exact and live or V.lanes) end,
$   },
$   dot = {
$     row = function(V, tile, span, i, q, xp, wp, dx, dw, terms) return V.get(at(xp, span.x[i] + dx), 1, terms) end,
$     vector = function(V, tile, span, q, live, xp, wp, dx, dw, terms) return V.get(at(wp, dw + q * K.w_vector), 1, terms) end,
$   },
$ }

$ -- Multiply-adds that read one value of the operand that streams.
$ local function streamed_uses(tile, span)
$   return K.form == "depth" and 1 or tile.vectors < span.count and tile.vectors or span.count
$ end

$ local function vector_operand(O, tile, span, q, uses, xp, wp, dx, dw, terms)
$   local live = q == tile.vectors - 1 and tile.last or K.V.lanes
$   hold("v" .. q, O.vector(K.V, tile, span, q, live, xp, wp, dx, dw, terms), uses, streamed_uses(tile, span))
$ end

$ -- One k (dot: `terms` of them): every live row times every vector. The operand there are fewer of stays in registers; the other
$ -- streams.
$ local function step(tile, span, xp, wp, u, terms)
$   local V, O = K.V, operand[K.form]
$   local dx, dw = u * span.step_x, u * span.step_w
{
$   if V.isa.barrier then
CONVSMITH_BARRIER();
$   end
$   for q = 0, tile.x_panel > 0 and tile.vectors - 1 or -1 do
CONVSMITH_AHEAD((uintptr_t)(${at(xp, span.x[1] + dx + q * K.x_vector)}) + ${tile.x_panel}, 2);
$   end
$   local streamed = streamed_uses(tile, span)
$   local function mac(i, q)
$     local x, w = "u" .. i, "v" .. q
$     if K.form == "pixels" then x, w = w, x end
$     accumulate("a" .. span.first + i - 1 .. "_" .. q, x, w, streamed)
$   end
$   if K.form == "depth" then
$     for q = 0, tile.vectors - 1 do vector_operand(O, tile, span, q, span.count, xp, wp, dx, dw, terms) end
$     for i = 1, span.count do for q = 0, tile.vectors - 1 do
{
$       hold("u" .. i, O.row(V, tile, span, i, q, xp, wp, dx, dw), 1, streamed)
$       mac(i, q)
}
$     end end
$   elseif tile.vectors <= span.count then
$     for q = 0, tile.vectors - 1 do vector_operand(O, tile, span, q, span.count, xp, wp, dx, dw, terms) end
$     for i = 1, span.count do
{
$       hold("u" .. i, O.row(V, tile, span, i, 0, xp, wp, dx, dw, terms), tile.vectors, streamed)
$       for q = 0, tile.vectors - 1 do mac(i, q) end
}
$     end
$   else
$     for i = 1, span.count do hold("u" .. i, O.row(V, tile, span, i, 0, xp, wp, dx, dw, terms), tile.vectors, streamed) end
$     for q = 0, tile.vectors - 1 do
{
$       vector_operand(O, tile, span, q, span.count, xp, wp, dx, dw, terms)
$       for i = 1, span.count do mac(i, q) end
}
$     end
$   end
}
$ end

$ -- Lines that are needed later, a few a trip: the next weights into L2, input of tiles further on into L1.
$ local function fetch(tile)
$   for byte = 0, tile.w_ahead - 1, 64 do
CONVSMITH_AHEAD(ahead + ${byte}, 2);
$   end
$   if tile.w_ahead > 0 then
ahead += ${tile.w_ahead};
$   end
$   for byte = 0, tile.x_ahead - 1, 64 do
CONVSMITH_AHEAD(x_ahead + ${byte}, 3);
$   end
$   if tile.x_ahead > 0 then
x_ahead += ${tile.x_ahead};
$   end
$ end

$ -- The steps of one tap from pointers xp and wp.
$ local function steps(tile, span, xp, wp)
$   local function last(count, x, w)
$     for u = 0, count - 1 do step(tile, span, x, w, u, K.V.lanes) end
$     if span.part > 0 then step(tile, span, x, w, count, span.part) end
$   end
$   if span.trips <= 1 then
$     last(span.trips * span.unroll + span.rest, xp, wp)
$     return
$   end
const ${K.V.ctype} *xk = ${xp}, *wk = ${wp};
CONVSMITH_ROLLED
for (ptrdiff_t k = 0; k < ${span.trips}; k++) {
$   fetch(tile)
$   for u = 0, span.unroll - 1 do step(tile, span, "xk", "wk", u, K.V.lanes) end
xk += ${span.unroll * span.step_x};
wk += ${span.unroll * span.step_w};
}
$   last(span.rest, "xk", "wk")
$ end

$ -- A span from the pointers of its outer tap.
$ local function run(tile, span, xp, wp)
{
$   if span.loop == 1 then
$     steps(tile, span, xp, at(wp, span.w))
$   else
CONVSMITH_ROLLED
for (ptrdiff_t tap = 0; tap < ${span.loop}; tap++) {
const ${K.V.ctype} *xt = ${xp} + tap * ${span.loop_x}, *wt = ${at(wp, span.w)} + tap * ${span.loop_w};
$     steps(tile, span, "xt", "wt")
}
$   end
}
$ end

$ local function spans(tile, xp, wp)
$   for _, span in ipairs(tile.spans) do run(tile, span, xp, wp) end
$ end

$ -- Loops over the live taps of the outer axes, from axis a inwards, with `inner` in the innermost.
$ local function taps(tile, a, xp, wp, inner)
$   local axis = not K.full and a <= #K.axes and K.axes[a]
$   if not axis then return inner(tile, xp, wp) end
$   local x_tap = axis.mapped and ("map%d[k%d]"):format(a, a) or ("k%d * %d"):format(a, axis.dilation * axis.x)
CONVSMITH_ROLLED
for (ptrdiff_t k${a} = 0; k${a} < ${axis.mapped and axis.kernel or "taps" .. a}; k${a}++) {
const ${K.V.ctype} *x${a} = ${xp} + ${x_tap}, *w${a} = ${wp} + k${a} * ${tile.loop_w[a]};
$   taps(tile, a + 1, "x" .. a, "w" .. a, inner)
}
$ end

$ local function activate(acc, slope)
$   local row = epilogue[K.activation.name]
$   if row.vector then
${acc} = ${row.vector(K.F, acc, K.activation.a, K.activation.b, slope)};
$   elseif has(row, "smooth") then
${acc} = ${K.symbol}_activate(${acc});
$   end
$ end

$ -- Outputs as they are stored. A dot's are the lanes added up, with bias and residual.
$ local function result(row, q) return (K.form == "dot" and "s%d_%d" or "a%d_%d"):format(row, q) end

$ local function total(tile, row, q, apart)
$   local sum = row * tile.vectors + q < apart and ("sums[%d]"):format(row * tile.vectors + q) or K.V.sum(("a%d_%d"):format(row, q))
$   if K.bias then sum = K.F.add(sum, K.F.get(at("b", q * K.b_vector), 1, 1)) end
$   if K.residual then sum = K.F.add(sum, K.F.get(place("r", row, q), K.y_lane, 1)) end
${K.F.type} ${result(row, q)} = ${sum};
$ end

$ -- Four at a time where the ISA adds up several together.
$ local function totals(tile)
$   local accumulators = {}
$   each(tile, function(row, q) accumulators[#accumulators + 1] = ("a%d_%d"):format(row, q) end)
$   local apart = K.V.sums and #accumulators // 4 * 4 or 0
$   if apart > 0 then
${K.V.scalar} sums[${apart}];
$   end
$   for i = 0, apart - 1, 4 do
${K.V.sums("sums + " .. i, table.unpack(accumulators, i + 1, i + 4))}
$   end
$   each(tile, function(row, q) total(tile, row, q, apart) end)
$ end

$ local function place_all(tile)
$   for q = 0, tile.vectors - 1 do
{
${K.V.type} t[${tile.rows}];
$     for row = 0, tile.rows - 1 do
t[${row}] = a${row}_${q};
$     end
$     local values = { x0 = ("(const %s *)(const void *)t"):format(K.V.ctype), placed_r = at("r", q * K.y_vector), placed_y = at("y", q * K.y_vector) }
$     for _, name in ipairs({ "b", "s" }) do values["placed_" .. name] = at(name, q * K.b_vector) end
${placed_name(K, tile.rows, live_lanes(tile, q))}(${arguments.pass(placed(K), values)});
}
$   end
$ end

$ local function finish(tile)
$   if leaves(tile) then return place_all(tile) end
$   local V, last = K.F, K.chunks > 1 and K.activation.name ~= "none"
$   if K.form == "dot" then totals(tile) end
$   if last then
if (chunk == ${K.chunks - 1}) {
$   end
$   each(tile, function(row, q, live)
$     local slope = K.form == "pixels" and V.broadcast(at("s", row * K.b_row)) or V.get(at("s", q * K.b_vector), 1, live)
$     activate(result(row, q), slope)
$   end)
$   if last then
}
$   end
$   each(tile, function(row, q, live)
${V.put(place("y", row, q), K.y_lane, live, result(row, q))}
$   end)
$ end

$ local function define(kernel, tile, name)
$   K = kernel
$   local list = arguments.join(pointers(K), counts(K))
/* ${tile.rows} x ${tile.vectors} vectors, ${tile.last} lane${tile.last > 1 and "s" or ""} live in the last */
CONVSMITH_NOINLINE ${K.V.isa.attribute}
void ${name}(${arguments.declare(list)})
{
$   start(tile)
$   if #tile.spans == 0 then
(void)x, (void)w;
$     for _, count in ipairs(counts(K)) do
(void)${count[2]};
$     end
$   else
$     if K.ahead_w and tile.w_ahead == 0 then
(void)ahead;
$     end
$     if tile.x_ahead > 0 then
uintptr_t x_ahead = (uintptr_t)x + ${tile.x_from};
$     end
$     taps(tile, 1, "x", "w", spans)
$   end
$   finish(tile)
}

$ end

$ -- For other kinds of tiles: their kernel, and the parts that they share with these.
$ local function use(kernel) K = kernel end
$ return {
$   define = define, pointers = pointers, counts = counts, chunk = chunk, use = use, start = start, hold = hold, accumulate = accumulate,
$   accumulate_lanes = accumulate_lanes, taps = taps, activate = activate, finish = finish, outputs = outputs, placed = placed,
$   placed_name = placed_name, leaves = leaves,
$ }
