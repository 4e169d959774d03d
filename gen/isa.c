/* Reads templates/isa/NAME.lua: the few fields that the planner needs become a struct, the whole table stays in Lua for templates.
 * The probe is data (CPUID bits, an XCR0 mask, HWCAP bits): the same row makes the generated picker and answers here what this
 * machine runs. */
#include "isa.h"
#include "mem.h"
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

static int64_t field_int(lua_State *L, int table, const char *key, int64_t absent) {
  lua_getfield(L, table, key);
  const int64_t value = lua_isinteger(L, -1) ? lua_tointeger(L, -1) : absent;
  lua_pop(L, 1);
  return value;
}

static const char *field_text(lua_State *L, int table, const char *key) {
  lua_getfield(L, table, key);
  const char *value = lua_type(L, -1) == LUA_TSTRING ? mem_text("%s", lua_tostring(L, -1)) : "";
  lua_pop(L, 1);
  return value;
}

/* A list of strings, NULL at the end. */
static const char *const *field_texts(lua_State *L, int table, const char *key) {
  lua_getfield(L, table, key);
  const lua_Integer count = lua_istable(L, -1) ? luaL_len(L, -1) : 0;
  const char **texts = mem_array((size_t)count + 1, sizeof *texts);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, -1, i);
    texts[i - 1] = mem_text("%s", luaL_tolstring(L, -1, NULL));
    lua_pop(L, 2);
  }
  lua_pop(L, 1);
  return texts;
}

static int64_t item_int(lua_State *L, int table, int index) {
  lua_rawgeti(L, table, index);
  const int64_t value = lua_tointeger(L, -1);
  lua_pop(L, 1);
  return value;
}

/* One of {leaf, subleaf, register, bit}, on top of the stack. */
static bool cpuid_row(lua_State *L) {
  const int row = lua_gettop(L);
  lua_rawgeti(L, row, 3);
  const char *reg = lua_tostring(L, -1);
  const uint32_t leaf = (uint32_t)item_int(L, row, 1);
  const uint32_t value = cs_cpuid(leaf, (uint32_t)item_int(L, row, 2), reg ? reg[0] : 'a');
  lua_pop(L, 1);
  return value >> (item_int(L, row, 4) & 31) & 1;
}

static bool probe_cpuid(lua_State *L, int probe) {
  bool all = true;
  lua_getfield(L, probe, "cpuid");
  const lua_Integer count = lua_istable(L, -1) ? luaL_len(L, -1) : 0;
  for (lua_Integer i = 1; i <= count && all; i++) {
    lua_rawgeti(L, -1, i);
    all = lua_istable(L, -1) && cpuid_row(L);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return all;
}

static bool probe_auxv(lua_State *L, int probe) {
  bool all = true;
  lua_getfield(L, probe, "auxv");
  if (lua_istable(L, -1)) all = cs_auxval((unsigned long)item_int(L, -1, 1)) >> item_int(L, -1, 2) & 1;
  lua_pop(L, 1);
  return all;
}

static bool probe_permission(lua_State *L, int probe) {
  bool granted = true;
  lua_getfield(L, probe, "permission");
  if (lua_istable(L, -1)) granted = cs_permission(item_int(L, lua_gettop(L), 1), item_int(L, lua_gettop(L), 2));
  lua_pop(L, 1);
  return granted;
}

/* Does this program's architecture answer to the probe's? */
static bool arch_fits(const char *arch) {
  const bool x86 = strcmp(cs_arch(), "x86_64") == 0 || strcmp(cs_arch(), "i386") == 0;
  return strcmp(arch, "any") == 0 || (strcmp(arch, "x86") == 0 && x86) || strcmp(arch, cs_arch()) == 0;
}

/* The probe's row of the table on top of the stack. */
static bool runs_here(lua_State *L) {
  lua_getfield(L, -1, "probe");
  if (!lua_istable(L, -1)) {
    lua_pop(L, 1);
    return false;
  }
  const int probe = lua_gettop(L);
  const uint64_t mask = (uint64_t)field_int(L, probe, "xcr0", 0);
  const bool runs = arch_fits(field_text(L, probe, "arch")) && probe_cpuid(L, probe) && probe_auxv(L, probe) &&
                    (cs_xcr0() & mask) == mask && probe_permission(L, probe);
  lua_settop(L, probe - 1);
  return runs;
}

static int lanes_of(lua_State *L, enum cs_dtype dtype) {
  int lanes = 0;
  lua_getfield(L, -1, "vec");
  if (lua_istable(L, -1)) {
    lua_getfield(L, -1, dtype_name(dtype));
    if (lua_istable(L, -1)) lanes = (int)field_int(L, lua_gettop(L), "lanes", 0);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return lanes;
}

/* bf16 is loaded to vectors of f32: an ISA that has vectors of its own and inherits the loads of others lacks the type. */
static int lanes_of_bf16(lua_State *L) {
  const int lanes = lanes_of(L, CS_BF16);
  return lanes == lanes_of(L, CS_F32) ? lanes : 0;
}

static const char *registry_key(const char *name) {
  return mem_text("convsmith.isa.%s", name);
}

/* Has the ISA on top of the stack an operation on a type? */
static bool has_operation(lua_State *L, enum cs_dtype dtype, const char *name) {
  const int top = lua_gettop(L);
  lua_getfield(L, -1, "vec");
  lua_getfield(L, -1, dtype_name(dtype));
  const bool there = lua_istable(L, -1) && lua_getfield(L, -1, name) != LUA_TNIL && lua_toboolean(L, -1);
  lua_settop(L, top);
  return there;
}

/* Parts of a vector that are loaded from places of their own. */
static int pieces_of(lua_State *L, enum cs_dtype dtype) {
  const int top = lua_gettop(L);
  int pieces = 0;
  if (has_operation(L, dtype, "pieces")) {
    lua_getfield(L, -1, "vec");
    lua_getfield(L, -1, dtype_name(dtype));
    lua_getfield(L, -1, "pieces");
    pieces = (int)field_int(L, lua_gettop(L), "count", 0);
  }
  lua_settop(L, top);
  return pieces;
}

/* Takes the table on top of the stack and keeps it in the registry. */
static struct isa read_one(lua_State *L, const char *name) {
  const int table = lua_gettop(L);
  struct isa isa = {
      .name = name,
      .about = field_text(L, table, "about"),
      .rank = (int)field_int(L, table, "rank", 0),
      .registers = (int)field_int(L, table, "registers", 16),
      .mac_bytes = (int)field_int(L, table, "mac_bytes", 12),
      .macs_per_cycle = (int)field_int(L, table, "macs_per_cycle", 1),
      .lanes = {[CS_F32] = lanes_of(L, CS_F32), [CS_F64] = lanes_of(L, CS_F64), [CS_BF16] = lanes_of_bf16(L)},
      .permutes = has_operation(L, CS_F32, "permute"),
      .orders = {[CS_F32] = has_operation(L, CS_F32, "order"),
                 [CS_F64] = has_operation(L, CS_F64, "order"),
                 [CS_BF16] = has_operation(L, CS_F32, "order")},
      .evens = has_operation(L, CS_F32, "even"),
      .shuffles = has_operation(L, CS_F32, "shuffle"),
      .fetches = {[CS_F32] = has_operation(L, CS_F32, "fetch"), [CS_F64] = has_operation(L, CS_F64, "fetch")},
      .pieces = {[CS_F32] = pieces_of(L, CS_F32), [CS_F64] = pieces_of(L, CS_F64)},
      .tiles = has_operation(L, CS_F32, "planes"),
      .sums = has_operation(L, CS_F32, "sums"),
      .crossing = (int)field_int(L, table, "crossing", 1),
      .runs_here = runs_here(L),
      .limits = field_texts(L, table, "limits"),
      .within = field_texts(L, table, "within"),
      .flags = field_texts(L, table, "flags"),
  };
  lua_setfield(L, LUA_REGISTRYINDEX, registry_key(name));
  return isa;
}

static int by_rank(const void *a, const void *b) {
  const struct isa *left = a, *right = b;
  if (left->rank != right->rank) return left->rank < right->rank ? -1 : 1;
  return strcmp(left->name, right->name);
}

bool isa_read(struct engine *engine, struct isa_list *list) {
  lua_State *L = engine_lua(engine);
  const char *const *names = engine_list(engine, "isa", ".lua");
  size_t count = 0;
  while (names[count]) count++;
  struct isa *items = mem_array(count, sizeof *items);
  const char **sorted = mem_array(count + 1, sizeof *sorted);
  for (size_t i = 0; i < count; i++) {
    if (!engine_load(engine, mem_text("isa/%s.lua", names[i]))) return false;
    items[i] = read_one(L, names[i]);
  }
  qsort(items, count, sizeof *items, by_rank);
  for (size_t i = 0; i < count; i++) sorted[i] = items[i].name;
  *list = (struct isa_list){.items = items, .count = count, .names = sorted};
  return true;
}

const struct isa *isa_find(const struct isa_list *list, const char *name) {
  for (size_t i = 0; i < list->count; i++)
    if (strcmp(list->items[i].name, name) == 0) return &list->items[i];
  return NULL;
}

const struct isa *isa_native(const struct isa_list *list) {
  for (size_t i = list->count; i-- > 0;)
    if (list->items[i].runs_here) return &list->items[i];
  return NULL;
}

void isa_push(struct engine *engine, const struct isa *isa) {
  lua_getfield(engine_lua(engine), LUA_REGISTRYINDEX, registry_key(isa->name));
}
