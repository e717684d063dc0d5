"""L-BFGS: the minimum does not depend on the strides, and the picture stays in its range."""

import numpy as np
import pytest

from nst_tutorial.lbfgs import OPPONENT, minimize

# At the minimum there is no way down: it says so, and is right.
pytestmark = pytest.mark.filterwarnings("ignore::nst_tutorial.lbfgs.StalledWarning")


def squares(target):
    """The bowl around a picture: Σ (x − target)² / 2, and its gradient."""
    return lambda x: (float(((x - target) ** 2).sum() / 2), x - target)


def run(target, start, **settings):
    seen = []
    minimize(
        squares(target), start, 12, lambda image, value: seen.append((image, value)), **settings
    )
    return seen


@pytest.mark.parametrize("stride", [0.3, 1.0])
def test_the_minimum_is_where_it_was(rng, stride):
    target, start = rng.uniform(20, 230, (2, 1, 5, 7, 3))
    image, value = run(target, start, colour_stride=stride)[-1]
    np.testing.assert_allclose(image, target, atol=0.5)
    assert value < 1e-3 * squares(target)(start)[0]


def test_short_strides_change_luminance_first(rng):
    target, start = rng.uniform(20, 230, (2, 1, 5, 7, 3))
    changes = (run(target, start, colour_stride=0.1)[0][0] - start) @ OPPONENT.T
    wanted = (target - start) @ OPPONENT.T
    share = np.abs(changes).sum(axis=(0, 1, 2)) / np.abs(wanted).sum(axis=(0, 1, 2))
    assert share[0] > 10 * share[1:].max()


@pytest.mark.parametrize("stride", [0.3, 1.0])
def test_the_range_is_held_if_it_is_asked_for(rng, stride):
    target, start = rng.uniform(-200, 450, (1, 5, 7, 3)), rng.uniform(0, 255, (1, 5, 7, 3))
    for image, _ in run(target, start, colour_stride=stride):
        assert image.min() >= 0
        assert image.max() <= 255
    free = run(target, start, colour_stride=stride, clip=False)[-1][0]
    np.testing.assert_allclose(free, target, atol=1e-3)


def test_opponent_colours_are_orthonormal():
    np.testing.assert_allclose(OPPONENT @ OPPONENT.T, np.eye(3), atol=1e-12)
