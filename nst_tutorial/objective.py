"""The objective: what a transfer minimizes, of one content picture and the styles, at one size."""

from nst_tutorial.backend import keras, ops
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
        self.content_targets = self._content_targets(content_image, content_layers)
        self.style_targets = self._style_targets(style_images, style_layers, config.blend)
        self._content_divisors = {
            layer: content_divisor(P, self.convention) for layer, P in self.content_targets.items()
        }
        self._style_divisors = {
            layer: style_divisor(A, self.convention, *shape[1:3])
            for layer, A in self.style_targets.items()
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
        features = self.extractor(image)
        content = {
            layer: content_loss(features[layer], P)[0] / self._content_divisors[layer]
            for layer, P in self.content_targets.items()
        }
        style = {
            layer: gram_distance(divided_gram(features[layer], self.convention), A)[0]
            / self._style_divisors[layer]
            for layer, A in self.style_targets.items()
        }
        tv = variation(image, self.convention, weights["exponent"])
        mean_content = sum(content.values()) / max(len(content), 1)
        weighted_style = sum(weights["layers"][layer] * loss for layer, loss in style.items())
        total = total_loss(mean_content, weighted_style, tv, **weights["terms"])
        return total, {"content": mean_content, "style": style, "tv": tv, "total": total}

    def weights(self, config):
        """A config's weights as tensors: arguments of the compiled graph, not constants in it."""
        terms = ("content_weight", "style_weight", "tv_weight")
        numbers = {
            "terms": {name: getattr(config, name) for name in terms},
            "layers": layer_weights(config, self.style_targets),
            "exponent": config.tv_exponent,
        }
        return keras.tree.map_structure(lambda x: ops.convert_to_tensor(x, "float32"), numbers)

    def _content_targets(self, image, layers):
        if image is None:
            return {}
        features = self.extractor(image)
        return {layer: ops.cast(features[layer], "float32") for layer in layers}

    def _style_targets(self, images, layers, blend):
        """Divided Gram matrices, blended: the same gradient as a blend of losses, at one's cost."""
        blend = blend or (1.0,) * len(images)
        if len(blend) != len(images):
            raise NSTError(f"blend has {len(blend)} weights for {len(images)} style pictures.")
        targets = dict.fromkeys(layers, 0.0)
        for image, weight in zip(images, blend, strict=True):
            features = self.extractor(image)
            for layer in layers:
                targets[layer] += (
                    weight / sum(blend) * divided_gram(features[layer], self.convention)
                )
        return targets
