#!/usr/bin/env bash
# Tests unitscope on this machine's NVIDIA card, times it there, and beside PyTorch
# on the same card if there is one. README.md says what comes out.
set -u
usage() {
  cat <<'END'
usage: run.sh [--quick] [--device NAME] [--out FOLDER] [--only PART,...]

  --quick        few steps and the short tests: minutes, to see that all of it works
  --device NAME  the card, as `./unitscope devices` lists it (default: cuda:0)
  --out FOLDER   where results go (default: results/ and a name made of card and date)
  --only PART,.. some parts of: tests, bench, peers (default: all)

UNITSCOPE_PYTHON names a Python with PyTorch (default: python3).
Exit code 1 says that a part failed; the others have run all the same.
END
}
quick="" device=cuda:0 out="" only=tests,bench,peers
while [ $# -gt 0 ]; do
  case $1 in
  --quick) quick=yes ;;
  --device | --out | --only)
    [ $# -ge 2 ] || { usage >&2; exit 2; }
    case $1 in
    --device) device=$2 ;;
    --out) out=$2 ;;
    --only) only=$2 ;;
    esac
    shift ;;
  --help | -h) usage; exit 0 ;;
  *) usage >&2; exit 2 ;;
  esac
  shift
done
for name in ${only//,/ }; do
  case $name in
  tests | bench | peers) ;;
  *) usage >&2; exit 2 ;;
  esac
done
case $device in
cuda:[0-9]*) ;;
*) echo "run.sh: --device $device: want one card, as cuda:0" >&2; exit 2 ;;
esac
here=$(cd "$(dirname "$0")" && pwd)
python=${UNITSCOPE_PYTHON:-python3}
wanted() { case ",$only," in *",$1,"*) ;; *) return 1 ;; esac; }

# ---- The machine ----------------------------------------------------------

cd "$here" || exit 1
if ! listed=$(./unitscope devices 2>&1); then
  echo "unitscope does not start here: $listed" >&2
  exit 1
fi
echo "$listed"
line=$(grep "^$device " <<<"$listed" || true)
case $line in
"" | *"can't be used:"*)
  echo "run.sh: no card to run on: ${line:-there is no $device}" >&2
  command -v nvidia-smi >/dev/null || echo "run.sh: there is no nvidia-smi either; is the driver installed?" >&2
  exit 1 ;;
esac
# The columns of the list are two spaces apart or more.
columns=$(sed 's/   */\t/g' <<<"$line")
card=$(cut -f2 <<<"$columns") kind=card
case $card in Emulated*) kind=emulated ;; esac
date=$(date -u +%Y%m%d-%H%M%S)
if [ -z "$out" ]; then
  out=results/$kind-$(tr -cs 'A-Za-z0-9\n' '-' <<<"$card")-$date
  [ $kind = card ] || out=results/emulated-$date
fi
if [ -e "$out/machine.tsv" ]; then
  echo "run.sh: $out holds the results of another run" >&2
  exit 2
fi
mkdir -p "$out" || exit 1
out=$(cd "$out" && pwd)

tab=$(printf '\t')
{
  printf 'kind\t%s\ncard\t%s\n' "$kind" "$card"
  echo "device$tab$device"
  echo "date$tab$(date -u +%Y-%m-%dT%H:%M:%SZ)"
  echo "commit$tab$(cat COMMIT)"
  echo "quick$tab${quick:-no}"
  echo "features$tab$(cut -f6 <<<"$columns")"
  echo "system$tab$(uname -srm)"
  echo "processor$tab$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) threads"
  [ -z "${UNITSCOPE_CUDA_DRIVER:-}" ] || echo "UNITSCOPE_CUDA_DRIVER$tab$UNITSCOPE_CUDA_DRIVER"
} >"$out/machine.tsv"
echo "$listed" >"$out/devices.txt"
: >"$out/parts.tsv"

# ---- Parts ----------------------------------------------------------------

failed=""
# part NAME COMMAND...: the output goes to NAME.log; exit code 3 says skipped.
part() {
  local name=$1 began=$SECONDS code verdict why
  shift
  echo "== $name"
  "$@" >"$out/$name.log" 2>&1 </dev/null
  code=$?
  case $code in
  0) verdict=passed why="" ;;
  3) verdict=skipped why=$(tail -n 1 "$out/$name.log") ;;
  *) verdict=failed why="exit code $code: $(grep -E -m 1 -e '--- FAIL|^unitscope: |panic:|FAIL: |Error' "$out/$name.log" || tail -n 1 "$out/$name.log")" failed=yes ;;
  esac
  printf '%s\t%s\t%s\t%s\n' "$name" "$verdict" $((SECONDS - began)) "$(tr '\t' ' ' <<<"$why")" >>"$out/parts.tsv"
  echo "   $verdict after $((SECONDS - began)) s${why:+: $why}"
}
# limited SECONDS COMMAND...: a part that hangs fails, and the next ones go on.
limited() {
  if command -v timeout >/dev/null; then timeout --kill-after=30 "$@"; else shift && "$@"; fi
}

# A test's own folder is its working folder.
tests() {
  local folder=$1 program=$2
  shift 2
  (cd "tests/$folder" && UNITSCOPE_REQUIRE=cuda limited 3600 "./$program" -test.v -test.timeout 50m "$@")
}
# Tests of kernels on the emulated driver need its sources, which are not here.
kernel_images() {
  (cd tests/kernels && PATH=/nowhere ./kernels.test -test.v "$@")
}
nvidia() {
  command -v nvidia-smi >/dev/null || { echo "there is no nvidia-smi"; return 3; }
  nvidia-smi && nvidia-smi --query-gpu=index,name,driver_version,memory.total,clocks.max.sm,clocks.max.mem,power.limit --format=csv
}
bench() {
  local workload=$1
  shift
  UNITSCOPE_PYTHON=$python limited 3600 ./unitscope bench --device "$device" --workload "$workload" --peers --json "$out/bench-$workload.json" "$@"
}
torch_here() {
  command -v "$python" >/dev/null || { echo "there is no $python"; return 3; }
  "$python" -c 'import sys
try:
    import torch
except ImportError as e:
    print(e); sys.exit(3)
if not torch.cuda.is_available():
    print("PyTorch sees no card"); sys.exit(3)'
}
cublas() {
  torch_here || return
  limited 1800 "$python" peers/cublas_torch.py --device "$device" --json "$out/cublas.json" ${quick:+--quick}
}
# peer FILE ARGUMENTS...: a line of JSON in peers.jsonl.
peer() {
  local script=$1
  shift
  echo "$script $*"
  limited 1800 "$python" "peers/$script" --device "$device" "$@" | tee -a "$out/peers.jsonl"
  return "${PIPESTATUS[0]}"
}
# able FILE: whether a peer is here and can run, or why not.
able() {
  [ -f "peers/$1" ] || { echo "there is no $1 in this bundle"; return 3; }
  torch_here
}
# Every one of these runs, whatever became of the one before it.
peer_ascents() {
  able ascent_torch.py || return
  local bad="" mode units
  for mode in autograd manual compile graph; do
    for units in 1000 36; do
      peer ascent_torch.py --units $units --restarts 9 --steps "$1" --mode $mode || bad=yes
    done
  done
  [ -z "$bad" ]
}
peer_training() {
  able train_torch.py || return
  local bad="" work batch graph
  for graph in "" --graph; do
    for work in rbm dae; do
      for batch in 100 1000; do
        peer train_torch.py $work --batch $batch --seconds "$1" $graph || bad=yes
      done
    done
    peer train_torch.py gibbs --visible 1000 --batch 4096 --seconds "$1" $graph || bad=yes
  done
  [ -z "$bad" ]
}

part nvidia-smi nvidia

if wanted tests; then
  if [ -n "$quick" ]; then
    part test-device tests gpu gpu.test -test.short
    part test-commands tests unitscope unitscope.test -test.run 'CUDA' -test.skip 'CUDAScripts/demo'
  else
    part test-device tests gpu gpu.test
    part test-commands tests unitscope unitscope.test -test.run CUDA
  fi
  part test-kernel-images kernel_images
fi

if wanted bench; then
  # An emulated card computes at a thousandth of a processor's speed.
  how=(--repeats 5)
  [ -z "$quick" ] || how=(--repeats 1 --steps 2)
  [ $kind = card ] || how=(--repeats 1 --steps 2 --small)
  part cublas cublas
  for workload in product ascent-paper ascent-wide ascent-patch train-rbm train-dae gibbs ascent-mass deform; do
    part "bench-$workload" bench "$workload" "${how[@]}"
  done
fi

if wanted peers; then
  if [ -n "$quick" ]; then
    part peer-ascent peer_ascents 10
    part peer-training peer_training 1
  else
    part peer-ascent peer_ascents 200
    part peer-training peer_training 5
  fi
fi

# ---- The summary ----------------------------------------------------------

if ./summary "$out" >"$out/summary.md"; then
  cat "$out/summary.md"
else
  failed=yes
fi
echo "results are in $out"
[ -z "$failed" ] || { echo "run.sh: not everything passed" >&2; exit 1; }
