/* Trials. Every buffer lies between inaccessible pages; packed, workspace and output are poisoned before each call, so whatever a
 * kernel forgets to write, or reads before writing, shows. */
#include "trial.h"
#include "mem.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { POISON = 0xFF }; /* bytes of a NaN that no arithmetic makes */

/* A trial under way. */
struct call {
  const struct exam *exam;
  const struct trial *trial;
  const struct kernel *kernel;
  struct desk *desk;
  struct outcome *outcome;
  const struct tensor *output;
  struct cs_guard *output_guard, *packed, *workspace;
  const void *inputs[MAX_TENSORS], *parameters[MAX_TENSORS];
  void *logical;         /* the output in logical order */
  void *first;           /* the whole's output in memory order, which parts must repeat */
  void *together;        /* what all parts so far wrote, in memory order */
  unsigned char *writer; /* of each element in memory order: 1 + the part that wrote it, 0 for none */
};

const char *desk_name(const struct exam *exam, int i) {
  static const char *const others[] = {"packed", "workspace"};
  return (size_t)i < exam->count ? exam->tensors[i].name : others[(size_t)i - exam->count];
}

#define FAIL(call, ...) (snprintf((call)->outcome->message, sizeof(call)->outcome->message, __VA_ARGS__), false)

static size_t tensor_bytes(const struct tensor *tensor) {
  return tensor_count(tensor) * cs_size(tensor->dtype);
}

/* ---- buffers --------------------------------------------------------------------------------------------------------- */

static bool lay(struct call *call, size_t i, size_t size) {
  const size_t offset = call->trial->skip * cs_size(call->output->dtype);
  if (cs_guard_new(&call->desk->guards[i], size, call->trial->at_end, offset) != 0)
    return FAIL(call, "out of memory: %zu bytes for %s", size, desk_name(call->exam, (int)i));
  memset(call->desk->guards[i].data, POISON, size);
  return true;
}

static bool lay_tensor(struct call *call, size_t i, size_t *input_count, size_t *parameter_count) {
  const struct tensor *tensor = &call->exam->tensors[i];
  if (tensor->baked) return lay(call, i, 0);
  if (!lay(call, i, tensor_bytes(tensor))) return false;
  void *data = call->desk->guards[i].data;
  const void *logical = call->trial->logical[i];
  if (tensor->role == TENSOR_PARAMETER) {
    memcpy(data, logical, tensor_bytes(tensor));
    call->parameters[(*parameter_count)++] = data;
  } else if (tensor->role != TENSOR_OUTPUT) {
    cs_to_layout(logical, data, tensor->shape, tensor->rank, tensor->dtype, tensor->layout);
    call->inputs[(*input_count)++] = data;
  }
  return true;
}

static bool lay_desk(struct call *call) {
  const size_t tensors = call->exam->count;
  size_t input_count = 0, parameter_count = 0;
  *call->desk = (struct desk){.count = tensors + 2};
  for (size_t i = 0; i < tensors; i++)
    if (!lay_tensor(call, i, &input_count, &parameter_count)) return false;
  call->output_guard = &call->desk->guards[tensors - 1];
  call->packed = &call->desk->guards[tensors];
  call->workspace = &call->desk->guards[tensors + 1];
  call->logical = mem_new(tensor_bytes(call->output));
  call->first = mem_new(tensor_bytes(call->output));
  call->together = mem_new(tensor_bytes(call->output));
  call->writer = mem_new(tensor_count(call->output));
  return lay(call, tensors, call->kernel->packed_bytes) && lay(call, tensors + 1, call->kernel->workspace_bytes);
}

static void clear_desk(struct desk *desk) {
  for (size_t i = 0; i < desk->count; i++) cs_guard_free(&desk->guards[i]);
}

/* FNV-1a, eight bytes at a time: one that changes always shows. */
static uint64_t hash_bytes(uint64_t hash, const unsigned char *bytes, size_t size) {
  for (size_t b = 0; b < size; b += sizeof hash) {
    uint64_t word = 0;
    memcpy(&word, bytes + b, size - b < sizeof word ? size - b : sizeof word);
    hash = (hash ^ word) * UINT64_C(1099511628211);
  }
  return hash;
}

/* Of what a kernel may only read: every tensor but the output, and packed. */
static uint64_t fingerprint(const struct call *call) {
  uint64_t hash = UINT64_C(14695981039346656037);
  for (size_t i = 0; i < call->desk->count; i++) {
    const struct cs_guard *guard = &call->desk->guards[i];
    if (guard != call->output_guard && guard != call->workspace) hash = hash_bytes(hash, guard->data, guard->size);
  }
  return hash;
}

static bool check_slack(struct call *call) {
  for (size_t i = 0; i < call->desk->count; i++)
    if (cs_guard_touched(&call->desk->guards[i]))
      return FAIL(call, "%s: a write outside of %s", call->outcome->doing, desk_name(call->exam, (int)i));
  return true;
}

/* ---- values ---------------------------------------------------------------------------------------------------------- */

/* "[0, 3, 5, 6]" */
static const char *index_text(const struct tensor *tensor, size_t element) {
  ptrdiff_t index[CS_MAX_RANK];
  tensor_index(tensor, element, index);
  const char *text = "";
  for (int d = 0; d < tensor->rank; d++) text = mem_text("%s%s%td", text, d ? ", " : "", index[d]);
  return mem_text("[%s]", text);
}

/* As many digits as tell two values of the type apart. */
static const char *number_text(const struct call *call, double value) {
  if (isnan(value)) return "nan"; /* whatever its sign */
  return mem_text("%.*g", call->output->dtype == CS_F64 ? 17 : 9, value);
}

static const char *expect_text(const struct call *call, const struct cs_expect *expect) {
  const char *value = number_text(call, expect->value);
  if (call->trial->exact) return mem_text("%s exactly", value);
  return isfinite(expect->value) ? mem_text("%s within %.3g", value, expect->bound) : value;
}

/* Whether element i is as it was poisoned. */
static bool is_poison(const void *data, size_t i, size_t size) {
  const unsigned char *bytes = (const unsigned char *)data + i * size;
  size_t same = 0;
  while (same < size && bytes[same] == POISON) same++;
  return same == size;
}

static bool check_written(struct call *call) {
  const size_t size = cs_size(call->output->dtype), count = tensor_count(call->output);
  for (size_t i = 0; i < count; i++)
    if (is_poison(call->logical, i, size))
      return FAIL(call, "%s: output%s was not written", call->outcome->doing, index_text(call->output, i));
  return true;
}

static void note_ratio(struct outcome *outcome, const struct cs_expect *expect, double got) {
  const double error = fabs((got - expect->value) - expect->rest);
  const double ratio = expect->bound > 0 ? error / expect->bound : 0;
  if (!expect->overflow && isfinite(ratio) && ratio > outcome->ratio) outcome->ratio = ratio;
}

static bool check_values(struct call *call) {
  const struct sample *sample = &call->exam->sample;
  for (size_t i = 0; i < sample->count; i++) {
    const struct cs_expect *expect = &call->trial->expect[i];
    const double got = cs_get(call->logical, sample->elements[i], call->output->dtype);
    if (!cs_right(expect, got, call->trial->exact))
      return FAIL(call, "%s: output%s is %s, the reference %s", call->outcome->doing, index_text(call->output, sample->elements[i]),
                  number_text(call, got), expect_text(call, expect));
    note_ratio(call->outcome, expect, got);
  }
  return true;
}

static bool check_same(struct call *call) {
  const struct tensor *output = call->output;
  const size_t size = cs_size(output->dtype), count = tensor_count(output);
  if (!memcmp(call->first, call->together, count * size)) return true;
  void *whole = mem_new(count * size);
  cs_from_layout(call->first, whole, output->shape, output->rank, output->dtype, output->layout);
  cs_from_layout(call->together, call->logical, output->shape, output->rank, output->dtype, output->layout);
  size_t i = 0;
  while (!memcmp((const char *)whole + i * size, (const char *)call->logical + i * size, size)) i++;
  return FAIL(call, "%s: output%s is %s, but %s from the whole", call->outcome->doing, index_text(output, i),
              number_text(call, cs_get(call->logical, i, output->dtype)), number_text(call, cs_get(whole, i, output->dtype)));
}

/* The number in logical order of the output's element i in memory order. */
static size_t logical_element(struct call *call, size_t i) {
  const struct tensor *output = call->output;
  const size_t size = cs_size(output->dtype);
  unsigned char *mark = mem_new(tensor_bytes(output)), *found = call->logical;
  mark[i * size] = 1;
  cs_from_layout(mark, call->logical, output->shape, output->rank, output->dtype, output->layout);
  size_t at = 0;
  while (!found[at * size]) at++;
  return at;
}

/* Puts what one part wrote of elements first..last-1 to what the others did: no element may have two writers, even if they agree.
 */
static bool take_elements(struct call *call, int part, size_t first, size_t last) {
  const size_t size = cs_size(call->output->dtype);
  const char *data = (const char *)call->output_guard->data;
  for (size_t i = first; i < last; i++) {
    if (is_poison(data, i, size)) continue;
    if (call->writer[i])
      return FAIL(call, "%s: output%s was written by part %d already", call->outcome->doing,
                  index_text(call->output, logical_element(call, i)), call->writer[i] - 1);
    call->writer[i] = (unsigned char)(part + 1);
    memcpy((char *)call->together + i * size, data + i * size, size);
  }
  return true;
}

static bool all_poison(const unsigned char *bytes, size_t size) {
  return bytes[0] == POISON && !memcmp(bytes, bytes + 1, size - 1);
}

/* Most of the output is other parts' business: a run at a time is passed over. */
static bool take_part(struct call *call, int part) {
  enum { RUN = 256 };
  const size_t size = cs_size(call->output->dtype), count = tensor_count(call->output);
  for (size_t first = 0, last; first < count; first = last) {
    last = first + RUN < count ? first + RUN : count;
    if (all_poison(call->output_guard->data + first * size, (last - first) * size)) continue;
    if (!take_elements(call, part, first, last)) return false;
  }
  return true;
}

/* ---- calls ----------------------------------------------------------------------------------------------------------- */

static void start(struct call *call, const char *what) {
  snprintf(call->outcome->doing, sizeof call->outcome->doing, "%s data, %s", call->trial->kind, what);
}

static void poison(struct call *call) {
  memset(call->output_guard->data, POISON, call->output_guard->size);
  memset(call->workspace->data, POISON, call->workspace->size);
}

static bool pack(struct call *call) {
  start(call, "pack");
  if (call->kernel->pack) call->kernel->pack(call->parameters, call->packed->data);
  return check_slack(call);
}

static bool whole(struct call *call) {
  const struct tensor *output = call->output;
  poison(call);
  start(call, "whole");
  memset(call->kernel->blocks, 0, sizeof call->outcome->blocks);
  call->kernel->whole(call->inputs, call->packed->data, call->output_guard->data, call->workspace->data);
  if (call->trial->fill == CS_FILL_RANDOM && !call->trial->spots)
    memcpy(call->outcome->blocks, call->kernel->blocks, sizeof call->outcome->blocks);
  memcpy(call->first, call->output_guard->data, call->output_guard->size);
  cs_from_layout(call->first, call->logical, output->shape, output->rank, output->dtype, output->layout);
  return check_slack(call) && check_written(call) && check_values(call);
}

/* The residual may be the output itself: every element is read before it is written. */
static bool in_place(struct call *call) {
  size_t input = 0;
  for (size_t i = 0; i < call->exam->count; i++) {
    const enum tensor_role role = call->exam->tensors[i].role;
    if (role == TENSOR_RESIDUAL) {
      const void *residual = call->inputs[input];
      poison(call);
      start(call, "residual in place");
      memcpy(call->output_guard->data, residual, call->output_guard->size);
      call->inputs[input] = call->output_guard->data;
      call->kernel->whole(call->inputs, call->packed->data, call->output_guard->data, call->workspace->data);
      call->inputs[input] = residual;
      memcpy(call->together, call->output_guard->data, call->output_guard->size);
      return check_slack(call) && check_same(call);
    }
    if (role == TENSOR_INPUT) input++;
  }
  return true;
}

/* All parts, first to last or last to first, each with an output and a workspace of its own. */
static bool all_parts(struct call *call, int parts, bool backwards) {
  memset(call->together, POISON, tensor_bytes(call->output));
  memset(call->writer, 0, tensor_count(call->output));
  for (int i = 0; i < parts; i++) {
    const int part = backwards ? parts - 1 - i : i;
    start(call, mem_text("part %d of %d", part, parts));
    poison(call);
    call->kernel->part(call->inputs, call->packed->data, call->output_guard->data, call->workspace->data, part, parts);
    if (!take_part(call, part)) return false;
  }
  start(call, mem_text("%d parts%s", parts, backwards ? " from the last" : ""));
  return check_slack(call) && check_same(call);
}

static bool parts(struct call *call) {
  static const struct {
    int parts;
    bool backwards;
  } runs[] = {{1, false}, {2, false}, {3, true}, {7, false}};
  for (size_t i = 0; i < sizeof runs / sizeof *runs; i++)
    if (!all_parts(call, runs[i].parts, runs[i].backwards)) return false;
  return true;
}

static bool run(struct call *call) {
  if (!lay_desk(call) || !pack(call)) return false;
  const uint64_t before = fingerprint(call);
  if (!whole(call) || !in_place(call) || (call->trial->parts && !parts(call))) return false;
  start(call, "afterwards");
  return fingerprint(call) == before || FAIL(call, "%s data: an input or packed was changed", call->trial->kind);
}

bool trial_run(const struct exam *exam, const struct trial *trial, const struct kernel *kernel, struct desk *desk,
               struct outcome *outcome) {
  struct call call = {
      .exam = exam, .trial = trial, .kernel = kernel, .desk = desk, .outcome = outcome, .output = &exam->tensors[exam->count - 1]};
  const size_t mark = mem_mark();
  const bool right = run(&call);
  clear_desk(desk);
  mem_release(mark);
  return right;
}
