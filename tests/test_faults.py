"""No fault loses a picture: kills, Ctrl-C, full disks, read-only folders, at any moment.

The campaigns run the command line in forked children, which share one import of TensorFlow; what
is killed is everything after it. `make test` tries a few moments, `make test-long` a hundred.
"""

import contextlib
import os
import random
import re
import signal
import sys
import time

import children
import numpy as np
import pytest
from PIL import Image

from nst_tutorial import NSTError, save_image
from nst_tutorial.__main__ import main
from nst_tutorial.runtime.files import replace_file
from nst_tutorial.runtime.interrupts import REQUESTS

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no kill -9 and forks")

LAYERS = ["--content-layers", "block1_conv2", "--style-layers", "block1_conv1"]
QUICK = ["--extractor", "random", *LAYERS]
ADAM = ["--optimizer", "adam", "--steps", "24", "--size", "130", "--checkpoint-every", "0"]


@pytest.fixture(scope="module")
def here(tmp_path_factory, photograph, painting):
    """A folder with pictures."""
    folder = tmp_path_factory.mktemp("faults")
    rng = np.random.default_rng(0)
    save_image(folder / "photo.png", rng.uniform(0, 255, (1, 130, 130, 3)))
    save_image(folder / "stripes.png", painting)
    return folder


def in_child(arguments, folder):
    os.chdir(folder)
    sys.exit(main(arguments))


def command(folder, output, *options, **until):
    """Run `stylize` in a child and return its exit status; see `run`."""
    arguments = ["stylize", "photo.png", "stripes.png", "-o", output, *QUICK, *options]
    return run(folder, arguments, folder / f"{output}.log", **until)


def run(folder, arguments, log, until=None, begun=False):
    """Run a command in a child and return its exit status.

    Args:
        log: where its words go.
        until: seconds after which it is sent a signal, and which.
        begun: count the seconds from its first step on.
    """
    log.touch()  # a child that is stopped at once does not come to open it
    child = children.start(in_child, arguments, folder, log=log)
    if until:
        seconds, number = until
        while begun and child.is_alive() and "loss" not in log.read_text():
            time.sleep(0.01)
        child.join(seconds)
        if child.is_alive():
            with contextlib.suppress(ProcessLookupError):  # it ends in this moment
                os.kill(child.pid, number)
    child.join(600)
    assert child.exitcode is not None, "it hangs"
    return child.exitcode


def whole(path):
    with Image.open(path) as picture:
        picture.load()
        return picture.size


@pytest.fixture(scope="module")
def moments(here):
    """Paint the unbroken picture; return a function that draws so many moments of such a run."""
    children.start(int).join()  # the server starts
    began = time.monotonic()
    assert command(here, "unbroken.png", *ADAM) == 0
    length = time.monotonic() - began
    draw = random.Random(0)
    return lambda count: [draw.uniform(0, 1.05 * length) for _ in range(count)]


def count(short):
    return [
        pytest.param(short, id="short"),
        pytest.param(100, id="long", marks=pytest.mark.long),
    ]


@pytest.mark.parametrize("kills", count(2))
def test_killed_and_resumed_it_is_the_unbroken_picture(here, moments, kills, capsys):
    resumed = 0
    for number, moment in enumerate(moments(kills)):
        name = f"killed{kills}-{number}.png"
        command(here, name, *ADAM, until=(moment, signal.SIGKILL))
        resumed += (here / f"{name}.checkpoint").exists()
        if (here / name).exists():
            assert whole(here / name) == (130, 130)
        assert command(here, name, *ADAM, "--resume") == 0, (here / f"{name}.log").read_text()
        assert (here / name).read_bytes() == (here / "unbroken.png").read_bytes()
        assert not (here / f"{name}.checkpoint").exists()
    with capsys.disabled():
        print(f" {kills} killed, {resumed} of them resumed from a checkpoint, all equal", end="")


@pytest.mark.parametrize("interrupts", count(2))
def test_ctrl_c_at_any_moment_saves_the_picture(here, moments, interrupts, capsys):
    saved = 0
    for number, moment in enumerate(moments(interrupts)):
        name = f"interrupted{interrupts}-{number}.png"
        status = command(here, name, *ADAM, until=(moment, signal.SIGINT))
        log = (here / f"{name}.log").read_text()
        # One that TensorFlow loses is obeyed later, after a traceback of its own.
        assert not re.search("KeyboardInterrupt|RequestedError", log)
        assert status in (0, 1, 130), log
        begun = "loss" in log
        assert (here / name).exists() or not begun, log
        if (here / name).exists():
            saved += 1
            assert whole(here / name) == (130, 130)
    with capsys.disabled():
        print(f" {interrupts} interrupted, {saved} saved, the others before a step", end="")


@pytest.mark.parametrize(
    ("request_to_end", "requests"),
    [
        pytest.param(signal.SIGTERM, 1, id="short"),
        *(pytest.param(one, 50, id=one.name, marks=pytest.mark.long) for one in REQUESTS),
    ],
)
def test_a_request_to_end_leaves_a_picture_to_go_on_from(
    here, moments, request_to_end, requests, capsys
):
    """Once a step was taken, the picture is there, and goes on to that of the unbroken run."""
    resumed = 0
    for number, moment in enumerate(moments(requests)):
        name = f"{request_to_end.name}{requests}-{number}.png"
        status = command(here, name, *ADAM, until=(moment / 2, request_to_end), begun=True)
        said = (here / f"{name}.log").read_text()
        ended_later = (128 + request_to_end, -request_to_end)  # after the picture, by Python itself
        assert status in (0, 1, *ended_later), said
        assert whole(here / name) == (130, 130)
        if status == 1:
            resumed += 1
            assert command(here, name, *ADAM, "--resume") == 0, (here / f"{name}.log").read_text()
        assert (here / name).read_bytes() == (here / "unbroken.png").read_bytes()
    with capsys.disabled():
        print(f" {requests} asked, {resumed} resumed, all equal", end="")


TRAIN = "train stripes.png --images photos -o {}/net.keras --width 4 --blocks 1 --batch-size 2 "
TRAIN += "--size 32 --style-size 64 --steps 60 --coarse 0 --save-every 0 --extractor random"
OTHERS = {
    "apply": "apply shipped photos -o {}",
    "rerun": "rerun unbroken.png -o {}/again.png",
    "train": TRAIN,
}


@pytest.fixture(scope="module")
def photographs(here, moments):
    """A folder of them in `here`, where the unbroken picture is already."""
    (here / "photos").mkdir()
    for number in range(4):
        rng = np.random.default_rng(number)
        save_image(here / "photos" / f"{number}.png", rng.uniform(0, 255, (1, 96, 130, 3)))


@pytest.mark.long
@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize("request_to_end", [signal.SIGINT, *REQUESTS], ids=lambda one: one.name)
def test_other_commands_end_when_asked_and_leave_whole_files(
    here, photographs, kind, request_to_end, capsys
):
    """At any of ten moments; the same command then does the rest."""
    name = f"{kind}-{request_to_end.name}"

    def ask(place, **until):
        (here / place).mkdir(exist_ok=True)
        log = here / f"{place}.log"
        status = run(here, OTHERS[kind].format(place).split(), log, **until)
        return status, log.read_text()

    began = time.monotonic()
    assert ask(f"{name}-unbroken")[0] == 0
    length = time.monotonic() - began
    draw, stopped = random.Random(name), 0
    for number in range(10):
        place = f"{name}-{number}"
        status, said = ask(place, until=(draw.uniform(0, 1.05 * length), request_to_end))
        assert status in (0, 1, 128 + request_to_end, -request_to_end), said
        assert "Traceback" not in said
        assert "something went wrong" not in said
        stopped += status != 0
        for path in (here / place).iterdir():
            if path.suffix == ".png":
                assert whole(path)
            else:
                assert path.name in ("net.keras", "net.keras.checkpoint")
        assert ask(place)[0] == 0
        assert made(here / place) == made(here / f"{name}-unbroken")
    with capsys.disabled():
        print(f" 10 asked, {stopped} stopped, all whole", end="")


def made(folder):
    """What a command made: `{name: bytes}` of pictures; of a network, which rounds, its name."""
    return {path.name: path.suffix == ".png" and path.read_bytes() for path in folder.iterdir()}


def in_child_without_reader(arguments, folder, full):
    if full:
        handle = os.open("/dev/full", os.O_WRONLY)
    else:
        reader, handle = os.pipe()
        os.close(reader)
    children.print_to(handle)
    in_child(arguments, folder)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has /dev/full")
@pytest.mark.parametrize("full", [True, False], ids=["full disk", "reader gone"])
def test_what_becomes_of_its_words_ends_no_run(here, full):
    arguments = ["stylize", "photo.png", "stripes.png", "-o", "mute.png", *QUICK]
    arguments += ["--size", "64", "--steps", "3"]
    child = children.start(in_child_without_reader, arguments, here, full)
    child.join(600)
    assert child.exitcode == 0
    assert whole(here / "mute.png") == (64, 64)
    (here / "mute.png").unlink()


def test_no_fault_while_writing_leaves_half_a_file(tmp_path):
    save_image(tmp_path / "a.png", np.zeros((4, 4, 3)))
    before = (tmp_path / "a.png").read_bytes()

    def fill_the_disk():
        with replace_file(tmp_path / "a.png") as file:
            file.write(b"half a pic")
            raise OSError(28, "No space left on device")

    with pytest.raises(NSTError, match="cannot write"):
        fill_the_disk()
    assert (tmp_path / "a.png").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.filterwarnings("always")
def test_a_disk_that_fills_up_at_the_end(here, monkeypatch, capsys, tmp_path):
    """The picture is put elsewhere, and the sentence says where."""
    from nst_tutorial.runtime import encoding

    monkeypatch.chdir(here)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)

    def full(path):
        if path.parent == path.__class__("."):
            raise NSTError(f"cannot write {path}: No space left on device.")
        return replace_file(path)

    monkeypatch.setattr(encoding, "replace_file", full)
    arguments = ["stylize", "photo.png", "stripes.png", "-o", "full.png", *QUICK]
    assert main([*arguments, "--steps", "2", "--size", "64", "--save-every", "1"]) == 2
    said = capsys.readouterr().err
    assert said.count("nst-tutorial: cannot write full.png") == 3  # after each step, and at the end
    assert "No space left on device. The picture is in" in said
    (saved,) = tmp_path.rglob("picture.png")
    assert str(saved) in said
    assert whole(saved) == (64, 64)


def test_a_folder_that_takes_no_file_is_refused_before_the_work(here, monkeypatch, capsys):
    def refuse(path, *flags):
        raise PermissionError(13, "Permission denied")

    monkeypatch.chdir(here)
    monkeypatch.setattr("nst_tutorial.runtime.files.os.open", refuse)  # root may write anywhere
    assert main(["stylize", "photo.png", "stripes.png", "-o", "out.png"]) == 2
    assert "Permission denied" in capsys.readouterr().err
