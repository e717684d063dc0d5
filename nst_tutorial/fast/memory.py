"""Memory: what a network takes to paint and to learn, and whether that fits into what is free."""

import contextlib
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from nst_tutorial.fast.config import TrainConfig
from nst_tutorial.runs.memory import bytes_per_pixel
from nst_tutorial.runtime.backend import backend_name
from nst_tutorial.runtime.errors import NSTError
from nst_tutorial.runtime.memory import address_space, available_memory
from nst_tutorial.runtime.types import Shape

if TYPE_CHECKING:
    from nst_tutorial.extractors import Extractor
    from nst_tutorial.fast.network import StyleNetwork

# Bounds on what was measured in fresh processes.
PAINTING = (130, 17)  # bytes for each pixel; and for each pixel and channel of the network's width
PAINTING_SPACE = (200, 110)  # addresses: a convolution reserves several times what it uses
LEARNING = (75, 15)  # bytes for each pixel and channel; and for each residual block too
COPIES = 1.5  # of the extractor's outputs
STATE = 4 * 6  # bytes for each weight: with its gradient, its optimizer's, and a checkpoint's copy
OVERHEAD = 160 * 2**20  # the compiled graph
SPACE_OVERHEAD = 2**30  # and what its threads reserve
LEAST = 16


def check_painting(network: "StyleNetwork", shape: Shape) -> None:
    """Find out whether pictures can be painted in the memory that is free.

    Args:
        network: the `StyleNetwork`.
        shape: `(B, H, W, 3)`.

    Raises:
        NSTError: they cannot; the sentence says which size can.
    """
    used, mapped = (base + each * network.width for base, each in (PAINTING, PAINTING_SPACE))
    pixels, fit = math.prod(shape[:-1]), (available_memory() - OVERHEAD) / used
    if pixels > network.largest:  # else the process has these addresses already
        fit = min(fit, (address_space() - SPACE_OVERHEAD) / mapped)
    if pixels <= fit:
        return
    size = int(max(shape[1:3]) * math.sqrt(max(fit, 0) / pixels))
    raise NSTError(
        f"painting {shape[2]}×{shape[1]} pixels takes more memory than is free here; "
        + (f"with size={size} it would fit." if size >= LEAST else "close other programs.")
    )


def check_training(
    network: "StyleNetwork",
    config: TrainConfig,
    extractor: "Extractor",
    style_shapes: Sequence[Shape],
) -> None:
    """Find out whether steps of a training fit into the memory that is free.

    Args:
        network: the `StyleNetwork`.
        config: a `TrainConfig`.
        extractor: the `Extractor`.
        style_shapes: of the style pictures, `(1, H, W, 3)`; each goes through it once.

    Raises:
        NSTError: they do not.
    """
    seen = COPIES * bytes_per_pixel(extractor)
    learning = seen + network.width * (LEARNING[0] + LEARNING[1] * network.blocks)
    crops = config.batch_size * config.size**2 * learning
    styles = [math.prod(shape[:-1]) * seen for shape in style_shapes]
    needed = OVERHEAD + STATE * network.count_params() + max(crops, *styles)
    free = min(available_memory(), address_space() - SPACE_OVERHEAD)
    if needed > free:
        raise NSTError(
            f"this training takes about {needed / 2**30:.1f} GiB, and {max(free, 0) / 2**30:.1f} "
            "GiB are free here; lower batch_size, size, style_size, width or blocks."
        )


@contextlib.contextmanager
def memory_errors_as_sentences() -> Iterator[None]:
    """Turn a lack of memory that no prediction foresaw into a sentence."""
    lack: tuple[type[Exception], ...] = (MemoryError,)
    if backend_name() == "tensorflow":
        import tensorflow as tf

        lack = (MemoryError, tf.errors.ResourceExhaustedError)
    try:
        yield
    except lack:
        raise NSTError(
            "there is too little memory; take a smaller size, or close other programs."
        ) from None
