/* The merging of vectors. A group is a list of values with what their lanes hold; merging two makes as few values as hold what
 * both have, in the order of the wanted lanes. The last group is the result. */
#include "network.h"
#include "direct.h"
#include "mem.h"
#include "signature.h"
#include <stdbool.h>

/* Values, and for each lane of the sources the place where it lies among their lanes, or -1. */
struct group {
  int64_t *values, *places;
  int64_t count;
};

static struct group group_new(const struct network *network, int64_t count) {
  const int64_t lanes = network->sources * network->lanes;
  struct group group = {mem_array((size_t)count, sizeof(int64_t)), mem_array((size_t)lanes, sizeof(int64_t)), count};
  for (int64_t i = 0; i < lanes; i++) group.places[i] = -1;
  return group;
}

/* The place of a wanted lane, or -1. */
static int64_t place_in(const struct group *group, int64_t wanted) {
  return wanted < 0 ? -1 : group->places[wanted];
}

int64_t network_append(struct network *network, int64_t a, int64_t b, const int64_t *lanes) {
  struct network_step step = {a, b, mem_array((size_t)network->lanes, sizeof(int64_t))};
  for (int64_t i = 0; i < network->lanes; i++) step.lanes[i] = lanes[i];
  network->steps = mem_grow(network->steps, (size_t)network->step_count, sizeof step);
  network->steps[network->step_count] = step;
  return network->sources + network->step_count++;
}

/* Do all wanted lanes already stand where they should in value number i of the group? */
static bool is_there(const struct group *group, int64_t i, const int64_t *wanted, int64_t lanes) {
  for (int64_t lane = 0; lane < lanes; lane++)
    if (wanted[lane] >= 0 && place_in(group, wanted[lane]) != i * lanes + lane) return false;
  return true;
}

/* The first value of the group from number `from` on that holds a wanted lane, or -1. */
static int64_t next_holder(const struct group *group, int64_t from, const int64_t *wanted, int64_t lanes) {
  int64_t first = -1;
  for (int64_t lane = 0; lane < lanes; lane++) {
    const int64_t place = place_in(group, wanted[lane]), holder = place < 0 ? -1 : place / lanes;
    if (holder >= from && (first < 0 || holder < first)) first = holder;
  }
  return first;
}

/* What a shuffle of two values takes into each lane: of `second`, a value of the group, what is wanted and lies there; of the
 * first, a value of the group too (first >= 0), the same, else the lane itself. */
static void choose_lanes(const struct group *group, int64_t first, int64_t second, const int64_t *wanted, int64_t lanes,
                         int64_t *chosen) {
  for (int64_t lane = 0; lane < lanes; lane++) {
    const int64_t place = place_in(group, wanted[lane]);
    chosen[lane] = lane;
    if (place >= 0 && place / lanes == first) chosen[lane] = place % lanes;
    if (place >= 0 && place / lanes == second) chosen[lane] = place % lanes + (second == first ? 0 : lanes);
  }
}

/* A value with the wanted lanes in their places, made of as many shuffles as it needs. */
static int64_t collect(struct network *network, const struct group *group, const int64_t *wanted) {
  const int64_t lanes = network->lanes;
  int64_t *chosen = mem_array((size_t)lanes, sizeof *chosen);
  const int64_t first = next_holder(group, 0, wanted, lanes);
  if (first < 0) return group->values[0];
  if (is_there(group, first, wanted, lanes)) return group->values[first];
  int64_t second = next_holder(group, first + 1, wanted, lanes);
  choose_lanes(group, first, second < 0 ? first : second, wanted, lanes, chosen);
  int64_t value = network_append(network, group->values[first], group->values[second < 0 ? first : second], chosen);
  while (second >= 0 && (second = next_holder(group, second + 1, wanted, lanes)) >= 0) {
    choose_lanes(group, -1, second, wanted, lanes, chosen);
    value = network_append(network, value, group->values[second], chosen);
  }
  return value;
}

static struct group join(const struct network *network, const struct group *a, const struct group *b) {
  struct group both = group_new(network, a->count + b->count);
  for (int64_t i = 0; i < both.count; i++) both.values[i] = i < a->count ? a->values[i] : b->values[i - a->count];
  for (int64_t i = 0; i < network->sources * network->lanes; i++)
    both.places[i] = a->places[i] >= 0 ? a->places[i] : b->places[i] >= 0 ? b->places[i] + a->count * network->lanes : -1;
  return both;
}

/* What both groups hold and anything wants, each once, in the order of the wanted lanes. */
static struct group merge(struct network *network, const struct group *a, const struct group *b, const int64_t *wanted,
                          int64_t targets) {
  const int64_t lanes = network->lanes;
  const struct group both = join(network, a, b);
  struct group merged = group_new(network, both.count);
  int64_t *holds = mem_array((size_t)(both.count * lanes), sizeof *holds), held = 0;
  for (int64_t i = 0; i < targets * lanes; i++)
    if (place_in(&both, wanted[i]) >= 0 && place_in(&merged, wanted[i]) < 0) {
      holds[held] = wanted[i];
      merged.places[wanted[i]] = held++;
    }
  merged.count = (held + lanes - 1) / lanes;
  while (held % lanes) holds[held++] = -1;
  for (int64_t i = 0; i < merged.count; i++) merged.values[i] = collect(network, &both, holds + i * lanes);
  return merged;
}

static struct group *sources_of(const struct network *network) {
  struct group *groups = mem_array((size_t)network->sources, sizeof *groups);
  for (int64_t i = 0; i < network->sources; i++) {
    groups[i] = group_new(network, 1);
    groups[i].values[0] = i;
    for (int64_t lane = 0; lane < network->lanes; lane++) groups[i].places[i * network->lanes + lane] = lane;
  }
  return groups;
}

/* All sources as one group. */
static struct group join_all(const struct network *network) {
  const struct group *sources = sources_of(network);
  struct group all = sources[0];
  for (int64_t i = 1; i < network->sources; i++) all = join(network, &all, &sources[i]);
  return all;
}

static void collect_all(struct network *network, const struct group *group, const int64_t *wanted, int64_t targets) {
  network->results = mem_array((size_t)targets, sizeof(int64_t));
  for (int64_t i = 0; i < targets; i++) network->results[i] = collect(network, group, wanted + i * network->lanes);
}

/* Merges sources in pairs. */
static struct network merge_all(int64_t lanes, int64_t sources, const int64_t *wanted, int64_t targets) {
  struct network network = {.lanes = lanes, .sources = sources};
  struct group *groups = sources_of(&network);
  int64_t count = sources;
  for (; count > 2; count = (count + 1) / 2)
    for (int64_t i = 0; i < count; i += 2)
      groups[i / 2] = i + 1 < count ? merge(&network, &groups[i], &groups[i + 1], wanted, targets) : groups[i];
  const struct group last = count > 1 ? join(&network, &groups[0], &groups[1]) : groups[0];
  collect_all(&network, &last, wanted, targets);
  return network;
}

struct network network_build(int64_t lanes, int64_t sources, const int64_t *wanted, int64_t targets) {
  const struct network merged = merge_all(lanes, sources, wanted, targets);
  struct network direct = {.lanes = lanes, .sources = sources};
  const struct group all = join_all(&direct);
  collect_all(&direct, &all, wanted, targets);
  return direct.step_count < merged.step_count ? direct : merged;
}

void network_repeat(struct network *network, int64_t times) {
  const int64_t narrow = network->lanes, lanes = narrow * times;
  for (int64_t i = 0; i < network->step_count; i++) {
    struct network_step *step = &network->steps[i];
    int64_t *wide = mem_array((size_t)lanes, sizeof *wide);
    for (int64_t lane = 0; lane < lanes; lane++) {
      const int64_t from = step->lanes[lane % narrow];
      wide[lane] = lane / narrow * narrow + from + (from < narrow ? 0 : lanes - narrow);
    }
    step->lanes = wide;
  }
  network->lanes = lanes;
}

int64_t network_add(struct network *network, const int64_t *wanted) {
  const struct group all = join_all(network);
  return collect(network, &all, wanted);
}

void network_push(lua_State *L, const struct network *network) {
  lua_createtable(L, (int)network->step_count, 0);
  for (int64_t i = 0; i < network->step_count; i++) {
    lua_createtable(L, 0, 4);
    set_integer(L, "value", network->sources + i);
    set_integer(L, "a", network->steps[i].a);
    set_integer(L, "b", network->steps[i].b);
    push_integers(L, "lanes", network->steps[i].lanes, network->lanes);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "steps");
}
