"""What a user is told: the one exception that a mistake raises, and the one warning."""

import importlib


class NSTError(ValueError):
    """One sentence on what is wrong with the input and what to do about it."""


class NSTWarning(UserWarning):
    """One sentence that the user should know; the run goes on."""


def needed(module, extra):
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
