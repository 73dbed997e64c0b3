"""What all peers share: their arguments, their clock and what they print.

A peer does one workload of `unitscope bench`. Without --serve it warms up, does
the work once and prints one line of JSON with the keys of `unitscope bench
--json`. With --serve it prints "ready VERSION", then does the work once for
every line it reads, so that two programs can take turns.
"""
import argparse
import json
import sys
import time

# Layers, and rows as units x restarts.
ASCENTS = {
    "ascent-wide": ((784, 1000, 1000, 1000), 1000, 9),
    "ascent-paper": ((784, 1000, 1000, 1000), 36, 9),
    "ascent-patch": ((144, 400, 400, 400), 144, 9),
}
VISIBLE, HIDDEN, EPOCH = 784, 1000, 60000  # training
CHAINS, GIBBS_UNITS = 4096, 1000  # gibbs
PRODUCT = (512, 1000, 1000)

# The whole workload, when --steps is 0.
STEPS = {
    "product": 50, "ascent-wide": 200, "ascent-paper": 1000, "ascent-patch": 500, "gibbs": 1000,
    "train-rbm/b100": 600, "train-rbm/b1000": 60, "train-dae/b100": 600, "train-dae/b1000": 60,
}


def arguments(doc, modes):
    p = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--workload", required=True)
    p.add_argument("--variant", default="", help="b100 or b1000 for training: the batch")
    p.add_argument("--mode", default=modes[0], choices=modes)
    p.add_argument("--steps", type=int, default=0, help="0 is the whole workload")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--device", default="cpu")
    p.add_argument("--serve", action="store_true")
    a = p.parse_args()
    if not a.steps:
        a.steps = STEPS["/".join(filter(None, (a.workload, a.variant)))]
    a.batch = int(a.variant[1:]) if a.variant.startswith("b") else 0
    return a


def skip(reason):
    """Ends a peer that can't run here."""
    print("skip", " ".join(str(reason).split())[:200], flush=True)
    sys.exit(0)


def ascent_flops(layers):
    """Per row and step: up and down through every layer below the target."""
    return 4.0 * sum(i * o for i, o in zip(layers[:-2], layers[1:-1]))


def serve(a, name, version, work, count, unit, flops):
    """work() does the workload once and returns when it is done; count is in
    unit, and flops are for each of them."""

    def once():
        began = time.perf_counter()
        work()
        seconds = time.perf_counter() - began
        return dict(workload=a.workload, variant="/".join(filter(None, (a.variant, name))), device=a.device,
                    precision="fp32", seconds=seconds, flops=count * flops, gflops=count * flops / seconds / 1e9,
                    peak_gflops=0, fraction=0, per_second=count / seconds, unit=unit)

    if not a.serve:
        print(json.dumps(once()), flush=True)
        return
    print("ready", version, flush=True)
    for _ in sys.stdin:
        print(json.dumps(once()), flush=True)
