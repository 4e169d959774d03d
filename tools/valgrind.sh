#!/bin/bash
# The program under valgrind, and generated kernels through their emitted tests, one target each (valgrind knows no AVX-512).
# usage: OUT=folder valgrind.sh
set -euo pipefail
folder=$OUT/valgrind
cc=${CC:-cc}
check=(valgrind --quiet --leak-check=full --errors-for-leak-kinds=definite,indirect --error-exitcode=9)
rm -rf "$folder"
mkdir -p "$folder"

for spec in specs/features/{baked_weights,layouts,padding}.yaml; do
  echo "valgrind: program on $spec"
  "${check[@]}" "$OUT/convsmith" check "$spec"
  "${check[@]}" "$OUT/convsmith" info "$spec" --explain --target avx2 > /dev/null
  "${check[@]}" "$OUT/convsmith" generate "$spec" -o "$folder/program"
done

for target in scalar sse41 avx2; do
  for spec in specs/features/{baked_weights,depthwise,layouts,padding_modes,stride_dilation}.yaml; do
    echo "valgrind: $target kernels of $spec"
    name=$folder/$target/$(basename "$spec" .yaml)
    "$OUT/convsmith" generate "$spec" --target "$target" --emit-test -o "$name"
    for test in "$name"/*_test.c; do
      # shellcheck disable=SC2086 # CC may hold flags
      $cc -O1 -g -I "$name" "$test" "${test%_test.c}.c" -lm -o "${test%.c}"
      "${check[@]}" "${test%.c}"
    done
  done
done
echo "valgrind: no findings"
