"""HDF5 files: what they may hold, so that reading one reads this file alone and ends."""

import h5py

from nst_tutorial.runtime.errors import NSTError
from nst_tutorial.runtime.files import shown
from nst_tutorial.runtime.types import PathLike

MOST_PARTS = 10_000
MOST_EXPANSION = 20  # times the file's own size; trained weights hardly shrink when packed


def check_plain(file: h5py.File, name: PathLike | None = None) -> None:
    """Find out whether a file holds nothing but groups, and arrays of numbers of its own.

    HDF5 can refer to other files by links, external storage and virtual data sets; it would open
    whatever they name, even a pipe, and take it for weights. It can also declare an array of any
    size without storing it.

    Args:
        file: an open `h5py.File`; none of its data is read.
        name: of the file, for the sentence.

    Raises:
        NSTError: it holds something else, or too much; the sentence says what and where.
    """
    # Links come first: only when none leads elsewhere may what is behind them be opened.
    wrong = file.visititems_links(_LinkCheck()) or file.visititems(_PartCheck(file))
    if wrong:
        raise NSTError(
            f"{shown(name or file.filename)} is not read: {wrong}. "
            "A file of weights holds plain arrays alone."
        )


class _LinkCheck:
    """Returns what is wrong with a link, or None; h5py cannot let an exception through here."""

    def __init__(self):
        self._left = MOST_PARTS

    def __call__(self, path, link):
        self._left -= 1
        if self._left < 0:
            return f"it has more than {MOST_PARTS} parts"
        return None if isinstance(link, h5py.HardLink) else f"{path!r} is a link to elsewhere"


class _PartCheck:
    """Returns what is wrong with a group or an array, or None."""

    def __init__(self, file):
        self._left = MOST_EXPANSION * file.id.get_filesize()

    def __call__(self, path, part):
        if isinstance(part, h5py.Group):
            return None
        # A virtual data set that is asked for its shape would already open other files.
        if not isinstance(part, h5py.Dataset) or part.is_virtual or part.external:
            return f"{path!r} is kept elsewhere"
        if part.dtype.kind not in "fiu":
            return f"{path!r} holds no numbers, but {part.dtype}"
        self._left -= part.nbytes
        return f"{path!r} is larger than the file can hold" if self._left < 0 else None
