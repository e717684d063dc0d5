"""Exercises on pixels: preparing a picture for VGG19, and total variation."""

import numpy as np

from nst_tutorial import images, losses
from nst_tutorial.checks.inputs import picture, total
from nst_tutorial.checks.judge import Case, Exercise

M = images.BGR_MEANS.astype("float64")
STANDARD = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])  # mean and deviation, of PyTorch
ORANGE = np.array([255, 128, 0], "float32")
SHAPES = [(1, 3, 5, 3), (2, 4, 3, 3), (1, 2, 7, 3)]
PICTURES = [picture(*shape, seed=1) for shape in SHAPES]


def flip(x):
    return x[..., ::-1]


# fmt: off
TO_VGG = Exercise(
    images.to_vgg,
    cases=(Case(ORANGE), *map(Case, PICTURES)),
    square=(Case(picture(1, 4, 4, 3)), Case(picture(1, 3, 3, 3))),
    hints=(
        "Two things happen to a pixel: its three numbers change places, and a mean is subtracted.",
        "VGG19 eats blue, green, red: the last axis, and only that one, is reversed.",
        "`image[..., ::-1]` reverses the last axis of a pixel, a picture and a batch.",
        "Flip first, then subtract BGR_MEANS = (103.939, 116.779, 123.68).",
    ),
    mistakes=(
        ("RGB for BGR", lambda x: x - M,
         "The colours are still red, green, blue: VGG19 eats them the other way round."),
        ("RGB for BGR", lambda x: x - flip(M),
         "Each colour has its own mean, but VGG19 eats blue first: reverse the last axis."),
        ("means in RGB order", lambda x: flip(x) - flip(M),
         "103.939 is blue's: flip the picture, then subtract (103.939, 116.779, 123.68)."),
        ("mean added", lambda x: flip(x) + M, "The means are added; subtract them."),
        ("mean subtracted twice", lambda x: flip(x) - 2 * M, "The means are subtracted twice."),
        ("mean not subtracted", flip, "The colours are flipped, but the means are still in."),
        ("nothing done", lambda x: x * 1, "The picture comes back as it was."),
        ("wrong axis", lambda x: x[:, :, ::-1] - M,
         "`[:, :, ::-1]` mirrors the columns of (1, H, W, 3): the colours are the last axis."),
        ("wrong axis", lambda x: x[:, ::-1] - M,
         "This turns the picture upside down: the colours are the last axis."),
        ("wrong axis", lambda x: x[::-1] - M,
         "`[::-1]` reverses the first axis, the pictures: the colours are the last axis."),
        ("wrong axis", lambda x: np.flip(x) - M,
         "All axes are reversed, so the picture is turned as well: only the last one should be."),
        ("only with a batch axis", lambda x: x[:, :, :, ::-1] - M,
         "Right for (1, H, W, 3), but a single pixel (3,) has one axis: write `[..., ::-1]`."),
        ("scaled", lambda x: flip(x) / 127.5 - 1, "This scales to -1..1; VGG19 wants no scaling."),
        ("scaled", lambda x: x / 127.5 - 1, "This scales to -1..1; VGG19 wants no scaling."),
        ("scaled", lambda x: flip(x) / 255 - M, "Divided by 255 the picture is as good as black."),
        ("scaled", lambda x: (flip(x) - M) / 255, "VGG19's colours stay as they are: no / 255."),
        ("scaled", lambda x: (x / 255 - STANDARD[0]) / STANDARD[1],
         "That is PyTorch's recipe; these weights were trained on Caffe's."),
        ("scaled", lambda x: (flip(x) - M) / (255 * flip(np.array(STANDARD[1]))),
         "VGG19's colours are not divided by a standard deviation."),
        ("one mean for all", lambda x: flip(x) - 127.5, "Each colour has a mean of its own."),
        ("one mean for all", lambda x: flip(x) - 128, "Each colour has a mean of its own."),
        ("rounded means", lambda x: flip(x) - np.rint(M),
         "The means are 103.939, 116.779 and 123.68, not rounded."),
        ("the picture's own mean", lambda x: flip(x) - flip(x).mean((-3, -2), keepdims=True),
         "Subtract ImageNet's means, not the picture's own."),
        ("the picture's own mean", lambda x: flip(x) - x.mean(),
         "Subtract ImageNet's means, one a colour, not the picture's own."),
        ("one mean for all", lambda x: flip(x) - M.mean(), "Each colour has a mean of its own."),
        ("uint8 overflow", lambda x: (flip(x) - M).astype("int64").astype("uint8"),
         "A uint8 has no negative numbers: -1 becomes 255. Stay with float32."),
        ("clipped", lambda x: np.clip(flip(x) - M, 0, 255),
         "Colours below the mean become negative, and should: do not clip."),
        ("clipped", lambda x: np.abs(flip(x) - M), "Do not take absolute values: signs matter."),
        ("rounded", lambda x: np.rint(flip(x) - M), "Do not round: features are no colours."),
    ),
)

PREPARED = [images.to_vgg(x) for x in PICTURES]

FROM_VGG = Exercise(
    images.from_vgg,
    cases=(Case(images.to_vgg(ORANGE.reshape(1, 1, 1, 3))), *map(Case, PREPARED)),
    square=(Case(images.to_vgg(picture(1, 4, 4, 3))),),
    hints=(
        "Undo what `to_vgg` did, in reverse order.",
        "The means were subtracted last, so they are added first.",
        "Then `[..., ::-1]` turns blue, green, red round again.",
    ),
    mistakes=(
        ("flipped first", lambda y: flip(y) + M,
         "Red and blue get each other's mean, 19.741 off: add the means first, then flip."),
        ("RGB for BGR", lambda y: y + M, "The means are back, but blue still comes first."),
        ("mean subtracted", lambda y: flip(y - M), "The means are subtracted again; add them."),
        ("mean subtracted", lambda y: flip(y) - M, "The means are subtracted again; add them."),
        ("mean added twice", lambda y: flip(y + 2 * M), "The means are added twice."),
        ("mean not added", flip, "The colours are flipped back, but the means are still missing."),
        ("nothing done", lambda y: y * 1, "It comes back as it was."),
        ("scaled", lambda y: flip(y + M) / 255, "The range is 0..255: do not divide."),
        ("scaled", lambda y: flip(y + 1) * 127.5, "VGG19's pictures are not scaled to -1..1."),
        ("wrong axis", lambda y: (y + M)[:, :, ::-1],
         "`[:, :, ::-1]` mirrors the columns of (1, H, W, 3): the colours are the last axis."),
        ("wrong axis", lambda y: (y + M)[:, ::-1], "This turns the picture upside down."),
        ("wrong axis", lambda y: (y + M)[::-1], "`[::-1]` reverses the pictures of the batch."),
        ("wrong axis", lambda y: np.flip(y + M), "All axes are reversed: only the last should be."),
        ("rounded means", lambda y: flip(y + np.rint(M)), "Add the means as they were subtracted."),
        ("one mean for all", lambda y: flip(y + M.mean()), "Each colour has a mean of its own."),
        ("uint8 overflow", lambda y: flip(y.astype("int64").astype("uint8") + M),
         "A uint8 has no negative numbers: -1 becomes 255. Add the means first."),
        ("rounded", lambda y: np.floor(flip(y + M) + 1e-3),
         "A cast to whole numbers cuts the fraction off: the way back is not exact."),
        ("rounded", lambda y: np.rint(flip(y + M)), "Rounded, the way back is not exact."),
    ),
)


def right_and_down(x):
    """Differences to the right and the lower neighbour, where there are both."""
    corner = x[:, :-1, :-1]
    return x[:, :-1, 1:] - corner, x[:, 1:, :-1] - corner


def slope(x):
    right, down = right_and_down(x)
    return right**2 + down**2


def rolled(x, axis, by=-1):
    return np.roll(x, by, axis) - x


def padded(x):
    """Differences to neighbours of which those outside are copies of the edge."""
    edge = np.pad(x, ((0, 0), (0, 1), (0, 1), (0, 0)), mode="edge")
    return slope(edge)


HAND = np.array([[0, 3], [4, 99]], "float32").reshape(1, 2, 2, 1)
TINY = [picture(*shape, seed=2) / 64 for shape in [(1, 3, 5, 1), (1, 4, 3, 3), (2, 3, 4, 3)]]


TOTAL_VARIATION_LOSS = Exercise(
    losses.total_variation_loss,
    cases=(*(Case(HAND, e) for e in (1.0, 2.0)), Case(TINY[0]), Case(TINY[1], 2.5),
           Case(TINY[1], 1.0), Case(TINY[2], 1.5), Case(TINY[2])),
    square=(Case(picture(1, 4, 4, 3) / 64, 1.5), Case(picture(1, 3, 3, 1) / 64)),
    hints=(
        "Subtract the picture from itself, moved by one pixel: once to the right, once down.",
        "Both differences must have one shape: leave out the last row and the last column.",
        "At each pixel: square both, add them, and only then take the power exponent / 2.",
        "`right = x[:, :-1, 1:] - x[:, :-1, :-1]`, `down = x[:, 1:, :-1] - x[:, :-1, :-1]`.",
    ),
    mistakes=(
        ("differences that wrap around",
         lambda x, e=2.0: total((rolled(x, 2) ** 2 + rolled(x, 1) ** 2) ** (e / 2)),
         "`roll` makes the first column the last one's neighbour: slice instead."),
        ("differences that wrap around",
         lambda x, e=2.0: total(((rolled(x, 2) ** 2 + rolled(x, 1) ** 2) ** (e / 2))[:, :, :-1]),
         "`roll` makes the first row the last one's neighbour: slice instead."),
        ("differences that wrap around",
         lambda x, e=2.0: total((rolled(x, 2, 1) ** 2 + rolled(x, 1, 1) ** 2) ** (e / 2)),
         "`roll` makes the last column the first one's neighbour: slice instead."),
        ("exponent ignored", lambda x, e=2.0: total(slope(x) ** 1.25), "The exponent is unused."),
        ("exponent ignored", lambda x, e=2.0: total(slope(x)), "The exponent is never used."),
        ("exponent ignored", lambda x, e=2.0: total(np.sqrt(slope(x))), "The exponent is unused."),
        ("exponent not halved", lambda x, e=2.0: total(slope(x) ** e),
         "The squares are there already: the power is exponent / 2."),
        ("exponent not halved", lambda x, e=2.0: total(slope(x) ** e / 2),
         "`** exponent / 2` is `(… ** exponent) / 2`: write `** (exponent / 2)`."),
        ("square root added", lambda x, e=2.0: total(slope(x) ** (e / 2)) ** 0.5,
         "There is no root around the sum."),
        ("square root added", lambda x, e=2.0: total(slope(x) ** (e / 4)), "One root too many."),
        ("exponent applied before the sum",
         lambda x, e=2.0: total(abs(right_and_down(x)[0]) ** e + abs(right_and_down(x)[1]) ** e),
         "Add the two squares first, then take the power exponent / 2."),
        ("exponent applied after the sum", lambda x, e=2.0: total(slope(x)) ** (e / 2),
         "Take the power at each pixel, then the sum over the picture."),
        ("absolute for squared differences",
         lambda x, e=2.0: total(np.abs(right_and_down(x)[0]) + np.abs(right_and_down(x)[1])),
         "This adds absolute values; square the differences."),
        ("absolute for squared differences",
         lambda x, e=2.0: total((abs(right_and_down(x)[0]) + abs(right_and_down(x)[1])) ** (e / 2)),
         "This adds absolute values; square the differences."),
        ("absolute for squared differences",
         lambda x, e=2.0: total(abs(np.diff(x, axis=1))) + total(abs(np.diff(x, axis=2))),
         "This is `tf.image.total_variation`, |dx| + |dy|: square the differences."),
        ("every pair of neighbours",
         lambda x, e=2.0: total(abs(np.diff(x, axis=1))**e) + total(abs(np.diff(x, axis=2))**e),
         "Rows and columns are summed apart: take both differences at one pixel, then the power."),
        ("every pair of neighbours",
         lambda x, e=2.0: total(np.diff(x, axis=1) ** 2) + total(np.diff(x, axis=2) ** 2),
         "Rows and columns are summed apart: take both differences at one pixel, then the power."),
        ("mean for sum", lambda x, e=2.0: (slope(x) ** (e / 2)).mean((1, 2, 3)),
         "This takes the mean; the formula has a sum."),
        ("mean for sum", lambda x, e=2.0: total(slope(x) ** (e / 2)) / x[0].size,
         "The formula has a sum: do not divide by the number of pixels."),
        ("one direction only", lambda x, e=2.0: total(abs(right_and_down(x)[0]) ** e),
         "Only the differences to the right are there: add those downwards."),
        ("one direction only", lambda x, e=2.0: total(abs(right_and_down(x)[1]) ** e),
         "Only the differences downwards are there: add those to the right."),
        ("wrong axis", lambda x, e=2.0: total(rolled(x, 2)[:, :-1, :-1] * 0 + (
            (x[:, :-1, 1:] - x[:, 1:, :-1]) ** 2) ** (e / 2)),
         "The neighbours are subtracted from each other, not each from the pixel."),
        ("two pixels apart",
         lambda x, e=2.0: total(((x[:, 1:-1, 2:] - x[:, 1:-1, :-2]) ** 2
                                 + (x[:, 2:, 1:-1] - x[:, :-2, 1:-1]) ** 2) ** (e / 2)),
         "These are differences of pixels two apart; neighbours are one apart."),
        ("border counted", lambda x, e=2.0: total(padded(x) ** (e / 2)),
         "The last row and column have one neighbour only, and do not count."),
        ("sum before the square", lambda x, e=2.0: total(abs(sum(right_and_down(x))) ** e),
         "Square each difference before you add them: they may cancel."),
        ("colours mixed", lambda x, e=2.0: total(slope(x).sum(-1) ** (e / 2)),
         "Take the power for each colour by itself, then add the colours."),
        ("colours mixed", lambda x, e=2.0: total(slope(x.mean(-1, keepdims=True)) ** (e / 2)),
         "Take the power for each colour by itself, then add the colours."),
        ("wrong axis", lambda x, e=2.0: (slope(x) ** (e / 2)).sum((1, 2)),
         "There is a number for each colour: add the colours too."),
        ("wrong axis", lambda x, e=2.0: total(slope(x.swapaxes(2, 3)) ** (e / 2)),
         "Axis 3 holds the colours: neighbours are on axes 1 and 2."),
        ("batch axis folded in", lambda x, e=2.0: (slope(x) ** (e / 2)).sum(),
         "One number for each picture of the batch: leave the first axis out of the sum."),
    ),
    properties=(
        ("not zero on a flat picture", "A flat picture has no variation, so its loss is 0.",
         lambda f: ([0], f(np.full((1, 3, 4, 3), 7, "float32")))),
        ("not even", "A negative has the same variation as the picture.",
         lambda f: (f(TINY[1]), f(-TINY[1]))),
        ("wrong scaling", "Twice the contrast is 2**exponent times the loss: 8 for exponent 3.",
         lambda f: (8 * f(TINY[1], 3.0), f(2 * TINY[1], 3.0))),
    ),
)
# fmt: on
