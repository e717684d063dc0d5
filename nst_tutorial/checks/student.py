"""Calls a student's function: on copies, within a time limit, and every fault put into words."""

import ctypes
import inspect
import linecache
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from types import FrameType
from typing import Any

import numpy as np

from nst_tutorial.runtime.backend import ops

LIMIT = 1.5  # seconds of a processor for a call; a right answer takes milliseconds
PATIENCE = 60.0  # seconds in all, for a call that does nothing but wait


class Trouble(Exception):  # noqa: N818, it is the student's
    """Why there is no result to judge. A final one needs no further diagnosis."""

    def __init__(self, mistake: str, sentence: str, final: bool = True) -> None:
        super().__init__(sentence)
        self.mistake, self.sentence, self.final = mistake, sentence, final


class Stopped(SystemExit):
    """Raised inside a student's endless loop: no `except Exception` there catches it."""


class Student:
    """A student's function that takes NumPy arrays and returns a float64 one, or raises Trouble.

    With a `pick` it is given one picture of a batch at a time, and the results are stacked.
    """

    def __init__(
        self, function: Callable, wrap: Callable = np.copy, pick: Callable | None = None
    ) -> None:
        self.function, self.pick = function, pick
        self.wrap = wrap  # or ops.convert_to_tensor, for a function that takes tensors only
        self.returns_integers = False

    def __call__(self, *args: Any, **keywords: Any) -> np.ndarray:
        batch = batch_size(args)
        if not self.pick or not batch:
            return self._once(args, keywords)
        each = [self._once(self.pick(args, i), keywords) for i in range(batch)]
        if self.pick is batch_of_one:
            each = [one[0] if one.ndim and len(one) == 1 else one for one in each]
        if len({one.shape for one in each}) > 1:
            raise Trouble("wrong shape", "The result's shape is not always the same.", final=False)
        return np.stack(each)

    def _once(self, args, keywords):
        given, kept = arrays(self.wrap, args), arrays(np.copy, args)
        result = _call(self.function, given, keywords)
        self._refuse_nothing(result)
        if not _equal(arrays(ops.convert_to_numpy, given), kept):
            lists = any(isinstance(one, list) for one in args)
            raise Trouble(
                "input modified",
                "It writes over its input, which the caller still needs. "
                + (LEAVE_THE_LIST if lists else "Make a new array: `x = x - y`, not `x -= y`."),
            )
        values = _numbers(result)
        self.returns_integers = values.dtype.kind in "iu"
        return values.astype("float64")

    def _refuse_nothing(self, result):
        if result is not None and result is not Ellipsis:
            return
        code = _code(self.function)
        if (
            result is None
            and code
            and (code.co_names or code.co_nlocals > code.co_argcount + code.co_kwonlyargcount)
        ):
            raise Trouble("return forgotten", "It returns None: is `return` missing at the end?")
        name = getattr(self.function, "__name__", "the function")
        raise Trouble("not written yet", f"not written yet: {name} returns None.")


LEAVE_THE_LIST = "Go through the list with `for`, which takes nothing out of it."
ADVICE = {  # what helps where an exception's line or text has these words
    ".T": "`.T` turns all axes round, the batch's too: flatten H and W, then `swapaxes(1, 2)`.",
    "truth value": "`if` takes one answer, not an array of them: use `np.where`.",
}


def arrays(convert: Callable, value: Any) -> Any:
    """Convert every array in nested lists, tuples and dictionaries; leave the rest as it is."""
    if isinstance(value, dict):
        return {key: arrays(convert, one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(arrays(convert, one) for one in value)
    return value if value is None or np.isscalar(value) else convert(value)


def leaves(value: Any) -> list[Any]:
    """List the arrays and numbers in nested lists, tuples and dictionaries."""
    if isinstance(value, (list, tuple, dict)):
        each = value.values() if isinstance(value, dict) else value
        return [leaf for one in each for leaf in leaves(one)]
    return [value]


def _is_batch(x):
    """Whether it is an array of pictures or features, or of one loss for each picture."""
    return np.ndim(x) in (1, 4)


def batch_size(args: tuple[Any, ...]) -> int:
    """How many pictures there are in the largest batch among the arguments."""
    return max([len(x) for x in leaves(args) if _is_batch(x)], default=0)


def batch_of_one(args: tuple[Any, ...], i: int) -> tuple[Any, ...]:
    """Pick one picture of the arguments' batch, and keep its batch axis."""
    return arrays(lambda x: x[i : i + 1] if _is_batch(x) else x, args)


def one_picture(args: tuple[Any, ...], i: int) -> tuple[Any, ...]:
    """Pick one picture of the arguments' batch, without a batch axis, also in a shape given."""
    args = arrays(lambda x: x[i] if _is_batch(x) else x, args)
    return tuple(x[1:] if isinstance(x, tuple) else x for x in args)


PICKS = (None, batch_of_one, one_picture)  # None: the whole batch at once


def _equal(one, other):
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(_equal, one, other))
    return np.array_equal(one, other)


def supervise(work: Callable[[], Any]) -> Any:
    """Return what work() returns, or raise Trouble where a student's function does not end."""
    thread = Supervised(work)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        thread.start()
        while thread.is_alive():
            thread.join(0.05)
            if thread.is_late():
                raise Trouble("endless loop", thread.stop())
    if thread.error:
        raise thread.error
    return thread.result


class Supervised(threading.Thread):
    """A thread that calls a student's function: the only way to leave an endless loop everywhere.

    A call may compute for LIMIT seconds, and be there for PATIENCE seconds. The time of other
    programs does not count; nor does that of loading a library, which is slow the first time, but
    no endless loop.
    """

    def __init__(self, work: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self.work = work
        self.result: Any = None
        self.error: BaseException | None = None
        self.call: tuple[Callable, float, float] | None = None  # what runs now, and when it began

    def run(self) -> None:
        try:
            self.result = self.work()
        except BaseException as error:  # it is raised again where it was called
            self.error = error

    def is_late(self) -> bool:
        call = self.call  # the other thread may change it at any time
        if not call:
            return False
        function, computed, waited = call
        if any("importlib" in frame.f_code.co_filename for frame, _ in self.frames()):
            self.call = function, time.process_time(), waited
            return False
        over = time.process_time() - computed > LIMIT
        return over or time.monotonic() - waited > PATIENCE

    def frames(self) -> list[tuple[FrameType, int]]:
        """Where it is now: (frame, line), the innermost first."""
        frame = sys._current_frames().get(self.ident or 0)
        return list(traceback.walk_stack(frame)) if frame else []

    def stop(self) -> str:
        call = self.call
        place = _place(call[0], self.frames()) if call else ""
        for _ in range(5):  # a bare `except:` may catch the first ones
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(self.ident or 0), ctypes.py_object(Stopped)
            )
            self.join(1)
            if not self.is_alive():
                break
        return f"It was still running after {LIMIT} seconds{place}. Does its loop come to an end?"


def _call(function, args, keywords):
    thread: Any = threading.current_thread()  # Supervised, except in tests
    thread.call = function, time.process_time(), time.monotonic()
    try:
        with np.errstate(all="ignore"):
            return function(*args, **keywords)
    except Stopped:
        raise
    except BaseException as error:  # also the exit() of a student
        raise _explained(error, function) from None
    finally:
        thread.call = None


def _explained(error, function):
    if isinstance(error, NotImplementedError):
        return Trouble("not written yet", "not written yet: the function says so itself.")
    frames = list(traceback.walk_tb(error.__traceback__))[::-1]
    text = " ".join(str(error).split())
    text = f": {text[:200]}" if text else ""
    sentence = f"It stopped with {type(error).__name__}{_place(function, frames)}{text}"
    advice = [advice for sign, advice in ADVICE.items() if sign in sentence]
    return Trouble("exception", " ".join([sentence.rstrip(".") + ".", *advice]), final=False)


def _place(function, frames):
    """Name the innermost of the student's own lines among the frames, innermost first."""
    code = _code(function)
    for frame, line in frames:
        if code and frame.f_code.co_filename == code.co_filename:
            text = linecache.getline(code.co_filename, line).strip()
            return f" at line {line}" + (f", `{text}`" if text else "")
    return ""


def _code(function):
    function = inspect.unwrap(function)
    return getattr(getattr(function, "python_function", function), "__code__", None)


def _numbers(result):
    try:
        values = np.asarray(result)
        values.astype("float64")
        if values.dtype.kind not in "USc":
            return values
    except (TypeError, ValueError):
        pass
    came = f"It returns a {type(result).__name__}"
    raise Trouble("no numbers", f"{came}; return an array of numbers.", final=False)
