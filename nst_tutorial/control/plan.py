"""A plan: what `TransferConfig.colors` and the regions make of pictures, before and after."""

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
    """The pictures that a transfer gets, and what is done to the one that it paints."""

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
        """Make the first picture as `scales.starting_picture` does, but each region by itself."""
        if self.guides is None:
            return scales.starting_picture(shape, content, styles, start, config)
        plain = dataclasses.replace(config, init="content")
        alone, detail = scales.starting_picture(shape, content, styles, start, plain)
        if start is None and config.init == "recolored":
            return _recolor(alone, styles, self.guides), detail
        image, detail = scales.starting_picture(shape, content, styles, start, config)
        return self._keep(image, self.guides), detail

    def finish(self, image: Array) -> np.ndarray:
        """Turn what was painted, of any size, into what is shown: put back what was to be kept."""
        if self.guides is not None:
            image = self._keep(image, self.guides)
        if self.colors == "luminance":
            return luminance_only(image, scales.resize(self.photograph, image.shape))
        return image

    def _keep(self, image, guides):
        """Put the photograph back where nothing is painted."""
        content = np.clip(scales.resize(self.content, image.shape), 0, 255)
        return np.where(guides.painted(image.shape), image, content).astype("float32")


def _recolor(image, styles, guides):
    """Give each region the colors of its own styles."""
    masks = guides.resized(image.shape)
    recolored = (1 - masks.sum(0)) * image
    for mask, mixture in zip(masks[:, None], guides.mixtures, strict=True):
        own = [styles[number] for number in mixture]
        recolored += mask * scales.recolor(image, own, mask)
    return np.clip(recolored, 0, 255).astype("float32")


def make_plan(
    content: Array | None, styles: Sequence[Array], colors: str, guides: Guides | None = None
) -> Plan:
    """Prepare pictures as `colors` asks.

    Args:
        content: `(1, H, W, 3)`, RGB, 0..255; None to synthesise a texture.
        styles: list of such.
        colors: "style", "match" or "luminance", as in `TransferConfig`.
        guides: of the regions; None: all styles go everywhere.

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
        [region] = [
            mask[None]
            for mask, mixture in zip(guides.masks, guides.mixtures, strict=True)
            if number in mixture
        ]
        weights = guides.style_masks[number]
        weights = weights if weights is None else scales.resize(weights, (1, *style.shape[1:3], 1))
    matched = match_colors(style, content, weights=weights, reference_weights=region)
    return np.clip(matched, 0, 255)
