"""The worker: answers every wish, starts once, ends cleanly, and forgets nothing it should keep."""

import dataclasses
import io
import itertools
import threading
import time
import types

import numpy as np
import pytest
from PIL import Image
from quick import SHALLOW

from nst_tutorial import TransferConfig, rerun, stylize
from nst_tutorial.config import weighted
from nst_tutorial.objective import evaluate
from nst_tutorial.widgets.path import Job, Painted, Picture, Stretch
from nst_tutorial.widgets.souvenir import as_code, as_film, as_png
from nst_tutorial.widgets.worker import FRAMES, STRIDE, Worker

CONFIG = TransferConfig(**SHALLOW, size=64, steps=12, scales=1, optimizer="adam")
ENDLESS = 100_000  # steps that no test waits for
PATIENCE = 600  # seconds after which a wait has certainly failed, on whatever machine


class Bench:
    """A worker, and all the news that came from it."""

    def __init__(self, job, extractor):
        self.news, self.answer = [], lambda news: None  # called in the worker's thread
        self.worker = Worker(job, extractor, self._hear)

    def _hear(self, news):
        self.news.append(news)
        self.answer(news)

    @property
    def last(self):
        return self.news[-1]

    def wait(self, holds):
        """Wait until `holds(news)` of the latest news."""
        stop = time.perf_counter() + PATIENCE
        while not (self.news and holds(self.last)):
            assert time.perf_counter() < stop, self.news[-1:]
            time.sleep(0.005)
        return self.last

    def until(self, *phases):
        return self.wait(lambda news: news.phase in phases)


@pytest.fixture
def job(photograph, painting):
    return Job(Picture("content", photograph), Picture("style", painting), CONFIG)


@pytest.fixture
def bench(job, extractor, shared_graphs):
    one = Bench(job, extractor)
    yield one
    one.worker.close()
    assert not painters()


def painters():
    return [thread for thread in threading.enumerate() if thread.name == "painter"]


def graph_of(worker):
    """The compiled graph of what it paints: one that was made before, if its extractor has it."""
    objective = worker.transfer.objective
    return objective.extractor.compile(evaluate, objective.convention).args[0]  # TensorFlow's own


def changed(job, **settings):
    return dataclasses.replace(job, config=dataclasses.replace(job.config, **settings))


def test_nothing_starts_before_it_is_asked_for(bench):
    assert not painters()
    assert not bench.news


def test_a_job_shows_where_the_picture_starts(bench, job):
    bench.worker.paint(job)
    news = bench.until("ready")
    assert news.painted.image.shape[1:3] == (50, 64)
    assert news.painted.step == 0


def test_run_takes_the_steps_of_one_run(bench):
    bench.worker.run()
    news = bench.until("done")
    assert news.painted.step == news.painted.planned == CONFIG.steps
    assert [row["step"] for row in news.history] == list(range(1, CONFIG.steps + 1))
    row = news.history[-1]
    assert row["content"] + row["style"] + row["tv"] == pytest.approx(row["total"], rel=1e-4)
    assert row["total"] < news.history[0]["total"]


def test_starting_twice_starts_once(bench):
    asked = threading.Event()
    bench.answer = lambda news: news.phase == "preparing" and asked.wait(PATIENCE)
    for _ in range(20):
        bench.worker.run()
    assert len(painters()) == 1
    asked.set()
    assert bench.until("done").painted.step == CONFIG.steps


def test_pausing_before_the_first_step(bench):
    bench.answer = lambda news: news.phase == "preparing" and bench.worker.pause()
    bench.worker.run()
    assert bench.until("ready").painted.step == 0
    bench.answer = lambda news: None
    bench.worker.run()
    assert bench.until("done").painted.step == CONFIG.steps


def test_pause_holds_the_step_count_and_run_goes_on_as_if_nothing_were(bench, job):
    bench.answer = lambda news: news.phase == "running" and bench.worker.pause()
    bench.worker.run()
    assert bench.until("paused").painted.step == 1
    assert not bench.worker.busy
    bench.answer = lambda news: None
    bench.worker.run()
    news = bench.until("done")
    assert not news.painted.steered
    pictures = job.content.source, job.style.source
    expected = stylize(*pictures, bench.worker.extractor, job.config).image
    np.testing.assert_array_equal(news.painted.image, expected)


def test_single_steps(bench):
    for step in (1, 2, 3):
        bench.worker.step()
        bench.wait(lambda news, step=step: news.phase == "paused" and news.painted.step == step)
    bench.worker.step()
    bench.worker.step()
    assert bench.wait(lambda news: news.phase == "paused" and news.painted.step == 5)


def test_step_while_it_runs_pauses_it(bench, job):
    bench.worker.paint(changed(job, steps=ENDLESS))
    bench.worker.run()
    bench.until("running")
    bench.worker.step()
    bench.until("paused")
    assert not bench.worker.busy


@pytest.mark.parametrize("optimizer", ["adam", "nadam", "lbfgs"])
def test_a_changed_weight_acts_on_the_next_step_and_the_picture_goes_on(bench, job, optimizer):
    long = changed(job, optimizer=optimizer, steps=ENDLESS)
    bench.worker.paint(long)
    bench.worker.run()
    bench.wait(lambda news: news.painted.step >= 3)
    graph = graph_of(bench.worker)
    compiled = graph.experimental_get_tracing_count()
    before = bench.last.painted
    new = changed(long, style_weight=0.0, tv_weight=0.0)
    bench.worker.paint(new)
    after = bench.wait(lambda news: news.painted.job == new)
    assert after.painted.step > before.step
    assert after.history[-1]["style"] == 0
    assert graph_of(bench.worker) is graph
    assert graph.experimental_get_tracing_count() == compiled
    assert after.painted.steered


def test_a_weight_changed_after_the_end_runs_on(bench, job):
    bench.worker.run()
    bench.until("done")
    bench.worker.paint(changed(job, style_weight=1.0))
    news = bench.wait(lambda news: news.phase == "done" and news.painted.step == 24)
    assert news.painted.path[-1].schedule == ((12, {"style_weight": 1.0}),)


@pytest.mark.parametrize(
    ("setting", "kept"),
    [
        ({"content_layers": ("block1_conv2",)}, True),
        ({"optimizer": "lbfgs"}, True),
        ({"size": 48}, False),
        ({"init": "noise"}, False),
    ],
)
def test_what_needs_a_new_start_starts_again_and_the_rest_keeps_the_picture(
    bench, job, setting, kept
):
    bench.worker.run()
    bench.until("done")
    bench.worker.pause()
    new = changed(job, **setting)
    bench.worker.paint(new)
    news = bench.wait(lambda news: news.painted.job == new)
    assert news.painted.step == (12 if kept else 0)
    bench.worker.step()
    bench.wait(lambda news: news.painted.step == (13 if kept else 1))


def test_reset_goes_back_to_the_start_without_compiling(bench, photograph):
    bench.worker.run()
    first = bench.until("done").painted.image
    graph = graph_of(bench.worker)
    compiled = graph.experimental_get_tracing_count()
    bench.worker.reset()
    news = bench.until("ready")
    assert news.painted.step == 0
    assert not news.history
    bench.worker.run()
    np.testing.assert_array_equal(bench.until("done").painted.image, first)
    assert graph_of(bench.worker) is graph
    assert graph.experimental_get_tracing_count() == compiled


def test_going_back_brings_the_picture_and_its_settings(bench, job):
    bench.worker.run()
    kept = bench.until("done").painted
    bench.worker.paint(changed(job, size=48))
    bench.wait(lambda news: news.phase == "done" and news.painted.image.shape[2] == 48)
    bench.worker.go_back(kept)
    news = bench.until("paused")
    assert news.painted.job == job
    assert news.painted.step == kept.step
    np.testing.assert_array_equal(news.painted.image, np.rint(kept.image))
    bench.worker.step()
    news = bench.wait(lambda news: news.painted.step == 13)
    assert news.painted.path[-1].schedule == ((12, "restart"),)
    assert [row["step"] for row in news.history] == list(range(1, 14)), "and what led to it"


def test_an_error_is_a_sentence_and_run_works_again(bench, job):
    bad = dataclasses.replace(job, style=Picture("no picture", b"no picture"))
    bench.worker.paint(bad)
    assert bench.until("failed").message == (
        "the data is not a picture, or of a kind that cannot be read; save it as PNG or JPEG."
    )
    bench.worker.paint(job)
    bench.worker.run()
    assert bench.until("done").message == ""


def test_a_loss_that_is_no_number_keeps_the_picture(bench, job):
    bench.worker.run()
    image = bench.until("done").painted.image
    bench.worker.paint(changed(job, style_weight=1e30, layer_weights=(1e30, 1e30)))
    news = bench.until("failed")
    assert "no longer a number" in news.message
    np.testing.assert_array_equal(news.painted.image, np.rint(image))
    bench.worker.paint(job)
    bench.worker.run()
    assert bench.until("done").painted.step > CONFIG.steps


def test_whatever_goes_wrong_ends_in_a_sentence(bench, monkeypatch):
    def fail(self, steps, callback):
        raise MemoryError("no room\nat all")

    monkeypatch.setattr("nst_tutorial.transfer.StyleTransfer.run", fail)
    bench.worker.run()
    assert bench.until("failed").message == "MemoryError: no room"
    monkeypatch.undo()
    bench.worker.run()
    bench.until("done")


def test_of_a_thousand_wishes_in_one_step_the_last_counts(bench, job):
    asked = threading.Event()
    bench.answer = lambda news: news.phase == "running" and asked.wait(PATIENCE)
    bench.worker.paint(changed(job, steps=ENDLESS))
    bench.worker.run()
    bench.until("running")
    for number in range(1000):
        bench.worker.paint(changed(job, steps=ENDLESS, style_weight=float(number)))
    asked.set()
    news = bench.wait(lambda news: news.painted.job.config.style_weight == 999)
    assert news.painted.path[-1].schedule == ((1, {"style_weight": 999.0}),)
    seen = {news.painted.job.config.style_weight for news in bench.news}
    assert seen == {job.config.style_weight, 999}
    assert len(painters()) == 1


@pytest.mark.parametrize(("seconds_between_looks", "shown"), [(0, 1), (1, CONFIG.steps)])
def test_news_is_rare_enough_for_a_browser(bench, monkeypatch, seconds_between_looks, shown):
    looks = itertools.count(1000, seconds_between_looks)
    clock = types.SimpleNamespace(perf_counter=lambda: next(looks))
    monkeypatch.setattr("nst_tutorial.widgets.worker.time", clock)
    bench.worker.run()
    bench.until("done")
    phases = [news.phase for news in bench.news]
    assert phases == ["preparing", *["running"] * shown, "done"]


def test_what_a_newer_wish_has_overtaken_is_not_shown(bench, job, monkeypatch):
    """While a slider is dragged, the first picture of each wish is all that is shown of it."""
    monkeypatch.setattr("nst_tutorial.widgets.worker.NEWS_A_SECOND", float("inf"))
    steps, other = itertools.count(1), changed(job, style_weight=999.0)

    def wish_during_a_step(*terms):
        if next(steps) == STRIDE:
            bench.worker.paint(other)
        return weighted(*terms)

    monkeypatch.setattr("nst_tutorial.widgets.worker.weighted", wish_during_a_step)
    bench.worker.run()
    bench.until("done")
    shown = [one.painted for one in bench.news if one.phase == "running"]
    before = [one.step for one in shown if one.job.config == job.config]
    assert before == list(range(1, STRIDE))  # the tenth, in which the wish came, is left out
    assert shown[len(before)].step == STRIDE + 1


def test_close_ends_the_thread_while_it_runs(bench, job):
    bench.worker.paint(changed(job, steps=ENDLESS, optimizer="lbfgs"))
    bench.worker.run()
    bench.until("running")
    bench.worker.close()
    assert not painters()
    assert bench.worker.transfer is None
    bench.worker.run()
    assert not painters()


def test_one_who_looks_on_and_breaks_does_not_hang_the_worker(job, extractor):
    def break_down(news):
        raise RuntimeError("no screen")

    worker = Worker(job, extractor, break_down)
    worker.run()
    for thread in painters():
        thread.join(PATIENCE)
    assert not painters()
    worker.close()


# Taking it home ---------------------------------------------------------------------------------


@pytest.fixture
def on_disk(tmp_path, photograph, painting):
    from nst_tutorial import save_image

    save_image(tmp_path / "photo.png", photograph)
    save_image(tmp_path / "style.png", painting)
    content, style = (Picture(name, str(tmp_path / f"{name}.png")) for name in ("photo", "style"))
    return Job(content, style, CONFIG)


def made_by(code, folder, monkeypatch):
    monkeypatch.chdir(folder)
    names = {}
    exec(compile(code, "cell", "exec"), names)
    assert (folder / "painted.png").is_file()
    return names["result"]


@pytest.mark.parametrize("settings", [{}, {"init": "noise", "seed": 3}, {"optimizer": "lbfgs"}])
@pytest.mark.parametrize("pause_at", [None, 5])
def test_the_code_makes_the_same_picture(
    extractor, on_disk, tmp_path, monkeypatch, settings, pause_at
):
    bench = Bench(changed(on_disk, **settings), extractor)
    for _ in range(pause_at or 0):
        bench.worker.step()
    if not pause_at:
        bench.worker.run()
    painted = bench.wait(
        lambda news: (
            news.phase == ("paused" if pause_at else "done")
            and news.painted.step == (pause_at or CONFIG.steps)
        )
    ).painted
    bench.worker.close()
    result = made_by(as_code(painted, extractor), tmp_path, monkeypatch)
    np.testing.assert_array_equal(result.image, painted.image)
    assert len(result.history) == painted.step


SECOND = ({"style_weight": 1.0}, {"content_layers": ("block1_conv2",)}, {"optimizer": "lbfgs"})


def steered(bench, job, other):
    """Take a way with all that can happen on one; return the picture at its end."""
    worker, config = bench.worker, job.config
    steps_to(bench, 3)
    worker.paint(job := changed(job, **SECOND[0]))
    steps_to(bench, 5)
    kept = bench.last.painted
    worker.paint(job := changed(job, **SECOND[1]))
    steps_to(bench, 7)
    worker.go_back(kept)
    bench.wait(lambda news: news.painted.step == 5)
    steps_to(bench, 6)
    worker.paint(job := dataclasses.replace(job, style=other))
    steps_to(bench, 8)
    worker.paint(job := changed(job, **SECOND[2]))
    worker.run()
    bench.wait(lambda news: news.phase == "done" and news.painted.step > 8)
    worker.run()
    painted = bench.wait(lambda news: news.phase == "done" and news.painted.step == 8 + 24).painted
    assert config.steps == 12
    assert painted.steered
    return painted


def steps_to(bench, step):
    for taken in range(bench.last.painted.step + 1, step + 1):
        bench.worker.step()
        bench.wait(lambda news, taken=taken: news.phase == "paused" and news.painted.step == taken)


def test_a_steered_way_is_taken_again_by_its_code(extractor, on_disk, tmp_path, monkeypatch):
    job = changed(on_disk, init="content")  # others start again with another style
    bench = Bench(job, extractor)
    bench.worker.paint(job)
    bench.until("ready")
    painted = steered(bench, job, Picture("photo", str(tmp_path / "photo.png")))
    bench.worker.close()
    assert len(painted.path) == 2
    code = as_code(painted, extractor)
    assert '(5, "restart"),' in code
    assert '# "restart": rounded to whole numbers' in code
    assert "start=result.image" in code
    result = made_by(code, tmp_path, monkeypatch)
    np.testing.assert_array_equal(result.image, painted.image)


def test_while_a_slider_is_held_a_slow_picture_is_halved_and_all_that_is_taken_again(
    extractor, on_disk, tmp_path, monkeypatch
):
    monkeypatch.setattr("nst_tutorial.widgets.worker.SLOW", 1e9)
    monkeypatch.setattr("nst_tutorial.widgets.worker.SMALLEST_STAGE", 16)
    bench = Bench(changed(on_disk, steps=ENDLESS), extractor)
    worker = bench.worker
    worker.run()
    bench.wait(lambda news: news.rate)
    worker.hold(True)
    bench.wait(lambda news: news.painted.path[-1].halved)
    assert worker.transfer.shape[2] == 32
    assert bench.last.painted.image.shape[2] == 64
    worker.paint(changed(on_disk, steps=ENDLESS, style_weight=7.0))
    bench.wait(lambda news: news.painted.job.config.style_weight == 7)
    worker.hold(False)
    bench.wait(lambda news: not news.painted.path[-1].halved)
    worker.pause()
    painted = bench.until("paused").painted
    assert worker.transfer.shape[2] == 64
    png = as_png(painted, extractor)
    code = as_code(painted, extractor)
    worker.close()
    assert '"half"' in code
    for word in ("half", "whole"):
        assert code.count(f'    # "{word}": at ') == 1
    assert '# "restart"' not in code
    result = made_by(code, tmp_path, monkeypatch)
    np.testing.assert_array_equal(result.image, painted.image)
    (tmp_path / "panel.png").write_bytes(png)
    rerun("panel.png").save("again.png")
    assert (tmp_path / "again.png").read_bytes() == png
    assert (tmp_path / "painted.png").read_bytes() == png


def test_a_film_of_the_run_never_grows_too_long(bench, job):
    bench.worker.paint(changed(job, steps=200))
    bench.worker.run()
    film = bench.wait(lambda news: news.phase == "done" and news.painted.step == 200).film
    steps = [frame.step for frame in film]
    assert steps[0] == 0
    assert FRAMES / 2 <= len(steps) <= FRAMES
    assert len(set(np.diff(steps))) == 1
    assert film[5].image.dtype == "uint8"
    as_film(film[:3], "webp")
    with Image.open(io.BytesIO(as_film(film[:4], "gif"))) as gif:
        assert (gif.n_frames, gif.size) == (4, (64, 50))


def test_going_back_to_a_frame_keeps_the_film_up_to_it(bench, job):
    bench.worker.run()
    film = bench.until("done").film
    bench.worker.go_back(film[4], film[:5])
    news = bench.until("paused")
    assert news.painted.step == 4
    assert news.film == film[:5]
    assert [row["step"] for row in news.history] == [1, 2, 3, 4]
    assert news.painted.planned == 4 + CONFIG.steps
    bench.worker.step()
    assert [f.step for f in bench.wait(lambda news: len(news.film) == 6).film] == [0, 1, 2, 3, 4, 5]
    bench.worker.paint(changed(job, size=48))
    news = bench.wait(lambda news: news.painted.image.shape[2] == 48 and news.phase == "ready")
    assert [frame.step for frame in news.film] == [0], "another start, another film"


def test_what_a_challenge_asks_for_is_what_its_weights_paint(bench, job):
    seen = []
    secret = changed(job, style_weight=3.0)
    bench.worker.aim(secret, 12, lambda image, done: seen.append((image, done)))
    bench.wait(lambda news: news.phase == "ready" and seen and seen[-1][1])
    bench.worker.paint(secret)
    bench.worker.run()
    painted = bench.wait(lambda news: news.phase == "done").painted
    np.testing.assert_array_equal(painted.shown, seen[-1][0])


def test_a_picture_that_hardly_changes_is_measured_anew_after_a_change(bench, job):
    bench.worker.paint(changed(job, steps=30))
    bench.worker.run()
    assert np.isfinite(bench.until("done").change)
    bench.worker.pause()
    bench.worker.paint(changed(job, steps=30, style_weight=1.0))
    bench.wait(lambda news: news.painted.job.config.style_weight == 1 and news.change == np.inf)


def test_the_code_names_uploads_and_arrays(job, extractor, photograph):
    upload = dataclasses.replace(job, style=Picture("my cat.jpg", b"..."))
    painted = Painted(upload, photograph, 12, (Stretch(upload, 0),))
    code = as_code(painted, extractor)
    assert "# Put your picture my cat.jpg beside this notebook" in code
    assert 'stylize(content, "my cat.jpg", extractor, config)' in code
    compile(code, "cell", "exec")
