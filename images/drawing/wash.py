"""How a brush lays washes: they bleed, dry dark at their edges, run back, and leave grain."""

import numpy as np
from PIL import Image

from drawing.tools import SIDE, field, window


def paint(marks, rng):
    """Lay marks, `(path, width, pigments, strength, {how})`, one over another on white paper."""
    light, noise = np.ones((SIDE, SIDE, 3)), [field(rng, SIDE, smooth) for smooth in (26, 9, 3)]
    tooth, hairs = field(rng, SIDE, 1.4), field(rng, SIDE, (1.5, 9))
    for path, width, pigments, strength, how in marks:
        first, second = rng.permutation(pigments)[:2]
        box, x, y = window(path, 1.5 * max(width) + 2 * how.get("wet", 0) + 6)
        shift = rng.integers(0, SIDE, 2)
        blots = [np.roll(layer, shift, (0, 1))[box] for layer in noise]
        touched = touch(x, y, path, width, how.get("flat"))
        pool, cover = flow(*touched, *blots, max(width), how.get("wet", 0.4))
        if how.get("dry"):
            bristles = 0.5 * tooth[box] + hairs[box] + 1.5 - 3 * how["dry"] * touched[1]
            cover *= np.clip(2.2 * bristles, 0, 1)
        mix = np.clip(0.25 + 0.5 * touched[1] + 0.45 * blots[0] + 0.15 * blots[1], 0, 1)[..., None]
        absorbed = mix * first + (1 - mix) * second
        grain = 1 + 0.13 * tooth[box] * (absorbed.mean(axis=2) > 0.7)  # of the dark pigments
        kept = 1 - how.get("lift", 0.25) * cover[..., None]  # the wet brush takes up some
        amount = strength * np.clip(pool, 0.08, 2) * grain * cover
        light[box] = light[box] ** kept * np.exp(-amount[..., None] * absorbed)
    paper = np.array([253, 249, 240]) * (1 + 0.014 * tooth[..., None])
    return Image.fromarray(np.clip(paper * light, 0, 255).astype("uint8"))


def touch(x, y, path, width, flat):
    """How far inside the mark each place lies, how far along it, and how wide it is there."""
    inside, along, local = np.full((3, *x.shape), -1e3)
    for part in range(len(path) - 1):
        (left, top), (right, down) = path[part], path[part + 1] - path[part]
        t = np.clip(((x - left) * right + (y - top) * down) / (right**2 + down**2), 0, 1)
        gap = abs(x - left - t * right), abs(y - top - t * down)
        radius = width[part] + t * (width[part + 1] - width[part])
        depth = radius - (np.maximum(*gap) if flat else np.hypot(*gap))
        nearer = depth > inside
        for layer, value in ((inside, depth), (along, (part + t) / len(path)), (local, radius)):
            layer[nearer] = value[nearer]
    return inside, along, local


def flow(inside, along, local, slow, mid, quick, size, wet):
    """How much pigment settles where, and what is covered: edges found here and lost there."""
    inside = inside + np.clip(local / 28, 0, 1) * (7 * mid + 4 * slow)
    inside += np.clip(local / 10, 0, 1) * quick
    soft = 0.8 + wet * np.clip(0.6 + slow, 0, 3)
    pool = 0.55 + 0.25 * along + 0.16 * slow + 0.12 * mid + 0.05 * quick
    pool += 1.3 * np.exp(-np.clip(inside, 0, None) / 2.2) / soft**0.7
    if size > 16:  # water ran back into it
        bloom = size * (np.hypot(along - 0.6, 0.6 * slow) - 0.3) + 3 * mid + quick
        pool += 0.5 * np.exp(-((bloom / 2) ** 2)) - 0.5 * (bloom < 0)
    return pool, np.clip(inside / soft + 0.5, 0, 1)


def stroke(rng, x, y, length, width, slope=0.0, bend=0.3):
    """The path of a brush through a place, and its width as it is set down, pressed and lifted."""
    t = np.linspace(-0.5, 0.5, 12)
    angle = rng.normal(slope, 0.2 * bend) + 2 * bend * rng.normal() * t
    path = length / 12 * np.stack([np.cos(angle), np.sin(angle)], axis=1).cumsum(axis=0)
    press = np.interp(t, [-0.5, -0.25, 0.1, 0.5], [0.4, 1, 0.9, 0.2])
    return path - path.mean(axis=0) + [x, y], width * press
