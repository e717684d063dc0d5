"""Breaking waves, as a woodblock prints them."""

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter

from drawing.tools import SIDE, shrink, spline

INDIGO, PRUSSIAN, SEA, PALE = (30, 44, 88), (40, 78, 132), (84, 132, 164), (146, 184, 188)
FOAM, KEY = (230, 218, 186), (40, 60, 106)
BANDS = [FOAM, FOAM, PALE] + 3 * [PRUSSIAN, INDIGO, SEA, INDIGO, PRUSSIAN, FOAM, SEA, PALE]
BREAKERS = [  # where each stands and how large it is, the far ones first
    *[(150, 560, 420), (1050, 640, 440), (640, 720, 420), (1090, 860, 560), (150, 1020, 1000)],
    *[(930, 1180, 620), (560, 1370, 560), (60, 1420, 520), (1130, 1480, 520)],
]
BACK = np.array([(-0.9, -0.35), (-0.42, 0.06), (0, 0.48), (0.32, 0.84), (0.6, 0.93), (0.84, 0.72)])
FACE = np.array([(1.5, -0.5), (1, -0.1), (0.66, 0.14), (0.5, 0.42), (0.58, 0.66), (0.84, 0.7)])
CLAWS = (  # along which edge of the bands, from where on it, heading where, how long, their ink
    *((8, 46, 0.9, 0.15, SEA), (5, 40, 0.7, 0.14, PALE), (2, 24, 0.5, 0.12, FOAM)),
    *((-1, 68, 1.1, 0.16, PALE), (-1, 62, 0.9, 0.12, FOAM)),
)


def woodblock_wave(rng):
    """Breaking waves in flat inks with key lines and claws of foam, and the block's grain."""
    canvas = Image.fromarray(bokashi())
    draw = ImageDraw.Draw(canvas)
    for *place, size in BREAKERS:
        breaker(draw, np.array(place), size, rng)
    discs(draw, rng.uniform((0, 60, 2), (2 * SIDE, 900, 7), (260, 3)), FOAM)  # spray
    grain = gaussian_filter(rng.normal(size=(2 * SIDE, 2 * SIDE)), (2.5, 110))
    pixels = np.asarray(canvas) * (1 + 0.03 * grain / grain.std())[..., None]
    return shrink(Image.fromarray(np.clip(pixels, 0, 255).astype("uint8")))


def bokashi():
    """A warm sky, wiped darker towards its top and, a little, towards the sea."""
    height = np.linspace(0, 1, 2 * SIDE)[:, None, None]
    dusk = np.exp(-height / 0.10) + 0.35 * np.exp(-(((height - 0.62) / 0.16) ** 2))
    sky = (1 - dusk) * np.array([236, 212, 168]) + dusk * np.array([120, 112, 128])
    return sky.astype("uint8").repeat(2 * SIDE, axis=1)


def breaker(draw, place, size, rng):
    """One wave: bands that run up between its back and its face to the tip, then claws of foam."""
    warp, flip = rng.normal(0, 0.015, (6, 2)), np.array([1, -1])
    back, face = (place + size * flip * spline(curve + warp) for curve in (BACK, FACE))
    edges = [back + cut * (face - back) for cut in np.linspace(0, 1, len(BANDS) + 1) ** 0.9]
    for left, right, ink in zip(edges[:-1], edges[1:], BANDS, strict=True):
        outline = [tuple(point) for point in (*left, *right[::-1])]
        draw.polygon(outline, fill=ink, outline=KEY, width=3)
    for number, first, heading, reach, ink in CLAWS:
        for root in rng.permutation(edges[number][first::4]):
            length = reach * (750 * size) ** 0.5 * rng.uniform(0.8, 1.2)
            foam = claw(root, heading, length, rng)
            discs(draw, foam + np.array([0, 0, 3]), KEY)
            discs(draw, foam, ink)


def claw(root, heading, length, rng):
    """Discs `(x, y, radius)` that shrink along a hook; smaller claws leave it on the way."""
    curl = rng.choice([-1, 1]) * rng.uniform(1.5, 2.6)
    angle = heading + rng.normal(0, 0.35) + curl * np.linspace(0, 1, 24) ** 2
    steps = length / 24 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    path = root + steps.cumsum(axis=0)
    parts = [np.column_stack([path, 0.22 * length * np.linspace(1, 0.25, 24)])]
    if length >= 60:
        for at, side in ((6, -1), (11, 1), (16, -0.9)):
            parts.append(claw(path[at], angle[at] + side, 0.6 * length, rng))
    return np.concatenate(parts)


def discs(draw, places, ink):
    for x, y, radius in places:
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=ink)
