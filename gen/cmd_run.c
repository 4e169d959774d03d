/* convsmith run: one layer on real tensors. Files hold logical order whatever the layer's layout is. */
#include "array.h"
#include "compile.h"
#include "kernel.h"
#include "mem.h"
#include "op.h"
#include <string.h>

struct run {
  struct job job;
  const struct layer *layer;
  struct tensor tensors[MAX_TENSORS]; /* the last one is the output */
  size_t count;
  const char *files[MAX_TENSORS];
  struct cs_npy arrays[MAX_TENSORS];
};

static const struct place nowhere = {0};

/* "[1, 64, 56, 56]" */
static const char *shape_text(const ptrdiff_t *shape, int rank) {
  const char *text = "";
  for (int i = 0; i < rank; i++) text = mem_text("%s%s%td", text, i ? ", " : "", shape[i]);
  return mem_text("[%s]", text);
}

static const char *tensor_text(const struct tensor *tensor) {
  return mem_text("%s %s %s", tensor->name, dtype_name(array_dtype(tensor->dtype)), shape_text(tensor->shape, tensor->rank));
}

static bool is_given(const struct tensor *tensor) {
  return tensor->role != TENSOR_OUTPUT && !tensor->baked;
}

static const char *expected_names(const struct run *run) {
  const char *text = "";
  for (size_t i = 0; i < run->count; i++)
    if (is_given(&run->tensors[i])) text = mem_text("%s%s%s", text, *text ? ", " : "", tensor_text(&run->tensors[i]));
  return text;
}

/* ---- tensors on the command line ------------------------------------------------------------------------------------- */

/* Notes the file of one NAME=FILE. */
static void take_word(struct run *run, const char *word) {
  struct diags *diags = &run->job.diags;
  struct place place = {.file = mem_text("--tensor %s", word)};
  const char *equals = strchr(word, '=');
  const char *name = equals ? mem_text("%.*s", (int)(equals - word), word) : word;
  int i = tensor_find(run->tensors, run->count, name);
  if (!equals || !equals[1])
    diag_error(diags, place, "NAME=FILE.npy is right; %s takes %s", run->layer->name, expected_names(run));
  else if (i < 0 || run->tensors[i].role == TENSOR_OUTPUT)
    diag_error(diags, place, "%s takes no tensor '%s', but %s", run->layer->name, name, expected_names(run));
  else if (run->tensors[i].baked)
    diag_error(diags, place, "the values of '%s' are baked into %s; it takes %s", name, run->layer->name, expected_names(run));
  else if (run->files[i])
    diag_error(diags, place, "'%s' is given twice", name);
  else
    run->files[i] = equals + 1;
}

static bool same_shape(const struct tensor *tensor, const struct cs_npy *array) {
  return tensor->rank == array->rank && !memcmp(tensor->shape, array->shape, (size_t)array->rank * sizeof *array->shape);
}

static void read_tensor(struct run *run, size_t i) {
  const struct tensor *tensor = &run->tensors[i];
  struct cs_npy *array = &run->arrays[i];
  struct diags *diags = &run->job.diags;
  if (!run->files[i]) {
    diag_error(diags, nowhere, "%s needs --tensor %s=FILE.npy: %s", run->layer->name, tensor->name, tensor_text(tensor));
    return;
  }
  struct place place = {.file = mem_text("--tensor %s=%s", tensor->name, run->files[i])};
  const char *failure = cs_npy_read(run->files[i], array);
  if (failure)
    diag_error(diags, place, "%s", failure);
  else if (array->dtype != array_dtype(tensor->dtype))
    diag_error(diags, place, "holds %s; %s is right", dtype_name(array->dtype), tensor_text(tensor));
  else if (!same_shape(tensor, array))
    diag_error(diags, place, "has shape %s; %s is right", shape_text(array->shape, array->rank), tensor_text(tensor));
}

static bool read_tensors(struct run *run) {
  const struct words *words = &run->job.options->tensors;
  for (size_t i = 0; i < words->count; i++) take_word(run, words->items[i]);
  for (size_t i = 0; i < run->count; i++)
    if (is_given(&run->tensors[i])) read_tensor(run, i);
  return !run->job.diags.errors;
}

/* ---- computing ------------------------------------------------------------------------------------------------------- */

static size_t tensor_bytes(const struct tensor *tensor) {
  return tensor_count(tensor) * cs_size(tensor->dtype);
}

static void *in_memory_order(const struct tensor *tensor, const void *logical) {
  void *memory = mem_new(tensor_bytes(tensor));
  cs_to_layout(logical, memory, tensor->shape, tensor->rank, tensor->dtype, tensor->layout);
  return memory;
}

/* Calls the kernel and leaves the output in `array`, logical order. */
static void compute(struct run *run, const struct kernel *kernel, struct cs_npy *array) {
  const void *inputs[MAX_TENSORS], *parameters[MAX_TENSORS];
  size_t input_count = 0, parameter_count = 0;
  for (size_t i = 0; i < run->count; i++) {
    const struct tensor *tensor = &run->tensors[i];
    if (!is_given(tensor)) continue;
    const struct cs_npy *given = &run->arrays[i];
    const void *values = array_convert(given->data, given->dtype, given->count, tensor->dtype);
    if (tensor->role == TENSOR_PARAMETER)
      parameters[parameter_count++] = values;
    else
      inputs[input_count++] = in_memory_order(tensor, values);
  }
  const struct tensor *output = &run->tensors[run->count - 1];
  void *packed = mem_new(kernel->packed_bytes), *workspace = mem_new(kernel->workspace_bytes);
  void *memory = mem_new(tensor_bytes(output));
  if (kernel->pack) kernel->pack(parameters, packed);
  kernel->whole(inputs, packed, memory, workspace);
  void *logical = mem_new(tensor_bytes(output));
  cs_from_layout(memory, logical, output->shape, output->rank, output->dtype, output->layout);
  *array = (struct cs_npy){.dtype = array_dtype(output->dtype), .rank = output->rank, .count = tensor_count(output)};
  memcpy(array->shape, output->shape, sizeof output->shape);
  array->data = array_convert(logical, output->dtype, array->count, array->dtype);
}

static int build_and_compute(struct run *run, const struct plan *const *plans, size_t count) {
  struct kernel_source source = {run->layer, plans, count, ""};
  struct text message = {0};
  const struct kernel *kernel = kernel_build(&run->job, &source, 1, "run", &message);
  if (!kernel) {
    job_fail(&run->job, message.data);
    text_free(&message);
    return EXIT_BAD;
  }
  struct cs_npy array;
  compute(run, kernel, &array);
  const char *failure = cs_npy_write(run->job.options->output, &array);
  if (failure) diag_error(&run->job.diags, (struct place){.file = mem_text("-o %s", run->job.options->output)}, "%s", failure);
  return EXIT_OK;
}

/* ---- command --------------------------------------------------------------------------------------------------------- */

static bool choose_layer(struct run *run) {
  const struct spec *spec = &run->job.spec;
  if (spec->count != 1) {
    const char *names = "";
    for (size_t i = 0; i < spec->count; i++) names = mem_text("%s%s%s", names, i ? ", " : "", spec->layers[i].name);
    diag_error(&run->job.diags, nowhere, "run computes one layer; --layer NAME chooses it: %s", names);
    return false;
  }
  run->layer = &spec->layers[0];
  run->count = run->layer->op->tensors(run->layer, run->tensors);
  return true;
}

static int run_layer(struct run *run) {
  struct job *job = &run->job;
  if (!choose_layer(run)) return EXIT_BAD;
  if (!job->options->output) diag_error(&job->diags, nowhere, "run needs -o FILE.npy for the output");
  struct isa_set targets = job_targets(job, run->layer, TARGETS_NATIVE);
  bool runs = job_targets_run(job, run->layer, &targets);
  if (!read_tensors(run) || !runs) return EXIT_BAD;
  const struct plan *const *plans = job_plans(job, run->layer, &targets);
  return plans ? build_and_compute(run, plans, targets.count) : EXIT_BAD;
}

int cmd_run(const struct command_options *options) {
  struct run run = {0};
  int status = job_open(&run.job, options) ? run_layer(&run) : EXIT_BAD;
  for (size_t i = 0; i < run.count; i++) cs_npy_free(&run.arrays[i]);
  scratch_remove();
  return job_close(&run.job, status);
}
