$ -- What an instruction set makes of elements of bf16, each form as a function by itself: from bf16 to numbers, and back.
$ local vec = import("lib/vec.lua")
$ local V = vec.new(isa, "bf16", "unused", false)
$ local N = vec.new(isa, V.numbers, "unused", false)
#include <stddef.h>
#include <stdint.h>
$ for _, header in ipairs(isa.headers) do
#include <${header}>
$ end
$ import("lib/macros.t")
$ if isa.prelude then emit(isa.prelude) end
$ for _, part in ipairs(isa.vec.bf16.preludes) do emit(part.text) end

$ local rows = {}
$ -- from, to: the lanes that it is about
$ local function define(name, from, to, statement)
$   rows[#rows + 1] = { name = name, from = from, to = to, symbol = ("%s_%d_%d"):format(name, from, to) }
static ${isa.attribute}
void ${rows[#rows].symbol}(const void *from, void *to)
{
${statement}
}

$ end
$ local function widen(name, from, to, value)
$   define(name, from, to, ("const uint16_t *a = from;\nfloat *r = to;\n%s"):format(N.put("r", 1, N.lanes, value)))
$ end
$ for to = 1, V.lanes do
$   for from = 0, to - 1 do
$     if from > 0 then widen("load", from, to, V.get_lanes("a", 1, from, to)) end
$   end
$   widen("load", 0, to, V.get("a", 1, to))
$   define("store", 0, to, ("const float *a = from;\nuint16_t *r = to;\n%s"):format(V.put("r", 1, to, N.get("a", 1, N.lanes))))
$ end
$ widen("broadcast", 0, V.lanes, V.broadcast("a"))

const int lanes = ${V.lanes};
const struct {
const char *name;
int from, to;
void (*run)(const void *from, void *to);
} forms[] = {
$ for _, row in ipairs(rows) do
{"${row.name}", ${row.from}, ${row.to}, ${row.symbol}},
$ end
{0, 0, 0, 0}};
