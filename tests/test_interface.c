/* What a program sees of generated files: headers in C and C++, constants, prefixes, single headers, baked values, packing. */
#include "../gen/alg.h"
#include "../gen/kernel.h"
#include "../gen/op.h"
#include "made.h"
#include <ctype.h>
#include <stddef.h>

static const char odd[] = "tests/data/odd.yaml";

static const char *capitals_of(const char *name) {
  char *result = mem_text("%s", name);
  for (char *c = result; *c; c++) *c = (char)toupper((unsigned char)*c);
  return result;
}

/* ---- headers ----------------------------------------------------------------------------------------------------------- */

static void headers_stand_alone(void **state) {
  (void)state;
  made_open(odd, "", "");
  made_generate("headers");
  const char *all = "";
  for (int twice = 0; twice < 2; twice++)
    for (size_t i = 0; i < made.spec.count; i++) all = mem_text("%s#include \"%s.h\"\n", all, made.spec.layers[i].name);
  scratch_write("headers/user.c", mem_text("%sint main(void) { return ODD_SINGLE_OUTPUT_BYTES - 4; }\n", all));
  MUST("cd headers && cc -std=c99 -fsyntax-only " CLEAN " user.c");
  MUST("cd headers && c++ -std=c++11 -x c++ -fsyntax-only " CLEAN " user.c");
  if (have("clang")) MUST("cd headers && clang -std=c99 -fsyntax-only " CLEAN " user.c");
  if (have("clang++")) MUST("cd headers && clang++ -std=c++11 -x c++ -fsyntax-only " CLEAN " user.c");
  made_close();
}

/* The number after "key": behind `from`. */
static long number_after(const char *from, const char *key) {
  const char *at = strstr(from, mem_text("\"%s\":", key));
  assert_non_null(at);
  return strtol(strchr(at, ':') + 1, NULL, 10);
}

static const char *assertion(const char *text, const char *layer, const char *constant, long value) {
  static int number;
  return mem_text("%stypedef char check%d[%s_%s == %ld ? 1 : -1];\n", text, number++, capitals_of(layer), constant, value);
}

/* The constants of a single target's header are the numbers of info --json. */
static void constants_are_what_info_says(void **state) {
  static const char *const targets[] = {"scalar", "sse41", "avx512", "amx"};
  (void)state;
  for (int t = 0; t < 3; t++) {
    made_open(odd, targets[t], "");
    made_generate("constants");
    assert_int_equal(
        process_run(said, sizeof said, "%s/convsmith info %s --json --target %s 2>/dev/null", process_out(), odd, targets[t]), 0);
    const char *info = mem_text("%s", said), *checks = "#include \"all.c\"\n";
    for (size_t i = 0; i < made.spec.count; i++) {
      const char *name = made.spec.layers[i].name, *at = strstr(info, mem_text("\"name\": \"%s\"", name));
      assert_non_null(at);
      checks = assertion(checks, name, "PACKED_BYTES", number_after(at, "packed_bytes"));
      checks = assertion(checks, name, "WORKSPACE_BYTES", number_after(at, "workspace_bytes"));
    }
    scratch_write("constants/checks.c", checks);
    MUST("cd constants && cc -std=c99 -fsyntax-only checks.c");
    made_close();
  }
}

/* …_BYTES of every tensor that is passed, and none of those that are baked; the packed buffer is as large as any target needs. */
static void constants_of_tensors(void **state) {
  (void)state;
  made_open(odd, "scalar", "");
  made_generate("tensors");
  const char *checks = "#include \"all.c\"\n";
  for (size_t i = 0; i < made.spec.count; i++) {
    const struct layer *layer = &made.spec.layers[i];
    struct tensor tensors[MAX_TENSORS];
    const size_t count = layer->op->tensors(layer, tensors);
    for (size_t t = 0; t < count; t++) {
      const char *constant = mem_text("%s_BYTES", capitals_of(tensors[t].name));
      const char *header = text_of(scratch_path(mem_text("tensors/%s.h", layer->name)));
      assert_int_equal(strstr(header, mem_text("%s_%s", capitals_of(layer->name), constant)) == NULL, tensors[t].baked != NULL);
      if (tensors[t].baked) continue;
      checks = assertion(checks, layer->name, constant, (long)(tensor_count(&tensors[t]) * cs_size(tensors[t].dtype)));
    }
  }
  scratch_write("tensors/checks.c", checks);
  MUST("cd tensors && cc -std=c99 -fsyntax-only checks.c");
  made_close();
}

static void packed_is_the_largest_of_the_targets(void **state) {
  (void)state;
  made_open(odd, "", "");
  made_generate("largest");
  const char *checks = "#include \"all.c\"\n";
  for (size_t i = 0; i < made.spec.count; i++) {
    const struct isa_set targets = made_targets(&made.spec.layers[i]);
    const struct plan *const *plans = job_plans(&made, &made.spec.layers[i], &targets);
    int64_t bytes = 0;
    for (size_t t = 0; t < targets.count; t++)
      if (plans[t]->packed_bytes > bytes) bytes = plans[t]->packed_bytes;
    checks = assertion(checks, made.spec.layers[i].name, "PACKED_BYTES", (long)bytes);
  }
  scratch_write("largest/checks.c", checks);
  MUST("cd largest && cc -std=c99 -fsyntax-only checks.c");
  made_close();
}

/* A size beyond an int is a size_t macro. */
static void sizes_beyond_int(void **state) {
  (void)state;
  const char *path = scratch_write("wide.yaml", "convsmith: 1\nlayers: [{name: wide, input: [1, 1, 1000000000], out_channels: 1,"
                                                "kernel_size: 1, target: scalar}]\n");
  assert_int_equal(convsmith("generate %s -o %s", path, scratch_path("wide")), 0);
  scratch_write("wide/user.c",
                "#include \"wide.c\"\n"
                "typedef char check[WIDE_INPUT_BYTES == 4000000000u && sizeof WIDE_INPUT_BYTES == sizeof(size_t) ? 1 : -1];\n");
  MUST("cd wide && cc -std=c99 -fsyntax-only " CLEAN " user.c");
  MUST("cd wide && grep -q 'define WIDE_INPUT_BYTES' wide.h && grep -q 'enum { WIDE_PACKED_BYTES = 4 }' wide.h");
}

/* ---- prefixes and single headers --------------------------------------------------------------------------------------- */

static void prefixes(void **state) {
  (void)state;
  assert_int_equal(convsmith("generate %s -o %s --prefix net_", odd, scratch_path("prefix")), 0);
  MUST("cd prefix && cc -std=c99 -O1 -c odd_everything.c");
  struct object object;
  assert_true(object_read(scratch_path("prefix/odd_everything.o"), &object));
  for (size_t i = 0; i < object.count; i++)
    if (object.symbols[i].type == 'T') assert_memory_equal(object.symbols[i].name, "net_odd_everything", 18);
  assert_true(object_largest(&object, "net_odd_everything") > 0);
  object_free(&object);
  MUST("cd prefix && grep -q 'NET_ODD_EVERYTHING_PACKED_BYTES' odd_everything.h");
}

/* One file has the code, another only the declarations; both are warned of nothing. */
static void single_header(void **state) {
  static const char *const languages[][2] = {
      {"cc", "-std=c99"}, {"c++", "-std=c++11 -x c++"}, {"clang", "-std=c99"}, {"clang++", "-std=c++11 -x c++"}};
  (void)state;
  assert_int_equal(convsmith("generate specs/features/layouts.yaml --single-file %s", scratch_path("one/layouts.h")), 0);
  scratch_write("one/code.c", "#define LAYOUTS_IMPLEMENTATION\n#include \"layouts.h\"\n");
  scratch_write("one/user.c",
                "#include \"layouts.h\"\n#include \"layouts.h\"\n#include <stdio.h>\n"
                "static float x[2 * 6 * 7 * 9], w[10 * 6 * 9], y[2 * 10 * 7 * 9], packed[LAST_TO_FIRST_PACKED_BYTES / 4];\n"
                "int main(void) {\n"
                "  int i;\n"
                "  for (i = 0; i < 2 * 6 * 7 * 9; i++) x[i] = 1;\n"
                "  for (i = 0; i < 10 * 6 * 9; i++) w[i] = 1;\n"
                "  last_to_first_pack(w, packed);\n"
                "  last_to_first(x, packed, y);\n"
                "  printf(\"%g %g\\n\", y[0], y[10]);\n" /* a corner: 4 taps of 6 channels; all 9 taps */
                "  return 0;\n"
                "}\n");
  for (size_t i = 0; i < sizeof languages / sizeof *languages; i++) {
    if (!have(languages[i][0])) continue;
    MUST("cd one && %s %s -O1 " CLEAN " -c code.c && %s %s -O1 " CLEAN " -c user.c", languages[i][0], languages[i][1],
         languages[i][0], languages[i][1]);
    MUST("cd one && %s code.o user.o -lm -o user && ./user", languages[i][0]);
    assert_string_equal(said, "24 54\n");
  }
}

/* ---- baked values and packing --------------------------------------------------------------------------------------------- */

static size_t words_of(const char *text) {
  size_t count = 0;
  for (const char *at = text; (at = strstr(at, "0x")); at += 2) count += strspn(at + 2, "0123456789abcdef") == 8 && at[10] == 'u';
  return count;
}

/* 18 weights of two Sobel kernels; 9 and a bias of emboss: once, whatever the number of targets. */
static void baked_values_stand_once(void **state) {
  (void)state;
  assert_int_equal(
      convsmith("generate specs/features/baked_weights.yaml -o %s --target scalar,vec128,sse41,avx2,avx512", scratch_path("baked")),
      0);
  assert_int_equal(words_of(text_of(scratch_path("baked/sobel.c"))), 18);
  assert_int_equal(words_of(text_of(scratch_path("baked/gaussian.c"))), 25);
  assert_int_equal(words_of(text_of(scratch_path("baked/emboss.c"))), 10);
  assert_null(strstr(text_of(scratch_path("baked/sobel.h")), "sobel_pack"));
  assert_non_null(strstr(text_of(scratch_path("baked/sobel_bias_at_run_time.h")), "_pack(const float *bias, void *packed);"));
}

/* Of algorithms that transform weights: an array for each order, none behind it, and the shared one of equal targets. */
static void baked_transforms_stand_once_an_order(void **state) {
  (void)state;
  assert_int_equal(convsmith("generate specs/features/baked_transforms.yaml -o %s --target avx2,avx512,amx", scratch_path("made")),
                   0);
  const char *mixed = text_of(scratch_path("made/mixed.c"));
  assert_non_null(strstr(mixed, "} mixed_baked_weights = {{"));
  assert_non_null(strstr(mixed, "} mixed_avx512_baked_weights = {{"));
  assert_non_null(strstr(strstr(mixed, "void mixed_amx_part("), "mixed_avx512_baked_weights.values"));
  assert_null(strstr(mixed, "mixed_amx_baked_weights"));
  assert_null(strstr(text_of(scratch_path("made/mixed.h")), "_pack("));
  assert_null(strstr(text_of(scratch_path("made/blurs.h")), "_pack("));
  assert_non_null(strstr(text_of(scratch_path("made/blurs_bias_at_run_time.h")), "_pack(const float *bias, void *packed);"));
}

/* What NAME_pack makes of two different buffers: every byte is written. */
static void check_packed(const struct layer *layer, const struct kernel *kernel) {
  static double values[1 << 14];
  const void *parameters[MAX_TENSORS];
  for (int i = 0; i < MAX_TENSORS; i++) parameters[i] = values;
  cs_fill(values, sizeof values / 8, CS_F64, CS_FILL_RANDOM, 0, 1);
  unsigned char *one = malloc(kernel->packed_bytes), *two = malloc(kernel->packed_bytes);
  memset(one, 0x5A, kernel->packed_bytes);
  memset(two, 0xA5, kernel->packed_bytes);
  kernel->pack(parameters, one);
  kernel->pack(parameters, two);
  if (memcmp(one, two, kernel->packed_bytes) != 0) fail_msg("%s_pack leaves bytes of packed as they were", layer->name);
  free(one);
  free(two);
}

static void every_packed_byte_is_written(void **state) {
  (void)state;
  made_open(odd, "sse41", "");
  struct kernel_source *sources = mem_array(made.spec.count, sizeof *sources);
  struct text message = {0};
  for (size_t i = 0; i < made.spec.count; i++) {
    const struct isa_set targets = made_targets(&made.spec.layers[i]);
    sources[i] = (struct kernel_source){&made.spec.layers[i], job_plans(&made, &made.spec.layers[i], &targets), 1, ""};
  }
  const struct kernel *kernels = kernel_build(&made, sources, made.spec.count, "packing", &message);
  if (!kernels) fail_msg("%s", message.data);
  size_t checked = 0;
  for (size_t i = 0; i < made.spec.count; i++) {
    if (!kernels[i].pack) continue;
    check_packed(sources[i].layer, &kernels[i]);
    checked++;
  }
  assert_true(checked > 10);
  made_close();
}

static int begin(void **state) {
  (void)state;
  scratch_begin("interface");
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(headers_stand_alone),
      cmocka_unit_test(constants_are_what_info_says),
      cmocka_unit_test(constants_of_tensors),
      cmocka_unit_test(packed_is_the_largest_of_the_targets),
      cmocka_unit_test(sizes_beyond_int),
      cmocka_unit_test(prefixes),
      cmocka_unit_test(single_header),
      cmocka_unit_test(baked_values_stand_once),
      cmocka_unit_test(baked_transforms_stand_once_an_order),
      cmocka_unit_test(every_packed_byte_is_written),
  };
  return cmocka_run_group_tests(tests, begin, NULL);
}
