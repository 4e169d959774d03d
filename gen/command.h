/* The command line: every option of every command comes from one table, and each --help is printed from it. A command is a row
 * with a function that gets what was parsed; what commands share beyond that (engine, ISAs, spec, targets, plans) is in job.h. */
#ifndef GEN_COMMAND_H
#define GEN_COMMAND_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Words in the order given; items NULL while there are none. */
struct words {
  const char **items;
  size_t count;
};

/* All that a command line can say. What its command does not take keeps its default. */
struct command_options {
  const char *program;                                         /* argv[0] */
  const char *command;                                         /* "generate" */
  const char *spec;                                            /* the positional argument; NULL for `targets` */
  const char *output;                                          /* -o: folder (generate) or file (run, tune); NULL if absent */
  const char *single_file, *depfile, *plan_file;               /* NULL if absent */
  const char *prefix;                                          /* "" if absent */
  const char *plans;                                           /* verify: "chosen", "all" or a plan's id */
  struct words layers, targets, sets, tensors, template_paths; /* --target's lists are split at commas */
  struct words against;                                        /* bench: names of peers */
  const char *svg;                                             /* NULL if absent */
  bool emit_test, explain, full, json, csv, cold, consumer;
  uint64_t seed, threads, rounds; /* 1, 1, 15 if absent */
};

/* What a command returns and the program exits with. */
enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_BAD = 2 };

int cmd_generate(const struct command_options *options);
int cmd_check(const struct command_options *options);
int cmd_info(const struct command_options *options);
int cmd_run(const struct command_options *options);
int cmd_verify(const struct command_options *options);
int cmd_bench(const struct command_options *options);
int cmd_tune(const struct command_options *options);
int cmd_targets(const struct command_options *options);

/* Parses the command line, runs the command, returns the exit status. */
int command_main(int argc, char **argv);
/* Version of the program, for banners. */
#define CONVSMITH_VERSION "0.1.0"
#endif
