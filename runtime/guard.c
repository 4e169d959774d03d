/* Buffers that end, or begin, at memory that may not be touched: an access one element outside is a fault at once, and writes into
 * the slack on the other side are found afterwards. POSIX (mmap). */
#include "convsmith.h"
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
  GUARD_BYTES = 1 << 16, /* of each inaccessible region: a multiple of every page size in use */
  GUARD_SLACK = 0xa5     /* what the slack is filled with */
};

static size_t guard_round_up(size_t size) {
  return (size + GUARD_BYTES - 1) / GUARD_BYTES * GUARD_BYTES;
}

static unsigned char *guard_end(const struct cs_guard *guard) {
  return guard->map + guard->map_size - GUARD_BYTES;
}

int cs_guard_new(struct cs_guard *guard, size_t size, int at_end, size_t offset) {
  const size_t place = at_end ? 0 : offset;
  if (size > SIZE_MAX / 4 || place > SIZE_MAX / 4) return -1;
  const size_t usable = guard_round_up(size + place);
  void *map = mmap(NULL, usable + 2 * (size_t)GUARD_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (map == MAP_FAILED) return -1;
  guard->map = (unsigned char *)map;
  guard->map_size = usable + 2 * (size_t)GUARD_BYTES;
  guard->size = size;
  guard->data = at_end ? guard_end(guard) - size : guard->map + GUARD_BYTES + place;
  if (usable && mprotect(guard->map + GUARD_BYTES, usable, PROT_READ | PROT_WRITE) != 0) {
    cs_guard_free(guard);
    return -1;
  }
  memset(guard->map + GUARD_BYTES, GUARD_SLACK, usable);
  return 0;
}

static int guard_written(const unsigned char *from, const unsigned char *to) {
  while (from < to)
    if (*from++ != GUARD_SLACK) return 1;
  return 0;
}

int cs_guard_touched(const struct cs_guard *guard) {
  return guard_written(guard->map + GUARD_BYTES, guard->data) || guard_written(guard->data + guard->size, guard_end(guard));
}

int cs_guard_hit(const struct cs_guard *guard, const void *address) {
  const uintptr_t at = (uintptr_t)address, map = (uintptr_t)guard->map, end = (uintptr_t)guard_end(guard);
  if (at >= map && at < map + GUARD_BYTES) return -1;
  return at >= end && at < end + GUARD_BYTES;
}

void cs_guard_free(struct cs_guard *guard) {
  if (guard->map) munmap(guard->map, guard->map_size);
  memset(guard, 0, sizeof *guard);
}
