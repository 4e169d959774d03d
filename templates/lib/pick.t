$ -- With several targets, the exported functions ask once which of them this CPU runs; with one, only the compiler is asked.
$ local arguments = import("lib/arguments.lua")
$ local order = {}
$ for i, target in ipairs(targets) do order[i] = target end
$ table.sort(order, function(a, b) return a.isa.rank > b.isa.rank end)

$ local when = import("lib/when.lua")
$ if when.any(order) ~= "1" then
#if !(${when.any(order)})
#error "${layer.name}: none of its targets exists for this compiler and architecture"
#endif
$ end

$ -- One C condition for each thing that a probe asks.
$ local function tests(probe)
$   local list = {}
$   for _, row in ipairs(probe.cpuid) do
$     list[#list + 1] = ("%s_cpuid(%d, %d, '%s', %d)"):format(layer.name, row[1], row[2], row[3], row[4])
$   end
$   if probe.xcr0 ~= 0 then list[#list + 1] = ("%s_xcr0(%d)"):format(layer.name, probe.xcr0) end
$   return #list > 0 and table.concat(list, " &&\n") or "1"
$ end

$ -- What the compiler was told to assume is not asked, nor where nothing lesser is left.
$ local function ask(i, probe)
$   local known, lesser = {}, when.any({ table.unpack(order, i + 1) })
$   if has(probe, "macro") then known[1] = "(" .. probe.macro .. ")" end
$   if lesser ~= "1" then known[#known + 1] = "!(" .. lesser .. ")" end
$   if i == #order then
return ${i};
$     return
$   end
$   if #known > 0 then
#if ${table.concat(known, " || ")}
return ${i};
#else
$   end
if (${tests(probe)}) return ${i};
$   if #known > 0 then
#endif
$   end
$ end

$ local function choose()
#if (defined(__x86_64__) || defined(__i386__)) && defined(__GNUC__)
CONVSMITH_INLINE int ${layer.name}_cpuid(unsigned leaf, unsigned subleaf, char reg, int bit)
{
unsigned a = 0, b = 0, c = 0, d = 0;
if (!__get_cpuid_count(leaf, subleaf, &a, &b, &c, &d)) return 0;
return (int)((reg == 'a' ? a : reg == 'b' ? b : reg == 'c' ? c : d) >> bit & 1u);
}
/* Does the system save these registers? Asked only where CPUID says that xgetbv is there. */
CONVSMITH_INLINE int ${layer.name}_xcr0(unsigned mask)
{
unsigned low, high;
__asm__ __volatile__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
return (low & mask) == mask;
}
#endif
static int ${layer.name}_ask(void)
{
$   for i, target in ipairs(order) do when.only(target.isa.when, function() ask(i, target.isa.probe) end) end
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
case ${i}: ${layer.name}_${target.name}${suffix}(${arguments.pass(list)}); break;
$     end)
$   end
}
}
$ end

$ if #targets > 1 then
$   choose()
$   if layer.packed then dispatch("_pack", arguments.pack_list(layer)) end
$   dispatch("", arguments.call_list(layer))
$   dispatch("_part", arguments.join(arguments.call_list(layer), arguments.share))
$ end
