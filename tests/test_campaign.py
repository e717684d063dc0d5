"""Every kind of path in every place of every command: what comes out, or one sentence.

`make test` draws some of the cases, `make test-long` tries them all.
"""

import os
import random
import shutil
import sys
from functools import partialmethod

import numpy as np
import pytest
import quick

from nst_tutorial import save_image
from nst_tutorial.__main__ import main
from nst_tutorial.fast import StyleNetwork, save_network
from nst_tutorial.fast.learning import Learner

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pipes as files")

QUICK = ["--extractor", "random", *quick.OPTIONS, "--size", "64", "--steps", "1"]
TINY = "--extractor random --steps 1 --batch-size 1 --size 32 --style-size 32"
TINY = [*TINY.split(), "--width", "4", "--blocks", "1", *quick.OPTIONS]
STUDY = """
content = "photo.png"
style = "style.png"
extractor = "random"
[config]
size = 64
steps = 1
content_layers = ["block2_conv1"]
style_layers = ["block1_conv1", "block2_conv1"]
[grid]
style_weight = [1]
"""

# What a command is given, with {} where the path of the case goes.
PLACES = {
    "stylize: content": ["stylize", "{}", "style.png", "-o", "out.png", *QUICK],
    "stylize: style": ["stylize", "photo.png", "{}", "-o", "out.png", *QUICK],
    "stylize: output": ["stylize", "photo.png", "style.png", "-o", "{}", *QUICK],
    "stylize: extractor": ["stylize", "photo.png", "style.png", "-o", "out.png", *QUICK[2:],
                           "--extractor", "{}"],
    "stylize: mask": ["stylize", "photo.png", "-o", "out.png", *QUICK, "--region", "{}",
                      "style.png"],
    "stylize: checkpoint": ["stylize", "photo.png", "style.png", "-o", "resumed.png", *QUICK,
                            "--resume"],
    "rerun: picture": ["rerun", "{}", "-o", "out.png"],
    "rerun: content": ["rerun", "made.png", "-o", "out.png", "--content", "{}"],
    "rerun: style": ["rerun", "made.png", "-o", "out.png", "--style", "{}"],
    "rerun: extractor": ["rerun", "made.png", "-o", "out.png", "--extractor", "{}"],
    "rerun: output": ["rerun", "made.png", "-o", "{}"],
    "study: document": ["study", "{}"],
    "study: output": ["study", "study.toml", "-o", "{}"],
    "apply: network": ["apply", "{}", "photo.png", "-o", "out.png"],
    "apply: picture": ["apply", "net.keras", "{}", "-o", "out.png"],
    "apply: output": ["apply", "network.png", "photo.png", "-o", "{}"],
    "export: network": ["export", "{}", "-o", "out.onnx"],
    "export: output": ["export", "net.keras", "-o", "{}"],
    "train: style": ["train", "{}", "--images", "photos", "-o", "new.keras", *TINY],
    "train: images": ["train", "style.png", "--images", "{}", "-o", "new.keras", *TINY],
    "train: output": ["train", "style.png", "--images", "photos", "-o", "{}", *TINY],
    "train: add to": ["train", "style.png", "--images", "photos", "-o", "new.keras", *TINY,
                      "--add-to", "{}"],
}  # fmt: skip

# What makes the path, and returns it.
KINDS = {
    "missing": lambda: "none.png",
    "nameless": lambda: "",
    "a folder": lambda: make("folder.png", os.mkdir),
    "empty": lambda: write("empty.png", b""),
    "text": lambda: write("text.png", b"hello"),
    "a cut picture": lambda: write("cut.png", read("photo.png")[:200]),
    "cut settings": lambda: write("settings.png", read("made.png").replace(b"config", b"c")),
    "a pipe": lambda: make("pipe.png", os.mkfifo),
    "a device": lambda: "/dev/zero",
    "a device of nothing": lambda: "/dev/null",
    "a file of the kernel": lambda: "/proc/self/environ",
    "a folder of the kernel": lambda: "/proc/new.png",
    "a file for a folder": lambda: "photo.png/a.png",
    "a long name": lambda: write(f"{'n' * 240}.png", read("photo.png")),
    "too long a name": lambda: f"{'n' * 300}.png",
    "a name that commands": lambda: write("a\x1b[31m\nb.png", read("photo.png")),
    "a name that is no text": lambda: write("a\udcff.png", read("photo.png")),
    "a zero in a name": lambda: "a\0.png",
    "a link to nowhere": lambda: make("nowhere.png", lambda path: os.symlink("gone.png", path)),
    "a link to itself": lambda: make("loop.png", lambda path: os.symlink("loop.png", path)),
    "an input": lambda: "photo.png",
    "another input": lambda: "./style.png",
    "a document": lambda: "study.toml",
    "a network": lambda: "net.keras",
    "a network that is called a picture": lambda: "network.png",
    "a cut network": lambda: write("cut.keras", read("net.keras")[:-300]),
    "weights that are text": lambda: write("text.npz", b"hello"),
    "weights that are text, too": lambda: write("text.h5", b"hello"),
    "unknown ending": lambda: "out.xyz",
    "no ending": lambda: "out",
    "an ending for programs": lambda: "out.eps",
}  # fmt: skip

INPUTS = ("photo.png", "style.png", "study.toml", "made.png", "net.keras", "network.png")
CASES = [(place, kind) for place in PLACES for kind in KINDS]
DRAWN = random.Random(0).sample(CASES, 60)


def write(name, data):
    with open(name, "wb") as file:
        file.write(data)
    return name


def read(name):
    with open(name, "rb") as file:
        return file.read()


def make(name, maker):
    maker(name)
    return name


@pytest.fixture(scope="module")
def prepared(tmp_path_factory, photograph, painting):
    """A folder with one good file of every kind."""
    folder = tmp_path_factory.mktemp("prepared")
    before = os.getcwd()
    os.chdir(folder)
    try:
        save_image("photo.png", photograph)
        save_image("style.png", painting)
        os.mkdir("photos")
        save_image("photos/one.png", np.random.default_rng(0).uniform(0, 255, (1, 64, 64, 3)))
        write("study.toml", STUDY.encode())
        save_network(StyleNetwork(["one"], width=4, blocks=1), "net.keras")
        shutil.copy("net.keras", "network.png")
        assert main(["stylize", "photo.png", "style.png", "-o", "made.png", *QUICK]) == 0
    finally:
        os.chdir(before)
    return folder


@pytest.mark.filterwarnings("always")
@pytest.mark.parametrize(
    ("place", "kind"),
    [
        pytest.param(*case, marks=[] if case in DRAWN else [pytest.mark.long], id=", ".join(case))
        for case in CASES
    ],
)
def test_a_path(prepared, tmp_path, monkeypatch, capsys, place, kind):
    shutil.copytree(prepared, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    path = KINDS[kind]()
    if place == "stylize: checkpoint" and os.path.isfile(path) and "\0" not in path:
        shutil.copy(path, "resumed.png.checkpoint")
    monkeypatch.setattr(Learner, "compile", partialmethod(Learner.compile, run_eagerly=True))
    strangers = (
        ("style.png", "net.keras") if place == "apply: output" else ("net.keras", "network.png")
    )
    kept = {name: read(name) for name in INPUTS if name not in strangers}
    status = main([path if word == "{}" else word for word in PLACES[place]])
    said = capsys.readouterr().err
    last = said.replace("\r", "\n").splitlines()[-1:] or [""]
    assert status in (0, 1, 2)
    assert "something went wrong" not in said
    assert "Traceback" not in said
    assert "\x1b[31m" not in said
    assert status == 0 or last[0].startswith("nst-tutorial: ") or "differ" in said, said
    assert kept == {name: read(name) for name in kept}
