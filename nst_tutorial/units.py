"""Units: the parts of the loss as a convention divides them; an `Objective` asks for each here."""

from nst_tutorial.backend import ops
from nst_tutorial.losses import content_loss, gram_distance, gram_matrix, total_variation_loss


def divided_gram(features, convention):
    """Divide Gram matrices as the convention does, mostly by their number of positions."""
    return gram_matrix(features) / convention.gram(*features.shape[-3:])


def content_divisor(P, convention):
    """Say what `content_loss` is divided by, for a target of features `(1, h, w, N)`."""
    if convention.relative:
        return _value(content_loss(ops.zeros_like(P), P))
    return convention.content(*P.shape[1:]) / 2  # content_loss has a ½ of its own


def style_divisor(A, convention, height, width):
    """Say what `gram_distance` is divided by, for a target `(1, N, N)` and a picture's H and W."""
    if convention.relative:
        return _value(gram_distance(ops.zeros_like(A), A))
    N = A.shape[-1]
    return convention.distance(N, height, width) / (4 * N**2)  # as gram_distance has already


def variation(image, convention, exponent):
    """Measure the total variation of a picture `(1, H, W, 3)`, RGB, 0..255: a scalar."""
    x = image / ops.convert_to_tensor(convention.pixel, "float32")
    if convention.variation == "squares":
        return total_variation_loss(x, exponent)[0] / convention.pixels(*image.shape[1:3])
    return absolute_variation_loss(x, mean=convention.variation == "mean")[0]


def absolute_variation_loss(image, mean=False):
    r"""Measure it as TensorFlow's tutorial does, $\sum |dx| + \sum |dy|$, over every pair.

    With `mean` as d2l.ai does, $\frac{1}{2} (mean |dx| + mean |dy|)$. `(B, H, W, C)` gives `(B,)`.
    """
    dx = ops.abs(image[..., 1:, :] - image[..., :-1, :])
    dy = ops.abs(image[..., 1:, :, :] - image[..., :-1, :, :])
    reduce, share = (ops.mean, 0.5) if mean else (ops.sum, 1.0)
    return share * (reduce(dx, axis=(-3, -2, -1)) + reduce(dy, axis=(-3, -2, -1)))


def _value(loss):
    """What a relative term is divided by: its value where every feature is zero."""
    return max(float(loss[0]), 1e-12)
