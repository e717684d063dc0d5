"""Thick strokes lit from one side: poppies in a wheat field."""

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter

from drawing.tools import SIDE, around, finish, shade, spread

WHEAT = np.array([[70, 40, 24], [150, 84, 26], [214, 140, 34], [246, 196, 72], [255, 232, 150]])
LEAVES = np.array([[20, 44, 30], [44, 92, 46], [112, 140, 50], [186, 190, 84]])
POPPY = np.array([[84, 10, 24], [176, 24, 26], [228, 62, 28], [250, 128, 60], [255, 190, 130]])


def impasto(rng):
    """Poppies in a wheat field: thick strokes, each lit along its ridges from the upper left."""
    paint, relief = (Image.new("RGB", (2 * SIDE, 2 * SIDE), (60, 40, 24)) for _ in range(2))
    draws = ImageDraw.Draw(paint), ImageDraw.Draw(relief)
    for path, width, palette, tone in field_strokes(rng):
        load_stroke(draws, path, width, shade(palette, tone), rng)
    slope = np.gradient(gaussian_filter(np.array(relief).mean(axis=2), 2))
    light = np.clip((slope[0] + slope[1]) / 14, -1, 1)[..., None]
    return finish(np.array(paint) * (1 + 0.45 * light) + 60 * np.clip(light - 0.3, 0, 1))


def load_stroke(draws, path, width, color, rng):
    """Lay bristles beside each other, ragged at both ends; the second drawing takes the relief."""
    across = np.gradient(path, axis=0)[:, ::-1] * [-1, 1]
    across *= width / (np.linalg.norm(across, axis=1, keepdims=True) + 1e-9)
    thickness, color = rng.uniform(80, 180), color + rng.normal(0, 9, 3)
    for offset in np.linspace(-0.5, 0.5, 6):
        start, stop = [0, len(path)] + rng.integers(0, 3, 2) * [1, -1]
        bristle = [tuple(point) for point in (path + offset * across)[start:stop]]
        ridge = thickness - 200 * offset**2 + rng.normal(0, 16)
        for draw, fill in zip(draws, (color + rng.normal(0, 10), np.full(3, ridge)), strict=True):
            fill = tuple(np.clip(fill, 0, 255).astype(int).tolist())
            draw.line(bristle, fill, max(width // 4, 4), joint="curve")


def field_strokes(rng):
    """Yield the strokes, back to front: stalks, ears, then the flowers, petal by petal."""
    for width, count, palette in ((80, 600, LEAVES), (52, 1100, WHEAT), (32, 1500, WHEAT)):
        for start in rng.uniform(-40, 2 * SIDE + 40, (count, 2)):
            wave = np.sin(start[0] / 170 + 1.5 * np.sin(start[1] / 190))
            leafy = wave + rng.normal(0, 0.4) < -0.7
            tone = 0.48 + 0.34 * wave + rng.normal(0, 0.2) + 0.5 * leafy
            yield sway(start, width), width, LEAVES if leafy else palette, tone
    sizes = np.geomspace(170, 40, 34)
    for size, center in zip(sizes, spread(rng, 34, 0, 2 * SIDE), strict=True):
        yield from poppy(center, size, rng)


def poppy(center, size, rng):
    """Yield a flower's strokes: four to six petals, dark at the base and lit above, and a heart."""
    petals, tilt = rng.integers(4, 7), np.array([1, rng.uniform(0.65, 1)])
    for turn in rng.permutation(rng.uniform(0, 7) + 2 * np.pi * np.arange(petals) / petals):
        reach, lit = size * rng.uniform(0.75, 1.15), 0.5 - 0.2 * np.sin(turn + 0.8)
        for lean in rng.permutation(np.linspace(-0.62, 0.62, 6)):
            angle = turn + lean + 0.35 * lean * np.linspace(-1, 1, 10)
            out = reach * np.cos(1.2 * lean) * np.linspace(0.15, 0.95, 10)
            blade = np.stack([out * np.cos(angle), out * np.sin(angle)], axis=1)
            tone = lit + rng.normal(0, 0.12)
            yield center + tilt * blade[3:], int(0.3 * size), POPPY, tone
            yield center + tilt * blade[:5], int(0.2 * size), POPPY, tone - 0.4
        for start in turn + rng.uniform(-0.5, 0.1, 2):
            rim = around(0, 0.8 * reach, start, start + 0.4)[::6]
            yield center + tilt * rim, int(0.2 * size), POPPY, lit + 0.2
    for angle in rng.uniform(0, 7, 6):
        yield around(center, 0.12 * size, angle, angle + 2)[::8], int(0.15 * size), POPPY, -1
    yield around(center, 0.05 * size)[::8], int(0.1 * size), LEAVES, 0.9


def sway(point, width):
    """A stalk that follows the wind in the field."""
    path = [point]
    for _ in range(9):
        x, y = path[-1]
        angle = -1.2 + 0.9 * np.sin(x / 190 + y / 330) + 0.4 * np.sin(y / 120)
        path.append(path[-1] + 0.45 * width * np.array([np.cos(angle), np.sin(angle)]))
    return np.array(path)
