"""Writes the files of this folder, or of another one that is given, and what PyTorch
computes with them (expected.json).

Needs torch and safetensors. The numbers are drawn anew with another version of torch;
the tests compare the files with expected.json only.
"""
import json
import os
import sys

import torch
from safetensors.torch import save_file
from torch import nn

folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
torch.manual_seed(13)
expected = {}


def path(name):
    return os.path.join(folder, name)


def expect(name, activation, inputs, steps):
    """steps are (name of an operation, function); all in float64."""
    x = torch.randn(3, inputs, dtype=torch.float64)
    h, values = x, {}
    for step, f in steps:
        h = f(h)
        values[step] = h.tolist()
    expected[name] = {"activation": activation, "inputs": x.tolist(), "values": values}


class Net(nn.Module):
    def __init__(self, names=("fc1", "fc2", "fc3"), sizes=(6, 5, 4, 3)):
        super().__init__()
        for i, name in enumerate(names):
            self.add_module(name, nn.Linear(sizes[i], sizes[i + 1]))


def chain(model, activation, names=("fc1", "fc2", "fc3")):
    """The layers of a Net as steps."""
    layers = dict(model.double().named_modules())

    def step(name):
        layer = layers[name]
        return lambda h: layer(h) if name == names[-1] else activation(layer(h))

    return [(name, step(name)) for name in names]


with torch.no_grad():
    # Plain state dicts, in three types of numbers.
    for name, f, dtype in [("sigmoid", torch.sigmoid, torch.float32), ("relu", torch.relu, torch.float16),
                           ("tanh", torch.tanh, torch.bfloat16), ("gelu", nn.GELU(), torch.float32)]:
        m = Net().to(dtype)
        torch.save(m.state_dict(), path(name + ".pt"))
        expect(name + ".pt", name, 6, chain(m, f))

    # A Sequential with normalisations before and after activations, and two Linear
    # modules with nothing between them, saved from torch.compile.
    m = nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5), nn.SiLU(), nn.Linear(5, 4), nn.SiLU(), nn.BatchNorm1d(4, affine=False),
                      nn.Linear(4, 3, bias=False), nn.Linear(3, 3), nn.SiLU(), nn.Linear(3, 2))
    for n in (m[1], m[5]):
        n.running_mean.normal_()
        n.running_var.uniform_(0.5, 2)
    nn.init.normal_(m[1].weight)
    nn.init.normal_(m[1].bias)
    torch.save({"_orig_mod." + k: v for k, v in m.state_dict().items()}, path("silu.pt"))
    m.double().eval()
    expect("silu.pt", "silu", 6, [("0", m[0:3]), ("3", m[3:5]), ("5", m[5]), ("6", m[6]), ("7", m[7:9]), ("9", m[9])])

    # A normalisation of the inputs, which are pictures of 3x3.
    m = nn.Sequential(nn.BatchNorm1d(9), nn.Linear(9, 4), nn.ReLU(), nn.Linear(4, 2))
    m[0].running_mean.normal_()
    m[0].running_var.uniform_(0.5, 2)
    torch.save(m.state_dict(), path("ahead.pt"))
    m.double().eval()
    expect("ahead.pt", "relu", 9, [("1", m[0:3]), ("3", m[3])])

    # Weights that lie across one storage: with offsets, transposed, with gaps.
    flat = torch.randn(200)
    m = Net()
    state = {"fc1.weight": flat[7:37].view(6, 5).t(), "fc1.bias": flat[40:50:2], "fc2.weight": flat[50:110].view(4, 5, 3)[:, :, 1],
             "fc2.bias": flat[1:5], "fc3.weight": flat[100:112].view(4, 3).t(), "fc3.bias": flat[197:200]}
    m.load_state_dict(state)
    torch.save(state, path("strided.pt"))
    expect("strided.pt", "relu", 6, chain(m, torch.relu))

    # What torch.save wrote before version 1.6, float64.
    m = Net().double()
    torch.save(m.state_dict(), path("legacy.pt"), _use_new_zipfile_serialization=False)
    expect("legacy.pt", "relu", 6, chain(m, torch.relu))

# A checkpoint of DataParallel with an optimizer, protocol 4, parameters in place of
# tensors.
m = Net()
optimizer = torch.optim.Adam(m.parameters())
m.fc3(m.fc2(m.fc1(torch.ones(1, 6)))).sum().backward()
optimizer.step()
torch.save({"epoch": 3, "loss": 0.5, "model_state_dict": {"module." + k: v for k, v in m.named_parameters()},
            "optimizer_state_dict": optimizer.state_dict(), "device": torch.device("cpu"),
            "random": torch.get_rng_state()[:9].clone()}, path("checkpoint.pt"), pickle_protocol=4)

with torch.no_grad():
    expect("checkpoint.pt", "relu", 6, chain(m, torch.relu))

    m = nn.Linear(6, 3)
    torch.save(m.state_dict(), path("single.pt"))
    m.double()
    expect("single.pt", "sigmoid", 6, [("linear", lambda h: torch.sigmoid(m(h)))])

    # safetensors: layer 10 comes after layer 2, and the file says its activation.
    names = ("net.0", "net.2", "net.10")
    m = nn.ModuleDict({"net": nn.ModuleDict({"0": nn.Linear(6, 5), "2": nn.Linear(5, 5), "10": nn.Linear(5, 5)})})
    save_file(m.state_dict(), path("ordered.safetensors"), metadata={"format": "pt", "activation": "elu"})
    expect("ordered.safetensors", "", 6, chain(m, nn.ELU(), names))

    # Names whose order is not that of the layers.
    names = ("input", "hidden", "output")
    m = Net(names).bfloat16()
    save_file(m.state_dict(), path("shapes.safetensors"))
    expect("shapes.safetensors", "relu", 6, chain(m, torch.relu, names))

    # A sparse autoencoder as SAELens saves it.
    os.makedirs(path("sae"), exist_ok=True)
    sae = {"W_enc": torch.randn(5, 8), "b_enc": torch.randn(8), "W_dec": torch.randn(8, 5), "b_dec": torch.randn(5)}
    save_file(sae, path("sae/sae_weights.safetensors"))
    with open(path("sae/cfg.json"), "w") as f:
        json.dump({"architecture": "standard", "d_in": 5, "d_sae": 8, "dtype": "float32", "device": "cpu", "activation_fn_str": "relu", "activation_fn_kwargs": {},
                   "apply_b_dec_to_input": True, "normalize_activations": "none", "finetuning_scaling_factor": False, "hook_name": "blocks.8.hook_resid_pre"}, f)
    d = {k: v.double() for k, v in sae.items()}
    expect("sae/sae_weights.safetensors", "", 5, [("latents", lambda x: torch.relu((x - d["b_dec"]) @ d["W_enc"] + d["b_enc"]))])

# A whole module, which is refused.
torch.save(nn.Sequential(nn.Linear(2, 1)), path("module.pt"))

with open(path("expected.json"), "w") as f:
    json.dump(expected, f, indent=None, separators=(",", ":"))
    f.write("\n")
