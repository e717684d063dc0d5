"""Students' answers on the network, in NumPy, TensorFlow, keras.ops and plain Python."""

import functools
import math

import numpy as np
import tensorflow as tf
from keras import ops

WRONG, RIGHT = {}, {}


def corners(x):
    """The four pixels of every square, for one picture or for a batch."""
    return [x[..., i::2, j::2, :] for i in (0, 1) for j in (0, 1)]


def either(average, largest):
    """A student's pool, of one expression for each kind."""

    def pool(x, kind):
        return average(x) if kind == "average" else largest(x)

    return pool


def mean(x):
    return sum(corners(x)) / 4


def maximum(x):
    return np.maximum.reduce(corners(x))


def broken_pool(x):
    """The lesson's."""
    H, W, N = x.shape
    return x.reshape(H // 2, W // 2, 2, 2, N).mean((2, 3))


def broken_for_both(x, kind):
    H, W, N = x.shape
    rows = x.reshape(H // 2, W // 2, 2, 2, N)
    return rows.mean((2, 3)) if kind == "average" else rows.max((2, 3))


def looped(rows, columns):
    """Loops over the squares; the slices of rows and columns are what may go wrong."""

    def pool(x, kind):
        H, W, N = x.shape
        result = np.zeros((H // 2, W // 2, N))
        for i in range(H // 2):
            for j in range(W // 2):
                square = x[rows(i), columns(j)]
                result[i, j] = square.mean((0, 1)) if kind == "average" else square.max((0, 1))
        return result

    return pool


def from_zero(x, kind):
    H, W, N = x.shape
    result = np.zeros((H // 2, W // 2, N))
    for i, j, k in np.ndindex(H, W, N):
        old, new = result[i // 2, j // 2, k], x[i, j, k]
        result[i // 2, j // 2, k] = old + new / 4 if kind == "average" else max(old, new)
    return result


def by_reshape(shape, axes):
    """One reshape of one picture; shape(H, W, N) and the axes are what may go wrong."""

    def pool(x, kind):
        squares = x.reshape(shape(*x.shape))
        return squares.mean(axes) if kind == "average" else squares.max(axes)

    return pool


def by_keras(**options):
    def pool(x, kind):
        return (ops.average_pool if kind == "average" else ops.max_pool)(x, 2, **options)

    return pool


def both_in_place(x, kind):
    x[:, ::2] += x[:, 1::2]
    x[:, :, ::2] += x[:, :, 1::2]
    return x[:, ::2, ::2] / 4 if kind == "average" else maximum(x)


def until_it_is_small(x, kind):
    side = x.shape[1]
    while side > x.shape[1] // 2:
        x = x[:, : side // 2]
    return x


def bytes_of(x, kind):
    return mean(x).astype("uint8") if kind == "average" else maximum(x).astype("uint8")


WRONG["pool"] = [
    ("not written yet", lambda x, kind: None),
    ("other arguments", broken_pool),
    ("rows mixed", lambda x, kind: broken_pool(x)),
    ("rows mixed", broken_for_both),
    ("rows mixed", by_reshape(lambda H, W, N: (H // 2, W // 2, 4, N), 2)),
    ("rows mixed", either(mean, lambda x: tf.reduce_max(
        tf.reshape(x, (len(x), x.shape[1] // 2, x.shape[2] // 2, 4, -1)), axis=3))),
    ("kind ignored", lambda x, kind: mean(x)),
    ("kind ignored", lambda x, kind: maximum(x)),
    ("kind ignored", lambda x, kind: mean(x) if kind == "avg" else maximum(x)),
    ("kind ignored", lambda x, kind: ops.average_pool(x, 2)),
    ("kinds exchanged", either(maximum, mean)),
    ("sum for mean", either(lambda x: sum(corners(x)), maximum)),
    ("divided by 2", either(lambda x: sum(corners(x)) / 2, maximum)),
    ("divided twice", either(lambda x: mean(x) / 4, maximum)),
    ("one pixel of four", lambda x, kind: x[:, ::2, ::2]),
    ("one pixel of four", lambda x, kind: tf.strided_slice(x, [0, 1, 1, 0], x.shape, [1, 2, 2, 1])),
    ("one pixel of four", looped(lambda i: slice(2 * i, 2 * i + 1), lambda j: slice(
        2 * j, 2 * j + 1))),
    ("one pixel of four", either(mean, lambda x: x[..., ::2, ::2, :])),
    ("one pixel of four", lambda x, kind: tf.image.resize(
        x, (x.shape[1] // 2, x.shape[2] // 2), method="nearest")),
    ("not all four pixels", either(lambda x: (x[:, ::2, ::2] + x[:, 1::2, 1::2]) / 2, maximum)),
    ("not all four pixels", looped(lambda i: slice(2 * i, 2 * i + 2), lambda j: slice(
        2 * j, 2 * j + 1))),
    ("one side only", by_reshape(lambda H, W, N: (H // 2, 2, W, N), 1)),
    ("whole picture pooled", either(np.mean, np.max)),
    ("one side only", either(lambda x: ops.average_pool(x, (1, 2)), lambda x: ops.max_pool(
        x, (1, 2)))),
    ("minimum", either(mean, lambda x: np.minimum.reduce(corners(x)))),
    ("minimum", either(mean, lambda x: -ops.max_pool(-x, 2))),
    ("median", either(lambda x: np.median(corners(x), axis=0), maximum)),
    ("middle of the extremes", either(lambda x: (maximum(x) - maximum(-x)) / 2, maximum)),
    ("squares overlap", by_keras(strides=1)),
    ("squares overlap", looped(lambda i: slice(i, i + 2), lambda j: slice(j, j + 2))),
    ("squares overlap", either(lambda x: (
        x[:-1, :-1] + x[1:, :-1] + x[:-1, 1:] + x[1:, 1:]) / 4, lambda x: np.maximum.reduce(
        [x[:-1, :-1], x[1:, :-1], x[:-1, 1:], x[1:, 1:]]))),
    ("3×3 windows", looped(lambda i: slice(2 * i, 2 * i + 3), lambda j: slice(2 * j, 2 * j + 3))),
    ("sides exchanged", by_reshape(lambda H, W, N: (W // 2, 2, H // 2, 2, N), (1, 3))),
    ("sides exchanged", either(lambda x: mean(x).swapaxes(-3, -2), lambda x: maximum(
        x).swapaxes(-3, -2))),
    ("pixels far apart", by_reshape(lambda H, W, N: (2, H // 2, 2, W // 2, N), (0, 2))),
    ("channels mixed", by_reshape(lambda H, W, N: (H // 2, 2, W // 2, N, 2), (1, 4))),
    ("channels mixed", by_reshape(lambda H, W, N: (H // 2, W // 2, N, 4), 3)),
    ("wrong axes", by_reshape(lambda H, W, N: (H // 2, 2, W // 2, 2, N), (0, 2))),
    ("wrong axes", by_reshape(lambda H, W, N: (H // 2, 2, W // 2, 2, N), (2, 3))),
    ("wrong axes", lambda x, kind: by_reshape(lambda B, H, W, N: (
        B, H // 2, 2, W // 2, 2, N), (1, 3))(x, kind)),
    ("mean and maximum mixed", either(mean, lambda x: x.reshape(
        len(x), x.shape[1], -1, 2, x.shape[-1]).max(3).reshape(
        len(x), -1, 2, x.shape[2] // 2, x.shape[-1]).mean(2))),
    ("negative numbers lost", from_zero),
    ("negative numbers lost", either(mean, lambda x: tf.nn.relu(maximum(x)))),
    ("position for value", either(mean, lambda x: np.argmax(corners(x), axis=0))),
    ("squared first", either(lambda x: mean(x**2) ** 0.5, maximum)),
    ("rounded", either(lambda x: sum(corners(x)) // 4, maximum)),
    ("rounded", either(lambda x: mean(x).astype(int), lambda x: maximum(x).astype(int))),
    ("uint8 overflow", bytes_of),
    ("channels pooled", by_reshape(lambda H, W, N: (H // 2, 2, W // 2, 2, N), (1, 3, 4))),
    ("whole picture pooled", either(lambda x: x.mean((-3, -2)), lambda x: x.max((-3, -2)))),
    ("enlarged again", either(lambda x: np.kron(mean(x), np.ones((1, 2, 2, 1))),
                              lambda x: np.kron(maximum(x), np.ones((1, 2, 2, 1))))),
    ("not pooled", lambda x, kind: x),
    ("return forgotten", lambda x, kind: mean(x) if kind == "average" else None),
    ("wrong shape", by_reshape(lambda H, W, N: (H // 2, 2, W // 2, 2, N), ())),
    ("input modified", both_in_place),
    ("endless loop", until_it_is_small),
    ("exception", lambda x, kind: np.mean(x, axis=(1, 7)) if kind == "average" else x),
    ("exception", lambda x, kind: x.reshape(3, 3)),
    ("constant", lambda x, kind: np.zeros_like(mean(x))),
    ("wrong sign", either(lambda x: -mean(x), lambda x: -maximum(x))),
    ("off by a factor 1/8", either(lambda x: mean(x) / 8, lambda x: maximum(x) / 8)),
    ("NaN", either(lambda x: np.exp(mean(np.log(x))), maximum)),
]  # fmt: skip


def one_at_a_time(x, kind):
    reduce = np.mean if kind == "average" else np.max
    _B, H, W, _N = x.shape
    return [
        [[reduce(one[i : i + 2, j : j + 2], axis=(0, 1)) for j in range(0, W, 2)]
         for i in range(0, H, 2)] for one in x
    ]  # fmt: skip


def slices_of_one(x, kind):
    a, b, c, d = x[::2, ::2], x[::2, 1::2], x[1::2, ::2], x[1::2, 1::2]
    if kind == "average":
        return (a + b + c + d) / 4
    return np.maximum(np.maximum(a, b), np.maximum(c, d))


def one_side_after_the_other(x, kind):
    merge = (lambda a, b: (a + b) / 2) if kind == "average" else np.maximum
    x = merge(x[:, ::2], x[:, 1::2])
    return merge(x[:, :, ::2], x[:, :, 1::2])


def by_keras_for_one(x, kind):
    H, W, N = x.shape
    x = ops.reshape(x, (1, H, W, N))
    return (ops.average_pool(x, 2) if kind == "average" else ops.max_pool(x, 2))[0]


RIGHT["pool"] = [
    either(mean, maximum),
    by_keras(),
    lambda x, kind: tf.nn.pool(x, (2, 2), "AVG" if kind == "average" else "MAX", strides=(2, 2)),
    lambda x, kind: ops.max_pool(x, 2) if kind == "max" else tf.nn.avg_pool2d(x, 2, 2, "VALID"),
    either(lambda x: tf.image.resize(x, (x.shape[1] // 2, x.shape[2] // 2)), maximum),
    one_at_a_time,
    one_side_after_the_other,
]


def without_the_batch(x, kind):
    _, H, W, N = x.shape
    squares = x.reshape(H // 2, 2, W // 2, 2, N)
    return squares.mean((1, 3)) if kind == "average" else squares.max((1, 3))


FOLDED = {  # for one picture, with a batch axis of one or without any
    "pool": [
        without_the_batch,
        by_reshape(lambda H, W, N: (H // 2, 2, W // 2, 2, N), (1, 3)),
        looped(lambda i: slice(2 * i, 2 * i + 2), lambda j: slice(2 * j, 2 * j + 2)),
        slices_of_one,
        by_keras_for_one,
    ],
}


def recurrence(kernel=lambda k: k - 1, start=1, jump=1):
    """A student's receptive_field; what a kernel adds and where r and j begin may go wrong."""

    def receptive_field(steps):
        r, j = start, jump
        for k, s in steps:
            r += kernel(k) * j
            j *= s
        return r

    return receptive_field


def jump_first(steps):
    r = j = 1
    for kernel, stride in steps:
        j *= stride
        r += (kernel - 1) * j
    return r


def no_jump(steps):
    r = 1
    for kernel, _stride in steps:
        r += kernel - 1
    return r


def return_in_the_loop(steps):
    r = j = 1
    for kernel, stride in steps:
        r, j = r + (kernel - 1) * j, j * stride
        return r


def jump_assigned(steps):
    r = j = 1
    for kernel, stride in steps:
        r = r + (kernel - 1) * j
        j = stride
    return r


def own_stride(steps):
    r = 1
    for kernel, stride in steps:
        r = r + (kernel - 1) * stride
    return r


def jump_added(steps):
    r = j = 1
    for kernel, stride in steps:
        r = r + (kernel - 1) * j
        j = j + stride
    return r


def begun_again(steps):
    for kernel, stride in steps:
        r = j = 1
        r, j = r + (kernel - 1) * j, j * stride
    return r


def both(steps):
    r = j = 1
    for kernel, stride in steps:
        r, j = r + (kernel - 1) * j, j * stride
    return r, j


def every_r(steps):
    r, j, found = 1, 1, []
    for kernel, stride in steps:
        r, j = r + (kernel - 1) * j, j * stride
        found.append(r)
    return found


def exchanged(steps):
    r = j = 1
    for stride, kernel in steps:
        r, j = r + (kernel - 1) * j, j * stride
    return r


def from_the_end(steps):
    return recurrence()(list(reversed(steps)))


def down(add):
    """From one unit down to the picture."""

    def receptive_field(steps):
        r = 1
        for kernel, stride in steps[::-1]:
            r = r * stride + add(kernel, stride)
        return r

    return receptive_field


def popped(steps):
    r = j = 1
    while steps:
        kernel, stride = steps.pop(0)
        r, j = r + (kernel - 1) * j, j * stride
    return r


def never_popped(steps):
    r = j = 1
    while steps:
        kernel, stride = steps[0]
        r, j = r + (kernel - 1) * j, stride
    return r


def one_too_early(steps):
    r = j = 1
    for i in range(len(steps) - 1):
        r, j = r + (steps[i][0] - 1) * j, j * steps[i][1]
    return r


def every_jump_the_last(steps):
    jump = math.prod(stride for _, stride in steps)
    return 1 + sum((kernel - 1) * jump for kernel, _ in steps)


def in_jumps(steps):
    return np.cumprod([1, *(stride for _, stride in steps[:-1])])


def gone_through_numbers(steps):
    return sum(kernel - 1 for kernel in steps)


WRONG["receptive_field"] = [
    ("not written yet", lambda steps: None),
    ("strides ignored", no_jump),
    ("strides ignored", lambda steps: 1 + sum(k - 1 for k, _ in steps)),
    ("1 not subtracted", recurrence(lambda k: k)),
    ("1 not subtracted", recurrence(lambda k: k, start=0)),
    ("1 not subtracted", lambda steps: sum(k for k, _ in steps)),
    ("1 not subtracted", lambda steps: int(np.array(steps)[:, 0].sum()) + 1),
    ("own stride first", jump_first),
    ("own stride first", lambda steps: 1 + int(
        (np.array(steps)[:, 0] - 1) @ np.cumprod(np.array(steps)[:, 1]))),
    ("kernels multiplied", lambda steps: math.prod(k for k, _ in steps)),
    ("only the last layer", lambda steps: steps[-1][0]),
    ("only the last layer", begun_again),
    ("only the first layer", return_in_the_loop),
    ("order reversed", from_the_end),
    ("jump of one layer only", jump_assigned),
    ("jump of one layer only", own_stride),
    ("strides added", jump_added),
    ("r begins at 0", recurrence(start=0)),
    ("jump for field", lambda steps: math.prod(s for _, s in steps)),
    ("jump returned too", both),
    ("a number for each layer", every_r),
    ("kernel and stride exchanged", exchanged),
    ("brackets forgotten", lambda steps: 1 + sum(
        k - 1 * j for (k, _), j in zip(steps, in_jumps(steps), strict=True))),
    ("one direction only", recurrence(lambda k: k // 2)),
    ("odd kernels only", recurrence(lambda k: 2 * (k // 2))),
    ("wrong way down", down(lambda kernel, stride: kernel)),
    ("wrong way down", down(lambda kernel, stride: kernel - 1)),
    ("last jump for all", every_jump_the_last),
    ("last layer forgotten", one_too_early),
    ("first layer forgotten", lambda steps: recurrence()(steps[1:])),
    ("area for side", lambda steps: recurrence()(steps) ** 2),
    ("pooling forgotten", lambda steps: 1 + sum(
        (k - 1) * math.prod(s for _, s in steps[:i]) for i, (k, s) in enumerate(steps) if s == 1)),
    ("input modified", popped),
    ("endless loop", never_popped),
    ("exception", gone_through_numbers),
    ("exception", lambda steps: steps[0] * steps[1]),
    ("constant", lambda steps: 7),
    ("wrong sign", lambda steps: -recurrence()(steps)),
    ("off by a factor 2", lambda steps: 2 * recurrence()(steps)),
    ("wrong for one layer", recurrence(start=2)),
    ("other arguments", lambda kernel, stride: kernel),
    ("no numbers", lambda steps: f"{recurrence()(steps)} pixels"),
]  # fmt: skip


def in_numpy(steps):
    kernels, strides = np.array(steps).T
    jumps = np.concatenate([[1], np.cumprod(strides)[:-1]])
    return 1 + np.sum((kernels - 1) * jumps)


def in_keras(steps):
    kernels, strides = ops.transpose(ops.array(steps))
    return 1 + ops.sum((kernels - 1) * (ops.cumprod(strides) // strides))


def recursive(steps):
    if not steps:
        return 1
    (kernel, stride), *above = steps
    return kernel + (recursive(above) - 1) * stride


def by_ends(steps):
    """The first and the last pixel that unit 0 of the last layer sees."""
    first = last = 0
    for kernel, stride in reversed(steps):
        first, last = first * stride, last * stride + kernel - 1
    return last - first + 1


def by_touching_pixels(steps):
    """Which pixels a unit depends on, found out with a row of sets."""
    row = [{pixel} for pixel in range(200)]
    for kernel, stride in steps:
        row = [
            set.union(*row[i : i + kernel]) for i in range(0, len(row) - kernel + 1, stride)
        ]  # fmt: skip
    return len(row[0])


RIGHT["receptive_field"] = [
    recurrence(),
    in_numpy,
    in_keras,
    recursive,
    by_ends,
    by_touching_pixels,
    lambda steps: functools.reduce(
        lambda state, step: (state[0] + (step[0] - 1) * state[1], state[1] * step[1]),
        steps, (1, 1))[0],
    lambda steps: float(recurrence()(steps)),
]  # fmt: skip


def xor(side, channels_in, channels_out):
    return (side ^ 2) * channels_in * channels_out + channels_out


def listed(side, channels_in, channels_out):
    weights = [0] * (side * side * channels_in * channels_out)
    return weights, [0] * channels_out


WRONG["count_weights"] = [
    ("not written yet", lambda side, channels_in, channels_out: None),
    ("biases forgotten", lambda s, i, o: s * s * i * o),
    ("biases forgotten", lambda s, i, o: np.prod([s, s, i, o])),
    ("biases forgotten", lambda s, i, o: ops.size(ops.zeros((s, s, i, o)))),
    ("a bias for each number", lambda s, i, o: 2 * s * s * i * o),
    ("a bias for each number", lambda s, i, o: (s * s * i + i) * o),
    ("a bias for each number", lambda s, i, o: s * s * (i + 1) * o),
    ("biases of the channels in", lambda s, i, o: s**2 * i * o + i),
    ("biases of the channels in", lambda s, i, o: (s**2 * o + 1) * i),
    ("one bias for all", lambda s, i, o: s**2 * i * o + 1),
    ("side not squared", lambda s, i, o: s * i * o + o),
    ("side not squared", lambda s, i, o: (s * i + 1) * o),
    ("side not squared", lambda s, i, o: 2 * s * i * o + o),
    ("`^` for `**`", xor),
    ("side cubed", lambda s, i, o: s**3 * i * o + o),
    ("channels in forgotten", lambda s, i, o: s**2 * o + o),
    ("channels in forgotten", lambda s, i, o: (s**2 + 1) * o),
    ("channels out forgotten", lambda s, i, o: s**2 * i + o),
    ("channels out forgotten", lambda s, i, o: s**2 * i + 1),
    ("channels added", lambda s, i, o: s**2 * (i + o) + o),
    ("channels squared", lambda s, i, o: (s * i) ** 2 * o + o),
    ("side always 3", lambda s, i, o: 9 * i * o + o),
    ("always three channels in", lambda s, i, o: s**2 * 3 * o + o),
    ("one kernel for each channel in", lambda s, i, o: s**2 * i + i * o + o),
    ("biases multiplied", lambda s, i, o: s**2 * i * o * o),
    ("biases subtracted", lambda s, i, o: (s**2 * i - 1) * o),
    ("biases counted twice", lambda s, i, o: (s**2 * i + 2) * o),
    ("only the biases", lambda s, i, o: o),
    ("not added up", lambda s, i, o: (s**2 * i * o, o)),
    ("no numbers", listed),
    ("constant", lambda s, i, o: 1792),
    ("off by a factor 1/2", lambda s, i, o: (s * s * i * o + o) / 2),
    ("wrong sign", lambda s, i, o: -(s * s * i * o + o)),
    ("other arguments", lambda kernel: kernel.size),
    ("exception", lambda s, i, o: s.shape[0] * i * o + o),
    ("wrong for one channel", lambda s, i, o: s + s + i + o),
    ("endless loop", lambda s, i, o: sum(iter(lambda: s * i, o + s * i))),
    ("NaN", lambda s, i, o: (s * s * i * o + o) * np.inf),
]


def by_counting(side, channels_in, channels_out):
    count = 0
    for _ in range(channels_out):
        count += 1  # the bias
        for _ in np.ndindex(side, side, channels_in):
            count += 1
    return count


def by_a_layer(side, channels_in, channels_out):
    layer = tf.keras.layers.Conv2D(channels_out, side)
    layer.build((None, None, None, channels_in))
    return layer.count_params()


RIGHT["count_weights"] = [
    lambda side, channels_in, channels_out: (side**2 * channels_in + 1) * channels_out,
    lambda s, i, o: np.zeros((s, s, i, o)).size + np.zeros(o).size,
    lambda s, i, o: ops.size(ops.zeros((s, s, i, o))) + o,
    lambda s, i, o: math.prod((s, s, i, o)) + o,
    by_counting,
    by_a_layer,
    lambda s, i, o: float(s) ** 2 * i * o + o,
]
