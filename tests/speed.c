/* How close kernels come to the machine: each layer's share of the peak of fused multiply-adds, measured in the same run. Kernel
 * and peak take turns; the share is the median of the rounds' ratios, so it holds while the machine's clock drifts. One thread,
 * pinned.
 *
 *   speed SPEC [--target T] [--set KEY=VALUE] [--plans all] [--rounds N]
 *
 * Prints a line a plan: share of the peak, nominal multiply-adds (padded taps counted). With `--plans all` every plan, and where
 * the chosen one stands. Ratios only: absolute times belong to the machine. */
#define _GNU_SOURCE
#include "../gen/compile.h"
#include "../gen/job.h"
#include "../gen/kernel.h"
#include "../gen/mem.h"
#include "../gen/op.h"
#include <immintrin.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_ROUNDS = 101 };

struct setting {
  struct command_options options;
  const char *target, *sets[8];
  bool all;
  int rounds;
};

/* ---- peaks: multiply-adds a call ------------------------------------------------------------------------------------- */

/* Twelve independent chains: more than latency times throughput needs. */
#define PEAK(name, attribute, type, lanes, set1, fma, add)                                                                         \
  __attribute__((target(attribute), noinline)) static double name(long steps) {                                                    \
    type a[12];                                                                                                                    \
    const type x = set1(0.999f), w = set1(0.001f);                                                                                 \
    _Pragma("GCC unroll 12") for (int i = 0; i < 12; i++) a[i] = set1((float)i);                                                   \
    for (long s = 0; s < steps; s++) _Pragma("GCC unroll 12") for (int i = 0; i < 12; i++) a[i] = fma(a[i], x, w);                 \
    _Pragma("GCC unroll 12") for (int i = 1; i < 12; i++) a[0] = add(a[0], a[i]);                                                  \
    volatile float keep = ((float *)&a[0])[0];                                                                                     \
    (void)keep;                                                                                                                    \
    return (double)steps * 12 * lanes;                                                                                             \
  }
PEAK(peak512, "avx512f", __m512, 16, _mm512_set1_ps, _mm512_fmadd_ps, _mm512_add_ps)
PEAK(peak256, "avx2,fma", __m256, 8, _mm256_set1_ps, _mm256_fmadd_ps, _mm256_add_ps)

/* Processor seconds of this thread: what others take of the core does not count. */
static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Multiply-adds a second of the widest fused unit that the target uses. */
static double peak_rate(const char *target) {
  const double start = seconds();
  const double macs = strcmp(target, "avx512") == 0 ? peak512(200000) : peak256(200000);
  return macs / (seconds() - start);
}

/* ---- kernels --------------------------------------------------------------------------------------------------------- */

struct bench {
  const struct layer *layer;
  const struct kernel *kernel;
  const void *inputs[MAX_TENSORS];
  void *packed, *output, *workspace;
};

static void *aligned(size_t size) {
  void *data = NULL;
  return posix_memalign(&data, 64, size + 64) == 0 ? data : NULL;
}

static void *filled(const struct tensor *tensor) {
  void *data = aligned(tensor_count(tensor) * cs_size(tensor->dtype));
  cs_fill(data, tensor_count(tensor), tensor->dtype, CS_FILL_RANDOM, 0, 1);
  return data;
}

static void prepare(struct bench *bench, const struct layer *layer, const struct kernel *kernel) {
  struct tensor tensors[MAX_TENSORS];
  const void *parameters[MAX_TENSORS];
  size_t inputs = 0, given = 0;
  const size_t count = layer->op->tensors(layer, tensors);
  *bench = (struct bench){.layer = layer, .kernel = kernel, .packed = aligned(kernel->packed_bytes)};
  bench->workspace = aligned(kernel->workspace_bytes);
  for (size_t i = 0; i < count; i++) {
    if (tensors[i].role == TENSOR_OUTPUT) bench->output = filled(&tensors[i]);
    if (tensors[i].role == TENSOR_PARAMETER && !tensors[i].baked) parameters[given++] = filled(&tensors[i]);
    if (tensors[i].role == TENSOR_INPUT || tensors[i].role == TENSOR_RESIDUAL) bench->inputs[inputs++] = filled(&tensors[i]);
  }
  if (kernel->pack) kernel->pack(parameters, bench->packed);
  for (size_t i = 0; i < given; i++) free((void *)(uintptr_t)parameters[i]);
}

static void release(struct bench *bench) {
  for (size_t i = 0; i < MAX_TENSORS; i++) free((void *)(uintptr_t)bench->inputs[i]);
  free(bench->packed);
  free(bench->output);
  free(bench->workspace);
}

static double seconds_of(const struct bench *bench, int calls) {
  const double start = seconds();
  for (int i = 0; i < calls; i++) bench->kernel->whole(bench->inputs, bench->packed, bench->output, bench->workspace);
  return seconds() - start;
}

static int by_value(const void *a, const void *b) {
  const double left = *(const double *)a, right = *(const double *)b;
  return left < right ? -1 : left > right;
}

/* Median share of the peak. */
static double share(const struct bench *bench, const char *target, int rounds) {
  double shares[MAX_ROUNDS];
  const double macs = (double)bench->layer->op->multiply_adds(bench->layer);
  const double once = seconds_of(bench, 1);
  const int calls = once > 2e-3 ? 1 : (int)(2e-3 / (once + 1e-9)) + 1;
  seconds_of(bench, calls);
  for (int i = 0; i < rounds; i++) {
    const double peak = peak_rate(target);
    shares[i] = macs * calls / seconds_of(bench, calls) / peak;
  }
  qsort(shares, (size_t)rounds, sizeof *shares, by_value);
  return shares[rounds / 2];
}

/* ---- one layer --------------------------------------------------------------------------------------------------------- */

static bool measure(struct job *job, const struct layer *layer, const struct setting *setting) {
  const struct isa *isa = isa_find(&job->isas, setting->target);
  const struct plan_list list = plan_enumerate(layer, isa);
  const size_t wanted = setting->all ? list.usable : list.usable > 0;
  struct kernel_source *sources = mem_array(wanted, sizeof *sources);
  const struct plan **plans = mem_array(wanted, sizeof *plans);
  for (size_t i = 0; i < wanted; i++) {
    plans[i] = &list.items[i];
    sources[i] = (struct kernel_source){layer, &plans[i], 1, mem_text("p%zu_", i)};
  }
  struct text message = {0};
  const struct kernel *kernels = kernel_build(job, sources, wanted, layer->name, &message);
  if (!kernels) return fprintf(stderr, "%s\n", message.data), false;
  for (size_t i = 0; i < wanted; i++) {
    struct bench bench;
    prepare(&bench, layer, &kernels[i]);
    const double part = share(&bench, setting->target, setting->rounds);
    printf("%-28s %-7s %-40s %5.1f %%  (cost %.3g)\n", layer->name, setting->target, plans[i]->id, 100 * part, plans[i]->cost);
    fflush(stdout);
    release(&bench);
  }
  return true;
}

static bool parse(int argc, char **argv, struct setting *setting) {
  *setting = (struct setting){
      .options = {.program = argv[0], .command = "info", .prefix = "", .plans = "chosen"}, .target = "avx512", .rounds = 7};
  for (int i = 1; i < argc; i++) {
    const char *value = i + 1 < argc ? argv[i + 1] : "";
    if (strcmp(argv[i], "--target") == 0)
      setting->target = value, i++;
    else if (strcmp(argv[i], "--set") == 0 && setting->options.sets.count < 8)
      setting->sets[setting->options.sets.count++] = value, i++;
    else if (strcmp(argv[i], "--plans") == 0)
      setting->all = strcmp(value, "all") == 0, i++;
    else if (strcmp(argv[i], "--rounds") == 0)
      setting->rounds = atoi(value), i++;
    else
      setting->options.spec = argv[i];
  }
  setting->options.sets.items = setting->sets;
  return setting->options.spec && setting->rounds > 0 && setting->rounds <= MAX_ROUNDS;
}

int main(int argc, char **argv) {
  struct setting setting;
  if (!parse(argc, argv, &setting))
    return fprintf(stderr, "usage: speed SPEC [--target T] [--set KEY=VALUE] [--plans all] [--rounds N]\n"), 2;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(1, &one);
  sched_setaffinity(0, sizeof one, &one);
  struct job job;
  bool good = job_open(&job, &setting.options);
  for (size_t i = 0; good && i < job.spec.count; i++) good = measure(&job, &job.spec.layers[i], &setting);
  const int status = job_close(&job, good ? EXIT_OK : EXIT_FAILED);
  scratch_remove();
  mem_release(0);
  return status;
}
