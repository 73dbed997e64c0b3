"""Recomputes, in float64, the numbers of the tables in this folder's runs from their arrays."""
import numpy as np
import pandas as pd
from safetensors.numpy import load_file
from scipy.special import expit, logsumexp
from scipy.stats import entropy, percentileofscore


def near(what, got, want, relative=1e-4, absolute=1e-5):
    got, want = np.asarray(got, float), np.asarray(want, float)
    assert got.shape == want.shape, (what, got.shape, want.shape)
    off = ~(np.isclose(got, want, rtol=relative, atol=absolute) | np.isnan(got) & np.isnan(want))
    assert not off.any(), (what, got[off][:5], want[off][:5])


layers = load_file("dbn/model.safetensors")


def activations(x, top):
    for n in range(1, top + 1):
        x = expit(x) if n > 1 else x.astype(float)
        x = x @ layers[f"layers.{n}.weight"].T.astype(float) + layers[f"layers.{n}.bias"]
    return x


# mixing.csv: split R-hat, autocorrelations, of the principal components by SVD.
samples, mixing = np.load("samples/samples.npz"), pd.read_csv("samples/mixing.csv")
chains = 4


def rhat(c):
    half = c.shape[1] // 2
    halves = np.concatenate([c[:, :half], c[:, -half:]])
    within, between = halves.var(axis=1, ddof=1).mean(), half * halves.mean(axis=1).var(ddof=1)
    return np.sqrt(((half - 1) / half * within + between / half) / within)


def autocorrelation(c):
    d = c - c.mean()
    before, after = d[:, :-1], d[:, 1:]
    return (before * after).sum() / np.sqrt((before**2).sum() * (after**2).sum())


for u in range(len(samples["units"])):
    x = samples["samples"][u].astype(float)
    vectors, values, _ = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
    for name, number in (("total", x.sum(axis=1)), ("first", vectors[:, 0] * values[0]), ("second", vectors[:, 1] * values[1])):
        c = number.reshape(-1, chains).T
        near(f"rhat_{name}", mixing[f"rhat_{name}"][u], rhat(c))
        near(f"autocorrelation_{name}", mixing[f"autocorrelation_{name}"][u], autocorrelation(c))
    less, centre = x - samples["free_mean"], x.mean(axis=0) - samples["free_mean"]
    near("concentration", mixing["concentration"][u], (less @ centre / np.linalg.norm(less, axis=1) / np.linalg.norm(centre)).mean())

# modes.csv: from which mode each restart is in, and what it reached.
modes, arrays = pd.read_csv("modes/modes.csv"), np.load("modes/trained-layer2.npz")
ascent, restarts = np.load("units/ascent.npz"), pd.read_csv("units/restarts.csv")
assert len(modes) == len(arrays["units"]) == 15 and modes["effective"].nunique() > 5
for u in range(15):
    row, mode, reached = modes.iloc[u], arrays["mode"][u], ascent["activation"][u].astype(float)
    gained = reached - ascent["start_activation"][u]
    counts = np.bincount(mode[mode >= 0])
    assert row["modes"] == (counts > 0).sum() and row["found"] == (mode >= 0).sum()
    near("main_share", row["main_share"], counts.max() / counts.sum())
    near("effective", row["effective"], np.exp(entropy(counts)))
    near("spread", row["spread"], reached.std(ddof=1))
    near("relative_spread", row["relative_spread"], reached.std(ddof=1) / gained.mean())
    best = [reached[mode == k].max() for k in (0, 1)]
    near("gap", row["gap"], best[0] - best[1], absolute=1e-4)
    near("unseen", row["unseen"], (counts == 1).sum() / counts.sum())
    patterns = ascent["patterns"][u].astype(float)
    patterns /= np.linalg.norm(patterns, axis=1, keepdims=True)
    near("cosines", arrays["cosines"][u], patterns @ patterns.T)
    near("activation", activations(ascent["patterns"][u], 2)[:, ascent["units"][u]], reached)
    near("cosine to the best", ascent["cosine"][u], patterns @ patterns[reached.argmax()])
    once, twice, n = (counts == 1).sum(), (counts == 2).sum(), counts.sum()
    near("modes_expected", row["modes_expected"], len(counts) + (n - 1) / n * once * (once - 1) / (2 * (twice + 1)))
for name in ("main_share", "unseen"):
    assert (modes[f"{name}_low"] <= modes[name]).all() and (modes[name] <= modes[f"{name}_high"]).all(), name
near("restarts.csv", restarts["activation"], ascent["activation"].ravel())

# selectivity.csv.
selectivity, table = np.load("selectivity/selectivity.npz"), pd.read_csv("selectivity/selectivity.csv")
table = table[table["network"] == "trained"] if "network" in table else table
on = expit(selectivity["activation"].astype(float))
matrix = on / on.max(axis=0)
near("matrix", selectivity["matrix"], matrix)
own = np.diagonal(matrix)
near("own", table["own"], own)
near("rank", table["rank"], 1 + (selectivity["matrix"] > np.diagonal(selectivity["matrix"])[:, None]).sum(axis=1))
near("dominance", table["dominance"], own / matrix.sum(axis=1))
near("entropy in nats", table["entropy"], entropy(matrix, axis=1))

# compare.csv: percentiles with ties by half, distances to the nearest example.
examples, compared, patterns = np.load("examples/examples.npz"), pd.read_csv("compare/compare.csv"), np.load("compare/compare.npz")
data = np.empty((300, 784))
data[examples["index"][0]] = examples["examples"][0]
reached, responses = activations(data, 2), activations(patterns["patterns"].reshape(-1, 784), 2).reshape(15, 4, 15)
relative = expit(responses) / expit(responses).max(axis=(0, 1))
for u in range(15):
    for m, method in enumerate(patterns["methods"]):
        row = compared.iloc[u * 4 + m]
        assert row["unit"] == u and row["method"] == method
        near("activation", row["activation"], responses[u, m, u])
        # Float32 may put an example on the other side: an example more or less.
        near("percentile", row["percentile"], percentileofscore(reached[:, u], responses[u, m, u], kind="mean"), absolute=0.34)
        distances = np.linalg.norm(data - patterns["patterns"][u, m], axis=1)
        near("distance", row["distance"], distances.min())
        near("nearest", distances[int(row["nearest"])], distances.min())
        near("own", row["own"], relative[u, m, u])
        near("dominance", row["dominance"], relative[u, m, u] / relative[u, m].sum())
        near("entropy in nats", row["entropy"], entropy(relative[u, m]))
        for k, other in enumerate(patterns["methods"]):
            x, y = patterns["patterns"][u, m].astype(float), patterns["patterns"][u, k].astype(float)
            near("cosine", row[f"cosine_{other}"], x @ y / np.linalg.norm(x) / np.linalg.norm(y))
        near("data_max", row["data_max"], reached[:, u].max())

# likelihood.csv and partition.csv of layer 1: free energies and log Z, which the exact one has to be.
weight, bias, visible = (layers[f"layers.1.{n}"].astype(float) for n in ("weight", "bias", "visible_bias"))


def free_energies(v):
    return -v @ visible - np.logaddexp(0, v @ weight.T + bias).sum(axis=1)


train, held = free_energies(data[:240]), free_energies(data[240:])
runs, partition, likelihood = (pd.read_csv(f"ais/{n}.csv") for n in ("runs", "partition", "likelihood"))
w = np.exp(runs["log_partition"] - runs["log_partition"].max())
forward, reverse = partition.iloc[0], partition.iloc[1]
near("log Z", forward["log_partition"], logsumexp(runs["log_partition"]) - np.log(len(runs)), 1e-9)
near("deviation", forward["deviation"], w.std(ddof=1) / np.sqrt(len(w)) / w.mean())
near("effective runs", forward["effective_runs"], w.sum() ** 2 / (w**2).sum())
near("log Z in reverse", reverse["log_partition"], runs["reverse"].mean(), 1e-9)
near("deviation in reverse", reverse["deviation"], runs["reverse"].std(ddof=1) / np.sqrt(len(runs)))
near("low in reverse", reverse["low"], reverse["log_partition"] - 3 * reverse["deviation"], 1e-9)
assert reverse["bootstrap_low"] < reverse["log_partition"] < reverse["bootstrap_high"]
for i, f in enumerate((train, held)):
    row = likelihood.iloc[i]
    near("free energy", row["free_energy"], f.mean())
    near("deviation", row["deviation"], f.std(ddof=1) / np.sqrt(len(f)))
    near("gap", row["free_energy_gap"], f.mean() - train.mean(), absolute=1e-4)
    near("log-likelihood", row["log_likelihood"], -f.mean() - forward["log_partition"])
    near("low", row["low"], -f.mean() - forward["high"])
    near("reverse", row["reverse"], -f.mean() - reverse["log_partition"])
exact = pd.read_csv("exact/likelihood.csv")
assert exact["reverse"].isna().all() and np.allclose(exact["log_likelihood"], exact["low"])

# log.csv: the gap of all 60 examples held out and 100 of the others, within its error.
log = pd.read_csv("dbn/log.csv")
last = log[log["layer"] == 1].iloc[-1]
assert abs(last["free_energy_gap"] - (held.mean() - train.mean())) < 4 * last["free_energy_gap_error"], last
least = np.hypot(held.std(ddof=1) / np.sqrt(60), train.std(ddof=1) / np.sqrt(100))
near("error of the gap", last["free_energy_gap_error"], least, 0.3)
