"""Tiles: a picture cut into pieces has the loss and the gradient of the whole."""

import dataclasses

import numpy as np
import pytest
from quick import QUICK

from nst_tutorial import NSTError, TransferConfig, load_extractor, stylize, to_uint8
from nst_tutorial.extractors import stride
from nst_tutorial.objective import Objective
from nst_tutorial.runs import memory, run
from nst_tutorial.runs.tiles import TiledObjective, overlap, tiles
from nst_tutorial.runtime.backend import ops

THREE_BLOCKS = TransferConfig(
    content_layers=("block3_conv2",), style_layers=("block1_conv1", "block2_conv1", "block3_conv1")
)


def noise(height, width, seed=0):
    return np.random.default_rng(seed).uniform(0, 255, (1, height, width, 3)).astype("float32")


def both(extractor, config, shape, side):
    """Terms and gradient of a picture, whole and in tiles."""
    content, style, image = noise(*shape), noise(70, 90, 1), ops.convert_to_tensor(noise(*shape, 2))
    for objective in (
        Objective(content, [style], extractor, config, image.shape),
        TiledObjective(content, [style], extractor, config, image.shape, side),
    ):
        terms, gradient = objective.differentiate(image, objective.weights(config))
        yield (
            {name: np.asarray(value) for name, value in terms.items() if name != "style"},
            gradient,
        )


@pytest.mark.parametrize(
    ("config", "shape", "side", "border"),
    [
        (QUICK, (49, 66), 32, "zero"),
        (THREE_BLOCKS, (61, 166), 52, "reflect"),
        (dataclasses.replace(QUICK, convention="paper", tv_exponent=1.5), (40, 70), 32, "reflect"),
        (TransferConfig(), (61, 320), 64, "reflect"),
    ],
)
def test_tiles_have_the_gradient_of_the_whole(config, shape, side, border):
    extractor = load_extractor("random", precision="float32", border=border)
    (whole, expected), (tiled, gradient) = both(extractor, config, shape, side)
    for name, value in whole.items():
        assert tiled[name] == pytest.approx(value, rel=1e-5), name
    difference = np.linalg.norm(np.asarray(gradient) - np.asarray(expected))
    assert difference < 1e-5 * np.linalg.norm(np.asarray(expected))


def test_less_overlap_would_be_wrong(monkeypatch, extractor):
    """The overlap is as wide as it must be: half of it shows in the gradient."""
    monkeypatch.setattr("nst_tutorial.runs.tiles.overlap", lambda layer: overlap(layer) // 2)
    (_, expected), (_, gradient) = both(extractor, QUICK, (64, 64), 32)
    difference = np.linalg.norm(np.asarray(gradient) - np.asarray(expected))
    assert difference > 1e-4 * np.linalg.norm(np.asarray(expected))


@pytest.mark.parametrize("layer", ["block1_conv2", "block2_conv1", "block3_conv4", "block4_conv1"])
def test_the_overlap_is_what_a_feature_sees(layer):
    """Measured: how far from a position a changed pixel still changes its feature."""
    extractor = load_extractor("random", layer, precision="float32", border="zero")
    step, image = stride(layer), noise(16, 480)
    before = np.asarray(extractor(image)[layer])
    farthest = 0
    for at in range(240, 240 + step):
        other = image.copy()
        other[:, :, at] += 100
        changed = (np.asarray(extractor(other)[layer]) != before).any(axis=(0, 1, 3))
        first, *_, last = np.flatnonzero(changed)
        farthest = max(farthest, at - (first + 1) * step + 1, last * step - at)
    assert overlap(layer) - step < farthest <= overlap(layer)


@pytest.mark.parametrize("side", [16, 40, 64, 1000])
def test_cores_cover_the_picture_once(side):
    covered = np.zeros((93, 160))
    for tile in tiles((1, 93, 160, 3), side, "block3_conv1"):
        (top, left), (height, width) = tile.corner, tile.size
        covered[top : top + height, left : left + width] += 1
        window = covered[tile.window[1:]]
        assert window[tile.start[0] :, tile.start[1] :].shape >= (height, width)
    assert (covered == 1).all()


@pytest.mark.parametrize(
    ("optimizer", "form"), [("adam", "pixels"), ("lbfgs", "pixels"), ("adam", "fourier")]
)
def test_a_poster_is_the_whole_pictures_twin(extractor, optimizer, form):
    config = dataclasses.replace(
        QUICK, optimizer=optimizer, parameterization=form, steps=4, margin=0.05
    )
    content, style = noise(50, 64), noise(64, 64, 1)
    whole, tiled = (
        stylize(content, style, extractor, dataclasses.replace(config, tile=tile)).image
        for tile in (None, 32)
    )
    assert np.abs(whole - content).max() > 9
    assert np.abs(to_uint8(whole).astype(int) - to_uint8(tiled)).max() <= 1


def test_memory_that_is_short_is_answered_by_tiles(extractor, monkeypatch):
    """By itself, and without a word: the picture is the same."""
    made = []

    def paint(content, *_, objective, **__):
        made.append(objective)
        return content, None

    monkeypatch.setattr(run, "paint", paint)
    config = TransferConfig(size=800, optimizer="adam")
    for free in (2**40, 600 * 2**20):
        monkeypatch.setattr(memory, "available_memory", lambda free=free: free)
        stylize(noise(600, 700), noise(80, 80, 1), extractor, config)
    whole, tiled = made
    assert (whole.func, whole.keywords) == (Objective, {})
    assert (tiled.func, tiled.keywords) == (TiledObjective, {"tile": 256})


def test_a_tile_is_a_number_of_pixels():
    with pytest.raises(NSTError, match="tile is 0; it must be a whole number from 16 to"):
        TransferConfig(tile=0)
