"""Which style layers, and which weights? The experiments of lesson 05 on more pictures.

    python benchmarks/style_layers.py     # about eight minutes on two cores

Each style is painted with each set of layers: as a texture from noise, and, for the sets of five
and more, onto a photograph at the default weights. Only the layers' weights change; at last the
weights of the network. Nothing that judges a picture was optimized, and no network judges:

- colors: the distance of two bags of pixels;
- strokes: that of two bags of 5×5 patches, each without its mean color, at three sizes.

Prints means over the styles with their standard errors, in pixel values, and for strokes and
colors together, late, the ratio to the five conv1 layers on the same style (geometric mean).
"""

import dataclasses
from pathlib import Path

import numpy as np
from scipy.ndimage import sobel

from nst_tutorial import StyleTransfer, TransferConfig, load_extractor, load_image

IMAGES = Path(__file__).parent.parent / "images"
FILES = ["swirls.jpg", "stained_glass.jpg", "woodblock_wave.jpg", "pointillism.jpg"]
FILES += ["engraving.jpg", "ihc.png"]
CONV1 = [f"block{block}_conv1" for block in range(1, 6)]
CONV2 = [f"block{block}_conv2" for block in range(1, 6)]
LAST = [*CONV2[:2], "block3_conv4", "block4_conv4", "block5_conv4"]
MIXED = ["block1_conv1", "block2_conv2", "block3_conv4", "block4_conv1", "block5_conv2"]
PARTS = {f"block{block} alone": CONV1[block - 1 : block] for block in range(1, 6)}
PARTS |= {f"blocks 1-{block}": CONV1[:block] for block in range(2, 5)}
SETS = {"conv1": CONV1, "conv2": CONV2, "last": LAST, "mixed": MIXED, "conv1 + last": CONV1 + LAST}
EARLY, LATE = 40, 120  # iterations


def bag_of_patches(image, step, size):
    """All patches of size × size pixels, `(number, 3 size²)`, of a picture made step times smaller.

    A patch of more than a pixel loses its mean color.
    """
    height, width = (side // step for side in image.shape[1:3])
    blocks = image[0, : height * step, : width * step].reshape(height, step, width, step, 3)
    bag = np.lib.stride_tricks.sliding_window_view(blocks.mean((1, 3)), (size, size), (0, 1))
    bag = bag.reshape(-1, 3, size**2)
    return (bag - (size > 1) * bag.mean(-1, keepdims=True)).reshape(len(bag), -1)


def patch_distance(image, style, step=1, size=1):
    """A sliced Wasserstein distance: project the patches on lines and compare their quantiles."""
    lines = np.random.default_rng(0).normal(size=(3 * size**2, 64))
    lines /= np.linalg.norm(lines, axis=0)
    bags = (bag_of_patches(picture, step, size) @ lines for picture in (image, style))
    here, there = (np.quantile(bag, np.linspace(0, 1, 101), axis=0) for bag in bags)
    return np.abs(here - there).mean()


def judge(image, style):
    """Distances of colors and of strokes, in pixel values."""
    strokes = [patch_distance(image, style, step, 5) for step in (1, 2, 4)]
    return [patch_distance(image, style), np.mean(strokes)]


def edges(image):
    gray = image[0].mean(axis=-1)
    return np.hypot(sobel(gray, 0), sobel(gray, 1)).ravel()


def texture(transfer, config, style, noise, late):
    """Paint from noise and judge early and late."""
    transfer.config = dataclasses.replace(config, content_weight=0.0)
    transfer.restart(noise)
    transfer.run(EARLY)
    early = judge(transfer.image, style)
    if not late:
        return [*early, np.nan, np.nan]
    transfer.run(LATE - EARLY)
    return [*early, *judge(transfer.image, style)]


def painted(transfer, config, style, photo):
    """Paint the photograph, judge the style, and correlate the edges with the photograph's."""
    transfer.config = config
    transfer.restart(photo)
    transfer.run(EARLY)
    kept = np.corrcoef(edges(transfer.image), edges(photo))[0, 1]
    return [*judge(transfer.image, style), kept]


def study(extractor, sets, photo):
    """Scores of each set on each style, `{name: (styles, 7)}`."""
    table = {name: [] for name in sets}
    layers = sorted({layer for chosen in sets.values() for layer in chosen})
    noise = np.random.default_rng(0).normal(127.5, 16, photo.shape)
    for file in FILES:
        style = load_image(IMAGES / file, 96)
        config = TransferConfig(style_layers=layers, content_weight=20.0, tv_weight=100.0)
        transfer = StyleTransfer(photo, [style], extractor, config, photo)
        for name, chosen in sets.items():
            weights = tuple(chosen.count(layer) / len(chosen) for layer in layers)
            weighted = dataclasses.replace(config, layer_weights=weights)
            whole = len(chosen) >= 5
            row = texture(transfer, weighted, style, noise, late=whole)
            row += painted(transfer, weighted, style, photo) if whole else [np.nan] * 3
            table[name].append(row)
    return {name: np.array(rows) for name, rows in table.items()}


def print_table(table):
    print("| layers | colors, early | strokes, early | colors, late | strokes, late | ", end="")
    print("late / conv1 | photo: colors | photo: strokes | photo: edges kept |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name, rows in table.items():
        ratios = np.log(rows[:, 2:4] / table["conv1"][:, 2:4]).mean(axis=1)
        mean, error = np.exp(ratios.mean()), ratios.std(ddof=1) / len(rows) ** 0.5
        cells = [f"{column.mean():.2f} ± {spread(column):.2f}" for column in rows.T]
        cells.insert(4, f"{mean:.2f} ± {mean * error:.2f}")
        print(f"| {name} |", " | ".join(cells).replace("nan ± nan", "-"), "|", flush=True)


def spread(column):
    return column.std(ddof=1) / len(column) ** 0.5


def main():
    photo = load_image(IMAGES / "chelsea.png", 96)
    trained = load_extractor(precision="float32")
    print(f"{trained.name}, 96 px, {len(FILES)} styles, {EARLY} and {LATE} iterations\n")
    table = study(trained, PARTS | SETS, photo)
    for seed in (0, 1):
        random = load_extractor("random", precision="float32", seed=seed)
        table |= study(random, {f"conv1, random weights {seed}": CONV1}, photo)
    print_table(table)


if __name__ == "__main__":
    main()
