"""A schedule: what changes while a picture is painted, so that the same way can be taken again.

It is a list of `(step, what)`, in order. After so many steps, `what` is

- a dictionary of settings: they have these values from here on, and a new run of `steps` begins;
- "half" or "whole": from here on at half the size, at a quarter of the cost, or at the whole size;
- "restart": the picture is rounded to whole numbers, as files hold it, and the optimizer forgets;
- "stop": the end.

The same schedule, with the same pictures on the same machine, makes the same bytes.
"""

import dataclasses
import itertools
from collections.abc import Sequence
from typing import Any

from nst_tutorial.config import TransferConfig
from nst_tutorial.runtime.errors import NSTError

Schedule = tuple[tuple[int, Any], ...]
SCALES = {"half": 0.5, "whole": 1.0}
WORDS = (*SCALES, "restart", "stop")
STEERABLE = (
    "content_weight", "style_weight", "tv_weight", "tv_exponent", "layer_weights", "learning_rate",
    "decay", "steps", "content_layers", "optimizer",
)  # fmt: skip
REMADE = ("content_layers", "optimizer")  # of these, what targets and optimizer were made for
LONGEST = 10_000
ENTRY = {
    "type": "array",
    "minItems": 2,
    "maxItems": 2,
    "items": [
        {"type": "integer", "minimum": 0, "maximum": 1_000_000_000},
        {"anyOf": [{"enum": list(WORDS)}, {"type": "object", "maxProperties": len(STEERABLE)}]},
    ],
}
SCHEDULE = {"type": "array", "maxItems": LONGEST, "items": ENTRY}  # as JSON holds it


def read_schedule(schedule: Sequence[tuple[int, Any]], config: TransferConfig) -> Schedule:
    """Return a schedule as this module takes it, or refuse it.

    Args:
        schedule: list of `(step, what)`, see above.
        config: the `TransferConfig` that the run begins with.

    Raises:
        NSTError: it says what cannot be, at a step that is never reached, or out of order.
    """
    if not isinstance(schedule, (list, tuple)) or len(schedule) > LONGEST:
        raise NSTError(f"a schedule is a list of (step, what), at most {LONGEST}.")
    entries = tuple(map(_entry, schedule))  # of tuples, whatever lists they came as
    if entries and config.scales != 1:
        raise NSTError("a schedule steers a run at one size; set scales=1.")
    last, ended = 0, False
    for (step, what), now in zip(entries, configs(entries, config), strict=False):
        if ended:
            raise NSTError("a schedule ends with its first 'stop'.")
        if not last <= step <= last + now.steps:
            raise NSTError(
                f"the schedule changes something after step {step}; that must be from {last} to "
                f"{last + now.steps}, where the run at that point ends."
            )
        last, ended = step, what == "stop"
    return entries


def configs(schedule: Schedule, config: TransferConfig) -> list[TransferConfig]:
    """The settings at the beginning and after each entry of a schedule that was read."""
    return list(itertools.accumulate(schedule, _after, initial=config))


def count_steps(schedule: Schedule, config: TransferConfig) -> int:
    """How many steps a run with a schedule takes in all."""
    if not schedule:
        return config.steps
    step, what = schedule[-1]
    return step if what == "stop" else step + configs(schedule, config)[-1].steps


def layers_of(schedule: Schedule, config: TransferConfig) -> tuple[str, ...]:
    """All the content layers that a run with a schedule uses, each once."""
    used = [layer for now in configs(schedule, config) for layer in now.content_layers]
    return tuple(dict.fromkeys(used))


def _entry(entry):
    pair = tuple(entry) if isinstance(entry, (list, tuple)) else ()
    if len(pair) != 2 or type(pair[0]) is not int:
        raise NSTError(f"{entry!r} in the schedule must be (step, what), such as (40, 'stop').")
    step, what = pair
    if isinstance(what, dict):
        if strange := sorted(map(str, what.keys() - set(STEERABLE))):
            raise NSTError(
                f"{strange[0]} cannot change on the way; what can is {', '.join(STEERABLE)}."
            )
    elif not (isinstance(what, str) and what in WORDS):
        raise NSTError(
            f"{what!r} in the schedule must be settings, {{name: value}}, or {', '.join(WORDS)}."
        )
    return step, what


def _after(config, entry):
    what = entry[1]
    return dataclasses.replace(config, **what) if isinstance(what, dict) else config
