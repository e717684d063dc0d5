"""What goes into a transfer and what comes out, besides pictures: settings, steps, the result."""

import dataclasses
import json
import time

import numpy as np

from nst_tutorial.errors import NSTError
from nst_tutorial.images import save_image
from nst_tutorial.implementations import CONVENTIONS
from nst_tutorial.settings import check, choice, names, number, weights, whole

OPTIMIZERS = ("adam", "nadam", "lbfgs", "sgd", "nadam_keras2")


@dataclasses.dataclass(frozen=True)
class TransferConfig:
    """One transfer's settings; a value that cannot be is an NSTError at once.

    Weights are relative by default: each term is divided by its value for a picture without any
    features, so that one setting keeps its balance across sizes, extractors and pictures. This
    changes the paper's balance between layers; `convention="paper"` takes the raw losses, and
    `conventions` has those of other implementations, whose settings `recipe` gives whole.
    """

    content_layers: tuple[str, ...] = names(("block4_conv2",))  # the paper's conv4_2
    style_layers: tuple[str, ...] = names(tuple(f"block{block}_conv1" for block in range(1, 6)))
    layer_weights: tuple[float, ...] | None = weights()  # one for each style layer; None: 1/L each
    content_weight: float = number(20.0)  # alpha
    style_weight: float = number(100.0)  # beta
    tv_weight: float = number(200.0)
    tv_exponent: float = number(2.5, above=True, most=100)
    convention: str = choice("relative", *CONVENTIONS)  # the losses' units; see `implementations`
    blend: tuple[float, ...] | None = weights()  # one weight for each style picture; None: equal
    size: int = whole(
        384
    )  # longest side of the result in pixels; never more than the picture's own
    style_size: int | None = whole(
        None, optional=True
    )  # longest side of the style; None: as `size`
    style_resize: str = choice("fit", "fit", "own", "squash")  # to `style_size`; "own": not at all;
    # "squash": to the content's shape
    scales: int = whole(
        2, most=32
    )  # sizes to go through, each twice the last; 1: the full size alone
    margin: float = number(
        0.04, most=1
    )  # of the longest side, mirrored around the picture while it
    # is painted, then cut off
    tile: int | None = whole(None, optional=True)  # side of the tiles that a large picture is
    # computed in; None: tile only if memory requires it
    optimizer: str = choice("lbfgs", *OPTIMIZERS)  # the others need some four times as many steps
    colour_stride: float = number(
        0.5, above=True
    )  # of L-BFGS in a photograph's colours; 1: as long
    # as in luminance
    steps: int = whole(60)  # in all sizes together; iterations of L-BFGS
    learning_rate: float = number(
        8.0, above=True
    )  # in pixel values, at the full size; not of L-BFGS
    decay: float | None = number(
        None, above=True, optional=True
    )  # of the rate in 100 steps; None: to
    # a tenth in all; 1: constant
    beta_1: float = number(0.9, most=1, below=True)  # Adam's and Nadam's momentum
    epsilon: float = number(
        1e-7, above=True
    )  # what they add to a gradient's size before they divide
    clip: bool = choice(True, True, False)  # keep the picture in 0..255 at each step
    truncate: bool = choice(
        False, True, False
    )  # cut pixel values off when saving, as many scripts do
    init: str = choice("content", "content", "style", "noise")  # where the picture starts
    noise_std: float = number(64.0)  # of the noise start, in pixel values around middle gray
    seed: int = whole(0, least=0, most=2**64)

    def __post_init__(self):
        check(self)
        weighted = self.layer_weights or self.style_layers
        if len(weighted) != len(self.style_layers):
            raise NSTError(
                f"layer_weights has {len(weighted)} weights for {len(self.style_layers)} style "
                "layers; give one for each."
            )


def layer_weights(config, layers):
    """The weight of each style layer, `{layer: w}`: the config's, or 1/L each."""
    if config.layer_weights is None:
        return dict.fromkeys(layers, 1 / max(len(layers), 1))
    return dict(zip(config.style_layers, config.layer_weights, strict=True))


def weighted(terms, config):
    """Terms, as an `Objective` returns them, times their weights; the total is their sum."""
    shares = layer_weights(config, terms["style"])
    style = sum(shares[layer] * float(loss) for layer, loss in terms["style"].items())
    losses = {"content": float(terms["content"]), "style": style, "tv": float(terms["tv"])}
    losses = {name: getattr(config, f"{name}_weight") * loss for name, loss in losses.items()}
    return losses | {"total": sum(losses.values())}


def as_saved(image, config):
    """A picture as the config has it saved: fractions cut off, or left for rounding."""
    return np.trunc(image) if config.truncate else image


@dataclasses.dataclass(frozen=True)
class Step:
    """What one step did; handed to the callback, and kept as a row of the history."""

    size: int  # longest side, pixels
    step: int  # from 1, over all sizes
    steps: int  # in all
    content: float  # the terms, in the config's units, before their weights
    style: dict[str, float]  # one a layer, before the layer's weight
    tv: float
    total: float  # weighted
    seconds: float  # since the start
    transfer: object = dataclasses.field(repr=False)  # the StyleTransfer at work

    @property
    def image(self):
        """The picture so far, `(1, H, W, 3)`, RGB, 0..255. Fetched when asked for."""
        return self.transfer.image

    def row(self):
        """The numbers alone, as a plain dictionary."""
        return {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.name not in ("transfer", "steps")
        }


@dataclasses.dataclass(frozen=True)
class Result:
    """A finished picture, or the best there was when something stopped it."""

    image: np.ndarray  # (1, H, W, 3), RGB, 0..255
    history: list[dict]  # one row a step, as `Step.row`
    config: TransferConfig
    extractor: str
    precision: str
    stopped: str | None = None  # why it ended early, in a sentence
    origin: dict | None = None  # settings and inputs, as `provenance.describe` returns them

    def save(self, path):
        """Save the picture, and in a PNG what made it; see `images.save_image`."""
        said = {"stopped": self.stopped} if self.stopped else {}
        text = {"nst_tutorial": json.dumps({**self.origin, **said})}
        save_image(path, as_saved(self.image, self.config), text)


class Progress:
    """Called with each step's terms: keeps the history, and tells whoever looks on.

    Args:
        steps: how many there will be.
        callback: called with a `Step` after each; or None.
        checkpoint: a `Checkpoint`, which is saved to and may be resumed from; or None.
        origin: what the run is, as `provenance.describe` says it.
        stages: the `Stage`s that it goes through.
    """

    def __init__(self, steps, callback, checkpoint=None, origin=None, stages=()):
        self.steps, self.callback, self.origin = steps, callback, origin
        self.checkpoint, self.interrupts, self.began = checkpoint, [], time.perf_counter()
        self.transfer, self._resumed = None, checkpoint and checkpoint.load(origin, stages)
        self.stage, self._done, self.history = 0, 0, []
        if self._resumed:
            self.stage, self.history = self._resumed.stage, self._resumed.history

    def enter(self, stage, transfer):
        """Begin a size, or go on within the one that was resumed: return its steps done."""
        self.stage, self._done, self.transfer = stage, 0, transfer
        if self._resumed:
            self._done = self._resumed.done
            transfer.restore(self._resumed.state)
            self._resumed = None
        return self._done

    def __call__(self, terms):
        step = Step(
            size=max(self.transfer.shape),
            step=len(self.history) + 1,
            steps=self.steps,
            seconds=time.perf_counter() - self.began,
            transfer=self.transfer,
            **terms,
        )
        self._done += 1
        self.history.append(step.row())
        if self.callback:
            self.callback(step)
        if self.transfer.ahead:  # what follows is between two steps only when these are heard of
            return
        if self.checkpoint and (self.interrupts or self.checkpoint.due()):
            self.checkpoint.save(self.moment())
        if self.interrupts:
            raise KeyboardInterrupt

    def moment(self):
        """Where the run is, between two steps."""
        return Moment(self.origin, self.stage, self._done, self.history, self.transfer.state())


@dataclasses.dataclass(frozen=True)
class Moment:
    """Where a transfer was: what a checkpoint holds."""

    origin: dict  # provenance.describe's: a checkpoint belongs to one run
    stage: int  # which of the sizes, from 0
    done: int  # steps done at that size
    history: list[dict]
    state: dict[str, np.ndarray]  # of the StyleTransfer
