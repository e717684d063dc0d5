"""The optimizers: Keras 2's Nadam against its formula, learning rates by hand."""

import dataclasses

import keras
import numpy as np
import pytest

from nst_tutorial import TransferConfig
from nst_tutorial.optimizers import NadamKeras2, apply, make_optimizer, rate_at

START = np.array([100.0, 10.0, -3.0])


def slopes(x):
    """A bowl, steep in one direction and shallow in another."""
    return np.array([2.0, 0.1, 30.0]) * (x - 50)


def moved_by(optimizer, steps):
    x, path = keras.Variable(START, dtype="float32"), []
    for _ in range(steps):
        optimizer.apply([keras.ops.convert_to_tensor(slopes(np.asarray(x)), "float32")], [x])
        path.append(np.array(x))
    return np.array(path)


def nadam_of_keras_2(steps, rate, schedule_decay, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    """Dozat's schedule, term by term, in double precision."""
    x, m, v, product, path = START.copy(), np.zeros(3), np.zeros(3), 1.0, []
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


def test_nadam_of_keras_2():
    path = moved_by(NadamKeras2(10.0), 60)
    np.testing.assert_allclose(path, nadam_of_keras_2(60, 10.0, 0.004), rtol=1e-3, atol=2e-3)


def test_nadam_of_keras_3_is_another():
    """The transcription with Keras 3's schedule is Keras 3's: only that differs."""
    path = moved_by(keras.optimizers.Nadam(10.0), 60)
    np.testing.assert_allclose(path, nadam_of_keras_2(60, 10.0, 1.0), rtol=1e-3, atol=2e-3)
    assert np.abs(path - nadam_of_keras_2(60, 10.0, 0.004)).max() > 1


def test_its_momentum_hardly_grows():
    """What its docstring says of both schedules."""
    shares = {decay: 1 - 0.5 * 0.96 ** (decay * 100) for decay in (0.004, 1.0)}
    assert shares[1.0] > 0.99
    assert shares[0.004] < 0.51
    assert pytest.approx(0.72, abs=0.005) == 1 - 0.5 * 0.96 ** (0.004 * 3500)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("adam", keras.optimizers.Adam),
        ("nadam", keras.optimizers.Nadam),
        ("nadam_keras2", NadamKeras2),
        ("sgd", keras.optimizers.SGD),
    ],
)
def test_which_optimizer(name, kind):
    optimizer = make_optimizer(name, beta_1=0.5, epsilon=0.25)
    assert type(optimizer) is kind
    if name != "sgd":
        assert (optimizer.beta_1, optimizer.epsilon) == (0.5, 0.25)


def test_gradient_descent_by_hand():
    sgd = make_optimizer("sgd")
    sgd.learning_rate = 0.01
    np.testing.assert_allclose(moved_by(sgd, 1)[0], [99, 10.04, 12.9], rtol=1e-6)


@pytest.mark.parametrize("name", ["adam", "nadam", "nadam_keras2", "sgd"])
def test_applied_as_a_function(name):
    """What an optimizer did before is forgotten; what is handed in is remembered."""
    optimizer, told = make_optimizer(name), make_optimizer(name)
    optimizer.learning_rate = 0.1
    told.build([keras.Variable(np.zeros(3), dtype="float32")])
    x, memory = START.astype("float32"), [np.array(variable) for variable in told.variables]
    memory[1] = np.float32(0.1)
    for place in moved_by(optimizer, 4):
        gradient = keras.ops.convert_to_tensor(slopes(np.asarray(x)), "float32")
        apply(told, x + 1, memory, 2 * gradient)  # another picture's step between
        x, memory = apply(told, x, memory, gradient)
        np.testing.assert_allclose(np.asarray(x), place, rtol=1e-6)


def test_rates():
    config = TransferConfig()
    assert rate_at(config, 0, 40, 8.0) == 8
    assert rate_at(config, 20, 40, 8.0) == pytest.approx(8 * 0.1**0.5)
    constant = dataclasses.replace(config, decay=1.0)
    assert [rate_at(constant, number, 40, 8.0) for number in (0, 39)] == [8, 8]
    falling = dataclasses.replace(config, decay=0.96)
    assert rate_at(falling, 200, 4000, 100.0) == pytest.approx(100 * 0.96**2)
