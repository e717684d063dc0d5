"""A picture that was painted in the playground, as the code of a cell that needs no widgets."""

import dataclasses
import json

from nst_tutorial.extractors import Extractor
from nst_tutorial.widgets.worker import Painted

STOP = """
def stop(step):  # it was paused after step {0} of {1}
    if step.step == {0}:
        raise KeyboardInterrupt  # stylize keeps the picture so far

"""


def as_code(painted: Painted, extractor: Extractor) -> str:
    """Write the cell that makes a `worker.Painted` again.

    It makes the same picture where settings stayed as they were from the first step on; else what
    the last settings make in a single run of as many steps, and a comment says so.
    """
    config = painted.job.config
    pictures = painted.job.content, painted.job.style
    exact_stop = not painted.breaks and config.optimizer != "lbfgs" and painted.step
    steps = config.steps if exact_stop else max(painted.step, 1)
    stopped = painted.step < steps
    lines = [
        *_notes(painted.breaks, pictures),
        "from nst_tutorial import TransferConfig, load_extractor, stylize",
        "",
        _loading(extractor),
        _configuring(dataclasses.replace(config, steps=steps)),
        *(STOP.format(painted.step, steps).splitlines() if stopped else ()),
        f"result = stylize({', '.join(map(_source, pictures))}, extractor, config"
        + (", stop)" if stopped else ")"),
        'result.save("painted.png")',
    ]
    return "\n".join(lines)


def _notes(breaks, pictures):
    for picture in pictures:
        if isinstance(picture.source, bytes):
            yield f"# Put the file that you uploaded, {picture.name}, beside this notebook."
    if breaks:
        after = ", ".join(map(str, breaks[:6])) + (", …" if len(breaks) > 6 else "")
        yield f"# Settings changed on the way, or a run began anew (after step {after}), and that"
        yield "# path is not repeated here: this is what the last settings make in a single run."


def _source(picture):
    """A file by its name; an array by the name that the playground's argument has."""
    if isinstance(picture.source, bytes):
        return _quoted(picture.name)
    is_file = isinstance(picture.source, str) or hasattr(picture.source, "__fspath__")
    return _quoted(str(picture.source)) if is_file else picture.name


def _loading(extractor):
    names = ("pooling", "border", "precision")
    settings = [f"{name}={_quoted(getattr(extractor, name))}" for name in names]
    return f"extractor = load_extractor({', '.join([_quoted(extractor.name), *settings])})"


def _configuring(config):
    """The config as code: the fields that differ from their defaults."""
    values = {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}
    changed = [f for f in dataclasses.fields(config) if values[f.name] != f.default]
    given = [f"    {field.name}={_quoted(values[field.name])}," for field in changed]
    return "\n".join(["config = TransferConfig(", *given, ")"])


def _quoted(value):
    """Python's own form of a value, with the double quotes of the lessons."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
