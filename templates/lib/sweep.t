$ -- Groups form: a sweep goes through the inputs that some taps read, for each input channel of a group in turn. An input is loaded and
$ -- permuted, so that each lane holds that channel of its own group, and multiplied into every output that uses it.
$ local vec = import("lib/vec.lua")
$ local at = vec.at

$ -- tiles: hold and accumulate of lib/tile.t
$ return function(K, tile, sweep, tiles, xp, wp)
$   local V = K.V
$   for k, lanes in ipairs(tile.channels) do
{
$     if V.isa.barrier then
CONVSMITH_BARRIER();
$     end
$     for t, w in ipairs(sweep.taps) do
$       tiles.hold("v" .. t - 1, V.get(at(wp, w + (k - 1) * tile.step_w), 1, K.w_exact and tile.last or V.lanes), 2)
$     end
$     for _, read in ipairs(sweep.reads) do
{
const ${V.type} x0 = ${V.get(at(xp, read.x), 1, tile.x_live)};
$       tiles.hold("u", V.permute("x0", lanes), 2)
$       for _, use in ipairs(read.uses) do
$         tiles.accumulate("a" .. use.row .. "_0", "u", "v" .. use.tap, 2)
$       end
}
$     end
}
$   end
$ end
