/* Networks: how lanes of vectors reach other vectors by shuffles of two at a time, each result a value of its own. Sources are
 * merged in pairs, as a sort does; what both halves of a pair have is put in the order of the results, so that work is shared.
 * Where results need few sources each, these are joined one by one instead. */
#ifndef GEN_NETWORK_H
#define GEN_NETWORK_H
#include <lua.h>
#include <stdint.h>

/* The next value: lane i is lane lanes[i] of values a and b, counted through both. */
struct network_step {
  int64_t a, b, *lanes;
};

struct network {
  int64_t lanes, sources;     /* values 0 … sources-1 are there already */
  struct network_step *steps; /* steps[i] makes value sources + i */
  int64_t step_count;
  int64_t *results; /* the value of each wanted vector */
};

/* wanted: for each of `targets` vectors and each lane the lane of the sources, counted through all; -1: whatever. */
struct network network_build(int64_t lanes, int64_t sources, const int64_t *wanted, int64_t targets);
/* The same steps on vectors that are `times` as long: side by side, each on its own lanes. */
void network_repeat(struct network *network, int64_t times);
/* Appends a shuffle of values a and b and returns its value. */
int64_t network_append(struct network *network, int64_t a, int64_t b, const int64_t *lanes);
/* One more vector of a network that has only sources so far, or was only added to. Returns its value. */
int64_t network_add(struct network *network, const int64_t *wanted);
/* Sets field `steps` of the table on top: {value, a, b, lanes} each. */
void network_push(lua_State *L, const struct network *network);
#endif
