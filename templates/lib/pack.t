$ -- NAME_pack: copies between affine boxes, from canonical order to the order that kernels stream.
$ local arguments = import("lib/arguments.lua")

$ local function index(start, loops, key)
$   local terms = { tostring(start) }
$   for i, loop in ipairs(loops) do
$     if loop[key] ~= 0 then terms[#terms + 1] = "i" .. i .. " * " .. loop[key] end
$   end
$   return table.concat(terms, " + ")
$ end

$ local function copy(box, base, names)
{
$   for i, loop in ipairs(box.loops) do
CONVSMITH_ROLLED
for (ptrdiff_t i${i} = 0; i${i} < ${loop.count}; i${i}++)
$   end
p[${index(base + box.dst, box.loops, "dst")}] = ${box.from and names[box.from] .. "[" .. index(box.src, box.loops, "src") .. "]" or "0"};
}
$ end

$ local function copies(kernels)
{
${kernels[1].V.ctype} *p = (${kernels[1].V.ctype} *)packed;
$   for _, K in ipairs(kernels) do
$     for _, box in ipairs(K.shared and {} or K.boxes) do copy(box, K.base, K.names) end
$   end
}

$ end

$ -- kernels: with base, the first element of each in the packed buffer. Weights that are an input are packed by each call.
$ return function(kernels, symbol)
$   if kernels[1].gathered then
static void ${symbol}_repack(const ${kernels[1].V.ctype} *weights, void *packed)
$     copies(kernels)
$   elseif layer.packed then
void ${symbol}_pack(${arguments.declare(arguments.pack_list(layer))})
$     copies(kernels)
$   end
$ end
