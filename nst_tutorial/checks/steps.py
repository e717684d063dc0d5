"""Exercises on the transfer itself: the total, a step, and a larger picture."""

import functools
import itertools

import numpy as np

from nst_tutorial import losses, scales
from nst_tutorial.checks.inputs import picture
from nst_tutorial.checks.judge import Case, Exercise


def optimization_step(image, gradient, learning_rate):
    """Move a picture `(1, H, W, 3)` a step down its gradient; return the new one, in 0..255."""
    return np.clip(image - learning_rate * gradient, 0, 255)


def upsample(image, shape):
    """Enlarge a picture to `(1, H, W, 3)`, by any interpolation that stays within 0..255."""
    return scales.enlarge(image, shape)


def three(content_weight, style_weight, tv_weight):
    keys = "content_weight", "style_weight", "tv_weight"
    return dict(zip(keys, (content_weight, style_weight, tv_weight), strict=True))


BATCH = [np.array(x, "float32") for x in ([1.5, 2.0], [0.3, 0.7], [6.0, 4.0])]


@functools.wraps(losses.total_loss)
def weigh(content, style, total_variation, *weights):
    return losses.total_loss(content, style, total_variation, **three(*weights))


# fmt: off
TOTAL_LOSS = Exercise(
    weigh,
    cases=(Case(1.0, 10.0, 100.0, **three(2.0, 3.0, 5.0)),
           Case(7.0, 0.5, 3.0, **three(1.0, 100.0, 0.01)),
           Case(2.0, 3.0, 4.0, **three(0.25, 0.5, 8.0)),
           Case(*BATCH, **three(0.5, 20.0, 3.0))),
    hints=(
        "Eq. 7 adds the losses, each multiplied by something first.",
        "α is content_weight, β is style_weight, and total variation has a third weight.",
        "`content_weight * content + style_weight * style + …`",
    ),
    mistakes=(
        ("weights not applied", lambda c, s, t, a, b, g: c + s + t, "The weights are not used."),
        ("content weight not applied", lambda c, s, t, a, b, g: c + b * s + g * t,
         "The content loss lacks its weight."),
        ("style weight not applied", lambda c, s, t, a, b, g: a * c + s + g * t,
         "The style loss lacks its weight."),
        ("tv weight not applied", lambda c, s, t, a, b, g: a * c + b * s + t,
         "Total variation lacks its weight."),
        ("total variation forgotten", lambda c, s, t, a, b, g: a * c + b * s,
         "Total variation is missing."),
        ("style forgotten", lambda c, s, t, a, b, g: a * c + g * t, "The style loss is missing."),
        ("content forgotten", lambda c, s, t, a, b, g: b * s + g * t,
         "The content loss is missing."),
        ("weights exchanged", lambda c, s, t, a, b, g: b * c + a * s + g * t,
         "α and β are exchanged: α is the content's."),
        ("weights exchanged", lambda c, s, t, a, b, g: g * c + b * s + a * t,
         "The weights of content and total variation are exchanged."),
        ("weights exchanged", lambda c, s, t, a, b, g: a * c + g * s + b * t,
         "The weights of style and total variation are exchanged."),
        ("weights exchanged", lambda c, s, t, a, b, g: b * c + g * s + a * t, "Check the pairs."),
        ("weights exchanged", lambda c, s, t, a, b, g: g * c + a * s + b * t, "Check the pairs."),
        ("style weight for tv", lambda c, s, t, a, b, g: a * c + b * (s + t),
         "Total variation has a weight of its own."),
        ("one weight for all", lambda c, s, t, a, b, g: a * (c + s + t), "Each has its own."),
        ("mean for sum", lambda c, s, t, a, b, g: (a * c + b * s + g * t) / 3,
         "Eq. 7 is a sum, not a mean."),
        ("weights normalised", lambda c, s, t, a, b, g: (a * c + b * s + g * t) / (a + b + g),
         "Do not divide by the sum of the weights."),
        ("weights squared", lambda c, s, t, a, b, g: a**2 * c + b**2 * s + g**2 * t,
         "The weights are applied twice."),
        ("weights added", lambda c, s, t, a, b, g: (a + c) + (b + s) + (g + t),
         "Multiply each loss by its weight."),
        ("divided by the weights", lambda c, s, t, a, b, g: c / a + s / b + t / g, "Multiply."),
        ("total variation subtracted", lambda c, s, t, a, b, g: a * c + b * s - g * t,
         "All three are added."),
        ("style subtracted", lambda c, s, t, a, b, g: a * c - b * s + g * t,
         "All three are added."),
        ("product for sum", lambda c, s, t, a, b, g: (a * c) * (b * s) * (g * t), "Add."),
        ("losses squared", lambda c, s, t, a, b, g: a * c**2 + b * s**2 + g * t**2,
         "The losses are squared already."),
        ("not summed", lambda c, s, t, a, b, g: np.stack([a * c, b * s, g * t]), "Add the three."),
        ("batch axis folded in", lambda c, s, t, a, b, g: np.sum(a * c + b * s + g * t),
         "One number for each picture of the batch."),
        ("largest for sum", lambda c, s, t, a, b, g: np.maximum(np.maximum(a * c, b * s), g * t),
         "Add the three; do not take the largest."),
    ),
)


def a_step(*shape, rate):
    """A step that takes some pixels out of the range on both sides."""
    gradient = np.random.default_rng(3).normal(0, 40 / rate, shape)
    return Case(picture(*shape, seed=4), gradient.astype("float32"), rate)


PIXELS = np.array([[10, 250, 100]], "float32").reshape(1, 1, 1, 3)
SLOPES = np.array([[8, -4, 20]], "float32").reshape(1, 1, 1, 3)

OPTIMIZATION_STEP = Exercise(
    optimization_step,
    cases=(Case(PIXELS, SLOPES, 2.0), a_step(1, 3, 5, 3, rate=0.5), a_step(1, 4, 3, 3, rate=3.0),
           a_step(2, 2, 5, 3, rate=10.0)),
    square=(a_step(1, 4, 4, 3, rate=2.0), a_step(1, 3, 3, 3, rate=2.0)),
    hints=(
        "The gradient points uphill. Which way is down?",
        "Subtract the gradient times the learning rate, in a new array.",
        "The result must be a picture again: clip it to 0..255.",
        "`np.clip(image - learning_rate * gradient, 0, 255)`",
    ),
    mistakes=(
        ("wrong sign", lambda x, g, r: np.clip(x + r * g, 0, 255),
         "This goes uphill: subtract the gradient."),
        ("wrong sign", lambda x, g, r: x + r * g, "Uphill, and not clipped to 0..255."),
        ("wrong sign", lambda x, g, r: np.clip(r * g - x, 0, 255),
         "The two are exchanged: image minus the step."),
        ("clipping missing", lambda x, g, r: x - r * g,
         "Clip the new picture to 0..255, and use what `clip` returns."),
        ("clipping missing", lambda x, g, r: np.maximum(x - r * g, 0), "255 is the most."),
        ("clipping missing", lambda x, g, r: np.minimum(x - r * g, 255), "0 is the least."),
        ("clipped to another range", lambda x, g, r: np.clip(x - r * g, 0, 1),
         "The range is 0..255, not 0..1."),
        ("clipped to another range", lambda x, g, r: np.clip(x - r * g, -1, 1),
         "The range is 0..255, not -1..1."),
        ("clipped to another range", lambda x, g, r: np.clip(x - r * g, 1, 255), "Black is 0."),
        ("clipped to another range", lambda x, g, r: np.clip(x - r * g, 0, 254), "White is 255."),
        ("clipped to another range", lambda x, g, r: np.clip(x - r * g, 0, 256), "White is 255."),
        ("gradient clipped", lambda x, g, r: x - r * np.clip(g, 0, 255),
         "Clip the new picture, not the gradient: that may be negative."),
        ("gradient clipped", lambda x, g, r: x - np.clip(r * g, 0, 255),
         "Clip the new picture, not the step: that may be negative."),
        ("gradient clipped", lambda x, g, r: np.clip(x - r * np.clip(g, -1, 1), 0, 255),
         "Leave the gradient as it is; clip the picture."),
        ("learning rate forgotten", lambda x, g, r: np.clip(x - g, 0, 255),
         "Multiply the gradient by the learning rate."),
        ("learning rate divided", lambda x, g, r: np.clip(x - g / r, 0, 255),
         "Multiply by the learning rate; do not divide."),
        ("learning rate twice", lambda x, g, r: np.clip(x - r * r * g, 0, 255),
         "The learning rate is applied twice."),
        ("learning rate on the picture", lambda x, g, r: np.clip(r * (x - g), 0, 255),
         "Only the gradient is multiplied by the learning rate."),
        ("sign only", lambda x, g, r: np.clip(x - r * np.sign(g), 0, 255),
         "Use the gradient itself, not only its sign."),
        ("absolute gradient", lambda x, g, r: np.clip(x - r * np.abs(g), 0, 255),
         "The gradient's sign says which way is down: keep it."),
        ("gradient normalised", lambda x, g, r: np.clip(x - r * g / np.sqrt((g**2).sum()), 0, 255),
         "A plain step uses the gradient as it is."),
        ("gradient normalised", lambda x, g, r: np.clip(x - r * g / np.abs(g).mean(), 0, 255),
         "A plain step uses the gradient as it is."),
        ("gradient normalised", lambda x, g, r: np.clip(x - r * g / np.abs(g).max(), 0, 255),
         "A plain step uses the gradient as it is."),
        ("picture forgotten", lambda x, g, r: -r * g, "Return the new picture, not the step."),
        ("picture forgotten", lambda x, g, r: np.clip(-r * g, 0, 255), "Add the picture."),
        ("picture unmoved", lambda x, g, r: x * 1, "The picture comes back as it was."),
        ("picture scaled", lambda x, g, r: np.clip(x * (1 - r * g), 0, 255), "Do not multiply."),
        ("uint8 overflow", lambda x, g, r: (x - r * g).astype("int64").astype("uint8"),
         "A uint8 wraps round, 256 becomes 0: clip first, and stay with float32."),
        ("wrapped round", lambda x, g, r: (x - r * g) % 256, "Clip to 0..255: no remainders."),
        ("rounded", lambda x, g, r: np.floor(np.clip(x - r * g, 0, 255)),
         "Small steps would be lost: stay with float32, and round when you save."),
        ("rounded", lambda x, g, r: np.rint(np.clip(x - r * g, 0, 255)),
         "Small steps would be lost: round when you save."),
    ),
)
# fmt: on


SIZES = {(1, 3, 5, 3): (1, 6, 10, 3), (1, 5, 4, 3): (1, 15, 12, 3), (1, 7, 5, 3): (1, 13, 9, 3)}


def ramp(shape, axis):
    """A picture that brightens along an axis, each colour less than the one before."""
    place = (np.arange(shape[axis]) + 0.5) / shape[axis]
    place = np.moveaxis(place.reshape(-1, 1, 1, 1), 0, axis)
    return (np.broadcast_to(place, shape) * [240, 160, 80]).astype("float32")


def flat_pictures(f):
    colors = np.array([0, 255, 7.5], "float32")
    came = f(np.broadcast_to(colors, (1, 3, 5, 3)).copy(), (1, 7, 9, 3))
    return np.broadcast_to(colors, came.shape), came


def ramps(f):
    """Each pixel is where it was, within three quarters of a pixel of the small picture."""
    expected, came = [], []
    for (small, large), axis in itertools.product(SIZES.items(), (1, 2)):
        step = 0.75 * np.array([240, 160, 80]) / small[axis]
        result, truth = f(ramp(small, axis), large).reshape(large), ramp(large, axis)
        came.append(result.ravel())
        expected.append(np.clip(result, truth - step, truth + step).ravel())
    return np.concatenate(expected), np.concatenate(came)


def hard_edges(f):
    rng = np.random.default_rng(0)
    pictures = [rng.choice([0.0, 255.0], small).astype("float32") for small in SIZES]
    pairs = zip(pictures, SIZES.values(), strict=True)
    came = np.concatenate([f(x, large).ravel() for x, large in pairs])
    return np.clip(came, 0, 255), came


def mirrored(axis):
    x, large = picture(1, 3, 5, 3, seed=6), (1, 6, 10, 3)
    return lambda f: (
        np.flip(f(x, large).reshape(large), axis),
        f(np.flip(x, axis).copy(), large).reshape(large),
    )


def repeated(x, shape):
    tall, wide = shape[1] // x.shape[1], shape[2] // x.shape[2]
    return x.repeat(tall, axis=1).repeat(wide, axis=2)


def between_zeros(x, shape):
    tall, wide = -(-shape[1] // x.shape[1]), -(-shape[2] // x.shape[2])
    spread = np.zeros(shape)
    spread[:, ::tall, ::wide] = x
    return spread


# fmt: off
UPSAMPLE = Exercise(
    upsample,
    exact=False,  # nearest, linear and cubic are all right
    cases=tuple(Case(picture(*small), large) for small, large in SIZES.items()),
    hints=(
        "The picture between its pixels is not known: which of the known ones is near?",
        "`shape` is (1, H, W, 3): resizing needs (H, W), height first.",
        "Cubic interpolation overshoots at hard edges: clip to 0..255.",
        '`ops.clip(ops.image.resize(image, shape[1:3], interpolation="bicubic"), 0, 255)`',
    ),
    mistakes=(
        ("whole factors only", repeated,
         "5 × 4 to 15 × 12 works, 7 × 5 to 13 × 9 does not: not every factor is whole."),
        ("nothing done", lambda x, shape: x, "The picture comes back as it was."),
        ("zeros in between", between_zeros, "The pixels in between are black: fill them."),
        ("tiled", lambda x, shape: np.tile(x, (1, 3, 3, 1))[:, :shape[1], :shape[2]],
         "The picture is laid out like tiles: stretch it instead."),
        ("reshaped", lambda x, shape: np.resize(x, shape),
         "`np.resize` repeats the numbers in a row: it knows no rows and columns."),
        ("padded", lambda x, shape: np.pad(
            x, [(0, large - small) for small, large in zip(x.shape, shape, strict=True)]),
         "The picture has a border now, but is as small as before: stretch it."),
        ("uint8 overflow",
         lambda x, shape: scales.resize(x, shape).astype("int64").astype("uint8"),
         "A uint8 wraps round, 256 becomes 0: clip first, and stay with float32."),
    ),
    properties=(
        ("brightness changed", "A picture of one colour must keep that colour.", flat_pictures),
        ("pixels in the wrong place", "A ramp from dark to bright must stay one.", ramps),
        ("clipping missing", "At hard edges the result leaves 0..255: clip it.", hard_edges),
        ("picture shifted", "Mirrored first or mirrored afterwards must be the same: the first "
         "pixel's centre is half a pixel from the edge.", mirrored(2)),
        ("picture shifted", "Turned upside down first or afterwards must be the same: the first "
         "pixel's centre is half a pixel from the edge.", mirrored(1)),
    ),
)
# fmt: on
