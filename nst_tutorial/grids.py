"""What a study varies: fields and their values, in words, and as a TOML file says them."""

import dataclasses
import numbers
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from nst_tutorial.errors import NSTError
from nst_tutorial.records import TransferConfig

INPUTS = ("content", "style", "extractor")  # a grid varies these, and TransferConfig's fields
FIELDS = {field.name: field.default for field in dataclasses.fields(TransferConfig)}
LETTERS = {"content_weight": "α", "style_weight": "β", "tv_weight": "γ"}  # of eq. 7
RATIO = {"content_weight", "style_weight"}


def values_of(field, values):
    """List a field's values, `[value, …]` or those of `{label: value}`, as plain Python's.

    Raises:
        NSTError: there is no such field, or it has no values.
    """
    known = (*INPUTS, *FIELDS)
    if field not in known:
        raise NSTError(f"a study cannot vary {field!r}; choose from {', '.join(known)}.")
    if isinstance(values, str) or not hasattr(values, "__len__") or not len(values):
        raise NSTError(f"the grid's {field} is {values!r}; give a list of values.")
    values = list(values.values() if isinstance(values, Mapping) else values)
    return values if field in INPUTS else [_plain(field, value) for value in values]


def labels_of(field, grid, config):
    """Label a field's values: as the grid does, or in the formulas' letters.

    Where of α and β one alone is varied, it is the ratio α/β that decides.
    """
    if isinstance(grid[field], Mapping):
        return list(map(str, grid[field]))
    values = values_of(field, grid[field])
    if {field} == RATIO & set(grid):
        configs = [dataclasses.replace(config, **{field: value}) for value in values]
        ratios = (one.content_weight / (one.style_weight or np.nan) for one in configs)
        return [f"α/β = {ratio:.3g}" for ratio in ratios]
    return [_in_words(field, number, value) for number, value in enumerate(values, 1)]


def read_toml(path):
    """Read `Study`'s arguments from a file: `content`, `style`, `[grid]`, and what else it takes.

    Names of pictures, weights and the folder are taken from the file's own folder. A study that
    names no `folder` is kept in one that is called as the file.

    Raises:
        NSTError: the file cannot be read, or says what a study does not know.
    """
    path = Path(path)
    try:
        said = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise NSTError(f"{path} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise NSTError(f"{path} is no TOML that can be read ({error}).") from None
    _check(path, said, {"content", "style", "extractor", "folder", "config", "grid"})
    _check(path, said.get("config", {}), set(FIELDS))
    if not isinstance(said.get("grid"), dict):
        raise NSTError(f"{path} has no [grid]; list there what the study varies.")
    inputs = {"content": None, "style": None, "folder": path.stem} | said
    inputs |= {"config": TransferConfig(**said.get("config", {}))}
    inputs |= {"grid": _placed(path.parent, said["grid"])}
    return inputs | _placed(
        path.parent, {key: inputs[key] for key in {*INPUTS, "folder"} & {*inputs}}
    )


def _check(path, said, known):
    if unknown := sorted(set(said) - known):
        raise NSTError(f"{path} says {unknown[0]!r}; known are {', '.join(sorted(known))}.")


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


def _plain(field, value):
    """The same number is the same cell, be it NumPy's or Python's, 100 or 100.0."""
    value = value.tolist() if isinstance(value, (np.generic, np.ndarray)) else value
    if isinstance(value, list):
        return tuple(value)
    whole = isinstance(FIELDS[field], float) and isinstance(value, int)
    return float(value) if whole else value


def _in_words(field, number, value):
    """Say a value: `γ = 20`, a file's name, a layer in each line."""
    if field in INPUTS:
        return Path(value).stem if isinstance(value, (str, Path)) else f"{field} {number}"
    if isinstance(value, (list, tuple)):
        words = all(isinstance(part, str) for part in value)
        return "\n".join(value) if words else " : ".join(f"{part:.3g}" for part in value)
    words = LETTERS.get(field, field.replace("_", " "))
    if not isinstance(value, numbers.Real):
        return f"{words}: {value}"
    return f"{words} = {value:.3g}" if abs(value) < 1000 else f"{words} = {value:.0f}"
