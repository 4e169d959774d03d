#!/bin/bash
# The sanitized program on good and bad specs, and sanitized kernels: verify runs them between guard pages, emitted tests on the
# heap. A finding ends the script. usage: OUT=folder asan.sh, where OUT holds a program built with sanitizers
set -euo pipefail
program=$OUT/convsmith
folder=$OUT/generated
sanitize='clang -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all'
rm -rf "$folder"
mkdir -p "$folder"

for spec in specs/features/*.yaml; do
  echo "asan: $spec"
  name=$(basename "$spec" .yaml)
  "$program" check "$spec"
  "$program" info "$spec" --explain --json > "$folder/$name.json"
  "$program" generate "$spec" --emit-test -o "$folder/$name"
done

# One program a spec would clash in main: one a layer, two at a time.
find "$folder" -name '*_test.c' -print0 | xargs -0 -n 1 -P "$(nproc)" sh -c '
  base=${1%_test.c}
  '"$sanitize"' -I "${1%/*}" "$1" "$base.c" -lm -o "$base" && "$base" > "$base.log" 2>&1 ||
    { echo "FAIL $1"; tail -n 30 "$base.log"; exit 255; }' sh

for spec in specs/features/{padding_modes,stride_dilation,groups,depthwise,layouts}.yaml; do
  CC=$sanitize "$program" verify "$spec" | tail -n 1
done
