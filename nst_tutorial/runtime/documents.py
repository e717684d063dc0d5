"""Documents: what a file says of itself is checked against a declared form before it is used."""

import itertools
import json
from typing import Any

from nst_tutorial.runtime.errors import NSTError
from nst_tutorial.runtime.files import shown
from nst_tutorial.runtime.types import PathLike

TOO_MUCH = ("maxItems", "maxProperties", "maxLength")
MOST_CHARACTERS = 50_000_000  # of JSON: a checkpoint's history of a million steps


def parse(text: str | bytes, schema: dict[str, Any], name: PathLike) -> Any:
    """Parse JSON and check its form.

    Args:
        text: string or bytes.
        schema: a JSON Schema, as a dictionary.
        name: of the file, for the sentence.

    Returns:
        what it holds, in lists and dictionaries.

    Raises:
        NSTError: it is no JSON, or does not have the form.
    """
    if len(text) > MOST_CHARACTERS:
        raise NSTError(f"{shown(name)} says too much: {len(text)} characters.")
    try:
        document = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise NSTError(f"{shown(name)} is damaged: what it says is no JSON ({error}).") from None
    return check(document, schema, name)


def check(document: Any, schema: dict[str, Any], name: PathLike) -> Any:
    """Return a document that has the form of a schema.

    Raises:
        NSTError: it has not; the sentence says where and why.
    """
    from jsonschema import Draft202012Validator  # here, since most runs read no document
    from jsonschema.exceptions import best_match

    errors = Draft202012Validator(schema).iter_errors(document)
    error = next(errors, None)
    if error is None:
        return document
    if error.validator not in TOO_MUCH:  # what is too much is not looked through to its end
        error = best_match(itertools.chain([error], errors))
    place = "".join(f"[{part!r}]" for part in error.absolute_path) or "the whole"
    why, value = error.message, repr(error.instance)
    if len(value) > 60:  # not all of it is printed
        why = why.replace(value, f"{value[:60]}…")
    raise NSTError(f"{shown(name)} cannot be used: {place}: {why}.")


def _refuse(constant):
    raise ValueError(f"{constant} is no number")
