"""Saving: what was made is kept, if not where it was asked for, then elsewhere."""

import contextlib
import tempfile
from collections.abc import Callable
from pathlib import Path

from nst_tutorial.runtime.errors import NSTError


def save(write: Callable[[Path], object], path: Path, name: str) -> None:
    """Call `write` with a path; where that refuses, with this name in a new folder.

    Raises:
        NSTError: it refused; the sentence says why, and where the file is now, if anywhere.
    """
    try:
        write(path)
    except NSTError as error:
        if place := _elsewhere(write, name):
            raise NSTError(f"{error} The {place.stem} is in {place}.") from None
        raise


def _elsewhere(write, name):
    for folder in (tempfile.gettempdir(), Path.home(), Path.cwd()):
        with contextlib.suppress(NSTError, OSError):
            new = Path(tempfile.mkdtemp(prefix="nst-tutorial-", dir=folder))
            try:
                write(new / name)
                return new / name
            except NSTError:
                new.rmdir()
    return None
