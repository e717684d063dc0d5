"""Our L-BFGS against SciPy's L-BFGS-B: how far down, with how many evaluations, how fast?

    python benchmarks/lbfgs.py                       # six pairs: about ten minutes on two cores
    python benchmarks/lbfgs.py --pairs 2 --init noise --sheet sheet.png

Photographs are painted in drawn styles at the default settings, once by each. *Total* is the
float32 objective of the last step, *evaluations* how often the objective and its gradient were
computed, *seconds* the time in `stylize` after all graphs were compiled; each is ours divided by
SciPy's. The sheet has SciPy's picture on the left, ours in the middle, and what differs, on gray.
"""

import argparse
import time
from pathlib import Path
from unittest import mock

import numpy as np
import scipy.optimize
from pictures import save

from nst_tutorial import (
    StyleTransfer,
    TransferConfig,
    load_extractor,
    load_image,
    stylize,
    to_uint8,
)
from nst_tutorial.objective import Objective

IMAGES = Path(__file__).parent.parent / "images"
PAIRS = (  # photograph, style, longest side in pixels
    ("chelsea.png", "swirls.jpg", 128),
    ("astronaut.png", "watercolour.jpg", 160),
    ("coffee.png", "woodblock_wave.jpg", 192),
    ("rocket.jpg", "engraving.jpg", 192),
    ("chelsea.png", "stained_glass.jpg", 224),
    ("astronaut.png", "impasto.jpg", 224),
)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=len(PAIRS), help="how many of them")
    parser.add_argument("--init", default="content", help="where the picture starts")
    parser.add_argument("--steps", type=int, default=TransferConfig.steps)
    parser.add_argument("--extractor", default="pocket")
    parser.add_argument("--sheet", type=Path, help="where to save the pictures, a row a pair")
    options = parser.parse_args()
    extractor = load_extractor(options.extractor, precision="float32")
    settings = {"init": options.init, "steps": options.steps}
    ratios, rows = [], []
    for photograph, style, size in PAIRS[: options.pairs]:
        config = TransferConfig(size=size, **settings)
        pictures = load_image(IMAGES / photograph, size), load_image(IMAGES / style, size)
        stylize(*pictures, extractor, TransferConfig(size=size, steps=2))  # compiles
        theirs = paint(pictures, extractor, config, run_by_scipy)
        ours = paint(pictures, extractor, config, StyleTransfer.run)
        ratios.append(np.divide(ours[1:], theirs[1:]))
        total, evaluations, seconds = ratios[-1]
        print(
            f"{photograph} {style} {size} px: total {total:.3f}, evaluations {evaluations:.2f} "
            f"({ours[2]} of {theirs[2]}), seconds {seconds:.2f} ({ours[3]:.1f})",
            flush=True,
        )
        rows.append(row(theirs[0], ours[0]))
    for name, numbers in zip(
        ("total", "evaluations", "seconds"), np.transpose(ratios), strict=True
    ):
        print(f"{name}: median {np.median(numbers):.3f}, worst {max(numbers):.3f}")
    if options.sheet:
        save(rows, options.sheet)


def paint(pictures, extractor, config, run):
    """Return the picture, its total, the number of evaluations and the seconds."""
    count, differentiate = [0], Objective.differentiate

    def counted(*given):
        count[0] += 1
        return differentiate(*given)

    with (
        mock.patch.object(StyleTransfer, "run", run),
        mock.patch.object(Objective, "differentiate", counted),
    ):
        began = time.perf_counter()
        result = stylize(*pictures, extractor, config)
    seconds = time.perf_counter() - began
    return to_uint8(result.image), result.history[-1]["total"], count[0], seconds


def run_by_scipy(transfer, steps, callback, learning_rate=None, done=0):
    """Let SciPy's L-BFGS-B take the steps, within the picture's range."""
    start, latest = np.array(transfer._descent.picture), {}

    def evaluate(pixels):
        terms, gradient = transfer._evaluate(pixels.reshape(start.shape).astype("float32"))
        latest.update(terms)
        return terms["total"], np.array(gradient, "float64").ravel()

    def note(intermediate_result):
        transfer._descent.picture = intermediate_result.x.reshape(start.shape).astype("float32")
        callback(dict(latest, total=float(intermediate_result.fun)))

    scipy.optimize.minimize(
        evaluate, start.ravel(), jac=True, method="L-BFGS-B", callback=note,
        bounds=scipy.optimize.Bounds(0, 255),
        options={"maxiter": steps - done, "maxfun": 20 * steps, "ftol": 0, "gtol": 0},
    )  # fmt: skip


def row(theirs, ours):
    difference = np.clip(128 + (ours.astype(int) - theirs), 0, 255).astype("uint8")
    return np.concatenate([theirs, ours, difference], axis=1)


if __name__ == "__main__":
    main()
