# Turns the lines of `convsmith verify` into the demo's table, as they come. Reads three kinds of input: generated headers (their
# banner says what a layer is), `size` of the objects, then verify's lines on standard input. LC_ALL=C: strings are bytes.
# -v tty=1: a progress line may have to be wiped first.

function pad(text, width,   seen) {
  seen = text
  gsub(/[\200-\277]/, "", seen) # of a UTF-8 character, the first byte counts
  while (length(seen) < width) { text = text " "; seen = seen " " }
  return text
}

# "[7, 7]" as "7×7", "[2, 2]" as "2" where one word says it.
function sizes(list) { gsub(/[][]/, "", list); gsub(/, /, "×", list); return list }
function same(list,   n, part) { gsub(/[][]/, "", list); n = split(list, part, ", "); return part[1] }
function channels(list,   part) { split(list, part, /[][, ]+/); return part[3] }
function spatial(list) { sub(/^\[[0-9]+, [0-9]+, /, "[", list); return sizes(list) }
function field(name) { return match($0, name " \\[[^]]*\\]") ? substr($0, RSTART + length(name) + 1, RLENGTH - length(name) - 1) : "" }

FILENAME ~ /\.h$/ && FNR == 1 { layer = $2; sub(/:$/, "", layer) }
FILENAME ~ /\.h$/ && / \* op: / { input = field("input"); output = field("to output") }
FILENAME ~ /\.h$/ && / \* kernel_size / {
  groups = $0
  sub(/.*groups /, "", groups)
  kernel[layer] = sizes(field("kernel_size")) (groups + 0 > 1 && groups + 0 == channels(input) ? " depthwise" : "")
  stride[layer] = same(field("stride"))
  wires[layer] = channels(input) " → " channels(output)
  area[layer] = spatial(input) " → " spatial(output)
}
FILENAME ~ /\.h$/ { next }

FILENAME ~ /sizes$/ && FNR > 1 { name = $NF; sub(/.*\//, "", name); sub(/\.o$/, "", name); bytes[name] = $1 }
FILENAME ~ /sizes$/ { next }

tty { printf "\r\033[K" }
/^(ok|FAIL) / && !headed++ {
  print pad("layer", 22) pad("kernel", 16) pad("stride", 8) pad("channels", 13) pad("pixels", 20) pad("plan and tile", 23) pad("code", 10) \
    pad("error", 8) "result"
}
/^(ok|FAIL) / {
  plan = $4
  if (match(plan, /-[0-9]+x[0-9]+/)) plan = substr(plan, 1, RSTART + RLENGTH - 1)
  print pad($2, 22) pad(kernel[$2], 16) pad(stride[$2], 8) pad(wires[$2], 13) pad(area[$2], 20) pad(plan, 23) \
    pad(sprintf("%.1f KB", bytes[$2] / 1000), 10) pad($1 != "ok" ? "-" : $NF < 0.01 ? "<1%" : sprintf("%.0f%%", 100 * $NF), 8) $1
  fflush()
  next
}
{ print; fflush() }
