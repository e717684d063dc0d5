"""Coarse to fine: how many sizes, which share of the steps each, which optimizer?

    python benchmarks/schedules.py                # both extractors' shapes: half an hour
    python benchmarks/schedules.py pocket         # one of them

Photographs are painted in styles at the default weights by `stylize`, along each schedule. *Total*
is the float32 objective of the finished picture, and *computing* the seconds of all cores together
(`time.process_time`); both are divided by those of L-BFGS at the full size alone and averaged over
the pairs, with the standard error. *Edges kept* is the correlation of the result's edges with the
photograph's. Weights in VGG19's shape are random: they cost what trained ones do.
"""

import sys
import time
from unittest import mock

import numpy as np
from starts_and_optimizers import IMAGES, edges, table

from nst_tutorial import TransferConfig, load_extractor, load_image, stylize
from nst_tutorial.objective import Objective
from nst_tutorial.runtime.backend import ops
from nst_tutorial.runtime.precision import fastest_precision
from nst_tutorial.scales import Stage, coarse_to_fine

PAIRS = (
    ("coffee.png", "swirls.jpg"),
    ("chelsea.png", "woodblock_wave.jpg"),
    ("astronaut.png", "watercolour.jpg"),
)
SIZES = {"pocket": 256, "random-vgg19": 160}
LBFGS = {"optimizer": "lbfgs", "steps": 60}
NADAM = {"optimizer": "nadam", "learning_rate": 10.0, "steps": 240}  # as long as 60 of L-BFGS
SCHEDULES = {  # settings, and the shares of the steps from the full size down
    "L-BFGS, 1 size": (LBFGS, (1,)),
    "L-BFGS, 2 sizes, 2 : 1": (LBFGS, (1, 2)),
    "L-BFGS, 2 sizes, 1 : 1": (LBFGS, (1, 1)),
    "L-BFGS, 2 sizes, 1 : 2": (LBFGS, (2, 1)),
    "L-BFGS, 3 sizes, 3 : 2 : 1": (LBFGS, (1, 2, 3)),
    "Nadam, 1 size": (NADAM, (1,)),
    "Nadam, 2 sizes, 2 : 1": (NADAM, (1, 2)),
    "Nadam, 2 sizes, 1 : 2": (NADAM, (2, 1)),
    "Nadam, 3 sizes, 3 : 2 : 1": (NADAM, (1, 2, 3)),
    "Nadam, 3 sizes, 1 : 2 : 3": (NADAM, (3, 2, 1)),
}


def main(names):
    for name in names or SIZES:
        layers = (*TransferConfig.style_layers, *TransferConfig.content_layers)
        extractor = load_extractor(name, layers, precision="float32")
        rows = {schedule: [] for schedule in SCHEDULES}
        for pair in PAIRS:
            for schedule, row in compare(extractor, *pair, SIZES[name]):
                rows[schedule].append(row)
        print(f"\n`{name}`, {SIZES[name]} px, {len(PAIRS)} pairs, Nadam: {fastest_precision()}\n")
        table("| schedule, coarse to fine | total | computing | edges kept |", rows)


def compare(extractor, photo, style, size):
    """Yield each schedule's name with its total, computing (of the first's) and edges kept."""
    photo, first = load_image(IMAGES / photo, size), None
    style = load_image(IMAGES / style, size)
    objective = Objective(photo, [style], extractor, TransferConfig(), photo.shape)
    for name, (settings, shares) in SCHEDULES.items():
        config = TransferConfig(size=size, scales=len(shares), **settings)
        lbfgs = settings is LBFGS  # which lives by small differences
        network = extractor if lbfgs else extractor.cast(fastest_precision())
        with mock.patch("nst_tutorial.transfer.coarse_to_fine", shared_out(shares)):
            stylize(photo, style, network, config)  # compiled before the clock runs
            began = time.process_time()
            image = stylize(photo, style, network, config).image
        seconds = time.process_time() - began
        total, _ = objective(ops.convert_to_tensor(image), objective.weights(config))
        first = first or (float(total), seconds)
        kept = np.corrcoef(edges(image), edges(photo))[0, 1]
        yield name, (float(total) / first[0], seconds / first[1], kept)


def shared_out(shares):
    """A `coarse_to_fine` that shares out the steps so: the full size's share first."""

    def plan(shape, scales, steps, learning_rate):
        stages = coarse_to_fine(shape, scales, steps, learning_rate)
        ends = np.round(np.cumsum([0, *shares]) * steps / sum(shares)).astype(int)
        counts = np.diff(ends).tolist()
        return [
            Stage(stage.shape, count, stage.learning_rate)
            for stage, count in zip(stages, counts[: len(stages)][::-1], strict=True)
        ]

    return plan


if __name__ == "__main__":
    main(sys.argv[1:])
