"""Coarse to fine: large strokes are laid down where they are few pixels wide, and cheap.

The sizes that a picture grows through, where it starts, and how it is resampled.
"""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from nst_tutorial.config import TransferConfig
from nst_tutorial.control.colors import match_colors
from nst_tutorial.runtime.backend import ops
from nst_tutorial.runtime.types import Array, Shape

SMALLEST_STAGE = 64  # pixels on the shorter side: four positions at block5
FAINT = 4.0**2  # the variance of a color that is too faint to tell from noise


@dataclasses.dataclass(frozen=True)
class Stage:
    """One of the sizes that a picture grows through."""

    shape: tuple[int, ...]  # (1, h, w, 3)
    steps: int
    learning_rate: float  # of its first step


def coarse_to_fine(shape: Shape, scales: int, steps: int, learning_rate: float) -> list[Stage]:
    """Plan the sizes and share out the steps.

    From the full size down, each size is half the one before, and its strides are 1.6 times as
    long. The smallest gets half of the steps, since they cost least there; the others share the
    rest. Sizes below `SMALLEST_STAGE`, and those that get no step, are left out.

    Args:
        shape: `(1, H, W, 3)` of the full size.
        scales: how many sizes at most.
        steps: in all.
        learning_rate: at the full size.

    Returns:
        `Stage`s, the smallest first; the last has the full size.
    """
    shapes = [scale_shape(shape, 0.5**halvings) for halvings in range(scales)]
    shapes = shapes[:1] + [small for small in shapes[1:] if min(small[1:3]) >= SMALLEST_STAGE]
    larger = len(shapes) - 1
    shares = np.cumsum([1] * larger + [larger or 1])
    ends = [math.ceil(steps * share / shares[-1]) for share in shares]
    counts = np.diff([0, *ends]).tolist()
    rates = [learning_rate * 1.6**halvings for halvings in range(len(shapes))]
    stages = map(Stage, shapes, counts, rates)
    return [stage for stage in stages if stage.steps][::-1]


def scale_shape(shape: Shape, scale: float, least: int = 1) -> Shape:
    """Scale `(1, H, W, 3)`, keeping the aspect ratio and no side below `least`."""
    _, height, width, channels = shape
    scale = max(scale, least / min(height, width))
    return (1, round(height * scale), round(width * scale), channels)


def resize(image: Array, shape: Shape) -> np.ndarray:
    """Resample values of any range to `(1, H, W, 3)`; bicubic, so up to a tenth may overshoot."""
    if tuple(image.shape) == tuple(shape):
        return image
    size = tuple(shape[1:3])
    resized = ops.image.resize(
        image, size, interpolation="bicubic", antialias=True, data_format="channels_last"
    )
    return ops.convert_to_numpy(resized)


def enlarge(image: Array, shape: Shape, content: Array | None = None) -> np.ndarray:
    """Enlarge a picture halfway through its transfer to `(1, H, W, 3)`, RGB in 0..255.

    Where there is a content picture, what is enlarged is the change made to it so far: the
    content's own detail, which the small picture could not hold, is there again.
    """
    if content is None or tuple(image.shape) == tuple(shape):
        return np.clip(resize(image, shape), 0, 255)
    change = resize(image - resize(content, image.shape), shape)
    return np.clip(resize(content, shape) + change, 0, 255)


def starting_picture(
    shape: Shape,
    content: Array | None,
    styles: Sequence[Array],
    start: Array | None,
    config: TransferConfig,
) -> tuple[np.ndarray, Array | None]:
    """Make the first picture, and name the one whose detail comes back as it is enlarged."""
    if start is None and config.init in ("content", "recolored") and content is not None:
        small = resize(content, shape)
        recolored = config.init == "recolored" and styles
        return recolor(small, styles) if recolored else small, content
    if start is None and config.init == "style" and styles:
        start = styles[0]
    if start is not None:
        return np.clip(resize(start, shape), 0, 255), None
    noise = np.random.default_rng(config.seed).normal(127.5, config.noise_std, shape)
    return np.clip(noise, 0, 255).astype("float32"), None


def recolor(image: Array, references: Sequence[Array], **counts: Array) -> np.ndarray:
    """Give a picture the colors of others: a start that is nearer to the style.

    All are `(1, H, W, 3)`, RGB, 0..255; see `control.colors.match_colors`, which also says what
    `counts` may be. A gray photograph's tints, fainter than `FAINT`, are not blown up to patches.
    """
    return np.clip(match_colors(image, references, faint=FAINT, **counts), 0, 255)


def at_scale(
    scale: float, content: Array | None, styles: Sequence[Array], least: int
) -> tuple[Array | None, list[np.ndarray]]:
    """Scale content and styles alike, but no side of a style below `least` pixels."""
    styles = [resize(style, scale_shape(style.shape, scale, least)) for style in styles]
    return None if content is None else resize(content, scale_shape(content.shape, scale)), styles
