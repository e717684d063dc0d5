"""Students' answers on features, in NumPy, TensorFlow and keras.ops."""

import numpy as np
import tensorflow as tf
from keras import ops

from nst_tutorial import losses

WRONG, RIGHT = {}, {}


def squares(generated, target):
    return (generated - target) ** 2


def in_place(generated, target):
    generated -= target
    return 0.5 * np.sum(generated**2, axis=(1, 2, 3))


def not_closed(generated, target):
    total = i = 0
    while i < len(generated):
        total += np.sum(squares(generated[i], target[i]))
    return total


WRONG["content_loss"] = [
    ("not written yet", lambda generated, target: None),
    ("½ missing", lambda generated, target: np.sum(squares(generated, target), axis=(1, 2, 3))),
    ("½ missing", lambda generated, target: tf.reduce_sum(
        tf.square(generated - target), axis=[1, 2, 3])),
    ("¼ for ½", lambda generated, target: 0.25 * squares(generated, target).sum((1, 2, 3))),
    ("mean for sum", lambda generated, target: np.mean(squares(generated, target), (1, 2, 3))),
    ("mean for sum", lambda generated, target: 0.5 * tf.reduce_mean(
        squares(generated, target), axis=[1, 2, 3])),
    ("mean for sum", lambda generated, target: ops.mean(squares(generated, target))),
    ("absolute for squared differences", lambda generated, target: 0.5 * np.sum(
        np.abs(generated - target), axis=(1, 2, 3))),
    ("absolute for squared differences", lambda generated, target: ops.sum(
        ops.abs(generated - target), axis=(1, 2, 3))),
    ("square root added", lambda generated, target: np.linalg.norm(
        (generated - target).reshape(len(generated), -1), axis=1)),
    ("exponent applied after the sum", lambda generated, target: 0.5 * np.sum(
        generated - target, axis=(1, 2, 3)) ** 2),
    ("square forgotten", lambda generated, target: 0.5 * ops.sum(
        generated - target, axis=(1, 2, 3))),
    ("squares subtracted", lambda generated, target: 0.5 * np.sum(
        generated**2 - target**2, axis=(1, 2, 3))),
    ("wrong axis", lambda generated, target: 0.5 * np.sum(squares(generated, target), axis=-1)),
    ("wrong axis", lambda generated, target: 0.5 * sum(squares(generated, target))),
    ("wrong shape", lambda generated, target: 0.5 * np.sum(
        squares(generated, target), axis=(1, 2, 3), keepdims=True)),
    ("not summed", lambda generated, target: 0.5 * squares(generated, target)),
    ("Gram matrices compared", lambda generated, target: 0.5 * ops.sum(
        squares(losses.gram_matrix(generated), losses.gram_matrix(target)), axis=(1, 2))),
    ("wrong sign", lambda generated, target: -0.5 * squares(generated, target).sum((1, 2, 3))),
    ("NaN", lambda generated, target: np.sum(np.log(generated - target), axis=(1, 2, 3))),
    ("constant", lambda generated, target: np.zeros(len(generated))),
    ("input modified", in_place),
    ("endless loop", not_closed),
    ("exception", lambda generated, target: 0.5 * np.sum(squares(generated, target).T @ target)),
    ("off by a factor 2/3", lambda generated, target: ops.sum(
        squares(generated, target), axis=(1, 2, 3)) / 3),
]  # fmt: skip


def one_at_a_time(generated, target):
    return [0.5 * np.sum((F - P) ** 2) for F, P in zip(generated, target, strict=True)]


def a_number_for_one(generated, target):
    loss = 0.5 * np.einsum("bhwc,bhwc->b", generated - target, generated - target)
    return loss.item() if loss.size == 1 else loss


RIGHT["content_loss"] = [
    lambda generated, target: 0.5 * np.sum((generated - target) ** 2, axis=(1, 2, 3)),
    lambda generated, target: tf.reduce_sum(tf.square(target - generated), [1, 2, 3]) / 2,
    lambda generated, target: 0.5 * ops.sum(ops.square(generated - target), axis=(-3, -2, -1)),
    lambda generated, target: np.var(generated - target, axis=(1, 2, 3), mean=0.0)
    * generated[0].size / 2,
    one_at_a_time,
    a_number_for_one,
]  # fmt: skip


def by_tape_without_relu(generated, target):
    generated = tf.Variable(generated)
    with tf.GradientTape() as tape:
        loss = tf.nn.l2_loss(generated - target)
    return tape.gradient(loss, generated)


def zero_in_place(generated, target):
    gradient = generated - target
    generated[generated == 0] = 1
    gradient[generated == 1] = 0
    return gradient


def mask_of_the_difference(generated, target):
    gradient = generated - target
    gradient[gradient < 0] = 0
    return gradient


WRONG["content_loss_gradient"] = [
    ("not written yet", lambda generated, target: None),
    ("ReLU forgotten", lambda generated, target: generated - target),
    ("ReLU forgotten", by_tape_without_relu),
    ("wrong sign", lambda generated, target: np.where(generated > 0, target - generated, 0)),
    ("wrong sign", lambda generated, target: target - generated),
    ("differences silenced", lambda generated, target: np.maximum(generated - target, 0)),
    ("differences silenced", lambda generated, target: tf.nn.relu(generated - target)),
    ("differences silenced", mask_of_the_difference),
    ("ReLU of the target", lambda generated, target: np.where(target > 0, generated - target, 0)),
    ("ReLU the wrong way round", lambda generated, target: ops.where(
        generated > 0, 0.0, generated - target)),
    ("loss, not gradient", lambda generated, target: 0.5 * np.sum(
        (generated - target) ** 2, axis=(1, 2, 3))),
    ("loss, not gradient", lambda generated, target: 0.5 * (generated - target) ** 2),
    ("mean for sum", lambda generated, target: np.where(generated > 0, generated - target, 0)
     / generated[0].size),
    ("off by a factor 2", lambda generated, target: 2 * (generated - target) * (generated > 0)),
    ("off by a factor 1/2", lambda generated, target: (generated - target) * (generated > 0) / 2),
    ("absolute differences", lambda generated, target: abs(generated - target) * (generated > 0)),
    ("sign only", lambda generated, target: np.sign(generated - target) * (generated > 0)),
    ("product with F", lambda generated, target: generated * (generated - target)),
    ("wrong in the dark", lambda generated, target: np.where(
        generated > 0, generated - target, target)),
    ("summed", lambda generated, target: np.sum(
        (generated - target) * (generated > 0), axis=(1, 2, 3))),
    ("input modified", zero_in_place),
    ("exception", lambda generated, target: (generated - target) if generated > 0 else 0),
]  # fmt: skip


def by_tape(generated, target):
    x = tf.Variable(generated)
    with tf.GradientTape() as tape:
        loss = tf.nn.l2_loss(tf.nn.relu(x) - target)
    return tape.gradient(loss, x)


def by_mask(generated, target):
    gradient = generated - target
    gradient[generated <= 0] = 0
    return gradient


RIGHT["content_loss_gradient"] = [
    lambda generated, target: np.where(generated > 0, generated - target, 0),
    lambda generated, target: (generated - target) * (generated > 0),
    lambda generated, target: ops.where(generated > 0, generated - target, 0.0),
    lambda generated, target: (generated - target) * np.sign(generated),
    by_tape,
    by_mask,
]


def flat(F):
    return F.reshape(F.shape[0], -1, F.shape[-1])


def gram(F):
    return np.einsum("bhwi,bhwj->bij", F, F)


def mean_gram(F):
    return gram(F) / (F.shape[1] * F.shape[2])


def folded(features):
    F = features.reshape(-1, features.shape[-1])
    return F.T @ F


def of_keras_io(features):
    x = tf.transpose(features[0], (2, 0, 1))
    x = tf.reshape(x, (tf.shape(x)[0], -1))
    return tf.matmul(x, tf.transpose(x))


def of_pytorch(features):
    b, h, w, n = features.shape
    F = features.reshape(b, h * w, n)
    return F.transpose(0, 2, 1) @ F / (b * n * h * w)


def width_twice(features):
    F = np.reshape(features, (len(features), features.shape[2] ** 2, features.shape[-1]))
    return np.swapaxes(F, 1, 2) @ F


def all_transposed(features):
    F = features.reshape(len(features), -1, features.shape[-1])
    return F.T @ F


def channels_first(features):
    b, n, h, w = features.shape
    F = features.reshape(b, n, h * w)
    return F @ F.transpose(0, 2, 1)


WRONG["gram_matrix"] = [
    ("not written yet", lambda features: None),
    ("transposed Gram matrix", lambda features: flat(features) @ flat(features).swapaxes(1, 2)),
    ("transposed Gram matrix", lambda features: tf.matmul(
        flat(features), flat(features), transpose_b=True)),
    ("transposed Gram matrix", lambda features: [F @ F.T for F in flat(features)]),
    ("transposed Gram matrix", lambda features: (
        lambda F: F @ F.T)(features.reshape(-1, features.shape[-1]))),
    ("mean for sum", mean_gram),
    ("mean for sum", of_pytorch),
    ("mean for sum", lambda features: tf.einsum("bijc,bijd->bcd", features, features) / tf.cast(
        tf.shape(features)[1] * tf.shape(features)[2], tf.float32)),
    ("mean for sum", lambda features: gram(features) / features.shape[-1]),
    ("rows not added", lambda features: np.swapaxes(features, -1, -2) @ features),
    ("diagonal only", lambda features: np.sum(features * features, axis=(1, 2))),
    ("wrong axis", channels_first),
    ("reshaped, not transposed", lambda features: (
        lambda F: ops.matmul(F, ops.transpose(F, (0, 2, 1)))
    )(ops.reshape(features, (len(features), features.shape[-1], -1)))),
    ("only square pictures", width_twice),
    ("mean subtracted", lambda features: np.array(
        [np.cov(F.T, bias=True) for F in flat(features)])),
    ("normalized", lambda features: gram(
        features / np.linalg.norm(features, axis=(1, 2), keepdims=True))),
    ("squared first", lambda features: gram(features**2)),
    ("square root added", lambda features: np.sqrt(gram(features))),
    ("product of the sums", lambda features: np.array(
        [np.outer(s, s) for s in features.sum((1, 2))])),
    ("off by a factor 1/2", lambda features: 0.5 * gram(features)),
    ("constant", lambda features: np.ones((len(features),) + 2 * features.shape[-1:])),
    ("exception", all_transposed),
    ("no numbers", lambda features: {"gram": gram(features)}),
]  # fmt: skip


def triple_loop(features):
    b, h, w, n = features.shape
    G = np.zeros((b, n, n))
    for p, i, j in np.ndindex(b, n, n):
        G[p, i, j] = sum(features[p, y, x, i] * features[p, y, x, j]
                         for y in range(h) for x in range(w))  # fmt: skip
    return G


def without_batch_axis_for_one(features):
    G = gram(features)
    return G[0] if len(G) == 1 else G


RIGHT["gram_matrix"] = [
    lambda features: np.swapaxes(flat(features), 1, 2) @ flat(features),
    lambda features: tf.linalg.einsum("bijc,bijd->bcd", features, features),
    lambda features: tf.matmul(flat(features), flat(features), transpose_a=True),
    lambda features: np.stack([F.T @ F for F in flat(features)]),
    lambda features: [F.reshape(-1, F.shape[-1]).T @ F.reshape(-1, F.shape[-1]) for F in features],
    lambda features: ops.sum(ops.expand_dims(features, -1) * ops.expand_dims(features, -2), (1, 2)),
    triple_loop,
    without_batch_axis_for_one,
]


def channels(F):
    return F.shape[-1]


def positions(F):
    return F.shape[1] * F.shape[2]


def summed(generated, style, table=mean_gram, axis=(1, 2)):
    return np.sum((table(generated) - table(style)) ** 2, axis=axis)


def of_keras_io_whole(generated, style, size=400 * 300):
    S, C = of_keras_io(style), of_keras_io(generated)
    return tf.reduce_sum(tf.square(S - C)) / (4.0 * 3**2 * size**2)


def of_keras_io_with_batch(generated, style, size=400 * 300):
    return summed(generated, style, gram) / (4.0 * 3**2 * size**2)


def paper(generated, style):
    N, M = channels(generated), positions(generated)
    return summed(generated, style, gram) / (4 * N**2 * M**2)


def wrong_reshape(generated, style):
    def table(features):
        F = features.reshape(len(features), features.shape[-1], -1)
        return F @ F.swapaxes(1, 2) / F.shape[-1]

    return summed(generated, style, table) / (4 * channels(generated) ** 2)


WRONG["style_layer_loss"] = [
    ("not written yet", lambda generated, style: None),
    ("¼ missing", lambda generated, style: summed(generated, style) / channels(generated) ** 2),
    ("¼ missing", lambda generated, style: np.mean(
        (mean_gram(generated) - mean_gram(style)) ** 2, axis=(1, 2))),
    ("½ for ¼", lambda generated, style: summed(generated, style) / (2 * channels(style) ** 2)),
    ("N forgotten", lambda generated, style: summed(generated, style) / 4),
    ("N forgotten", lambda generated, style: 0.5 * summed(generated, style)),
    ("N not squared", lambda generated, style: summed(generated, style) / (4 * channels(style))),
    ("M forgotten", lambda generated, style: summed(generated, style, gram)),
    ("M forgotten", lambda generated, style: summed(generated, style, gram)
     / (4 * channels(style) ** 2)),
    ("one M for both", paper),
    ("3 and the image's area for N and M", of_keras_io_with_batch),
    ("3 and the image's area for N and M", lambda generated, style: summed(generated, style, gram)
     / (4 * 3**2 * positions(generated) ** 2)),
    ("N and M exchanged", lambda generated, style: summed(generated, style)
     / (4 * positions(generated) ** 2)),
    ("N and M exchanged", lambda generated, style: summed(
        generated, style, lambda F: gram(F) / channels(F)) / (4 * channels(generated) ** 2)),
    ("absolute for squared differences", lambda generated, style: np.sum(
        np.abs(mean_gram(generated) - mean_gram(style)), axis=(1, 2))
     / (4 * channels(generated) ** 2)),
    ("square root added", lambda generated, style: np.sqrt(summed(generated, style))
     / (4 * channels(generated) ** 2)),
    ("the style loss against content features", lambda generated, style: ops.sum(
        ops.square(generated - style), axis=(1, 2, 3)) / (4 * channels(style) ** 2)),
    ("the style loss against content features", losses.content_loss),
    ("transposed Gram matrix", lambda generated, style: summed(
        generated, style, lambda F: flat(F) @ flat(F).swapaxes(1, 2))
     / (4 * channels(style) ** 2 * positions(generated) ** 2)),
    ("exponent applied after the sum", lambda generated, style: np.sum(
        mean_gram(generated) - mean_gram(style), axis=(1, 2)) ** 2 / (4 * channels(style) ** 2)),
    ("divided by N M", lambda generated, style: summed(
        generated, style, lambda F: mean_gram(F) / channels(F)) / (4 * channels(style) ** 2)),
    ("target unused", lambda generated, style: np.sum(mean_gram(generated) ** 2, axis=(1, 2))
     / (4 * channels(style) ** 2)),
    ("constant", lambda generated, style: 0.0 * summed(generated, style)),
    ("exception", lambda generated, style: summed(generated, style, folded)),
    ("reshaped, not transposed", wrong_reshape),
    ("wrong axis", lambda generated, style: summed(generated, style, axis=1)
     / (4 * channels(style) ** 2)),
    ("3 and the image's area for N and M", of_keras_io_whole),
]  # fmt: skip


def by_loops(generated, style):
    G, A, N = mean_gram(generated), mean_gram(style), channels(generated)
    each = [
        sum((G[b, i, j] - A[b, i, j]) ** 2 for i in range(N) for j in range(N))
        for b in range(len(G))
    ]
    return np.array(each) / (4 * N**2)


RIGHT["style_layer_loss"] = [
    lambda generated, style: summed(generated, style) / (4 * channels(generated) ** 2),
    lambda generated, style: 0.25 * np.mean((mean_gram(generated) - mean_gram(style)) ** 2, (1, 2)),
    lambda generated, style: tf.reduce_mean(
        tf.square(mean_gram(style) - mean_gram(generated)), axis=[-2, -1]) / 4,
    lambda generated, style: ops.sum(ops.square((
        losses.mean_gram_matrix(generated) - losses.mean_gram_matrix(style))
        / (2 * channels(generated))), axis=(-2, -1)),
    lambda generated, style: [
        np.linalg.norm(G - A) ** 2 / (2 * len(G)) ** 2
        for G, A in zip(mean_gram(generated), mean_gram(style), strict=True)
    ],
    by_loops,
]  # fmt: skip


def pull(generated, style, table=mean_gram):
    step = flat(generated) @ (table(generated) - table(style))
    return step.reshape(generated.shape)


def under(generated):
    return channels(generated) ** 2 * positions(generated)


def style_tape(generated, style, relu=tf.nn.relu):
    x = tf.Variable(generated)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(losses.style_layer_loss(relu(x), style))
    return tape.gradient(loss, x)


def flat_at_the_end(generated, style):
    F = flat(generated)
    return np.where(F > 0, F @ (mean_gram(generated) - mean_gram(style)), 0) / under(generated)


def other_way_round(generated, style):
    F = flat(generated)
    step = (mean_gram(generated) - mean_gram(style)) @ F.swapaxes(1, 2)
    return step.reshape(generated.shape) * (generated > 0) / under(generated)


WRONG["style_layer_loss_gradient"] = [
    ("not written yet", lambda generated, style: None),
    ("ReLU forgotten", lambda generated, style: pull(generated, style) / under(generated)),
    ("ReLU forgotten", lambda generated, style: style_tape(generated, style, tf.identity)),
    ("ReLU of the result", lambda generated, style: tf.nn.relu(
        pull(generated, style) / under(generated))),
    ("wrong sign", lambda generated, style: -pull(generated, style) * (generated > 0)
     / under(generated)),
    ("¼ left in", lambda generated, style: pull(generated, style) * (generated > 0)
     / (4 * under(generated))),
    ("M forgotten", lambda generated, style: pull(generated, style) * (generated > 0)
     / channels(generated) ** 2),
    ("M forgotten", lambda generated, style: pull(generated, style, gram) * (generated > 0)
     / channels(generated) ** 2),
    ("one M for both", lambda generated, style: np.where(
        generated > 0, pull(generated, style, gram), 0)
     / (channels(generated) * positions(generated)) ** 2),
    ("N forgotten", lambda generated, style: ops.where(
        generated > 0, pull(generated, style), 0) / positions(generated)),
    ("N and M exchanged", lambda generated, style: pull(generated, style) * (generated > 0)
     / (channels(generated) * positions(generated) ** 2)),
    ("M too often", lambda generated, style: pull(generated, style) * (generated > 0)
     / (channels(generated) * positions(generated)) ** 2),
    ("loss, not gradient", losses.style_layer_loss),
    ("off by a factor 2", lambda generated, style: 2 * style_tape(generated, style)),
    ("the content loss's gradient", lambda generated, style: np.where(
        generated > 0, generated - style, 0)),
    ("features not multiplied", lambda generated, style: mean_gram(generated) - mean_gram(style)),
    ("not flattened back", flat_at_the_end),
    ("target unused", lambda generated, style: np.where(
        generated > 0, (flat(generated) @ mean_gram(generated)).reshape(generated.shape), 0)
     / under(generated)),
    ("exception", lambda generated, style: (mean_gram(generated) - mean_gram(style))
     @ flat(generated)),
    ("reshaped, not transposed", other_way_round),
]  # fmt: skip


def one_picture_at_a_time(generated, style):
    each = []
    for F, S in zip(generated, style, strict=True):
        x, y = F.reshape(-1, F.shape[-1]), S.reshape(-1, S.shape[-1])
        difference = x.T @ x / len(x) - y.T @ y / len(y)
        each.append(((difference @ x.T).T * (x > 0)).reshape(F.shape) / (x.shape[1] * x.size))
    return np.array(each)


RIGHT["style_layer_loss_gradient"] = [
    lambda generated, style: pull(generated, style) * (generated > 0) / under(generated),
    lambda generated, style: tf.where(
        generated > 0, pull(generated, style) / under(generated), tf.zeros_like(generated)),
    lambda generated, style: ops.einsum(
        "bhwi,bij->bhwj", generated, mean_gram(generated) - mean_gram(style))
    * (generated > 0) / under(generated),
    style_tape,
    one_picture_at_a_time,
]  # fmt: skip


def E(generated, style):  # noqa: N802, the paper's letter
    return summed(generated, style) / (2 * channels(style)) ** 2


def equal(layers):
    return {layer: 1 / len(layers) for layer in layers}


def ignore_the_weights(generated, style, layer_weights=None):
    return sum(E(generated[layer], style[layer]) for layer in generated) / len(generated)


def add_without_weights(generated, style, layer_weights=None):
    total = 0
    for layer in generated:
        total = total + E(generated[layer], style[layer])
    return total


def ones_by_default(generated, style, layer_weights=None):
    layer_weights = layer_weights or dict.fromkeys(generated, 1.0)
    return sum(layer_weights[layer] * E(generated[layer], style[layer]) for layer in generated)


def return_in_the_loop(generated, style, layer_weights=None):
    weights = layer_weights or equal(generated)
    total = 0
    for layer in generated:
        total += weights[layer] * E(generated[layer], style[layer])
        return total


def overwrite_in_the_loop(generated, style, layer_weights=None):
    weights = layer_weights or equal(generated)
    for layer in generated:
        total = weights[layer] * E(generated[layer], style[layer])
    return total


def divide_twice(generated, style, layer_weights=None):
    weights = layer_weights or equal(generated)
    return sum(w * E(generated[k], style[k]) for k, w in weights.items()) / len(weights)


def weights_in_a_row(generated, style, layer_weights=None):
    weights = list((layer_weights or equal(generated)).values())
    return sum(w * E(generated[k], style[k]) for w, k in zip(weights, generated, strict=True))


def weight_the_features(generated, style, layer_weights=None):
    weights = layer_weights or equal(generated)
    return sum(E(w * generated[k], w * style[k]) for k, w in weights.items())


def weigh_within_the_root(generated, style, layer_weights=None):
    w = layer_weights or equal(generated)
    return sum(E(w[k] ** 0.5 * generated[k], w[k] ** 0.5 * style[k]) for k in w)


def content_losses(generated, style, layer_weights=None):
    weights = layer_weights or equal(generated)
    return sum(w * losses.content_loss(generated[k], style[k]) for k, w in weights.items())


def normalize(generated, style, layer_weights=None):
    weights = layer_weights or equal(generated)
    total = sum(w * E(generated[k], style[k]) for k, w in weights.items())
    return total / sum(weights.values())


def no_default(generated, style, layer_weights=None):
    return sum(w * E(generated[k], style[k]) for k, w in layer_weights.items())


def skip_the_first(generated, style, layer_weights=None):
    weights = layer_weights or equal(generated)
    return sum(weights[k] * E(generated[k], style[k]) for k in list(generated)[1:])


def a_list(generated, style, layer_weights=None):
    weights = layer_weights or equal(generated)
    return np.stack([w * E(generated[k], style[k]) for k, w in weights.items()])


def pop_the_layers(generated, style, layer_weights=None):
    weights = layer_weights or equal(generated)
    return sum(weights[k] * E(generated.pop(k), style[k]) for k in list(generated))


def without_the_quarter(generated, style, layer_weights=None):
    weights = layer_weights or equal(generated)
    return sum(
        w * np.mean((mean_gram(generated[k]) - mean_gram(style[k])) ** 2, axis=(1, 2))
        for k, w in weights.items()
    )


def by_largest(generated, style, layer_weights=None):
    weights = layer_weights or equal(generated)
    return ops.max([w * E(generated[k], style[k]) for k, w in weights.items()], axis=0)


WRONG["style_loss"] = [
    ("not written yet", lambda generated, style, layer_weights=None: None),
    ("weights not applied", ignore_the_weights),
    ("weights not applied", add_without_weights),
    ("1/L missing", ones_by_default),
    ("only the first layer", return_in_the_loop),
    ("only the last layer", overwrite_in_the_loop),
    ("divided by L twice", divide_twice),
    ("weights by position", weights_in_a_row),
    ("weights to the fourth", weight_the_features),
    ("weights squared", weigh_within_the_root),
    ("the style loss against content features", content_losses),
    ("weights normalized", normalize),
    ("exception", no_default),
    ("the first layer is missing", skip_the_first),
    ("not summed", a_list),
    ("input modified", pop_the_layers),
    ("¼ missing", without_the_quarter),
    ("largest for sum", by_largest),
    ("other arguments", lambda generated, style: 0.0),
    ("exception", lambda generated, style, layer_weights=None: E(generated, style)),
]


def by_loop(generated, style, layer_weights=None):
    if layer_weights is None:
        layer_weights = equal(generated)
    total = 0.0
    for layer in generated:
        total += layer_weights[layer] * losses.style_layer_loss(generated[layer], style[layer])
    return total


def by_numpy(generated, style, layer_weights=None):
    every = {k: E(generated[k], style[k]) for k in style}
    if not layer_weights:
        return np.mean(list(every.values()), axis=0)
    return np.sum([layer_weights[k] * every[k] for k in every], axis=0)


def by_tensorflow(generated, style, layer_weights=None):
    weights = layer_weights or equal(generated)
    return tf.add_n([w * E(generated[k], style[k]) for k, w in weights.items()])


def as_numbers(generated, style, layer_weights=None):
    loss = np.asarray(by_loop(generated, style, layer_weights))
    return float(loss[0]) if len(loss) == 1 else loss.tolist()


RIGHT["style_loss"] = [by_loop, by_numpy, by_tensorflow, as_numbers]
