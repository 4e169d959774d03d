/* Peaks: templates/peak.t, compiled. */
#include "peaks.h"
#include "library.h"
#include "mem.h"

const struct peaks *peaks_build(const struct job *job, const struct isa *isa, struct text *message) {
  lua_State *L = engine_lua(job->engine);
  struct text code = {0};
  const struct peaks *peaks = NULL;
  lua_newtable(L);
  isa_push(job->engine, isa);
  lua_setfield(L, -2, "isa");
  if (engine_expand(job->engine, "peak.t", &code))
    peaks = library_build(&code, mem_text("peak_%s", isa->name), "convsmith_peak", message);
  else
    text_print(message, "%s", engine_error(job->engine));
  text_free(&code);
  return peaks;
}
