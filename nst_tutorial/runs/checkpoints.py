"""Checkpoints: a transfer on disk every few seconds, so that a killed one goes on."""

import dataclasses
import functools
import json
import time
import warnings
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nst_tutorial.runs.provenance import ORIGIN, circumstances, config_of, differences
from nst_tutorial.runtime.documents import parse
from nst_tutorial.runtime.errors import NSTError, NSTWarning
from nst_tutorial.runtime.files import open_file, replace_file, shown
from nst_tutorial.runtime.types import Arrays, PathLike

if TYPE_CHECKING:
    from nst_tutorial.scales import Stage

TERM = {"type": "number"}
ROW = {
    "type": "object",
    "required": ["size", "step", "content", "style", "tv", "total", "seconds"],
    "additionalProperties": TERM,
    "properties": {"style": {"type": "object", "maxProperties": 64, "additionalProperties": TERM}},
}
MOMENT = {
    "type": "object",
    "required": ["origin", "stage", "done", "history"],
    "additionalProperties": False,
    "properties": {
        "origin": ORIGIN,
        "stage": {"type": "integer", "minimum": 0},
        "done": {"type": "integer", "minimum": 0},
        "history": {"type": "array", "items": ROW},
    },
}


@dataclasses.dataclass(frozen=True)
class Moment:
    """Where a transfer was: what a checkpoint holds."""

    origin: dict  # provenance.describe's: a checkpoint belongs to one run
    stage: int  # which of the sizes, from 0
    done: int  # steps done at that size
    history: list[dict]
    state: Arrays  # of the StyleTransfer


class Checkpoint:
    """A file that holds the latest `Moment` of a run.

    Args:
        path: of the file, an .npz without pickles that is complete at any moment.
        seconds: at least this long between two savings, and nineteen times as long as one takes;
            0: save after each step.
        resume: go on from what the file holds, if it is there; else start anew.
    """

    def __init__(self, path: PathLike, seconds: float = 10.0, resume: bool = False) -> None:
        self.path, self.seconds, self.resume = Path(path), seconds, resume
        self._saved, self._pause = time.monotonic(), seconds

    def due(self) -> bool:
        """Whether it is time to save again."""
        return time.monotonic() - self._saved >= self._pause

    def save(self, moment: Moment) -> None:
        """Write a moment; where that fails, as on a full disk, the run goes on with a warning."""
        began = time.monotonic()
        words = {name: getattr(moment, name) for name in ("origin", "stage", "done", "history")}
        try:
            with replace_file(self.path) as file:
                np.savez(file, words=np.array(json.dumps(words)), **moment.state)
        except NSTError as error:
            warnings.warn(f"no checkpoint: {error}", NSTWarning, stacklevel=2)
        self._saved = time.monotonic()
        self._pause = self.seconds and max(self.seconds, 19 * (self._saved - began))

    def load(self, origin: dict[str, Any], stages: "Sequence[Stage]") -> Moment | None:
        """Read the moment to go on from; None where there is none or none is wanted.

        Args:
            origin: of the run that is to go on, as `provenance.describe` returns it.
            stages: the `Stage`s that it goes through.

        Raises:
            NSTError: the file is damaged, or belongs to a run with another `origin`.

        Warns:
            NSTWarning: machine or versions differ, so that the last bits may.
        """
        moment = self.moment
        if moment is None:
            return None
        if found := differences(moment.origin, origin):
            raise NSTError(
                f"{shown(self.path)} belongs to another run: {'; '.join(found)}. "
                "Resume with the same settings and pictures, or remove it."
            )
        if not _fits(moment, stages):
            raise no_checkpoint(self.path, "its numbers of steps cannot be")
        if found := circumstances(moment.origin, origin):
            warnings.warn(
                f"this run began elsewhere ({'; '.join(found)}): the picture may differ in its "
                "last bits from one that was not interrupted.",
                NSTWarning,
                stacklevel=2,
            )
        return moment

    @functools.cached_property
    def moment(self) -> Moment | None:
        """The `Moment` in the file; None where there is none or none is wanted.

        Raises:
            NSTError: the file is damaged.
        """
        if not (self.resume and self.path.exists()):
            return None
        arrays = read_arrays(self.path)
        words = parse(str(arrays.pop("words", "")), MOMENT, self.path)
        config_of(words["origin"])
        return Moment(state=arrays, **words)

    def remove(self) -> None:
        """Remove the file: the picture is done."""
        self.path.unlink(missing_ok=True)


def read_arrays(path: PathLike) -> dict[str, np.ndarray]:
    """Read a checkpoint's arrays, `{name: array}`; none is compressed, so the file bounds them.

    Raises:
        NSTError: it is no checkpoint.
    """
    with open_file(path) as file:
        try:
            with zipfile.ZipFile(file) as archive:
                if any(part.compress_type != zipfile.ZIP_STORED for part in archive.infolist()):
                    raise ValueError("it is compressed")
            with np.load(file, allow_pickle=False) as stored:
                return dict(stored)
        except Exception as error:  # a damaged file ends in every kind of exception there is
            raise no_checkpoint(path, error) from None


def no_checkpoint(path: PathLike, why: object) -> NSTError:
    """The error that a file is no checkpoint."""
    return NSTError(f"{shown(path)} is no checkpoint ({why}); remove it.")


def _fits(moment, stages):
    """Whether a run of these stages can have been at this moment; L-BFGS may end a stage early."""
    if not 0 <= moment.stage < len(stages):
        return False
    before = sum(stage.steps for stage in stages[: moment.stage])
    taken = len(moment.history)
    return moment.done <= min(taken, stages[moment.stage].steps) and taken <= before + moment.done
