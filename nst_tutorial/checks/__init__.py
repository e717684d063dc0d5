"""Exercises that check themselves and name the mistake.

    from nst_tutorial import checks as check

    check.gram_matrix(gram_matrix)   # your own function: the report says what is wrong with it
    check.gram_matrix.hint()         # one hint more at each call
    check.progress()                 # what is done

A function is judged by what it returns for several small pictures, non-square, in batches of one
and two. It may be written in NumPy, TensorFlow or `keras.ops`, with the package's arguments, and
return numbers, arrays or tensors. One that is written for one picture, as the papers' formulas
are, is right too, with a batch axis of one or without any.

Five exercises have no namesake in the package. `pool(x, kind)` halves both sides of features, by
the "average" or the "max" of each 2×2 square. `receptive_field(steps)` takes a list of pairs
(kernel, stride), from the picture upwards, and returns how many pixels wide one unit sees.
`count_weights(side, channels_in, channels_out)` counts the numbers in the kernels and the biases of
a convolution. `optimization_step(image, gradient, learning_rate)` returns the picture after a plain
step down the gradient, in 0..255. `upsample(image, shape)` enlarges to `(1, H, W, 3)`, as
`scales.enlarge` does without a content picture, by any interpolation.

`match_colors(image, reference)` may take any root of the covariances: its result is judged by the
mean and the covariance of its colors, which are not clipped.
"""

from collections.abc import Callable

from nst_tutorial.checks import control, features, network, pictures, steps
from nst_tutorial.checks.judge import Exercise, judge
from nst_tutorial.checks.report import Checklist, Report


class Check:
    """Call it with your function. It never raises, unless `strict` asks for an AssertionError."""

    def __init__(self, exercise: Exercise) -> None:
        self.exercise, self.state, self._hints = exercise, "not tried", 0
        self.__doc__ = f"Check your own `{exercise.name}`."

    def __call__(self, function: Callable, strict: bool = False) -> Report:
        mistake, message = judge(self.exercise, function)
        report = Report(self.exercise.name, mistake, message)
        self.state = report.state
        if strict and not report.passed:
            raise AssertionError(repr(report))
        return report

    def hint(self) -> None:
        """Print the next hint; after the last one, that again."""
        hints = self.exercise.hints
        self._hints = min(self._hints + 1, len(hints))
        print(f"Hint {self._hints} of {len(hints)}: {hints[self._hints - 1]}")

    def __repr__(self) -> str:
        return f"<check of {self.exercise.name}: {self.state}>"


to_vgg = Check(pictures.TO_VGG)
from_vgg = Check(pictures.FROM_VGG)
pool = Check(network.POOL)
receptive_field = Check(network.RECEPTIVE_FIELD)
count_weights = Check(network.COUNT_WEIGHTS)
content_loss = Check(features.CONTENT_LOSS)
content_loss_gradient = Check(features.CONTENT_LOSS_GRADIENT)
gram_matrix = Check(features.GRAM_MATRIX)
style_layer_loss = Check(features.STYLE_LAYER_LOSS)
style_layer_loss_gradient = Check(features.STYLE_LAYER_LOSS_GRADIENT)
style_loss = Check(features.STYLE_LOSS)
total_variation_loss = Check(pictures.TOTAL_VARIATION_LOSS)
total_loss = Check(steps.TOTAL_LOSS)
optimization_step = Check(steps.OPTIMIZATION_STEP)
upsample = Check(steps.UPSAMPLE)
guided_gram_matrix = Check(control.GUIDED_GRAM_MATRIX)
match_colors = Check(control.MATCH_COLORS)

CHECKS = [one for one in [*globals().values()] if isinstance(one, Check)]


def progress() -> Checklist:
    """Show what is done in this session."""
    return Checklist({check.exercise.name: check.state for check in CHECKS})
