#!/usr/bin/env bash
# Makes the pictures of README.md and of docs/figures.md with the program itself:
# those of the tour from the demo's models, figure 1 and a network of PyTorch on MNIST
# (the folder of the four IDX files in UNITSCOPE_MNIST). The pictures of
# docs/results.md come from the runs that it describes. Takes about ten minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
CGO_ENABLED=0 go build -o "$scratch/unitscope" ./cmd/unitscope
unitscope="$scratch/unitscope"

"$unitscope" demo --out "$scratch/demo"
cp "$scratch/demo/figure1.png" docs/figure1-digits.png
cp "$scratch/demo/sdae/filters.png" docs/tour-filters.png

# screenshot NAME FOLDER ADDRESS WIDTH,HEIGHT of the HTML report in a folder.
screenshot() {
  command -v chromium >/dev/null || { echo "no chromium: docs/$1 stays as it is"; return; }
  chromium --headless --no-sandbox --hide-scrollbars --virtual-time-budget=5000 --window-size="$4" \
    --screenshot="docs/$1" "file://$scratch/$2/index.html#$3" 2>/dev/null
}
screenshot report-grid.png demo dbn/1 1100,640
screenshot report-unit.png demo sdae/2/7 1300,1150

# The chains of a DBN that is trained by chains stay near the digits.
data=digits:n=20500
"$unitscope" train dbn --data $data --layers 200,200,200 --persistent --out "$scratch/dbn"
# look NAME PICTURE COMMAND... runs a command on the first units of the top layer.
look() {
  local name="$1" picture="$2"
  shift 2
  "$unitscope" "$@" --out "$scratch/$name"
  cp "$scratch/$name/$picture" "docs/tour-$name.png"
}
of=(--model "$scratch/demo/sdae" --layer 3)
look ascent units.png visualize ascent "${of[@]}" --units 0-24
cp "$scratch/ascent/curves.png" docs/tour-curves.png
look restarts restarts.png visualize ascent "${of[@]}" --units 0-5
look combine combine.png visualize combine "${of[@]}" --units 0-24
look examples examples.png visualize examples "${of[@]}" --units 0-5 --data $data
look modes modes.png analyze restarts --model "$scratch/demo/sdae" --units 0-99 --control
cp "$scratch/modes/trained-layer3-similarity.png" docs/tour-similarity.png
look selectivity selectivity.png analyze selectivity "${of[@]}" --units 0-35
look samples samples.png visualize sample --model "$scratch/dbn" --layer 2 --units 0-5
look compare compare.png analyze compare --model "$scratch/dbn" --layer 2 --units 0-5 --data $data
look activations activations.png analyze compare --model "$scratch/dbn" --layer 2 --units 0-35 --data $data

if [ -z "${UNITSCOPE_MNIST:-}" ]; then
  echo "UNITSCOPE_MNIST names no folder: docs/figure1-mnist.png stays as it is"
  exit 0
fi
# A network of PyTorch, as people have them.
if python3 -c "import torch" 2>/dev/null; then
  python3 docs/mnist-mlp.py "$UNITSCOPE_MNIST" "$scratch/mlp.pt"
  "$unitscope" look "$scratch/mlp.pt" --activation relu --data "mnist:$UNITSCOPE_MNIST" --out "$scratch/mine"
  screenshot look-unit.png mine mlp-pt/3/7 1200,1260
else
  echo "no PyTorch: docs/look-unit.png stays as it is"
fi

for family in dbn sdae; do
  "$unitscope" train $family --data "mnist:$UNITSCOPE_MNIST" --layers 500,500,500 --out "$scratch/$family-mnist"
done
"$unitscope" figure 1 --dbn "$scratch/dbn-mnist" --sdae "$scratch/sdae-mnist" --out "$scratch/figure"
cp "$scratch/figure/figure1.png" docs/figure1-mnist.png
