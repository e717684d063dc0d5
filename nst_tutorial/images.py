"""Pictures: files to arrays `(1, H, W, 3)`, float32, RGB, 0..255, and back; what VGG19 eats."""

import contextlib
import io
import os
import tempfile
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps

from nst_tutorial.errors import NSTError

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
    and 16-bit pictures are converted; of an animation the first frame is taken.

    Args:
        source: path, bytes, file object, PIL image, or an array `(H, W)`, `(H, W, 3 or 4)` or
            `(1, H, W, 3)` with values in 0..255.
        size: the longest side in pixels at most, aspect ratio kept; a smaller picture stays as
            it is. By default the picture's own size.

    Returns:
        float32 `(1, H, W, 3)`, RGB, 0..255.

    Raises:
        NSTError: the source is no picture that can be read, or size is below 1.

    Taught in: 01_pixels_and_preprocessing.
    """
    if size is not None and size < 1:
        raise NSTError(f"size is {size}; it must be at least 1 pixel.")
    picture = _to_rgb(_open(source))
    if size is not None:
        picture.thumbnail((size, size), Image.Resampling.LANCZOS)
    return np.asarray(picture, "float32")[None]


def to_uint8(image):
    """Clip to 0..255 and round: `(1, H, W, 3)` float to `(H, W, 3)` uint8, ready to be seen."""
    return np.clip(np.rint(np.asarray(image)), 0, 255).astype("uint8").reshape(image.shape[-3:])


def save_image(path, image):
    """Save a picture: written beside its place, then renamed, so that no fault leaves half a file.

    Args:
        path: where to; the folder must exist, and the ending says which kind of file.
        image: `(1, H, W, 3)` or `(H, W, 3)`, RGB; clipped to 0..255 and rounded.

    Raises:
        NSTError: the folder does not exist, the ending is unknown, or it cannot be written.
    """
    path = check_writable(path)
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
    try:
        with os.fdopen(handle, "wb") as file:
            kind = Image.registered_extensions()[path.suffix.lower()]
            Image.fromarray(to_uint8(image)).save(file, format=kind, quality=95)
        os.chmod(beside, 0o644)  # mkstemp's own is for its owner alone
        os.replace(beside, path)
    except OSError as error:
        raise NSTError(f"cannot write {path}: {error.strerror or error}.") from error
    finally:
        Path(beside).unlink(missing_ok=True)


def check_writable(path):
    """Return the path if a picture can be saved there, else raise NSTError: no work in vain."""
    path = Path(path)
    if path.is_dir():
        raise NSTError(f"{path} is a folder; give the name of a file in it.")
    if not path.parent.is_dir():
        raise NSTError(f"the folder {path.parent} does not exist; make it first.")
    if Image.registered_extensions().get(path.suffix.lower()) not in Image.SAVE:
        raise NSTError(f"{path.name} has no ending that pictures are saved with; try .png.")
    return path


def _open(source):
    if isinstance(source, Image.Image):
        return source
    if isinstance(source, (str, Path)):
        with _open_file(source) as file:
            return _decode(file, f"{source}")
    if isinstance(source, (bytes, bytearray)):
        return _decode(io.BytesIO(source), "the data")
    if hasattr(source, "read"):
        return _decode(source, "the data")
    return _from_array(np.asarray(source))


def _open_file(path):
    if Path(path).is_dir():
        raise NSTError(f"{path} is a folder; give a picture in it.")
    if not Path(path).is_file():
        raise NSTError(f"{path} does not exist; check the name and the folder.")
    if not Path(path).stat().st_size:
        raise NSTError(f"{path} is empty; copy or download it again.")
    try:
        return open(path, "rb")
    except OSError as error:
        raise NSTError(f"{path} cannot be read: {error.strerror}.") from error


def _decode(file, name):
    """Open and read whole, refusing sizes that would fill the memory."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(file)
            picture.load()
        return picture
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        limit = Image.MAX_IMAGE_PIXELS // 10**6
        raise NSTError(f"{name} has over {limit} million pixels; make it smaller first.") from None
    except Image.UnidentifiedImageError:
        raise NSTError(f"{name} is not a picture, or of a kind that cannot be read.") from None
    except Exception as error:  # damaged files end in every kind of exception there is
        raise NSTError(f"{name} is damaged and cannot be read ({error}).") from error


def _from_array(pixels):
    pixels = pixels[0] if pixels.ndim == 4 and len(pixels) == 1 else pixels
    coloured = pixels.ndim == 3 and pixels.shape[-1] in (3, 4)
    if not (coloured or pixels.ndim == 2) or not pixels.size or pixels.dtype.kind not in "uif":
        raise NSTError(
            f"a picture is an array (H, W, 3) of numbers in 0..255, not {pixels.shape} "
            f"of {pixels.dtype}."
        )
    if not np.isfinite(pixels).all():
        raise NSTError("the picture has values that are not numbers (NaN or infinite).")
    return Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype("uint8"))


def _to_rgb(picture):
    profile = picture.info.get("icc_profile")
    picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith(("I", "F")):
        picture = _to_eight_bits(picture)
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture).convert("RGB")
    if picture.mode == "P":
        picture = picture.convert("RGB")
    return _to_srgb(picture, profile)


def _to_eight_bits(picture):
    """Scale wide pictures: integers from 16 bits, floats from 0..1 where none is above 1."""
    pixels = np.nan_to_num(np.asarray(picture, "float64"))
    top = 65535 if picture.mode != "F" else 1 if pixels.max() <= 1 else 255
    return Image.fromarray(np.clip(np.rint(pixels * (255 / top)), 0, 255).astype("uint8"))


def _to_srgb(picture, profile):
    if profile:
        # A damaged or mismatched profile is ignored: the numbers are taken as they are.
        with contextlib.suppress(ImageCms.PyCMSError, OSError):
            own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            srgb = ImageCms.createProfile("sRGB")
            return ImageCms.profileToProfile(picture, own, srgb, outputMode="RGB")
    try:
        return picture.convert("RGB")
    except ValueError:
        raise NSTError(f"a {picture.mode} picture cannot be converted; save it as RGB.") from None
