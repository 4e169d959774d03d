$ -- Every operation of one instruction set as a function by itself: r = op(a, b, c), from and to any address.
$ local vec = import("lib/vec.lua")
#include <stddef.h>
#include <stdint.h>
$ for _, header in ipairs(isa.headers) do
#include <${header}>
$ end
$ import("lib/macros.t")
$ if isa.prelude then emit(isa.prelude) end

$ local rows = {}
$ -- n: of how many lanes; 0 where the operation is about all of them
$ local function define(V, dtype, name, n, statement)
$   rows[#rows + 1] = { name = name, n = n, f64 = dtype == "f64" and 1 or 0, lanes = V.lanes, symbol = ("%s_%s%d"):format(dtype, name, n) }
static ${isa.attribute}
void ${rows[#rows].symbol}(const void *pa, const void *pb, const void *pc, void *pr)
{
const ${V.ctype} *a = pa, *b = pb, *c = pc;
${V.ctype} *r = pr;
(void)a, (void)b, (void)c;
${statement}
}

$ end

$ local function define_type(dtype)
$   local V, live = vec.new(isa, dtype, "unused", false), vec.new(isa, dtype, "unused", true)
$   local x, y, z = table.unpack({ "(" .. V.get("a", 1, V.lanes) .. ")", "(" .. V.get("b", 1, V.lanes) .. ")", "(" .. V.get("c", 1, V.lanes) .. ")" })
$   local function value(name, n, expression)
$     define(V, dtype, name, n, ("const %s v = %s;\n%s"):format(V.type, expression, V.put("r", 1, V.lanes, "v")))
$   end
$   value("load", 0, x)
$   if has(isa.vec[dtype], "fetch") then
$     local apart = vec.new(isa, dtype, dtype, false)
$     apart.fetches = true
$     import("lib/fetch.t")({ V = apart, symbol = dtype })
$     value("fetch", 0, apart.fetch("a", 1, V.lanes))
$   end
$   value("zero", 0, V.zero())
$   value("set1", 0, V.set1(V.number("1.5")))
$   value("broadcast", 0, V.broadcast("a"))
$   value("add", 0, V.add(x, y))
$   value("sub", 0, V.sub(x, y))
$   value("mul", 0, V.mul(x, y))
$   value("sum", 0, V.set1(V.sum(x)))
$   for i = 0, V.sums and 3 or -1 do
$     local of = { V.zero(), V.zero(), V.zero(), V.zero() }
$     of[i + 1] = x
$     local sums = V.ctype .. " t[4];\n" .. V.sums("t", table.unpack(of))
$     define(V, dtype, "sums" .. i, 0, ("%s\nconst %s v = %s;\n%s"):format(sums, V.type, V.set1("t[" .. i .. "]"), V.put("r", 1, V.lanes, "v")))
$   end
$   local swapped, elements = {}, {}
$   for lane = 0, V.lanes - 1 do
$     swapped[lane + 1] = lane ~ 1
$     elements[lane + 1] = V.element("a + " .. (lane ~ 1))
$   end
$   if V.set then value("set", 0, V.set(elements)) end
$   if has(isa.vec[dtype], "permute") then
$     value("permute", 0, V.permute(x, swapped))
$   end
$   if has(isa.vec[dtype], "shuffle") then
$     local mixed = {}
$     for lane = 0, V.lanes - 1 do mixed[#mixed + 1] = lane % 2 == 0 and lane + 1 or V.lanes + lane end
$     value("shuffle", 0, V.shuffle(x, y, mixed))
$     local across, quarter = {}, V.lanes // 4
$     for lane = 0, V.lanes - 1 do across[lane + 1] = quarter > 0 and lane // quarter == 1 and lane + quarter or lane end
$     value("shuffle_across", 0, V.shuffle(x, x, across))
$   end
$   local pieces = has(isa.vec[dtype], "pieces") and isa.vec[dtype].pieces.count or 1
$   for from = 1, pieces - 1 do
$     local places, size = {}, V.lanes // pieces
$     for i = 0, pieces - 1 do places[i + 1] = vec.at(i < from and "a" or "b", i * size) end
$     value("pieces", from * size, V.join(places))
$   end
$   if has(isa.vec[dtype], "even") then
$     for n = 1, V.lanes do value("every_second", n, V.get("a", 2, n)) end
$     for n = 1, V.lanes - 1 do value("every_second_later", n, V.get_lanes("a - " .. 2 * n, 2, n, V.lanes)) end
$   end
$   value("max", 0, V.max(x, y))
$   value("min", 0, V.min(x, y))
$   value("top", 0, V.top({ x, y }))
$   for n = 1, V.tops and 3 or 0 do value("tops" .. n, 0, V.top({ x, y, z, table.unpack({ x, y }, 1, n - 1) })) end
$   value("select_negative", 0, V.select_negative(x, y, z))
$   if V.smooth then
$     value("div", 0, V.div(x, y))
$     value("scale", 0, V.scale(x, y))
$   end
$   value("mac", 0, V.mac(x, y, z))
$   value("minus", 0, V.minus(x, y, z))
$   value("live_mac", 0, live.mac(x, y, z))
$   local function mac_lanes(from, to)
$     local asm = V.lanes_asm
$     if not asm then return "v = " .. V.blend("v", "(" .. V.mac("v", y, z) .. ")", from, to) .. ";" end
$     return ('CONVSMITH_MAC_LANES("%s", "%s", v, %s, %s, "%s", %s);'):format(asm.text, isa.pin, y, z, asm.constraint, V.mask(from, to))
$   end
$   for n = 1, V.lanes - 1 do
$     value("load_lanes", n, V.get_lanes("a - " .. n, 1, n, V.lanes))
$     if n < V.lanes - 1 then value("load_inner", n, V.get_lanes("a - " .. n, 1, n, V.lanes - 1)) end
$     value("blend", n, V.blend(x, y, n, V.lanes))
$     define(V, dtype, "mac_lanes", n, ("%s v = %s;\n%s\n%s"):format(V.type, x, mac_lanes(n, V.lanes), V.put("r", 1, V.lanes, "v")))
$     value("load_part", n, V.get("a", 1, n))
$     define(V, dtype, "store_part", n, ("const %s v = %s;\n%s"):format(V.type, x, V.put("r", 1, n, "v")))
$   end
$ end
$ define_type("f32")
$ define_type("f64")

const struct {
const char *name;
int n, f64, lanes;
void (*run)(const void *a, const void *b, const void *c, void *r);
} operations[] = {
$ for _, row in ipairs(rows) do
{"${row.name}", ${row.n}, ${row.f64}, ${row.lanes}, ${row.symbol}},
$ end
{0, 0, 0, 0, 0}};
