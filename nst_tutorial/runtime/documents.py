"""Documents: what a file says of itself is checked against a declared form before it is used."""

import json
from typing import Any

from nst_tutorial.runtime.errors import NSTError
from nst_tutorial.runtime.files import shown
from nst_tutorial.runtime.types import PathLike

MOST_CHARACTERS = 50_000_000  # of JSON: a checkpoint's history of a million steps
LONGEST_REASON = 400  # characters: it may name what a stranger wrote


def parse(text: str | bytes, schema: dict[str, Any], name: PathLike) -> Any:
    """Parse JSON and check its form.

    Args:
        text: string or bytes.
        schema: a JSON Schema (draft 7), as a dictionary.
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
    import fastjsonschema  # here, since most runs read no document

    validate = fastjsonschema.compile(schema, use_default=False)
    try:
        return validate(document, name_prefix="it")
    except fastjsonschema.JsonSchemaValueException as error:
        why = error.message.removeprefix("it.")[:LONGEST_REASON]
        if error.rule == "additionalProperties":
            why += f"; it may have {', '.join(error.definition['properties'])}"
        raise NSTError(f"{shown(name)} cannot be used: {why}.") from None


def _refuse(constant):
    raise ValueError(f"{constant} is no number")
