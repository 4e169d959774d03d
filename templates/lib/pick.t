$ -- With several targets, the exported functions ask once which of them this CPU runs; with one, only the compiler is asked. Kernels
$ -- of some targets ask too (target.asks), and do otherwise where the answer is another.
$ local arguments = import("lib/arguments.lua")
$ local cpu = import("lib/cpu.t")
$ local ordered = import("lib/order.lua")
$ local order, asking = ordered.order(targets), ordered.asking(targets)

$ local when = import("lib/when.lua")
$ if when.any(order) ~= "1" then
#if !(${when.any(order)})
#error "${layer.name}: none of its targets exists for this compiler and architecture"
#endif
$ end

$ -- What the compiler was told to assume is not asked, nor where nothing lesser is left.
$ local function ask(i, target)
$   local probe, known, lesser = target.isa.probe, {}, when.any({ table.unpack(order, i + 1) })
$   if has(probe, "macro") then known[1] = "(" .. probe.macro .. ")" end
$   if lesser ~= "1" and not target.asks then known[#known + 1] = "!(" .. lesser .. ")" end
$   if i == #order and not target.asks then
return ${i};
$     return
$   end
$   if #known > 0 then
#if ${table.concat(known, " || ")}
return ${i};
#else
$   end
if (${cpu.condition(layer.name, probe)}) return ${i};
$   if #known > 0 then
#endif
$   end
$ end

$ local function choose()
$   cpu.define(layer.name, targets, "CONVSMITH_INLINE")
static int ${layer.name}_ask(void)
{
$   for i, target in ipairs(order) do when.only(target.isa.when, function() ask(i, target) end) end
$   if asking then
return 0x7fff;
$   end
}
/* The best target that this CPU runs: asked once and remembered in one word, which every thread may write with the same value. */
static int ${layer.name}_pick(void)
{
static int remembered;
#if defined(__GNUC__)
int pick = __atomic_load_n(&remembered, __ATOMIC_RELAXED);
#else
int pick = *(volatile int *)&remembered;
#endif
if (pick != 0) return pick;
pick = ${layer.name}_ask();
#if defined(__GNUC__)
__atomic_store_n(&remembered, pick, __ATOMIC_RELAXED);
#else
*(volatile int *)&remembered = pick;
#endif
return pick;
}
$ end

$ local function dispatch(suffix, list)
void ${layer.name}${suffix}(${arguments.declare(list)})
{
switch (${layer.name}_pick()) {
$   for i, target in ipairs(order) do
$     when.only(target.isa.when, function()
$       if target.asks then
default:
$       end
case ${i}: ${layer.name}_${target.name}${suffix}(${arguments.pass(list)}); break;
$     end)
$   end
}
}
$ end

$ if #targets > 1 or asking then choose() end
$ if #targets > 1 then
$   if layer.packed then dispatch("_pack", arguments.pack_list(layer)) end
$   dispatch("", arguments.call_list(layer))
$   dispatch("_part", arguments.join(arguments.call_list(layer), arguments.share))
$ end
