/* convsmith targets: what code can be generated for, and what of it this machine runs. */
#include "job.h"
#include "json.h"
#include <stdio.h>

static void print_table(const struct isa_list *isas) {
  printf("%-12s %-5s %s\n", "target", "runs", "what it is");
  for (size_t i = 0; i < isas->count; i++)
    printf("%-12s %-5s %s\n", isas->items[i].name, isas->items[i].runs_here ? "yes" : "no", isas->items[i].about);
  const struct isa *native = isa_native(isas);
  if (native) printf("\nnative is %s\n", native->name);
}

static void print_json(const struct isa_list *isas) {
  struct json json = {0};
  json_open(&json, '{');
  json_key(&json, "targets");
  json_open(&json, '[');
  for (size_t i = 0; i < isas->count; i++) {
    json_open(&json, '{');
    json_key(&json, "name");
    json_string(&json, isas->items[i].name);
    json_key(&json, "about");
    json_string(&json, isas->items[i].about);
    json_key(&json, "runs_here");
    json_bool(&json, isas->items[i].runs_here);
    json_close(&json, '}');
  }
  json_close(&json, ']');
  json_key(&json, "native");
  const struct isa *native = isa_native(isas);
  json_string(&json, native ? native->name : NULL);
  json_close(&json, '}');
  json_print(&json);
}

int cmd_targets(const struct command_options *options) {
  struct job job;
  if (!job_open(&job, options)) return job_close(&job, EXIT_BAD);
  if (options->json)
    print_json(&job.isas);
  else
    print_table(&job.isas);
  return job_close(&job, EXIT_OK);
}
