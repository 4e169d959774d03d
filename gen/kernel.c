/* Kernels: one C file from templates/glue.t holds all generated files of a build and a table of uniform functions over them. */
#include "kernel.h"
#include "library.h"
#include "signature.h"

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

const struct kernel *kernel_build(const struct job *job, const struct kernel_source *sources, size_t count, const char *name,
                                  struct text *message) {
  struct text code = {0};
  const struct kernel *kernels = NULL;
  if (expand(job, sources, count, &code))
    kernels = library_build(&code, name, "convsmith_kernels", message);
  else
    text_print(message, "%s", engine_error(job->engine));
  text_free(&code);
  return kernels;
}
