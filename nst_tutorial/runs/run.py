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
from nst_tutorial.control.plan import Plan, make_plan
from nst_tutorial.control.regions import GuidedObjective, Region, make_guides
from nst_tutorial.extractors import Extractor
from nst_tutorial.images import save_image
from nst_tutorial.objective import Objective
from nst_tutorial.runs.checkpoints import Checkpoint
from nst_tutorial.runs.inputs import (
    Inputs,
    gather,
    grid_of,
    load,
    prepare_extractor,
    style_masks_of,
)
from nst_tutorial.runs.memory import fitting_tile
from nst_tutorial.runs.progress import Progress, Step
from nst_tutorial.runs.provenance import describe
from nst_tutorial.runs.schedule import count_steps, read_schedule
from nst_tutorial.runs.steering import paint_steered
from nst_tutorial.runs.tiles import GuidedTiledObjective, TiledObjective
from nst_tutorial.runtime.errors import NSTError
from nst_tutorial.runtime.interrupts import hold_interrupts
from nst_tutorial.runtime.types import PathLike, Source
from nst_tutorial.scales import coarse_to_fine
from nst_tutorial.transfer import paint


def stylize(
    content: Source | None,
    style: Source | None,
    extractor: Extractor | PathLike | None = None,
    config: TransferConfig | None = None,
    callback: Callable[[Step], object] | None = None,
    start: Source | None = None,
    checkpoint: Checkpoint | None = None,
    regions: Sequence[Region | tuple] = (),
    schedule: Sequence[tuple[int, Any]] = (),
) -> "Result":
    """Repaint a photograph in the style of a picture, from coarse to fine.

    Args:
        content: anything `load_image` takes; None to synthesise the style's texture from noise.
        style: anything `load_image` takes, or a list of such to blend; None to rebuild the
            content from its features alone, or where regions have the styles.
        extractor: an `Extractor`, a name for `load_extractor`, or None for its default.
        config: a `TransferConfig`, or None for its defaults.
        callback: called with a `Step` after each step.
        start: anything `load_image` takes: where to start, instead of the config's `init`.
        checkpoint: a `Checkpoint` to save to, and to go on from; None for none.
        regions: list of `(mask, style)` or `(mask, style, mask on the style picture)`, see
            `control.Region`: what of the photograph gets which style. `style` is then for what no
            mask covers; without it, that is kept as it is. Where masks overlap, each region gets
            its share.
        schedule: list of `(step, what)`, see `runs.schedule`: settings that change on the way.

    Returns:
        a `Result`. Ctrl-C, and losses that are no longer numbers, end the run early but lose
        nothing: the result has the last good picture, and says in `.stopped` what happened.

    Raises:
        NSTError: a picture, a layer or a setting is not usable; said before the first step.

    Taught in: 07_full_transfer.
    """
    config = TransferConfig() if config is None else config
    if not isinstance(config, TransferConfig):
        raise NSTError(f"config is {config!r}; it must be a TransferConfig.")
    if not (callback is None or callable(callback)):
        raise NSTError(f"callback is {callback!r}; it must be a function of a Step.")
    if not (checkpoint is None or isinstance(checkpoint, Checkpoint)):
        raise NSTError(f"checkpoint is {checkpoint!r}; it must be a Checkpoint.")
    sources = gather(content, style, start, regions)
    sources["schedule"] = read_schedule(schedule, config)
    if schedule and checkpoint:
        raise NSTError("a run with a schedule keeps no checkpoint: leave out one of the two.")
    extractor = prepare_extractor(
        extractor, config, sources["content"], sources["styles"], sources["schedule"]
    )
    pictures = load(sources, config, grid_of(extractor))
    return run(sources, pictures, extractor, config, callback, checkpoint)


def run(
    sources: Inputs,
    pictures: Inputs,
    extractor: Extractor,
    config: TransferConfig,
    callback: Callable[[Step], object] | None = None,
    checkpoint: Checkpoint | None = None,
    like: dict[str, Any] | None = None,
) -> "Result":
    """Paint pictures that are loaded: what `stylize` does once all is there.

    Args:
        sources, pictures: as `inputs.gather` and `inputs.load` return them.
        extractor: an `Extractor` with the layers that are needed.
        config, callback, checkpoint: as `stylize` takes them.
        like: the description of an earlier run, which this one is to repeat in the same tiles.

    Returns:
        a `Result`.
    """
    if extractor.border == "wrap":  # a mirrored margin would be where the picture closes
        config = dataclasses.replace(config, margin=0)
    plan = plan_of(pictures, config)
    full = (plan.styles[0] if plan.content is None else plan.content).shape
    extractor.check_shape(full)  # else it would be said of the picture with its margin
    if checkpoint and checkpoint.moment:
        like = checkpoint.moment.origin
    tile = _choose_tile(full, plan, extractor, config, like)
    if tile and extractor.border == "wrap":
        raise NSTError("a picture that wraps around is not computed in tiles; make it smaller.")
    origin = describe(config, extractor, sources, pictures, tile)
    stages = coarse_to_fine(full, config.scales, config.steps, config.learning_rate)
    schedule = sources["schedule"]
    steps = count_steps(schedule, config)
    progress = Progress(steps, callback, checkpoint, origin, stages, plan.finish)
    steered = functools.partial(paint_steered, schedule=schedule)
    with hold_interrupts() as progress.interrupts:
        image, error = (steered if schedule else paint)(
            plan.content, plan.styles, extractor, config, pictures["start"], progress,
            objective=_objective(plan, tile), begin=plan.start, enter=progress.enter,
            first=progress.stage,
        )  # fmt: skip
    why = "interrupted" if isinstance(error, KeyboardInterrupt) else error
    stopped = f"{why}, after step {len(progress.history)}" if error else None
    made_by = extractor.name, extractor.precision
    return Result(
        plan.finish(image), progress.history, config, *made_by, stopped, origin, pictures["alpha"]
    )


def plan_of(pictures: Inputs, config: TransferConfig) -> Plan:
    """Make the plan of what is painted where, and in whose colors.

    Raises:
        NSTError: masks or settings do not fit together.
    """
    content, masks = pictures["content"], style_masks_of(pictures)
    guides = None
    if content is not None and masks:
        given = pictures["masks"], masks, pictures["alpha"], config.blend, content.shape
        guides = make_guides(*given)
    if guides and config.parameterization == "fourier":
        raise NSTError("waves move every pixel: regions and transparent parts need pixels.")
    return make_plan(content, pictures["styles"], config.colors, guides)


def _objective(plan, tile):
    """What makes the objective of each size: of regions or not, in tiles or not."""
    kinds = {False: (Objective, TiledObjective), True: (GuidedObjective, GuidedTiledObjective)}
    kind = kinds[plan.guides is not None][tile is not None]
    settings = {"guides": plan.guides, "tile": tile}
    return functools.partial(kind, **{k: v for k, v in settings.items() if v is not None})


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
    alpha: np.ndarray | None = None  # (1, H, W, 1), 0..1; None: opaque. The image is on white

    def save(self, path: PathLike) -> None:
        """Save the picture, and in a PNG what made it; see `images.save_image`."""
        said = {"stopped": self.stopped} if self.stopped else {}
        text = {"nst_tutorial": json.dumps({**self.origin, **said})} if self.origin else None
        save_image(path, as_saved(self.image, self.config), text, self.alpha)


def as_saved(image: np.ndarray, config: TransferConfig) -> np.ndarray:
    """A picture as the config has it saved: fractions cut off, or left for rounding."""
    return np.trunc(image) if config.truncate else image


def _choose_tile(full, plan, extractor, config, like):
    """Return the config's tiles; else those of the run to repeat, or what fits if that is less."""
    if config.tile:
        return config.tile
    shapes = [style.shape for style in plan.styles]
    regions = 0 if plan.guides is None else len(plan.guides.masks)
    fitting = fitting_tile(full, shapes, extractor, config.optimizer, config.margin, regions)
    repeated = like["machine"]["tile"] if like and "machine" in like else None
    return min(filter(None, (repeated, fitting)), default=None)
