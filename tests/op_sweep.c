/* The layers of one op: specs in the scratch folder, and verify's word on them. */
#include "op_sweep.h"
#include "../gen/engine.h"
#include "../gen/isa.h"
#include "../gen/mem.h"
#include "scratch.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { OP_LAYERS = 100, FULL_LAYERS = 2000, SPEC_LAYERS = 500 }; /* of a spec: more values than a file may have are an error */

int op_draw_number(uint64_t *random, int least, int most) {
  return least + (int)(cs_random(random) % (uint64_t)(most - least + 1));
}

void op_print_input(struct text *keys, int batch, int channels, const int *sizes, int rank) {
  text_print(keys, "input: [%d, %d", batch, channels);
  for (int d = 0; d < rank; d++) text_print(keys, ", %d", sizes[d]);
  text_print(keys, "]");
}

static const char *draw_target(const struct isa_list *isas, uint64_t *random) {
  const struct isa *isa;
  do isa = &isas->items[op_draw_number(random, 0, (int)isas->count - 1)];
  while (!isa->runs_here);
  return isa->name;
}

static void print_layer(struct text *spec, int number, const struct isa_list *isas, op_draw *draw, uint64_t *random) {
  static const char *const layouts[] = {"nhwc", "nchw"};
  const struct op_layer layer = {number, op_draw_number(random, 0, 2) < 2 ? CS_F32 : CS_F64};
  struct text keys = {0};
  while (!keys.size) draw(&keys, layer, random);
  text_print(spec, "  - {name: l%d, target: %s, dtype: %s, input_layout: %s, ", number, draw_target(isas, random),
             layer.dtype == CS_F32 ? "f32" : "f64", layouts[op_draw_number(random, 0, 1)]);
  text_print(spec, "output_layout: %s, %s}\n", layouts[op_draw_number(random, 0, 1)], keys.data);
  text_free(&keys);
}

static int layers(void) {
  const char *full = getenv("FULL");
  const int asked = full ? atoi(full) : 0;
  return asked > 1 ? asked : asked == 1 ? FULL_LAYERS : OP_LAYERS;
}

static void verify_spec(const char *name, const char *plans, int count, const struct isa_list *isas, op_draw *draw,
                        uint64_t *random) {
  struct text spec = {0};
  text_print(&spec, "convsmith: 1\nlayers:\n");
  for (int i = 0; i < count; i++) print_layer(&spec, i, isas, draw, random);
  const char *path = scratch_write(mem_text("%s_%s.yaml", name, plans), spec.data);
  if (convsmith("verify %s --plans %s", path, plans) != 0) {
    const char *failure = strstr(said, "FAIL");
    const size_t length = strlen(said);
    fail_msg("%.2000s", failure ? failure : said + (length > 2000 ? length - 2000 : 0)); /* a reason comes last */
  }
  text_free(&spec);
}

static void verify(const char *name, const char *plans, int count, const struct isa_list *isas, op_draw *draw, uint64_t *random) {
  for (; count > 0; count -= SPEC_LAYERS) verify_spec(name, plans, count < SPEC_LAYERS ? count : SPEC_LAYERS, isas, draw, random);
}

void op_sweep(const char *name, op_draw *draw, int every) {
  struct engine *engine = engine_new(NULL, 0);
  struct isa_list isas;
  uint64_t random = 1;
  assert_true(isa_read(engine, &isas));
  const int all = layers() / every;
  verify(name, "all", all, &isas, draw, &random);
  verify(name, "chosen", layers() - all, &isas, draw, &random);
  engine_free(engine);
}
