#!/usr/bin/env bash
# Builds an emulated driver with the kernels of a source file.
#
#   build.sh OUT.so KERNELS.cu
#
# CXX is g++ unless it is set. The kernels are compiled with the instrumentation
# of a race detector and of one for undefined behaviour, without linking either: the
# driver has the functions that they call (access.cpp).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$(realpath -m "$1") kernels=$(realpath "$2")
cxx=${CXX:-g++}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

flags=(-std=c++17 -O2 -g1 -gdwarf-4 -fPIC -fvisibility=hidden -fno-gnu-unique -Wall -Wno-unknown-pragmas
       -ffp-contract=off -fno-fast-math
       -ffile-prefix-map="$(dirname "$here")/"= -I"$(dirname "$here")")
# Without them fmaf and rint are calls, and give the same.
if grep -qsw fma /proc/cpuinfo && grep -qsw sse4_1 /proc/cpuinfo; then flags+=(-mfma -msse4.1); fi
# What a card gives no sign of, and would differ between it and a processor.
mistakes=bounds,signed-integer-overflow,shift-exponent,integer-divide-by-zero,float-cast-overflow

# The entries: every line that starts with KERNEL, in the file and in what it includes.
sources=("$kernels")
while read -r included; do sources+=("$(dirname "$kernels")/$included"); done \
  < <(sed -n 's/^#include "\([^"]*\.cu\)".*/\1/p' "$kernels")
{
  echo "#include \"$kernels\""
  echo '#include "emulator/entry.h"'
  echo "const std::vector<emulated::Entry> emulated::entries = {"
  sed -n 's/^KERNEL \([a-z0-9_]*\)(.*/  emulated::entry("\1", \1),/p' "${sources[@]}"
  echo "};"
} >"$work/entries.cpp"

"$cxx" "${flags[@]}" -fsanitize=thread -fsanitize=$mistakes --param=tsan-instrument-func-entry-exit=0 -fno-tree-vectorize \
  -Wno-unused-variable -c "$work/entries.cpp" -o "$work/entries.o"
for part in driver module block access memory; do
  "$cxx" "${flags[@]}" -c "$here/$part.cpp" -o "$work/$part.o"
done
mkdir -p "$(dirname "$out")"
"$cxx" -shared -Wl,-soname,libcuda.so.1 -Wl,-z,defs -o "$out.$$" "$work"/*.o -ldl -lpthread
mv "$out.$$" "$out" # whole or not at all, also if two build it
