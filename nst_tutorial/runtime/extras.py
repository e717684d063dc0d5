"""Packages that only an extra brings: imported where they are used, or asked for in a sentence."""

import importlib
from types import ModuleType

from nst_tutorial.runtime.errors import NSTError


def import_extra(module: str, extra: str) -> ModuleType:
    """Import what only an extra brings.

    Raises:
        NSTError: it is not there; the sentence says how to install it.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise NSTError(
            f"{error.name} is missing; install it with pip install -e '.[{extra}]'."
        ) from None
