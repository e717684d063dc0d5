"""Starts and optimizers: the experiments of lesson 07 on more pictures, with more steps.

    python benchmarks/starts_and_optimizers.py     # about eight minutes on two cores

Each photograph is painted in each style at the default weights. First table: L-BFGS from the
photograph, the style picture and two seeds of noise. Second: optimizers from the photograph, in the
seconds of computing that L-BFGS took. Third: whenever constant Nadam(10) raises the total, the same
step is tried at 1/10 and 1/1000 of its length. At 192 px, coarse to fine against one size at the
same number of iterations. Totals are divided by that of L-BFGS from the
photograph after its last step; mean ± standard error over the pairs.
"""

import itertools
import time
from pathlib import Path

import numpy as np
from scipy.ndimage import sobel

from nst_tutorial import StyleTransfer, TransferConfig, load_extractor, load_image, stylize
from nst_tutorial.scales import resize

IMAGES = Path(__file__).parent.parent / "images"
PHOTOGRAPHS = ("chelsea.png", "astronaut.png", "coffee.png", "rocket.jpg")
STYLES = ("swirls.jpg", "woodblock_wave.jpg")
SIZE, EARLY, STEPS, SMALL_STEPS = 96, 40, 120, 240
SHARES = (0.25, 0.5, 1.0)  # of L-BFGS's seconds


def main():
    extractor = load_extractor(precision="float32")
    print(f"{extractor.name}, {SIZE} px, {len(PHOTOGRAPHS)} × {len(STYLES)} pairs\n")
    starts, races, jumps = {}, {}, []
    for photo, style in itertools.product(PHOTOGRAPHS, STYLES):
        pair = load_image(IMAGES / photo, SIZE), load_image(IMAGES / style, SIZE)
        transfer = StyleTransfer(pair[0], [pair[1]], extractor, TransferConfig(), pair[0])
        transfer.run(2)  # traced before the clock runs
        runs = {name: descend(transfer, start) for name, start in starts_of(*pair).items()}
        last = runs["photograph"]["totals"][-1]
        for name, run in runs.items():
            early, late = (run["totals"][step - 1] / last for step in (EARLY, STEPS))
            kept = np.corrcoef(edges(run["image"]), edges(pair[0]))[0, 1]
            starts.setdefault(name, []).append((early, late, kept))
        race = {"L-BFGS": runs["photograph"], **walks(transfer, pair[0], jumps)}
        for name, run in race.items():
            races.setdefault(name, []).append(reached(run, race["L-BFGS"]) / last)
    table(f"| start | total after {EARLY} | total after {STEPS} | edges kept |", starts)
    shares = " | ".join(f"in {share} of the time" for share in SHARES)
    table(f"| optimizer | {shares} |", races)
    report(np.array(jumps))
    coarse_to_fine(extractor)


def starts_of(photo, style):
    def noise(seed):
        return np.random.default_rng(seed).normal(127.5, 64, photo.shape).clip(0, 255)

    named = {"photograph": photo, "style": np.clip(resize(style, photo.shape), 0, 255)}
    return named | {f"noise, seed {seed}": noise(seed) for seed in range(2)}


def edges(image):
    gray = image[0].mean(axis=-1)
    return np.hypot(sobel(gray, 0), sobel(gray, 1)).ravel()


def descend(transfer, start):
    transfer.config = TransferConfig()
    transfer.restart(start)
    run = {"totals": [], "seconds": []}
    transfer.run(STEPS, recorder(run))
    return run | {"image": transfer.image}


def recorder(run):
    began = time.process_time()

    def record(terms):
        run["totals"].append(terms["total"])
        run["seconds"].append(time.process_time() - began)

    return record


def walks(transfer, photo, jumps):
    """Adam and Nadam with a falling rate, and Nadam(10) with a constant one."""
    runs = {}
    for optimizer, rate in (("adam", 8), ("nadam", 10)):
        transfer.config = TransferConfig(optimizer=optimizer, learning_rate=rate)
        transfer.restart(photo)
        name = f"{optimizer.title()}({rate}), falling"
        runs[name] = {"totals": [], "seconds": []}
        transfer.run(SMALL_STEPS, recorder(runs[name]))
    transfer.config = TransferConfig(optimizer="nadam", learning_rate=10)
    transfer.restart(photo)
    runs["Nadam(10), constant"] = run = {"totals": [], "seconds": []}
    images, record = [], recorder(run)
    for _ in range(SMALL_STEPS):
        images.append(transfer.image)
        record(transfer.step())
    jumps += [look_at(transfer, *found) for found in rises(images, run["totals"])]
    return runs


def rises(images, totals):
    """The three largest: pictures before and after, totals before and after."""
    ratios = np.divide(totals[1:], totals[:-1])
    for step in ratios.argsort()[-3:]:
        if ratios[step] > 1:
            yield images[step], images[step + 1], totals[step], totals[step + 1]


def look_at(transfer, image, after, total, total_after):
    """Total after ÷ before; RMS length in gray levels; the same for a tenth, and a thousandth."""
    step = after - image
    parts = []
    for share in (0.1, 0.001):
        transfer.restart(image + share * step)
        parts.append(transfer.step()["total"] / total)
    return total_after / total, np.sqrt(np.mean(step**2)), *parts


def reached(run, reference):
    """The last total within each share of the reference's seconds."""
    budget = np.multiply(SHARES, reference["seconds"][-1])
    index = np.searchsorted(run["seconds"], budget, side="right") - 1
    return np.array(run["totals"])[np.maximum(index, 0)]


def table(head, rows):
    print(head + "\n" + "|---" * (head.count("|") - 1) + "|")
    for name, numbers in rows.items():
        mean = np.mean(numbers, axis=0)
        error = np.std(numbers, axis=0, ddof=1) / len(numbers) ** 0.5
        cells = (f"{m:.2f} ± {e:.2f}" for m, e in zip(mean, error, strict=True))
        print(f"| {name} | {' | '.join(cells)} |")
    print(flush=True)


def report(jumps):
    """Say how large the rises were, and whether they began downhill."""
    rise, length, tenth, thousandth = jumps.T
    print(f"{len(jumps)} rises of Nadam(10), three of each run: the total × {rise.mean():.2f}")
    print(f"(largest × {rise.max():.2f}), steps of {length.mean():.1f} gray levels (RMS).")
    print(f"A tenth of the step lowers the total in {(tenth < 1).sum()} of them,")
    print(f"a thousandth (downhill at all?) in {(thousandth < 1).sum()}.")


def coarse_to_fine(extractor):
    rows = {}
    for photo, style in itertools.product(PHOTOGRAPHS, STYLES):
        photo, last = load_image(IMAGES / photo, 192), None
        for scales in (1, 2):
            config = TransferConfig(size=192, scales=scales, steps=EARLY)
            began = time.process_time()
            result = stylize(photo, IMAGES / style, extractor, config)
            seconds = time.process_time() - began
            last = last or (result.history[-1]["total"], seconds)
            kept = np.corrcoef(edges(result.image), edges(photo))[0, 1]
            numbers = result.history[-1]["total"] / last[0], kept, seconds / last[1]
            rows.setdefault(f"{scales}", []).append(numbers)
    print()
    table(f"| scales, {EARLY} iterations | total | edges kept | computing |", rows)


if __name__ == "__main__":
    main()
