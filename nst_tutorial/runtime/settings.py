"""Settings: the fields of a frozen dataclass, each declared once: default, range and what it does.

A field's value is read by one function. It returns the value as Python's own kind, so that NumPy's
numbers and lists become numbers and tuples, or refuses it. The command line's options are made of
the same declarations.
"""

import argparse
import dataclasses
import numbers
import reprlib
from collections.abc import Callable, Sequence
from typing import Any

from nst_tutorial.runtime.errors import NSTError

LARGEST = 1e38  # of a number that has no bound of its own; float32 ends at 3.4e38
MOST = 1_000_000  # of a whole number that has no bound of its own
MOST_NAMES, LONGEST_NAME = 64, 64  # in a list of layers, and characters in each


def check(settings: Any) -> None:
    """Replace each field of a dataclass by its value as read; call it from `__post_init__`.

    Raises:
        NSTError: a value is not what its field must be.
    """
    for field in dataclasses.fields(settings):
        object.__setattr__(settings, field.name, read(field, getattr(settings, field.name)))


def read(field: dataclasses.Field, value: Any) -> Any:
    """Read one field's value.

    Raises:
        NSTError: it is not what the field must be.
    """
    plain = value.tolist() if hasattr(value, "tolist") else value  # NumPy's
    if plain is None and field.metadata["optional"]:
        return None
    try:
        return field.metadata["read"](plain)
    except (TypeError, ValueError, OverflowError):
        # Python writes no number of thousands of digits.
        endless = isinstance(plain, int) and plain.bit_length() > 1000
        said = "a number of hundreds of digits" if endless else reprlib.repr(plain)
        raise NSTError(f"{field.name} is {said}; it must be {field.metadata['must']}.") from None


def argument(name: str, declared: dataclasses.Field, value: Any) -> Any:
    """Read a function's argument as if it were a field, declared by one of the functions below.

    Raises:
        NSTError: it is not what it must be.
    """
    declared.name = name
    return read(declared, value)


def whole(
    default: int | None, help: str = "", least: int = 1, most: int = MOST, optional: bool = False
) -> Any:
    """Declare a whole number."""

    def read(value):
        value = _real(value)
        return _demand(int(value), least <= value <= most and value == int(value))

    must = f"a whole number from {least} to {most}"
    return declare(default, help, read, must, {"type": int, "metavar": "N"}, optional)


def number(
    default: float | None,
    help: str = "",
    least: float = 0.0,
    most: float = LARGEST,
    above: bool = False,
    below: bool = False,
    optional: bool = False,
) -> Any:
    """Declare a number; `above` leaves out the least value itself, and `below` the greatest."""

    def read(value):
        value = float(_real(value))
        left_out = (above and value == least) or (below and value == most)
        return _demand(value, least <= value <= most and not left_out)

    low = f"above {least:g}" if above else f"from {least:g}"
    high = f"to below {most:g}" if below else f"to {most:g}"
    if most == LARGEST:
        high = "" if above else "up"
    must = f"a number {low} {high}".rstrip()
    return declare(default, help, read, must, {"type": float, "metavar": "X"}, optional)


def choice(default: object, *known: object, help: str = "") -> Any:
    """Declare one of a few values: the default, and those that are `known` besides."""
    known = tuple(dict.fromkeys((default, *known)))

    def read(value):
        return _demand(value, type(value) is type(default) and value in known)

    must = f"one of {', '.join(map(str, known))}"
    return declare(default, help, read, must, {"metavar": "NAME"})


def switch(default: bool, help: str = "") -> Any:
    """Declare what is either true or false."""

    def read(value):
        return _demand(value, isinstance(value, bool))

    return declare(default, help, read, "True or False", {"action": argparse.BooleanOptionalAction})


def names(default: Sequence[str], help: str = "") -> Any:
    """Declare one name, or several: of layers."""

    def read(value):
        several = (value,) if isinstance(value, str) else tuple(value)
        short = all(isinstance(one, str) and len(one) <= LONGEST_NAME for one in several)
        return _demand(several, short and len(several) <= MOST_NAMES)

    option = {"nargs": "+", "metavar": "NAME"}
    return declare(default, help, read, "a name or a list of names", option)


def weights(default: Sequence[float] | None = None, help: str = "") -> Any:
    """Declare numbers from 0 up, not all of them 0; or None."""

    def read(value):
        several = tuple(float(_real(one)) for one in value)
        inside = all(0 <= one <= LARGEST for one in several)
        return _demand(several, inside and sum(several) > 0)

    option = {"type": float, "nargs": "+", "metavar": "W"}
    return declare(default, help, read, "a list of numbers from 0 up, not all 0", option, True)


def declare(
    default: Any, help: str, read: Callable, must: str, option: dict, optional: bool = False
) -> Any:
    """Declare what `read` reads, in words what it `must` be, and the command line's `option`."""
    metadata = {"help": help, "read": read, "must": must, "option": option, "optional": optional}
    return dataclasses.field(default=default, metadata=metadata)


def _real(value):
    """Return a number as it is; what is true or false is none."""
    return _demand(value, isinstance(value, numbers.Real) and not isinstance(value, bool))


def _demand(value, holds):
    if not holds:
        raise ValueError
    return value
