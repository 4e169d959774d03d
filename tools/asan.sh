#!/bin/bash
# The sanitized program on the specs of features and frameworks, and sanitized kernels of a few: verify runs them between guard
# pages, emitted tests on the heap. A finding ends the script. usage: OUT=folder asan.sh, where OUT holds a program built with sanitizers
set -euo pipefail
program=$OUT/convsmith
folder=$OUT/generated
sanitize='clang -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all'
rm -rf "$folder"
mkdir -p "$folder"

for spec in specs/{features,frameworks}/*.yaml; do
  echo "asan: program on $spec"
  name=$(basename "$spec" .yaml)
  "$program" check "$spec"
  "$program" info "$spec" --explain --json > "$folder/$name.json"
  "$program" generate "$spec" -o "$folder/$name"
done

for spec in specs/features/{baked_weights,depthwise,layouts,padding_modes,residual}.yaml; do
  echo "asan: kernels of $spec"
  tests=$folder/tests/$(basename "$spec" .yaml)
  "$program" generate "$spec" --target native --emit-test -o "$tests"
  # shellcheck disable=SC2016 # the inner shell expands
  printf '%s\0' "$tests"/*_test.c | xargs -0 -n 1 -P "$(nproc)" sh -c '
    base=${2%_test.c}
    $1 -I "${2%/*}" "$2" "$base.c" -lm -o "$base" && "$base"' sh "$sanitize"
done

CC=$sanitize "$program" verify specs/features/layouts.yaml --target native
echo "asan: no findings"
