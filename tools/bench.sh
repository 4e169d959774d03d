#!/bin/bash
# Times all networks and the odd shapes on each target, and writes docs/bench.md, docs/bench.json and docs/bench.svg.
# A piece is one spec on one target, kept in $OUT/bench until that folder is removed: an interrupted run goes on where it was.
# usage: OUT=out TARGETS='avx512 avx2' ROUNDS=9 bench.sh [SPEC...]
set -eu
cd "$(dirname "$0")/.."
out=${OUT:-out}
specs=${*:-resnet50 mobilenetv2 vgg16 deeplabv3 alexnet wavenet c3d lenet5 odd}
mkdir -p "$out/bench"
pieces=()
for target in ${TARGETS:-avx512 avx2}; do
  for spec in $specs; do
    piece=$out/bench/$spec-$target.json
    pieces+=("$piece")
    [ -s "$piece" ] && continue
    echo "bench: $spec on $target"
    status=0
    "$out/convsmith" bench "specs/$spec.yaml" --target "$target" --rounds "${ROUNDS:-9}" --json > "$piece.part" || status=$?
    [ "$status" -le 1 ] || exit "$status" # 1: something fell short; the page says what
    mv "$piece.part" "$piece"
  done
done
lua5.4 tools/bench_page.lua docs "${pieces[@]}"
