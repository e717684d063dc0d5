"""Brush strokes along a flow field with vortices, blue and gold."""

import numpy as np
from PIL import Image, ImageDraw

from drawing.tools import SIDE, shade, shrink

NIGHT = np.array([[16, 32, 84], [28, 70, 140], [60, 124, 176], [140, 186, 196], [242, 206, 88]])


def swirls(rng):
    """Brush strokes along a flow field with vortices; wide ones first, glowing discs last."""
    side, centers = 2 * SIDE, rng.uniform(0.08, 0.92, (9, 2)) * 2 * SIDE
    sizes, turns = rng.uniform(50, 170, 9), rng.choice([-1, 1], 9)
    canvas = Image.new("RGB", (side, side), tuple(NIGHT[1].tolist()))
    draw = ImageDraw.Draw(canvas)
    for width, count in ((44, 1500), (26, 4000), (14, 9000)):
        for start in rng.uniform(-30, side + 30, (count, 2)):
            path = follow(start, width, centers, sizes, turns)
            tone = brightness(start, centers, sizes) + rng.normal(0, 0.09)
            paint_stroke(draw, path, width, shade(NIGHT, tone), rng)
    return shrink(canvas)


def flow(point, centers, sizes, turns):
    """The direction of the strokes: a slow wave, bent around each vortex."""
    away = point - centers
    near = np.exp(-((away**2).sum(axis=1)) / (2 * (1.6 * sizes) ** 2))
    around = turns[:, None] * np.stack([-away[:, 1], away[:, 0]], axis=1)
    around /= np.linalg.norm(around, axis=1, keepdims=True) + 1e-9
    wave = np.array([1.0, 0.5 * np.sin(point[0] / 160) + 0.3 * np.cos(point[1] / 110)])
    direction = 0.35 * wave + (3 * near[:, None] * around).sum(axis=0)
    return direction / np.linalg.norm(direction)


def follow(point, width, centers, sizes, turns):
    path = [point]
    for _ in range(7):
        path.append(path[-1] + 0.55 * width * flow(path[-1], centers, sizes, turns))
    return np.array(path)


def brightness(point, centers, sizes):
    """Rings of light around each vortex, on a sky that is lighter below: about 0..1."""
    distance = np.linalg.norm(point - centers, axis=1) / sizes
    rings = np.exp(-(distance**2)) + 0.45 * np.exp(-((distance - 1.5) ** 2) / 0.06)
    return 0.12 + 0.25 * point[1] / (2 * SIDE) + rings.max()


def paint_stroke(draw, path, width, color, rng):
    """Lay bristles beside each other, each a little lighter or darker."""
    across = np.diff(path, axis=0)[:, ::-1] * [-1, 1]
    across = np.concatenate([across, across[-1:]])
    across /= np.linalg.norm(across, axis=1, keepdims=True) + 1e-9
    color = color + rng.normal(0, 7, 3)
    for offset in np.linspace(-0.5, 0.5, 6):
        bristle = np.clip(color + rng.normal(0, 13), 0, 255).astype(int)
        points = [tuple(point) for point in path + offset * width * across]
        draw.line(points, fill=tuple(bristle.tolist()), width=max(width // 4, 2), joint="curve")
