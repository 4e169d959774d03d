/* Files: read within a bound, written whole or not at all.
 *
 * Writing has two halves. First every text goes to a temporary file beside its target, and whatever can go wrong (a missing folder,
 * no permission, a full disk) goes wrong there, with nothing changed. Then the temporary files take their names. Signals that end
 * the program wait until that is over, so that only a kill can leave a temporary file, and nothing can leave a half-written target.
 */
#include "file.h"
#include "mem.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is being written, so that it can be undone. */
struct batch {
  const char **temporary; /* one for each output; NULL: the file is equal and stays */
  const char **target;
  size_t count;
  const char **folders; /* made for it, outermost first */
  size_t folder_count;
};

static const char *failure(const char *verb, const char *path) {
  return mem_text("cannot %s '%s': %s", verb, path, strerror(errno));
}

/* ---- reading ------------------------------------------------------------------------------------------------------ */

/* Appends what is left of `file`. False with errno set, EFBIG if more than `limit` bytes came. */
static bool read_rest(int file, size_t limit, struct text *text) {
  static char buffer[65536];
  const size_t start = text->size;
  for (;;) {
    const ssize_t count = read(file, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return count == 0;
    text_add(text, buffer, (size_t)count);
    if (text->size - start > limit) {
      errno = EFBIG;
      return false;
    }
  }
}

const char *file_read(const char *path, size_t limit, struct text *text) {
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return failure("read", path);
  const size_t start = text->size;
  const bool done = read_rest(file, limit, text);
  const char *error = done ? NULL : errno == EFBIG ? mem_text("'%s' is larger than %zu bytes", path, limit) : failure("read", path);
  close(file);
  if (!done) text->size = start;
  return error;
}

/* ---- folders ------------------------------------------------------------------------------------------------------ */

/* Makes the folder `path` if it is not there. False with errno set. */
static bool make_folder(struct batch *batch, const char *path) {
  struct stat status;
  if (stat(path, &status) == 0) {
    errno = ENOTDIR;
    return S_ISDIR(status.st_mode);
  }
  if (mkdir(path, 0777) < 0) return errno == EEXIST;
  batch->folders = mem_grow(batch->folders, batch->folder_count, sizeof *batch->folders);
  batch->folders[batch->folder_count++] = path;
  return true;
}

/* Makes every folder that leads to `path`. NULL or an error. */
static const char *make_folders(struct batch *batch, const char *path) {
  for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    const char *folder = mem_text("%.*s", (int)(slash - path), path);
    if (!make_folder(batch, folder)) return failure("make folder", folder);
  }
  return NULL;
}

/* ---- writing ------------------------------------------------------------------------------------------------------ */

static bool equal_content(const char *path, const struct stat *status, const struct text *text) {
  struct text there = {NULL, 0, 0};
  if ((size_t)status->st_size != text->size) return false;
  const bool equal = !file_read(path, text->size, &there) && there.size == text->size &&
                     (text->size == 0 || memcmp(there.data, text->data, text->size) == 0);
  text_free(&there);
  return equal;
}

/* The file that `path` leads to through symbolic links. */
static const char *real_target(const char *path) {
  char *real = realpath(path, NULL);
  const char *target = real ? mem_text("%s", real) : path;
  free(real);
  return target;
}

/* "dir/.x.c.PID.tmp" for "dir/x.c". */
static const char *temporary_name(const char *path) {
  const char *slash = strrchr(path, '/');
  const int folder = slash ? (int)(slash + 1 - path) : 0;
  return mem_text("%.*s.%s.%ld.tmp", folder, path, path + folder, (long)getpid());
}

/* Opens a new file. One that has its name already was left by a killed program whose number this one now has. */
static int create(const char *path) {
  const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
  const int file = open(path, flags, 0666);
  if (file >= 0 || errno != EEXIST || unlink(path) < 0) return file;
  return open(path, flags, 0666);
}

static bool write_text(int file, const struct text *text) {
  for (size_t done = 0; done < text->size;) {
    const ssize_t count = write(file, text->data + done, text->size - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    done += (size_t)count;
  }
  return true;
}

/* Writes the temporary file number `i`. False with errno set. */
static bool write_temporary(struct batch *batch, size_t i, const struct text *text) {
  const char *path = temporary_name(batch->target[i]);
  const int file = create(path);
  if (file < 0) return false;
  batch->temporary[i] = path;
  const bool written = write_text(file, text);
  const int error = errno;
  const bool closed = close(file) == 0;
  if (!written) errno = error;
  return written && closed;
}

/* Does for one output all that can fail. NULL or an error. */
static const char *prepare(struct batch *batch, size_t i, const struct output *output) {
  struct stat status;
  const char *target = batch->target[i] = real_target(output->path);
  if (stat(target, &status) == 0) {
    if (S_ISDIR(status.st_mode)) return mem_text("cannot write '%s': %s", output->path, strerror(EISDIR));
    if (!S_ISREG(status.st_mode)) return mem_text("cannot write '%s': Not a regular file", output->path);
    if (equal_content(target, &status, output->text)) return NULL;
    if (access(target, W_OK) < 0) return failure("write", output->path);
  }
  return write_temporary(batch, i, output->text) ? NULL : failure("write", output->path);
}

static const char *prepare_all(struct batch *batch, const struct output *outputs) {
  const char *error = NULL;
  for (size_t i = 0; i < batch->count && !error; i++) {
    error = make_folders(batch, outputs[i].path);
    if (!error) error = prepare(batch, i, &outputs[i]);
  }
  return error;
}

/* Gives every temporary file its name. It fails only if someone changed the folder since it was written. */
static const char *rename_all(struct batch *batch) {
  for (size_t i = 0; i < batch->count; i++) {
    if (!batch->temporary[i]) continue;
    if (rename(batch->temporary[i], batch->target[i]) < 0) return failure("write", batch->target[i]);
    batch->temporary[i] = NULL;
  }
  return NULL;
}

static void undo(const struct batch *batch) {
  for (size_t i = 0; i < batch->count; i++)
    if (batch->temporary[i]) unlink(batch->temporary[i]);
  for (size_t i = batch->folder_count; i > 0; i--) rmdir(batch->folders[i - 1]);
}

/* Holds back the signals that end the program; *before gets what was held back already. */
static void hold_signals(sigset_t *before) {
  static const int numbers[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
  sigset_t set;
  sigemptyset(&set);
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) sigaddset(&set, numbers[i]);
  sigprocmask(SIG_BLOCK, &set, before);
  signal(SIGXFSZ, SIG_IGN); /* a file beyond the limit of the shell is an error of write() */
}

/* `commit`: the second half too, else only what can fail, and that undone. */
static const char *write_all(const struct output *outputs, size_t count, bool commit) {
  struct batch batch = {mem_array(count + 1, sizeof *batch.temporary), mem_array(count + 1, sizeof *batch.target), count, NULL, 0};
  sigset_t before;
  hold_signals(&before);
  const char *error = prepare_all(&batch, outputs);
  if (!error && commit) error = rename_all(&batch);
  if (error || !commit) undo(&batch);
  sigprocmask(SIG_SETMASK, &before, NULL);
  return error;
}

const char *file_write_all(const struct output *outputs, size_t count) {
  return write_all(outputs, count, true);
}

const char *file_check(const char *path) {
  const struct text nothing = {NULL, 0, 0};
  const struct output output = {path, &nothing};
  return write_all(&output, 1, false);
}

bool file_same(const char *path, const char *other) {
  struct stat a, b;
  return path && other && !stat(path, &a) && !stat(other, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}
