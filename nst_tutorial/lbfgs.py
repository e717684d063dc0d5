"""L-BFGS for pictures: each stride is scaled by how the gradient changed along the last few.

Nocedal and Wright, Numerical Optimization, 2nd edition: algorithms 7.4 and 7.5. The picture is
kept in its range by projection.
"""

import math

import numpy as np

from nst_tutorial.optimizers import Evaluate, Series, check_state
from nst_tutorial.runtime.errors import NSTError, NSTWarning
from nst_tutorial.runtime.types import Array, Terms

PAIRS = 10  # how many strides it remembers
FIRST = 4.0  # gray levels that the first stride moves the pixel it moves most
DECREASE, CURVATURE = 1e-3, 0.9  # the constants of the Wolfe conditions
TRIES = 20  # strides tried along one direction, at most


class StalledWarning(NSTWarning):
    """L-BFGS found no way down and left steps untaken; the picture is the best it had."""


class LBFGS:
    """A picture on its way down, and what L-BFGS remembers of the way.

    Args:
        start: `(1, H, W, 3)`, RGB, 0..255.
        clip: keep the picture in 0..255.
        series: a `FourierSeries`, by which lengths are measured; None: by pixels.
    """

    # How long a stride along the gradient is, as a multiple of it; None: as `FIRST` says. It is
    # learned from the curvature, and another size can be given what one has learned.
    scale: float | None = None

    def __init__(self, start: Array, clip: bool = True, series: Series = None) -> None:
        self.picture, self._clip, self._series = np.array(start, "float32"), clip, series
        self._limits = (0, 255) if clip else (-math.inf, math.inf)
        self._forget()

    def _forget(self):
        self._value = None
        self._gradient: Array = None
        self._pairs: list[tuple[Array, Array, float]] = []

    def take(self, evaluate: Evaluate, rate: float | None = None) -> Terms | None:
        """Take one iteration. Where it finds no way down, forget the history and try once more.

        Args:
            evaluate: picture → (terms, gradient): a dictionary whose `"total"` is minimized, and
                an array of the picture's shape.
            rate: ignored; each stride finds its own length.

        Returns:
            the terms of the new picture; None if there was no way down twice in a row.
        """
        found = self._search(evaluate)
        if not found:
            self._forget()
            self.scale = None
            found = self._search(evaluate)
        if not found:
            return None
        picture, terms, gradient = found
        self._remember(picture - self.picture, gradient - self._gradient)
        self.picture, self._value, self._gradient = picture, terms["total"], gradient
        return terms

    def _search(self, evaluate):
        """Try strides along one direction until one meets the Wolfe conditions.

        Returns:
            `(picture, terms, gradient)`; None if no stride lowers the total enough.
        """
        if self._gradient is None:
            terms, self._gradient = _look(evaluate, self.picture)
            self._value = terms["total"]
        free = self._free()
        direction = np.where(free, self._direction(np.where(free, -self._gradient, 0)), 0)
        stride, shortest, longest, best = 1.0, 0.0, math.inf, None
        for _ in range(TRIES):
            picture = np.clip(self.picture + np.float32(stride) * direction, *self._limits)
            step = picture - self.picture
            slope = dot(self._gradient, step)
            if not slope < 0:  # nothing moves, or uphill
                longest, rise = stride, 0.0
            else:
                terms, gradient = _look(evaluate, picture)
                rise = terms["total"] - self._value
                if rise > DECREASE * slope:
                    longest = stride
                else:
                    shortest, best = stride, (picture, terms, gradient)
                    if dot(gradient, step) >= CURVATURE * slope:
                        break
            stride = _next_stride(stride, shortest, longest, rise, slope)
        return best

    def _free(self):
        """Which numbers of the picture can follow the gradient without leaving the range."""
        lowest, highest = self._limits
        g = self._gradient
        return ~((self.picture <= lowest) & (g > 0) | (self.picture >= highest) & (g < 0))

    def _direction(self, q):
        """Multiply by the inverse Hessian that the pairs stand for (algorithm 7.4)."""
        shares = []
        for s, y, curvature in reversed(self._pairs):
            shares.append(dot(s, q) / curvature)
            q = q - np.float32(shares[-1]) * y
        r = self._measure(q)
        r = r * np.float32(self.scale or FIRST / max(np.abs(r).max(), 1e-30))
        for (s, y, curvature), share in zip(self._pairs, reversed(shares), strict=True):
            r += np.float32(share - dot(y, r) / curvature) * s
        return r

    def _measure(self, q):
        """The steepest descent for a gradient q, where lengths are those of the series."""
        return self._series.decode(self._series.pull_back(q)) if self._series else q

    def _remember(self, s, y):
        """Keep a pair unless the curvature along it is not positive; let go of the oldest."""
        curvature = dot(s, y)
        if curvature > 0:
            self._pairs = [*self._pairs, (s, y, curvature)][-PAIRS:]
            self.scale = curvature / dot(y, self._measure(y))

    def state(self) -> dict[str, np.ndarray]:
        """Return the picture and all that is remembered, `{name: array}`."""
        if self._gradient is None:
            return {"picture": self.picture}
        state = {"picture": self.picture, "gradient": self._gradient}
        state |= {"value": np.array(self._value), "scale": np.array(self.scale or 0.0)}
        for number, (s, y, _) in enumerate(self._pairs):
            state |= {f"s{number}": s, f"y{number}": y}
        return state

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Go on from what `state` returned, to the same bytes.

        Raises:
            NSTError: it is not what a picture of this shape would have saved.
        """
        count = min(sum(name.startswith("y") for name in state), PAIRS)
        names = ["gradient", *(f"{part}{number}" for number in range(count) for part in "sy")]
        begun = len(state) > 1
        expected = dict.fromkeys(["picture", *(names if begun else [])], self.picture)
        numbers = dict.fromkeys(["value", "scale"] if begun else [], np.array(0.0))
        check_state(state, expected | numbers, self._clip)
        saved = [(state[f"s{number}"], state[f"y{number}"]) for number in range(count)]
        pairs = [(s, y, dot(s, y)) for s, y in saved]
        scale = float(state.get("scale", 0.0))
        if scale < 0 or not all(0 < curvature < math.inf for *_, curvature in pairs):
            raise NSTError("the checkpoint's pairs are not those of L-BFGS; remove it.")
        self.picture, self._gradient, self._pairs = state["picture"], state.get("gradient"), pairs
        self._value = float(state["value"]) if begun else None
        self.scale = scale or None


def _look(evaluate, picture):
    """Return the terms, and the gradient as an array of NumPy's, whatever the backend's are."""
    terms, gradient = evaluate(picture)
    return terms, np.array(gradient)


def _next_stride(stride, shortest, longest, rise, slope):
    """Double a stride that was too short; else take the parabola's minimum, or the middle."""
    if longest == math.inf:
        return 2 * stride
    if shortest == 0 and rise > slope:
        return stride * min(max(-slope / (2 * (rise - slope)), 0.1), 0.5)
    return (shortest + longest) / 2


def dot(one: Array, other: Array) -> float:
    """The scalar product, summed in float64 in an order that no number of threads changes."""
    return float(np.sum(one * other, dtype="float64"))
