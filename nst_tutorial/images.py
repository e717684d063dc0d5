"""Pictures: files to arrays `(1, H, W, 3)`, float32, RGB, 0..255, and back; what VGG19 eats."""

from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin

from nst_tutorial.decoding import open_as_rgb
from nst_tutorial.errors import NSTError
from nst_tutorial.files import check_output, replacing, shown

# Endings that pictures are saved with, and how many pixels on a side such a file can hold.
ENDINGS = {".png": 2**31 - 1, ".jpg": 65_500, ".jpeg": 65_500, ".webp": 16_383}
ENDINGS |= dict.fromkeys((".tif", ".tiff", ".bmp", ".ppm"), 2**31 - 1)

BGR_MEANS = np.array([103.939, 116.779, 123.68], "float32")  # of ImageNet, as VGG19 was trained


def to_vgg(image):
    """Turn RGB in 0..255 into what VGG19 was trained on: BGR, mean-centred, not scaled.

    Args:
        image: `(..., 3)` RGB in 0..255, NumPy array or tensor.

    Returns:
        the same shape; -123.68 .. 151.061.

    Differs: Keras' `preprocess_input(mode="tf")`, often mixed up with it, scales to -1..1.
    Taught in: 01_pixels_and_preprocessing.
    """
    return image[..., ::-1] - BGR_MEANS


def from_vgg(prepared):
    """Turn what VGG19 eats back into RGB: the inverse of `to_vgg`, exact on whole numbers.

    Args:
        prepared: `(..., 3)` BGR, mean-centred, as `to_vgg` returns it.

    Returns:
        the same shape; not clipped.

    Taught in: 01_pixels_and_preprocessing.
    """
    return (prepared + BGR_MEANS)[..., ::-1]


def load_image(source, size=None):
    """Load a picture from wherever it is.

    Orientation (EXIF), colour profile (to sRGB), transparency (onto white), grey, palette, CMYK
    and 16-bit pictures are converted; of an animation the first frame is taken. More than 80
    million pixels, or more than the free memory holds, are refused by what the header says.

    Args:
        source: path, bytes, file object, PIL image, or an array `(H, W)`, `(H, W, 3 or 4)` or
            `(1, H, W, 3)` with values in 0..255.
        size: the longest side in pixels at most, aspect ratio kept; a smaller picture stays as
            it is. By default the picture's own size.

    Returns:
        float32 `(1, H, W, 3)`, RGB, 0..255.

    Raises:
        NSTError: the source is no picture that can be read, or size is below 1.

    Warns:
        NSTWarning: the file holds several pictures.

    Taught in: 01_pixels_and_preprocessing.
    """
    if size is not None and size < 1:
        raise NSTError(f"size is {size}; it must be at least 1 pixel.")
    picture = open_as_rgb(source)
    if size is not None:
        picture.thumbnail((size, size), Image.Resampling.LANCZOS)
    return np.asarray(picture, "float32")[None]


def to_uint8(image):
    """Clip to 0..255 and round: `(1, H, W, 3)` float to `(H, W, 3)` uint8, ready to be seen."""
    return np.clip(np.rint(np.asarray(image)), 0, 255).astype("uint8").reshape(image.shape[-3:])


def save_image(path, image, text=None):
    """Save a picture: written beside its place, then renamed, so that no fault leaves half a file.

    Args:
        path: where to; the folder must exist, and the ending says which kind of file.
        image: `(1, H, W, 3)` or `(H, W, 3)`, RGB; clipped to 0..255 and rounded.
        text: `{key: string}` for a PNG's text chunks; other kinds of file do without.

    Raises:
        NSTError: the picture has values that are no numbers, or `check_picture` refuses the path,
            or the disk is full.
    """
    kind = _kind_of(path, max(image.shape[-3:-1]))
    if not np.isfinite(image).all():
        raise NSTError("the picture has values that are not numbers (NaN or infinite).")
    chunks = PngImagePlugin.PngInfo()
    for key, words in (text or {}).items():
        chunks.add_text(key, words)
    with replacing(path) as file:
        more = {"pnginfo": chunks} if kind == "PNG" else {"quality": 95}
        Image.fromarray(to_uint8(image)).save(file, format=kind, **more)


def check_picture(path, inputs=(), longest=1):
    """Find out, before any work is done, whether a picture can be saved.

    Args:
        path: where to; the ending says which kind of file.
        inputs: files, or whatever else was given as input, that must not be overwritten.
        longest: longest side of the picture in pixels.

    Returns:
        the path.

    Raises:
        NSTError: its ending is none of `ENDINGS` or holds no picture of this size, or
            `files.check_output` refuses it.
    """
    path = check_output(path, inputs)
    _kind_of(path, longest)
    return path


def _kind_of(path, longest):
    """Return the kind of file, as Pillow names it, that a path's ending stands for."""
    ending = Path(path).suffix.lower()
    most = ENDINGS.get(ending)
    if most is None:
        raise NSTError(
            f"{shown(path)} has no ending that pictures are saved with; choose one of "
            f"{', '.join(ENDINGS)}."
        )
    if longest > most:
        raise NSTError(
            f"a {ending} file holds at most {most} pixels on a side, and the picture would "
            f"have {longest}; save it as .png."
        )
    return Image.registered_extensions()[ending]
