"""Judges a student's function on many small inputs, and looks for the mistake that explains it."""

import dataclasses
import functools
import inspect
import itertools
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

import numpy as np

from nst_tutorial.checks.student import (
    PICKS,
    Student,
    Trouble,
    arrays,
    batch_size,
    leaves,
    supervise,
)
from nst_tutorial.runtime.backend import ops
from nst_tutorial.runtime.types import Array

Outcome = np.ndarray | Trouble  # of a call


class Case:
    """Arguments of one call."""

    def __init__(self, *args: Any, **keywords: Any) -> None:
        self.args, self.keywords = args, keywords


@functools.lru_cache(4096)
def result(function: Callable, case: Case) -> Outcome:
    """Call a function of ours, with every argument by position, in float64."""
    args = arrays(lambda x: x.astype("float64"), (*case.args, *case.keywords.values()))
    try:
        with np.errstate(all="ignore"):
            return np.asarray(ops.convert_to_numpy(function(*args)), "float64")
    except Exception as error:  # some wrong functions fail on some shapes, as the student's does
        return Trouble("exception", str(error))


@dataclasses.dataclass(frozen=True)
class Exercise:
    """What a student is asked to write, and what is known about going wrong.

    A mistake is (short name, sentence, *wrong functions): every student's function that returns
    what one of them returns, up to a constant factor, has made it. A property is (its name as a
    mistake, sentence, function of the student's function that returns what it expected and what
    came).
    """

    reference: Callable  # takes every argument by position
    cases: tuple[Case, ...]
    hints: tuple[str, ...]
    mistakes: tuple[tuple[Any, ...], ...] = ()
    properties: tuple[tuple[str, str, Callable], ...] = ()
    exact: bool = True  # else only the shape and the properties decide

    @property
    def name(self) -> str:
        return self.reference.__name__

    @functools.cached_property
    def squares(self) -> list[Case]:
        """The cases with their pictures cropped to squares."""
        return [Case(*arrays(cropped, case.args), **case.keywords) for case in self.cases]


def cropped(picture: Array) -> Array:
    side = min(picture.shape[1:3]) if picture.ndim == 4 else 0
    return picture[:, :side, :side] if side else picture


@dataclasses.dataclass(frozen=True)
class Attempt:
    """A student's function at an exercise, called in one of the ways that it may be written for."""

    exercise: Exercise
    student: Student

    def answer(self, case: Case) -> Outcome:
        try:
            return self.student(*case.args, **case.keywords)
        except Trouble as trouble:
            if trouble.final:
                raise
            return trouble

    @functools.cached_property
    def pairs(self) -> list[tuple[Outcome, Outcome]]:
        """What was expected of each case, and what came."""
        return [(self.expected(case), self.answer(case)) for case in self.exercise.cases]

    @property
    def answers(self) -> list[Outcome]:
        return [came for _, came in self.pairs]

    def expected(self, case: Case) -> Outcome:
        return result(self.exercise.reference, case)

    def has_shape(self, case: Case) -> bool:
        return _shaped(self.expected(case), self.answer(case))

    def passes(self, cases: Iterable[Case], fits: Callable[[Any, Any], bool]) -> bool:
        return all(fits(self.expected(case), self.answer(case)) for case in cases)


RIGHT = "Right, on everything that was tried."
APART = (
    " It is written for one picture. The package keeps the pictures of a batch apart, with one "
    "result for each of them along the first axis, so that several can be compared at once."
)
BARE = " It takes a picture as `(H, W, 3)`; the package's have a batch axis, `(1, H, W, 3)`."


def judge(exercise: Exercise, function: Callable) -> tuple[str | None, str]:
    """Return (mistake, message); the mistake is None where all is right."""
    try:
        _refuse_what_cannot_be_called(exercise, function)
        return None, supervise(functools.partial(_praise, exercise, function))
    except Trouble as trouble:
        return trouble.mistake, trouble.sentence
    except Exception as error:  # nothing that a student returns may break the check
        return "not understood", f"The check can make nothing of the result ({error})."


def _praise(exercise, function):
    """Say that it is right, or raise the Trouble that explains why not."""
    attempts = _attempts(exercise, function)
    for attempt in attempts:
        if attempt.passes(exercise.cases, right if exercise.exact else _shaped):
            _test_properties(attempt)
            if not attempt.student.pick:
                return RIGHT
            # It is written for one picture, and the package is not.
            several = max(batch_size(case.args) for case in exercise.cases) > 1
            return RIGHT + (APART if several else BARE)
    explain(attempts)


def _attempts(exercise, function):
    """Find the ways of calling it that work at all, or else the one that it seems written for.

    It may be written for arrays or for tensors, for batches or for one picture, with a batch axis
    or without. Those that return the right shape come first: a function that slices one picture may
    also return something for a batch, of which it slices the wrong axes.
    """
    case = exercise.cases[0]
    for wrap in (np.copy, ops.convert_to_tensor):
        tried = [Attempt(exercise, Student(function, wrap, pick)) for pick in PICKS]
        if np.asarray(tried[0].answer(case)).ndim == 4 and tried[0].has_shape(case):
            tried.pop()  # a batch came of a batch, so it knows of the axis
        running = [one for one in tried if not isinstance(one.answer(case), Trouble)]
        if running:
            return sorted(running, key=lambda one: not one.has_shape(case))
    usual, bare = (Attempt(exercise, Student(function, pick=pick)) for pick in (None, PICKS[-1]))
    return [bare if "to unpack" in str(usual.answer(case)) else usual]


def _refuse_what_cannot_be_called(exercise, function):
    whole = inspect.signature(exercise.reference)
    untyped = [one.replace(annotation=one.empty) for one in whole.parameters.values()]
    call = f"{exercise.name}{whole.replace(parameters=untyped, return_annotation=whole.empty)}"
    if not callable(function):
        usage = f"Give the function itself: check.{exercise.name}({exercise.name})"
        raise Trouble("not a function", f"{usage}; this is of type {type(function).__name__}.")
    for case in exercise.cases:
        try:
            inspect.signature(function).bind(*case.args, **case.keywords)
        except TypeError as error:
            raise Trouble("other arguments", f"Write it as {call}: {error}.") from None
        except ValueError:  # a built-in without a signature
            return


# Comparing --------------------------------------------------------------------------------------


def right(expected: Array, came: Outcome) -> bool:
    """Whether a result is right; a single picture may come without its batch axis."""
    if isinstance(came, Trouble) or not _one_shape(expected, came):
        return False
    return _close(expected, came.reshape(expected.shape))


def _one_shape(expected, came):
    single = expected.shape[:1] == (1,) and came.shape == expected.shape[1:]
    return single or came.shape == expected.shape


def _shaped(expected, came):
    return not isinstance(came, Trouble) and _bare(came).shape == _bare(expected).shape


def _close(expected, came):
    scale = np.max(np.abs(expected), initial=0)
    return np.allclose(came, expected, rtol=1e-4, atol=1e-5 * scale or 1e-4, equal_nan=True)


def _factor(pairs):
    """Return the k for which every second result is k times the first, or None."""
    pairs = [(_bare(e), _bare(c)) for e, c in pairs]
    if any(
        np.shape(e) != np.shape(c) or isinstance(e, Trouble) != isinstance(c, Trouble)
        for e, c in pairs
    ):
        return None
    pairs = [pair for pair in pairs if not isinstance(pair[0], Trouble)]
    if not pairs:
        return None
    one, other = (np.concatenate([x.ravel() for x in side]) for side in zip(*pairs, strict=True))
    with np.errstate(all="ignore"):
        k = (one @ other) / (one @ one)
    fits = np.isfinite(k) and abs(k) > 1e-12 and all(_close(k * e, c) for e, c in pairs)
    return float(k) if fits else None


def _bare(values):
    """Leave out leading axes of one."""
    while np.ndim(values) and len(values) == 1:
        values = values[0]
    return values


# Explaining -------------------------------------------------------------------------------------


def explain(attempts: list) -> None:
    """Raise the `Trouble` that explains a wrong answer best."""
    for attempt, explanation in [
        *itertools.product(attempts, SPECIFIC), *((attempts[0], one) for one in GENERAL)
    ]:  # fmt: skip
        found = explanation(attempt)
        if found:
            raise Trouble(found[0], f"{found[1]}\n{_smallest_example(attempt)}".rstrip())
    example = _smallest_example(attempts[0])
    _test_properties(attempts[0], example)
    raise Trouble("wrong result", f"The results differ, in no way that is known.\n{example}")


def _no_number(attempt):
    values = [came for came in attempt.answers if not isinstance(came, Trouble)]
    if any(not np.isfinite(came).all() for came in values):
        return "NaN", "There is a NaN or an infinity: is there a division by zero, or a root?"


def _constant(attempt):
    values = [np.ravel(came) for came in attempt.answers if not isinstance(came, Trouble)]
    if len(values) > 1 and all(map(np.size, values)) and not np.ptp(np.concatenate(values)):
        return "constant", f"It returns {_shown(values[0][0])} for everything: what is never used?"


def _known_mistake(attempt):
    best = None
    for name, sentence, *every in attempt.exercise.mistakes:
        for wrong in every:
            expected = [result(wrong, case) for case in attempt.exercise.cases]
            k = _factor(zip(expected, attempt.answers, strict=True))
            if k is not None and abs(k - 1) < 1e-3:
                return name, sentence
            if k is not None and best is None and _factor(attempt.pairs) is None:
                best = name, f"{sentence} (And the result is {_as_fraction(k)} times as large.)"
    return best


def _scaled(attempt):
    k = _factor(attempt.pairs)
    if k is not None and k < 0:
        times = "" if abs(k + 1) < 1e-3 else f", and {_as_fraction(-k)} times as large"
        return "wrong sign", f"Every number has the wrong sign{times}: swap the difference."
    if k is not None:
        return f"off by a factor {_as_fraction(k)}", "All is right but for a constant factor."


def _only_squares(attempt):
    if attempt.exercise.exact and attempt.passes(attempt.exercise.squares, right):
        return "only square pictures", "Right where H = W, but H and W differ in most pictures."


def _stopped(attempt):
    for came in attempt.answers:
        if isinstance(came, Trouble):
            raise came


def _wrong_shape(attempt):
    if all(e.size == c.size and _close(e.ravel(), c.ravel()) for e, c in attempt.pairs):
        return "wrong shape", "The numbers are right, but not their shape."
    shapes = [(_bare(e).shape, _bare(c).shape) for e, c in attempt.pairs]
    if all(one == other for one, other in shapes):
        return None
    if all(len(c) > 2 and e == (c[1], c[0], *c[2:]) for e, c in shapes):
        return "sides exchanged", "Height and width are exchanged: it is (…, H, W, …)."
    return "wrong shape", "The result has the wrong shape."


def _whole_numbers(attempt):
    whole = all(np.array_equal(expected, np.rint(expected)) for expected, _ in attempt.pairs)
    if whole or not attempt.student.returns_integers:
        return None
    gaps = [np.max(np.abs(e - c)) for e, c in attempt.pairs if e.shape == np.shape(c)]
    if gaps and max(gaps) > 2:
        return "uint8 overflow", "A byte wraps round, 256 becomes 0: stay with floats."
    return "rounded", "It returns whole numbers: stay with floats."


def _some_channels(attempt):
    pairs = [(_bare(e), _bare(c)) for e, c in attempt.pairs]
    if any(e.shape != np.shape(c) or not e.shape or e.shape[-1] != 3 for e, c in pairs):
        return None
    good = [c for c in range(3) if all(_close(e[..., c], came[..., c]) for e, came in pairs)]
    if good:
        numbers = " and ".join(map(str, good))
        return "only some channels", f"Only these channels of the last axis are right: {numbers}."


SPECIFIC = (_known_mistake, _scaled, _only_squares)  # looked for in every way of calling it
GENERAL = (_no_number, _constant, _stopped, _wrong_shape, _whole_numbers, _some_channels)


def _test_properties(attempt, example=""):
    for mistake, sentence, test in attempt.exercise.properties:
        should, came = map(np.asarray, test(attempt.student))
        if not right(should, came):
            known = (find(attempt) for find in (_no_number, _constant, _known_mistake))
            name, *why = next(filter(None, known), [mistake])
            raise Trouble(name, "\n".join([*why, sentence, example or _difference(should, came)]))


# Showing ----------------------------------------------------------------------------------------


def _smallest_example(attempt):
    every = zip(attempt.exercise.cases, attempt.pairs, strict=True)
    wrong = [row for row in every if not isinstance(row[1][1], Trouble) and not right(*row[1])]
    if not wrong:
        return ""
    case, (e, c) = min(wrong, key=lambda row: sum(map(np.size, leaves(row[0].args))))
    names = inspect.signature(attempt.exercise.reference).parameters
    values = [*case.args, *case.keywords.values()]
    given = ", ".join(f"{name} = {_shown(x)}" for name, x in zip(names, values, strict=False))
    return f"For {given}: {_difference(e, c)}"


def _difference(expected, came):
    if not _one_shape(expected, came):
        return f"expected the shape {expected.shape}, came {came.shape}."
    if expected.size <= 8:
        return f"expected {_shown(expected)}, came {_shown(came)}."
    came = came.reshape(expected.shape)
    place = np.unravel_index(np.argmax(np.abs(expected - came)), expected.shape)
    at = ", ".join(map(str, place))
    return f"expected {_shown(expected[place])} at [{at}], came {_shown(came[place])}."


def _shown(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {_shown(one)}" for key, one in value.items()) + "}"
    if isinstance(value, str):
        return repr(value)
    if np.size(value) > 12:
        return f"an array {np.shape(value)}"
    return str(_rounded(np.asarray(value).tolist()))


def _rounded(value):
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    rounded = float(f"{value:.4g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 1e15 else rounded


def _as_fraction(k):
    nice = Fraction(k).limit_denominator(100)
    return str(nice) if nice and abs(float(nice) / k - 1) < 1e-3 else f"{k:.3g}"
