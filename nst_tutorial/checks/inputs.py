"""Small inputs to judge by, and the few lines of NumPy that wrong answers are written in."""

import numpy as np

from nst_tutorial.runtime.types import Array


def features(*shape: int, seed: int = 0) -> np.ndarray:
    """Features as they come out of a ReLU: about a third of them zero."""
    values = np.random.default_rng(seed).normal(0.4, 1, shape)
    return np.maximum(np.round(values, 2), 0).astype("float32")


def picture(*shape: int, seed: int = 0) -> np.ndarray:
    """RGB in 0..255, with black, white and a flat patch in it."""
    values = np.random.default_rng(seed).uniform(-60, 315, shape)
    values = np.clip(np.round(values, 1), 0, 255)
    values[..., :2, :2, :] = 255
    return values.astype("float32")


def total(values: Array) -> np.ndarray:
    """Sum over all but the pictures of the batch."""
    return values.sum(axis=tuple(range(1, values.ndim)))


def flat(F: Array) -> np.ndarray:
    """Positions by channels: `(B, H, W, N)` to `(B, M, N)`."""
    return F.reshape(len(F), -1, F.shape[-1])


def gram(F: Array) -> np.ndarray:
    return flat(F).swapaxes(1, 2) @ flat(F)


def positions(F: Array) -> int:
    return F.shape[1] * F.shape[2]


def mean_gram(F: Array) -> np.ndarray:
    return gram(F) / positions(F)


def shuffled(*every: Array) -> list[np.ndarray]:
    """Put the positions of pictures of one size in another order, the same for each."""
    order = np.random.default_rng(5).permutation(positions(every[0]))
    return [flat(F)[:, order].reshape(F.shape) for F in every]
