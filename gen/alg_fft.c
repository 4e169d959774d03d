/* The algorithm fft (fft.h): blocks of several sizes, with groups or tiles in the lanes, and why it can't be. */
#include "alg.h"
#include "direct.h"
#include "fft.h"
#include "mem.h"
#include <string.h>

/* Sizes of blocks that are tried: the first of which a third or more is outputs, or that takes them all, and the next. Two axes
 * have blocks of at most so many points each. */
enum { TRIED = 2 };
static const int64_t least_points = 8, most_points = 1024, most_points_2d = 256;

/* Smaller kernels are never worth it. */
static const int64_t least_taps = 16;

/* Complex points of spectra, of all kernels: packing computes each as a sum over the taps. */
static const int64_t most_spectra = (int64_t)1 << 28;

/* Outputs of a tile are held to what all of it reads. */
static struct cs_promise promise_of(const struct fft *fft) {
  struct cs_promise promise = {.accuracy = CS_FAST};
  const int rank = fft->problem->rank;
  for (int a = 0; a < rank; a++) {
    const struct fft_axis *axis = &fft->axis[FFT_AXES - rank + a];
    promise.block[a] = axis->outputs * axis->pair;
  }
  return promise;
}

static const char *points_text(const struct problem *problem, const struct fft_choice *choice) {
  if (problem->rank == 1) return mem_text("%lld", (long long)choice->points[FFT_ROW]);
  return mem_text("%lldx%lld", (long long)choice->points[FFT_TALL], (long long)choice->points[FFT_ROW]);
}

static struct plan new_plan(const struct candidates *candidates, const struct fft_choice *choice) {
  const char *points = points_text(candidates->problems, choice);
  return (struct plan){.id = mem_text("fft-%s-%s", choice->lanes == FFT_GROUPS ? "groups" : "tiles", points),
                       .algorithm = &alg_fft,
                       .isa = candidates->isa,
                       .tile = points,
                       .promise = {.accuracy = CS_FAST},
                       .exact_bits = -1};
}

/* ---- what it can't do --------------------------------------------------------------------------------------------------- */

static const char *axis_reason(const struct problem *problem, const struct axis *axis) {
  const int64_t most = problem->rank > 1 ? most_points_2d : most_points;
  if (axis->stride > 1) return mem_text("stride %lld; blocks give every output", (long long)axis->stride);
  if (axis->dilation > 1) return mem_text("dilation %lld; transforms take neighbouring inputs", (long long)axis->dilation);
  if (axis->kernel > most / 2)
    return mem_text("%lld taps; blocks have at most %lld points, twice that many", (long long)axis->kernel, (long long)most);
  return NULL;
}

static const char *problem_reason(const struct candidates *candidates) {
  const struct problem *problem = candidates->problems;
  const char *reason = NULL;
  if (has_wide_sums(problem)) return "transforms of bf16 would be rounded to it";
  if (candidates->problem_count > 1 || problem->phases > 0)
    return "its outputs are those of several convolutions; blocks serve one";
  if (problem->rank > FFT_AXES) return mem_text("%d axes; blocks have at most %d", problem->rank, FFT_AXES);
  if (problem->gathered) return "its weights are an input of each call; spectra are packed once";
  if (problem->unroll == UNROLL_FULL) return "unroll: full asks for no loop; passes are loops over points";
  if (problem->x_rows || problem->y_rows) return "its rows take turns in a buffer; blocks take many at once";
  int64_t taps = 1;
  for (int a = 0; a < problem->rank && !reason; a++) {
    reason = axis_reason(problem, &problem->axis[a]);
    taps *= problem->axis[a].kernel;
  }
  if (!reason && taps < least_taps)
    return mem_text("%lld taps; transforms are for %lld or more", (long long)taps, (long long)least_taps);
  return reason;
}

static const char *lanes_reason(const struct problem *problem, enum fft_lanes lanes) {
  if (lanes == FFT_GROUPS && (problem->groups == 1 || problem->in_channels > 1))
    return mem_text("%lld groups of %lld input channels; this form needs 2 or more groups of 1", (long long)problem->groups,
                    (long long)problem->in_channels);
  return NULL;
}

/* Of the spectra. */
static int64_t fft_bytes(const struct fft *fft) {
  return fft->w_size * (int64_t)cs_size(fft->problem->dtype);
}

static const char *built_reason(const struct fft *fft) {
  const int64_t points = fft->w_size / 2;
  if (points > most_spectra)
    return mem_text("its spectra have %lld points; at most %lld pack in good time", (long long)points, (long long)most_spectra);
  if (fft->problem->baked_weights && fft_bytes(fft) > MOST_BAKED_BYTES)
    return mem_text("its baked spectra would take %lld bytes of the file; at most %d compile in good time",
                    (long long)fft_bytes(fft), MOST_BAKED_BYTES);
  return NULL;
}

/* ---- enumeration -------------------------------------------------------------------------------------------------------- */

static void refuse(struct candidates *candidates, enum fft_lanes lanes, const char *reason) {
  struct plan plan = new_plan(candidates, &(struct fft_choice){.lanes = lanes});
  plan.id = mem_text("fft-%s", lanes == FFT_GROUPS ? "groups" : "tiles");
  plan.tile = "";
  plan.reason = reason;
  candidates_add(candidates, plan);
}

static void try_choice(struct candidates *candidates, const struct fft_choice *choice) {
  struct fft *fft = mem_new(sizeof *fft);
  struct plan plan = new_plan(candidates, choice);
  const int64_t size = (int64_t)cs_size(candidates->problems->dtype);
  fft_build(fft, candidates->problems, candidates->isa, choice);
  const int64_t vectors = (fft->problem->bias && !fft->problem->baked_bias) + (fft->problem->activation == CS_PRELU);
  plan.reason = built_reason(fft);
  plan.cost = fft_cost(fft, candidates->isa);
  plan.promise = promise_of(fft);
  plan.packed_bytes = vectors * fft->b_size * size;
  if (!fft->problem->baked_weights) plan.packed_bytes += fft_bytes(fft);
  plan.workspace_bytes = fft->workspace * size;
  plan.code_bytes = fft_code_bytes(fft);
  plan.multiply_adds = fft_operations(fft);
  plan.row_tile = fft->axis[FFT_ROW].outputs;
  plan.channel_tile = choice->lanes == FFT_GROUPS ? fft->lanes : 1;
  plan.parameters = fft;
  candidates_add(candidates, plan);
}

/* Sizes of blocks along an axis, the smallest first; those behind one that takes all outputs serve no more. Returns how many. */
static int sizes_of(const struct axis *axis, int64_t most, int64_t sizes[TRIED]) {
  int count = 0;
  sizes[0] = 1;
  if (axis->kernel == 1) return 1;
  for (int64_t points = least_points; points <= most && count < TRIED; points *= 2) {
    const int64_t outputs = points - axis->kernel + 1;
    if (outputs < axis->out && 3 * outputs < points) continue;
    sizes[count++] = points;
    if (outputs >= axis->out) break;
  }
  return count;
}

static void try_lanes(struct candidates *candidates, enum fft_lanes lanes) {
  static const struct axis single = {.in = 1, .out = 1, .kernel = 1};
  const struct problem *problem = candidates->problems;
  const struct axis *axes[FFT_AXES] = {problem->rank > 1 ? &problem->axis[0] : &single, &problem->axis[problem->rank - 1]};
  const int64_t most = problem->rank > 1 ? most_points_2d : most_points;
  int64_t tall[TRIED], row[TRIED];
  const int talls = sizes_of(axes[FFT_TALL], most, tall), rows = sizes_of(axes[FFT_ROW], most, row);
  for (int t = 0; t < talls; t++)
    for (int r = 0; r < rows; r++) try_choice(candidates, &(struct fft_choice){.lanes = lanes, .points = {tall[t], row[r]}});
}

static void fft_enumerate(struct candidates *candidates) {
  const char *general = problem_reason(candidates);
  for (int lanes = FFT_GROUPS; lanes <= FFT_TILES; lanes++) {
    const char *reason = general ? general : lanes_reason(candidates->problems, (enum fft_lanes)lanes);
    if (reason)
      refuse(candidates, (enum fft_lanes)lanes, reason);
    else
      try_lanes(candidates, (enum fft_lanes)lanes);
  }
}

/* ---- what the template gets --------------------------------------------------------------------------------------------- */

static void fft_push_all(lua_State *L, const struct plan *plan) {
  lua_createtable(L, 1, 0);
  fft_push(L, plan->parameters);
  lua_rawseti(L, -2, 1);
}

/* Bias in the order of every other algorithm: of depthwise layers, the groups' first outputs, then their second ones. */
static const void *bake_bias(const struct fft *fft, const struct layer *layer) {
  const struct problem *problem = fft->problem;
  const size_t size = cs_size(layer->dtype);
  const bool depthwise = problem->in_channels == 1 && problem->groups > 1;
  char *to = mem_array((size_t)fft->b_size, size);
  for (int64_t g = 0; g < problem->groups; g++)
    for (int64_t m = 0; m < problem->out_channels; m++) {
      const int64_t place = depthwise ? m * problem->groups + g : g * problem->out_channels + m;
      const int64_t from = problem->b_first + g * problem->b_group + m * problem->b_out;
      memcpy(to + (size_t)place * size, (const char *)layer->bias_values.data + (size_t)from * size, size);
    }
  return to;
}

static struct baked_values fft_bake(const struct plan *plan, const struct layer *layer) {
  const struct fft *fft = plan->parameters;
  struct baked_values values = {0};
  if (layer->weights.data) {
    values.weights = fft_spectra(fft);
    values.weight_bytes = (size_t)fft_bytes(fft);
  }
  if (layer->bias_values.data) {
    values.bias = bake_bias(fft, layer);
    values.bias_bytes = (size_t)fft->b_size * cs_size(layer->dtype);
  }
  return values;
}

const struct algorithm alg_fft = {
    .name = "fft",
    .template = "fft.t",
    .enumerate = fft_enumerate,
    .push = fft_push_all,
    .bake = fft_bake,
};
