"""The objective: what a transfer minimizes, of one content picture and the styles, at one size."""

import functools

from nst_tutorial.backend import keras, ops, value_and_gradient
from nst_tutorial.errors import NSTError
from nst_tutorial.implementations import CONVENTIONS
from nst_tutorial.losses import content_loss, gram_distance, total_loss
from nst_tutorial.records import layer_weights
from nst_tutorial.units import content_divisor, divided_gram, style_divisor, variation


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

    def __init__(self, content_image, style_images, extractor, config, shape):
        content_layers = config.content_layers if content_image is not None else ()
        style_layers = config.style_layers if style_images else ()
        if not (content_layers or style_layers):
            raise NSTError("neither a content nor a style picture was given; give at least one.")
        self.extractor = extractor.select(content_layers + style_layers)
        self.convention = CONVENTIONS[config.convention]
        self.targets = {
            "content": self._content_targets(content_image, content_layers),
            "style": self._style_targets(style_images, style_layers, config.blend, shape),
        }

    def __call__(self, image, weights):
        """Evaluate a picture.

        Args:
            image: `(1, H, W, 3)` tensor, RGB, 0..255.
            weights: what `weights` returns.

        Returns:
            the total, and `{"content": scalar, "style": {layer: scalar}, "tv": scalar,
            "total": scalar}`, the terms before their weights.
        """
        return evaluate(self.extractor, self.convention, image, weights, self.targets)

    def differentiate(self, image, weights):
        """Return the terms at a picture and the total's gradient: what `graph` computes."""
        return self.graph(image, weights, self.targets)

    @property
    def graph(self):
        """`evaluate` compiled with its gradient; all objectives of an extractor share it."""
        return _compiled(self.extractor, self.convention)

    def weights(self, config):
        """The config's weights as tensors: arguments of the compiled graph, not constants in it."""
        terms = ("content_weight", "style_weight", "tv_weight")
        numbers = {
            "terms": {name: getattr(config, name) for name in terms},
            "layers": layer_weights(config, self.targets["style"]),
            "exponent": config.tv_exponent,
        }
        return keras.tree.map_structure(_scalar, numbers)

    def _content_targets(self, image, layers):
        """`{layer: (P, what its loss is divided by)}`."""
        features = self._features(image, layers) if layers else {}
        divisor = functools.partial(content_divisor, convention=self.convention)
        return {layer: (P, _scalar(divisor(P))) for layer, P in features.items()}

    def _style_targets(self, images, layers, blend, shape):
        """`{layer: (A, what its distance is divided by)}`; styles are blended in A.

        The gradient is that of a blend of losses, at the cost of one.
        """
        blend = blend or (1.0,) * len(images)
        if len(blend) != len(images):
            raise NSTError(f"blend has {len(blend)} weights for {len(images)} style pictures.")
        targets = dict.fromkeys(layers, 0.0)
        for image, weight in zip(images, blend, strict=True):
            for layer, A in self._grams(image, layers).items():
                targets[layer] += weight / sum(blend) * A
        divisors = {
            layer: style_divisor(A, self.convention, *shape[1:3]) for layer, A in targets.items()
        }
        return {layer: (targets[layer], _scalar(divisors[layer])) for layer in layers}

    def _features(self, image, layers):
        features = self.extractor(image)
        return {layer: ops.cast(features[layer], "float32") for layer in layers}

    def _grams(self, image, layers):
        features = self.extractor(image)
        return {layer: divided_gram(features[layer], self.convention) for layer in layers}


def evaluate(extractor, convention, image, weights, targets):
    """Evaluate a picture against targets, as `Objective` says."""
    features = extractor(image)
    content = {
        layer: content_loss(features[layer], P)[0] for layer, (P, _) in targets["content"].items()
    }
    grams = {layer: divided_gram(features[layer], convention) for layer in targets["style"]}
    tv = variation(image, convention, weights["exponent"])
    return combine(content, grams, tv, weights, targets)


def combine(content, grams, tv, weights, targets):
    """Make the total, and the terms, of all that is summed over positions."""
    losses = [content[layer] / divisor for layer, (_, divisor) in targets["content"].items()]
    style = {
        layer: gram_distance(grams[layer], A)[0] / divisor
        for layer, (A, divisor) in targets["style"].items()
    }
    mean_content = sum(losses) / max(len(losses), 1)
    weighted_style = sum(weights["layers"][layer] * loss for layer, loss in style.items())
    total = total_loss(mean_content, weighted_style, tv, **weights["terms"])
    return total, {"content": mean_content, "style": style, "tv": tv, "total": total}


@functools.lru_cache(maxsize=8)
def _compiled(extractor, convention):
    return value_and_gradient(functools.partial(evaluate, extractor, convention))


def _scalar(number):
    return ops.convert_to_tensor(number, "float32")
