/* Kernels: one C file from templates/glue.t holds all generated files of a build and a table of uniform functions over them. */
#include "kernel.h"
#include "library.h"
#include "signature.h"

/* Text that is compiled at once: gcc 12 takes up to 8 seconds and 0.4 GB for it. */
static const size_t MOST_TEXT = 4 << 20;

/* Pushes {…signature, header, source} and adds the size of its text to `bytes`, or returns false. */
static bool push_kernel(const struct job *job, const struct kernel_source *source, size_t *bytes) {
  lua_State *L = engine_lua(job->engine);
  struct generated generated;
  if (!job_generate(job, source->layer, source->plans, source->count, source->prefix, &generated)) return false;
  signature_push(L, source->layer, source->prefix, source->plans, source->count);
  set_text(L, "header", generated.header.data);
  set_text(L, "source", generated.source.data);
  *bytes += generated.header.size + generated.source.size;
  generated_free(&generated);
  return true;
}

/* Stops after the kernel that reaches `most` bytes; `count` becomes how many there are. */
static bool expand(const struct job *job, const struct kernel_source *sources, size_t *count, size_t most, struct text *code) {
  lua_State *L = engine_lua(job->engine);
  size_t taken = 0, bytes = 0;
  lua_newtable(L);
  lua_newtable(L);
  while (taken < *count && bytes < most) {
    if (!push_kernel(job, &sources[taken], &bytes)) {
      lua_pop(L, 2);
      return false;
    }
    lua_rawseti(L, -2, (lua_Integer)++taken);
  }
  *count = taken;
  lua_setfield(L, -2, "kernels");
  return engine_expand(job->engine, "glue.t", code);
}

static const struct kernel *build(const struct job *job, const struct kernel_source *sources, size_t *count, size_t most,
                                  const char *name, struct text *message) {
  struct text code = {0};
  const struct kernel *kernels = NULL;
  if (expand(job, sources, count, most, &code))
    kernels = library_build(&code, name, "convsmith_kernels", message);
  else
    text_print(message, "%s", engine_error(job->engine));
  text_free(&code);
  return kernels;
}

const struct kernel *kernel_build(const struct job *job, const struct kernel_source *sources, size_t count, const char *name,
                                  struct text *message) {
  return build(job, sources, &count, SIZE_MAX, name, message);
}

const struct kernel *kernel_build_some(const struct job *job, const struct kernel_source *sources, size_t *count, const char *name,
                                       struct text *message) {
  return build(job, sources, count, MOST_TEXT, name, message);
}
