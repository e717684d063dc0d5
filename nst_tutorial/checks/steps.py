"""Exercises on the transfer itself: the total, a step, and a larger picture."""

import functools
import itertools
from collections.abc import Callable

import numpy as np

from nst_tutorial import losses, scales
from nst_tutorial.checks.inputs import picture
from nst_tutorial.checks.judge import Case, Exercise
from nst_tutorial.runtime.types import Array, Shape


def optimization_step(image: Array, gradient: Array, learning_rate: float) -> np.ndarray:
    """Move a picture `(1, H, W, 3)` a step down its gradient; return the new one, in 0..255."""
    return np.clip(image - learning_rate * gradient, 0, 255)


def upsample(image: Array, shape: Shape) -> np.ndarray:
    """Enlarge a picture to `(1, H, W, 3)`, by any interpolation that stays within 0..255."""
    return scales.enlarge(image, shape)


def three(content_weight: float, style_weight: float, tv_weight: float) -> dict[str, float]:
    keys = "content_weight", "style_weight", "tv_weight"
    return dict(zip(keys, (content_weight, style_weight, tv_weight), strict=True))


BATCH = [np.array(x, "float32") for x in ([1.5, 2.0], [0.3, 0.7], [6.0, 4.0])]


@functools.wraps(losses.total_loss)
def weigh(content: Array, style: Array, total_variation: Array, *weights: float) -> Array:
    return losses.total_loss(content, style, total_variation, **three(*weights))


def reweighed(i: int, change: Callable[[float], float]) -> Callable:
    """The total loss with one of the three weights changed."""

    def wrong(*args):
        losses, weights = args[:3], list(args[3:])
        weights[i] = change(weights[i])
        return sum(weight * loss for weight, loss in zip(weights, losses, strict=True))

    return wrong


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
        ("weights not applied", "The weights are not used.", lambda c, s, t, a, b, g: c + s + t),
        *(row for i, name in enumerate(("content", "style", "total variation")) for row in (
            (f"{name} weight not applied", f"The {name} loss lacks its weight.",
             reweighed(i, lambda weight: 1)),
            (f"{name} forgotten", f"The {name} loss is missing.", reweighed(i, lambda weight: 0)),
            (f"{name} subtracted", "All three are added.", reweighed(i, lambda weight: -weight)),
        )),
        ("weights exchanged",
         "Each loss has the weight of its own name: α is the content's, β the style's.",
         lambda c, s, t, a, b, g: b * c + a * s + g * t,
         lambda c, s, t, a, b, g: g * c + b * s + a * t,
         lambda c, s, t, a, b, g: a * c + g * s + b * t,
         lambda c, s, t, a, b, g: b * c + g * s + a * t,
         lambda c, s, t, a, b, g: g * c + a * s + b * t),
        ("style weight for tv", "Total variation has a weight of its own.",
         lambda c, s, t, a, b, g: a * c + b * (s + t)),
        ("mean for sum", "Eq. 7 is a sum, not a mean.",
         lambda c, s, t, a, b, g: (a * c + b * s + g * t) / 3),
        ("weights normalized", "Do not divide by the sum of the weights.",
         lambda c, s, t, a, b, g: (a * c + b * s + g * t) / (a + b + g)),
        ("weights added", "Multiply each loss by its weight.",
         lambda c, s, t, a, b, g: (a + c) + (b + s) + (g + t)),
        ("product for sum", "Add.", lambda c, s, t, a, b, g: (a * c) * (b * s) * (g * t)),
        ("not summed", "Add the three.", lambda c, s, t, a, b, g: np.stack([a * c, b * s, g * t])),
    ),
)


def a_step(*shape: int, rate: float) -> Case:
    """A step that takes some pixels out of the range on both sides."""
    gradient = np.random.default_rng(3).normal(0, 40 / rate, shape)
    return Case(picture(*shape, seed=4), gradient.astype("float32"), rate)


PIXELS = np.array([[10, 250, 100]], "float32").reshape(1, 1, 1, 3)
SLOPES = np.array([[8, -4, 20]], "float32").reshape(1, 1, 1, 3)

OPTIMIZATION_STEP = Exercise(
    optimization_step,
    cases=(Case(PIXELS, SLOPES, 2.0), a_step(1, 3, 5, 3, rate=0.5), a_step(1, 4, 3, 3, rate=3.0),
           a_step(2, 2, 5, 3, rate=10.0)),
    hints=(
        "The gradient points uphill. Which way is down?",
        "Subtract the gradient times the learning rate, in a new array.",
        "The result must be a picture again: clip it to 0..255.",
        "`np.clip(image - learning_rate * gradient, 0, 255)`",
    ),
    mistakes=(
        ("wrong sign", "This goes uphill: the new picture is `image - learning_rate * gradient`.",
         lambda x, g, r: np.clip(x + r * g, 0, 255), lambda x, g, r: x + r * g,
         lambda x, g, r: np.clip(r * g - x, 0, 255)),
        ("clipping missing",
         "Clip the new picture to 0..255, on both sides, and use what `clip` returns.",
         lambda x, g, r: x - r * g, lambda x, g, r: np.maximum(x - r * g, 0),
         lambda x, g, r: np.minimum(x - r * g, 255)),
        ("clipped to another range", "The range is 0..255: black is 0 and white is 255.",
         lambda x, g, r: np.clip(x - r * g, 0, 1), lambda x, g, r: np.clip(x - r * g, -1, 1),
         lambda x, g, r: np.clip(x - r * g, 1, 255), lambda x, g, r: np.clip(x - r * g, 0, 254),
         lambda x, g, r: np.clip(x - r * g, 0, 256)),
        ("gradient clipped",
         "Clip the new picture, not the gradient or the step: those may be negative.",
         lambda x, g, r: x - r * np.clip(g, 0, 255), lambda x, g, r: x - np.clip(r * g, 0, 255),
         lambda x, g, r: np.clip(x - r * np.clip(g, -1, 1), 0, 255)),
        ("learning rate forgotten", "Multiply the gradient by the learning rate.",
         lambda x, g, r: np.clip(x - g, 0, 255)),
        ("learning rate divided", "Multiply by the learning rate; do not divide.",
         lambda x, g, r: np.clip(x - g / r, 0, 255)),
        ("sign only", "Use the gradient itself, not only its sign.",
         lambda x, g, r: np.clip(x - r * np.sign(g), 0, 255)),
        ("gradient normalized", "A plain step uses the gradient as it is.",
         lambda x, g, r: np.clip(x - r * g / np.sqrt((g**2).sum()), 0, 255),
         lambda x, g, r: np.clip(x - r * g / np.abs(g).mean(), 0, 255),
         lambda x, g, r: np.clip(x - r * g / np.abs(g).max(), 0, 255)),
        ("picture forgotten", "Return the new picture, not the step.", lambda x, g, r: -r * g,
         lambda x, g, r: np.clip(-r * g, 0, 255)),
        ("picture unmoved", "The picture comes back as it was.", lambda x, g, r: x * 1),
    ),
)
# fmt: on


SIZES = {(1, 3, 5, 3): (1, 6, 10, 3), (1, 5, 4, 3): (1, 15, 12, 3), (1, 7, 5, 3): (1, 13, 9, 3)}


def ramp(shape: Shape, axis: int) -> np.ndarray:
    """A picture that brightens along an axis, each color less than the one before."""
    place = (np.arange(shape[axis]) + 0.5) / shape[axis]
    place = np.moveaxis(place.reshape(-1, 1, 1, 1), 0, axis)
    return (np.broadcast_to(place, shape) * [240, 160, 80]).astype("float32")


def flat_pictures(f: Callable) -> tuple[np.ndarray, np.ndarray]:
    colors = np.array([0, 255, 7.5], "float32")
    came = f(np.broadcast_to(colors, (1, 3, 5, 3)).copy(), (1, 7, 9, 3))
    return np.broadcast_to(colors, came.shape), came


def ramps(f: Callable) -> tuple[np.ndarray, np.ndarray]:
    """Each pixel is where it was, within three quarters of a pixel of the small picture."""
    expected, came = [], []
    for (small, large), axis in itertools.product(SIZES.items(), (1, 2)):
        step = 0.75 * np.array([240, 160, 80]) / small[axis]
        result, truth = f(ramp(small, axis), large).reshape(large), ramp(large, axis)
        came.append(result.ravel())
        expected.append(np.clip(result, truth - step, truth + step).ravel())
    return np.concatenate(expected), np.concatenate(came)


def hard_edges(f: Callable) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    pictures = [rng.choice([0.0, 255.0], small).astype("float32") for small in SIZES]
    pairs = zip(pictures, SIZES.values(), strict=True)
    came = np.concatenate([f(x, large).ravel() for x, large in pairs])
    return np.clip(came, 0, 255), came


def mirrored(axis: int) -> Callable:
    x, large = picture(1, 3, 5, 3, seed=6), (1, 6, 10, 3)
    return lambda f: (
        np.flip(f(x, large).reshape(large), axis),
        f(np.flip(x, axis).copy(), large).reshape(large),
    )


def repeated(x: Array, shape: Shape) -> np.ndarray:
    tall, wide = shape[1] // x.shape[1], shape[2] // x.shape[2]
    return x.repeat(tall, axis=1).repeat(wide, axis=2)


def between_zeros(x: Array, shape: Shape) -> np.ndarray:
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
        ("whole factors only",
         "5 × 4 to 15 × 12 works, 7 × 5 to 13 × 9 does not: not every factor is whole.", repeated),
        ("nothing done", "The picture comes back as it was.", lambda x, shape: x),
        ("zeros in between", "The pixels in between are black: fill them.", between_zeros),
        ("tiled", "The picture is laid out like tiles: stretch it instead.",
         lambda x, shape: np.tile(x, (1, 3, 3, 1))[:, :shape[1], :shape[2]]),
        ("reshaped", "`np.resize` repeats the numbers in a row: it knows no rows and columns.",
         lambda x, shape: np.resize(x, shape)),
        ("padded", "The picture has a border now, but is as small as before: stretch it.",
         lambda x, shape: np.pad(x, [(0, b - a) for a, b in zip(x.shape, shape, strict=True)])),
        ("uint8 overflow", "A uint8 wraps round, 256 becomes 0: clip first, and stay with float32.",
         lambda x, shape: scales.resize(x, shape).astype("int64").astype("uint8")),
    ),
    properties=(
        ("brightness changed", "A picture of one color must keep that color.", flat_pictures),
        ("pixels in the wrong place", "A ramp from dark to bright must stay one.", ramps),
        ("clipping missing", "At hard edges the result leaves 0..255: clip it.", hard_edges),
        ("picture shifted", "Mirrored first or mirrored afterwards must be the same: the first "
         "pixel's center is half a pixel from the edge.", mirrored(2)),
        ("picture shifted", "Turned upside down first or afterwards must be the same: the first "
         "pixel's center is half a pixel from the edge.", mirrored(1)),
    ),
)
# fmt: on
