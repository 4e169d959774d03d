/* Programs that use generated files: in C++, as a shared library, from several specs, in threads, from the builds that
 * docs/build.md shows, and on several CPUs. */
#include "../gen/kernel.h"
#include "../gen/op.h"
#include "made.h"
#include <dlfcn.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/stat.h>

/* stem.npy: weights [2, 3, 3, 3], all `value`. */
static void write_weights(const char *path, float value) {
  float values[54];
  for (int i = 0; i < 54; i++) values[i] = value;
  const struct cs_npy array = {.dtype = CS_F32, .rank = 4, .shape = {2, 3, 3, 3}, .count = 54, .data = values};
  assert_null(cs_npy_write(path, &array));
}

/* Copies tests/consumers into a new folder of the scratch folder. */
static void copy_consumers(const char *folder) {
  MUST("mkdir %s && cp \"$OLDPWD\"/tests/consumers/* %s", folder, folder);
  write_weights(scratch_path(mem_text("%s/stem.npy", folder)), 1);
}

static void generate(const char *folder, const char *spec) {
  const char *path = scratch_path(folder);
  if (convsmith("generate %s/%s -o %s", path, spec, path) != 0) fail_msg("%s", said);
}

/* ---- in one program ---------------------------------------------------------------------------------------------------- */

/* head: a corner sums 4 taps of 3 channels, an inner output 9 taps; tail: tanh of an inner one times 1/27, and 0. */
static const char both_says[] = "12 27 0.761594 0\n";

static void two_specs_and_cxx(void **state) {
  (void)state;
  copy_consumers("both");
  generate("both", "layers.yaml");
  generate("both", "second.yaml");
  MUST("cd both && cc -std=c99 -O2 -c head.c && cc -std=c99 -O2 -c tail.c && cc -std=c99 -O2 -c stem.c");
  MUST("cd both && c++ -std=c++11 " CLEAN " both.cc head.o tail.o stem.o -lm -o both && ./both");
  assert_string_equal(said, both_says);
}

/* Both specs' files in one translation unit, compiled by the other compiler. */
static void two_specs_in_one_file(void **state) {
  (void)state;
  scratch_write("both/all.c", "#include \"tail.c\"\n#include \"head.c\"\n#include \"stem.c\"\n#include \"tail.h\"\n");
  const char *c = have("clang") ? "clang" : "cc";
  MUST("cd both && %s -std=c99 -O2 " CLEAN " -c all.c && c++ -std=c++11 both.cc all.o -lm -o one && ./one", c);
  assert_string_equal(said, both_says);
}

static void shared_library(void **state) {
  static const char *const c[] = {"gcc", "clang"};
  (void)state;
  for (int i = 0; i < 2; i++) {
    if (!have(c[i])) continue;
    MUST("cd both && %s -std=c99 -O2 -fPIC -shared -Wl,-z,defs -Wl,-z,text stem.c tail.c -lm -o lib%s.so", c[i], c[i]);
    void *library = dlopen(scratch_path(mem_text("both/lib%s.so", c[i])), RTLD_NOW | RTLD_LOCAL);
    assert_non_null(library);
    void (*pack)(const float *, void *);
    void (*stem)(const float *, const void *, float *);
    *(void **)&pack = dlsym(library, "stem_pack");
    *(void **)&stem = dlsym(library, "stem");
    assert_non_null(dlsym(library, "tail_part"));
    assert_null(dlsym(library, "stem_pick"));
    float x[3 * 6 * 7], y[2 * 6 * 7], packed[64];
    const float bias[] = {0.5f, -12.5f};
    for (int k = 0; k < 3 * 6 * 7; k++) x[k] = 1;
    pack(bias, packed);
    stem(x, packed, y);
    assert_true(y[0] == 12.5f && y[1] == 0 && y[16] == 27.5f && y[17] == 14.5f);
    dlclose(library);
  }
}

/* ---- targets at run time -------------------------------------------------------------------------------------------------- */

/* The same data through two kernels gives the same bits. */
static void same_bits(const struct layer *layer, const struct kernel *one, const struct kernel *two) {
  static double data[MAX_TENSORS][1 << 14];
  struct tensor tensors[MAX_TENSORS];
  const void *inputs[MAX_TENSORS], *parameters[MAX_TENSORS];
  const struct kernel *kernels[] = {one, two};
  size_t input = 0, parameter = 0, bytes = 0;
  const size_t count = layer->op->tensors(layer, tensors);
  for (size_t i = 0; i < count; i++) {
    cs_fill(data[i], tensor_count(&tensors[i]), tensors[i].dtype, CS_FILL_RANDOM, 0, i + 1);
    if (tensors[i].role == TENSOR_OUTPUT) bytes = tensor_count(&tensors[i]) * cs_size(tensors[i].dtype);
    if (tensors[i].role == TENSOR_PARAMETER && !tensors[i].baked) parameters[parameter++] = data[i];
    if (tensors[i].role == TENSOR_INPUT || tensors[i].role == TENSOR_RESIDUAL) inputs[input++] = data[i];
  }
  void *outputs[2];
  for (int k = 0; k < 2; k++) {
    void *packed = malloc(kernels[k]->packed_bytes + 1);
    outputs[k] = malloc(bytes);
    if (kernels[k]->pack) kernels[k]->pack(parameters, packed);
    kernels[k]->whole(inputs, packed, outputs[k], NULL);
    free(packed);
  }
  if (memcmp(outputs[0], outputs[1], bytes) != 0) fail_msg("%s: a file of several targets gives other bits", layer->name);
  free(outputs[0]);
  free(outputs[1]);
}

/* Files of all default targets against files of the best of them that runs here. */
static void the_best_target_is_picked(void **state) {
  enum { EVERY = 3 };
  (void)state;
  made_open("tests/data/odd.yaml", "", "");
  struct kernel_source *sources = mem_array(2 * made.spec.count, sizeof *sources);
  struct text message = {0};
  size_t count = 0;
  for (size_t i = 0; i < made.spec.count; i += EVERY) {
    const struct layer *layer = &made.spec.layers[i];
    const struct isa_set targets = made_targets(layer);
    const struct plan *const *plans = job_plans(&made, layer, &targets);
    size_t best = 0;
    for (size_t t = 1; t < targets.count; t++)
      if (targets.items[t]->runs_here && targets.items[t]->rank > targets.items[best]->rank) best = t;
    sources[count++] = (struct kernel_source){layer, plans, targets.count, "all_"};
    sources[count++] = (struct kernel_source){layer, plans + best, 1, "one_"};
  }
  const struct kernel *kernels = kernel_build(&made, sources, count, "picking", &message);
  if (!kernels) fail_msg("%s", message.data);
  for (size_t i = 0; i < count; i += 2) same_bits(sources[i].layer, &kernels[i], &kernels[i + 1]);
  made_close();
}

/* CPUs as QEMU knows them, and the place among head's targets, best first, of what each gets: avx512, avx2, sse41, scalar. */
static const struct {
  const char *cpu, *pick;
} cpus[] = {{"qemu64", "4\n"},       {"Nehalem", "3\n"},        {"Haswell", "2\n"},
            {"Haswell,-fma", "3\n"}, {"Haswell,-xsave", "3\n"}, {"max", "2\n"}};

static void other_cpus(void **state) {
  (void)state;
  if (!have("qemu-x86_64")) SKIP_BECAUSE("no qemu-x86_64 (Debian's qemu-user)");
  MUST("cd both && convsmith generate layers.yaml --layer head -o . --emit-test");
  MUST("cd both && cc -std=c99 -O2 pick.c -o pick -lm && cc -std=c99 -O1 head.c head_test.c -o test -lm");
  for (size_t i = 0; i < sizeof cpus / sizeof *cpus; i++) {
    MUST("cd both && (qemu-x86_64 -cpu %s ./pick 2>/dev/null)", cpus[i].cpu);
    if (strcmp(said, cpus[i].pick) != 0) fail_msg("%s: picked number %s", cpus[i].cpu, said);
    MUST("cd both && (qemu-x86_64 -cpu %s ./test 2>/dev/null)", cpus[i].cpu);
    assert_string_equal(said, "head: ok\n");
  }
}

/* ---- threads ------------------------------------------------------------------------------------------------------------------
 */

static void threads(void **state) {
  (void)state;
  MUST("cd both && cc -std=c99 -O2 threads.c head.c -o threads -lpthread -lm && ./threads");
  assert_string_equal(said, "equal\n");
}

/* The thread sanitizer finds no race, neither in the pick nor between parts. */
static void threads_race_nowhere(void **state) {
  (void)state;
  scratch_write("both/empty.c", "int main(void) { return 0; }\n");
  if (in_scratch("cd both && clang -fsanitize=thread empty.c -o empty && ./empty") != 0)
    SKIP_BECAUSE("no clang with a thread sanitizer that runs here");
  MUST("cd both && clang -std=c99 -O1 -g -fsanitize=thread threads.c head.c -o races -lpthread -lm && ./races");
  assert_string_equal(said, "equal\n");
}

/* Outputs that a share writes. */
static int64_t written(const struct kernel *kernel, const float *input, const void *packed, int64_t outputs, int part, int parts) {
  float *output = mem_array((size_t)outputs, sizeof *output);
  int64_t count = 0;
  for (int64_t i = 0; i < outputs; i++) output[i] = NAN;
  kernel->part((const void *[]){input}, packed, output, NULL, part, parts);
  for (int64_t i = 0; i < outputs; i++) count += !isnan(output[i]);
  return count;
}

static const struct plan *plan_named(const struct layer *layer, const struct isa *isa, const char *id) {
  const struct plan_list plans = plan_enumerate(layer, isa);
  for (size_t i = 0; i < plans.usable; i++)
    if (!strcmp(plans.items[i].id, id)) return &plans.items[i];
  fail_msg("%s: no plan %s", layer->name, id);
  return NULL;
}

/* The last block of channels is half as wide as the others: shares hold as much work, up to a row of a wide one. */
static void shares_are_even(void **state) {
  enum { ROW = 7 * 2, MOST = 6 };
  static float input[2 * 3 * 7 * 7], weights[5 * 3 * 9], packed[1024];
  (void)state;
  made_open(scratch_write("uneven.yaml", "convsmith: 1\ndefaults: {out_channels: 5, kernel_size: 3, padding: 1}\nlayers:\n"
                                         "  - {name: one, input: [1, 3, 7, 7]}\n  - {name: two, input: [2, 3, 7, 7]}\n"),
            "scalar", "");
  for (size_t l = 0; l < 2; l++) {
    const struct plan *plan = plan_named(&made.spec.layers[l], isa_find(&made.isas, "scalar"), "direct-channels-4x2-rows");
    const struct kernel_source source = {&made.spec.layers[l], &plan, 1, ""};
    struct text message = {0};
    const struct kernel *kernel = kernel_build(&made, &source, 1, mem_text("uneven%zu", l), &message);
    if (!kernel) fail_msg("%s", message.data);
    const int64_t outputs = ((int64_t)l + 1) * 5 * 7 * 7;
    kernel->pack((const void *[]){weights}, packed);
    for (int parts = 1; parts <= MOST; parts++)
      for (int part = 0; part < parts; part++) {
        const int64_t count = written(kernel, input, packed, outputs, part, parts);
        if (llabs(count - outputs / parts) > ROW)
          fail_msg("share %d of %d holds %lld of %lld outputs", part, parts, (long long)count, (long long)outputs);
      }
  }
  made_close();
}

/* ---- builds -------------------------------------------------------------------------------------------------------------------
 */

/* Writes the first block of docs/build.md in `language` to `to`, with a --template-path. */
static void write_example(const char *language, const char *to) {
  const char *from = strstr(text_of("docs/build.md"), mem_text("```%s\n", language));
  assert_non_null(from);
  from = strchr(from, '\n') + 1;
  const int size = (int)(strstr(from, "```") - from);
  scratch_write(to, mem_text("%.*s", size, from));
  MUST("sed -i 's/ --depfile/ --template-path $(T) --depfile/' %s", to);
}

static time_t changed(const char *path) {
  struct stat status;
  assert_int_equal(stat(scratch_path(path), &status), 0);
  return status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec;
}

/* How a program is built in a folder of tests/consumers, where its program ends up, and a generated source. */
struct build {
  const char *folder, *command, *program, *source;
};

static void build(const struct build *build) {
  MUST("cd %s && %s", build->folder, build->command);
}

/* Builds again; the program, and its generated source, are new or not. */
static void build_again(const struct build *how, bool anew, const char *why) {
  const time_t program = changed(how->program), source = changed(how->source);
  build(how);
  if (anew != (changed(how->program) > program)) fail_msg("%s: %s: the program is %s", how->folder, why, anew ? "old" : "new");
  if (anew != (changed(how->source) > source)) fail_msg("%s: %s: the source is %s", how->folder, why, anew ? "old" : "new");
}

static void says(const struct build *how, const char *text) {
  MUST("./%s", how->program);
  assert_string_equal(said, text);
}

/* Whatever the files came from makes them anew when it changes, and nothing else does. */
static void rebuilds(const struct build *how) {
  build(how);
  says(how, "27.5 0\n");
  build_again(how, false, "nothing changed");
  MUST("cd %s && touch second.yaml both.cc", how->folder);
  build_again(how, false, "an unrelated file changed");
  MUST("cd %s && sed -i 's/activation: relu/activation: none/' layers.yaml", how->folder);
  build_again(how, true, "the spec changed");
  says(how, "27.5 -973\n");
  write_weights(scratch_path(mem_text("%s/stem.npy", how->folder)), 2);
  build_again(how, true, "the weights changed");
  says(how, "54.5 -946\n");
  MUST("cd %s && sed -i 's/Do not edit/Do not touch/' t/lib/head.t", how->folder);
  build_again(how, true, "a template changed");
  MUST("cd %s && grep -q 'Do not touch' \"$OLDPWD\"/%s", how->folder, how->source);
  build_again(how, false, "nothing changed since");
}

static void make_builds(void **state) {
  (void)state;
  copy_consumers("make");
  write_example("make", "make/Makefile");
  MUST("mkdir -p make/t/lib make/gen && cp \"$OLDPWD\"/templates/lib/head.t make/t/lib");
  rebuilds(&(struct build){"make", "make -s T=t", "make/app", "make/gen/stem.c"});
}

static void cmake_builds(void **state) {
  (void)state;
  if (!have("cmake")) SKIP_BECAUSE("no cmake");
  copy_consumers("cmake");
  write_example("cmake", "cmake/CMakeLists.txt");
  MUST("mkdir -p cmake/t/lib cmake/build/gen && cp \"$OLDPWD\"/templates/lib/head.t cmake/t/lib");
  MUST("sed -i 's/\\$(T)/${CMAKE_SOURCE_DIR}\\/t/' cmake/CMakeLists.txt && cd cmake/build && cmake .. > /dev/null");
  rebuilds(&(struct build){"cmake", "cmake --build build > log", "cmake/build/app", "cmake/build/gen/stem.c"});
}

static int begin(void **state) {
  (void)state;
  scratch_begin("consumers");
  static const char *const outer[] = {"MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "CFLAGS"};
  for (size_t i = 0; i < sizeof outer / sizeof *outer; i++) unsetenv(outer[i]); /* a consumer's make is nobody's sub-make */
  char *out = realpath(process_out(), NULL);
  setenv("PATH", mem_text("%s:%s", out, getenv("PATH")), 1);
  free(out);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(two_specs_and_cxx),    cmocka_unit_test(two_specs_in_one_file),
      cmocka_unit_test(shared_library),       cmocka_unit_test(the_best_target_is_picked),
      cmocka_unit_test(other_cpus),           cmocka_unit_test(threads),
      cmocka_unit_test(threads_race_nowhere), cmocka_unit_test(shares_are_even),
      cmocka_unit_test(make_builds),          cmocka_unit_test(cmake_builds),
  };
  return cmocka_run_group_tests(tests, begin, NULL);
}
