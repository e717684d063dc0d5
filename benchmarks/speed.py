"""How fast this is, and against what: the whole wait, a step, memory, posters.

    make bench                              # what is missing of benchmarks/RESULTS.md, and the file
    python benchmarks/speed.py wait step    # these parts anew, printed

Each part is kept in results/bench/ as soon as it is done, so that a run that was stopped goes on.
Numbers that are compared come from one run on one machine: of a step the least of several, taken in
turns. Weights are random, in VGG19's shape: they cost what trained ones do.
"""

import os
import platform
import shutil
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

from nst_tutorial import StyleTransfer, TransferConfig, load_extractor
from nst_tutorial.objective import Objective
from nst_tutorial.runs.tiles import TiledObjective
from nst_tutorial.runtime.backend import ops
from nst_tutorial.runtime.precision import fastest_precision
from nst_tutorial.runtime.weights import LAYERS
from nst_tutorial.scales import coarse_to_fine

HERE = Path(__file__).parent
IMAGES = HERE.parent / "images"
PHOTO, STYLE = IMAGES / "coffee.png", IMAGES / "swirls.jpg"
PRECISIONS = tuple(sorted({fastest_precision(), "float32"}))
STEPS = TransferConfig(optimizer="adam", margin=0, content_layers="block5_conv2")
RECIPES = {  # with the number of steps that each is published with
    "keras.io's example, 4000 steps": (keras_io, 4000),
    "TensorFlow's tutorial, 1000 steps": (tensorflow_tutorial, 1000),
}
FEW, MINUTE = 50, 60  # steps of theirs that are timed, at most; and the seconds after which it ends
ROUNDS = 4


def main(parts):
    matplotlib.use("Agg")
    folder = HERE.parent / "results" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    print(about(), flush=True)
    for part in parts or DEFAULT:
        file = folder / f"{part}.md"
        if parts or not file.exists():
            file.write_text(PARTS[part](), "utf-8")
        print(f"\n{file.read_text('utf-8')}", flush=True)
    if not parts:
        said = [about(), *((folder / f"{part}.md").read_text("utf-8") for part in DEFAULT)]
        (HERE / "RESULTS.md").write_text("\n\n".join(said) + "\n", "utf-8")
        shutil.rmtree(folder)


def about():
    return (
        "# How fast\n\nMade by `make bench` (`benchmarks/speed.py`, whose beginning says what is "
        f"compared).\n\n{machine()}"
    )


def machine():
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{processor()}, {os.cpu_count()} processors, {memory:.0f} GiB; Python "
        f"{platform.python_version()}, TensorFlow {tf.__version__}, Keras {keras.__version__}; "
        f"load before it began {os.getloadavg()[0]:.1f}."
    )


def wait():
    """From the shell to a finished picture of 448 px: others' recipes as published, and ours."""
    rows = [["", "start", "first step", "a step", "the whole wait"]]
    content, style = noise(298, 448), noise(298, 448, seed=1)
    started = shell("-c", "import tensorflow, keras")
    for name, (recipe, count) in RECIPES.items():
        began = time.perf_counter()
        step = recipe(keras_vgg19(), content, style)
        step()
        first = time.perf_counter() - began
        each = [timed(step)]
        while len(each) < FEW and sum(each) < MINUTE:
            each.append(timed(step))
        whole = started + first + count * np.mean(each)
        seconds = (f"{one:.1f} s" for one in (started, first, np.mean(each)))
        rows.append([f"{name} (of {len(each)})", *seconds, f"{whole / 60:.0f} min"])
    for name in ("random-vgg19", "pocket"):
        with tempfile.TemporaryDirectory() as folder:
            options = ["--extractor", name, "--size", "448", "-o", f"{folder}/out.png"]
            seconds = shell("-m", "nst_tutorial", "stylize", PHOTO, STYLE, *options)
        rows.append([f"`stylize`, {name}, the defaults", "", "", "", f"{seconds:.0f} s"])
    said = (
        "The first two by extrapolation from as many steps as stand in brackets, what fits into a "
        f"minute; {PHOTO.name}, {STYLE.name}, 298×448."
    )
    return "\n\n".join(["## The whole wait: 448 px, from the shell", table(rows), said])


def shell(*arguments):
    """Seconds that a new Python takes for these."""
    command = [sys.executable, *map(str, arguments)]
    return timed(lambda: subprocess.run(command, check=True, capture_output=True))


def timed(run):
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


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
    rows = [["", "seconds a step", *(f"/ ours, {p}" for p in PRECISIONS)]]
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


def memory():
    """Peaks of whole processes, each with Python, TensorFlow and all."""
    rows = [["a step of VGG19's shape", "peak", "seconds"]]
    for precision, tile in (*((p, 0) for p in PRECISIONS), ("float32", 256)):
        peak, *seconds = apart(POSTER, 1024, 768, precision, tile)
        how = f"in tiles of {tile} px" if tile else "whole"
        rows.append(
            [
                f"1024×768, {precision}, {how}",
                f"{peak:.2f} GiB",
                f"{sum(seconds):.0f}",
            ]
        )
    return "\n\n".join(["## Memory", table(rows)])


def poster():
    """A step of 3840×2160 in VGG19's shape, one of its half, and what a run comes to."""
    peak, *full = apart(POSTER, 3840, 2160, PRECISIONS[0], 512)
    _, *half = apart(POSTER, 1920, 1080, PRECISIONS[0], 512)
    stages = coarse_to_fine((1, 2160, 3840, 3), 2, STEPS.steps, STEPS.learning_rate)
    counts = [stage.steps for stage in stages]
    seconds = sum(
        targets + count * step for (targets, step), count in zip((half, full), counts, strict=True)
    )
    return (
        f"## A poster\n\n3840×2160 in VGG19's shape, Adam, tiles of 512 px, {PRECISIONS[0]}: peak "
        f"of the whole process {peak:.2f} GiB. A step takes {full[1]:.0f} s ({half[1]:.0f} s at "
        f"half the size), the targets {full[0]:.0f} s ({half[0]:.0f} s): {counts[0]} steps at half "
        f"the size and {counts[1]} at the whole come to {seconds / 60:.0f} minutes."
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


def keras_vgg19(extractor=None):
    """Keras' own VGG19 with an extractor's weights; by default those of `random-vgg19`."""
    model = keras.applications.VGG19(include_top=False, weights=None)
    extractor = extractor or load_extractor("random-vgg19", precision="float32")
    for layer in extractor.model.layers:
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


SIZES = (128, 256, 512)
GROWING = ("random-vgg19", "pocket")
PARTS = {
    "wait": wait, "step": steps, "growth": growth, "memory": memory, "tiles": tiles,
    "poster": poster,
}  # fmt: skip
DEFAULT = tuple(PARTS)[:-1]  # a poster takes ten minutes by itself

if __name__ == "__main__":
    main(sys.argv[1:])
