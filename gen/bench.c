/* Bench. The measuring process is a child: it sets the libraries' environment, loads them with their threads, and takes all of that
 * along when it ends. The order of things: our output is checked, then each peer's, and only what is right is timed, all in turn.
 */
#include "bench.h"
#include "compile.h"
#include "entrant.h"
#include "judge.h"
#include "mem.h"
#include "peaks.h"
#include "pool.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PEAK_STEPS = 50000, MAX_CANDIDATES = MAX_ENTRANTS + 5 };

/* ---- candidates -------------------------------------------------------------------------------------------------------- */

/* Our kernel in several threads: a workspace each. */
struct team {
  struct rig *rig;
  struct pool *pool;
  char *workspaces;
  size_t workspace_step;
};

static void work_share(void *context, int part, int parts) {
  const struct team *team = context;
  const struct rig *rig = team->rig;
  rig->kernel->part(rig->inputs, rig->packed[rig->next], rig->output, team->workspaces + (size_t)part * team->workspace_step, part,
                    parts);
}

static void call_team(void *context) {
  struct team *team = context;
  pool_run(team->pool, work_share, team);
  team->rig->next = (team->rig->next + 1) % team->rig->copies;
}

/* Peak and stream, called like kernels. */
struct limits {
  const struct peaks *peaks;
  struct pool *pool; /* NULL: one thread */
  double macs;       /* of a call */
  const float *from[4];
  size_t read[4], written;
  float *to;
  const struct rig *rig; /* its packed buffers take turns here too */
  size_t weights, turn;  /* from[weights] is packed buffer number turn */
};

static void work_peak(void *context, int part, int parts) {
  struct limits *limits = context;
  const double macs = limits->peaks->macs(PEAK_STEPS);
  if (part == 0) limits->macs = macs * parts;
}

static void call_peak(void *context) {
  struct limits *limits = context;
  if (limits->pool)
    pool_run(limits->pool, work_peak, limits);
  else
    work_peak(limits, 0, 1);
}

/* The peak of one thread, where several are at work. */
static void call_peak_alone(void *context) {
  const struct limits *limits = context;
  limits->peaks->macs(PEAK_STEPS);
}

static void call_stream(void *context) {
  struct limits *limits = context;
  limits->from[limits->weights] = limits->rig->packed[limits->turn];
  limits->turn = (limits->turn + 1) % limits->rig->copies;
  limits->peaks->stream(limits->from, limits->read, limits->to, limits->written);
}

/* A candidate whose output somebody reads: a word of each cache line. */
struct consumed {
  struct timed timed;
  const unsigned char *output;
  size_t bytes;
  unsigned sum;
};

static void call_consumed(void *context) {
  struct consumed *consumed = context;
  enum { LINE = 64 };
  consumed->timed.call(consumed->timed.context);
  for (size_t i = 0; i < consumed->bytes; i += LINE) consumed->sum += consumed->output[i];
}

/* ---- one layer --------------------------------------------------------------------------------------------------------- */

struct bench {
  const struct bench_mode *mode;
  struct bench_row *row;
  struct bench_data data;
  struct rig rig;
  struct team team;
  struct limits limits;
  struct entrant entrants[MAX_ENTRANTS];
  size_t entrant_count;
  struct consumed consumed[MAX_CANDIDATES];
};

static size_t tensor_bytes(const struct tensor *tensor) {
  return tensor_count(tensor) * cs_size(tensor->dtype);
}

static size_t output_bytes(const struct bench *bench) {
  return tensor_bytes(&bench->data.tensors[bench->data.count - 1]);
}

/* The share of the input that outputs read at least: strides pass over places. */
static double share_read(const struct layer *layer) {
  double share = 1;
  for (int d = 0; d < layer->rank; d++) {
    const struct window window = layer->op->window(layer, d);
    const int64_t step = window.kernel < window.stride ? window.kernel : window.stride;
    if (window.chains) share *= fmin(1, (double)((layer->out[d] - 1) * step + window.kernel) / (double)layer->in[d]);
  }
  return share;
}

static void set_limits(struct bench *bench) {
  struct limits *limits = &bench->limits;
  limits->pool = bench->team.pool;
  limits->to = bench->rig.output;
  limits->rig = &bench->rig;
  size_t arrays = 0;
  for (size_t i = 0; i < bench->data.count; i++) {
    const struct tensor *tensor = &bench->data.tensors[i];
    if (tensor->role == TENSOR_INPUT || tensor->role == TENSOR_RESIDUAL) {
      limits->from[arrays] = bench->rig.inputs[arrays];
      limits->read[arrays++] = tensor_bytes(tensor) / sizeof(float);
    }
  }
  limits->read[0] = (size_t)((double)limits->read[0] * share_read(bench->row->layer));
  limits->weights = arrays;
  limits->read[arrays] = bench->rig.kernel->packed_bytes / sizeof(float);
  limits->written = output_bytes(bench) / sizeof(float);
  bench->row->bytes = (double)limits->written * sizeof(float);
  for (size_t i = 0; i <= arrays; i++) bench->row->bytes += (double)limits->read[i] * sizeof(float);
}

static bool start_team(struct bench *bench) {
  enum { LINE = 64 };
  const size_t threads = (size_t)bench->mode->threads;
  struct team *team = &bench->team;
  *team = (struct team){.rig = &bench->rig};
  if (threads == 1) return true;
  team->workspace_step = (bench->rig.kernel->workspace_bytes + LINE) / LINE * LINE;
  team->workspaces = rig_buffer(threads * team->workspace_step);
  team->pool = pool_new((int)threads);
  return team->pool && team->workspaces;
}

/* With --consumer, the candidate and the reading of its output. */
static struct timed entered(struct bench *bench, size_t place, struct timed timed, const void *output, size_t bytes) {
  if (!bench->mode->consumer) return timed;
  bench->consumed[place] = (struct consumed){timed, output, bytes, 0};
  return (struct timed){call_consumed, &bench->consumed[place]};
}

/* Our kernel in one thread. */
static struct timed alone_candidate(struct bench *bench, size_t place) {
  return entered(bench, place, rig_timed(&bench->rig), bench->rig.output, output_bytes(bench));
}

static struct timed our_candidate(struct bench *bench) {
  if (!bench->team.pool) return alone_candidate(bench, 0);
  return entered(bench, 0, (struct timed){call_team, &bench->team}, bench->rig.output, output_bytes(bench));
}

static struct timed peer_candidate(struct bench *bench, size_t i) {
  const struct entrant *entrant = &bench->entrants[i];
  size_t bytes;
  const void *output = entrant->peer->memory(entrant->run, &bytes);
  return entered(bench, i + 1, (struct timed){entrant->peer->call, entrant->run}, output, bytes);
}

/* ---- times ------------------------------------------------------------------------------------------------------------- */

/* The roofline: no kernel ends before its multiply-adds at the peak, nor before its bytes have moved. */
static double share_of_limit(const double *ours, const double *peak, const double *stream, double calls, size_t rounds) {
  const size_t mark = mem_mark();
  double *limit = mem_array(rounds, sizeof *limit);
  for (size_t i = 0; i < rounds; i++) limit[i] = fmax(peak[i] * calls, stream[i]);
  const double share = timing_ratio(limit, ours, rounds);
  mem_release(mark);
  return share;
}

/* Reads the rounds of all candidates, in the order of time_all. */
static void set_times(struct bench *bench, const double *seconds, size_t rounds) {
  struct bench_row *row = bench->row;
  for (size_t i = 0; i < bench->entrant_count; i++) {
    const struct entrant *entrant = &bench->entrants[i];
    row->peers[entrant->index].entries[entrant->variant].ratio = timing_ratio(seconds + (i + 1) * rounds, seconds, rounds);
  }
  const double *peak = seconds + (bench->entrant_count + 1) * rounds, *stream = peak + rounds;
  const double *alone = stream + rounds, *peak_alone = alone + rounds;
  const double calls = row->macs / bench->limits.macs; /* of the peak, for as many multiply-adds */
  row->seconds = timing_median(seconds, rounds);
  row->peak = bench->limits.macs / timing_median(peak, rounds);
  row->share_of_peak = calls * timing_ratio(peak, seconds, rounds);
  if (bench->mode->threads == 1) {
    row->share_of_limit = share_of_limit(seconds, peak, stream, calls, rounds);
  } else {
    row->scaling = timing_ratio(alone, seconds, rounds);
    row->ceiling = bench->mode->threads * timing_ratio(peak_alone, peak, rounds);
  }
}

/* Ours comes first, then the entrants, the peak, and the stream; where there are several threads, ours and the peak in one of them.
 */
static void time_all(struct bench *bench) {
  const size_t rounds = (size_t)bench->mode->rounds;
  const bool several = bench->mode->threads > 1;
  struct timed candidates[MAX_CANDIDATES] = {our_candidate(bench)};
  size_t count = 1;
  for (size_t i = 0; i < bench->entrant_count; i++) candidates[count++] = peer_candidate(bench, i);
  candidates[count++] = (struct timed){call_peak, &bench->limits};
  candidates[count++] = (struct timed){call_stream, &bench->limits};
  if (several) {
    candidates[count] = alone_candidate(bench, count);
    candidates[++count] = (struct timed){call_peak_alone, &bench->limits};
    count++;
  }
  double *seconds = mem_array(count * rounds, sizeof *seconds);
  timing_rounds(candidates, count, bench->mode->rounds, several, seconds);
  set_times(bench, seconds, rounds);
}

static void choose_best(struct bench_row *row) {
  for (size_t p = 0; p < MAX_PEERS; p++) {
    struct bench_peer *peer = &row->peers[p];
    peer->best = -1;
    for (int i = 0; i < MAX_VARIANTS; i++)
      if (peer->entries[i].state == ENTRY_TIMED && (peer->best < 0 || peer->entries[i].ratio < peer->entries[peer->best].ratio))
        peer->best = i;
  }
}

/* Are peers as fast as they can be? Benchmarks of their own keep weights near. */
static void judge_peers(const struct peer_list *peers, struct bench_row *row, const struct bench_mode *mode) {
  for (size_t p = 0; p < peers->count && !mode->cold; p++) {
    struct bench_entry *entry = &row->peers[p].entries[0];
    if (peers->items[p].judged && entry->state == ENTRY_TIMED) judge(entry, row->layer, entry->ratio * row->seconds);
  }
}

/* ---- the process ------------------------------------------------------------------------------------------------------- */

static bool fail(struct bench_row *row, const char *message) {
  row->failed = true;
  snprintf(row->message, sizeof row->message, "%s", message);
  return false;
}

static bool open_bench(struct bench *bench, const struct job *job) {
  struct bench_row *row = bench->row;
  struct text message = {0};
  const struct kernel_source source = {row->layer, &row->plan, 1, ""};
  const struct kernel *kernel = kernel_build(job, &source, 1, mem_text("bench%ld", (long)getpid()), &message);
  const struct peaks *peaks = kernel ? peaks_build(job, row->isa, &message) : NULL;
  if (!peaks) return fail(row, message.data);
  bench->data = bench_data_new(row->layer, &row->plan->promise);
  const size_t copies = bench->mode->cold ? rig_copies(kernel->packed_bytes) : 1;
  if (!rig_open(&bench->rig, row->layer, kernel, bench->data.logical, copies) || !start_team(bench))
    return fail(row, "convsmith: error: out of memory or threads");
  bench->limits.peaks = peaks;
  return true;
}

static void measure(const struct job *job, const struct bench_mode *mode, const struct peer_list *peers, struct bench_row *row) {
  struct bench *bench = mem_new(sizeof *bench);
  bench->mode = mode;
  bench->row = row;
  row->macs = (double)row->layer->op->multiply_adds(row->layer);
  if (mode->threads == 1) timing_pin();
  peers_environment(row->isa, row->isa == isa_native(&job->isas), mode->threads);
  if (!open_bench(bench, job)) return;
  const struct timed ours = our_candidate(bench);
  ours.call(ours.context);
  bench->data.seconds = timing_once(&ours, mode->threads > 1);
  if (!bench_right(&bench->data, bench->rig.output, row->message, sizeof row->message)) return;
  bench->entrant_count = entrants_open(bench->entrants, peers, &bench->data, mode, &bench->rig, row);
  rig_in_place(&bench->rig, row->layer); /* as peers take it */
  set_limits(bench);
  time_all(bench);
  choose_best(row);
  judge_peers(peers, row, mode);
  row->done = true;
}

void bench_run(const struct job *job, const struct bench_mode *mode, const struct peer_list *peers, struct bench_row *row) {
  scratch_folder(); /* before the fork: the folder belongs to this process */
  fflush(NULL);
  const pid_t child = fork();
  if (child == 0) {
    measure(job, mode, peers, row);
    _exit(0);
  }
  int status = -1;
  while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  if (status == 0 || row->failed) return;
  row->done = false;
  row->failed = true;
  snprintf(row->message, sizeof row->message, "convsmith: error: the process that timed %s ended by signal %d", row->layer->name,
           WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

struct bench_row *bench_row_new(void) {
  void *memory = mmap(NULL, sizeof(struct bench_row), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? NULL : memory;
}

void bench_row_free(struct bench_row *row) {
  munmap(row, sizeof *row);
}

double bench_best(const struct bench_row *row, const struct peer_list *peers) {
  double best = 0;
  for (size_t i = 0; i < peers->count; i++) {
    const struct bench_peer *peer = &row->peers[i];
    if (peers->items[i].slow || peer->best < 0) continue;
    const double ratio = peer->entries[peer->best].ratio;
    if (best == 0 || ratio < best) best = ratio;
  }
  return best;
}
