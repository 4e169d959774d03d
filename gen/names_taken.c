/* Names that a layer cannot have, because the generated file would not compile or would change what it includes: the keywords of
 * C99 to C23 and C++98 to C++20 with their alternative spellings, and what the C library declares in the headers that generated
 * code and its intrinsics include (gcc and clang, C99 to GNU C with its built-in functions). Each list is sorted. */
#include "names.h"
#include <stdlib.h>
#include <string.h>

// clang-format off
/* C and C++. */
static const char *const keywords[] = {
    "alignas", "alignof", "and", "and_eq", "asm", "auto", "bitand", "bitor", "bool", "break", "case", "catch", "char",
    "char16_t", "char32_t", "char8_t", "class", "co_await", "co_return", "co_yield", "compl", "concept", "const", "const_cast",
    "consteval", "constexpr", "constinit", "continue", "decltype", "default", "delete", "do", "double", "dynamic_cast", "else",
    "enum", "explicit", "export", "extern", "false", "float", "for", "friend", "goto", "if", "inline", "int", "long", "mutable",
    "namespace", "new", "noexcept", "not", "not_eq", "nullptr", "operator", "or", "or_eq", "private", "protected", "public",
    "register", "reinterpret_cast", "requires", "restrict", "return", "short", "signed", "sizeof", "static", "static_assert",
    "static_cast", "struct", "switch", "template", "this", "thread_local", "throw", "true", "try", "typedef", "typeid",
    "typename", "typeof", "typeof_unqual", "union", "unsigned", "using", "virtual", "void", "volatile", "wchar_t", "while",
    "xor", "xor_eq",
};

/* Functions, types, objects and macros. */
static const char *const library[] = {
    "BIG_ENDIAN", "BUFSIZ", "BYTE_ORDER", "EOF", "EXIT_FAILURE", "EXIT_SUCCESS", "FD_CLR", "FD_ISSET", "FD_SET", "FD_SETSIZE",
    "FD_ZERO", "FILE", "FILENAME_MAX", "FOPEN_MAX", "FP_ILOGB0", "FP_ILOGBNAN", "FP_INFINITE", "FP_NAN", "FP_NORMAL",
    "FP_SUBNORMAL", "FP_ZERO", "HUGE_VAL", "HUGE_VALF", "HUGE_VALL", "INFINITY", "INT16_C", "INT16_MAX", "INT16_MIN", "INT32_C",
    "INT32_MAX", "INT32_MIN", "INT64_C", "INT64_MAX", "INT64_MIN", "INT8_C", "INT8_MAX", "INT8_MIN", "INTMAX_C", "INTMAX_MAX",
    "INTMAX_MIN", "INTPTR_MAX", "INTPTR_MIN", "INT_FAST16_MAX", "INT_FAST16_MIN", "INT_FAST32_MAX", "INT_FAST32_MIN",
    "INT_FAST64_MAX", "INT_FAST64_MIN", "INT_FAST8_MAX", "INT_FAST8_MIN", "INT_LEAST16_MAX", "INT_LEAST16_MIN",
    "INT_LEAST32_MAX", "INT_LEAST32_MIN", "INT_LEAST64_MAX", "INT_LEAST64_MIN", "INT_LEAST8_MAX", "INT_LEAST8_MIN",
    "LITTLE_ENDIAN", "L_ctermid", "L_tmpnam", "MATH_ERREXCEPT", "MATH_ERRNO", "MAXFLOAT", "MB_CUR_MAX", "M_1_PI", "M_2_PI",
    "M_2_SQRTPI", "M_E", "M_LN10", "M_LN2", "M_LOG10E", "M_LOG2E", "M_PI", "M_PI_2", "M_PI_4", "M_PIf", "M_SQRT1_2", "M_SQRT2",
    "NAN", "NFDBITS", "NULL", "PDP_ENDIAN", "PTRDIFF_MAX", "PTRDIFF_MIN", "P_tmpdir", "RAND_MAX", "SEEK_CUR", "SEEK_END",
    "SEEK_SET", "SIG_ATOMIC_MAX", "SIG_ATOMIC_MIN", "SIZE_MAX", "SNAN", "TMP_MAX", "UINT16_C", "UINT16_MAX", "UINT32_C",
    "UINT32_MAX", "UINT64_C", "UINT64_MAX", "UINT8_C", "UINT8_MAX", "UINTMAX_C", "UINTMAX_MAX", "UINTPTR_MAX",
    "UINT_FAST16_MAX", "UINT_FAST32_MAX", "UINT_FAST64_MAX", "UINT_FAST8_MAX", "UINT_LEAST16_MAX", "UINT_LEAST32_MAX",
    "UINT_LEAST64_MAX", "UINT_LEAST8_MAX", "WCHAR_MAX", "WCHAR_MIN", "WCONTINUED", "WEXITED", "WEXITSTATUS", "WIFCONTINUED",
    "WIFEXITED", "WIFSIGNALED", "WIFSTOPPED", "WINT_MAX", "WINT_MIN", "WNOHANG", "WNOWAIT", "WSTOPPED", "WSTOPSIG", "WTERMSIG",
    "WUNTRACED", "a64l", "abort", "abs", "acos", "acosf", "acosh", "acoshf", "acoshl", "acosl", "aligned_alloc", "alloca",
    "arc4random", "arc4random_buf", "arc4random_uniform", "asin", "asinf", "asinh", "asinhf", "asinhl", "asinl", "assert",
    "at_quick_exit", "atan", "atan2", "atan2f", "atan2l", "atanf", "atanh", "atanhf", "atanhl", "atanl", "atexit", "atof",
    "atoi", "atol", "atoll", "bcmp", "bcopy", "be16toh", "be32toh", "be64toh", "blkcnt_t", "blksize_t", "bsearch", "bzero",
    "cabs", "cabsf", "cabsl", "cacos", "cacosf", "cacosh", "cacoshf", "cacoshl", "cacosl", "caddr_t", "calloc", "carg", "cargf",
    "cargl", "casin", "casinf", "casinh", "casinhf", "casinhl", "casinl", "catan", "catanf", "catanh", "catanhf", "catanhl",
    "catanl", "cbrt", "cbrtf", "cbrtl", "ccos", "ccosf", "ccosh", "ccoshf", "ccoshl", "ccosl", "ceil", "ceilf", "ceill", "cexp",
    "cexpf", "cexpl", "cimag", "cimagf", "cimagl", "clearenv", "clearerr", "clearerr_unlocked", "clock_t", "clockid_t", "clog",
    "clog10", "clog10f", "clog10l", "clogf", "clogl", "conj", "conjf", "conjl", "copysign", "copysignf", "copysignl", "cos",
    "cosf", "cosh", "coshf", "coshl", "cosl", "cpow", "cpowf", "cpowl", "cproj", "cprojf", "cprojl", "creal", "crealf",
    "creall", "csin", "csinf", "csinh", "csinhf", "csinhl", "csinl", "csqrt", "csqrtf", "csqrtl", "ctan", "ctanf", "ctanh",
    "ctanhf", "ctanhl", "ctanl", "ctermid", "cuserid", "daddr_t", "daylight", "dcgettext", "dev_t", "dgettext", "div", "div_t",
    "double_t", "dprintf", "drand48", "drand48_r", "drem", "dremf", "dreml", "ecvt", "ecvt_r", "environ", "erand48",
    "erand48_r", "erf", "erfc", "erfcf", "erfcl", "erff", "erfl", "errno", "errno_t", "execl", "execle", "execlp", "execv",
    "execve", "execvp", "exit", "exp", "exp10", "exp10f", "exp10l", "exp2", "exp2f", "exp2l", "expf", "expl", "explicit_bzero",
    "expm1", "expm1f", "expm1l", "fabs", "fabsf", "fabsl", "fclose", "fcvt", "fcvt_r", "fd_mask", "fd_set", "fdim", "fdimf",
    "fdiml", "fdopen", "feclearexcept", "fegetenv", "fegetexceptflag", "fegetround", "feholdexcept", "feof", "feof_unlocked",
    "feraiseexcept", "ferror", "ferror_unlocked", "fesetenv", "fesetexceptflag", "fesetround", "fetestexcept", "feupdateenv",
    "fflush", "fflush_unlocked", "ffs", "ffsimax", "ffsl", "ffsll", "fgetc", "fgetc_unlocked", "fgetpos", "fgets", "fileno",
    "fileno_unlocked", "finite", "finitef", "finitel", "float_t", "flockfile", "floor", "floorf", "floorl", "fma", "fmaf",
    "fmal", "fmax", "fmaxf", "fmaxl", "fmemopen", "fmin", "fminf", "fminl", "fmod", "fmodf", "fmodl", "fopen", "fork",
    "fpclassify", "fpos_t", "fprintf", "fprintf_unlocked", "fputc", "fputc_unlocked", "fputs", "fputs_unlocked", "fread",
    "fread_unlocked", "free", "freopen", "frexp", "frexpf", "frexpl", "fsblkcnt_t", "fscanf", "fseek", "fseeko", "fsetpos",
    "fsfilcnt_t", "fsid_t", "ftell", "ftello", "ftrylockfile", "funlockfile", "fwrite", "fwrite_unlocked", "gamma", "gamma_r",
    "gammaf", "gammaf_r", "gammal", "gammal_r", "gcvt", "getc", "getc_unlocked", "getchar", "getchar_unlocked", "getdelim",
    "getenv", "getline", "getloadavg", "getsubopt", "gettext", "getw", "gid_t", "htobe16", "htobe32", "htobe64", "htole16",
    "htole32", "htole64", "hypot", "hypotf", "hypotl", "i386", "id_t", "ilogb", "ilogbf", "ilogbl", "imaxabs", "index",
    "initstate", "initstate_r", "ino_t", "int16_t", "int32_t", "int64_t", "int8_t", "int_fast16_t", "int_fast32_t",
    "int_fast64_t", "int_fast8_t", "int_least16_t", "int_least32_t", "int_least64_t", "int_least8_t", "intmax_t", "intptr_t",
    "isalnum", "isalpha", "isascii", "isblank", "iscntrl", "isdigit", "isfinite", "isgraph", "isgreater", "isgreaterequal",
    "isinf", "isinff", "isinfl", "isless", "islessequal", "islessgreater", "islower", "isnan", "isnanf", "isnanl", "isnormal",
    "isprint", "ispunct", "isspace", "isunordered", "isupper", "iswalnum", "iswalpha", "iswblank", "iswcntrl", "iswdigit",
    "iswgraph", "iswlower", "iswprint", "iswpunct", "iswspace", "iswupper", "iswxdigit", "isxdigit", "j0", "j0f", "j0l", "j1",
    "j1f", "j1l", "jn", "jnf", "jnl", "jrand48", "jrand48_r", "key_t", "l64a", "labs", "lcong48", "lcong48_r", "ldexp",
    "ldexpf", "ldexpl", "ldiv", "ldiv_t", "le16toh", "le32toh", "le64toh", "lgamma", "lgamma_r", "lgammaf", "lgammaf_r",
    "lgammal", "lgammal_r", "linux", "llabs", "lldiv", "lldiv_t", "llrint", "llrintf", "llrintl", "llround", "llroundf",
    "llroundl", "locale_t", "loff_t", "log", "log10", "log10f", "log10l", "log1p", "log1pf", "log1pl", "log2", "log2f", "log2l",
    "logb", "logbf", "logbl", "logf", "logl", "lrand48", "lrand48_r", "lrint", "lrintf", "lrintl", "lround", "lroundf",
    "lroundl", "main", "malloc", "math_errhandling", "max_align_t", "mblen", "mbstowcs", "mbtowc", "memccpy", "memchr",
    "memcmp", "memcpy", "memmove", "mempcpy", "memset", "mkdtemp", "mkstemp", "mkstemps", "mktemp", "mode_t", "modf", "modff",
    "modfl", "mrand48", "mrand48_r", "nan", "nanf", "nanl", "nearbyint", "nearbyintf", "nearbyintl", "nextafter", "nextafterf",
    "nextafterl", "nexttoward", "nexttowardf", "nexttowardl", "nlink_t", "nrand48", "nrand48_r", "nullptr_t", "off_t",
    "offsetof", "on_exit", "open_memstream", "pclose", "perror", "pid_t", "popen", "posix_memalign", "pow", "pow10", "pow10f",
    "pow10l", "powf", "powl", "printf", "printf_unlocked", "pselect", "pthread_attr_t", "pthread_barrier_t",
    "pthread_barrierattr_t", "pthread_cond_t", "pthread_condattr_t", "pthread_key_t", "pthread_mutex_t", "pthread_mutexattr_t",
    "pthread_once_t", "pthread_rwlock_t", "pthread_rwlockattr_t", "pthread_spinlock_t", "pthread_t", "ptrdiff_t", "putc",
    "putc_unlocked", "putchar", "putchar_unlocked", "putenv", "puts", "puts_unlocked", "putw", "qecvt", "qecvt_r", "qfcvt",
    "qfcvt_r", "qgcvt", "qsort", "quad_t", "quick_exit", "rand", "rand_r", "random", "random_r", "realloc", "reallocarray",
    "realpath", "register_t", "remainder", "remainderf", "remainderl", "remove", "remquo", "remquof", "remquol", "rename",
    "renameat", "rewind", "rindex", "rint", "rintf", "rintl", "round", "roundeven", "roundevenf", "roundevenl", "roundf",
    "roundl", "rpmatch", "scalb", "scalbf", "scalbl", "scalbln", "scalblnf", "scalblnl", "scalbn", "scalbnf", "scalbnl",
    "scanf", "seed48", "seed48_r", "select", "setbuf", "setbuffer", "setenv", "setlinebuf", "setstate", "setstate_r", "setvbuf",
    "signbit", "signbitf", "signbitl", "signgam", "significand", "significandf", "significandl", "sigset_t", "sin", "sincos",
    "sincosf", "sincosl", "sinf", "sinh", "sinhf", "sinhl", "sinl", "size_t", "snprintf", "sprintf", "sqrt", "sqrtf", "sqrtl",
    "srand", "srand48", "srand48_r", "srandom", "srandom_r", "sscanf", "ssize_t", "std", "stderr", "stdin", "stdout", "stpcpy",
    "stpncpy", "strcasecmp", "strcasecmp_l", "strcat", "strchr", "strcmp", "strcoll", "strcoll_l", "strcpy", "strcspn",
    "strdup", "strerror", "strerror_l", "strerror_r", "strfmon", "strftime", "strlen", "strncasecmp", "strncasecmp_l",
    "strncat", "strncmp", "strncpy", "strndup", "strnlen", "strpbrk", "strrchr", "strsep", "strsignal", "strspn", "strstr",
    "strtod", "strtof", "strtok", "strtok_r", "strtol", "strtold", "strtoll", "strtoq", "strtoul", "strtoull", "strtouq",
    "strxfrm", "strxfrm_l", "suseconds_t", "system", "tan", "tanf", "tanh", "tanhf", "tanhl", "tanl", "tempnam", "tgamma",
    "tgammaf", "tgammal", "time_t", "timer_t", "timezone", "tmpfile", "tmpnam", "tmpnam_r", "toascii", "tolower", "toupper",
    "towlower", "towupper", "trunc", "truncf", "truncl", "u_char", "u_int", "u_int16_t", "u_int32_t", "u_int64_t", "u_int8_t",
    "u_long", "u_quad_t", "u_short", "uid_t", "uint", "uint16_t", "uint32_t", "uint64_t", "uint8_t", "uint_fast16_t",
    "uint_fast32_t", "uint_fast64_t", "uint_fast8_t", "uint_least16_t", "uint_least32_t", "uint_least64_t", "uint_least8_t",
    "uintmax_t", "uintptr_t", "ulong", "ungetc", "unix", "unsetenv", "useconds_t", "ushort", "va_arg", "va_copy", "va_end",
    "va_list", "va_start", "valloc", "vdprintf", "vfork", "vfprintf", "vfscanf", "vprintf", "vscanf", "vsnprintf", "vsprintf",
    "vsscanf", "wcstombs", "wctomb", "y0", "y0f", "y0l", "y1", "y1f", "y1l", "yn", "ynf", "ynl",
};

/* NAME.h of these would hide a header that generated code reaches, once its folder is searched for headers. */
static const char *const headers[] = {
    "assert", "endian", "features", "immintrin", "limits", "math", "setjmp", "stdarg", "stdbool", "stddef", "stdint", "stdio",
    "stdlib", "string", "strings", "x86intrin",
};
// clang-format on

static int compare(const void *key, const void *item) {
  return strcmp(key, *(const char *const *)item);
}

#define LISTED(word, list) (bsearch(word, list, sizeof list / sizeof *list, sizeof *list, compare) != NULL)

bool name_is_keyword(const char *name) {
  return LISTED(name, keywords);
}

bool name_is_library(const char *name) {
  return LISTED(name, library);
}

bool name_is_header(const char *name) {
  return LISTED(name, headers);
}
