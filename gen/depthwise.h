/* Depthwise layers, and those of small groups, in patches: register tiles of several rows of outputs at once, so that an input,
 * once loaded, feeds every output that it touches. What lies side by side in memory is what vectors hold, and the columns of a
 * patch count:
 *
 *   channels: a column is a pixel; a patch walks all channels before the next patch begins, in memory order. Lanes are
 *             those of whole groups; where these have several, a patch goes through their input channels in turn: what is
 *             loaded is permuted, so that each lane meets that channel of its own group
 *   pixels:   a column is a vector of neighbouring outputs of one channel, whose weights are broadcast; lanes whose tap lies in the
 *             padding keep their sums
 *
 * A patch is a list of lines, the input rows that it touches, each a list of steps: inputs that are loaded, then multiply-adds.
 * Weights are either held in registers (one step an input: it is scattered to all its outputs) or streamed (one step a weight: it
 * meets the inputs of a whole row of outputs). Columns at borders are patches with fewer multiply-adds, or fewer live lanes; lines
 * outside the input are passed over at run time. */
#ifndef GEN_DEPTHWISE_H
#define GEN_DEPTHWISE_H
#include "direct.h"

/* What one column reads with one tap: `element` and, where lanes are pixels, those behind it, a stride apart; only the lanes
 * [from, to) lie in the input. to 0: none. */
struct patch_input {
  int64_t element, from, to;
};

struct patch_mac {
  int64_t row, column, x, tap; /* accumulator (row, column) += input number x · weight of the tap */
  bool part;                   /* some lanes of the accumulator are outside the input's, and stay as they are */
};

struct patch_step {
  int64_t *loads; /* numbers of the inputs that are loaded */
  size_t load_count;
  int64_t tap; /* whose weight is loaded, -1: none */
  struct patch_mac *macs;
  size_t mac_count;
};

struct patch_line {
  int64_t at;        /* input row, from the patch's first */
  bool above, below; /* may lie before the first, behind the last row of the input */
  struct patch_step *steps;
  size_t step_count;
};

struct patch {
  int64_t rows, columns, last; /* last: live lanes of the last column, where lanes are pixels */
  struct patch_input *reads;   /* of column p with tap k, at [p · kernel + k]; elements from the patch's first */
  struct patch_input *inputs;  /* by number: reads that differ */
  int64_t input_count;
  struct patch_line *lines;
  size_t line_count;
  int64_t macs, loads; /* of one vector of channels */
  int64_t left_out;
  bool tests_zeros;
};

/* Strips [from, to) of equal height, and the patches along each. */
struct strips {
  int64_t from, to, rows;
  struct run *runs;
  size_t run_count;
};

struct patch_choice {
  int64_t rows, columns; /* at most, of a patch */
  bool held;             /* weights stay in registers */
  bool pixels;           /* lanes are neighbouring pixels of a channel */
  bool permuted;         /* lanes are channels of groups that have several, of input or output */
  bool turned;           /* of these, sums are permuted and not inputs */
  bool ahead;            /* fetches the lines of the next outputs meanwhile */
};

struct depthwise {
  struct design base; /* axes, packing, units along the batch */
  struct patch_choice choice;
  int64_t together;      /* groups in a vector */
  int64_t spelled;       /* input channels of a group that are written out: all, or one in a loop */
  struct axis tall, row; /* the axis of a patch's rows (one output, one tap if it has a single row) and that of its columns */
  int outer;             /* axes outside the patch */
  int64_t width;         /* outputs of a row that a column holds */
  int64_t vectors, last; /* whole vectors of channels; live lanes of the one behind them, or 0 (pixels: 1 and 0) */
  struct patch *patches;
  size_t patch_count;
  struct strips strips[2]; /* the higher ones first */
  size_t strips_count;
  int64_t strip_count, rows; /* strips of a plane; units: strips of all outer outputs */
  bool by_tile;              /* of a single strip: its patches are the units */
  int64_t macs, looks;
  int64_t left_out;   /* multiply-adds that meet zeros only */
  bool tests_zeros;   /* others meet some */
  const char *reason; /* why it can't be, or NULL */
};

/* Builds the patches of `choice`; reason is set where it is refused. */
void depthwise_build(struct depthwise *depthwise, const struct problem *problem, const struct isa *isa,
                     const struct patch_choice *choice);
/* The patch of `rows` whose columns start at `column`; *base is its first element. Returns its number, -1 with the reason set. */
int64_t depthwise_patch(struct depthwise *depthwise, const struct strips *strips, int64_t column, int64_t columns, int64_t *base);
/* Registers that a patch of this size takes. */
int64_t patch_registers(const struct axis *row, int64_t taps, const struct patch_choice *choice);
/* Estimated cycles; 0 where the kernel is refused. */
double depthwise_cost(const struct depthwise *depthwise, const struct isa *isa);
/* Pushes the kernel as a Lua table, in the templates' words. */
void depthwise_push(lua_State *L, const struct depthwise *depthwise);
#endif
