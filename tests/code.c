/* Reads `objdump -d`: "ADDRESS <NAME>:" begins a function, "ADDRESS:\tTEXT" is an instruction. */
#include "code.h"
#include "../gen/mem.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_function(struct code *code, const char *name) {
  code->functions = mem_grow(code->functions, code->function_count, sizeof *code->functions);
  code->functions[code->function_count++] = (struct function){mem_text("%s", name), code->count, code->count};
}

static void add_instruction(struct code *code, unsigned long address, const char *text) {
  code->items = mem_grow(code->items, code->count, sizeof *code->items);
  code->items[code->count++] = (struct instruction){address, mem_text("%s", text)};
  if (code->function_count) code->functions[code->function_count - 1].to = code->count;
}

static void read_line(struct code *code, char *line) {
  char *text, name[200];
  const unsigned long address = strtoul(line, &text, 16);
  line[strcspn(line, "\n")] = '\0';
  if (text == line) return;
  if (sscanf(text, " <%199[^>]>:", name) == 1) add_function(code, name);
  if (text[0] == ':' && text[1] == '\t') add_instruction(code, address, text + 2);
}

bool code_read(const char *object, struct code *code) {
  char line[1000];
  *code = (struct code){NULL, 0, NULL, 0};
  FILE *pipe = popen(mem_text("objdump -d --no-show-raw-insn '%s'", object), "r");
  if (!pipe) return false;
  while (fgets(line, sizeof line, pipe)) read_line(code, line);
  return pclose(pipe) == 0 && code->count > 0;
}

long code_loop_start(const struct code *code, size_t i) {
  unsigned long target;
  if (*code->items[i].text != 'j' || sscanf(code->items[i].text, "%*s %lx", &target) != 1) return -1;
  for (long k = (long)i; k >= 0 && code->items[k].address >= target; k--)
    if (code->items[k].address == target) return k;
  return -1;
}
