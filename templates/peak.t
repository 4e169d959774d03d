$ -- What a core can do on one target, to compare kernels with: multiply-adds between registers, and vectors through memory.
$ -- isa: the target.
$ local V = import("lib/vec.lua").new(isa, "f32", "peak", false)
$ local CHAINS = 12 -- more than latency times throughput of any core, and they fit 16 registers with both operands
$ for _, header in ipairs(isa.headers) do
#include <${header}>
$ end
#include <stddef.h>
#include <stdint.h>
$ import("lib/macros.t")
$ if isa.prelude then emit(isa.prelude) end

/* Multiply-adds in `steps` steps. */
static ${isa.attribute} double peak_macs(long steps) {
const float start[${V.lanes}] = {0};
volatile float sink;
${V.type} x = ${V.set1("0.999f")}, w = ${V.set1("0.001f")};
$ for i = 1, CHAINS do
${V.type} a${i} = ${V.get("start", 1, V.lanes)};
$ end
CONVSMITH_ROLLED
for (long s = 0; s < steps; s++) {
$ for i = 1, CHAINS do
a${i} = ${V.mac("a" .. i, "x", "w")};
$   if isa.pin then
CONVSMITH_DONE("${isa.pin}", a${i});
$   end
$ end
}
$ for i = 1, CHAINS do
{
float lanes[${V.lanes}];
${V.put("lanes", 1, V.lanes, "a" .. i)}
sink = lanes[0];
}
$ end
(void)sink;
return (double)steps * ${CHAINS * V.lanes};
}

/* Reads and writes as many floats, vector by vector. */
static ${isa.attribute} void peak_stream(const float *const *from, const size_t *read, float *to, size_t written) {
volatile float sink;
float lanes[${V.lanes}];
${V.type} sum = ${V.zero()}, sum2 = ${V.zero()};
for (size_t k = 0; from[k]; k++) {
CONVSMITH_ROLLED
for (size_t i = 0; i + ${4 * V.lanes} <= read[k]; i += ${4 * V.lanes}) {
$ for i = 0, 3 do
$   local sum = i % 2 == 0 and "sum" or "sum2"
${sum} = ${V.add(sum, V.get("(from[k] + i + " .. i * V.lanes .. ")", 1, V.lanes))};
$ end
}
}
${V.put("lanes", 1, V.lanes, "sum")}
sink = lanes[0];
${V.put("lanes", 1, V.lanes, "sum2")}
sink = lanes[0];
(void)sink;
CONVSMITH_ROLLED
for (size_t i = 0; i + ${V.lanes} <= written; i += ${V.lanes}) {
${V.put("(to + i)", 1, V.lanes, "sum")}
}
}

struct convsmith_peak {
double (*macs)(long steps);
void (*stream)(const float *const *from, const size_t *read, float *to, size_t written);
};
extern const struct convsmith_peak convsmith_peak;
const struct convsmith_peak convsmith_peak = {peak_macs, peak_stream};
