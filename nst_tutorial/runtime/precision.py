"""The precision that a network is fastest in here: measured once for each machine."""

import contextlib
import functools
import json
import os
import time
from collections.abc import Callable

from nst_tutorial.runtime import machine, processor
from nst_tutorial.runtime.backend import backend_name, keras, ops, value_and_gradient
from nst_tutorial.runtime.errors import NSTError
from nst_tutorial.runtime.files import replace_file

ROUNDS = 5  # of the race between two precisions


def fastest_precision() -> str:
    """Return `"bfloat16"` where it is the faster precision on this machine, else `"float32"`."""
    return choose_precision()[0]


@functools.cache
def choose_precision() -> tuple[str, str]:
    """Choose the faster precision, once in a process.

    bfloat16 needs a processor with units for it, where it must also win every one of several rounds
    of a convolution with its gradient. The outcome is kept in Keras' own folder, so that one
    machine always chooses alike. NST_PRECISION, where set, decides instead.

    Returns:
        the precision, and why it was chosen, in a few words.

    Raises:
        NSTError: NST_PRECISION is neither float32 nor bfloat16.
    """
    asked = os.environ.get("NST_PRECISION")
    if asked not in (None, "float32", "bfloat16"):
        raise NSTError(f"NST_PRECISION is {asked!r}; it must be float32 or bfloat16.")
    if asked:
        return asked, "NST_PRECISION says so"
    if not (processor.has_bfloat16_units() or _has_bfloat16_card()):
        return "float32", "no units for bfloat16 were found here"
    return _remembered(_race)


def _has_bfloat16_card():
    """Whether TensorFlow computes on a graphics card with units for bfloat16 (Ampere or later)."""
    if backend_name() != "tensorflow":
        return False
    import tensorflow as tf

    cards = tf.config.list_physical_devices("GPU")
    details = map(tf.config.experimental.get_device_details, cards)
    return any(one.get("compute_capability", (0,)) >= (8,) for one in details)


def _remembered(race):
    """Look up what `race` came to on this machine, or hold it and keep the outcome."""
    file = machine.keras_home() / "nst_tutorial-precision.json"
    parts = (processor.model(), processor.instructions(), machine.threads(), keras.__version__)
    key = "; ".join(map(str, parts))
    known = {}
    with contextlib.suppress(OSError, ValueError, TypeError):  # there is none, or it is damaged
        known = dict(json.loads(file.read_text("utf-8")))
    if known.get(key) in ("float32", "bfloat16"):
        return known[key], f"the faster when measured; {file} keeps it"
    winner = race()
    with contextlib.suppress(NSTError, OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        with replace_file(file) as beside:
            beside.write(json.dumps({**known, key: winner}, indent=1).encode())
    return winner, "the faster, measured now"


def _race():
    """bfloat16 must win each round by a quarter: another program may disturb one, not all."""
    contenders = {name: _contender(name) for name in ("float32", "bfloat16")}
    for _ in range(ROUNDS):
        slow, fast = (min(seconds_of(run) for _ in range(3)) for run in contenders.values())
        if slow < 1.25 * fast:
            return "float32"
    return "bfloat16"


def _contender(precision):
    """One convolution in a precision, with its gradient, as a function without arguments."""
    layer = keras.layers.Conv2D(64, 3, data_format="channels_last", dtype=precision)
    x = ops.ones((1, 96, 96, 64), dtype=precision)
    layer(x)
    run = value_and_gradient(lambda x: (ops.sum(ops.square(layer(x))), {}))
    run(x)
    return lambda: ops.convert_to_numpy(ops.cast(run(x)[1], "float32"))


def seconds_of(run: Callable[[], object]) -> float:
    """Time a function without arguments, once."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start
