"""A network's file: Keras' own kind, written whole, and checked before any of it is believed."""

import io
import json
import os
import zipfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import h5py
import numpy as np

from nst_tutorial.fast.config import MOST_BLOCKS, MOST_STYLES, MOST_WIDTH
from nst_tutorial.fast.network import (
    PACKAGE,
    ConditionalInstanceNormalization,
    StyleNetwork,
    cast,
)
from nst_tutorial.runtime.backend import keras
from nst_tutorial.runtime.documents import parse
from nst_tutorial.runtime.errors import NSTError
from nst_tutorial.runtime.files import check_output, open_file, replace_file, shown
from nst_tutorial.runtime.hdf5 import check_plain
from nst_tutorial.runtime.precision import fastest_precision
from nst_tutorial.runtime.types import PathLike

SHIPPED = Path(__file__).parent / "shipped.keras"
METADATA, CONFIG, WEIGHTS = "metadata.json", "config.json", "model.weights.h5"
FORM = {
    "type": "object",
    "required": ["registered_name", "config"],
    "properties": {
        "registered_name": {"const": f"{PACKAGE}>StyleNetwork"},
        "config": {
            "type": "object",
            "required": ["styles", "width", "blocks", "normalize", "precision"],
            "additionalProperties": False,
            "properties": {
                "name": {"type": "string", "maxLength": 200},
                "styles": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": MOST_STYLES,
                    "items": {"type": "string"},
                },
                "width": {"type": "integer", "minimum": 1, "maximum": MOST_WIDTH},
                "blocks": {"type": "integer", "minimum": 0, "maximum": MOST_BLOCKS},
                "normalize": {"enum": ["instance", "batch"]},
                "precision": {"enum": ["float32", "bfloat16"]},
            },
        },
    },
}
# What Keras calls a kind of layer in a file.
KINDS = {
    keras.layers.Conv2D: "conv2d",
    ConditionalInstanceNormalization: "conditional_instance_normalization",
}


def check_network(path: PathLike, inputs: Iterable[object] = ()) -> Path:
    """Find out, before any work is done, whether a network can be saved: `files.check_output`."""
    return check_output(path, inputs, ".keras")


def save_network(network: StyleNetwork, path: PathLike) -> None:
    """Save as a .keras file, which Keras loads too, in float32.

    It is made in memory, and takes the place of `path` once it is whole.

    Raises:
        NSTError: the folder does not exist, is read-only or full, or the name ends otherwise.
    """
    check_network(path)
    whole = _pack(cast(network, "float32"))
    with replace_file(path) as file:
        file.write(whole)


def load_network(path: PathLike = "shipped", precision: str | None = None) -> StyleNetwork:
    """Load a network that `save_network` wrote; by default the shipped one.

    No code that a file may hold is run, and nothing but a network of this package is accepted.

    Args:
        path: a .keras file, or "shipped".
        precision: "float32", "bfloat16", or None for the faster here (measured once).

    Returns:
        a `StyleNetwork`.

    Raises:
        NSTError: there is no such file, it is damaged, or holds another kind of model.
    """
    path = SHIPPED if path == "shipped" else Path(path)
    if not os.path.exists(path):
        raise NSTError(f"there is no network {shown(path)}; make one with nst-tutorial train.")
    with open_file(path) as file:
        try:
            network = _unpack(file, path)
        except NSTError:
            raise
        except Exception as error:  # a damaged file ends in every kind of exception there is
            raise NSTError(
                f"{shown(path)} is damaged or no network of this package ({error}); train it anew."
            ) from error
    return cast(network, precision or fastest_precision())


def _pack(network):
    """Return the bytes that `keras.saving.save_model` would write, but for the date.

    Keras itself writes to a disk, which may be full; HDF5 then ends the process.
    """
    weights, whole = io.BytesIO(), io.BytesIO()
    with h5py.File(weights, "w") as file:
        for place, array in zip(_places(network), network.get_weights(), strict=True):
            file[place] = array
    members = {
        METADATA: json.dumps({"keras_version": keras.__version__}).encode(),
        CONFIG: json.dumps(keras.saving.serialize_keras_object(network)).encode(),
        WEIGHTS: weights.getvalue(),
    }
    with zipfile.ZipFile(whole, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return whole.getvalue()


def _places(network):
    """Name where Keras keeps each of the weights, in their order, within the HDF5 part."""
    seen: Counter[str] = Counter()
    for layer in network.layers:
        if kind := KINDS.get(type(layer)):
            name = f"{kind}_{seen[kind]}" if seen[kind] else kind
            yield from (f"layers/{name}/vars/{number}" for number in range(len(layer.weights)))
            seen[kind] += 1


def _unpack(file, path):
    """Check what a file says of itself, and build the network that it describes."""
    config, weights = _read_members(file)
    config = parse(config, FORM, path)["config"]
    blocks, channels, styles = config["blocks"], 4 * config["width"], len(config["styles"])
    # The residual blocks' kernels, γ and β are most of a large network.
    least = 4 * 2 * blocks * (9 * channels**2 + 2 * styles * channels)
    if least > len(weights):  # no network is built that is larger than its file
        raise ValueError("it has fewer weights than it says")
    network = StyleNetwork(**config)
    with h5py.File(io.BytesIO(weights)) as stored:
        check_plain(stored, path)
        network.set_weights(list(_read_weights(stored, network)))
    return network


def _read_members(file):
    """Read configuration and weights; the archive's checksums find what is damaged."""
    with zipfile.ZipFile(file) as archive:
        if {METADATA, CONFIG, WEIGHTS} != set(archive.namelist()):
            raise ValueError("it holds other files than a network's")
        if any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()):
            raise ValueError("it is compressed, which Keras' files are not")
        return archive.read(CONFIG), archive.read(WEIGHTS)


def _read_weights(stored, network):
    """Read each of the weights, in order; each must have the shape that the network asks for."""
    for place, variable in zip(_places(network), network.weights, strict=True):
        array = stored[place]
        if array.shape != variable.shape or array.dtype != variable.dtype:
            raise ValueError(
                f"{place} is {array.dtype} {array.shape}, not {variable.dtype} {variable.shape}"
            )
        if not np.isfinite(array := array[()]).all():
            raise ValueError(f"{place} has values that are not numbers")
        yield array
