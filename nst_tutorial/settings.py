"""Settings: the fields of a frozen dataclass, each declared once with its default and its range.

A field's value is read by one function. It returns the value as Python's own kind, so that NumPy's
numbers and lists become numbers and tuples, or refuses it.
"""

import dataclasses
import numbers
import reprlib

import numpy as np

from nst_tutorial.errors import NSTError

LARGEST = 1e38  # of a number that has no bound of its own; float32 ends at 3.4e38
MOST = 1_000_000  # of a whole number that has no bound of its own
MOST_NAMES, LONGEST_NAME = 64, 64  # in a list of layers, and characters in each


def check(settings):
    """Replace each field of a dataclass by its value as read; call it from `__post_init__`.

    Raises:
        NSTError: a value is not what its field must be.
    """
    for field in dataclasses.fields(settings):
        object.__setattr__(settings, field.name, read(field, getattr(settings, field.name)))


def given(options, kind):
    """Take what was given of a dataclass's fields from an object's attributes: `{name: value}`."""
    values = {field.name: getattr(options, field.name, None) for field in dataclasses.fields(kind)}
    return {name: value for name, value in values.items() if value is not None}


def read(field, value):
    """Read one field's value.

    Raises:
        NSTError: it is not what the field must be.
    """
    plain = value.tolist() if isinstance(value, (np.generic, np.ndarray)) else value
    if plain is None and field.metadata["optional"]:
        return None
    try:
        return field.metadata["read"](plain)
    except (TypeError, ValueError, OverflowError):
        raise NSTError(
            f"{field.name} is {_shown(plain)}; it must be {field.metadata['must']}."
        ) from None


def argument(name, declared, value):
    """Read a function's argument as if it were a field, declared by one of the functions below.

    Raises:
        NSTError: it is not what it must be.
    """
    declared.name = name
    return read(declared, value)


def whole(default, least=1, most=MOST, optional=False):
    """Declare a whole number."""

    def read(value):
        value = _real(value)
        return _demand(int(value), least <= value <= most and value == int(value))

    return _declare(default, read, f"a whole number from {least} to {most}", optional)


def number(default, least=0.0, most=LARGEST, above=False, below=False, optional=False):
    """Declare a number; `above` leaves out the least value itself, and `below` the greatest."""

    def read(value):
        value = float(_real(value))
        left_out = (above and value == least) or (below and value == most)
        return _demand(value, least <= value <= most and not left_out)

    low = f"above {least:g}" if above else f"from {least:g}"
    high = f"to below {most:g}" if below else f"to {most:g}"
    if most == LARGEST:
        high = "" if above else "up"
    return _declare(default, read, f"a number {low} {high}".rstrip(), optional)


def choice(default, *known):
    """Declare one of a few values."""

    def read(value):
        return _demand(value, type(value) is type(default) and value in known)

    return _declare(default, read, f"one of {', '.join(map(str, known))}")


def names(default):
    """Declare one name, or several: of layers."""

    def read(value):
        several = (value,) if isinstance(value, str) else tuple(value)
        short = all(isinstance(one, str) and len(one) <= LONGEST_NAME for one in several)
        return _demand(several, short and len(several) <= MOST_NAMES)

    return _declare(default, read, "a name or a list of names")


def weights(default=None):
    """Declare numbers from 0 up, not all of them 0; or None."""

    def read(value):
        several = tuple(float(_real(one)) for one in value)
        inside = all(0 <= one <= LARGEST for one in several)
        return _demand(several, inside and sum(several) > 0)

    return _declare(default, read, "a list of numbers from 0 up, not all 0", optional=True)


def one_or_several(field):
    """Declare what `field` declares, or a list of such."""
    one = field.metadata["read"]

    def read(value):
        if not isinstance(value, (list, tuple)):
            return one(value)
        return _demand(tuple(map(one, value)), len(value) > 0)

    return _declare(field.default, read, f"{field.metadata['must']}, or a list of such")


def _declare(default, read, must, optional=False):
    metadata = {"read": read, "must": must, "optional": optional}
    return dataclasses.field(default=default, metadata=metadata)


def _shown(value):
    """Say a value in few words; Python writes no number of thousands of digits."""
    endless = isinstance(value, int) and value.bit_length() > 1000
    return "a number of hundreds of digits" if endless else reprlib.repr(value)


def _real(value):
    """Return a number as it is; what is true or false is none."""
    return _demand(value, isinstance(value, numbers.Real) and not isinstance(value, bool))


def _demand(value, holds):
    if not holds:
        raise ValueError
    return value
