#!/bin/bash
# Times all networks, the odd shapes and the uncommon ones on each target, and some again with weights that come from memory, with a
# reader of the output, on two threads, channels first, with fewer multiplications and on tile registers; writes docs/bench.md,
# docs/bench.json and docs/bench.svg. A piece is one spec with its options on one target, of $TARGETS where the options name none, kept
# in $OUT/bench until that folder is removed: an interrupted run goes on where it was.
# usage: OUT=out TARGETS='avx512 avx2' ROUNDS=9 AGAINST=onednn,xnnpack,openblas PAGE=docs bench.sh ['SPEC OPTIONS'...]
# PAGE=docs/NAME.md: of a further machine, means and losses alone.
set -eu
cd "$(dirname "$0")/.."
out=${OUT:-out}
[ $# -gt 0 ] || set -- resnet50 mobilenetv2 vgg16 deeplabv3 alexnet wavenet c3d lenet5 odd uncommon \
  'resnet50 --cold' 'mobilenetv2 --consumer' 'resnet50 --threads 2' \
  'resnet50 --set layout=nchw --against onednn-plain' 'mobilenetv2 --set layout=nchw --against onednn-plain' \
  'lenet5 --set layout=nchw --against onednn-plain' 'odd --set layout=nchw --against onednn-plain' \
  'resnet50 --set accuracy=normwise' 'vgg16 --set accuracy=normwise' 'alexnet --set accuracy=normwise' 'deeplabv3 --set accuracy=normwise' \
  'resnet50 --set accuracy=fast' 'vgg16 --set accuracy=fast' 'alexnet --set accuracy=fast' 'deeplabv3 --set accuracy=fast' \
  'c3d --set accuracy=fast' \
  'resnet50 --target amx' 'vgg16 --target amx' 'alexnet --target amx' 'deeplabv3 --target amx' 'c3d --target amx' 'mobilenetv2 --target amx' \
  'resnet50 --set accuracy=normwise --target amx' 'vgg16 --set accuracy=normwise --target amx' \
  'resnet50 --set accuracy=fast --target amx' 'vgg16 --set accuracy=fast --target amx'
runs_here() { "$out/convsmith" targets | grep -qE "^$1 +yes "; }
mkdir -p "$out/bench"
pieces=()
for run in "$@"; do
  read -r spec options <<< "${run%--target*}"
  targets=${TARGETS:-avx512 avx2}
  [[ $run != *--target* ]] || targets=${run##*--target }
  for target in $targets; do
    runs_here "$target" || continue
    piece=$out/bench/${run// /}-$target.json
    pieces+=("$piece")
    [ -s "$piece" ] && continue
    echo "bench: $spec $options on $target"
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
lua5.4 tools/bench_page.lua "${PAGE:-docs}" "${pieces[@]}"
