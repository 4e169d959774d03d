/* Plan files: which plan to take for a layer on a target, as `--plan` reads them. See docs/commands.md.
 *
 *   convsmith-plan: 1
 *   plans:
 *     - {layer: stem, target: avx2, plan: direct-…} */
#ifndef GEN_PLAN_FILE_H
#define GEN_PLAN_FILE_H
#include "plan.h"

/* One line of the file, with its plan found. */
struct plan_choice {
  const struct layer *layer;
  const struct isa *isa;
  const struct plan *plan;
};
struct plan_choices {
  struct plan_choice *items;
  size_t count;
};

/* Reads `path`. Unknown layers, targets and plans, refused plans and second lines for one layer and target are errors at their
 * place. some_layers: `spec` holds a part of its file (--layer), so lines for other layers are passed over. */
bool plan_file_read(const char *path, const struct spec *spec, bool some_layers, const struct isa_list *isas,
                    struct plan_choices *choices, struct diags *diags);
const struct plan *plan_choice_find(const struct plan_choices *choices, const struct layer *layer, const struct isa *isa);
#endif
