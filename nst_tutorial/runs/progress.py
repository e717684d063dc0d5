"""Progress: what each step of a run did, for whoever looks on, and for the checkpoint."""

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from nst_tutorial.runs.checkpoints import Checkpoint, Moment
from nst_tutorial.runtime.types import Terms

if TYPE_CHECKING:
    import numpy as np

    from nst_tutorial.scales import Stage
    from nst_tutorial.transfer import StyleTransfer


@dataclasses.dataclass(frozen=True)
class Step:
    """What one step did; handed to the callback, and kept as a row of the history."""

    size: int  # longest side, pixels
    step: int  # from 1, over all sizes
    steps: int  # in all
    content: float  # the terms, in the config's units, before their weights
    style: dict[str, float]  # one for each layer, before its weight
    tv: float
    total: float  # weighted
    seconds: float  # since the start
    transfer: "StyleTransfer" = dataclasses.field(repr=False)  # the StyleTransfer at work
    finish: Callable = dataclasses.field(default=lambda image: image, repr=False)  # see `Plan`

    @property
    def image(self) -> "np.ndarray":
        """The picture so far, `(1, H, W, 3)`, RGB, 0..255. Fetched when asked for."""
        return self.finish(self.transfer.image)

    def row(self) -> dict[str, Any]:
        """The numbers alone, as a plain dictionary."""
        return {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.name not in ("transfer", "finish", "steps")
        }


class Progress:
    """Called with each step's terms: keeps the history, and tells whoever looks on.

    Args:
        steps: how many there will be.
        callback: called with a `Step` after each; or None.
        checkpoint: a `Checkpoint`, which is saved to and may be resumed from; or None.
        origin: what the run is, as `provenance.describe` says it.
        stages: the `Stage`s that it goes through.
        finish: turns what the transfer paints into what is shown.
    """

    def __init__(
        self,
        steps: int,
        callback: Callable[[Step], object] | None,
        checkpoint: Checkpoint | None = None,
        origin: Any = None,
        stages: "Sequence[Stage]" = (),
        finish: Callable = lambda image: image,
    ) -> None:
        self.steps, self.callback, self.origin = steps, callback, origin
        self._finish = finish
        self.checkpoint, self.began = checkpoint, time.perf_counter()
        self._resumed = checkpoint and checkpoint.load(origin, stages)
        self.transfer: Any = None
        self.interrupts: list[int] = []
        self.history: list[dict[str, Any]] = []
        self.stage, self._done = 0, 0
        if self._resumed:
            self.stage, self.history = self._resumed.stage, self._resumed.history

    def enter(self, stage: int, transfer: "StyleTransfer") -> int:
        """Begin a size, or go on within the one that was resumed: return its steps done."""
        self.stage, self._done, self.transfer = stage, 0, transfer
        if self._resumed:
            self._done = self._resumed.done
            transfer.restore(self._resumed.state)
            self._resumed = None
        return self._done

    def __call__(self, terms: Terms) -> None:
        step = Step(
            size=max(self.transfer.shape),
            step=len(self.history) + 1,
            steps=self.steps,
            seconds=time.perf_counter() - self.began,
            transfer=self.transfer,
            finish=self._finish,
            **terms,
        )
        self._done += 1
        self.history.append(step.row())
        if self.callback:
            self.callback(step)
        if self.checkpoint and (self.interrupts or self.checkpoint.due()):
            self.checkpoint.save(self.moment())
        if self.interrupts:
            raise KeyboardInterrupt

    def moment(self) -> Moment:
        """Where the run is, between two steps."""
        return Moment(self.origin, self.stage, self._done, self.history, self.transfer.state())
