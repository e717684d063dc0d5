"""Inputs: the pictures and the extractor that a run is given, and what they are once loaded."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from nst_tutorial.config import TransferConfig
from nst_tutorial.control.masks import load_alpha, load_mask
from nst_tutorial.control.regions import FAINTEST, Region
from nst_tutorial.extractors import Extractor, load_extractor, stride
from nst_tutorial.images import load_image
from nst_tutorial.runs.schedule import Schedule, layers_of
from nst_tutorial.runtime.errors import NSTError
from nst_tutorial.runtime.types import Array, PathLike, Source
from nst_tutorial.scales import coarse_to_fine, resize

Inputs = dict[str, Any]
MOST_REGIONS = 16
PROPORTION = 0.02  # by which a mask's proportions may differ from its picture's


def gather(
    content: Source | None,
    style: Source | None,
    start: Source | None = None,
    regions: Sequence[Region | tuple] = (),
) -> Inputs:
    """List a run's inputs under the names that they have everywhere else.

    Returns:
        `{"content": …, "styles": […], "start": …, "masks": […], "style_masks": […],
        "schedule": ()}`: the last styles are those of the regions, which the masks belong to; None
        for what there is none of.

    Raises:
        NSTError: there is no picture at all, or a region is none.
    """
    if not isinstance(regions, (list, tuple)) or len(regions) > MOST_REGIONS:
        raise NSTError(f"regions must be a list of at most {MOST_REGIONS}, each (mask, style).")
    found = [_region(region) for region in regions]
    styles = as_list(style) + [region.style for region in found]
    if content is None and not styles:
        raise NSTError("neither a content nor a style picture was given; give at least one.")
    return {
        "content": _reread(content),
        "styles": [_reread(style) for style in styles],
        "start": start,
        "masks": [region.mask for region in found],
        "style_masks": [region.style_mask for region in found],
        "schedule": (),
    }


def load(sources: Inputs, config: TransferConfig, grid: int = 1) -> Inputs:
    """Load what `gather` listed.

    Args:
        grid: what the sides of the picture must be multiples of, in all its sizes; see `grid_of`.

    Returns:
        the same, as arrays. Besides, under "alpha" `(1, H, W, 1)`, 0..1, how opaque the photograph
        is, and under "style_alphas" the same of each style picture; None: everywhere.

    Raises:
        NSTError: a picture cannot be read, or a mask does not fit its picture.
    """
    content, styles, start = load_pictures(
        sources["content"], sources["styles"], sources["start"], config
    )
    if content is None and sources["masks"]:
        raise NSTError("regions are parts of a photograph, and there is none.")
    given = content
    if content is None:
        styles[0] = _on_grid(styles[0], grid, config)
    else:
        content = _on_grid(content, grid, config)
    own = styles[len(styles) - len(sources["masks"]) :]
    return {
        "content": content,
        "styles": styles,
        "start": start,
        "masks": [_fitting_mask(mask, given, content.shape) for mask in sources["masks"]],
        "style_masks": [
            None if mask is None else _fitting_mask(mask, style, style.shape)
            for mask, style in zip(sources["style_masks"], own, strict=True)
        ],
        "alpha": _alpha(sources["content"], content),
        "style_alphas": list(map(_alpha, sources["styles"], styles)),
    }


def grid_of(extractor: Extractor) -> int:
    """What sides must be multiples of, in pixels, so that a wrapped picture closes."""
    return stride(extractor.layers[-1]) if extractor.border == "wrap" else 1


def _on_grid(picture, grid, config):
    """Make a picture's sides multiples of a grid in all sizes that it grows through, each half."""
    if grid == 1:
        return picture
    stages = coarse_to_fine(picture.shape, config.scales, config.steps, config.learning_rate)
    grid *= 2 ** (len(stages) - 1)
    sides = (grid * max(1, side // grid) for side in picture.shape[1:3])
    return np.clip(resize(picture, (1, *sides, 3)), 0, 255)


def load_pictures(
    content: Source | None, style: Source | None, start: Source | None, config: TransferConfig
) -> tuple[Array, list[np.ndarray], Array]:
    """Load content (or None), the list of styles, and the start (or None)."""
    styles = as_list(style)
    content = None if content is None else load_image(content, config.size)
    styles = [_style(picture, content, config) for picture in styles]
    return content, styles, None if start is None else load_image(start)


def style_masks_of(pictures: Inputs) -> list[Array | None]:
    """What counts of each style picture: its mask, and where it is opaque; None: all."""
    free = len(pictures["styles"]) - len(pictures["masks"])
    masks = [None] * free + pictures["style_masks"]
    pairs = zip(masks, pictures["style_alphas"], strict=True)
    return [
        mask if alpha is None else alpha * (1 if mask is None else mask) for mask, alpha in pairs
    ]


def prepare_extractor(
    extractor: Extractor | PathLike | None,
    config: TransferConfig,
    content: Source | None,
    styles: Sequence[Source],
    schedule: Schedule = (),
) -> Extractor:
    """Load the extractor if it is a name, with no layer more than needed, on the way too.

    L-BFGS measures curvature by differences of gradients, which bfloat16's rounding drowns: its
    line search finds no way down. It gets float32.
    """
    content_layers = () if content is None else layers_of(schedule, config)
    layers = content_layers + (config.style_layers if styles else ())
    if not isinstance(extractor, Extractor):
        extractor = load_extractor(extractor, layers)
    extractor = extractor.select(layers)
    return extractor.cast("float32") if config.optimizer == "lbfgs" else extractor


def as_list(style: Source | None) -> list[Source]:
    """One style picture, several or none, as a list."""
    return [] if style is None else list(style) if isinstance(style, (list, tuple)) else [style]


def _style(picture, content, config):
    """A style picture as the config resizes it; with no content there is nothing to squash to."""
    if config.style_resize == "own":
        return load_image(picture)
    if config.style_resize == "squash" and content is not None:
        return np.clip(resize(load_image(picture), content.shape), 0, 255)
    longest = config.size if content is None else max(content.shape)
    return load_image(picture, max(1, round(config.style_scale * (config.style_size or longest))))


def _region(region):
    if isinstance(region, Region):
        return region
    if isinstance(region, (tuple, list)) and len(region) in (2, 3):
        return Region(*region)
    raise NSTError("a region must be (mask, style) or (mask, style, mask on the style picture).")


def _reread(source):
    """Read an open file, so that it can be looked at twice."""
    return source.read() if hasattr(source, "read") else source


def _alpha(source, picture):
    """How opaque a picture that was loaded is; None: everywhere."""
    alpha = None if source is None else load_alpha(source, max(picture.shape))
    if alpha is None:
        return None
    return np.clip(resize(alpha, (1, *picture.shape[1:3], 1)), 0, 1)


def _fitting_mask(source, picture, shape):
    """Load a mask of a picture's proportions, in the size that the picture is painted in."""
    mask = load_mask(source)
    (_, h, w, _), (_, height, width, _) = mask.shape, picture.shape
    if not abs(w * height - h * width) <= PROPORTION * h * width + max(h, w, height, width):
        raise NSTError(
            f"a mask of {w}×{h} does not fit a picture of {width}×{height}; it must have the same "
            "proportions."
        )
    mask = np.clip(resize(mask, (1, *shape[1:3], 1)), 0, 1)
    if mask.max() < FAINTEST:
        raise NSTError("a mask is black everywhere; paint white what belongs to its region.")
    return mask
