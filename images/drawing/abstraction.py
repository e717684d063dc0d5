"""Discs, arcs and bars in strong paints on a warm ground."""

from itertools import pairwise

import numpy as np
from PIL import Image, ImageDraw

from drawing.tools import BRUSHINGS, SIDE, around, bend, field, finish, shade, spread, streaks

PAINTS = np.array(
    [[196, 40, 30], [236, 176, 34], [28, 62, 140], [24, 22, 28], [240, 228, 200], [226, 108, 38],
     [50, 134, 134], [122, 44, 84], [136, 172, 202], [104, 132, 56]]
)  # fmt: skip
GROUND = np.array([[150, 84, 60], [206, 148, 92], [232, 196, 140], [244, 224, 184]])


def abstraction(rng):
    """Discs, arcs, bars, wedges and checkers, all brushed, on a warm ground; lines on top."""
    flat, brushed = (Image.fromarray(layer) for layer in ground(rng))
    draws = ImageDraw.Draw(flat), ImageDraw.Draw(brushed)
    for shape, low, high, count in (
        (wedge, 300, 520, 9), (bar, 200, 500, 9), (disc, 190, 270, 4), (arc, 80, 320, 24),
        (disc, 80, 150, 12), (bar, 60, 200, 40), (checkers, 70, 180, 12), (wedge, 40, 130, 44),
        (disc, 22, 64, 34), (stroke, 80, 340, 30),
    ):  # fmt: skip
        for center in spread(rng, count, 0, 2 * SIDE):
            shape(draws, center, rng.uniform(low, high), rng)
    pixels = bend(np.dstack([flat, brushed]), rng, (5, 70), (0.9, 14))
    streak = streaks(pixels[::2, ::2, 3], rng, (1, 11))
    return finish(pixels[..., :3], 1 + 0.12 * streak)


def ground(rng):
    """Warm scumbled paint, light and dark in patches, and which way its brush went."""
    broad, small = field(rng, 2 * SIDE, 80), field(rng, 2 * SIDE, 14)
    tone = 0.58 + 0.2 * broad + 0.13 * small
    table = np.array([shade(GROUND, step / 255) for step in range(256)]).astype("uint8")
    way = 1.5 * field(rng, 2 * SIDE, 24) + np.pi
    return table[np.clip(255 * tone, 0, 255).astype(int)], (way % BRUSHINGS).astype("uint8")


def paint(draws, points, rng, color=None):
    """Fill a polygon with one paint, brushed in one direction."""
    color = PAINTS[rng.integers(len(PAINTS))] if color is None else color
    fills = tuple(map(int, color)), int(rng.integers(BRUSHINGS))
    for draw, fill in zip(draws, fills, strict=True):
        draw.polygon([tuple(point) for point in points], fill=fill)


def disc(draws, center, radius, rng):
    """Rings inside each other, each cut into two to four sectors."""
    for part in np.arange(1, 0.05, -rng.uniform(0.14, 0.3)):
        cuts = rng.uniform(0, 7) + np.linspace(0, 2 * np.pi, rng.integers(2, 6))
        for start, stop in pairwise(cuts):
            paint(draws, [center, *around(center, part * radius, start, stop)], rng)


def arc(draws, center, radius, rng):
    """A band that is a little thicker at one end."""
    start, stop = rng.uniform(0, 7) + np.array([0, rng.uniform(1, 4)])
    inner = around(center + rng.normal(0, 0.04 * radius, 2), 0.85 * radius, stop, start)
    paint(draws, [*around(center, radius, start, stop), *inner], rng)


def bar(draws, center, length, rng):
    """A long bar that narrows or widens."""
    along = around(0, length, rng.uniform(0, 7))[0]
    across = rng.uniform(0.04, 0.12) * along[::-1] * [-1, 1]
    end = rng.uniform(0.2, 1.4) * across
    paint(
        draws, center + np.array([-along - across, -along + across, along + end, along - end]), rng
    )


def wedge(draws, center, length, rng):
    """A slice of a disc."""
    start = rng.uniform(0, 7)
    paint(draws, [center, *around(center, length, start, start + rng.uniform(0.3, 0.9))], rng)


def checkers(draws, center, length, rng):
    """A sliver of checker squares, dark and light."""
    along = around(0, length / 4, rng.uniform(0, 7))[0]
    across, dark = 0.7 * along[::-1] * [-1, 1], PAINTS[rng.choice([0, 2, 3, 7])]
    for i, j in np.ndindex(rng.integers(4, 9), 3):
        corners = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)]
        points = [center + a * along + (1 - 0.08 * a) * b * across for a, b in corners]
        paint(draws, points, rng, PAINTS[4] if (i + j) % 2 else dark)


def stroke(draws, center, length, rng):
    """A thin black line, nearly straight or bent, sometimes three beside each other."""
    start, radius, thickness = rng.uniform(0, 7), length * rng.uniform(0.5, 6), rng.integers(4, 10)
    for repeat in range(rng.choice([1, 1, 3])):
        path = around(0, radius + 24 * repeat, start, start + length / radius)
        path += center - path[0] * radius / (radius + 24 * repeat)
        draws[0].line([tuple(p) for p in path], (22, 18, 22), int(thickness), joint="curve")
