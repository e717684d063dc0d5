"""Options: what the command line takes for a dataclass's fields, as `settings` declares them."""

import argparse
import dataclasses
from typing import Any


def add_options(parser: argparse.ArgumentParser, kind: type) -> None:
    """Add an option to a parser for each field of a dataclass.

    An option that is not given is None, whatever the field's default; see `given`.
    """
    for field in dataclasses.fields(kind):
        default, help = as_typed(field.default), field.metadata["help"]
        parser.add_argument(
            f"--{field.name.replace('_', '-')}",
            help=f"{help} ({default})" if default else help,
            **field.metadata["option"],
        )


def given(options: object, kind: type) -> dict[str, Any]:
    """Take what was given of a dataclass's fields from an object's attributes: `{name: value}`.

    Of a field that holds one number, or one for each style, a single one counts for all.
    """
    values = {}
    for field in dataclasses.fields(kind):
        value = getattr(options, field.name, None)
        alone = isinstance(value, list) and len(value) == 1
        if value is not None:
            values[field.name] = (
                value[0] if alone and isinstance(field.default, (int, float)) else value
            )
    return values


def as_typed(value: object) -> str:
    """Write a value as the command line takes it; nothing for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return " ".join(map(as_typed, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
