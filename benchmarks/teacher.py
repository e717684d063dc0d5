"""How closely does the embedded extractor paint as VGG19 does? Errors, gradients and pictures.

    python benchmarks/teacher.py vgg19 --photographs FOLDER --styles FOLDER [--sheet sheet.png]

Give photographs and paintings that took no part in making the extractor. A teacher may be a file
with VGG19's first blocks: then the layers that it has are compared.

error:    share of the mean square of a teacher's layer that the best linear map of the student's
          layer leaves unexplained; the map is found on one half of the pictures, and tried on the
          other. For the photographs, and for pictures half-way through a transfer.
gradient: cosine between the gradients of the default style loss with respect to the pixels, at the
          photograph and half-way.
blind:    with `--blind FOLDER`, pairs of pictures in a random order, and the key.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from nst_tutorial import TransferConfig, load_extractor, load_image, stylize, to_uint8
from nst_tutorial.fast import pictures_in
from nst_tutorial.objective import Objective
from nst_tutorial.runtime.weights import layers_in


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("teacher", help="vgg19, or a file with its first layers")
    parser.add_argument("--student", default="pocket")
    parser.add_argument("--photographs", type=Path, required=True)
    parser.add_argument("--styles", type=Path, required=True)
    parser.add_argument("--pairs", type=int, default=6)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--sheet", type=Path, help="where to save the pictures, a row a pair")
    parser.add_argument("--blind", type=Path, help="a folder for pairs in a random order")
    options = parser.parse_args()
    layers = layers_in(options.teacher)
    teacher = load_extractor(options.teacher, layers, pooling="max", precision="float32")
    student = load_extractor(options.student, layers, precision="float32")
    config = TransferConfig(size=options.size)
    pairs = choose(options.photographs, options.styles, options.pairs, options.size)
    half = replace(config, steps=config.steps // 2)
    halfway = [stylize(*pair, teacher, half).image for pair in pairs]
    print("layer          photographs  half-way")
    for layer in layers:
        starts = [photograph for photograph, _ in pairs]
        errors = [error(layer, teacher, student, images) for images in (starts, halfway)]
        print(f"{layer}   {errors[0]:11.3f}  {errors[1]:8.3f}", flush=True)
    for name, images in (("photograph", starts), ("half-way", halfway)):
        cosines = [
            cosine(*(style_gradient(one, image, style, config) for one in (teacher, student)))
            for image, (_, style) in zip(images, pairs, strict=True)
        ]
        numbers = " ".join(f"{number:.2f}" for number in cosines)
        print(f"gradient at the {name}: {np.mean(cosines):.3f} ({numbers})", flush=True)
    if options.sheet or options.blind:
        rows = [[paint(pair, one, config) for one in (teacher, student)] for pair in pairs]
        save(rows, options.sheet, options.blind)


def choose(photographs, styles, count, size):
    """Take pictures from all over both folders: `[(photograph, style)]`."""
    both = [pictures_in(photographs), pictures_in(styles)]
    spread = [[files[i * len(files) // count] for i in range(count)] for files in both]
    return [tuple(load_image(file, size) for file in pair) for pair in zip(*spread, strict=True)]


def error(layer, teacher, student, images):
    """Find the map on every other picture, and try it on the rest."""
    found, tried = (
        [rows(one, layer, images[first::2]) for one in (student, teacher)] for first in (0, 1)
    )
    solution = np.linalg.lstsq(found[0], found[1], rcond=None)[0]
    return float(np.sum((tried[0] @ solution - tried[1]) ** 2) / np.sum(tried[1] ** 2))


def rows(extractor, layer, images):
    """Write the features at each position, and a 1, as a row."""
    features = [np.array(extractor.select(layer)(image)[layer])[0] for image in images]
    flat = np.concatenate([maps.reshape(-1, maps.shape[-1]) for maps in features])
    return np.concatenate([flat, np.ones((len(flat), 1), "float32")], axis=1)


def style_gradient(extractor, image, style, config):
    alone = replace(config, content_weight=0.0, tv_weight=0.0)
    objective = Objective(None, [style], extractor, alone, image.shape)
    return np.array(objective.differentiate(image, objective.weights(alone))[1])


def cosine(one, other):
    return float(np.sum(one * other) / np.sqrt(np.sum(one**2) * np.sum(other**2)))


def paint(pair, extractor, config):
    return to_uint8(stylize(*pair, extractor, config).image[0])


def save(pairs, sheet, blind):
    if sheet:
        joined = [np.concatenate(pair, axis=1) for pair in pairs]
        width = max(row.shape[1] for row in joined)
        padded = [np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0))) for row in joined]
        Image.fromarray(np.concatenate(padded)).save(sheet)
    if blind:
        blind.mkdir(parents=True, exist_ok=True)
        turned = np.random.default_rng().integers(2, size=len(pairs))
        for number, (pair, turn) in enumerate(zip(pairs, turned, strict=True)):
            Image.fromarray(np.concatenate(pair[:: -1 if turn else 1], axis=1)).save(
                blind / f"{number}.png"
            )
        (blind / "key.txt").write_text("".join("LR"[turn] for turn in turned))  # the teacher's side


if __name__ == "__main__":
    main()
