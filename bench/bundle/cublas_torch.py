"""What a card can do at most: cuBLAS's large products, and copying, by PyTorch.

  cublas_torch.py --json FILE [--device cuda:0] [--quick]

Writes an array of objects with the keys of `unitscope bench --json`. Products are
fp32 without and with tf32, and bf16. Exit code 3 means that it can't run here.
"""
import argparse
import json
import sys
import time

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("--json", required=True)
p.add_argument("--device", default="cuda:0")
p.add_argument("--quick", action="store_true", help="small sizes, once")
a = p.parse_args()
try:
    import torch
except ImportError as e:
    print(f"skipped: {e}")
    sys.exit(3)
if not torch.cuda.is_available():
    print("skipped: PyTorch sees no card")
    sys.exit(3)
device = torch.device(a.device)
hardware = torch.cuda.get_device_name(device)
results = []


def timed(work, repeats):
    """The median of several runs of work, in seconds, after one that is not timed."""
    times = []
    for i in range(repeats + 1):
        torch.cuda.synchronize(device)
        began = time.perf_counter()
        work()
        torch.cuda.synchronize(device)
        times.append(time.perf_counter() - began)
    return sorted(times[1:])[(repeats - 1) // 2]


def add(workload, variant, precision, seconds, flops, count, unit):
    results.append(dict(workload=workload, variant=variant, device=a.device, hardware=hardware, precision=precision,
                        seconds=seconds, flops=flops, gflops=flops / seconds / 1e9, peak_gflops=0, fraction=0,
                        per_second=count / seconds, unit=unit))
    print(f"{workload} {variant} {precision}: {flops / seconds / 1e9:.0f} GFLOP/s, {count / seconds:.4g} {unit}/s")


repeats = 1 if a.quick else 7
side = 512 if a.quick else 8192
for rows, inner, cols in [(512, 1000, 1000), (9000, 1000, 1000), (side, side, side)]:
    for precision in ("fp32", "tf32", "bf16"):
        torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
        kind = torch.bfloat16 if precision == "bf16" else torch.float32
        x, w = torch.randn(rows, inner, device=device, dtype=kind), torch.randn(cols, inner, device=device, dtype=kind)
        out = torch.empty(rows, cols, device=device, dtype=kind)
        turns = max(1, min(200, int(1e12 / (2.0 * rows * inner * cols))))

        def products():
            for _ in range(turns):
                torch.mm(x, w.t(), out=out)

        add("cublas", f"{rows}x{inner}x{cols}", precision, timed(products, repeats), turns * 2.0 * rows * inner * cols, turns, "products")
x = torch.empty((1 << 24) if a.quick else (1 << 28), device=device, dtype=torch.float32)
y = torch.empty_like(x)
add("copy", "read and write", "fp32", timed(lambda: y.copy_(x), repeats), 0, 2.0 * 4 * x.numel() / 1e9, "GB")
with open(a.json, "w") as f:
    json.dump(results, f, indent=2)
