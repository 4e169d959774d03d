#!/bin/sh
# Finds what convsmith's targets need and this machine lacks. --report names it and fails, --install installs it with apt-get.
# usage: packages.sh --report|--install [test|test-quick|test-full|bench|asan|valgrind|lint]...
set -eu
mode=$1
shift
cc=${CC:-cc}
compiler=${cc%% *}
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
  "$@" > /dev/null 2>&1 || case "$missing " in *" $package "*) ;; *) missing="$missing $package" ;; esac
}

# The same for what some tests use: without it they are skipped.
want() {
  package=$1
  shift
  "$@" > /dev/null 2>&1 || case "$missing$wanted " in *" $package "*) ;; *) wanted="$wanted $package" ;; esac
}

compiles() { # COMPILER FLAG...
  printf '#include <stdlib.h>\nint main(void) { return 0; }\n' | "$@" -x c -o /dev/null -
}

# No package mends a compiler that is there and compiles nothing.
try_compiler() {
  command -v "$compiler" > /dev/null || return 0
  # shellcheck disable=SC2086 # CC may hold flags
  if ! printf 'int nothing;\n' | $cc -x c -c -o /dev/null -; then
    echo "convsmith: CC='$cc' compiles nothing, not even 'int nothing;'" >&2
    exit 2
  fi
}

need_peers() {
  need libdnnl-dev compiles "$compiler" -include oneapi/dnnl/dnnl.h
  need libpthreadpool-dev compiles "$compiler" -include pthreadpool.h
  need libxnnpack-dev compiles "$compiler" -include xnnpack.h
  need libopenblas-dev compiles "$compiler" -include cblas.h -lopenblas # cblas.h may be that of another BLAS
}

need_target() {
  case $1 in
    test | test-quick | test-full)
      need libcmocka-dev "$pkg_config" --exists cmocka
      need g++ command -v c++
      need clang command -v clang
      want cmake command -v cmake
      want qemu-user command -v qemu-x86_64
      want libclang-rt-14-dev compiles clang -fsanitize=thread # of Debian 12's clang
      ;;
    bench)
      need lua5.4 command -v lua5.4
      need_peers
      ;;
    asan)
      need libcmocka-dev "$pkg_config" --exists cmocka
      need clang command -v clang
      need libclang-rt-14-dev compiles clang -fsanitize=address,undefined # of Debian 12's clang
      ;;
    valgrind) need valgrind command -v valgrind ;;
    lint) # clang-tidy reads the headers of tests and peers
      need libcmocka-dev "$pkg_config" --exists cmocka
      need_peers
      need clang-format command -v clang-format
      need clang-tidy command -v clang-tidy
      need cppcheck command -v cppcheck
      need lua-check command -v luacheck
      ;;
  esac
}

find_missing() {
  missing= wanted=
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

can_install() {
  command -v apt-get > /dev/null && { [ "$(id -u)" = 0 ] || command -v sudo > /dev/null; }
}

# Whether it worked is seen by what is missing then.
install_all() {
  echo "installing with apt-get:$missing$wanted"
  as_root apt-get -qq update || return 0
  # shellcheck disable=SC2086 # one word a package
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $missing $wanted > /dev/null || return 0
}

stop() {
  echo "convsmith needs packages that are not there (Debian's names):$missing" >&2
  echo "as root: apt-get install --no-install-recommends$missing" >&2
  echo "(all targets but make and make install do that themselves, as root or with sudo)" >&2
  exit 2
}

try_compiler
find_missing "$@"
if [ "$mode" = --install ] && [ -n "$missing$wanted" ] && can_install; then
  install_all
  try_compiler
  find_missing "$@"
fi
[ -z "$missing" ] || stop
[ -z "$wanted" ] || echo "not there, so some tests are skipped (Debian's names):$wanted"
