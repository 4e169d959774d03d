/* An array is named after the layer, or after the target where it differs from the first one's. */
#include "baked_arrays.h"
#include "mem.h"
#include "signature.h"
#include <string.h>

struct values {
  const void *data;
  size_t bytes;
};

/* What arrays hold. */
static const char *const kinds[] = {"weights", "bias", "planes"};
enum { KINDS = sizeof kinds / sizeof *kinds };

static struct values values_of(const struct baked_values *all, int kind) {
  const struct values values[KINDS] = {
      {all->weights, all->weight_bytes}, {all->bias, all->bias_bytes}, {all->planes, all->plane_bytes}};
  return values[kind];
}

/* The first target that has the values of `target`. */
static size_t owner_of(const struct baked_values *all, size_t target, int kind) {
  const struct values own = values_of(&all[target], kind);
  for (size_t i = 0; i < target; i++) {
    const struct values other = values_of(&all[i], kind);
    if (other.data && other.bytes == own.bytes && memcmp(other.data, own.data, own.bytes) == 0) return i;
  }
  return target;
}

const struct baked_values *baked_arrays_of(const struct layer *layer, const struct plan *const *plans, size_t count) {
  struct baked_values *all = mem_array(count, sizeof *all);
  for (size_t i = 0; i < count; i++)
    if (plans[i]->algorithm->bake) all[i] = plans[i]->algorithm->bake(plans[i], layer);
  return all;
}

static void push_values(lua_State *L, const struct baked_values *all, const struct plan *const *plans, size_t target,
                        const char *name, int kind) {
  const struct values values = values_of(&all[target], kind);
  if (!values.data) {
    set_bool(L, kinds[kind], false);
    return;
  }
  const size_t owner = owner_of(all, target, kind);
  lua_createtable(L, 0, 2);
  set_text(L, "symbol",
           owner ? mem_text("%s_%s_baked_%s", name, plans[owner]->isa->name, kinds[kind])
                 : mem_text("%s_baked_%s", name, kinds[kind]));
  if (owner == target)
    lua_pushlstring(L, values.data, values.bytes);
  else
    lua_pushboolean(L, false);
  lua_setfield(L, -2, "values");
  lua_setfield(L, -2, kinds[kind]);
}

void baked_arrays_push(lua_State *L, const struct baked_values *all, const struct plan *const *plans, size_t target,
                       const char *name) {
  lua_createtable(L, 0, KINDS);
  for (int kind = 0; kind < KINDS; kind++) push_values(L, all, plans, target, name, kind);
  lua_setfield(L, -2, "baked");
}
