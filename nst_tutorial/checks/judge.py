"""Judges a student's function on many small inputs, and looks for the mistake that explains it."""

import dataclasses
import functools
import inspect
from fractions import Fraction

import numpy as np

from nst_tutorial.backend import ops
from nst_tutorial.checks.student import Student, Trouble, arrays


class Case:
    """Arguments of one call."""

    def __init__(self, *args, **keywords):
        self.args, self.keywords = args, keywords

    def numbers(self):
        return sum(np.size(x) for x in _leaves(self.args))

    def without_batch(self):
        return Case(*arrays(lambda x: x[0] if np.ndim(x) > 1 else x, self.args), **self.keywords)


@functools.lru_cache(4096)
def result(function, case):
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

    A mistake is (short name, the wrong function, sentence): every student's function that
    returns what the wrong one returns, up to a constant factor, has made it. A property is (its
    name as a mistake, sentence, function of the student's function that returns what it expected
    and what came).
    """

    reference: object  # takes every argument by position
    cases: tuple[Case, ...]
    hints: tuple[str, ...]
    mistakes: tuple = ()
    properties: tuple = ()
    square: tuple[Case, ...] = ()
    exact: bool = True  # else only the shape and the properties decide

    @property
    def name(self):
        return self.reference.__name__


def judge(exercise, function):
    """Return (mistake, message); the mistake is None where all is right."""
    try:
        _refuse_what_cannot_be_called(exercise, function)
        student = Student(function)
        answers = [_answer(student, case) for case in exercise.cases]
        if isinstance(answers and answers[0], Trouble) and _takes_tensors(student, exercise):
            answers = [_answer(student, case) for case in exercise.cases]
        expected = [result(exercise.reference, case) for case in exercise.cases]
        if not all(map(right if exercise.exact else _shaped, expected, answers)):
            _explain(exercise, student, expected, answers)
        _test_properties(exercise, student, expected, answers)
        return None, "Right, on every picture that was tried."
    except Trouble as trouble:
        return trouble.mistake, trouble.sentence
    except Exception as error:  # nothing that a student returns may break the check
        return "not understood", f"The check can make nothing of the result ({error})."


def _refuse_what_cannot_be_called(exercise, function):
    call = f"{exercise.name}{inspect.signature(exercise.reference)}"
    if not callable(function):
        usage = f"check.{exercise.name}({exercise.name})"
        came = type(function).__name__
        raise Trouble(
            "not a function", f"Give the function itself: {usage}; this is of type {came}."
        )
    for case in exercise.cases:
        try:
            inspect.signature(function).bind(*case.args, **case.keywords)
        except TypeError as error:
            raise Trouble("other arguments", f"Write it as {call}: {error}.") from None
        except ValueError:  # a built-in without a signature
            return


def _answer(student, case):
    try:
        return student(*case.args, **case.keywords)
    except Trouble as trouble:
        if trouble.final:
            raise
        return trouble


def _takes_tensors(student, exercise):
    student.wrap = ops.convert_to_tensor
    if not isinstance(_answer(student, exercise.cases[0]), Trouble):
        return True
    student.wrap = np.copy
    return False


# Comparing --------------------------------------------------------------------------------------


def right(expected, came):
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


def _factor(expected, came):
    """Return the k for which every result is k times the expected one, or None."""
    pairs = [(_bare(e), _bare(c)) for e, c in zip(expected, came, strict=True)]
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


def _explain(exercise, student, expected, answers):
    """Raise the Trouble that explains a wrong answer best."""
    example = _smallest_example(exercise, expected, answers)
    for explanation in EXPLANATIONS:
        found = explanation(exercise, student, expected, answers)
        if found:
            shown = example and explanation is not _stopped  # that came of another input
            raise Trouble(found[0], f"{found[1]}\n{example}" if shown else found[1])
    _test_properties(exercise, student, expected, answers, example)
    raise Trouble("wrong result", f"The results differ, in no way that is known.\n{example}")


def _no_number(exercise, student, expected, answers):
    values = [came for came in answers if not isinstance(came, Trouble)]
    if any(not np.isfinite(came).all() for came in values):
        return "NaN", "There is a NaN or an infinity: is there a division by zero, or a root?"


def _constant(exercise, student, expected, answers):
    values = [np.ravel(came) for came in answers if not isinstance(came, Trouble)]
    if len(values) > 1 and not np.ptp(np.concatenate(values)):
        return "constant", f"It returns {_shown(values[0][0])} for everything: what is never used?"


def _known_mistake(exercise, student, expected, answers):
    best = None
    for name, wrong, sentence in exercise.mistakes:
        k = _factor([result(wrong, case) for case in exercise.cases], answers)
        if k is not None and abs(k - 1) < 1e-3:
            return name, sentence
        if k is not None and best is None and _factor(expected, answers) is None:
            best = name, f"{sentence} (And the result is {_as_fraction(k)} times as large.)"
    return best


def _scaled(exercise, student, expected, answers):
    k = _factor(expected, answers)
    if k is not None and k < 0:
        times = "" if abs(k + 1) < 1e-3 else f", and {_as_fraction(-k)} times as large"
        return "wrong sign", f"Every number has the wrong sign{times}: swap the difference."
    if k is not None:
        return f"off by a factor {_as_fraction(k)}", "All is right but for a constant factor."


def _only_some(exercise, student, expected, answers):
    """Look for the inputs on which it is right: one picture, square ones, no batch axis."""
    batches = [len(e) if e.ndim else 1 for e in expected]
    if 2 in batches and all(
        right(e, c) == (n == 1) for e, c, n in zip(expected, answers, batches, strict=True)
    ):
        return "batch axis folded in", "Right for one picture; with two, keep them apart."
    if _passes(student, exercise, exercise.square):
        return "only square pictures", "Right where H = W, but H and W differ in most pictures."
    bare = [case.without_batch() for case in exercise.cases if case.numbers() and case.args]
    singles = [case for case, n in zip(bare, batches, strict=False) if n == 1]
    if _passes(student, exercise, singles):
        return "batch axis missing", "Right for (H, W, N); the lessons' arrays are (B, H, W, N)."


def _passes(student, exercise, cases):
    answers = [(result(exercise.reference, case), _answer(student, case)) for case in cases]
    return bool(answers) and all(right(expected, came) for expected, came in answers)


def _stopped(exercise, student, expected, answers):
    for came in answers:
        if isinstance(came, Trouble):
            return came.mistake, came.sentence


def _whole_numbers(exercise, student, expected, answers):
    if not student.returns_integers:
        return None
    pairs = zip(expected, answers, strict=True)
    gaps = [np.max(np.abs(e - c)) for e, c in pairs if e.shape == np.shape(c)]
    if gaps and max(gaps) > 2:
        return "uint8 overflow", "A byte wraps round, 256 becomes 0: stay with floats."
    return "rounded", "It returns whole numbers: stay with floats."


def _wrong_shape(exercise, student, expected, answers):
    pairs = list(zip(expected, answers, strict=True))
    if all(e.size == c.size and _close(e.ravel(), c.ravel()) for e, c in pairs):
        return "wrong shape", "The numbers are right, but not their shape."
    shapes = [(_bare(e).shape, _bare(c).shape) for e, c in pairs]
    if all(one == other for one, other in shapes):
        return None
    if all(len(c) > 2 and e == (c[1], c[0], *c[2:]) for e, c in shapes):
        return "sides exchanged", "Height and width are exchanged: it is (…, H, W, …)."
    return "wrong shape", "The result has the wrong shape."


def _some_channels(exercise, student, expected, answers):
    pairs = [(_bare(e), _bare(c)) for e, c in zip(expected, answers, strict=True)]
    if any(e.shape != np.shape(c) or not e.shape or e.shape[-1] != 3 for e, c in pairs):
        return None
    good = [c for c in range(3) if all(_close(e[..., c], came[..., c]) for e, came in pairs)]
    if good:
        numbers = " and ".join(map(str, good))
        return "only some channels", f"Only these channels of the last axis are right: {numbers}."


EXPLANATIONS = (
    _no_number, _constant, _known_mistake, _scaled, _only_some, _stopped, _wrong_shape,
    _whole_numbers, _some_channels,
)  # fmt: skip


def _test_properties(exercise, student, expected, answers, example=""):
    for mistake, sentence, test in exercise.properties:
        should, came = map(np.asarray, test(student))
        if not right(should, came):
            known = (find(exercise, student, expected, answers) for find in EXPLANATIONS[:3])
            mistake, sentence = next(filter(None, known), (mistake, sentence))
            raise Trouble(mistake, f"{sentence}\n{example or _difference(should, came)}")


# Showing ----------------------------------------------------------------------------------------


def _smallest_example(exercise, expected, answers):
    wrong = [
        (case.numbers(), case, e, c)
        for case, e, c in zip(exercise.cases, expected, answers, strict=True)
        if not isinstance(c, Trouble) and not right(e, c)
    ]
    if not wrong:
        return ""
    _, case, e, c = min(wrong, key=lambda row: row[0])
    names = [*inspect.signature(exercise.reference).parameters]
    values = [*case.args, *case.keywords.values()]
    given = ", ".join(
        f"{name} = {_shown(value)}" for name, value in zip(names, values, strict=False)
    )
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


def _leaves(value):
    if isinstance(value, (tuple, dict)):
        each = value.values() if isinstance(value, dict) else value
        return [leaf for one in each for leaf in _leaves(one)]
    return [value]
