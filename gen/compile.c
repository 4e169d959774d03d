/* The C compiler as a child process, and the scratch folder.
 *
 * The folder must go away even when the run is killed, and what is in it is made by compilers as well. So no signal handler tries
 * to keep count: a guardian process, in a session of its own, holds the reading end of a pipe whose writing end only this program
 * and its workers have. End of file means that all of them are gone, and the guardian removes the folder. */
#include "compile.h"
#include "mem.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct {
  char *path; /* not in the arena: it outlives every mark */
  int lifeline;
  pid_t guardian;
} scratch;

/* ---- scratch folder ------------------------------------------------------------------------------------------------ */

/* A compiler that dies with the run may still be writing: try again for a while. */
static void remove_flat_folder(const char *path) {
  for (int attempt = 0; attempt < 50; attempt++) {
    DIR *folder = opendir(path);
    if (!folder) return;
    for (struct dirent *entry; (entry = readdir(folder));) unlinkat(dirfd(folder), entry->d_name, 0);
    closedir(folder);
    if (rmdir(path) == 0) return;
    usleep(100000);
  }
}

static void guard(int lifeline) {
  setsid();
  signal(SIGINT, SIG_IGN);
  signal(SIGTERM, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
  int null = open("/dev/null", O_RDWR);
  for (int fd = 0; fd < 3; fd++) dup2(null, fd); /* whoever reads the run's output must not wait for the guardian */
  char byte;
  while (read(lifeline, &byte, 1) < 0 && errno == EINTR) continue;
  remove_flat_folder(scratch.path);
  _exit(0);
}

static bool start_guardian(void) {
  int ends[2];
  if (pipe(ends) != 0) return false;
  fcntl(ends[1], F_SETFD, FD_CLOEXEC);
  fflush(NULL);
  scratch.guardian = fork();
  if (scratch.guardian == 0) {
    close(ends[1]);
    guard(ends[0]);
  }
  close(ends[0]);
  scratch.lifeline = ends[1];
  return scratch.guardian > 0;
}

const char *scratch_folder(void) {
  if (scratch.path) return scratch.path;
  const char *base = getenv("TMPDIR");
  const char *pattern = mem_text("%s/convsmith-XXXXXX", base && *base ? base : "/tmp");
  char *path = strdup(pattern);
  if (!path || !mkdtemp(path)) {
    free(path);
    return NULL;
  }
  scratch.path = path;
  if (!start_guardian()) {
    rmdir(path);
    free(path);
    scratch.path = NULL;
  }
  return scratch.path;
}

void scratch_remove(void) {
  if (!scratch.path) return;
  close(scratch.lifeline);
  while (waitpid(scratch.guardian, NULL, 0) < 0 && errno == EINTR) continue;
  free(scratch.path);
  scratch.path = NULL;
}

/* ---- compiler ------------------------------------------------------------------------------------------------------ */

/* $CC's words followed by `arguments`. */
static char **command_words(const char *const *arguments) {
  const char *cc = getenv("CC");
  if (!cc || !cc[strspn(cc, " \t")]) cc = "cc";
  char *copy = mem_text("%s", cc), *rest = NULL;
  char **words = NULL;
  size_t count = 0;
  for (char *word = strtok_r(copy, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
    words = mem_grow(words, count, sizeof *words);
    words[count++] = word;
  }
  for (; *arguments; arguments++) {
    words = mem_grow(words, count, sizeof *words);
    words[count++] = mem_text("%s", *arguments);
  }
  words = mem_grow(words, count, sizeof *words);
  words[count] = NULL;
  return words;
}

static void exec_compiler(char **words, int output) {
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  int null = open("/dev/null", O_RDONLY);
  if (null >= 0) dup2(null, STDIN_FILENO);
  execvp(words[0], words); /* $CC or cc: never empty. NOLINT(clang-analyzer-core.NonNullParamChecker) */
  fprintf(stderr, "cannot run '%s': %s\n", words[0], strerror(errno));
  fflush(stderr);
  _exit(127);
}

static void read_all(int fd, struct text *text) {
  char buffer[4096];
  for (;;) {
    ssize_t count = read(fd, buffer, sizeof buffer);
    if (count > 0) text_add(text, buffer, (size_t)count);
    if (count == 0 || (count < 0 && errno != EINTR)) return;
  }
}

/* The child's wait status, or -1 when it could not be started. */
static int run(char **words, struct text *output) {
  int ends[2];
  if (pipe(ends) != 0) return -1;
  fcntl(ends[0], F_SETFD, FD_CLOEXEC);
  fcntl(ends[1], F_SETFD, FD_CLOEXEC);
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) exec_compiler(words, ends[1]);
  close(ends[1]);
  if (child > 0) read_all(ends[0], output);
  close(ends[0]);
  int status = -1;
  while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  return status;
}

bool compile(const char *const *arguments, struct text *messages) {
  char **words = command_words(arguments);
  struct text output = {0};
  int status = run(words, &output);
  if (status == 0) {
    text_free(&output);
    return true;
  }
  text_print(messages, "convsmith: error: the compiler failed:");
  for (char **word = words; *word; word++) text_print(messages, " %s", *word);
  if (status != -1 && WIFSIGNALED(status))
    text_print(messages, "\nended by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
  else if (status != -1)
    text_print(messages, "\nended with status %d", WEXITSTATUS(status));
  while (output.size > 0 && output.data[output.size - 1] == '\n') output.size--;
  if (output.size > 0) text_print(messages, "\n%.*s", (int)output.size, output.data);
  text_free(&output);
  return false;
}
