"""Measures of finished pictures, against pencil, loops, scipy, and what must not matter."""

import math

import numpy as np
import pytest
from scipy.linalg import sqrtm

from nst_tutorial import NSTError, losses
from nst_tutorial.study import (
    blind_pairs,
    content_distance,
    frechet_distance,
    luck,
    self_similarity,
    style_distance,
)


def features(*shape, seed=0):
    return np.maximum(np.random.default_rng(seed).normal(0.3, 1, shape), 0).astype("float32")


F, S, P = features(6, 8, 5), features(7, 5, 5, seed=1) + 1, features(6, 8, 5, seed=2)


def shuffled(F, seed=3):
    """The same positions in another order."""
    flat = F.reshape(-1, F.shape[-1])
    return np.random.default_rng(seed).permutation(flat).reshape(F.shape)


# Style: Gram matrices ---------------------------------------------------------------------------


def test_style_by_hand():
    """One channel: the mean squares of {1, 3}, {1} and {3} are 5, 1 and 9: half of the way."""
    one = lambda *values: {"a": np.array(values, "float32").reshape(1, -1, 1)}  # noqa: E731
    assert style_distance(one(1, 3), one(1), one(3)) == 0.5
    assert style_distance(one(7), one(1), one(3)) == 6.0, "there is no upper limit"


def test_style_is_zero_at_the_style_and_one_at_the_photograph():
    assert style_distance({"a": S}, {"a": S}, {"a": P}) == 0
    assert style_distance({"a": P}, {"a": S}, {"a": P}) == 1


def test_style_is_a_mean_over_the_painted_pictures_layers():
    style, photograph = {"a": S, "b": 2 * S, "c": S}, {"a": P, "b": P, "c": P}
    alone = [style_distance({layer: F}, style, photograph) for layer in "ab"]
    both = style_distance({"a": F, "b": F}, style, photograph)
    assert math.isclose(both, sum(alone) / 2)


def test_style_knows_no_positions_and_no_sizes():
    styles, photographs = {"a": S}, {"a": P}
    same = style_distance({"a": F}, styles, photographs)
    assert math.isclose(style_distance({"a": shuffled(F)}, styles, photographs), same)
    twice = np.concatenate([F, F])
    assert math.isclose(style_distance({"a": twice[None]}, styles, photographs), same)


def test_the_gram_matrix_is_the_losses():
    G, A, P_ = (np.array(losses.mean_gram_matrix(one[None])[0]) for one in (F, S, P))
    expected = np.linalg.norm(G - A) / np.linalg.norm(P_ - A)
    assert style_distance({"a": F}, {"a": S}, {"a": P}) == pytest.approx(expected, rel=1e-5)


# Style: clouds ----------------------------------------------------------------------------------


def test_frechet_by_hand():
    """One channel: {0, 2} has mean 1 and deviation 1, {4, 8} mean 6 and deviation 2."""
    one, other = (np.array(values).reshape(1, 2, 1) for values in ([0, 2], [4, 8]))
    assert math.isclose(frechet_distance(one, other), (6 - 1) ** 2 + (2 - 1) ** 2)
    assert frechet_distance(one, one) == 0


def test_frechet_is_the_formula_with_scipys_root():
    rows, others = (one.reshape(-1, one.shape[-1]).astype("float64") for one in (F, S))
    (mu, sigma), (other, other_sigma) = (
        (one.mean(axis=0), np.cov(one.T, bias=True)) for one in (rows, others)
    )
    root = sqrtm(sigma @ other_sigma).real
    expected = np.sum((mu - other) ** 2) + np.trace(sigma + other_sigma - 2 * root)
    assert math.isclose(frechet_distance(F, S), expected, rel_tol=1e-6)
    assert math.isclose(frechet_distance(S, F), expected, rel_tol=1e-6), "it has no direction"


def test_frechet_of_channels_that_know_nothing_of_each_other():
    """Diagonal covariances: the deviations' distances, squared and added."""
    corners = np.array([[a, b] for a in (-1, 1) for b in (-1, 1)], float).reshape(2, 2, 2)
    one, other = corners * [1, 2], corners * [4, 0] + [0, 3]
    assert math.isclose(frechet_distance(one, other), 3**2 + (1 - 4) ** 2 + 2**2)


def test_frechet_knows_no_positions_and_bears_fewer_of_them_than_channels():
    assert math.isclose(frechet_distance(shuffled(F), S), frechet_distance(F, S))
    few = features(1, 3, 8)
    assert frechet_distance(few, few) < 1e-6
    assert frechet_distance(few, features(2, 2, 8, seed=1)) > 0


# Content ----------------------------------------------------------------------------------------


def test_self_similarity_by_hand():
    """Channels less their means: (1, 0), (-1, 0). Cosines 1 and -1, divided by 0.1."""
    S = self_similarity(np.array([[3.0, 7], [1, 7]]).reshape(1, 2, 2))
    close, far = math.exp(10), math.exp(-10)
    np.testing.assert_allclose(S, np.array([[close, far], [far, close]]) / (close + far))


def test_content_is_the_loop():
    S, S_painted = self_similarity(P), self_similarity(F)
    total = 0.0
    for row, row_painted in zip(S, S_painted, strict=True):
        for p, q in zip(row, row_painted, strict=True):
            total += p * math.log(p / q)
    assert math.isclose(content_distance(F, P), total / 48)


def test_content_is_zero_for_the_photograph_and_never_below():
    assert content_distance(P, P) == 0
    assert all(content_distance(features(6, 8, 5, seed=n), P) > 0 for n in range(3, 13))


def test_content_knows_no_channels_but_knows_positions():
    order = np.array([3, 0, 4, 1, 2])
    same = content_distance(F, P)
    assert math.isclose(content_distance(F[..., order], P[..., order]), same)
    assert math.isclose(content_distance(F[..., order], P), same), "each map is made by itself"
    assert math.isclose(content_distance(5 * F + 2, P), same, rel_tol=1e-5), (
        "contrast and tint do not count"
    )
    assert content_distance(shuffled(P), P) > 0.1


def test_flat_features_are_alike_everywhere():
    flat = np.ones((2, 2, 3))
    np.testing.assert_allclose(self_similarity(flat), 0.25)
    assert content_distance(flat, flat) == 0


@pytest.mark.parametrize(
    ("shape", "most", "positions"), [((6, 8), 48, 48), ((6, 8), 47, 12), ((7, 9), 12, 12),
                                     ((6, 8), 1, 1), ((1, 9), 4, 4), ((9, 1), 1, 1)],
)  # fmt: skip
def test_positions_are_averaged_until_they_are_few(shape, most, positions):
    S = self_similarity(features(*shape, 3), most)
    assert S.shape == (positions, positions)
    np.testing.assert_allclose(S.sum(axis=1), 1)


def test_blocks_are_averages():
    blocks = features(2, 3, 4)
    F = blocks.repeat(2, axis=0).repeat(2, axis=1) + np.tile([[[-1], [1]], [[1], [-1]]], (2, 3, 1))
    np.testing.assert_allclose(self_similarity(F, 6), self_similarity(blocks), rtol=1e-5)


# People -----------------------------------------------------------------------------------------


def test_a_blind_test_hides_the_sides_and_its_key_finds_them():
    pairs = [(f"ours {n}", f"theirs {n}") for n in range(20)]
    sheet, key = blind_pairs(pairs, seed=5)
    assert (sheet, key) == blind_pairs(pairs, seed=5)
    assert (sheet, key) != blind_pairs(pairs, seed=6)
    assert sorted(place for place, _ in key) == [*range(20)]
    assert [place for place, _ in key] != [*range(20)]
    assert {side for _, side in key} == {"left", "right"}
    for shown, (place, side) in zip(sheet, key, strict=True):
        assert shown[side == "right"] == f"ours {place}"
        assert shown[side == "left"] == f"theirs {place}"


def test_luck_by_hand():
    """Of the eight ways three coins can fall, four have two heads or more, and one has three."""
    assert [luck(k, 3) for k in range(4)] == [1, 7 / 8, 1 / 2, 1 / 8]
    assert luck(0, 0) == 1


def test_luck_is_the_share_of_all_ways_to_guess():
    answers = np.array([bin(n).count("1") for n in range(2**10)])
    assert all(luck(k, 10) == np.mean(answers >= k) for k in range(11))
    assert luck(600, 1000) < 1e-9, "large numbers too"


# Mistakes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: style_distance({"a": F}, {}, {"a": P}), "the style needs the painted picture's"),
        (lambda: style_distance({}, {"a": S}, {"a": P}), "at least one"),
        (lambda: style_distance({"a": F}, {"a": P}, {"a": P}), "at a the photograph is no differ"),
        (lambda: frechet_distance(F, F[..., :3]), "5 channels and one in 3"),
        (lambda: frechet_distance(F[0], F), r"\(H, W, N\), not \(8, 5\)"),
        (lambda: frechet_distance(np.stack([F, F]), F), r"not \(2, 6, 8, 5\)"),
        (lambda: frechet_distance(F * np.nan, F), r"features are numbers"),
        (lambda: content_distance(F, S), r"one shape, but they have \(6, 8, 5\) and \(7, 5, 5\)"),
        (lambda: self_similarity(F, 0), "most is 0"),
        (lambda: luck(4, 3), "4 right answers of 3 cannot be"),
        (lambda: luck(-1, 3), "-1 right answers"),
        (lambda: luck(1.5, 3), "1.5 right answers"),
    ],
)
def test_mistakes(call, words):
    with pytest.raises(NSTError, match=words):
        call()
