/* What bench found, as JSON. A ratio above 1 says that our kernel is faster; null stands where nothing was measured. */
#include "bench_print.h"
#include "json.h"
#include "machine.h"
#include <string.h>

static void put_string(struct json *json, const char *key, const char *value) {
  json_key(json, key);
  json_string(json, value);
}

static void put_bool(struct json *json, const char *key, bool value) {
  json_key(json, key);
  json_bool(json, value);
}

static void put_number(struct json *json, const char *key, double value) {
  json_key(json, key);
  json_number(json, value);
}

/* Not measured: null. */
static void put_measured(struct json *json, const char *key, double value) {
  if (value > 0)
    put_number(json, key, value);
  else
    put_string(json, key, NULL);
}

static void put_entry(struct json *json, const struct bench_entry *entry) {
  static const char *const states[] = {"absent", "timed", "refused", "differs"};
  json_open(json, '{');
  put_string(json, "variant", *entry->variant ? entry->variant : NULL);
  put_string(json, "implementation", *entry->implementation ? entry->implementation : NULL);
  put_string(json, "state", states[entry->state]);
  put_measured(json, "ratio", entry->ratio);
  put_measured(json, "judged", entry->judged);
  put_string(json, "message", entry->state == ENTRY_TIMED && !bench_unfair(entry) ? NULL : entry->message);
  json_close(json, '}');
}

static void put_peer(struct json *json, const char *name, const struct bench_peer *one) {
  json_open(json, '{');
  put_string(json, "name", name);
  put_measured(json, "ratio", one->best < 0 ? 0 : one->entries[one->best].ratio);
  put_string(json, "implementation", one->best < 0 ? NULL : one->entries[one->best].implementation);
  json_key(json, "variants");
  json_open(json, '[');
  for (int i = 0; i < MAX_VARIANTS; i++)
    if (one->entries[i].state != ENTRY_ABSENT) put_entry(json, &one->entries[i]);
  json_close(json, ']');
  json_close(json, '}');
}

static void put_row(struct json *json, const struct bench_section *section, const struct bench_row *row) {
  json_open(json, '{');
  put_string(json, "layer", row->layer->name);
  put_string(json, "target", row->isa->name);
  put_string(json, "plan", row->plan->id);
  put_bool(json, "ok", row->done);
  put_string(json, "message", row->done ? NULL : row->message);
  json_key(json, "multiply_adds");
  json_integer(json, (int64_t)row->macs);
  put_measured(json, "gflops", row->done ? 2e-9 * row->macs / row->seconds : 0);
  put_measured(json, "share_of_peak", row->share_of_peak);
  put_measured(json, "share_of_limit", row->share_of_limit);
  put_measured(json, "flops_per_byte", row->done ? 2 * row->macs / row->bytes : 0);
  put_measured(json, "scaling", row->scaling);
  put_measured(json, "ceiling", row->ceiling);
  put_measured(json, "best", row->done ? bench_best(row, &section->peers) : 0);
  json_key(json, "peers");
  json_open(json, '[');
  for (size_t i = 0; i < section->peers.count; i++) put_peer(json, section->peers.items[i].name, &row->peers[i]);
  json_close(json, ']');
  json_close(json, '}');
}

static const char *version_of(const struct bench_section *section, size_t index) {
  for (size_t i = 0; i < section->count; i++)
    if (*section->rows[i]->peers[index].version) return section->rows[i]->peers[index].version;
  return NULL;
}

/* A peer over all layers of a target. */
static void put_summary(struct json *json, const struct bench_section *section, size_t index) {
  json_open(json, '{');
  put_string(json, "name", section->peers.items[index].name);
  put_string(json, "version", version_of(section, index));
  put_string(json, "left_out", section->peers.items[index].why);
  put_measured(json, "mean", bench_mean(section, index));
  json_close(json, '}');
}

static void put_section(struct json *json, const struct bench_section *section) {
  json_open(json, '{');
  put_string(json, "target", section->isa->name);
  put_measured(json, "mean", bench_mean(section, section->peers.count));
  json_key(json, "peers");
  json_open(json, '[');
  for (size_t i = 0; i < section->peers.count; i++) put_summary(json, section, i);
  json_close(json, ']');
  json_key(json, "layers");
  json_open(json, '[');
  for (size_t i = 0; i < section->count; i++) put_row(json, section, section->rows[i]);
  json_close(json, ']');
  json_close(json, '}');
}

/* What the options say that the spec does not. */
static void put_settings(struct json *json, const struct words *sets) {
  json_key(json, "set");
  json_open(json, '[');
  for (size_t i = 0; i < sets->count; i++) json_string(json, sets->items[i]);
  json_close(json, ']');
}

void bench_print_json(const struct bench_results *results) {
  struct json json = {0};
  const char *path = results->job->options->spec, *slash = strrchr(path, '/');
  json_open(&json, '{');
  put_string(&json, "spec", slash ? slash + 1 : path);
  put_settings(&json, &results->job->options->sets);
  put_string(&json, "version", CONVSMITH_VERSION);
  put_string(&json, "machine", machine_name());
  json_key(&json, "threads");
  json_integer(&json, results->mode.threads);
  json_key(&json, "rounds");
  json_integer(&json, results->mode.rounds);
  put_bool(&json, "cold", results->mode.cold);
  put_bool(&json, "consumer", results->mode.consumer);
  json_key(&json, "targets");
  json_open(&json, '[');
  for (size_t i = 0; i < results->count; i++) put_section(&json, &results->sections[i]);
  json_close(&json, ']');
  json_close(&json, '}');
  json_print(&json);
}
