"""Coarse to fine: the plan, and how a picture grows."""

import numpy as np
import pytest

from nst_tutorial.scales import coarse_to_fine, enlarge, resize, scale_shape


def test_the_plan_by_hand():
    small, middle, full = coarse_to_fine((1, 300, 448, 3), 3, 300, 4.0)
    assert (small.shape, middle.shape, full.shape) == (
        (1, 75, 112, 3),
        (1, 150, 224, 3),
        (1, 300, 448, 3),
    )
    assert (small.steps, middle.steps, full.steps) == (150, 100, 50)
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
