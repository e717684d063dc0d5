"""Optimizers: how a gradient moves the picture, and by how much at each step.

Each is a pure function of what it remembers, so one compiled graph serves all pictures of a size.
"""

import dataclasses
import functools
from collections.abc import Callable

import numpy as np

from nst_tutorial.config import TransferConfig
from nst_tutorial.runtime.backend import compiled, ops
from nst_tutorial.runtime.errors import NSTError
from nst_tutorial.runtime.types import Array, Arrays, Shape, Terms

Evaluate = Callable[[Array], tuple[Terms, Array]]  # a picture to its terms and the gradient
Moved = tuple[Array, Arrays]  # a picture, and what an optimizer remembers with it
BETA_2 = 0.999  # of Adam and Nadam: how long they remember the gradient's square


class DivergedError(ArithmeticError):
    """A loss or its gradient is NaN or infinite; the picture is still the last good one."""


@dataclasses.dataclass(frozen=True)
class GradientDescent:
    r"""Move against the gradient: $x \leftarrow x - \eta g$."""

    def start(self, picture: Array) -> Arrays:
        """Return what it remembers before the first step, `{name: array}`."""
        return {}

    def move(self, picture: Array, gradient: Array, memory: Arrays, rate: Array) -> Moved:
        """Return the picture after one step, and what is remembered then."""
        return picture - rate * gradient, memory


@dataclasses.dataclass(frozen=True)
class Adam:
    r"""Adam (1412.6980): a pixel moves by about the learning rate, however large its gradient.

    $m \leftarrow \beta_1 m + (1 - \beta_1) g$, $v \leftarrow \beta_2 v + (1 - \beta_2) g^2$ and

    $x \leftarrow x - \eta \frac{\sqrt{1 - \beta_2^t}}{1 - \beta_1^t} \frac{m}{\sqrt{v} + \epsilon}$

    Differs: in nothing from Keras' Adam, whose state is in variables; a test compares the two.
    Taught in: 07_full_transfer.
    """

    beta_1: float = 0.9
    epsilon: float = 1e-7

    def start(self, picture: Array) -> Arrays:
        """Return what it remembers before the first step, `{name: array}`."""
        zeros = np.zeros(picture.shape, "float32")
        return {"t": np.zeros((), "float32"), "m": zeros, "v": zeros}

    def move(self, picture: Array, gradient: Array, memory: Arrays, rate: Array) -> Moved:
        """Return the picture after one step, and what is remembered then."""
        t, m, v = self._remember(memory, gradient)
        size = rate * ops.sqrt(1 - BETA_2**t) / (1 - self.beta_1**t)
        return picture - m * size / (ops.sqrt(v) + self.epsilon), {"t": t, "m": m, "v": v}

    def _remember(self, memory, gradient):
        m = memory["m"] + (gradient - memory["m"]) * (1 - self.beta_1)
        v = memory["v"] + (ops.square(gradient) - memory["v"]) * (1 - BETA_2)
        return memory["t"] + 1, m, v


@dataclasses.dataclass(frozen=True)
class Nadam(Adam):
    r"""Nadam (Dozat, 2015): Adam that looks one step ahead.

    $u_t = \beta_1 (1 - \frac{1}{2} 0.96^{d t})$, with the product $U_t = u_1 \dots u_t$, and

    $x \leftarrow x - \frac{\eta}{\sqrt{\hat v} + \epsilon} \left( \frac{u_{t+1}\, m}{1 - U_{t+1}}
    + \frac{(1 - u_t)\, g}{1 - U_t} \right)$

    where m, v are Adam's running means of the gradient g and of its square.

    Args:
        warming: d, 1 as in Keras 3, or 0.004 as in Keras 2. With 1, $u_t$ reaches β₁ within a
            hundred steps; with 0.004 it still is 0.72 β₁ after 3500, so that the gradient of the
            moment counts for more.

    Taught in: 07_full_transfer.
    """

    warming: float = 1.0

    def start(self, picture: Array) -> Arrays:
        """Return what it remembers before the first step, `{name: array}`."""
        return super().start(picture) | {"product": np.ones((), "float32")}

    def move(self, picture: Array, gradient: Array, memory: Arrays, rate: Array) -> Moved:
        """Return the picture after one step, and what is remembered then."""
        t, m, v = self._remember(memory, gradient)
        now, ahead = self.momentum(t), self.momentum(t + 1)
        product = memory["product"] * now
        step = ahead * m / (1 - product * ahead) + (1 - now) * gradient / (1 - product)
        size = ops.sqrt(v / (1 - BETA_2**t)) + self.epsilon
        return picture - rate * step / size, {"t": t, "m": m, "v": v, "product": product}

    def momentum(self, t: Array) -> Array:
        """Return $u_t$: β₁/2 at the start, β₁ in the end."""
        return self.beta_1 * (1 - 0.5 * 0.96 ** (self.warming * t))


Optimizer = GradientDescent | Adam


def make_optimizer(config: TransferConfig) -> Optimizer:
    """Make the optimizer that a `TransferConfig` names; L-BFGS is a module of its own."""
    if config.optimizer == "sgd":
        return GradientDescent()
    given = config.beta_1, config.epsilon
    warming = {"nadam": 1.0, "nadam_keras2": 0.004}.get(config.optimizer)
    return Nadam(*given, warming) if warming else Adam(*given)


class FourierSeries:
    r"""A picture `(1, H, W, 3)` as a sum of waves, in colors that vary independently.

    $x = \mathcal{H}(s \cdot z)\, C$, where $\mathcal{H}$ is Hartley's transform, real and its own
    inverse, $s \propto 1/f$ is how strong waves of frequency f are in photographs, the rows of C
    are their principal colors: what is large and smooth moves first, fringes and grain last.

    Mordvintsev et al., Differentiable image parameterizations, Distill 2018; C is theirs.
    """

    COLORS = np.array([[0.26, 0.27, 0.27], [0.09, 0.00, -0.09], [0.02, -0.05, 0.03]], "float32")

    def __init__(self, shape: Shape) -> None:
        frequency = np.hypot(*np.ix_(*(np.fft.fftfreq(side) for side in shape[1:3])))
        strength = 1 / np.maximum(frequency, 1 / max(shape[1:3]))[None, :, :, None]
        self._strength = (strength / np.sqrt(np.mean(strength**2))).astype("float32")
        self._colors = self.COLORS / np.sqrt(np.sum(self.COLORS**2) / 3)

    def encode(self, picture: Array) -> np.ndarray:
        """Return z of a picture."""
        return hartley(np.asarray(picture) @ np.linalg.inv(self._colors)) / self._strength

    def decode(self, series: Array) -> np.ndarray:
        """Return the picture of z."""
        return hartley(self._strength * np.asarray(series)) @ self._colors

    def pull_back(self, gradient: Array) -> np.ndarray:
        """Turn a gradient by the picture into one by z: the transpose of `decode`."""
        return self._strength * hartley(np.asarray(gradient) @ self._colors.T)


def hartley(x: Array) -> np.ndarray:
    """Transform `(1, H, W, C)` over height and width; orthonormal."""
    waves = np.fft.fft2(x, axes=(1, 2), norm="ortho")
    return (waves.real - waves.imag).astype("float32")


Series = FourierSeries | None


class Descent:
    """A picture on its way down by an optimizer, and what that remembers of the way.

    Args:
        start: `(1, H, W, 3)`, RGB, 0..255.
        optimizer: an `Adam` or another of the above.
        clip: keep the picture in 0..255.
        series: a `FourierSeries`, whose numbers the optimizer moves; None: it moves the pixels.
    """

    def __init__(
        self, start: Array, optimizer: Optimizer, clip: bool = True, series: Series = None
    ) -> None:
        self.picture, self._clip, self._series = _tensor(start), clip, series
        self._memory = _as_tensors(optimizer.start(start))
        self._move = _compiled_move(optimizer, clip and not series, tuple(start.shape))

    def take(self, evaluate: Evaluate, rate: float) -> Terms:
        """Take one step.

        Args:
            evaluate: picture → (terms, gradient).
            rate: the learning rate of this step.

        Returns:
            the terms from before the step.

        Raises:
            DivergedError: the picture is no longer finite; it stays as it was before this step.
        """
        picture = self.picture
        terms, gradient = evaluate(picture)
        if self._series:
            picture, gradient = self._series.encode(picture), self._series.pull_back(gradient)
        given = _tensor(picture), _tensor(gradient), self._memory, _tensor(rate)
        picture, memory, finite = self._move(*given)
        if self._series:
            picture = _tensor(self._series.decode(picture))
            picture = ops.clip(picture, 0.0, 255.0) if self._clip else picture
        if not finite:  # the optimizer squares gradients: that may overflow
            raise DivergedError("the optimizer's step is no longer a number; lower learning_rate")
        self.picture, self._memory = picture, memory
        return terms

    def state(self) -> dict[str, np.ndarray]:
        """Return the picture and what the optimizer remembers, `{name: array}`."""
        state = {"picture": self.picture, **self._memory}
        return {name: np.array(array) for name, array in state.items()}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Go on from what `state` returned, to the same bytes.

        Raises:
            NSTError: it is not what a picture of this shape and optimizer would have saved.
        """
        check_state(state, self.state(), self._clip)
        self._memory = _as_tensors(state)
        self.picture = self._memory.pop("picture")


def _tensor(array):
    return ops.convert_to_tensor(array, "float32")


def _as_tensors(arrays):
    return {name: ops.convert_to_tensor(array) for name, array in arrays.items()}


@functools.lru_cache(maxsize=32)
def _compiled_move(optimizer, clip, shape):
    """Compile a step; the graph holds no picture, and serves all pictures of a shape."""
    return compiled(functools.partial(_move, optimizer, clip))


def _move(optimizer, clip, picture, gradient, memory, rate):
    moved, memory = optimizer.move(picture, gradient, memory, rate)
    moved = ops.clip(moved, 0.0, 255.0) if clip else moved
    return moved, memory, ops.all(ops.isfinite(moved))


def check_state(state: Arrays, expected: Arrays, clip: bool) -> None:
    """Check what was saved of an optimizer before anything goes on from it.

    Args:
        state: `{name: array}`, with the picture under "picture".
        expected: `{name: array}` of the same names, shapes and types.
        clip: whether the picture must be in 0..255.

    Raises:
        NSTError: a name, shape, type or number is not what it should be.
    """
    if state.keys() != expected.keys():
        raise NSTError(f"the checkpoint does not hold just {', '.join(expected)}; remove it.")
    for name, right in expected.items():
        array = state[name]
        if (array.dtype, array.shape) != (right.dtype, right.shape):
            raise NSTError(
                f"{name} in the checkpoint is not {right.dtype} of {right.shape}; remove it."
            )
        if not np.isfinite(array).all():
            raise NSTError(f"{name} in the checkpoint holds NaN or infinity; remove it.")
    if clip and not (state["picture"].min() >= 0 and state["picture"].max() <= 255):
        raise NSTError("the checkpoint's picture leaves 0..255; remove it.")


def rate_at(config: TransferConfig, number: int, steps: int, first: float) -> float:
    """Return the learning rate of one step.

    Args:
        config: a `TransferConfig`. With `decay` None the rate falls to a tenth over all steps;
            otherwise it is multiplied by `decay` in each 100 steps.
        number: steps taken before this one.
        steps: in all.
        first: the rate of the first step.
    """
    if config.decay is None:
        return first * 0.1 ** (number / steps)
    return first * config.decay ** (number / 100)
