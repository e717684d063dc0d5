"""The panels: their callbacks called directly, as Jupyter does, on whichever thread."""

import gc
import io
import re
import threading
import time
import weakref
from pathlib import Path

import ipywidgets
import numpy as np
import pytest
from PIL import Image

from nst_tutorial import NSTError, TransferConfig, plots
from nst_tutorial.widgets.panels import (
    MORE,
    WEIGHTS,
    Playground,
    close_latest,
    explore,
    said,
    status,
)
from nst_tutorial.widgets.parts import bundled, curves, decades, encoded
from nst_tutorial.widgets.worker import News

IMAGES = Path(__file__).parent.parent / "images"
CONFIG = TransferConfig(
    content_layers="block2_conv1",
    style_layers=("block1_conv1", "block2_conv1"),
    size=64,
    steps=100_000,  # no run ends by itself
    optimizer="adam",
)
PATIENCE = 600  # seconds after which a wait has certainly failed, on whatever machine


@pytest.fixture
def panel(photograph, painting, extractor, shared_graphs):
    one = Playground(photograph, painting, extractor, CONFIG, images=IMAGES)
    wait(one, "ready")
    yield one
    one.close()
    assert not painters()


def painters():
    return [thread for thread in threading.enumerate() if thread.name == "painter"]


def wait(panel, words):
    """Wait until the status says the words."""
    until(panel, lambda: words in panel.status.value)


def until(panel, holds):
    stop = time.perf_counter() + PATIENCE
    while not holds():
        assert time.perf_counter() < stop, (panel.status.value, panel.note.value)
        time.sleep(0.005)


def shows_what_it_is_asked_for(panel):
    return panel._news.painted.job == panel.job()


def press(panel, name):
    panel.buttons[name].click()


def everything_in(box):
    for part in getattr(box, "children", ()):
        yield part
        yield from everything_in(part)


def upload(chooser, name, content):
    file = {"name": name, "type": "", "size": len(content), "last_modified": 0}
    chooser._uploaded(type("Change", (), {"new": [file | {"content": memoryview(content)}]}))


# What is seen -----------------------------------------------------------------------------------


def test_it_opens_with_the_photograph(panel, photograph):
    picture = Image.open(io.BytesIO(panel.preview.value))
    assert picture.size == (64, 50)
    assert "content in the style of style, after 0 steps" in panel.words.value
    assert repr(panel) == "Playground: run this cell in Jupyter to see the panel."


def test_every_control_says_what_it_does_and_every_picture_what_it_shows(panel):
    parts = list(everything_in(panel))
    controls = [part for part in parts if hasattr(part, "value") and hasattr(part, "disabled")]
    buttons = [part for part in parts if isinstance(part, ipywidgets.Button)]
    pictures = [part for part in parts if isinstance(part, ipywidgets.Image)]
    assert len(controls) >= len(WEIGHTS) + len(MORE) + 2
    assert len(buttons) >= 5 + 8
    assert len(pictures) == 3
    for part in controls + buttons + pictures:
        assert part.tooltip, part
    assert len({part.description for part in buttons}) == len(buttons)


def test_the_bundled_pictures_with_their_words():
    photographs, styles = bundled(IMAGES)
    listed = {Path(picture.source).name for picture in photographs + styles}
    there = {path.name for path in IMAGES.glob("*.*") if path.suffix in (".png", ".jpg")}
    assert listed == there - {"readme.jpg", "gallery.jpg", "colors.jpg", "regions.jpg"}
    assert "Chelsea the cat" in [picture.words for picture in photographs]
    assert "swirls" in [picture.name for picture in styles]


def test_a_folder_without_a_list_offers_every_picture_twice(tmp_path):
    Image.new("RGB", (9, 9)).save(tmp_path / "one.png")
    photographs, styles = bundled(tmp_path)
    assert [p.name for p in photographs] == [s.name for s in styles] == ["one"]
    assert bundled(tmp_path / "nowhere") == ([], [])


def test_without_any_picture_it_says_what_to_give(tmp_path, extractor):
    with pytest.raises(NSTError, match="no bundled content picture here; give one"):
        Playground(extractor=extractor, images=tmp_path)


def test_a_bundled_picture_by_its_path_is_not_offered_twice(extractor):
    one = Playground(IMAGES / "coffee.png", None, extractor, CONFIG, images=IMAGES)
    count = len(one.choosers["content"].strip.buttons)
    one.close()
    assert count == len(bundled(IMAGES)[0])


def test_positions_of_a_logarithmic_slider():
    positions = decades(-1, 3)
    assert positions[:3] == [0, 0.1, 0.125]
    assert positions[-1] == 1000
    ratios = np.divide(positions[2:], positions[1:-1])
    assert ratios.max() <= 1.281
    assert ratios.min() >= 1.24


# Controls ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*WEIGHTS, *MORE])
def test_both_ends_of_every_control(panel, name):
    control = panel.controls[name]
    values = [value for _, value in control.options]
    for end in (values[0], values[-1]):
        if name == "size" and end == values[-1]:
            end = values[3]  # the picture itself is small
        control.value = end
        assert getattr(panel.job().config, name) == end
        assert not panel._mistake
    if name not in ("content_layers", "steps"):
        press(panel, "Step")
        wait(panel, "paused")


def test_both_ends_of_the_layers_and_all_at_zero(panel):
    first, second = panel.layers.values()
    first.value = 0.0
    assert panel.job().config.layer_weights == (0.0, 0.5)
    second.value = 0.0
    assert "layer_weights is (0.0, 0.0); it must be a list of numbers from 0 up" in panel.note.value
    second.value = 10.0
    assert "layer_weights" not in panel.note.value
    press(panel, "Step")
    wait(panel, "paused after step 1")


def test_a_value_between_the_positions_becomes_one(photograph, painting, extractor):
    config = TransferConfig(size=70, content_weight=7.7, steps=33)
    one = Playground(photograph, painting, extractor, config, images=IMAGES)
    came = one.job().config
    one.close()
    assert (came.size, came.content_weight, came.steps) == (70, 7.7, 33)
    assert came.optimizer == config.optimizer
    assert came.layer_weights is None


def test_run_pause_step_reset(panel):
    press(panel, "Pause")
    press(panel, "Run")
    press(panel, "Run")
    wait(panel, "steps a second")
    assert len(painters()) == 1
    assert panel.buttons["Run"].button_style == "success"
    press(panel, "Pause")
    wait(panel, "paused")
    assert not panel.worker._something_to_do()
    held = panel.status.value
    assert panel.buttons["Run"].button_style == ""
    press(panel, "Step")
    step = int(re.search(r"step (\d+)", held)[1])
    wait(panel, f"paused after step {step + 1}")
    press(panel, "Reset")
    wait(panel, "ready")


def test_a_slider_moved_while_it_runs(panel):
    press(panel, "Run")
    wait(panel, "steps a second")
    seen = panel.preview.value
    panel.controls["style_weight"].value = 1000.0
    until(panel, lambda: shows_what_it_is_asked_for(panel) and panel.preview.value != seen)
    assert panel._news.painted.step > 1


def test_a_thousand_slider_events_while_it_runs(panel):
    press(panel, "Run")
    wait(panel, "steps a second")
    values = [value for _, value in panel.controls["style_weight"].options]
    for number in range(1000):
        panel.controls["style_weight"].value = values[number % 41]
    until(panel, lambda: shows_what_it_is_asked_for(panel))
    assert len(painters()) == 1
    press(panel, "Pause")
    wait(panel, "paused")


def test_callbacks_from_two_threads_end_in_what_the_sliders_say(panel):
    def move(name):
        for _, value in panel.controls[name].options:
            panel.controls[name].value = value

    movers = [threading.Thread(target=move, args=[name]) for name in WEIGHTS]
    for mover in movers:
        mover.start()
    for mover in movers:
        mover.join()
    assert panel.worker._wanted == panel.job()


def test_pictures_by_thumbnail_and_by_upload(panel, rng):
    chooser = panel.choosers["content"]
    chooser.strip.buttons[0].click()
    assert panel.job().content.words
    assert "nst-chosen" in chooser.strip.buttons[0]._dom_classes
    content = encoded(rng.uniform(0, 255, (1, 40, 50, 3)), "png")
    upload(panel.choosers["style"], "mine.png", content)
    assert panel.job().style.name == "mine.png"
    assert "style picture: mine.png" in panel.choosers["style"].words.value
    before = panel.job()
    upload(panel.choosers["style"], "broken.png", content[:300])
    assert "is damaged" in panel.note.value
    assert panel.job() == before
    press(panel, "Step")
    wait(panel, "paused after step 1")


def test_an_error_in_the_worker_is_a_sentence_in_the_panel(panel, rng):
    upload(panel.choosers["style"], "dot.png", encoded(np.zeros((1, 1, 1, 3)), "png"))
    press(panel, "Run")
    wait(panel, "stopped by an error")
    assert "a picture of 1×1 is too small" in panel.note.value
    assert not panel.worker.alive
    panel.choosers["style"].strip.buttons[0].click()
    press(panel, "Run")
    wait(panel, "steps a second")


def test_keep_and_go_back(panel):
    press(panel, "Step")
    wait(panel, "paused after step 1")
    seen, link = panel.preview.value, panel.link.value
    press(panel, "Keep")
    panel.controls["style_weight"].value = 0.0
    panel.choosers["content"].strip.buttons[0].click()
    wait(panel, "ready")
    assert panel.preview.value != seen
    panel.kept.buttons[0].click()
    wait(panel, "paused after step 1")
    assert panel.preview.value == seen
    assert panel.link.value == link
    assert panel.controls["style_weight"].value == CONFIG.style_weight
    assert panel.job().content.name == "content"
    assert "style weight" in panel.kept.buttons[0].tooltip


def test_take_home_is_there_when_it_rests(panel):
    press(panel, "Step")
    wait(panel, "paused after step 1")
    assert 'download="painted.png"' in panel.link.value
    assert "if step.step == 1:" in panel.code.value
    compile(panel.code.value, "cell", "exec")


# Closing ----------------------------------------------------------------------------------------


def test_one_at_a_time(panel, photograph, painting, extractor):
    press(panel, "Run")
    wait(panel, "steps a second")
    other = Playground(photograph, painting, extractor, CONFIG, images=IMAGES)
    assert panel.comm is None
    wait(other, "ready")
    assert len(painters()) == 1
    close_latest()
    assert other.comm is None


def test_closing_frees_the_widgets_and_the_transfer(photograph, painting, extractor):
    before = set(instances())
    one = Playground(photograph, painting, extractor, CONFIG, images=IMAGES)
    press(one, "Step")
    wait(one, "paused after step 1")
    press(one, "Keep")
    transfer = weakref.ref(one.worker._transfer)
    one.close()
    assert set(instances()) == before
    gc.collect()
    assert transfer() is None
    one.close()


def instances():
    from ipywidgets.widgets import widget

    return widget._instances


# Words and curves -------------------------------------------------------------------------------


def news(phase="running", step=50, change=9.0, message="", **terms):
    row = {"content": 1.0, "style": 1.0, "tv": 1.0} | terms
    history = [{"step": n, **row, "total": sum(row.values())} for n in range(1, step + 1)]
    painted = type("Painted", (), {"step": step})
    return News(phase, painted, 150, 10.0, change, history, message)


def test_status():
    assert status(news()) == "step 50 of 150, 10.0 steps a second, 10 s left"
    assert status(news("paused")) == "paused after step 50"
    assert "move a slider" in status(news("done"))


def test_hints():
    assert said(None) == said(news()) == ""
    assert said(news(style=98.0)).startswith("style is 98% of the total. Raise the content weight")
    assert said(news(content=98.0)).startswith("content is 98% of the total.")
    assert said(news(tv=98.0)).endswith("lower the tv weight.")
    assert said(news(step=9, style=98.0)) == ""
    assert "stopped changing" in said(news(change=0.1))
    assert said(news(message="no.")) == "no."


def test_curves_draw_every_term_and_say_the_last_numbers():
    drawn = curves(news(step=500, style=0.0).history)
    assert drawn.count("<polyline") == 4
    assert "step 500" in drawn
    assert "total 2, content 1, style 0, tv 1" in drawn
    assert len(drawn) < 30_000
    assert curves([]) == ""


# explore ----------------------------------------------------------------------------------------


def test_explore_shows_and_remembers():
    calls = []

    def bars(layer, factor):
        calls.append((layer, factor))
        if factor == 3:
            raise NSTError("three is too many.")
        return plots.show_bars({layer: float(factor)}, "height")

    panel = explore(bars, layer=["a", "b"], factor=range(1, 5))
    assert calls == [("a", 1)]
    first = panel.picture.value
    assert Image.open(io.BytesIO(first)).width > 300
    panel.sliders["layer"].value = "b"
    assert panel.picture.value != first
    panel.sliders["layer"].value = "a"
    assert panel.picture.value == first
    assert calls == [("a", 1), ("b", 1)]
    panel.sliders["factor"].value = 3
    assert "three is too many." in panel.note.value
    panel.sliders["factor"].value = 4
    assert "layer a, factor 4" in panel.note.value
    assert repr(panel).startswith("Sliders")
    panel.close()


def test_explore_takes_photographs_too():
    panel = explore(lambda grey: plots.show_images([np.full((4, 4, 3), grey)]), grey=[0, 9])
    assert Image.open(io.BytesIO(panel.picture.value)).format == "JPEG"
    panel.close()
