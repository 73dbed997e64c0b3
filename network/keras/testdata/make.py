"""Writes the files of this folder, or of another one that is given, and what Keras
computes with them in float64 (expected.json).

Needs keras, with torch as its backend, and h5py. The numbers are drawn anew with
another version of them; the tests compare the files with expected.json only. Files that
Keras 2 would write are put together here, and what it computes too.
"""
import json
import os
import sys

os.environ["KERAS_BACKEND"] = "torch"
import h5py
import keras
import numpy as np
from keras import layers as L

folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
keras.utils.set_random_seed(13)
random = np.random.default_rng(13)
expected = {}


def path(name):
    return os.path.join(folder, name)


def shuffle(model):
    """Gives all parameters numbers, as after training."""
    for layer in model.layers:
        for w in layer.weights:
            if "float" not in str(w.dtype):
                continue
            positive = w.name in ("variance", "moving_variance", "gamma")
            w.assign(random.uniform(0.5, 2, w.shape) if positive else random.normal(size=w.shape) * 0.7)
        if hasattr(layer, "finalize_state"):
            layer.finalize_state()


def compute(model, x):
    """What a model computes in float64, up to its class units."""
    text = model.to_json().replace("float32", "float64").replace('"softmax"', '"linear"')
    wide = keras.models.model_from_json(text)
    wide.set_weights(model.get_weights())
    for layer in wide.layers:
        if hasattr(layer, "finalize_state"):
            layer.finalize_state()
    return wide.predict(x, verbose=0).reshape(len(x), -1)


def save(name, model, kinds=(".keras",)):
    shuffle(model)
    x = random.normal(size=(3,) + model.input_shape[1:])
    y = compute(model, x)
    for kind in kinds:
        model.save(path(name + kind))
        expected[name + kind] = {"x": x.reshape(3, -1).tolist(), "y": y.tolist()}


m = keras.Sequential([keras.Input((4,)), L.Dense(5, activation="relu", name="fc1"), L.Dense(4, name="fc2"), L.BatchNormalization(name="bn"),
                      L.LeakyReLU(), L.Dropout(0.5, seed=1), L.Dense(3, activation="softmax", name="classes")], name="chain")
m.compile("sgd", "mse", metrics=["mae"])
m.fit(np.zeros((4, 4)), np.zeros((4, 3)), verbose=0)
save("chain", m, (".keras", ".h5"))

i = keras.Input((6,), name="in")
h = L.Normalization(name="normalise")
h.build((None, 6))
h = L.Rescaling(0.5, offset=0.25)(h(i))
a = L.Dense(4, activation="silu", name="left")(h)
b = L.Dense(4, activation="tanh", use_bias=False, name="right")(h)
h = L.Concatenate()([L.Add(name="sum")([a, b]), a])
h = L.PReLU(name="slopes")(h)
save("joined", keras.Model(i, L.Activation("gelu")(L.Dense(2, name="out")(h))))

# Functions in place of layers, a layer as activation, one layer used twice.
i = keras.Input((5,))
relu = L.ReLU(max_value=1.5, name="limit")
a = relu(L.Dense(4, name="a", activation=L.LeakyReLU(0.1))(i))
b = relu(L.Dense(4, name="b", activation="tanh")(a))
h = keras.activations.gelu(a + b, approximate=True)
h = keras.ops.leaky_relu(L.Dense(4, name="c", activation=keras.activations.hard_silu)(h), negative_slope=0.3)
h = keras.ops.hard_sigmoid(keras.ops.elu(L.Dense(3, name="d")(h), alpha=0.7))
save("functions", keras.Model(i, L.Dense(2, name="e")(h)))

# Models in models.
i = keras.Input((4,))
encoder = keras.Sequential([keras.Input((4,)), L.Dense(3, activation="relu", name="fc"), L.Dense(2, name="code")], name="encoder")
c = keras.Input((2,))
decoder = keras.Model(c, L.Dense(4, activation="sigmoid", name="fc")(L.Add(name="both")([L.Dense(3, name="left")(c), L.Dense(3, name="right")(c)])), name="decoder")
m = keras.Model(i, decoder(encoder(i)))
shuffle(encoder)
shuffle(decoder)
save("autoencoder", m, (".keras", ".h5"))

# Pictures of two rows, three columns and three channels.
m = keras.Sequential([keras.Input((2, 3, 3)), L.Rescaling([1.0, 0.5, 0.25], offset=[0.0, 0.1, 0.2]), L.BatchNormalization(name="colours"), L.Flatten(),
                      L.Dense(4, activation="elu", name="fc1"), L.Reshape((2, -1)), L.Flatten(), L.Dense(2, name="fc2")])
save("colours", m)
# With a number for each place, they have none.
m = keras.Sequential([keras.Input((2, 3)), L.PReLU(name="pixels"), L.Flatten(), L.Dense(2, name="fc1")])
save("places", m)

keras.config.set_dtype_policy("bfloat16")
m = keras.Sequential([keras.Input((3,)), L.Dense(2, name="fc1")])
keras.config.set_dtype_policy("float32")
x = random.normal(size=(3, 3))
w = [v.value.detach().float().numpy().astype("float64") for v in m.weights]
m.save(path("bfloat16.keras"))
expected["bfloat16.keras"] = {"x": x.tolist(), "y": (x @ w[0] + w[1]).tolist()}

def legacy(name, config, weights, version="2.4.0", libver=None, **how):
    """An .h5 file as Keras 2 writes it, but for groups of layers without weights."""
    with h5py.File(path(name + ".h5"), "w", libver=libver) as f:
        f.attrs["keras_version"] = version
        f.attrs["backend"] = np.bytes_(b"tensorflow")
        f.attrs["model_config"] = json.dumps(config).encode("utf8")
        g = f.create_group("model_weights")
        for layer, parts in weights.items():
            for part, value in parts.items():
                g.create_dataset(f"{layer}/{layer}/{part}:0", data=value, **how)


# All activations by their names.
names = ["sigmoid", "tanh", "relu", "relu6", "leaky_relu", "elu", "gelu", "silu", "swish", "softplus", "hard_sigmoid", "hard_silu", "linear"]
i = keras.Input((2,))
h = L.Dense(5, name="dense")(i)
m = keras.Model(i, L.Concatenate()([L.Activation(f, name=f"{f}_{k}")(h) for k, f in enumerate(names)]))
shuffle(m)
m.get_layer("dense").kernel.assign(m.get_layer("dense").kernel * 4)
x = random.normal(size=(3, 2))
kernel, bias = (w.astype("float32") for w in m.get_layer("dense").get_weights())
legacy("activations", json.loads(m.to_json()), {"dense": {"kernel": kernel, "bias": bias}}, version="3.15.1")
expected["activations.h5"] = {"x": x.tolist(), "y": compute(m, x).tolist()}


def sigmoid2(y):
    return np.clip(0.2 * y + 0.5, 0, 1)


w1, b1, w2, b2 = random.normal(size=(4, 6)), random.normal(size=6), random.normal(size=(6, 6)), random.normal(size=6)
x = random.normal(size=(3, 4))
config = {"class_name": "Sequential", "config": {"name": "sequential", "layers": [
    {"class_name": "Dense", "config": {"name": "dense", "batch_input_shape": [None, 4], "units": 6, "activation": "hard_sigmoid", "use_bias": True}},
    {"class_name": "LeakyReLU", "config": {"name": "leaky_re_lu", "alpha": 0.1}},
    {"class_name": "Dense", "config": {"name": "dense_1", "units": 6, "activation": "linear", "use_bias": True}}]}}
chunks = {"dense": {"kernel": w1, "bias": b1}, "dense_1": {"kernel": w2, "bias": b2}}
y = (sigmoid2(x @ w1 + b1) @ w2 + b2).tolist()
legacy("keras2", config, chunks)
legacy("newer", config, chunks, libver="latest")
for name in ("keras2.h5", "newer.h5"):
    expected[name] = {"x": x.tolist(), "y": y}

config = {"class_name": "Model", "config": {"name": "model", "layers": [
    {"class_name": "InputLayer", "name": "in", "config": {"name": "in", "batch_input_shape": [None, 4]}, "inbound_nodes": []},
    {"class_name": "Dense", "name": "dense", "config": {"name": "dense", "activation": "sigmoid"}, "inbound_nodes": [[["in", 0, 0, {}]]]},
    {"class_name": "Dense", "name": "dense_1", "config": {"name": "dense_1", "activation": "linear"}, "inbound_nodes": [[["dense", 0, 0, {}]]]},
    {"class_name": "Add", "name": "add", "config": {"name": "add"}, "inbound_nodes": [[["dense", 0, 0, {}], ["dense_1", 0, 0, {}]]]},
    {"class_name": "Softmax", "name": "softmax", "config": {"name": "softmax", "axis": -1}, "inbound_nodes": [["add", 0, 0, {}]]}],
    "input_layers": [["in", 0, 0]], "output_layers": [["softmax", 0, 0]]}}
h = 1 / (1 + np.exp(-(x @ w1 + b1)))
legacy("graph2", config, {k: {p: v.astype("float32") for p, v in parts.items()} for k, parts in chunks.items()}, chunks=True)
expected["graph2.h5"] = {"x": x.tolist(), "y": (h + h @ w2 + b2).tolist()}

with open(path("expected.json"), "w") as f:
    json.dump(expected, f, separators=(",", ":"))
    f.write("\n")
