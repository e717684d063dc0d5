"""Steering: a transfer whose settings may change between two steps; see `schedule`."""

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nst_tutorial.config import TransferConfig
from nst_tutorial.extractors import Extractor
from nst_tutorial.images import to_uint8
from nst_tutorial.objective import Objective
from nst_tutorial.runs.inputs import prepare_extractor
from nst_tutorial.runs.schedule import REMADE, SCALES, Schedule
from nst_tutorial.runtime.types import Array, Terms
from nst_tutorial.scales import at_scale, enlarge, resize, scale_shape
from nst_tutorial.transfer import DivergedError, StyleTransfer


class Steered:
    """A transfer whose settings may change between two steps.

    Args:
        content, styles, extractor, config, image, objective: as `StyleTransfer` takes them; the
            extractor may have more layers than are needed.
        enter: called with 0 and the `StyleTransfer` whenever another one is at work; or None.
    """

    def __init__(
        self,
        content: Array | None,
        styles: Sequence[Array],
        extractor: Extractor,
        config: TransferConfig,
        image: Array,
        objective: Callable[..., Objective] = Objective,
        enter: Callable[[int, StyleTransfer], object] | None = None,
    ) -> None:
        self._pictures, self._extractor = (content, styles), extractor
        self._objective, self._enter = objective, enter
        self.config = config
        self._made: dict[float, StyleTransfer] = {}
        self.start(image)

    @property
    def image(self) -> np.ndarray:
        """The picture so far at its whole size, `(1, H, W, 3)`, RGB, 0..255."""
        image = self.transfer.image
        return image if self.scale == 1 else enlarge(image, self._whole.shape, self._whole)

    def apply(self, what: Any) -> None:
        """Do what an entry of a schedule says, but for "stop"."""
        if isinstance(what, dict):
            self.change(dataclasses.replace(self.config, **what))
        elif what == "restart":
            self.start(as_file(self.image).astype("float32"))
        elif SCALES[what] != self.scale:
            self.resize(SCALES[what])

    def change(self, config: TransferConfig) -> None:
        """Go on with other settings from where the picture is."""
        image, old = self.image, self.config
        self.config = self.transfer.config = config
        if any(getattr(config, name) != getattr(old, name) for name in REMADE):
            self._made = {}
            self._go_on(image)

    def resize(self, scale: float) -> None:
        """Go on at another size: 0.5 or 1."""
        image, self.scale = self.image, scale
        self._go_on(image)

    def start(self, image: Array) -> None:
        """Start from a picture at its whole size, with an optimizer that remembers nothing."""
        self.scale = 1.0
        self._go_on(image)

    def run(self, callback: Callable[[Terms], object] | None, most: float = np.inf) -> None:
        """Take the steps of a run, or the first few of them."""
        if most:
            with _Left() as left:
                self.transfer.run(self.config.steps, left.after(most, callback))

    def _go_on(self, image):
        """Let the transfer of the present size go on from a picture."""
        self._whole = image
        if self.scale != 1:
            image = np.clip(resize(image, scale_shape(image.shape, self.scale)), 0, 255)
        if made := self._made.get(self.scale):
            made.config = self.config
            made.restart(image)
        else:
            extractor = prepare_extractor(self._extractor, self.config, *self._pictures)
            pictures = at_scale(self.scale, *self._pictures, extractor.least_side)
            made = StyleTransfer(*pictures, extractor, self.config, image, self._objective)
        self.transfer = self._made[self.scale] = made
        if self._enter:
            self._enter(0, self.transfer)


def paint_steered(
    content: Array | None,
    styles: Sequence[Array],
    extractor: Extractor,
    config: TransferConfig,
    start: Array | None,
    callback: Callable[[Terms], object] | None,
    *,
    schedule: Schedule,
    objective: Callable[..., Objective],
    begin: Callable[..., tuple[np.ndarray, Array | None]],
    enter: Callable[[int, StyleTransfer], object],
    first: int = 0,
) -> tuple[np.ndarray, KeyboardInterrupt | DivergedError | None]:
    """Paint as `transfer.paint` does, with whose arguments it is called, along a schedule."""
    full = (styles[0] if content is None else content).shape
    image, _ = begin(full, content, styles, start, config)
    steered, taken = None, 0.0
    try:
        steered = Steered(content, styles, extractor, config, image, objective, enter)
        for step, what in (*schedule, (np.inf, "stop")):
            steered.run(callback, step - taken)
            if what == "stop":
                break
            steered.apply(what)
            taken = step
    except (KeyboardInterrupt, DivergedError) as error:
        return steered.image if steered else image, error
    return steered.image, None


def as_file(image: Array) -> np.ndarray:
    """A picture as a file holds it: `(1, H, W, 3)`, uint8."""
    return to_uint8(image)[None]


class _Left(Exception):  # noqa: N818, no error
    """A run is left before its end; as a context, this is where it ends up."""

    def after(self, most, callback):
        """Return a callback that leaves the run after so many steps."""
        taken = itertools.count(1)

        def call(terms):
            if callback:
                callback(terms)
            if next(taken) == most:
                raise self

        return call

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        return error is self
