"""Files that are whole or not there: written beside their place, then renamed."""

import contextlib
import os
import tempfile
from pathlib import Path

from nst_tutorial.errors import NSTError


@contextlib.contextmanager
def replacing(path):
    """Open a file that takes the place of `path` once it is whole; no fault leaves half a file.

    Raises:
        NSTError: the folder does not exist, is read-only or full.
    """
    path = Path(path)
    beside = None
    try:
        handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-", suffix="~")
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # else a power cut may leave a renamed but empty file
        os.chmod(beside, 0o644)  # mkstemp's own is for its owner alone
        os.replace(beside, path)
    except OSError as error:
        raise NSTError(f"cannot write {path}: {error.strerror or error}.") from error
    finally:
        if beside:
            Path(beside).unlink(missing_ok=True)
