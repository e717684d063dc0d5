"""A canvas for masks: the regions of a photograph, painted by hand, for `stylize(..., regions=…)`.

The browser and Python share one trait: for each pixel the number of its region, 0 where nothing
is painted, row by row in runs of up to 16 pixels. A run is one byte: 16 · region + length - 1.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets
from PIL import Image

from nst_tutorial.images import load_image
from nst_tutorial.runtime.encoding import check_picture, write
from nst_tutorial.runtime.errors import NSTError
from nst_tutorial.runtime.files import make_folder
from nst_tutorial.runtime.settings import argument, whole
from nst_tutorial.runtime.types import Array, PathLike, Source
from nst_tutorial.widgets.gallery import encoded

MOST_REGIONS, LARGEST = 8, 2000  # as many as there are colors; pixels on the longest side
RUN = 16  # pixels at most
FILE_NAME = re.compile(r'(?![.\s])[^\\/:*?"<>|]{1,40}(?<!\s)')


class MaskCanvas(anywidget.AnyWidget):
    """Paint regions on a photograph; each pixel belongs to one region at most.

        canvas = MaskCanvas("photo.jpg", ["sky", "house"])
        canvas                    # last in a cell: shows it
        canvas.masks["sky"]       # (H, W) array of 0.0 and 1.0

    Args:
        photograph: anything `load_image` takes.
        regions: 1 to 8 different names, which also name the files that `save` writes.
        size: the longest side of photograph and masks in pixels at most, up to 2000.

    Raises:
        NSTError: the photograph cannot be read, or the names or the size are not as above.
    """

    _esm = Path(__file__).with_suffix(".js")
    _css = Path(__file__).with_suffix(".css")
    _photograph = traitlets.Bytes().tag(sync=True)  # JPEG
    _regions = traitlets.List(traitlets.Unicode()).tag(sync=True)
    _shape = traitlets.List(traitlets.Int()).tag(sync=True)  # H, W
    _labels = traitlets.CBytes().tag(sync=True)  # a memoryview, when it comes from the browser

    def __init__(self, photograph: Source, regions: Sequence[str], size: int = 640) -> None:
        names = check_names(regions)
        image = load_image(photograph, argument("size", whole(640, most=LARGEST), size))
        shape, self._source = image.shape[1:3], photograph
        super().__init__(
            _photograph=encoded(image), _regions=names, _shape=list(shape),
            _labels=encode(np.zeros(shape, "uint8")),
        )  # fmt: skip

    def __repr__(self) -> str:
        return "MaskCanvas: run this cell in Jupyter to paint on the photograph."

    @property
    def masks(self) -> dict[str, np.ndarray]:
        """Each region's mask, float32 `(H, W)`: 1 where it is painted, 0 elsewhere."""
        labels = decode(self._labels, self._shape)
        return {
            name: (labels == number).astype("float32")
            for number, name in enumerate(self._regions, 1)
        }

    @masks.setter
    def masks(self, masks: Mapping[str, Array]) -> None:
        self.load(masks)

    def load(self, masks: Mapping[str, Array]) -> None:
        """Show given masks; regions that are not given become empty.

        Args:
            masks: for each region an array `(H, W)` with values in 0..1 or 0..255, of any size
                with the photograph's aspect ratio. A pixel belongs to a region from half of the
                full value up, and to the last one given where they overlap.

        Raises:
            NSTError: there is no such region, or a mask is not as above.
        """
        if not isinstance(masks, Mapping):
            raise NSTError(f"masks is a {type(masks).__name__}; it must be {{region: array}}.")
        labels = np.zeros(self._shape, "uint8")
        for name, mask in masks.items():
            if name not in self._regions:
                known = ", ".join(self._regions)
                raise NSTError(f"there is no region {name!r} on this canvas; it has {known}.")
            labels[fit_mask(name, mask, self._shape)] = self._regions.index(name) + 1
        self._labels = encode(labels)

    def save(self, folder: PathLike) -> dict[str, Path]:
        """Write each mask as a black and white PNG that is named after its region.

        Args:
            folder: where to; made if it is not there.

        Returns:
            the path of each region's file.

        Raises:
            NSTError: the folder cannot be made or written to, or a file would be the photograph's.
        """
        paths = {name: make_folder(folder) / f"{name}.png" for name in self._regions}
        for path in paths.values():
            check_picture(path, [self._source])
        for name, mask in self.masks.items():
            write(paths[name], (255 * mask).astype("uint8"))
        return paths


def check_names(names: Any) -> list[str]:
    """Return the regions' names as a list.

    Raises:
        NSTError: they are too many or too few, equal, or cannot be names of files.
    """
    known = list(names) if isinstance(names, (list, tuple)) else []
    good = all(
        isinstance(one, str) and one.isprintable() and FILE_NAME.fullmatch(one) for one in known
    )
    if not (good and 1 <= len({one.casefold() for one in known}) == len(known) <= MOST_REGIONS):
        raise NSTError(
            f"regions is {names!r}; it must be a list of 1 to {MOST_REGIONS} different names "
            "that files can have, such as ['sky', 'house']."
        )
    return known


def fit_mask(name: str, mask: Array, shape: Sequence[int]) -> np.ndarray:
    """Resize a mask to the photograph's shape; true where the region is.

    Raises:
        NSTError: it is no array of numbers in 0..1 or 0..255, or has another aspect ratio.
    """
    try:
        values = np.asarray(mask, "float32")
    except (TypeError, ValueError):
        values = np.zeros(0, "float32")
    if values.ndim != 2 or not values.size or not (0 <= values.min() <= values.max() <= 255):
        raise NSTError(f"the mask of {name} must be an array (H, W) of numbers in 0..1 or 0..255.")
    (height, width), (h, w) = shape, values.shape
    if abs(h * width - w * height) > (h + w + height + width) / 2:  # more than sides are rounded by
        raise NSTError(
            f"the mask of {name} is {w}×{h} pixels and the photograph {width}×{height}; both must "
            "have the same aspect ratio."
        )
    resized = Image.fromarray(values).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(resized) >= (0.5 if values.max() <= 1 else 127.5)


def encode(labels: np.ndarray) -> bytes:
    """Write the regions' numbers `(H, W)`, uint8, as runs."""
    flat = labels.ravel()
    changes = np.diff(flat, prepend=flat[0]) != 0
    starts = np.flatnonzero(changes | (np.arange(flat.size) % RUN == 0))
    lengths = np.diff(starts, append=flat.size)
    return (RUN * flat[starts] + lengths - 1).astype("uint8").tobytes()


def decode(runs: bytes, shape: Sequence[int]) -> np.ndarray:
    """Read the regions' numbers `(H, W)` from runs."""
    values = np.frombuffer(runs, "uint8")
    return np.repeat(values // RUN, values % RUN + 1).reshape(shape)
