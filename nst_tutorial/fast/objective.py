"""What a network is judged by: the objective of lesson 07, of every picture of a batch."""

from collections.abc import Sequence
from typing import Any

from nst_tutorial.config import layer_weights
from nst_tutorial.conventions.known import CONVENTIONS
from nst_tutorial.extractors import Extractor
from nst_tutorial.fast.config import TrainConfig
from nst_tutorial.losses import (
    StyleTarget,
    content_loss,
    mean_gram_matrix,
    style_layer_loss,
    total_loss,
    weigh_layers,
)
from nst_tutorial.objective import LEAST, style_divisor, variation
from nst_tutorial.runtime.backend import ops
from nst_tutorial.runtime.errors import NSTError
from nst_tutorial.runtime.types import Array, Arrays

UNITS = CONVENTIONS["relative"]


class BatchObjective:
    r"""The total loss of each picture of a batch, each against its own style.

    $\alpha_s L_{content}(f_s(x), x) + \beta_s L_{style}(f_s(x), a_s) + \gamma TV(f_s(x))$
    (1603.08155, eq. 5), in relative units: for one picture what `Objective` gives.

    Args:
        styles: list of style pictures `(1, H, W, 3)`, RGB, 0..255.
        extractor: an `Extractor` that has the config's layers.
        config: a `TrainConfig`.

    Raises:
        NSTError: there is not a weight for each style, a layer is missing, or a picture is too
            small.

    Differs: Johnson et al. compare content at conv3_3 of VGG16 and divide by M N.
    Taught in: 09_fast_styles.
    """

    def __init__(self, styles: Sequence[Array], extractor: Extractor, config: TrainConfig) -> None:
        self.config = config
        self.extractor = extractor.select(config.content_layers + config.style_layers)
        self.shares = layer_weights(config.transfer(), config.style_layers)
        features = [self.extractor(style) for style in styles]
        self.targets = {
            layer: ops.concatenate([mean_gram_matrix(f[layer]) for f in features])
            for layer in config.style_layers
        }  # (S, N, N)
        self.divisors = {
            layer: [style_divisor(A[None], UNITS, (), ()) for A in ops.unstack(targets)]
            for layer, targets in self.targets.items()
        }
        self.weights = {
            field: one_a_style(config, field, len(styles))
            for field in ("content_weight", "style_weight")
        }

    def __call__(self, images: Array, painted: Array, weights: Array, share: float = 1.0) -> Arrays:
        """Evaluate painted pictures.

        Args:
            images: `(B, H, W, 3)`, the photographs, RGB, 0..255.
            painted: `(B, H, W, 3)`, the same, painted.
            weights: `(B, S)`, the style of each.
            share: of the weight of style, 0..1, in the loss.

        Returns:
            `{"content", "style", "tv", "total", "loss"}`, `(B,)` each: terms before their
            weights, and their weighted sums, with the whole weight of style and with its share.
        """
        P, F = self.extractor(images), self.extractor(painted)
        content = [_share_lost(F[layer], P[layer]) for layer in self.config.content_layers]
        style = {layer: self._style(F[layer], layer, weights) for layer in self.config.style_layers}
        terms = {
            "content": sum(content) / len(content),
            "style": weigh_layers(style, self.shares),
            "tv": variation(painted, UNITS, self.config.tv_exponent),
        }
        alpha_beta = {field: _pick(weights, table) for field, table in self.weights.items()}
        total = total_loss(*terms.values(), **alpha_beta, tv_weight=self.config.tv_weight)
        missing = (1 - share) * alpha_beta["style_weight"] * terms["style"]
        return {**terms, "total": total, "loss": total - missing}

    def _style(self, features, layer, weights):
        A = StyleTarget(ops.einsum("bs,snm->bnm", weights, self.targets[layer]))
        return style_layer_loss(features, A) / _pick(weights, self.divisors[layer])


def one_a_style(config: TrainConfig, field: str, styles: int) -> list[Any]:
    """List a setting's value for each of so many styles.

    Raises:
        NSTError: there are more or fewer values than styles.
    """
    value = getattr(config, field)
    values = list(value) if isinstance(value, (tuple, list)) else [value] * styles
    if len(values) != styles:
        raise NSTError(f"{field} has {len(values)} values for {styles} styles.")
    return values


def _pick(weights, table):
    return ops.matmul(weights, ops.convert_to_tensor(table, "float32"))


def _share_lost(F, P):
    """Content in relative units: 1 where no feature is left."""
    P = ops.stop_gradient(ops.cast(P, "float32"))
    return content_loss(F, P) / ops.maximum(content_loss(ops.zeros_like(P), P), LEAST)
