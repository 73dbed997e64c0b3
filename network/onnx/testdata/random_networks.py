"""Writes random networks, with inputs and what onnxruntime makes of them, in folders as
those of ONNX's own test cases:

    python random_networks.py FOLDER SEED COUNT
    UNITSCOPE_ONNX_CASES=FOLDER go test -count=1 -run TestCases -v ./network/onnx

needs onnx and onnxruntime
"""

import os
import sys

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

options = onnxruntime.SessionOptions()
options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
options.log_severity_level, options.intra_op_num_threads = 4, 1

SHAPES = [(6,), (5,), (2, 3), (2, 3, 2), (1, 4, 4), (3, 2, 2)]
ACTIVATIONS = "Sigmoid Tanh Relu Softplus HardSwish Elu LeakyRelu HardSigmoid Selu Celu Gelu Neg Identity".split()


class Network:
    """Nodes, constants, and the values so far with the shape of an example."""

    def __init__(self, rng):
        self.rng, self.count, self.nodes, self.constants = rng, 0, [], {}
        self.input = SHAPES[rng.integers(len(SHAPES))]
        self.values = [("x", self.input)]

    def one(self, *choices):
        return choices[self.rng.integers(len(choices))]

    def name(self):
        self.count += 1
        return f"t{self.count}"

    def constant(self, value):
        name, value = self.name(), np.asarray(value)
        if self.rng.random() < 0.2:
            self.nodes.append(helper.make_node("Constant", [], [name], value=numpy_helper.from_array(value)))
        else:
            self.constants[name] = value
        return name

    def normal(self, *shape):
        return self.constant(self.rng.normal(size=shape).astype(np.float32))

    def number(self, x):
        return self.constant(np.float32(x))

    def node(self, op, inputs, shape, hidden=False, **attributes):
        name = self.name()
        self.nodes.append(helper.make_node(op, inputs, [name], name="n" + name, **attributes))
        if not hidden:
            self.values.append((name, tuple(shape)))
        return name

    def value(self, fits=lambda shape: True):
        """A value, rather one of the last."""
        choices = [v for v in self.values if fits(v[1])]
        weights = np.arange(1, len(choices) + 1) ** 2.0
        return choices[self.rng.choice(len(choices), p=weights / weights.sum())] if choices else (None, None)

    def stretched(self, shape):
        """A shape that is stretched to that of a value."""
        out = [n if self.rng.random() < 0.6 else 1 for n in shape]
        if self.rng.random() < 0.3:
            out = [1, *out]
        while out and out[0] == 1 and self.rng.random() < 0.5:
            out = out[1:]
        return out

    def affine(self):
        x, shape = self.value(lambda s: len(s) == 1)
        if x is None:
            x, shape = self.value()
            return self.node("Flatten", [x], (int(np.prod(shape)),))
        n, m = shape[0], int(self.rng.integers(1, 7))
        if self.one(True, False):
            transposed = self.one(0, 1)
            inputs, attributes = [x, self.normal(m, n) if transposed else self.normal(n, m)], {}
            if self.rng.random() < 0.7:
                inputs.append(self.normal(*self.one((m,), (1, m), (), (1,), (1, 1))))
            for key in ("alpha", "beta"):
                if self.one(True, False):
                    attributes[key] = float(self.rng.normal())
            return self.node("Gemm", inputs, (m,), transB=transposed, **attributes)
        pair = [self.node("MatMul", [x, self.normal(n, m)], (m,)), self.normal(m)]
        self.rng.shuffle(pair)
        return self.node("Add", pair, (m,))

    def activation(self):
        x, shape = self.value()
        self.node(self.one(*ACTIVATIONS), [x], shape)

    def form(self):
        x, shape = self.value()
        match self.rng.integers(6):
            case 0:
                self.node("Gelu", [x], shape, approximate="tanh")
            case 1:
                self.node("Clip", [x, self.number(-0.5), self.number(1.5)], shape)
            case 2:
                self.node("Clip", [x, "", self.number(0.7)], shape)
            case 3:
                self.node("Max", [x, self.number(-1)], shape)
            case 4:
                pair = [x, self.node("Sigmoid", [x], shape)]
                self.rng.shuffle(pair)
                self.node("Mul", pair, shape)
            case 5:
                h = self.node("Erf", [self.node("Div", [x, self.number(2**0.5)], shape, True)], shape, True)
                h = self.node("Mul", [x, self.node("Add", [h, self.number(1)], shape, True)], shape, True)
                self.node("Mul", [h, self.number(0.5)], shape)

    def scale(self):
        x, shape = self.value()
        op = self.one("Add", "Sub", "Mul", "Div")
        c = self.rng.normal(size=self.stretched(shape))
        if op == "Div":
            c = np.sign(c) * (np.abs(c) + 0.3)
        pair = [x, self.constant(c.astype(np.float32))]
        if op != "Div":
            self.rng.shuffle(pair)
        self.node(op, pair, shape)

    def normalisation(self):
        x, shape = self.value()
        c = shape[0]
        variance = self.constant((np.abs(self.rng.normal(size=c)) + 0.2).astype(np.float32))
        self.node("BatchNormalization", [x, self.normal(c), self.normal(c), self.normal(c), variance], shape, epsilon=float(self.rng.random()))

    def slopes(self):
        x, shape = self.value()
        self.node("PRelu", [x, self.normal(*self.stretched(shape))], shape)

    def sum(self):
        x, shape = self.value()
        y, _ = self.value(lambda s: s == shape)
        self.node(self.one("Add", "Sub", "Sum"), [x, y], shape)

    def concat(self):
        x, shape = self.value()
        y, other = self.value(lambda s: s[1:] == shape[1:])
        axis = self.one(1, -len(shape))
        self.node("Concat", [x, y], (shape[0] + other[0], *shape[1:]), axis=axis)

    def reshape(self):
        x, shape = self.value()
        n = int(np.prod(shape))
        match self.rng.integers(4):
            case 0:
                self.node("Flatten", [x], (n,))
            case 1:
                self.node("Reshape", [x, self.constant(np.array([0, -1]))], (n,))
            case 2:
                to = [2, n // 2] if n % 2 == 0 else [n]
                self.node("Reshape", [x, self.constant(np.array([-1, *to]))], to)
            case 3:
                self.node("Unsqueeze", [x, self.constant(np.array([1]))], (1, *shape))

    def model(self):
        """Only what the last value is made of."""
        end = self.values[-1][0]
        needed, nodes = {end}, []
        for node in reversed(self.nodes):
            if node.output[0] in needed:
                nodes.insert(0, node)
                needed |= set(node.input)
        tensors = [numpy_helper.from_array(value, name) for name, value in self.constants.items() if name in needed]
        inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", *self.input])]
        outputs = [helper.make_tensor_value_info(end, TensorProto.FLOAT, None)]
        return helper.make_model(helper.make_graph(nodes, "random", inputs, outputs, tensors), opset_imports=[helper.make_opsetid("", 20)], ir_version=9)


def write(folder, rng):
    net = Network(rng)
    for _ in range(rng.integers(2, 11)):
        net.one(net.affine, net.affine, net.activation, net.form, net.scale, net.scale, net.normalisation, net.slopes, net.sum, net.concat, net.reshape)()
    model, x = net.model(), rng.normal(size=(3, *net.input)).astype(np.float32)
    y = onnxruntime.InferenceSession(model.SerializeToString(), options).run(None, {"x": x})[0]
    if np.abs(y).max() > 1e3:  # float32 is too coarse for a comparison
        return
    data = os.path.join(folder, "test_data_set_0")
    os.makedirs(data)
    for path, message in [
        (os.path.join(folder, "model.onnx"), model),
        (os.path.join(data, "input_0.pb"), numpy_helper.from_array(x)),
        (os.path.join(data, "output_0.pb"), numpy_helper.from_array(y)),
    ]:
        with open(path, "wb") as f:
            f.write(message.SerializeToString())


if __name__ == "__main__":
    rng = np.random.default_rng(int(sys.argv[2]))
    for i in range(int(sys.argv[3])):
        write(os.path.join(sys.argv[1], str(i)), rng)
