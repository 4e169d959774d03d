/* Tiles of pools: their columns and outputs, and which of them are equal. */
#include "mem.h"
#include "pooling.h"
#include <string.h>

int64_t pool_column_number(struct pool_tile *tile, int64_t at, int64_t row) {
  for (int64_t i = 0; i < tile->column_count; i++)
    if (tile->columns[i].at == at && tile->columns[i].row == row) return i;
  tile->columns = mem_grow(tile->columns, (size_t)tile->column_count, sizeof *tile->columns);
  tile->columns[tile->column_count] = (struct pool_column){at, 0, row};
  return tile->column_count++;
}

struct pool_output *pool_add_output(struct pool_tile *tile, int64_t y, int64_t s, int64_t live, int64_t values, int64_t divisors) {
  tile->outputs = mem_grow(tile->outputs, (size_t)tile->output_count, sizeof *tile->outputs);
  struct pool_output *output = &tile->outputs[tile->output_count++];
  *output = (struct pool_output){
      y, s, live, mem_array((size_t)values, sizeof(int64_t)), values, mem_array((size_t)divisors, sizeof(int64_t)), divisors};
  return output;
}

static bool has_value(const struct pool_output *output, int64_t value) {
  for (int64_t i = 0; i < output->value_count; i++)
    if (output->values[i] == value) return true;
  return false;
}

/* How many of the outputs [from, end) have a value. */
static int64_t holders(const struct pool_tile *tile, int64_t from, int64_t end, int64_t value) {
  int64_t count = 0;
  for (int64_t o = from; o < end; o++) count += has_value(&tile->outputs[o], value);
  return count;
}

/* Puts values that more of the outputs [from, end) have first, else leaves them in order. */
static void shared_first(const struct pool_tile *tile, int64_t from, int64_t end, struct pool_output *output) {
  int64_t *turned = mem_array((size_t)output->value_count, sizeof *turned), count = 0;
  for (int64_t held = end - from; held > 0; held--)
    for (int64_t i = 0; i < output->value_count; i++)
      if (holders(tile, from, end, output->values[i]) == held) turned[count++] = output->values[i];
  memcpy(output->values, turned, (size_t)count * sizeof *turned);
}

void pool_share(struct pool_tile *tile) {
  for (int64_t from = 0, end; from < tile->output_count; from = end) {
    end = from + (tile->outputs[from].value_count > POOL_LONG_WINDOW ? 4 : 2);
    if (end > tile->output_count) end = tile->output_count;
    for (int64_t o = from; o < end; o++) shared_first(tile, from, end, &tile->outputs[o]);
  }
}

static bool same_numbers(const int64_t *a, int64_t a_count, const int64_t *b, int64_t b_count) {
  return a_count == b_count && !memcmp(a, b, (size_t)a_count * sizeof *a);
}

/* Equal columns and outputs have equal shuffles, save for those that borders need: these differ in values or lanes. */
bool pool_same_tile(const struct pool_tile *a, const struct pool_tile *b) {
  bool same = a->column_count == b->column_count && a->output_count == b->output_count && a->zero == b->zero &&
              a->network.step_count == b->network.step_count;
  for (int64_t i = 0; i < a->column_count && same; i++)
    same = a->columns[i].at == b->columns[i].at && a->columns[i].live == b->columns[i].live;
  for (int64_t i = 0; i < a->output_count && same; i++) {
    const struct pool_output *x = &a->outputs[i], *y = &b->outputs[i];
    same = x->y == y->y && x->live == y->live && same_numbers(x->values, x->value_count, y->values, y->value_count) &&
           same_numbers(x->divisors, x->divisor_count, y->divisors, y->divisor_count);
  }
  for (int64_t i = 0; i < a->network.step_count && same; i++) {
    const struct network_step *x = &a->network.steps[i], *y = &b->network.steps[i];
    same = x->a == y->a && x->b == y->b && same_numbers(x->lanes, a->network.lanes, y->lanes, a->network.lanes);
  }
  return same;
}

int64_t pool_values(const struct pool_tile *tile) {
  int64_t values = tile->column_count + tile->network.step_count;
  for (int64_t i = 0; i < tile->output_count; i++) values += tile->outputs[i].value_count;
  return values;
}

int64_t pool_combinations(const struct pool_tile *tile) {
  int64_t combinations = 0;
  for (int64_t o = 0; o < tile->output_count; o++) {
    const struct pool_output *output = &tile->outputs[o], *last = o > 0 ? output - 1 : output;
    int64_t alike = 0;
    while (o > 0 && alike < output->value_count && alike < last->value_count && output->values[alike] == last->values[alike])
      alike++;
    combinations += output->value_count - (alike > 0 ? alike : 1);
  }
  return combinations;
}

int64_t pool_columns_at_once(const struct pool_tile *tile) {
  int64_t most = 0;
  for (int64_t o = 0; o < tile->output_count; o++) {
    int64_t held = 0;
    for (int64_t value = 0; value < tile->column_count; value++)
      held += holders(tile, 0, o + 1, value) > 0 && holders(tile, o, tile->output_count, value) > 0;
    if (held > most) most = held;
  }
  return most;
}
