$ -- The reference's side of an emitted test for separable convolutions: the geometry of both halves and what each output should be.
$ local conv = import("lib/test_conv.t")
$ local function define(layer, at)
$   conv.geometry("check_depthwise", layer.depthwise)
$   conv.geometry("check_pointwise", layer.pointwise)
static void check_expect(const ptrdiff_t *index, struct cs_expect *want) {
struct cs_separable separable;
struct cs_separable_data data = {0, 0, 0, 0, 0, 0, 0};
separable.depthwise = check_depthwise;
separable.pointwise = check_pointwise;
$   for _, field in ipairs({ "input", "depthwise", "depthwise_bias", "weights", "bias", "residual", "slope" }) do
$     if at[field] then
data.${field} = check_logical[${at[field]}];
$     end
$   end
cs_separable_expect(&separable, &data, index, want);
}
$ end
$ return { define = define, sources = { "ref_conv.c", "ref_separable.c" } }
