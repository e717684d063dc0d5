"""The optimizers: many steps against Keras' own, Keras 2's Nadam against its formula, rates."""

import collections
import dataclasses

import keras
import numpy as np
import pytest

from nst_tutorial import TransferConfig
from nst_tutorial.optimizers import (
    Adam,
    Descent,
    DivergedError,
    FourierSeries,
    GradientDescent,
    Nadam,
    hartley,
    make_optimizer,
    rate_at,
)

START = np.array([100.0, 10.0, -3.0], "float32")
EACH = [Adam(), Nadam(), Nadam(warming=0.004), GradientDescent()]


def slopes(x):
    """A bowl, steep in one direction and shallow in another."""
    return np.array([2.0, 0.1, 30.0]) * (x - 50)


def look(picture):
    """The bowl as a `Descent` sees it."""
    gradient = slopes(np.asarray(picture, "float64"))
    return {"total": float(gradient @ gradient)}, gradient.astype("float32")


def moved_by(optimizer, rate, steps):
    descent, path = Descent(START, optimizer, clip=False), []
    for _ in range(steps):
        descent.take(look, rate)
        path.append(np.array(descent.picture))
    return np.array(path)


def moved_by_keras(optimizer, steps):
    x, path = keras.Variable(START), []
    for _ in range(steps):
        optimizer.apply([keras.ops.convert_to_tensor(look(x)[1])], [x])
        path.append(np.array(x))
    return np.array(path)


def nadam_of_keras_2(steps, rate, schedule_decay, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    """Dozat's schedule, term by term, in double precision."""
    x, m, v, product, path = START.astype("float64"), np.zeros(3), np.zeros(3), 1.0, []
    for t in range(1, steps + 1):
        g = slopes(x)
        mu_t = beta_1 * (1 - 0.5 * np.power(0.96, t * schedule_decay))
        mu_next = beta_1 * (1 - 0.5 * np.power(0.96, (t + 1) * schedule_decay))
        product = product * mu_t
        g_hat = g / (1 - product)
        m = beta_1 * m + (1 - beta_1) * g
        m_hat = m / (1 - product * mu_next)
        v = beta_2 * v + (1 - beta_2) * g**2
        v_hat = v / (1 - beta_2**t)
        x = x - rate * ((1 - mu_t) * g_hat + mu_next * m_hat) / (np.sqrt(v_hat) + epsilon)
        path.append(x)
    return np.array(path)


# Against others -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("optimizer", "kind", "rate"),
    [
        (Adam(), keras.optimizers.Adam, 10.0),
        (Nadam(), keras.optimizers.Nadam, 10.0),
        (GradientDescent(), keras.optimizers.SGD, 0.05),
    ],
)
def test_the_steps_are_those_of_keras(optimizer, kind, rate):
    path = moved_by(optimizer, rate, 200)
    np.testing.assert_allclose(path, moved_by_keras(kind(rate), 200), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("kind", [Adam, Nadam])
def test_with_other_settings_too(kind):
    theirs = getattr(keras.optimizers, kind.__name__)(10.0, beta_1=0.5, epsilon=0.25)
    path = moved_by(kind(beta_1=0.5, epsilon=0.25), 10.0, 50)
    np.testing.assert_allclose(path, moved_by_keras(theirs, 50), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("warming", [0.004, 1.0])
def test_nadam_of_keras_2_and_3_differ_in_their_schedule_alone(warming):
    path = moved_by(Nadam(warming=warming), 10.0, 200)
    np.testing.assert_allclose(path, nadam_of_keras_2(200, 10.0, warming), rtol=1e-3, atol=2e-3)
    assert np.abs(path - nadam_of_keras_2(200, 10.0, 1.004 - warming)).max() > 1


def test_keras_2s_momentum_hardly_grows():
    """What the docstring says of both schedules, as shares of β₁."""
    keras_3, keras_2 = Nadam(1.0), Nadam(1.0, warming=0.004)
    assert keras_3.momentum(100) > 0.99
    assert keras_2.momentum(3500) == pytest.approx(0.72, abs=0.005)


def test_gradient_descent_by_hand():
    np.testing.assert_allclose(moved_by(GradientDescent(), 0.01, 1)[0], [99, 10.04, 12.9], 1e-6)


# Two pictures, and steps that are lost ------------------------------------------------------------


@pytest.mark.parametrize("optimizer", EACH, ids=str)
def test_pictures_that_take_turns_do_not_meet(optimizer):
    """They share a compiled graph, which remembers nothing."""
    one, other = Descent(START, optimizer, clip=False), Descent(2 * START, optimizer, clip=False)
    for place in moved_by(optimizer, 0.05, 4):
        other.take(look, 1.0)
        one.take(look, 0.05)
        np.testing.assert_array_equal(one.picture, place)


@pytest.mark.parametrize("optimizer", EACH, ids=str)
def test_a_step_that_is_no_number_is_not_taken(optimizer):
    descent = Descent(START, optimizer, clip=False)
    descent.take(look, 0.05)
    before = descent.state()
    with pytest.raises(DivergedError, match="lower learning_rate"):
        descent.take(look, np.inf)
    assert before.keys() == descent.state().keys()
    for name, array in descent.state().items():
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.parametrize("optimizer", EACH, ids=str)
def test_a_gradient_that_overflows_loses_no_picture(optimizer):
    """Its square is infinite: then the step is 0, and the next is no number."""
    descent = Descent(START, optimizer, clip=False)

    def cliff(picture):
        return {"total": 1.0}, np.full(3, 3e38, "float32")

    with pytest.raises(DivergedError, match="lower learning_rate"):
        collections.deque((descent.take(cliff, 10.0) for _ in range(3)), maxlen=0)
    assert np.isfinite(np.asarray(descent.picture)).all()


def test_the_range_is_held_if_it_is_asked_for():
    descent, free = (Descent(START, GradientDescent(), clip) for clip in (True, False))
    for one in (descent, free):
        one.take(look, 10.0)
    np.testing.assert_array_equal(descent.picture, np.clip(np.asarray(free.picture), 0, 255))
    assert np.abs(np.asarray(free.picture)).max() > 255


# Settings -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("adam", Adam(0.5, 0.25)),
        ("nadam", Nadam(0.5, 0.25, warming=1.0)),
        ("nadam_keras2", Nadam(0.5, 0.25, warming=0.004)),
        ("sgd", GradientDescent()),
    ],
)
def test_which_optimizer(name, expected):
    config = TransferConfig(optimizer=name, beta_1=0.5, epsilon=0.25)
    optimizer = make_optimizer(config)
    assert type(optimizer) is type(expected)
    assert optimizer == expected


def test_rates():
    config = TransferConfig()
    assert rate_at(config, 0, 40, 8.0) == 8
    assert rate_at(config, 20, 40, 8.0) == pytest.approx(8 * 0.1**0.5)
    constant = dataclasses.replace(config, decay=1.0)
    assert [rate_at(constant, number, 40, 8.0) for number in (0, 39)] == [8, 8]
    falling = dataclasses.replace(config, decay=0.96)
    assert rate_at(falling, 200, 4000, 100.0) == pytest.approx(100 * 0.96**2)


# The picture as a series of waves ---------------------------------------------------------------


def test_hartleys_transform_by_its_definition(rng):
    """Σ x(r, c) (cos + sin)(2π (ur/H + vc/W)) / √(HW), and twice is once not at all."""
    x = rng.normal(size=(1, 4, 6, 2)).astype("float32")
    u, v, r, c = np.ix_(range(4), range(6), range(4), range(6))
    angle = 2 * np.pi * (u * r / 4 + v * c / 6)
    expected = np.einsum("uvrc,brcn->buvn", np.cos(angle) + np.sin(angle), x) / np.sqrt(24)
    np.testing.assert_allclose(hartley(x), expected, atol=1e-5)
    np.testing.assert_allclose(hartley(hartley(x)), x, atol=1e-5)


def test_a_series_there_and_back(rng):
    picture = rng.uniform(0, 255, (1, 9, 14, 3)).astype("float32")
    series = FourierSeries(picture.shape)
    np.testing.assert_allclose(series.decode(series.encode(picture)), picture, atol=0.01)


def test_a_gradient_is_pulled_back_by_the_transpose(rng):
    z, g = rng.normal(size=(2, 1, 9, 14, 3)).astype("float32")
    series = FourierSeries(z.shape)
    assert np.sum(series.decode(z) * g) == pytest.approx(
        np.sum(z * series.pull_back(g)), rel=1e-4, abs=1e-3
    )


def test_long_waves_in_luminance_are_strongest():
    """The same number moves the picture most where photographs vary most."""
    series, sizes = FourierSeries((1, 16, 16, 3)), {}
    for place in [(0, 0, 1, 0), (0, 0, 8, 0), (0, 0, 1, 1), (0, 0, 1, 2)]:
        z = np.zeros((1, 16, 16, 3), "float32")
        z[place] = 1
        sizes[place] = np.linalg.norm(series.decode(z))
    luminance, fine, blue, green = sizes.values()
    assert luminance == pytest.approx(8 * fine, rel=1e-4)
    assert luminance > 3 * blue > 3 * green


@pytest.mark.parametrize("optimizer", [Adam(), Nadam(), GradientDescent()])
def test_a_series_is_moved_down_and_within_the_range(optimizer, rng):
    target, start = rng.uniform(-100, 400, (2, 1, 8, 8, 3)).astype("float32")
    start = np.clip(start, 0, 255)
    descent = Descent(start, optimizer, True, FourierSeries(start.shape))
    rate, totals = (0.1 if optimizer == GradientDescent() else 5.0), []
    for _ in range(60):
        totals.append(descent.take(lambda x: squares(x, target), rate)["total"])
        picture = np.asarray(descent.picture)
        assert 0 <= picture.min() <= picture.max() <= 255
    assert totals[-1] < totals[0] / 2


def squares(x, target):
    difference = np.asarray(x) - target
    return {"total": float(np.sum(difference**2) / 2)}, difference


def test_a_series_goes_on_from_what_was_saved(rng):
    target, start = rng.uniform(0, 255, (2, 1, 8, 8, 3)).astype("float32")
    one, other = (Descent(start, Adam(), True, FourierSeries(start.shape)) for _ in range(2))
    for _ in range(3):
        one.take(lambda x: squares(x, target), 5.0)
    other.restore(one.state())
    for descent in (one, other):
        descent.take(lambda x: squares(x, target), 5.0)
    np.testing.assert_array_equal(one.picture, other.picture)
