$ -- The reference's side of an emitted test for pools.
$ local text = import("lib/constants.lua")
$ local constant, sizes = text.constant, text.sizes
$ local function define(layer, at)
static const struct cs_pool check_pool = {
${layer.rank}, ${constant(layer.dtype)}, ${layer.mean},
${layer.batch}, ${layer.in_channels}, ${layer.out_channels}, ${layer.run},
${sizes(layer.input)}, ${sizes(layer.output)}, ${sizes(layer.kernel)},
${sizes(layer.stride)}, ${sizes(layer.dilation)}, ${sizes(layer.pad)}, ${sizes(layer.pad_after)},
${layer.adaptive}, ${layer.count_padding}, ${constant(layer.activation)}, {${layer.act1}, ${layer.act2}}
};
static void check_expect(const ptrdiff_t *index, struct cs_expect *want) {
struct cs_pool_data data = {0, 0, 0};
$   for _, field in ipairs({"input", "residual", "slope"}) do
$     if at[field] then
data.${field} = check_logical[${at[field]}];
$     end
$   end
cs_pool_expect(&check_pool, &data, index, want);
}
$ end
$ return { define = define, sources = { "ref_pool.c" } }
