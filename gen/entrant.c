/* Entrants. */
#include "entrant.h"
#include "conv.h"
#include "mem.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 1500 };

/* Hopelessly slow, as reference code in libraries is: longer than this, and this many times longer than ours. */
static const double HOPELESS_SECONDS = 20e-3, HOPELESS_RATIO = 20;

/* ---- data -------------------------------------------------------------------------------------------------------------- */

/* The first output, the last one, and seeded ones between. */
static struct sample choose(const struct tensor *output) {
  const size_t total = tensor_count(output), count = total < SAMPLES ? total : SAMPLES;
  size_t *elements = mem_array(count, sizeof *elements);
  uint64_t seed = 1;
  for (size_t i = 0; i < count; i++) elements[i] = count == total ? i : cs_random(&seed) % total;
  elements[0] = 0;
  elements[count - 1] = total - 1;
  return (struct sample){elements, count};
}

static const void *values_of(const struct tensor *tensor, uint64_t seed) {
  if (tensor->baked || tensor->role == TENSOR_OUTPUT) return tensor->baked;
  void *values = mem_array(tensor_count(tensor), cs_size(tensor->dtype));
  cs_fill(values, tensor_count(tensor), tensor->dtype, CS_FILL_RANDOM, 0, seed);
  return values;
}

struct bench_data bench_data_new(const struct layer *layer, const struct cs_promise *promise) {
  struct bench_data data = {.layer = layer};
  data.count = layer->op->tensors(layer, data.tensors);
  for (size_t i = 0; i < data.count; i++) data.logical[i] = values_of(&data.tensors[i], i + 1);
  data.sample = choose(&data.tensors[data.count - 1]);
  data.expect = mem_array(data.sample.count, sizeof *data.expect);
  layer->op->expect(layer, promise, data.logical, data.sample.elements, data.sample.count, data.expect);
  return data;
}

bool bench_right(const struct bench_data *data, const void *output, char *message, size_t size) {
  const struct tensor *tensor = &data->tensors[data->count - 1];
  const size_t mark = mem_mark();
  void *logical = mem_array(tensor_count(tensor), cs_size(tensor->dtype));
  cs_from_layout(output, logical, tensor->shape, tensor->rank, tensor->dtype, tensor->layout);
  bool right = true;
  for (size_t i = 0; i < data->sample.count && right; i++) {
    const double got = cs_get(logical, data->sample.elements[i], tensor->dtype);
    right = cs_right(&data->expect[i], got, 0);
    if (!right)
      snprintf(message, size, "output %zu is %.9g, but %.9g within %.2g is right", data->sample.elements[i], got,
               data->expect[i].value, data->expect[i].bound);
  }
  mem_release(mark);
  return right;
}

/* ---- entrants ---------------------------------------------------------------------------------------------------------- */

static const float *tensor_values(const struct bench_data *data, const char *name) {
  const int i = tensor_find(data->tensors, data->count, name);
  return i < 0 ? NULL : data->logical[i];
}

static struct peer_layer layer_for_peers(const struct layer *layer, const struct bench_mode *mode, const struct rig *rig) {
  return (struct peer_layer){.conv = layer->op->conv(layer),
                             .in_layout = layer->in_layout,
                             .out_layout = layer->out_layout,
                             .bias = layer->bias,
                             .residual = layer->residual,
                             .threads = mode->threads,
                             .copies = (int)rig->copies};
}

/* A convolution or a transposed one, as libraries mean it. */
static bool known_to_peers(const struct bench_data *data) {
  if (data->layer->dtype != CS_F32 || !data->layer->op->conv || tensor_find(data->tensors, data->count, "input") < 0) return false;
  const struct cs_conv conv = data->layer->op->conv(data->layer);
  return !conv.tile[0] && !conv.shuffle && !conv.pixel_shuffle;
}

/* Every peer may write its own output: a peer that writes nothing must not pass with another's. */
static struct peer_data data_for_peer(const struct bench_data *data, const struct rig *rig) {
  const struct tensor *output = &data->tensors[data->count - 1];
  return (struct peer_data){.input = rig->inputs[0],
                            .weights = tensor_values(data, "weights"),
                            .bias = tensor_values(data, "bias"),
                            .residual = data->layer->residual ? rig->inputs[1] : NULL,
                            .output = rig_buffer(tensor_count(output) * cs_size(output->dtype))};
}

static void note(struct bench_entry *entry, const struct entrant *entrant) {
  snprintf(entry->variant, sizeof entry->variant, "%s", entrant->peer->variants[entrant->variant]);
  if (entrant->run)
    snprintf(entry->implementation, sizeof entry->implementation, "%s", entrant->peer->implementation(entrant->run));
}

/* Is it no use to time it? The first call may have had to make code; the next one tells. */
static bool is_hopeless(const struct entrant *entrant, double *seconds, double ours, bool wall) {
  const double least = fmax(HOPELESS_SECONDS, HOPELESS_RATIO * ours);
  if (*seconds >= least) *seconds = fmin(*seconds, timing_once(&(struct timed){entrant->peer->call, entrant->run}, wall));
  return *seconds >= least;
}

/* Creates the entrant and checks its first output. */
static bool open_one(struct entrant *entrant, const struct peer_layer *layer, const struct bench_data *data, const struct rig *rig,
                     struct bench_entry *entry) {
  const struct peer_data given = data_for_peer(data, rig);
  const struct peer *peer = entrant->peer;
  entry->state = ENTRY_REFUSED;
  snprintf(entry->message, sizeof entry->message, "out of memory");
  entrant->run = given.output ? peer->create(layer, &given, entrant->variant, entry->message, sizeof entry->message) : NULL;
  note(entry, entrant);
  if (!entrant->run) return false;
  double seconds = timing_once(&(struct timed){peer->call, entrant->run}, layer->threads > 1);
  peer->fetch(entrant->run);
  entry->state = bench_right(data, given.output, entry->message, sizeof entry->message) ? ENTRY_TIMED : ENTRY_DIFFERS;
  const bool enters = entry->state == ENTRY_TIMED && !is_hopeless(entrant, &seconds, data->seconds, layer->threads > 1);
  entry->ratio = entry->state == ENTRY_TIMED ? seconds / data->seconds : 0;
  if (!enters) peer->destroy(entrant->run);
  return enters;
}

/* only: the one variant that is wanted, or NULL: the usual ones. */
static size_t open_variants(struct entrant *entrants, const struct entrant *first, const char *only, const struct peer_layer *layer,
                            const struct bench_data *data, const struct rig *rig, struct bench_peer *peer) {
  size_t count = 0;
  first->peer->version(peer->version, sizeof peer->version);
  for (int i = 0; i < MAX_VARIANTS && first->peer->variants[i]; i++) {
    if (only ? strcmp(first->peer->variants[i], only) != 0 : i >= first->peer->usual) continue;
    entrants[count] = *first;
    entrants[count].variant = i;
    count += open_one(&entrants[count], layer, data, rig, &peer->entries[i]);
  }
  return count;
}

static void refuse(struct bench_entry *entry, const char *why) {
  entry->state = ENTRY_REFUSED;
  snprintf(entry->message, sizeof entry->message, "%s", why);
}

size_t entrants_open(struct entrant *entrants, const struct peer_list *peers, const struct bench_data *data,
                     const struct bench_mode *mode, const struct rig *rig, struct bench_row *row) {
  const bool fits = known_to_peers(data);
  const struct peer_layer layer = fits ? layer_for_peers(data->layer, mode, rig) : (struct peer_layer){0};
  size_t count = 0;
  for (size_t i = 0; i < peers->count; i++) {
    struct text message = {0};
    struct bench_peer *peer = &row->peers[i];
    struct entrant first = {.index = i};
    if (fits && peers->items[i].object) first.peer = peer_load(&peers->items[i], &message);
    if (first.peer)
      count += open_variants(entrants + count, &first, peers->items[i].variant, &layer, data, rig, peer);
    else
      refuse(&peer->entries[0], !fits                    ? "peers compute plain and transposed f32 convolutions"
                                : peers->items[i].object ? message.data
                                                         : peers->items[i].why);
    text_free(&message);
  }
  return count;
}

void entrants_close(struct entrant *entrants, size_t count) {
  for (size_t i = 0; i < count; i++) entrants[i].peer->destroy(entrants[i].run);
}
