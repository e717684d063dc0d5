"""The command line: pictures out, and for each mistake one sentence and exit status 2."""

import dataclasses
import os
import re
import subprocess
import sys

import numpy as np
import pytest
import quick
from PIL import Image

from nst_tutorial import load_image, save_image
from nst_tutorial.__main__ import main
from nst_tutorial.runtime import download, machine

QUICK = ["--extractor", "random", *quick.OPTIONS, "--steps", "4", "--size", "64"]


@pytest.fixture
def folder(tmp_path, photograph, painting, monkeypatch):
    save_image(tmp_path / "photo.png", photograph)
    save_image(tmp_path / "stripes.png", painting)
    save_image(tmp_path / "dark.png", painting / 3)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_picture(folder, capsys):
    assert main(["stylize", "photo.png", "stripes.png", "-o", "out.png", *QUICK]) == 0
    out, err = capsys.readouterr()
    assert out == "out.png saved.\n"
    assert "loss" in err
    assert load_image("out.png").shape == load_image("photo.png", 64).shape


EVERY_OPTION = """--size 64 --steps 3 --content-weight 2 --style-weight 50 --tv-weight 1
        --tv-exponent 2 --content-layers block1_conv2 block2_conv1 --style-layers block1_conv1
        block2_conv1 --layer-weights 1 2 --style-size 80 --blend 1 3 --optimizer nadam
        --learning-rate 5 --init noise --noise-std 30 --extractor random --pooling max --seed 3
        --save-every 1 --scales 2 --convention relative --style-resize own --decay 0.5
        --border zero"""


def test_every_option(folder):
    pictures = ["photo.png", "stripes.png", "dark.png", "-o", "out.png"]
    assert main(["stylize", *pictures, *EVERY_OPTION.split()]) == 0
    assert load_image("out.png").shape == load_image("photo.png", 64).shape


def test_a_folder(folder, capsys):
    """One that is broken stops no other; what is finished is not painted again."""
    (folder / "in").mkdir()
    for name in ("a.png", "b.jpg", "c.gif"):
        save_image(folder / "in" / name.replace("gif", "png"), load_image("photo.png"))
    (folder / "in" / "c.png").rename(folder / "in" / "c.gif")
    (folder / "in" / "broken.png").write_bytes(b"no picture")
    command = ["stylize", "in", "stripes.png", "-o", "out", *QUICK]
    assert main(command) == 1
    out, err = capsys.readouterr()
    assert "3 of 4 pictures painted, in out" in out
    assert "broken.png is not a picture" in err
    assert {path.name for path in (folder / "out").iterdir()} == {"a.png", "b.jpg", "c.gif.png"}
    save_image("out/c.gif.png", load_image("photo.png"))  # as --save-every leaves it
    assert main([*command, "--resume"]) == 1
    out, err = capsys.readouterr()
    assert "a.png saved" not in out
    assert "c.gif.png saved" in out
    assert main([*command, "--resume", "--tv-weight", "1"]) == 1
    assert "a.png saved" in capsys.readouterr().out


def test_a_folder_whose_pictures_would_meet(folder, capsys):
    (folder / "in").mkdir()
    for name in ("a.png", "a-dark.png"):
        save_image(folder / "in" / name, load_image("photo.png"))
    save_image("dark-dark.png", load_image("dark.png"))
    styles = ["dark.png", "dark-dark.png", "--one-picture-per-style"]
    assert main(["stylize", "in", *styles, "-o", "out", *QUICK]) == 2
    assert "two pictures would be saved as" in capsys.readouterr().err
    assert not list((folder / "out").iterdir())


def test_a_recipe_prints_and_saves_as_its_notebook_did(folder, capsys):
    """Weighted terms every ten steps; own sizes; fractions of pixel values are cut off."""
    from nst_tutorial.conventions.convert import evaluate_as
    from nst_tutorial.runs.provenance import config_of, read

    options = ["--recipe", "original_notebook", "--extractor", "random", "--steps", "20"]
    assert main(["stylize", "photo.png", "stripes.png", "-o", "out.png", *options]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines[:-1]] == ["step 10", "step 20"]
    numbers = [float(term.split()[-1]) for term in lines[0].split(":")[1].split(",")]
    assert sum(numbers[:3]) == pytest.approx(numbers[3], rel=2e-3)
    config = config_of(read("out.png"))
    assert (config.convention, config.optimizer) == ("original_notebook", "nadam_keras2")
    assert load_image("out.png").shape == load_image("photo.png").shape
    terms = evaluate_as("original_notebook", "out.png", "photo.png", "stripes.png", "random")
    assert 0.1 < terms["total"] / numbers[3] < 10


def test_options_override_a_recipe(folder):
    from nst_tutorial.conventions.convert import recipe

    config = settings_of("--recipe", "keras_io", "--steps", "7", "--style-weight", "0.5")
    assert config == dataclasses.replace(recipe("keras_io"), steps=7, style_weight=0.5)


def settings_of(*options):
    """The settings that `stylize` would run with."""
    from nst_tutorial.cli.commands import make_parser, settings_from

    arguments = ["stylize", "a.png", "b.png", "-o", "out.png", *options]
    return settings_from(make_parser(arguments).parse_args(arguments))


def test_one_picture_per_style(folder):
    styles = ["stripes.png", "dark.png"]
    options = [*QUICK, "--one-picture-per-style"]
    assert main(["stylize", "photo.png", *styles, "-o", "out.jpg", *options]) == 0
    pictures = [load_image(f"out-{style}.jpg") for style in ("stripes", "dark")]
    assert (pictures[0] != pictures[1]).any()


def test_options_left_out_are_the_librarys_defaults():
    from nst_tutorial import TransferConfig

    assert settings_of() == TransferConfig()


def test_every_setting_has_its_option_and_its_help(capsys):
    """A value of each field, written as the command line takes it, arrives as that value."""
    from nst_tutorial import TransferConfig
    from nst_tutorial.cli.options import as_typed

    given = dataclasses.replace(
        TransferConfig(), layer_weights=(1, 2, 3, 4), blend=(1, 3), style_size=200, tile=64,
        decay=0.9, clip=False, truncate=True, init="noise",
    )  # fmt: skip
    options = []
    for field in dataclasses.fields(TransferConfig):
        name, value = field.name.replace("_", "-"), getattr(given, field.name)
        if isinstance(value, bool):
            options += [f"--{name}" if value else f"--no-{name}"]
        else:
            options += [f"--{name}", *as_typed(value).split()]
    assert settings_of(*options) == given
    with pytest.raises(SystemExit):
        main(["stylize", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    for field in dataclasses.fields(TransferConfig):
        assert len(field.metadata["help"]) > 10
        assert field.metadata["help"] in text, field.name
        assert not as_typed(field.default) or f"({as_typed(field.default)})" in text


def test_a_blend_is_one_picture(folder, capsys):
    options = ["--blend", "1", "2", "--one-picture-per-style"]
    command = ["stylize", "photo.png", "stripes.png", "dark.png", "-o", "out.png", *options]
    assert main(command) == 2
    assert "leave out one of the two" in capsys.readouterr().err


def test_ctrl_c_saves_the_picture_so_far(folder, capsys, monkeypatch):
    from nst_tutorial.optimizers import Descent

    rates, take = [], Descent.take

    def interrupted(self, evaluate, rate):
        rates.append(rate)
        if len(rates) == 3:
            raise KeyboardInterrupt
        return take(self, evaluate, rate)

    monkeypatch.setattr(Descent, "take", interrupted)
    command = ["stylize", "photo.png", "stripes.png", "-o", "out.png", "--optimizer", "adam"]
    assert main([*command, *QUICK]) == 1
    assert "interrupted, after step 2" in capsys.readouterr().out
    assert np.isfinite(load_image("out.png")).all()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["none.png", "stripes.png"], "none.png does not exist"),
        (["photo.png", "text.png"], "text.png is not a picture"),
        (["cut.jpg", "stripes.png"], "cut.jpg is damaged"),
        (["empty.png", "stripes.png"], "empty.png is empty"),
        (["dot.png", "stripes.png"], "1×1 is too small"),
        (["photo.png", "."], "is a folder"),
        (["photo.png"], "no style was given"),
        (["photo.png", "--region", "stripes.png"], "--region takes MASK STYLE"),
        ([".", "stripes.png", "-o", "."], "give another folder"),
        (["photo.png", "stripes.png", "--style-layers", "block9_conv1"], "it has block1_conv1, "),
        (["photo.png", "stripes.png", "--content-weight", "-1"], "content_weight is -1.0"),
        (["photo.png", "stripes.png", "--size", "0"], "size is 0"),
        (["photo.png", "stripes.png", "--recipe", "gatys"], "no convention 'gatys'; there are"),
        (["photo.png", "stripes.png", "--recipe", "johnson"], "johnson trains a network"),
        (["photo.png", "stripes.png", "--save-every", "0"], "save-every is 0"),
        (["photo.png", "stripes.png", "-o", "no/out.png"], "the folder no does not exist"),
        (["photo.png", "stripes.png", "--extractor", "resnet"], "no extractor 'resnet'"),
        (["photo.png", "stripes.png", "stripes.png", "--one-picture-per-style"], "same name"),
    ],
)
def test_mistakes(folder, capsys, photograph, arguments, words):
    (folder / "text.png").write_text("hello")
    (folder / "empty.png").write_bytes(b"")
    save_image("dot.png", np.zeros((1, 1, 1, 3)))
    save_image("cut.jpg", photograph)
    (folder / "cut.jpg").write_bytes((folder / "cut.jpg").read_bytes()[:700])
    assert main(["stylize", "-o", "out.png", *QUICK, *arguments]) == 2
    out, err = capsys.readouterr()
    assert words in err
    assert err.startswith("nst-tutorial: ")
    assert err.count("\n") == 1
    assert out == ""
    assert not (folder / "out.png").exists()


def test_a_warning_is_one_sentence(folder, capsys):
    frames = [Image.new("RGB", (70, 70), color) for color in ("red", "blue")]
    frames[0].save("red.gif", save_all=True, append_images=frames[1:])
    assert main(["stylize", "photo.png", "red.gif", "-o", "out.png", *QUICK]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "nst-tutorial: red.gif holds several pictures; the first is taken."
    assert not [line for line in lines[1:] if "Warning" in line or "several" in line]


def test_an_option_that_does_not_exist_is_status_2(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["stylize", "--sise", "3"])
    assert "usage" in capsys.readouterr().err


def test_doctor_says_what_is_here(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(download, "VGG19_URL", "http://127.0.0.1:9/nothing")
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^tensorflow +\d", out, re.M)
    for word in (
        "keras",
        "backend       tensorflow",
        "precision",
        "GiB free",
        f"threads       {machine.cpu_limit()} allowed, of {os.cpu_count()} processors",
        "pocket        here",
        "vgg19         not here",
        "network       the connection was refused",
    ):
        assert word in out


def test_a_download_that_fails_is_one_sentence(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(download, "VGG19_URL", "http://127.0.0.1:9/nothing")
    assert main(["download", "vgg19"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("nst-tutorial: VGG19's weights could not be fetched: the connection was")
    assert err.count("\n") == 1


@pytest.mark.parametrize("command", [["--help"], ["stylize", "--help"], ["train", "--help"]])
def test_help_imports_nothing_heavy(command):
    code = "import sys, nst_tutorial.__main__ as m\n"
    code += f"try: m.main({command})\nexcept SystemExit: pass\n"
    code += "print(sorted({'numpy', 'keras', 'tensorflow', 'PIL'} & set(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=600
    )
    assert result.stdout.endswith("[]\n")


def test_the_import_is_quiet_and_a_missing_backend_is_one_sentence(tmp_path):
    quiet = subprocess.run(
        [sys.executable, "-c", "from nst_tutorial import gram_matrix; gram_matrix([[[1.0]]])"],
        capture_output=True, text=True, check=True, timeout=600,
    )  # fmt: skip
    assert quiet.stderr == quiet.stdout == ""
    (tmp_path / "keras.py").write_text("import a_backend_that_is_not_there")
    missing = subprocess.run(
        [sys.executable, "-m", "nst_tutorial", "doctor"],
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(tmp_path)},
        timeout=600,
    )  # fmt: skip
    assert missing.returncode == 2
    assert "pip install -e '.[cpu]'" in missing.stderr
    assert missing.stderr.count("\n") == 1
