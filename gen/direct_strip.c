/* Strips of a 1×1 kernel with a stride, channels first. It reads few elements of each channel's lines, which lie pages apart, and
 * every block of output channels would come for them again. So the inputs of some rows of outputs, a strip, are first brought
 * together in the workspace, each channel's pixels side by side; what multiplies them is a problem without stride whose rows are
 * strips. */
#include "direct.h"
#include "signature.h"

/* Bytes of a strip: it stays near the core while all output channels take it. */
static const int64_t max_strip_bytes = 250000;

static const struct axis single = {.in = 1, .out = 1, .kernel = 1, .stride = 1, .dilation = 1};

/* The axes of lines and of the pixels of a line. */
static const struct axis *lines_of(const struct problem *problem) {
  return problem->rank > 1 ? &problem->axis[problem->rank - 2] : &single;
}

static const struct axis *pixels_of(const struct problem *problem) {
  return &problem->axis[problem->rank - 1];
}

bool strips_apply(const struct problem *problem) {
  const struct axis *lines = lines_of(problem), *pixels = pixels_of(problem);
  if (problem->rank > 2 || problem->groups > 1 || problem->phases || problem->gathered) return false;
  if (problem->x_rows || problem->y_rows) return false; /* the workspace is taken */
  if (lines->kernel * pixels->kernel > 1 || axis_trimmed(lines) || axis_trimmed(pixels)) return false;
  if (lines->out > 1 && lines->y_step != pixels->out * pixels->y_step) return false;
  return pixels->x_step == 1 && (pixels->stride > 1 || lines->stride > 1);
}

static int64_t vectors_of(const struct problem *problem, int64_t rows, int64_t lanes) {
  return ceil_div(rows * pixels_of(problem)->out, lanes);
}

/* Of the numbers of rows that fill `vectors` vectors, the one with the fewest idle lanes; 0: none. A strip of one element would
 * fold away, and what is left would read all its outputs' inputs in one place. */
int64_t strip_rows(const struct problem *problem, int64_t lanes, int64_t vectors) {
  const int64_t lines = lines_of(problem)->out, pixels = pixels_of(problem)->out;
  const int64_t line_bytes = problem->in_channels * pixels * (int64_t)cs_size(problem->dtype);
  int64_t best = 0;
  for (int64_t rows = 1; rows <= lines && rows * line_bytes <= max_strip_bytes; rows++) {
    const int64_t used = vectors_of(problem, rows, lanes);
    if (lines % rows || used < vectors || rows * pixels == 1) continue;
    if (!best || rows * vectors_of(problem, best, lanes) > best * used) best = rows;
  }
  return best;
}

void take_strips(struct design *design) {
  struct problem *problem = &design->problem;
  const struct axis lines = *lines_of(problem), pixels = *pixels_of(problem);
  const int64_t rows = design->choice.strip, strip = rows * pixels.out;
  design->strip = (struct strip){.rows = rows,
                                 .pixels = pixels.out,
                                 .lane = pixels.stride,
                                 .row = lines.stride * lines.x_step,
                                 .channel = problem->x_channel,
                                 .image = problem->x_batch};
  problem->rank = 2;
  problem->axis[0] = problem->axis[1] = single;
  problem->axis[0].in = problem->axis[0].out = lines.out / rows;
  problem->axis[0].y_step = strip * pixels.y_step;
  problem->axis[1].in = problem->axis[1].out = strip;
  problem->axis[1].x_step = 1;
  problem->axis[1].y_step = pixels.y_step;
  problem->x_channel = strip;
  problem->x_batch = 0;
}

int64_t strip_elements(const struct design *design) {
  return design->strip.rows * design->strip.pixels * design->problem.in_channels;
}

void design_push_strip(lua_State *L, const struct design *design) {
  const struct strip *strip = &design->strip;
  if (!strip->rows) {
    set_bool(L, "strip", false);
    return;
  }
  lua_createtable(L, 0, 8);
  set_integer(L, "rows", strip->rows);
  set_integer(L, "vectors", strip->pixels / design->lanes);
  set_integer(L, "last", strip->pixels % design->lanes);
  set_integer(L, "lane", strip->lane);
  set_integer(L, "row", strip->row);
  set_integer(L, "channel", strip->channel);
  set_integer(L, "image", strip->image);
  set_integer(L, "channels", design->problem.in_channels);
  lua_setfield(L, -2, "strip");
}
