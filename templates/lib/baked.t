$ -- Baked values: exact bits, written once for all targets of the file that read them in one order.
$ local when = import("lib/when.lua")
$ local words = import("lib/words.t")
$ -- kind: planes of an ISA are aligned as its tiles need them.
$ local function array(baked, kind, isa)
$   local row = words.rows[layer.dtype]
$   local count = #baked.values // row.width
$   local aligned = kind == "planes" and isa.vec[layer.dtype].planes.aligned .. " " or ""
static const union {
${row.type} bits[${count}];
${row.value} values[${count}];
} ${aligned}${baked.symbol} = {{
$   words.list(row, baked.values)
}};

$ end
$ -- Where any of those targets exists; all of a file's do wherever it compiles.
$ local function condition(kind, symbol)
$   local users = {}
$   for _, target in ipairs(targets) do
$     if target.baked[kind] and target.baked[kind].symbol == symbol then users[#users + 1] = target end
$   end
$   return #users == #targets and "1" or when.any(users)
$ end
$ for _, kind in ipairs({ "weights", "bias", "planes" }) do for _, target in ipairs(targets) do
$   local baked = target.baked[kind]
$   if baked and baked.values then when.only(condition(kind, baked.symbol), function() array(baked, kind, target.isa) end) end
$ end end
