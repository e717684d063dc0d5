"""How a burin engraves: lines beside each other that swell, cross and break into dots."""

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import distance_transform_edt, gaussian_filter

from drawing.tools import SIDE, field, finish

SIZE = 2 * SIDE
INK, PAPER = np.array([54, 33, 22]), np.array([241, 224, 186])
HATCHINGS = (0, 0.06, 16), (0.95, 0.54, 16), (-0.7, 0.74, 16)  # turn, least darkness, gap


def engrave(tone, way, part, rng):
    """Rule each part with lines along `way`, wider where dark; hatch the deep shade; outline."""
    edge = (part != np.roll(part, 1, 0)) | (part != np.roll(part, 1, 1))
    swell = np.clip(1.8 * gaussian_filter(tone, 5) + 0.4 * field(rng, SIZE, 12), 0, 1.3)
    inside = 1.9 * swell - 0.3 - distance_transform_edt(~edge)
    for turn, least, gap in HATCHINGS:
        plate = Image.new("L", (SIZE, SIZE))
        for line in rule(tone, way + turn, part, least, gap, rng):
            cut(ImageDraw.Draw(plate), line, tone)
        distance, nearest = distance_transform_edt(np.array(plate) == 0, return_indices=True)
        width = gap * (0.07 + 0.34 * np.clip(tone - 0.8 * max(least - 0.1, 0), 0, 1))
        inside = np.maximum(inside, width * np.array(plate)[tuple(nearest)] / 255 - distance)
    cover = np.clip(0.32 * inside + 0.52, 0, 1)[..., None]
    return finish(PAPER + cover * (INK - PAPER))


def rule(tone, way, part, least, gap, rng):
    """Yield lines a gap apart: each starts beside another, and ends where it would meet one."""
    taken = Image.new("L", (SIZE, SIZE))
    draw, busy = ImageDraw.Draw(taken), taken.load()

    def walk(x, y, step, home=None):
        for _ in range(rng.integers(30, 110)):
            here = int(y), int(x)
            if not (0 <= x < SIZE and 0 <= y < SIZE) or busy[here[::-1]] or tone[here] < least:
                return
            home = home or part[here]
            if part[here] != home:
                return
            yield x, y
            x, y = x + step * np.cos(way[here]), y + step * np.sin(way[here])

    seeds = list(rng.uniform(0, SIZE, (6000, 2)))
    while seeds:
        seed = seeds.pop()
        line = [*reversed([*walk(*seed, -4)][1:]), *walk(*seed, 4)]
        if len(line) > 3:
            yield line
            draw.line(line, 1, round(1.3 * gap), joint="curve")
            for x, y in line[::3]:
                angle = way[int(y), int(x)]
                ax, ay = -gap * np.sin(angle), gap * np.cos(angle)
                seeds += [(x + ax, y + ay), (x - ax, y - ay)]


def cut(draw, line, tone):
    """Cut one line: it tapers towards its ends, and in the light breaks into dots."""
    for i, (x, y) in enumerate(line[:-1]):
        if tone[int(y), int(x)] > 0.15 or i % 5 < 3:
            press = min(1, 0.3 + 0.12 * min(i, len(line) - 2 - i))
            draw.line([line[i], line[i + 1]], round(255 * press))
