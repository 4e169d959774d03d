/* Plan files: which plan to take for a layer on a target, as `tune` writes and `--plan` reads them. See docs/commands.md.
 *
 *   convsmith-plan: 1
 *   version: "0.1.0"
 *   machine: "…"
 *   plans:
 *     - {layer: stem, target: avx2, plan: direct-…, lead: 1.03}
 *
 * Version and machine tell people where the times come from. They bind nothing: a plan that still exists computes the same layer
 * everywhere, and one that does not is an error. */
#ifndef GEN_PLAN_FILE_H
#define GEN_PLAN_FILE_H
#include "plan.h"

/* One line of the file, with its plan found. */
struct plan_choice {
  const struct layer *layer;
  const struct isa *isa;
  const struct plan *plan;
  double lead; /* the runner-up's time over this plan's; 0: unknown, or there was none */
};
struct plan_choices {
  struct plan_choice *items;
  size_t count;
};

/* Reads `path`. Unknown layers, targets and plans, refused plans and second lines for one layer and target are errors at their
 * place. some_layers: `spec` holds a part of its file (--layer), so lines for other layers are passed over. */
bool plan_file_read(const char *path, const struct spec *spec, bool some_layers, const struct isa_list *isas,
                    struct plan_choices *choices, struct diags *diags);
void plan_choices_add(struct plan_choices *choices, struct plan_choice choice);
/* Prints the file of these choices. */
void plan_file_print(struct text *text, const struct plan_choices *choices);
const struct plan *plan_choice_find(const struct plan_choices *choices, const struct layer *layer, const struct isa *isa);
#endif
