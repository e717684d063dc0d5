"""L-BFGS for pictures: SciPy's, in opponent colours, and honest when it stalls."""

import warnings

import numpy as np
import scipy.optimize

from nst_tutorial.errors import NSTWarning

# Rows: luminance, red against green, yellow against blue; orthonormal.
OPPONENT = np.array([[1, 1, 1], [1, -1, 0], [1, 1, -2]]) / np.sqrt([[3], [2], [6]])


class StalledWarning(NSTWarning):
    """L-BFGS found no way down and left steps untaken; the picture is the best it had."""


def minimize(evaluate, image, steps, accept, clip=True, colour_stride=1.0):
    """Take iterations of L-BFGS from a picture; where a line search fails, start anew once.

    Args:
        evaluate: picture → (value, gradient), a float and an array of the picture's shape.
        image: `(1, H, W, 3)`, RGB, 0..255.
        steps: how many iterations.
        accept: called with picture and value after each.
        clip: keep the picture in 0..255.
        colour_stride: strides in colour are so long, those in luminance 1. Below 1, what luminance
            can do is not done by coloured fringes; the minimum stays where it is.

    Warns:
        StalledWarning: it found no way down twice in a row, and ends early.
    """
    taken = 0
    while taken < steps:
        image, more = _iterate(evaluate, image, steps - taken, accept, clip, colour_stride)
        if taken and more <= 1 < steps - taken:
            warnings.warn(
                f"L-BFGS found no way down after {taken} of {steps} steps at {max(image.shape)} px,"
                " and stopped there; try adam, or another start.",
                StalledWarning,
                stacklevel=4,
            )
            return
        taken += max(more, 1)


def _iterate(evaluate, start, steps, accept, clip, colour_stride):
    """Hand the picture to SciPy, which hides its history: each call gathers it anew."""
    latest = [start]
    lowest, highest = (0, 255) if clip else (-np.inf, np.inf)
    if colour_stride == 1:  # as SciPy has it: each number of a pixel for itself, within bounds
        basis, bounds = np.eye(3), scipy.optimize.Bounds(*_sides(start, lowest, highest))
    else:  # what leaves the range is cut off, and is not pushed further out
        basis, bounds = OPPONENT * [[1], [colour_stride], [colour_stride]], None

    def picture(change):
        return start + change.reshape(start.shape) @ basis

    def evaluate_change(change):
        unbounded = picture(change)
        value, gradient = evaluate(np.clip(unbounded, lowest, highest))
        outward = (unbounded < lowest) & (gradient > 0) | (unbounded > highest) & (gradient < 0)
        return value, (np.where(outward, 0, gradient) @ basis.T).ravel()

    def note(intermediate_result):
        latest[0] = np.clip(picture(intermediate_result.x), lowest, highest)
        accept(latest[0], float(intermediate_result.fun))

    result = scipy.optimize.minimize(
        evaluate_change, np.zeros(start.size), jac=True, method="L-BFGS-B", callback=note,
        bounds=bounds,
        options={"maxiter": steps, "maxfun": 20 * steps, "ftol": 0, "gtol": 0},
    )  # fmt: skip
    return latest[0], result.nit


def _sides(start, lowest, highest):
    return (lowest - start).ravel(), (highest - start).ravel()
