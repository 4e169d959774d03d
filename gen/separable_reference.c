/* separable_conv on its way to the reference: two convolutions and their data. */
#include "conv.h"
#include "mem.h"
#include "separable.h"
#include <string.h>

static struct cs_separable reference(const struct layer *layer) {
  const struct layer first = separable_depthwise(layer), second = separable_pointwise(layer);
  return (struct cs_separable){conv_reference(&first), conv_reference(&second)};
}

static struct cs_separable_data reference_data(const struct tensor *list, size_t count, const void *const *data) {
  static const struct {
    const char *name;
    size_t field;
  } fields[] = {{"input", offsetof(struct cs_separable_data, input)},
                {"depthwise", offsetof(struct cs_separable_data, depthwise)},
                {"depthwise_bias", offsetof(struct cs_separable_data, depthwise_bias)},
                {"weights", offsetof(struct cs_separable_data, weights)},
                {"bias", offsetof(struct cs_separable_data, bias)},
                {"residual", offsetof(struct cs_separable_data, residual)},
                {"slope", offsetof(struct cs_separable_data, slope)}};
  struct cs_separable_data result = {0};
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    const int found = tensor_find(list, count, fields[i].name);
    if (found >= 0) memcpy((char *)&result + fields[i].field, &data[found], sizeof data[found]);
  }
  return result;
}

void separable_expect(const struct layer *layer, const struct cs_promise *promise, const void *const *data, const size_t *elements,
                      size_t count, struct cs_expect *results) {
  (void)promise;
  struct tensor list[MAX_TENSORS];
  const size_t total = layer->op->tensors(layer, list);
  const struct cs_separable separable = reference(layer);
  const struct cs_separable_data separable_data = reference_data(list, total, data);
  for (size_t i = 0; i < count; i++) {
    ptrdiff_t index[CS_MAX_RANK];
    tensor_index(&list[total - 1], elements[i], index);
    cs_separable_expect(&separable, &separable_data, index, &results[i]);
  }
}

void separable_push(lua_State *L, const struct layer *layer) {
  const struct cs_separable separable = reference(layer);
  lua_newtable(L);
  conv_push(L, &separable.depthwise);
  lua_setfield(L, -2, "depthwise");
  conv_push(L, &separable.pointwise);
  lua_setfield(L, -2, "pointwise");
}
