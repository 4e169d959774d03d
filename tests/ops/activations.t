$ -- The smooth activations of one instruction set as functions of a vector: lanes from x to y. None where the C library does them.
$ local epilogue = import("lib/epilogue.lua")
$ local vec = import("lib/vec.lua")
$ local V = vec.new(isa, "f32", "unused", false)
$ local names = V.smooth and { "sigmoid", "tanh", "silu", "gelu" } or {}
#include <stddef.h>
#include <stdint.h>
$ for _, header in ipairs(isa.headers) do
#include <${header}>
$ end
$ import("lib/macros.t")
$ if isa.prelude then emit(isa.prelude) end

$ for _, name in ipairs(names) do
static ${isa.attribute}
void ${name}_of(const float *from, float *to)
{
const ${V.type} x = ${V.get("from", 1, V.lanes)};
const ${V.type} y = ${epilogue[name].smooth(V, "x")};
${V.put("to", 1, V.lanes, "y")}
}

$ end
const int lanes = ${V.lanes};
const struct {
const char *name;
void (*run)(const float *x, float *y);
} activations[] = {
$ for _, name in ipairs(names) do
{"${name}", ${name}_of},
$ end
{0, 0}};
