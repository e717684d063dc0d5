"""What looks on while a network learns: one callback tells, one keeps checkpoints."""

import dataclasses
import json
import math
import os
import time
import warnings
from pathlib import Path

import h5py

from nst_tutorial.backend import keras
from nst_tutorial.errors import NSTError, NSTWarning
from nst_tutorial.fast.network import StyleNetwork


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

    def __init__(self, callback, steps):
        super().__init__()
        self._callback, self._steps = callback, steps
        self._began = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
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
        path: ending in .weights.h5; None to save nothing.
        origin: what JSON holds of the training: a checkpoint belongs to one.
        seconds: at least this long between two savings.

    Differs: Keras' BackupAndRestore writes in place, and knows no Ctrl-C and no settings.
    """

    def __init__(self, path, origin, seconds):
        super().__init__()
        self._path = path and Path(path)
        self._origin, self._seconds = json.dumps(origin), seconds
        self._saved, self.interrupts = time.monotonic(), []

    def restore(self, learner):
        """Go on from the file, if it is there; else change nothing.

        Raises:
            NSTError: it is damaged, or belongs to a training with other settings.
        """
        if not (self._path and self._path.exists()):
            return
        try:
            with h5py.File(self._path) as file:
                origin = file.attrs["origin"]
            if origin == self._origin:
                learner.load_weights(self._path)
        except (OSError, ValueError, KeyError) as error:
            raise NSTError(f"{self._path} is no checkpoint ({error}); remove it.") from None
        if origin != self._origin:
            raise NSTError(
                f"{self._path} belongs to a training with other styles or settings; "
                "give those, or remove it."
            )

    def on_train_batch_end(self, batch, logs=None):
        due = self.interrupts or time.monotonic() - self._saved >= self._seconds
        if self._path and due:
            self._save()
        if self.interrupts:
            raise KeyboardInterrupt

    def _save(self):
        beside = self._path.with_name(f".{self._path.name}-beside.weights.h5")
        try:
            self.model.save_weights(beside, overwrite=True)
            with h5py.File(beside, "r+") as file:
                file.attrs["origin"] = self._origin
            os.replace(beside, self._path)
        except OSError as error:
            warnings.warn(f"no checkpoint: {error.strerror or error}", NSTWarning, stacklevel=2)
        finally:
            beside.unlink(missing_ok=True)
        self._saved = time.monotonic()

    def on_train_end(self, logs=None):
        if self._path:
            self._save()
