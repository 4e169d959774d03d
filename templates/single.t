$ -- All layers of a spec in one header: declarations, and the code where the macro `implementation` is defined.
$ -- layers: list of {file, header, source}.
$ local compose = import("lib/compose.lua")
/* Define ${implementation} in exactly one source file before including this one: the code is there. */
$ for _, layer in ipairs(layers) do
$   emit_raw(layer.header)
$ end
#if defined(${implementation}) && !defined(${implementation}_DONE)
#define ${implementation}_DONE
$ for _, layer in ipairs(layers) do
$   emit_raw(compose.without_header(layer))
$ end
#endif
