"""Dots of pure color: an evening river."""

import numpy as np
from PIL import Image, ImageDraw

from drawing.tools import SIDE, shrink, wobble

PIGMENTS = np.array(  # of sky, far trees, water, bank and tree: five from dark to light, an accent
    [
        [58, 92, 176, 98, 146, 208, 168, 196, 220, 250, 214, 150, 255, 240, 176, 240, 138, 96],
        [44, 36, 104, 70, 62, 148, 64, 110, 142, 124, 112, 176, 226, 150, 128, 236, 176, 60],
        [26, 44, 112, 36, 88, 160, 84, 150, 190, 240, 170, 88, 255, 236, 160, 230, 106, 52],
        [40, 40, 110, 28, 104, 88, 96, 152, 52, 184, 196, 60, 248, 220, 92, 214, 70, 60],
        [24, 22, 74, 24, 62, 96, 26, 112, 76, 112, 158, 44, 238, 200, 66, 208, 58, 70],
    ]
).reshape(5, 6, 3)


def pointillism(rng):
    """Dots of pure color, coarse ones first: an evening river between a far and a near bank."""
    mass, tone, slant = riverside(rng)
    canvas = Image.new("RGB", (2 * SIDE, 2 * SIDE), (44, 48, 104))
    draw = ImageDraw.Draw(canvas)
    for length, gap in ((46, 25), (34, 26), (25, 30)):
        grid = np.mgrid[0 : 2 * SIDE : gap, 0 : 2 * SIDE : gap].reshape(2, -1).T
        for y, x in rng.permutation(grid + rng.uniform(0, gap, grid.shape)):
            here = min(int(y / 2), SIDE - 1), min(int(x / 2), SIDE - 1)
            light = round(np.clip(4 * tone[here] + rng.normal(0, 0.65), 0, 4))
            pigment = PIGMENTS[mass[here], 5 if rng.random() < 0.13 else light]
            color = np.clip(pigment + rng.normal(0, 12), 0, 255).astype(int)
            dab(draw, (x, y), length * rng.uniform(0.8, 1.1), slant[here], color)
    return shrink(canvas)


def riverside(rng):
    """For each pixel: the mass it belongs to (a row of PIGMENTS), its light, the slant of dots."""
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    clumps, ripples = wobble(rng, 1, 18).T.reshape(2, SIDE, SIDE)
    lit = 0.5 + 0.55 * (clumps - np.roll(clumps, (-20, 20), (0, 1)))  # the sides that face the sun
    sun = np.exp(-((x - 0.66) ** 2) / 0.06 - (y - 0.3) ** 2 / 0.05)
    waves = np.sin(110 * y**0.6 + 1.5 * ripples)  # narrower far away
    glitter = np.exp(-((x - 0.66) ** 2) / (0.004 + 0.05 * abs(y - 0.4))) * (0.6 + 0.6 * waves)
    hills = y > 0.33 - 0.05 * np.sin(7 * x + 1) + 0.012 * clumps
    bank = y > 0.98 - 0.22 * np.exp(-(x**2) / 0.16) - 0.008 * clumps
    crown = np.hypot((x - 0.16) / 0.30, (y - 0.22) / 0.27) + 0.09 * clumps < 1
    trunk = (abs(x - 0.15 - 0.1 * (y - 0.6) ** 2) < 0.035) & (abs(y - 0.575) < 0.275)
    depth = np.clip((y - 0.47) / 0.2, 0, 1)  # the far bank darkens the water below it
    mass, tone, slant = np.zeros((SIDE, SIDE), int), 0.2 + 0.35 * y + 0.7 * sun, 0.5 * (x - 0.66)
    for number, where, light, angle in (
        (1, hills, 0.25 + 0.1 * lit + 0.4 * sun, 1.2),
        (2, y > 0.44, 0.12 + 0.3 * depth + 0.55 * glitter + 0.08 * waves, 0),
        (3, bank, 0.25 + 0.6 * x + 0.1 * clumps, -0.3),
        (4, crown | trunk, 0.65 * lit * (x + 0.7) - 0.03, 0.8),
    ):
        mass[where], tone[where], slant[where] = number, light[where], angle
    return mass, tone, slant + 0.25 * ripples


def dab(draw, center, length, angle, color):
    """One touch of the brush: an ellipse, a little longer than it is wide."""
    turn = np.linspace(0, 2 * np.pi, 14)
    along, across = length / 2 * np.cos(turn), 0.36 * length * np.sin(turn)
    x = center[0] + along * np.cos(angle) - across * np.sin(angle)
    y = center[1] + along * np.sin(angle) + across * np.cos(angle)
    draw.polygon(list(zip(x, y, strict=True)), fill=tuple(color.tolist()))
