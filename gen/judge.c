/* Judge: one run of benchdnn, and the time that it prints. */
#include "judge.h"
#include "mem.h"
#include "op.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/* Sizes of one spatial dimension, `letter` d, h or w. benchdnn counts dilations from 0. */
static const char *dimension(const struct cs_conv *conv, int d, char letter) {
  return mem_text("i%c%tdo%c%tdk%c%tds%c%tdp%c%tdd%c%td", letter, conv->in[d], letter, conv->out[d], letter, conv->kernel[d],
                  letter, conv->stride[d], letter, conv->pad[d], letter, conv->dilation[d] - 1);
}

/* benchdnn's name of the problem. */
static const char *problem_of(const struct cs_conv *conv) {
  const char *problem = mem_text("g%tdmb%tdic%tdoc%td", conv->groups, conv->batch, conv->in_channels, conv->out_channels);
  for (int d = 0; d < conv->rank; d++)
    problem = mem_text("%s%s", problem, dimension(conv, d, "dhw"[CS_MAX_SPATIAL - conv->rank + d]));
  return problem;
}

/* The time in a line `convsmith=MILLISECONDS`, or 0. */
static double read_seconds(FILE *output) {
  char line[512];
  double milliseconds = 0;
  while (fgets(line, sizeof line, output))
    if (!strncmp(line, "convsmith=", 10)) milliseconds = strtod(line + 10, NULL);
  return milliseconds * 1e-3;
}

/* 0: the program is not there. Below 0: it gave no time. */
static double run(const char *program, const char *kind, const char *problem) {
  enum { NOT_FOUND = 127 };
  const char *command = mem_text("exec \"${BENCHDNN:-benchdnn}\" --%s --mode=p --dir=FWD_I --stag=any --dtag=any "
                                 "--perf-template=convsmith=%%0time%% %s 2>/dev/null",
                                 kind, problem);
  FILE *output = popen(command, "r"); /* the shell finds the program, all else are letters and digits. NOLINT(cert-env33-c) */
  const double seconds = output ? read_seconds(output) : 0;
  const int status = output ? pclose(output) : -1;
  if (seconds > 0) return seconds;
  return !program && WIFEXITED(status) && WEXITSTATUS(status) == NOT_FOUND ? 0 : -1;
}

void judge(struct bench_entry *entry, const struct layer *layer, double seconds) {
  const struct cs_conv conv = layer->op->conv(layer);
  const char *named = getenv("BENCHDNN"), *program = named && *named ? named : NULL, *problem = problem_of(&conv);
  const double best = run(program, conv.transposed ? "deconv" : "conv", problem);
  if (best == 0) return;
  entry->judged = best > 0 ? best / seconds : -1;
  if (best < 0)
    snprintf(entry->message, sizeof entry->message, "%s gave no time for %s", program ? program : "benchdnn", problem);
  else if (entry->judged < JUDGE_FAIR)
    snprintf(entry->message, sizeof entry->message, "it has %.2f of the speed that benchdnn measures: no fair comparison",
             entry->judged);
}
