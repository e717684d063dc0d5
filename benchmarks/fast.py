"""How close does the fast way come to the slow one, and how fast is it?

    python benchmarks/fast.py FOLDER [NET.keras] [--photographs N] [--sheet SHEET.png]

FOLDER is the one that the network was trained on; every tenth photograph was kept out and is looked
at here. For each style: the objective of what the network paints, over that of 200 steps of Adam on
the pixels with the same weights, extractor and size. Then processor seconds and pictures a second
at 512×384. Seconds are those of all cores together (`os.times`), whatever else the machine does.
"""

import argparse
import os
import runpy
import time
from pathlib import Path

import numpy as np

from nst_tutorial import StyleTransfer, load_extractor, load_image
from nst_tutorial.fast import apply, load_network
from nst_tutorial.fast.network import cast
from nst_tutorial.objective import Objective
from nst_tutorial.plots import save, show_sheet
from nst_tutorial.runtime.backend import ops

HERE = Path(__file__).parent
TRAINING = runpy.run_path(str(HERE.parent / "training" / "train_fast.py"))
STYLES, RECIPE = TRAINING["STYLES"], TRAINING["RECIPE"]
processor_seconds = TRAINING["processor_seconds"]
SIZE = 128  # pixels, of the photographs
SLOW_STEPS = 200
REPEATS = 8


def compare(photographs, network, extractor):
    """Yield, for each photograph and style: its name, objectives, pictures, seconds."""
    for path in photographs:
        image = load_image(path, SIZE)
        for number, style in enumerate(STYLES):
            config = RECIPE.transfer(
                number, optimizer="adam", scales=1, margin=0.0, steps=SLOW_STEPS, size=SIZE
            )
            picture = load_image(TRAINING["IMAGES"] / f"{style}.jpg", config.style_size)
            objective = Objective(image, [picture], extractor, config, image.shape)
            began = processor_seconds()
            slow = paint_slowly(image, picture, extractor, config)
            middle = processor_seconds()
            fast = apply(network, image, style)
            pictures = {"photograph": image, "slow": slow, "fast": fast}
            seconds = middle - began, processor_seconds() - middle
            totals = {name: total(objective, config, one) for name, one in pictures.items()}
            yield style, totals, pictures, seconds


def paint_slowly(image, style, extractor, config):
    transfer = StyleTransfer(image, [style], extractor, config, image)
    transfer.run(config.steps)
    return transfer.image


def total(objective, config, image):
    value, _ = objective(ops.convert_to_tensor(image, "float32"), objective.weights(config))
    return float(value)


def print_ratios(rows):
    print("| style | photograph | slow | fast | fast / slow: median | worst |")
    print("|---|---|---|---|---|---|")
    for style in STYLES:
        totals = [totals for name, totals, _, _ in rows if name == style]
        ratios = [one["fast"] / one["slow"] for one in totals]
        means = [np.mean([one[way] for one in totals]) for way in ("photograph", "slow", "fast")]
        means = " | ".join(f"{mean:.1f}" for mean in means)
        print(f"| {style} | {means} | {np.median(ratios):.2f} | {max(ratios):.2f} |", flush=True)


def print_speed(network, shape=(384, 512)):
    print("\n| precision | batch | processor seconds a picture | seconds a picture |")
    print("|---|---|---|---|")
    for precision in ("float32", "bfloat16"):
        one = cast(network, precision)
        for batch in (1, 2, 4, 8):
            images = np.random.default_rng(0).uniform(0, 255, (batch, *shape, 3))
            busy, seconds = timed(lambda one=one, images=images: apply(one, images, STYLES[0]))
            print(
                f"| {precision} | {batch} | {busy / batch:.3f} | {seconds / batch:.3f} |",
                flush=True,
            )


def timed(paint):
    """Mean processor seconds, and least seconds by the clock, of a call."""
    paint()
    busy, seconds = [], []
    for _ in range(REPEATS):
        before, began = processor_seconds(), time.perf_counter()
        paint()
        busy.append(processor_seconds() - before)
        seconds.append(time.perf_counter() - began)
    return np.mean(busy), min(seconds)


def save_sheet(rows, path):
    """Photographs across; below each, every style the slow way and the fast."""
    of_styles = [rows[number :: len(STYLES)] for number in range(len(STYLES))]
    cells = [pictures["photograph"] for _, _, pictures, _ in of_styles[0]]
    for group in of_styles:
        cells += [pictures[way] for way in ("slow", "fast") for _, _, pictures, _ in group]
    names = ["photograph", *(f"{style}\n{way}" for style in STYLES for way in ("slow", "fast"))]
    count = len(of_styles[0])
    save(show_sheet(cells, [""] * count, count, names, width=2.0 * count), path, dpi=80)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("network", nargs="?", default="shipped")
    parser.add_argument("--photographs", type=int, default=12)
    parser.add_argument("--sheet", type=Path)
    options = parser.parse_args()
    network = load_network(options.network)
    extractor = load_extractor("pocket", RECIPE.content_layers + RECIPE.style_layers)
    kept = TRAINING["kept_out"](options.folder)
    chosen = kept[:: max(1, len(kept) // options.photographs)][: options.photographs]
    print(f"{len(chosen)} photographs, {SIZE} px, pocket, {extractor.precision}, "
          f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")  # fmt: skip
    rows = list(compare(chosen, network, extractor))
    print_ratios(rows)
    slow, fast = np.median([seconds for *_, seconds in rows], axis=0)
    print(f"\nProcessor seconds a picture: {slow:.1f} slow, {fast:.3f} fast.")
    print_speed(network)
    if options.sheet:
        save_sheet(rows, options.sheet)


if __name__ == "__main__":
    main()
