"""Exercises on features: content, Gram matrices and style."""

import numpy as np

from nst_tutorial import losses
from nst_tutorial.checks.inputs import features, flat, gram, mean_gram, positions, shuffled, total
from nst_tutorial.checks.judge import Case, Exercise

SHAPES = [(1, 1, 4, 3), (1, 3, 5, 2), (2, 4, 3, 4), (1, 7, 2, 3)]
STYLE_SHAPES = [(1, 1, 4, 3), (1, 4, 3, 2), (2, 2, 5, 4), (1, 7, 2, 3)]


def pairs(first, second):
    shapes = zip(first, second, strict=True)
    return [(features(*one, seed=1), features(*other, seed=2)) for one, other in shapes]


PAIRS = pairs(SHAPES, SHAPES)
STYLES = pairs(SHAPES, STYLE_SHAPES)
SQUARES = [
    Case(*pair) for pair in pairs([(1, 4, 4, 3), (1, 3, 3, 2)], [(1, 4, 4, 3), (1, 3, 3, 2)])
]
STYLE_SQUARES = [Case(*pair) for pair in pairs([(1, 4, 4, 3)], [(1, 3, 3, 3)])]
F0, P0 = PAIRS[1]
F1, S1 = STYLES[1]
ONE, OTHER = (np.array(x, "float32").reshape(1, 1, 2, 2) for x in ([3, 0, 1, 4], [2, 2, 3, 1]))


def N(F):  # noqa: N802, the papers' letter
    return F.shape[-1]


def on(F):
    return F > 0


def tangled(F):
    """A Gram matrix of features whose channels were mixed by a `reshape` to (N, M)."""
    mixed = F.reshape(len(F), N(F), -1)
    return mixed @ mixed.swapaxes(1, 2)


# fmt: off
CONTENT_LOSS = Exercise(
    losses.content_loss,
    cases=(Case(ONE, OTHER), *(Case(*pair) for pair in PAIRS)),
    square=tuple(SQUARES),
    hints=(
        "Compare the two place by place: which three steps does eq. 1 take with F and P?",
        "Subtract, square, add up: and the ½ in front.",
        "One number for each picture: sum over all axes but the first.",
        "`0.5 * np.sum((generated - target) ** 2, axis=(1, 2, 3))`",
    ),
    mistakes=(
        ("½ missing", lambda F, P: total((F - P) ** 2), "The ½ in front of the sum is missing."),
        ("¼ for ½", lambda F, P: total((F - P) ** 2) / 4, "There is a ¼ where eq. 1 has ½."),
        ("mean for sum", lambda F, P: ((F - P) ** 2).mean((1, 2, 3)),
         "This takes the mean; eq. 1 has ½ of the sum."),
        ("mean for sum", lambda F, P: ((F - P) ** 2).mean((1, 2, 3)) / 2,
         "This takes the mean; eq. 1 has the sum."),
        ("mean for sum", lambda F, P: ((F - P) ** 2).sum(-1).mean((1, 2)) / 2,
         "This takes the mean over the positions; eq. 1 has the sum."),
        ("mean for sum", lambda F, P: ((F - P) ** 2).mean(-1).sum((1, 2)) / 2,
         "This takes the mean over the channels; eq. 1 has the sum."),
        ("normalised", lambda F, P: total((F - P) ** 2) / (4 * (N(F) * positions(F)) ** 2),
         "That is the style loss's factor; eq. 1 has only the ½."),
        ("normalised", lambda F, P: total((F - P) ** 2) / total(P**2),
         "This divides by the target; eq. 1 does not."),
        ("absolute for squared differences", lambda F, P: total(np.abs(F - P)) / 2,
         "This adds absolute differences; square them."),
        ("square forgotten", lambda F, P: total(F - P) / 2,
         "The differences are not squared, so they cancel each other."),
        ("exponent applied after the sum", lambda F, P: total(F - P) ** 2 / 2,
         "Square each difference, then add: the other way round they cancel each other."),
        ("squares subtracted", lambda F, P: total(F**2 - P**2) / 2,
         "This is F² − P²; eq. 1 has (F − P)²."),
        ("sum for difference", lambda F, P: total((F + P) ** 2) / 2, "Subtract P; do not add it."),
        ("product for difference", lambda F, P: total(F * P), "Subtract P; do not multiply."),
        ("square root added", lambda F, P: total((F - P) ** 2) ** 0.5, "Eq. 1 has no root."),
        ("square root added", lambda F, P: total((F - P) ** 2) ** 0.5 / 2, "Eq. 1 has no root."),
        ("square root added", lambda F, P: (total((F - P) ** 2) / 2) ** 0.5, "Eq. 1 has no root."),
        ("square root added", lambda F, P: ((F - P) ** 2).mean((1, 2, 3)) ** 0.5,
         "Eq. 1 has no root, and the sum in place of the mean."),
        ("absolute for squared differences", lambda F, P: np.abs(F - P).mean((1, 2, 3)),
         "Square the differences, and take the sum in place of the mean."),
        ("cube for square", lambda F, P: total(np.abs(F - P) ** 3) / 2, "The exponent is 2."),
        ("cube for square", lambda F, P: total((F - P) ** 3) / 2, "The exponent is 2."),
        ("Gram matrices compared", lambda F, P: total((gram(F) - gram(P)) ** 2) / 2,
         "Content is compared place by place: Gram matrices are for style."),
        ("target unused", lambda F, P: total(F**2) / 2, "The target is never subtracted."),
        ("largest for sum", lambda F, P: ((F - P) ** 2).max((1, 2, 3)), "Add all; no maximum."),
        ("batch axis folded in", lambda F, P: ((F - P) ** 2).sum() / 2,
         "One number for each picture of the batch: sum over `axis=(1, 2, 3)`."),
        ("batch axis folded in", lambda F, P: ((F - P) ** 2).mean(),
         "One number for each picture of the batch; and the sum, not the mean."),
        ("wrong axis", lambda F, P: ((F - P) ** 2).sum((1, 2)) / 2,
         "There is a number for each channel: add the channels too."),
        ("wrong axis", lambda F, P: ((F - P) ** 2).sum(-1) / 2,
         "There is a number for each position: add the positions too."),
        ("wrong axis", lambda F, P: ((F - P) ** 2).sum(0) / 2,
         "Axis 0 is the batch: leave that one, and add all the others."),
        ("wrong axis", lambda F, P: ((F - P) ** 2).sum((0, 1, 2)) / 2,
         "These axes are the pictures and positions; the channels, axis 3, are left."),
        ("not summed", lambda F, P: (F - P) ** 2 / 2, "The squares are not added up."),
    ),
    properties=(
        ("not zero at the target", "A picture with the target's features has loss 0.",
         lambda f: ([0], f(F0, F0))),
        ("not symmetric", "Exchanged, the two must give the same loss.",
         lambda f: (f(F0, P0), f(P0, F0))),
        ("wrong scaling", "Twice the features are 4 times the loss.",
         lambda f: (4 * f(F0, P0), f(2 * F0, 2 * P0))),
        ("order of positions matters", "The order of the positions must not matter.",
         lambda f: (f(F0, P0), f(*shuffled(F0, P0)))),
    ),
)


def slopes(loss, F, target, step=1e-3):
    """The slope of a loss at each feature that is on, by finite differences in float64."""
    F, target = F.astype("float64"), target.astype("float64")
    nudges = step * np.eye(F.size).reshape(-1, *F.shape[1:])  # a batch, each moves one feature
    rise = np.asarray(loss(F + nudges, target)) - np.asarray(loss(F - nudges, target))
    return np.where(on(F), rise.reshape(F.shape) / (2 * step), 0)


def slope_property(loss, F, target):
    return (
        "not the loss's slope", "It must be the loss's slope, found by moving a feature a little.",
        lambda f: (slopes(loss, F, target), f(F, target)),
    )


CONTENT_LOSS_GRADIENT = Exercise(
    losses.content_loss_gradient,
    cases=(Case(ONE, OTHER), *(Case(*pair) for pair in PAIRS)),
    square=tuple(SQUARES),
    hints=(
        "What is the derivative of ½ (F − P)² with respect to F?",
        "F − P, of F's shape: the ½ and the 2 cancel.",
        "A feature that is 0 has been switched off by the ReLU: its gradient is 0.",
        "`np.where(generated > 0, generated - target, 0)`",
    ),
    mistakes=(
        ("ReLU forgotten", lambda F, P: F - P,
         "Where F is 0 the ReLU is off, and the gradient is 0, whatever P is."),
        ("wrong sign", lambda F, P: P - F, "It is F − P, and 0 where F is 0."),
        ("differences silenced", lambda F, P: np.maximum(F - P, 0),
         "This silences negative differences; eq. 2 silences features that are 0."),
        ("ReLU of the target", lambda F, P: (F - P) * on(P),
         "The ReLU that is off is the generated picture's: look where F > 0, not P."),
        ("ReLU of the target", lambda F, P: (F - P) * on(P) * on(F),
         "P's zeros do not matter: only where F is 0 the gradient is 0."),
        ("ReLU the wrong way round", lambda F, P: np.where(on(F), 0, F - P),
         "It is 0 where F > 0: exchange the two."),
        ("wrong in the dark", lambda F, P: np.where(on(F), F - P, P),
         "Where F is 0, so is the gradient."),
        ("loss, not gradient", lambda F, P: total((F - P) ** 2) / 2,
         "This is the loss, one number; the gradient has a number for each feature."),
        ("loss, not gradient", lambda F, P: (F - P) ** 2 / 2 * on(F),
         "This is the loss of each feature: the derivative of ½ (F − P)² is F − P."),
        ("loss, not gradient", lambda F, P: (F - P) ** 2 / 2, "The derivative of ½ d² is d."),
        ("mean for sum", lambda F, P: (F - P) * on(F) / F[0].size,
         "The loss is a sum, not a mean: nothing divides the gradient."),
        ("mean for sum", lambda F, P: (F - P) * on(F) / F.size,
         "The loss is a sum, not a mean: nothing divides the gradient."),
        ("absolute differences", lambda F, P: np.abs(F - P) * on(F), "The sign is needed."),
        ("sign only", lambda F, P: np.sign(F - P) * on(F), "That is the gradient of |F − P|."),
        ("product with F", lambda F, P: (F - P) * F, "Multiply by F > 0, not by F."),
        ("target unused", lambda F, P: F * 1, "The target is never subtracted."),
        ("sum for difference", lambda F, P: (F + P) * on(F), "Subtract P; do not add it."),
        ("summed", lambda F, P: total((F - P) * on(F)), "Do not add up: keep F's shape."),
    ),
    properties=(slope_property(losses.content_loss, F0, P0),),
)

GRAM_MATRIX = Exercise(
    losses.gram_matrix,
    cases=(Case(np.array([1, 2, 3, 4, 0, 1], "float32").reshape(1, 1, 3, 2)),
           *(Case(F) for F, _ in PAIRS)),
    square=(Case(features(1, 4, 4, 3)), Case(features(1, 3, 3, 2))),
    hints=(
        "Where a feature is in the picture does not matter: H and W can become one axis.",
        "Flatten the positions, (B, H, W, N) to (B, H·W, N), but keep the pictures apart.",
        "Every channel with every other: which of Fᵀ F and F Fᵀ is N × N?",
        "`np.swapaxes(F, 1, 2) @ F` for F of shape (B, H·W, N)",
    ),
    mistakes=(
        ("transposed Gram matrix", lambda F: flat(F) @ flat(F).swapaxes(1, 2),
         "Your matrix is H·W × H·W: you correlated positions; correlate channels, Fᵀ F."),
        ("batch axis folded in", lambda F: F.reshape(-1, N(F)).T @ F.reshape(-1, N(F)),
         "The pictures of the batch are added up: one matrix each, (B, N, N)."),
        ("transposed Gram matrix", lambda F: F.reshape(-1, N(F)) @ F.reshape(-1, N(F)).T,
         "Your matrix is H·W × H·W: you correlated positions; correlate channels, Fᵀ F, in each "
         "picture of the batch."),
        ("first picture only", lambda F: gram(F)[:1], "Only the batch's first picture is used."),
        ("mean for sum", mean_gram, "This is divided by H·W; the Gram matrix of eq. 3 is a sum."),
        ("mean for sum", lambda F: gram(F) / (positions(F) * N(F)),
         "This is divided by H·W·N, as in PyTorch's tutorial; eq. 3 is a sum."),
        ("mean for sum", lambda F: gram(F) / N(F), "This is divided by N; eq. 3 is a sum."),
        ("mean for sum", lambda F: gram(F) / F.size, "This is divided; eq. 3 is a sum."),
        ("reshaped, not transposed", tangled,
         "`reshape` to (N, H·W) mixes the channels: flatten the positions first, then transpose."),
        ("rows not added", lambda F: F.swapaxes(-1, -2) @ F,
         "There is a matrix for each row of the picture: flatten H and W into one axis first."),
        ("columns not added", lambda F: np.einsum("bhwi,bhwj->bwij", F, F),
         "There is a matrix for each column of the picture: add over both H and W."),
        ("positions not added", lambda F: np.einsum("bhwi,bhwj->bhwij", F, F),
         "There is a matrix for each position: add over H and W."),
        ("diagonal only", lambda F: (F**2).sum((1, 2)),
         "This is each channel with itself, the diagonal: every other pair is missing."),
        ("diagonal only", lambda F: gram(F) * np.eye(N(F)), "Only the diagonal is filled."),
        ("mean subtracted", lambda F: gram(F - F.mean((1, 2), keepdims=True)),
         "That is a covariance: eq. 3 subtracts no mean."),
        ("mean subtracted", lambda F: mean_gram(F - F.mean((1, 2), keepdims=True)),
         "That is a covariance: eq. 3 subtracts no mean, and does not divide."),
        ("normalised", lambda F: gram(F / np.sqrt((F**2).sum((1, 2), keepdims=True))),
         "The channels are scaled to length 1; eq. 3 leaves them as they are."),
        ("square root added", lambda F: np.sqrt(gram(F)), "Eq. 3 has no root."),
        ("squared first", lambda F: gram(F**2), "The features are squared before they meet."),
        ("product of the sums", lambda F: np.einsum("bi,bj->bij", F.sum((1, 2)), F.sum((1, 2))),
         "Multiply at each position, then add: not the sums with each other."),
        ("half of the matrix", lambda F: np.triu(gram(F)), "One triangle is empty."),
        ("half of the matrix", lambda F: np.tril(gram(F)), "One triangle is empty."),
        ("wrong axis", lambda F: np.einsum("bhwi,bvwi->bhv", F, F),
         "This correlates rows: the channels are the last axis."),
        ("wrong axis", lambda F: np.einsum("bhwi,bhvi->bwv", F, F),
         "This correlates columns: the channels are the last axis."),
    ),
    properties=(
        ("order of positions matters", "The order of the positions must not matter.",
         lambda f: (f(F0), f(*shuffled(F0)))),
        ("not symmetric", "i with j is j with i: the matrix must be symmetric.",
         lambda f: (f(F0), np.swapaxes(f(F0), -1, -2))),
        ("wrong scaling", "Twice the features are 4 times the matrix.",
         lambda f: (4 * f(F0), f(2 * F0))),
        ("tiling", "A picture tiled twice has twice the matrix.",
         lambda f: (2 * f(F0), f(np.tile(F0, (1, 1, 2, 1))))),
    ),
)


def gap(F, S):
    return mean_gram(F) - mean_gram(S)


def raw_gap(F, S):
    return gram(F) - gram(S)


STYLE_LAYER_LOSS = Exercise(
    losses.style_layer_loss,
    cases=(Case(np.array([1, 2, 3, 4], "float32").reshape(1, 1, 2, 2), ONE),
           *(Case(*pair) for pair in STYLES)),
    square=tuple(STYLE_SQUARES),
    hints=(
        "Style is compared by Gram matrices, not by features.",
        "The pictures may differ in size: divide each Gram matrix by its own H·W first.",
        "Subtract, square, add up: for each picture one number.",
        "Divide that sum by 4 N², where N is the number of channels.",
    ),
    mistakes=(
        ("¼ missing", lambda F, S: total(gap(F, S) ** 2) / N(F) ** 2,
         "The 4 below the line, 1 / (4 N²), is missing."),
        ("½ for ¼", lambda F, S: total(gap(F, S) ** 2) / (2 * N(F) ** 2),
         "There is a 2 where eq. 4 has a 4."),
        ("N forgotten", lambda F, S: total(gap(F, S) ** 2) / 4, "Divide by N² too."),
        ("N forgotten", lambda F, S: total(gap(F, S) ** 2), "Divide by 4 N²."),
        ("N not squared", lambda F, S: total(gap(F, S) ** 2) / (4 * N(F)), "N is squared: 4 N²."),
        ("3 and the image's area for N and M", lambda F, S: total(raw_gap(F, S) ** 2) / 36,
         "N is the layer's number of channels and M its positions, not the picture's 3 and area."),
        ("M forgotten", lambda F, S: total(raw_gap(F, S) ** 2) / 4,
         "Divide each Gram matrix by its H·W before you subtract, and the sum by 4 N²."),
        ("M forgotten", lambda F, S: total(raw_gap(F, S) ** 2) / (4 * N(F) ** 2),
         "Divide each Gram matrix by its number of positions, H·W, before you subtract."),
        ("M forgotten", lambda F, S: total(raw_gap(F, S) ** 2),
         "Divide each Gram matrix by its H·W before you subtract, and the sum by 4 N²."),
        ("M not squared",
         lambda F, S: total(raw_gap(F, S) ** 2) / (4 * N(F) ** 2 * positions(F)),
         "M stands inside the square: divide the Gram matrices by it, before they are squared."),
        ("one M for both",
         lambda F, S: total(raw_gap(F, S) ** 2) / (4 * (N(F) * positions(F)) ** 2),
         "That is eq. 4 for pictures of one size: here each Gram matrix has an H·W of its own."),
        ("one M for both",
         lambda F, S: total(raw_gap(F, S) ** 2) / (4 * (N(F) * positions(S)) ** 2),
         "That is eq. 4 for pictures of one size: here each Gram matrix has an H·W of its own."),
        ("3 and the image's area for N and M",
         lambda F, S: total(raw_gap(F, S) ** 2) / (4 * 9 * positions(F) ** 2),
         "N is the layer's number of channels, not 3 as in keras.io's example."),
        ("3 and the image's area for N and M", lambda F, S: (raw_gap(F, S)[0] ** 2).sum() / 36,
         "N is the layer's number of channels and M its positions, not the picture's 3 and area."),
        ("reshaped, not transposed", lambda F, S: total(
            (tangled(F) / positions(F) - tangled(S) / positions(S)) ** 2) / (4 * N(F) ** 2),
         "`reshape` to (N, H·W) mixes the channels: flatten the positions first, then transpose."),
        ("N and M exchanged", lambda F, S: total(gap(F, S) ** 2) / (4 * positions(F) ** 2),
         "The 4 N² has the channels, N; M is the number of positions."),
        ("N and M exchanged",
         lambda F, S: total(raw_gap(F, S) ** 2) / (4 * N(F) ** 4),
         "Divide each Gram matrix by its number of positions, M, not by its channels, N."),
        ("divided by N M",
         lambda F, S: total((gap(F, S) / N(F)) ** 2) / (4 * N(F) ** 2),
         "Divide each Gram matrix by H·W only: N² stands below the sum."),
        ("absolute for squared differences",
         lambda F, S: total(np.abs(gap(F, S))) / (4 * N(F) ** 2), "Square the differences."),
        ("absolute for squared differences",
         lambda F, S: total(np.abs(raw_gap(F, S))) / (4 * (N(F) * positions(F)) ** 2),
         "Square the differences, and divide each Gram matrix by its own H·W."),
        ("square forgotten", lambda F, S: total(gap(F, S)) / (4 * N(F) ** 2),
         "The differences are not squared."),
        ("exponent applied after the sum", lambda F, S: total(gap(F, S)) ** 2 / (4 * N(F) ** 2),
         "Square each difference, then add them."),
        ("squares subtracted",
         lambda F, S: total(mean_gram(F) ** 2 - mean_gram(S) ** 2) / (4 * N(F) ** 2),
         "This is G² − A²; eq. 4 has (G − A)²."),
        ("sum for difference",
         lambda F, S: total((mean_gram(F) + mean_gram(S)) ** 2) / (4 * N(F) ** 2), "Subtract A."),
        ("square root added", lambda F, S: (total(gap(F, S) ** 2) / (4 * N(F) ** 2)) ** 0.5,
         "Eq. 4 has no root."),
        ("square root added", lambda F, S: total(gap(F, S) ** 2) ** 0.5 / (4 * N(F) ** 2),
         "Eq. 4 has no root."),
        ("the style loss against content features",
         lambda F, S: total((F - S) ** 2) / (4 * N(F) ** 2),
         "This compares features place by place, as content does: compare Gram matrices."),
        ("the style loss against content features",
         lambda F, S: total((F - S) ** 2) / (4 * (N(F) * positions(F)) ** 2),
         "This compares features place by place, as content does: compare Gram matrices."),
        ("the style loss against content features", lambda F, S: total((F - S) ** 2) / 2,
         "This is the content loss: compare Gram matrices."),
        ("the style loss against content features", lambda F, S: total(
            (F.mean((1, 2)) - S.mean((1, 2))) ** 2) / (4 * N(F) ** 2),
         "This compares the channels' means: compare Gram matrices."),
        ("diagonal only",
         lambda F, S: total((gap(F, S) * np.eye(N(F))) ** 2) / (4 * N(F) ** 2),
         "Only each channel with itself is compared: compare every pair."),
        ("transposed Gram matrix",
         lambda F, S: total((flat(F) @ flat(F).swapaxes(1, 2) - flat(S) @ flat(S).swapaxes(1, 2))
                            ** 2) / (4 * (N(F) * positions(F)) ** 2),
         "These Gram matrices are H·W × H·W: correlate channels, Fᵀ F."),
        ("target unused", lambda F, S: total(mean_gram(F) ** 2) / (4 * N(F) ** 2),
         "The style's Gram matrix is never subtracted."),
        ("batch axis folded in", lambda F, S: (gap(F, S) ** 2).sum() / (4 * N(F) ** 2),
         "One number for each picture of the batch: sum over the last two axes."),
        ("batch axis folded in", lambda F, S: (gap(F, S) ** 2).mean() / 4,
         "One number for each picture of the batch: sum over the last two axes."),
        ("not summed", lambda F, S: gap(F, S) ** 2 / (4 * N(F) ** 2), "Add up the squares."),
        ("wrong axis", lambda F, S: (gap(F, S) ** 2).sum(-1) / (4 * N(F) ** 2),
         "There is a number for each channel: sum over the last two axes."),
    ),
    properties=(
        ("not zero at the target", "A picture has its own style: the loss is 0.",
         lambda f: ([0], f(F1, F1))),
        ("order of positions matters", "The order of the positions must not matter.",
         lambda f: (f(F1, S1), f(*shuffled(F1), S1))),
        ("size matters", "The style picture tiled twice has the same style.",
         lambda f: (f(F1, S1), f(F1, np.tile(S1, (1, 2, 1, 1))))),
        ("wrong scaling", "Twice the features are 16 times the loss.",
         lambda f: (16 * f(F1, S1), f(2 * F1, 2 * S1))),
    ),
)


def pull(F, S, difference=gap):
    return (flat(F) @ difference(F, S)).reshape(F.shape)


def below(F):
    return N(F) ** 2 * positions(F)


STYLE_LAYER_LOSS_GRADIENT = Exercise(
    losses.style_layer_loss_gradient,
    cases=(Case(np.array([1, 2, 3, 0], "float32").reshape(1, 1, 2, 2), OTHER),
           *(Case(*pair) for pair in STYLES)),
    square=tuple(STYLE_SQUARES),
    hints=(
        "Eq. 6 multiplies features by a difference of Gram matrices: which shapes fit together?",
        "(M, N) @ (N, N) has the shape of the flattened features.",
        "Divide by N² M, where G and A are divided by their own M already.",
        "It is 0 where F is 0, and has F's shape again: `np.where(F > 0, …, 0)`.",
    ),
    mistakes=(
        ("ReLU forgotten", lambda F, S: pull(F, S) / below(F),
         "Where F is 0 the ReLU is off, and the gradient is 0."),
        ("ReLU of the result", lambda F, S: np.maximum(pull(F, S), 0) / below(F),
         "This silences negative gradients; eq. 6 silences features that are 0."),
        ("ReLU the wrong way round", lambda F, S: pull(F, S) * (F <= 0) / below(F),
         "It is 0 where F > 0: exchange the two."),
        ("wrong sign", lambda F, S: -pull(F, S) / below(F), "It is G − A, and 0 where F is 0."),
        ("¼ left in", lambda F, S: pull(F, S) * on(F) / (4 * below(F)),
         "The 4 of the loss is gone: the square gives a 2, and so does the symmetric G."),
        ("½ left in", lambda F, S: pull(F, S) * on(F) / (2 * below(F)),
         "No 2 is left: the square gives one, and the symmetric G another."),
        ("M forgotten", lambda F, S: pull(F, S) * on(F) / N(F) ** 2,
         "Divide by the generated picture's H·W once more: N² M."),
        ("M forgotten", lambda F, S: pull(F, S, raw_gap) * on(F) / N(F) ** 2,
         "Divide each Gram matrix by its H·W, and all by N² M."),
        ("M forgotten", lambda F, S: pull(F, S, raw_gap) * on(F) / below(F),
         "Divide each Gram matrix by its own H·W before you subtract."),
        ("one M for both", lambda F, S: pull(F, S, raw_gap) * on(F) / (N(F) * positions(F)) ** 2,
         "That is eq. 6 for pictures of one size: here each Gram matrix has an H·W of its own."),
        ("M too often", lambda F, S: pull(F, S) * on(F) / (N(F) * positions(F)) ** 2,
         "The Gram matrices are divided by M already: only one M is left, N² M."),
        ("the style's M", lambda F, S: pull(F, S) * on(F) / (N(F) ** 2 * positions(S)),
         "The last M is the generated picture's H·W."),
        ("N forgotten", lambda F, S: pull(F, S) * on(F) / positions(F), "Divide by N² too."),
        ("N not squared", lambda F, S: pull(F, S) * on(F) / (N(F) * positions(F)), "It is N² M."),
        ("N and M exchanged",
         lambda F, S: pull(F, S) * on(F) / (N(F) * positions(F) ** 2), "It is N² M, not N M²."),
        ("3 and the image's area for N and M",
         lambda F, S: pull(F, S) * on(F) / (9 * positions(F)),
         "N is the layer's number of channels, not 3."),
        ("style features multiplied",
         lambda F, S: (flat(S) @ gap(F, S)).reshape(F.shape) * on(F) / below(F),
         "Multiply the generated picture's features by G − A, not the style's."),
        ("target unused",
         lambda F, S: (flat(F) @ mean_gram(F)).reshape(F.shape) * on(F) / below(F),
         "The style's Gram matrix is never subtracted."),
        ("the content loss's gradient", lambda F, S: (F - S) * on(F),
         "That is the content loss's gradient: the style's has F (G − A)."),
        ("not flattened back", lambda F, S: flat(F * 0) + flat(pull(F, S) * on(F) / below(F)),
         "The numbers are right, the shape is not: reshape to F's (B, H, W, N)."),
        ("reshaped, not transposed", lambda F, S: (
            gap(F, S) @ flat(F).swapaxes(1, 2)).reshape(F.shape) * on(F) / below(F),
         "(G − A) Fᵀ is (N, M): transpose it before you reshape."),
        ("features not multiplied", gap, "Multiply the features by G − A."),
        ("features not multiplied", lambda F, S: gap(F, S) / below(F), "Multiply F by G − A."),
        ("loss, not gradient", lambda F, S: E(F, S),
         "This is the loss, one number; the gradient has a number for each feature."),
        ("squared difference",
         lambda F, S: pull(F, S, lambda F, S: gap(F, S) ** 2) * on(F) / below(F),
         "The square belongs to the loss: its derivative has the difference itself."),
    ),
    properties=(slope_property(losses.style_layer_loss, F1, S1),),
)


def layered(*seeds):
    return tuple(
        {"block1": features(2, 3, 4, 2, seed=s), "block2": features(2, 2, 3, 3, seed=s + 1),
         "block3": features(2, 1, 2, 4, seed=s + 2)} for s in seeds
    )  # fmt: skip


def single(values):
    return {layer: F[:1] for layer, F in values.items()}


def ends(F):
    return [next(iter(F)), list(F)[-1]]


def weighted(F, S, w, loss=None, power=1):
    w = w or dict.fromkeys(F, 1 / len(F))
    return sum(w[layer] ** power * (loss or E)(F[layer], S[layer]) for layer in F)


def two_layers(value):
    values = {"a": value, "b": value / 2}
    return {layer: np.full((1, 1, 1, 1), one, "float32") for layer, one in values.items()}


LAYERED = layered(1, 11)
WEIGHTS = {"block1": 0.5, "block2": 2.0, "block3": 3.0}
BACKWARDS = dict(list(WEIGHTS.items())[::-1])


def E(F, S):  # noqa: N802, the papers' letter
    return total(gap(F, S) ** 2) / (4 * N(F) ** 2)


def squares(F, P):
    return total((F - P) ** 2) / 2


STYLE_LOSS = Exercise(
    losses.style_loss,
    cases=(Case({"a": ONE}, {"a": OTHER}), Case(two_layers(2.0), two_layers(0.0)),
           Case(*map(single, LAYERED)), Case(*LAYERED),
           Case(two_layers(2.0), two_layers(0.0), {"a": 1.0, "b": 4.0}),
           Case(*map(single, LAYERED), WEIGHTS), Case(*LAYERED, BACKWARDS)),
    hints=(
        "`style_layer_loss` does one layer: go through the layers and add.",
        "Each layer's loss is multiplied by its own weight, layer_weights[layer].",
        "Without weights each of the L layers gets 1 / L.",
        "`sum(w * style_layer_loss(generated[layer], style[layer]) for layer, w in …items())`",
    ),
    mistakes=(
        ("weights not applied", lambda F, S, w=None: weighted(F, S, None),
         "The weights are never used: multiply each layer's loss by its own."),
        ("weights not applied", lambda F, S, w=None: sum(E(F[k], S[k]) for k in F),
         "The layers are added without their weights; by default each has 1 / L."),
        ("weights not applied", lambda F, S, w=None: weighted(F, S, w and dict.fromkeys(F, 1)),
         "The weights that were given are never used."),
        ("1/L missing", lambda F, S, w=None: weighted(F, S, w or dict.fromkeys(F, 1)),
         "Without weights each of the L layers gets 1 / L, so that they add up to 1."),
        ("divided by L twice", lambda F, S, w=None: weighted(F, S, w) / len(F),
         "The weights are all there is: do not divide by the number of layers as well."),
        ("mean for sum", lambda F, S, w=None: weighted(F, S, w) / (len(F) if w else 1),
         "Eq. 5 is a sum: weights that are given are not divided by the number of layers."),
        ("weights normalised",
         lambda F, S, w=None: weighted(F, S, w) / (sum(w.values()) if w else 1),
         "Weights are used as they are given: do not divide by their sum."),
        ("weights by position",
         lambda F, S, w=None: weighted(F, S, w and dict(zip(F, w.values(), strict=True))),
         "Layers and weights are paired by their order: look each weight up by its layer's name."),
        ("weights squared", lambda F, S, w=None: weighted(F, S, w, power=2),
         "The weight is applied inside the square: multiply the loss."),
        ("square root of the weights", lambda F, S, w=None: weighted(F, S, w, power=0.5),
         "Multiply by the weight itself."),
        ("divided by the weights", lambda F, S, w=None: weighted(F, S, w, power=-1),
         "Multiply by the weight; do not divide."),
        ("weights to the fourth", lambda F, S, w=None: weighted(F, S, w, power=4),
         "The weight multiplies the features, which the loss has to the fourth power."),
        ("only the first layer", lambda F, S, w=None: weighted(
            {k: F[k] for k in ends(F)[:1]}, S, w or dict.fromkeys(F, 1 / len(F))),
         "Only the first layer is counted: does `return` stand inside the loop?"),
        ("only the last layer", lambda F, S, w=None: weighted(
            {k: F[k] for k in ends(F)[1:]}, S, w or dict.fromkeys(F, 1 / len(F))),
         "Only the last layer is counted: is `=` written where `+=` should be?"),
        ("the last layer is missing", lambda F, S, w=None: weighted(
            {k: F[k] for k in list(F)[:-1]}, S, w or dict.fromkeys(F, 1 / len(F))),
         "The last layer is left out."),
        ("the first layer is missing", lambda F, S, w=None: weighted(
            {k: F[k] for k in list(F)[1:]}, S, w or dict.fromkeys(F, 1 / len(F))),
         "The first layer is left out."),
        ("the style loss against content features",
         lambda F, S, w=None: weighted(F, S, w, squares),
         "This adds content losses up: use `style_layer_loss`, which compares Gram matrices."),
        ("¼ missing", lambda F, S, w=None: 4 * weighted(F, S, w),
         "The layers' losses lack the 4 of 1 / (4 N²)."),
        ("N forgotten", lambda F, S, w=None: weighted(
            F, S, w, lambda F, S: N(F) ** 2 * E(F, S)),
         "The layers' losses lack N²: use `style_layer_loss`."),
        ("M forgotten", lambda F, S, w=None: weighted(
            F, S, w, lambda F, S: total(raw_gap(F, S) ** 2) / (4 * N(F) ** 2)),
         "Divide each Gram matrix by its H·W: use `style_layer_loss`."),
        ("square root added", lambda F, S, w=None: weighted(F, S, w) ** 0.5, "There is no root."),
        ("square root added", lambda F, S, w=None: weighted(
            F, S, w, lambda F, S: E(F, S) ** 0.5), "There is no root."),
        ("largest for sum", lambda F, S, w=None: np.max(
            [weighted({k: F[k]}, S, w or dict.fromkeys(F, 1 / len(F))) for k in F], axis=0),
         "Add the layers; do not take the largest."),
        ("product for sum", lambda F, S, w=None: np.prod(
            [weighted({k: F[k]}, S, w or dict.fromkeys(F, 1 / len(F))) for k in F], axis=0),
         "Add the layers; do not multiply them."),
        ("batch axis folded in", lambda F, S, w=None: weighted(F, S, w).sum(),
         "One number for each picture of the batch."),
        ("not summed", lambda F, S, w=None: np.stack(
            [weighted({k: F[k]}, S, w or dict.fromkeys(F, 1 / len(F))) for k in w or F]),
         "There is a number for each layer: add them up."),
    ),
    properties=(
        ("not zero at the target", "A picture has its own style: the loss is 0.",
         lambda f: ([0, 0], f(LAYERED[0], LAYERED[0]))),
    ),
)
# fmt: on
