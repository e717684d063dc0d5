"""Coarse to fine: the plan, and how a picture grows."""

import numpy as np
import pytest

from nst_tutorial import TransferConfig
from nst_tutorial.scales import (
    coarse_to_fine,
    enlarge,
    recolor,
    resize,
    scale_shape,
    starting_picture,
)


def test_the_plan_by_hand():
    small, middle, full = coarse_to_fine((1, 300, 448, 3), 3, 300, 4.0)
    assert (small.shape, middle.shape, full.shape) == (
        (1, 75, 112, 3),
        (1, 150, 224, 3),
        (1, 300, 448, 3),
    )
    assert (small.steps, middle.steps, full.steps) == (150, 75, 75)
    assert (full.learning_rate, middle.learning_rate) == (4.0, 6.4)


@pytest.mark.parametrize("steps", [1, 2, 3, 7, 100, 301])
@pytest.mark.parametrize("scales", [1, 2, 3, 5])
def test_steps_means_what_it_says_and_the_last_has_the_full_size(steps, scales):
    shape = (1, 512, 600, 3)
    stages = coarse_to_fine(shape, scales, steps, 1.0)
    assert sum(stage.steps for stage in stages) == steps
    assert all(stage.steps > 0 for stage in stages)
    assert stages[-1].shape == shape


@pytest.mark.parametrize("shape", [(1, 100, 448, 3), (1, 33, 40, 3)])
def test_sizes_too_small_for_the_network_are_left_out(shape):
    assert [stage.shape for stage in coarse_to_fine(shape, 3, 30, 1.0)] == [shape]


def test_scaled_keeps_the_aspect_ratio_and_the_least_side():
    assert scale_shape((1, 100, 200, 3), 0.5) == (1, 50, 100, 3)
    assert scale_shape((1, 100, 200, 3), 0.1, least=32) == (1, 32, 64, 3)


def test_resizing_to_the_same_shape_changes_nothing(photograph):
    assert resize(photograph, photograph.shape) is photograph
    image = photograph / 3
    np.testing.assert_array_equal(enlarge(image, image.shape, photograph), image)


def test_a_flat_picture_stays_flat():
    flat = np.full((1, 8, 10, 3), 77.0, "float32")
    np.testing.assert_allclose(enlarge(flat, (1, 16, 20, 3)), 77, atol=1e-3)


def test_enlarging_an_unchanged_content_gives_the_content_with_all_its_detail(photograph):
    small = resize(photograph, scale_shape(photograph.shape, 0.5))
    enlarged = enlarge(small, photograph.shape, photograph)
    np.testing.assert_allclose(enlarged, photograph, atol=1e-3)
    assert np.abs(enlarge(small, photograph.shape) - photograph).max() > 10


# Where it starts ----------------------------------------------------------------------------------


def moments(*pictures):
    pixels = np.concatenate([picture.reshape(-1, 3) for picture in pictures])
    return pixels.mean(0), np.cov(pixels.T, bias=True)


def test_a_recolored_picture_has_the_styles_mean_and_covariance(rng):
    mixing = np.array([[20, 5, 0], [0, 15, 10], [5, 0, 25]])
    photo = (128 + rng.normal(0, 1, (1, 40, 50, 3)) @ (2 * mixing)).clip(0, 255)
    styles = [128 + 10 * number + rng.normal(0, 9, (1, 30, 20, 3)) @ np.eye(3) for number in (1, 2)]
    mean, covariance = moments(recolor(photo, styles))
    goal, wanted = moments(*styles)
    np.testing.assert_allclose(mean, goal, atol=0.1)
    np.testing.assert_allclose(covariance, wanted, atol=0.1 * np.abs(wanted).max())


def test_recoloring_by_hand():
    """Grays 100 and 120 have the variance 100; a red and a blue give none of it to green."""
    photo = np.array([[[[100.0] * 3, [120.0] * 3]]])
    style = np.array([[[[200.0, 50, 0], [0, 50, 200]]]])
    painted = recolor(photo, [style])[0, 0]
    np.testing.assert_allclose(painted.mean(0), [100, 50, 100], atol=1e-3)
    np.testing.assert_allclose(painted[:, 1], 50, atol=1e-3)


def test_faint_tints_are_not_blown_up(rng):
    gray = np.repeat(rng.uniform(60, 200, (1, 30, 30, 1)), 3, axis=-1)
    tinted = gray + rng.normal(0, 0.5, gray.shape)
    style = rng.uniform(0, 255, (1, 30, 30, 3))
    assert np.abs(recolor(tinted, [style]) - recolor(gray, [style])).std() < 10


@pytest.mark.parametrize(("init", "moved"), [("recolored", True), ("content", False)])
def test_the_start_has_the_styles_colors_unless_it_is_asked_for_plain(rng, init, moved):
    photo, style = rng.uniform(0, 100, (2, 1, 64, 80, 3)).astype("float32")
    config = TransferConfig(init=init)
    picture, detail = starting_picture(photo.shape, photo, [style + 150], None, config)
    assert detail is photo
    assert (abs(picture.mean() - style.mean() - 150) < 2) == moved
    alone, _ = starting_picture(photo.shape, photo, [], None, config)
    np.testing.assert_array_equal(alone, photo)
