$ -- Questions to the CPU that runs: functions whose names begin with `name`, and the C condition of what a probe asks of them.
$ local function include()
#if (defined(__x86_64__) || defined(__i386__)) && defined(__GNUC__)
#include <cpuid.h>
#endif
$ end
$ -- `storage` is how the functions are declared; what no target asks is left out.
$ local function define(name, targets, storage)
$   local cpuid, xcr0, permission = false, false, false
$   for _, target in ipairs(targets) do
$     cpuid = cpuid or #target.isa.probe.cpuid > 0
$     xcr0 = xcr0 or target.isa.probe.xcr0 ~= 0
$     permission = permission or target.isa.probe.permission
$   end
#if (defined(__x86_64__) || defined(__i386__)) && defined(__GNUC__)
$   if cpuid then
${storage} int ${name}_cpuid(unsigned leaf, unsigned subleaf, char reg, int bit)
{
unsigned a = 0, b = 0, c = 0, d = 0;
if (!__get_cpuid_count(leaf, subleaf, &a, &b, &c, &d)) return 0;
return (int)((reg == 'a' ? a : reg == 'b' ? b : reg == 'c' ? c : d) >> bit & 1u);
}
$   end
$   if xcr0 then
/* Does the system save these registers? Asked only where CPUID says that xgetbv is there. */
${storage} int ${name}_xcr0(unsigned mask)
{
unsigned low, high;
__asm__ __volatile__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
return (low & mask) == mask;
}
$   end
#endif
$   if permission then
#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__)
/* Asks the system for registers that it lends on demand, once for the whole process (arch_prctl). */
${storage} int ${name}_permission(long request, long what)
{
long result = 158;
__asm__ __volatile__("syscall" : "+a"(result) : "D"(request), "S"(what) : "rcx", "r11", "memory");
return result == 0;
}
#endif
$   end
$ end
$ local function condition(name, probe)
$   local list = {}
$   for _, row in ipairs(probe.cpuid) do
$     list[#list + 1] = ("%s_cpuid(%d, %d, '%s', %d)"):format(name, row[1], row[2], row[3], row[4])
$   end
$   if probe.xcr0 ~= 0 then list[#list + 1] = ("%s_xcr0(%d)"):format(name, probe.xcr0) end
$   local permission = probe.permission
$   if permission then list[#list + 1] = ("%s_permission(%d, %d)"):format(name, permission[1], permission[2]) end
$   return #list > 0 and table.concat(list, " &&\n") or "1"
$ end
$ return { include = include, define = define, condition = condition }
