$ -- The reference's side of an emitted test for convolutions: its geometry and what each output should be.
$ local function constant(name) return ("CS_" .. name):upper() end
$ local function sizes(values)
$   local text = {}
$   for i, value in ipairs(values) do text[i] = value end
$   return "{" .. table.concat(text, ", ") .. "}"
$ end
$ local function define(layer, at)
$   local flip, skip, transposed = layer.flip and 1 or 0, layer.baked_weights and 1 or 0, layer.transposed and 1 or 0
static const struct cs_conv check_conv = {
${layer.rank}, ${constant(layer.dtype)},
${layer.batch}, ${layer.in_channels}, ${layer.out_channels}, ${layer.groups},
${sizes(layer.input)}, ${sizes(layer.output)}, ${sizes(layer.kernel)},
${sizes(layer.stride)}, ${sizes(layer.dilation)}, ${sizes(layer.pad)},
${constant(layer.pad_mode)}, ${flip}, ${transposed}, ${skip}, ${constant(layer.activation)}, {${layer.act1}, ${layer.act2}}, 0
};
static void check_expect(const ptrdiff_t *index, struct cs_expect *want) {
struct cs_conv_data data = {0, 0, 0, 0, 0};
$   for _, name in ipairs({"input", "weights", "bias", "residual", "slope"}) do
$     if at[name] then
data.${name} = check_logical[${at[name]}];
$     end
$   end
cs_conv_expect(&check_conv, &data, index, want);
}
$ end
$ return { define = define }
