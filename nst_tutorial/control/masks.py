"""Masks `(1, H, W, 1)`, 0..1: how much of each pixel is in a region, or how opaque it is."""

import numpy as np
from PIL import Image

from nst_tutorial.images import load_image
from nst_tutorial.runtime.decoding import open_alpha
from nst_tutorial.runtime.types import Source


def load_alpha(source: Source, size: int | None = None) -> np.ndarray | None:
    """Load how opaque a picture is, which `load_image` puts onto white.

    Args:
        source, size: as `load_image` takes them.

    Returns:
        float32 `(1, H, W, 1)`, 0..1; None for a picture without transparent parts.

    Raises:
        NSTError: the source is no picture that can be read.
    """
    alpha = open_alpha(source)
    if alpha is None:
        return None
    if size is not None:
        alpha.thumbnail((size, size), Image.Resampling.LANCZOS)
    return np.asarray(alpha, "float32")[None, :, :, None] / 255


def load_mask(source: Source) -> np.ndarray:
    """Load a mask: white, or 1, is inside; gray is in part; black and transparent are outside.

    Args:
        source: anything `load_image` takes; or an array `(H, W)`, or `(1, H, W, 1)` as this returns
            it. Where no value of an array is above 1, 1 is inside.

    Returns:
        float32 `(1, H, W, 1)`, 0..1.

    Raises:
        NSTError: the source is no picture that can be read.

    Taught in: 11_control.
    """
    if isinstance(source, list) or hasattr(source, "dtype"):
        source = _in_0_to_255(source)
    gray, alpha = np.mean(load_image(source), -1, keepdims=True) / 255, load_alpha(source)
    return gray if alpha is None else np.clip(gray - (1 - alpha), 0, 1)  # it was put onto white


def _in_0_to_255(mask):
    """An array of a mask with values in 0..255, whether it was given so or in 0..1."""
    try:
        values = np.asarray(mask).astype("float32", casting="same_kind")
    except (TypeError, ValueError):
        return mask  # `load_image` says what is wrong with it
    if values.ndim == 4 and values.shape[::3] == (1, 1):
        values = values[0, :, :, 0]
    return 255 * values if np.max(values, initial=0) <= 1 else values
