"""The figures hold what they were given, show themselves once."""

import io

import numpy as np
import pytest
from PIL import Image

from nst_tutorial import plots

HISTORY = [
    {"total": 9.0 / step, "content": step / 9, "style": {"a": 1 / step}, "tv": 0.0}
    for step in (1, 2, 3)
]


def titles(figure):
    return [axis.get_title() for axis in figure.axes if axis.get_title()]


FIGURES = {
    "images": lambda: plots.show_images([np.zeros((1, 8, 9, 3)), np.ones((4, 9, 3))], ["a", "b"]),
    "maps": lambda: plots.show_maps(np.ones((1, 4, 5, 6)), channels=[0, 5]),
    "matrices": lambda: plots.show_matrices({"calm": np.eye(3), "busy": np.ones((1, 3, 3))}),
    "bars": lambda: plots.show_bars({"one": 1.0, "two": 2.0}, "height"),
    "curves": lambda: plots.show_curves({"up": [1, 2], "down": ([0, 5], [2, 1])}, "x", "y"),
    "sheet": lambda: plots.show_sheet([np.zeros((1, 8, 9, 3)), "why not"], ["a", "b"], 2, ["c"]),
    "loss": lambda: plots.show_loss(HISTORY),
}


@pytest.mark.parametrize("kind", FIGURES)
def test_each_figure_shows_itself(kind):
    figure = FIGURES[kind]()
    shown = [form() for form in (figure._repr_png_, getattr(figure, "_repr_jpeg_", None)) if form]
    assert len(shown) == 1
    picture = Image.open(io.BytesIO(shown[0]))
    assert picture.width > 300
    assert np.ptp(np.asarray(picture.convert("L"))) > 50


def test_pictures_and_their_titles():
    figure = plots.show_images({"red": np.full((1, 2, 3, 3), (300.0, 0, 0))})
    assert titles(figure) == ["red"]
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array()[0, 0], [255, 0, 0])


def test_maps_are_the_channels_asked_for():
    features = np.arange(2 * 2 * 3, dtype="float32").reshape(1, 2, 2, 3)
    figure = plots.show_maps(features, channels=[2])
    assert titles(figure) == ["channel 2"]
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), features[0, ..., 2])


def test_matrices_share_one_color_scale():
    figure = plots.show_matrices([np.zeros((2, 2)), np.full((2, 2), 7.0)], ["a", "b"])
    assert [axis.images[0].get_clim() for axis in figure.axes[:2]] == [(0, 7), (0, 7)]


def test_loss_curves_leave_out_what_is_zero_throughout():
    names = [line.get_label() for line in plots.show_loss(HISTORY).axes[0].lines]
    assert names == ["total", "content", "style"]
