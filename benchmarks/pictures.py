"""How good are the pictures? A sheet of photographs × styles at the defaults, and four numbers.

    python benchmarks/pictures.py --size 256 --sheet sheet.png      # the shipped pictures
    python benchmarks/pictures.py --photographs a.jpg --styles b.jpg --extractor net.npz

None of the numbers took part in training or in the loss: they look at pixels alone.

strokes: the mean difference of the quantiles of 64 random projections of 7×7 patches, result
         against style, over three sizes (sliced Wasserstein); 0 for the style itself.
edges:   the correlation of blurred luminance gradients, result against photograph; 1 is all kept.
color:  high-pass energy of the two color channels, result over style; above 1 are fringes.
border:  fine detail in the outer 8 pixels over that inside; above 1 are stripes.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from nst_tutorial import TransferConfig, load_extractor, load_image, stylize, to_uint8

IMAGES = Path(__file__).parent.parent / "images"
PHOTOGRAPHS = [IMAGES / name for name in ("chelsea.png", "astronaut.png", "rocket.jpg")]
STYLES = [IMAGES / f"{name}.jpg" for name in ("swirls", "watercolour", "engraving")]
TO_YCC = np.array([[0.299, 0.587, 0.114], [-0.1687, -0.3313, 0.5], [0.5, -0.4187, -0.0813]])


def measure(result, photograph, style):
    """The four numbers, for three pictures `(H, W, 3)`, RGB, uint8."""
    painted, original, model = (image @ TO_YCC.T for image in (result, photograph, style))
    fine, fine_model = high_pass(painted), high_pass(model)
    return {
        "strokes": patch_distance(result, style),
        "edges": float(np.corrcoef(slopes(painted).ravel(), slopes(original).ravel())[0, 1]),
        "color": energy(fine[..., 1:]) / max(energy(fine_model[..., 1:]), 0.3),
        "border": border_over_inside(np.abs(fine[..., 0])),
    }


def blurred(image, sigma):
    return gaussian_filter(image, (sigma, sigma, 0)[: image.ndim], mode="reflect")


def high_pass(image):
    return image - blurred(image, 1.0)


def energy(values):
    return float(np.sqrt((values**2).mean()))


def slopes(image):
    return np.stack(np.gradient(blurred(image[..., 0], 2.0)))


def border_over_inside(detail, width=8):
    inside = detail[width:-width, width:-width]
    outside = (detail.sum() - inside.sum()) / (detail.size - inside.size)
    return float(outside / inside.mean())


def patch_distance(one, other, side=7, directions=64, patches=6000):
    rng = np.random.default_rng(0)
    V = rng.normal(size=(side * side * 3, directions))
    V /= np.linalg.norm(V, axis=0)
    gaps = []
    for factor in (1, 2, 4):
        spread = [quantiles(image, factor, V, side, patches, rng) for image in (one, other)]
        gaps.append(np.abs(spread[0] - spread[1]).mean() / side)
    return float(np.mean(gaps))


def quantiles(image, factor, V, side, patches, rng):
    small = np.asarray(Image.fromarray(image).reduce(factor), "float64")
    windows = np.lib.stride_tricks.sliding_window_view(small, (side, side), axis=(0, 1))
    windows = windows.reshape(-1, len(V))
    return np.quantile(windows[rng.choice(len(windows), patches)] @ V, np.linspace(0.01, 0.99, 99))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photographs", nargs="+", type=Path, default=PHOTOGRAPHS)
    parser.add_argument("--styles", nargs="+", type=Path, default=STYLES)
    parser.add_argument("--extractor", nargs="+", default=["pocket"])
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--sheet", type=Path, help="where to save the pictures, a row a photograph")
    options = parser.parse_args()
    for name in options.extractor:
        rows, numbers = [], []
        extractor = load_extractor(name)
        for photograph in options.photographs:
            painted = [
                paint(photograph, style, extractor, options.size) for style in options.styles
            ]
            numbers += [measured for _, measured in painted]
            rows.append(np.concatenate([image for image, _ in painted], axis=1))
        means = {key: np.mean([one[key] for one in numbers]) for key in numbers[0]}
        print(name, *(f"{key} {mean:.2f}" for key, mean in means.items()), flush=True)
        if options.sheet:
            save(rows, options.sheet.with_stem(f"{options.sheet.stem}-{Path(name).stem}"))


def paint(photograph, style, extractor, size):
    image = to_uint8(stylize(photograph, style, extractor, TransferConfig(size=size)).image)
    original = to_uint8(load_image(photograph, size))
    return image, measure(image, original, to_uint8(load_image(style, max(original.shape))))


def save(rows, path):
    width = max(row.shape[1] for row in rows)
    pads = [((0, 0), (0, width - row.shape[1]), (0, 0)) for row in rows]
    rows = [np.pad(row, pad, constant_values=255) for row, pad in zip(rows, pads, strict=True)]
    Image.fromarray(np.concatenate(rows)).save(path)


if __name__ == "__main__":
    main()
