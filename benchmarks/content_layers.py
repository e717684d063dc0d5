"""Which content layer? The experiment of lesson 03 at a larger size, on more pictures.

    python benchmarks/content_layers.py     # about ten minutes on two cores

Each photograph is painted in each style from the photograph itself, at the default weights, with
each content layer; only the layer changes. Prints, as mean ± standard error over the pairs: the
correlation of the result's edges with the photograph's, and the mean style term still missed.
"""

import itertools
from pathlib import Path

import numpy as np
from scipy.ndimage import sobel

from nst_tutorial import TransferConfig, load_extractor, load_image, stylize

IMAGES = Path(__file__).parent.parent / "images"
PHOTOGRAPHS = ("chelsea.png", "astronaut.png", "coffee.png", "rocket.jpg")
STYLES = ("swirls.jpg", "stained_glass.jpg")
CHOICES = {
    "block3_conv2": ["block3_conv2"],
    "block4_conv2": ["block4_conv2"],
    "block5_conv2": ["block5_conv2"],
    "block5_conv4": ["block5_conv4"],
    "blocks 3+4+5": ["block3_conv2", "block4_conv2", "block5_conv2"],
}


def edges(image):
    gray = image[0].mean(axis=-1)
    return np.hypot(sobel(gray, 0), sobel(gray, 1)).ravel()


def paint(photograph, style, layers, extractor):
    photograph = load_image(IMAGES / photograph, 192)
    config = TransferConfig(content_layers=layers, size=192, scales=1, steps=40)
    result = stylize(photograph, IMAGES / style, extractor, config)
    kept = np.corrcoef(edges(result.image), edges(photograph))[0, 1]
    return kept, np.mean(list(result.history[-1]["style"].values()))


def main():
    extractor = load_extractor(precision="float32")
    print(f"{extractor.name}, 192 px, 40 iterations, {len(PHOTOGRAPHS)} × {len(STYLES)} pairs\n")
    print("| content layers | edges kept | style missed |\n|---|---|---|")
    for name, layers in CHOICES.items():
        pairs = itertools.product(PHOTOGRAPHS, STYLES)
        scores = np.array([paint(*pair, layers, extractor) for pair in pairs])
        (kept, missed), error = scores.mean(axis=0), scores.std(axis=0, ddof=1) / len(scores) ** 0.5
        print(
            f"| {name} | {kept:.2f} ± {error[0]:.2f} | {missed:.4f} ± {error[1]:.4f} |", flush=True
        )


if __name__ == "__main__":
    main()
