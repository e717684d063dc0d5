"""Exercises on the network: pooling, how far a unit sees, and how many weights a layer has."""

import functools
import itertools
from collections.abc import Callable, Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from nst_tutorial.checks.inputs import features
from nst_tutorial.checks.judge import Case, Exercise
from nst_tutorial.runtime.types import Array, Shape


def squares(x: Array) -> np.ndarray:
    """Split both sides: `(B, H, W, N)` to (B, which row, row inside, which column, inside, N)."""
    B, H, W, N = x.shape
    return x.reshape(B, H // 2, 2, W // 2, 2, N)


def pool(x: Array, kind: str) -> np.ndarray:
    """Pool features `(B, H, W, N)` to `(B, H/2, W/2, N)`; `kind` is "average" or "max"."""
    return squares(x).mean((2, 4)) if kind == "average" else squares(x).max((2, 4))


def means(x: Array) -> np.ndarray:
    return pool(x, "average")


def maxima(x: Array) -> np.ndarray:
    return pool(x, "max")


def by_kind(average: Callable = means, largest: Callable = maxima) -> Callable:
    """Both kinds as they are given, or else right."""
    return lambda x, kind: average(x) if kind == "average" else largest(x)


def in_any_kind(wrong: Callable) -> tuple[Callable, ...]:
    """A mistake wrong(x, kind): with both kinds, with one of them, or with `kind` ignored."""
    average, largest = (lambda x: wrong(x, "average")), (lambda x: wrong(x, "max"))
    one_is_right = by_kind(average=average), by_kind(largest=largest)
    return wrong, *one_is_right, by_kind(average, average), by_kind(largest, largest)


def over(axes: int | Shape, split: Callable = squares) -> tuple[Callable, ...]:
    """Take the mean or the maximum over these axes of what the picture was split into."""
    return in_any_kind(
        lambda x, kind: split(x).mean(axes) if kind == "average" else split(x).max(axes)
    )


def reshaped(*shape: str | int) -> Callable:
    """Split by one reshape; in its shape, H and W are half the sides."""

    def split(x):
        B, H, W, N = x.shape
        letters: dict[str | int, int] = {"B": B, "H": H // 2, "W": W // 2, "N": N}
        return x.reshape([letters.get(one, one) for one in shape])

    return split


def windows(size: int, apart: int = 1) -> Callable:
    """Split into windows that lie inside the picture: (B, …, …, N, size, size)."""
    box = (1, size, size, 1)
    return lambda x: sliding_window_view(x, box)[:, ::apart, ::apart, ..., 0, :, :, 0]


def one_pixel_apart(x: Array) -> np.ndarray:
    """The first H/2 × W/2 windows of 2×2, each one pixel after the last."""
    return windows(2)(x)[:, : x.shape[1] // 2, : x.shape[2] // 2]


def clipped_windows(x: Array, kind: str) -> np.ndarray:
    """Pool 3×3 windows two pixels apart, which are smaller at the border."""
    padded = np.pad(x, [(0, 0), (0, 1), (0, 1), (0, 0)], constant_values=np.nan)
    reduce = np.nanmean if kind == "average" else np.nanmax
    return reduce(windows(3, 2)(padded), (4, 5))


def fours(x: Array) -> np.ndarray:
    """The four numbers of each square: (B, H/2, W/2, 4, N)."""
    B, H, _, W, _, N = squares(x).shape
    return squares(x).swapaxes(2, 3).reshape(B, H, W, 4, N)


def ranked(rank: int) -> Callable:
    """Return the number of each square that has this rank, from 0 for the smallest."""
    return lambda x: np.sort(fours(x), axis=3)[..., rank, :]


def picked(*places: tuple[int, int]) -> tuple[Callable, ...]:
    """Pool only the pixels at these places of each square."""
    return over(0, lambda x: np.stack([x[:, i::2, j::2] for i, j in places]))


PLACES = [*itertools.product((0, 1), (0, 1))]  # in a square
BY_HAND = np.array([[1, 3, 0, 0], [5, 7, 0, 8]], "float32").reshape(1, 2, 4, 1)
F0, F1, F2 = (
    features(1, 4, 6, 2, seed=1),
    features(2, 6, 4, 3, seed=2) - 2,  # mostly negative, as before a ReLU
    features(1, 8, 2, 1, seed=3),
)
SEVENS = np.full((1, 6, 4, 2), 7, "float32")


def of_both(test: Callable) -> Callable:
    """A property of both kinds; test(f, kind) returns what it expected and what came."""

    def tested(f):
        pairs = [test(f, kind) for kind in ("average", "max")]
        return tuple(np.stack(side) for side in zip(*pairs, strict=True))

    return tested


def commutes(change: Callable) -> Callable:
    """Changed first or changed afterwards must be the same."""
    return of_both(lambda f, kind: (change(f(F1, kind)), f(change(F1).copy(), kind)))


# fmt: off
POOL = Exercise(
    pool,
    cases=tuple(Case(x, kind) for x in (BY_HAND, F0, F1, F2) for kind in ("average", "max")),
    hints=(
        "Write the numbers 0 to 15 in four rows of four. Which four of them belong to the first "
        "square, and which four does your function put together?",
        "`reshape` keeps the reading order. Split each side into two axes that stand next to each "
        "other: which square, and where inside it.",
        "Then take the mean or the maximum over the two axes that say where inside the square.",
        "`squares = x.reshape(H // 2, 2, W // 2, 2, N)`, and then `squares.mean((1, 3))` or "
        "`squares.max((1, 3))`; for a batch, begin with B and use the axes (2, 4).",
    ),
    mistakes=(
        ("kinds exchanged",
         'The kinds are exchanged: "average" is the mean of a square, "max" its largest number.',
         by_kind(maxima, means)),
        ("kind ignored",
         'Both kinds give the same result: compare `kind` with the word "average" or "max".',
         by_kind(largest=means), by_kind(average=maxima)),
        ("rows mixed",
         "The shape is right, but each result comes from four numbers in one row, not from a "
         "square: `reshape` keeps the reading order. Use (H // 2, 2, W // 2, 2), and the mean or "
         "the maximum over the two axes of length 2.",
         *over((3, 4), reshaped("B", "H", "W", 2, 2, "N"))),
        ("channels mixed", "The `reshape` mixes the channels: N must stay the last axis.",
         *over((4, 5), reshaped("B", "H", "W", "N", 2, 2)),
         *over((3, 5), reshaped("B", "H", "W", 2, "N", 2)),
         *over((2, 5), reshaped("B", "H", 2, "W", "N", 2)),
         *over((3, 5), reshaped("B", "N", "H", 2, "W", 2))),
        ("pixels far apart",
         "The pixels that are pooled together lie half a picture apart: split H into (H // 2, 2), "
         "not into (2, H // 2), and W likewise.",
         *over((1, 3), reshaped("B", 2, "H", 2, "W", "N")),
         *over((1, 4), reshaped("B", 2, "H", "W", 2, "N")),
         *over((2, 3), reshaped("B", "H", 2, 2, "W", "N"))),
        ("sides exchanged", "Height and width are exchanged: H comes before W.",
         *over((2, 4), reshaped("B", "W", 2, "H", 2, "N")),
         *in_any_kind(lambda x, kind: pool(x, kind).swapaxes(1, 2))),
        ("wrong axes",
         "The squares are split correctly, but then the wrong axes are pooled: take the two that "
         "have length 2. A batch axis in front moves them by one.",
         *over((1, 3)), *over((2, 3)), *over((1, 4)), *over((1, 2)), *over((3, 4))),
        ("one side only", "Only one side is pooled: both H and W must be halved.",
         *over(2, reshaped("B", "H", 2, -1, "N")), *over(3, reshaped("B", -1, "W", 2, "N")),
         *over(2), *over(4)),
        ("sum for mean", "This is the sum of the four numbers: divide it by 4 for the mean.",
         by_kind(lambda x: 4 * means(x))),
        ("divided by 2", "A square has four numbers, so divide their sum by 4, not by 2.",
         by_kind(lambda x: 2 * means(x))),
        ("divided twice", "The mean is divided once more: `mean` has already divided by 4.",
         by_kind(lambda x: means(x) / 4), by_kind(lambda x: means(x) / 2)),
        ("one pixel of four",
         "Only one pixel of each square is used, and the other three are lost: pool all four.",
         *(wrong for place in PLACES for wrong in picked(place))),
        ("not all four pixels", "Some pixels of each square are left out: pool all four.",
         *(wrong for two in itertools.combinations(PLACES, 2) for wrong in picked(*two))),
        ("minimum", "This is the smallest number of each square: max pooling keeps the largest.",
         by_kind(largest=ranked(0)), by_kind(ranked(0), ranked(0))),
        ("minimum for mean", "This is the smallest number of each square: its mean uses all four.",
         by_kind(ranked(0))),
        ("median", "This is the median of each square; its mean adds all four and divides by 4.",
         by_kind(lambda x: (ranked(1)(x) + ranked(2)(x)) / 2), by_kind(ranked(1)),
         by_kind(ranked(2))),
        ("middle of the extremes",
         "This is halfway between the smallest and the largest: the mean uses all four numbers.",
         by_kind(lambda x: (ranked(0)(x) + ranked(3)(x)) / 2)),
        ("mean and maximum mixed",
         "One side is averaged and the other gets the maximum: each kind does the same on both.",
         *in_any_kind(lambda x, kind: squares(x).max(4).mean(2)),
         *in_any_kind(lambda x, kind: squares(x).mean(4).max(2))),
        ("negative numbers lost",
         "Features can be negative, and so can the result: start the maximum with a number of the "
         "square, not with 0, and do not take absolute values.",
         by_kind(largest=lambda x: np.maximum(maxima(x), 0)),
         *in_any_kind(lambda x, kind: pool(np.maximum(x, 0), kind)),
         *in_any_kind(lambda x, kind: pool(np.abs(x), kind))),
        ("position for value",
         "`argmax` says where the largest number is: return the number itself.",
         by_kind(largest=lambda x: fours(x).argmax(3))),
        ("squared first", "The numbers are squared first: average them as they are.",
         by_kind(lambda x: means(x**2)), by_kind(lambda x: means(x**2) ** 0.5)),
        ("rounded", "The result is rounded: divide by `/`, not by `//`, and keep the floats.",
         *(wrong for whole in (np.floor, np.rint, np.trunc)
           for wrong in in_any_kind(lambda x, kind, whole=whole: whole(pool(x, kind))))),
        ("squares overlap",
         "The squares begin one pixel apart and overlap: they must begin two pixels apart.",
         *over((4, 5), windows(2)), *over((4, 5), one_pixel_apart)),
        ("3×3 windows",
         "The windows are 3×3 and overlap. A slice leaves out its end: use `[2 * u : 2 * u + 2]`.",
         *in_any_kind(clipped_windows), *over((4, 5), windows(3, 2))),
        ("channels pooled", "The channels are pooled too: each must keep its own numbers.",
         *over((2, 4, 5)), *over((2, 4, 5), lambda x: squares(x)[..., None])),
        ("whole picture pooled",
         "The whole picture is pooled to one position: pool each 2×2 square by itself.",
         *over((1, 2), lambda x: x), *over((1, 2), lambda x: x[:, :, :, None, None]),
         *over((1, 2, 3), lambda x: x)),
        ("enlarged again",
         "Each result is repeated all over its square: there should be one for each square.",
         *in_any_kind(lambda x, kind: pool(x, kind).repeat(2, 1).repeat(2, 2))),
        ("not pooled", "The features come back as they were.", *in_any_kind(lambda x, kind: x)),
    ),
    properties=(
        ("constant features changed", "If every feature is 7, so is every result.",
         of_both(lambda f, kind: (SEVENS[:, ::2, ::2], f(SEVENS, kind)))),
        ("channels mixed", "Reversing the channels before or after pooling must be the same.",
         commutes(lambda x: x[..., ::-1])),
        ("sides treated differently",
         "Exchanging rows and columns before or after pooling must be the same.",
         commutes(lambda x: x.swapaxes(1, 2))),
        ("squares treated differently",
         "Mirroring the features before or after pooling must be the same.",
         commutes(lambda x: x[:, :, ::-1])),
        ("wrong scaling", "Twice the features are twice the result.",
         of_both(lambda f, kind: (2 * f(F0, kind), f(2 * F0, kind)))),
    ),
)
# fmt: on


def receptive_field(steps: Sequence[tuple[int, int]]) -> int:
    """Return how many pixels wide one unit sees; `steps` lists (kernel, stride), picture first."""
    r, jump = 1, 1
    for kernel, stride in steps:
        r, jump = r + (kernel - 1) * jump, jump * stride
    return r


def of_layers(formula: Callable) -> Callable:
    """A wrong formula(k, s, j, after): kernels, strides, and the jumps before and after them."""

    def wrong(steps):
        k, s = np.array(steps).T
        return formula(k, s, np.cumprod(s) // s, np.cumprod(s))

    return wrong


def folded(rule: Callable) -> Callable:
    """A wrong rule(r, k, s) for the next receptive field, from the picture upwards."""
    return lambda steps: functools.reduce(lambda r, step: rule(r, *step), steps, 1)


def downwards(rule: Callable) -> Callable:
    """The same from the last layer down to the picture."""
    return lambda steps: folded(rule)(steps[::-1])


# fmt: off
RECEPTIVE_FIELD = Exercise(
    receptive_field,
    cases=tuple(Case(steps) for steps in (
        [(3, 1)], [(3, 1)] * 3, [(7, 2), (3, 2)], [(3, 1), (2, 2), (5, 1)],
        [(5, 3), (2, 2), (4, 2), (3, 1)],
        [(3, 1), (3, 1), (2, 2), (3, 1), (3, 1), (2, 2), (3, 1)],  # VGG19, to block 3
    )),
    hints=(
        "Keep two numbers while you go up the list: r, how far a unit sees, and j, how many pixels "
        "apart two neighbors lie. Both begin at 1.",
        "A window of k units covers k − 1 gaps between neighbors, and each gap is j pixels wide.",
        "The window lies on the layer below, so it uses the old jump: enlarge j after r.",
        "In the loop, `r = r + (kernel - 1) * j`, and then `j = j * stride`.",
    ),
    mistakes=(
        ("strides ignored",
         "The strides are never used: neighbors lie further apart after each of them.",
         of_layers(lambda k, s, j, after: 1 + (k - 1).sum())),
        ("own stride first",
         "The jump is enlarged too early: a window lies on the layer below, whose neighbors are "
         "the old jump apart. Change r first, then j.",
         of_layers(lambda k, s, j, after: 1 + ((k - 1) * after).sum())),
        ("1 not subtracted",
         "A window of k units covers k − 1 gaps, so it adds (k − 1) · j, and r begins at 1.",
         of_layers(lambda k, s, j, after: 1 + (k * j).sum()),
         of_layers(lambda k, s, j, after: (k * j).sum()),
         of_layers(lambda k, s, j, after: 1 + k.sum()), of_layers(lambda k, s, j, after: k.sum()),
         of_layers(lambda k, s, j, after: 1 + (k * after).sum()),
         of_layers(lambda k, s, j, after: (k * after).sum())),
        ("r begins at 0", "Before the first layer a unit is one pixel, which sees itself: r is 1.",
         of_layers(lambda k, s, j, after: ((k - 1) * j).sum()),
         of_layers(lambda k, s, j, after: (k - 1).sum())),
        ("kernels multiplied", "The receptive field grows by addition, not by multiplication.",
         of_layers(lambda k, s, j, after: k.prod()),
         of_layers(lambda k, s, j, after: (k * s).prod())),
        ("only the last layer",
         "Only the last layer counts: r must grow in every turn of the loop.",
         of_layers(lambda k, s, j, after: k[-1]),
         of_layers(lambda k, s, j, after: 1 + (k[-1] - 1) * j[-1]),
         of_layers(lambda k, s, j, after: k[-1] * j[-1])),
        ("only the first layer", "Only the first layer counts: is `return` inside the loop?",
         of_layers(lambda k, s, j, after: k[0])),
        ("last layer forgotten", "The last layer is missing: does the loop end one step too early?",
         lambda steps: receptive_field(steps[:-1])),
        ("first layer forgotten", "The first layer is missing: the loop must begin with it.",
         lambda steps: receptive_field(steps[1:]),
         of_layers(lambda k, s, j, after: 1 + ((k - 1) * j)[1:].sum())),
        ("order reversed",
         "This goes through the list from its end, but it is written from the picture upwards.",
         lambda steps: receptive_field(steps[::-1])),
        ("jump for field", "This is the jump, the product of the strides: return r.",
         of_layers(lambda k, s, j, after: after[-1]), of_layers(lambda k, s, j, after: j[-1])),
        ("strides added", "The jump is the product of the strides below, not their sum.",
         of_layers(lambda k, s, j, after: 1 + ((k - 1) * (1 + s.cumsum() - s)).sum()),
         of_layers(lambda k, s, j, after: 1 + ((k - 1) * (1 + (s - 1).cumsum() - (s - 1))).sum()),
         of_layers(lambda k, s, j, after: 1 + ((k - 1) * s.cumsum()).sum())),
        ("jump of one layer only",
         "This uses one layer's stride as the jump, which is the product of all the strides below.",
         of_layers(lambda k, s, j, after: 1 + ((k - 1) * s).sum()),
         of_layers(lambda k, s, j, after: 1 + ((k - 1) * [1, *s[:-1]]).sum()),
         of_layers(lambda k, s, j, after: 1 + (k * s).sum()),
         of_layers(lambda k, s, j, after: (k * s).sum())),
        ("last jump for all",
         "Every layer has a jump of its own, the product of the strides below it.",
         of_layers(lambda k, s, j, after: 1 + (k - 1).sum() * after[-1]),
         of_layers(lambda k, s, j, after: 1 + (k - 1).sum() * j[-1])),
        ("strides divided", "A stride moves neighbors further apart: multiply the jump by it.",
         of_layers(lambda k, s, j, after: 1 + ((k - 1) / j).sum()),
         of_layers(lambda k, s, j, after: 1 + ((k - 1) / after).sum())),
        ("field multiplied by the stride",
         "The stride multiplies the jump j, not the receptive field r.",
         folded(lambda r, k, s: (r + k - 1) * s), folded(lambda r, k, s: r * s + k - 1)),
        ("wrong way down",
         "Going down from the last layer, r units in a row see (r − 1) · s + k units of the layer "
         "below.",
         downwards(lambda r, k, s: r * s + k), downwards(lambda r, k, s: r * s + k - 1),
         downwards(lambda r, k, s: (r + k - 1) * s),
         downwards(lambda r, k, s: (r - 1) * s + k - 1)),
        ("kernel and stride exchanged", "Each pair is (kernel, stride), in this order.",
         lambda steps: receptive_field([step[::-1] for step in steps])),
        ("brackets forgotten", "Without brackets, only 1 is multiplied: write `(kernel - 1) * j`.",
         of_layers(lambda k, s, j, after: 1 + (k - j).sum())),
        ("one direction only",
         "This counts the overhang on one side only: a window reaches out on both sides.",
         of_layers(lambda k, s, j, after: 1 + (k // 2 * j).sum()),
         of_layers(lambda k, s, j, after: 1 + ((k - 1) // 2 * j).sum())),
        ("odd kernels only",
         "Right for odd kernels, but one of side 2 adds exactly j: use k − 1 for both.",
         of_layers(lambda k, s, j, after: 1 + (k // 2 * 2 * j).sum()),
         of_layers(lambda k, s, j, after: 1 + ((k - 1) // 2 * 2 * j).sum())),
        ("pooling forgotten",
         "Layers with a larger stride are left out: they see further too, by (k − 1) · j.",
         of_layers(lambda k, s, j, after: 1 + ((k - 1) * j)[s == 1].sum()),
         of_layers(lambda k, s, j, after: 1 + (k - 1)[s == 1].sum())),
        ("area for side", "This is the number of pixels, r²: return r, the side.",
         lambda steps: receptive_field(steps) ** 2),
        ("jump returned too", "This returns the jump as well: return r alone.",
         of_layers(lambda k, s, j, after: [1 + ((k - 1) * j).sum(), after[-1]]),
         of_layers(lambda k, s, j, after: [after[-1], 1 + ((k - 1) * j).sum()])),
        ("a number for each layer", "This lists r for every layer: return the last one only.",
         of_layers(lambda k, s, j, after: 1 + ((k - 1) * j).cumsum()),
         of_layers(lambda k, s, j, after: [1, *(1 + ((k - 1) * j).cumsum())]),
         of_layers(lambda k, s, j, after: (k - 1) * j)),
    ),
    properties=(
        ("wrong for one layer", "A unit of the first layer sees its kernel, whatever the stride.",
         lambda f: (np.array([3, 2, 7]), np.stack([f([(3, 1)]), f([(2, 2)]), f([(7, 2)])]))),
        ("last stride counts", "The last layer's stride matters only to a layer above it.",
         lambda f: (f([(3, 2), (5, 1)]), f([(3, 2), (5, 4)]))),
        ("jump not multiplied", "After two strides of 2, a 3×3 window adds 2 · 4 pixels.",
         lambda f: (f([(2, 2), (2, 2)]) + 8, f([(2, 2), (2, 2), (3, 1)]))),
    ),
)


def count_weights(side: int, channels_in: int, channels_out: int) -> int:
    """Return how many numbers a convolution holds, kernels and biases together."""
    return side * side * channels_in * channels_out + channels_out


COUNT_WEIGHTS = Exercise(
    count_weights,
    cases=(Case(1, 1, 1), Case(2, 1, 3), Case(3, 3, 2), Case(1, 6, 4), Case(5, 2, 3),
           Case(7, 4, 5), Case(3, 3, 32)),
    hints=(
        "Begin with one kernel: how many numbers does it have on each channel that comes in?",
        "A kernel has side × side × channels_in numbers, because it reaches through all the "
        "channels that come in.",
        "Each channel that goes out has a kernel of its own, and one bias.",
        "`side * side * channels_in * channels_out + channels_out`",
    ),
    mistakes=(
        ("biases forgotten", "The biases are missing: there is one for each channel that goes out.",
         lambda s, i, o: s * s * i * o),
        ("a bias for each number", "There are too many biases: a whole kernel has only one.",
         lambda s, i, o: 2 * s * s * i * o, lambda s, i, o: s * s * i * o + s * s * o,
         lambda s, i, o: s * s * i * o + s * s, lambda s, i, o: s * s * i * o + i * o,
         lambda s, i, o: s * s * i * o + s * s * i),
        ("biases of the channels in",
         "Biases belong to the channels that go out, not to those that come in.",
         lambda s, i, o: s * s * i * o + i, lambda s, i, o: s * s * i * o + i + o),
        ("one bias for all", "Each channel that goes out has a bias of its own.",
         lambda s, i, o: s * s * i * o + 1),
        ("biases subtracted", "Add the biases; do not subtract them.",
         lambda s, i, o: s * s * i * o - o),
        ("biases counted twice", "There is one bias for each channel that goes out, not two.",
         lambda s, i, o: s * s * i * o + 2 * o),
        ("a bias for each row", "A kernel has one bias, not one for each of its rows.",
         lambda s, i, o: s * s * i * o + s * o),
        ("side not squared", "A kernel has side × side numbers on each channel: square the side.",
         lambda s, i, o: s * i * o + o, lambda s, i, o: 2 * s * i * o + o,
         lambda s, i, o: s * i * o, lambda s, i, o: 2 * s * i * o),
        ("`^` for `**`", "In Python `^` is no power: write `side**2` or `side * side`.",
         lambda s, i, o: (s ^ 2) * i * o + o, lambda s, i, o: (s ^ 2) * i * o),
        ("side cubed", "A kernel has side × side numbers on each channel: the third factor is "
         "channels_in.", lambda s, i, o: s**3 * i * o + o, lambda s, i, o: s**3 * o + o),
        ("channels in forgotten",
         "A kernel reaches through all the channels that come in: multiply by channels_in.",
         lambda s, i, o: s * s * o + o, lambda s, i, o: s * s * o, lambda s, i, o: s * s + o,
         lambda s, i, o: s * s + 1),
        ("channels out forgotten",
         "This is one kernel: each of the channels that go out has its own.",
         lambda s, i, o: s * s * i, lambda s, i, o: s * s * i + 1, lambda s, i, o: s * s * i + o,
         lambda s, i, o: s * s * i + i),
        ("channels added", "Every channel out has numbers for every channel in: multiply the two.",
         lambda s, i, o: s * s * (i + o) + o, lambda s, i, o: s * s * (i + o)),
        ("channels squared", "Each number of channels is a factor once.",
         lambda s, i, o: (s * i) ** 2 * o + o, lambda s, i, o: s * s * i * o * o + o,
         lambda s, i, o: (s * i * o) ** 2 + o, lambda s, i, o: s * s * i * i + i,
         lambda s, i, o: s * s * o * o + o),
        ("side always 3", "Not every kernel is 3×3: use `side`.",
         lambda s, i, o: 9 * i * o + o, lambda s, i, o: 9 * i * o),
        ("always three channels in",
         "Only the first layer gets red, green and blue: use channels_in, not 3.",
         lambda s, i, o: s * s * 3 * o + o, lambda s, i, o: s * s * 3 * o),
        ("one kernel for each channel in",
         "Each channel out has a kernel for every channel in, not one kernel that they share.",
         lambda s, i, o: s * s * i + i * o, lambda s, i, o: s * s * i + i * o + o,
         lambda s, i, o: s * s * i + i * o + i + o),
        ("only the biases", "These are the biases alone; the kernels are missing.",
         lambda s, i, o: o),
        ("biases multiplied", "Add the biases to the kernels; do not multiply.",
         lambda s, i, o: s * s * i * o * o),
        ("not added up", "Add the kernels' numbers and the biases: return one number.",
         lambda s, i, o: np.array([s * s * i * o, o])),
    ),
    properties=(
        ("wrong for one channel", "From one channel to one, a 3×3 layer has 9 weights and a bias.",
         lambda f: (np.array(10), f(3, 1, 1))),
        ("wrong in the channels out",
         "Twice as many channels out have twice as many kernels and biases.",
         lambda f: (2 * f(3, 2, 4), f(3, 2, 8))),
        ("wrong in the channels in",
         "One more channel in adds side × side numbers to the kernel of each channel out.",
         lambda f: (f(3, 2, 4) + 36, f(3, 3, 4))),
        ("wrong in the side", "From side 3 to side 5, a kernel on one channel grows by 16 numbers.",
         lambda f: (f(3, 1, 4) + 64, f(5, 1, 4))),
    ),
)
# fmt: on
