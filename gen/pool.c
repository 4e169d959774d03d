/* Pools. A call is a new number in `call`; each thread counts itself off in `left`. */
#include "pool.h"
#include "../runtime/convsmith.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { SPINS = 1000, MAX_THREADS = 256 }; /* between spins others may run: there may be more threads than processors */

/* A thread whose share is done sooner waits awake for the others: a wake-up takes as long as small kernels do. */
static const double AWAKE_SECONDS = 1e-3;

struct member {
  struct pool *pool;
  int part;
  pthread_t thread;
};

struct pool {
  int threads, started;
  atomic_uint call; /* number of the call that runs or is over */
  atomic_int left, sleeping, ends;
  void (*work)(void *context, int part, int parts);
  void *context;
  pthread_mutex_t lock;
  pthread_cond_t wake;
  struct member members[MAX_THREADS];
};

static unsigned sleep_until_call(struct pool *pool, unsigned seen) {
  pthread_mutex_lock(&pool->lock);
  atomic_fetch_add(&pool->sleeping, 1);
  while (atomic_load(&pool->call) == seen) pthread_cond_wait(&pool->wake, &pool->lock);
  atomic_fetch_sub(&pool->sleeping, 1);
  pthread_mutex_unlock(&pool->lock);
  return atomic_load(&pool->call);
}

static unsigned next_call(struct pool *pool, unsigned seen) {
  const double start = cs_seconds();
  do {
    for (int i = 0; i < SPINS; i++) {
      const unsigned call = atomic_load_explicit(&pool->call, memory_order_acquire);
      if (call != seen) return call;
    }
    sched_yield();
  } while (cs_seconds() - start < AWAKE_SECONDS);
  return sleep_until_call(pool, seen);
}

static void *serve(void *context) {
  struct member *member = context;
  struct pool *pool = member->pool;
  for (unsigned seen = 0;;) {
    seen = next_call(pool, seen);
    if (atomic_load(&pool->ends)) return NULL;
    pool->work(pool->context, member->part, pool->threads);
    atomic_fetch_sub_explicit(&pool->left, 1, memory_order_release);
  }
}

static void announce(struct pool *pool) {
  atomic_fetch_add(&pool->call, 1);
  if (!atomic_load(&pool->sleeping)) return;
  pthread_mutex_lock(&pool->lock);
  pthread_cond_broadcast(&pool->wake);
  pthread_mutex_unlock(&pool->lock);
}

struct pool *pool_new(int threads) {
  struct pool *pool = threads > 0 && threads <= MAX_THREADS ? calloc(1, sizeof *pool) : NULL;
  if (!pool) return NULL;
  pool->threads = threads;
  pthread_mutex_init(&pool->lock, NULL);
  pthread_cond_init(&pool->wake, NULL);
  for (int i = 1; i < threads; i++, pool->started++) {
    pool->members[i] = (struct member){.pool = pool, .part = i};
    if (pthread_create(&pool->members[i].thread, NULL, serve, &pool->members[i]) == 0) continue;
    pool_free(pool);
    return NULL;
  }
  return pool;
}

void pool_run(struct pool *pool, void (*work)(void *context, int part, int parts), void *context) {
  pool->work = work;
  pool->context = context;
  atomic_store(&pool->left, pool->threads - 1);
  announce(pool);
  work(context, 0, pool->threads);
  for (int i = 1; atomic_load_explicit(&pool->left, memory_order_acquire) > 0; i++)
    if (i % SPINS == 0) sched_yield();
}

void pool_free(struct pool *pool) {
  if (!pool) return;
  atomic_store(&pool->ends, 1);
  announce(pool);
  for (int i = 1; i <= pool->started; i++) pthread_join(pool->members[i].thread, NULL);
  pthread_cond_destroy(&pool->wake);
  pthread_mutex_destroy(&pool->lock);
  free(pool);
}
