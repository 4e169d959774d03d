$ -- Top of a generated source: banner, headers of every ISA before any code and lib/macros.t.
$ -- Guarded: many generated files may be one translation unit.
$ local epilogue = import("lib/epilogue.lua")
$ local vec = import("lib/vec.lua")
$ local when = import("lib/when.lua")
$ local library = false
$ for _, target in ipairs(targets) do for _, kernel in ipairs(target.kernels) do
$   local row = epilogue[kernel.activation.name]
$   library = library or has(row, "scalar") and not vec.new(target.isa, layer.dtype, layer.name, false).smooth
$ end end
/* ${layer.name}: made by convsmith ${version} from ${layer.spec}. Do not edit: generate again.
$ for _, line in ipairs(layer.banner) do
 * ${line}
$ end
$ if layer.prefix ~= "" then
 * prefix ${layer.prefix}
$ end
$ for _, target in ipairs(targets) do
 * target ${target.name}: plan ${target.plan}
$ end
 * This file is yours: SPDX-License-Identifier: 0BSD */
#include "${layer.file}.h"
$ if library then
#include <math.h>
$ end
#include <stddef.h>
#include <stdint.h>
$ local included = {}
$ for _, target in ipairs(targets) do for _, header in ipairs(target.isa.headers) do
$   local key = target.isa.when .. header
$   if not has(included, key) then when.only(target.isa.when, function() emit("#include <" .. header .. ">") end) end
$   included[key] = true
$ end end
$ if #targets > 1 or import("lib/order.lua").asking(targets) then import("lib/cpu.t").include() end
#ifndef CONVSMITH_MACROS
#define CONVSMITH_MACROS
$ import("lib/macros.t")
#endif
$ local function prelude(isa)
#ifndef CONVSMITH_${isa.name:upper()}
#define CONVSMITH_${isa.name:upper()}
$   emit(isa.prelude)
#endif
$ end
$ local function type_prelude(part)
#ifndef CONVSMITH_${part.name}
#define CONVSMITH_${part.name}
$   emit(part.text)
#endif
$ end
$ for _, target in ipairs(targets) do
$   if target.isa.prelude then when.only(target.isa.when, function() prelude(target.isa) end) end
$   local ops = target.isa.vec[layer.dtype]
$   for _, part in ipairs(has(ops, "preludes") and ops.preludes or {}) do
$     when.only(target.isa.when, function() type_prelude(part) end)
$   end
$ end

