#!/bin/bash
# Times all networks, the odd shapes and the uncommon ones on each target, and some again with weights that come from memory, with a
# reader of the output, on two threads, and channels first; writes docs/bench.md, docs/bench.json and docs/bench.svg. A piece is one spec with its
# options on one target, kept in $OUT/bench until that folder is removed: an interrupted run goes on where it was.
# usage: OUT=out TARGETS='avx512 avx2' ROUNDS=9 AGAINST=onednn,xnnpack,openblas bench.sh ['SPEC OPTIONS'...]
set -eu
cd "$(dirname "$0")/.."
out=${OUT:-out}
[ $# -gt 0 ] || set -- resnet50 mobilenetv2 vgg16 deeplabv3 alexnet wavenet c3d lenet5 odd uncommon \
  'resnet50 --cold' 'mobilenetv2 --consumer' 'resnet50 --threads 2' \
  'resnet50 --set layout=nchw --against onednn-plain' 'mobilenetv2 --set layout=nchw --against onednn-plain' \
  'lenet5 --set layout=nchw --against onednn-plain' 'odd --set layout=nchw --against onednn-plain'
mkdir -p "$out/bench"
pieces=()
for run in "$@"; do
  for target in ${TARGETS:-avx512 avx2}; do
    piece=$out/bench/${run// /}-$target.json
    pieces+=("$piece")
    [ -s "$piece" ] && continue
    echo "bench: $run on $target"
    read -r spec options <<< "$run"
    status=0
    against=${AGAINST:-}
    [[ $options != *--against* ]] || against=
    # shellcheck disable=SC2086 # options are words
    "$out/convsmith" bench "specs/$spec.yaml" --target "$target" --rounds "${ROUNDS:-9}" $options \
      ${against:+--against "$against"} --json > "$piece.part" || status=$?
    [ "$status" -le 1 ] || exit "$status" # 1: something fell short; the page says what
    mv "$piece.part" "$piece"
  done
done
lua5.4 tools/bench_page.lua docs "${pieces[@]}"
