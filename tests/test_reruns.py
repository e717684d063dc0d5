"""A picture says how it was made, names no one, and can be made again to the same bytes."""

import dataclasses
import functools
import getpass
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from quick import OPTIONS, QUICK

from nst_tutorial import NSTError, rerun, save_image, stylize
from nst_tutorial.__main__ import main
from nst_tutorial.runs.inputs import gather, load
from nst_tutorial.runs.provenance import describe, differences, read

CONFIG = dataclasses.replace(QUICK, steps=2)
COMMAND = ["stylize", "in/photo.png", "in/stripes.png", "-o", "out.png"]
COMMAND += ["--size", "64", "--steps", "3"]


@pytest.fixture
def here(tmp_path, monkeypatch, photograph, painting):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    save_image("in/photo.png", photograph)
    save_image("in/stripes.png", painting)
    save_image("in/spots.png", painting[:, ::-1] / 2)
    return tmp_path


@pytest.fixture
def made(here):
    """That folder with a picture that the command line made in it."""
    (here / "out.png").write_bytes(painted_once())
    return here


@functools.cache
def painted_once():
    assert main([*COMMAND, *OPTIONS]) == 0
    return Path("out.png").read_bytes()


@pytest.mark.parametrize(
    "options",
    ["--margin 0.1",
     "--blend 1 3 --optimizer adam --extractor random --init noise --seed 5 --pooling max",
     "--style-layers block1_conv1 block2_conv2 --layer-weights 1 2 --convention paper",
     "--parameterization fourier --optimizer adam"],
)  # fmt: skip
def test_the_same_bytes_again(here, capsys, options):
    again_with(here, capsys, [*OPTIONS, *options.split()])


def again_with(here, capsys, options):
    styles = ["in/spots.png"] if "--blend" in options else []
    assert main([*COMMAND[:3], *styles, *COMMAND[3:], *options]) == 0
    assert main(["rerun", "out.png"]) == 0
    assert "the same, byte for byte" in capsys.readouterr().out
    assert (here / "out.png").read_bytes() == (here / "out-again.png").read_bytes()


TEN = [
    "--style-size 80 --margin 0", "--size 90 --scales 3", "--extractor pocket --seed 3",
    "--optimizer nadam --learning-rate 5", "--recipe original_notebook --steps 3 --size 64",
    "--recipe keras_io --steps 3 --size 64", "--convention paper --tv-exponent 2",
    "--border zero --pooling max", "--init style --content-weight 0", "--blend 2 1 --tv-weight 0",
]  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("options", TEN)
def test_ten_more(here, capsys, options):
    again_with(here, capsys, options.split())


def test_a_setting_newer_than_the_picture_has_its_default_there(made):
    older, newer = read("out.png"), read("out.png")
    del older["config"]["truncate"]
    assert differences(older, newer) == differences(newer, older) == []
    newer["config"]["truncate"] = True
    assert differences(older, newer) == ["truncate is True, not False"]


def test_texture_and_start(here):
    stylize(None, "in/stripes.png", "random", CONFIG).save("texture.png")
    stylize("in/photo.png", None, "random", CONFIG, start="in/spots.png").save("inverted.png")
    for name in ("texture.png", "inverted.png"):
        rerun(name).save("again.png")
        assert (here / name).read_bytes() == (here / "again.png").read_bytes()


def test_what_a_picture_says(made):
    origin = read("out.png")
    assert origin["config"]["steps"] == 3
    assert origin["content"]["name"] == "in/photo.png"
    assert origin["extractor"]["precision"] == "float32"  # L-BFGS
    assert {"python", "nst-tutorial", "keras", "numpy"} <= set(origin["versions"])
    assert "stopped" not in origin
    with Image.open("out.png") as picture:
        assert picture.size == (64, 50)


def test_no_user_and_no_folder_beyond_the_names_given(here):
    stylize(here / "in/photo.png", str(here / "in/stripes.png"), "random", CONFIG).save("out.png")
    said = json.dumps(read("out.png"))
    assert read("out.png")["content"]["name"] == "photo.png"
    assert str(here) not in said
    assert getpass.getuser() not in said.replace('"pooling"', "")


def test_inputs_are_found_beside_the_picture_too(made, monkeypatch):
    (made / "elsewhere").mkdir()
    monkeypatch.chdir(made / "elsewhere")
    assert rerun("../out.png").stopped is None


def test_another_input_is_named(made, capsys):
    (made / "in/spots.png").replace(made / "in/stripes.png")
    assert main(["rerun", "out.png"]) == 2
    said = capsys.readouterr().err
    assert "the style in/stripes.png is another picture" in said
    assert "in/photo.png" not in said
    (made / "in/stripes.png").unlink()
    assert main(["rerun", "out.png"]) == 2
    assert "in/stripes.png does not exist" in capsys.readouterr().err


def test_another_extractor_is_named(made, capsys):
    assert main(["rerun", "out.png", "--extractor", "random"]) == 2
    assert "name is random, not pocket" in capsys.readouterr().err


def test_pictures_without_a_file(here, photograph):
    stylize(photograph, "in/stripes.png", "random", CONFIG).save("out.png")
    with pytest.raises(NSTError, match="name the files to take"):
        rerun("out.png")
    rerun("out.png", content="in/photo.png").save("again.png")
    assert read("again.png")["content"]["name"] is None
    assert (here / "out.png").read_bytes() == (here / "again.png").read_bytes()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, "does not exist"),
        (lambda path: save_image(path, np.zeros((4, 4, 3))), "holds no settings"),
        (lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n junk"), "holds no settings"),
        (lambda path: Image.new("RGB", (4, 4)).save(path, "JPEG"), "holds no settings"),
        (lambda path: save_image(path, np.zeros((4, 4, 3)), {"nst_tutorial": "{"}), "damaged"),
    ],
)
def test_no_such_picture(tmp_path, make, words):
    make(tmp_path / "p.png")
    with pytest.raises(NSTError, match=words):
        rerun(tmp_path / "p.png")


def test_it_does_not_write_over_the_picture(made, capsys):
    assert main(["rerun", "out.png", "-o", "./out.png"]) == 2
    assert "would be overwritten" in capsys.readouterr().err


def test_a_stopped_picture_says_so(here):
    def interrupt(step):
        raise KeyboardInterrupt

    result = stylize("in/photo.png", "in/stripes.png", "random", CONFIG, interrupt)
    result.save("out.png")
    assert read("out.png")["stopped"] == "interrupted, after step 1"


def test_differences_count_pictures(photograph, painting, extractor):
    def said(styles):
        sources = gather(None, styles)
        return describe(QUICK, extractor, sources, load(sources, QUICK))

    assert differences(said([painting]), said([painting])) == []
    assert differences(said([painting]), said([painting, photograph])) == [
        "the style without a name is another picture"
    ]
