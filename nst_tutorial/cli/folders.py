"""Folders: a picture out for each picture in, and what could not be read is said at the end."""

import os
from collections.abc import Iterable
from pathlib import Path

from nst_tutorial.cli.terminal import say
from nst_tutorial.runtime.errors import NSTError
from nst_tutorial.runtime.files import make_folder, shown
from nst_tutorial.runtime.types import PathLike


def outputs_for(source: PathLike, output: Path) -> list[tuple[Path, Path]]:
    """Pair each picture of a folder with its namesake in another folder, which is made.

    Raises:
        NSTError: there is no picture, or the two folders are one.
    """
    from nst_tutorial.fast import pictures_in
    from nst_tutorial.runtime.encoding import ENDINGS

    sources = pictures_in(source, "*")
    make_folder(output)
    if os.path.samefile(source, output):
        raise NSTError(f"the photographs are in {shown(output)}; give another folder.")
    odd = sorted({one.suffix for one in sources if one.suffix.lower() not in ENDINGS})
    if odd:
        say(f"pictures cannot be saved as {', '.join(odd)}; those get .png after their names.")
    names = [f"{one.name}.png" if one.suffix in odd else one.name for one in sources]
    return [(one, output / name) for one, name in zip(sources, names, strict=True)]


def report(sentences: Iterable[str]) -> int:
    """Say at the end what could not be read; return the exit status."""
    sentences = list(sentences)
    for sentence in sentences:
        say(sentence)
    return 1 if sentences else 0
