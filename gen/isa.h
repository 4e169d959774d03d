/* Instruction sets: the rows of templates/isa/NAME.lua that the program itself needs; everything else in them is for templates. */
#ifndef GEN_ISA_H
#define GEN_ISA_H
#include "engine.h"
#include "spec.h"

struct isa {
  const char *name;
  const char *about; /* one line for people */
  int rank;          /* preference: higher is better */
  int registers;
  int lanes[DTYPES];    /* by cs_dtype; 0: the type is not there */
  int mac_bytes;        /* code bytes of one multiply-add with its memory operand, for estimates */
  int macs_per_cycle;   /* vectors of multiply-adds that units take on, for estimates */
  bool permutes;        /* lanes of a vector, in a fixed order */
  bool orders[DTYPES];  /* by cs_dtype: that order is an operand, which changes from step to step of a loop */
  bool evens;           /* two vectors that lie side by side become one of every second element */
  bool shuffles;        /* lanes of two vectors as one, in a fixed order */
  int pieces[DTYPES];   /* by cs_dtype: equal parts of a vector that are loaded from places of their own at once; 0: none */
  bool fetches[DTYPES]; /* by cs_dtype: loads that teach no cache to fetch ahead */
  int crossing;         /* instructions of a shuffle whose lanes leave their pieces */
  bool tiles;           /* registers of tiles that multiply bf16 */
  bool sums;            /* lanes of four f32 vectors are added up together */
  bool runs_here;
  const char *const *limits; /* "NAME=VALUE": environment that keeps other libraries to this ISA; NULL at the end */
  const char *const *within; /* peers whose f32 kernels use no more than this ISA wherever they run; NULL at the end */
  const char *const *flags;  /* of a compiler that may use it; NULL at the end */
};

struct isa_list {
  const struct isa *items; /* by rank, lowest first */
  size_t count;
  const char *const *names; /* NULL at the end */
};

/* Reads every ISA on the engine's path. False with engine_error set. */
bool isa_read(struct engine *engine, struct isa_list *list);
const struct isa *isa_find(const struct isa_list *list, const char *name);
/* The best that this machine runs. */
const struct isa *isa_native(const struct isa_list *list);
/* Pushes the ISA's whole Lua table. */
void isa_push(struct engine *engine, const struct isa *isa);
#endif
