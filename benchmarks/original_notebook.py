"""The recipe of the notebook that this course grew from: how low, and where it jumps.

    python benchmarks/original_notebook.py     # about eight minutes on two cores

Its weights are for features as large as VGG19's. Those of random weights are (they keep the size
of what they are given), and `pocket`'s are not: a row for it shows what then happens. Pairs of
pictures, 128 pixels wide, are painted by `recipe("original_notebook")`, 250 steps, once with
Keras 2's Nadam and once with Keras 3's. Printed are the totals at steps 10 to 70, as that notebook
printed them, the lowest of the 250, and how often and how far the total rose from one step to the
next. Where it rises by a tenth or more, the same step is tried at 1/10 and 1/1000 of its length:
was it downhill at all, and too long?
"""

import dataclasses
from pathlib import Path

import numpy as np

from nst_tutorial import StyleTransfer, load_extractor, load_image, recipe

IMAGES = Path(__file__).parent.parent / "images"
PAIRS = (
    ("chelsea.png", "swirls.jpg"),
    ("astronaut.png", "woodblock_wave.jpg"),
    ("coffee.png", "stained_glass.jpg"),
)
RUNS = [("random", pair, keras_version) for pair in PAIRS for keras_version in (2, 3)]
RUNS += [("pocket", PAIRS[0], 2), ("random-vgg19", PAIRS[0], 2)]
SIZE, RISE = 128, 1.1
PRINTED = range(9, 70, 10)  # steps 10, 20 … 70
HEAD = """| extractor, pair | Nadam of | totals at steps 10, 20 … 70 | lowest | of step 10's | \
rises | of a tenth | largest |
|---|---|---|---|---|---|---|---|"""


def main():
    print(f"{SIZE} px, 250 steps\n\n{HEAD}")
    trials = []
    for name, (photo, style), keras_version in RUNS:
        extractor = load_extractor(name, precision="float32", border="zero")
        pictures = load_image(IMAGES / photo, SIZE), load_image(IMAGES / style, SIZE)
        optimizer = {2: "nadam_keras2", 3: "nadam"}[keras_version]
        config = dataclasses.replace(recipe("original_notebook"), optimizer=optimizer)
        totals, images, transfer = descend(*pictures, extractor, config)
        report(f"{name}: {photo}, {style}", keras_version, totals)
        if name == "random" and keras_version == 2:
            trials += [try_shorter(transfer, totals, images, k) for k in jumps(totals)]
    shorter = np.array(trials)
    lower = [f"{np.sum(column < 1)} of {len(column)}" for column in shorter.T]
    print(f"\nRises of a tenth or more, random, Keras 2's: {len(shorter)}.", end=" ")
    print(f"A tenth of that step lowers the total in {lower[0]}, a thousandth in {lower[1]}.")


def descend(photo, style, extractor, config):
    """Run a recipe; keep each step's total and the picture that it is of."""
    transfer = StyleTransfer(photo, [style], extractor, config, photo)
    totals, images = [], [photo]

    def note(terms):
        totals.append(terms["total"])
        images.append(transfer.image)

    transfer.run(config.steps, note)
    return np.array(totals), images, transfer


def jumps(totals):
    """Steps k whose move, from picture k to k + 1, raised the total by a tenth."""
    return np.flatnonzero(totals[1:] > RISE * totals[:-1])


def try_shorter(transfer, totals, images, k):
    """The total after a part of a move, over that before it."""
    move = images[k + 1] - images[k]
    return [total_at(transfer, images[k] + part * move) / totals[k] for part in (0.1, 0.001)]


def total_at(transfer, image):
    transfer.restart(image)
    return transfer.step()["total"]  # from before the move


def report(pair, keras_version, totals):
    rises, lowest = totals[1:] / totals[:-1], totals.min()
    cells = (
        pair,
        f"Keras {keras_version}",
        ", ".join(f"{totals[k]:.3g}" for k in PRINTED),
        f"{lowest:.3g}",
        f"{lowest / totals[9]:.3f}",
        f"{np.sum(rises > 1)}",
        f"{np.sum(rises > RISE)}",
        f"× {rises.max():.2f} at step {rises.argmax() + 2}",
    )
    print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
