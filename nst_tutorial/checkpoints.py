"""Checkpoints: a transfer on disk every few seconds, so that a killed one goes on."""

import json
import time
import warnings
import zipfile
from pathlib import Path

import numpy as np

from nst_tutorial.errors import NSTError, NSTWarning
from nst_tutorial.files import replacing
from nst_tutorial.provenance import differences
from nst_tutorial.records import Moment


class Checkpoint:
    """A file that holds the latest `Moment` of a run.

    Args:
        path: where it stands; an .npz without pickles, whole at any moment.
        seconds: at least this long between two savings.
        resume: go on from what the file holds, if it is there; else start anew.
    """

    def __init__(self, path, seconds=10.0, resume=False):
        self.path, self.seconds, self.resume = Path(path), seconds, resume
        self._saved = time.monotonic()

    def due(self):
        """Whether it is time to save again."""
        return time.monotonic() - self._saved >= self.seconds

    def save(self, moment):
        """Write a moment; where that fails, as on a full disk, the run goes on with a warning."""
        words = {name: getattr(moment, name) for name in ("origin", "stage", "done", "history")}
        try:
            with replacing(self.path) as file:
                np.savez(file, words=np.array(json.dumps(words)), **moment.state)
        except NSTError as error:
            warnings.warn(f"no checkpoint: {error}", NSTWarning, stacklevel=2)
        self._saved = time.monotonic()

    def load(self, origin):
        """Read the moment to go on from; None where there is none or none is wanted.

        Raises:
            NSTError: the file is damaged, or belongs to a run with another `origin`.
        """
        moment = self._read()
        if moment and (found := differences(moment.origin, origin)):
            raise NSTError(
                f"{self.path} belongs to another run: {'; '.join(found)}. "
                "Resume with the same settings and pictures, or remove it."
            )
        return moment

    def precision(self):
        """What the run to go on from computes in, which another start might choose otherwise."""
        moment = self._read()
        return moment and moment.origin["extractor"]["precision"]

    def _read(self):
        if not (self.resume and self.path.exists()):
            return None
        try:
            with open(self.path, "rb") as file, np.load(file, allow_pickle=False) as stored:
                arrays = dict(stored)
            return Moment(state=arrays, **json.loads(str(arrays.pop("words"))))
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise NSTError(f"{self.path} is no checkpoint ({error}); remove it.") from None

    def remove(self):
        """Remove the file: the picture is done."""
        self.path.unlink(missing_ok=True)
