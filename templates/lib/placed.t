$ -- Vectors of channels, [pixels][lanes], that go out as vectors of pixels of one channel each, through shuffles that C planned, and get
$ -- bias, residual and activation on their way.
$ local arguments = import("lib/arguments.lua")
$ local moves = import("lib/moves.t")
$ local tiles = import("lib/tile.t")
$ local at = import("lib/vec.lua").at

$ -- A vector of one channel's pixels with all that belongs to outputs.
$ local function place_vector(K, y_channel, vector, block)
$   local output, channel = { rows = 1, vectors = 1, last = vector.live }, vector.at // y_channel
$   local from = { b = at("placed_b", channel), s = at("placed_s", channel), r = at(("placed_r + (%s - placed_y)"):format(block), vector.at) }
{
$   for _, argument in ipairs(tiles.outputs(K)) do
${argument[1]}const ${argument[2]} = ${from[argument[2]] or at(block, vector.at)};
$   end
$   tiles.use(K)
$   tiles.start(output)
a0_0 = ${K.V.add("a0_0", "v" .. vector.value)};
$   tiles.finish(output)
}
$ end

$ -- The function `name` of a copy: K has the form "pixels", planes are y_channel apart.
$ local function define(K, name, copy, y_channel)
$   local T = K.V.ctype
CONVSMITH_NOINLINE ${K.V.isa.attribute}
void ${name}(${arguments.declare(tiles.placed(K))})
{
${T} *const y0 = placed_y;
$   moves.run({ V = K.V, loops = copy.loops, blocks = copy.blocks }, function(vector, block) place_vector(K, y_channel, vector, block) end)
}

$ end

$ return { define = define }
