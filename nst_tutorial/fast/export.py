"""A network as an ONNX file, which browsers, phones and other languages can run.

The graph is written layer by layer from Keras' own, so that it needs no converter and is the same
with every backend.
"""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from nst_tutorial.extractors import Mirror
from nst_tutorial.fast.network import (
    MARGIN,
    RIPPLE,
    STRIDE,
    ConditionalInstanceNormalization,
    StyleNetwork,
    cast,
    make_waves,
)
from nst_tutorial.runtime.backend import keras, ops
from nst_tutorial.runtime.errors import NSTError
from nst_tutorial.runtime.extras import import_extra
from nst_tutorial.runtime.files import check_output, replace_file
from nst_tutorial.runtime.types import PathLike

OPSET, IR = 17, 8  # versions of ONNX' operators and of its files, which every runtime knows
# Keras keeps channels last, ONNX convolves with channels first.
CHANNELS_FIRST, CHANNELS_LAST = [0, 3, 1, 2], [0, 2, 3, 1]


def check_export(path: PathLike, inputs: Iterable[object] = ()) -> Path:
    """Find out, before any work is done, whether a network can be exported.

    Raises:
        NSTError: onnx is not installed, or `files.check_output` refuses the path.
    """
    import_extra("onnx", "web")
    return check_output(path, inputs, ".onnx")


def export_network(network: StyleNetwork, path: PathLike) -> None:
    """Write a network as an ONNX file, in float32, for pictures of any size.

    Its inputs are "picture", `(1 or B, H, W, 3)`, RGB in 0..255, H and W multiples of 4, and
    "weights", `(B, S)`, whose rows add up to 1; its output is "painted", `(B, H, W, 3)`. Its
    metadata hold, as JSON, the styles' names, "styles"; "stride", of which H and W are multiples;
    and what `apply` does first: "waves" and "ripple", the rows of `make_waves` and the gray levels
    that it adds, and "margin", the mirrored pixels on each side that it cuts off again.

    Args:
        network: a `StyleNetwork` that normalizes by instance.
        path: where to; it ends in .onnx.

    Raises:
        NSTError: onnx is not installed, the network normalizes by batch, or the file cannot be
            written.

    Taught in: 09_fast_styles.
    """
    check_export(path)
    if network.normalize != "instance":
        raise NSTError("a network that normalizes by batch cannot be exported; train one anew.")
    whole = _Graph().of(cast(network, "float32")).SerializeToString()
    with replace_file(path) as file:
        file.write(whole)


class _Graph:
    """Nodes and constants; a value goes by its name."""

    def __init__(self):
        self.helper = import_extra("onnx.helper", "web")
        self.nodes, self.constants = [], []

    def of(self, network):
        """Make the whole model."""
        picture, weights = network.inputs
        values = {picture.name: self.add("Transpose", "picture", perm=CHANNELS_FIRST)}
        values[weights.name] = "weights"
        for layer in network.layers:
            if write := WRITERS.get(type(layer)):
                given = (values[one.name] for one in keras.tree.flatten(layer.input))
                values[layer.output.name] = write(self, layer, *given)
        last = values[network.outputs[0].name]
        self.add("Transpose", last, output="painted", perm=CHANNELS_LAST)
        return self.model(network.styles)

    def model(self, styles):
        picture = self.helper.make_graph(
            self.nodes,
            "StyleNetwork",
            [
                self.tensor("picture", ["pictures", "height", "width", 3]),
                self.tensor("weights", ["batch", len(styles)]),
            ],
            [self.tensor("painted", ["batch", "height", "width", 3])],
            self.constants,
        )
        versions = [self.helper.make_opsetid("", OPSET)]
        model = self.helper.make_model(picture, opset_imports=versions, ir_version=IR)
        told = {
            "styles": styles, "stride": STRIDE, "margin": MARGIN,
            "ripple": RIPPLE, "waves": make_waves().tolist(),
        }  # fmt: skip
        self.helper.set_model_props(model, {key: json.dumps(one) for key, one in told.items()})
        return model

    def tensor(self, name, shape):
        return self.helper.make_tensor_value_info(name, 1, shape)  # 1 is float32

    def constant(self, array):
        """Add an array; return its name."""
        arrays, name = import_extra("onnx.numpy_helper", "web"), f"constant_{len(self.constants)}"
        self.constants.append(arrays.from_array(np.asarray(array), name))
        return name

    def add(self, kind, *inputs, output=None, **attributes):
        """Add an operator, whose inputs are names or arrays; return its output's name."""
        output = output or f"{kind}_{len(self.nodes)}"
        names = [one if isinstance(one, str) else self.constant(one) for one in inputs]
        self.nodes.append(self.helper.make_node(kind, names, [output], **attributes))
        return output


# A writer for each kind of layer: its node's output, from its inputs' names ----------------------


def _rescale(graph, layer, x):
    scaled = graph.add("Mul", x, np.float32(layer.scale))
    return graph.add("Add", scaled, np.float32(layer.offset))


def _mirror(graph, layer, x):
    before = [0, 0, layer.margin, layer.margin]
    return graph.add("Pad", x, np.array(before * 2, "int64"), mode="reflect")


def _convolve(graph, layer, x):
    kernel = ops.convert_to_numpy(layer.kernel).transpose(3, 2, 0, 1)  # (out, in, height, width)
    return graph.add("Conv", x, np.ascontiguousarray(kernel), strides=list(layer.strides))


def _normalize(graph, layer, x, weights):
    """Normalize with a γ of 1 and a β of 0, then scale and shift by the style's own."""
    channels = layer.gamma.shape[1]
    one, zero = np.ones(channels, "float32"), np.zeros(channels, "float32")
    x = graph.add("InstanceNormalization", x, one, zero, epsilon=layer.epsilon)
    x = graph.add("Mul", x, _row(graph, weights, layer.gamma))
    return graph.add("Add", x, _row(graph, weights, layer.beta))


def _row(graph, weights, table):
    """Interpolate the rows of a table `(S, C)`: `(B, S)` gives `(B, C, 1, 1)`."""
    mixed = graph.add("MatMul", weights, ops.convert_to_numpy(table))
    return graph.add("Unsqueeze", mixed, np.array([2, 3]))


def _activate(graph, layer, x):
    kinds = {"relu": "Relu", "sigmoid": "Sigmoid", "linear": "Identity"}
    return graph.add(kinds[layer.activation.__name__], x)


def _enlarge(graph, layer, x):
    """Repeat each pixel `size` times a side; the empty name leaves an optional input out."""
    scales = np.array([1, 1, *layer.size], "float32")
    how = {"mode": "nearest", "nearest_mode": "floor"}
    return graph.add("Resize", x, "", scales, coordinate_transformation_mode="asymmetric", **how)


WRITERS: dict[type, Callable[..., str]] = {
    keras.layers.Rescaling: _rescale,
    Mirror: _mirror,
    keras.layers.Conv2D: _convolve,
    ConditionalInstanceNormalization: _normalize,
    keras.layers.Activation: _activate,
    keras.layers.UpSampling2D: _enlarge,
    keras.layers.Add: lambda graph, layer, x, y: graph.add("Add", x, y),
}
