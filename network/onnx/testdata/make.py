"""Makes the models of this folder, small networks 6-5-4-3 by the exporters of PyTorch
and skl2onnx, and expected.json, what the frameworks make of a few inputs with them.

usage: python make.py FOLDER     needs torch, onnxscript, onnxruntime, skl2onnx
"""

import contextlib
import io
import json
import os
import sys
import warnings

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn

warnings.filterwarnings("ignore")
folder = sys.argv[1]
expected = {}


class MLP(nn.Module):
    """Layers by name and in a Sequential, as people have them."""

    def __init__(self, activation):
        super().__init__()
        self.fc1 = nn.Linear(6, 5)
        self.act1 = activation()
        self.body = nn.Sequential(nn.Linear(5, 4), activation())
        self.fc2 = nn.Linear(4, 3)

    def forward(self, x):
        return self.fc2(self.body(self.act1(self.fc1(x))))


class Normalised(nn.Module):
    """Normalisation of inputs and of batches, dropout, no bias, a residual sum, softmax."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.randn(6))
        self.fc1, self.bn1, self.drop = nn.Linear(6, 5), nn.BatchNorm1d(5), nn.Dropout()
        self.fc2, self.bn2 = nn.Linear(5, 5, bias=False), nn.BatchNorm1d(5)
        self.fc3 = nn.Linear(5, 3)
        for bn in (self.bn1, self.bn2):
            bn.running_mean.normal_()
            bn.running_var.uniform_(0.5, 2)
            nn.init.normal_(bn.weight)
            nn.init.normal_(bn.bias)

    def logits(self, x):
        x = x.view(x.size(0), -1)
        h = torch.relu(self.bn1(self.fc1((x - self.mean) / 2.5)))
        return self.fc3(h + self.drop(torch.tanh(self.bn2(self.fc2(h)))))

    def forward(self, x):
        return torch.softmax(self.logits(x), 1)


class Pictures(nn.Module):
    """Pictures with channels, normalised by channel or by place."""

    def __init__(self, places):
        super().__init__()
        self.register_buffer("mean", torch.randn(2, 3 if places else 1, 4 if places else 1))
        self.register_buffer("std", torch.rand(2, 1, 1) + 0.5)
        self.fc1, self.fc2 = nn.Linear(24, 5), nn.Linear(5, 3)

    def forward(self, x):
        return self.fc2(torch.relu(self.fc1(torch.flatten((x - self.mean) / self.std, 1))))


class Joined(nn.Module):
    """Values one behind the other."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.out = nn.Linear(6, 4), nn.Linear(6, 3), nn.Linear(13, 3)

    def forward(self, x):
        return self.out(torch.cat([torch.tanh(self.a(x)), 1 - self.b(x), -x], dim=1))


def numbers(array):
    return [[float(f"{v:.9g}") for v in row] for row in np.asarray(array).reshape(len(array), -1)]


def keep(name, model, x, y, external=None):
    for part in [*model.graph.node, *model.graph.initializer, *model.graph.input, *model.graph.output, *model.graph.value_info, model.graph]:
        scopes = [p for p in part.metadata_props if p.key == "pkg.torch.onnx.name_scopes"]
        del part.metadata_props[:]
        part.metadata_props.extend(scopes)
        part.ClearField("doc_string")
    del model.metadata_props[:]
    path = os.path.join(folder, name + ".onnx")
    if external:
        if os.path.exists(os.path.join(folder, external)):
            os.remove(os.path.join(folder, external))  # it would be appended to
        onnx.save(model, path, save_as_external_data=True, location=external, size_threshold=0)
    else:
        onnx.save(model, path)
    expected[name] = {"x": numbers(x), "y": numbers(y)}


def torch_model(name, make, shape=(6,), both=True, opsets=(20, 20), external=False, batch=True):
    torch.manual_seed(len(name) * 1000 + sum(map(ord, name)))
    net = make().eval()
    x = 1.5 * torch.randn(4, *shape)
    for dynamo in (False, True) if both else (True,):
        options = {"input_names": ["input"], "dynamo": dynamo, "opset_version": opsets[dynamo]}
        if batch:
            options |= {"dynamic_shapes": ({0: torch.export.Dim("batch")},)} if dynamo else {"dynamic_axes": {"input": {0: "batch"}}}
        file = os.path.join(folder, "exported.onnx")
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            torch.onnx.export(net, (x[:2],), file, **options)
        model = onnx.load(file)
        for rest in (file, file + ".data"):
            if os.path.exists(rest):
                os.remove(rest)
        double = make_double(net)
        y = (double.logits if hasattr(double, "logits") else double)(x.double()).detach().numpy()
        end = f"torch-{name}-{'dynamo' if dynamo else 'script'}"
        keep(end, model, x.numpy(), y, end + ".onnx.data" if external and dynamo else None)


def make_double(net):
    import copy

    return copy.deepcopy(net).double()


def sklearn_models():
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from skl2onnx import to_onnx

    rng = np.random.default_rng(1)
    train, x = rng.normal(size=(60, 6)).astype(np.float32), rng.normal(size=(4, 6)).astype(np.float32)
    settings = {"hidden_layer_sizes": (5, 4), "max_iter": 5, "random_state": 1}
    classes = rng.integers(0, 3, 60)
    for name, model, target, end in [
        ("classes", MLPClassifier(activation="tanh", **settings), classes, "add_result2"),
        ("labels", MLPClassifier(activation="logistic", **settings), np.array(list("abc"))[classes], "add_result2"),
        ("two-classes", MLPClassifier(activation="relu", **settings), classes > 0, "out_activations_result"),
        ("many-labels", MLPClassifier(activation="relu", **settings), rng.integers(0, 2, (60, 3)), "out_activations_result"),
        ("scaled", make_pipeline(StandardScaler(), MLPClassifier(activation="tanh", **settings)), classes, "add_result2"),
        ("regression", MLPRegressor(activation="identity", **settings), rng.normal(size=(60, 3)), "add_result2"),
    ]:
        exported = to_onnx(model.fit(train, target), train[:1])
        looked = onnx.ModelProto.FromString(exported.SerializeToString())
        looked.graph.output.append(onnx.ValueInfoProto(name=end))
        session = onnxruntime.InferenceSession(looked.SerializeToString())
        keep("sklearn-" + name, exported, x, session.run([end], {"X": x})[0])


if __name__ == "__main__":
    for name, activation in {
        "sigmoid": nn.Sigmoid, "relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU, "silu": nn.SiLU, "elu": lambda: nn.ELU(0.7),
        "gelu-tanh": lambda: nn.GELU(approximate="tanh"), "leakyrelu": lambda: nn.LeakyReLU(0.2), "softplus": nn.Softplus,
        "prelu": nn.PReLU, "hardswish": nn.Hardswish, "hardsigmoid": nn.Hardsigmoid, "relu6": nn.ReLU6, "hardtanh": nn.Hardtanh, "selu": nn.SELU,
    }.items():
        torch_model(name, lambda: MLP(activation))
    torch_model("gelu-written", lambda: MLP(nn.GELU), opsets=(17, 18))
    torch_model("gelu-tanh-written", lambda: MLP(lambda: nn.GELU(approximate="tanh")), opsets=(17, 18))
    torch_model("hardswish-written", lambda: MLP(nn.Hardswish), opsets=(13, 18))
    torch_model("softplus-2", lambda: MLP(lambda: nn.Softplus(beta=2)))
    torch_model("normalised", Normalised, shape=(2, 3))
    torch_model("channels", lambda: Pictures(False), shape=(2, 3, 4))
    torch_model("places", lambda: Pictures(True), shape=(2, 3, 4), batch=False)
    torch_model("joined", Joined)
    torch_model("external", lambda: MLP(nn.ReLU), both=False, external=True)
    sklearn_models()
    with open(os.path.join(folder, "expected.json"), "w") as f:
        f.write("{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in sorted(expected.items())) + "\n}\n")
