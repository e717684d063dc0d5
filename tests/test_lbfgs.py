"""L-BFGS: down to the right minimum, within the range, and on from where it was."""

import itertools

import numpy as np
import pytest
import scipy.optimize

from nst_tutorial import NSTError, lbfgs
from nst_tutorial.lbfgs import LBFGS, PAIRS, TRIES
from nst_tutorial.optimizers import FourierSeries
from nst_tutorial.runtime.backend import ops


def squares(target):
    """The bowl around a picture: Σ (x − target)² / 2, and its gradient."""
    return lambda x: ({"total": float(((x - target) ** 2).sum() / 2)}, x - target)


def rosenbrock(picture):
    x, y, _ = picture.ravel().astype("float64")
    slopes = [-400 * x * (y - x * x) - 2 * (1 - x), 200 * (y - x * x), 0]
    total = 100 * (y - x * x) ** 2 + (1 - x) ** 2
    return {"total": total}, np.array(slopes, "float32").reshape(picture.shape)


def walk(one, evaluate, steps):
    """Take so many steps, or as many as there is a way for: the totals."""
    found = (one.take(evaluate) for _ in range(steps))
    return [terms["total"] for terms in itertools.takewhile(bool, found)]


def pixels(*numbers):
    return np.array(numbers, "float32").reshape(1, 1, -1, 3)


# Down ------------------------------------------------------------------------------------------


def test_a_bowl_by_hand():
    """Four gray levels to begin with; one pair then knows a bowl that is round."""
    one = LBFGS(pixels(8, -8, 6), clip=False)
    assert one.take(squares(0)) == {"total": (16 + 16 + 9) / 2}
    np.testing.assert_allclose(one.picture, pixels(4, -4, 3), rtol=1e-6)
    assert one.take(squares(0))["total"] == pytest.approx(0, abs=1e-9)


def test_rosenbrocks_valley():
    one = LBFGS(pixels(-1.2, 1, 7), clip=False)
    totals = walk(one, rosenbrock, 60)
    assert totals == sorted(totals, reverse=True)
    np.testing.assert_allclose(one.picture, pixels(1, 1, 7), atol=1e-3)


@pytest.mark.parametrize("series", [None, FourierSeries((1, 2, 5, 3))])
def test_the_minimum_is_scipys(rng, series):
    """A convex problem with bounds, of which about half hold at the minimum."""
    root = rng.normal(size=(30, 30))
    A, b = root @ root.T / 30 + 0.1 * np.eye(30), rng.normal(60, 100, 30)

    def evaluate(x):
        flat = x.ravel().astype("float64")
        total, gradient = flat @ A @ flat / 2 - b @ flat, A @ flat - b
        return {"total": total}, gradient.astype("float32").reshape(x.shape)

    expected = scipy.optimize.minimize(
        lambda x: (x @ A @ x / 2 - b @ x, A @ x - b), np.full(30, 100.0), jac=True,
        bounds=[(0, 255)] * 30, options={"ftol": 0, "gtol": 1e-6},
    )  # fmt: skip
    assert 5 < np.isin(expected.x, (0, 255)).sum() < 25
    one = LBFGS(np.full((1, 2, 5, 3), 100.0), series=series)
    totals = walk(one, evaluate, 100)
    assert totals[-1] == pytest.approx(expected.fun, rel=1e-6)
    np.testing.assert_allclose(one.picture.ravel(), expected.x, atol=0.1)


@pytest.mark.parametrize("series", [None, FourierSeries((1, 2, 2, 3))])
def test_two_loops_are_the_matrix_of_bfgs(rng, series):
    """H ← (I − s yᵀ/sᵀy) H (I − y sᵀ/sᵀy) + s sᵀ/sᵀy, from the scaled metric on."""
    one, asked = LBFGS(np.zeros((1, 2, 2, 3)), clip=False, series=series), []
    curvatures = rng.uniform(1, 9, (1, 2, 2, 3))

    def evaluate(x):
        asked.append(x)
        return {"total": float((curvatures * (x - 3) ** 2).sum() / 2)}, curvatures * (x - 3)

    for _ in range(3):
        one.take(evaluate)
    state = {name: array.astype("float64").ravel() for name, array in one.state().items()}
    pairs = [(state[f"s{number}"], state[f"y{number}"]) for number in range(3)]
    metric = np.eye(12)
    if series:
        units = metric.reshape(12, 1, 2, 2, 3)
        metric = np.stack([np.ravel(series.decode(series.pull_back(unit))) for unit in units])
    s, y = pairs[-1]
    H = metric * (s @ y) / (y @ metric @ y)
    for s, y in pairs:
        V = np.eye(12) - np.outer(y, s) / (s @ y)
        H = V.T @ H @ V + np.outer(s, s) / (s @ y)
    asked.clear()
    one.take(evaluate)
    direction = asked[0].ravel() - state["picture"]
    np.testing.assert_allclose(direction, -H @ state["gradient"], rtol=1e-3)


# The range --------------------------------------------------------------------------------------


def test_the_range_is_held_if_it_is_asked_for(rng):
    target, start = rng.uniform(-200, 450, (1, 5, 7, 3)), rng.uniform(0, 255, (1, 5, 7, 3))
    target = target.astype("float32")
    one, free = (LBFGS(start, clip) for clip in (True, False))
    for _ in range(20):
        one.take(squares(target))
        assert one.picture.min() >= 0
        assert one.picture.max() <= 255
        free.take(squares(target))
    np.testing.assert_allclose(one.picture, np.clip(target, 0, 255), atol=0.1)
    np.testing.assert_allclose(free.picture, target, atol=0.1)


def test_a_hill_is_left_by_its_sides_and_teaches_nothing():
    """Curvature below zero: no pair is kept, and the range ends the slide."""
    one = LBFGS(pixels(100, 120, 140))
    totals = walk(one, lambda x: ({"total": -float(((x - 127) ** 2).sum())}, -2 * (x - 127)), 20)
    np.testing.assert_array_equal(one.picture, pixels(0, 0, 255))
    assert totals[-1] == -(127**2 + 127**2 + 128**2)
    assert set(one.state()) == {"picture", "gradient", "value", "scale"}


# No way down ------------------------------------------------------------------------------------


def test_no_stride_is_tried_for_ever():
    seen = []

    def uphill(x):
        seen.append(x)
        return {"total": len(seen)}, np.ones_like(x)

    assert LBFGS(pixels(90, 90, 90)).take(uphill) is None
    assert 4 < len(seen) <= 2 * (1 + TRIES)
    assert [np.all(x == 90) for x in seen].count(True) == 2  # it looked again, once


def test_where_it_is_flat():
    assert LBFGS(pixels(90, 90, 90)).take(lambda x: ({"total": 1}, np.zeros_like(x))) is None


def test_a_slope_without_an_end_is_not_walked_for_ever(monkeypatch):
    monkeypatch.setattr(lbfgs, "TRIES", 5)
    one = LBFGS(pixels(90, 90, 90), clip=False)
    one.take(lambda x: ({"total": float(x.sum())}, np.ones_like(x)))
    np.testing.assert_array_equal(one.picture, pixels(*[90 - 4 * 2**4] * 3))


# On from where it was ---------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [0, 1, 5, PAIRS + 3])
def test_it_goes_on_to_the_same_bytes(rng, steps):
    target, start = rng.uniform(-50, 300, (2, 1, 5, 7, 3)).astype("float32")
    widths = rng.uniform(1, 30, start.shape).astype("float32")

    def evaluate(x):
        """With a gradient of the backend's own kind, as a transfer gives it."""
        gradient = ops.convert_to_tensor(2 * widths * (x - target))
        return {"total": float((widths * (x - target) ** 2).sum())}, gradient

    one, other = LBFGS(np.clip(start, 0, 255)), LBFGS(np.zeros_like(start))
    walk(one, evaluate, steps)
    state = one.state()
    assert all(isinstance(array, np.ndarray) for array in state.values())
    other.restore({name: array.copy() for name, array in state.items()})
    assert walk(one, evaluate, 5) == walk(other, evaluate, 5)
    assert one.state().keys() == other.state().keys()
    for name, array in one.state().items():
        np.testing.assert_array_equal(array, other.state()[name])
    assert len(state) == 1 + 3 * bool(steps) + 2 * min(steps, PAIRS)


def spoilt(state, name, number):
    array = state[name].copy()
    array.flat[0] = number
    return state | {name: array}


def test_a_scale_that_is_given_is_the_first_strides(rng):
    target, start = rng.uniform(20, 230, (2, 1, 5, 7, 3)).astype("float32")
    given, default = LBFGS(start), LBFGS(start)
    given.scale = 0.25
    for one in (given, default):
        walk(one, squares(target), 1)
    gradient = squares(target)(start)[1]
    np.testing.assert_allclose(given.picture, start - 0.25 * gradient, rtol=1e-4)
    assert (given.picture != default.picture).any()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda state: {}, "does not hold just picture"),
        (lambda state: state | {"s2": state["s0"]}, "does not hold just"),
        (lambda state: {k: v for k, v in state.items() if k != "y1"}, "does not hold just"),
        (lambda state: {k: v for k, v in state.items() if k != "gradient"}, "does not hold just"),
        (lambda state: state | {"\x1b[31m": state["s0"]}, r"^[ -~]*does not hold just[ -~]*$"),
        (
            lambda state: state | {"gradient": state["gradient"][:, :1]},
            "gradient .* is not float32",
        ),
        (lambda state: state | {"s0": state["s0"].astype("float64")}, "s0 .* is not float32"),
        (lambda state: state | {"value": np.array("1")}, "value .* is not float64"),
        (lambda state: state | {"scale": np.array(-1.0)}, "not those of L-BFGS"),
        (lambda state: spoilt(state, "gradient", np.nan), "gradient .* NaN or infinity"),
        (lambda state: spoilt(state, "picture", -1), r"leaves 0\.\.255"),
        (lambda state: state | {"s1": -state["s1"]}, "not those of L-BFGS"),
        (lambda state: state | {"y0": 0 * state["y0"]}, "not those of L-BFGS"),
    ],
)
def test_a_state_that_it_never_had(rng, spoil, words):
    target, start = rng.uniform(20, 230, (2, 1, 5, 7, 3)).astype("float32")
    one, other = LBFGS(start), LBFGS(start)
    target[..., 0] *= 3
    walk(one, squares(target), 2)
    assert len(one.state()) == 8
    other.restore(one.state())
    other = LBFGS(start)
    with pytest.raises(NSTError, match=words):
        other.restore(spoil(one.state()))
    np.testing.assert_array_equal(other.picture, start)


def test_without_clipping_a_picture_may_leave_the_range():
    free, outside = LBFGS(pixels(1, 2, 3), clip=False), pixels(-9, 300, 4)
    free.restore({"picture": outside})
    np.testing.assert_array_equal(free.picture, outside)
