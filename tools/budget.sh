#!/bin/bash
# Every layer under specs/ for one target alone: processor time of generating and of compiling it, and its largest function. Prints
# the three worst of each, and fails where one is beyond its bound. Compile time depends on the machine and is printed only.
# usage: OUT=folder [CC=compiler] budget.sh [TARGET]... (default: scalar avx2 avx512)
set -euo pipefail
bound_ms=50 # of the processor: other programs do not count
bound_bytes=65536
folder=$OUT/budget

# CPU milliseconds of a command, which must succeed.
milliseconds() {
  local TIMEFORMAT='%3U %3S' taken
  taken=$({ time "$@" 1>&2; } 2>&1) || { echo "$taken" >&2; return 1; }
  awk '{ print 1000 * ($1 + $2) }' <<< "$taken"
}

# Prints: generation in ms, compiling in ms, bytes of the largest function, which layer.
measure() { # SPEC TARGET LAYER
  local place=$folder/$2/$3 generated compiled bytes
  generated=$(milliseconds "$OUT/convsmith" generate "$1" --target "$2" --layer "$3" -o "$place")
  # shellcheck disable=SC2086 # CC may hold flags
  compiled=$(milliseconds ${CC:-gcc} -std=c99 -O2 -c "$place/$3.c" -o "$place/$3.o")
  bytes=$(nm -S --size-sort "$place/$3.o" | awk '$3 ~ /[tT]/ { size = $2 } END { print size }')
  echo "$generated $compiled $((16#$bytes)) $2 $1 $3"
  rm -r "$place"
}

worst() { # COLUMN TITLE
  echo "$2"
  sort -k "$1,$1gr" "$folder/all" | awk -v c="$1" 'NR <= 3 { printf "  %8d  %-7s %s %s\n", $c, $4, $5, $6 }'
}

if [ "${1-}" = --measure ]; then
  shift
  measure "$@"
  exit
fi
[ $# -gt 0 ] || set -- scalar avx2 avx512
rm -rf "$folder"
mkdir -p "$folder"
for spec in specs/*.yaml specs/*/*.yaml; do
  for layer in $("$OUT/convsmith" info "$spec" --target scalar --json | sed -n 's/^      "name": "\(.*\)",$/\1/p'); do
    for target in "$@"; do echo "$spec $target $layer"; done
  done
done | OUT=$OUT xargs -L 1 -P "$(nproc)" bash "$0" --measure > "$folder/all"
worst 1 "generation, ms (bound $bound_ms):"
worst 2 "compiling, ms:"
worst 3 "largest function, bytes (bound $bound_bytes):"
awk -v ms=$bound_ms -v bytes=$bound_bytes '
  $1 > ms || $3 > bytes { print "beyond its bound:", $0; bad++ }
  END { print NR " layers, " bad + 0 " beyond a bound"; exit bad > 0 || NR == 0 }' "$folder/all"
