"""Colors: as a mean and a covariance that one picture can take over from another, or left alone.

Gatys, Bethge, Hertzmann and Shechtman, "Preserving color in neural artistic style transfer",
arXiv 1606.05897. Pictures are `(1, H, W, 3)`, RGB, 0..255.
"""

from collections.abc import Callable, Sequence

import numpy as np

from nst_tutorial.runtime.types import Array

LUMINANCE = np.array([0.299, 0.587, 0.114], "float32")  # Y of YIQ, of R, G and B
FLAT = 1e-4  # a deviation below this part of the largest one is rounding, not color


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
        reference: the picture whose colors it gets, or a list of such.
        root: of a covariance: `symmetric_root`, the default, or `cholesky_root`.
        weights, reference_weights: `(1, H, W, 1)`, how much each pixel counts in a picture's mean
            and covariance; None: all alike.
        faint: added to the picture's variances. A gray picture has tints that are mere noise, and
            without this they are amplified to full color.

    Returns:
        float32, the shape of the picture; not clipped. Its colors have the reference's mean and,
        where `faint` is 0 and its own colors span as many dimensions, the reference's covariance.

    Taught in: 11_control.
    """
    root = root or symmetric_root
    references = reference if isinstance(reference, (list, tuple)) else [reference]
    mean, covariance = color_statistics([image], weights)
    wanted_mean, wanted = color_statistics(references, reference_weights)
    A = root(wanted) @ np.linalg.pinv(root(covariance + faint * np.eye(3)), rcond=FLAT)
    return ((image - mean) @ A.T + wanted_mean).astype("float32")


def color_statistics(
    images: Sequence[Array], weights: Array | None = None
) -> tuple[np.ndarray, np.ndarray]:
    r"""Return the mean `(3,)` and the covariance `(3, 3)` of all the pictures' colors.

    $\mu = \sum_k w_k x_k$ and $\Sigma = \sum_k w_k (x_k - \mu) (x_k - \mu)^T$, $\sum_k w_k = 1$.
    """
    pixels = np.concatenate([np.reshape(image, (-1, 3)) for image in images]).astype("float64")
    w = None if weights is None else np.ravel(weights).astype("float64")
    return np.average(pixels, axis=0, weights=w), np.cov(pixels.T, bias=True, aweights=w)


def symmetric_root(covariance: Array) -> np.ndarray:
    r"""Return the symmetric $\Sigma^{1/2}$: no other root moves colors as little."""
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T


def cholesky_root(covariance: Array) -> np.ndarray:
    r"""Return the lower triangular $L$ with $L L^T = \Sigma$, for any covariance.

    With it red depends on red alone, green on red and green: the order of the channels counts.
    """
    _, upper = np.linalg.qr(symmetric_root(covariance))
    return upper.T * np.where(np.diag(upper) < 0, -1, 1)


def luminance(image: Array) -> np.ndarray:
    """Return a picture without its colors: three times $Y = 0.299 R + 0.587 G + 0.114 B$."""
    return np.repeat(np.asarray(image) @ LUMINANCE[:, None], 3, axis=-1)


def luminance_only(painted: Array, photograph: Array) -> np.ndarray:
    r"""Keep a photograph's colors, and take over a painted picture's luminance alone.

    $x = c + Y(p) - Y(c)$, added to red, green and blue: YIQ's other two channels, I and Q, are
    differences of colors and stay the photograph's   (1606.05897, section 4)

    Args:
        painted, photograph: p and c, of one shape.

    Returns:
        float32, the same shape; clipped to 0..255.

    Taught in: 11_control.
    """
    change = luminance(painted) - luminance(photograph)
    return np.clip(photograph + change, 0, 255).astype("float32")
