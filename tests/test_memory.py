"""Memory: what a transfer will take is known before it begins, and what would not fit is tiled."""

import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

from nst_tutorial import NSTError
from nst_tutorial.runs import memory
from nst_tutorial.runs.memory import MARGIN

GIB = 2**30
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the peak")


def fitting(extractor, optimizer, height, width, *styles):
    shapes = [(1, *style, 3) for style in styles]
    return memory.fitting_tile((1, height, width, 3), shapes, extractor, optimizer)


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam", "nadam"])
def test_the_size_that_is_said_to_fit_fits_and_a_larger_one_does_not(
    extractor, monkeypatch, optimizer
):
    monkeypatch.setattr(memory, "available_memory", lambda: GIB)
    with pytest.raises(NSTError, match=r"1\.00 GiB are free here; with .*it would fit") as error:
        fitting(extractor, optimizer, 3000, 4000, (4000, 2000))
    assert f"4000×3000 pixels with random and {optimizer} need about " in str(error.value)
    size = int(re.search(r"size=(\d+)", str(error.value))[1])
    fitting(extractor, optimizer, size * 3 // 4, size, (size, size // 2))
    with pytest.raises(NSTError):
        fitting(extractor, optimizer, size * 3 // 4 + 12, size + 16, (size, size // 2))


def test_what_does_not_fit_whole_fits_in_tiles(extractor, monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: 1.2 * GIB)
    assert fitting(extractor, "adam", 100, 100, (100, 100)) is None
    assert fitting(extractor, "adam", 900, 900, (100, 100)) == 256
    assert fitting(extractor, "adam", 100, 100, (3000, 3000)) == 512  # a style picture counts


def test_the_many_vectors_of_lbfgs_are_pointed_out(extractor, monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: 1.1 * GIB)
    with pytest.raises(NSTError, match=r"with optimizer='adam' or size=\d+"):
        fitting(extractor, "lbfgs", 1000, 1000)


def test_where_nothing_fits(extractor, monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: 10**6)
    with pytest.raises(NSTError, match=r"0\.00 GiB are free here; close other programs"):
        fitting(extractor, "adam", 100, 100)


MEASURED = """
import sys
import numpy as np
from nst_tutorial import TransferConfig, load_extractor, stylize
from nst_tutorial.runs import memory
def status(what):
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(what))
name, size, optimizer, tile = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]) or None
steps = 12 if optimizer == "lbfgs" else 1  # until it has filled all its vectors
config = TransferConfig(size=size, steps=steps, scales=1, optimizer=optimizer, tile=tile)
extractor = load_extractor(name, config.content_layers + config.style_layers)
picture = np.random.default_rng(0).uniform(0, 255, (1, size, size, 3)).astype("float32")
side = size + 2 * round(config.margin * size)
count = int(sys.argv[5])
given = (1, side, side, 3), [picture.shape] * max(count, 1), extractor, optimizer, tile, count
predicted = memory.predicted_peak(*given)
before = status("VmRSS")
masks = np.arange(size) * max(count, 1) // size * np.ones((size, 1))
regions = [(masks == number, picture) for number in range(count)]
stylize(picture, None if regions else picture, extractor, config, regions=regions)
used = status("VmHWM") - before
print(used / predicted)
"""


def used_by_predicted(name, size, optimizer, precision, tile, regions=0):
    """Divide a transfer's peak by what `predicted_peak` says."""
    command = [sys.executable, "-c", MEASURED, name, str(size), optimizer, str(tile), str(regions)]
    environment = os.environ | {"NST_PRECISION": precision}
    how = {"capture_output": True, "text": True, "check": True, "timeout": 600}
    done = subprocess.run(command, env=environment, **how)
    return float(done.stdout)


@linux
@pytest.mark.parametrize(
    ("optimizer", "regions"),
    [("lbfgs", 0), pytest.param("adam", 0, marks=pytest.mark.long), ("lbfgs", 3)],
)
def test_no_prediction_is_too_low(optimizer, regions):
    """A process for each: a peak is a process' own, and never falls."""
    assert used_by_predicted("pocket", 192, optimizer, "float32", 0, regions) <= MARGIN


@linux
@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "size", "optimizer", "precision", "tile"),
    [
        ("pocket", 384, "adam", "float32", 0),
        ("pocket", 1024, "lbfgs", "float32", 0),
        ("pocket", 1024, "adam", "float32", 0),
        ("pocket", 1024, "adam", "bfloat16", 0),
        ("random-vgg19", 512, "lbfgs", "float32", 0),
        ("random-vgg19", 512, "adam", "bfloat16", 0),
        ("pocket", 1536, "adam", "float32", 256),
        ("pocket", 1024, "lbfgs", "float32", 256),
        ("random-vgg19", 1024, "adam", "float32", 256),
    ],
)
def test_the_prediction_is_near(name, size, optimizer, precision, tile):
    ratio = used_by_predicted(name, size, optimizer, precision, tile)
    assert 0.65 < ratio <= MARGIN, f"{processor()}: used / predicted {ratio:.2f}"


def processor():
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line for line in lines if line.startswith("model name")), platform.machine())
