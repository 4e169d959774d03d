$ -- NAME_pack: copies between affine boxes, from canonical order to the order that kernels stream.
$ local arguments = import("lib/arguments.lua")

$ local function index(start, loops, key, first)
$   local terms = { tostring(start) }
$   for i, loop in ipairs(loops) do
$     if i >= first and loop[key] ~= 0 then terms[#terms + 1] = "i" .. i .. " * " .. loop[key] end
$   end
$   return table.concat(terms, " + ")
$ end

$ -- Where the element that loops stand at comes from.
$ local function source(box, first)
$   local last = #box.loops
$   local turn = box.turn > 0 and (" + (i%d + i%d) %% %d * %d"):format(last - 1, last, box.loops[last].count, box.turn) or ""
$   return index(box.src, box.loops, "src", first) .. turn
$ end

$ -- transform(box, to, from), for weights: prints what is done in place of the copies of the outermost loop.
$ local function copy(box, base, names, transform)
$   local first = transform and box.from == "weights" and 2 or 1
{
$   for i, loop in ipairs(box.loops) do
$     if i >= first then
CONVSMITH_ROLLED
for (ptrdiff_t i${i} = 0; i${i} < ${loop.count}; i${i}++)
$     end
$   end
$   local to, from = index(base + box.dst, box.loops, "dst", first), source(box, first)
$   if first == 2 then transform(box, "p + " .. to, names.weights .. " + " .. from) else
p[${to}] = ${box.from and names[box.from] .. "[" .. from .. "]" or "0"};
$   end
}
$ end

$ local function copies(kernels, transform, more)
{
${kernels[1].V.ctype} *p = (${kernels[1].V.ctype} *)packed;
$   for _, K in ipairs(kernels) do
$     for _, box in ipairs(K.shared and {} or K.boxes) do copy(box, K.base, K.names, transform) end
$   end
$   if more then more() end
}

$ end

$ -- kernels: with base, the first element of each in the packed buffer. Weights that are an input are packed by each call.
$ -- more: prints what else NAME_pack does; or nil, false.
$ return function(kernels, symbol, transform, more)
$   if kernels[1].gathered then
static void ${symbol}_repack(const ${kernels[1].V.ctype} *weights, void *packed)
$     copies(kernels, transform)
$   elseif layer.packed then
void ${symbol}_pack(${arguments.declare(arguments.pack_list(layer))})
$     copies(kernels, transform, more)
$   end
$ end
