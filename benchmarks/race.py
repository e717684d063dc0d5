"""How soon is a picture as good as the TensorFlow tutorial's, by the tutorial's own objective?

    python benchmarks/race.py [--extractor vgg19] [--size 448] [--steps 1000]

The tutorial runs for its steps as it is published; then this package minimizes the same objective
in several ways, and the clock stops at the first step at the full size that is no worse than the
tutorial's best. Seconds are from the shell: both start with the import of TensorFlow.
"""

import argparse
import dataclasses
import time
from pathlib import Path

from recipes import tensorflow_tutorial
from speed import keras_vgg19, machine, shell, table

from nst_tutorial import load_extractor, load_image, stylize
from nst_tutorial.conventions.convert import recipe

IMAGES = Path(__file__).parent.parent / "images"
OURS = {
    "L-BFGS, 160 steps, 3 sizes": {"steps": 160, "scales": 3, "init": "recolored"},
    "L-BFGS, 120 steps, one size": {"steps": 120, "scales": 1},
    "Nadam(8), 240 steps, 3 sizes": {
        "optimizer": "nadam", "learning_rate": 8.0, "decay": None, "beta_1": 0.9, "epsilon": 1e-7,
        "steps": 240, "scales": 3,
    },
}  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--extractor", default="random-vgg19", help="or vgg19, or a file")
    parser.add_argument("--photograph", default=IMAGES / "coffee.png")
    parser.add_argument("--style", default=IMAGES / "swirls.jpg")
    parser.add_argument("--size", type=int, default=448)
    parser.add_argument("--steps", type=int, default=1000, help="of the tutorial")
    options = parser.parse_args()
    print(f"{machine()}\n\n{options.extractor}, {options.size} px\n", flush=True)
    extractor = load_extractor(options.extractor, pooling="max", border="zero", precision="float32")
    pictures = [load_image(path, options.size) for path in (options.photograph, options.style)]
    started = shell("-c", "import tensorflow, keras")
    losses, seconds = theirs(extractor, *pictures, options.steps)
    best = min(losses)
    rows = [["", "objective", "the whole wait", "theirs / this"]]
    whole = started + seconds
    rows.append([f"the tutorial, {options.steps} steps", f"{best:.4g}", f"{whole:.0f} s", "1"])
    for name, settings in OURS.items():
        last, reached, all_of_it = ours(extractor, *pictures, settings, best, options.size)
        if reached is None:
            rows.append([name, f"{last:.4g}", f"not in {started + all_of_it:.0f} s", "-"])
        else:
            taken = started + reached
            rows.append([name, f"{last:.4g}", f"{taken:.0f} s", f"{whole / taken:.1f}"])
        print(rows[-1], flush=True)
    print(f"\n{table(rows)}")


def theirs(extractor, content, style, steps):
    """The tutorial's losses, step by step, and the seconds that all took."""
    began, losses = time.perf_counter(), []
    step = tensorflow_tutorial(keras_vgg19(extractor), content, style)
    for number in range(steps):
        losses.append(step())
        if number % 100 == 99:
            print(
                f"  {number + 1}: {losses[-1]:.4g}, {time.perf_counter() - began:.0f} s", flush=True
            )
    return losses, time.perf_counter() - began


def ours(extractor, content, style, settings, goal, size):
    """The last total of a run, the seconds until `goal` was reached, or None, and those of all."""
    given = {"optimizer": "lbfgs", "size": size, "margin": 0, **settings}
    config = dataclasses.replace(recipe("tensorflow_tutorial"), **given)
    began, reached = time.perf_counter(), []

    def look(step):
        if step.size == size and step.total <= goal:
            reached.append(time.perf_counter() - began)

    result = stylize(content, style, extractor, config, look)
    whole = time.perf_counter() - began
    return result.history[-1]["total"], reached[0] if reached else None, whole


if __name__ == "__main__":
    main()
