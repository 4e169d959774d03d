$ -- The reference's side of an emitted test for permutations.
$ local text = import("lib/constants.lua")
$ local constant, sizes = text.constant, text.sizes
$ local function define(layer, at)
static const struct cs_shuffle check_shuffle = {
${layer.rank}, ${constant(layer.dtype)}, ${constant(layer.kind)}, ${constant(layer.order)},
${layer.in_channels}, ${layer.out_channels}, ${sizes(layer.input)}, ${layer.factor}, ${layer.groups}
};
static void check_expect(const ptrdiff_t *index, struct cs_expect *want) {
cs_shuffle_expect(&check_shuffle, check_logical[${at.input}], index, want);
}
$ end
$ return { define = define, sources = { "ref_shuffle.c" } }
