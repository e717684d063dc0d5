"""Files: opened only if they are ordinary ones; written beside their place, then renamed."""

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

from nst_tutorial.runtime.errors import NSTError, printable
from nst_tutorial.runtime.types import PathLike


@contextlib.contextmanager
def open_file(path: PathLike) -> Iterator[BufferedReader]:
    """Open a file for reading that has an end: what a folder, a pipe or a device gives has none.

    Args:
        path: of the file.

    Yields:
        the binary file.

    Raises:
        NSTError: the file does not exist, is empty, is no regular file or cannot be read.
    """
    name = shown(path)
    if os.path.isdir(path):
        raise NSTError(f"{name} is a folder; give a file in it.")
    with (
        _os_errors_as_sentences(f"{name} cannot be read", missing=f"{name} does not exist"),
        open(path, "rb", opener=_without_waiting) as file,
    ):
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise NSTError(f"{name} is a pipe or a device; save what it gives in a file first.")
        if not found.st_size:
            raise NSTError(f"{name} is empty; copy or download it again.")
        yield file


@contextlib.contextmanager
def replace_file(path: PathLike) -> Iterator[BinaryIO]:
    """Open a file that takes the place of `path` once it is whole; no fault leaves half a file.

    A link stays a link, and an existing file keeps its permissions; a new one gets the usual ones.

    Args:
        path: of the file.

    Yields:
        the binary file.

    Raises:
        NSTError: the folder does not exist, is read-only or full.
    """
    beside = None
    with _os_errors_as_sentences(f"cannot write {shown(path)}"):
        place = _place(path)
        try:
            beside, handle = _create_beside(place)
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())  # else a power cut may leave a renamed but empty file
            if place.exists():
                beside.chmod(stat.S_IMODE(place.stat().st_mode))
            os.replace(beside, place)
        finally:
            if beside:
                beside.unlink(missing_ok=True)


def check_output(path: PathLike, inputs: Iterable[object] = (), ending: str = "") -> Path:
    """Find out, before any work is done, whether a file can be written.

    Args:
        path: where it is to be written.
        inputs: files, or whatever else was given as input, that must not be overwritten.
        ending: what its name has to end in, such as ".keras"; "" for anything.

    Returns:
        the path.

    Raises:
        NSTError: it ends otherwise, is a folder or one of the inputs, its name is too long, or its
            folder does not exist or cannot be written to.
    """
    name, path = shown(path), Path(path)
    if ending and path.suffix != ending:
        raise NSTError(f"{name} must end in {ending}.")
    with _os_errors_as_sentences(f"cannot write {name}"):
        place = _place(path)
        if any(_is_same_file(place, one) for one in inputs):
            raise NSTError(
                f"{name} is one of the inputs and would be overwritten; give another name."
            )
        beside, handle = _create_beside(place)
        os.close(handle)
        beside.unlink()
    return path


def make_folder(path: PathLike) -> Path:
    """Make a folder, and those it is in, unless it is there; return its path.

    Raises:
        NSTError: it cannot be made.
    """
    path, name = Path(path), shown(path)
    if os.path.isfile(path):
        raise NSTError(f"{name} is a file; give the name of a folder.")
    with _os_errors_as_sentences(f"the folder {name} cannot be made"):
        path.mkdir(parents=True, exist_ok=True)
    return path


def shown(path: PathLike) -> str:
    """Return a path as a sentence shows it: whole, unless nobody would read it.

    Raises:
        NSTError: it is no path at all.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise NSTError(f"{path!r} is not the name of a file.")
    name = printable(os.fsdecode(path))
    return name if len(name) <= 300 else f"{name[:100]}…{name[-100:]}"


def _place(path):
    """Return where a file is to be written, which a link may say; refuse what cannot be one."""
    place = Path(os.path.realpath(path))
    if os.path.isdir(place):
        raise NSTError(f"{shown(path)} is a folder; give the name of a file in it.")
    if not os.path.isdir(place.parent):
        folder = shown(Path(path).parent)
        if os.path.lexists(place.parent):
            raise NSTError(f"{folder} is no folder; give the name of a file in one.")
        raise NSTError(f"the folder {folder} does not exist; make it first.")
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISREG(os.stat(place).st_mode):  # which refuses a name that is too long
            raise NSTError(f"{shown(path)} is a pipe or a device; give the name of a file.")
    return place


def _create_beside(place):
    """Create a hidden file in the same folder, under a name that is short whatever the other is."""
    beside = place.with_name(f".nst-{os.urandom(8).hex()}~")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    return beside, os.open(beside, flags, 0o666)  # the process's umask takes its share


def _without_waiting(path, flags):
    """Opening a pipe waits for its writer, unless told not to."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _is_same_file(path, other):
    with contextlib.suppress(OSError, ValueError, TypeError):  # `other` may be no file at all
        return isinstance(other, (str, os.PathLike)) and os.path.samefile(path, other)
    return False


@contextlib.contextmanager
def _os_errors_as_sentences(what, missing=None):
    try:
        yield
    except NSTError:
        raise
    except OSError as error:
        if missing and isinstance(error, FileNotFoundError):
            raise NSTError(f"{missing}; check the name and the folder.") from error
        raise NSTError(f"{what}: {error.strerror or error}.") from error
    except ValueError as error:  # a name that no file can have
        raise NSTError(f"{what}: {error}.") from error
