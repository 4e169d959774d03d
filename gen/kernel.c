/* Kernels: one C file from templates/glue.t holds all generated files of a build and a table of uniform functions over them. */
#include "kernel.h"
#include "compile.h"
#include "file.h"
#include "mem.h"
#include "signature.h"
#include <dlfcn.h>
#include <errno.h>
#include <string.h>

/* Pushes {…signature, header, source}, or returns false. */
static bool push_kernel(const struct job *job, const struct kernel_source *source) {
  lua_State *L = engine_lua(job->engine);
  struct generated generated;
  if (!job_generate(job, source->layer, source->plans, source->count, source->prefix, &generated)) return false;
  signature_push(L, source->layer, source->prefix, source->plans, source->count);
  set_text(L, "header", generated.header.data);
  set_text(L, "source", generated.source.data);
  generated_free(&generated);
  return true;
}

static bool expand(const struct job *job, const struct kernel_source *sources, size_t count, struct text *code) {
  lua_State *L = engine_lua(job->engine);
  lua_newtable(L);
  lua_createtable(L, (int)count, 0);
  for (size_t i = 0; i < count; i++) {
    if (!push_kernel(job, &sources[i])) {
      lua_pop(L, 2);
      return false;
    }
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "kernels");
  return engine_expand(job->engine, "glue.t", code);
}

static bool write_and_compile(const struct text *code, const char *base, struct text *message) {
  const char *source = mem_text("%s.c", base), *object = mem_text("%s.so", base);
  const struct output output = {source, code};
  const char *failure = file_write_all(&output, 1);
  if (failure) {
    text_print(message, "convsmith: error: %s", failure);
    return false;
  }
  const char *const arguments[] = {"-std=c99", "-O2", "-shared", "-fPIC", "-w", "-o", object, source, "-lm", NULL};
  return compile(arguments, message);
}

static const struct kernel *load(const char *object, struct text *message) {
  void *library = dlopen(object, RTLD_NOW | RTLD_LOCAL);
  const struct kernel *kernels = library ? dlsym(library, "convsmith_kernels") : NULL;
  if (!kernels) text_print(message, "convsmith: error: cannot load what the compiler made: %s", dlerror());
  return kernels;
}

const struct kernel *kernel_build(const struct job *job, const struct kernel_source *sources, size_t count, const char *name,
                                  struct text *message) {
  const char *folder = scratch_folder();
  if (!folder) {
    text_print(message, "convsmith: error: cannot make a temporary folder: %s; TMPDIR names where", strerror(errno));
    return NULL;
  }
  const char *base = mem_text("%s/%s", folder, name);
  struct text code = {0};
  bool expanded = expand(job, sources, count, &code);
  if (!expanded) text_print(message, "%s", engine_error(job->engine));
  bool compiled = expanded && write_and_compile(&code, base, message);
  text_free(&code);
  return compiled ? load(mem_text("%s.so", base), message) : NULL;
}
