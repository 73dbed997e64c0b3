#!/usr/bin/env bash
# Wrong on purpose: makes one deliberate mistake at a time in a copy of the tree,
# runs the tests that must notice it on the emulated driver, and prints the first
# line that they said about it.
#
#   mutants.sh [NAME...]    all, or those of these names
#
# `make mutants` calls it, with what building the CUDA device needs in the
# environment. It fails if a mistake goes unnoticed, if its place is not in the
# source any more, or if the tests fail without one.
#
# A mutant, at the end of this file, is a name, the tests that must notice it, a
# file, and the text that takes another's place there. Tests are
#
#   kernels   each kernel against plain Go (./kernels)
#   device    the conformance suite and the device's own tests, on one card (./gpu)
#   commands  commands on both devices (cmd/unitscope/testdata/cuda/models.txtar)
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}
chosen=" $* "

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
tar -c --exclude=./.git --exclude=./gpu-bundle --exclude=./docs . | tar -x -C "$copy"
cd "$copy"
# The copy has its own header, and its own emulated driver.
export CGO_CFLAGS="-I$copy/gpu/include ${CGO_CFLAGS:-}"
export UNITSCOPE_REQUIRE=emulator,cuda UNITSCOPE_CUDA_DRIVER=$copy/kernels/emulator/build/libcuda_emulated.so

build() { make --no-print-directory -C kernels emulator emulator-tests; }

# check TESTS: one of the groups above.
check() {
  case $1 in
  kernels) "$go" test -count=1 -failfast ./kernels ;;
  device) "$go" test -count=1 -failfast -tags cuda -short -timeout 10m -skip '^Test(All|Emulated|LittleMemory)' ./gpu ;;
  commands) "$go" test -count=1 -failfast -tags cuda -timeout 10m -run '^TestCUDA(Scripts|Draws)$' -skip '/(bench|demo|driver)$' ./cmd/unitscope ;;
  *) echo "no tests $1"; return 1 ;;
  esac
}

# said LOG: the first line that says what is wrong.
said() {
  local line
  line=$(grep -v -e 'repeat these inputs with' -e 'testscript\.go' -e ': exit status' -e 'rows stopped: map' "$1" |
    grep -E -e '^[[:space:]]*[a-z_0-9]+\.go:[0-9]+: .|^[[:space:]]*kernel .* block |FAIL: .*\.txtar|^[[:space:]]*unitscope: |^panic: |error: |undefined' | head -n 1 || true)
  [ -n "$line" ] || line=$(tail -n 1 "$1")
  echo "$line"
}

bad=0 number=0
complain() { echo "  ** $*"; bad=$((bad + 1)); }

# mutant NAME TESTS FILE, and on standard input the text, a line of ---, and what
# takes its place.
mutant() {
  local name=$1 tests=$2 file=$3 both old new text rest log group began
  both=$(cat)
  case $chosen in "  " | *" $name "*) ;; *) return 0 ;; esac
  number=$((number + 1))
  old=${both%%$'\n---\n'*} new=${both#*$'\n---\n'}
  echo "$name ($file)"
  if [ ! -f "$file" ]; then
    complain "there is no $file any more: adapt this mutant"
    return 0
  fi
  text=$(cat "$file" && echo .) && text=${text%.}
  rest=${text/"$old"/}
  if [ "$rest" = "$text" ] || [ "${rest/"$old"/}" != "$rest" ]; then
    complain "its text is not in the source once: adapt this mutant"
    return 0
  fi
  cp -p "$file" "$copy.original"
  printf %s "${text/"$old"/"$new"}" >"$file"
  log=$copy.log
  if build >"$log" 2>&1; then
    for group in $tests; do
      began=$SECONDS
      if check "$group" >"$log" 2>&1; then
        complain "$group: noticed nothing"
      elif grep -q '\[build failed\]\|\[setup failed\]' "$log"; then
        complain "$group: does not compile: $(said "$log")"
      else
        echo "  $group, $((SECONDS - began)) s: $(said "$log" | sed "s|$copy/||g; s/^[[:space:]]*//" | cut -c 1-240)"
      fi
    done
  else
    complain "does not compile: $(said "$log")"
  fi
  cp -p "$copy.original" "$file"
  cp -p "$copy"/pristine/* kernels/emulator/build/
  return 0
}

if ! build >"$copy.log" 2>&1; then
  cat "$copy.log"
  exit 1
fi
mkdir pristine
cp -p kernels/emulator/build/* pristine/
for group in kernels device commands; do
  if ! check $group >"$copy.log" 2>&1; then
    echo "without a mistake $group fail: $(said "$copy.log")"
    exit 1
  fi
done
echo "without a mistake all tests pass"
trap 'rm -rf "$copy" "$copy".log "$copy".original' EXIT

# ---- The mutants ----------------------------------------------------------

mutant bound "kernels device" kernels/elementwise.cu <<'END'
KERNEL axpby(float *dst, float alpha, const float *x, float beta, long long count) {
  for (long long i = first_element(); i < count; i += element_step()) {
---
KERNEL axpby(float *dst, float alpha, const float *x, float beta, long long count) {
  for (long long i = first_element(); i <= count; i += element_step()) {
END

mutant tile-bound "kernels commands" kernels/tile.cuh <<'END'
    if (line + i < lines && p + term < k) {
---
    if (line + i <= lines && p + term < k) {
END

mutant last-term "kernels device commands" kernels/tile.cuh <<'END'
    if (line + i < lines && p + term < k) {
---
    if (line + i < lines && p + term < k - 1) {
END

mutant barrier "kernels commands" kernels/tile.cuh <<'END'
    block_load<TRANSPOSE_B>(b, f.b, f.b_stride, tile.column, f.n, p, f.k);
    __syncthreads();
---
    block_load<TRANSPOSE_B>(b, f.b, f.b_stride, tile.column, f.n, p, f.k);
END

mutant barrier-of-a-sum "kernels commands" kernels/device.cuh <<'END'
  if (lane == WARP - 1) room[warp] = sum;
  __syncthreads();
---
  if (lane == WARP - 1) room[warp] = sum;
END

mutant epilogue-order "kernels device commands" kernels/gemm.cu <<'END'
  if (g.bias) y += g.bias[j];
  switch (g.epilogue) {
  case SIGMOID:
    y = sigmoid_of(y);
    break;
---
  switch (g.epilogue) {
  case SIGMOID:
    y = sigmoid_of(y) + (g.bias ? g.bias[j] : 0);
    break;
END

mutant rounds-of-philox "kernels commands" kernels/device.cuh <<'END'
  for (int round = 0; round < 10; round++) {
---
  for (int round = 0; round < 9; round++) {
END

mutant unwritten "device" kernels/tile.cuh <<'END'
  return beta != 0 ? fmaf
---
  return beta == beta ? fmaf
END

mutant held-unit "device commands" kernels/gemm.cu <<'END'
    y = g.held && g.held[i] == j && y == y
---
    y = g.held && g.held[i] == j + 1 && y == y
END

mutant closed-gaps "kernels" kernels/ascent.cu <<'END'
at = from ? (long long)from[i] * cols : to;
---
at = to;
END

mutant corrupted-share "kernels commands" kernels/corrupt.cu <<'END'
        bool chosen = draw < limit || (draw == limit && rank++ < ties);
---
        bool chosen = draw <= limit;
END

mutant swapped-factors "device" gpu/gemm.go <<'END'
		alpha: p.Alpha, beta: p.Beta,
---
		alpha: p.Beta, beta: p.Alpha,
END

mutant swapped-sizes "device commands" gpu/operations.go <<'END'
from: at, rows: mdst.rows, cols: mdst.cols})
---
from: at, rows: mdst.cols, cols: mdst.rows})
END

mutant too-few-blocks "device" gpu/operations.go <<'END'
	return d.launch(c, kernels.Blocks(int64(mx.size())), describe("axpby", mdst, mx))
---
	return d.launch(c, kernels.RowBlocks(int64(mx.rows/2)), describe("axpby", mdst, mx))
END

mutant swapped-rule "device commands" gpu/learn.go <<'END'
		rate: rate, momentum: r.rule.Momentum, share: engine.ActivityShare,
---
		rate: r.rule.Momentum, momentum: rate, share: engine.ActivityShare,
END

mutant channel "kernels device" kernels/activate.cu <<'END'
slopes[i / share % channels]
---
slopes[i % channels]
END

mutant tails "kernels device" kernels/activate.cu <<'END'
  return y < 0 ? outside : 1 - outside;
---
  return y < 0 ? 1 - (1 - outside) : 1 - outside;
END

if [ $bad != 0 ]; then
  echo "$bad of $number mutants need attention"
  exit 1
fi
echo "all $number mutants were noticed"
