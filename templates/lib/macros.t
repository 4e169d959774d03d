$ -- What kernels say to compilers, with and without GNU C: inlining, unrolling, and what stays in registers.
#if defined(__GNUC__)
#define CONVSMITH_INLINE static inline __attribute__((always_inline, unused))
#define CONVSMITH_NOINLINE static __attribute__((noinline))
#define CONVSMITH_BARRIER() __asm__ __volatile__("" ::: "memory")
#define CONVSMITH_AHEAD(address, level) __builtin_prefetch((const void *)(address), 0, level)
#define CONVSMITH_DONE(constraint, value) __asm__ __volatile__("" : "+" constraint(value))
#define CONVSMITH_MAC(text, constraint, acc, x, w) __asm__ __volatile__(text : "+" constraint(acc) : constraint(x), constraint(w))
#define CONVSMITH_MAC_LANES(text, constraint, acc, x, w, of_mask, mask) \
__asm__ __volatile__(text : "+" constraint(acc) : constraint(x), constraint(w), of_mask(mask))
#else
#define CONVSMITH_INLINE static
#define CONVSMITH_NOINLINE static
#define CONVSMITH_BARRIER() ((void)0)
#define CONVSMITH_AHEAD(address, level) ((void)(address))
#define CONVSMITH_DONE(constraint, value) ((void)0)
#endif
#if defined(__clang__) || (defined(__GNUC__) && __GNUC__ >= 12)
#define CONVSMITH_SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#elif defined(__GNUC__)
#define CONVSMITH_SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (__typeof__((a) < (b))){__VA_ARGS__})
#endif
#if defined(__clang__)
#define CONVSMITH_ROLLED _Pragma("clang loop unroll(disable)")
#elif defined(__GNUC__) && __GNUC__ >= 8
#define CONVSMITH_ROLLED _Pragma("GCC unroll 1")
#else
#define CONVSMITH_ROLLED
#endif
#if defined(__GNUC__) && !defined(__clang__)
#define CONVSMITH_PIN(constraint, value) __asm__("" : "+" constraint(value))
#define CONVSMITH_LANE __attribute__((optimize("no-tree-loop-vectorize")))
#else
#define CONVSMITH_PIN(constraint, value) ((void)0)
#define CONVSMITH_LANE
#endif
