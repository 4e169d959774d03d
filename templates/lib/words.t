$ -- Elements as the whole numbers of their bits: exact for every value, read by every compiler alike.
$ local rows = {
$   f32 = { type = "uint32_t", value = "float", width = 4, form = "0x%su", per_line = 8 },
$   f64 = { type = "uint64_t", value = "double", width = 8, form = "UINT64_C(0x%s)", per_line = 4 },
$   bf16 = { type = "uint16_t", value = "uint16_t", width = 2, form = "0x%su", per_line = 16 },
$ }
$
$ -- What stands between the braces of an array of row.type.
$ local function list(row, bytes)
$   local count = #bytes // row.width
$   for first = 1, count, row.per_line do
${hex_words(row.form, bytes, row.width, first, math.min(first + row.per_line - 1, count))},
$   end
$ end
$
$ return { rows = rows, list = list }
