"""How fast this is, and against what: steps, time to quality, memory, posters, cold start.

    make bench                                  # writes benchmarks/RESULTS.md and growth.png
    python benchmarks/speed.py step quality     # some of its parts, printed

All numbers that are compared come from one run on one machine: each is the least of several, taken
in turns. Weights are random, in VGG19's shape: they cost what trained ones do. "Time to quality" is
how long it takes until the float32 objective at the full size is where the notebook's way (one
size, float32, Nadam(10), 250 steps from the content picture) has it at its best.
"""

import dataclasses
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import keras
import matplotlib
import numpy as np
import psutil
import tensorflow as tf
from recipes import keras_io, tensorflow_tutorial

from nst_tutorial import StyleTransfer, TransferConfig, load_extractor, load_image, stylize
from nst_tutorial.objective import Objective
from nst_tutorial.runs.tiles import TiledObjective
from nst_tutorial.runtime.backend import ops
from nst_tutorial.runtime.precision import fastest_precision
from nst_tutorial.runtime.weights import LAYERS
from nst_tutorial.scales import coarse_to_fine

HERE = Path(__file__).parent
IMAGES = HERE.parent / "images"
PHOTO, STYLE = IMAGES / "coffee.png", IMAGES / "swirls.jpg"
PRECISIONS = ("bfloat16", "float32")
STEPS = TransferConfig(optimizer="adam", margin=0, content_layers="block5_conv2")
NOTEBOOKS = {
    "optimizer": "nadam", "learning_rate": 10.0, "decay": 1.0, "steps": 250, "scales": 1,
    "margin": 0.0,
}  # fmt: skip
NADAM = {"optimizer": "nadam", "learning_rate": 10.0, "decay": 1.0, "scales": 3, "margin": 0.0}
OURS = {  # L-BFGS gets float32 by itself
    "the defaults": {},
    "Nadam(10), 60 steps, 3 sizes": {**NADAM, "steps": 60},
    "Nadam(10), 400 steps, 3 sizes": {**NADAM, "steps": 400},
}
ROUNDS = 4


def main(parts):
    matplotlib.use("Agg")
    said = [about()]
    print(said[0], flush=True)
    for part in parts or PARTS:
        said.append(PARTS[part]())
        print(f"\n{said[-1]}", flush=True)
    if not parts:
        (HERE / "RESULTS.md").write_text("\n\n".join(said) + "\n", "utf-8")


def about():
    memory = psutil.virtual_memory().total / 2**30
    return (
        "# How fast\n\nMade by `make bench` (`benchmarks/speed.py`, whose beginning says what is "
        f"compared).\n\n{processor()}, {os.cpu_count()} processors, {memory:.0f} GiB; Python "
        f"{platform.python_version()}, TensorFlow {tf.__version__}, Keras {keras.__version__}; "
        f"load before it began {os.getloadavg()[0]:.1f}."
    )


def steps():
    """One step, against others' ways to take it, and against its own convolutions."""
    content, style = noise(384, 512), noise(384, 512, seed=1)
    weights = keras_vgg19()
    ours = {p: load_extractor("random-vgg19", precision=p) for p in PRECISIONS}
    seconds = in_turns({
        "keras.io's example": keras_io(weights, content, style),
        "TensorFlow's tutorial": tensorflow_tutorial(weights, content, style),
        **{f"this package, {p}": one_step(one, content, style) for p, one in ours.items()},
    })  # fmt: skip
    rows = [["", "seconds a step", "/ ours, bfloat16", "/ ours, float32"]]
    for name, taken in seconds.items():
        rows.append([name, f"{taken:.2f}"])
        rows[-1] += [f"{taken / seconds[f'this package, {p}']:.2f}" for p in PRECISIONS]
    alone = {p: convolutions(one, 384, 512) for p, one in ours.items()}
    lines = [
        f"In {p} the convolutions of a step, forward and towards the input, timed one by one, take "
        f"{alone[p]:.2f} s: the step takes {seconds[f'this package, {p}'] / alone[p]:.2f} of that."
        for p in PRECISIONS
    ]
    return "\n\n".join(["## A step: VGG19's shape, 384×512, Adam", table(rows), *lines])


def growth():
    """A step over sizes, and the embedded extractor's steps a second."""
    rows = [["pixels", *(f"{name}, {p}" for name in GROWING for p in PRECISIONS)]]
    taken = np.zeros((len(SIZES), len(GROWING) * len(PRECISIONS)))
    for column, (name, p) in enumerate((name, p) for name in GROWING for p in PRECISIONS):
        extractor = load_extractor(name, precision=p)
        for row, size in enumerate(SIZES):
            step = one_step(extractor, noise(size, size), noise(size, size, seed=1))
            taken[row, column] = in_turns({"": step}, rounds=2)[""]
    rows += [
        [f"{size}²", *(f"{one * 1000:.0f} ms" for one in line)]
        for size, line in zip(SIZES, taken, strict=True)
    ]
    figure = matplotlib.figure.Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    axes.loglog(SIZES, taken, "o-", label=rows[0][1:])
    axes.set(xlabel="side of a square picture, pixels", ylabel="seconds a step")
    axes.set_xticks(SIZES, SIZES, minor=False)
    axes.minorticks_off()
    axes.legend()
    figure.savefig(HERE / "growth.png", dpi=110)
    return "\n\n".join(["## Growth", table(rows), "![seconds a step over sizes](growth.png)"])


def quality():
    """Seconds until a total is reached, the notebook's way and ours, of both extractors' shapes."""
    rows = [["extractor", "ours", "total", "after", "the notebook's way", "ratio"]]
    for name in ("pocket", "random-vgg19"):
        layers = (*STEPS.style_layers, "block4_conv2")
        extractor = load_extractor(name, layers, precision="float32")
        photo, style = load_image(PHOTO, 448), load_image(STYLE, 448)
        config = TransferConfig(size=448)
        theirs = stylize(photo, style, extractor, dataclasses.replace(config, **NOTEBOOKS)).history
        theirs = [(row["total"], row["seconds"]) for row in theirs]
        best = min(theirs)[0]
        for how, more in OURS.items():
            config = dataclasses.replace(TransferConfig(size=448), **more)
            ours = watched(photo, style, extractor, config)
            for goal in (1.3 * best, best):
                rows.append([name, how, f"{goal:.2f}", *compared(ours, theirs, goal)])
    title = "## Time to quality: 448 px, the defaults' objective, float32"
    said = "The lower total of each pair is the best that the notebook's way had in 250 steps."
    return "\n\n".join([title, table(rows), said])


def compared(ours, theirs, goal):
    """Seconds of both ways to a total, and their ratio."""
    mine, other = (next((s for total, s in way if total <= goal), None) for way in (ours, theirs))
    if mine is None:
        return [f"not in {ours[-1][1]:.1f} s: {min(ours)[0]:.2f}", f"{other:.1f} s", "-"]
    return [f"{mine:.1f} s", f"{other:.1f} s", f"{other / mine:.1f}"]


def watched(photo, style, extractor, config):
    """`[(total of the picture without its margin, seconds)]` at the full size, a row a step.

    The picture is painted in the faster precision, the total is that of the float32 extractor.
    """
    objective = Objective(photo, [style], extractor, config, photo.shape)
    taken, looking, began = [], 0.0, time.perf_counter()

    def look(step):
        nonlocal looking
        now = time.perf_counter()
        if step.size == max(photo.shape):
            image = ops.convert_to_tensor(step.image)
            terms, _ = objective.differentiate(image, objective.weights(config))
            taken.append((float(terms["total"]), now - began - looking))
        looking += time.perf_counter() - now

    stylize(photo, style, extractor.cast(fastest_precision()), config, look)
    return taken


def memory():
    """Peaks of whole processes, each with Python, TensorFlow and all."""
    rows = [["a step of VGG19's shape", "peak", "seconds"]]
    for size, precision, tile in (
        (1024, "bfloat16", 0),
        (1024, "float32", 0),
        (1024, "float32", 256),
    ):
        peak, *seconds = apart(POSTER, size, size * 3 // 4, precision, tile)
        how = f"in tiles of {tile} px" if tile else "whole"
        rows.append(
            [
                f"{size}×{size * 3 // 4}, {precision}, {how}",
                f"{peak:.2f} GiB",
                f"{sum(seconds):.0f}",
            ]
        )
    return "\n\n".join(["## Memory", table(rows)])


def poster():
    """A step of 3840×2160 in VGG19's shape, one of its half, and what a run comes to."""
    peak, *full = apart(POSTER, 3840, 2160, "bfloat16", 512)
    _, *half = apart(POSTER, 1920, 1080, "bfloat16", 512)
    stages = coarse_to_fine((1, 2160, 3840, 3), 2, STEPS.steps, STEPS.learning_rate)
    counts = [stage.steps for stage in stages]
    seconds = sum(
        targets + count * step for (targets, step), count in zip((half, full), counts, strict=True)
    )
    return (
        "## A poster\n\n3840×2160 in VGG19's shape, Adam, tiles of 512 px, bfloat16: peak of the "
        f"whole process {peak:.2f} GiB. A step takes {full[1]:.0f} s ({half[1]:.0f} s at half the "
        f"size), the targets {full[0]:.0f} s ({half[0]:.0f} s): {counts[0]} "
        f"steps at half the size and {counts[1]} at the whole, comes to {seconds / 60:.0f} minutes."
    )


def tiles():
    """The gradient of tiles against that of the whole picture."""
    extractor = load_extractor("random-vgg19", precision="float32")
    image, style = noise(384, 512), noise(256, 256, seed=1)
    gradients = []
    for kind, more in ((Objective, ()), (TiledObjective, (128,))):
        one = kind(noise(384, 512, seed=2), [style], extractor, STEPS, image.shape, *more)
        _, gradient = one.differentiate(ops.convert_to_tensor(image), one.weights(STEPS))
        gradients.append(np.asarray(gradient))
    error = np.linalg.norm(gradients[0] - gradients[1]) / np.linalg.norm(gradients[0])
    return (
        "## Tiles\n\nThe gradient of 384×512 in tiles of 128 px, in VGG19's shape and float32, "
        f"against the whole picture's: relative error {error:.1e}."
    )


def cold():
    """From the command to the saved picture."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "nst_tutorial", "stylize", PHOTO, STYLE, "--size", "448"]
        began = time.perf_counter()
        subprocess.run([*command, "-o", f"{folder}/out.png"], check=True, capture_output=True)
        seconds = time.perf_counter() - began
    return f"## Cold start\n\n`nst-tutorial stylize`, 448 px, embedded extractor: {seconds:.1f} s."


POSTER = """
import functools, sys, time
import numpy as np
import psutil
from nst_tutorial import StyleTransfer, TransferConfig, load_extractor
from nst_tutorial.objective import Objective
from nst_tutorial.runs.tiles import TiledObjective
width, height, precision, tile = *map(int, sys.argv[1:3]), sys.argv[3], int(sys.argv[4])
config = TransferConfig(optimizer="adam", margin=0)
layers = config.content_layers + config.style_layers
extractor = load_extractor("random-vgg19", layers, precision=precision)
picture = np.random.default_rng(0).uniform(0, 255, (1, height, width, 3)).astype("float32")
began = time.perf_counter()
objective = functools.partial(TiledObjective, tile=tile) if tile else Objective
transfer = StyleTransfer(picture, [picture], extractor, config, picture, objective)
targets = time.perf_counter() - began
transfer.step()
lines = open("/proc/self/status").read().splitlines()
peak = next(int(line.split()[1]) / 2**20 for line in lines if line.startswith("VmHWM"))
print(peak, targets, time.perf_counter() - began - targets)
"""


def apart(code, *arguments):
    """Run code in a process of its own; return the numbers it prints."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return map(float, done.stdout.split())


def one_step(extractor, content, style):
    """A function that takes one of this package's steps."""
    transfer = StyleTransfer(content, [style], extractor, STEPS, content)
    return transfer.step


def convolutions(extractor, height, width):
    """Seconds that a step's convolutions take, each alone: forward, and back to its input."""
    model, total = extractor.select(STEPS.content_layers + STEPS.style_layers).model, 0.0
    for layer in (one for one in model.layers if one.name in LAYERS):
        scale = 2 ** (int(layer.name[5]) - 1)
        kernel = tf.cast(layer.kernel.value, layer.compute_dtype)
        shape = (1, height // scale + 2, width // scale + 2, kernel.shape[2])
        x = tf.cast(tf.random.normal(shape), kernel.dtype)
        forward = tf.function(lambda x, k: tf.nn.conv2d(x, k, 1, "VALID"))
        y = forward(x, kernel)
        back = tf.function(  # as `extractors.convolve` has it
            lambda g, k: tf.nn.conv2d(
                g, tf.transpose(k[::-1, ::-1], (0, 1, 3, 2)), 1, [[0, 0], [2, 2], [2, 2], [0, 0]]
            )
        )
        runs = {
            "": lambda f=forward, x=x, k=kernel: f(x, k),
            "b": lambda f=back, y=y, k=kernel: f(y, k),
        }
        total += sum(in_turns(runs).values())
    return total


def in_turns(steps, rounds=ROUNDS):
    """The least seconds of each, `{name: function}`, after one that compiles."""
    least = {}
    for name, step in steps.items():
        step()
        least[name] = float("inf")
    for _ in range(rounds):
        for name, step in steps.items():
            began = time.perf_counter()
            step()
            least[name] = min(least[name], time.perf_counter() - began)
    return least


def keras_vgg19():
    """Keras' own VGG19 with the weights of `random-vgg19`."""
    model = keras.applications.VGG19(include_top=False, weights=None)
    for layer in load_extractor("random-vgg19", precision="float32").model.layers:
        if layer.name in LAYERS:
            model.get_layer(layer.name).set_weights(layer.get_weights())
    return model


def noise(height, width, seed=0):
    return np.random.default_rng(seed).uniform(0, 255, (1, height, width, 3)).astype("float32")


def table(rows):
    head, *rest = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join([head, "|---" * len(rows[0]) + "|", *rest])


def processor():
    lines = Path("/proc/cpuinfo").read_text().splitlines() if sys.platform == "linux" else []
    named = next((line.split(":")[1].strip() for line in lines if "model name" in line), "")
    flags = next((line.split() for line in lines if line.startswith("flags")), [])
    units = [unit for unit in ("amx_bf16", "avx512_bf16") if unit in flags]
    return f"{named or platform.processor()} ({', '.join(units) or 'no bf16 units'})"


SIZES = (128, 256, 512, 1024)
GROWING = ("random-vgg19", "pocket")
PARTS = {
    "step": steps, "growth": growth, "quality": quality, "memory": memory, "tiles": tiles,
    "cold": cold, "poster": poster,
}  # fmt: skip

if __name__ == "__main__":
    main(sys.argv[1:])
