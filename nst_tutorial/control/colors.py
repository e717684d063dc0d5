"""Colors, as a mean and a covariance that one picture can take from another.

Gatys, Bethge, Hertzmann and Shechtman, "Preserving color in neural artistic style transfer",
arXiv 1606.05897. Pictures are `(1, H, W, 3)`, RGB, 0..255.
"""

from collections.abc import Callable, Sequence

import numpy as np

from nst_tutorial.runtime.errors import NSTError
from nst_tutorial.runtime.types import Array

FLAT = 1e-4  # a deviation smaller than this share of the largest is rounding, not color


def match_colors(
    image: Array,
    reference: Array | Sequence[Array],
    root: Callable[[Array], np.ndarray] | None = None,
    *,
    weights: Array | None = None,
    reference_weights: Array | None = None,
    faint: float = 0.0,
) -> np.ndarray:
    r"""Give a picture the mean and the covariance of another picture's colors.

    $x' = A (x - \mu) + \mu_r$ with $A = \Sigma_r^{1/2} \Sigma^{-1/2}$   (1606.05897, section 3)

    Args:
        image: the picture to recolor.
        reference: the picture whose colors it gets, or a list of pictures.
        root: which root of a covariance to take: `symmetric_root` (the default) or `cholesky_root`.
        weights, reference_weights: how much each pixel counts in a picture's mean and covariance,
            `(1, H, W, 1)` or in a row; None: all alike.
        faint: added to the picture's variances. The tints of a gray picture are mere noise, and
            without this they would be amplified to full color.

    Returns:
        float32, the shape of the picture; not clipped. Its colors have the reference's mean and,
        where `faint` is 0 and its own colors span as many dimensions, the reference's covariance.

    Raises:
        NSTError: one of them is not a picture.

    Taught in: 11_control.
    """
    root = root or symmetric_root
    references = reference if isinstance(reference, (list, tuple)) and reference else [reference]
    mean, covariance = color_statistics([image := as_colors(image)], weights)
    wanted_mean, wanted = color_statistics(references, reference_weights)
    A = root(wanted) @ np.linalg.pinv(root(covariance + faint * np.eye(3)), rcond=FLAT)
    return ((image - mean) @ A.T + wanted_mean).astype("float32")


def color_statistics(
    images: Sequence[Array], weights: Array | None = None
) -> tuple[np.ndarray, np.ndarray]:
    r"""Return the mean `(3,)` and the covariance `(3, 3)` of all the pictures' colors.

    $\mu = \sum_k w_k x_k$ and $\Sigma = \sum_k w_k (x_k - \mu) (x_k - \mu)^T$, $\sum_k w_k = 1$.
    """
    pixels = np.concatenate([as_colors(image).reshape(-1, 3) for image in images])
    w = np.ones(len(pixels)) if weights is None else np.ravel(weights).astype("float64")
    if len(w) != len(pixels) or not (w.min() >= 0 and 0 < w.sum() < np.inf):
        raise NSTError("weights must be one number from 0 up for each pixel, not all of them 0.")
    return np.average(pixels, axis=0, weights=w), np.cov(pixels.T, bias=True, aweights=w)


def symmetric_root(covariance: Array) -> np.ndarray:
    r"""Return the symmetric $\Sigma^{1/2}$, which treats all channels alike."""
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T


def cholesky_root(covariance: Array) -> np.ndarray:
    r"""Return the lower triangular $L$ with $L L^T = \Sigma$, for any covariance.

    With it, red depends on red alone, and green on red and green: the channels' order matters.
    """
    _, upper = np.linalg.qr(symmetric_root(covariance))
    return upper.T * np.where(np.diag(upper) < 0, -1, 1)


def as_colors(image: Array) -> np.ndarray:
    """Return a picture in float64; raise NSTError unless it is an array `(..., 3)` of numbers."""
    try:
        colors = np.asarray(image, "float64")
    except (TypeError, ValueError):
        colors = np.zeros(0)
    if colors.shape[-1:] != (3,) or not colors.size or not np.isfinite(colors).all():
        raise NSTError(f"a picture is an array (..., 3) of numbers, not {type(image).__name__}.")
    return colors
