"""Provenance: what a picture was made of and with, kept inside its PNG, so it can be made again."""

import dataclasses
import hashlib
import importlib.metadata
import json
import os
import platform
from pathlib import Path

import numpy as np
from PIL import Image

from nst_tutorial.errors import NSTError
from nst_tutorial.records import TransferConfig

KEY = "nst_tutorial"  # of the PNG's text chunk
PACKAGES = ("nst-tutorial", "keras", "tensorflow", "numpy", "pillow", "scipy")


def describe(config, extractor, sources, pictures):
    """Describe a transfer: a dictionary that JSON holds, the same for the same result.

    Args:
        config: a `TransferConfig`.
        extractor: the `Extractor` that computes.
        sources, pictures: `{"content": …, "styles": […], "start": …}`, as they were given, and
            as `load_image` read them; None for what there is none of.

    Returns:
        settings, extractor, pictures by name and SHA-256 of their pixels, and versions. A path is
        kept as given if it is relative; of an absolute one, which may name a user, the last part.
    """
    return {
        "config": json.loads(json.dumps(dataclasses.asdict(config))),  # tuples become lists
        "content": _picture(sources["content"], pictures["content"]),
        "styles": list(map(_picture, sources["styles"], pictures["styles"])),
        "start": _picture(sources["start"], pictures["start"]),
        "extractor": {
            "name": name_of(extractor.name),
            "pooling": extractor.pooling,
            "border": extractor.border,
            "precision": extractor.precision,
            "sha256": digest(*extractor.model.get_weights()),
        },
        "versions": {"python": platform.python_version(), **_versions()},
    }


def read(path):
    """Read what `describe` said from a PNG.

    Raises:
        NSTError: it cannot be read, or no transfer made it.
    """
    try:
        with Image.open(path) as picture:
            return json.loads(picture.text[KEY])
    except FileNotFoundError:
        raise NSTError(f"{path} does not exist; check the name and the folder.") from None
    except (AttributeError, KeyError):
        raise NSTError(f"{path} holds no settings; only PNGs saved by this package do.") from None
    except (OSError, ValueError, SyntaxError) as error:
        raise NSTError(f"{path} is damaged and its settings cannot be read ({error}).") from None


def config_of(origin):
    """The `TransferConfig` in a description."""
    try:
        return TransferConfig(**origin["config"])
    except TypeError as error:
        raise NSTError(f"the settings are of another version of this package ({error}).") from None


def differences(one, other):
    """Name, in words, what differs between two descriptions: versions do not count."""
    found = []
    for part in ("config", "extractor"):
        found += [
            f"{key} is {other[part].get(key)}, not {value}"
            for key, value in one[part].items()
            if other[part].get(key) != value
        ]
    for role, one_picture, other_picture in _paired(one, other):
        if (one_picture or {}).get("sha256") != (other_picture or {}).get("sha256"):
            found.append(f"the {role} {_said(one_picture)} is another picture")
    return found


def _paired(one, other):
    for role in ("content", "start"):
        yield role, one[role], other[role]
    count = max(len(one["styles"]), len(other["styles"]))
    padded = [(side["styles"] + [None] * count)[:count] for side in (one, other)]
    yield from (("style", *pair) for pair in zip(*padded, strict=True))


def _said(picture):
    return (picture or {}).get("name") or "without a name"


def _picture(source, pixels):
    return None if pixels is None else {"name": name_of(source), "sha256": digest(pixels)}


def name_of(source):
    """Return a file's name as it may be kept: relative, or the last part; None for no file."""
    if not isinstance(source, (str, os.PathLike)):
        return None
    path = Path(source)
    return path.name if path.is_absolute() else path.as_posix()


def digest(*arrays):
    """Hash arrays, SHA-256: their shapes, kinds and values."""
    hashed = hashlib.sha256()
    for array in arrays:
        hashed.update(f"{array.shape} {array.dtype}".encode())
        hashed.update(np.ascontiguousarray(array).data)
    return hashed.hexdigest()


def _versions():
    """Installed versions; TensorFlow also goes by the name of tensorflow-cpu."""
    installed = {}
    for package in PACKAGES:
        for name in (package, f"{package}-cpu"):
            try:
                installed[package] = importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                continue
            break
    return installed
