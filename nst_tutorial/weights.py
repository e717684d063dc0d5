"""The extractors' weights: embedded, downloaded, random or from a file.

Files are read without unpickling anything.
"""

import os
import zipfile
from pathlib import Path

import h5py
import numpy as np

from nst_tutorial.download import download_vgg19, vgg19_file
from nst_tutorial.errors import NSTError

BLOCKS = (2, 2, 4, 4, 4)  # convolutions in each block
VGG19_WIDTHS = (64, 128, 256, 512, 512)
POCKET_WIDTHS = (32, 64, 96, 128, 128)
LAYERS = tuple(
    f"block{block}_conv{convolution}"
    for block, convolutions in enumerate(BLOCKS, start=1)
    for convolution in range(1, convolutions + 1)
)
POCKET_FILE = Path(__file__).with_name("pocket.npz")


def load_weights(name, layers, seed=0):
    """Find the weights, `{layer: (kernel, bias)}`, that belong to an extractor's name.

    Raises:
        NSTError: no such name; weights that are missing, damaged or do not fit.
    """
    if name == "pocket":
        return read_weights(POCKET_FILE, layers)
    if name == "vgg19":
        if not os.environ.get("NST_VGG19_WEIGHTS"):
            download_vgg19()
        return read_weights(vgg19_file(), layers, VGG19_WIDTHS)
    if name in ("random", "random-vgg19"):
        return random_weights(POCKET_WIDTHS if name == "random" else VGG19_WIDTHS, layers, seed)
    if Path(name).suffix in (".npz", ".h5"):
        return read_weights(name, layers)
    raise NSTError(
        f"there is no extractor {name!r}; choose pocket, vgg19, random, random-vgg19, "
        "or a path that ends in .npz or .h5."
    )


def random_weights(widths, layers, seed):
    """Draw He-normal kernels and zero biases: `{layer: (kernel, bias)}`, fixed by the seed."""
    rng = np.random.default_rng(seed)
    weights = {}
    for layer, (inputs, width) in _channels(widths, layers).items():
        kernel = rng.normal(0, np.sqrt(2 / (9 * inputs)), (3, 3, inputs, width))
        weights[layer] = kernel.astype("float32"), np.zeros(width, "float32")
    return weights


def read_weights(path, layers=LAYERS, widths=None):
    """Read `{layer: (kernel, bias)}` from a file, unpickling nothing, and check that they fit.

    Args:
        path: .npz with `layer:w` and `layer:b`, or .h5 with Keras' groups.
        layers: which to read.
        widths: channels of the five blocks; by default those that the file has.

    Raises:
        NSTError: the file is missing, damaged, or does not hold these layers in VGG19's shape.
    """
    read = _read_h5 if str(path).endswith(".h5") else _read_npz
    if not Path(path).is_file():
        raise NSTError(f"there is no file of weights at {path}; check the name and the folder.")
    try:
        weights = dict(read(path, layers))
    except KeyError as error:
        raise NSTError(f"{path} has no weights of VGG19's form: {error.args[0]}.") from error
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise NSTError(f"{path} cannot be read as weights ({error}).") from error
    _check_shapes(path, weights, widths)
    return weights


def _read_npz(path, layers):
    with np.load(path, allow_pickle=False) as file:
        for layer in layers:
            yield layer, [file[f"{layer}:{part}"].astype("float32") for part in "wb"]


def _read_h5(path, layers):
    with h5py.File(path, "r") as file:
        for layer in layers:
            group = file[layer]
            yield (
                layer,
                [np.asarray(group[name], "float32") for name in group.attrs["weight_names"]],
            )


def _check_shapes(path, weights, widths):
    first_of_block = [weights.get(f"block{block}_conv1") for block in range(1, 6)]
    widths = widths or [pair[0].shape[-1] for pair in first_of_block if pair]
    for layer, (inputs, width) in _channels(widths, weights).items():
        shapes = tuple(part.shape for part in weights[layer])
        expected = ((3, 3, inputs, width), (width,))
        if shapes != expected:
            raise NSTError(f"{path} does not fit: {layer} should be {expected}, but is {shapes}.")


def _channels(widths, layers):
    """Channels into and out of each layer: `{layer: (inputs, width)}`."""
    channels, inputs = {}, 3
    for layer in layers:
        width = widths[int(layer[len("block")]) - 1]
        channels[layer], inputs = (inputs, width), width
    return channels
