"""Students' answers on control: a guided Gram matrix, and colors taken over."""

import numpy as np
import scipy.linalg
import tensorflow as tf
from keras import ops

from answers.features import flat, folded, gram, positions

WRONG, RIGHT = {}, {}


def by(G, number):
    return G / np.asarray(number)[:, None, None]


def mass(guide):
    return np.sum(guide**2, axis=(1, 2, 3))


def guided(features, guide):
    return by(gram(guide * features), mass(guide))


def in_place(features, guide):
    features *= guide
    return by(gram(features), mass(guide))


def a_product_of_matrices(features, guide):
    F = flat(features)
    return by(np.swapaxes(F, 1, 2) @ (flat(guide) * F), mass(guide))


def weighted_mean(features, guide):
    """Σ T F Fᵀ / Σ T, a good mean, but another one."""
    return tf.einsum("bhwi,bhwj,bhwt->bij", features, features, guide) / tf.reduce_sum(
        guide, axis=(1, 2, 3), keepdims=True
    )[:, 0]  # fmt: skip


def only_inside(features, guide):
    each = []
    for F, T in zip(features, guide, strict=True):
        inside = F[T[..., 0] > 0.5]
        each.append(inside.T @ inside / len(inside))
    return np.stack(each)


def all_transposed(features, guide):
    F = flat(guide * features)
    return F.T @ F / mass(guide)


def not_along_the_batch(features, guide):
    return gram(guide * features) / mass(guide)


def channels_first(features, guide):
    F = (guide * features).reshape(len(features), features.shape[-1], -1)
    return by(F @ F.transpose(0, 2, 1), mass(guide))


def of_the_covariance(features, guide):
    F = guide * features
    F = F - F.mean(axis=(1, 2), keepdims=True)
    return by(gram(F), mass(guide))


def width_twice(features, guide):
    F = np.reshape(guide * features, (len(features), features.shape[2] ** 2, features.shape[-1]))
    return by(np.swapaxes(F, 1, 2) @ F, mass(guide))


def thirds(features, guide):
    return by(gram(guide**1.5 * features), np.sum(guide**3, axis=(1, 2, 3)))


WRONG["guided_gram_matrix"] = [
    ("not written yet", lambda features, guide: None),
    ("divided by all positions", lambda features, guide: gram(guide * features)
     / positions(features)),
    ("divided by all positions", lambda features, guide: tf.einsum(
        "bhwi,bhwj->bij", guide * features, guide * features) / positions(features)),
    ("ΣT for ΣT²", lambda features, guide: by(gram(guide * features), guide.sum((1, 2, 3)))),
    ("ΣT for ΣT²", lambda features, guide: ops.einsum(
        "bhwi,bhwj->bij", features * guide, features * guide)
     / ops.sum(guide, axis=(1, 2))[..., None]),
    ("not divided", lambda features, guide: gram(guide * features)),
    ("square root of ΣT²", lambda features, guide: by(
        gram(guide * features), np.linalg.norm(guide, axis=(1, 2))[:, 0])),
    ("exponent applied after the sum", lambda features, guide: by(
        gram(guide * features), np.sum(guide, axis=(1, 2, 3)) ** 2)),
    ("exponent applied after the sum", lambda features, guide: gram(
        guide / guide.sum((1, 2, 3), keepdims=True) * features)),
    ("divided twice", lambda features, guide: by(guided(features, guide), mass(guide))),
    ("divided by N", lambda features, guide: guided(features, guide) / features.shape[-1]),
    ("positions counted", lambda features, guide: by(
        gram(guide * features), np.count_nonzero(guide, axis=(1, 2, 3)))),
    ("guide applied once", a_product_of_matrices),
    ("guide applied once", weighted_mean),
    ("guide applied once", lambda features, guide: guided(features, np.sqrt(guide))),
    ("guide not applied", lambda features, guide: by(gram(features), mass(guide))),
    ("guide not applied", lambda features, guide: gram(features) / positions(features)),
    ("guide cut hard", only_inside),
    ("guide cut hard", lambda features, guide: guided(features, np.round(guide))),
    ("guide cut hard", lambda features, guide: guided(features, (guide > 0).astype("float32"))),
    ("guide cut hard", lambda features, guide: by(
        gram(np.where(guide > 0, features, 0)), mass(guide))),
    ("guide cut hard", lambda features, guide: gram(guide.astype(int) * features)),
    ("guide squared", lambda features, guide: by(gram(guide**2 * features), mass(guide))),
    ("guide squared", lambda features, guide: guided(features, guide**2)),
    ("guide inverted", lambda features, guide: guided(features, 1 - guide)),
    ("guide inverted", lambda features, guide: by(gram((1 - guide) * features), mass(guide))),
    ("guide divided by its maximum", lambda features, guide: by(
        gram(guide / guide.max((1, 2, 3), keepdims=True) * features), mass(guide))),
    ("transposed Gram matrix", lambda features, guide: by(
        flat(guide * features) @ flat(guide * features).swapaxes(1, 2), mass(guide))),
    ("transposed Gram matrix", lambda features, guide: tf.matmul(
        flat(guide * features), flat(guide * features), transpose_b=True)),
    ("reshaped, not transposed", channels_first),
    ("mean subtracted", of_the_covariance),
    ("diagonal only", lambda features, guide: np.sum((guide * features) ** 2, axis=(1, 2))
     / mass(guide)[:, None]),
    ("rows not added", lambda features, guide: np.swapaxes(guide * features, -1, -2)
     @ (guide * features)),
    ("guide added", lambda features, guide: by(gram(guide + features), mass(guide))),
    ("only square pictures", width_twice),
    ("guide of another power", thirds),
    ("off by a factor 1/2", lambda features, guide: guided(features, guide) / 2),
    ("input modified", in_place),
    ("exception", all_transposed),
    ("exception", lambda features, guide: guided(features * flat(guide), guide)),
    ("other arguments", lambda features: gram(features)),
]  # fmt: skip


def one_at_a_time(features, guide):
    each = []
    for F, T in zip(features, guide, strict=True):
        rows = (T * F).reshape(-1, F.shape[-1])
        each.append(rows.T @ rows / np.sum(T**2))
    return each


def by_loops(features, guide):
    B, H, W, N = features.shape
    G, total = np.zeros((B, N, N)), np.zeros((B, 1, 1))
    for b, y, x in np.ndindex(B, H, W):
        row = guide[b, y, x, 0] * features[b, y, x]
        G[b] += np.outer(row, row)
        total[b] += guide[b, y, x, 0] ** 2
    return G / total


def of_the_paper(features, guide):
    """The guide is scaled beforehand, so that its squares add up to 1."""
    return gram(guide / np.sqrt(np.sum(guide**2, axis=(1, 2, 3), keepdims=True)) * features)


def of_a_rescaled_guide(features, guide):
    return guided(features, guide / guide.max())


RIGHT["guided_gram_matrix"] = [
    guided,
    lambda features, guide: tf.einsum("bhwi,bhwj,bhwt->bij", features, features, guide**2)
    / tf.reduce_sum(guide**2, axis=(1, 2)) [..., None],
    lambda features, guide: ops.matmul(
        ops.transpose(flat(guide * features), (0, 2, 1)), flat(guide * features))
    / ops.sum(ops.square(guide), axis=(1, 2, 3))[:, None, None],
    lambda features, guide: by(np.swapaxes(flat(features), 1, 2) @ flat(guide**2 * features),
                               mass(guide) + 1e-8),
    one_at_a_time,
    by_loops,
    of_the_paper,
    of_a_rescaled_guide,
]  # fmt: skip

FOLDED = {
    "guided_gram_matrix": [
        not_along_the_batch,
        lambda features, guide: folded(guide * features) / np.sum(guide**2),
        lambda features, guide: gram(guide * features) / np.sum(guide**2),
        lambda features, guide: ops.einsum("bhwi,bhwj->bij", guide * features, guide * features)
        / ops.sum(guide**2),
    ],
}  # fmt: skip


# Colors -----------------------------------------------------------------------------------------


def moments(picture):
    pixels = picture.reshape(-1, 3)
    return pixels.mean(0), np.cov(pixels.T)


def symmetric(covariance, power=0.5):
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * values**power) @ vectors.T


def matched(A, center=True, end="reference"):
    """A student's match_colors with the matrix A(covariance, wanted)."""

    def match_colors(image, reference):
        (mean, covariance), (wanted_mean, wanted) = moments(image), moments(reference)
        last = {"reference": wanted_mean, "image": mean, "nothing": 0}[end]
        return (image - center * mean) @ A(covariance, wanted).T + last

    return match_colors


def by_roots(C, R):
    return symmetric(R) @ symmetric(C, -0.5)


def by_cholesky(C, R):
    return np.linalg.cholesky(R) @ np.linalg.inv(np.linalg.cholesky(C))


def by_svd(C, R):
    (U, s, _), (V, t, _) = np.linalg.svd(C), np.linalg.svd(R)
    return V @ np.diag(np.sqrt(t)) @ V.T @ U @ np.diag(1 / np.sqrt(s)) @ U.T


def principal_axes(C, R):
    """From the image's axes to the reference's, each turned so that it points to the light."""
    (s, U), (t, V) = np.linalg.eigh(C), np.linalg.eigh(R)
    U, V = U * np.sign(U.sum(0)), V * np.sign(V.sum(0))
    return V @ np.diag(np.sqrt(t / s)) @ U.T


def least_motion(C, R):
    """Monge's map: of all that are right, the one that moves colors least."""
    return scipy.linalg.sqrtm(R @ np.linalg.inv(C)).real


def right(image, reference):
    return matched(by_cholesky)(image, reference)


def of_reinhard(image, reference):
    axes = (0, 1, 2)
    z = (image - image.mean(axes)) / image.std(axes)
    return z * reference.std(axes) + reference.mean(axes)


def histograms(image, reference):
    result = np.empty_like(image)
    for c in range(3):
        x, y = image[..., c].ravel(), np.sort(reference[..., c].ravel())
        ranks = np.empty(x.size)
        ranks[np.argsort(x)] = np.linspace(0, y.size - 1, x.size)
        result[..., c] = np.interp(ranks, np.arange(y.size), y).reshape(image.shape[:-1])
    return result


def blended(image, reference):
    other = tf.image.resize(reference, image.shape[1:3])
    return 0.5 * image + 0.5 * other


def half_way(image, reference):
    return 0.5 * image + 0.5 * right(image, reference)


def sampled(image, reference):
    mean, covariance = moments(reference)
    rng = np.random.default_rng(0)
    return rng.multivariate_normal(mean, covariance, image.shape[:3])


def turned(image, reference):
    """Red's deviations have the wrong sign."""
    mean = reference.mean((0, 1, 2))
    return (right(image, reference) - mean) * [-1, 1, 1] + mean


def shifted_in_place(image, reference):
    image -= image.mean((0, 1, 2))
    return image + reference.mean((0, 1, 2))


def rows_the_wrong_way(image, reference):
    """Cholesky's formula for columns, with pixels that are rows."""
    (mean, C), (wanted_mean, R) = moments(image), moments(reference)
    return (image - mean) @ by_cholesky(C, R) + wanted_mean


def upper_factors(image, reference):
    (mean, C), (wanted_mean, R) = moments(image), moments(reference)
    upper = [scipy.linalg.cholesky(one, lower=False) for one in (C, R)]
    return (image - mean) @ (upper[1] @ np.linalg.inv(upper[0])).T + wanted_mean


def by_tensorflow(image, reference, change=lambda A: tf.transpose(A), add=True):
    X, Y = tf.reshape(image, (-1, 3)), tf.reshape(reference, (-1, 3))
    (m, r), each = (tf.reduce_mean(Z, 0) for Z in (X, Y)), []
    for Z, mean in ((X, m), (Y, r)):
        Z = Z - mean
        each.append(tf.linalg.sqrtm(tf.matmul(Z, Z, transpose_a=True) / len(Z)))
    A = each[1] @ tf.linalg.inv(each[0])
    return tf.reshape((X - m) @ change(A), image.shape) + (r if add else 0.0)


def second_moments(image, reference):
    X, Y = image.reshape(-1, 3), reference.reshape(-1, 3)
    A = by_cholesky(X.T @ X / len(X), Y.T @ Y / len(Y))
    return (image - X.mean(0)) @ A.T + Y.mean(0)


def sums_of_squares(image, reference):
    (X, m), (Y, r) = ((x.reshape(-1, 3), x.mean((0, 1, 2))) for x in (image, reference))
    A = by_roots((X - m).T @ (X - m), (Y - r).T @ (Y - r))
    return (image - m) @ A.T + r


WRONG["match_colors"] = [
    ("not written yet", lambda image, reference: None),
    ("picture unmoved", lambda image, reference: image),
    ("reference returned", lambda image, reference: reference.copy()),
    ("roles exchanged", lambda image, reference: matched(by_cholesky)(reference, image)),
    ("roles exchanged", lambda image, reference: matched(by_svd)(reference, image)),
    ("roles exchanged", matched(lambda C, R: by_cholesky(R, C))),
    ("roles exchanged", matched(lambda C, R: symmetric(C) @ symmetric(R, -0.5))),
    ("mean not added", matched(by_roots, end="nothing")),
    ("mean not added", lambda image, reference: by_tensorflow(image, reference, add=False)),
    ("own mean added", matched(by_cholesky, end="image")),
    ("mean not subtracted", matched(by_cholesky, center=False)),
    ("mean not subtracted", matched(by_roots, center=False, end="nothing")),
    ("only the mean moved", lambda image, reference: image - image.mean((0, 1, 2))
     + reference.mean((0, 1, 2))),
    ("only the mean moved", lambda image, reference: image - tf.reduce_mean(image, [0, 1, 2])
     + ops.mean(reference, axis=(0, 1, 2))),
    ("each channel alone", of_reinhard),
    ("each channel alone", lambda image, reference: ops.mean(reference, (0, 1, 2))
     + (image - ops.mean(image, (0, 1, 2))) * ops.std(reference, (0, 1, 2))
     / ops.std(image, (0, 1, 2))),
    ("covariance without a root", matched(lambda C, R: R @ np.linalg.inv(C))),
    ("inverse root forgotten", matched(lambda C, R: symmetric(R))),
    ("inverse root forgotten", matched(lambda C, R: np.linalg.cholesky(R))),
    ("only whitened", matched(lambda C, R: symmetric(C, -0.5))),
    ("root of each number", matched(lambda C, R: np.sqrt(R) @ np.linalg.inv(np.sqrt(C)))),
    ("root of each number", matched(lambda C, R: np.sqrt(R / C))),
    ("NaN", matched(lambda C, R: np.sqrt(R @ np.linalg.inv(C)))),
    ("roots in the wrong order", matched(lambda C, R: symmetric(C, -0.5) @ symmetric(R))),
    ("roots in the wrong order", rows_the_wrong_way),
    ("roots in the wrong order", lambda image, reference: by_tensorflow(
        image, reference, change=tf.identity)),
    ("roots in the wrong order", matched(
        lambda C, R: np.linalg.inv(np.linalg.cholesky(C)) @ np.linalg.cholesky(R))),
    ("Cholesky factor transposed", upper_factors),
    ("mean left in the covariance", second_moments),
    ("covariances not divided", sums_of_squares),
    ("clipped", lambda image, reference: np.clip(right(image, reference), 0, 255)),
    ("clipped", lambda image, reference: ops.clip(by_tensorflow(image, reference), 0, 255)),
    ("rounded", lambda image, reference: np.clip(right(image, reference), 0, 255).astype("uint8")),
    ("scaled", lambda image, reference: right(image, reference) / 255),
    ("pictures blended", blended),
    ("pictures blended", lambda image, reference: 0.5 * right(image, reference) + 0.5 * np.resize(
        reference, image.shape)),
    ("exception", lambda image, reference: 0.5 * image + 0.5 * reference),
    ("half way", half_way),
    ("red and blue exchanged", lambda image, reference: right(image, reference)[..., ::-1]),
    ("one mean for all", lambda image, reference: image - image.mean() + reference.mean()),
    ("another mean", matched(principal_axes, end="image")),
    ("another deviation", matched(lambda C, R: 1.1 * principal_axes(C, R))),
    ("another correlation", turned),
    ("not one rule for all pixels", histograms),
    ("not one rule for all pixels", sampled),
    ("not one rule for all pixels", lambda image, reference: right(image, reference)[:, ::-1]),
    ("negative", matched(lambda C, R: -by_roots(C, R))),
    ("wrong shape", lambda image, reference: right(image, reference).reshape(-1, 3)),
    ("constant", lambda image, reference: np.zeros(image.shape)),
    ("another mean", lambda image, reference: np.full(image.shape, reference.mean())),
    ("input modified", shifted_in_place),
    ("wrong shape", lambda image, reference: right(image[..., None], reference)),
]  # fmt: skip


def by_loops_over_pixels(image, reference):
    def statistics(picture):
        pixels = picture.reshape(-1, 3)
        mean = sum(pixels) / len(pixels)
        outer = sum(np.outer(x - mean, x - mean) for x in pixels)
        return mean, outer / len(pixels)

    (mean, C), (wanted_mean, R) = statistics(image), statistics(reference)
    A, result = by_cholesky(C, R), np.zeros(image.shape)
    for place in np.ndindex(image.shape[:3]):
        result[place] = A @ (image[place] - mean) + wanted_mean
    return result


def in_keras(image, reference):
    X, Y = ops.reshape(image, (-1, 3)), ops.reshape(reference, (-1, 3))
    m, r = ops.mean(X, axis=0), ops.mean(Y, axis=0)
    L, K = (ops.cholesky(ops.transpose(Z) @ Z / len(Z)) for Z in (X - m, Y - r))
    white = ops.solve_triangular(L, ops.transpose(X - m), lower=True)
    return ops.reshape(ops.transpose(K @ white) + r, image.shape)


def one_biased_one_not(image, reference):
    X, Y = image.reshape(-1, 3), reference.reshape(-1, 3)
    A = by_roots(np.cov(X.T, bias=True), np.cov(Y.T))
    return (image - X.mean(0)) @ A.T + Y.mean(0)


def columns(image, reference):
    X, Y = image.reshape(-1, 3).T, reference.reshape(-1, 3).T
    m, r = X.mean(1, keepdims=True), Y.mean(1, keepdims=True)
    return (by_svd(np.cov(X), np.cov(Y)) @ (X - m) + r).T.reshape(image.shape)


RIGHT["match_colors"] = [
    matched(by_roots),
    matched(by_cholesky),
    matched(by_svd),
    matched(principal_axes),
    matched(least_motion),
    lambda image, reference: matched(by_roots)(image, reference)[0],
    lambda image, reference: matched(by_cholesky)(image, reference).astype("float32"),
    by_tensorflow,
    in_keras,
    by_loops_over_pixels,
    one_biased_one_not,
    columns,
]
