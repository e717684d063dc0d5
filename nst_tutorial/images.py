"""Pictures: files to arrays `(1, H, W, 3)`, float32, RGB, 0..255, and back; what VGG19 eats."""

import numpy as np
from PIL import Image

from nst_tutorial.runtime.decoding import open_as_rgb
from nst_tutorial.runtime.encoding import write
from nst_tutorial.runtime.errors import NSTError
from nst_tutorial.runtime.settings import argument, whole
from nst_tutorial.runtime.types import Array, PathLike, Source

BGR_MEANS = np.array([103.939, 116.779, 123.68], "float32")  # of ImageNet, as VGG19 was trained


def to_vgg(image: Array) -> Array:
    """Turn RGB in 0..255 into what VGG19 was trained on: BGR, mean-centered, not scaled.

    Args:
        image: `(..., 3)` RGB in 0..255, NumPy array or tensor.

    Returns:
        the same shape; -123.68 .. 151.061.

    Raises:
        NSTError: the last axis has other than three colors.

    Differs: Keras' `preprocess_input(mode="tf")`, often mixed up with it, scales to -1..1.
    Taught in: 01_pixels_and_preprocessing.
    """
    _demand_three_colors(image)
    return _reverse(image) - _means_for(image)


def from_vgg(prepared: Array) -> Array:
    """Turn what VGG19 eats back into RGB: the inverse of `to_vgg`, exact on whole numbers.

    Args:
        prepared: `(..., 3)` BGR, mean-centered, as `to_vgg` returns it.

    Returns:
        the same shape; not clipped.

    Raises:
        NSTError: the last axis has other than three colors.

    Taught in: 01_pixels_and_preprocessing.
    """
    _demand_three_colors(prepared)
    return _reverse(prepared + _means_for(prepared))


def _reverse(image):
    """Swap RGB and BGR; PyTorch's tensors have no negative steps."""
    return image.flip(-1) if hasattr(image, "flip") else image[..., ::-1]


def _means_for(image):
    """The means as PyTorch wants them beside its tensors, and as they are for all others."""
    return image.new_tensor(BGR_MEANS) if hasattr(image, "new_tensor") else BGR_MEANS


def load_image(source: Source, size: int | None = None) -> np.ndarray:
    """Load a picture from wherever it is.

    Files may be PNG, JPEG, WebP, TIFF, GIF, BMP, PPM, TGA, AVIF, JPEG 2000 or PSD. Orientation
    (EXIF), color profile (to sRGB), transparency (onto white), gray, palette, CMYK and 16-bit
    pictures are converted; of an animation the first frame is taken. More than 80 million pixels,
    or more than the free memory holds, are refused by what the header says; so are the few kinds
    that take minutes to decode, such as PPM in plain text.

    Args:
        source: path, bytes, file object, PIL image, or an array `(H, W)`, `(H, W, 3 or 4)` or
            `(1, H, W, 3)` with values in 0..255.
        size: the longest side in pixels at most, aspect ratio kept; a smaller picture stays as
            it is. By default the picture's own size.

    Returns:
        float32 `(1, H, W, 3)`, RGB, 0..255.

    Raises:
        NSTError: the source is no picture that can be read, or size is no whole number from 1 up.

    Warns:
        NSTWarning: the file holds several pictures.

    Taught in: 01_pixels_and_preprocessing.
    """
    size = argument("size", whole(None, optional=True), size)
    picture = open_as_rgb(source)
    if size is not None:
        picture.thumbnail((size, size), Image.Resampling.LANCZOS)
    return np.asarray(picture, "float32")[None]


def to_uint8(image: Array) -> np.ndarray:
    """Clip to 0..255 and round: `(1, H, W, 3)` float to `(H, W, 3)` uint8, ready to be seen.

    Raises:
        NSTError: it has another shape, or values that are not numbers.
    """
    try:
        pixels = np.asarray(image)
    except (TypeError, ValueError) as error:
        raise NSTError(f"that is no array of numbers ({error}).") from error
    shape = pixels.shape[1:] if pixels.ndim == 4 and len(pixels) == 1 else pixels.shape
    real = np.can_cast(pixels.dtype, "float64", "same_kind")
    if len(shape) != 3 or shape[-1] != 3 or not pixels.size or not real:
        raise NSTError(
            f"a picture is an array (1, H, W, 3) or (H, W, 3) of numbers, not {pixels.shape} of "
            f"{pixels.dtype}."
        )
    if not np.isfinite(pixels).all():
        raise NSTError("the picture has values that are not numbers (NaN or infinite).")
    return np.clip(np.rint(pixels), 0, 255).astype("uint8").reshape(shape)


def save_image(
    path: PathLike, image: Array, text: dict[str, str] | None = None, alpha: Array | None = None
) -> None:
    """Save a picture: written beside its place, then renamed, so that no fault leaves half a file.

    Args:
        path: where to; the folder must exist, and the ending says which kind of file.
        image: `(1, H, W, 3)` or `(H, W, 3)`, RGB; clipped to 0..255 and rounded.
        text: `{key: string}` for a PNG's text chunks; other kinds of file do without.
        alpha: `(1, H, W, 1)`, 0..1, how opaque it is to be; the image is what is seen on white.
            None: everywhere. JPEG, BMP and PPM keep the white.

    Raises:
        NSTError: the picture has another shape or values that are not numbers, text is something
            else, `encoding.check_picture` refuses the path, or the disk is full.
    """
    if alpha is None:
        return write(path, to_uint8(image), text)
    bare = 255 + (image - 255) / np.maximum(alpha, 1 / 255)  # without the white that shines through
    opacity = np.rint(255 * alpha[0]).astype("uint8")
    write(path, np.concatenate([to_uint8(bare), opacity], axis=-1), text)


def _demand_three_colors(image):
    shape = tuple(getattr(image, "shape", ()))
    if shape[-1:] not in ((3,), (None,)):  # None: not known yet, in a graph
        given = f"one of shape {shape}" if shape else f"a {type(image).__name__}"
        raise NSTError(f"a picture is an array (..., 3) of numbers, not {given}.")
