#!/bin/sh
# Finds what convsmith's targets need and this machine lacks. --report names it and fails, --install installs it with apt-get.
# usage: packages.sh --report|--install [test|test-quick|test-full|asan|valgrind|lint]...
set -eu
mode=$1
shift
compiler=${CC:-cc}
compiler=${compiler%% *}
pkg_config=${PKG_CONFIG:-pkg-config}

# The Debian package of a compiler has its name, save for cc and paths.
case $compiler in
  gcc* | clang*) compiler_package=$compiler ;;
  *) compiler_package=gcc ;;
esac

# need PACKAGE COMMAND...: PACKAGE is missing where COMMAND fails.
need() {
  package=$1
  shift
  "$@" > /dev/null 2>&1 || missing="$missing $package"
}

compiles() {
  printf '#include <stdlib.h>\nint main(void) { return 0; }\n' | "$@" -x c -o /dev/null -
}

need_target() {
  case $1 in
    test | test-quick | test-full)
      need libcmocka-dev "$pkg_config" --exists cmocka
      need g++ command -v c++
      need clang command -v clang
      need cmake command -v cmake
      ;;
    asan)
      need libcmocka-dev "$pkg_config" --exists cmocka
      need clang command -v clang
      need libclang-rt-14-dev compiles clang -fsanitize=address,undefined # of Debian 12's clang
      ;;
    valgrind) need valgrind command -v valgrind ;;
    lint)
      need clang-format command -v clang-format
      need cppcheck command -v cppcheck
      need lua-check command -v luacheck
      ;;
  esac
}

find_missing() {
  missing=
  need "$compiler_package" command -v "$compiler"
  need libc6-dev compiles "$compiler"
  need pkg-config command -v "$pkg_config"
  need liblua5.4-dev "$pkg_config" --exists "${LUA:-lua5.4}"
  need libyaml-dev "$pkg_config" --exists yaml-0.1
  for target in "$@"; do need_target "$target"; done
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

stop() {
  echo "convsmith needs packages that are not there (Debian's names):$missing" >&2
  echo "install them, or run make demo as root or with sudo on Debian or Ubuntu" >&2
  exit 2
}

find_missing "$@"
[ -n "$missing" ] || exit 0
[ "$mode" = --install ] && command -v apt-get > /dev/null || stop
echo "installing with apt-get:$missing"
export DEBIAN_FRONTEND=noninteractive
as_root apt-get -qq update
# Word splitting is meant: one word a package.
# shellcheck disable=SC2086
as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $missing > /dev/null
find_missing "$@"
[ -z "$missing" ] || stop
