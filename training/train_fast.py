"""Train the shipped network of eight styles on a folder of photographs.

    python training/train_fast.py FOLDER [-o NET.keras]

Small crops first, then a short polish on large ones. Every tenth photograph is kept out, for
`benchmarks/fast.py`. Killed, the same command goes on. The recipe and what came of it stand in
FAST_MODEL_CARD.md.
"""

import argparse
import os
from pathlib import Path

from nst_tutorial.fast import TrainConfig, load_network, pictures_in, save_network, train
from nst_tutorial.fast.archive import SHIPPED

IMAGES = Path(__file__).parent.parent / "images"
STYLES = (
    "swirls", "impasto", "woodblock_wave", "stained_glass",
    "watercolour", "pointillism", "engraving", "abstraction",
)  # fmt: skip
RECIPE = TrainConfig(steps=17_280, blocks=6, coarse=0.72, save_every=60)
POLISH = TrainConfig(  # what the crops of 128 px could not show: long strokes and large even areas
    steps=600, blocks=6, size=256, coarse=0, ramp=0, learning_rate=1e-3, seed=1, save_every=60
)
PRINTS = 50  # steps between two lines


def learnt_from(folder):
    """All photographs but every tenth."""
    return [path for number, path in enumerate(pictures_in(folder)) if number % 10]


def kept_out(folder):
    """Every tenth photograph, from the first."""
    return pictures_in(folder)[::10]


def processor_seconds():
    times = os.times()
    return times.user + times.system


class Printed:
    """Prints the mean of the terms since the last line, and the seconds all cores were busy."""

    def __init__(self):
        self.steps = []

    def __call__(self, step):
        self.steps.append(step)
        if len(self.steps) == PRINTS:
            means = (sum(getattr(one, name) for one in self.steps) / PRINTS
                     for name in ("content", "style", "tv", "total"))  # fmt: skip
            words = " ".join(f"{mean:8.4f}" for mean in means)
            print(f"{step.step:5d} {words}  {processor_seconds():6.0f} s", flush=True)
            self.steps = []


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=SHIPPED)
    parser.add_argument("--polish", metavar="NET", help="only polish this network")
    options = parser.parse_args()
    styles = {name: IMAGES / f"{name}.jpg" for name in STYLES}
    photographs, checkpoints, broken = learnt_from(options.folder), [], {}
    network = load_network(options.polish, "float32") if options.polish else None
    for config in [POLISH] if options.polish else [RECIPE, POLISH]:
        checkpoints.append(Path(f"{options.output}.{config.size}.checkpoint"))
        print(" step  content    style       tv    total  processor")
        network, broken = train(
            styles, photographs, "pocket", config, Printed(), checkpoints[-1], network
        )
    save_network(network, options.output)
    for checkpoint in checkpoints:
        checkpoint.unlink(missing_ok=True)
    print("\n".join(broken.values()))


if __name__ == "__main__":
    main()
