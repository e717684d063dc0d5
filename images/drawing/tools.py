"""What several drawings need: sizes, smooth random fields, curves."""

import numpy as np
from PIL import Image
from scipy.interpolate import make_interp_spline
from scipy.ndimage import gaussian_filter, rotate

SIDE = 640  # pixels
BRUSHINGS = 8  # directions that a brush, or a streak in glass, can go


def shrink(canvas):
    """Halve a picture that was drawn at twice the size: clean edges."""
    return canvas.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def shade(palette, tone):
    """Pick a color between the palette's, dark to light."""
    place = np.clip(tone, 0, 1) * (len(palette) - 1)
    low = min(int(place), len(palette) - 2)
    return palette[low] + (place - low) * (palette[low + 1] - palette[low])


def wobble(rng, size, smoothness):
    """Two smooth random fields of a given standard deviation, `(SIDE², 2)`."""
    fields = [gaussian_filter(rng.normal(size=(SIDE, SIDE)), smoothness) for _ in range(2)]
    return np.stack([size * field.ravel() / field.std() for field in fields], axis=1)


def spline(corners, count=100):
    """A smooth curve through the corners."""
    return make_interp_spline(np.linspace(0, 1, len(corners)), corners)(np.linspace(0, 1, count))


def field(rng, side, smoothness):
    """A smooth random field, `(side, side)`, that continues over its edges."""
    smooth = gaussian_filter(rng.normal(size=(side, side)), smoothness, mode="wrap")
    return smooth / smooth.std()


def bend(picture, rng, *wobbles):
    """Shake a drawn picture as a hand does: each wobble is a size and a smoothness in pixels."""
    pixels = np.array(picture)
    side = len(pixels)
    place = np.mgrid[:side, :side].astype(float)
    for size, smoothness in wobbles:
        place += size * np.stack([field(rng, side, smoothness) for _ in range(2)])
    y, x = np.clip(place.round(), 0, side - 1).astype(int)
    return pixels[y, x]


def streaks(direction, rng, smoothness):
    """Streaks that run, place by place, in the `direction` given as a number of `BRUSHINGS`."""
    side = len(direction)
    straight = field(rng, 3 * side // 2, smoothness)
    middle = slice(side // 4, side // 4 + side)
    turned = [
        rotate(straight, 180 * k / BRUSHINGS, reshape=False, order=1, mode="wrap")[middle, middle]
        for k in range(BRUSHINGS)
    ]
    return np.choose(direction, turned)[..., None]


def spread(rng, count, low=0, high=SIDE):
    """Random points that keep their distance: each the farthest of 12 from those before."""
    points = rng.uniform(low, high, (1, 2))
    while len(points) < count:
        tries = rng.uniform(low, high, (12, 2))
        gaps = np.linalg.norm(tries[:, None] - points, axis=2).min(axis=1)
        points = np.concatenate([points, tries[[gaps.argmax()]]])
    return points


def finish(pixels, light=1.0):
    """Shrink a picture drawn at twice its size, then let light fall on it."""
    picture = Image.fromarray(np.clip(pixels, 0, 255).astype("uint8"))
    picture = light * np.array(shrink(picture))
    return Image.fromarray(np.clip(picture, 0, 255).astype("uint8"))


def around(center, radius, start=0.0, stop=2 * np.pi):
    """Points of an arc."""
    angles = np.linspace(start, stop, 60)
    return center + np.stack([radius * np.cos(angles), radius * np.sin(angles)], axis=1)


def window(path, reach, side=SIDE):
    """What lies within reach of a path: the slices of a picture, and `x` and `y` there."""
    low, high = np.min(path, axis=0) - reach, np.max(path, axis=0) + reach
    (left, top), (right, bottom) = np.clip([low, high], [[0], [2]], [[side - 2], [side]]).astype(
        int
    )
    box = slice(top, bottom), slice(left, right)
    y, x = np.mgrid[box].astype(float)
    return box, x, y
