"""Every setting of a transfer: its default, its range and what it does, said once."""

import dataclasses
from collections.abc import Collection

from nst_tutorial.conventions.known import CONVENTIONS
from nst_tutorial.runtime.errors import NSTError
from nst_tutorial.runtime.settings import check, choice, names, number, switch, weights, whole
from nst_tutorial.runtime.types import Terms

LOSSES = ("content", "style", "tv")  # the total's terms, each with a weight
OPTIMIZERS = ("adam", "nadam", "lbfgs", "sgd", "nadam_keras2")


@dataclasses.dataclass(frozen=True)
class TransferConfig:
    """One transfer's settings; an invalid value raises NSTError at once.

    Weights are relative by default: each term is divided by its value for a picture without any
    features, so that one setting keeps its balance across sizes, extractors and pictures. This
    changes the paper's balance between layers; `convention="paper"` takes the raw losses, and
    `conventions` has those of other implementations, whose settings `recipe` gives whole.
    """

    content_layers: tuple[str, ...] = names(
        ("block3_conv3",), help="layers whose features the content loss compares"
    )  # the paper: block4_conv2
    style_layers: tuple[str, ...] = names(
        ("block1_conv1", "block2_conv1", "block3_conv1", "block3_conv4"),
        help="layers whose Gram matrices the style loss compares",
    )  # the paper: the first layer of each of the five blocks
    layer_weights: tuple[float, ...] | None = weights(
        help="one weight for each style layer; all equal by default"
    )
    content_weight: float = number(2.5, help="more keeps more of the photograph")  # alpha
    style_weight: float = number(100.0, help="more takes more of the style")  # beta
    tv_weight: float = number(200.0, help="total variation: more is smoother")
    tv_exponent: float = number(
        2.5,
        help="exponent of total variation; above 1, ramps cost less than edges",
        above=True,
        most=100,
    )
    convention: str = choice(
        "relative", *CONVENTIONS, help=f"units of the losses: {', '.join(CONVENTIONS)}"
    )
    colors: str = choice(
        "style", "match", "luminance",
        help="whose colors: style, match (the photograph's, which the style is given first) or "
        "luminance (the photograph's own; only light and dark are painted)",
    )  # fmt: skip
    blend: tuple[float, ...] | None = weights(
        help="one weight for each style picture; all equal by default"
    )
    size: int = whole(
        384, help="longest side of the result in pixels; never more than the photograph's own"
    )
    style_size: int | None = whole(
        None,
        help="longest side of the style picture in pixels; by default that of the result",
        optional=True,
    )
    style_scale: float = number(
        1.0, help="size of the style picture as a multiple of that: 2 doubles the strokes",
        least=0.1, most=10,
    )  # fmt: skip
    style_resize: str = choice(
        "fit", "own", "squash",
        help="how the style gets its size: fit, own (as it is) or squash (the photograph's shape)",
    )  # fmt: skip
    scales: int = whole(
        3, help="sizes to go through, each twice the last; 1: the full size alone", most=32
    )
    margin: float = number(
        0.02,
        help="width of the mirrored border while painting, as a share of the longest side",
        most=1,
    )
    tile: int | None = whole(
        None,
        help="side of the tiles to compute in, in pixels; by default only where memory is short",
        least=16,
        optional=True,
    )
    optimizer: str = choice(
        "lbfgs",
        *OPTIMIZERS,
        help=f"{', '.join(OPTIMIZERS)}; all but lbfgs need four times the steps",
    )
    parameterization: str = choice(
        "pixels", "fourier", help="what the optimizer moves: pixels, or fourier: waves"
    )
    steps: int = whole(40, help="steps in all sizes together; adam and nadam need about 250")
    learning_rate: float = number(
        8.0, help="in pixel values, at the full size; L-BFGS has none", above=True
    )
    decay: float | None = number(
        None,
        above=True,
        optional=True,
        help="factor of the learning rate every 100 steps; by default it falls to a tenth in all",
    )
    beta_1: float = number(0.9, help="momentum of Adam and Nadam", most=1, below=True)
    epsilon: float = number(
        1e-7, help="what Adam and Nadam add to a gradient's size before they divide", above=True
    )
    clip: bool = switch(True, help="keep the picture in 0..255 at each step")
    truncate: bool = switch(False, help="cut fractions off when saving, as many scripts do")
    init: str = choice(
        "recolored", "content", "style", "noise",
        help="where the picture starts: recolored (the content in the style's colors), content, "
        "style or noise",
    )  # fmt: skip
    noise_std: float = number(64.0, help="standard deviation of the noise start, in pixel values")
    seed: int = whole(0, help="seed of the noise start", least=0, most=2**64)

    def __post_init__(self) -> None:
        check(self)
        weighted = self.layer_weights or self.style_layers
        if len(weighted) != len(self.style_layers):
            raise NSTError(
                f"layer_weights has {len(weighted)} weights for {len(self.style_layers)} style "
                "layers; give one for each."
            )


def layer_weights(config: TransferConfig, layers: Collection[str]) -> dict[str, float]:
    """The weight of each style layer, `{layer: w}`: the config's, or 1/L each."""
    if config.layer_weights is None:
        return dict.fromkeys(layers, 1 / max(len(layers), 1))
    return dict(zip(config.style_layers, config.layer_weights, strict=True))


def weighted(terms: Terms, config: TransferConfig) -> dict[str, float]:
    """Terms, as an `Objective` returns them, times their weights; the total is their sum."""
    shares = layer_weights(config, terms["style"])
    style = sum(shares[layer] * float(loss) for layer, loss in terms["style"].items())
    plain = {**terms, "style": style}
    losses = {name: getattr(config, f"{name}_weight") * float(plain[name]) for name in LOSSES}
    return losses | {"total": sum(losses.values())}
