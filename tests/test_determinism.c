/* Equal input gives equal bytes, wherever and however the program runs; a file is there as a whole or not at all, whatever ends
 * it. */
#include "made.h"
#include <dirent.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>

static const char odd[] = "tests/data/odd.yaml";

/* ---- the same bytes -------------------------------------------------------------------------------------------------------- */

/* Ways to run it that must not matter: what the shell does before, with $P the program, $S the folder of specs, $D where to write.
 */
static const struct {
  const char *name, *command;
} ways[] = {
    {"again", "$P generate $S/odd.yaml -o $D"},
    {"a slash more", "$P generate $S//odd.yaml -o $D//"},
    {"from the spec's folder", "cd $S && $P generate odd.yaml -o $D"},
    {"from the root", "cd / && $P generate $S/odd.yaml -o $D"},
    {"into the working folder", "mkdir -p $D && cd $D && $P generate $S/odd.yaml -o ."},
    {"C locale", "LC_ALL=C $P generate $S/odd.yaml -o $D"},
    {"decimal comma", "LC_ALL=de_DE.UTF-8 LANG=de_DE.UTF-8 $P generate $S/odd.yaml -o $D"},
    {"Turkish i", "LC_ALL=tr_TR.UTF-8 $P generate $S/odd.yaml -o $D"},
    {"C with UTF-8", "LC_ALL=C.UTF-8 LANGUAGE=de $P generate $S/odd.yaml -o $D"},
    {"another home", "HOME=/nowhere XDG_CONFIG_HOME=/dev/null XDG_DATA_HOME=/dev/null $P generate $S/odd.yaml -o $D"},
    {"no home", "unset HOME && $P generate $S/odd.yaml -o $D"},
    {"no environment", "env -i $P generate $S/odd.yaml -o $D"},
    {"other time zone, terminal and temporary folder", "TZ=Asia/Tokyo TERM=vt52 COLUMNS=20 TMPDIR=/ $P generate $S/odd.yaml -o $D"},
    {"umask", "umask 077 && $P generate $S/odd.yaml -o $D"},
    {"hash seeds", "LUA_INIT='error()' LUA_PATH=x $P generate $S/odd.yaml -o $D"},
    {"a name that is a link", "ln -sf $P $D.link && $D.link generate $S/odd.yaml -o $D"},
    {"a depfile and tests too", "$P generate $S/odd.yaml -o $D --depfile $D.d --emit-test && rm $D/*_test.c"},
    {"templates from a folder", "$P generate $S/odd.yaml -o $D --template-path $S/../../templates"},
};

static void same_bytes(void **state) {
  (void)state;
  char *out = realpath(process_out(), NULL), *folder = realpath(scratch_path(""), NULL), *specs = realpath("tests/data", NULL);
  const char *names = mem_text("P=%s/convsmith S=%s", out, specs);
  assert_int_equal(convsmith("generate %s -o %s", odd, scratch_path("first")), 0);
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
    const char *other = mem_text("%s/other%zu", folder, i);
    if (process_run(said, sizeof said, "%s D=%s; (%s)", names, other, ways[i].command) != 0) fail_msg("%s: %s", ways[i].name, said);
    if (process_run(said, sizeof said, "diff -r %s/first %s", folder, other) != 0) fail_msg("%s: %s", ways[i].name, said);
  }
  free(out);
  free(folder);
  free(specs);
}

/* One layer's files are the same whether others are made with it or not. */
static void layers_do_not_depend_on_each_other(void **state) {
  (void)state;
  assert_int_equal(convsmith("generate %s -o %s --layer odd_rolled --layer odd_baked", odd, scratch_path("some")), 0);
  MUST("for f in some/*; do cmp $f first/${f#some/} || exit 1; done; ls some");
  assert_string_equal(said, "odd_baked.c\nodd_baked.h\nodd_rolled.c\nodd_rolled.h\n");
}

static void single_headers_too(void **state) {
  (void)state;
  assert_int_equal(convsmith("generate %s --single-file %s", odd, scratch_path("one/x.h")), 0);
  assert_int_equal(convsmith("generate %s --single-file %s", odd, scratch_path("two/x.h")), 0);
  MUST("cmp one/x.h two/x.h");
}

/* No folder, no date, no user, no machine; the spec by its base name. */
static void banners_tell_no_tales(void **state) {
  (void)state;
  const time_t now = time(NULL);
  char month[16];
  strftime(month, sizeof month, "%Y-%m", localtime(&now));
  MUST("cat first/*.c first/*.h | grep -c 'made by convsmith .* from odd.yaml'");
  assert_string_equal(said, "30\n");
  assert_int_equal(in_scratch("cat first/* | grep -e tests/ -e \"$(hostname)\" -e \"$OLDPWD\" -e \"$PWD\" -e %s", month), 1);
}

/* ---- ended in the middle --------------------------------------------------------------------------------------------------- */

enum { LAYERS = 150 };

static void write_many(const char *name) {
  const char *spec = "convsmith: 1\ndefaults: {input: [1, 2, 5, 5], out_channels: 3, kernel_size: 2, target: scalar}\nlayers:\n";
  for (int i = 0; i < LAYERS; i++) spec = mem_text("%s  - {name: layer%d}\n", spec, i);
  scratch_write(name, spec);
}

/* Entries of a folder, temporary files too if `hidden`. */
static size_t entries(const char *path, bool hidden) {
  size_t count = 0;
  DIR *list = opendir(path);
  for (const struct dirent *entry; list && (entry = readdir(list));)
    count += entry->d_name[0] != '.' || (hidden && strlen(entry->d_name) > 2);
  if (list) closedir(list);
  return count;
}

static pid_t start(const char *folder) {
  const pid_t child = fork();
  if (child != 0) return child;
  execl(mem_text("%s/convsmith", process_out()), "convsmith", "generate", scratch_path("many.yaml"), "-o", folder, (char *)NULL);
  _exit(99);
}

/* Sends the signal when files begin to appear. Returns how many were there after the end. */
static size_t end_while_writing(int number, useconds_t after, const char *folder) {
  int status;
  in_scratch("rm -rf killed");
  const pid_t child = start(folder);
  while (waitpid(child, &status, WNOHANG) == 0)
    if (entries(folder, true) > 0) {
      usleep(after);
      kill(child, number);
      waitpid(child, &status, 0);
      break;
    }
  assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
  assert_int_equal(in_scratch("diff -rq killed whole | grep differ"), 1);
  return entries(folder, false);
}

static void files_are_whole_or_not_there(void **state) {
  static const int signals[] = {SIGKILL, SIGTERM, SIGINT};
  (void)state;
  write_many("many.yaml");
  assert_int_equal(convsmith("generate %s -o %s", scratch_path("many.yaml"), scratch_path("whole")), 0);
  const size_t all = entries(scratch_path("whole"), false);
  assert_int_equal(all, 2 * LAYERS);
  size_t cut = 0;
  for (int i = 0; i < 24; i++) {
    const char *folder = mem_text("%s", scratch_path("killed"));
    cut += end_while_writing(signals[i % 3], (useconds_t)(i * 500), folder) < all;
    if (signals[i % 3] != SIGKILL) assert_int_not_equal(in_scratch("ls -A killed | grep tmp"), 0);
  }
  assert_true(cut > 0);
}

/* After a kill the next run completes the folder. */
static void the_next_run_repairs(void **state) {
  (void)state;
  assert_int_equal(convsmith("generate %s -o %s", scratch_path("many.yaml"), scratch_path("killed")), 0);
  MUST("for f in whole/*; do [ -e killed/${f#whole/} ] || exit 1; done");
  assert_int_equal(in_scratch("diff -rq killed whole | grep differ"), 1);
}

/* ---- where nothing can be written -------------------------------------------------------------------------------------------- */

/* Files in the way of folders, and a folder in the way of a file: nobody can write there, root neither. What could be written
 * beside them is not. */
static void no_place_to_write(void **state) {
  (void)state;
  static const struct {
    const char *place, *message;
  } rows[] = {
      {"file", "cannot make folder 'file': Not a directory"},
      {"file/below", "cannot make folder 'file': Not a directory"},
      {"new/../file/below", "cannot make folder 'new/../file': Not a directory"},
      {"taken", "cannot write 'taken/layer7.c': Is a directory"},
      {"taken/layer7.c/../../file", "cannot make folder 'taken/layer7.c/../../file': Not a directory"},
      {"/dev/null", "cannot make folder '/dev/null': Not a directory"},
  };
  char *program = realpath(mem_text("%s/convsmith", process_out()), NULL);
  MUST("echo mine > file && mkdir -p taken/layer7.c");
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    assert_int_equal(in_scratch("%s generate many.yaml -o %s", program, rows[i].place), 2);
    assert_string_equal(said, mem_text("convsmith: error: %s\n", rows[i].message));
    MUST("cat file && ls -A taken taken/layer7.c && ! [ -e new ]");
    assert_string_equal(said, "mine\ntaken:\nlayer7.c\n\ntaken/layer7.c:\n");
  }
  free(program);
}

/* A full disk, here the limit on the size of files: the odd layers that fit are not written either. */
static void full_disk(void **state) {
  (void)state;
  assert_int_equal(
      process_run(said, sizeof said, "ulimit -f 8; %s/convsmith generate %s -o %s", process_out(), odd, scratch_path("full")), 2);
  assert_non_null(strstr(said, "File too large"));
  assert_false(exists(scratch_path("full")));
}

/* ---- nothing to write ---------------------------------------------------------------------------------------------------- */

/* The file's number tells whether it was replaced, the time whether it was written to. */
static const char of_files[] = "stat -c '%n %i %y' again/*";

static void equal_files_are_left_alone(void **state) {
  (void)state;
  assert_int_equal(convsmith("generate %s -o %s", odd, scratch_path("again")), 0);
  MUST("%s", of_files);
  const char *before = mem_text("%s", said);
  assert_int_equal(convsmith("generate %s -o %s", odd, scratch_path("again")), 0);
  MUST("%s", of_files);
  assert_string_equal(said, before);
  MUST("echo >> again/odd_rolled.c && touch -d '1 hour ago' again/odd_rolled.c");
  assert_int_equal(convsmith("generate %s -o %s", odd, scratch_path("again")), 0);
  MUST("diff -r again first && %s | sed '/odd_rolled.c/d'", of_files);
  const char *rolled = strstr(before, "again/odd_rolled.c "), *after = strchr(rolled, '\n') + 1;
  assert_string_equal(said, mem_text("%.*s%s", (int)(rolled - before), before, after));
}

static int begin(void **state) {
  (void)state;
  scratch_begin("determinism");
  return 0;
}

static int finish(void **state) {
  (void)state;
  mem_release(0);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(same_bytes),
      cmocka_unit_test(layers_do_not_depend_on_each_other),
      cmocka_unit_test(single_headers_too),
      cmocka_unit_test(banners_tell_no_tales),
      cmocka_unit_test(files_are_whole_or_not_there),
      cmocka_unit_test(the_next_run_repairs),
      cmocka_unit_test(no_place_to_write),
      cmocka_unit_test(full_disk),
      cmocka_unit_test(equal_files_are_left_alone),
  };
  return cmocka_run_group_tests(tests, begin, finish);
}
