"""Students' answers on the transfer itself, in NumPy, TensorFlow and keras.ops."""

import numpy as np
import tensorflow as tf
from keras import ops

WRONG, RIGHT = {}, {}


def total(combine):
    """A student's total_loss; `combine` has short names for the package's long ones."""

    def total_loss(content, style, total_variation, *, content_weight, style_weight, tv_weight):
        weights = content_weight, style_weight, tv_weight
        return combine(content, style, total_variation, *weights)

    return total_loss


def by_name_of_the_paper(content, style, total_variation, alpha, beta, gamma):
    return alpha * content + beta * style + gamma * total_variation


def stub(content, style, total_variation, *, content_weight, style_weight, tv_weight):
    return None  # your code


WRONG["total_loss"] = [
    ("not written yet", stub),
    ("weights not applied", total(lambda c, s, t, a, b, g: c + s + t)),
    ("weights not applied", total(lambda c, s, t, a, b, g: ops.add(ops.add(c, s), t))),
    ("total variation weight not applied", total(lambda c, s, t, a, b, g: a * c + b * s + t)),
    ("content weight not applied", total(lambda c, s, t, a, b, g: c + b * s + g * t)),
    ("total variation forgotten", total(lambda c, s, t, a, b, g: a * c + b * s)),
    ("weights exchanged", total(lambda c, s, t, a, b, g: b * c + a * s + g * t)),
    ("weights exchanged", total(lambda c, s, t, a, b, g: a * c + g * s + b * t)),
    ("style weight for tv", total(lambda c, s, t, a, b, g: a * c + b * (s + t))),
    ("mean for sum", total(lambda c, s, t, a, b, g: (a * c + b * s + g * t) / 3)),
    ("weights normalized", total(lambda c, s, t, a, b, g: (a * c + b * s + g * t) / (a + b + g))),
    ("total variation subtracted", total(lambda c, s, t, a, b, g: a * c + b * s - g * t)),
    ("product for sum", total(lambda c, s, t, a, b, g: a * c * b * s * g * t)),
    ("weights added", total(lambda c, s, t, a, b, g: a + c + b + s + g + t)),
    ("not summed", total(lambda c, s, t, a, b, g: [a * c, b * s, g * t])),
    ("other arguments", by_name_of_the_paper),
    ("wrong sign", total(lambda c, s, t, a, b, g: -a * c - b * s - g * t)),
    ("constant", total(lambda c, s, t, a, b, g: 1.0)),
]

RIGHT["total_loss"] = [
    total(lambda c, s, t, a, b, g: a * c + b * s + g * t),
    total(lambda c, s, t, a, b, g: sum(w * x for w, x in [(a, c), (b, s), (g, t)])),
    total(lambda c, s, t, a, b, g: np.tensordot([a, b, g], np.stack([c, s, t]), axes=1)),
    total(lambda c, s, t, a, b, g: ops.multiply(a, c) + ops.multiply(b, s) + ops.multiply(g, t)),
]


def in_place(image, gradient, learning_rate):
    image -= learning_rate * gradient
    return np.clip(image, 0, 255)


def scale_the_gradient_in_place(image, gradient, learning_rate):
    gradient *= learning_rate
    return np.clip(image - gradient, 0, 255)


def clip_in_place(image, gradient, learning_rate):
    np.clip(image - learning_rate * gradient, 0, 255, out=image)
    return image


def forget_what_clip_returns(image, gradient, learning_rate):
    image = image - learning_rate * gradient
    np.clip(image, 0, 255)
    return image


def until_it_is_in_range(image, gradient, learning_rate):
    image = image - learning_rate * gradient
    while image.max() > 255 or image.min() < 0:
        learning_rate = learning_rate / 2
    return image


def adam(image, gradient, learning_rate):
    step = gradient / (np.sqrt(gradient**2) + 1e-8)
    return np.clip(image - learning_rate * step, 0, 255)


def rescaled(image, gradient, learning_rate):
    image = image - learning_rate * gradient
    return 255 * (image - image.min()) / (image.max() - image.min())


def numbers(image, gradient, learning_rate):
    return np.clip(image - learning_rate * gradient, 0, 255).astype("uint8")


WRONG["optimization_step"] = [
    ("not written yet", lambda image, gradient, learning_rate: None),
    ("wrong sign", lambda image, gradient, learning_rate: np.clip(
        image + learning_rate * gradient, 0, 255)),
    ("wrong sign", lambda image, gradient, learning_rate: tf.clip_by_value(
        image + learning_rate * gradient, 0.0, 255.0)),
    ("clipping missing", lambda image, gradient, learning_rate: image - learning_rate * gradient),
    ("clipping missing", forget_what_clip_returns),
    ("clipping missing", lambda image, gradient, learning_rate: np.maximum(
        0, image - learning_rate * gradient)),
    ("clipping missing", lambda image, gradient, learning_rate: ops.clip(image, 0, 255)
     - learning_rate * gradient),
    ("clipped to another range", lambda image, gradient, learning_rate: np.clip(
        image - learning_rate * gradient, 0, 1)),
    ("clipped to another range", lambda image, gradient, learning_rate: np.clip(
        image - learning_rate * gradient, 0, 256)),
    ("gradient clipped", lambda image, gradient, learning_rate: image
     - learning_rate * np.clip(gradient, 0, 255)),
    ("learning rate forgotten", lambda image, gradient, learning_rate: np.clip(
        image - gradient, 0, 255)),
    ("learning rate divided", lambda image, gradient, learning_rate: np.clip(
        image - gradient / learning_rate, 0, 255)),
    ("sign only", lambda image, gradient, learning_rate: tf.clip_by_value(
        image - learning_rate * tf.sign(gradient), 0, 255)),
    ("sign only", adam),
    ("gradient normalized", lambda image, gradient, learning_rate: np.clip(
        image - learning_rate * gradient / np.linalg.norm(gradient), 0, 255)),
    ("picture forgotten", lambda image, gradient, learning_rate: -learning_rate * gradient),
    ("input modified", in_place),
    ("input modified", scale_the_gradient_in_place),
    ("input modified", clip_in_place),
    ("uint8 overflow", lambda image, gradient, learning_rate: (
        image - learning_rate * gradient).astype("int64").astype("uint8")),
    ("rounded", numbers),
    ("picture unmoved", lambda image, gradient, learning_rate: image),
    ("endless loop", until_it_is_in_range),
    ("rescaled", rescaled),
    ("NaN", lambda image, gradient, learning_rate: np.clip(
        image - learning_rate * np.log(gradient), 0, 255)),
]  # fmt: skip


def with_a_variable(image, gradient, learning_rate):
    variable = tf.Variable(image)
    variable.assign_sub(learning_rate * gradient)
    return tf.clip_by_value(variable, 0, 255)


def with_an_optimizer(image, gradient, learning_rate):
    variable = tf.Variable(image)
    tf.keras.optimizers.SGD(learning_rate).apply_gradients([(tf.constant(gradient), variable)])
    return tf.clip_by_value(variable, 0.0, 255.0)


def on_a_copy(image, gradient, learning_rate):
    moved = image.copy()
    moved -= learning_rate * gradient
    moved[moved < 0] = 0
    moved[moved > 255] = 255
    return moved


RIGHT["optimization_step"] = [
    lambda image, gradient, learning_rate: np.clip(image - learning_rate * gradient, 0, 255),
    lambda image, gradient, learning_rate: ops.clip(image - learning_rate * gradient, 0, 255),
    lambda image, gradient, learning_rate: np.minimum(
        np.maximum(image - learning_rate * gradient, 0), 255),
    with_a_variable,
    with_an_optimizer,
    on_a_copy,
]  # fmt: skip


def resized(image, size, kind="bilinear"):
    return ops.clip(ops.image.resize(image, size, interpolation=kind), 0, 255)


def by_whole_factors(image, shape):
    factor = shape[1] // image.shape[1]
    return image.repeat(factor, axis=1).repeat(factor, axis=2)


def only_square_factor(image, shape):
    factor = shape[1] // image.shape[1]
    return np.kron(image, np.ones((1, factor, factor, 1)))


def zeros_in_between(image, shape):
    result = np.zeros(shape)
    tall, wide = -(-shape[1] // image.shape[1]), -(-shape[2] // image.shape[2])
    result[:, ::tall, ::wide] = image
    return result


def nearest(image, shape):
    rows = np.arange(shape[1]) * image.shape[1] // shape[1]
    columns = np.arange(shape[2]) * image.shape[2] // shape[2]
    return image[:, rows][:, :, columns]


def corner_linear(image, shape):
    """Bilinear with the pixels' corners, not their centers, on the grid: shifted."""
    places = [np.arange(n) * m / n for n, m in zip(shape[1:3], image.shape[1:3], strict=True)]
    return bilinear(image, *places)


def bilinear(image, rows, columns):
    for axis, places in ((1, rows), (2, columns)):
        last = image.shape[axis] - 1
        places = np.clip(places, 0, last)
        low = places.astype(int)
        part = np.expand_dims(places - low, tuple({0, 1, 2, 3} - {axis}))
        high = np.minimum(low + 1, last)
        image = np.take(image, low, axis) * (1 - part) + np.take(image, high, axis) * part
    return image


def centered_linear(image, shape):
    sides = zip(shape[1:3], image.shape[1:3], strict=True)
    return bilinear(image, *[(np.arange(n) + 0.5) * m / n - 0.5 for n, m in sides])


def by_pillow(image, shape):
    from PIL import Image

    picture = Image.fromarray(image[0].astype("uint8"))
    return np.asarray(picture.resize((shape[2], shape[1])), "float32")


def by_scipy(image, shape):
    import scipy.ndimage

    zoom = [large / small for large, small in zip(shape, image.shape, strict=True)]
    return np.clip(scipy.ndimage.zoom(image, zoom, order=1, grid_mode=True, mode="nearest"), 0, 255)


def wrapped(image, shape):
    large = tf.image.resize(image, shape[1:3], method="bicubic", antialias=True).numpy()
    return large.astype("int64").astype("uint8")


WRONG["upsample"] = [
    ("not written yet", lambda image, shape: None),
    ("sides exchanged", lambda image, shape: resized(image, (shape[2], shape[1]))),
    ("sides exchanged", lambda image, shape: tf.image.resize(image, (shape[2], shape[1]))),
    ("whole factors only", by_whole_factors),
    ("whole factors only", lambda image, shape: ops.repeat(ops.repeat(
        image, shape[1] // image.shape[1], 1), shape[2] // image.shape[2], 2)),
    ("zeros in between", zeros_in_between),
    ("tiled", lambda image, shape: np.tile(image, (1, 3, 3, 1))[:, : shape[1], : shape[2]]),
    ("reshaped", lambda image, shape: np.resize(image, shape)),
    ("nothing done", lambda image, shape: image),
    ("clipping missing", lambda image, shape: tf.image.resize(image, shape[1:3], "bicubic")),
    ("clipping missing", lambda image, shape: ops.image.resize(
        image, shape[1:3], interpolation="lanczos3")),
    ("brightness changed", lambda image, shape: resized(image, shape[1:3]) / 255),
    ("brightness changed", by_pillow),
    ("brightness changed", lambda image, shape: np.clip(resized(image, shape[1:3]), 0, 1)),
    ("picture shifted", corner_linear),
    ("pixels in the wrong place", lambda image, shape: np.flip(resized(image, shape[1:3]), 2)),
    ("uint8 overflow", wrapped),
    ("padded", lambda image, shape: tf.image.pad_to_bounding_box(image, 0, 0, shape[1], shape[2])),
    ("exception", lambda image, shape: image.reshape(shape)),
    ("exception", lambda image, shape: tf.image.resize(image, shape)),
    ("constant", lambda image, shape: np.zeros(shape)),
]  # fmt: skip

RIGHT["upsample"] = [
    lambda image, shape: resized(image, shape[1:3]),
    lambda image, shape: resized(image, shape[1:3], "bicubic"),
    lambda image, shape: resized(image, shape[1:3], "nearest"),
    lambda image, shape: tf.image.resize(image, shape[1:3])[0],
    lambda image, shape: np.clip(tf.image.resize(image, shape[1:3], "lanczos5"), 0, 255),
    nearest,
    centered_linear,
    by_scipy,
]
