$ -- Baked values: exact bits, written once for all targets of the file.
$ local function values(name, bytes)
$   local f32 = layer.dtype == "f32"
$   local width, word, per_line = f32 and 4 or 8, f32 and "0x%08xu" or "UINT64_C(0x%016x)", f32 and 8 or 4
$   local count = #bytes // width
static const union {
uint${width * 8}_t bits[${count}];
${f32 and "float" or "double"} values[${count}];
} ${layer.name}_baked_${name} = {{
$   for first = 1, count, per_line do
$     local words = {}
$     for i = first, math.min(first + per_line - 1, count) do
$       words[#words + 1] = word:format((string.unpack(f32 and "=I4" or "=I8", bytes, (i - 1) * width + 1)))
$     end
${table.concat(words, ", ")},
$   end
}};

$ end
$ if layer.baked_weights then values("weights", layer.baked_weights) end
$ if layer.baked_bias then values("bias", layer.baked_bias) end
