/* How close kernels come to the machine: each layer's share of the peak of fused multiply-adds, measured in the same run. Kernel
 * and peak take turns; the share is the median of the rounds' ratios, so it holds while the machine's clock drifts. One thread,
 * pinned.
 *
 *   speed SPEC [--target T] [--set KEY=VALUE] [--plans all] [--rounds N]
 *
 * Prints a line a plan: share of the peak, nominal multiply-adds (padded taps counted). With `--plans all` every plan, and where
 * the chosen one stands. Ratios only: absolute times belong to the machine. */
#include "../gen/compile.h"
#include "../gen/job.h"
#include "../gen/mem.h"
#include "../gen/rig.h"
#include <immintrin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

enum { PEAK_STEPS = 100000 };

static void call_peak512(void *macs) {
  *(double *)macs = peak512(PEAK_STEPS);
}

static void call_peak256(void *macs) {
  *(double *)macs = peak256(PEAK_STEPS);
}

/* Median share of the peak of the widest fused unit that the target uses. */
static double share(struct rig *rig, const struct layer *layer, const struct setting *setting) {
  double seconds[2 * MAX_ROUNDS], macs = 0;
  const struct timed turns[] = {{strcmp(setting->target, "avx512") == 0 ? call_peak512 : call_peak256, &macs}, rig_timed(rig)};
  timing_rounds(turns, 2, setting->rounds, false, seconds);
  const double ratio = timing_ratio(seconds, seconds + setting->rounds, (size_t)setting->rounds);
  return ratio * (double)layer->op->multiply_adds(layer) / macs;
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
    struct rig rig;
    if (!rig_open(&rig, layer, &kernels[i], NULL, 1)) return fprintf(stderr, "out of memory\n"), false;
    const double part = share(&rig, layer, setting);
    printf("%-28s %-7s %-40s %5.1f %%  (cost %.3g)\n", layer->name, setting->target, plans[i]->id, 100 * part, plans[i]->cost);
    fflush(stdout);
    rig_close(&rig);
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
  timing_pin();
  struct job job;
  bool good = job_open(&job, &setting.options);
  for (size_t i = 0; good && i < job.spec.count; i++) good = measure(&job, &job.spec.layers[i], &setting);
  const int status = job_close(&job, good ? EXIT_OK : EXIT_FAILED);
  scratch_remove();
  mem_release(0);
  return status;
}
