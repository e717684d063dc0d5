"""L-BFGS for pictures: SciPy's, in opponent colours, held to 0..255, and honest when it stalls."""

import warnings

import numpy as np
import scipy.optimize

from nst_tutorial.errors import NSTWarning

# Rows: luminance, red against green, yellow against blue. Strides in colour are shortened, so that
# what luminance can do is not done by coloured fringes; the minimum stays where it is.
COLOUR_STRIDE = 0.3
OPPONENT = np.array([[1, 1, 1], [1, -1, 0], [1, 1, -2]]) / np.sqrt([[3], [2], [6]])
OPPONENT *= [[1], [COLOUR_STRIDE], [COLOUR_STRIDE]]


class StalledWarning(NSTWarning):
    """L-BFGS found no way down and left steps untaken; the picture is the best it had."""


def minimize(evaluate, image, steps, accept):
    """Take iterations of L-BFGS from a picture; where a line search fails, start anew once.

    Args:
        evaluate: picture → (value, gradient), a float and an array of the picture's shape.
        image: `(1, H, W, 3)`, RGB, 0..255.
        steps: how many iterations.
        accept: called with picture and value after each.

    Warns:
        StalledWarning: it found no way down twice in a row, and ends early.
    """
    taken = 0
    while taken < steps:
        image, more = _iterate(evaluate, image, steps - taken, accept)
        if taken and more <= 1 < steps - taken:
            warnings.warn(
                f"L-BFGS found no way down after {taken} of {steps} steps at {max(image.shape)} px,"
                " and stopped there; try adam, or another start.",
                StalledWarning,
                stacklevel=4,
            )
            return
        taken += max(more, 1)


def _iterate(evaluate, start, steps, accept):
    """Hand the picture to SciPy, which hides its history: each call gathers it anew."""
    latest = [start]

    def picture(change):
        return start + change.reshape(start.shape) @ OPPONENT

    def evaluate_change(change):
        unbounded = picture(change)
        value, gradient = evaluate(np.clip(unbounded, 0, 255))
        outward = (unbounded < 0) & (gradient > 0) | (unbounded > 255) & (gradient < 0)
        return value, (np.where(outward, 0, gradient) @ OPPONENT.T).ravel()

    def note(intermediate_result):
        latest[0] = np.clip(picture(intermediate_result.x), 0, 255)
        accept(latest[0], float(intermediate_result.fun))

    result = scipy.optimize.minimize(
        evaluate_change, np.zeros(start.size), jac=True, method="L-BFGS-B", callback=note,
        options={"maxiter": steps, "maxfun": 20 * steps, "ftol": 0, "gtol": 0},
    )  # fmt: skip
    return latest[0], result.nit
