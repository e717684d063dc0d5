"""Every setting of a training: its default, its range and what it does, said once."""

import dataclasses
from typing import Any

from nst_tutorial.config import TransferConfig
from nst_tutorial.runtime.errors import NSTError
from nst_tutorial.runtime.settings import (
    check,
    choice,
    declare,
    number,
    whole,
)

MOST_STYLES, MOST_WIDTH, MOST_BLOCKS = 1000, 128, 32
TRANSFER = TransferConfig()  # the slow way's defaults


def slow(name: str) -> Any:
    """Declare what the slow way declares under a name, with the same default."""
    (field,) = (field for field in dataclasses.fields(TransferConfig) if field.name == name)
    return dataclasses.field(default=field.default, metadata=field.metadata)


def one_or_several(field: dataclasses.Field) -> Any:
    """Declare what `field` declares, or a list of such."""
    one, option = field.metadata["read"], {**field.metadata["option"], "nargs": "+"}

    def read(value):
        if not isinstance(value, (list, tuple)):
            return one(value)
        if not value:
            raise ValueError
        return tuple(map(one, value))

    must = f"{field.metadata['must']}, or a list of such"
    return declare(field.default, field.metadata["help"], read, must, option)


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """One training's settings; an invalid value raises NSTError at once.

    The loss is that of `TransferConfig`, at the same layers, in its relative units and with its
    weights. Small crops are cheap and teach strokes; a style that comes in slowly leaves the
    network time to learn what a photograph is.
    """

    steps: int = whole(2500, help="steps in all")
    batch_size: int = whole(4, help="photographs in a step", most=1024)
    size: int = whole(
        128, help="side of the square crops in pixels, a multiple of 8", least=32, most=4096
    )
    coarse: float | tuple[float, ...] = one_or_several(
        number(
            0.8,
            help="share of the steps, from the first, on crops of half the size; "
            "of two, the smaller is the share on crops of a quarter, and so on",
            most=1,
        )
    )
    ramp: float = number(
        0.3, help="share of the steps in which the style's weight grows to its full size", most=1
    )
    style_size: int | tuple[int, ...] = one_or_several(
        whole(256, help="longest side of the styles in pixels, or one for each: larger is bolder")
    )
    width: int = whole(
        16,
        help="channels at the full size; twice as many take three times the time",
        most=MOST_WIDTH,
    )
    blocks: int = whole(4, help="residual blocks", most=MOST_BLOCKS)
    learning_rate: float = number(
        4e-3,
        help="learning rate of Muon; gamma and beta get five times that; falls to 0",
        above=True,
    )
    content_weight: float | tuple[float, ...] = one_or_several(
        number(
            TRANSFER.content_weight,
            help="more keeps more of the photograph; one for all, or each",
        )
    )
    style_weight: float | tuple[float, ...] = one_or_several(
        number(TRANSFER.style_weight, help="more takes more of the style; one for all, or each")
    )
    tv_weight: float = slow("tv_weight")
    tv_exponent: float = slow("tv_exponent")
    content_layers: tuple[str, ...] = slow("content_layers")
    style_layers: tuple[str, ...] = slow("style_layers")
    layer_weights: tuple[float, ...] | None = slow("layer_weights")
    normalize: str = choice(
        "instance", "instance", "batch", help="instance, or batch for lesson 09's comparison"
    )
    precision: str = choice(
        "float32", "float32", "bfloat16", help="what the network learns in: float32 or bfloat16"
    )
    save_every: float = number(30.0, help="seconds between two checkpoints")
    seed: int = whole(0, help="seed of the first weights and of the crops", least=0, most=2**32 - 1)

    def __post_init__(self) -> None:
        check(self)
        if self.size % (least := 4 * 2 ** len(self.coarse_shares())):
            raise NSTError(f"size is {self.size}; it must be a multiple of {least}.")
        self.transfer()  # checks what concerns several settings

    def coarse_shares(self) -> list[float]:
        """The shares of the steps after which crops double, in order."""
        return sorted(self.coarse if isinstance(self.coarse, tuple) else [self.coarse])

    def transfer(self, style: int = 0, **settings: Any) -> TransferConfig:
        """The slow way's config with the same loss, for the style of that number."""
        return TransferConfig(
            content_weight=_of_style(self.content_weight, style),
            style_weight=_of_style(self.style_weight, style),
            tv_weight=self.tv_weight,
            tv_exponent=self.tv_exponent,
            content_layers=self.content_layers,
            style_layers=self.style_layers,
            layer_weights=self.layer_weights,
            style_size=_of_style(self.style_size, style),
            **settings,
        )


def _of_style(value, style):
    return value[style] if isinstance(value, (tuple, list)) else value
