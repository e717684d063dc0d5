"""Exercises on features: content, Gram matrices and style."""

from collections.abc import Callable, Sequence

import numpy as np

from nst_tutorial import losses
from nst_tutorial.checks.inputs import features, flat, gram, mean_gram, positions, shuffled, total
from nst_tutorial.checks.judge import Case, Exercise
from nst_tutorial.runtime.types import Array, Features, Shape

SHAPES = [(1, 1, 4, 3), (1, 3, 5, 2), (2, 4, 3, 4), (1, 7, 2, 3)]
STYLE_SHAPES = [(1, 1, 4, 3), (1, 4, 3, 2), (2, 2, 5, 4), (1, 7, 2, 3)]


def pairs(first: Sequence[Shape], second: Sequence[Shape]) -> list[tuple[np.ndarray, np.ndarray]]:
    shapes = zip(first, second, strict=True)
    return [(features(*one, seed=1), features(*other, seed=2)) for one, other in shapes]


PAIRS = pairs(SHAPES, SHAPES)
STYLES = pairs(SHAPES, STYLE_SHAPES)
F0, P0 = PAIRS[1]
F1, S1 = STYLES[1]
ONE, OTHER = (np.array(x, "float32").reshape(1, 1, 2, 2) for x in ([3, 0, 1, 4], [2, 2, 3, 1]))


def N(F: Array) -> int:  # noqa: N802, the papers' letters
    return F.shape[-1]


M = positions


def half(F: Array, P: Array) -> np.ndarray:
    """The content loss, ½ Σ (F − P)²."""
    return total((F - P) ** 2) / 2


def of_positions(F: Array) -> np.ndarray:
    """The Gram matrix the wrong way round, H·W × H·W."""
    return flat(F) @ flat(F).swapaxes(1, 2)


def tangled(F: Array) -> np.ndarray:
    """A Gram matrix of features whose channels were mixed by a `reshape` to (N, M)."""
    mixed = F.reshape(len(F), N(F), -1)
    return mixed @ mixed.swapaxes(1, 2)


# fmt: off
CONTENT_LOSS = Exercise(
    losses.content_loss,
    cases=(Case(ONE, OTHER), *(Case(*pair) for pair in PAIRS)),
    hints=(
        "Compare the two place by place: which three steps does eq. 1 take with F and P?",
        "Subtract, square, add up: and the ½ in front.",
        "One number for each picture: sum over all axes but the first.",
        "`0.5 * np.sum((generated - target) ** 2, axis=(1, 2, 3))`",
    ),
    mistakes=(
        ("½ missing", "The ½ in front of the sum is missing.", lambda F, P: 2 * half(F, P)),
        ("¼ for ½", "There is a ¼ where eq. 1 has ½.", lambda F, P: half(F, P) / 2),
        ("mean for sum", "This takes a mean; eq. 1 has the sum over positions and channels.",
         lambda F, P: half(F, P) / F[0].size, lambda F, P: half(F, P) / M(F),
         lambda F, P: half(F, P) / N(F)),
        ("absolute for squared differences", "This adds absolute differences; square them.",
         lambda F, P: total(np.abs(F - P)) / 2, lambda F, P: np.abs(F - P).mean((1, 2, 3))),
        ("square forgotten", "The differences are not squared, so they cancel each other.",
         lambda F, P: total(F - P) / 2),
        ("exponent applied after the sum",
         "Square each difference, then add: the other way round they cancel each other.",
         lambda F, P: total(F - P) ** 2 / 2),
        ("squares subtracted", "This is F² − P²; eq. 1 has (F − P)².",
         lambda F, P: total(F**2 - P**2) / 2),
        ("sum for difference", "Subtract P; do not add it.", lambda F, P: half(F, -P)),
        ("square root added", "Eq. 1 has no root.", lambda F, P: half(F, P) ** 0.5,
         lambda F, P: (half(F, P) / F[0].size) ** 0.5),
        ("Gram matrices compared",
         "Content is compared place by place: Gram matrices are for style.",
         lambda F, P: half(gram(F), gram(P))),
        ("target unused", "The target is never subtracted.", lambda F, P: half(F, 0)),
        ("wrong axis", "Add up all the positions and all the channels: `axis=(1, 2, 3)`.",
         lambda F, P: ((F - P) ** 2).sum((1, 2)) / 2, lambda F, P: ((F - P) ** 2).sum(-1) / 2,
         lambda F, P: ((F - P) ** 2).sum(0) / 2),
        ("not summed", "The squares are not added up.", lambda F, P: (F - P) ** 2 / 2),
    ),
    properties=(
        ("wrong scaling", "Twice the features are 4 times the loss.",
         lambda f: (4 * f(F0, P0), f(2 * F0, 2 * P0))),
    ),
)


CONTENT_LOSS_GRADIENT = Exercise(
    losses.content_loss_gradient,
    cases=(Case(ONE, OTHER), *(Case(*pair) for pair in PAIRS)),
    hints=(
        "What is the derivative of ½ (F − P)² with respect to F?",
        "F − P, of F's shape: the ½ and the 2 cancel.",
        "A feature that is 0 has been switched off by the ReLU: its gradient is 0.",
        "`np.where(generated > 0, generated - target, 0)`",
    ),
    mistakes=(
        ("ReLU forgotten", "Where F is 0 the ReLU is off, and the gradient is 0, whatever P is.",
         lambda F, P: F - P),
        ("wrong sign", "It is F − P, and 0 where F is 0.", lambda F, P: P - F),
        ("differences silenced",
         "This silences negative differences; eq. 2 silences features that are 0.",
         lambda F, P: np.maximum(F - P, 0)),
        ("ReLU of the target",
         "The ReLU that is off is the generated picture's: look where F > 0, not P.",
         lambda F, P: (F - P) * (P > 0), lambda F, P: (F - P) * (P > 0) * (F > 0)),
        ("ReLU the wrong way round", "It is 0 where F > 0: exchange the two.",
         lambda F, P: np.where(F > 0, 0, F - P)),
        ("wrong in the dark", "Where F is 0, so is the gradient.",
         lambda F, P: np.where(F > 0, F - P, P)),
        ("loss, not gradient",
         "This is the loss, one number; the gradient has a number for each feature.", half),
        ("loss, not gradient",
         "This is the loss of each feature: the derivative of ½ (F − P)² is F − P.",
         lambda F, P: (F - P) ** 2 / 2 * (F > 0), lambda F, P: (F - P) ** 2 / 2),
        ("mean for sum", "The loss is a sum, not a mean: nothing divides the gradient.",
         lambda F, P: (F - P) * (F > 0) / F[0].size, lambda F, P: (F - P) * (F > 0) / F.size),
        ("absolute differences", "The sign is needed.", lambda F, P: np.abs(F - P) * (F > 0)),
        ("sign only", "That is the gradient of |F − P|.", lambda F, P: np.sign(F - P) * (F > 0)),
        ("product with F", "Multiply by F > 0, not by F.", lambda F, P: (F - P) * F),
        ("target unused", "The target is never subtracted.", lambda F, P: F * 1),
        ("sum for difference", "Subtract P; do not add it.", lambda F, P: (F + P) * (F > 0)),
        ("summed", "Do not add up: keep F's shape.", lambda F, P: total((F - P) * (F > 0))),
    ),
)

GRAM_MATRIX = Exercise(
    losses.gram_matrix,
    cases=(Case(np.array([1, 2, 3, 4, 0, 1], "float32").reshape(1, 1, 3, 2)),
           *(Case(F) for F, _ in PAIRS)),
    hints=(
        "Where a feature is in the picture does not matter: H and W can become one axis.",
        "Flatten the positions, (B, H, W, N) to (B, H·W, N), but keep the pictures apart.",
        "Every channel with every other: which of Fᵀ F and F Fᵀ is N × N?",
        "`np.swapaxes(F, 1, 2) @ F` for F of shape (B, H·W, N)",
    ),
    mistakes=(
        ("transposed Gram matrix",
         "Your matrix is H·W × H·W: you correlated positions; correlate channels, Fᵀ F.",
         of_positions, lambda F: F.reshape(-1, N(F)) @ F.reshape(-1, N(F)).T),
        ("mean for sum", "This is divided; the Gram matrix of eq. 3 is a sum.", mean_gram,
         lambda F: gram(F) / (M(F) * N(F)), lambda F: gram(F) / N(F), lambda F: gram(F) / F.size),
        ("reshaped, not transposed",
         "`reshape` to (N, H·W) mixes the channels: flatten the positions first, then transpose.",
         tangled),
        ("rows not added",
         "There is a matrix for each row of the picture: flatten H and W into one axis first.",
         lambda F: F.swapaxes(-1, -2) @ F),
        ("diagonal only",
         "Only each channel with itself is there, the diagonal: every other pair is missing.",
         lambda F: (F**2).sum((1, 2)), lambda F: gram(F) * np.eye(N(F))),
        ("mean subtracted", "That is a covariance: eq. 3 subtracts no mean.",
         lambda F: gram(F - F.mean((1, 2), keepdims=True)),
         lambda F: mean_gram(F - F.mean((1, 2), keepdims=True))),
        ("normalized", "The channels are scaled to length 1; eq. 3 leaves them as they are.",
         lambda F: gram(F / np.sqrt((F**2).sum((1, 2), keepdims=True)))),
        ("square root added", "Eq. 3 has no root.", lambda F: np.sqrt(gram(F))),
        ("squared first", "The features are squared before they meet.", lambda F: gram(F**2)),
        ("product of the sums",
         "Multiply at each position, then add: not the sums with each other.",
         lambda F: np.einsum("bi,bj->bij", F.sum((1, 2)), F.sum((1, 2)))),
        ("wrong axis", "This correlates rows or columns: the channels are the last axis.",
         lambda F: np.einsum("bhwi,bvwi->bhv", F, F), lambda F: np.einsum("bhwi,bhvi->bwv", F, F)),
    ),
    properties=(
        ("order of positions matters", "The order of the positions must not matter.",
         lambda f: (f(F0), f(*shuffled(F0)))),
        ("wrong scaling", "Twice the features are 4 times the matrix.",
         lambda f: (4 * f(F0), f(2 * F0))),
    ),
)


def gap(F: Array, S: Array) -> np.ndarray:
    return mean_gram(F) - mean_gram(S)


def E(F: Array, S: Array) -> np.ndarray:  # noqa: N802, the papers' letter
    """The layer's style loss."""
    return total(gap(F, S) ** 2) / (4 * N(F) ** 2)


def raw_gap(F: Array, S: Array) -> np.ndarray:
    return gram(F) - gram(S)


def raw(F: Array, S: Array) -> np.ndarray:
    """The squares that the paper adds up, before anything is divided."""
    return total(raw_gap(F, S) ** 2)


STYLE_LAYER_LOSS = Exercise(
    losses.style_layer_loss,
    cases=(Case(np.array([1, 2, 3, 4], "float32").reshape(1, 1, 2, 2), ONE),
           *(Case(*pair) for pair in STYLES)),
    hints=(
        "Style is compared by Gram matrices, not by features.",
        "The pictures may differ in size: divide each Gram matrix by its own H·W first.",
        "Subtract, square, add up: for each picture one number.",
        "Divide that sum by 4 N², where N is the number of channels.",
    ),
    mistakes=(
        ("¼ missing", "The 4 below the line, 1 / (4 N²), is missing.", lambda F, S: 4 * E(F, S)),
        ("½ for ¼", "There is a 2 where eq. 4 has a 4.", lambda F, S: 2 * E(F, S)),
        ("N forgotten", "Divide by 4 N².", lambda F, S: E(F, S) * N(F) ** 2),
        ("N not squared", "N is squared: 4 N².", lambda F, S: E(F, S) * N(F)),
        ("3 and the image's area for N and M",
         "N is the layer's number of channels and M its positions, not the picture's 3 and area.",
         lambda F, S: raw(F, S) / 36, lambda F, S: raw(F[:1], S[:1])[0] / 36,
         lambda F, S: raw(F, S) / (36 * M(F) ** 2)),
        ("M forgotten",
         "Divide each Gram matrix by its H·W before you subtract, and the sum by 4 N².", raw,
         lambda F, S: raw(F, S) / (4 * N(F) ** 2)),
        ("one M for both",
         "That is eq. 4 for pictures of one size: here each Gram matrix has an H·W of its own.",
         lambda F, S: raw(F, S) / (4 * (N(F) * M(F)) ** 2),
         lambda F, S: raw(F, S) / (4 * (N(F) * M(S)) ** 2)),
        ("reshaped, not transposed",
         "`reshape` to (N, H·W) mixes the channels: flatten the positions first, then transpose.",
         lambda F, S: total((tangled(F) / M(F) - tangled(S) / M(S)) ** 2) / (4 * N(F) ** 2)),
        ("N and M exchanged", "N is the number of channels, M that of positions: (G / M) and 4 N².",
         lambda F, S: E(F, S) * N(F) ** 2 / M(F) ** 2, lambda F, S: raw(F, S) / (4 * N(F) ** 4)),
        ("divided by N M", "Divide each Gram matrix by H·W only: N² stands below the sum.",
         lambda F, S: E(F, S) / N(F) ** 2),
        ("absolute for squared differences", "Square the differences of the Gram matrices.",
         lambda F, S: total(np.abs(gap(F, S))) / N(F) ** 2,
         lambda F, S: total(np.abs(raw_gap(F, S))) / (N(F) * M(F)) ** 2),
        ("exponent applied after the sum", "Square each difference, then add them.",
         lambda F, S: total(gap(F, S)) ** 2 / (4 * N(F) ** 2)),
        ("square root added", "Eq. 4 has no root.", lambda F, S: E(F, S) ** 0.5,
         lambda F, S: E(F, S) ** 0.5 / N(F)),
        ("the style loss against content features",
         "This compares features place by place, as content does: compare Gram matrices.",
         lambda F, S: half(F, S) / N(F) ** 2, lambda F, S: half(F, S) / (N(F) * M(F)) ** 2, half),
        ("transposed Gram matrix", "These Gram matrices are H·W × H·W: correlate channels, Fᵀ F.",
         lambda F, S: half(of_positions(F), of_positions(S)) / (N(F) * M(F)) ** 2),
        ("target unused", "The style's Gram matrix is never subtracted.",
         lambda F, S: total(mean_gram(F) ** 2) / (4 * N(F) ** 2)),
        ("not summed", "Add up the squares.", lambda F, S: gap(F, S) ** 2 / (4 * N(F) ** 2)),
        ("wrong axis", "There is a number for each channel: sum over the last two axes.",
         lambda F, S: (gap(F, S) ** 2).sum(-1) / (4 * N(F) ** 2)),
    ),
    properties=(
        ("order of positions matters", "The order of the positions must not matter.",
         lambda f: (f(F1, S1), f(*shuffled(F1), S1))),
        ("size matters", "The style picture tiled twice has the same style.",
         lambda f: (f(F1, S1), f(F1, np.tile(S1, (1, 2, 1, 1))))),
        ("wrong scaling", "Twice the features are 16 times the loss.",
         lambda f: (16 * f(F1, S1), f(2 * F1, 2 * S1))),
    ),
)


def pull(F: Array, S: Array, difference: Callable = gap) -> np.ndarray:
    return (flat(F) @ difference(F, S)).reshape(F.shape)


def D(F: Array, S: Array, difference: Callable = gap) -> np.ndarray:  # noqa: N802
    """The gradient of E."""
    return pull(F, S, difference) * (F > 0) / (N(F) ** 2 * M(F))


STYLE_LAYER_LOSS_GRADIENT = Exercise(
    losses.style_layer_loss_gradient,
    cases=(Case(np.array([1, 2, 3, 0], "float32").reshape(1, 1, 2, 2), OTHER),
           *(Case(*pair) for pair in STYLES)),
    hints=(
        "Eq. 6 multiplies features by a difference of Gram matrices: which shapes fit together?",
        "(M, N) @ (N, N) has the shape of the flattened features.",
        "Divide by N² M, where G and A are divided by their own M already.",
        "It is 0 where F is 0, and has F's shape again: `np.where(F > 0, …, 0)`.",
    ),
    mistakes=(
        ("ReLU forgotten", "Where F is 0 the ReLU is off, and the gradient is 0.",
         lambda F, S: pull(F, S) / (N(F) ** 2 * M(F))),
        ("ReLU of the result",
         "This silences negative gradients; eq. 6 silences features that are 0.",
         lambda F, S: np.maximum(pull(F, S), 0) / (N(F) ** 2 * M(F))),
        ("wrong sign", "It is G − A, and 0 where F is 0.",
         lambda F, S: -pull(F, S) / (N(F) ** 2 * M(F))),
        ("¼ left in",
         "The 4 of the loss is gone: the square gives a 2, and so does the symmetric G.",
         lambda F, S: D(F, S) / 4),
        ("M forgotten",
         "Divide each Gram matrix by its own H·W before you subtract, and all by N² M.",
         lambda F, S: D(F, S) * M(F), lambda F, S: D(F, S, raw_gap) * M(F),
         lambda F, S: D(F, S, raw_gap)),
        ("one M for both",
         "That is eq. 6 for pictures of one size: here each Gram matrix has an H·W of its own.",
         lambda F, S: D(F, S, raw_gap) / M(F)),
        ("M too often", "The Gram matrices are divided by M already: only one M is left, N² M.",
         lambda F, S: D(F, S) / M(F)),
        ("N forgotten", "Divide by N² too.", lambda F, S: D(F, S) * N(F) ** 2),
        ("N and M exchanged", "It is N² M, not N M².", lambda F, S: D(F, S) * N(F) / M(F)),
        ("target unused", "The style's Gram matrix is never subtracted.",
         lambda F, S: D(F, S, lambda F, S: mean_gram(F))),
        ("the content loss's gradient",
         "That is the content loss's gradient: the style's has F (G − A).",
         lambda F, S: (F - S) * (F > 0)),
        ("not flattened back",
         "The numbers are right, the shape is not: reshape to F's (B, H, W, N).",
         lambda F, S: flat(D(F, S))),
        ("reshaped, not transposed", "(G − A) Fᵀ is (N, M): transpose it before you reshape.",
         lambda F, S: (gap(F, S) @ flat(F).swapaxes(1, 2)).reshape(F.shape) * (F > 0)
         / (N(F) ** 2 * M(F))),
        ("features not multiplied", "Multiply the features by G − A.", gap,
         lambda F, S: gap(F, S) / (N(F) ** 2 * M(F))),
        ("loss, not gradient",
         "This is the loss, one number; the gradient has a number for each feature.", E),
    ),
)


SIZES = {"block1": (3, 4, 2), "block2": (2, 3, 3), "block3": (1, 2, 4)}


def layered(batch: int, seed: int) -> Features:
    return {layer: features(batch, *size, seed=seed) for layer, size in SIZES.items()}


def terms(
    F: Features, S: Features, w: dict[str, float] | None, loss: Callable = E, power: int = 1
) -> list[np.ndarray]:
    """The layers' losses, each with its weight."""
    w = w or dict.fromkeys(F, 1 / len(F))
    return [w[layer] ** power * loss(F[layer], S[layer]) for layer in F]


def two_layers(value: float) -> Features:
    values = {"a": value, "b": value / 2}
    return {layer: np.full((1, 1, 1, 1), one, "float32") for layer, one in values.items()}


LAYERED, ALONE = [(layered(batch, 1), layered(batch, 11)) for batch in (2, 1)]
WEIGHTS = {"block1": 0.5, "block2": 2.0, "block3": 3.0}
BACKWARDS = dict(list(WEIGHTS.items())[::-1])


STYLE_LOSS = Exercise(
    losses.style_loss,
    cases=(Case({"a": ONE}, {"a": OTHER}), Case(two_layers(2.0), two_layers(0.0)),
           Case(*ALONE), Case(*LAYERED),
           Case(two_layers(2.0), two_layers(0.0), {"a": 1.0, "b": 4.0}),
           Case(*ALONE, WEIGHTS), Case(*LAYERED, BACKWARDS)),
    hints=(
        "`style_layer_loss` does one layer: go through the layers and add.",
        "Each layer's loss is multiplied by its own weight, layer_weights[layer].",
        "Without weights each of the L layers gets 1 / L.",
        "`sum(w * style_layer_loss(generated[layer], style[layer]) for layer, w in …items())`",
    ),
    mistakes=(
        ("weights not applied",
         "Multiply each layer's loss by its own weight, which by default is 1 / L.",
         lambda F, S, w=None: sum(terms(F, S, None)),
         lambda F, S, w=None: sum(E(F[k], S[k]) for k in F),
         lambda F, S, w=None: sum(terms(F, S, w and dict.fromkeys(F, 1)))),
        ("1/L missing",
         "Without weights each of the L layers gets 1 / L, so that they add up to 1.",
         lambda F, S, w=None: sum(terms(F, S, w or dict.fromkeys(F, 1)))),
        ("divided by L twice",
         "The weights are all there is: do not divide by the number of layers as well.",
         lambda F, S, w=None: sum(terms(F, S, w)) / len(F)),
        ("weights normalized", "Weights are used as they are given: do not divide by their sum.",
         lambda F, S, w=None: sum(terms(F, S, w)) / (sum(w.values()) if w else 1)),
        ("weights by position",
         "Layers and weights are paired by their order: look each weight up by its layer's name.",
         lambda F, S, w=None: sum(terms(F, S, w and dict(zip(F, w.values(), strict=True))))),
        ("weights squared", "The weight is applied inside the square: multiply the loss.",
         lambda F, S, w=None: sum(terms(F, S, w, power=2))),
        ("weights to the fourth",
         "The weight multiplies the features, which the loss has to the fourth power.",
         lambda F, S, w=None: sum(terms(F, S, w, power=4))),
        ("only the first layer",
         "Only the first layer is counted: does `return` stand inside the loop?",
         lambda F, S, w=None: terms(F, S, w)[0]),
        ("only the last layer",
         "Only the last layer is counted: is `=` written where `+=` should be?",
         lambda F, S, w=None: terms(F, S, w)[-1]),
        ("the last layer is missing", "It is left out: does the loop go through every layer?",
         lambda F, S, w=None: sum(terms(F, S, w)[:-1])),
        ("the first layer is missing", "It is left out: does the loop go through every layer?",
         lambda F, S, w=None: sum(terms(F, S, w)[1:])),
        ("the style loss against content features",
         "This adds content losses up: use `style_layer_loss`, which compares Gram matrices.",
         lambda F, S, w=None: sum(terms(F, S, w, half))),
        ("¼ missing", "The layers' losses lack the 4 of 1 / (4 N²).",
         lambda F, S, w=None: 4 * sum(terms(F, S, w))),
        ("largest for sum", "Add the layers; do not take the largest.",
         lambda F, S, w=None: np.max(terms(F, S, w), axis=0)),
        ("not summed", "There is a number for each layer: add them up.",
         lambda F, S, w=None: np.stack(terms({k: F[k] for k in w or F}, S, w))),
    ),
)
# fmt: on
