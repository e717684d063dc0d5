"""Paint the README's pictures from the shipped ones, at the defaults and 448 px: `make gallery`.

`readme.jpg` has four photographs above two styles of each; `gallery.jpg` has the style pictures in
its first column and the photographs in its first row.
"""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

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


def main():
    extractor = load_extractor()
    painted = {}
    for style in STYLES:
        for photograph in PHOTOGRAPHS:
            result = stylize(HERE / photograph, HERE / style, extractor, CONFIG)
            painted[photograph, style] = Image.fromarray(to_uint8(result.image[0]))
            print(photograph, style, result.stopped or "", flush=True)
    photographs = [Image.open(HERE / name).convert("RGB") for name in PHOTOGRAPHS]
    rows = [[painted[pair] for pair in zip(PHOTOGRAPHS, styles, strict=True)] for styles in OPENING]
    save(montage([photographs, *rows]), "readme.jpg")
    rows = [[painted[photograph, style] for photograph in PHOTOGRAPHS] for style in STYLES]
    rows = [[Image.open(HERE / style), *row] for style, row in zip(STYLES, rows, strict=True)]
    save(montage([[Image.new("RGB", (1, 1), "white"), *photographs], *rows]), "gallery.jpg")


def montage(rows):
    """Lay pictures in rows of one height, each column as wide as its last picture asks."""
    widths = [round(HEIGHT * picture.width / picture.height) for picture in rows[-1]]
    cells = [
        [ImageOps.fit(cell, (w, HEIGHT)) for cell, w in zip(row, widths, strict=True)]
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
    main()
