"""The controls of the `Playground`: its sliders and menus, presets and challenges, as data."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from nst_tutorial.config import TransferConfig, layer_weights
from nst_tutorial.extractors import Extractor

DIGITS = (1, 1.25, 1.6, 2, 2.5, 3.15, 4, 5, 6.3, 8)  # ten steps of nearly one ratio


def decades(low: int, high: int, zero: bool = True) -> list[float]:
    """The positions of a logarithmic slider: 10^low … 10^high, and 0 below them all."""
    numbers = [float(f"{digit}e{power}") for power in range(low, high) for digit in DIGITS]
    return [0.0] * zero + [*numbers, 10.0**high]


@dataclasses.dataclass(frozen=True)
class Control:
    """A slider or a menu: what it sets, what can be chosen, and what a visitor is told of it."""

    name: str
    label: str
    group: str  # main, layers or more
    options: Sequence[Any]  # of a slider: right is more
    help: str
    formula: str = ""
    kind: str = "slider"

    def with_option(self, value: Any) -> "Control":
        """The control with a value among its options."""
        if value in self.options:
            return self
        options = [*self.options, value]
        return dataclasses.replace(
            self, options=sorted(options) if self.kind == "slider" else options
        )

    def described(self) -> dict[str, Any]:
        """The control as the browser is told of it."""
        return dataclasses.asdict(self) | {"options": list(map(in_words, self.options))}


CONTROLS = (
    Control(
        "content_weight", "content weight", "main", decades(-1, 3),
        "How closely the picture keeps to what the photograph shows.",
        "α in L = α·L_content + β·L_style + γ·TV;  L_content = ½ Σ (F − P)²",
    ),
    Control(
        "style_weight", "style weight", "main", decades(0, 4),
        "How closely the picture is painted like the style picture.",
        "β in L = α·L_content + β·L_style + γ·TV;  L_style = Σ w_l · 1/(4N²) Σ (G/M − A/M)²",
    ),
    Control(
        "tv_weight", "tv weight", "main", decades(0, 5),
        "Smoothness (total variation): how much it counts that neighboring pixels are alike.",
        "γ in L = α·L_content + β·L_style + γ·TV;  TV = Σ (dx² + dy²)^(p/2)",
    ),
    Control(
        "tv_exponent", "tv exponent", "more", [1.0, 1.25, 1.5, 1.75, 2.0, 2.25, 2.5, 2.75, 3.0],
        "Of total variation: above 1, ramps cost less than edges.", "p in TV = Σ (dx² + dy²)^(p/2)",
    ),
    Control(
        "learning_rate", "learning rate", "more", decades(-1, 2, zero=False),
        "How far Adam and Nadam move a pixel in a step, in gray levels; L-BFGS needs none.",
    ),
    Control(
        "steps", "steps", "more", [25, 50, 100, 150, 200, 300, 500, 1000],
        "How many steps a run has. Over a run the learning rate falls to a tenth.",
    ),
    Control(
        "size", "size", "more", [64, 96, 128, 192, 256, 320, 384, 512],
        "Longest side in pixels; twice as long takes four times the time. Starts again.",
    ),
    Control(
        "style_scale", "style size", "more", [0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0],
        "Size of the style picture compared with the photograph: larger makes larger strokes.",
    ),
    Control(
        "colors", "colors", "more", ["style", "match", "luminance"],
        "The style's; the photograph's, given to the style first; or the photograph's own, with "
        "only light and dark painted. Starts again.", kind="menu",
    ),
    Control(
        "content_layers", "content layer", "more", [],
        "Where picture and photograph are compared: the deeper, the freer the picture.",
        kind="menu",
    ),
    Control(
        "init", "start", "more", ["content", "recolored", "style", "noise"],
        "The photograph, the photograph in the style's colors, the style, or noise. Starts again.",
        kind="menu",
    ),
    Control(
        "optimizer", "optimizer", "more", ["adam", "nadam", "lbfgs"],
        "What moves the pixels. L-BFGS forgets its history whenever a setting changes.",
        kind="menu",
    ),
    Control(
        "seed", "seed", "more", list(range(10)),
        "Another seed, another noise, where the start is noise. Starts again.",
    ),
)  # fmt: skip
OF_A_LAYER = "How much this layer counts in the style: shallow for color, deep for shapes."
FORMULA_OF_A_LAYER = "w_l in L_style = Σ w_l E_l;  E_l = 1/(4N²) Σ (G/M − A/M)²"


@dataclasses.dataclass(frozen=True)
class Settings:
    """Settings with a name: a preset, or the secret ones of a challenge."""

    name: str
    help: str
    values: dict[str, Any]


PRESETS = (
    Settings("Barely there", "A photograph with a touch of paint.",
             {"content_weight": 25.0, "style_weight": 40.0, "tv_weight": 200.0}),
    Settings("Balanced", "Where the panel starts.",
             {"content_weight": 2.5, "style_weight": 100.0, "tv_weight": 200.0}),
    Settings("As in the paper", "No total variation, and style a thousand times content.",
             {"content_weight": 1.0, "style_weight": 1000.0, "tv_weight": 0.0}),
    Settings("Melted", "So much smoothing that strokes run together.",
             {"content_weight": 2.5, "style_weight": 100.0, "tv_weight": 20000.0}),
    Settings("Only texture", "No photograph at all: the style alone, from noise.",
             {"content_weight": 0.0, "style_weight": 100.0, "tv_weight": 200.0, "init": "noise"}),
)  # fmt: skip
CHALLENGES = (
    Settings("A calm portrait", "The photograph is all there, in soft strokes.",
             {"content_weight": 16.0, "style_weight": 50.0, "tv_weight": 5000.0}),
    Settings("Crisp strokes", "Strong style, and hardly any smoothing.",
             {"content_weight": 0.25, "style_weight": 400.0, "tv_weight": 50.0}),
    Settings("Wax", "Everything has run together.",
             {"content_weight": 1.0, "style_weight": 200.0, "tv_weight": 31500.0}),
)  # fmt: skip


def controls_for(extractor: Extractor, config: TransferConfig) -> dict[str, Control]:
    """All controls by name, those of the style layers included, with the config's values."""
    layers = [(layer,) for layer in extractor.layers]
    made = [
        dataclasses.replace(one, options=layers) if one.name == "content_layers" else one
        for one in CONTROLS
    ]
    made += [
        Control(layer, layer, "layers", decades(-2, 1), OF_A_LAYER, FORMULA_OF_A_LAYER)
        for layer in config.style_layers
    ]
    values = values_of(config)
    return {one.name: one.with_option(values[one.name]) for one in made}


def values_of(config: TransferConfig) -> dict[str, Any]:
    """What the controls would have to say for a config: `{name: value}`."""
    return {
        **{field.name: getattr(config, field.name) for field in dataclasses.fields(config)},
        **layer_weights(config, config.style_layers),
    }


def configured(config: TransferConfig, values: dict[str, Any]) -> TransferConfig:
    """A config with what the controls say.

    Raises:
        NSTError: these settings cannot be, such as layer weights that are all 0.
    """
    weights: Any = tuple(values[layer] for layer in config.style_layers)
    if weights == (1 / len(weights),) * len(weights):
        weights = None
    settings = {name: value for name, value in values.items() if name not in config.style_layers}
    return dataclasses.replace(config, layer_weights=weights, **settings)


def in_words(value: object) -> str:
    """A value as it is shown: numbers short, names joined."""
    if isinstance(value, tuple):
        return " + ".join(map(in_words, value))
    return f"{value:g}" if isinstance(value, (int, float)) else str(value)
