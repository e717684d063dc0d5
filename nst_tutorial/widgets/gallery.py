"""The pictures that can be chosen in the `Playground`: the bundled ones, and a visitor's own."""

import io
import re
from pathlib import Path
from typing import Any

from PIL import Image

from nst_tutorial.images import load_image, to_uint8
from nst_tutorial.runtime.errors import NSTError
from nst_tutorial.runtime.types import Array, PathLike, Source
from nst_tutorial.widgets.path import Picture

THUMB = 96  # longest side, in pixels
MOST_BYTES = 10_000_000  # of an upload; a websocket takes no more


def encoded(image: Array, kind: str = "jpeg", longest: int | None = None) -> bytes:
    """A picture `(1, H, W, 3)` as the bytes of a file."""
    picture, file = Image.fromarray(to_uint8(image)), io.BytesIO()
    if longest:
        picture.thumbnail((longest, longest))
    picture.save(file, format=kind, quality=90)
    return file.getvalue()


class Gallery:
    """Photographs ("content") and styles ("style") to choose from, one of each chosen.

    Args:
        folder: of the bundled pictures.
        given: `{role: picture}`, each anything `load_image` takes, chosen at first; None: the
            first of the bundled.

    Raises:
        NSTError: a picture cannot be read, or there is none.
    """

    def __init__(self, folder: PathLike, given: dict[str, Source | None]) -> None:
        photographs, styles = bundled(folder)
        self.pictures = {"content": photographs, "style": styles}
        self.chosen: dict[str, Picture] = {}
        self._thumbs: dict[Picture, bytes] = {}
        for role, source in given.items():
            self.show(role, _given(role, source, self.pictures[role]))

    def show(self, role: str, picture: Picture) -> None:
        """Choose a picture; one that is not among the others joins them.

        Raises:
            NSTError: it cannot be read.
        """
        self._thumb(picture)
        if picture not in self.pictures[role]:
            self.pictures[role].append(picture)
        self.chosen[role] = picture

    def choose(self, role: str, index: int) -> None:
        """Choose the picture in a place; nothing where there is none."""
        if 0 <= index < len(self.pictures.get(role, ())):
            self.show(role, self.pictures[role][index])

    def add(self, role: str, name: str, content: bytes) -> None:
        """Add a visitor's own picture and choose it; the same one twice is there once.

        Raises:
            NSTError: it cannot be read.
        """
        if role not in self.pictures:
            return
        if len(content) > MOST_BYTES:
            raise NSTError(f"{name} is larger than {MOST_BYTES // 1_000_000} MB; make it smaller.")
        alike = [one for one in self.pictures[role] if is_own(one) and one.source == content]
        self.show(role, alike[0] if alike else Picture(Path(name).name[:80], content))

    def remove(self, role: str, index: int) -> None:
        """Remove a visitor's own picture; if it was chosen, the first of the others is."""
        if not 0 <= index < len(self.pictures.get(role, ())):
            return
        picture = self.pictures[role][index]
        if is_own(picture) and len(self.pictures[role]) > 1:
            self.pictures[role].remove(picture)
            if self.chosen[role] is picture:
                self.choose(role, 0)

    def places(self) -> dict[str, int]:
        """Where the chosen ones are, `{role: index}`."""
        return {role: self.pictures[role].index(one) for role, one in self.chosen.items()}

    def picture(self, role: str, longest: int) -> bytes:
        """The chosen picture as a JPEG file."""
        return encoded(load_image(self.chosen[role].source, longest))

    def described(self) -> dict[str, list[dict[str, Any]]]:
        """All pictures as the browser is told of them."""
        return {
            role: [
                {
                    "name": one.name,
                    "words": one.words or one.name,
                    "thumb": self._thumb(one),
                    "own": is_own(one),
                }
                for one in pictures
            ]
            for role, pictures in self.pictures.items()
        }

    def _thumb(self, picture):
        if picture not in self._thumbs:
            self._thumbs[picture] = encoded(load_image(picture.source, THUMB))
        return self._thumbs[picture]


def is_own(picture: Picture) -> bool:
    """Whether a picture is a visitor's, who may remove it."""
    return isinstance(picture.source, bytes)


def bundled(folder: PathLike) -> tuple[list[Picture], list[Picture]]:
    """The pictures of a folder, `(photographs, styles)`, with the words of its LICENSES.md.

    Sheets of several pictures are left out. Without that list every picture is in both.
    """
    folder = Path(folder)
    files = sorted(p for p in folder.glob("*.*") if p.suffix in (".png", ".jpg", ".jpeg"))
    if not (folder / "LICENSES.md").is_file():
        both = [Picture(path.stem, str(path)) for path in files]
        return both, list(both)
    words = (folder / "LICENSES.md").read_text("utf-8")
    listed = re.findall(r"^\| (\S+\.\w+) \| (style: |sheet: )?(.*?) \|", words, re.M)
    named = [
        (Picture(Path(name).stem.replace("_", " "), str(folder / name), words), kind)
        for name, kind, words in listed
        if folder / name in files
    ]
    return [p for p, kind in named if not kind], [p for p, kind in named if kind == "style: "]


def _given(role, given, pictures):
    """The picture that was given, one of the bundled where it is; the first where none was."""
    if given is None and not pictures:
        raise NSTError(f"there is no bundled {role} picture here; give one: Playground({role}=…).")
    if given is None:
        return pictures[0]
    if not (isinstance(given, str) or hasattr(given, "__fspath__")):
        return Picture(role, given)
    same = [one for one in pictures if Path(one.source).resolve() == Path(given).resolve()]
    return same[0] if same else Picture(Path(given).name, str(given))
