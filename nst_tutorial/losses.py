"""The losses, equation by equation.

Gatys, Ecker and Bethge, "A neural algorithm of artistic style", arXiv 1508.06576 (eqs. 1-7), and
the total variation of Mahendran and Vedaldi, arXiv 1412.0035.

Features are `(B, H, W, N)`: N channels at M = H W positions (the paper's F^l has the channels
first). A missing batch axis is accepted; every loss returns one value per picture. All is
`keras.ops`, in float32 at least: it runs on any Keras backend, and on NumPy arrays.
"""

from typing import Any, NamedTuple

from nst_tutorial.runtime.backend import keras, ops
from nst_tutorial.runtime.errors import NSTError
from nst_tutorial.runtime.types import Array, Features


def content_loss(generated: Array, target: Array) -> Array:
    r"""Compare two pictures' features, place by place.

    $L_{content} = \frac{1}{2} \sum_{ij} (F_{ij} - P_{ij})^2$   (1508.06576, eq. 1)

    Args:
        generated: F, features `(B, H, W, N)` of the generated picture.
        target: P, features of the content picture, same shape.

    Returns:
        `(B,)`, at least 0.

    Raises:
        NSTError: the shapes differ.

    Differs: keras.io's example leaves out the 1/2; TensorFlow's tutorial takes the mean.
    Taught in: 03_content_loss.
    """
    F, P = _same_shape(generated, target)
    return 0.5 * ops.sum(ops.square(F - P), axis=(-3, -2, -1))


def content_loss_gradient(generated: Array, target: Array) -> Array:
    r"""Differentiate the content loss with respect to the input of the layer's ReLU.

    $\partial L_{content} / \partial F_{ij} = (F - P)_{ij}$ where $F_{ij} > 0$, else 0   (eq. 2)

    Args:
        generated: F, features after the ReLU, `(B, H, W, N)`.
        target: P, same shape.

    Returns:
        the shape of F.

    Raises:
        NSTError: the shapes differ.

    Taught in: 03_content_loss.
    """
    F, P = _same_shape(generated, target)
    return ops.where(F > 0, F - P, ops.zeros_like(F))


def gram_matrix(features: Array) -> Array:
    r"""Correlate every channel with every other, over all positions.

    $G_{ij} = \sum_k F_{ik} F_{jk}$   (eq. 3)

    Args:
        features: `(B, H, W, N)`.

    Returns:
        `(B, N, N)`, symmetric, not normalized: it grows with the number of positions.

    Differs: TensorFlow's tutorial divides by M, PyTorch's by N M.
    Taught in: 04_gram_matrices.
    """
    F = _positions_by_channels(features)
    return ops.swapaxes(F, -1, -2) @ F


def gram_matrix_one_sided(features: Array) -> Array:
    """Compute the same matrix as `gram_matrix`, with a gradient that costs one product, not two.

    The gradient reaches F through both factors of Fᵀ F, as F S and as F Sᵀ. With one factor held
    constant it is F (S + Sᵀ), the same at half the cost: what a transfer spends here is gradients.
    """
    F = _positions_by_channels(features)
    G = ops.swapaxes(ops.stop_gradient(F), -1, -2) @ F
    return G + ops.swapaxes(G, -1, -2) - ops.stop_gradient(G)


def mean_gram_matrix(features: Array) -> Array:
    r"""Divide the Gram matrix by its number of positions, $G / M$, so that any sizes compare.

    Features `(B, H, W, N)` give `(B, N, N)`.
    """
    F = _positions_by_channels(features)
    return gram_matrix_one_sided(features) / ops.cast(ops.shape(F)[-2], F.dtype)


def guided_gram_matrix(features: Array, guide: Array) -> Array:
    r"""Take the mean Gram matrix of one region: each position counts as much as it belongs to it.

    $G = (T \circ F)^T (T \circ F) / \sum_k T_k^2$   (Gatys et al., 1611.07865, section 4)

    With a guide of ones this is `mean_gram_matrix`.

    Args:
        features: F, `(B, H, W, N)`.
        guide: T, `(B, H, W, 1)`, 0..1, not 0 everywhere; several for one picture: several matrices.

    Returns:
        `(B, N, N)`.

    Raises:
        NSTError: the guide has another height or width, or several channels.

    Differs: the paper scales T beforehand so that $\sum_k T_k^2 = 1$.
    Taught in: 11_control.
    """
    F = _array(features)
    T = ops.cast(_array(guide), F.dtype)
    if None not in (*F.shape, *T.shape) and tuple(T.shape[-3:]) != (*F.shape[-3:-1], 1):
        raise NSTError(f"a guide for features {tuple(F.shape)} has no shape {tuple(T.shape)}.")
    mass = ops.sum(ops.square(T), axis=(-3, -2, -1))
    return gram_matrix_one_sided(T * F) / mass[..., None, None]


class StyleTarget(NamedTuple):
    """A style picture at one layer, as the style loss sees it: computed once, used at each step."""

    mean_gram: Any  # A / M_style, (B, N, N)
    guide: Any = ()  # of the generated picture's features, (B, H, W, 1); (): all of them count


def style_target(style: Array | StyleTarget) -> StyleTarget:
    """Compute once what the style loss needs of a style picture's features, `(B, H', W', N)`."""
    return style if isinstance(style, StyleTarget) else StyleTarget(mean_gram_matrix(style))


def gram_distance(generated: Array, style: Array) -> Array:
    r"""Compare two mean Gram matrices, $\frac{1}{4 N^2} \sum_{ij} (G_{ij}/M - A_{ij}/M_{style})^2$.

    Two `(B, N, N)`, G/M and A/M_style, give `(B,)`: equation 4 from the matrices on.
    """
    G, A = _same_shape(generated, style, axes=2)
    return ops.sum(ops.square(G - A), axis=(-2, -1)) / (4 * G.shape[-1] ** 2)


def style_layer_loss(generated: Array, style: Array | StyleTarget) -> Array:
    r"""Compare the styles of two pictures at one layer.

    $E_l = \frac{1}{4 N^2} \sum_{ij} (G_{ij} / M - A_{ij} / M_{style})^2$   (eq. 4)

    Where both pictures have M positions this is the paper's
    $\frac{1}{4 N^2 M^2} \sum_{ij} (G_{ij} - A_{ij})^2$. Deviation: each Gram matrix is divided by
    its own M, so that the style picture may have any size.

    Args:
        generated: features `(B, H, W, N)` of the generated picture.
        style: features `(B, H', W', N)` of the style picture, or their `style_target`.

    Returns:
        `(B,)`, at least 0.

    Raises:
        NSTError: the numbers of channels differ.

    Differs: keras.io's example has 3 for N and the picture's area for M.
    Taught in: 05_style_loss.
    """
    target = style_target(style)
    guided = not isinstance(target.guide, tuple)
    G = guided_gram_matrix(generated, target.guide) if guided else mean_gram_matrix(generated)
    return gram_distance(G, target.mean_gram)


def style_layer_loss_gradient(generated: Array, style: Array | StyleTarget) -> Array:
    r"""Differentiate a layer's style loss with respect to the input of the layer's ReLU.

    $\partial E_l / \partial F_{ij} = \frac{1}{N^2 M} ((G / M - A / M_{style}) F)_{ij}$ where
    $F_{ij} > 0$, else 0   (eq. 6; for equal sizes the paper's $\frac{1}{N^2 M^2} ((G - A) F)_{ij}$)

    Args:
        generated: F, features after the ReLU, `(B, H, W, N)`.
        style: features `(B, H', W', N)`, or their `style_target`.

    Returns:
        the shape of F.

    Raises:
        NSTError: the numbers of channels differ.

    Taught in: 05_style_loss.
    """
    A = style_target(style).mean_gram
    G, A = _same_shape(mean_gram_matrix(generated), A, axes=2)
    F = _positions_by_channels(generated)
    gradient = F @ (G - A) / ops.cast(F.shape[-1] ** 2 * ops.shape(F)[-2], F.dtype)
    return ops.reshape(ops.where(F > 0, gradient, ops.zeros_like(F)), ops.shape(generated))


def style_loss(
    generated: Features, style: Features, layer_weights: dict[str, float] | None = None
) -> Array:
    r"""Add the layers' style losses up.

    $L_{style} = \sum_l w_l E_l$   (eq. 5)

    Args:
        generated: `{layer: features}` of the generated picture.
        style: `{layer: features}` of the style picture, or their `style_target`s, with at least
            the same layers.
        layer_weights: `{layer: w_l}`; by default 1/L for each of the L layers of `generated`.

    Returns:
        `(B,)`, at least 0.

    Raises:
        NSTError: a layer is missing, or none is given.

    Taught in: 05_style_loss.
    """
    if layer_weights is None and isinstance(generated, dict):
        layer_weights = dict.fromkeys(generated, 1 / max(len(generated), 1))
    for one in (generated, style, layer_weights):
        if not isinstance(one, dict):
            raise NSTError(f"style_loss takes dictionaries by layer, not a {type(one).__name__}.")
    if not layer_weights:
        raise NSTError("the style loss needs at least one layer; none was given.")
    for layer in layer_weights:
        if layer not in generated or layer not in style:
            raise NSTError(f"layer {layer!r} has a weight but no features; give its features too.")
    losses = {layer: style_layer_loss(generated[layer], style[layer]) for layer in layer_weights}
    return weigh_layers(losses, layer_weights)


def weigh_layers(losses: dict[str, Array], layer_weights: dict[str, float]) -> Array:
    r"""Add up layers' losses `{layer: E_l}` that are known one by one: $\sum_l w_l E_l$ (eq. 5)."""
    return sum(layer_weights[layer] * loss for layer, loss in losses.items())


def total_variation_loss(image: Array, exponent: float = 2.0) -> Array:
    r"""Measure how much neighboring pixels differ.

    $TV = \sum_{ij} ((x_{i,j+1} - x_{ij})^2 + (x_{i+1,j} - x_{ij})^2)^{\beta / 2}$
    (1412.0035), over the pixels that have both neighbors, channel by channel.

    The gradient is taken as zero where both differences are zero: below exponent 2 the formula's
    is 0/0 there, on every flat patch.

    Args:
        image: `(B, H, W, C)`, any range; the value grows with the range to the power β.
        exponent: β, above 0. Above 1 a ramp costs less than an edge; at 1 as much.

    Returns:
        `(B,)`, at least 0.

    Differs: `tf.image.total_variation` sums |dx| + |dy|, over every pair of neighbors.
    Taught in: 06_total_variation.
    """
    x = _array(image)
    corner = x[..., :-1, :-1, :]
    right, down = x[..., :-1, 1:, :] - corner, x[..., 1:, :-1, :] - corner
    squared = ops.square(right) + ops.square(down)
    flat = squared == 0
    slope = ops.power(ops.where(flat, ops.ones_like(squared), squared), exponent / 2)
    return ops.sum(ops.where(flat, ops.zeros_like(squared), slope), axis=(-3, -2, -1))


def total_loss(
    content: Array,
    style: Array,
    total_variation: Array,
    *,
    content_weight: float,
    style_weight: float,
    tv_weight: float,
) -> Array:
    r"""Weigh the three losses against each other.

    $L_{total} = \alpha L_{content} + \beta L_{style} + \gamma TV$   (eq. 7, and total variation)

    Args:
        content, style, total_variation: the losses, `(B,)` each.
        content_weight, style_weight, tv_weight: α, β, γ, at least 0.

    Returns:
        `(B,)`.

    Taught in: 07_full_transfer.
    """
    return content_weight * content + style_weight * style + tv_weight * total_variation


def _array(values, axes=3):
    """Return an array with at least so many axes, in float32 or float64."""
    try:
        array = ops.convert_to_tensor(values)
        dtype = keras.backend.standardize_dtype(array.dtype)
    except (TypeError, ValueError):
        array, dtype = None, "none"
    if dtype in ("none", "string") or len(array.shape) < axes:
        form = "(B, H, W, N)" if axes == 3 else "(B, N, N)"
        came = f"of shape {tuple(array.shape)}" if dtype != "none" else type(values).__name__
        raise NSTError(f"the loss compares arrays {form} of numbers; this one is {came}.")
    return array if dtype == "float64" else ops.cast(array, "float32")


def _same_shape(generated, target, axes=3):
    generated, target = _array(generated, axes), _array(target, axes)
    if generated.shape[-axes:] != target.shape[-axes:]:
        raise NSTError(
            f"the two must have one shape, but the generated picture's is {tuple(generated.shape)} "
            f"and the other's {tuple(target.shape)}."
        )
    return generated, target


def _positions_by_channels(features):
    features = _array(features)
    *batch, height, width, channels = ops.shape(features)
    return ops.reshape(features, (*batch, height * width, channels))
