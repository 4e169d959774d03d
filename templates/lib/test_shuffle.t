$ -- The reference's side of an emitted test for permutations.
$ local function define(layer, at)
$   local sizes = {}
$   for d, size in ipairs(layer.input) do sizes[d] = size end
static const struct cs_shuffle check_shuffle = {
${layer.rank}, CS_${layer.dtype:upper()}, CS_${layer.kind:upper()}, CS_${layer.order:upper()},
${layer.in_channels}, ${layer.out_channels}, {${table.concat(sizes, ", ")}}, ${layer.factor}, ${layer.groups}
};
static void check_expect(const ptrdiff_t *index, struct cs_expect *want) {
cs_shuffle_expect(&check_shuffle, check_logical[${at.input}], index, want);
}
$ end
$ return { define = define, sources = { "ref_shuffle.c" } }
