$ -- All layers of a spec in one header: declarations, and the code where the macro `implementation` is defined.
$ -- layers: list of {file, header, source}.
$ local compose = import("lib/compose.lua")
/* Define ${implementation} in exactly one source file before including this one: the code is there. */
$ for _, layer in ipairs(layers) do
$   emit_raw(layer.header)
$ end
#if defined(${implementation}) && !defined(${implementation}_DONE)
#define ${implementation}_DONE
#if defined(__cplusplus) && defined(__GNUC__) && !defined(__clang__) /* g++ 12 warns of _mm512_undefined_ps in its own header */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
$ for _, layer in ipairs(layers) do
$   emit_raw(compose.without_header(layer))
$ end
#if defined(__cplusplus) && defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
#endif
