/* The template engine: a sandboxed Lua that turns templates and one read-only table into C text. See docs/templates.md.
 *
 * A template is C. A line that starts with "$ " is Lua; ${expr} prints a string or an integer; $$ is a dollar. One template line is
 * one chunk line, so an error names FILE:LINE of the template and shows the line. An undefined name, a nil, a boolean or a float in
 * a hole is an error. The sandbox has no io, os, pairs, next, load, pcall, require or bytecode, and bounds memory and steps. */
#ifndef GEN_ENGINE_H
#define GEN_ENGINE_H
#include "text.h"
#include <lua.h>
#include <stdbool.h>

struct engine;

/* Searches `paths` in order (the strings must outlive the engine), then the files built into the program. */
struct engine *engine_new(const char *const *paths, size_t count);
void engine_free(struct engine *engine);
lua_State *engine_lua(struct engine *engine);
/* Runs `file` ("isa/avx2.lua") as plain Lua in the sandbox and leaves the value it returns on the stack. `derive(base, changes)`
 * and `import(file)` are there. False with the message in engine_error and nothing pushed. */
bool engine_load(struct engine *engine, const char *file);
/* Takes the table on top of the stack off it, and expands template `file` with its fields as globals. Templates read them and
 * cannot write: the tables inside the table, at every depth, are replaced by read-only faces (frozen.h), and may be given again.
 * Reading an absent field is an error; `false` says "not there". The text is re-indented by brackets and appended to `out`, which
 * stays as it was on failure. Fields must not change while templates run; do not expand inside an expansion. */
bool engine_expand(struct engine *engine, const char *file, struct text *out);
/* What went wrong, ready to print: "direct.t:12: error: ...\n  the line", or "convsmith: error: ..." where no line is to blame. */
const char *engine_error(const struct engine *engine);
/* Names of the built-in and path files under `folder` that end in `suffix`, sorted, without duplicates, NULL at the end:
 * "isa/avx2.lua" as "avx2". */
const char *const *engine_list(struct engine *engine, const char *folder, const char *suffix);
/* Files outside the program that were read so far, for dependency files: sorted paths, NULL at the end. */
const char *const *engine_files(struct engine *engine);

/* Built-in files: made by the Makefile from templates/ and the runtime sources that emitted tests carry ("runtime/ref_conv.c"). */
struct builtin {
  const char *name;
  const char *data;
  size_t size;
};
extern const struct builtin builtins[]; /* sorted by name; name NULL at the end */
#endif
