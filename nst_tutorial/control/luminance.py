"""Luminance: light and dark, the one part of a picture that is painted where colors must stay.

Gatys, Bethge, Hertzmann and Shechtman, arXiv 1606.05897, section 4.
"""

import numpy as np

from nst_tutorial.control.colors import as_colors
from nst_tutorial.runtime.errors import NSTError
from nst_tutorial.runtime.types import Array

LUMINANCE = np.array([0.299, 0.587, 0.114], "float32")  # Y of YIQ, of R, G and B


def luminance(image: Array) -> np.ndarray:
    """Return a picture without its colors: three times $Y = 0.299 R + 0.587 G + 0.114 B$."""
    return np.repeat(image @ LUMINANCE[:, None], 3, axis=-1)


def luminance_only(painted: Array, photograph: Array) -> np.ndarray:
    r"""Keep a photograph's colors, and take over a painted picture's luminance alone.

    $x = c + Y(p) - Y(c)$, added to red, green and blue: YIQ's other two channels, I and Q, are
    differences of colors and stay the photograph's   (1606.05897, section 4)

    Args:
        painted, photograph: p and c, of one shape.

    Returns:
        float32, the same shape; clipped to 0..255.

    Raises:
        NSTError: they are no pictures of one shape.

    Taught in: 11_control.
    """
    painted, photograph = as_colors(painted), as_colors(photograph)
    if painted.shape != photograph.shape:
        raise NSTError(f"the pictures differ in shape: {painted.shape} and {photograph.shape}.")
    change = luminance(painted) - luminance(photograph)
    return np.clip(photograph + change, 0, 255).astype("float32")
