"""Provenance: what a picture was made of and with, kept inside its PNG, so it can be made again."""

import contextlib
import dataclasses
import hashlib
import itertools
import json
import os
import platform
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from nst_tutorial.config import TransferConfig
from nst_tutorial.runs.schedule import SCHEDULE, Schedule, read_schedule
from nst_tutorial.runtime import machine, processor
from nst_tutorial.runtime.documents import parse
from nst_tutorial.runtime.errors import NSTError
from nst_tutorial.runtime.files import open_file, shown
from nst_tutorial.runtime.types import Array, PathLike, Source

if TYPE_CHECKING:
    from nst_tutorial.extractors import Extractor
    from nst_tutorial.runs.inputs import Inputs

KEY = "nst_tutorial"  # of the PNG's text chunk
PACKAGES = ("nst-tutorial", "keras", "numpy", "pillow")  # and the backend's

NAME = {"type": "string", "maxLength": 4096}
PICTURE: dict[str, Any] = {
    "type": "object",
    "required": ["name", "sha256"],
    "properties": {
        "name": {"anyOf": [NAME, {"type": "null"}]},
        "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    },
}
REGION = {  # the last styles are the regions', in order
    "type": "object",
    "required": ["mask", "style_mask"],
    "properties": {"mask": PICTURE, "style_mask": {"anyOf": [PICTURE, {"type": "null"}]}},
}
EXTRACTOR = {
    "type": "object",
    "required": ["name", "pooling", "border", "precision", "sha256"],
    "properties": {
        "name": NAME,
        "pooling": {"enum": ["average", "max"]},
        "border": {"enum": ["reflect", "zero", "wrap"]},
        "precision": {"enum": ["float32", "bfloat16"]},
        "sha256": PICTURE["properties"]["sha256"],
    },
}
ORIGIN = {
    "type": "object",
    "required": ["config", "content", "styles", "start", "extractor", "versions"],
    "properties": {
        "config": {"type": "object", "maxProperties": 100},
        "content": {"anyOf": [PICTURE, {"type": "null"}]},
        "styles": {"type": "array", "maxItems": 1000, "items": PICTURE},
        "start": {"anyOf": [PICTURE, {"type": "null"}]},
        "regions": {"type": "array", "maxItems": 16, "items": REGION},
        "extractor": EXTRACTOR,
        "versions": {"type": "object", "maxProperties": 100, "additionalProperties": NAME},
        "machine": {
            "type": "object",
            "required": ["threads", "instructions", "tile"],
            "properties": {
                "threads": {"type": "integer", "minimum": 1, "maximum": 4096},
                "instructions": NAME,
                "tile": {"type": ["integer", "null"], "minimum": 1, "maximum": 1_000_000},
            },
        },
        "schedule": SCHEDULE,
        "stopped": NAME,
    },
}


def describe(
    config: TransferConfig,
    extractor: "Extractor",
    sources: "Inputs",
    pictures: "Inputs",
    tile: int | None = None,
) -> dict[str, Any]:
    """Describe a transfer: a dictionary that JSON holds, the same for the same result.

    Args:
        config: a `TransferConfig`.
        extractor: the `Extractor` that computes.
        sources, pictures: as `inputs.gather` and `inputs.load` return them.
        tile: side of the tiles that it is computed in; None: in one piece.

    Returns:
        settings, extractor, pictures by name and SHA-256 of their pixels, versions, and what else
        the last bits depend on. A path is kept as given if it is relative; of an absolute one,
        which may name a user, only the last part is kept.
    """
    from nst_tutorial.runtime.backend import backend_name

    packages = (*PACKAGES, backend_name())
    return {
        "config": as_lists(dataclasses.asdict(config)),
        "content": _picture(sources["content"], pictures["content"], pictures["alpha"]),
        "styles": list(
            map(_picture, sources["styles"], pictures["styles"], pictures["style_alphas"])
        ),
        "start": _picture(sources["start"], pictures["start"]),
        "regions": [
            {"mask": mask, "style_mask": style_mask}
            for mask, style_mask in zip(
                map(_picture, sources["masks"], pictures["masks"]),
                map(_picture, sources["style_masks"], pictures["style_masks"]),
                strict=True,
            )
        ],
        **({"schedule": as_lists(sources["schedule"])} if sources["schedule"] else {}),
        "extractor": {
            "name": name_of(extractor.name),
            "pooling": extractor.pooling,
            "border": extractor.border,
            "precision": extractor.precision,
            "sha256": digest(*extractor.model.get_weights()),
        },
        "versions": {
            "python": platform.python_version(),
            **{one: version for one in packages if (version := version_of(one))},
        },
        "machine": {
            "threads": machine.threads(),
            "instructions": processor.instructions(),
            "tile": tile,
        },
    }


def as_lists(document: Any) -> Any:
    """Return a document as JSON brings it back: tuples have become lists."""
    return json.loads(json.dumps(document))


def read(path: PathLike) -> dict[str, Any]:
    """Read what `describe` said from a PNG.

    Raises:
        NSTError: it cannot be read, no transfer made it, or what it says cannot be.
    """
    with open_file(path) as file:
        try:
            with Image.open(file, formats=["PNG"]) as picture:
                text = picture.text[KEY]  # type: ignore[attr-defined]  # PNGs have it
        except (KeyError, Image.UnidentifiedImageError):
            raise NSTError(
                f"{shown(path)} holds no settings; only PNGs saved by this package do."
            ) from None
        except Exception as error:  # a damaged file ends in every kind of exception there is
            raise NSTError(
                f"{shown(path)} is damaged and its settings cannot be read ({error})."
            ) from None
    origin = parse(text, ORIGIN, path)
    schedule_of(origin)
    return origin


def config_of(origin: dict[str, Any]) -> TransferConfig:
    """Return the `TransferConfig` in a description.

    Raises:
        NSTError: a setting is not known here, or has a value that cannot be; or there are more
            regions than styles.
    """
    known = {field.name for field in dataclasses.fields(TransferConfig)}
    if unknown := sorted(set(origin["config"]) - known):
        raise NSTError(
            f"the settings are of another version of this package: it does not know {unknown[0]!r}."
        )
    if len(regions_of(origin)) > len(origin["styles"]):
        raise NSTError("the settings name more regions than styles: they are damaged.")
    return TransferConfig(**origin["config"])


def schedule_of(origin: dict[str, Any]) -> Schedule:
    """Return the schedule in a description, which most have none of.

    Raises:
        NSTError: its settings, or those of the whole description, cannot be.
    """
    return read_schedule(origin.get("schedule", []), config_of(origin))


def differences(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """Name, in words, what differs between two descriptions of what is to be painted.

    A setting that one of them does not know, because it is newer, has its default there.
    """
    found = _unlike(*(dataclasses.asdict(config_of(side)) for side in (one, other)))
    if one.get("schedule") != other.get("schedule"):
        found.append("the settings change in another way while it is painted")
    found += _unlike(one["extractor"], other["extractor"])
    for role, one_picture, other_picture in _paired(one, other):
        if (one_picture or {}).get("sha256") != (other_picture or {}).get("sha256"):
            name = (one_picture or {}).get("name") or "without a name"
            found.append(f"the {role} {name} is another picture")
    return found


def circumstances(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """Name, in words, what else differs between two descriptions: versions and machine."""
    return [
        unlike
        for part in ("versions", "machine")
        if part in one
        for unlike in _unlike(one[part], other[part])
    ]


def inputs_of(
    origin: dict[str, Any],
    picture: PathLike,
    content: Source | None = None,
    styles: Sequence[Source] | None = None,
    start: Source | None = None,
) -> dict[str, Any]:
    """Find the pictures that a description names, as `inputs.gather` lists them.

    Args:
        origin: the description.
        picture: the PNG that holds it.
        content, styles, start: to take instead of what the description names.

    Raises:
        NSTError: one of them never had a name, and none is given; or the styles are more or fewer.
    """

    if styles and len(styles) != len(origin["styles"]):
        raise NSTError(
            f"{shown(picture)} was made of {len(origin['styles'])} style pictures, the regions' "
            f"included; {len(styles)} were given."
        )

    def find(given, record):
        return _find(record, picture) if given is None else given

    return {
        "content": find(content, origin["content"]),
        "styles": styles or [find(None, style) for style in origin["styles"]],
        "start": find(start, origin["start"]),
        "masks": [find(None, region["mask"]) for region in regions_of(origin)],
        "style_masks": [find(None, region["style_mask"]) for region in regions_of(origin)],
        "schedule": schedule_of(origin),
    }


def regions_of(origin: dict[str, Any]) -> list[dict[str, Any]]:
    """The regions' masks in a description; one of before there were any has none."""
    return origin.get("regions", [])


def _find(record, picture):
    """Find an input by the name it had, from the working folder or beside the picture."""
    if record is None:
        return None
    if not record["name"]:
        raise NSTError(
            f"{shown(picture)} was made of pictures without a file; name the files to take."
        )
    beside = Path(picture).parent / record["name"]
    only_there = os.path.exists(beside) and not os.path.exists(record["name"])
    return beside if only_there else record["name"]


def _unlike(one, other):
    return [
        f"{key} is {other.get(key)}, not {one.get(key)}"
        for key in {**one, **other}
        if other.get(key) != one.get(key)
    ]


def _paired(one, other):
    for role in ("content", "start"):
        yield role, one[role], other[role]
    for role, pictures in (
        ("style", lambda side: side["styles"]),
        ("mask", lambda side: [region["mask"] for region in regions_of(side)]),
        ("mask on a style", lambda side: [region["style_mask"] for region in regions_of(side)]),
    ):
        for pair in itertools.zip_longest(pictures(one), pictures(other)):
            yield (role, *pair)


def _picture(source, pixels, alpha=None):
    """Describe a picture; how opaque it is counts where it is not everywhere."""
    if pixels is None:
        return None
    arrays = [pixels] if alpha is None else [pixels, alpha]
    return {"name": name_of(source), "sha256": digest(*arrays)}


def version_of(package: str) -> str | None:
    """The installed version of a package; None if there is none. TensorFlow has two names."""
    for name in (package, f"{package}-cpu"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            return metadata.version(name)
    return None


def name_of(source: Source) -> str | None:
    """Return a file's name as it may be kept: relative, or the last part; None for no file."""
    if not isinstance(source, (str, os.PathLike)):
        return None
    path = Path(source)
    return path.name if path.is_absolute() else path.as_posix()


def digest(*arrays: Array) -> str:
    """Hash arrays, SHA-256: their shapes, kinds and values."""
    hashed = hashlib.sha256()
    for array in arrays:
        hashed.update(f"{array.shape} {array.dtype}".encode())
        hashed.update(np.ascontiguousarray(array).data)
    return hashed.hexdigest()
