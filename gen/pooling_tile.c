/* Tiles of pools: their columns and outputs, and which of them are equal. */
#include "mem.h"
#include "pooling.h"
#include <string.h>

int64_t pool_column_number(struct pool_tile *tile, int64_t at) {
  for (int64_t i = 0; i < tile->column_count; i++)
    if (tile->columns[i].at == at) return i;
  tile->columns = mem_grow(tile->columns, (size_t)tile->column_count, sizeof *tile->columns);
  tile->columns[tile->column_count] = (struct pool_column){at, 0};
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

/* Puts what `other` has too before the rest. */
static void shared_first(struct pool_output *output, const struct pool_output *other) {
  int64_t *turned = mem_array((size_t)output->value_count, sizeof *turned), count = 0;
  for (int own = 0; own < 2; own++)
    for (int64_t i = 0; i < output->value_count; i++)
      if (has_value(other, output->values[i]) != own) turned[count++] = output->values[i];
  memcpy(output->values, turned, (size_t)count * sizeof *turned);
}

void pool_pair_up(struct pool_tile *tile) {
  for (int64_t p = 0; p + 1 < tile->output_count; p += 2) {
    shared_first(&tile->outputs[p], &tile->outputs[p + 1]);
    shared_first(&tile->outputs[p + 1], &tile->outputs[p]);
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
