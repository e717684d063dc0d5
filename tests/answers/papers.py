"""Students' answers that are right for one picture: the papers' formulas, in NumPy.

`PAPERS[exercise]` takes features `(H, W, N)` or a picture `(H, W, 3)`, as the papers have them;
`FOLDED[exercise]` are functions for a batch of one, which would add two pictures up.
"""

import numpy as np
import tensorflow as tf
from keras import ops

from answers.features import E, channels, equal, folded, mean_gram, of_keras_io, squares, summed
from answers.pictures import MEANS, over
from answers.steps import total

PAPERS = {}


def paper(function):
    PAPERS[function.__name__] = function
    return function


def gram(features):
    height, width, channels = features.shape
    F = features.reshape(height * width, channels)
    return F.T @ F


def mean(features):
    height, width, _ = features.shape
    return gram(features) / (height * width)


@paper
def to_vgg(image):
    return image[..., ::-1] - np.array(MEANS)


@paper
def from_vgg(prepared):
    height, width, _ = prepared.shape
    image = np.zeros((height, width, 3))
    for i in range(height):
        for j in range(width):
            image[i, j] = (prepared[i, j] + MEANS)[::-1]
    return image


@paper
def pool(x, kind):
    height, width, channels = x.shape
    pooled = np.zeros((height // 2, width // 2, channels))
    for u, v, k in np.ndindex(pooled.shape):
        square = x[2 * u : 2 * u + 2, 2 * v : 2 * v + 2, k]
        pooled[u, v, k] = square.mean() if kind == "average" else square.max()
    return pooled


@paper
def receptive_field(steps):
    r, j = 1, 1
    for k, stride in steps:
        r, j = r + (k - 1) * j, j * stride
    return r


@paper
def count_weights(side, channels_in, channels_out):
    return side**2 * channels_in * channels_out + channels_out


@paper
def content_loss(generated, target):
    height, width, channels = generated.shape
    loss = 0.0
    for i, j, k in np.ndindex(height, width, channels):
        loss += (generated[i, j, k] - target[i, j, k]) ** 2
    return loss / 2


@paper
def content_loss_gradient(generated, target):
    height, width, channels = generated.shape
    gradient = np.zeros((height, width, channels))
    for place in np.ndindex(height, width, channels):
        if generated[place] > 0:
            gradient[place] = generated[place] - target[place]
    return gradient


@paper
def gram_matrix(features):
    return gram(features)


@paper
def style_layer_loss(generated, style):
    N = generated.shape[2]
    return np.sum((mean(generated) - mean(style)) ** 2) / (4 * N**2)


@paper
def style_layer_loss_gradient(generated, style):
    height, width, N = generated.shape
    F = generated.reshape(height * width, N)
    gradient = (mean(generated) - mean(style)) @ F.T / (N**2 * height * width)
    return np.where(generated > 0, gradient.T.reshape(height, width, N), 0)


@paper
def style_loss(generated, style, layer_weights=None):
    layers = list(generated)
    weights = layer_weights or {layer: 1 / len(layers) for layer in layers}
    return sum(weights[k] * style_layer_loss(generated[k], style[k]) for k in layers)


@paper
def total_variation_loss(image, exponent=2.0):
    right = image[:-1, 1:] - image[:-1, :-1]
    down = image[1:, :-1] - image[:-1, :-1]
    return np.sum((right**2 + down**2) ** (exponent / 2))


@paper
def total_loss(content, style, total_variation, *, content_weight, style_weight, tv_weight):
    return float(content_weight * content + style_weight * style + tv_weight * total_variation)


@paper
def optimization_step(image, gradient, learning_rate):
    height, width, _ = image.shape
    new = np.zeros((height, width, 3))
    for place in np.ndindex(height, width, 3):
        new[place] = min(max(image[place] - learning_rate * gradient[place], 0), 255)
    return new


@paper
def upsample(image, shape):
    (height, width, _), (tall, wide, _) = image.shape, shape
    rows, columns = np.arange(tall) * height // tall, np.arange(wide) * width // wide
    return image[rows][:, columns]


@paper
def guided_gram_matrix(features, guide):
    height, width, _ = features.shape
    return gram(features * guide) / sum(guide[i, j, 0] ** 2 for i, j in np.ndindex(height, width))


def color_root(picture):
    height, width, _ = picture.shape
    pixels = picture.reshape(height * width, 3)
    return pixels.mean(axis=0), np.linalg.cholesky(np.cov(pixels, rowvar=False))


@paper
def match_colors(image, reference):
    height, width, _ = image.shape
    (mean, L), (wanted_mean, K) = color_root(image), color_root(reference)
    A = K @ np.linalg.inv(L)
    result = np.zeros((height, width, 3))
    for i, j in np.ndindex(height, width):
        result[i, j] = A @ (image[i, j] - mean) + wanted_mean
    return result


def weighted(generated, style, layer_weights=None):
    weights = layer_weights or equal(generated)
    return tf.reduce_sum([w * E(generated[k], style[k]) for k, w in weights.items()])


FOLDED = {
    "content_loss": [
        lambda generated, target: 0.5 * np.sum(squares(generated, target)),
        lambda generated, target: 0.5 * np.sum(squares(generated, target), (0, 1, 2)),  # (H, W, N)
        lambda generated, target: tf.nn.l2_loss(generated - target),
    ],
    "gram_matrix": [
        folded,
        of_keras_io,
        lambda features: ops.einsum("bhwi,bhwj->ij", features, features),
        lambda features: np.tensordot(features, features, ([0, 1, 2],) * 2),
    ],
    "style_layer_loss": [
        lambda generated, style: summed(generated, style, axis=None) / (4 * channels(style) ** 2),
        lambda generated, style: tf.reduce_mean((mean_gram(generated) - mean_gram(style)) ** 2) / 4,
    ],
    "style_loss": [weighted],
    "total_variation_loss": [
        lambda image, exponent=2.0: over(image, exponent, np.sum, None),
    ],
    "total_loss": [
        total(lambda c, s, t, a, b, g: tf.reduce_sum(a * c + b * s + g * t)),
    ],
}

WRONG = {
    "pool": [
        ("rows mixed", lambda x, kind: (np.mean if kind == "average" else np.max)(
            x.reshape(len(x) // 2, x.shape[1] // 2, 2, 2, -1), axis=(2, 3))),
        ("one pixel of four", lambda x, kind: x[::2, ::2]),
        ("sum for mean", lambda x, kind: pool(x, kind) * (4 if kind == "average" else 1)),
    ],
    "content_loss": [
        ("½ missing", lambda generated, target: 2 * content_loss(generated, target)),
        ("mean for sum", lambda generated, target: content_loss(generated, target)
         / generated.size),
    ],
    "gram_matrix": [("mean for sum", mean)],
    "style_layer_loss": [
        ("one M for both", lambda generated, style: np.sum((gram(generated) - gram(style)) ** 2)
         / (2 * generated.size) ** 2),
    ],
    "style_layer_loss_gradient": [
        ("M too often", lambda generated, style: style_layer_loss_gradient(generated, style)
         / (generated.shape[0] * generated.shape[1])),
    ],
    "style_loss": [
        ("1/L missing", lambda generated, style, layer_weights=None: style_loss(
            generated, style, layer_weights or dict.fromkeys(generated, 1.0))),
    ],
    "total_variation_loss": [
        ("exponent not halved", lambda image, exponent=2.0: total_variation_loss(
            image, 2 * exponent)),
    ],
    "guided_gram_matrix": [
        ("ΣT for ΣT²", lambda features, guide: gram(features * guide) / guide.sum()),
    ],
    "match_colors": [
        ("mean not added", lambda image, reference: match_colors(image, reference)
         - color_root(reference)[0]),
    ],
    "optimization_step": [
        ("wrong sign", lambda image, gradient, learning_rate: optimization_step(
            image, -gradient, learning_rate)),
    ],
}  # fmt: skip
