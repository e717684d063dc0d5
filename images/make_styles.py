"""Draw the project's own style pictures, from a seed: `python images/make_styles.py`.

Each has strokes, scales and a palette of its own: a transfer is only as good as its style.
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

SIDE = 640
NIGHT = np.array([[16, 32, 84], [28, 70, 140], [60, 124, 176], [140, 186, 196], [242, 206, 88]])
GLASS = np.array(
    [[178, 24, 36], [20, 60, 150], [232, 168, 32], [28, 120, 84], [96, 36, 120], [240, 232, 200]]
)


def swirls(rng):
    """Brush strokes along a flow field with vortices; wide ones first, glowing discs last."""
    side, centres = 2 * SIDE, rng.uniform(0.08, 0.92, (9, 2)) * 2 * SIDE
    sizes, turns = rng.uniform(50, 170, 9), rng.choice([-1, 1], 9)
    canvas = Image.new("RGB", (side, side), tuple(NIGHT[1].tolist()))
    draw = ImageDraw.Draw(canvas)
    for width, count in ((44, 1500), (26, 4000), (14, 9000)):
        for start in rng.uniform(-30, side + 30, (count, 2)):
            path = follow(start, width, centres, sizes, turns)
            tone = brightness(start, centres, sizes) + rng.normal(0, 0.09)
            paint_stroke(draw, path, width, shade(NIGHT, tone), rng)
    return canvas.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def flow(point, centres, sizes, turns):
    """The direction of the strokes: a slow wave, bent around each vortex."""
    away = point - centres
    near = np.exp(-((away**2).sum(axis=1)) / (2 * (1.6 * sizes) ** 2))
    around = turns[:, None] * np.stack([-away[:, 1], away[:, 0]], axis=1)
    around /= np.linalg.norm(around, axis=1, keepdims=True) + 1e-9
    wave = np.array([1.0, 0.5 * np.sin(point[0] / 160) + 0.3 * np.cos(point[1] / 110)])
    direction = 0.35 * wave + (3 * near[:, None] * around).sum(axis=0)
    return direction / np.linalg.norm(direction)


def follow(point, width, centres, sizes, turns):
    path = [point]
    for _ in range(7):
        path.append(path[-1] + 0.55 * width * flow(path[-1], centres, sizes, turns))
    return np.array(path)


def brightness(point, centres, sizes):
    """Rings of light around each vortex, on a sky that is lighter below: about 0..1."""
    distance = np.linalg.norm(point - centres, axis=1) / sizes
    rings = np.exp(-(distance**2)) + 0.45 * np.exp(-((distance - 1.5) ** 2) / 0.06)
    return 0.12 + 0.25 * point[1] / (2 * SIDE) + rings.max()


def shade(palette, tone):
    """Pick a colour between the palette's, dark to light."""
    place = np.clip(tone, 0, 1) * (len(palette) - 1)
    low = min(int(place), len(palette) - 2)
    return palette[low] + (place - low) * (palette[low + 1] - palette[low])


def paint_stroke(draw, path, width, colour, rng):
    """Lay bristles beside each other, each a little lighter or darker."""
    across = np.diff(path, axis=0)[:, ::-1] * [-1, 1]
    across = np.concatenate([across, across[-1:]])
    across /= np.linalg.norm(across, axis=1, keepdims=True) + 1e-9
    colour = colour + rng.normal(0, 7, 3)
    for offset in np.linspace(-0.5, 0.5, 6):
        bristle = np.clip(colour + rng.normal(0, 13), 0, 255).astype(int)
        points = [tuple(point) for point in path + offset * width * across]
        draw.line(points, fill=tuple(bristle.tolist()), width=max(width // 4, 2), joint="curve")


def stained_glass(rng):
    """Panes of coloured glass, uneven inside, in leads that thicken where panes meet."""
    centre = np.array([0.5, 0.46]) * SIDE
    radius, angle = SIDE * rng.uniform(0.02, 0.85, 150) ** 0.8, rng.uniform(0, 2 * np.pi, 150)
    seeds = centre + radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    positions = np.stack([x.ravel(), y.ravel()], axis=1) + wobble(rng, 5, 14)
    distances, nearest = cKDTree(seeds).query(positions, k=2)
    rings = (np.linalg.norm(seeds - centre, axis=1) / 62).astype(int)
    panes = GLASS[(rings + rng.integers(0, 3, len(seeds))) % len(GLASS)]
    panes = panes * rng.uniform(0.75, 1.15, (len(seeds), 1))
    glass = panes[nearest[:, 0]] * (1 + wobble(rng, 0.16, 9)[:, :1] + wobble(rng, 0.10, 2)[:, :1])
    gap = distances[:, 1] - distances[:, 0]
    light = np.clip((gap - 5) / 3, 0, 1)[:, None]  # 0 in the lead
    lead = 22 + 26 * np.exp(-((gap - 2) ** 2) / 3)[:, None]  # with a gleam along its middle
    pixels = light * glass + (1 - light) * lead
    return Image.fromarray(np.clip(pixels, 0, 255).reshape(SIDE, SIDE, 3).astype("uint8"))


def wobble(rng, size, smoothness):
    """Two smooth random fields of a given standard deviation, `(SIDE², 2)`."""
    fields = [gaussian_filter(rng.normal(size=(SIDE, SIDE)), smoothness) for _ in range(2)]
    return np.stack([size * field.ravel() / field.std() for field in fields], axis=1)


def main():
    here = Path(__file__).parent
    for seed, draw in enumerate((swirls, stained_glass)):
        name = here / f"{draw.__name__}.jpg"
        draw(np.random.default_rng(seed)).save(name, quality=92)
        print(name.name)


if __name__ == "__main__":
    main()
