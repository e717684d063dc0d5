"""Posters: the objective of a picture of any size, exactly, in the memory of one tile.

All that the loss has of the network's features are sums over positions: the content loss and each
layer's Gram matrix. A first pass over the tiles adds them up; a second sends the loss's derivatives
by these sums back through the network, again a tile at a time. Tiles overlap by as far as a feature
sees, so that inside them no feature differs from the whole picture's.
"""

import dataclasses
import functools
import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from nst_tutorial.config import TransferConfig
from nst_tutorial.control.regions import GuidedObjective
from nst_tutorial.conventions.known import Convention
from nst_tutorial.extractors import Extractor, stride
from nst_tutorial.losses import content_loss, gram_distance, gram_matrix_one_sided
from nst_tutorial.objective import Objective, variation, weigh
from nst_tutorial.runtime.backend import ops
from nst_tutorial.runtime.types import Array, Arrays, Features, Shape, Terms, Tree
from nst_tutorial.runtime.weights import LAYERS


class TiledObjective(Objective):
    """An `Objective` that has no more than one tile in the network at any time.

    Args:
        tile: the tiles' side in pixels, without what they overlap by.

    The other arguments are `Objective`'s. A step computes a third more, for its second pass
    forward, and the overlaps: with the default layers in all 3.5 times as much as the whole
    picture's at a side of 256, twice at 1024.
    """

    extractor: Extractor

    def __init__(
        self,
        content_image: Array | None,
        style_images: Sequence[Array],
        extractor: Extractor,
        config: TransferConfig,
        shape: Shape,
        tile: int,
    ) -> None:
        self._side = tile
        super().__init__(content_image, style_images, extractor, config, shape)

    def differentiate(self, image: Array, weights: Tree) -> tuple[Terms, Array]:
        """Return the terms at a picture and the total's gradient, as one pass would."""
        canvas = self._canvas(image)
        contents = {layer: P for layer, (P, _) in self.targets["content"].items()}
        guides = {layer: target.guide for layer, (target, _) in self.targets["style"].items()}
        sums = self._sums(canvas, contents, guides)
        tv = variation(image, self.convention, weights["exponent"])[0]
        compiled = self.extractor.compile
        positions = self._positions(guides, image.shape)
        terms, slopes = compiled(loss_of_sums, shape=self.shape)(
            sums, positions, tv, weights, self.targets
        )
        gradient = np.zeros_like(canvas)
        for tile in self._tiles(canvas):
            targets = tile.of_all(contents), tile.of_all(guides)
            start = ops.convert_to_tensor(tile.start, "int32")
            back = compiled(part_of_window, tile.size, shape=canvas[tile.window].shape)
            part = back(canvas[tile.window], start, targets, slopes)[1]
            gradient[tile.window] += ops.convert_to_numpy(part)
        whole = compiled(loss_of_canvas, self.convention, shape=self.shape)
        return terms, whole(image, gradient, weights)[1]

    def _features(self, image, layers):
        canvas = self._canvas(image)
        whole: Features = {}
        for tile, features in self._cores(canvas):
            for layer in layers:
                F = ops.convert_to_numpy(ops.cast(features[layer], "float32"))
                shape = (1, *(side // stride(layer) for side in canvas.shape[1:3]), F.shape[-1])
                tile.of(whole.setdefault(layer, np.empty(shape, "float32")), layer)[:] = F
        return {layer: ops.convert_to_tensor(F) for layer, F in whole.items()}

    def _mean_grams(self, image, layers, guides=None):
        guides = guides or dict.fromkeys(layers, ())
        _, grams = self._sums(self._canvas(image), {}, guides)
        positions = self._positions(guides, image.shape)
        return {layer: G / positions[layer] for layer, G in grams.items()}

    def _sums(self, canvas, contents, guides):
        """Add up over all tiles: `{layer: content loss}` and `{layer: Gram matrix}`, undivided."""
        content, grams = dict.fromkeys(contents, 0.0), dict.fromkeys(guides, 0.0)
        for tile, features in self._cores(canvas):
            for layer, P in tile.of_all(contents).items():
                content[layer] += content_loss(features[layer], P)[0]
            for layer, guide in tile.of_all(guides).items():
                grams[layer] += _gram_matrix(features[layer], guide)
        return content, grams

    def _positions(self, guides, shape):
        """What the Gram matrices of a picture of a shape are divided by, `{layer: M, or Σ T²}`."""
        return {layer: self._mass(layer, guide, shape) for layer, guide in guides.items()}

    def _mass(self, layer, guide, shape):
        if not isinstance(guide, tuple):
            return ops.sum(ops.square(guide), axis=(1, 2, 3))[:, None, None]
        h, w, _ = self.extractor.feature_shape(layer, shape)
        return ops.convert_to_tensor(h * w, "float32")

    def _canvas(self, image):
        return ops.convert_to_numpy(self.extractor.on_grid(image))

    def _tiles(self, canvas):
        return tiles(canvas.shape, self._side, self.extractor.layers[-1])

    def _cores(self, canvas):
        """Look at one tile after another: `(tile, its core's features)`."""
        for tile in self._tiles(canvas):
            look = functools.partial(_core, start=tile.start, size=tile.size)
            yield tile, self.extractor.visit(canvas[tile.window], look)


class GuidedTiledObjective(GuidedObjective, TiledObjective):
    """A `GuidedObjective` that has no more than one tile in the network at any time."""


@dataclasses.dataclass(frozen=True)
class Tile:
    """A part of a picture, its core, and the window around it that the core's features see."""

    corner: tuple[int, int]  # of the core: row and column in the picture
    size: tuple[int, int]  # of the core
    window: tuple  # slices of the picture
    start: tuple[int, int]  # of the core within the window

    def of(self, features: Array, layer: str) -> Array:
        """The core's part of the whole picture's features."""
        step = stride(layer)
        rows, columns = (
            slice(begin // step, (begin + length) // step)
            for begin, length in zip(self.corner, self.size, strict=True)
        )
        return features[:, rows, columns]

    def of_all(self, features: Features) -> Features:
        """The core's part of several layers' features; of guides too, where there are any."""
        return {
            layer: F if isinstance(F, tuple) else self.of(F, layer) for layer, F in features.items()
        }


def tiles(shape: Shape, side: int, deepest: str) -> Iterator[Tile]:
    """Cut `(1, H, W, 3)` into tiles of about `side` pixels, for features up to a layer."""
    rows, columns = (_spans(length, side, deepest) for length in shape[1:3])
    for vertical, horizontal in itertools.product(rows, columns):
        corner, size, window, start = zip(vertical, horizontal, strict=True)
        yield Tile(corner, size, (slice(None), *window), start)


def _spans(length, side, deepest):
    """Cut one side: `(where a core begins, its length, the window, the core's start in it)`.

    All begin on the grid of the deepest layer, whose positions are so many pixels apart. Windows
    at the border are as long as the others: fewer shapes to compile for.
    """
    grid, halo = stride(deepest), overlap(deepest)
    count = max(1, round(length / side))
    cuts = [length * part // count // grid * grid for part in range(count)] + [length]
    longest = min(length, max(b - a for a, b in itertools.pairwise(cuts)) + 2 * halo)
    last = (length - longest) // grid * grid
    for begin, end in itertools.pairwise(cuts):
        first = min(max(0, begin - halo), last)
        stop = length if first == last else first + longest
        yield begin, end - begin, slice(first, stop), begin - first


def overlap(layer: str) -> int:
    """How far a feature sees beyond its own pixels, rounded up to the layer's grid.

    Each 3×3 convolution adds one position of its own layer, pooling adds nothing.
    """
    seen = sum(stride(name) for name in LAYERS[: LAYERS.index(layer) + 1])
    return -(-seen // stride(layer)) * stride(layer)


def _core(layer, F, start, size):
    """Cut a window's features to those of its core; `start` may be a tensor, `size` not."""
    corner = ops.pad(ops.convert_to_tensor(start, "int32") // stride(layer), (1, 1))
    height, width = (side // stride(layer) for side in size)
    return ops.slice(F, corner, (1, height, width, F.shape[-1]))


def loss_of_sums(
    _: Extractor,
    sums: tuple[Arrays, Arrays],
    positions: Arrays,
    tv: Array,
    weights: Tree,
    targets: Tree,
) -> tuple[Array, Terms]:
    """The loss as a function of the sums over all positions."""
    content, grams = sums
    content = {layer: content[layer] / d for layer, (_, d) in targets["content"].items()}
    style = {
        layer: ops.sum(gram_distance(grams[layer] / positions[layer], A.mean_gram) / d)
        for layer, (A, d) in targets["style"].items()
    }
    return weigh(content, style, tv, weights)


def part_of_window(
    extractor: Extractor,
    size: tuple[int, int],
    window: Array,
    start: Array,
    targets: tuple[Features, Features],
    slopes: tuple[Arrays, Arrays],
) -> tuple[Array, Tree]:
    """A tile's part of the sums, each times the loss's slope along it."""
    (contents, guides), (by_content, by_grams) = targets, slopes

    def part_of_layer(layer, F):
        F, part = _core(layer, F, start, size), 0.0
        if layer in contents:
            part += by_content[layer] * content_loss(F, contents[layer])[0]
        if layer in guides:
            part += ops.sum(by_grams[layer] * _gram_matrix(F, guides[layer]))
        return part

    return sum(extractor.visit(window, part_of_layer).values()), {}


def _gram_matrix(features, guide):
    """The Gram matrix, undivided, of features or of what their guide makes count."""
    return gram_matrix_one_sided(
        features if isinstance(guide, tuple) else ops.convert_to_tensor(guide) * features
    )


def loss_of_canvas(
    extractor: Extractor, convention: Convention, image: Array, slopes: Array, weights: Tree
) -> tuple[Array, Tree]:
    """The way from the picture to the canvas that is tiled, and total variation."""
    tv = variation(image, convention, weights["exponent"])[0]
    return ops.sum(extractor.on_grid(image) * slopes) + weights["terms"]["tv_weight"] * tv, {}
