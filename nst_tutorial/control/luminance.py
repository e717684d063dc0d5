"""Luminance: light and dark, the only part of a picture that is painted when colors must stay.

Gatys, Bethge, Hertzmann and Shechtman, arXiv 1606.05897, section 4.
"""

import numpy as np

from nst_tutorial.control.colors import as_colors
from nst_tutorial.runtime.errors import NSTError
from nst_tutorial.runtime.types import Array

LUMINANCE = np.array([0.299, 0.587, 0.114], "float32")  # Y of YIQ, of R, G and B


def luminance(image: Array) -> np.ndarray:
    """Return a picture in gray: three channels of $Y = 0.299 R + 0.587 G + 0.114 B$."""
    return np.repeat(image @ LUMINANCE[:, None], 3, axis=-1)


def luminance_only(painted: Array, photograph: Array) -> np.ndarray:
    r"""Keep a photograph's colors, and take only the luminance from a painted picture.

    $x = c + Y(p) - Y(c)$, added to red, green and blue: YIQ's other two channels, I and Q, are
    differences of colors and stay as in the photograph   (1606.05897, section 4)

    Args:
        painted, photograph: p and c, of the same shape.

    Returns:
        float32, the same shape; clipped to 0..255.

    Raises:
        NSTError: they are not pictures of the same shape.

    Taught in: 11_control.
    """
    painted, photograph = as_colors(painted), as_colors(photograph)
    if painted.shape != photograph.shape:
        raise NSTError(f"the pictures differ in shape: {painted.shape} and {photograph.shape}.")
    change = luminance(painted) - luminance(photograph)
    return np.clip(photograph + change, 0, 255).astype("float32")
