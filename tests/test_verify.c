/* convsmith verify as a judge: kernels that do one forbidden thing each are found out, by the right message. The misdeeds are put
 * into the wrappers of templates/glue.t, so no template of a kernel is involved. */
#define _XOPEN_SOURCE 700 /* posix_openpt */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../runtime/convsmith.h"
#include "scratch.h"
#include <fcntl.h>
#include <stdlib.h>

static const char spec[] =
    "convsmith: 1\n"
    "layers:\n"
    "  - {name: first, input: [1, 3, 9, 8], out_channels: 5, kernel_size: 3, padding: 1, bias: true, activation: relu}\n"
    "  - {name: second, input: [2, 4, 6, 6], out_channels: 6, kernel_size: 2, groups: 2, layout: nchw}\n";

static const char *spec_path(void) {
  return scratch_write("spec.yaml", spec);
}

static void right_kernels_pass(void **state) {
  (void)state;
  assert_int_equal(convsmith("verify %s --target scalar", spec_path()), 0);
  assert_non_null(strstr(said, "ok   first   scalar  direct-"));
  assert_non_null(strstr(said, "ok   second  scalar  direct-"));
  assert_non_null(strstr(said, "2 kernels: 2 right, 0 wrong\n"));
}

static void every_target_and_plan(void **state) {
  (void)state;
  assert_int_equal(convsmith("verify %s --layer first --plans all --json", spec_path()), 0);
  assert_non_null(strstr(said, "\"target\": \"scalar\""));
  assert_non_null(strstr(said, "\"target\": \"vec128\""));
  assert_non_null(strstr(said, "\"wrong\": 0"));
}

static void one_plan_by_name(void **state) {
  (void)state;
  assert_int_equal(convsmith("verify %s --layer first --target scalar", spec_path()), 0);
  char id[128];
  assert_int_equal(sscanf(strstr(said, "direct-"), "%127s", id), 1);
  assert_int_equal(convsmith("verify %s --layer first --target scalar --plans %s", spec_path(), id), 0);
  assert_non_null(strstr(said, "1 kernels: 1 right"));
}

static void same_seed_same_words(void **state) {
  (void)state;
  assert_int_equal(convsmith("verify %s --seed 7 --target scalar", spec_path()), 0);
  char *first = strdup(said);
  assert_int_equal(convsmith("verify %s --seed 7 --target scalar", spec_path()), 0);
  assert_string_equal(said, first);
  free(first);
}

/* ---- misdeeds -------------------------------------------------------------------------------------------------------- */

static const char whole_call[] = "${k.name}(${arguments.pass(call, inputs)});\n";
static const char part_call[] = "${k.name}_part(${arguments.pass(arguments.join(call, arguments.share), inputs)});\n";
static const char pack_call[] = "${k.name}_pack(${arguments.pass(arguments.pack_list(k), parameters)});\n";

/* Writes glue.t with `statement` after `call`. */
static void put_after(const char *call, const char *statement) {
  char *glue = text_of("templates/glue.t"), *place = strstr(glue, call);
  assert_non_null(place);
  place += strlen(call);
  char *changed = malloc(strlen(glue) + strlen(statement) + 2);
  sprintf(changed, "%.*s%s\n%s", (int)(place - glue), glue, statement, place);
  scratch_write("templates/glue.t", changed);
  free(changed);
}

static const struct {
  const char *call, *statement, *message;
} misdeeds[] = {
    {whole_call, "((float *)output)[1] += 1;", "whole-number data, whole: output[0, 1, 0, 0] is "},
    {whole_call, "((unsigned *)output)[7] = 0xFFFFFFFFu;", "whole-number data, whole: output[0, 2, 0, 1] was not written"},
    {whole_call, "(void)*((const volatile float *)inputs[0] + 216);", "whole-number data, whole: access beyond the end of input"},
    {whole_call, "(void)*((const volatile char *)inputs[0] - 1);", "random data, whole: access before the start of input"},
    {whole_call, "((float *)output)[-1] = 0;", "whole-number data, whole: a write outside of output"},
    {whole_call, "((float *)output)[360] = 0;", "whole-number data, whole: access beyond the end of output"},
    {whole_call, "((float *)inputs[0])[3] = 99;", "whole-number data: an input or packed was changed"},
    {whole_call, "((float *)packed)[0] = 99;", "whole-number data: an input or packed was changed"},
    {whole_call, "for (int i = 0; i < 360; i++) if (((float *)output)[i] != ((float *)output)[i]) ((float *)output)[i] = 0;",
     "the reference nan"},
    {whole_call, "__builtin_trap();", "whole-number data, whole: ended by signal 4"},
    {whole_call, "extern int raise(int); raise(27);", "whole-number data, whole: no end after 10 seconds"},
    {whole_call, "extern void _exit(int); _exit(3);", "whole-number data, whole: the process ended with status 3"},
    {part_call, "if (parts == 3 && part == 0) ((float *)output)[0] = 5;",
     "random data, 3 parts from the last: output[0, 0, 0, 0] is 5, but "},
    {part_call, "if (parts == 7 && part == 2) ((float *)output)[-1] = 5;",
     "random data, part 2 of 7: access before the start of output"},
    {part_call, "static int last; if (part < last) ((float *)output)[0] = 5; last = part + 1 == parts ? 0 : part;",
     "random data, 3 parts from the last: output[0, 0, 0, 0] is 5"},
    {part_call, "if (parts == 3 && part == 1) ((float *)output)[0] = 5;",
     "random data, part 0 of 3: output[0, 0, 0, 0] was written by part 1 already"},
    {pack_call, "((char *)packed)[FIRST_PACKED_BYTES] = 0;", "whole-number data, pack: access beyond the end of packed"},
};

static void misdeeds_are_found(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof misdeeds / sizeof misdeeds[0]; i++) {
    char statement[300], *prefixed;
    snprintf(statement, sizeof statement, "%s", misdeeds[i].statement);
    if ((prefixed = strstr(statement, "FIRST_PACKED"))) strcpy(prefixed, "K0_FIRST_PACKED_BYTES] = 0;");
    put_after(misdeeds[i].call, statement);
    const int status =
        convsmith("verify %s --layer first --target scalar --template-path %s", spec_path(), scratch_path("templates"));
    if (status != 1 || !strstr(said, misdeeds[i].message)) print_error("%s\nsaid: %s", misdeeds[i].statement, said);
    assert_int_equal(status, 1);
    assert_non_null(strstr(said, misdeeds[i].message));
    assert_non_null(strstr(said, "1 kernels: 0 right, 1 wrong\n"));
  }
}

/* The command that a failure prints fails in the same way. */
static void failures_repeat(void **state) {
  (void)state;
  put_after(whole_call, "((float *)output)[1] += 1;");
  assert_int_equal(convsmith("verify %s --seed 3 --template-path %s", spec_path(), scratch_path("templates")), 1);
  char command[1000], message[300];
  assert_int_equal(sscanf(strstr(said, "     whole-number"), " %299[^\n]", message), 1);
  assert_int_equal(sscanf(strstr(said, "repeat: convsmith "), "repeat: convsmith %999[^\n]", command), 1);
  assert_int_equal(convsmith("%s", command), 1);
  assert_non_null(strstr(said, message));
  assert_non_null(strstr(said, "1 kernels: 0 right, 1 wrong\n"));
}

/* ---- batches --------------------------------------------------------------------------------------------------------- */

/* Three kernels of more than 2 MB each: two files of at most two. */
static void very_large_kernels_are_compiled_apart(void **state) {
  (void)state;
  static float weights[200 * 1000];
  const struct cs_npy array = {.dtype = CS_F32, .rank = 3, .shape = {1000, 200, 1}, .count = 200 * 1000, .data = weights};
  cs_fill(weights, array.count, CS_F32, CS_FILL_RANDOM, 0, 1);
  assert_null(cs_npy_write(scratch_path("large.npy"), &array));
  scratch_write("large.yaml",
                "convsmith: 1\n"
                "layers: [{name: large, input: [1, 200, 4], out_channels: 1000, kernel_size: 1, weights: large.npy}]\n");
  scratch_write("compiled", "");
  scratch_write("cc.sh", "echo compiled >> \"$(dirname \"$0\")\"/compiled\nexec cc \"$@\"\n");
  assert_int_equal(process_run(said, sizeof said, "CC='sh %s' %s/convsmith verify %s --target scalar,vec128,sse41",
                               scratch_path("cc.sh"), process_out(), scratch_path("large.yaml")),
                   0);
  assert_non_null(strstr(said, "3 kernels: 3 right"));
  assert_string_equal(text_of(scratch_path("compiled")), "compiled\ncompiled\n");
}

/* A layer counts while its batch goes on. */
static void a_terminal_shows_each_layer(void **state) {
  (void)state;
  const int terminal = posix_openpt(O_RDWR | O_NOCTTY);
  if (terminal < 0 || grantpt(terminal) != 0 || unlockpt(terminal) != 0) SKIP_BECAUSE("there is no pseudo terminal");
  put_after(whole_call, "extern int usleep(unsigned); usleep(5000);");
  process_run(said, sizeof said, "(%s/convsmith verify %s --target scalar --plans all --template-path %s 2> %s)", process_out(),
              spec_path(), scratch_path("templates"), ptsname(terminal));
  char shown[4096] = "";
  for (ssize_t size = 0, more = 1; more > 0 && size < (ssize_t)sizeof shown - 1; size += more)
    more = read(terminal, shown + size, sizeof shown - 1 - (size_t)size);
  close(terminal);
  assert_non_null(strstr(shown, "\r[0/2] layers verified; compiling\033[K"));
  assert_non_null(strstr(shown, "\r[0/2] layers verified; first on scalar\033[K"));
  assert_non_null(strstr(shown, "\r[1/2] layers verified; second on scalar\033[K"));
}

/* ---- compilers and signals ------------------------------------------------------------------------------------------- */

static void a_failing_compiler_fails_the_run(void **state) {
  (void)state;
  assert_int_equal(process_run(said, sizeof said, "CC=false %s/convsmith verify %s", process_out(), spec_path()), 2);
  assert_non_null(strstr(said, "convsmith: error: the compiler failed: false -std=c99"));
  assert_non_null(strstr(said, "ended with status 1"));
  assert_int_equal(process_run(said, sizeof said, "CC=/nowhere/cc %s/convsmith verify %s", process_out(), spec_path()), 2);
  assert_non_null(strstr(said, "cannot run '/nowhere/cc': No such file or directory"));
}

static void what_the_compiler_says_is_shown(void **state) {
  (void)state;
  put_after(whole_call, "this is no C;");
  assert_int_equal(convsmith("verify %s --layer first --template-path %s", spec_path(), scratch_path("templates")), 2);
  assert_non_null(strstr(said, "the compiler failed: "));
  assert_non_null(strstr(said, "this is no C"));
}

static void cc_may_have_several_words(void **state) {
  (void)state;
  assert_int_equal(
      process_run(said, sizeof said, "CC='  env  gcc -O0' %s/convsmith verify %s --target scalar", process_out(), spec_path()), 0);
}

static void nothing_is_left_behind(void **state) {
  (void)state;
  static const char *const endings[] = {"INT", "TERM", "KILL"};
  for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
    const char *folder = scratch_path("tmp");
    process_run(said, sizeof said, "mkdir -p %s; TMPDIR=%s timeout -s %s 0.2 %s/convsmith verify specs/mobilenetv2.yaml", folder,
                folder, endings[i], process_out());
    int left = 1;
    for (int attempt = 0; left && attempt < 300; attempt++) {
      usleep(100000);
      left = process_run(said, sizeof said, "test -z \"$(ls %s)\"", folder);
    }
    assert_int_equal(left, 0);
  }
}

static void no_place_for_temporary_files(void **state) {
  (void)state;
  assert_int_equal(process_run(said, sizeof said, "TMPDIR=/nowhere %s/convsmith verify %s", process_out(), spec_path()), 2);
  assert_non_null(strstr(said, "cannot make a temporary folder"));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(right_kernels_pass),
                                     cmocka_unit_test(every_target_and_plan),
                                     cmocka_unit_test(one_plan_by_name),
                                     cmocka_unit_test(same_seed_same_words),
                                     cmocka_unit_test(misdeeds_are_found),
                                     cmocka_unit_test(failures_repeat),
                                     cmocka_unit_test(very_large_kernels_are_compiled_apart),
                                     cmocka_unit_test(a_terminal_shows_each_layer),
                                     cmocka_unit_test(a_failing_compiler_fails_the_run),
                                     cmocka_unit_test(what_the_compiler_says_is_shown),
                                     cmocka_unit_test(cc_may_have_several_words),
                                     cmocka_unit_test(nothing_is_left_behind),
                                     cmocka_unit_test(no_place_for_temporary_files)};
  scratch_begin("verify/templates");
  setenv("SCRATCH", "verify", 1);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
