r"""Measures of a finished picture that no loss has seen, and a blind test for people.

Features are one picture's, `(H, W, N)` or `(1, H, W, N)`, from any network: everything is NumPy. A
measure says more about a picture if it looks at layers that the picture was not made with.
"""

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from nst_tutorial.control.colors import symmetric_root
from nst_tutorial.runtime.errors import NSTError
from nst_tutorial.runtime.types import Array, Features

MOST_POSITIONS = 1024  # compared with each other: a matrix of 8 MB
TEMPERATURE = 0.1  # of the softmax over cosines, which are from -1 to 1


def style_distance(painted: Features, style: Features, photograph: Features) -> float:
    r"""Measure how much of the way from the photograph to the style is left.

    The mean over layers of $\|G - A\| / \|P - A\|$, with G, A and P the mean Gram matrices of the
    painted picture, the style and the photograph. 0 is the style, 1 the photograph; it has no upper
    limit.

    Args:
        painted: `{layer: (H, W, N)}`; its layers count. Take some that the loss has not seen.
        style, photograph: the same layers; the pictures may have other sizes.

    Raises:
        NSTError: a layer is missing, no layer is given, or the photograph has the style's matrix.

    Taught in: 12_how_good_is_it.
    """
    for name, features in {"style": style, "photograph": photograph}.items():
        if not painted or painted.keys() - features.keys():
            raise NSTError(f"the {name} needs the painted picture's layers, at least one.")
    shares = []
    for layer in painted:
        G, A, P = (_mean_gram(one[layer]) for one in (painted, style, photograph))
        if not (way := np.linalg.norm(P - A)):
            raise NSTError(f"at {layer} the photograph is no different from the style.")
        shares.append(np.linalg.norm(G - A) / way)
    return float(np.mean(shares))


def frechet_distance(painted: Array, style: Array) -> float:
    r"""Compare two pictures' features as two Gaussian clouds of positions (SIFID).

    $\|\mu - \mu'\|^2 + \mathrm{tr}(\Sigma + \Sigma' - 2 (\Sigma \Sigma')^{1/2})$   (Heusel et al.,
    1706.08500, eq. 6; for the positions of one picture, Shaham et al., 1905.01164, section 4.2)

    The last trace is the sum of the singular values of $\Sigma^{1/2} \Sigma'^{1/2}$, for these
    squared are the eigenvalues of the symmetric $\Sigma^{1/2} \Sigma' \Sigma^{1/2}$.

    Args:
        painted, style: `(H, W, N)`, one layer; the pictures may have other sizes.

    Returns:
        at least 0, in the features' units squared.

    Raises:
        NSTError: the numbers of channels differ.

    Differs: SIFID takes Inception's first block, and divides covariances by M - 1 instead of M.
    Taught in: 12_how_good_is_it.
    """
    (mu, sigma), (mu_style, sigma_style) = _cloud(painted), _cloud(style)
    if len(mu) != len(mu_style):
        raise NSTError(f"a cloud in {len(mu)} channels and one in {len(mu_style)} do not compare.")
    overlap = np.linalg.norm(symmetric_root(sigma) @ symmetric_root(sigma_style), "nuc")
    spread = np.trace(sigma) + np.trace(sigma_style) - 2 * overlap
    return float(np.sum((mu - mu_style) ** 2) + max(spread, 0))


def self_similarity(features: Array, most: int = MOST_POSITIONS) -> np.ndarray:
    r"""Say of each position which others are like it, as probabilities.

    $S_{ij} = \exp(\cos_{ij} / \tau) / \sum_k \exp(\cos_{ik} / \tau)$, with $\tau = 0.1$ and the
    cosine between the features at i and j, each channel less its mean.

    Args:
        features: `(H, W, N)`. Blocks of positions are averaged until there are at most `most`.

    Returns:
        `(M, M)`; each row adds up to 1.

    Taught in: 12_how_good_is_it.
    """
    F = _pooled(_one_picture(features), most)  # (M, N)
    F = F - F.mean(axis=0)
    F /= np.maximum(np.linalg.norm(F, axis=1, keepdims=True), 1e-12)
    S = np.exp(F @ F.T / TEMPERATURE)
    return S / S.sum(axis=1, keepdims=True)


def content_distance(painted: Array, photograph: Array, most: int = MOST_POSITIONS) -> float:
    r"""Measure how much of what belongs together in a photograph no longer does (CFSD).

    $\frac{1}{M} \sum_i KL(S_i \| S'_i) = \frac{1}{M} \sum_{ij} S_{ij} \log (S_{ij} / S'_{ij})$ with
    the `self_similarity` S of the photograph and S' of the painted picture   (after Chung, Hyun and
    Heo, "Style injection in diffusion", 2312.09008)

    Args:
        painted, photograph: `(H, W, N)`, one layer, the same shape.
        most: positions to compare with each other; see `self_similarity`.

    Returns:
        at least 0: 0 for the photograph, and for any rotation of its channels.

    Raises:
        NSTError: the shapes differ.

    Differs: CFSD's own code has dot products F Fᵀ / N² for the cosines, so that its values depend
        on the network's units, takes KL(S' ‖ S), and adds positions up.
    Taught in: 12_how_good_is_it.
    """
    shapes = [_one_picture(one).shape for one in (painted, photograph)]
    if shapes[0] != shapes[1]:
        raise NSTError(f"the two must have one shape, but they have {shapes[0]} and {shapes[1]}.")
    S, S_painted = self_similarity(photograph, most), self_similarity(painted, most)
    return float(np.sum(S * np.log(S / S_painted)) / len(S))


def blind_pairs(
    pairs: Sequence[tuple[Any, Any]], seed: int = 0
) -> tuple[list[tuple[Any, Any]], list[tuple[int, str]]]:
    """Shuffle pairs, and left and right within each, so that nobody can know which is whose.

    Args:
        pairs: of anything, such as (painted by one method, painted by another).
        seed: whoever knows it knows the key.

    Returns:
        the pairs to show, and the key: for each the place it had in `pairs`, from 0, and on which
        side its first is now, `"left"` or `"right"`.

    Taught in: 12_how_good_is_it.
    """
    rng = np.random.default_rng(seed)
    order, flips = rng.permutation(len(pairs)).tolist(), rng.integers(0, 2, len(pairs)).tolist()
    sheet = [(pairs[i][flip], pairs[i][1 - flip]) for i, flip in zip(order, flips, strict=True)]
    return sheet, [(i, ("left", "right")[flip]) for i, flip in zip(order, flips, strict=True)]


def luck(right: int, trials: int) -> float:
    r"""Return the probability of so many right answers or more by tossing a coin.

    $P(X \ge k) = 2^{-n} \sum_{i=k}^{n} \binom{n}{i}$

    Args:
        right, trials: k of n, 0 ≤ k ≤ n.

    Raises:
        NSTError: they are no such whole numbers.

    Taught in: 12_how_good_is_it.
    """
    try:
        k, n = operator.index(right), operator.index(trials)
    except TypeError:
        k, n = 1, 0
    if not 0 <= k <= n:
        raise NSTError(f"{right!r} right answers of {trials!r} cannot be; give 0 ≤ right ≤ trials.")
    return sum(math.comb(n, i) for i in range(k, n + 1)) / 2**n


def _one_picture(features):
    """One picture's features in float64, without a batch axis."""
    F = np.asarray(features, "float64")
    F = F[0] if F.ndim == 4 and len(F) == 1 else F
    if F.ndim != 3 or not F.size or not np.isfinite(F).all():
        raise NSTError(f"one picture's features are numbers (H, W, N), not {np.shape(features)}.")
    return F


def _flat(features):
    F = _one_picture(features)
    return F.reshape(-1, F.shape[-1])  # (M, N)


def _mean_gram(features):
    """As `losses.mean_gram_matrix`, without Keras."""
    F = _flat(features)
    return F.T @ F / len(F)


def _cloud(features):
    F = _flat(features)
    return F.mean(axis=0), np.cov(F.T, bias=True).reshape(F.shape[1], F.shape[1])


def _pooled(F, most):
    """Average blocks of k × k positions, k as small as can be; what is left at the border goes."""
    height, width, channels = F.shape
    if most < 1:
        raise NSTError(f"most is {most}; at least one position is needed.")
    shapes = ((k, max(height // k, 1), max(width // k, 1)) for k in range(1, height + width))
    k, h, w = next(one for one in shapes if one[1] * one[2] <= most)
    blocks = F[: h * k, : w * k].reshape(h, min(k, height), w, min(k, width), channels)
    return blocks.mean(axis=(1, 3)).reshape(h * w, channels)
