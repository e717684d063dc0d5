"""Exercises on pixels: preparing a picture for VGG19, and total variation."""

import numpy as np

from nst_tutorial import images, losses
from nst_tutorial.checks.inputs import picture, total
from nst_tutorial.checks.judge import Case, Exercise
from nst_tutorial.runtime.types import Array

M = images.BGR_MEANS.astype("float64")
STANDARD = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])  # mean and deviation, of PyTorch
ORANGE = np.array([255, 128, 0], "float32")
SHAPES = [(1, 3, 5, 3), (2, 4, 3, 3), (1, 2, 7, 3)]
PICTURES = [picture(*shape, seed=1) for shape in SHAPES]
LAST_AXIS = "Only the last axis holds the colors: reverse that one and no other, `[..., ::-1]`."


def flip(x: Array) -> np.ndarray:
    return x[..., ::-1]


# fmt: off
TO_VGG = Exercise(
    images.to_vgg,
    cases=(Case(ORANGE), *map(Case, PICTURES)),
    hints=(
        "Two things happen to a pixel: its three numbers change places, and a mean is subtracted.",
        "VGG19 eats blue, green, red: the last axis, and only that one, is reversed.",
        "`image[..., ::-1]` reverses the last axis of a pixel, a picture and a batch.",
        "Flip first, then subtract BGR_MEANS = (103.939, 116.779, 123.68).",
    ),
    mistakes=(
        ("RGB for BGR",
         "The colors are still red, green, blue: VGG19 eats blue first. Reverse the last axis.",
         lambda x: x - M, lambda x: x - flip(M)),
        ("means in RGB order",
         "103.939 is blue's: flip the picture, then subtract (103.939, 116.779, 123.68).",
         lambda x: flip(x) - flip(M)),
        ("mean added", "The means are added; subtract them.", lambda x: flip(x) + M),
        ("mean subtracted twice", "The means are subtracted twice.", lambda x: flip(x) - 2 * M),
        ("mean not subtracted", "The colors are flipped, but the means are still in.", flip),
        ("nothing done", "The picture comes back as it was.", lambda x: x * 1),
        ("wrong axis", LAST_AXIS,
         lambda x: x[:, :, ::-1] - M, lambda x: x[:, ::-1] - M, lambda x: x[::-1] - M,
         lambda x: np.flip(x) - M),
        ("only with a batch axis",
         "Right for (1, H, W, 3), but a single pixel (3,) has one axis: write `[..., ::-1]`.",
         lambda x: x[:, :, :, ::-1] - M),
        ("scaled", "VGG19 wants no scaling: its colors are not divided by anything.",
         lambda x: flip(x) / 127.5 - 1, lambda x: x / 127.5 - 1, lambda x: flip(x) / 255 - M,
         lambda x: (flip(x) - M) / 255, lambda x: (x / 255 - STANDARD[0]) / STANDARD[1]),
        ("one mean for all", "Each color has a mean of its own.", lambda x: flip(x) - 127.5,
         lambda x: flip(x) - 128, lambda x: flip(x) - M.mean()),
        ("rounded means", "The means are 103.939, 116.779 and 123.68, not rounded.",
         lambda x: flip(x) - np.rint(M)),
        ("the picture's own mean",
         "Subtract ImageNet's means, one for each color, not the picture's own.",
         lambda x: flip(x) - flip(x).mean((-3, -2), keepdims=True), lambda x: flip(x) - x.mean()),
        ("clipped", "Colors below the mean become negative, and should: do not clip.",
         lambda x: np.clip(flip(x) - M, 0, 255)),
    ),
)

PREPARED = [images.to_vgg(x) for x in PICTURES]

FROM_VGG = Exercise(
    images.from_vgg,
    cases=(Case(images.to_vgg(ORANGE.reshape(1, 1, 1, 3))), *map(Case, PREPARED)),
    hints=(
        "Undo what `to_vgg` did, in reverse order.",
        "The means were subtracted last, so they are added first.",
        "Then `[..., ::-1]` turns blue, green, red round again.",
    ),
    mistakes=(
        ("flipped first",
         "Red and blue get each other's mean, 19.741 off: add the means first, then flip.",
         lambda y: flip(y) + M),
        ("RGB for BGR", "The means are back, but blue still comes first.", lambda y: y + M),
        ("mean subtracted", "The means are subtracted again; add them.", lambda y: flip(y - M),
         lambda y: flip(y) - M),
        ("mean added twice", "The means are added twice.", lambda y: flip(y + 2 * M)),
        ("mean not added", "The colors are flipped back, but the means are still missing.", flip),
        ("nothing done", "It comes back as it was.", lambda y: y * 1),
        ("scaled", "The range is 0..255: add the means, and scale nothing.",
         lambda y: flip(y + M) / 255, lambda y: flip(y + 1) * 127.5),
        ("wrong axis", LAST_AXIS,
         lambda y: (y + M)[:, :, ::-1], lambda y: (y + M)[:, ::-1], lambda y: (y + M)[::-1],
         lambda y: np.flip(y + M)),
        ("rounded means", "Add the means as they were subtracted.", lambda y: flip(y + np.rint(M))),
    ),
)


def right_and_down(x: Array) -> tuple[np.ndarray, np.ndarray]:
    """Differences to the right and the lower neighbor, where there are both."""
    corner = x[:, :-1, :-1]
    return x[:, :-1, 1:] - corner, x[:, 1:, :-1] - corner


def slope(x: Array) -> np.ndarray:
    right, down = right_and_down(x)
    return right**2 + down**2


def rolled(x: Array, axis: int, by: int = -1) -> np.ndarray:
    return np.roll(x, by, axis) - x


HAND = np.array([[0, 3], [4, 99]], "float32").reshape(1, 2, 2, 1)
TINY = [picture(*shape, seed=2) / 64 for shape in [(1, 3, 5, 1), (1, 4, 3, 3), (2, 3, 4, 3)]]


TOTAL_VARIATION_LOSS = Exercise(
    losses.total_variation_loss,
    cases=(*(Case(HAND, e) for e in (1.0, 2.0)), Case(TINY[0]), Case(TINY[1], 2.5),
           Case(TINY[1], 1.0), Case(TINY[2], 1.5), Case(TINY[2])),
    hints=(
        "Subtract the picture from itself, moved by one pixel: once to the right, once down.",
        "Both differences must have one shape: leave out the last row and the last column.",
        "At each pixel: square both, add them, and only then take the power exponent / 2.",
        "`right = x[:, :-1, 1:] - x[:, :-1, :-1]`, `down = x[:, 1:, :-1] - x[:, :-1, :-1]`.",
    ),
    mistakes=(
        ("differences that wrap around",
         "`roll` makes the first row or column the last one's neighbor: slice instead.",
         lambda x, e=2.0: total((rolled(x, 2) ** 2 + rolled(x, 1) ** 2) ** (e / 2)),
         lambda x, e=2.0: total(((rolled(x, 2) ** 2 + rolled(x, 1) ** 2) ** (e / 2))[:, :, :-1]),
         lambda x, e=2.0: total((rolled(x, 2, 1) ** 2 + rolled(x, 1, 1) ** 2) ** (e / 2))),
        ("exponent ignored", "The exponent is never used.",
         lambda x, e=2.0: total(slope(x) ** 1.25), lambda x, e=2.0: total(np.sqrt(slope(x))),
         lambda x, e=2.0: total(slope(x))),
        ("exponent not halved",
         "The squares are there already: the power is `** (exponent / 2)`, with its brackets.",
         lambda x, e=2.0: total(slope(x) ** e), lambda x, e=2.0: total(slope(x) ** e / 2)),
        ("square root added", "There is one root too many.",
         lambda x, e=2.0: total(slope(x) ** (e / 2)) ** 0.5,
         lambda x, e=2.0: total(slope(x) ** (e / 4))),
        ("exponent applied before the sum",
         "Add the two squares first, then take the power exponent / 2.",
         lambda x, e=2.0: total(abs(right_and_down(x)[0]) ** e + abs(right_and_down(x)[1]) ** e)),
        ("absolute for squared differences",
         "This adds absolute values, as `tf.image.total_variation` does: square the differences.",
         lambda x, e=2.0: total(np.abs(right_and_down(x)[0]) + np.abs(right_and_down(x)[1])),
         lambda x, e=2.0: total((abs(right_and_down(x)[0]) + abs(right_and_down(x)[1])) ** (e / 2)),
         lambda x, e=2.0: total(abs(np.diff(x, axis=1))) + total(abs(np.diff(x, axis=2)))),
        ("every pair of neighbors",
         "Rows and columns are summed apart: take both differences at one pixel, then the power.",
         lambda x, e=2.0: total(abs(np.diff(x, axis=1))**e) + total(abs(np.diff(x, axis=2))**e),
         lambda x, e=2.0: total(np.diff(x, axis=1) ** 2) + total(np.diff(x, axis=2) ** 2)),
        ("mean for sum", "This is divided by the number of pixels; the formula has a sum.",
         lambda x, e=2.0: (slope(x) ** (e / 2)).mean((1, 2, 3)),
         lambda x, e=2.0: total(slope(x) ** (e / 2)) / x[0].size),
        ("one direction only", "Add up both differences of a pixel: to the right, and downwards.",
         lambda x, e=2.0: total(abs(right_and_down(x)[0]) ** e),
         lambda x, e=2.0: total(abs(right_and_down(x)[1]) ** e)),
        ("colors mixed", "Take the power for each color by itself, then add the colors.",
         lambda x, e=2.0: total(slope(x).sum(-1) ** (e / 2)),
         lambda x, e=2.0: total(slope(x.mean(-1, keepdims=True)) ** (e / 2))),
        ("wrong axis", "There is a number for each color: add the colors too.",
         lambda x, e=2.0: (slope(x) ** (e / 2)).sum((1, 2))),
        ("wrong axis", "Axis 3 holds the colors: neighbors are on axes 1 and 2.",
         lambda x, e=2.0: total(slope(x.swapaxes(2, 3)) ** (e / 2))),
    ),
    properties=(
        ("not even", "A negative has the same variation as the picture.",
         lambda f: (f(TINY[1]), f(-TINY[1]))),
        ("wrong scaling", "Twice the contrast is 2**exponent times the loss: 8 for exponent 3.",
         lambda f: (8 * f(TINY[1], 3.0), f(2 * TINY[1], 3.0))),
    ),
)
# fmt: on
