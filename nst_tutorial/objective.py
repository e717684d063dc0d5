"""The objective: what a transfer minimizes, of one content picture and the styles, at one size.

Targets are computed once; a step sends only the generated picture through the network. How a
convention divides the losses becomes one number for each layer, its divisor, kept by the target.
"""

from collections.abc import Sequence

from nst_tutorial.config import LOSSES, TransferConfig, layer_weights
from nst_tutorial.conventions.known import CONVENTIONS, Convention
from nst_tutorial.losses import (
    StyleTarget,
    content_loss,
    gram_distance,
    guided_gram_matrix,
    mean_gram_matrix,
    style_layer_loss,
    total_loss,
    total_variation_loss,
    weigh_layers,
)
from nst_tutorial.runtime.backend import keras, ops
from nst_tutorial.runtime.errors import NSTError
from nst_tutorial.runtime.types import Array, Arrays, FeatureExtractor, Shape, Terms, Tree

LAYER_LOSSES = {"content": content_loss, "style": style_layer_loss}
LEAST = 1e-12  # of a divisor: a style or content without any features would make it 0


class Objective:
    r"""The total loss of a picture, and its terms, against targets that were computed once.

    $\alpha L_{content}(x) + \beta L_{style}(x) + \gamma TV(x)$   (1508.06576, eq. 7)

    Args:
        content_image: `(1, H, W, 3)`, RGB, 0..255; None for texture synthesis.
        style_images: list of such, of any size; empty for feature inversion.
        extractor: an `Extractor` that has the config's layers.
        config: a `TransferConfig`: its layers, blend and convention. Weights come with each call.
        shape: `(1, H, W, 3)` of the generated picture.

    Raises:
        NSTError: a layer is not in the extractor, or a picture is too small for the layers.

    Taught in: 07_full_transfer.
    """

    def __init__(
        self,
        content_image: Array | None,
        style_images: Sequence[Array],
        extractor: FeatureExtractor,
        config: TransferConfig,
        shape: Shape,
    ) -> None:
        content_layers = config.content_layers if content_image is not None else ()
        style_layers = config.style_layers if style_images else ()
        if not (content_layers or style_layers):
            raise NSTError("neither a content nor a style picture was given; give at least one.")
        self.extractor, self.shape = extractor.select(content_layers + style_layers), tuple(shape)
        self.extractor.check_shape(self.shape)
        self.convention = CONVENTIONS[config.convention]
        self.targets = {
            "content": self._content_targets(content_image, content_layers),
            "style": self._style_targets(style_images, style_layers, config.blend),
        }

    def __call__(self, image: Array, weights: Tree) -> tuple[Array, Terms]:
        """Evaluate a picture.

        Args:
            image: `(1, H, W, 3)` tensor, RGB, 0..255.
            weights: what `weights` returns.

        Returns:
            the total, and `{"content": scalar, "style": {layer: scalar}, "tv": scalar,
            "total": scalar}`, the terms before their weights.
        """
        return evaluate(self.extractor, self.convention, image, weights, self.targets)

    def differentiate(self, image: Array, weights: Tree) -> tuple[Terms, Array]:
        """Return the terms at a picture and the total's gradient, by a graph compiled once."""
        graph = self.extractor.compile(evaluate, self.convention)
        return graph(image, weights, self.targets)

    def weights(self, config: TransferConfig) -> Tree:
        """The config's weights as tensors: arguments of the compiled graph, not constants in it."""
        numbers = {
            "terms": {f"{name}_weight": getattr(config, f"{name}_weight") for name in LOSSES},
            "layers": layer_weights(config, self.targets["style"]),
            "exponent": config.tv_exponent,
        }
        return keras.tree.map_structure(_scalar, numbers)

    def _content_targets(self, image, layers):
        """`{layer: (P, divisor)}`."""
        features = self._features(image, layers) if layers else {}
        return {
            layer: (P, _scalar(content_divisor(P, self.convention)))
            for layer, P in features.items()
        }

    def _style_targets(self, images, layers, blend):
        """`{layer: (StyleTarget, divisor)}`; several styles are blended in their Gram matrices.

        The gradient is that of a blend of losses, at the cost of one.
        """
        blend = blend or (1.0,) * len(images)
        if len(blend) != len(images):
            raise NSTError(f"blend has {len(blend)} weights for {len(images)} style pictures.")
        blended = dict.fromkeys(layers, 0.0)
        for image, weight in zip(images, blend, strict=True):
            for layer, A in self._mean_grams(image, layers).items():
                scale = self._gram_scale(layer, image.shape)
                blended[layer] += weight / sum(blend) * (A if scale == 1 else scale * A)
        divisors = {
            layer: style_divisor(A, self.convention, self._feature_shape(layer), self.shape)
            for layer, A in blended.items()
        }
        return {layer: (StyleTarget(blended[layer]), _scalar(divisors[layer])) for layer in layers}

    def _gram_scale(self, layer, style_shape):
        """Scale a style's mean Gram matrix to what a convention compares with, G / M.

        Where conventions divide by something else than positions, the sizes of both pictures count.
        """
        shapes = self._feature_shape(layer), self.extractor.feature_shape(layer, style_shape)
        (h, w, _), (h_style, w_style, _) = shapes
        own, its = (self.convention.gram(*shape) for shape in shapes)
        return (own / (h * w)) / (its / (h_style * w_style))

    def _feature_shape(self, layer):
        return self.extractor.feature_shape(layer, self.shape)

    def _features(self, image, layers):
        features = self.extractor(image)
        return {layer: ops.cast(features[layer], "float32") for layer in layers}

    def _mean_grams(self, image, layers, guides=None):
        """`{layer: mean Gram matrix}` of a picture, or of what `{layer: guide}` makes count."""
        F = self.extractor(image)
        if guides:
            return {layer: guided_gram_matrix(F[layer], guides[layer]) for layer in layers}
        return {layer: mean_gram_matrix(F[layer]) for layer in layers}


def evaluate(
    extractor: FeatureExtractor, convention: Convention, image: Array, weights: Tree, targets: Tree
) -> tuple[Array, Terms]:
    """Evaluate a picture against targets, as `Objective` says."""

    def compare(layer, F):
        asked = {term: targets[term][layer] for term in LAYER_LOSSES if layer in targets[term]}
        return {
            term: ops.sum(LAYER_LOSSES[term](F, target) / divisor)
            for term, (target, divisor) in asked.items()
        }

    losses = extractor.visit(image, compare)
    content, style = ({layer: losses[layer][t] for layer in targets[t]} for t in LAYER_LOSSES)
    tv = variation(extractor.closed(image), convention, weights["exponent"])[0]
    return weigh(content, style, tv, weights)


def weigh(content: Arrays, style: Arrays, tv: Array, weights: Tree) -> tuple[Array, Terms]:
    """Make the total, and its terms, of the layers' losses `{layer: scalar}`; content is a mean."""
    terms = {"content": sum(content.values()) / max(len(content), 1), "style": style, "tv": tv}
    weighted_style = weigh_layers(style, weights["layers"])
    total = total_loss(terms["content"], weighted_style, tv, **weights["terms"])
    return total, {**terms, "total": total}


def content_divisor(P: Array, convention: Convention) -> float:
    """What `content_loss` is divided by, for a target of features P `(1, h, w, N)`.

    In relative units that is the loss of a picture without any features.
    """
    if convention.relative:
        return max(float(content_loss(ops.zeros_like(P), P)[0]), LEAST)
    return convention.content(*P.shape[1:]) / 2  # content_loss has a ½ of its own


def style_divisor(A: Array, convention: Convention, feature_shape: Shape, shape: Shape) -> float:
    """What `style_layer_loss` is divided by, for a target A `(1, N, N)`.

    Args:
        feature_shape, shape: `(h, w, N)` and `(1, H, W, 3)` of the generated picture.
    """
    if convention.relative:
        return max(float(gram_distance(ops.zeros_like(A), A)[0]), LEAST)
    h, w, N = feature_shape
    return convention.layer_divisor(h, w, N, *shape[1:3]) / (4 * (N * h * w) ** 2)


def variation(image: Array, convention: Convention, exponent: float) -> Array:
    """Measure the total variation of pictures `(B, H, W, 3)`, RGB, 0..255, as a convention does.

    Returns:
        `(B,)`.
    """
    x = ops.divide(image, ops.convert_to_tensor(convention.pixel, "float32"))
    if convention.variation == "squares":
        pixels = convention.pixels(*ops.shape(image)[1:3])
        return total_variation_loss(x, exponent) / ops.cast(pixels, "float32")
    return absolute_variation_loss(x, mean=convention.variation == "mean")


def absolute_variation_loss(image: Array, mean: bool = False) -> Array:
    r"""Measure it as TensorFlow's tutorial does, $\sum |dx| + \sum |dy|$, over every pair.

    With `mean` as d2l.ai does, $\frac{1}{2} (mean |dx| + mean |dy|)$. `(B, H, W, C)` gives `(B,)`.
    """
    dx = ops.abs(image[..., 1:, :] - image[..., :-1, :])
    dy = ops.abs(image[..., 1:, :, :] - image[..., :-1, :, :])
    reduce, share = (ops.mean, 0.5) if mean else (ops.sum, 1.0)
    return share * (reduce(dx, axis=(-3, -2, -1)) + reduce(dy, axis=(-3, -2, -1)))


def _scalar(number):
    return ops.convert_to_tensor(number, "float32")
