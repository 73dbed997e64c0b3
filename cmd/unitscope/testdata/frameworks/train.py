"""Trains small perceptrons in the frameworks that people use, and saves each in every way
that people save them, for climb.py.

usage: python train.py FOLDER [--mnist DIR] [--epochs N] [NET...]

NET is relu, gelu, silu, sigmoid, tanh (PyTorch: a state dict as .pt and as .safetensors,
and ONNX by both exporters), keras (.keras and .h5; Keras on PyTorch) or sklearn (ONNX);
all of them if none is named. With --mnist, the folder of the IDX files of MNIST, they have
256 and 128 units and reach 98 %; without, 24 and 16 units learn ten made-up 8x8 pictures.
FOLDER gets NAME-io.npz as well, inputs x and what the framework itself computes, for
`unitscope look --check`.
"""
import argparse
import contextlib
import gzip
import io
import os
import warnings

os.environ["KERAS_BACKEND"] = "torch"
import numpy as np
import torch
from torch import nn

warnings.filterwarnings("ignore")
ACTIVATIONS = {"relu": nn.ReLU, "gelu": nn.GELU, "silu": nn.SiLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh}


def mnist(folder):
    """Examples and classes, for training and for the test."""
    parts = []
    for part in ("train", "t10k"):
        for kind, skip in (("images-idx3-ubyte", 16), ("labels-idx1-ubyte", 8)):
            path = os.path.join(folder, f"{part}-{kind}")
            with gzip.open(path + ".gz") if os.path.exists(path + ".gz") else open(path, "rb") as f:
                parts.append(np.frombuffer(f.read(), np.uint8, offset=skip))
    x, y, test, answers = parts
    return [a.reshape(-1, 784).astype(np.float32) / 255 if a is x or a is test else a.astype(np.int64) for a in (x, y, test, answers)]


def made_up():
    """Ten pictures of 8x8, each with its own noise."""
    random = np.random.default_rng(3)
    pictures = random.uniform(size=(10, 64)) ** 2
    y = np.arange(3000) % 10
    x = np.clip(pictures[y] + 0.35 * random.normal(size=(3000, 64)), 0, 1).astype(np.float32)
    return x[:2500], y[:2500], x[2500:], y[2500:]


def moved(x):
    """Pictures moved by up to a pixel, another way for every batch."""
    side = int(x.shape[1] ** 0.5)
    by = torch.randint(-1, 2, (2,)).tolist()
    return torch.roll(x.reshape(-1, side, side), by, (1, 2)).reshape(len(x), -1)


def fit(model, parameters, data, epochs):
    """Adam on cross-entropy; model gives class units, before the softmax."""
    x, y = torch.tensor(data[0]), torch.tensor(data[1])
    optimizer = torch.optim.Adam(parameters, 2e-3)
    plan = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    for _ in range(epochs):
        order = torch.randperm(len(x))
        for i in range(0, len(x), 128):
            batch = order[i : i + 128]
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(moved(x[batch]) if x.shape[1] == 784 else x[batch]), y[batch]).backward()
            optimizer.step()
        plan.step()


def save_io(folder, name, x, arrays):
    np.savez(os.path.join(folder, name + "-io.npz"), x=x, **arrays)


def train_torch(folder, name, data, sizes, epochs):
    from collections import OrderedDict

    from safetensors.torch import save_file

    act, (inputs, first, second, classes) = ACTIVATIONS[name], sizes
    m = nn.Sequential(OrderedDict(fc1=nn.Linear(inputs, first), a1=act(), fc2=nn.Linear(first, second), a2=act(), fc3=nn.Linear(second, classes)))
    fit(m, m.parameters(), data, epochs)
    m.eval()
    path, x = os.path.join(folder, name), torch.tensor(data[2])
    torch.save(m.state_dict(), path + ".pt")
    save_file(m.state_dict(), path + ".safetensors")
    with contextlib.redirect_stdout(io.StringIO()):
        torch.onnx.export(m, (x[:2],), path + "-dynamo.onnx", dynamo=True)
        torch.onnx.export(m, (x[:2],), path + "-script.onnx", dynamo=False, input_names=["input"], dynamic_axes={"input": {0: "n"}})
    with torch.no_grad():
        few = x[:50]
        h1 = m.fc1(few)
        h2 = m.fc2(m.a1(h1))
        save_io(folder, name, few.numpy(), {"fc1": h1.numpy(), "fc2": h2.numpy(), "y": m(few).numpy()})
        return (m(x).argmax(1).numpy() == data[3]).mean()


def train_keras(folder, name, data, sizes, epochs):
    import keras

    inputs, first, second, classes = sizes
    k = keras.layers
    m = keras.Sequential([keras.Input((inputs,)), k.Dense(first, activation="relu", name="fc1"), k.Dense(second, name="fc2"), k.Activation("gelu"),
                          k.Dense(classes, activation="softmax", name="classes")])

    logits = keras.Model(m.inputs, [m.get_layer("fc2").output, m.layers[-2].output])
    top = m.get_layer("classes")

    def model(x):
        return logits(x)[1] @ top.kernel.value + top.bias.value

    fit(model, [v.value for v in m.trainable_variables], data, epochs)
    for kind in (".keras", ".h5"):
        m.save(os.path.join(folder, name + kind))
    with torch.no_grad():
        few = torch.tensor(data[2][:50])
        save_io(folder, name, data[2][:50], {"fc2": logits(few)[0].numpy(), "y": model(few).numpy()})
    return (m.predict(data[2], verbose=0).argmax(1) == data[3]).mean()


def train_sklearn(folder, name, data, sizes, epochs):
    import joblib
    from skl2onnx import to_onnx
    from sklearn.neural_network import MLPClassifier

    m = MLPClassifier(sizes[1:3], alpha=1e-3, batch_size=128, max_iter=epochs, random_state=1).fit(data[0], data[1])
    joblib.dump(m, os.path.join(folder, name + ".joblib"))
    with open(os.path.join(folder, name + ".onnx"), "wb") as f:
        f.write(to_onnx(m, data[0][:1], options={"zipmap": False}).SerializeToString())
    h = data[2][:50].astype(float)
    for w, b in list(zip(m.coefs_, m.intercepts_))[:-1]:
        h = np.maximum(h @ w + b, 0)
    y = h @ m.coefs_[-1] + m.intercepts_[-1]
    assert np.allclose(np.exp(y) / np.exp(y).sum(1, keepdims=True), m.predict_proba(data[2][:50]), atol=1e-5)
    save_io(folder, name, data[2][:50], {"y": y})
    return m.score(data[2], data[3])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folder")
    parser.add_argument("nets", nargs="*", default=[])
    parser.add_argument("--mnist")
    parser.add_argument("--epochs", type=int, default=25)
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    data, sizes = (mnist(options.mnist), (784, 256, 128, 10)) if options.mnist else (made_up(), (64, 24, 16, 10))
    for name in options.nets or [*ACTIVATIONS, "keras", "sklearn"]:
        torch.manual_seed(1)
        train = {"keras": train_keras, "sklearn": train_sklearn}.get(name, train_torch)
        print(f"{name}: {100 * train(options.folder, name, data, sizes, options.epochs):.2f} % of the test's examples", flush=True)


if __name__ == "__main__":
    main()
