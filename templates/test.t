$ -- NAME_test.c: a C99 program that checks one generated kernel against the reference that it carries.
$ -- kernel: the signature. tensors: all of the op's, in its order. layer: what the reference wants to know.
$ local compose = import("lib/compose.lua")
$ local LARGEST = 20000000 -- multiply-adds of the reference for one kind of data; larger layers are sampled
$
$ local function runtime_source(name) -- without its line that includes the runtime's header
$   local first, last = 1, 0
$   local text = builtin("runtime/" .. name)
$   first, last = text:find('#include "convsmith.h"\n', 1, true)
$   if first then text = text:sub(1, first - 1) .. text:sub(last + 1) end
$   emit_raw(text)
$ end
$ local function constant(name) return ("CS_" .. name):upper() end
$ local function list(values) return table.concat(values, ", ") end
$ local function copy(values)
$   local result = {}
$   for i, value in ipairs(values) do result[i] = value end
$   return result
$ end
$ local at, outputs = {}, 0 -- each tensor's number; how many elements the output has
$ for i, t in ipairs(tensors) do
$   at[t.name] = i - 1
$   if t.role == "output" then outputs = t.count end
$ end
$ local output = #tensors - 1
$ local per_output = math.max(multiply_adds // outputs, 1)
$ local step = math.max(outputs // math.max(LARGEST // per_output, 1), 1)
/* Checks ${kernel.name} against its definition, on small whole numbers, random and hostile data, and in parts.
 * Build and run: cc -std=c99 -O2 ${kernel.file}_test.c, with ${kernel.file}.c unless the code is in the header, and -lm. */
$ if implementation then
#define ${implementation}
$ end
#include "${header}"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
$ for _, name in ipairs({"convsmith.h", "layout.c", "fill.c", "compare.c", reference}) do
$   runtime_source(name)
$ end
/* ---- the layer ---- */
enum { TENSORS = ${#tensors}, OUTPUT = ${output}, EXACT_LIMIT = ${exact_limit} };
struct test_tensor {
const char *name;
enum cs_dtype dtype;
enum cs_layout layout;
int activation; /* lies in memory in `layout`; others in logical order */
int baked;
int rank;
ptrdiff_t shape[CS_MAX_RANK];
size_t count;
};
static const struct test_tensor tensors[TENSORS] = {
$ for _, t in ipairs(tensors) do
$   local activation, baked = t.role == "parameter" and 0 or 1, t.baked and 1 or 0
{"${t.name}", ${constant(t.dtype)}, ${constant(t.layout)}, ${activation}, ${baked}, ${#t.shape}, {${list(copy(t.shape))}}, ${t.count}},
$ end
};
$ for i, t in ipairs(tensors) do
$   if t.baked then
$     local wide = t.dtype == "f64"
static const ${wide and "uint64_t" or "uint32_t"} baked_${t.name}[${t.count}] = {
$     local line = {}
$     for j, bits in ipairs(t.baked) do
$       line[#line + 1] = wide and ("UINT64_C(0x%016x)"):format(bits) or ("0x%08xu"):format(bits)
$       if #line == 8 or j == t.count then
${list(line)},
$         line = {}
$       end
$     end
};
$   end
$ end
static void *logical[TENSORS]; /* in logical order */
static void *memory[TENSORS];  /* what the kernel sees */
static void *packed, *workspace, *first;
$ import("lib/test_" .. layer.op .. ".t").define(layer, at)
/* ---- calls ---- */
$ if kernel.packed then
$   local parameters = {}
$   for _, p in ipairs(kernel.parameters) do parameters[#parameters + 1] = ("(const %s *)memory[%d]"):format(p.ctype, at[p.name]) end
static void call_pack(void) {
${kernel.name}_pack(${list(parameters)}, packed);
}
$ end
$ local arguments = {}
$ for _, p in ipairs(kernel.inputs) do arguments[#arguments + 1] = ("(const %s *)memory[%d]"):format(p.ctype, at[p.name]) end
$ if kernel.packed then arguments[#arguments + 1] = "packed" end
$ arguments[#arguments + 1] = ("(%s *)memory[OUTPUT]"):format(kernel.output)
$ if kernel.workspace then arguments[#arguments + 1] = "workspace" end
static void call_whole(void) {
${kernel.name}(${list(arguments)});
}
static void call_part(int part, int parts) {
${kernel.name}_part(${list(arguments)}, part, parts);
}
/* ---- buffers ---- */
enum { MARGIN = 64, POISON = 0xFF }; /* poison is a NaN */
static void *buffer(size_t size) {
unsigned char *bytes = (unsigned char *)malloc(size + 2 * MARGIN);
if (!bytes) {
fprintf(stderr, "${kernel.name}: out of memory\n");
exit(2);
}
memset(bytes, POISON, size + 2 * MARGIN);
return bytes + MARGIN;
}
static void drop(void *bytes) {
free((unsigned char *)bytes - MARGIN);
}
static size_t bytes_of(const struct test_tensor *tensor) {
return tensor->count * cs_size(tensor->dtype);
}
static int margin_written(const void *data, size_t size) {
const unsigned char *bytes = (const unsigned char *)data;
int i, written = 0;
for (i = 0; i < MARGIN; i++) written |= (bytes[-1 - i] ^ POISON) | (bytes[size + (size_t)i] ^ POISON);
return written;
}
static void poison(void) {
memset(memory[OUTPUT], POISON, bytes_of(&tensors[OUTPUT]));
memset(workspace, POISON, ${kernel.constant}_WORKSPACE_BYTES);
}
static void fill(enum cs_fill kind) {
int i, limit = EXACT_LIMIT > 0 ? EXACT_LIMIT : 4;
for (i = 0; i < OUTPUT; i++) {
const struct test_tensor *t = &tensors[i];
if (!t->baked) cs_fill(logical[i], t->count, t->dtype, kind, limit, (uint64_t)kind * 100 + (uint64_t)i);
if (t->activation)
cs_to_layout(logical[i], memory[i], t->shape, t->rank, t->dtype, t->layout);
else
memcpy(memory[i], logical[i], bytes_of(t));
}
}
/* ---- checks ---- */
static int complain(const char *kind, const char *what) {
printf("${kernel.name}: %s data: %s\n", kind, what);
return 1;
}
static void split_index(size_t element, ptrdiff_t *index) {
int d;
for (d = tensors[OUTPUT].rank - 1; d >= 0; d--) {
const size_t size = (size_t)tensors[OUTPUT].shape[d];
index[d] = (ptrdiff_t)(element % size);
element /= size;
}
}
static int complain_value(const char *kind, const ptrdiff_t *index, double got, const struct cs_expect *want) {
int d;
printf("${kernel.name}: %s data: output[", kind);
for (d = 0; d < tensors[OUTPUT].rank; d++) printf("%s%ld", d ? ", " : "", (long)index[d]);
printf("] is %.9g; the reference is %.9g, within %.3g\n", got, want->value, want->bound);
return 1;
}
static int compare(const char *kind, int exact) {
const struct test_tensor *t = &tensors[OUTPUT];
const size_t step = ${step};
uint64_t state = 1;
size_t i;
cs_from_layout(memory[OUTPUT], logical[OUTPUT], t->shape, t->rank, t->dtype, t->layout);
for (i = 0; i < t->count; i += step) {
const size_t left = t->count - i, element = i + (size_t)(cs_random(&state) % (left < step ? left : step));
ptrdiff_t index[CS_MAX_RANK];
struct cs_expect want;
double got = cs_get(logical[OUTPUT], element, t->dtype);
split_index(element, index);
expect(index, &want);
if (!cs_right(&want, got, exact)) return complain_value(kind, index, got, &want);
}
return 0;
}
static int compare_parts(const char *kind) {
static const int counts[] = {1, 2, 3, 7};
const size_t size = bytes_of(&tensors[OUTPUT]);
size_t i;
int part;
memcpy(first, memory[OUTPUT], size);
for (i = 0; i < sizeof counts / sizeof counts[0]; i++) {
poison();
for (part = counts[i]; part-- > 0;) call_part(part, counts[i]);
if (memcmp(first, memory[OUTPUT], size) != 0) return complain(kind, "the parts do not make the whole");
}
return 0;
}
static int check(enum cs_fill kind, const char *name, int exact) {
fill(kind);
memset(packed, POISON, ${kernel.constant}_PACKED_BYTES);
$ if kernel.packed then
call_pack();
$ end
poison();
call_whole();
if (margin_written(memory[OUTPUT], bytes_of(&tensors[OUTPUT]))) return complain(name, "a write outside the output");
if (margin_written(packed, ${kernel.constant}_PACKED_BYTES)) return complain(name, "a write outside packed");
if (margin_written(workspace, ${kernel.constant}_WORKSPACE_BYTES)) return complain(name, "a write outside the workspace");
return compare(name, exact) || compare_parts(name);
}
int main(void) {
int i, failed;
for (i = 0; i < TENSORS; i++) {
logical[i] = buffer(bytes_of(&tensors[i]));
memory[i] = buffer(bytes_of(&tensors[i]));
}
$ for _, t in ipairs(tensors) do
$   if t.baked then
memcpy(logical[${at[t.name]}], baked_${t.name}, sizeof baked_${t.name});
$   end
$ end
packed = buffer(${kernel.constant}_PACKED_BYTES);
workspace = buffer(${kernel.constant}_WORKSPACE_BYTES);
first = buffer(bytes_of(&tensors[OUTPUT]));
failed = check(CS_FILL_INTEGERS, "whole-number", EXACT_LIMIT > 0) || check(CS_FILL_RANDOM, "random", 0) || check(CS_FILL_HOSTILE, "hostile", 0);
if (!failed) printf("${kernel.name}: ok\n");
for (i = 0; i < TENSORS; i++) {
drop(logical[i]);
drop(memory[i]);
}
drop(packed);
drop(workspace);
drop(first);
return failed;
}
