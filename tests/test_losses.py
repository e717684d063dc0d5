"""The losses against pencil and paper, loops from the papers, other code, and autodiff."""

import numpy as np
import pytest
import tensorflow as tf

from nst_tutorial import (
    NSTError,
    content_loss,
    content_loss_gradient,
    gram_distance,
    gram_matrix,
    mean_gram_matrix,
    style_layer_loss,
    style_layer_loss_gradient,
    style_loss,
    total_loss,
    total_variation_loss,
)
from nst_tutorial.losses import gram_matrix_one_sided, style_target
from nst_tutorial.runtime.backend import keras, ops, value_and_gradient

SHAPES = [(1, 1, 2, 1), (1, 3, 5, 2), (2, 7, 4, 3), (3, 5, 5, 6)]


def features(rng, shape):
    """Features as they come out of a ReLU: about half of them zero."""
    return np.maximum(rng.normal(size=shape), 0)


# By hand ----------------------------------------------------------------------------------------


def test_content_loss_by_hand():
    assert content_loss([[[1.0, 2.0]]], [[[0.0, 0.0]]]) == 2.5  # (1 + 4) / 2


def test_gram_matrix_by_hand():
    two_positions = np.array([[[1.0, 2.0], [3.0, 4.0]]])
    np.testing.assert_array_equal(gram_matrix(two_positions), [[10, 14], [14, 20]])
    np.testing.assert_array_equal(mean_gram_matrix(two_positions), [[5, 7], [7, 10]])


def test_style_layer_loss_by_hand():
    two_positions = np.array([[[1.0, 2.0], [3.0, 4.0]]])
    black = np.zeros((1, 3, 2))
    assert style_layer_loss(two_positions, black) == (25 + 49 + 49 + 100) / (4 * 2**2)


def test_style_loss_by_hand():
    generated = {"a": np.full((1, 1, 1), 2.0), "b": np.full((1, 1, 1), 1.0)}
    style = {"a": np.zeros((1, 1, 1)), "b": np.zeros((1, 1, 1))}
    assert style_loss(generated, style) == (16 / 4 + 1 / 4) / 2
    assert style_loss(generated, style, {"a": 1.0, "b": 4.0}) == 16 / 4 + 4 / 4
    assert style_loss(generated, style, {"b": 4.0}) == 1


@pytest.mark.parametrize(("exponent", "expected"), [(1, 5), (2, 25), (4, 625), (2.5, 25**1.25)])
def test_total_variation_by_hand(exponent, expected):
    image = np.array([[0.0, 3.0], [4.0, 99.0]])[..., None]  # the 99 has no neighbors below
    assert float(total_variation_loss(image, exponent)) == pytest.approx(expected)


def test_total_loss_by_hand():
    weights = {"content_weight": 2, "style_weight": 3, "tv_weight": 5}
    assert total_loss(1.0, 10.0, 100.0, **weights) == 532


# Loops from the papers --------------------------------------------------------------------------


def naive_content_loss(F, P):
    total = 0.0
    for position in np.ndindex(F.shape):
        total += (F[position] - P[position]) ** 2
    return total / 2


def naive_gram_matrix(F):
    height, width, channels = F.shape
    G = np.zeros((channels, channels))
    for i in range(channels):
        for j in range(channels):
            for y in range(height):
                for x in range(width):
                    G[i, j] += F[y, x, i] * F[y, x, j]
    return G


def naive_style_layer_loss(F, S):
    channels = F.shape[-1]
    G = naive_gram_matrix(F) / (F.shape[0] * F.shape[1])
    A = naive_gram_matrix(S) / (S.shape[0] * S.shape[1])
    total = 0.0
    for i in range(channels):
        for j in range(channels):
            total += (G[i, j] - A[i, j]) ** 2
    return total / (4 * channels**2)


def naive_total_variation(x, exponent):
    height, width, channels = x.shape
    total = 0.0
    for i in range(height - 1):
        for j in range(width - 1):
            for c in range(channels):
                right, down = x[i, j + 1, c] - x[i, j, c], x[i + 1, j, c] - x[i, j, c]
                total += (right**2 + down**2) ** (exponent / 2)
    return total


@pytest.mark.parametrize("shape", SHAPES)
def test_losses_agree_with_loops(rng, shape):
    F, P = features(rng, shape), features(rng, shape)
    S = features(rng, (shape[0], 4, 3, shape[3]))
    np.testing.assert_allclose(content_loss(F, P), list(map(naive_content_loss, F, P)))
    np.testing.assert_allclose(gram_matrix(F), list(map(naive_gram_matrix, F)))
    np.testing.assert_allclose(style_layer_loss(F, S), list(map(naive_style_layer_loss, F, S)))


@pytest.mark.parametrize("exponent", [1, 1.5, 2, 2.5])
@pytest.mark.parametrize("shape", SHAPES)
def test_total_variation_agrees_with_loops(rng, shape, exponent):
    x = rng.uniform(0, 255, shape)
    expected = [naive_total_variation(one, exponent) for one in x]
    np.testing.assert_allclose(total_variation_loss(x, exponent), expected)


def test_equal_sizes_give_the_papers_equation_4(rng):
    F, S = features(rng, (1, 6, 7, 4)), features(rng, (1, 6, 7, 4))
    G, A = naive_gram_matrix(F[0]), naive_gram_matrix(S[0])
    expected = ((G - A) ** 2).sum() / (4 * 4**2 * 42**2)
    np.testing.assert_allclose(style_layer_loss(F, S), [expected])


# Other code -------------------------------------------------------------------------------------


def test_other_code_agrees(rng):
    F, P = features(rng, (2, 5, 3, 4)), features(rng, (2, 5, 3, 4))
    np.testing.assert_allclose(ops.sum(content_loss(F, P)), tf.nn.l2_loss(F - P))
    np.testing.assert_allclose(gram_matrix(F), np.einsum("bhwi,bhwj->bij", F, F))


# Gradients --------------------------------------------------------------------------------------


def autodiff(loss, x):
    gradient = value_and_gradient(lambda x: (ops.sum(loss(x)), {}))(ops.convert_to_tensor(x))[1]
    return ops.convert_to_numpy(gradient)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES)
def test_analytic_gradients_agree_with_autodiff_through_the_relu(rng, shape, dtype):
    x = rng.normal(size=shape).astype(dtype)
    F, P = np.maximum(x, 0), features(rng, shape).astype(dtype)
    S = features(rng, (shape[0], 4, 3, shape[3])).astype(dtype)
    tolerance = {"float32": 1e-5, "float64": 1e-12}[dtype]
    for loss, gradient, target in [
        (content_loss, content_loss_gradient, P),
        (style_layer_loss, style_layer_loss_gradient, S),
    ]:
        expected = autodiff(lambda x, loss=loss, target=target: loss(ops.relu(x), target), x)
        np.testing.assert_allclose(gradient(F, target), expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_one_sided_gram_matrix_is_the_plain_one(rng, shape):
    """In value, and in the gradient of what weighs each of its numbers differently."""
    x, S = rng.normal(size=shape), rng.normal(size=(shape[0], shape[3], shape[3]))
    np.testing.assert_allclose(gram_matrix_one_sided(x), gram_matrix(x), rtol=1e-12, atol=1e-12)
    one, other = (
        autodiff(lambda x, gram=gram: ops.sum(gram(x) * ops.convert_to_tensor(S)), x)
        for gram in (gram_matrix_one_sided, gram_matrix)
    )
    assert np.abs(other).max() > 0
    np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)


def test_gradients_accept_a_missing_batch_axis(rng):
    F, P = features(rng, (4, 3, 2)), features(rng, (4, 3, 2))
    for gradient in (content_loss_gradient, style_layer_loss_gradient):
        np.testing.assert_allclose(gradient(F, P), gradient(F[None], P[None])[0])


@pytest.mark.parametrize("exponent", [1, 1.5, 2, 2.5])
def test_total_variation_gradient_is_zero_on_a_constant_picture(exponent):
    gradient = autodiff(lambda x: total_variation_loss(x, exponent), np.full((1, 4, 5, 3), 7.0))
    np.testing.assert_array_equal(gradient, 0)


@pytest.mark.parametrize("exponent", [1, 1.5, 2, 2.5])
def test_total_variation_gradient_agrees_with_finite_differences(rng, exponent):
    x = rng.uniform(0, 1, (1, 3, 4, 1))
    gradient = np.asarray(autodiff(lambda x: total_variation_loss(x, exponent), x))
    for position in np.ndindex(x.shape):
        nudge = np.zeros_like(x)
        nudge[position] = 1e-6
        above, below = (total_variation_loss(x + s * nudge, exponent)[0] for s in (1, -1))
        assert gradient[position] == pytest.approx(float(above - below) / 2e-6, rel=1e-4, abs=1e-6)


# Properties -------------------------------------------------------------------------------------


def test_a_target_that_was_computed_once_is_as_good_as_features(rng):
    F, S = features(rng, (2, 5, 3, 4)), features(rng, (2, 6, 6, 4))
    target = style_target(S)
    assert style_target(target) is target
    for function in (style_layer_loss, style_layer_loss_gradient):
        np.testing.assert_array_equal(function(F, target), function(F, S))
    np.testing.assert_array_equal(
        style_loss({"a": F}, {"a": target}), style_loss({"a": F}, {"a": S})
    )


def test_zero_at_the_target(rng):
    F = features(rng, (2, 5, 3, 4)).astype("float32")
    np.testing.assert_array_equal(content_loss(F, F), 0)
    np.testing.assert_array_equal(style_layer_loss(F, F), 0)
    np.testing.assert_array_equal(style_loss({"a": F}, {"a": F}), 0)


def test_gram_matrix_forgets_where_things_are(rng):
    F = features(rng, (1, 6, 5, 3))
    shuffled = rng.permutation(F.reshape(30, 3)).reshape(F.shape)
    np.testing.assert_allclose(gram_matrix(shuffled), gram_matrix(F))


def test_a_picture_tiled_twice_has_the_same_style(rng):
    F = features(rng, (1, 3, 4, 2))
    np.testing.assert_allclose(style_layer_loss(F, np.tile(F, (1, 2, 1, 1))), 0, atol=1e-20)


def test_bfloat16_features_are_summed_in_float32(rng):
    F = ops.cast(features(rng, (1, 64, 64, 8)), "bfloat16")
    G = gram_matrix(F)
    assert keras.backend.standardize_dtype(G.dtype) == "float32"
    np.testing.assert_allclose(G, gram_matrix(ops.cast(F, "float64")), rtol=1e-5)


def test_one_style_for_a_batch(rng):
    F, S = features(rng, (3, 4, 5, 2)), features(rng, (1, 6, 6, 2))
    expected = [style_layer_loss(one[None], S)[0] for one in F]
    np.testing.assert_allclose(style_layer_loss(F, S), expected)


# Mistakes ---------------------------------------------------------------------------------------


def test_shapes_that_differ_are_named():
    with pytest.raises(NSTError, match=r"\(1, 2, 3\).*\(2, 2, 3\)"):
        content_loss(np.zeros((1, 2, 3)), np.zeros((2, 2, 3)))
    with pytest.raises(NSTError, match="one shape"):
        style_layer_loss(np.zeros((2, 2, 3)), np.zeros((2, 2, 4)))
    with pytest.raises(NSTError, match="one shape"):
        gram_distance(np.zeros((1, 3, 3)), np.zeros((1, 2, 2)))


def test_style_loss_needs_layers_that_are_there():
    with pytest.raises(NSTError, match="none was given"):
        style_loss({}, {})
    with pytest.raises(NSTError, match="'b' has a weight but no features"):
        style_loss({"a": np.zeros((1, 1, 1))}, {"a": np.zeros((1, 1, 1))}, {"b": 1.0})
