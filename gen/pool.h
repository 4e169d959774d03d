/* Pools: threads that share one call. They wait for the next one by spinning for a while, then asleep, so that a kernel of a few
 * microseconds is not timed by its wake-ups, and idle threads disturb nobody. */
#ifndef GEN_POOL_H
#define GEN_POOL_H

struct pool;

/* The calling thread and `threads` - 1 others. NULL when they cannot be started. */
struct pool *pool_new(int threads);
/* Calls work(context, part, parts) in every thread, the caller's with part 0, and returns when all are done. */
void pool_run(struct pool *pool, void (*work)(void *context, int part, int parts), void *context);
void pool_free(struct pool *pool);
#endif
