/* Convolutions in planes: at the ends of the guard's range and beyond them, where the system refuses the registers, and why layers
 * are refused. What tiles compute is verified like every plan, here on layers that take every way through the templates. */
#include "../gen/exam.h"
#include "../gen/op.h"
#include "made.h"
#include <math.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/wait.h>
#ifdef __linux__
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

static const char dense[] = "convsmith: 1\n"
                            "layers:\n"
                            "  - {name: dense, input: [1, 64, 12, 14], out_channels: 64, kernel_size: 3, padding: 1, bias: true}\n";

static void skip_without_tiles(void) {
  assert_int_equal(convsmith("targets"), 0);
  if (!strstr(said, "amx          yes")) SKIP_BECAUSE("this machine has no tiles of bf16");
}

static const char *dense_path(void) {
  return scratch_write("dense.yaml", dense);
}

/* Weights of the layer, one of them too small for planes. */
static void write_extreme(void) {
  static float values[64 * 64 * 3 * 3] = {1, 1e-20f};
  const struct cs_npy array = {
      .dtype = CS_F32, .rank = 4, .shape = {64, 64, 3, 3}, .count = sizeof values / sizeof *values, .data = values};
  assert_null(cs_npy_write(scratch_path("extreme.npy"), &array));
}

/* Weights of three steps of channels. */
static void write_chunks(void) {
  static float values[16 * 96 * 3];
  const size_t count = sizeof values / sizeof *values;
  const struct cs_npy array = {.dtype = CS_F32, .rank = 3, .shape = {16, 96, 3}, .count = count, .data = values};
  for (size_t i = 0; i < count; i++) values[i] = sinf((float)i);
  assert_null(cs_npy_write(scratch_path("chunks.npy"), &array));
}

static int begin(void **state) {
  (void)state;
  scratch_begin("planes");
  write_extreme();
  return 0;
}

/* ---- layers -------------------------------------------------------------------------------------------------------- */

/* All layers of a spec are right, and none is left to vectors. */
static void verify_all(const char *compiler, const char *name) {
  skip_without_tiles();
  if (process_run(said, sizeof said, "CC=%s %s/convsmith verify specs/features/%s.yaml --target amx", compiler, process_out(),
                  name) != 0)
    fail_msg("%s", said);
  assert_null(strstr(said, "direct-"));
  assert_non_null(strstr(said, ", 0% of blocks fell back"));
}

/* Strides, dilations, groups, batches, layouts, 1 to 3 dimensions, padding modes, rests of channels and of rows. */
static void layers_are_right(void **state) {
  verify_all(*state, "amx");
}

/* Joined taps: with strides, borders on both sides, the last ones beyond the input, 1 and 2 dimensions, batches. */
static void first_layers_are_right(void **state) {
  verify_all(*state, "amx_first");
}

/* Residues with inputs of their own and shared ones, both, groups, 1 and 2 dimensions, rests. */
static void transposed_layers_are_right(void **state) {
  verify_all(*state, "amx_transposed");
}

/* bf16 is its only plane. */
static void bf16_layers_are_right(void **state) {
  verify_all(*state, "amx_bf16");
  assert_non_null(strstr(said, "  planes1-"));
}

/* Baked weights, of both algorithms. */
static void baked_layers_are_right(void **state) {
  verify_all(*state, "amx_baked");
  assert_non_null(strstr(said, "  planes3-"));
  assert_non_null(strstr(said, "winograd-2-planes3"));
}

/* Two planes, where that is enough. */
static void fast_layers_are_right(void **state) {
  (void)state;
  skip_without_tiles();
  if (convsmith("verify specs/features/amx.yaml --target amx --set accuracy=fast") != 0) fail_msg("%s", said);
  assert_non_null(strstr(said, "planes2-"));
  assert_null(strstr(said, "planes3-"));
}

/* Chunks of channels with strides, dilations, groups, batches, layouts, 2 and 3 dimensions, residues; tiles that end with rows,
 * columns whose taps have places of their own, all channels of some pixels in turn. */
static void chunks_are_right(void **state) {
  verify_all(*state, "amx_chunks");
  assert_non_null(strstr(said, "-by64 "));
  assert_non_null(strstr(said, "-by64-cut "));
  assert_non_null(strstr(said, "-apart "));
  assert_non_null(strstr(said, "-across "));
}

/* The same where other plans are chosen: 1×1, bf16, two planes, baked weights. */
static void other_chunks_are_right(void **state) {
  static const char chunks[] = "specs/features/amx_chunks.yaml";
  const char *const runs[][2] = {
      {chunks, "--layer chunks_pointwise --plans planes3-rows17-by256"},
      {chunks, "--layer chunks_strided --plans planes1-rows18-by128-apart --set dtype=bf16"},
      {chunks, "--layer chunks_groups --plans planes2-rows17-by64-apart --set accuracy=fast"},
      {dense_path(), "--plans planes3-rows1-by64 --set weights=chunks.npy --set 'input=[1, 96, 2000]' --set out_channels=16"},
  };
  (void)state;
  skip_without_tiles();
  write_chunks();
  for (size_t i = 0; i < sizeof runs / sizeof *runs; i++)
    if (convsmith("verify %s --target amx %s", runs[i][0], runs[i][1]) != 0) fail_msg("%s", said);
}

/* Winograd's products: rests of channels and of tiles, residues, batches, both layouts, 1 and 2 dimensions. */
static void winograd_layers_are_right(void **state) {
  verify_all(*state, "amx_winograd");
  assert_non_null(strstr(said, "winograd-2x2-planes3"));
}

/* ---- the range of the guard ---------------------------------------------------------------------------------------- */

static const struct plan *planes_plan(const struct layer *layer) {
  const struct plan_list plans = plan_enumerate(layer, isa_find(&made.isas, "amx"));
  for (size_t i = 0; i < plans.usable; i++)
    if (strncmp(plans.items[i].id, "planes", 6) == 0) return &plans.items[i];
  fail_msg("no plan of planes");
  return NULL;
}

/* Multiplies random inputs and weights by powers of two and expects anew. Random numbers are odd multiples of 2^-24 below 1. */
static void scale(struct exam *exam, int input, int weights) {
  struct trial *trial = &exam->trials[1];
  const void *data[MAX_TENSORS];
  for (size_t i = 0; i < exam->count; i++) {
    float *values = trial->logical[i];
    const int exponent = strcmp(exam->tensors[i].name, "input") == 0 ? input
                         : strcmp(exam->tensors[i].name, "weights")  ? 0
                                                                     : weights;
    for (size_t e = 0; e < tensor_count(&exam->tensors[i]); e++) values[e] = ldexpf(values[e], exponent);
    data[i] = values;
  }
  exam->layer->op->expect(exam->layer, &exam->promise, data, exam->sample.elements, exam->sample.count, trial->expect);
}

/* Products down to the least normal number, up to the largest; and what is out of range on one side, which goes another way. */
static void range_is_exact(void **state) {
  static const int scales[][2] = {{-16, -16}, {40, 40}, {-16, 40}, {-17, -16}, {-60, -60},
                                  {-100, 90}, {41, 40}, {80, 40},  {90, -90}};
  (void)state;
  skip_without_tiles();
  made_open(dense_path(), "amx", "");
  const struct layer *layer = made.spec.layers;
  const struct plan *plan = planes_plan(layer);
  const struct kernel_source source = {layer, &plan, 1, ""};
  struct text message = {0};
  const struct kernel *kernel = kernel_build(&made, &source, 1, "planes", &message);
  if (!kernel) fail_msg("%s", message.data);
  struct outcome *outcome = mmap(NULL, sizeof *outcome, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  for (size_t i = 0; i < sizeof scales / sizeof *scales; i++) {
    const size_t mark = mem_mark();
    struct exam exam;
    *outcome = (struct outcome){.state = NOT_EXAMINED};
    exam_prepare(&exam, layer, &plan, 1, true, 1);
    scale(&exam, scales[i][0], scales[i][1]);
    exam_run(&exam, kernel, outcome);
    if (outcome->state != RIGHT) fail_msg("inputs by 2^%d, weights by 2^%d: %s", scales[i][0], scales[i][1], outcome->message);
    mem_release(mark);
  }
  munmap(outcome, sizeof *outcome);
  made_close();
}

/* ---- permission ---------------------------------------------------------------------------------------------------- */

#if defined __linux__ && defined __x86_64__
/* From here on the system refuses the registers to this process. */
static bool refuse_registers(void) {
  enum { REQUEST = 0x1023 };
  struct sock_filter rules[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_arch_prctl, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, REQUEST, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const struct sock_fprog program = {sizeof rules / sizeof *rules, rules};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 &&
         syscall(SYS_arch_prctl, REQUEST, 18) != 0;
}

/* The exit status of a program that runs so; 77 where this system has no such filters. */
static int run_refused(const char *path) {
  const pid_t child = fork();
  int status = 0;
  if (child == 0) {
    if (!refuse_registers()) _exit(77);
    execl(path, path, (char *)NULL);
    _exit(127);
  }
  assert_int_equal(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Files for tiles alone, and one that has another target too: what runs is right, and no tile instruction, which would end it. */
static void refusal_takes_another_way(void **state) {
  static const char *const options[] = {"--target amx", "--target amx,avx512",
                                        "--target amx --set accuracy=normwise --set algorithm=winograd"};
  (void)state;
  skip_without_tiles();
  for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
    assert_int_equal(convsmith("generate %s %s --emit-test -o %s", dense_path(), options[i], scratch_path("refused")), 0);
    assert_non_null(strstr(text_of(scratch_path("refused/dense.c")), "CONVSMITH_AMX_MULTIPLY(0"));
    MUST("cd refused && cc -std=c99 -O2 dense.c dense_test.c -o dense -lm && ./dense");
    const int status = run_refused(scratch_path("refused/dense"));
    if (status == 77) SKIP_BECAUSE("this system filters no system calls");
    assert_int_equal(status, 0);
  }
}
#endif

/* ---- reasons ------------------------------------------------------------------------------------------------------- */

/* A layer and a part of what info says of its plan in planes. */
static const struct {
  const char *set, *reason;
} refusals[] = {
    {"input='[1, 8, 12, 14]' --set layout=nchw", "groups of 8 input and 64 output channels; tiles need 16 of each"},
    {"weights=extreme.npy", "a baked weight lies outside 2^-40 to 2^40"},
    {"unroll=full", "unroll: full asks for no loop"},
    {"input='[1, 16, 12, 14]' --set kernel_size=1 --set padding=0", "it needs accuracy: normwise, the layer's is strict"},
    {"dtype=f64", "planes of bf16 make up f32 only"},
    {"dtype=bf16 --set kernel_size=3 --set weights=extreme.npy", "baked weights are made into planes of f32 only"},
    {"input='[1, 64, 2, 40000]'", "bytes of workspace"},
    {"op=tiled_conv --set tile=4 --set kernel_size=5 --set padding=2", "12 kernels take turns among the outputs; at most 9"},
    {"op=tiled_conv --set tile=4", "2 phases of outputs with inputs or bias of their own"},
    {"groups=2 --set accuracy=normwise", "2 groups; products on tile registers have 1"},
    {"input='[1, 8, 12, 14]' --set accuracy=normwise", "8 input and 64 output channels; tile registers need 16 of each"},
    {"input='[1, 16, 12, 14]' --set kernel_size=2 --set accuracy=normwise",
     "roundings, accuracy: normwise allows 4 times their 64 terms"},
    {"kernel_size=5 --set accuracy=fast", "its points are too many for accuracy: normwise"},
};

static void refusals_have_reasons(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
    assert_int_equal(convsmith("info %s --target amx --explain --set %s", dense_path(), refusals[i].set), 0);
    if (!strstr(said, refusals[i].reason)) fail_msg("--set %s: no '%s' in\n%s", refusals[i].set, refusals[i].reason, said);
  }
  assert_int_equal(convsmith("info %s --target avx512 --explain", dense_path()), 0);
  assert_null(strstr(said, "planes"));
}

int main(void) {
  static char gcc[] = "gcc", clang[] = "clang";
  const struct CMUnitTest tests[] = {
    {"layers are right as gcc makes them", layers_are_right, NULL, NULL, gcc},
    {"layers are right as clang makes them", layers_are_right, NULL, NULL, clang},
    {"winograd layers are right as gcc makes them", winograd_layers_are_right, NULL, NULL, gcc},
    {"winograd layers are right as clang makes them", winograd_layers_are_right, NULL, NULL, clang},
    {"transposed layers are right as gcc makes them", transposed_layers_are_right, NULL, NULL, gcc},
    {"transposed layers are right as clang makes them", transposed_layers_are_right, NULL, NULL, clang},
    {"first layers are right as gcc makes them", first_layers_are_right, NULL, NULL, gcc},
    {"first layers are right as clang makes them", first_layers_are_right, NULL, NULL, clang},
    {"baked layers are right as gcc makes them", baked_layers_are_right, NULL, NULL, gcc},
    {"baked layers are right as clang makes them", baked_layers_are_right, NULL, NULL, clang},
    {"bf16 layers are right as gcc makes them", bf16_layers_are_right, NULL, NULL, gcc},
    {"bf16 layers are right as clang makes them", bf16_layers_are_right, NULL, NULL, clang},
    {"chunks are right", chunks_are_right, NULL, NULL, gcc},
    cmocka_unit_test(other_chunks_are_right),
    cmocka_unit_test(fast_layers_are_right),
    cmocka_unit_test(range_is_exact),
#if defined __linux__ && defined __x86_64__
    cmocka_unit_test(refusal_takes_another_way),
#endif
    cmocka_unit_test(refusals_have_reasons),
  };
  return cmocka_run_group_tests_name("planes", tests, begin, NULL);
}
