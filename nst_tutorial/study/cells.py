"""One cell of a study: what a worker must be told, and how it is painted. Without Keras until then.

A worker is sent a cell's settings, each picture once, and loads an extractor once.
"""

import dataclasses
import functools
import hashlib
import io
import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from nst_tutorial.config import TransferConfig
from nst_tutorial.runs.provenance import digest, name_of
from nst_tutorial.runtime import machine
from nst_tutorial.runtime.decoding import open_as_rgb
from nst_tutorial.runtime.documents import parse
from nst_tutorial.runtime.errors import NSTError, printable
from nst_tutorial.runtime.files import open_file
from nst_tutorial.runtime.interrupts import RequestedError, hold_interrupts
from nst_tutorial.runtime.types import PathLike, Source

if TYPE_CHECKING:
    from nst_tutorial.extractors import Extractor

LOSSES = {"type": "object", "maxProperties": 1000, "additionalProperties": {"type": "number"}}
MOST_BYTES = 1_000_000  # of a cell's losses


@dataclasses.dataclass(frozen=True)
class Parcel:
    """A picture that can be sent to another machine."""

    name: str | Path | None  # as it was given; None for what is no file
    sha256: str  # of its pixels
    data: bytes  # an encoded picture, of any kind


@dataclasses.dataclass(frozen=True)
class Cell:
    """One setting of a study, with the pictures by their hashes."""

    values: dict  # {field: value}, of the grid's fields
    config: TransferConfig
    content: str | None
    styles: tuple[str, ...]
    extractor: str  # a name or a file of weights
    traits: tuple[str, ...]  # what that must be here and on every worker: see `traits_of`

    @property
    def pictures(self) -> set[str]:
        """The hashes of the pictures that it needs."""
        return {sha for sha in (self.content, *self.styles) if sha is not None}

    @functools.cached_property
    def key(self) -> str:
        """A name for what comes out: the hash of what goes in, whatever the files are called."""
        parts = (dataclasses.asdict(self.config), self.content, self.styles, self.traits)
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]


Paint = Callable[[Cell, Mapping[str, Parcel]], tuple[bytes, dict[str, float]]]
Outcome = tuple[bytes | None, str]  # a PNG and its losses as JSON; or None and why there is none


def pack(source: Source) -> Parcel:
    """Take in anything that `load_image` takes.

    Raises:
        NSTError: it is no picture that can be read.
    """
    rgb = open_as_rgb(source)
    sha256 = digest(np.asarray(rgb))
    if isinstance(source, (str, Path)):
        with open_file(source) as file:
            return Parcel(source, sha256, file.read())
    encoded = io.BytesIO()
    rgb.save(encoded, "PNG")
    return Parcel(None, sha256, encoded.getvalue())


@functools.cache
def extractor_of(name: str, precision: str) -> "Extractor":
    """Load an extractor with all its layers, once in a process."""
    from nst_tutorial.extractors import load_extractor

    return load_extractor(name, precision=precision)


@functools.cache
def weights_hash(name: str, precision: str) -> str:
    """Hash an extractor's weights, once in a process."""
    return digest(*extractor_of(name, precision).model.get_weights())


def traits_of(name: str | None, optimizer: str) -> tuple[str, ...]:
    """What fixes an extractor: its name, pooling, precision and the hash of its weights.

    L-BFGS gets float32 (see `run.prepare_extractor`), others what is faster on this machine.
    """
    from nst_tutorial.runtime.precision import fastest_precision

    precision = "float32" if optimizer == "lbfgs" else fastest_precision()
    extractor = extractor_of(name, precision)
    return extractor.name, extractor.pooling, precision, weights_hash(name, precision)


def paint_cell(cell: Cell, pictures: Mapping[str, Parcel]) -> tuple[bytes, dict[str, float]]:
    """Paint a cell.

    Args:
        cell: a `Cell`.
        pictures: `{sha256: Parcel}` with those that it names.

    Returns:
        the PNG's bytes, and the losses after the last step, `{name: number}`.

    Raises:
        NSTError: a setting does not fit the pictures, or the extractor is another one here.
    """
    from nst_tutorial.runs.run import stylize
    from nst_tutorial.transfer import DivergedError

    _, precision, weights = cell.traits
    extractor = extractor_of(cell.extractor, precision)
    if weights_hash(cell.extractor, precision) != weights:
        raise NSTError(f"the extractor {cell.extractor!r} has other weights on this worker.")
    content = cell.content and pictures[cell.content]
    styles = [pictures[style] for style in cell.styles]
    with hold_interrupts(holding=False) as interrupts:
        result = stylize(
            content and content.data, [style.data for style in styles], extractor, cell.config
        )
    if interrupts:  # a cell is whole, or there is none
        raise RequestedError(interrupts[0])
    if result.stopped:
        raise DivergedError(result.stopped)
    return _encoded(_named(result, content, styles)), _losses(result.history[-1])


def attempt(paint: Paint, cell: Cell, pictures: Mapping[str, Parcel]) -> Outcome:
    """Paint a cell; whatever goes wrong with it leaves the others.

    Returns:
        the PNG's bytes and the losses as JSON; or None and a sentence on why there is no picture.
    """
    try:
        png, losses = paint(cell, pictures)
        _verify(io.BytesIO(png))
        said = json.dumps(losses)
        parse(said, LOSSES, "what the painter returned")
        return png, said
    except Exception as error:  # a study of many cells outlives any fault of one
        return None, sentence(error)


def attempt_on_worker(
    threads: int, folder: PathLike, paint: Paint, cell: Cell, pictures: Mapping[str, Parcel]
) -> Outcome | None:
    """Do the same on a worker, and tell TensorFlow, before it is loaded, its share of threads.

    Returns:
        None if the cell is finished in the folder, where that can be seen: a cell whose result was
        still on a worker that died is asked for once more, though it has arrived.
    """
    if losses_of(folder, cell.key) is not None:
        return None
    if "tensorflow" not in sys.modules:
        os.environ[machine.THREADS[0]] = str(threads)
    elif machine.threads() != threads:  # it keeps what it began with
        return None, (
            f"this worker already computes with {machine.threads()} threads, not {threads}; "
            "ask for as many, or start the workers again."
        )
    return attempt(paint, cell, pictures)


def losses_of(folder: PathLike, key: str) -> dict[str, float] | None:
    """Return a finished cell's losses, `{name: number}`; None if a file is missing or damaged."""
    try:
        with open_file(Path(folder) / f"{key}.png") as file:
            _verify(file)
        with open_file(Path(folder) / f"{key}.json") as file:
            return parse(file.read(MOST_BYTES), LOSSES, file.name)
    except NSTError:
        return None


def sentence(error: BaseException) -> str:
    """Say an error in words: our own as they are, others with their kind."""
    ours = isinstance(error, NSTError) or type(error).__module__.startswith("nst_tutorial")
    return printable(error if ours else f"{type(error).__name__}: {error}")


def _verify(file):
    """Check that a file is a PNG from its first byte to its last."""
    try:
        with Image.open(file, formats=["PNG"]) as picture:
            picture.verify()
    except Exception as error:  # a damaged file ends in every kind of exception there is
        raise NSTError(f"that is no whole PNG ({error}).") from None


def _named(result, content, styles):
    """Put the files' names, which bytes do not have, into what the picture says of itself."""
    origin = dict(result.origin)
    if content:
        origin["content"] = {**origin["content"], "name": name_of(content.name)}
    origin["styles"] = [
        {**style, "name": name_of(picture.name)}
        for style, picture in zip(origin["styles"], styles, strict=True)
    ]
    return dataclasses.replace(result, origin=origin)


def _encoded(result):
    """The very file that `Result.save` writes."""
    with tempfile.TemporaryDirectory() as folder:
        result.save(Path(folder) / "cell.png")
        return (Path(folder) / "cell.png").read_bytes()


def _losses(row):
    style = {f"style {layer}": loss for layer, loss in row["style"].items()}
    return {"total": row["total"], "content": row["content"], **style, "tv": row["tv"]}
