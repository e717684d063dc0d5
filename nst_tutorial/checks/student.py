"""Calls a student's function: on copies, within a time limit, and every fault put into words."""

import ctypes
import inspect
import linecache
import sys
import threading
import time
import traceback
import warnings

import numpy as np

from nst_tutorial.backend import ops

LIMIT = 1.5  # seconds of a processor for a call; a right answer takes milliseconds
PATIENCE = 60.0  # seconds in all, for a call that does nothing but wait


class Trouble(Exception):  # noqa: N818, it is the student's
    """Why there is no result to judge. A final one needs no further diagnosis."""

    def __init__(self, mistake, sentence, final=True):
        super().__init__(sentence)
        self.mistake, self.sentence, self.final = mistake, sentence, final


class Stopped(SystemExit):
    """Raised inside a student's endless loop: no `except Exception` there catches it."""


class Student:
    """A student's function that takes NumPy arrays and returns a float64 one, or raises Trouble."""

    def __init__(self, function):
        self.function = function
        self.wrap = np.copy  # or ops.convert_to_tensor, for a function that takes tensors only
        self.returns_integers = False

    def __call__(self, *args, **keywords):
        given, kept = arrays(self.wrap, args), arrays(np.copy, args)
        result = _call(self.function, given, keywords)
        self._refuse_nothing(result)
        if not _equal(arrays(ops.convert_to_numpy, given), kept):
            raise Trouble("input modified", MODIFIED)
        values = _numbers(result)
        self.returns_integers = values.dtype.kind in "iu"
        return values.astype("float64")

    def _refuse_nothing(self, result):
        if result is not None and result is not Ellipsis:
            return
        code = _code(self.function)
        if result is None and code and (code.co_names or code.co_nlocals > _arguments(code)):
            raise Trouble("return forgotten", "It returns None: is `return` missing at the end?")
        name = getattr(self.function, "__name__", "the function")
        raise Trouble("not written yet", f"not written yet: {name} returns None.")


MODIFIED = (
    "It writes over its input, which the caller still needs. Make a new array: "
    "`x = x - y`, not `x -= y`."
)


ADVICE = {  # what helps where an exception's line or text has these words
    ".T": "`.T` turns all axes round, the batch's too: flatten H and W, then `swapaxes(1, 2)`.",
    "to unpack": "The arrays have a batch axis in front: (B, H, W, N).",
    "truth value": "`if` takes one answer, not an array of them: use `np.where`.",
}


def arrays(convert, value):
    """Convert every array in nested tuples and dictionaries, and leave the rest as it is."""
    if isinstance(value, dict):
        return {key: arrays(convert, one) for key, one in value.items()}
    if isinstance(value, tuple):
        return tuple(arrays(convert, one) for one in value)
    return value if value is None or np.isscalar(value) else convert(value)


def _equal(one, other):
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in one)
    if isinstance(one, tuple):
        return all(map(_equal, one, other))
    return np.array_equal(one, other)


def _call(function, args, keywords):
    """Run it in a thread of its own: the only way to leave an endless loop on every system."""
    came = {}

    def work():
        try:
            with np.errstate(all="ignore"):
                came["result"] = function(*args, **keywords)
        except BaseException as error:  # also the exit() of a student
            came["error"] = error

    thread = threading.Thread(target=work, daemon=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        thread.start()
        _wait_for(thread)
        if thread.is_alive():
            raise Trouble("endless loop", _stop(thread, function))
    if "error" in came:
        raise _explained(came["error"], function)
    return came["result"]


def _wait_for(thread):
    """Wait until it ends, has computed for LIMIT seconds, or has been there for PATIENCE seconds.

    The time of other programs does not count; nor does that of loading a library, which is slow
    the first time, but no endless loop.
    """
    began, end = time.monotonic(), time.process_time() + LIMIT
    while thread.is_alive() and time.monotonic() - began < PATIENCE:
        thread.join(0.05)
        if _imports(thread):
            end = time.process_time() + LIMIT
        if time.process_time() > end:
            return


def _frames(thread):
    """Where a thread is now: (frame, line), the innermost first."""
    frame = sys._current_frames().get(thread.ident)
    return list(traceback.walk_stack(frame)) if frame else []


def _imports(thread):
    """Whether it is loading a library."""
    return any("importlib" in frame.f_code.co_filename for frame, _ in _frames(thread))


def _stop(thread, function):
    place = _place(function, _frames(thread))
    for _ in range(5):  # a bare `except:` may catch the first ones
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident), ctypes.py_object(Stopped)
        )
        thread.join(1)
    return f"It was still running after {LIMIT} seconds{place}. Does its loop come to an end?"


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
    function = getattr(inspect.unwrap(function), "python_function", inspect.unwrap(function))
    return getattr(function, "__code__", None)


def _arguments(code):
    return code.co_argcount + code.co_kwonlyargcount


def _numbers(result):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            values = np.asarray(result)
            values.astype("float64")
            return values if values.dtype.kind not in "USc" else _refuse(result)
    except (TypeError, ValueError):
        _refuse(result)


def _refuse(result):
    raise Trouble(
        "no numbers", f"It returns a {type(result).__name__}; return an array of numbers."
    )
