"""`explore`: sliders on a function; its callbacks called as Jupyter does."""

import io

import numpy as np
import pytest
from PIL import Image

from nst_tutorial import NSTError, plots
from nst_tutorial.widgets import explore


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


def gray(level):
    return plots.show_images([np.full((4, 4, 3), level)], width=4)


def test_pictures_are_crisp_on_a_screen_with_twice_the_dots():
    panel = explore(gray, level=[0, 9])
    picture = Image.open(io.BytesIO(panel.picture.value))
    assert picture.format == "JPEG"
    assert picture.width == 2 * int(panel.picture.layout.max_width.removesuffix("px"))
    panel.close()


def test_right_is_more_and_the_first_value_is_shown_first():
    panel = explore(gray, level=[90, 200, 10])
    assert [value for _, value in panel.sliders["level"].options] == [10, 90, 200]
    assert panel.sliders["level"].value == 90
    panel.close()
    panel = explore(gray, start={"level": 200}, level=[90, 200, 10])
    assert panel.sliders["level"].value == 200
    panel.close()
    for wrong in ({"level": 7}, {"depth": 90}):
        with pytest.raises(NSTError, match="not among the choices"):
            explore(gray, start=wrong, level=[90])


def test_a_page_without_a_kernel_shows_a_strip():
    calls = []

    def called(level, other):
        calls.append((level, other))
        return gray(level)

    panel = explore(called, strip=3, level=range(0, 250, 10), other=[5, 4])
    strip = Image.open(io.BytesIO(panel._repr_mimebundle_()["image/jpeg"]))
    assert strip.width > 3 * strip.height / 2
    assert calls == [(0, 5), (120, 5), (240, 5)]
    panel.sliders["level"].value = 240
    assert len(calls) == 3, "what the strip shows is remembered"
    panel.close()
    plain = explore(gray, level=[1])
    assert "image/jpeg" not in plain._repr_mimebundle_()
    plain.close()


def test_a_strip_keeps_what_the_function_writes_above_its_picture(monkeypatch):
    captions, show_images = [], plots.show_images

    def noted(pictures, **settings):
        captions.extend(pictures)
        return show_images(pictures, **settings)

    def twice(level):
        return show_images({f"twice that is {2 * level}": np.full((8, 8, 3), level)})

    monkeypatch.setattr(plots, "show_images", noted)
    explore(twice, strip=2, level=[1, 2]).close()
    assert captions == ["level 1\ntwice that is 2", "level 2\ntwice that is 4"]
