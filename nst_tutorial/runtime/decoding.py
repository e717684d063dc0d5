"""Decoding: whatever a picture comes as, file, bytes or array: 8-bit RGB, or one sentence."""

import contextlib
import io
import os
import warnings

import numpy as np
from PIL import ExifTags, Image, ImageCms

from nst_tutorial.runtime import memory
from nst_tutorial.runtime.errors import NSTError, NSTWarning
from nst_tutorial.runtime.files import open_file, shown
from nst_tutorial.runtime.types import PathLike, Source

MAX_PIXELS = 80 * 10**6
BYTES_PER_PIXEL = 24  # at most, while a picture is decoded and turned into an array

# The kinds that people have. Pillow opens many more, and some of those are programs (EPS), decoded
# by Python loops (FITS, XPM), or left to other software (WMF, GRIB).
KINDS = ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "PPM", "TGA", "AVIF", "JPEG2000", "PSD")
ONE_PICTURE = {"MPO", "PSD"}  # what follows the first is a preview, a depth map, a layer

# An honest file stays far below these. Without them, one made for it is decoded for hours.
MOST_READS_OF_HEADER, MOST_READS = 20_000, 500_000
MOST_SCANS = 50  # of a progressive JPEG, each of which passes over all pixels; cameras write 10

UPRIGHT = dict(enumerate((0, 3, 1, 5, 4, 6, 2), start=2))  # EXIF orientation: PIL's transposition


def open_as_rgb(source: Source) -> Image.Image:
    """Open what `load_image` takes and convert it to a PIL picture of mode RGB.

    Raises:
        NSTError: the source is no picture that can be read.

    Warns:
        NSTWarning: the file holds several pictures; this is the first.
    """
    return _open(source, _to_rgb)


def open_alpha(source: Source) -> Image.Image | None:
    """Open the same, and return how opaque it is: a PIL picture of mode L; None: everywhere.

    Raises:
        NSTError: the source is no picture that can be read.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NSTWarning)  # it was opened for its colors, and has warned
        return _open(source, _to_alpha)


def _open(source, convert):
    if isinstance(source, Image.Image):
        with _one_sentence("the picture"):
            return convert(source)
    if isinstance(source, (str, os.PathLike)):
        with open_file(source) as file:
            return _decode(file, shown(source), convert)
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _decode(io.BytesIO(source), "the data", convert)
    if hasattr(source, "read"):
        return _decode(source, "the data", convert)
    return convert(_from_array(source))


def size_of(path: PathLike) -> tuple[int, int]:
    """Read from a file's header how many pixels wide and high its picture is.

    Raises:
        NSTError: it is no picture that can be read.
    """
    name = shown(path)
    with open_file(path) as file, _one_sentence(name):
        return Image.open(_Rationed(file, name), formats=_formats()).size


def _decode(file, name, convert):
    with _one_sentence(name):
        rationed = _Rationed(file, name)
        picture = Image.open(rationed, formats=_formats())
        _refuse_if_too_large(picture.size, name)
        if any(tile[0] in Image.DECODERS for tile in picture.tile):
            # Plain or unusual PPM, run-length BMP: Pillow takes a second for each megapixel.
            raise NSTError(
                f"{name} is a {picture.format} of a kind that is slow to decode; save it as PNG."
            )
        rationed.begin_pixels(picture.format)
        converted = convert(picture)
        more = _has_more(picture)
    if more:
        warnings.warn(f"{name} holds several pictures; the first is taken.", NSTWarning, 5)
    return converted


class _Rationed:
    """A file that may be read only so often, and that counts the scans of a JPEG as they pass.

    Pillow goes through a file's parts in Python, and through a JPEG's scans for as long as they
    come; a small file can have millions of both.
    """

    def __init__(self, file, name):
        self._file, self._name = file, name
        self._reads, self._scans, self._first_scan = MOST_READS_OF_HEADER, MOST_SCANS, None

    def __getattr__(self, attribute):
        return getattr(self._file, attribute)

    def begin_pixels(self, kind):
        """Go on from the header to the pixels."""
        self._reads = MOST_READS
        if kind in ("JPEG", "MPO"):
            self._first_scan = self._file.tell()

    def read(self, *size):
        data = self._file.read(*size)
        self._reads -= 1
        if self._first_scan is not None and self._file.tell() > self._first_scan:
            self._scans -= data.count(b"\xff\xda")
        if self._reads < 0 or self._scans < 0:
            raise NSTError(
                f"{self._name} is in too many parts to be decoded; open it in another program and "
                "save it as PNG."
            )
        return data


@contextlib.contextmanager
def _one_sentence(name):
    """Turn every way in which a file can be no picture into an NSTError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except NSTError:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise _too_many_pixels(name) from None
    except MemoryError:
        raise NSTError(f"{name} needs more memory than there is; make it smaller first.") from None
    except Image.UnidentifiedImageError:
        raise NSTError(
            f"{name} is not a picture, or of a kind that cannot be read; save it as PNG or JPEG."
        ) from None
    except Exception as error:  # damaged files end in every kind of exception there is
        why = " ".join(f"{error}".split()).rstrip(".") or type(error).__name__
        raise NSTError(f"{name} is damaged and cannot be read ({why}).") from error


def _formats():
    Image.init()
    return [kind for kind in KINDS if kind in Image.OPEN]  # Pillow may be built without some


def _refuse_if_too_large(size, name):
    """Refuse by what the header says: nothing of the picture itself is in memory yet."""
    pixels = size[0] * size[1]
    if pixels > MAX_PIXELS:
        raise _too_many_pixels(name)
    if pixels * BYTES_PER_PIXEL > memory.available_memory():
        raise NSTError(
            f"{name} has {size[0]}×{size[1]} pixels, too many for the memory that is free here; "
            "make it smaller first."
        )


def _too_many_pixels(name):
    return NSTError(f"{name} has over {MAX_PIXELS // 10**6} million pixels; make it smaller first.")


def _has_more(picture):
    """Whether frames or pages follow. Asked last: looking for them moves the file on."""
    if picture.format in ONE_PICTURE:
        return False
    with contextlib.suppress(Exception):  # a damaged rest is no fault of the first picture
        return getattr(picture, "is_animated", False)
    return False


def _from_array(source):
    try:
        pixels = np.asarray(source)
    except (TypeError, ValueError) as error:
        raise NSTError(f"that is neither a picture nor an array of numbers ({error}).") from error
    pixels = pixels[0] if pixels.ndim == 4 and len(pixels) == 1 else pixels
    colored = pixels.ndim == 3 and pixels.shape[-1] in (3, 4)
    if not (colored or pixels.ndim == 2) or not pixels.size or pixels.dtype.kind not in "uif":
        raise NSTError(
            f"a picture is an array (H, W, 3) of numbers in 0..255, not {pixels.shape} "
            f"of {pixels.dtype}."
        )
    if not np.isfinite(pixels).all():
        raise NSTError("the picture has values that are not numbers (NaN or infinite).")
    return Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype("uint8"))


def _to_rgb(picture):
    picture.load()
    profile = picture.info.get("icc_profile")
    picture = _upright(picture)
    if picture.mode.startswith(("I", "F")):
        picture = _to_eight_bits(picture)
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture).convert("RGB")
    if picture.mode == "P":
        picture = picture.convert("RGB")
    return _to_srgb(picture, profile)


def _to_alpha(picture):
    if not picture.has_transparency_data:
        return None
    picture.load()
    alpha = _upright(picture).convert("RGBA").getchannel("A")
    return None if alpha.getextrema() == (255, 255) else alpha


def _upright(picture):
    """Turn it as EXIF says: the camera stores what its sensor saw, however it was held."""
    orientation = 1
    with contextlib.suppress(Exception):  # damaged EXIF, which is no fault of the picture
        orientation = picture.getexif().get(ExifTags.Base.Orientation)
    return picture.transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else picture


def _to_eight_bits(picture):
    """Scale wide pictures, whose files do not say what white is: 65535 in 16-bit ones.

    In others, white is the least of 1 (floats only), 255 (floats only), 65535 that no pixel
    exceeds, or else the brightest pixel. What is no number becomes black.
    """
    pixels = np.array(picture, "float32")
    pixels[~np.isfinite(pixels)] = 0
    brightest = max(float(pixels.max()), 0.0)
    whites = (1, 255, 65535) if picture.mode == "F" else (65535,)
    pixels *= 255 / next((white for white in whites if brightest <= white), brightest)
    return Image.fromarray(np.clip(np.rint(pixels, out=pixels), 0, 255).astype("uint8"))


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
