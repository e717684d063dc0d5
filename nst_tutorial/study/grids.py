"""What a study varies: fields and their values, in words, and as a TOML file says them."""

import contextlib
import dataclasses
import math
import numbers
import os
import reprlib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nst_tutorial.config import TransferConfig
from nst_tutorial.runtime import settings
from nst_tutorial.runtime.documents import check
from nst_tutorial.runtime.errors import NSTError
from nst_tutorial.runtime.files import open_file, shown
from nst_tutorial.runtime.types import PathLike

INPUTS = ("content", "style", "extractor")  # a grid varies these, and TransferConfig's fields
FIELDS = {field.name: field for field in dataclasses.fields(TransferConfig)}
LETTERS = {"content_weight": "α", "style_weight": "β", "tv_weight": "γ"}  # of eq. 7
RATIO = {"content_weight", "style_weight"}

MOST_CELLS = 100_000
MOST_BYTES = 500_000  # of a study's file
LONGEST_LINE = 4_000  # characters; a key's parts cost the parser the square of their number

FILE = {"type": "string", "minLength": 1, "maxLength": 4096, "pattern": r"^[^\x00]*$"}
FILES = {"anyOf": [FILE, {"type": "array", "minItems": 1, "maxItems": 1000, "items": FILE}]}
NUMBER = {"minimum": -1e30, "maximum": 1e30}  # TOML's whole numbers may have any length
SETTING = {
    "type": ["string", "number", "boolean", "array"],
    "items": {"type": ["string", "number"], **NUMBER},
    **NUMBER,
}


def _varied(value):
    """The form of a list of values, or of a table of them by their labels."""
    return {
        "type": ["array", "object"],
        "items": value,
        "additionalProperties": value,
    }


STUDY = {
    "type": "object",
    "required": ["grid"],
    "properties": {
        "content": FILE,
        "style": FILES,
        "extractor": FILE,
        "folder": FILE,
        "config": {
            "type": "object",
            "properties": dict.fromkeys(FIELDS, SETTING),
            "additionalProperties": False,
        },
        "grid": {
            "type": "object",
            "minProperties": 1,
            "properties": {
                "content": _varied(FILE),
                "style": _varied(FILES),
                "extractor": _varied(FILE),
                **dict.fromkeys(FIELDS, _varied(SETTING)),
            },
            "additionalProperties": False,
        },
    },
    "additionalProperties": False,
}


def read_grid(grid: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Read a grid, `{field: values}`, into lists of Python's own kinds.

    Raises:
        NSTError: there is no such field, a value cannot be, or there are too many combinations.
    """
    if not isinstance(grid, Mapping) or not grid:
        raise NSTError("the grid varies nothing; give it a field and a list of values.")
    given = {field: _listed(field, values) for field, values in grid.items()}
    count = math.prod(map(len, given.values()))
    if count > MOST_CELLS:
        raise NSTError(f"the grid has {count} cells; a study has at most {MOST_CELLS}.")
    return {
        field: values if field in INPUTS else [settings.read(FIELDS[field], one) for one in values]
        for field, values in given.items()
    }


def labels_of(
    field: str, grid: Mapping[str, Any], values: Sequence[Any], config: TransferConfig
) -> list[str]:
    """Label a field's values: as the grid does, or in the formulas' letters.

    Where of α and β one alone is varied, it is the ratio α/β that decides.
    """
    if isinstance(grid[field], Mapping):
        return list(map(str, grid[field]))
    if {field} == RATIO & set(grid):
        configs = [dataclasses.replace(config, **{field: value}) for value in values]
        ratios = (one.content_weight / (one.style_weight or np.nan) for one in configs)
        return [f"α/β = {ratio:.3g}" for ratio in ratios]
    return [_label(field, number, value) for number, value in enumerate(values, 1)]


def read_toml(path: PathLike) -> dict[str, Any]:
    """Read `Study`'s arguments from a file: `content`, `style`, `[grid]`, and what else it takes.

    Names of pictures, weights and the folder are taken from the file's own folder. A study that
    names no `folder` is kept in one that is called as the file.

    Raises:
        NSTError: the file cannot be read, or says what a study does not know.
    """
    path, said = Path(path), _document(path)
    with named(path):
        config = TransferConfig(**said.get("config", {}))
    inputs = {"content": None, "style": None, "folder": path.stem} | said
    placed = {key: inputs[key] for key in {*INPUTS, "folder"} & {*inputs}}
    grid = _placed(path.parent, said["grid"])
    return inputs | _placed(path.parent, placed) | {"config": config, "grid": grid}


@contextlib.contextmanager
def named(path: PathLike) -> Iterator[None]:
    """Within, a mistake's sentence begins with the file's name."""
    try:
        yield
    except NSTError as error:
        raise NSTError(f"{shown(path)}: {error}") from None


def _document(path):
    """Parse a TOML file and check its form."""
    with open_file(path) as file:
        text = file.read(MOST_BYTES + 1)
    if len(text) > MOST_BYTES or max(map(len, text.split(b"\n"))) > LONGEST_LINE:
        raise NSTError(
            f"{shown(path)} is too long: a study's file has at most {MOST_BYTES} bytes, and "
            f"{LONGEST_LINE} in each line; put a long list on several lines."
        )
    try:
        return check(tomllib.loads(text.decode("utf-8")), STUDY, path)
    except NSTError:
        raise
    except (ValueError, RecursionError) as error:
        raise NSTError(f"{shown(path)} is no TOML that can be read ({error}).") from None


def _placed(folder, said):
    """Put a folder before the names of files, also in lists and tables."""

    def place(field, value):
        if isinstance(value, list):
            return [place(field, one) for one in value]
        if isinstance(value, dict):
            return {label: place(field, one) for label, one in value.items()}
        file = field in ("content", "style", "folder") or str(value).endswith((".npz", ".h5"))
        return os.path.normpath(folder / value) if file and value is not None else value

    return {field: place(field, value) for field, value in said.items()}


def _listed(field, values):
    """List a field's values, `[value, …]` or those of `{label: value}`."""
    known = (*INPUTS, *FIELDS)
    if field not in known:
        raise NSTError(f"a study cannot vary {field!r}; choose from {', '.join(known)}.")
    try:
        several = not isinstance(values, (str, bytes)) and 0 < len(values) <= MOST_CELLS
    except TypeError:  # it has no length
        several = False
    if not several:
        raise NSTError(
            f"the grid's {field} is {reprlib.repr(values)}; give a list of values, at most "
            f"{MOST_CELLS}."
        )
    return list(values.values() if isinstance(values, Mapping) else values)


def _label(field, number, value):
    """Say a value: `γ = 20`, a file's name, a layer in each line."""
    if field in INPUTS:
        return Path(value).stem if isinstance(value, (str, Path)) else f"{field} {number}"
    if isinstance(value, (list, tuple)):
        words = all(isinstance(part, str) for part in value)
        return "\n".join(value) if words else " : ".join(f"{part:.3g}" for part in value)
    words = LETTERS.get(field, field.replace("_", " "))
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return f"{words}: {value}"
    return f"{words} = {value:.3g}" if abs(float(value)) < 1000 else f"{words} = {value:.0f}"
