$ -- A permutation on one target: its units of work, and the shares of NAME_part.
$ local moves = import("lib/moves.t")
$ local parts = import("lib/parts.t")
$ local fetch = import("lib/fetch.t")
$ local K -- the kernel that is being printed

$ local function pointers(kernel)
$   local T = kernel.V.ctype
$   return { { "const " .. T .. " *", "x" }, { T .. " *", "y" } }
$ end

$ local function unit()
const ${K.V.ctype} *x0 = x;
${K.V.ctype} *y0 = y;
$   moves.run(K)
$ end

$ local function section(target, symbol)
$   local kernels = parts.kernels(target, symbol)
$   for _, kernel in ipairs(kernels) do
$     K = kernel
$     K.order = {}
$     fetch(K)
$     for l = #K.loops, 1, -1 do
$       K.order[#K.order + 1] = { "i" .. l, moves.units_along(K.loops[l]) }
$     end
$     parts.units(K, pointers(K), function() parts.count(false) end, unit)
$   end
$   parts.define(kernels, pointers, symbol)
$ end

$ return { section = section }
