/* The command line. Two tables say it all: the options, with where each one's value goes, and the commands, with the options each
 * one takes. Parsing, --help and the nearest name of a mistyped word are made from them. */
#include "command.h"
#include "diag.h"
#include "mem.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  LAYER = 1 << 0,
  TARGET = 1 << 1,
  SET = 1 << 2,
  TEMPLATES = 1 << 3,
  JSON = 1 << 4,
  OUT_DIR = 1 << 5,
  WRITING = 1 << 6,
  PLAN = 1 << 7,
  EXPLAIN = 1 << 8,
  TENSORS = 1 << 9,
  CHECKING = 1 << 10,
  TUNING = 1 << 11,
  TIMING = 1 << 12
};

enum kind {
  KIND_FLAG,  /* bool */
  KIND_TEXT,  /* const char * */
  KIND_WORDS, /* struct words, a word each time */
  KIND_LIST,  /* struct words, words between commas */
  KIND_NUMBER /* uint64_t */
};

static const struct option {
  unsigned set; /* commands that have one of these bits take it */
  enum kind kind;
  size_t field; /* in struct command_options */
  const char *name, *argument, *help;
} options[] = {
#define FIELD(name) offsetof(struct command_options, name)
    {OUT_DIR, KIND_TEXT, FIELD(output), "-o", "DIR", "folder to write into; made if it is not there"},
    {TENSORS, KIND_TEXT, FIELD(output), "-o", "FILE.npy", "file for the output tensor"},
    {TUNING, KIND_TEXT, FIELD(output), "-o", "PLAN.yaml", "file for the plans"},
    {LAYER, KIND_WORDS, FIELD(layers), "--layer", "NAME", "only this layer (repeatable)"},
    {TARGET, KIND_LIST, FIELD(targets), "--target", "LIST", "targets, with commas between (see convsmith targets)"},
    {SET, KIND_WORDS, FIELD(sets), "--set", "KEY=VALUE", "override a key of every chosen layer (repeatable)"},
    {WRITING, KIND_TEXT, FIELD(prefix), "--prefix", "P", "put P before every symbol"},
    {WRITING, KIND_TEXT, FIELD(single_file), "--single-file", "FILE.h",
     "write one header; its code where FILE_IMPLEMENTATION is defined"},
    {WRITING, KIND_TEXT, FIELD(depfile), "--depfile", "FILE", "write what the files depend on, as a Make rule"},
    {WRITING, KIND_FLAG, FIELD(emit_test), "--emit-test", NULL, "write NAME_test.c too: a program that checks the kernel"},
    {PLAN, KIND_TEXT, FIELD(plan_file), "--plan", "PLAN.yaml", "take the plans that this file names"},
    {TENSORS, KIND_WORDS, FIELD(tensors), "--tensor", "NAME=FILE", "a tensor's values, .npy in logical order (one each)"},
    {CHECKING | TIMING, KIND_TEXT, FIELD(plans), "--plans", "WHICH", "chosen (default), all, or a plan's id"},
    {CHECKING, KIND_NUMBER, FIELD(seed), "--seed", "N", "seed of the data (default 1)"},
    {CHECKING, KIND_FLAG, FIELD(full), "--full", NULL, "compare every output of large layers too"},
    {TIMING, KIND_LIST, FIELD(against), "--against", "LIST",
     "peers: onednn, xnnpack, openblas, naive (the default); onednn-plain, onednn-winograd; or none"},
    {TIMING, KIND_NUMBER, FIELD(threads), "--threads", "N", "threads, of ours and of the peers (default 1, pinned)"},
    {TIMING, KIND_NUMBER, FIELD(rounds), "--rounds", "N", "turns of each candidate (default 15)"},
    {TIMING, KIND_FLAG, FIELD(cold), "--cold", NULL, "weights come from memory at each call"},
    {TIMING, KIND_FLAG, FIELD(consumer), "--consumer", NULL, "read the output once after each call"},
    {TIMING, KIND_FLAG, FIELD(csv), "--csv", NULL, "print a line a layer, with commas between"},
    {TIMING, KIND_TEXT, FIELD(svg), "--svg", "FILE", "draw the ratios and the roofline"},
    {EXPLAIN, KIND_FLAG, FIELD(explain), "--explain", NULL, "list every plan, and why each refused one was"},
    {JSON, KIND_FLAG, FIELD(json), "--json", NULL, "print one JSON object"},
    {TEMPLATES, KIND_WORDS, FIELD(template_paths), "--template-path", "DIR",
     "search DIR before the built-in templates (repeatable)"},
#undef FIELD
};
enum { OPTION_COUNT = sizeof options / sizeof options[0] };

enum { SPEC = LAYER | SET | TEMPLATES };

static const struct command {
  const char *name, *operand, *summary;
  unsigned options;
  int (*run)(const struct command_options *); /* NULL: not supported yet */
} commands[] = {
    {"generate", "SPEC.yaml", "write C files for each layer", SPEC | TARGET | OUT_DIR | WRITING | PLAN, cmd_generate},
    {"check", "SPEC.yaml", "report errors and unwise choices without writing", SPEC, cmd_check},
    {"info", "SPEC.yaml", "print shapes, costs and plans", SPEC | TARGET | EXPLAIN | JSON, cmd_info},
    {"run", "SPEC.yaml", "compute one layer on .npy tensors", SPEC | TARGET | TENSORS, cmd_run},
    {"verify", "SPEC.yaml", "compare the kernels with the reference", SPEC | TARGET | CHECKING | PLAN | JSON, cmd_verify},
    {"targets", NULL, "list the targets and which of them run here", TEMPLATES | JSON, cmd_targets},
    {"bench", "SPEC.yaml", "time the kernels in turn with other libraries", SPEC | TARGET | TIMING | PLAN | JSON, cmd_bench},
    {"tune", "SPEC.yaml", "time the plans on this machine and keep the fastest in a plan file", SPEC | TARGET | TUNING, cmd_tune},
    {"import", "MODEL", NULL, 0, NULL},
    {"draw", "SPEC.yaml", NULL, 0, NULL},
};
enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

struct parse {
  const struct command *command;
  struct command_options options;
  struct diags diags;
};

static const struct place nowhere = {0};

/* ---- help ---------------------------------------------------------------------------------------------------------- */

static void print_usage(FILE *stream) {
  fputs("convsmith: C functions for one convolution shape each, from a YAML spec\n\n"
        "usage: convsmith COMMAND SPEC.yaml [options]\n"
        "       convsmith COMMAND --help | --help | --version\n\n",
        stream);
  for (const struct command *c = commands; c < commands + COMMAND_COUNT; c++)
    if (c->run) fprintf(stream, "  %-10s %s\n", c->name, c->summary);
}

static void print_help(const struct command *command) {
  const char *operand = command->operand ? command->operand : "";
  printf("usage: convsmith %s %s%s[options]\n\n%s\n\n", command->name, operand, *operand ? " " : "", command->summary);
  for (const struct option *o = options; o < options + OPTION_COUNT; o++)
    if (o->set & command->options) printf("  %-22s %s\n", o->argument ? mem_text("%s %s", o->name, o->argument) : o->name, o->help);
  printf("  %-22s %s\n", "--help", "print this");
}

/* --help, or -h, counts wherever it stands and whatever else is wrong. */
static bool asks_for_help(int argc, char **argv) {
  for (int i = 2; i < argc && strcmp(argv[i], "--") != 0; i++)
    if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) return true;
  return false;
}

/* ---- words --------------------------------------------------------------------------------------------------------- */

static void add_word(struct words *words, const char *word) {
  words->items = mem_grow(words->items, words->count, sizeof *words->items);
  words->items[words->count++] = word;
}

static void split(struct words *words, const char *list) {
  for (;;) {
    size_t length = strcspn(list, ",");
    add_word(words, mem_text("%.*s", (int)length, list));
    if (!list[length]) return;
    list += length + 1;
  }
}

static bool parse_number(const char *text, uint64_t *value) {
  if (!*text || text[strspn(text, "0123456789")]) return false;
  errno = 0;
  *value = strtoull(text, NULL, 10);
  return errno == 0;
}

/* ---- options ------------------------------------------------------------------------------------------------------- */

static void store(struct parse *parse, const struct option *option, const char *value) {
  void *field = (char *)&parse->options + option->field;
  switch (option->kind) {
  case KIND_FLAG:
    *(bool *)field = true;
    break;
  case KIND_TEXT:
    *(const char **)field = value;
    break;
  case KIND_WORDS:
    add_word(field, value);
    break;
  case KIND_LIST:
    split(field, value);
    break;
  case KIND_NUMBER:
    if (!parse_number(value, field))
      diag_error(&parse->diags, nowhere, "%s %s: not a whole number from 0 to 18446744073709551615", option->name, value);
    break;
  }
}

static const struct option *find_option(const struct command *command, const char *name, size_t length) {
  for (const struct option *o = options; o < options + OPTION_COUNT; o++)
    if ((o->set & command->options) && strlen(o->name) == length && !strncmp(o->name, name, length)) return o;
  return NULL;
}

static void unknown_option(struct parse *parse, const char *name) {
  const char *names[OPTION_COUNT + 1] = {0};
  size_t count = 0;
  for (const struct option *o = options; o < options + OPTION_COUNT; o++)
    if (o->set & parse->command->options) names[count++] = o->name;
  const char *nearest = diag_nearest(name, names);
  if (nearest)
    diag_error(&parse->diags, nowhere, "%s has no option '%s'; did you mean '%s'?", parse->command->name, name, nearest);
  else
    diag_error(&parse->diags, nowhere, "%s has no option '%s'; see convsmith %s --help", parse->command->name, name,
               parse->command->name);
}

/* One option at `word`, written "--name value", "--name=value", "-o value" or "-ovalue"; returns how many words it took. */
static int parse_option(struct parse *parse, const char *word, const char *next, unsigned *seen) {
  bool is_long = word[1] == '-';
  size_t length = is_long ? strcspn(word, "=") : 2;
  const char *value = word[length] ? word + length + is_long : NULL;
  const struct option *option = find_option(parse->command, word, length);
  const char *name = mem_text("%.*s", (int)length, word);
  if (!option) {
    unknown_option(parse, name);
    return 1;
  }
  unsigned bit = 1u << (option - options);
  if ((option->kind == KIND_TEXT || option->kind == KIND_NUMBER) && (*seen & bit))
    diag_error(&parse->diags, nowhere, "%s is given twice", name);
  *seen |= bit;
  if (option->kind == KIND_FLAG && value) diag_error(&parse->diags, nowhere, "%s takes no value", name);
  bool takes_next = option->argument && !value;
  if (takes_next) value = next;
  if (option->argument && !value)
    diag_error(&parse->diags, nowhere, "%s needs %s", name, option->argument);
  else
    store(parse, option, value);
  return 1 + takes_next;
}

static void parse_operand(struct parse *parse, const char *word) {
  if (!parse->command->operand)
    diag_error(&parse->diags, nowhere, "%s takes no argument, found '%s'", parse->command->name, word);
  else if (parse->options.spec)
    diag_error(&parse->diags, nowhere, "one spec at a time: '%s' after '%s'", word, parse->options.spec);
  else
    parse->options.spec = word;
}

static void parse_words(struct parse *parse, int argc, char **argv) {
  unsigned seen = 0;
  bool only_operands = false;
  for (int i = 2; i < argc;) {
    if (!only_operands && !strcmp(argv[i], "--")) {
      only_operands = true;
      i++;
    } else if (!only_operands && argv[i][0] == '-' && argv[i][1]) {
      i += parse_option(parse, argv[i], i + 1 < argc ? argv[i + 1] : NULL, &seen);
    } else {
      parse_operand(parse, argv[i++]);
    }
  }
  if (parse->command->operand && !parse->options.spec && !parse->diags.errors)
    diag_error(&parse->diags, nowhere, "%s needs %s", parse->command->name, parse->command->operand);
}

/* ---- commands ------------------------------------------------------------------------------------------------------ */

static const struct command *find_command(const char *name) {
  for (const struct command *c = commands; c < commands + COMMAND_COUNT; c++)
    if (!strcmp(c->name, name)) return c;
  return NULL;
}

static void unknown_command(struct diags *diags, const char *word) {
  const char *names[COMMAND_COUNT + 1] = {0};
  for (size_t i = 0; i < COMMAND_COUNT; i++) names[i] = commands[i].name;
  const char *nearest = diag_nearest(word, names);
  if (nearest)
    diag_error(diags, nowhere, "no command '%s'; did you mean '%s'?", word, nearest);
  else
    diag_error(diags, nowhere, "no command '%s'; see convsmith --help", word);
}

/* The status of a command whose output did not arrive is a failure too. */
static int finish(int status) {
  if (fflush(stdout) == 0 && !ferror(stdout)) return status;
  struct diags diags = {0};
  diag_error(&diags, nowhere, "cannot write to standard output: %s", strerror(errno));
  diag_flush(&diags);
  return EXIT_BAD;
}

static int run_command(struct parse *parse, int argc, char **argv) {
  if (asks_for_help(argc, argv)) {
    print_help(parse->command);
    return EXIT_OK;
  }
  parse_words(parse, argc, argv);
  return diag_flush(&parse->diags) ? EXIT_BAD : parse->command->run(&parse->options);
}

static int dispatch(struct parse *parse, int argc, char **argv) {
  parse->command = find_command(argv[1]);
  if (parse->command && parse->command->run) return run_command(parse, argc, argv);
  if (parse->command)
    diag_error(&parse->diags, nowhere, "%s is not supported yet", argv[1]);
  else
    unknown_command(&parse->diags, argv[1]);
  diag_flush(&parse->diags);
  return EXIT_BAD;
}

int command_main(int argc, char **argv) {
  if (argc < 2) {
    print_usage(stderr);
    return EXIT_BAD;
  }
  if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
    print_usage(stdout);
    return finish(EXIT_OK);
  }
  if (!strcmp(argv[1], "--version")) {
    puts("convsmith " CONVSMITH_VERSION);
    return finish(EXIT_OK);
  }
  struct parse parse = {
      .options = {.program = argv[0], .command = argv[1], .prefix = "", .plans = "chosen", .seed = 1, .threads = 1, .rounds = 15},
  };
  return finish(dispatch(&parse, argc, argv));
}
