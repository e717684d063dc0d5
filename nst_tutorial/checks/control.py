"""Exercises on control: a style for one region only, and the colors of another picture."""

import functools
import itertools
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.linalg import cholesky, inv

from nst_tutorial import losses
from nst_tutorial.checks.features import M, N, of_positions, tangled
from nst_tutorial.checks.inputs import features, flat, gram, mean_gram, shuffled, total
from nst_tutorial.checks.judge import Case, Exercise, right
from nst_tutorial.control.colors import match_colors as match
from nst_tutorial.control.colors import symmetric_root
from nst_tutorial.runtime.types import Array


def soft_guide(*shape: int, seed: int, most: float = 1.0) -> np.ndarray:
    """A guide with every case: outside, inside, and soft edges both below and above ½."""
    values = np.random.default_rng(seed).uniform(-0.3, 1.3, shape)
    return (np.clip(np.round(values, 2), 0, 1) * most).astype("float32")


SHAPES = [(1, 3, 5, 2), (2, 4, 3, 4), (1, 7, 2, 3)]
GUIDED = [
    (features(*shape, seed=1), soft_guide(*shape[:3], 1, seed=2, most=most))
    for shape, most in zip(SHAPES, (1, 1, 0.75), strict=True)
]
F0, T0 = GUIDED[0]
BY_HAND = (
    np.array([1, 2, 3, 0, 2, 2, 9, 9], "float32").reshape(1, 1, 4, 2),
    np.array([1, 1, 0.5, 0], "float32").reshape(1, 1, 4, 1),
)


def over(G: Array, number: Array) -> np.ndarray:
    """Divide each picture's matrix by its number."""
    return G / np.reshape(number, (-1, 1, 1))


def by_squares(F: Array, T: Array, weight: Array | None = None) -> np.ndarray:
    """The guided Gram matrix, divided by Σ T² of the same guide or of another one."""
    return over(gram(T * F), total((T if weight is None else weight) ** 2))


def cross(F: Array, T: Array) -> np.ndarray:
    return flat(F).swapaxes(1, 2) @ flat(T * F)


def divided_by_anything(G: Callable) -> tuple[Callable, ...]:
    """A wrong matrix G(F, T), divided by anything a student might choose, or by nothing."""
    return (
        lambda F, T: over(G(F, T), total(T**2)),
        lambda F, T: over(G(F, T), total(T)),
        lambda F, T: G(F, T) / M(F),
        G,
    )


def cut(T: Array) -> np.ndarray:
    return (T > 0.5) * 1.0


def center(F: Array, T: Array = 1.0) -> np.ndarray:
    """Subtract the channels' means, each position weighted by T."""
    T = T * np.ones_like(F)
    return F - (T * F).sum((1, 2), keepdims=True) / T.sum((1, 2), keepdims=True)


def largest(T: Array) -> np.ndarray:
    return T.max((1, 2, 3), keepdims=True)


# fmt: off
GUIDED_GRAM_MATRIX = Exercise(
    losses.guided_gram_matrix,
    cases=(Case(*BY_HAND), *(Case(*pair) for pair in GUIDED)),
    hints=(
        "The guide says how much each position belongs to the region, so it multiplies the "
        "features there, in every channel.",
        "Take the Gram matrix of `guide * features`: both factors are multiplied by the guide.",
        "The guide multiplies a position by T, so it counts T² times in the sum: divide by the sum "
        "of T², separately for each picture.",
        "`F = (guide * features).reshape(B, H * W, N)`, and then "
        "`F.swapaxes(1, 2) @ F / np.sum(guide**2, axis=(1, 2, 3))[:, None, None]`",
    ),
    mistakes=(
        ("divided by all positions",
         "This divides by H·W, but positions count only as far as the guide says: divide by Σ T².",
         lambda F, T: mean_gram(T * F)),
        ("ΣT for ΣT²", "The product has the guide twice: divide by the sum of its squares, Σ T².",
         lambda F, T: over(gram(T * F), total(T))),
        ("not divided", "Divide by Σ T²; without that, a larger region has a larger matrix.",
         lambda F, T: gram(T * F)),
        ("square root of ΣT²",
         "Divide by Σ T² itself, not by its square root: the product contains the guide twice.",
         lambda F, T: over(gram(T * F), total(T**2) ** 0.5)),
        ("exponent applied after the sum",
         "This divides by (Σ T)²: square each value of the guide first, then add.",
         lambda F, T: over(gram(T * F), total(T) ** 2)),
        ("divided twice", "Once by Σ T² is enough.",
         lambda F, T: over(gram(T * F), total(T**2) ** 2),
         lambda F, T: over(gram(T * F), total(T**2)) / M(F)),
        ("divided by N", "Divide by Σ T² only, not by the number of channels.",
         lambda F, T: by_squares(F, T) / N(F), lambda F, T: mean_gram(T * F) / N(F)),
        ("positions counted",
         "This counts every position inside in full: one on a soft edge should count only T².",
         lambda F, T: over(gram(T * F), total(T > 0)),
         lambda F, T: over(gram(T * F), total(cut(T)))),
        ("guide applied once",
         "Both factors are guided: it is (T∘F)ᵀ (T∘F), with T at each position squared.",
         *divided_by_anything(cross)),
        ("guide not applied", "The guide is not used on the features: multiply them by it first.",
         *divided_by_anything(lambda F, T: gram(F))),
        ("guide cut hard",
         "The guide has become all or nothing, but soft edges count in part: use T as it is.",
         *divided_by_anything(lambda F, T: gram(cut(T) * F)), lambda F, T: by_squares(F, cut(T)),
         *divided_by_anything(lambda F, T: gram((T > 0) * F)), lambda F, T: by_squares(F, T > 0),
         *divided_by_anything(lambda F, T: gram((T == 1) * F))),
        ("guide squared", "Multiply the features by T, not by T²: the product squares it.",
         *divided_by_anything(lambda F, T: gram(T**2 * F)), lambda F, T: by_squares(F, T**2)),
        ("guide inverted", "This uses everything outside the region: T is 1 inside it.",
         *divided_by_anything(lambda F, T: gram((1 - T) * F)), lambda F, T: by_squares(F, 1 - T)),
        ("guide divided by its maximum",
         "Use the guide as it is: if you rescale it, Σ T² must be that of the rescaled guide.",
         lambda F, T: by_squares(F, T / largest(T), T), lambda F, T: mean_gram(T / largest(T) * F),
         lambda F, T: gram(T / largest(T) * F)),
        ("transposed Gram matrix",
         "Your matrix is H·W × H·W: you correlated positions; correlate channels.",
         *divided_by_anything(lambda F, T: of_positions(T * F))),
        ("reshaped, not transposed",
         "`reshape` to (N, H·W) mixes the channels: flatten the positions first, then transpose.",
         *divided_by_anything(lambda F, T: tangled(T * F))),
        ("rows not added",
         "You have one matrix for each row of the picture: flatten H and W into one axis first.",
         lambda F, T: (T * F).swapaxes(-1, -2) @ (T * F) / total(T**2).reshape(-1, 1, 1, 1),
         lambda F, T: (T * F).swapaxes(-1, -2) @ (T * F)),
        ("diagonal only",
         "You have only the diagonal, each channel with itself: all the other pairs are missing.",
         lambda F, T: ((T * F) ** 2).sum((1, 2)) / total(T**2)[:, None],
         lambda F, T: by_squares(F, T) * np.eye(N(F))),
        ("mean subtracted", "This is a covariance: for a Gram matrix, do not subtract the mean.",
         *divided_by_anything(lambda F, T: gram(center(T * F))),
         *divided_by_anything(lambda F, T: gram(T * center(F))),
         *divided_by_anything(lambda F, T: gram(T * center(F, T))),
         *divided_by_anything(lambda F, T: gram(T * center(F, T**2)))),
        ("guide added", "Multiply the features by the guide; do not add it.",
         *divided_by_anything(lambda F, T: gram(T + F))),
    ),
    properties=(
        ("outside counts", "What is outside the region must not matter.",
         lambda f: (f(F0, T0), f(np.where(T0 == 0, F0 + 9, F0), T0))),
        ("guide's scale matters",
         "A guide that is half as bright everywhere must give the same matrix.",
         lambda f: (f(F0, T0), f(F0, T0 / 2))),
        ("not a mean Gram matrix", "With a guide of ones it is the Gram matrix divided by H·W.",
         lambda f: (mean_gram(F0), f(F0, np.ones_like(T0)))),
        ("order of positions matters", "The order of the positions must not matter.",
         lambda f: (f(F0, T0), f(*shuffled(F0, T0)))),
    ),
)
# fmt: on


def match_colors(image: Array, reference: Array) -> np.ndarray:
    """Give a picture `(1, H, W, 3)` the mean and the covariance of another picture's colors."""
    return match(image, reference)


def photograph(height: int, width: int, seed: int, mean: list, mixing: list) -> np.ndarray:
    """A picture in 0..255 whose channels vary together, as in most photographs."""
    values = np.random.default_rng(seed).normal(0, 1, (1, height, width, 3))
    return np.clip(values @ np.array(mixing) + mean, 0, 255).round(1).astype("float32")


DUSK = photograph(15, 24, 1, [70, 50, 90], [[25, 20, 15], [8, -6, 2], [3, 5, 12]])
FOREST = photograph(18, 17, 2, [60, 130, 50], [[14, 30, 10], [16, 5, -4], [2, 6, 14]])
SUMMER = photograph(16, 25, 3, [200, 170, 120], [[45, 40, 20], [15, -5, 8], [5, 20, 30]])
FOG = photograph(20, 14, 4, [190, 195, 205], [[40, 42, 44], [8, 2, -6], [-3, 7, 4]])
PICTURES = [(DUSK, SUMMER), (FOREST, FOG), (SUMMER, FOREST)]
SMALLEST = min(M(picture) for pair in PICTURES for picture in pair)


def pixels(picture: Array) -> np.ndarray:
    return picture.reshape(-1, 3).astype("float64")


def biased(X: Array) -> np.ndarray:
    return np.cov(X.T, ddof=0)


def unbiased(X: Array) -> np.ndarray:
    return np.cov(X.T, ddof=1)


def ways(
    recolor: Callable,
    covariances: Sequence[Callable] = (biased, unbiased),
    roots: Sequence[Callable] = (symmetric_root, cholesky),
) -> list[Callable]:
    """One mistake in each way it may be written: with either root, divided by n or n − 1.

    recolor(x, m, S, r, R) has the image, its mean and a root of its covariance, and the
    reference's mean and root.
    """

    def wrong(image, reference, covariance, root):
        X, Y = pixels(image), pixels(reference)
        S, R = root(covariance(X)), root(covariance(Y))
        return recolor(image, X.mean(0), S, Y.mean(0), R)

    return [
        functools.partial(wrong, covariance=covariance, root=root)
        for covariance, root in itertools.product(covariances, roots)
    ]


def moved(x: Array, m: Array, A: Array, r: Array) -> np.ndarray:
    return (x - m) @ A.T + r


def correct(x: Array, m: Array, S: Array, r: Array, R: Array) -> np.ndarray:
    return moved(x, m, R @ inv(S), r)


def transformed(matrix: Callable, **options: Sequence[Callable]) -> list[Callable]:
    """Right except for A, which is matrix(S, R)."""
    return ways(lambda x, m, S, r, R: moved(x, m, matrix(S, R), r), **options)


def deviations_of(S: Array) -> np.ndarray:
    return np.diag(np.sqrt(np.diag(squared(S))))


def squared(S: Array) -> np.ndarray:
    """The covariance that S is a root of."""
    return S @ S.T


# What must hold of the result's colors, with whatever root.


def mean(picture: Array) -> np.ndarray:
    return pixels(picture).mean(0)


def deviations(picture: Array) -> np.ndarray:
    return pixels(picture).std(0)


def correlations(picture: Array) -> np.ndarray:
    """Red with green, green with blue, blue with red."""
    return np.corrcoef(pixels(picture).T)[[0, 1, 2], [1, 2, 0]]


def first_difference(pairs: Iterable[tuple[Array, Array]]) -> tuple[Array, Array]:
    """Return the first of the pairs (expected, came) that differs, or else the last."""
    for should, came in pairs:
        if not right(should, came):
            break
    return should, came


def as_the_references(measure: Callable, tolerance: float = 0.0) -> Callable:
    """A measure of the reference's colors, and of the result's."""

    def compared(f, image, reference):
        should, came = measure(reference), measure(f(image, reference))
        return should, np.where(np.abs(came - should) < tolerance * should, should, came)

    return lambda f: first_difference(compared(f, *pair) for pair in PICTURES)


def shuffled_references(f: Callable) -> tuple[Array, Array]:
    return first_difference((f(x, y), f(x, *shuffled(y))) for x, y in PICTURES)


def one_rule(f: Callable) -> tuple[Array, Array]:
    """The affine map of the image's colors that explains the result best, and the result."""

    def explained(image, reference):
        X, came = np.column_stack([pixels(image), np.ones(M(image))]), f(image, reference)
        return (X @ (np.linalg.pinv(X) @ pixels(came))).reshape(came.shape), came

    return first_difference(explained(*pair) for pair in PICTURES)


def light_stays_light(f: Callable) -> tuple[float, float]:
    """Correlate light and dark before and after: below 0 for every picture is a negative."""
    grays = [(x.mean(-1).ravel(), pixels(f(x, y)).mean(-1)) for x, y in PICTURES]
    best = max(np.corrcoef(*pair)[0, 1] for pair in grays)
    return abs(best), best


# fmt: off
MATCH_COLORS = Exercise(
    match_colors,
    exact=False,  # any A with A Σ Aᵀ = Σ_r is right
    cases=tuple(Case(*pair) for pair in PICTURES),
    hints=(
        "You need only two things about a picture's colors: their mean, three numbers, and their "
        "covariance, `np.cov(image.reshape(-1, 3).T)`, which is 3 × 3.",
        "Subtract the image's mean from every pixel, multiply by one 3 × 3 matrix A, and add the "
        "reference's mean.",
        "A turns the covariance Σ into A Σ Aᵀ: undo Σ with the inverse of a root of it, then "
        "apply a root of the reference's covariance.",
        "`A = np.linalg.cholesky(wanted) @ np.linalg.inv(np.linalg.cholesky(covariance))`, and "
        "since pixels are rows, `(image - mean) @ A.T + wanted_mean`",
    ),
    mistakes=(
        ("picture unmoved", "The picture comes back as it was.", lambda x, y: x * 1),
        ("reference returned", "This is the reference itself: recolor the image.",
         lambda x, y: y * 1),
        ("roles exchanged", "The wrong way around: the image gets the reference's colors.",
         *(lambda x, y, f=f: f(y, x) for f in ways(correct)),
         *ways(lambda x, m, S, r, R: moved(x, r, S @ inv(R), m)),
         *transformed(lambda S, R: S @ inv(R))),
        ("mean not added", "Add the reference's mean at the end.",
         *ways(lambda x, m, S, r, R: moved(x, m, R @ inv(S), 0))),
        ("own mean added", "You added the image's own mean at the end: add the reference's.",
         *ways(lambda x, m, S, r, R: moved(x, m, R @ inv(S), m))),
        ("mean not subtracted", "Subtract the image's mean before you multiply by A.",
         *ways(lambda x, m, S, r, R: moved(x, 0, R @ inv(S), r)),
         *ways(lambda x, m, S, r, R: moved(x, 0, R @ inv(S), 0)),
         *ways(lambda x, m, S, r, R: moved(x, 0, R @ inv(S), r - m))),
        ("reference's mean subtracted", "Subtract the image's own mean, and add the reference's.",
         *ways(lambda x, m, S, r, R: moved(x, r, R @ inv(S), r)),
         *ways(lambda x, m, S, r, R: moved(x, r, R @ inv(S), m))),
        ("only the mean moved",
         "The mean is the reference's, but the colors spread as before: multiply by A as well.",
         *transformed(lambda S, R: np.eye(3))),
        ("each channel alone",
         "You matched each channel by itself: use the whole covariance, which also says how the "
         "channels vary together.",
         *transformed(lambda S, R: deviations_of(R) @ inv(deviations_of(S))),
         *transformed(lambda S, R: (deviations_of(R) @ inv(deviations_of(S))) ** 2)),
        ("covariance without a root",
         "A acts on both sides of the covariance, A Σ Aᵀ: take a root of both covariances first.",
         *transformed(lambda S, R: squared(R) @ inv(squared(S))),
         *transformed(lambda S, R: inv(squared(S)) @ squared(R))),
        ("inverse root forgotten",
         "The image's own covariance has not been undone: multiply by the inverse of its root "
         "first.",
         *transformed(lambda S, R: R), *transformed(lambda S, R: squared(R)),
         *transformed(lambda S, R: R @ S)),
        ("only whitened",
         "The image's own covariance is undone: now multiply by a root of the reference's.",
         *transformed(lambda S, R: inv(S))),
        ("root of each number",
         "The root of each entry is not a root of the matrix: a root times its transpose must "
         "give Σ. `np.linalg.cholesky` finds one.",
         *transformed(lambda S, R: np.sqrt(squared(R)) @ inv(np.sqrt(squared(S)))),
         *transformed(lambda S, R: np.sqrt(squared(R) / squared(S))),
         *transformed(lambda S, R: np.sqrt(np.abs(squared(R) @ inv(squared(S)))))),
        ("roots in the wrong order",
         "Undo the image's covariance first, then apply the reference's: A = Σ_r^½ Σ^−½, and "
         "`@ A.T`, not `@ A`, where pixels are rows.",
         *transformed(lambda S, R: inv(S) @ R), *transformed(lambda S, R: inv(S).T @ R.T)),
        ("Cholesky factor transposed",
         "L Lᵀ is the covariance; Lᵀ L is another matrix. Check where you need L and where Lᵀ.",
         *transformed(lambda S, R: R.T @ inv(S).T, roots=[cholesky]),
         *transformed(lambda S, R: R.T @ inv(S), roots=[cholesky]),
         *transformed(lambda S, R: R @ inv(S).T)[1::2]),
        ("mean left in the covariance",
         "Subtract the mean before you multiply pixels with each other for the covariance.",
         *ways(correct, [lambda X: X.T @ X / len(X)])),
        ("covariances not divided",
         "Divide each covariance by its picture's number of pixels: the pictures differ in size.",
         *ways(correct, [lambda X: unbiased(X) * (len(X) - 1)])),
        ("clipped",
         "Clipping changes the mean and the covariance again: return the colors unclipped, and "
         "clip only when you show or save them.",
         *ways(lambda *args: np.clip(correct(*args), 0, 255))),
        ("rounded",
         "The colors have been rounded to whole numbers, as for a file: return floats, neither "
         "rounded nor clipped.",
         *(way for whole in (np.rint, np.trunc) for way in (
             *ways(lambda *args, whole=whole: whole(correct(*args))),
             *ways(lambda *args, whole=whole: whole(np.clip(correct(*args), 0, 255)))))),
        ("uint8 overflow", "uint8 wraps around, so 256 becomes 0: keep the colors as floats.",
         *ways(lambda *args: correct(*args).astype("int64").astype("uint8"))),
        ("red and blue exchanged", "Red and blue have changed places: the result is RGB too.",
         *ways(lambda *args: correct(*args)[..., ::-1])),
        ("one mean for all", "Each channel has its own mean: average over the pixels only.",
         lambda x, y: x - x.mean() + y.mean(),
         lambda x, y: (x - x.mean()) / x.std() * y.std() + y.mean(),
         *ways(lambda x, m, S, r, R: moved(x, m.mean(), R @ inv(S), r.mean()))),
        ("half way", "This is halfway between the old and the new colors: return the new ones.",
         *ways(lambda x, *others: (x + correct(x, *others)) / 2)),
        ("scaled", "The colors are in 0..1 now: return them in 0..255, as you got them.",
         *ways(lambda *args: correct(*args) / 255)),
    ),
    properties=(
        ("pictures blended",
         "Only the reference's mean and covariance may be used: with its pixels in another order, "
         "the result must be the same.", shuffled_references),
        ("not one rule for all pixels",
         "Every pixel must be treated alike, with one matrix and two means: no sorting, no "
         "clipping, nothing that depends on where it is.", one_rule),
        ("another mean", "The means of red, green and blue must match the reference's.",
         as_the_references(mean)),
        ("another deviation", "The deviations of red, green and blue must match the reference's.",
         as_the_references(deviations, 1 / SMALLEST)),  # over n or n − 1: both are right
        ("another correlation",
         "Red and green, green and blue, blue and red must be correlated as in the reference.",
         as_the_references(correlations)),
        ("negative",
         "Light and dark are swapped: subtract the mean from the image, not the reverse.",
         light_stays_light),
    ),
)
# fmt: on
