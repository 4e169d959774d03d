/* Random small layers of one op through `convsmith verify`, on a target drawn for each, with NaN, guard pages and parts as verify
 * always has them. */
#ifndef TESTS_OP_SWEEP_H
#define TESTS_OP_SWEEP_H
#include "../gen/text.h"
#include "../runtime/convsmith.h"
#include <stdint.h>

/* Prints the keys of layer `number` behind "name, target, dtype, layouts", or nothing if the draw made none. */
struct op_layer {
  int number;
  enum cs_dtype dtype;
};
typedef void op_draw(struct text *keys, struct op_layer layer, uint64_t *random);

/* Verifies OP_LAYERS layers, one in `every` with all plans; with FULL=1 2,000, with FULL=N N. Ends the test where one is wrong. */
void op_sweep(const char *name, op_draw *draw, int every);
/* Of least … most, uniform. */
int op_draw_number(uint64_t *random, int least, int most);
/* "[N, C, spatial...]" */
void op_print_input(struct text *keys, int batch, int channels, const int *sizes, int rank);
#endif
