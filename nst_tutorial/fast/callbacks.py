"""What looks on while a network learns: one callback tells, one keeps checkpoints."""

import dataclasses
import json
import math
import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nst_tutorial.fast.config import MOST_STYLES
from nst_tutorial.fast.network import StyleNetwork
from nst_tutorial.runs.checkpoints import no_checkpoint, read_arrays
from nst_tutorial.runs.provenance import NAME, PICTURE
from nst_tutorial.runtime.backend import keras, ops
from nst_tutorial.runtime.documents import parse
from nst_tutorial.runtime.errors import NSTError, NSTWarning
from nst_tutorial.runtime.files import replace_file, shown
from nst_tutorial.runtime.types import PathLike

if TYPE_CHECKING:
    from nst_tutorial.fast.learning import Learner

# What of a training is known by its SHA-256.
HASHED = ("style pictures", "extractor", "first weights")
ORIGIN = {
    "type": "object",
    "required": ["styles", "sha256", "settings"],
    "additionalProperties": False,
    "properties": {
        "styles": {"type": "array", "maxItems": MOST_STYLES, "items": NAME},
        "sha256": {
            "type": "array",
            "minItems": len(HASHED),
            "maxItems": len(HASHED),
            "items": PICTURE["properties"]["sha256"],
        },
        "settings": {"type": "object", "maxProperties": 100},
    },
}


@dataclasses.dataclass(frozen=True)
class TrainStep:
    """What the latest steps did; handed to the callback."""

    step: int  # from 1
    steps: int  # in all
    content: float  # the terms, in relative units, before their weights; means since the last
    style: float
    tv: float
    total: float  # weighted
    seconds: float  # since this start
    network: StyleNetwork = dataclasses.field(repr=False)  # at work


class Tell(keras.callbacks.Callback):
    """Tells whoever looks on of every step: its own terms, not Keras' running means."""

    def __init__(self, callback: Callable[[TrainStep], object] | None, steps: int) -> None:
        super().__init__()
        self._callback, self._steps = callback, steps
        self._began = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        logs = dict(logs)
        if not math.isfinite(logs.pop("loss")):
            raise NSTError("the loss is no longer a number; lower learning_rate.")
        self.model.reset_metrics()
        if self._callback:
            self._callback(
                TrainStep(
                    step=int(self.model.optimizer.iterations),
                    steps=self._steps,
                    seconds=time.perf_counter() - self._began,
                    network=self.model.network,
                    **logs,
                )
            )


class Keep(keras.callbacks.Callback):
    """Saves weights and optimizer every few seconds and at Ctrl-C, in a file that is always whole.

    Args:
        path: of an .npz without pickles; None to save nothing.
        origin: what JSON holds of the training, as `ORIGIN` says: a checkpoint belongs to one.
        seconds: at least this long between two savings.

    Differs: Keras' BackupAndRestore writes in place, and knows no Ctrl-C and no settings; HDF5,
    which it writes, ends the process when the disk is full.
    """

    def __init__(self, path: PathLike | None, origin: dict[str, Any], seconds: float) -> None:
        super().__init__()
        self._path: Any = path and Path(path)
        self._origin, self._seconds = json.loads(json.dumps(origin)), seconds
        self._saved, self._warned = time.monotonic(), False
        self.interrupts: list[int] = []

    def restore(self, learner: "Learner") -> None:
        """Go on from the file, if it is there; else change nothing.

        Raises:
            NSTError: it is damaged, or belongs to a training with other settings.
        """
        if not (self._path and os.path.exists(self._path)):
            return
        variables, arrays = _variables(learner), read_arrays(self._path)
        origin = parse(str(arrays.pop("origin", "")), ORIGIN, self._path)
        if found := _unlike(origin, self._origin):
            raise NSTError(
                f"{shown(self._path)} belongs to a training with other styles or settings "
                f"({found}); give those, or remove it."
            )
        if wrong := _misfit(arrays, variables, self._origin["settings"]["steps"]):
            raise no_checkpoint(self._path, wrong)
        for name, variable in variables.items():
            variable.assign(arrays[name])

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        due = self.interrupts or time.monotonic() - self._saved >= self._seconds
        if self._path and due:
            self._save()
        if self.interrupts:
            raise KeyboardInterrupt(self.interrupts[0])

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        if self._path:
            self._save()

    def _save(self):
        """Write it; where that fails, as on a full disk, the training goes on with a warning."""
        arrays = {
            name: ops.convert_to_numpy(variable)
            for name, variable in _variables(self.model).items()
        }
        try:
            with replace_file(self._path) as file:
                np.savez(file, origin=np.array(json.dumps(self._origin)), **arrays)
        except NSTError as error:
            if not self._warned:
                warnings.warn(f"no checkpoint: {error}", NSTWarning, stacklevel=2)
            self._warned = True
        self._saved = time.monotonic()


def _variables(learner):
    """Name all that changes while a network learns, by its place: Keras' names change too."""
    optimizer = learner.optimizer
    moments = [one for one in optimizer.variables if one is not optimizer.iterations]
    owners = {"network": learner.network.weights, "optimizer": moments}
    return {"done": optimizer.iterations} | {
        f"{owner}-{number}": variable
        for owner, variables in owners.items()
        for number, variable in enumerate(variables)
    }


def _unlike(one, other):
    """Say in a few words what differs between two origins; "" where nothing does."""
    settings, others = one["settings"], other["settings"]
    found = [
        f"{name} is {others.get(name)}, not {settings.get(name)}"
        for name in {**settings, **others}
        if settings.get(name) != others.get(name)
    ]
    others = (*zip(HASHED, one["sha256"], other["sha256"], strict=True),
              ("styles", one["styles"], other["styles"]))  # fmt: skip
    found += [f"other {name}" for name, mine, its in others if mine != its]
    return ", ".join(found)


def _misfit(arrays, variables, steps):
    """Say which array is not what its variable can be; None where all are."""
    if arrays.keys() != variables.keys():
        return "it holds other arrays"
    for name, variable in variables.items():
        array = arrays[name]
        if array.shape != variable.shape or array.dtype != variable.dtype:
            return f"{name} is {array.dtype} {array.shape}"
        if not np.isfinite(array).all():
            return f"{name} has values that are not numbers"
    done = int(arrays["done"])
    return None if 0 <= done <= steps else f"it says that {done} of {steps} steps are done"
