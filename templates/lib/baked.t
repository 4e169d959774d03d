$ -- Baked values: exact bits, written once for all targets of the file.
$ local words = import("lib/words.t")
$ local function values(name, bytes)
$   local row = words.rows[layer.dtype]
$   local count = #bytes // row.width
static const union {
${row.type} bits[${count}];
${layer.dtype == "f32" and "float" or "double"} values[${count}];
} ${layer.name}_baked_${name} = {{
$   words.list(row, bytes)
}};

$ end
$ if layer.baked_weights then values("weights", layer.baked_weights) end
$ if layer.baked_bias then values("bias", layer.baked_bias) end
