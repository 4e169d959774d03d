/* Files: whole or not at all, equal ones left alone, nothing left behind. */
#include "../gen/file.h"
#include "../gen/mem.h"
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const char *root; /* an empty folder for each test */

static const char *at(const char *name) {
  return mem_text("%s/%s", root, name);
}

static int shell(const char *command) {
  return system(command);
}

static int start_empty(void **state) {
  (void)state;
  return shell(mem_text("rm -rf '%s' && mkdir -p '%s'", root, root));
}

static struct text text_of(const char *content) {
  struct text text = {NULL, 0, 0};
  text_print(&text, "%s", content);
  return text;
}

/* Writes `content` to each of two files (the second may be NULL). */
static const char *write_two(const char *first, const char *second, const char *content) {
  struct text text = text_of(content);
  const struct output outputs[] = {{first, &text}, {second, &text}};
  const char *error = file_write_all(outputs, second ? 2 : 1);
  text_free(&text);
  return error;
}

static void holds(const char *path, const char *content) {
  struct text text = {NULL, 0, 0};
  assert_null(file_read(path, 1 << 20, &text));
  assert_string_equal(text.data ? text.data : "", content);
  text_free(&text);
}

/* The names in the root folder, hidden ones too, joined by blanks. */
static const char *names(void) {
  FILE *list = popen(mem_text("cd '%s' && find . -mindepth 1 | sort | tr '\\n' ' '", root), "r");
  char buffer[1024];
  const size_t size = fread(buffer, 1, sizeof buffer - 1, list);
  buffer[size] = '\0';
  pclose(list);
  return mem_text("%s", buffer);
}

static void reads(void **state) {
  struct text text = text_of("before ");
  (void)state;
  assert_null(write_two(at("a"), NULL, "content"));
  assert_null(file_read(at("a"), 7, &text));
  assert_string_equal(text.data, "before content");
  assert_string_equal(file_read(at("a"), 6, &text), mem_text("'%s' is larger than 6 bytes", at("a")));
  assert_int_equal(text.size, strlen("before content"));
  assert_string_equal(file_read(at("none"), 6, &text), mem_text("cannot read '%s': No such file or directory", at("none")));
  assert_string_equal(file_read(root, 6, &text), mem_text("cannot read '%s': Is a directory", root));
  assert_non_null(file_read("/dev/zero", 1000, &text));
  text_free(&text);
}

static void reads_pipes(void **state) {
  struct text text = {NULL, 0, 0};
  (void)state;
  assert_int_equal(mkfifo(at("pipe"), 0600), 0);
  const pid_t child = fork();
  if (child == 0) _exit(shell(mem_text("{ printf one; sleep 0.1; printf two; } > '%s'", at("pipe"))) != 0);
  assert_null(file_read(at("pipe"), 100, &text));
  assert_string_equal(text.data, "onetwo");
  waitpid(child, NULL, 0);
  text_free(&text);
}

static void writes(void **state) {
  struct stat status;
  (void)state;
  const mode_t mask = umask(027);
  assert_null(write_two(at("a"), at("new/deep/b"), "content"));
  umask(mask);
  holds(at("a"), "content");
  holds(at("new/deep/b"), "content");
  assert_string_equal(names(), "./a ./new ./new/deep ./new/deep/b ");
  assert_int_equal(stat(at("a"), &status), 0);
  assert_int_equal(status.st_mode & 0777, 0640);
  assert_null(write_two(at("a"), NULL, "other"));
  holds(at("a"), "other");
  assert_null(write_two(at("a"), NULL, ""));
  holds(at("a"), "");
}

/* An equal file keeps its time and its place on the disk; one of equal size that differs does not. */
static void leaves_equal_files(void **state) {
  const struct timespec old[2] = {{1000, 0}, {1000, 0}};
  struct stat before, after;
  (void)state;
  assert_null(write_two(at("a"), at("b"), "content"));
  utimensat(AT_FDCWD, at("a"), old, 0);
  assert_int_equal(stat(at("a"), &before), 0);
  assert_null(write_two(at("a"), at("c"), "content"));
  assert_int_equal(stat(at("a"), &after), 0);
  assert_true(before.st_ino == after.st_ino && after.st_mtime == 1000);
  assert_null(write_two(at("a"), NULL, "contenT"));
  assert_int_equal(stat(at("a"), &after), 0);
  assert_true(before.st_ino != after.st_ino);
}

static void follows_links(void **state) {
  struct stat status;
  (void)state;
  assert_null(write_two(at("real/a"), NULL, "old"));
  assert_int_equal(symlink("real/a", at("link")), 0);
  assert_null(write_two(at("link"), NULL, "new"));
  holds(at("real/a"), "new");
  assert_int_equal(lstat(at("link"), &status), 0);
  assert_true(S_ISLNK(status.st_mode));
}

/* The second file cannot be written: the first stays as it was, and the folders made for it go. */
static void changes_nothing_on_error(void **state) {
  (void)state;
  assert_null(write_two(at("a"), NULL, "old"));
  assert_int_equal(mkdir(at("folder"), 0777), 0);
  assert_string_equal(write_two(at("a"), at("folder"), "new"), mem_text("cannot write '%s': Is a directory", at("folder")));
  assert_string_equal(write_two(at("x/y/z"), at("a/b"), "new"), mem_text("cannot make folder '%s': Not a directory", at("a")));
  assert_string_equal(write_two(at("x/y/z"), "/dev/null", "new"), "cannot write '/dev/null': Not a regular file");
  holds(at("a"), "old");
  assert_string_equal(names(), "./a ./folder ");
}

/* Permissions do not bind root, who then becomes someone else in a child. */
static int as_nobody(const char *(*action)(void)) {
  const pid_t child = fork();
  int status;
  if (child == 0) {
    if (geteuid() == 0 && setuid(65534) != 0) _exit(9);
    const char *error = action();
    _exit(error && strstr(error, "Permission denied") ? 0 : 1);
  }
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static const char *write_in_locked(void) {
  return write_two(at("open/a"), at("locked/b"), "new");
}

static const char *write_over_read_only(void) {
  return write_two(at("open/b"), at("open/a"), "new");
}

static void permissions(void **state) {
  (void)state;
  assert_null(write_two(at("open/a"), at("locked/b"), "old"));
  assert_int_equal(shell(mem_text("cd '%s' && chmod 777 open && chmod 555 locked && chmod 444 open/a && chmod 711 .", root)), 0);
  assert_int_equal(as_nobody(write_in_locked), 0);
  assert_int_equal(as_nobody(write_over_read_only), 0);
  assert_string_equal(names(), "./locked ./locked/b ./open ./open/a ");
  holds(at("open/a"), "old");
  holds(at("locked/b"), "old");
  assert_int_equal(chmod(at("locked"), 0777), 0);
}

/* A full disk, here the limit on the size of files: an error, and nothing is left. */
static void full_disk(void **state) {
  struct rlimit before, small;
  char content[4000];
  (void)state;
  memset(content, 'x', sizeof content - 1);
  content[sizeof content - 1] = '\0';
  assert_null(write_two(at("a"), NULL, "old"));
  getrlimit(RLIMIT_FSIZE, &before);
  small = before;
  small.rlim_cur = 1000;
  setrlimit(RLIMIT_FSIZE, &small);
  const char *error = write_two(at("a"), at("new/b"), content);
  setrlimit(RLIMIT_FSIZE, &before);
  assert_string_equal(error, mem_text("cannot write '%s': File too large", at("a")));
  holds(at("a"), "old");
  assert_string_equal(names(), "./a ");
}

/* What a killed program with this number left is no obstacle. */
static void stale_temporary(void **state) {
  (void)state;
  const char *stale = at(mem_text(".a.%ld.tmp", (long)getpid()));
  assert_null(write_two(stale, NULL, "stale"));
  assert_null(write_two(at("a"), NULL, "content"));
  holds(at("a"), "content");
  assert_string_equal(names(), "./a ");
}

/* Writes two contents in turn until a signal ends it. */
static void write_for_ever(void) {
  static char content[2][20001];
  signal(SIGTERM, SIG_DFL);
  for (int i = 0; i < 2; i++) memset(content[i], 'a' + i, sizeof content[i] - 1);
  for (int i = 0;; i = !i)
    if (write_two(at("a"), at("b"), content[i])) _exit(1);
}

/* Ends the writer with `number` after some microseconds and checks that both files are whole. */
static void end_writer(int number, useconds_t after) {
  const char *const files[] = {at("a"), at("b")};
  int status;
  const pid_t child = fork();
  if (child == 0) write_for_ever();
  usleep(after);
  kill(child, number);
  waitpid(child, &status, 0);
  assert_true(WIFSIGNALED(status) && WTERMSIG(status) == number);
  for (int i = 0; i < 2; i++) {
    struct text text = {NULL, 0, 0};
    if (file_read(files[i], 1 << 20, &text)) continue;
    assert_int_equal(text.size, 20000);
    assert_true(strspn(text.data, "a") == 20000 || strspn(text.data, "b") == 20000);
    text_free(&text);
  }
}

static void signals(void **state) {
  (void)state;
  for (useconds_t i = 0; i < 20; i++) end_writer(SIGTERM, 2000 + 137 * i);
  assert_null(strstr(names(), ".tmp"));
  for (useconds_t i = 0; i < 20; i++) end_writer(SIGKILL, 2000 + 137 * i);
}

int main(void) {
#define EACH(test) cmocka_unit_test_setup(test, start_empty)
  const struct CMUnitTest tests[] = {
      EACH(reads),           EACH(reads_pipes),
      EACH(writes),          EACH(leaves_equal_files),
      EACH(follows_links),   EACH(changes_nothing_on_error),
      EACH(permissions),     EACH(full_disk),
      EACH(stale_temporary), EACH(signals),
  };
#undef EACH
  char *here = realpath(getenv("OUT") ? getenv("OUT") : "out", NULL);
  root = mem_text("%s/test/file", here);
  free(here);
  const int status = cmocka_run_group_tests(tests, NULL, NULL);
  mem_release(0);
  return status;
}
