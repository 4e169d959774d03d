/* Libraries. */
#include "library.h"
#include "compile.h"
#include "file.h"
#include "mem.h"
#include <dlfcn.h>
#include <errno.h>
#include <string.h>

bool library_compile(const char *source, const char *object, const char *const *flags, struct text *message) {
  const char *const standard[] = {"-std=c99", "-O2", "-shared", "-fPIC", "-w", "-o", object, source};
  const size_t mark = mem_mark();
  const char **arguments = NULL;
  size_t count = 0;
  for (; count < sizeof standard / sizeof *standard; count++) {
    arguments = mem_grow(arguments, count, sizeof *arguments);
    arguments[count] = standard[count];
  }
  do {
    arguments = mem_grow(arguments, count, sizeof *arguments);
    arguments[count++] = *flags;
  } while (*flags++);
  const bool compiled = compile(arguments, message);
  mem_release(mark);
  return compiled;
}

void *library_load(const char *object, const char *symbol, struct text *message) {
  void *library = dlopen(object, RTLD_NOW | RTLD_LOCAL);
  void *found = library ? dlsym(library, symbol) : NULL;
  if (!found) text_print(message, "convsmith: error: cannot load what the compiler made: %s", dlerror());
  return found;
}

void *library_build(const struct text *code, const char *name, const char *symbol, struct text *message) {
  static const char *const flags[] = {"-lm", NULL};
  const char *folder = scratch_folder();
  if (!folder) {
    text_print(message, "convsmith: error: cannot make a temporary folder: %s; TMPDIR names where", strerror(errno));
    return NULL;
  }
  const char *source = mem_text("%s/%s.c", folder, name), *object = mem_text("%s/%s.so", folder, name);
  const char *failure = file_write_all(&(struct output){source, code}, 1);
  if (failure) {
    text_print(message, "convsmith: error: %s", failure);
    return NULL;
  }
  return library_compile(source, object, flags, message) ? library_load(object, symbol, message) : NULL;
}
