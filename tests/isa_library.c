/* Expanding, compiling and loading for one instruction set. */
#include "isa_library.h"
#include "../gen/mem.h"
#include "scratch.h"
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

void *isa_library(struct engine *engine, const struct isa *isa, const char *template) {
  static const char compile[] = "${CC:-cc} -std=c99 -O2 -Wall -Wextra -Wno-unused-parameter -Werror -shared -fPIC -o %s %s";
  struct text code = {0};
  char message[4000];
  lua_State *L = engine_lua(engine);
  lua_newtable(L);
  isa_push(engine, isa);
  lua_setfield(L, -2, "isa");
  if (!engine_expand(engine, template, &code)) fail_msg("%s", engine_error(engine));
  const char *source = mem_text("%s", scratch_write(mem_text("%s.c", isa->name), code.data));
  const char *library = mem_text("%s", scratch_path(mem_text("%s.so", isa->name)));
  text_free(&code);
  if (process_run(message, sizeof message, compile, library, source) != 0) fail_msg("%s", message);
  void *loaded = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (!loaded) fail_msg("%s", dlerror());
  return loaded;
}
