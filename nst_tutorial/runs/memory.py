"""Memory: what a transfer takes at its height, and how that fits into what is free."""

import bisect
import math
from collections.abc import Sequence

from nst_tutorial.extractors import Extractor
from nst_tutorial.lbfgs import PAIRS
from nst_tutorial.runs.tiles import overlap
from nst_tutorial.runtime.errors import NSTError
from nst_tutorial.runtime.memory import available_memory
from nst_tutorial.runtime.types import Shape

# Found by measuring the peaks of whole transfers; a test measures again.
COPIES = 1.3  # of every layer's output: kept for the gradient, or moving
BYTES = {"float32": 4, "bfloat16": 3.2}  # a number of all these; much is cast back to float32
VECTORS = {"lbfgs": 8 + 2 * PAIRS + 8}  # pictures in float32; of other optimizers:
FEW_VECTORS = 8
CANVASES = 16  # pictures in float32 that tiles need besides, and the content's features
OVERHEAD = 48 * 2**20  # the graph, and what the heap keeps
SMALLEST = 32  # pixels; a smaller picture is no advice
MARGIN = 1.2  # the prediction may be that much too low
TRIED = (None, 1024, 512, 256)  # the picture whole, and sides of tiles


def predicted_peak(
    shape: Shape,
    style_shapes: Sequence[Shape],
    extractor: Extractor,
    optimizer: str,
    tile: int | None = None,
    regions: int = 0,
) -> float:
    """Predict the memory that a transfer takes at its height, beyond what is in use before it.

    Args:
        shape: `(1, H, W, 3)` of the generated picture at its full size, with its margin.
        style_shapes: of the style pictures; each goes through the network once, and is let go.
        extractor: the `Extractor`, in the precision that it will compute in.
        optimizer: as in `TransferConfig`.
        tile: side of the tiles that go through the network; None: pictures do, whole.
        regions: for each of which the layers' features are kept once more.

    Returns:
        bytes.
    """
    window = (tile + 2 * overlap(extractor.layers[-1])) ** 2 if tile else math.inf
    picture, *styles = (min(math.prod(one[1:3]), window) for one in (shape, *style_shapes))
    vectors = VECTORS.get(optimizer, FEW_VECTORS) + (CANVASES if tile else 0)
    kept = math.prod(shape[1:3]) * vectors * 12
    features, guided = (COPIES * bytes_per_pixel(extractor, count) for count in (0, regions))
    return OVERHEAD + max(guided * picture + kept, *(features * style for style in styles), 0)


def fitting_tile(
    shape: Shape,
    style_shapes: Sequence[Shape],
    extractor: Extractor,
    optimizer: str,
    margin: float = 0.0,
    regions: int = 0,
) -> int | None:
    """Find out, before a transfer begins, how it goes into the free memory.

    Args: those of `predicted_peak`, and the margin that a `TransferConfig` has around the picture,
        and the number of regions.

    Returns:
        None where whole pictures fit; else the side of the tiles to take.

    Raises:
        NSTError: it would not fit in tiles either; with what would.
    """
    free = available_memory()

    def needed(size, tile, optimizer=optimizer):
        shapes = [_scaled(one, size / max(shape)) for one in (shape, *style_shapes)]
        around = 2 * round(margin * size)
        canvas = (1, shapes[0][1] + around, shapes[0][2] + around, 3)
        return MARGIN * predicted_peak(canvas, shapes[1:], extractor, optimizer, tile, regions)

    for tile in TRIED:
        if needed(max(shape), tile) <= free:
            return tile
    sizes = range(SMALLEST, max(shape), 8)
    fit = bisect.bisect(sizes, free, key=lambda size: min(needed(size, t) for t in TRIED))
    ways = ["optimizer='adam'"] if needed(max(shape), TRIED[-1], "adam") <= free else []
    ways += [f"size={sizes[fit - 1]}, for the style pictures too,"] if fit else []
    least = min(needed(max(shape), tile) for tile in TRIED)
    raise NSTError(
        f"{shape[2]}×{shape[1]} pixels with {extractor.name} and {optimizer} need about "
        f"{least / 2**30:.2f} GiB, and {free / 2**30:.2f} GiB are free "
        "here; " + (f"with {' or '.join(ways)} it would fit." if ways
        else "close other programs, or use another machine.")
    )  # fmt: skip


def _scaled(shape, scale):
    return (1, *(round(scale * side) for side in shape[1:3]), 3)


def bytes_per_pixel(extractor: Extractor, regions: int = 0) -> float:
    """The size of all layers' outputs, for each pixel; those that losses see also by region."""
    positions, outputs = 1.0, 0.0
    for layer in extractor.model.layers:
        positions /= 4 if "Pooling" in type(layer).__name__ else 1
        copies = 1 + regions * (layer.name in extractor.layers)
        outputs += copies * positions * layer.output.shape[-1]
    return BYTES[extractor.precision] * outputs
