"""The path of a picture: what is to be painted, what was, and how it came about.

A path is a row of stretches, each of which one call of `stylize` takes again: pictures, settings,
and a schedule of what changed on the way. Another style picture begins a new one.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nst_tutorial.config import TransferConfig
from nst_tutorial.runs.schedule import STEERABLE, Schedule


@dataclasses.dataclass(frozen=True, eq=False)
class Picture:
    """A picture that may be chosen."""

    name: str
    source: object  # anything `load_image` takes
    words: str = ""  # what is seen


@dataclasses.dataclass(frozen=True)
class Job:
    """What is to be painted, and how."""

    content: Picture
    style: Picture
    config: TransferConfig
    move: int = dataclasses.field(default=0, compare=False)  # of the visitor's, that asked for it

    def with_settings(self, settings: dict[str, Any]) -> "Job":
        """The job with other settings."""
        return dataclasses.replace(self, config=dataclasses.replace(self.config, **settings))

    @property
    def origin(self) -> tuple[Any, ...]:
        """What decides where the picture starts; if it changes, the picture starts again."""
        config = self.config
        of_style = config.init in ("style", "recolored") or config.colors != "style"
        style = (self.style, config.style_scale) if of_style else None
        start = config.init, config.seed, config.noise_std
        return self.content, style, config.size, config.colors, *start

    @property
    def fixed(self) -> tuple[Any, ...]:
        """What no schedule can change: pictures, and how they are loaded."""
        config = dataclasses.asdict(self.config)
        return self.content, self.style, *(v for k, v in config.items() if k not in STEERABLE)


@dataclasses.dataclass(frozen=True)
class Stretch:
    """A part of the way that one call of `stylize` can take again."""

    job: Job  # as it began
    begun: int  # steps that were taken before it
    start: np.ndarray | None = None  # the picture that it began with; None: as the job says
    schedule: Schedule = ()  # its steps count from the stretch's own beginning
    dragged: frozenset[int] = frozenset()  # steps of changes that one move made after its first

    @property
    def halved(self) -> bool:
        """Whether it is at half the size at its end."""
        sizes = [what for _, what in self.schedule if what in ("half", "whole")]
        return sizes[-1:] == ["half"]

    def then(self, step: int, what: Any, dragged: bool = False) -> "Stretch":
        """The stretch with one change more; what changes twice in one place, changes once."""
        at, schedule = step - self.begun, self.schedule
        if isinstance(what, dict):
            if not at and not schedule:
                return dataclasses.replace(self, job=self.job.with_settings(what))
            if schedule and schedule[-1][0] == at and isinstance(schedule[-1][1], dict):
                what, schedule = schedule[-1][1] | what, schedule[:-1]
                dragged = at in self.dragged
        also = self.dragged | {at} if dragged else self.dragged
        return dataclasses.replace(self, schedule=(*schedule, (at, what)), dragged=also)


@dataclasses.dataclass(frozen=True)
class Painted:
    """A picture and how it came about."""

    job: Job
    image: np.ndarray | None  # (1, H, W, 3), RGB, 0..255; None before the first is loaded
    step: int
    path: tuple[Stretch, ...] = ()
    planned: int = 0  # the step at which the run that it is part of ends
    finish: Callable = lambda image: image  # puts the photograph's colors back, if they are kept
    history: Sequence[dict[str, Any]] = ()  # of its run, also beyond it: rows as `News` has them

    @property
    def shown(self) -> np.ndarray | None:
        """The picture as it is shown and taken home."""
        return None if self.image is None else self.finish(self.image.astype("float32"))

    @property
    def steered(self) -> bool:
        """Whether anything changed on the way."""
        return len(self.path) > 1 or any(stretch.schedule for stretch in self.path)


@dataclasses.dataclass(frozen=True)
class News:
    """How things stand: one for each picture that is worth showing."""

    phase: str  # ready, preparing, running, paused, done or failed
    painted: Painted
    rate: float  # steps a second; 0 while it is not known
    change: float  # mean change of a pixel over the last `STRIDE` steps, gray levels; inf: unknown
    history: list[dict]  # one row for each step: what each term, and each style layer, adds
    film: tuple[Painted, ...] = ()  # what was painted on the way
    message: str = ""  # what went wrong, in a sentence

    @property
    def steps_left(self) -> int:
        return self.painted.planned - self.painted.step

    @property
    def seconds_left(self) -> float:
        return self.steps_left / self.rate if self.rate else float("inf")


@dataclasses.dataclass(frozen=True)
class Before:
    """What there was before a visitor's move, so that it can be undone."""

    at: dict[str, int]  # where the controls stood
    chosen: dict[str, Picture]
    painted: Painted | None = None  # the picture, where the move took it away
    film: tuple[Painted, ...] = ()
