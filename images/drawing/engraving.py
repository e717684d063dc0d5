"""Solids ruled with lines that follow their form: an oak and rocks by a lake."""

import numpy as np

from drawing.burin import SIZE, engrave
from drawing.tools import field, spline, window

CLOUDS = (640, 240, 120), (1060, 330, 170), (760, 420, 110)
OAK = (  # two limbs and the trunk, each with its radius below and above
    ([(235, 830), (150, 700), (60, 620), (20, 520)], 34, 10),
    ([(240, 800), (330, 690), (450, 600), (520, 520)], 36, 10),
    ([(230, 1250), (250, 1050), (225, 830), (270, 640), (330, 420)], 74, 20),
)


def engraving(rng):
    """Engrave clouds and peaks, a lake with spruces, rocks, an oak and ferns, in that order."""
    scene = np.zeros((3, SIZE, SIZE))  # darkness, direction of the lines, number of the solid
    noise = [field(rng, SIZE, smooth) for smooth in (60, 16, 6)]
    everywhere, x, y = window([(0, 0)], SIZE, SIZE)
    sky = 0.5 - 0.0003 * y + 0.1 * noise[0]
    carve(scene, everywhere, y < SIZE, 30 * noise[0], 1.45, sky, 0.3)
    for *place, size in CLOUDS:
        spots = place + size * rng.normal((0, 0), (0.8, 0.35), (14, 2))
        for spot in sorted(spots, key=lambda spot: spot[1]):
            dark, radius = 0.2 + (spot[1] - place[1]) / size / 3, size * rng.uniform(0.3, 0.75)
            heap(scene, [spot], [radius], noise, rng.normal(1.2, 0.3), dark, 0.1)
    for px in rng.permutation(np.linspace(400, 1200, 6)):
        crag(scene, px, rng.uniform(620, 740), rng.uniform(130, 280), noise, 0.42, rng)
    ripple, below = field(rng, SIZE, (7, 60)), y - 740 - 8 * noise[1]
    lake = 0.35 + 0.4 * np.exp(-np.clip(below, 0, None) / 60) + 0.17 * ripple
    carve(scene, everywhere, below > 0, 5 * ripple, np.pi / 2, lake, 0.8)
    for stem in (1130, 1190, 1250, 1080, 960, 1010):
        spruce(scene, stem, rng.uniform(765, 805), rng.uniform(150, 290), noise)
    for py in np.linspace(1000, 1270, 9):
        px = 1240 - rng.uniform(0, 2.2) * (py - 960)
        crag(scene, px, py, rng.uniform(110, 200), noise, 0.5, rng)
    below = y - 1010 - 0.25 * x - 14 * noise[1]
    carve(scene, everywhere, below > 0, 30 * noise[0], 0.5, 0.6 + 0.1 * noise[0], 0.4)
    for corners, low, high in OAK:
        path = spline(np.array(corners), 40)
        heap(scene, path, np.linspace(low, high, 40), noise, 1.3, 0.5, 0.1, 1, 0.6)
    for spot in sorted(rng.normal((250, 330), (190, 180), (180, 2)), key=lambda spot: spot[1]):
        if np.hypot(spot[0] / 1.2 - 208, spot[1] - 330) < 330:
            dark, way = 0.45 + (spot.sum() - 580) / 1500, rng.uniform(0.3, 2.4)
            heap(scene, [spot], [rng.uniform(26, 56)], noise, way, dark, 0.28)
    for root in sorted(rng.uniform((0, 1060), (900, 1380), (28, 2)), key=lambda spot: spot[1]):
        if root[1] > 1050 + 0.25 * root[0]:
            fern(scene, root, rng.uniform(70, 130), noise, rng)
    return engrave(*scene, rng)


def carve(scene, box, mask, height, cut, dark, contrast):
    """Set a solid into the scene, lit from the upper left; parallel planes slice it into lines."""
    y, x = np.gradient(height)
    tone = dark - contrast * 0.62 * (x + y) / np.sqrt(1 + x**2 + y**2)
    way = np.arctan2(1.5 * np.cos(cut) + x, -1.5 * np.sin(cut) - y)
    number = np.full(tone.shape, scene[2].max() + 1)
    scene[(slice(None), *box)][:, mask] = np.stack([tone, way, number])[:, mask]


def heap(scene, path, radii, noise, cut, dark, ragged, bulge=0.5, contrast=0.45):
    """A round thing along a path: a limb with its bark, or a heap of leaves or vapour."""
    size = max(radii)
    box, x, y = window(path, 1.4 * size, SIZE)
    spots = zip(path, radii, strict=True)
    inside = np.max([r**2 - (x - cx) ** 2 - (y - cy) ** 2 for (cx, cy), r in spots], axis=0)
    height = bulge * np.sqrt(np.clip(inside + 0.1 * size**2, 1, None)) + 3 * noise[1][box]
    rim = inside + size**2 * ragged * (noise[1][box] + 0.7 * (ragged > 0.2) * noise[2][box])
    carve(scene, box, rim > 0, height, cut, dark, contrast)


def crag(scene, x0, y0, size, noise, dark, rng):
    """A rock of seven planes, each a facet of its own."""
    box, x, y = window([(x0, y0)], 1.5 * size, SIZE)
    x, y = (x - x0) / size + 0.05 * noise[1][box], (y - y0) / size + 0.05 * noise[0][box]
    planes = [
        size * rng.uniform(0.4, 1.25) * (rng.uniform(0.6, 1) - x * np.cos(turn) - y * np.sin(turn))
        for turn in rng.uniform(0, 7) + np.arange(7) * 0.9 + rng.normal(0, 0.2, 7)
    ]
    height, cut = np.min(planes, axis=0), rng.uniform(0.3, 2.8)
    for plane in planes:
        facet = (height > 0) & (height == plane)
        carve(scene, box, facet, height + 3 * noise[1][box], cut, dark, 0.68)


def spruce(scene, stem, foot, height, noise):
    """A tree of seven tiers that hang down on both sides."""
    box, x, y = window([(stem, foot - height / 2)], height / 2, SIZE)
    down, across = (y - foot) / height + 1 + 0.03 * noise[2][box], (x - stem) / height
    tier = (7 * down - 9 * abs(across)) % 1
    half = 0.24 * down * (0.55 + 0.6 * tier)
    tall = 14 * tier + height * np.sqrt(np.clip(half**2 - across**2, 0.0004, 1))
    carve(scene, box, abs(across) < half, tall, 0.15 + 6 * across, 0.62, 0.4)


def fern(scene, root, size, noise, rng):
    """Blades that fan out of one root and bend down."""
    t, radii = np.linspace(0, 1, 16)[:, None], np.linspace(0.11 * size, 2, 16)
    for angle in rng.permutation(np.linspace(-2.6, -0.5, 9) + rng.normal(0, 0.15, 9)):
        bent = [np.cos(angle), np.sin(angle)] + 0.7 * t * [0, abs(np.cos(angle))]
        blade = root + size * rng.uniform(0.7, 1.1) * t * bent
        way, dark = rng.choice([0.3, 2.4]), rng.uniform(0.3, 0.7)
        heap(scene, blade, radii, noise, way, dark, 0.1, 1, 0.6)
