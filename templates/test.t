$ -- NAME_test.c: a C99 program that checks one generated kernel against the reference that it carries.
$ -- kernel: the signature. tensors: all of the op's, in its order. layer: what the reference wants to know.
$ local arguments = import("lib/arguments.lua")
$ local cpu = import("lib/cpu.t")
$ local when = import("lib/when.lua")
$ local words = import("lib/words.t")
$ local LARGEST = 20000000 -- multiply-adds of the reference for one kind of data; larger layers are sampled
$
$ local function runtime_source(name) -- without its line that includes the runtime's header
$   local text = builtin("runtime/" .. name)
$   local first, last = text:find('#include "convsmith.h"\n', 1, true)
$   if first then text = text:sub(1, first - 1) .. text:sub(last + 1) end
$   emit_raw(text)
$ end
$ local text = import("lib/constants.lua")
$ local constant = text.constant
$ local at, outputs = {}, 0 -- each tensor's number; how many elements the output has
$ for i, t in ipairs(tensors) do
$   at[t.name] = i - 1
$   if t.role == "output" then outputs = t.count end
$ end
$ local per_output = math.max(multiply_adds // outputs, 1)
$ local step = math.max(outputs // math.max(LARGEST // per_output, 1), 1)
/* Checks ${kernel.name} against its definition, on small whole numbers, random and hostile data, and in parts.
 * Build and run: cc -std=c99 -O2 ${kernel.file}_test.c, with ${kernel.file}.c unless the code is in the header, and -lm. */
$ if implementation then
#define ${implementation}
$ end
#include "${header}"
$ if #targets > 1 then cpu.include() end
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
$ local checks = import("lib/test_" .. reference .. ".t")
$ for _, name in ipairs({"convsmith.h", "layout.c", "fill.c", "compare.c", "ref_activation.c", "ref_round.c"}) do runtime_source(name) end
$ for _, name in ipairs(checks.sources) do runtime_source(name) end
/* ---- the layer ---- */
enum { CHECK_TENSORS = ${#tensors}, CHECK_OUTPUT = ${#tensors - 1}, CHECK_PACKED, CHECK_WORKSPACE, CHECK_EXACT_LIMIT = ${exact_limit} };
struct check_tensor {
const char *name;
enum cs_dtype dtype;
enum cs_layout layout;
int activation; /* lies in memory in `layout`; others in logical order */
int baked;
int rank;
ptrdiff_t shape[CS_MAX_RANK];
size_t count;
};
static const struct check_tensor check_tensors[CHECK_TENSORS] = {
$ for _, t in ipairs(tensors) do
$   local activation, baked = t.role == "parameter" and 0 or 1, t.baked and 1 or 0
{"${t.name}", ${constant(t.dtype)}, ${constant(t.layout)}, ${activation}, ${baked}, ${#t.shape}, ${text.sizes(t.shape)}, ${t.count}},
$ end
};
$ for i, t in ipairs(tensors) do
$   if t.baked then
$     local row = words.rows[t.dtype]
static const ${row.type} check_baked_${t.name}[${t.count}] = {
$     words.list(row, t.baked)
};
$   end
$ end
static void *check_logical[CHECK_TENSORS]; /* in logical order */
static void *check_memory[CHECK_TENSORS];  /* what the kernel sees */
static void *check_packed, *check_workspace, *check_first;
$ local loose = false -- does some target promise less than strict accuracy?
$ for _, promise in ipairs(promises) do loose = loose or promise.accuracy ~= "strict" or not promise.exact end
$ if loose then
/* What results are held to. */
struct check_held {
struct cs_promise promise;
int exact; /* on whole numbers */
};
static const struct check_held *check_held(void);
$ end
$ checks.define(layer, at, loose)
/* ---- calls ---- */
$ if #targets > 1 then
$   cpu.define("check", targets, "static")
/* Which functions are called: 0 those that pick a target, else those of one target, if this machine runs it. */
static int check_target;
static const char *const check_names[] = {"${kernel.name}",
$   for _, target in ipairs(targets) do
"${kernel.name}_${target.name}",
$   end
};
static int check_runs(int target) {
switch (target) {
$   for i, target in ipairs(targets) do
$     when.only(target.isa.when, function()
case ${i}: return ${cpu.condition("check", target.isa.probe)};
$     end)
$   end
default: return target == 0;
}
}
$ end
$ if loose then
static const struct check_held *check_held(void) {
static const struct check_held held[] = {
$   for _, promise in ipairs(promises) do
{{${constant(promise.accuracy)}, ${text.sizes(promise.block)}}, ${promise.exact and 1 or 0}},
$   end
};
$   if #targets > 1 then
$     local best = {} -- what the functions without a target pick
$     for i, target in ipairs(targets) do best[i] = i end
$     table.sort(best, function(a, b) return targets[a].isa.rank > targets[b].isa.rank end)
$     for _, i in ipairs(best) do
if (check_target == 0 && check_runs(${i})) return &held[${i - 1}];
$     end
return &held[check_target - 1];
$   else
return &held[0];
$   end
}
$ end
$ local function call_each(suffix, passed)
$   if #targets > 1 then
switch (check_target) {
$     for i, target in ipairs(targets) do
$       when.only(target.isa.when, function()
case ${i}: ${kernel.name}_${target.name}${suffix}(${passed}); break;
$       end)
$     end
default: ${kernel.name}${suffix}(${passed});
}
$   else
${kernel.name}${suffix}(${passed});
$   end
$ end
$ local values = {packed = "check_packed", workspace = "check_workspace"}
$ for i, t in ipairs(tensors) do values[t.name] = ("check_memory[%d]"):format(i - 1) end
$ local call = arguments.call_list(kernel)
$ if kernel.packed then
static void check_call_pack(void) {
$ call_each("_pack", arguments.pass(arguments.pack_list(kernel), values))
}
$ end
static void check_call_whole(void) {
$ call_each("", arguments.pass(call, values))
}
static void check_call_part(int part, int parts) {
$ call_each("_part", arguments.pass(arguments.join(call, arguments.share), values))
}
/* ---- buffers ---- */
enum { CHECK_MARGIN = 64, CHECK_POISON = 0xFF }; /* poison is a NaN */
/* Margins are NaN too, of each buffer others: what is copied from one margin into another shows. */
static unsigned char check_margin(size_t i, int buffer) {
return (unsigned char)(i % 4 == 1 || i % 4 == 2 ? 0xF0 + buffer : 0xFF);
}
static void *check_buffer(size_t size, int buffer) {
size_t i;
unsigned char *bytes = (unsigned char *)malloc(size + 2 * CHECK_MARGIN);
if (!bytes) {
fprintf(stderr, "${kernel.name}: out of memory\n");
exit(2);
}
memset(bytes, CHECK_POISON, size + 2 * CHECK_MARGIN);
for (i = 0; i < CHECK_MARGIN; i++) {
bytes[i] = check_margin(i, buffer);
bytes[CHECK_MARGIN + size + i] = check_margin(i, buffer);
}
return bytes + CHECK_MARGIN;
}
static void check_drop(void *bytes) {
free((unsigned char *)bytes - CHECK_MARGIN);
}
static size_t check_bytes_of(const struct check_tensor *tensor) {
return tensor->count * cs_size(tensor->dtype);
}
static int check_margin_written(const void *data, size_t size, int buffer) {
const unsigned char *before = (const unsigned char *)data - CHECK_MARGIN, *after = (const unsigned char *)data + size;
size_t i;
int written = 0;
for (i = 0; i < CHECK_MARGIN; i++) written |= (before[i] ^ check_margin(i, buffer)) | (after[i] ^ check_margin(i, buffer));
return written;
}
static void check_poison(void) {
memset(check_memory[CHECK_OUTPUT], CHECK_POISON, check_bytes_of(&check_tensors[CHECK_OUTPUT]));
memset(check_workspace, CHECK_POISON, ${kernel.constant}_WORKSPACE_BYTES);
}
static void check_fill(enum cs_fill kind) {
int i, limit = CHECK_EXACT_LIMIT > 0 ? CHECK_EXACT_LIMIT : 4;
for (i = 0; i < CHECK_OUTPUT; i++) {
const struct check_tensor *t = &check_tensors[i];
if (!t->baked) cs_fill(check_logical[i], t->count, t->dtype, kind, limit, (uint64_t)kind * 100 + (uint64_t)i);
if (t->activation)
cs_to_layout(check_logical[i], check_memory[i], t->shape, t->rank, t->dtype, t->layout);
else
memcpy(check_memory[i], check_logical[i], check_bytes_of(t));
}
}
/* ---- checks ---- */
$ local checked = #targets > 1 and "check_names[check_target]" or '"' .. kernel.name .. '"'
static int check_complain(const char *kind, const char *what) {
printf("%s: %s data: %s\n", ${checked}, kind, what);
return 1;
}
static void check_split_index(size_t element, ptrdiff_t *index) {
int d;
for (d = check_tensors[CHECK_OUTPUT].rank - 1; d >= 0; d--) {
const size_t size = (size_t)check_tensors[CHECK_OUTPUT].shape[d];
index[d] = (ptrdiff_t)(element % size);
element /= size;
}
}
static int check_complain_value(const char *kind, const ptrdiff_t *index, double got, const struct cs_expect *want) {
int d;
printf("%s: %s data: output[", ${checked}, kind);
for (d = 0; d < check_tensors[CHECK_OUTPUT].rank; d++) printf("%s%ld", d ? ", " : "", (long)index[d]);
printf("] is %.9g; the reference is %.9g, within %.3g\n", got, want->value, want->bound);
return 1;
}
static int check_compare(const char *kind, int exact) {
const struct check_tensor *t = &check_tensors[CHECK_OUTPUT];
const size_t step = ${step};
uint64_t state = 1;
size_t i;
cs_from_layout(check_memory[CHECK_OUTPUT], check_logical[CHECK_OUTPUT], t->shape, t->rank, t->dtype, t->layout);
for (i = 0; i < t->count; i += step) {
const size_t left = t->count - i, element = i + (size_t)(cs_random(&state) % (left < step ? left : step));
ptrdiff_t index[CS_MAX_RANK];
struct cs_expect want;
double got = cs_get(check_logical[CHECK_OUTPUT], element, t->dtype);
check_split_index(element, index);
check_expect(index, &want);
if (!cs_right(&want, got, exact)) return check_complain_value(kind, index, got, &want);
}
return 0;
}
static int check_compare_parts(const char *kind) {
static const int counts[] = {1, 2, 3, 7};
const size_t size = check_bytes_of(&check_tensors[CHECK_OUTPUT]);
size_t i;
int part;
memcpy(check_first, check_memory[CHECK_OUTPUT], size);
for (i = 0; i < sizeof counts / sizeof counts[0]; i++) {
check_poison();
for (part = counts[i]; part-- > 0;) check_call_part(part, counts[i]);
if (memcmp(check_first, check_memory[CHECK_OUTPUT], size) != 0) return check_complain(kind, "the parts do not make the whole");
}
return 0;
}
static int check_kind(enum cs_fill kind, const char *name, int exact) {
check_fill(kind);
memset(check_packed, CHECK_POISON, ${kernel.constant}_PACKED_BYTES);
$ if kernel.packed then
check_call_pack();
$ end
check_poison();
check_call_whole();
if (check_margin_written(check_memory[CHECK_OUTPUT], check_bytes_of(&check_tensors[CHECK_OUTPUT]), CHECK_OUTPUT)) return check_complain(name, "a write outside the output");
if (check_margin_written(check_packed, ${kernel.constant}_PACKED_BYTES, CHECK_PACKED)) return check_complain(name, "a write outside packed");
if (check_margin_written(check_workspace, ${kernel.constant}_WORKSPACE_BYTES, CHECK_WORKSPACE)) return check_complain(name, "a write outside the workspace");
return check_compare(name, exact) || check_compare_parts(name);
}
static int check_all_kinds(void) {
return check_kind(CS_FILL_INTEGERS, "whole-number", CHECK_EXACT_LIMIT > 0${loose and " && check_held()->exact" or ""}) || check_kind(CS_FILL_RANDOM, "random", 0) || check_kind(CS_FILL_HOSTILE, "hostile", 0);
}
int main(void) {
int i, failed = 0;
for (i = 0; i < CHECK_TENSORS; i++) {
check_logical[i] = check_buffer(check_bytes_of(&check_tensors[i]), i);
check_memory[i] = check_buffer(check_bytes_of(&check_tensors[i]), i);
}
$ for _, t in ipairs(tensors) do
$   if t.baked then
memcpy(check_logical[${at[t.name]}], check_baked_${t.name}, sizeof check_baked_${t.name});
$   end
$ end
check_packed = check_buffer(${kernel.constant}_PACKED_BYTES, CHECK_PACKED);
check_workspace = check_buffer(${kernel.constant}_WORKSPACE_BYTES, CHECK_WORKSPACE);
check_first = check_buffer(check_bytes_of(&check_tensors[CHECK_OUTPUT]), CHECK_OUTPUT);
$ if #targets > 1 then
for (check_target = 0; check_target <= ${#targets} && !failed; check_target++)
if (check_runs(check_target)) failed = check_all_kinds();
$ else
failed = check_all_kinds();
$ end
if (!failed) printf("${kernel.name}: ok\n");
for (i = 0; i < CHECK_TENSORS; i++) {
check_drop(check_logical[i]);
check_drop(check_memory[i]);
}
check_drop(check_packed);
check_drop(check_workspace);
check_drop(check_first);
return failed;
}
