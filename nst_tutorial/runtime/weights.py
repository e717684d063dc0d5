"""The extractors' weights: embedded, downloaded, random or from a file.

Files are read without unpickling anything.
"""

import contextlib
import math
import os
import struct
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import h5py
import numpy as np

from nst_tutorial.runtime import memory
from nst_tutorial.runtime.download import download_vgg19, vgg19_file
from nst_tutorial.runtime.errors import NSTError
from nst_tutorial.runtime.files import open_file, shown
from nst_tutorial.runtime.hdf5 import check_plain
from nst_tutorial.runtime.types import PathLike

BLOCKS = (2, 2, 4, 4, 4)  # convolutions in each block
VGG19_WIDTHS = (64, 128, 256, 512, 512)
POCKET_WIDTHS = (32, 96, 128, 128, 128)
LAYERS = tuple(
    f"block{block}_conv{convolution}"
    for block, convolutions in enumerate(BLOCKS, start=1)
    for convolution in range(1, convolutions + 1)
)
WIDEST = 4096  # channels that a layer may have
BYTES_PER_WEIGHT = 12  # as read, as float32, and as Keras keeps it
LONGEST_DIRECTORY = 2**16  # bytes of the list of members that an .npz file ends with
POCKET_FILE = Path(__file__).with_name("pocket.npz")
Weights = Mapping[str, Sequence[np.ndarray]]  # {layer: (kernel, bias)}


def load_weights(name: str, layers: Sequence[str], seed: int = 0) -> Weights:
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


def layers_in(name: str) -> tuple[str, ...]:
    """List the layers that an extractor's weights have: all, or those in an .npz file."""
    if not name.endswith(".npz"):
        return LAYERS
    with np.load(name) as file:
        return tuple(layer for layer in LAYERS if f"{layer}:w" in file)


def random_weights(widths: Sequence[int], layers: Sequence[str], seed: int) -> Weights:
    """Draw He-normal kernels and zero biases: `{layer: (kernel, bias)}`, fixed by the seed."""
    rng = np.random.default_rng(seed)
    weights = {}
    for layer, (inputs, width) in _channels(widths, layers).items():
        kernel = rng.normal(0, np.sqrt(2 / (9 * inputs)), (3, 3, inputs, width))
        weights[layer] = kernel.astype("float32"), np.zeros(width, "float32")
    return weights


def read_weights(
    path: PathLike, layers: Sequence[str] = LAYERS, widths: Sequence[int] | None = None
) -> Weights:
    """Read `{layer: (kernel, bias)}` from a file, unpickling nothing, and check that they fit.

    The arrays' headers are checked before any of their numbers are read, because a small file may
    promise large arrays.

    Args:
        path: .npz with `layer:w` and `layer:b`, or .h5 with Keras' groups.
        layers: which to read.
        widths: channels of the five blocks; by default those that the file has.

    Raises:
        NSTError: the file is missing, damaged, too large for the memory, or does not hold these
            layers in VGG19's shape as finite floating-point numbers.
    """
    name = shown(path)
    arrays_of = _arrays_of_h5 if str(path).endswith(".h5") else _arrays_of_npz
    with open_file(path) as file, _one_sentence(name), arrays_of(file, name, layers) as arrays:
        _check_headers(name, arrays, widths)
        with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused
            weights = {
                layer: [np.asarray(array[()], "float32") for array in pair]
                for layer, pair in arrays.items()
            }
    if not all(np.isfinite(part).all() for pair in weights.values() for part in pair):
        raise NSTError(f"{name} has weights that are not finite; copy or download it again.")
    return weights


@contextlib.contextmanager
def _one_sentence(name):
    """Turn every way in which a file can hold no weights into an NSTError."""
    try:
        yield
    except NSTError:
        raise
    except KeyError as error:
        raise NSTError(f"{name} has no weights of VGG19's form: {error.args[0]}.") from error
    except Exception as error:  # damaged files end in every kind of exception there is
        raise NSTError(f"{name} cannot be read as weights ({error}).") from error


@contextlib.contextmanager
def _arrays_of_npz(file, name, layers):
    _demand_short_directory(file)
    with zipfile.ZipFile(file) as archive:
        yield {
            layer: [_Member(archive, f"{layer}:{part}.npy") for part in "wb"] for layer in layers
        }


def _demand_short_directory(file):
    """Refuse an archive of millions of members: all would be listed before one is looked for.

    The file must end as NumPy's do: in 22 bytes, with no comment and no extension before them.
    """
    file.seek(-42, os.SEEK_END)
    end = file.read()
    length, comment = struct.unpack("<12xL4xH", end[20:])
    plain = end[20:].startswith(b"PK\5\6") and not comment and not end.startswith(b"PK\6\7")
    if not plain or length > LONGEST_DIRECTORY:
        raise zipfile.BadZipFile("it does not end as NumPy's files do")


class _Member:
    """An array in an .npz file: its header at once, its numbers by `[()]` as from h5py."""

    def __init__(self, archive, name):
        # Other compressions than NumPy's unpack all there is, however little is asked for.
        if archive.getinfo(name).compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise zipfile.BadZipFile("its compression is not NumPy's")
        self._open = lambda: archive.open(name)
        with self._open() as file:
            np.lib.format.read_magic(file)
            self.shape, _, self.dtype = np.lib.format.read_array_header_1_0(file)

    def __getitem__(self, _):
        with self._open() as file:
            return np.lib.format.read_array(file, allow_pickle=False)


@contextlib.contextmanager
def _arrays_of_h5(file, name, layers):
    with h5py.File(file, "r") as h5:
        check_plain(h5, name)
        yield {layer: _arrays_in(h5[layer]) for layer in layers}


def _arrays_in(group):
    """List the arrays of a group and of its groups, the kernel before the bias."""
    found = []

    def note(path, part):
        if isinstance(part, h5py.Dataset):
            found.append(part)

    group.visititems(note)
    if len(found) != 2:
        raise KeyError(f"{group.name} holds {len(found)} arrays, not a kernel and a bias")
    if any(part.chunks for part in found):  # which may be packed, and unpack to any size
        raise KeyError(f"{group.name} is stored in chunks; save it in one piece")
    return sorted(found, key=lambda part: -part.ndim)


def _check_headers(name, arrays, widths):
    """Refuse what is not VGG19's by the arrays' shapes and kinds alone."""
    widths = widths or [
        (0, *pair[0].shape)[-1] for layer, pair in arrays.items() if layer.endswith("conv1")
    ]
    if not all(0 < width <= WIDEST for width in widths):
        raise NSTError(f"{name} does not fit: {widths} channels, not 1 to {WIDEST}.")
    for layer, (inputs, width) in _channels(widths, arrays).items():
        shapes = tuple(part.shape for part in arrays[layer])
        expected = ((3, 3, inputs, width), (width,))
        if shapes != expected:
            raise NSTError(f"{name} does not fit: {layer} should be {expected}, but is {shapes}.")
        if any(part.dtype.kind != "f" for part in arrays[layer]):
            raise NSTError(f"{name} does not fit: {layer} is not of floating-point numbers.")
    numbers = sum(math.prod(array.shape) for pair in arrays.values() for array in pair)
    if numbers * BYTES_PER_WEIGHT > memory.available_memory():
        raise NSTError(f"{name} has {numbers} weights, too many for the memory that is free here.")


def _channels(widths, layers):
    """Channels into and out of each layer: `{layer: (inputs, width)}`."""
    channels, inputs = {}, 3
    for layer in layers:
        width = widths[int(layer[len("block")]) - 1]
        channels[layer], inputs = (inputs, width), width
    return channels
