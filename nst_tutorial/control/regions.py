"""Regions: one style for the sky, another for the house.

Gatys, Ecker, Bethge, Hertzmann and Shechtman, "Controlling perceptual factors in neural style
transfer", arXiv 1611.07865, section 4: each region has Gram matrices of its own, in which
each position counts as much as it belongs to the region. A mask says how much that is.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from nst_tutorial.config import TransferConfig
from nst_tutorial.extractors import Extractor, stride
from nst_tutorial.losses import StyleTarget
from nst_tutorial.objective import Objective, style_divisor
from nst_tutorial.runtime.backend import ops
from nst_tutorial.runtime.errors import NSTError
from nst_tutorial.runtime.types import Array, Arrays, Shape, Source, Terms, Tree
from nst_tutorial.scales import resize
from nst_tutorial.transfer import mirrored

FAINTEST = 1 / 512  # a mask below this is black: half a level of an 8-bit picture


@dataclasses.dataclass(frozen=True)
class Region:
    """A part of the photograph and its style, each in any form that `load_mask` or `load_image` \
accepts."""

    mask: Source  # on the photograph: white is inside
    style: Source
    style_mask: Source | None = None  # on the style picture: which part counts; None: all of it


@dataclasses.dataclass(frozen=True)
class Guides:
    """The regions' masks, as arrays.

    Where masks overlap, the regions share the pixels. Whatever no mask covers is kept as it is.
    """

    masks: np.ndarray  # (R, H, W, 1), 0..1, on the photograph; together at most 1
    mixtures: tuple[dict[int, float], ...]  # of each region: {number of a style picture: weight}
    style_masks: tuple[Array | None, ...]  # (1, H', W', 1), 0..1, of each style picture

    def resized(self, shape: Shape, margin: float = 0.0) -> np.ndarray:
        """Resize the masks to a picture `(1, h, w, 3)` with a mirrored margin: `(R, h, w, 1)`."""
        whole = mirrored(self.masks, round(margin * max(self.masks.shape[1:3])))
        return np.clip(resize(whole, (len(whole), *shape[1:3], 1)), 0, 1)

    def on_style(self, number: int, shape: Shape) -> Array | None:
        """Resize a style picture's mask to `(1, h, w, 3)`: `(1, h, w, 1)`; None: all counts."""
        mask = self.style_masks[number]
        return None if mask is None else np.clip(resize(mask, (1, *shape[1:3], 1)), 0, 1)

    def painted(self, shape: Shape, margin: float = 0.0) -> np.ndarray:
        """Return where a picture is painted at all: `(1, h, w, 1)`, True or False."""
        return self.resized(shape, margin).sum(0, keepdims=True) > FAINTEST


def make_guides(
    masks: Sequence[Array],
    style_masks: Sequence[Array | None],
    alpha: Array | None,
    blend: Sequence[float] | None,
    shape: Shape,
) -> Guides | None:
    """Work out which style goes where.

    Args:
        masks: one for each region, `(1, H, W, 1)`, 0..1. The last style pictures belong to the
            regions, in order. Those before them are blended where there is no mask; if there
            are none, that part is kept as it is.
        style_masks: of all style pictures, `(1, H', W', 1)` or None.
        alpha: `(1, H, W, 1)`, how opaque the photograph is; None: everywhere.
        blend: weights of the style pictures that have no region; None: all alike.
        shape: `(1, H, W, 3)` of the photograph.

    Returns:
        `Guides`, or None if every style goes everywhere, with all of its picture.

    Raises:
        NSTError: nothing of the photograph is left for a region or for a style.
    """
    free = len(style_masks) - len(masks)  # styles without a region
    if not masks and alpha is None and not any(mask is not None for mask in style_masks):
        return None
    _refuse_what_leaves_nothing(style_masks, alpha, blend, free)
    mixtures = [{free + number: 1.0} for number in range(len(masks))]
    together = np.concatenate(masks) if masks else np.zeros((0, *shape[1:3], 1), "float32")
    together = together / np.maximum(together.sum(0), 1)
    if free:
        weights = np.array(blend or (1.0,) * free)
        mixtures.append(dict(enumerate((weights / weights.sum()).tolist())))
        together = np.concatenate([together, np.clip(1 - together.sum(0, keepdims=True), 0, 1)])
    together = together * (1 if alpha is None else alpha)
    for number, mask in enumerate(together):
        if mask.max() < FAINTEST:
            last = free and number == len(masks)
            what = "the style that has no mask" if last else f"region {number + 1}"
            raise NSTError(f"nothing of the photograph is left for {what}; look at the masks.")
    return Guides(together.astype("float32"), tuple(mixtures), tuple(style_masks))


def _refuse_what_leaves_nothing(style_masks, alpha, blend, free):
    """Refuse what is transparent everywhere, and a blend of more or fewer styles than there are."""
    if blend and len(blend) != free:
        raise NSTError(f"blend has {len(blend)} weights for {free} styles that have no region.")
    if any(mask is not None and mask.max() < FAINTEST for mask in style_masks):
        raise NSTError("a style picture is transparent, or masked, everywhere.")
    if alpha is not None and alpha.max() < FAINTEST:
        raise NSTError("the photograph is transparent everywhere; there is nothing to paint.")


class GuidedObjective(Objective):
    r"""An `Objective` with a style loss for each region.

    $E_l = \sum_r \frac{\lambda_r}{4 N^2} \sum_{ij} (G^r_{ij} - A^r_{ij})^2$   (1611.07865)

    The $G^r$ are guided Gram matrices, and $\lambda_r$ is the region's share of the photograph:
    a Gram matrix averaged over fewer positions pulls harder on each of them, and with this factor a
    small region is painted about as strongly as a large one. The paper has no such factor. Pixels
    outside all regions do not move.

    Args:
        guides: `Guides` on the photograph at its full size.

    The other arguments are `Objective`'s.
    """

    extractor: Extractor

    def __init__(
        self,
        content_image: Array | None,
        style_images: Sequence[Array],
        extractor: Extractor,
        config: TransferConfig,
        shape: Shape,
        *,
        guides: Guides,
        **tiles: Any,
    ) -> None:
        self._guides, self._masks = guides, guides.resized(shape, config.margin)
        self._moving = ops.cast(guides.painted(shape, config.margin), "float32")
        super().__init__(content_image, style_images, extractor, config, shape, **tiles)

    def differentiate(self, image: Array, weights: Tree) -> tuple[Terms, Array]:
        """Return the terms at a picture and the total's gradient (0 outside the regions)."""
        terms, gradient = super().differentiate(image, weights)
        return terms, gradient * self._moving

    def _style_targets(self, images, layers, blend):
        """`{layer: (StyleTarget, divisors)}`, with a Gram matrix and a divisor for each region."""
        grams = []
        for number, image in enumerate(images):
            guides: Arrays = {}
            if (mask := self._guides.on_style(number, image.shape)) is not None:
                guides = {layer: propagate(mask, self.extractor, layer) for layer in layers}
            grams.append(self._mean_grams(image, layers, guides))
        return {layer: self._target(layer, images, grams) for layer in layers}

    def _target(self, layer, images, grams):
        A = [
            sum(
                weight * self._gram_scale(layer, images[number].shape) * grams[number][layer]
                for number, weight in mixture.items()
            )
            for mixture in self._guides.mixtures
        ]
        sizes = self._feature_shape(layer), self.shape
        shares = self._masks.mean((1, 2, 3))
        divisors = [
            style_divisor(one, self.convention, *sizes) / share
            for one, share in zip(A, shares, strict=True)
        ]
        guide = propagate(self._masks, self.extractor, layer)
        target = StyleTarget(ops.concatenate(A), ops.convert_to_tensor(guide))
        return target, ops.convert_to_tensor(divisors, "float32")


def propagate(masks: Array, extractor: Extractor, layer: str) -> np.ndarray:
    """Average masks `(R, H, W, 1)` over each of a layer's positions, as pooling would.

    Returns:
        `(R, h, w, 1)`.

    Differs: the authors' notebooks call this "simple". Their "inside" counts only positions that
    see nothing but the region; their "all" counts every position that sees any of it.
    """
    h, w, _ = extractor.feature_shape(layer, masks.shape)
    side = stride(layer)
    grid = ops.convert_to_numpy(extractor.on_grid(masks))[:, : h * side, : w * side]
    return grid.reshape(len(masks), h, side, w, side, 1).mean((2, 4))
