$ -- Many generated layers in one file, and a table that calls each of them in the same way.
$ -- kernels: list of signature fields with the texts `header` and `source`.
$ local compose, arguments = import("lib/compose.lua"), import("lib/arguments.lua")
/* Blocks that kernels computed with what they fall back to, and as planned. */
static long convsmith_blocks[2];
#define CONVSMITH_COUNT(planned) ((void)convsmith_blocks[(planned) != 0]++)
$ for _, k in ipairs(kernels) do
$   emit_raw(k.header)
$   emit_raw(compose.without_header(k))
$ end
#include <stddef.h>
struct convsmith_kernel {
void (*pack)(const void *const *parameters, void *packed);
void (*whole)(const void *const *inputs, const void *packed, void *output, void *workspace);
void (*part)(const void *const *inputs, const void *packed, void *output, void *workspace, int part, int parts);
size_t packed_bytes, workspace_bytes;
long *blocks;
};
$ local function numbered(tensors, list) -- each tensor's argument: its place in a list
$   local values = {}
$   for i, tensor in ipairs(tensors) do values[tensor.name] = ("%s[%d]"):format(list, i - 1) end
$   return values
$ end
$ for _, k in ipairs(kernels) do
$   local inputs, parameters = numbered(k.inputs, "inputs"), numbered(k.parameters, "parameters")
$   local call = arguments.call_list(k)
$   if k.packed then
static void glue_${k.name}_pack(const void *const *parameters, void *packed) {
${k.name}_pack(${arguments.pass(arguments.pack_list(k), parameters)});
}
$   end
static void glue_${k.name}(const void *const *inputs, const void *packed, void *output, void *workspace) {
(void)packed, (void)workspace;
${k.name}(${arguments.pass(call, inputs)});
}
static void glue_${k.name}_part(const void *const *inputs, const void *packed, void *output, void *workspace, int part, int parts) {
(void)packed, (void)workspace;
${k.name}_part(${arguments.pass(arguments.join(call, arguments.share), inputs)});
}
$ end
extern const struct convsmith_kernel convsmith_kernels[];
const struct convsmith_kernel convsmith_kernels[] = {
$ for _, k in ipairs(kernels) do
$   local pack = k.packed and "glue_" .. k.name .. "_pack" or "0"
{${pack}, glue_${k.name}, glue_${k.name}_part, ${k.constant}_PACKED_BYTES, ${k.constant}_WORKSPACE_BYTES, convsmith_blocks},
$ end
};
