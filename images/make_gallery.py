"""Paint the README's pictures from the shipped ones, at the defaults and 448 px: `make gallery`.

`readme.jpg` has four photographs above two styles of each, with the style picture in a corner;
`gallery.jpg` has the style pictures in its first column and the photographs in its first row;
`colors.jpg` and `regions.jpg` show what can be kept (lesson 11).
`python images/make_gallery.py colors` paints one of them alone.
"""

import dataclasses
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageOps

from nst_tutorial import TransferConfig, load_extractor, stylize, to_uint8

HERE = Path(__file__).parent
PHOTOGRAPHS = ("chelsea.png", "astronaut.png", "rocket.jpg", "coffee.png")
OPENING = (
    ("swirls.jpg", "stained_glass.jpg", "swirls.jpg", "engraving.jpg"),
    ("impasto.jpg", "watercolour.jpg", "abstraction.jpg", "woodblock_wave.jpg"),
)
STYLES = (*sorted({style for row in OPENING for style in row}), "pointillism.jpg")
CONFIG = TransferConfig(size=448)
HEIGHT, GAP = 300, 6  # pixels
OUTLINES = {  # of what is seen on astronaut.png, in its pixels: x, y
    "astronaut_head": """184,186 186,160 172,130 156,106 153,80 162,55 180,35 215,18 250,18 280,35
        297,65 300,95 288,115 275,130 262,155 253,188 215,192""",
    "astronaut_suit": """22,512 22,420 40,300 70,245 113,215 118,180 140,158 184,152 184,186
        215,192 253,188 258,170 285,190 303,225 303,250 340,275 358,300 362,345 420,345 465,375
        490,420 497,460 512,460 512,512""",
}


def main(names=("readme", "gallery", "colors", "regions")):
    extractor = load_extractor()
    for name in names:
        PAINTERS[name](extractor)


def opened(name):
    return Image.open(HERE / name).convert("RGB")


def painted(photograph, style, extractor, **settings):
    """One transfer as a picture, at the defaults and 448 px but for `settings`."""
    config = dataclasses.replace(CONFIG, **settings)
    result = stylize(HERE / photograph, HERE / style, extractor, config)
    print(photograph, style, result.stopped or "", flush=True)
    return Image.fromarray(to_uint8(result.image[0]))


def paint_readme(extractor):
    rows = [
        [
            inset(painted(photograph, style, extractor), opened(style))
            for photograph, style in zip(PHOTOGRAPHS, styles, strict=True)
        ]
        for styles in OPENING
    ]
    save(montage([[*map(opened, PHOTOGRAPHS)], *rows]), "readme.jpg")


def inset(picture, style):
    """Lay the style picture into the lower left corner."""
    side, line = round(0.3 * picture.height), picture.height // 75
    corner = ImageOps.expand(ImageOps.fit(style, (side, side)), line, "white")
    picture.paste(corner, (0, picture.height - corner.height))
    return picture


def paint_gallery(extractor):
    rows = [
        [opened(style), *(painted(photograph, style, extractor) for photograph in PHOTOGRAPHS)]
        for style in STYLES
    ]
    first = [Image.new("RGB", (1, 1), "white"), *map(opened, PHOTOGRAPHS)]
    save(montage([first, *rows]), "gallery.jpg")


def paint_colors(extractor):
    """Coffee in stained glass, with each setting of `colors`."""
    pair, ways = ("coffee.png", "stained_glass.jpg"), ("style", "match", "luminance")
    row = [painted(*pair, extractor, colors=way) for way in ways]
    save(montage([[opened(pair[0]), *row]]), "colors.jpg")


def paint_regions(extractor):
    """The astronaut's suit in one style, what is behind her in another, and her face kept."""
    draw_masks()
    head, suit, behind = (HERE / "masks" / f"astronaut_{p}.png" for p in ("head", "suit", "behind"))
    photograph, glass = HERE / "astronaut.png", HERE / "stained_glass.jpg"
    regions = [(suit, glass), (behind, HERE / "woodblock_wave.jpg")]
    alone = painted(photograph.name, glass.name, extractor)
    apart = stylize(photograph, None, extractor, CONFIG, regions=regions)
    apart = Image.fromarray(to_uint8(apart.image[0]))
    shown = Image.merge("RGB", [Image.open(mask) for mask in (suit, head, head)])
    save(montage([[opened(photograph.name), alone, shown, apart]]), "regions.jpg")


def draw_masks():
    """Fill the outlines, at four times the size, for soft edges; what is in none is behind."""
    (HERE / "masks").mkdir(exist_ok=True)
    behind = Image.new("L", (512, 512), 255)
    for name, outline in OUTLINES.items():
        points = [tuple(4 * int(n) for n in point.split(",")) for point in outline.split()]
        mask = Image.new("L", (2048, 2048))
        ImageDraw.Draw(mask).polygon(points, fill=255)
        mask = mask.resize((512, 512), Image.Resampling.BOX)
        mask.save(HERE / "masks" / f"{name}.png")
        behind = ImageChops.subtract(behind, mask)
    behind.save(HERE / "masks" / "astronaut_behind.png")


PAINTERS = {
    "readme": paint_readme, "gallery": paint_gallery,
    "colors": paint_colors, "regions": paint_regions,
}  # fmt: skip


def montage(rows, height=HEIGHT):
    """Lay pictures in rows of one height, each column as wide as its last picture asks."""
    widths = [round(height * picture.width / picture.height) for picture in rows[-1]]
    cells = [
        [ImageOps.fit(cell, (w, height)) for cell, w in zip(row, widths, strict=True)]
        for row in rows
    ]
    return np.concatenate([beside(row) for row in cells])


def beside(pictures):
    """Join pictures with white gaps after each."""
    margins = [(0, GAP), (0, GAP), (0, 0)]
    return np.concatenate(
        [np.pad(np.asarray(one), margins, constant_values=255) for one in pictures], axis=1
    )


def save(pixels, name):
    Image.fromarray(pixels[:-GAP, :-GAP]).save(HERE / name, quality=88)


if __name__ == "__main__":
    main(*filter(None, [sys.argv[1:]]))
