#!/usr/bin/env bash
# Makes the pictures of README.md with the program itself: figure 1 on MNIST
# (DIR of the four IDX files in UNITSCOPE_MNIST) and on the built-in digits.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
CGO_ENABLED=0 go build -o "$scratch/unitscope" ./cmd/unitscope
unitscope="$scratch/unitscope"

"$unitscope" demo --out "$scratch/demo"
cp "$scratch/demo/figure1.png" docs/figure1-digits.png

if [ -z "${UNITSCOPE_MNIST:-}" ]; then
  echo "UNITSCOPE_MNIST names no folder: docs/figure1-mnist.png stays as it is"
  exit 0
fi
for family in dbn sdae; do
  "$unitscope" train $family --data "mnist:$UNITSCOPE_MNIST" --layers 500,500,500 --out "$scratch/$family"
done
"$unitscope" figure 1 --dbn "$scratch/dbn" --sdae "$scratch/sdae" --out "$scratch/figure"
cp "$scratch/figure/figure1.png" docs/figure1-mnist.png
