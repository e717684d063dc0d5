"""A plan: what `TransferConfig.colors` and regions do to the pictures, before and after."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from nst_tutorial import scales
from nst_tutorial.config import TransferConfig
from nst_tutorial.control.colors import match_colors
from nst_tutorial.control.luminance import luminance, luminance_only
from nst_tutorial.control.regions import Guides
from nst_tutorial.runtime.errors import NSTError
from nst_tutorial.runtime.types import Array, Shape


@dataclasses.dataclass(frozen=True)
class Plan:
    """The pictures that a transfer is given, and what happens to the one it paints."""

    photograph: Array | None  # (1, H, W, 3), as it was given
    content: Array | None  # as the transfer sees it
    styles: list[Array]  # likewise
    colors: str
    guides: Guides | None = None

    def start(
        self,
        shape: Shape,
        content: Array | None,
        styles: Sequence[Array],
        start: Array | None,
        config: TransferConfig,
    ) -> tuple[np.ndarray, Array | None]:
        """Make the starting picture like `scales.starting_picture`, but region by region."""
        if self.guides is None:
            return scales.starting_picture(shape, content, styles, start, config)
        plain = dataclasses.replace(config, init="content")
        alone, detail = scales.starting_picture(shape, content, styles, start, plain)
        if start is None and config.init == "recolored":
            return _recolor(alone, styles, self.guides), detail
        image, detail = scales.starting_picture(shape, content, styles, start, config)
        return _keep(image, self.content, self.guides), detail

    def finish(self, image: Array) -> np.ndarray:
        """Turn what was painted, at any size, into what is shown: put back whatever is kept."""
        if self.colors == "luminance":
            image = luminance_only(image, scales.resize(self.photograph, image.shape))
        return image if self.guides is None else _keep(image, self.photograph, self.guides)


def _keep(image, kept, guides):
    """Put a picture back where nothing is painted."""
    kept = np.clip(scales.resize(kept, image.shape), 0, 255)
    return np.where(guides.painted(image.shape), image, kept).astype("float32")


def _recolor(image, styles, guides):
    """Give each region the colors of its own styles."""
    masks = guides.resized(image.shape)
    recolored = (1 - masks.sum(0)) * image
    for mask, mixture in zip(masks[:, None], guides.mixtures, strict=True):
        own = [styles[number] for number in mixture]
        own_counts = np.concatenate([_weights(guides, n, styles[n]) for n in mixture])
        matched = scales.recolor(image, own, weights=mask, reference_weights=own_counts)
        recolored += mask * matched
    return np.clip(recolored, 0, 255).astype("float32")


def _weights(guides, number, style):
    """How much each pixel of a style picture counts, in a row."""
    mask = guides.on_style(number, style.shape)
    return np.ones(style.size // 3) if mask is None else np.ravel(mask)


def make_plan(
    content: Array | None, styles: Sequence[Array], colors: str, guides: Guides | None = None
) -> Plan:
    """Prepare the pictures according to `colors`.

    Args:
        content: `(1, H, W, 3)`, RGB, 0..255; None to synthesise a texture.
        styles: a list of pictures like it.
        colors: "style", "match" or "luminance", as in `TransferConfig`.
        guides: those of the regions; None: all styles go everywhere.

    Returns:
        a `Plan`.

    Raises:
        NSTError: there is no photograph whose colors could be kept.
    """
    if colors != "style" and content is None:
        raise NSTError(f"colors={colors!r} keeps a photograph's colors, and there is none.")
    photograph, styles = content, list(styles)
    if colors == "luminance":
        content, styles = luminance(content), [luminance(style) for style in styles]
    if colors != "style":
        styles = [_like(content, styles, number, guides) for number in range(len(styles))]
    return Plan(photograph, content, styles, colors, guides)


def _like(content, styles, number, guides):
    """A style picture in the colors of the photograph, where it is painted."""
    style, weights, region = styles[number], None, None
    if guides is not None:
        owner = next(r for r, mixture in enumerate(guides.mixtures) if number in mixture)
        region, weights = guides.masks[owner], _weights(guides, number, style)
    matched = match_colors(style, content, weights=weights, reference_weights=region)
    return np.clip(matched, 0, 255)
