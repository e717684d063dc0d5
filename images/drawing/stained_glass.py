"""A rose window: colored panes in dark leads."""

from itertools import pairwise

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import center_of_mass, distance_transform_edt, label

from drawing.tools import BRUSHINGS, SIDE, around, bend, finish, streaks

RED, BLUE, GOLD, GREEN, PURPLE, WHITE, SKY, ORANGE = np.array(
    [[200, 14, 36], [14, 54, 186], [255, 190, 40], [8, 132, 82], [112, 30, 150], [250, 240, 200],
     [40, 150, 204], [236, 92, 24]]
)  # fmt: skip
ROSE_RINGS = (  # radius, petals, and the colors between it and the next
    (0, 0, (GOLD, WHITE)),
    (30, 8, (RED, RED, ORANGE, BLUE)),
    (116, 12, (BLUE, SKY, BLUE, PURPLE, GOLD)),
    (206, 0, (GOLD, WHITE, GREEN, RED)),
    (248, 18, (RED, PURPLE, RED, ORANGE, GREEN)),
    (350, 22, (BLUE, GREEN, SKY, BLUE, WHITE)),
    (480, 26, (PURPLE, BLUE, RED, GOLD)),
    (600, 0, (BLUE,)),
)


def stained_glass(rng):
    """A rose window: rings of petals in jewel colors, streaky with light, in dark leads."""
    leads = Image.new("L", (2 * SIDE, 2 * SIDE), 0)
    for path in tracery(center := np.array([0.46, 0.54]) * 2 * SIDE, rng):
        ImageDraw.Draw(leads).line([tuple(point) for point in path], 1, 13, joint="curve")
    lead = bend(leads, rng, (16, 90), (1.4, 16)) > 0
    panes, count = label(~lead)
    middles = np.array(center_of_mass(~lead, panes, range(1, count + 1)))[:, ::-1]
    rings = np.searchsorted([2 * ring[0] for ring in ROSE_RINGS],
                            np.linalg.norm(middles - center, axis=1)) - 1  # fmt: skip
    colors = [ROSE_RINGS[ring][2][rng.integers(len(ROSE_RINGS[ring][2]))] for ring in rings]
    colors = np.array([GOLD, *(colors * rng.uniform(0.8, 1.15, (count, 1)))])
    depth = np.minimum(distance_transform_edt(~lead), 40)[..., None]
    glass = colors[panes] * (0.95 + 0.006 * depth - 0.5 * np.exp(-depth / 6))
    streak = streaks(rng.integers(0, BRUSHINGS, count + 1)[panes[::2, ::2]], rng, (2.5, 17))
    return finish(np.where(lead[..., None], [20, 18, 22], glass), np.exp(0.26 * streak))


def tracery(center, rng):
    """Yield the paths of the leads: circles, petals with ribs, roundels."""
    for (radius, count, _), (beyond, *_) in pairwise(ROSE_RINGS):
        yield around(center, 2 * beyond)
        t = np.linspace(0, 1, 40)
        reach, turn = 2 * (radius + (beyond - radius) * t), rng.uniform(0, 7)
        for k in range(count):
            for side in (-1, 1, 0)[: 2 + (radius > 200)]:
                angle = turn + np.pi / count * (2 * k + side * np.sin(np.pi * t) ** 0.8)
                yield center + reach[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        for k in range(24 * (radius == 206)):
            yield around(around(center, 454, 2 * np.pi * k / 24)[0], 34)
