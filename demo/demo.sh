#!/bin/bash
# What `make demo` shows: every distinct convolution of two networks as C for this machine, each verified; then generated filters on
# a picture. usage: OUT=folder demo.sh
set -euo pipefail
program=$OUT/convsmith
folder=$OUT/demo
cc=${CC:-cc}
if [ -t 1 ]; then tty=1; else tty=0; fi
export LC_ALL=C

progress() { # DONE TOTAL WHAT
  if ((tty)); then printf '\r[%d/%d] %s\033[K' "$1" "$2" "$3"; fi
}

# Compiles all files of a folder without any -m flag, a file a core, and notes the size of their code.
compile() { # FOLDER
  local count=0 files=("$1"/*.c)
  printf '%s\0' "${files[@]}" |
    xargs -0 -n 1 -P "$(nproc)" sh -c "$cc -std=c99 -O2 -Wall -Wextra -Wpedantic -Wconversion -Werror -c \"\$1\" -o \"\${1%.c}.o\" && echo" sh |
    while read -r _; do progress $((count += 1)) "${#files[@]}" 'files compiled'; done
  if ((tty)); then printf "\r\033[K"; fi
  size "$1"/*.o > "$1/sizes"
}

# Generates, compiles and verifies a spec's layers; verify's status is the function's.
show() { # SPEC NAME
  local target=$folder/$2
  echo
  echo "$2: $1 -> $target/*.c"
  "$program" generate "$1" --target native -o "$target"
  compile "$target"
  "$program" verify "$1" --target native | awk -v tty=$tty -f demo/table.awk "$target"/*.h "$target/sizes" -
}

rm -rf "$folder"
mkdir -p "$folder"
native=$("$program" targets | awk '/^native is/ { print $3 }')
echo "Best target of this machine: $native. Each layer becomes one C file for exactly its shape, with no library behind it."
echo "It is compiled, run on small integers, random and hostile data, and compared with a reference in double precision."
echo "error: the largest deviation as a share of the proven rounding bound; up to 100% is right."
show specs/resnet50.yaml ResNet-50
show specs/mobilenetv2.yaml MobileNetV2
show demo/filters.yaml filters

# shellcheck disable=SC2086 # CC may hold flags
$cc -std=c99 -O2 -I "$folder/filters" demo/picture.c demo/image.c "$folder"/filters/*.o -lm -o "$folder/picture"
"$folder/picture" demo/scene.pgm "$folder"
echo
echo "All layers are right. Filters ran on a picture; open:"
echo "  $folder/input.png      the picture (demo/scene.pgm), grainy"
echo "  $folder/gaussian.png   after the 5×5 Gaussian"
echo "  $folder/sobel_x.png    slope from left to right, grey: none (sobel_y.png: from top to bottom)"
echo "  $folder/edges.png      how steep in any direction"
echo "How they were made: demo/filters.yaml, and demo/picture.c, which calls the generated code."
