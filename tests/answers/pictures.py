"""Students' answers on pixels, in NumPy, TensorFlow and keras.ops."""

import numpy as np
import tensorflow as tf
from keras import ops

MEANS = [103.939, 116.779, 123.68]
MEANS_RGB = [123.68, 116.779, 103.939]
WRONG, RIGHT = {}, {}


def forget_the_flip(image):
    return image - np.array(MEANS)


def right_means_wrong_order(image):
    return tf.cast(image, tf.float32) - tf.constant(MEANS_RGB)


def overwrite(image):
    image = image[..., ::-1]
    image -= np.array(MEANS, "float32")
    return image


def loop_over_channels_and_forget_the_flip(image):
    result = np.zeros(image.shape)
    for c in range(3):
        result[..., c] = image[..., c] - MEANS[c]
    return result


def only_the_first_channel(image):
    image = np.array(image[..., ::-1])
    image[..., 0] -= MEANS[0]
    return image


def endless(image):
    result = image[..., ::-1] - np.array(MEANS)
    while True:
        result = result + 0


def no_return(image):
    image = image[..., ::-1] - np.array(MEANS)


def typo(image):
    return imag[..., ::-1] - np.array(MEANS)  # noqa: F821


def green_and_blue(image):
    return ops.stack([image[..., 0], image[..., 2], image[..., 1]], axis=-1) - np.array(MEANS)


WRONG["to_vgg"] = [
    ("not written yet", lambda image: None),
    ("RGB for BGR", forget_the_flip),
    ("RGB for BGR", right_means_wrong_order),
    ("RGB for BGR", loop_over_channels_and_forget_the_flip),
    ("means in RGB order", lambda image: image[..., ::-1] - np.array(MEANS_RGB)),
    ("mean added", lambda image: ops.flip(image, axis=-1) + ops.array(MEANS)),
    ("mean subtracted twice", lambda image: image[..., ::-1] - np.array(MEANS) - np.array(MEANS)),
    ("mean not subtracted", lambda image: tf.reverse(image, axis=[-1])),
    ("wrong axis", lambda image: image[:, :, ::-1] - np.array(MEANS)),
    ("wrong axis", lambda image: image[::-1] - np.array(MEANS)),
    ("wrong axis", lambda image: np.flip(image) - np.array(MEANS)),
    ("only with a batch axis", lambda image: image[:, :, :, ::-1] - np.array(MEANS)),
    ("only with a batch axis", lambda image: np.flip(image, axis=3) - np.array(MEANS)),
    ("scaled", lambda image: tf.keras.applications.vgg19.preprocess_input(image + 0.0) / 255.0),
    ("scaled", lambda image: image / 127.5 - 1),
    ("scaled", lambda image: image[..., ::-1] / 255 - np.array(MEANS)),
    ("rounded means", lambda image: image[..., ::-1] - np.array([104, 117, 124])),
    ("the picture's own mean", lambda image: image[..., ::-1] - image.mean()),
    ("uint8 overflow", lambda image: (image[..., ::-1] - MEANS).astype("int32").astype("uint8")),
    ("clipped", lambda image: np.clip(image[..., ::-1] - np.array(MEANS), 0, 255)),
    ("wrong sign", lambda image: np.array(MEANS) - image[..., ::-1]),
    ("input modified", overwrite),
    ("endless loop", endless),
    ("return forgotten", no_return),
    ("exception", typo),
    ("exception", lambda image: np.array(image)[..., ::-1] - np.array(MEANS[:2])),
    ("other arguments", lambda: None),
    ("not a function", np.zeros((1, 2, 2, 3))),
    ("no numbers", lambda image: "blue, green, red"),
    ("constant", lambda image: 0 * image),
    ("channels in another order", green_and_blue),
    ("only some channels", only_the_first_channel),
]


def split_and_stack(image):
    red, green, blue = tf.unstack(tf.cast(image, tf.float32), axis=-1)
    return tf.stack([blue - MEANS[0], green - MEANS[1], red - MEANS[2]], axis=-1)


def pixel_by_pixel(image):
    result = np.zeros(np.shape(image))
    for place in np.ndindex(*np.shape(image)[:-1]):
        red, green, blue = image[place]
        result[place] = blue - 103.939, green - 116.779, red - 123.68
    return result


RIGHT["to_vgg"] = [
    lambda image: image[..., ::-1] - np.array(MEANS),
    lambda image: (image - np.array(MEANS_RGB))[..., ::-1],
    lambda image: ops.flip(image, axis=-1) - ops.array(MEANS),
    lambda image: tf.keras.applications.vgg19.preprocess_input(np.array(image)),
    lambda image: np.take(image, [2, 1, 0], axis=-1) - np.array(MEANS, "float32"),
    split_and_stack,
    pixel_by_pixel,
]


def add_in_place(prepared):
    prepared += np.array(MEANS, "float32")
    return prepared[..., ::-1]


def forget_blue(prepared):
    result = prepared[..., ::-1].copy()
    result[..., 0] += 123.68
    result[..., 1] += 116.779
    return result


WRONG["from_vgg"] = [
    ("not written yet", lambda prepared: ...),
    ("flipped first", lambda prepared: prepared[..., ::-1] + np.array(MEANS)),
    ("flipped first", lambda prepared: tf.reverse(prepared, [-1]) + tf.constant(MEANS)),
    ("RGB for BGR", lambda prepared: prepared + np.array(MEANS)),
    ("mean subtracted", lambda prepared: (prepared - np.array(MEANS))[..., ::-1]),
    ("mean subtracted", lambda prepared: ops.flip(prepared, -1) - ops.array(MEANS)),
    ("mean not added", lambda prepared: prepared[..., ::-1]),
    ("mean added twice", lambda prepared: (prepared + 2 * np.array(MEANS))[..., ::-1]),
    ("scaled", lambda prepared: (prepared + np.array(MEANS))[..., ::-1] / 255),
    ("scaled", lambda prepared: (prepared[..., ::-1] + 1) * 127.5),
    ("wrong axis", lambda prepared: (prepared + np.array(MEANS))[:, :, ::-1]),
    ("wrong axis", lambda prepared: (prepared + np.array(MEANS))[::-1]),
    ("rounded", lambda prepared: (prepared + np.array(MEANS))[..., ::-1].astype("uint8")),
    ("nothing done", lambda prepared: prepared),
    ("rounded means", lambda prepared: (prepared + np.array([104, 117, 124]))[..., ::-1]),
    ("input modified", add_in_place),
    ("only some channels", forget_blue),
    ("exception", lambda prepared: (prepared + MEANS).flip(-1)),
]


def sliced(prepared):
    blue, green, red = (prepared[..., c] + MEANS[c] for c in range(3))
    return np.stack([red, green, blue], axis=-1)


RIGHT["from_vgg"] = [
    lambda prepared: (prepared + np.array(MEANS))[..., ::-1],
    lambda prepared: prepared[..., ::-1] + np.array(MEANS_RGB),
    lambda prepared: tf.reverse(prepared + tf.constant(MEANS), [-1]),
    lambda prepared: ops.clip(ops.flip(prepared + np.array(MEANS, "float32"), -1), 0, 255),
    sliced,
]


def differences(x):
    return x[:, :-1, 1:] - x[:, :-1, :-1], x[:, 1:, :-1] - x[:, :-1, :-1]


def with_roll(image, exponent=2.0):
    right = np.roll(image, -1, axis=2) - image
    down = np.roll(image, -1, axis=1) - image
    return np.sum((right**2 + down**2) ** (exponent / 2), axis=(1, 2, 3))


def with_tensorflow_roll(image, exponent=2.0):
    a = tf.square(image - tf.roll(image, 1, axis=1))
    b = tf.square(image - tf.roll(image, 1, axis=2))
    return tf.reduce_sum((a + b) ** (exponent / 2), axis=[1, 2, 3])


def power_of_each(image, exponent=2.0):
    right, down = differences(image)
    return np.sum(np.abs(right) ** exponent + np.abs(down) ** exponent, axis=(1, 2, 3))


def precedence(image, exponent=2.0):
    right, down = differences(image)
    return np.sum((right**2 + down**2) ** exponent / 2, axis=(1, 2, 3))


def of_the_original_notebook_without_halving(image, exponent=2.0):
    a = ops.square(image[:, :-1, :-1, :] - image[:, 1:, :-1, :])
    b = ops.square(image[:, :-1, :-1, :] - image[:, :-1, 1:, :])
    return ops.sum(ops.power(a + b, exponent), axis=(1, 2, 3))


def always_1_25(image, exponent=2.0):
    right, down = differences(image)
    return np.sum((right**2 + down**2) ** 1.25, axis=(1, 2, 3))


def of_shape(image, exponent=2.0):
    right = image[:, :, 1:] - image[:, :, :-1]
    down = image[:, 1:] - image[:, :-1]
    return np.sum((right**2 + down**2) ** (exponent / 2), axis=(1, 2, 3))


def channels_for_columns(image, exponent=2.0):
    right = image[:, :-1, :, 1:] - image[:, :-1, :, :-1]
    down = image[:, 1:, :, :-1] - image[:, :-1, :, :-1]
    return np.sum((right**2 + down**2) ** (exponent / 2), axis=(1, 2, 3))


def only_square(image, exponent=2.0):
    total = np.zeros(len(image))
    n = image.shape[1]
    for i in range(n - 1):
        for j in range(n - 1):
            right, down = image[:, i, j + 1] - image[:, i, j], image[:, i + 1, j] - image[:, i, j]
            total += np.sum((right**2 + down**2) ** (exponent / 2), axis=-1)
    return total


def over(image, exponent=2.0, pool=np.sum, axis=(1, 2, 3)):
    right, down = differences(image)
    return pool((right**2 + down**2) ** (exponent / 2), axis=axis)


WRONG["total_variation_loss"] = [
    ("not written yet", lambda image, exponent=2.0: None),
    ("differences that wrap around", with_roll),
    ("differences that wrap around", with_tensorflow_roll),
    ("exponent applied before the sum", power_of_each),
    ("exponent not halved", precedence),
    ("exponent not halved", of_the_original_notebook_without_halving),
    ("exponent ignored", always_1_25),
    ("exponent ignored", lambda image, exponent=2.0: over(image)),
    ("square root added", lambda image, exponent=2.0: np.sqrt(over(image, exponent))),
    ("mean for sum", lambda image, exponent=2.0: over(image, exponent, np.mean)),
    ("absolute for squared differences",
     lambda image, exponent=2.0: tf.image.total_variation(image)),
    ("exception", of_shape),
    ("exception", lambda image, exponent=2.0: over(image, exponent, sum)),
    ("wrong axis", lambda image, exponent=2.0: over(image, exponent, np.sum, (1, 2))),
    ("wrong axis", channels_for_columns),
    ("only square pictures", only_square),
    ("one direction only", lambda image, exponent=2.0: np.sum(
        np.abs(differences(image)[0]) ** exponent, axis=(1, 2, 3))),
    ("colors mixed", lambda image, exponent=2.0: over(image.mean(-1, keepdims=True), exponent)),
    ("off by a factor 1/2", lambda image, exponent=2.0: over(image, exponent) / 2),
    ("other arguments", lambda image: over(image)),
]  # fmt: skip


def by_diff(image, exponent=2.0):
    right, down = np.diff(image, axis=2)[:, :-1], np.diff(image, axis=1)[:, :, :-1]
    return np.sum(np.hypot(right, down) ** exponent, axis=(1, 2, 3))


def by_loops(image, exponent=2.0):
    batch, height, width, channels = image.shape
    totals = [0.0] * batch
    for b, i, j, c in np.ndindex(batch, height - 1, width - 1, channels):
        here = float(image[b, i, j, c])
        right, down = image[b, i, j + 1, c] - here, image[b, i + 1, j, c] - here
        totals[b] += (right**2 + down**2) ** (exponent / 2)
    return totals


def by_gradients(image, exponent=2.0):
    down, right = tf.image.image_gradients(tf.convert_to_tensor(image))
    squares = (right**2 + down**2)[:, :-1, :-1]
    return tf.reduce_sum(squares ** (exponent / 2), axis=(1, 2, 3))


def without_the_axis_of_one(image, exponent=2.0):
    loss = over(image, exponent)
    return float(loss[0]) if len(loss) == 1 else loss


RIGHT["total_variation_loss"] = [
    over,
    by_diff,
    by_loops,
    by_gradients,
    without_the_axis_of_one,
    lambda image, exponent=2.0: ops.sum(
        sum(ops.square(d) for d in differences(ops.array(image))) ** (exponent / 2), axis=(1, 2, 3)
    ),
]
