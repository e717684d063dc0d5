"""What a network learns from: random crops of the photographs of a folder, batch by batch."""

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from nst_tutorial.fast.network import RIPPLE, ripple
from nst_tutorial.runtime.backend import keras
from nst_tutorial.runtime.decoding import KINDS, open_as_rgb
from nst_tutorial.runtime.errors import NSTError
from nst_tutorial.runtime.files import shown
from nst_tutorial.runtime.types import PathLike

SMALLEST_CROP = 0.5  # of the photograph's shorter side
FLAT = 4.0  # gray levels of deviation; with less, the gradient of normalization explodes
DRAWS = 100
FARTHEST = 1000  # pixels from a picture's corner: where in the ripple a crop may lie


def pictures_in(folder: PathLike, pattern: str = "**/*") -> list[Path]:
    """List the files of a folder that end as pictures do, in order; by default of those in it too.

    Raises:
        NSTError: there is no such folder, it cannot be read, or there is no picture in it.
    """
    try:
        os.listdir(folder)  # `glob` passes over what it cannot read
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise NSTError(f"{shown(folder)} is no folder of photographs: {why}.") from None
    kinds = Image.registered_extensions()
    found = [
        path
        for path in Path(folder).glob(pattern)
        if kinds.get(path.suffix.lower()) in KINDS and not os.path.isdir(path)
    ]
    if not found:
        raise NSTError(f"there is no picture in {shown(folder)}; give a folder of photographs.")
    return sorted(found)


class Crops(keras.utils.PyDataset):
    """Batches of random square crops, mirrored at random, each with the style it is to be given.

    The network is to see them as `apply` will show it a picture: with the `ripple` of some place.

    The n-th batch is the same in every run with the same seed, so that a resumed run goes on as if
    it had not been interrupted. The styles take turns.

    Args:
        paths: the photographs' files.
        size: of the crops, in pixels.
        batch_size: pictures in a batch.
        rows: `(T, S)`, what asks the network, which has S styles, for each of T.
        batches: range of the batches' numbers.
        seed: of what is random.
        broken: `{path: sentence}` of what cannot be read and is left out; grows.
    """

    def __init__(
        self,
        paths: Iterable[PathLike],
        size: int,
        batch_size: int,
        rows: np.ndarray,
        batches: range,
        seed: int = 0,
        broken: dict[PathLike, str] | None = None,
    ) -> None:
        super().__init__()
        self.paths, self.size, self.batch_size = list(paths), size, batch_size
        self.rows, self.batches, self.seed = rows, batches, seed
        self.broken = {} if broken is None else broken

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, index: int) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
        """Return `((crops, rippled, weights), targets)`.

        They are `(B, size, size, 3)` twice, RGB, 0..255, `(B, S)` and `(B, T)`.
        """
        number = self.batches[index]
        rng = np.random.default_rng([self.seed, number])
        crops = np.stack([self._crop(rng) for _ in range(self.batch_size)])
        shifts = (rng.integers(FARTHEST, size=2) for _ in crops)
        waves = np.stack([ripple(self.size, self.size, *shift) for shift in shifts])
        rippled = np.clip(crops + RIPPLE * waves, 0, 255)
        turn = (number * self.batch_size + np.arange(self.batch_size)) % len(self.rows)
        return (crops, rippled, self.rows[turn]), np.eye(len(self.rows), dtype="float32")[turn]

    def _crop(self, rng):
        """Draw crops until one shows something."""
        for _ in range(DRAWS):
            crop = self._any_crop(rng)
            if crop.std() >= FLAT:
                return crop
        raise NSTError("the photographs are flat surfaces; give others, which show something.")

    def _any_crop(self, rng):
        picture = self._photograph(rng)
        side = rng.uniform(SMALLEST_CROP, 1) * min(picture.size)
        left, top = (rng.uniform(0, length - side) for length in picture.size)
        box = (left, top, left + side, top + side)
        crop = picture.resize((self.size, self.size), Image.Resampling.BICUBIC, box)
        crop = np.asarray(crop, "float32")
        return crop[:, ::-1] if rng.random() < 0.5 else crop

    def _photograph(self, rng):
        """Draw files until one can be read."""
        for number in rng.permutation(len(self.paths)):
            path = self.paths[number]
            if path in self.broken:
                continue
            try:
                return open_as_rgb(path)
            except NSTError as error:
                self.broken[path] = str(error)
        raise NSTError("none of the photographs can be read; give others.")
