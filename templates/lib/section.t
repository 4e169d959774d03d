$ -- A target's section of kernels that share nothing but the packed buffer: define(K) prints a kernel's functions, number() which
$ -- rows a unit begins with, compute(K) what computes `count` of them.
$ local tiles = import("lib/tile.t")
$ local parts = import("lib/parts.t")
$ local pack = import("lib/pack.t")

$ return function(define, number, compute)
$   return function(target, symbol)
$     local kernels = parts.kernels(target, symbol)
$     for _, K in ipairs(kernels) do
$       define(K)
$       parts.units(K, tiles.pointers(K), number, function() compute(K) end)
$     end
$     pack(kernels, symbol)
$     parts.define(kernels, tiles.pointers, symbol)
$   end
$ end
