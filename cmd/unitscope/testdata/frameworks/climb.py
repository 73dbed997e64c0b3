"""Compares what `unitscope visualize ascent` finds with ascents in double precision in the
model's own framework, from the same starts.

usage: python climb.py [--program P] [--units N] [--layers L] [--shrinking N] [--least SHARE] [--ascent FLAGS]... FOLDER NET...

FOLDER and NET are train.py's. For each net and layer the program climbs, with its usual
options or those of --ascent, and with --steps 0, which leaves the starts. From these the
framework climbs the same units on the same sphere until nothing is gained any more, with
Barzilai and Borwein's lengths and shorter ones where a step would lose. Such an ascent
stays at the first ridge of a piecewise linear activation, and one that begins with
--shrinking steps, of angles that shrink from 0.3 to 3e-5 whatever they gain, gets along it.

Printed is, of the best of each unit's restarts, how many of the program's are at least the
framework's less 0.5 %, and the same the other way round. Both are computed by the
framework, in double precision, of the patterns. What the program itself says of them, and
of the starts with each of the net's files, must be within 1e-5 of that, as a share of the
largest. The exit code is 1 if it isn't, or if more units fall behind than --least allows, and
more than one.
"""
import argparse
import os
import subprocess
import sys
import tempfile

os.environ["KERAS_BACKEND"] = "torch"
import numpy as np
import torch
from torch import nn

torch.set_default_dtype(torch.float64)
ACTIVATIONS = {"relu": nn.ReLU(), "gelu": nn.GELU(), "silu": nn.SiLU(), "sigmoid": nn.Sigmoid(), "tanh": nn.Tanh()}


def reference(folder, net):
    """The layers' activations of x in the framework, and the model's files, each with the flags that reading it needs."""
    path = os.path.join(folder, net)
    if net == "sklearn":
        import joblib

        m = joblib.load(path + ".joblib")
        return chain([(torch.tensor(w.T).double(), torch.tensor(b).double()) for w, b in zip(m.coefs_, m.intercepts_)], nn.ReLU()), [[path + ".onnx"]]
    if net == "keras":
        import keras

        m = keras.models.load_model(path + ".keras", compile=False)
        wide = keras.models.model_from_json(m.to_json().replace("float32", "float64"))
        wide.set_weights(m.get_weights())

        def upto(last):
            def f(x):
                for l in wide.layers:
                    if l is last:
                        return x @ l.kernel.value + l.bias.value
                    x = l(x)

            return f

        return [upto(l) for l in wide.layers if hasattr(l, "kernel")], [[path + ".keras"], [path + ".h5"]]
    state = torch.load(path + ".pt")
    pairs = [(state[f"fc{n}.weight"].double(), state[f"fc{n}.bias"].double()) for n in (1, 2, 3)]
    files = [[path + kind, "--activation", net] for kind in (".pt", ".safetensors")] + [[path + "-script.onnx"], [path + "-dynamo.onnx"]]
    return chain(pairs, ACTIVATIONS[net]), files


def chain(pairs, activation):
    def upto(layer):
        def f(x):
            for n, (w, b) in enumerate(pairs[: layer + 1]):
                x = nn.functional.linear(activation(x) if n else x, w, b)
            return x

        return f

    return [upto(n) for n in range(len(pairs))]


def value_and_gradient(f, x, units):
    """Each row's activation of its unit, and the gradient's part along the sphere."""
    x = x.detach().requires_grad_()
    a = f(x).gather(1, units[:, None])[:, 0]
    (g,) = torch.autograd.grad(a.sum(), x)
    return a.detach(), g - (g * x.detach()).sum(1, keepdim=True) / (x.detach() ** 2).sum(1, keepdim=True) * x.detach()


def step(x, g, angle, rho):
    """A step along the sphere, by an angle of each row."""
    to = torch.cos(angle)[:, None] * x + (torch.sin(angle) * rho / g.norm(dim=1).clamp_min(1e-300))[:, None] * g
    return to * (rho / to.norm(dim=1, keepdim=True))


def climb(f, x, units, rho, shrinking):
    """The activations of rows that have climbed from x."""
    best, at, value, angle = x.clone(), x, torch.full((len(x),), -torch.inf), 0.3 * torch.ones(len(x))
    for _ in range(shrinking):  # gets along ridges, where an activation is piecewise linear
        a, g = value_and_gradient(f, at, units)
        best[a > value], value = at[a > value], torch.maximum(a, value)
        at, angle = step(at, g, angle, rho), angle * 1e-4 ** (1 / shrinking)
    return settle(f, best, units, rho)


def settle(f, x, units, rho, steps=1000, farthest=0.2):
    """Takes rows up until they gain nothing any more."""
    value, g = value_and_gradient(f, x, units)
    angle, slow, live = torch.full_like(value, 1e-3), torch.zeros(len(x)), torch.arange(len(x))
    for _ in range(steps):
        to = step(x[live], g[live], angle[live], rho)
        a, h = value_and_gradient(f, to, units[live])
        gains, s, y = a > value[live], to - x[live], g[live] - h
        length = (s * s).sum(1) / (s * y).sum(1)
        following = torch.where(length > 0, length * h.norm(dim=1) / rho, farthest).clamp(max=farthest)
        slow[live] = torch.where(a > value[live] + 1e-9 * a.abs(), 0, slow[live] + 1)
        angle[live] = torch.where(gains, following, angle[live] / 4)
        rows = live[gains]
        x[rows], value[rows], g[rows] = to[gains], a[gains], h[gains]
        live = live[slow[live] < 30]
        if len(live) == 0:
            break
    return value


def run(program, file, flags, out):
    """The arrays that an ascent writes."""
    command = [program, "visualize", "ascent", "--model", *file, *flags, "--keep", "all", "--curves", "no", "--quiet", "--out", out]
    subprocess.run(command, check=True)
    with np.load(os.path.join(out, "ascent.npz")) as arrays:
        return dict(arrays)


def compare(options, net, layer, f, files):
    """Prints a layer's lines, one for each way of climbing, and returns how many are bad."""
    size = f(torch.zeros(1, options.inputs)).shape[1]
    count = min(size, options.units)
    units = [i * size // count for i in range(count)]
    flags = ["--layer", str(layer + 1), "--units", ",".join(map(str, units)), "--restarts", str(options.restarts), "--rho", str(options.rho)]
    with tempfile.TemporaryDirectory() as out:
        starts = [run(options.program, file, [*flags, "--steps", "0"], os.path.join(out, f"starts{n}")) for n, file in enumerate(files)]
        found = [run(options.program, files[0], [*flags, *way.split()], os.path.join(out, str(n))) for n, way in enumerate(options.ascent)]
    rows = torch.tensor(np.repeat(units, options.restarts))

    def activations(arrays):
        """Those of the patterns by the framework, and how far the program's are off, as a share of the largest."""
        with torch.no_grad():
            a = f(torch.tensor(arrays["patterns"].reshape(len(rows), -1).astype(float))).gather(1, rows[:, None])[:, 0]
        return a, float((torch.tensor(arrays["activation"].ravel()) - a).abs().max() / a.abs().max())

    off = max(activations(arrays)[1] for arrays in starts)
    theirs = climb(f, torch.tensor(starts[0]["patterns"].reshape(len(rows), -1).astype(float)), rows, options.rho, options.shrinking)
    theirs = theirs.reshape(count, -1).max(1).values
    bad = 0
    for way, arrays in zip(options.ascent, found):
        ours, also = activations(arrays)
        ours, off = ours.reshape(count, -1).max(1).values, max(off, also)
        reached = int((ours >= theirs - 0.005 * theirs.abs()).sum())
        reverse = int((theirs >= ours - 0.005 * ours.abs()).sum())
        print(f"{net:8} layer {layer + 1} {way}: {reached} of {count} units ({100 * reached / count:.1f} %), median ratio {(ours / theirs).median():.5f}, "
              f"the other way round {100 * reverse / count:.1f} %; activations of {len(files)} files within {off:.1e}; {arrays['steps'].mean():.0f} steps a row", flush=True)
        bad += count - reached > max(1, (1 - options.least) * count) if options.least else 0
        bad += not off <= 1e-5
    return bad


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folder")
    parser.add_argument("nets", nargs="+")
    parser.add_argument("--program", default="unitscope")
    parser.add_argument("--units", type=int, default=10**6, help="how many of each layer, spread over it")
    parser.add_argument("--restarts", type=int, default=9)
    parser.add_argument("--rho", type=float, default=9.2, help="9.2 is about MNIST's mean norm")
    parser.add_argument("--ascent", action="append", help="flags of the program; several times, to compare")
    parser.add_argument("--layers", default="", help="numbers with commas; all by default")
    parser.add_argument("--shrinking", type=int, default=0)
    parser.add_argument("--least", type=float, default=0, help="0.95: this share of units must get as far")
    options = parser.parse_args()
    options.ascent = options.ascent or [""]
    bad = 0
    for net in options.nets:
        functions, files = reference(options.folder, net)
        with np.load(os.path.join(options.folder, net + "-io.npz")) as arrays:
            options.inputs = arrays["x"].shape[1]
        for layer, f in enumerate(functions):
            if not options.layers or str(layer + 1) in options.layers.split(","):
                bad += compare(options, net, layer, f, files)
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
