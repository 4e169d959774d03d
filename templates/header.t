$ -- NAME.h: declarations of a generated layer.
$ local arguments = import("lib/arguments.lua")
$ local pack, call = arguments.pack_list(layer), arguments.call_list(layer)
$ local guard = layer.constant .. "_H"
$ -- Prints lines of a comment, of about 110 columns.
$ local function wrap(words)
$   local line = " *"
$   for word in words:gmatch("%S+") do
$     if #line + #word > 110 then
$       emit(line)
$       line = " *"
$     end
$     line = line .. " " .. word
$   end
$   emit(line)
$ end
$ local function size(name, bytes)
$   if bytes < 2147483648 then
enum { ${layer.constant}_${name} = ${bytes} };
$   else
#define ${layer.constant}_${name} ((size_t)${bytes})
$   end
$ end
/* ${layer.name}: made by convsmith ${version} from ${layer.spec}. Do not edit: generate again.
$ for _, line in ipairs(layer.banner) do
 * ${line}
$ end
$ for _, target in ipairs(targets) do
 * target ${target.name}: plan ${target.plan}
$ end
 *
$ wrap("Tensors, elements in the layout named, aligned for their element type (64 bytes may be faster); no two buffers may overlap"
$   .. (layer.residual and ", save that residual may be output itself:" or ":"))
$ for _, tensor in ipairs(layer.tensors) do
 *   ${tensor.name} [${tensor.shape}], ${tensor.layout}${tensor.baked and ", baked into the code" or ""}
$ end
 *
$ local first = layer.packed and "Call %s_pack once: it writes %s_PACKED_BYTES bytes for the machine it runs on. Then call" or "Call"
$ local use = " %s any number of times, from any thread, or %s_part for share part of parts (0 <= part < parts): shares write disjoint"
$   .. " outputs, whose bits do not depend on parts. Nothing is allocated, nothing outside the tensors is read or written."
$ wrap(first:format(layer.name, layer.constant) .. use:format(layer.name, layer.name))
 * This file is yours: SPDX-License-Identifier: 0BSD */
#ifndef ${guard}
#define ${guard}
#include <stddef.h>
$ if layer.output:sub(-2) == "_t" then
#include <stdint.h>
$ end
#ifdef __cplusplus
extern "C" {
#endif
$ size("PACKED_BYTES", layer.packed_bytes)
$ size("WORKSPACE_BYTES", layer.workspace_bytes)
$ for _, tensor in ipairs(layer.tensors) do
$   if not tensor.baked then size(tensor.name:upper() .. "_BYTES", tensor.bytes) end
$ end
$ local function declare(symbol)
$   if layer.packed then
void ${symbol}_pack(${arguments.declare(pack)});
$   end
void ${symbol}(${arguments.declare(call)});
void ${symbol}_part(${arguments.declare(arguments.join(call, arguments.share))});
$ end
$ declare(layer.name)
$ if #targets > 1 then
/* The same for one target each; what one packs only it reads. */
$   for _, target in ipairs(targets) do declare(layer.name .. "_" .. target.name) end
$ end
#ifdef __cplusplus
}
#endif
#endif
