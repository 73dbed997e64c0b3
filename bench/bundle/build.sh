#!/usr/bin/env bash
# Fills a folder with all that a machine with an NVIDIA card needs, but no Go:
#
#   build.sh FOLDER
#
# `make gpu-bundle` calls it, with what building the CUDA device needs in the
# environment. GO is the Go command.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=$(realpath -m "$1")
go=${GO:-go}
glibc=2.36 # the newest that the programs may need: Debian 12, Ubuntu 22.10

rm -rf "$out"
mkdir -p "$out/tests/gpu" "$out/tests/kernels" "$out/tests/unitscope/testdata" "$out/peers"
build=("$go" build -trimpath -tags cuda)
"${build[@]}" -o "$out/unitscope" ./cmd/unitscope
CGO_ENABLED=0 "${build[@]}" -o "$out/summary" ./bench/bundle/summary
"$go" test -c -trimpath -tags cuda -o "$out/tests/gpu/gpu.test" ./gpu
"$go" test -c -trimpath -tags cuda -o "$out/tests/unitscope/unitscope.test" ./cmd/unitscope
CGO_ENABLED=0 "$go" test -c -trimpath -tags cuda -o "$out/tests/kernels/kernels.test" ./kernels

# What the tests read.
cp -R cmd/unitscope/testdata/c* "$out/tests/unitscope/testdata/"
cp kernels/*.go kernels/*.cu kernels/*.cuh kernels/*.ptx "$out/tests/kernels/"

cp bench/bundle/run.sh bench/bundle/README.md LICENSE "$out/"
cp bench/bundle/cublas_torch.py bench/peers/requirements.txt "$out/peers/"
peers=../shared/peers
if [ -f "$peers/ascent_torch.py" ] && [ -f "$peers/train_torch.py" ]; then
  cp "$peers/ascent_torch.py" "$peers/train_torch.py" "$out/peers/"
else
  echo "gpu-bundle: no $peers here: the peers that are written apart from unitscope's own stay out"
fi
# The git commit, if that is known here.
{ git describe --always --dirty 2>/dev/null || echo unknown; } >"$out/COMMIT"

for program in unitscope summary tests/gpu/gpu.test tests/unitscope/unitscope.test tests/kernels/kernels.test; do
  needed=$(readelf -d "$out/$program" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | tr '\n' ' ')
  newest=$(objdump -T "$out/$program" 2>/dev/null | grep -o 'GLIBC_[0-9.]*' | sed 's/GLIBC_//' | sort -uV | tail -n 1 || true)
  case " $needed" in
  *libcuda*) echo "gpu-bundle: $program needs libcuda to start"; exit 1 ;;
  esac
  if [ -n "$newest" ] && [ "$(printf '%s\n%s\n' "$newest" "$glibc" | sort -V | tail -n 1)" != "$glibc" ]; then
    echo "gpu-bundle: $program needs glibc $newest, at most $glibc is wanted"
    exit 1
  fi
  echo "gpu-bundle: $program ($(du -h "$out/$program" | cut -f1)) needs ${needed:-nothing }${newest:+glibc $newest}"
done
echo "gpu-bundle: $(du -sh "$out" | cut -f1) in $out; copy it to a machine with a card and start run.sh there"
