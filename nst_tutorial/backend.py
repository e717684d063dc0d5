"""Keras and its backend: imported once, quietly; its gradient; the precision it is fastest in."""

import contextlib
import functools
import json
import os
import time

from nst_tutorial import machine
from nst_tutorial.errors import NSTError
from nst_tutorial.files import keras_home, replacing

ROUNDS = 5  # of the race between two precisions

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
machine.limit_threads()


@contextlib.contextmanager
def silenced_stderr():
    """Send file descriptor 2 to nowhere: TensorFlow greets there before any log level acts."""
    try:
        kept = os.dup(2)
    except OSError:  # no standard error at all, as under pythonw on Windows
        yield
        return
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


with silenced_stderr():
    try:
        import keras
        from keras import ops
    except ModuleNotFoundError as error:
        if error.name == "torch":
            raise NSTError(
                "PyTorch is no backend here; set KERAS_BACKEND to tensorflow or jax."
            ) from None
        extra = "jax" if error.name.startswith("jax") else "cpu"
        raise ModuleNotFoundError(
            f"{error.name} is missing: install the package with it, pip install -e '.[{extra}]' "
            "from the clone (with an NVIDIA card on Linux '.[gpu]')."
        ) from None
    except Exception as error:  # what Keras says of settings that it does not know
        raise NSTError(
            f"Keras could not be loaded ({error}); set KERAS_BACKEND to tensorflow or jax, and "
            f"look at the settings in {keras_home() / 'keras.json'}."
        ) from error

if keras.config.floatx() != "float32":  # Keras' optimizers would keep their rates in it
    raise NSTError(
        f"Keras is set to compute in {keras.config.floatx()}; set floatx to float32 in "
        f"{keras_home() / 'keras.json'}."
    )

__all__ = [
    "choose_precision",
    "compiled",
    "fastest_precision",
    "keras",
    "ops",
    "silenced_stderr",
    "value_and_gradient",
]


def value_and_gradient(function):
    """Compile `function(x, *rest) -> (value, extras)` into `(x, *rest) -> (extras, gradient)`.

    The gradient is d value / d x.

    Raises:
        NSTError: Keras runs on neither TensorFlow nor JAX.
    """
    if _backend() == "jax":
        import jax

        return compiled(_swapped(jax.value_and_grad(function, has_aux=True)))
    import tensorflow as tf

    def differentiate(x, *rest):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value, extras = function(x, *rest)
        return extras, tape.gradient(value, x)

    return compiled(differentiate)


def _swapped(value_and_grad):
    def differentiate(x, *rest):
        (_, extras), gradient = value_and_grad(x, *rest)
        return extras, gradient

    return differentiate


def compiled(function, ranks=None):
    """Compile a function of tensors.

    One graph serves all numbers; new shapes are traced once. On TensorFlow XLA stays off: on
    processors it is slower than a plain graph.

    Args:
        function: of tensors, and of trees of them.
        ranks: of its arguments, then float32 tensors: one graph for all their shapes too.

    Raises:
        NSTError: Keras runs on neither TensorFlow nor JAX; with `ranks`, on JAX.
    """
    if _backend() == "jax" and ranks:
        raise NSTError("networks that paint at once need KERAS_BACKEND=tensorflow.")
    if _backend() == "jax":
        import jax

        return jax.jit(function)
    import tensorflow as tf

    signature = ranks and [tf.TensorSpec((None,) * rank, "float32") for rank in ranks]
    graph = tf.function(function, signature, autograph=False, jit_compile=False)
    # A dozen sizes in a row, each traced once, are no mistake to warn of.
    graph._omit_frequent_tracing_warning = True
    return graph


def _backend():
    backend = keras.backend.backend()
    if backend not in ("tensorflow", "jax"):
        raise NSTError(f"gradients need KERAS_BACKEND tensorflow or jax; it is {backend}.")
    return backend


def fastest_precision():
    """Return `"bfloat16"` where it is the faster precision on this machine, else `"float32"`."""
    return choose_precision()[0]


@functools.cache
def choose_precision():
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
    if not (machine.has_bfloat16_units() or _has_bfloat16_card()):
        return "float32", "no units for bfloat16 were found here"
    return _remembered(_race)


def _has_bfloat16_card():
    """Whether TensorFlow computes on a graphics card with units for bfloat16 (Ampere or later)."""
    if _backend() != "tensorflow":
        return False
    import tensorflow as tf

    cards = tf.config.list_physical_devices("GPU")
    details = map(tf.config.experimental.get_device_details, cards)
    return any(one.get("compute_capability", (0,)) >= (8,) for one in details)


def _remembered(race):
    """Look up what `race` came to on this machine, or hold it and keep the outcome."""
    file = keras_home() / "nst_tutorial-precision.json"
    parts = (machine.processor_name(), machine.instructions(), machine.threads(), keras.__version__)
    key = "; ".join(map(str, parts))
    known = {}
    with contextlib.suppress(OSError, ValueError):
        known = dict(json.loads(file.read_text("utf-8")))
    if known.get(key) in ("float32", "bfloat16"):
        return known[key], f"the faster when measured; {file} keeps it"
    winner = race()
    with contextlib.suppress(NSTError, OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        with replacing(file) as beside:
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


def seconds_of(run):
    """Time a function without arguments, once."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start
