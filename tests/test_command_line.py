"""The command line: pictures out, and for each mistake one sentence and exit status 2."""

import dataclasses
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import numpy as np
import psutil
import pytest
from PIL import Image

from nst_tutorial import download, load_image, machine, save_image
from nst_tutorial.__main__ import main

QUICK = ["--extractor", "random", "--steps", "4", "--size", "64"]


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
        --tv-exponent 2 --content-layers block3_conv1 block4_conv2 --style-layers block1_conv1
        block2_conv1 --layer-weights 1 2 --style-size 80 --blend 1 3 --optimizer nadam
        --learning-rate 5 --init noise --noise-std 30 --extractor random --pooling max --seed 3
        --save-every 1 --scales 2 --convention relative --style-resize own --decay 0.5
        --border zero"""


def test_every_option(folder):
    pictures = ["photo.png", "stripes.png", "dark.png", "-o", "out.png"]
    assert main(["stylize", *pictures, *EVERY_OPTION.split()]) == 0
    assert load_image("out.png").shape == load_image("photo.png", 64).shape


def test_a_recipe_prints_and_saves_as_its_notebook_did(folder, capsys):
    """Weighted terms every ten steps; own sizes; fractions of pixel values are cut off."""
    from nst_tutorial.conventions import evaluate
    from nst_tutorial.provenance import config_of, read

    recipe = ["--recipe", "original_notebook", "--extractor", "random"]
    assert (
        main(["stylize", "photo.png", "stripes.png", "-o", "out.png", *recipe, "--steps", "20"])
        == 0
    )
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines[:-1]] == ["step 10", "step 20"]
    numbers = [float(term.split()[-1]) for term in lines[0].split(":")[1].split(",")]
    assert sum(numbers[:3]) == pytest.approx(numbers[3], rel=2e-3)
    config = config_of(read("out.png"))
    assert (config.convention, config.optimizer) == ("original_notebook", "nadam_keras2")
    assert load_image("out.png").shape == load_image("photo.png").shape
    terms = evaluate("original_notebook", "out.png", "photo.png", "stripes.png", "random")
    assert 0.1 < terms["total"] / numbers[3] < 10


def test_a_recipe_says_when_the_extractor_makes_nothing_of_its_weights(folder, capsys):
    pictures = ["stylize", "photo.png", "stripes.png", "-o", "out.png", "--steps", "1"]
    for recipe, said in (("tensorflow_tutorial", True), ("d2l", False)):
        assert main([*pictures, "--size", "48", "--recipe", recipe]) == 0
        assert ("hardly counts: take --extractor vgg19" in capsys.readouterr().err) is said


def test_options_override_a_recipe(folder):
    from nst_tutorial.commands import _config, _parser
    from nst_tutorial.conventions import recipe

    arguments = ["stylize", "a.png", "b.png", "-o", "out.png", "--recipe", "keras_io"]
    options = _parser().parse_args([*arguments, "--steps", "7", "--style-weight", "0.5"])
    expected = dataclasses.replace(recipe("keras_io"), steps=7, style_weight=0.5)
    assert _config(options) == expected


def test_one_picture_per_style(folder):
    styles = ["stripes.png", "dark.png"]
    options = [*QUICK, "--one-picture-per-style"]
    assert main(["stylize", "photo.png", *styles, "-o", "out.jpg", *options]) == 0
    pictures = [load_image(f"out-{style}.jpg") for style in ("stripes", "dark")]
    assert (pictures[0] != pictures[1]).any()


def test_options_left_out_are_the_librarys_defaults(folder):
    from nst_tutorial import TransferConfig
    from nst_tutorial.commands import _config, _parser

    options = _parser().parse_args(["stylize", "photo.png", "stripes.png", "-o", "out.png"])
    assert _config(options) == TransferConfig()


def test_the_help_names_the_librarys_defaults(capsys):
    from nst_tutorial import TransferConfig

    with pytest.raises(SystemExit):
        main(["stylize", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    options = "size steps content_weight style_weight tv_weight tv_exponent scales learning_rate"
    for option in f"{options} noise_std seed optimizer init".split():
        described = text.split(f"--{option.replace('_', '-')} ", 2)[2].split(" --")[0]
        assert f"({getattr(TransferConfig(), option):}".removesuffix(".0") in described, option


def test_ctrl_c_saves_the_picture_so_far(folder, capsys, monkeypatch):
    from nst_tutorial.descent import Descent

    steps, take = [], Descent.take

    def interrupted(self, rates, config):
        steps.extend(rates)
        if len(steps) == 3:
            raise KeyboardInterrupt
        return take(self, rates, config)

    monkeypatch.setattr(Descent, "take", interrupted)
    assert (
        main(
            ["stylize", "photo.png", "stripes.png", "-o", "out.png", *QUICK, "--optimizer", "adam"]
        )
        == 1
    )
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
        ([".", "stripes.png"], "is a folder"),
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
    frames = [Image.new("RGB", (70, 70), colour) for colour in ("red", "blue")]
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


@pytest.fixture
def jupyter(monkeypatch):
    """What JupyterLab would be started with."""
    calls = []
    monkeypatch.setattr(subprocess, "call", lambda command: calls.append(command) or 0)
    monkeypatch.setattr(os, "geteuid", lambda: 1000, raising=False)
    return calls


def test_lab_opens_the_lessons(jupyter, capsys):
    assert main(["lab", "--", "--no-browser"]) == 0
    assert jupyter[0][1:3] == ["-m", "jupyterlab"]
    assert jupyter[0][3].endswith("notebooks")
    assert jupyter[0][4:] == ["--ServerApp.ip=127.0.0.1", "--no-browser"]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "argument", ["--ip=0.0.0.0", "--ServerApp.ip=0.0.0.0", "--IdentityProvider.token=", "--ip"]
)
def test_lab_opened_to_others_says_so(jupyter, capsys, argument):
    assert main(["lab", "--", argument]) == 0
    assert jupyter[0][-1] == argument
    assert ("--ServerApp.ip=127.0.0.1" in jupyter[0]) == ("token" in argument)
    assert re.match("nst-tutorial: (ip|token) was given: others may", capsys.readouterr().err)


def test_lab_never_runs_as_root_without_saying_so(jupyter, capsys, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0, raising=False)
    assert main(["lab"]) == 0
    assert "--allow-root" in jupyter[0]
    assert capsys.readouterr().err.startswith("nst-tutorial: you are root")


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="stopped by a signal")
def test_lab_listens_on_the_loopback_address_and_asks_for_its_token(tmp_path):
    folders = {f"JUPYTER_{kind}_DIR": str(tmp_path) for kind in ("CONFIG", "DATA", "RUNTIME")}
    command = [sys.executable, "-m", "nst_tutorial", "lab", "--", "--no-browser", "--port=0"]
    process = subprocess.Popen(
        command, env=os.environ | folders, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        next(line for line in process.stderr if "?token=" in line)  # now it answers
        (listener,) = listening(process.pid)
        assert listener.laddr.ip == "127.0.0.1"
        with pytest.raises(urllib.error.HTTPError, match="403") as caught:
            urllib.request.urlopen(f"http://127.0.0.1:{listener.laddr.port}/api/contents")
        caught.value.close()
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def listening(pid):
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    sockets = [one for process in family for one in process.net_connections("inet")]
    return [one for one in sockets if one.status == psutil.CONN_LISTEN]


def test_help_imports_nothing_heavy():
    code = (
        "import sys, nst_tutorial.__main__ as m\ntry: m.main(['--help'])\nexcept SystemExit: pass\n"
    )
    code += "print(sorted({'numpy', 'keras', 'tensorflow', 'PIL'} & set(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.endswith("[]\n")


def test_the_import_is_quiet_and_a_missing_backend_is_one_sentence(tmp_path):
    quiet = subprocess.run(
        [sys.executable, "-c", "from nst_tutorial import gram_matrix; gram_matrix([[[1.0]]])"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert quiet.stderr == quiet.stdout == ""
    (tmp_path / "keras.py").write_text("import a_backend_that_is_not_there")
    missing = subprocess.run(
        [sys.executable, "-m", "nst_tutorial", "doctor"],
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    assert missing.returncode == 2
    assert "pip install -e '.[cpu]'" in missing.stderr
    assert missing.stderr.count("\n") == 1
