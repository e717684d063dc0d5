"""Swelling and crossing lines: hills under a sun."""

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from drawing.tools import SIDE, shrink, spline

INKS = np.array([[78, 44, 24], [124, 64, 34], [50, 30, 28]])  # of the lines and two hatchings
PAPER, TINT = np.array([238, 216, 170]), np.array([190, 138, 84])


def engraving(rng):
    """Lines that follow the folds of hills and swell in the shade, hatched where it is deep."""
    y, x = np.mgrid[0 : 2 * SIDE, 0 : 2 * SIDE].astype(float)
    rows, dark, hatch = heavens(x, y, rng)
    for top, gap in ((430, 16), (580, 20), (750, 24), (950, 29)):
        ridge = top + spline(rng.normal(0, 60, (7, 1)), 2 * SIDE)[:, 0]
        below = (y - ridge) / 200
        folds = relief(rng, (3 * gap, 1.6 * gap))
        slope = np.gradient(folds, axis=1) * 1.6 * gap
        shaded = 0.30 - 0.34 * slope + 0.45 * np.clip(below, 0, 1) - 0.4 * np.exp(-below * 8)
        hill = below > 0
        rows[hill] = ((y - 0.6 * ridge + 1.2 * gap * folds) / gap)[hill]
        hatch[hill] = ((1.2 * x + 0.8 * y + 1.2 * gap * folds) / gap)[hill]
        dark[hill] = shaded[hill]
    return print_inks(rows, hatch, dark)


def heavens(x, y, rng):
    """The sky: rings around a sun, pushed about by clouds; as phase, darkness and hatching."""
    distance = np.hypot(x - 860, y - 250)
    clouds = relief(rng, (34, 80)) * np.clip(distance / 450, 0, 1)
    dark = 0.62 - 0.5 * np.exp(-((distance / 330) ** 2)) - 0.22 * clouds
    dark[distance < 70] = 0
    return distance / 19 + 0.9 * clouds, dark, (x - y) / 19 + 0.5 * clouds


def relief(rng, smoothness):
    """Smooth heights; made at half the size, which is faster."""
    field = gaussian_filter(rng.normal(size=(SIDE, SIDE)), np.divide(smoothness, 2))
    heights = Image.fromarray((field / field.std()).astype("float32"))
    return np.asarray(heights.resize((2 * SIDE, 2 * SIDE), Image.Resampling.BICUBIC), float)


def print_inks(rows, hatch, dark):
    """Print lines as wide as the darkness asks; from half-dark on, hatching over them."""
    tinted = gaussian_filter(np.clip(1.2 * dark, 0, 1), 12)[..., None]
    pixels = (1 - tinted) * PAPER + tinted * TINT
    for ink, phase, width in (
        (INKS[0], rows, 0.12 + 0.72 * dark),
        (INKS[1], hatch, 1.3 * dark - 0.62),
        (INKS[2], rows - hatch, 1.3 * dark - 0.95),
    ):
        from_middle = abs(phase % 1 - 0.5) * 2
        cover = np.clip((np.clip(width, -0.1, 0.85) - from_middle) / 0.12 + 0.5, 0, 1)[..., None]
        pixels = (1 - cover) * pixels + cover * ink
    return shrink(Image.fromarray(pixels.astype("uint8")))
