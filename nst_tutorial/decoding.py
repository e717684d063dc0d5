"""Decoding: whatever a picture comes as, file, bytes or array: 8-bit RGB, or one sentence."""

import contextlib
import io
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps

from nst_tutorial.errors import NSTError


def open_as_rgb(source):
    """Open what `load_image` takes and convert it to a PIL picture of mode RGB.

    Raises:
        NSTError: the source is no picture that can be read.
    """
    return _to_rgb(_open(source))


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
