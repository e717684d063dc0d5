"""Descent: Adam and its like move a picture, several steps in one call of a compiled graph.

A step is a pure function of the picture and of what the optimizer remembers. So one graph serves
all pictures of a size, and a step whose outcome is no longer a number is not taken at all.
"""

import functools
import math
import threading
import time

import numpy as np

from nst_tutorial.backend import compiled, keras, ops
from nst_tutorial.errors import NSTError
from nst_tutorial.optimizers import apply, make_optimizer

TOGETHER = 16  # steps in one call, at most,
SECONDS = 0.5  # and about as many as fit in here: Ctrl-C waits for the end of a call
ONE_AT_A_TIME = threading.Lock()  # pictures of a size share an optimizer


class DivergedError(ArithmeticError):
    """A loss or its gradient is NaN or infinite; the picture is still the last good one."""


class Descent:
    """A picture on its way down, and what the optimizer remembers of the way.

    Args:
        objective: an `Objective`; with a `TiledObjective`, each call takes one step.
        config: a `TransferConfig`: its optimizer.
        start: `(1, H, W, 3)`, RGB, 0..255.
    """

    def __init__(self, objective, config, start):
        self.objective, self.picture = objective, ops.convert_to_tensor(start, "float32")
        self.pace = 1  # steps that fit into one call
        self._kind = config.optimizer, config.beta_1, config.epsilon, tuple(start.shape)
        self._memory, self._clip = None, config.clip

    def take(self, rates, config):
        """Take a step for each learning rate, at most TOGETHER, in one call.

        Args:
            rates: list of numbers.
            config: a `TransferConfig`: its weights, and whether to clip.

        Yields:
            the terms from before each step, `{"content": float, "style": {layer: float},
            "tv": float, "total": float}`, when all have been taken.

        Raises:
            DivergedError: a term, the gradient or the picture is NaN or infinite; the picture is
                that of before this step.
        """
        call = _in_graph if self.objective.graph else _in_parts
        began = time.perf_counter()
        optimizer, nothing = _optimizer(*self._kind)
        self._memory = self._memory or nothing
        with ONE_AT_A_TIME:
            self.picture, self._memory, rows = call(
                self.objective, optimizer, config.clip, (self.picture, self._memory), rates,
                self.objective.weights(config),
            )  # fmt: skip
        seconds = (time.perf_counter() - began) / len(rows)
        if self.objective.graph:
            self.pace = min(max(int(SECONDS / seconds), 1), TOGETHER)
        styles = dict.fromkeys(self.objective.targets["style"], 0)
        names = {"content": 0, "style": styles, "tv": 0, "total": 0}
        for *numbers, sound, fine in rows.tolist():
            terms = keras.tree.pack_sequence_as(names, numbers)
            if not sound:
                raise DivergedError(_culprit(terms))
            if not fine:  # the optimizer squares gradients: that may overflow
                raise DivergedError(
                    "the optimizer's step is no longer a number; lower learning_rate"
                )
            yield terms

    def state(self):
        """Return the picture and what the optimizer remembers, `{name: array}`."""
        memory = {str(number): np.array(v) for number, v in enumerate(self._memory or ())}
        return {"picture": np.array(self.picture), **memory}

    def restore(self, state):
        """Go on from what `state` returned, to the same bytes.

        Raises:
            NSTError: it is not what a picture of this shape would have saved.
        """
        memory = _optimizer(*self._kind)[1] if len(state) > 1 else []
        expected = {str(number): np.array(v) for number, v in enumerate(memory)}
        check_state(state, {"picture": np.array(self.picture), **expected}, self._clip)
        state = {name: ops.convert_to_tensor(array) for name, array in state.items()}
        self.picture = state.pop("picture")
        self._memory = [state[str(number)] for number in range(len(state))] or None


def check_state(state, expected, clip):
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


def checked(terms, gradient):
    """Return the terms as floats.

    Raises:
        DivergedError: one of them, or the gradient, is NaN or infinite.
    """
    terms = keras.tree.map_structure(float, terms)
    if not math.isfinite(terms["total"]) or not _all_finite(gradient):
        raise DivergedError(_culprit(terms))
    return terms


def _in_parts(objective, optimizer, clip, state, rates, weights):
    """Take one step outside a graph, for an objective that is more than one graph."""
    [rate] = rates
    differentiate = functools.partial(objective.differentiate, weights=weights)
    *state, row = _move(differentiate, optimizer, clip, *state, rate)
    return *state, np.array(row)[None]


def _in_graph(objective, optimizer, clip, state, rates, weights):
    """Take the steps in one call; those after one that failed are not taken."""
    padded = np.zeros(TOGETHER, "float32")
    padded[: len(rates)] = rates
    graph = _loop(objective.graph, optimizer, clip)
    count = ops.convert_to_tensor(len(rates), "int32")
    taken, *state, rows = graph(*state, padded, count, weights, objective.targets)
    return *state, np.array(rows)[: int(taken)]


@functools.lru_cache(maxsize=8)
def _loop(differentiate, optimizer, clip):
    """Compile a loop of steps."""

    def loop(picture, memory, rates, count, weights, targets):
        def move(number, picture, memory, rows):
            picture, memory, row = _move(
                lambda image: differentiate(image, weights, targets),
                optimizer, clip, picture, memory, rates[number],
            )  # fmt: skip
            here = ops.expand_dims(ops.arange(TOGETHER) == number, -1)
            return number + 1, picture, memory, ops.where(here, row, rows)

        def more(number, picture, memory, rows):
            return (number < count) & ((number == 0) | (rows[number - 1, -1] > 0))

        rows = ops.zeros((TOGETHER, 5 + len(targets["style"])))
        return ops.while_loop(more, move, (0, picture, memory, rows))

    return compiled(loop)


def _move(differentiate, optimizer, clip, picture, memory, rate):
    """Take a step: the picture, the memory, and a row of its terms and of how it went.

    The row's last two numbers are 1 if total and gradient, and if the moved picture, are finite.
    """
    terms, gradient = differentiate(picture)
    iterations, _, *rest = memory
    moved, learned = apply(optimizer, picture, [iterations, rate, *rest], gradient)
    moved = ops.clip(moved, 0.0, 255.0) if clip else moved
    sound = ops.logical_and(ops.isfinite(terms["total"]), _all_finite(gradient))
    fine = ops.logical_and(sound, _all_finite(moved))
    picture, *memory = (
        ops.where(fine, new, old)
        for new, old in zip((moved, *learned), (picture, *memory), strict=True)
    )
    row = [*keras.tree.flatten(terms), sound, fine]
    return picture, memory, ops.stack([ops.cast(number, "float32") for number in row])


@functools.lru_cache(maxsize=4)
def _optimizer(name, beta_1, epsilon, shape):
    """Build an optimizer for pictures of a shape; beside it, its memory while it has none."""
    optimizer = make_optimizer(name, beta_1, epsilon)
    optimizer.build([keras.Variable(np.zeros(shape, "float32"), name="picture")])
    return optimizer, [ops.copy(variable) for variable in optimizer.variables]


def _all_finite(values):
    return ops.all(ops.isfinite(values))


def _culprit(terms):
    """Say which of the terms is no number, and what to lower."""
    losses = {"content": terms["content"], "total variation": terms["tv"]}
    losses |= {f"style at {layer}": loss for layer, loss in terms["style"].items()}
    lost = [name for name, loss in losses.items() if not math.isfinite(loss)]
    if lost == ["total variation"]:
        return "total variation is no longer a number; lower tv_exponent"
    if lost:
        return f"no longer a number: the loss of {', '.join(lost)}; lower learning_rate"
    if not math.isfinite(terms["total"]):
        return "the weighted sum of the losses is no longer a number; lower the weights"
    return "the gradient is no longer a number, though the losses are; lower the weights"
