"""Translucent washes with wet edges: an abstract garden."""

import numpy as np
from PIL import Image

from drawing.tools import SIDE, field, spread

ROSE, OCHRE, VIRIDIAN, ULTRAMARINE, VIOLET = np.array(
    [[214, 40, 92], [226, 156, 30], [20, 128, 100], [36, 66, 176], [108, 46, 146]]
)
WARM, COOL = (ROSE, OCHRE, VIOLET), (VIRIDIAN, ULTRAMARINE)


def watercolour(rng):
    """Translucent washes one over another: pale grounds, then leaves, petals and drops."""
    light = np.ones((SIDE, SIDE, 3))
    noise = [field(rng, SIDE, smoothness) for smoothness in (14, 4, 1.2)]
    for centre, angle, length, width, pigments, strength in garden(rng):
        lay_wash(light, centre, angle, length, width, pigments, strength, noise, rng)
    paper = np.array([252, 248, 238]) * (1 + 0.012 * noise[2][..., None])
    return Image.fromarray(np.clip(paper * light**0.92, 0, 255).astype("uint8"))


def garden(rng):
    """Yield each wash: its centre, angle, half length and width, two pigments and strength."""
    for centre in spread(rng, 16):
        pigments = rng.permutation([OCHRE, ROSE, *COOL])[:2]
        yield centre, rng.uniform(0, 7), rng.uniform(80, 150), rng.uniform(60, 100), pigments, 0.42
    for centre in spread(rng, 44):
        length, angle = rng.uniform(30, 95), rng.normal(-1.6, 0.7)
        yield centre, angle, length, 0.3 * length, rng.permutation([*COOL, OCHRE])[:2], 0.8
    for size, centre in zip(np.geomspace(100, 22, 22), spread(rng, 22), strict=True):
        count, start, pigments = rng.integers(5, 9), rng.uniform(0, 7), rng.permutation(WARM)
        for angle in start + 2 * np.pi * np.arange(count) / count + rng.normal(0, 0.1, count):
            middle = centre + 0.55 * size * np.array([np.cos(angle), np.sin(angle)])
            yield middle, angle, 0.55 * size, 0.27 * size, pigments[:2], 0.75
        yield centre, 0, 0.2 * size, 0.18 * size, pigments[1:], 1.5
    for centre in rng.uniform(0, SIDE, (110, 2)):
        size = 3 + rng.exponential(4)
        yield centre, 0, size, size, rng.permutation([*WARM, *COOL])[:2], 1.1


def lay_wash(light, centre, angle, length, width, pigments, strength, noise, rng):
    """Darken `light` by one wash: dry outside, dark at its wet edge, uneven within."""
    low, high = np.clip([centre - 1.5 * length, centre + 1.5 * length + 1], 0, SIDE).astype(int)
    window = slice(low[1], high[1]), slice(low[0], high[0])
    shift = rng.integers(0, SIDE, 2)
    slow, quick, grain = (np.roll(layer, shift, (0, 1))[window] for layer in noise)
    y, x = np.mgrid[window] - centre[::-1, None, None]
    along = (x * np.cos(angle) + y * np.sin(angle)) / length
    across = (y * np.cos(angle) - x * np.sin(angle)) / width
    pointed = 1 - along**2 - abs(across)
    inside = width * (pointed if width < 0.5 * length else 1 - np.hypot(along, across))
    inside += np.clip(0.12 * width, 0, 9) * slow + 0.8 * quick
    pool = 0.5 + 0.25 * along + 0.16 * slow + 0.05 * grain + 1.1 * np.exp(-abs(inside) / 2.6)
    bloom = width * (np.hypot(along - 0.4, across - 0.2) - 0.45) + 2 * quick + 4 * slow
    pool += 0.5 * np.exp(-((bloom / 2.5) ** 2)) - 0.22 * (bloom < 0)
    mix = np.clip(0.5 + 0.6 * along + 0.3 * slow, 0, 1)[..., None]
    absorbed = -np.log((mix * pigments[0] + (1 - mix) * pigments[1]) / 255)
    amount = strength * np.clip(pool, 0.1, 2) * np.clip(inside + 0.5, 0, 1)
    light[window] *= np.exp(-amount[..., None] * absorbed)
