#!/bin/sh
# Prints C that holds the given files as `builtins` (gen/engine.h), sorted by name. Names lose a leading "templates/".
set -eu
printf '#include "engine.h"\n\n'
n=0
for file in "$@"; do
  printf 'static const unsigned char file%d[] = {\n' "$n"
  od -An -v -tu1 "$file" | sed 's/  */,/g; s/^,//; s/$/,/'
  printf '0};\n\n'
  n=$((n + 1))
done
printf 'const struct builtin builtins[] = {\n'
n=0
for file in "$@"; do
  printf '%s %d\n' "${file#templates/}" "$n"
  n=$((n + 1))
done | LC_ALL=C sort | while read -r name index; do
  printf '  {"%s", (const char *)file%d, sizeof file%d - 1},\n' "$name" "$index" "$index"
done
printf '  {0, 0, 0}};\n'
