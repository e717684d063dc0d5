"""Washes wet in wet, glazes and dry brushes: a harbour in the evening."""

import numpy as np

from drawing.tools import SIDE, spline, spread
from drawing.wash import paint, stroke

INDIGO, TURQUOISE, ROSE, SIENNA, OCHRE, VIOLET = -np.log(  # what each absorbs
    np.array([[36, 52, 112], [24, 150, 172], [214, 66, 104], [178, 82, 40], [232, 172, 62],
              [116, 72, 150]]) / 255
)  # fmt: skip
BOATS = [(60, 380, 40), (330, 390, 50), (590, 385, 44), (150, 430, 90), (470, 470, 130),
         (255, 540, 110)]  # fmt: skip


def watercolour(rng):
    """Wash over wash, from the sky's to the darkest marks and the splatter."""
    parts = sky, shore, water, boats, splatter
    return paint((mark for part in parts for mark in part(rng)), rng)


def sky(rng):
    """From indigo above to rose and ochre, wet in wet; over it clouds, some of them lifted out."""
    bands = (INDIGO, TURQUOISE), (TURQUOISE, ROSE), (ROSE, OCHRE), (OCHRE, ROSE)
    for x, y in spread(rng, 26, -20, SIDE + 20) * [1, 0.5]:
        pigments = bands[int(np.clip(y / 80 + rng.normal(0, 0.5), 0, 3))]
        wash = stroke(rng, x, y, rng.uniform(120, 260), rng.uniform(30, 65), -0.15, 0.7)
        yield *wash, pigments, 0.4, {"wet": 11}
    for x, y in spread(rng, 40) * [1, 0.48]:
        cloud = stroke(rng, x, y, rng.uniform(60, 170), rng.uniform(14, 33), -0.25, 0.7)
        pigments = (INDIGO, VIOLET, TURQUOISE, TURQUOISE) if y < 150 else (ROSE, OCHRE, VIOLET)
        if rng.random() < 0.3:
            yield *cloud, (OCHRE, ROSE), 0.06, {"lift": 0.8, "wet": 3}
        else:
            yield *cloud, pigments, 0.42, {"wet": rng.choice([0.4, 2, 5])}


def shore(rng):
    """Two ranges of hills, trees, and a town: walls, each with its shadow and its roof."""
    for base, rise, far in ((300, 24, VIOLET), (322, 18, INDIGO)):
        ridge = np.stack([np.linspace(-60, SIDE + 60, 11), rng.normal(base, rise, 11)], axis=1)
        yield spline(ridge, 40), rng.uniform(36, 44, 40), (far, TURQUOISE), 0.42, {"lift": 0.5}
    for x in np.arange(-10, SIDE + 20, 40) + rng.uniform(-14, 14, 17):
        tree = np.array([(x, 350 - rng.uniform(20, 75)), (x + rng.normal(0, 14), 352)])
        how = {"wet": rng.choice([0.4, 3]), "lift": 0.4}
        yield tree, (10, rng.uniform(16, 32)), (SIENNA, INDIGO, TURQUOISE, OCHRE), 0.5, how
    for x in np.sort(rng.uniform(0, SIDE, 26)):
        y, wide, tall = 345 - rng.uniform(0, 34), rng.uniform(7, 14), rng.uniform(16, 46)
        wall, eaves = np.array([(x, y - tall), (x, y)]), np.array([-wide, 0, wide])
        yield wall, (wide, wide), (OCHRE, ROSE, OCHRE), 0.35, {"lift": 0.85, "flat": True}
        shade = wall + np.array([0.5 * wide, 0.2 * tall])
        yield shade, (0.4 * wide, 0.4 * wide), (VIOLET, INDIGO), 0.5, {"flat": True}
        roof = np.stack([x + eaves, y - tall - 0.15 * eaves], axis=1)
        yield roof, (2, 7, 2), (SIENNA, ROSE), 0.8, {"flat": True}


def water(rng):
    """Wet washes of the sky's colors, then waves, some with a dry brush, larger in front."""
    for x, y in spread(rng, 30) * [1, 0.46] + [0, 360]:
        wash = stroke(rng, x, y, rng.uniform(140, 320), rng.uniform(14, 34), 0, 0.2)
        yield *wash, (TURQUOISE, OCHRE, ROSE, TURQUOISE), 0.45, {"wet": 9}
    for x, near in rng.uniform((0, 0), (SIDE, 1), (110, 2)):
        size = 0.6 + 1.3 * near
        wave = stroke(
            rng, x, 356 + 290 * near, rng.uniform(40, 90) * size, rng.uniform(4, 9) * size
        )
        cool = rng.random() < 0.7
        pigments = (INDIGO, TURQUOISE, VIOLET) if cool else (ROSE, OCHRE, SIENNA, OCHRE)
        how = {"wet": 1.5, "dry": rng.choice([0, 0, 0.6])}
        yield *wave, pigments, rng.uniform(0.35, 0.75), how


def boats(rng):
    """Two sails, mast and hull of each boat, and what the water mirrors of them."""
    for x, y, size in BOATS:
        tip = x + rng.normal(0, 0.06) * size
        main = np.array([(tip, y - 1.7 * size), (x + 0.22 * size, y - 0.35 * size)])
        yield main, (1, 0.27 * size), (OCHRE, ROSE, SIENNA), 0.65, {"lift": 0.85}
        jib = np.array([(tip, y - 1.4 * size), (x - 0.25 * size, y - 0.3 * size)])
        yield jib, (1, 0.14 * size), (ROSE, VIOLET, TURQUOISE), 0.65, {"lift": 0.85}
        yield np.array([(tip, y - 1.8 * size), (x, y)]), (0.8, 1.6), (INDIGO, SIENNA), 1.5, {}
        hull, width = stroke(rng, x, y, 1.1 * size, 0.1 * size, 0.03, 0)
        hull[:, 1] -= 0.3 * (hull[:, 0] - x) ** 2 / size
        yield hull, width, (INDIGO, SIENNA), 1.1, {"lift": 0.8}
        for k in range(5):
            at = x + rng.normal(0, 0.1 * size), y + (0.2 + 0.16 * k) * size
            mirrored = stroke(rng, *at, size * rng.uniform(0.3, 0.9 - 0.1 * k), 0.06 * size)
            yield *mirrored, (INDIGO, SIENNA, ROSE), 0.9, {}


def splatter(rng):
    """Drops that a brush flung."""
    for drop in rng.uniform(0, SIDE, (110, 2)):
        radius = min(3, 0.5 + rng.exponential(0.9))
        path = np.array([drop, drop + rng.normal(0, 1, 2)])
        yield path, (radius, radius), (INDIGO, ROSE, SIENNA, TURQUOISE), 1, {}
