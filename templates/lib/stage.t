$ -- Rows of a kernel as one function, for those that compute some rows at a time: all its units but those that the caller names.
$ local arguments = import("lib/arguments.lua")
$ local tiles = import("lib/tile.t")
$ local rows = import("lib/rows.t")

$ -- given: names of units whose number the caller passes; blocks: only channel blocks [c0, c1) are computed.
$ local function arguments_of(K, given)
$   local numbers = has(given, "blocks") and { { "ptrdiff_t", "c0" }, { "ptrdiff_t", "c1" } } or {}
$   for _, unit in ipairs(K.units) do
$     if unit.count > 1 and has(given, unit.name) then numbers[#numbers + 1] = { "ptrdiff_t", unit.name } end
$   end
$   local next = has(K, "fetches") and K.fetches and { { "uintptr_t", "next" } } or {}
$   return arguments.join(tiles.pointers(K), rows.origins(K), numbers, { { "ptrdiff_t", "r0" }, { "ptrdiff_t", "r1" } }, next)
$ end

$ local function turn(name, count)
$   if count > 1 then
CONVSMITH_ROLLED
for (ptrdiff_t ${name} = 0; ${name} < ${count}; ${name}++)
$   end
$ end

$ local function turn_blocks(K, given)
$   if not has(given, "blocks") then return turn("block", has(K, "channel_blocks") and K.channel_blocks or 1) end
CONVSMITH_ROLLED
for (ptrdiff_t block = c0; block < c1; block++)
$ end

$ -- Rows [r0, r1) of a kernel: all its units. template: of its algorithm.
$ local function define(K, template, given)
$   local blocks = has(K, "channel_blocks") and K.channel_blocks or 1
static ${K.V.isa.attribute}
void ${K.symbol}_stage(${arguments.declare(arguments_of(K, given))})
{
$   if K.rows == 1 then
(void)r0, (void)r1;
$   end
$   for _, unit in ipairs(K.units) do
$     if not has(given, unit.name) then turn(unit.name, unit.count) end
$   end
$   if K.rows == 1 then
$     turn_blocks(K, given)
$   elseif blocks > 1 and K.band > 0 then
CONVSMITH_ROLLED
for (ptrdiff_t row = r0, count; row < r1; row += count) {
count = r1 - row < ${K.band} ? r1 - row : ${K.band};
$     turn_blocks(K, given)
$   else
$     turn_blocks(K, given)
{
const ptrdiff_t row = r0, count = r1 - r0;
$   end
{
$   template.compute(K)
}
$   if K.rows > 1 then
}
$   end
}

$ end

$ -- The same called with `values` for its arguments.
$ local function call(K, given, values)
${K.symbol}_stage(${arguments.pass(arguments_of(K, given), values)});
$ end

$ return { define = define, call = call }
