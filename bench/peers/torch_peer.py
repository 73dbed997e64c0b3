"""The workloads in PyTorch.

  torch_peer.py --workload product|ascent-wide|ascent-paper|ascent-patch|train-rbm|train-dae|gibbs
                [--variant b100|b1000] [--mode MODE] [--steps N] [--threads 2] [--device cpu|cuda]

Modes of an ascent: autograd, as a user writes it; manual, with the gradient
written out; compile, the manual one through torch.compile; graph, a step of
that in a CUDA graph. Modes of the others: eager, compile, graph.
"""
import sys

import peer

a = peer.arguments(__doc__, ["eager", "autograd", "manual", "compile", "graph"])
try:
    import torch
except ImportError as e:
    peer.skip(f"{e}; pip install torch")
torch.set_num_threads(a.threads)
torch.manual_seed(a.seed)
torch.backends.cuda.matmul.allow_tf32 = False  # fp32 on both sides
device = torch.device(a.device)
if device.type == "cuda" and not torch.cuda.is_available():
    peer.skip("PyTorch sees no card")
if a.mode == "graph" and device.type != "cuda":
    peer.skip("graphs are for cards")


def normal(*shape):
    return torch.randn(*shape, device=device) / shape[-1] ** 0.5


def ascent():
    """Gradient ascent on the sphere of radius rho for all rows at once; a step
    takes x and returns the next x."""
    layers, units, restarts = peer.ASCENTS[a.workload]
    weights = [normal(o, i) for i, o in zip(layers[:-1], layers[1:])]
    biases = [torch.zeros(o, device=device) for o in layers[1:]]
    rows, rho, rate = units * restarts, 9.2, 0.1
    target = weights[-1][torch.arange(rows, device=device) // restarts]

    def to_sphere(x):
        return x * (rho / x.norm(dim=1, keepdim=True))

    def autograd(x):
        x = x.detach().requires_grad_()
        h = x
        for w, b in zip(weights[:-1], biases[:-1]):
            h = torch.sigmoid(torch.nn.functional.linear(h, w, b))
        (g,) = torch.autograd.grad((h * target).sum(), x)
        with torch.no_grad():
            return to_sphere(x + rate * g)

    @torch.no_grad()
    def manual(x):
        hidden = [x]
        for w, b in zip(weights[:-1], biases[:-1]):
            hidden.append(torch.sigmoid(torch.nn.functional.linear(hidden[-1], w, b)))
        g = target
        for w, h in zip(reversed(weights[:-1]), reversed(hidden)):
            g = (g * h * (1 - h)) @ w
        return to_sphere(x + rate * g)

    start = to_sphere(torch.rand(rows, layers[0], device=device))
    return {"autograd": autograd}.get(a.mode, manual), start, rows, "row-steps", peer.ascent_flops(layers)


def training(update):
    """update(x, w, b, c) changes the parameters in place; a step takes a batch."""
    w = torch.randn(peer.HIDDEN, peer.VISIBLE, device=device) * 0.01
    b, c = torch.zeros(peer.HIDDEN, device=device), torch.zeros(peer.VISIBLE, device=device)
    batches = min(a.steps, peer.EPOCH // a.batch)
    data = (torch.rand(batches, a.batch, peer.VISIBLE, device=device) < 0.13).float()

    @torch.no_grad()
    def step(x):
        update(x, w, b, c)

    return step, data, a.batch, "examples", 10.0 * peer.VISIBLE * peer.HIDDEN


def contrastive_divergence(v0, w, b, c, rate=0.05):
    h0 = torch.sigmoid(torch.addmm(b, v0, w.t()))
    states = torch.bernoulli(h0)
    v1 = torch.sigmoid(torch.addmm(c, states, w))
    h1 = torch.sigmoid(torch.addmm(b, v1, w.t()))
    n = len(v0)
    w.addmm_(h0.t(), v0, alpha=rate / n)
    w.addmm_(h1.t(), v1, alpha=-rate / n)
    b.add_((h0 - h1).mean(0), alpha=rate)
    c.add_((v0 - v1).mean(0), alpha=rate)


def denoise(x, w, b, c, rate=0.05):
    corrupted = x * (torch.rand_like(x) >= 0.25)
    y = torch.sigmoid(torch.addmm(b, corrupted, w.t()))
    z = torch.sigmoid(torch.addmm(c, y, w))
    output = z - x
    code = (output @ w.t()) * y * (1 - y)
    n = len(x)
    w.addmm_(code.t(), corrupted, alpha=-rate / n)
    w.addmm_(y.t(), output, alpha=-rate / n)
    b.sub_(code.mean(0), alpha=rate)
    c.sub_(output.mean(0), alpha=rate)


def gibbs():
    """One sweep of every chain with hidden unit 0 held at 1."""
    n = peer.GIBBS_UNITS
    w = normal(n, n)
    b, c = torch.zeros(n, device=device), torch.zeros(n, device=device)

    @torch.no_grad()
    def sweep(h):
        v = torch.bernoulli(torch.sigmoid(torch.addmm(c, h, w)))
        h = torch.bernoulli(torch.sigmoid(torch.addmm(b, v, w.t())))
        h[:, 0] = 1
        return h

    start = torch.bernoulli(torch.full((peer.CHAINS, n), 0.5, device=device))
    return sweep, start, peer.CHAINS, "chain-sweeps", 4.0 * n * n


def product():
    rows, inner, cols = peer.PRODUCT
    x, w, out = normal(rows, inner), normal(cols, inner), torch.empty(rows, cols, device=device)

    def step(x):
        torch.mm(x, w.t(), out=out)
        return x

    return step, x, 1, "products", 2.0 * rows * inner * cols


makers = {"product": product, "gibbs": gibbs, "train-rbm": lambda: training(contrastive_divergence), "train-dae": lambda: training(denoise)}
if a.workload in peer.ASCENTS:
    maker = ascent
elif a.workload in makers:
    maker = makers[a.workload]
else:
    sys.exit(f"this peer does not know the workload {a.workload}")
step, start, count, unit, flops = maker()
trains = a.workload.startswith("train-")
synchronize = torch.cuda.synchronize if device.type == "cuda" else lambda: None


def captured(step):
    """A step in a CUDA graph, on an input of its own."""
    x = (start[0] if trains else start).clone()

    def inner():
        y = step(x)
        if y is not None and y is not x:
            x.copy_(y)

    for _ in range(3):
        inner()
    synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        inner()

    def replay(new):
        if new is not x:
            x.copy_(new)
        graph.replay()
        return x

    return replay


try:
    if a.mode in ("compile", "graph"):
        step = torch.compile(step, mode="max-autotune-no-cudagraphs" if device.type == "cuda" else "default")
    if a.mode == "graph":
        step = captured(step)
    for i in range(3):
        step(start[i % len(start)] if trains else start)
    synchronize()
except Exception as e:  # whatever torch.compile runs into: no compiler, an unsupported version
    if a.mode in ("compile", "graph"):
        peer.skip(f"torch.compile failed: {type(e).__name__}: {e}")
    raise


def work():
    x = start
    for i in range(a.steps):
        if trains:
            step(start[i % len(start)])
        else:
            x = step(x)
    synchronize()


peer.serve(a, f"torch-{a.mode}", f"torch {torch.__version__}", work, a.steps * count, unit, flops)
