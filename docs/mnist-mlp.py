"""Trains the network of README.md on MNIST: mnist-mlp.py FOLDER mlp.pt"""
import glob
import gzip
import os
import sys

import numpy as np
import torch


def read(part, offset):
    path = glob.glob(os.path.join(sys.argv[1], part + "*"))[0]
    open_file = gzip.open if path.endswith(".gz") else open
    return np.frombuffer(open_file(path, "rb").read(), np.uint8, offset=offset)


torch.manual_seed(1)
x = torch.tensor(read("train-images", 16).reshape(-1, 784) / 255).float()
y = torch.tensor(read("train-labels", 8)).long()
model = torch.nn.Sequential()
for name, inputs, outputs in ("fc1", 784, 256), ("fc2", 256, 128), ("fc3", 128, 10):
    model.add_module(name, torch.nn.Linear(inputs, outputs))
    if name != "fc3":
        model.add_module("relu_" + name, torch.nn.ReLU())
optimizer = torch.optim.Adam(model.parameters(), 1e-3)
for epoch in range(8):
    for batch in torch.randperm(len(x)).split(128):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x[batch]), y[batch]).backward()
        optimizer.step()
torch.save(model.state_dict(), sys.argv[2])
