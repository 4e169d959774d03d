/* Peers: a row each. */
#include "peers.h"
#include "compile.h"
#include "file.h"
#include "library.h"
#include "mem.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const struct row {
  const char *name, *source, *limit, *packages; /* limit: environment variable that keeps it to an ISA */
  const char *libraries[3];
  const char *variant; /* one of another row's by itself: only if asked for */
  bool judged, slow;
} rows[MAX_PEERS] = {
    {"onednn", "onednn", "ONEDNN_MAX_CPU_ISA", "libdnnl-dev", {"-ldnnl"}, NULL, true, false},
    {"onednn-plain", "onednn", "ONEDNN_MAX_CPU_ISA", "libdnnl-dev", {"-ldnnl"}, "plain", false, false},
    {"onednn-winograd", "onednn", "ONEDNN_MAX_CPU_ISA", "libdnnl-dev", {"-ldnnl"}, "winograd", false, false},
    {"xnnpack", "xnnpack", NULL, "libxnnpack-dev libpthreadpool-dev", {"-lXNNPACK", "-lpthreadpool"}, NULL, false, false},
    {"openblas", "openblas", "OPENBLAS_CORETYPE", "libopenblas-dev", {"-lopenblas"}, NULL, false, false},
    {"naive", "naive", NULL, "gcc", {NULL}, NULL, false, true},
};

const char *const *peer_names(void) {
  static const char *names[MAX_PEERS + 1];
  for (size_t i = 0; i < MAX_PEERS; i++) names[i] = rows[i].name;
  return names;
}

static const struct row *find_row(const char *name) {
  for (const struct row *row = rows; row < rows + MAX_PEERS; row++)
    if (!strcmp(row->name, name)) return row;
  return NULL;
}

/* ---- the target -------------------------------------------------------------------------------------------------------- */

/* What is compiled here follows the compiler's flags; a library follows its environment variable, if it has one, and may know no
 * more than the ISA. */
static bool keeps_to(const struct row *row, const struct isa *isa) {
  if (!row->libraries[0]) return true;
  for (const char *const *peer = isa->within; *peer; peer++)
    if (!strcmp(*peer, row->name)) return true;
  if (row->limit && getenv(row->limit)) return true;
  for (const char *const *limit = isa->limits; row->limit && *limit; limit++)
    if (!strncmp(*limit, row->limit, strlen(row->limit))) return true;
  return false;
}

/* Whoever set the variable knows better. */
static void set_default(const char *setting) {
  const char *equals = strchr(setting, '=');
  setenv(mem_text("%.*s", (int)(equals - setting), setting), equals + 1, 0);
}

void peers_environment(const struct isa *isa, bool native, int threads) {
  static const char *const counts[] = {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"};
  for (const char *const *limit = isa->limits; !native && *limit; limit++) set_default(*limit);
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) setenv(counts[i], mem_text("%d", threads), 1);
  set_default("GOMP_SPINCOUNT=20000");       /* long enough from call to call; then others' turns are not disturbed */
  set_default("OPENBLAS_THREAD_TIMEOUT=16"); /* the same, as a power of two of cycles; by itself it waits for 26 */
}

/* ---- compiling --------------------------------------------------------------------------------------------------------- */

/* Writes a built-in file under the folder. */
static const char *unpack(const char *folder, const char *name) {
  for (const struct builtin *file = builtins; file->name; file++) {
    if (strcmp(file->name, name) != 0) continue;
    const char *path = mem_text("%s/%s", folder, name);
    struct text text = {0};
    text_add(&text, file->data, file->size);
    const char *failure = file_write_all(&(struct output){path, &text}, 1);
    text_free(&text);
    return failure ? NULL : path;
  }
  return NULL;
}

static const char *unpack_source(const char *folder, const struct row *row) {
  mkdir(mem_text("%s/runtime", folder), 0777);
  mkdir(mem_text("%s/runtime/peers", folder), 0777);
  if (!unpack(folder, "runtime/convsmith.h") || !unpack(folder, "runtime/peers/peer.h")) return NULL;
  return unpack(folder, mem_text("runtime/peers/%s.c", row->source));
}

static const char *const *compiler_flags(const struct row *row, const struct isa *isa, bool native) {
  const char **flags = mem_array(16, sizeof *flags);
  size_t count = 0;
  flags[count++] = "-D_POSIX_C_SOURCE=200809L";
  flags[count++] = "-O3";
  if (native) flags[count++] = "-march=native";
  for (size_t i = 0; !native && isa->flags[i] && count < 12; i++) flags[count++] = isa->flags[i];
  for (size_t i = 0; row->libraries[i]; i++) flags[count++] = row->libraries[i];
  flags[count] = "-lm";
  return flags;
}

static void compile_row(struct peer_source *source, const struct row *row, const struct isa *isa, bool native) {
  struct text message = {0};
  const char *folder = scratch_folder(), *path = folder ? unpack_source(folder, row) : NULL;
  const char *object = mem_text("%s/%s_%s.so", folder ? folder : "", row->name, isa->name);
  if (!native && !keeps_to(row, isa))
    source->why = mem_text("nothing keeps it to %s on this machine", isa->name);
  else if (!path)
    source->why = mem_text("cannot write its source: %s", strerror(errno));
  else if (library_compile(path, object, compiler_flags(row, isa, native), &message))
    source->object = object;
  else
    source->why = mem_text("it does not compile here: apt-get install %s", row->packages);
  text_free(&message);
}

static void add_peer(struct peer_list *list, const struct row *row, const struct isa *isa, bool native) {
  for (size_t i = 0; i < list->count; i++)
    if (!strcmp(list->items[i].name, row->name)) return;
  struct peer_source *source = &list->items[list->count++];
  *source = (struct peer_source){.name = row->name, .variant = row->variant, .judged = row->judged, .slow = row->slow};
  compile_row(source, row, isa, native);
}

struct peer_list peers_compile(struct job *job, const struct words *wanted, const struct isa *isa) {
  const bool native = isa == isa_native(&job->isas);
  struct peer_list list = {.count = 0};
  for (size_t i = 0; !wanted->count && i < MAX_PEERS; i++)
    if (!rows[i].variant) add_peer(&list, &rows[i], isa, native);
  for (size_t i = 0; i < wanted->count; i++) {
    const struct row *row = find_row(wanted->items[i]);
    if (row) add_peer(&list, row, isa, native);
  }
  return list;
}

const struct peer *peer_load(const struct peer_source *source, struct text *message) {
  return library_load(source->object, "convsmith_peer", message);
}
