"""Encoding: 8-bit RGB to a picture's file, whole or not at all, or one sentence."""

from collections.abc import Iterable
from pathlib import Path

from PIL import Image, PngImagePlugin

from nst_tutorial.runtime.errors import NSTError
from nst_tutorial.runtime.files import check_output, replace_file, shown
from nst_tutorial.runtime.types import Array, PathLike

# Endings that pictures are saved with, and how many pixels on a side such a file can hold.
ENDINGS = {".png": 2**31 - 1, ".jpg": 65_500, ".jpeg": 65_500, ".webp": 16_383}
ENDINGS |= dict.fromkeys((".tif", ".tiff", ".bmp", ".ppm"), 2**31 - 1)

WITH_ALPHA = ("PNG", "WEBP", "TIFF")


def write(path: PathLike, pixels: Array, text: dict[str, str] | None = None) -> None:
    """Write a picture; see `images.save_image`, which has the arguments.

    Args:
        pixels: `(H, W, 3)` uint8; or `(H, W, 4)`, with their opacity, which is only written to
            kinds of file that hold it.
    """
    kind = _kind_of(path, max(pixels.shape[:2]))
    more = {"pnginfo": _text_chunks(text)} if kind == "PNG" else {"quality": 95}
    with replace_file(path) as file:
        try:
            picture = Image.fromarray(pixels)
            if picture.mode == "RGBA" and kind not in WITH_ALPHA:
                picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
                picture = picture.convert("RGB")
            picture.save(file, format=kind, **more)
        except OSError:  # a full disk: `replace_file` has a sentence for it
            raise
        except Exception as error:  # encoders end in every kind of exception there is
            raise NSTError(
                f"{shown(path)} cannot hold this picture ({error}); save it as .png."
            ) from error


def check_picture(path: PathLike, inputs: Iterable[object] = (), longest: int = 1) -> Path:
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
    name, ending = shown(path), Path(path).suffix.lower()
    most = ENDINGS.get(ending)
    if most is None:
        raise NSTError(
            f"{name} has no ending that pictures are saved with; choose one of "
            f"{', '.join(ENDINGS)}."
        )
    if longest > most:
        raise NSTError(
            f"a {ending} file holds at most {most} pixels on a side, and the picture would "
            f"have {longest}; save it as .png."
        )
    return Image.registered_extensions()[ending]


def _text_chunks(text):
    chunks = PngImagePlugin.PngInfo()
    try:
        for key, words in ({} if text is None else text).items():
            chunks.add_text(key, words)
    except (AttributeError, TypeError, ValueError) as error:
        raise NSTError(f"text is {text!r}; it must be {{key: string}}.") from error
    return chunks
