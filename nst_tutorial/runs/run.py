"""A run: from files to a `Result`, and nothing lost on the way.

`transfer.paint` moves the pixels; here is what a run needs that lasts: pictures and extractor are
loaded, large pictures are tiled, Ctrl-C and checkpoints keep what there is, and the result knows
what made it.
"""

import dataclasses
import functools
import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nst_tutorial.config import TransferConfig
from nst_tutorial.extractors import Extractor, load_extractor
from nst_tutorial.images import load_image, save_image
from nst_tutorial.objective import Objective
from nst_tutorial.runs.checkpoints import Checkpoint
from nst_tutorial.runs.memory import fitting_tile
from nst_tutorial.runs.progress import Progress, Step
from nst_tutorial.runs.provenance import describe
from nst_tutorial.runs.tiles import TiledObjective
from nst_tutorial.runtime.errors import NSTError
from nst_tutorial.runtime.interrupts import hold_interrupts
from nst_tutorial.runtime.types import Array, PathLike, Source
from nst_tutorial.scales import coarse_to_fine, resize
from nst_tutorial.transfer import paint


def stylize(
    content: Source | None,
    style: Source | None,
    extractor: Extractor | PathLike | None = None,
    config: TransferConfig | None = None,
    callback: Callable[[Step], object] | None = None,
    start: Source | None = None,
    checkpoint: Checkpoint | None = None,
) -> "Result":
    """Repaint a photograph in the style of a picture, from coarse to fine.

    Args:
        content: anything `load_image` takes; None to synthesise the style's texture from noise.
        style: anything `load_image` takes, or a list of such to blend; None to rebuild the
            content from its features alone.
        extractor: an `Extractor`, a name for `load_extractor`, or None for its default.
        config: a `TransferConfig`, or None for its defaults.
        callback: called with a `Step` after each step.
        start: anything `load_image` takes: where to start, instead of the config's `init`.
        checkpoint: a `Checkpoint` to save to, and to go on from; None for none.

    Returns:
        a `Result`. Ctrl-C, and losses that are no longer numbers, end the run early but lose
        nothing: the result has the last good picture, and says in `.stopped` what happened.

    Raises:
        NSTError: a picture, a layer or a setting is not usable; said before the first step.

    Taught in: 07_full_transfer.
    """
    config = TransferConfig() if config is None else config
    if not (callback is None or callable(callback)):
        raise NSTError(f"callback is {callback!r}; it must be a function of a Step.")
    if not (checkpoint is None or isinstance(checkpoint, Checkpoint)):
        raise NSTError(f"checkpoint is {checkpoint!r}; it must be a Checkpoint.")
    sources = {"content": content, "styles": as_list(style), "start": start}
    pictures: dict[str, Any] = dict(
        zip(sources, load_pictures(content, style, start, config), strict=True)
    )
    extractor = prepare_extractor(extractor, config, pictures["content"], pictures["styles"])
    return run(sources, pictures, extractor, config, callback, checkpoint)


def run(
    sources: dict[str, Any],
    pictures: dict[str, Any],
    extractor: Extractor,
    config: TransferConfig,
    callback: Callable[[Step], object] | None = None,
    checkpoint: Checkpoint | None = None,
    like: dict[str, Any] | None = None,
) -> "Result":
    """Paint pictures that are loaded: what `stylize` does once all is there.

    Args:
        sources, pictures: as `provenance.describe` takes them.
        extractor: an `Extractor` with the layers that are needed.
        config, callback, checkpoint: as `stylize` takes them.
        like: the description of an earlier run, which this one is to repeat in the same tiles.

    Returns:
        a `Result`.
    """
    content, styles, start = pictures.values()
    full = (styles[0] if content is None else content).shape
    if checkpoint and checkpoint.moment:
        like = checkpoint.moment.origin
    tile = _choose_tile(full, styles, extractor, config, like)
    origin = describe(config, extractor, sources, pictures, tile)
    stages = coarse_to_fine(full, config.scales, config.steps, config.learning_rate)
    progress = Progress(config.steps, callback, checkpoint, origin, stages)
    with hold_interrupts() as progress.interrupts:
        image, error = paint(
            content, styles, extractor, config, start, progress, enter=progress.enter,
            first=progress.stage,
            objective=functools.partial(TiledObjective, tile=tile) if tile else Objective,
        )  # fmt: skip
    why = "interrupted" if isinstance(error, KeyboardInterrupt) else error
    stopped = f"{why}, after step {len(progress.history)}" if error else None
    return Result(
        image, progress.history, config, extractor.name, extractor.precision, stopped, origin
    )


@dataclasses.dataclass(frozen=True)
class Result:
    """A finished picture, or the best there was when something stopped it."""

    image: np.ndarray  # (1, H, W, 3), RGB, 0..255
    history: list[dict]  # one row for each step, as `Step.row`
    config: TransferConfig
    extractor: str
    precision: str
    stopped: str | None = None  # why it ended early, in a sentence
    origin: dict | None = None  # settings and inputs, as `provenance.describe` returns them

    def save(self, path: PathLike) -> None:
        """Save the picture, and in a PNG what made it; see `images.save_image`."""
        said = {"stopped": self.stopped} if self.stopped else {}
        text = {"nst_tutorial": json.dumps({**self.origin, **said})} if self.origin else None
        save_image(path, as_saved(self.image, self.config), text)


def as_saved(image: np.ndarray, config: TransferConfig) -> np.ndarray:
    """A picture as the config has it saved: fractions cut off, or left for rounding."""
    return np.trunc(image) if config.truncate else image


def load_pictures(
    content: Source | None, style: Source | None, start: Source | None, config: TransferConfig
) -> tuple[Array, list[np.ndarray], Array]:
    """Load content (or None), the list of styles, and the start (or None)."""
    styles = as_list(style)
    if not isinstance(config, TransferConfig):
        raise NSTError(f"config is {config!r}; it must be a TransferConfig.")
    if content is None and not styles:
        raise NSTError("neither a content nor a style picture was given; give at least one.")
    content = None if content is None else load_image(content, config.size)
    styles = [_style(picture, content, config) for picture in styles]
    return content, styles, None if start is None else load_image(start)


def _style(picture, content, config):
    """A style picture as the config resizes it; with no content there is nothing to squash to."""
    if config.style_resize == "own":
        return load_image(picture)
    if config.style_resize == "squash" and content is not None:
        return np.clip(resize(load_image(picture), content.shape), 0, 255)
    longest = config.size if content is None else max(content.shape)
    return load_image(picture, config.style_size or longest)


def as_list(style: Source | None) -> list[Source]:
    """One style picture, several or none, as a list."""
    return [] if style is None else list(style) if isinstance(style, (list, tuple)) else [style]


def prepare_extractor(
    extractor: Extractor | PathLike | None,
    config: TransferConfig,
    content: Array | None,
    styles: Sequence[Array],
) -> Extractor:
    """Load the extractor if it is a name, with no layer more than needed.

    L-BFGS measures curvature by differences of gradients, which bfloat16's rounding drowns: its
    line search finds no way down. It gets float32.
    """
    content_layers = () if content is None else config.content_layers
    layers = content_layers + (config.style_layers if styles else ())
    if not isinstance(extractor, Extractor):
        extractor = load_extractor(extractor, layers)
    extractor = extractor.select(layers)
    return extractor.cast("float32") if config.optimizer == "lbfgs" else extractor


def _choose_tile(full, styles, extractor, config, like):
    """Return the config's tiles; else those of the run to repeat, or what fits if that is less."""
    if config.tile:
        return config.tile
    fitting = fitting_tile(
        full, [style.shape for style in styles], extractor, config.optimizer, config.margin
    )
    repeated = like["machine"]["tile"] if like and "machine" in like else None
    return min(filter(None, (repeated, fitting)), default=None)
