$ -- The reference's side of an emitted test for convolutions: its geometry and what each output should be.
$ local text = import("lib/constants.lua")
$ local constant, sizes = text.constant, text.sizes
$ local function geometry(name, layer)
static const struct cs_conv ${name} = {
${layer.rank}, ${constant(layer.dtype)},
${layer.batch}, ${layer.in_channels}, ${layer.out_channels}, ${layer.groups},
${sizes(layer.input)}, ${sizes(layer.output)}, ${sizes(layer.kernel)},
${sizes(layer.stride)}, ${sizes(layer.dilation)}, ${sizes(layer.pad)},
${sizes(layer.tile)}, ${layer.shuffle}, ${layer.pixel_shuffle}, ${constant(layer.pad_mode)}, ${layer.flip}, ${layer.transposed}, ${layer.skip_zero_weights}, ${constant(layer.activation)}, {${layer.act1}, ${layer.act2}}, 0, ${layer.terms}, {CS_STRICT, {0, 0, 0}}
};
$ end
$ local function define(layer, at, loose)
$   geometry("check_conv", layer)
static void check_expect(const ptrdiff_t *index, struct cs_expect *want) {
$   if has(layer, "grad_weights") then
cs_conv_grad_weights_expect(&check_conv, check_logical[${at.input}], check_logical[${at.grad_output}], index, want);
}
$     return
$   end
struct cs_conv_data data = {0, 0, 0, 0, 0};
$   if loose then
struct cs_conv conv = check_conv;
$   end
$   local fields = {{"input", "input"}, {"grad_output", "input"}, {"weights", "weights"}, {"bias", "bias"}, {"residual", "residual"}, {"slope", "slope"}}
$   for _, field in ipairs(fields) do
$     if at[field[1]] then
data.${field[2]} = check_logical[${at[field[1]]}];
$     end
$   end
$   if loose then
conv.promise = check_held()->promise;
cs_conv_expect(&conv, &data, index, want);
$   else
cs_conv_expect(&check_conv, &data, index, want);
$   end
}
$ end
$ return { define = define, geometry = geometry, sources = { "ref_conv.c" } }
