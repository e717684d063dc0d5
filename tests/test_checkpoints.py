"""A killed run goes on; a checkpoint of another run, or a damaged one, is a sentence."""

import contextlib
import dataclasses
import errno
import functools
import signal

import numpy as np
import pytest
from quick import OPTIONS, QUICK

from nst_tutorial import Checkpoint, NSTError, StyleTransfer, extractors, save_image, stylize
from nst_tutorial.__main__ import main
from nst_tutorial.lbfgs import PAIRS
from nst_tutorial.runs import checkpoints as module
from nst_tutorial.runs.provenance import read
from nst_tutorial.runtime.errors import NSTWarning
from nst_tutorial.runtime.interrupts import hold_interrupts, obey_requests
from nst_tutorial.runtime.precision import choose_precision

CONFIG = dataclasses.replace(QUICK, size=140, scales=2, steps=8, margin=0.04)


class Killed(BaseException):
    """Nothing catches it, as nothing catches a kill."""


@pytest.fixture(scope="module")
def pictures():
    rng = np.random.default_rng(3)
    return rng.uniform(0, 255, (1, 130, 140, 3)), rng.uniform(0, 255, (1, 90, 80, 3))


@pytest.fixture(scope="module")
def unbroken(pictures, extractor):
    """Runs that nothing killed, each painted once."""
    return functools.cache(lambda config: stylize(*pictures, extractor, config))


def killed_at(step, pictures, extractor, config, path):
    def kill(now):
        if now.step == step:
            raise Killed

    with pytest.raises(Killed):
        stylize(*pictures, extractor, config, kill, checkpoint=Checkpoint(path, seconds=0))


def resumed(pictures, extractor, config, path, callback=None):
    checkpoint = Checkpoint(path, seconds=0, resume=True)
    return stylize(*pictures, extractor, config, callback, checkpoint=checkpoint)


@pytest.mark.parametrize(
    ("optimizer", "step", "form"),  # the small size has five steps
    [
        ("adam", 2, "pixels"), ("adam", 6, "pixels"), ("adam", 6, "fourier"),
        ("nadam", 7, "pixels"), ("lbfgs", 3, "pixels"), ("lbfgs", 6, "pixels"),
        ("lbfgs", 8, "pixels"), ("lbfgs", 8, "fourier"),
    ],
)  # fmt: skip
def test_a_killed_run_ends_in_the_same_bytes(
    pictures, extractor, unbroken, tmp_path, optimizer, step, form
):
    config = dataclasses.replace(CONFIG, optimizer=optimizer, parameterization=form)
    whole = unbroken(config)
    killed_at(step, pictures, extractor, config, tmp_path / "c")
    taken = []
    result = resumed(pictures, extractor, config, tmp_path / "c", taken.append)
    np.testing.assert_array_equal(result.image, whole.image)
    assert [row["step"] for row in result.history] == list(range(1, 9))
    assert [row["total"] for row in result.history] == [row["total"] for row in whole.history]
    assert taken[0].step == step  # the one that was killed, before it was saved, is taken again


def test_lbfgs_goes_on_once_it_has_all_its_pairs(pictures, extractor, unbroken, tmp_path):
    config = dataclasses.replace(QUICK, optimizer="lbfgs", steps=18, init="noise")
    whole = unbroken(config)
    killed_at(PAIRS + 4, pictures, extractor, config, tmp_path / "c")
    result = resumed(pictures, extractor, config, tmp_path / "c")
    np.testing.assert_array_equal(result.image, whole.image)
    assert [row["total"] for row in result.history] == [row["total"] for row in whole.history]


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda state: state | {"more": state["picture"]}, "does not hold just picture"),
        (lambda state: state | {"picture": state["picture"][:, 1:]}, "picture .* is not float32"),
        (lambda state: state | {"picture": state["picture"] + np.float32(99)}, r"leaves 0\.\.255"),
        (lambda state: state | {"picture": state["picture"] * np.nan}, "picture .* NaN"),
    ],
)
def test_a_state_that_no_transfer_had(photograph, painting, extractor, optimizer, spoil, words):
    config = dataclasses.replace(CONFIG, optimizer=optimizer)
    one = StyleTransfer(photograph, [painting], extractor, config, photograph)
    one.run(2)
    with pytest.raises(NSTError, match=words):
        one.restore(spoil(one.state()))
    one.restore(one.state())


def test_the_command_line_resumes_in_the_precision_that_the_run_had(
    bfloat16, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    save_image("photo.png", np.full((64, 64, 3), 90.0))
    command = ["stylize", "photo.png", "photo.png", "-o", "out.png", "--extractor", "random"]
    command += ["--size", "64", "--steps", "3", "--optimizer", "adam", *OPTIONS]
    run = StyleTransfer.run

    def interrupted(self, steps, callback, *more):
        def raise_signal(terms):
            signal.raise_signal(signal.SIGINT)
            callback(terms)

        run(self, steps, raise_signal, *more)

    monkeypatch.setenv("NST_PRECISION", bfloat16)
    choose_precision.cache_clear()
    monkeypatch.setattr(StyleTransfer, "run", interrupted)
    assert main(command) == 1
    monkeypatch.setenv("NST_PRECISION", "float32")
    choose_precision.cache_clear()
    monkeypatch.setattr(StyleTransfer, "run", run)
    assert main([*command, "--resume"]) == 0
    assert read("out.png")["extractor"]["precision"] == bfloat16
    choose_precision.cache_clear()


def test_no_file_no_resuming(pictures, extractor, tmp_path):
    result = resumed(pictures, extractor, CONFIG, tmp_path / "none")
    assert len(result.history) == 8


def test_a_run_that_may_not_resume_starts_anew(pictures, extractor, tmp_path):
    killed_at(4, pictures, extractor, CONFIG, tmp_path / "c")
    seen = []
    stylize(*pictures, extractor, CONFIG, seen.append, checkpoint=Checkpoint(tmp_path / "c"))
    assert seen[0].step == 1


def test_ctrl_c_leaves_a_checkpoint_to_go_on_from(pictures, extractor, unbroken, tmp_path):
    def interrupt(step):
        if step.step == 3:
            signal.raise_signal(signal.SIGINT)

    checkpoint = Checkpoint(tmp_path / "c", seconds=1000)
    stopped = stylize(*pictures, extractor, CONFIG, interrupt, checkpoint=checkpoint)
    assert stopped.stopped == "interrupted, after step 3"
    taken = []
    whole = resumed(pictures, extractor, CONFIG, tmp_path / "c", taken.append)
    assert taken[0].step == 4
    np.testing.assert_array_equal(whole.image, unbroken(CONFIG).image)


@pytest.fixture
def stylize_after(tmp_path, monkeypatch):
    """Run `stylize` where the extractor is loaded after a function was called."""
    monkeypatch.chdir(tmp_path)
    save_image("photo.png", np.full((64, 64, 3), 90.0))
    load = extractors.load_extractor
    command = ["stylize", "photo.png", "photo.png", "-o", "out.png", "--extractor", "random"]
    command += ["--size", "64", "--steps", "3", "--optimizer", "adam", *OPTIONS]

    def stylize_after(happens):
        def load_later(*arguments, **options):
            happens()
            return load(*arguments, **options)

        monkeypatch.setattr(extractors, "load_extractor", load_later)
        return main(command)

    return stylize_after


def lose_ctrl_c():
    """As TensorFlow does at certain moments."""
    with contextlib.suppress(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_ctrl_c_that_is_lost_on_its_way_is_obeyed_at_the_first_step(stylize_after):
    assert stylize_after(lose_ctrl_c) == 1
    assert read("out.png")["stopped"] == "interrupted, after step 1"


@pytest.mark.parametrize("error", [TypeError, NSTError])
def test_ctrl_c_that_becomes_another_error_is_obeyed(stylize_after, capsys, error):
    def lose_and_fail():
        lose_ctrl_c()
        raise error("no sentence of ours")

    assert stylize_after(lose_and_fail) == 130
    assert not capsys.readouterr().err


def test_ctrl_c_that_becomes_another_error_once_a_picture_is_begun(stylize_after, monkeypatch):
    def fail(*_):
        lose_ctrl_c()
        raise TypeError

    monkeypatch.setattr("nst_tutorial.runs.run.plan_of", fail)
    assert stylize_after(lambda: None) == 130


def test_where_ctrl_c_is_ignored_a_request_to_end_is_noted():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as in a shell script's background
    try:
        with obey_requests(), hold_interrupts(holding=False) as outer, hold_interrupts() as inner:
            signal.raise_signal(signal.SIGTERM)
        assert outer is inner
        assert outer == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"config": dataclasses.replace(CONFIG, tv_weight=3)}, r"tv_weight is 3\.0, not 200\.0"),
        ({"content": np.zeros((1, 130, 140, 3))}, "the content without a name is another picture"),
    ],
)
def test_another_runs_checkpoint(pictures, extractor, tmp_path, change, words):
    killed_at(3, pictures, extractor, CONFIG, tmp_path / "c")
    content, style = change.get("content", pictures[0]), pictures[1]
    with pytest.raises(NSTError, match=words):
        resumed((content, style), extractor, change.get("config", CONFIG), tmp_path / "c")


@pytest.mark.parametrize("damage", [lambda b: b[:200], lambda b: b"", lambda b: b[::-1]])
def test_a_damaged_checkpoint(pictures, extractor, tmp_path, damage):
    killed_at(3, pictures, extractor, CONFIG, tmp_path / "c")
    (tmp_path / "c").write_bytes(damage((tmp_path / "c").read_bytes()))
    with pytest.raises(NSTError, match=r"c is (no checkpoint .* remove it|empty)"):
        resumed(pictures, extractor, CONFIG, tmp_path / "c")


def test_a_full_disk_warns_and_the_run_goes_on(pictures, extractor, tmp_path, monkeypatch):
    def full(file, **arrays):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module.np, "savez", full)
    with pytest.warns(NSTWarning, match="No space left"):
        result = stylize(*pictures, extractor, CONFIG, checkpoint=Checkpoint(tmp_path / "c", 0))
    assert result.stopped is None
    assert not list(tmp_path.iterdir())


def test_the_state_of_one_size(photograph, painting, extractor):
    config = dataclasses.replace(CONFIG, optimizer="nadam")
    one, other = (
        StyleTransfer(photograph, [painting], extractor, config, photograph) for _ in "ab"
    )
    one.run(4)
    other.run(2, learning_rate=config.learning_rate)
    other.restart(photograph)
    for done in range(4):
        other.run(done + 1, learning_rate=config.learning_rate * 0.1 ** (done / 4), done=done)
    assert (one.image != photograph).any()
    state = one.state()
    other.restore(state)
    one.step()
    other.step()
    np.testing.assert_array_equal(one.image, other.image)
