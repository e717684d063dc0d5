"""Keras and its backend: imported once, quietly; its gradient; the precision it is fastest in."""

import contextlib
import functools
import os
import time

from nst_tutorial import machine
from nst_tutorial.errors import NSTError

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
        raise ModuleNotFoundError(
            f"{error.name} is missing: install the package with it, pip install -e '.[cpu]' "
            "from the clone (or '.[gpu]' on Linux with an NVIDIA card)."
        ) from None

__all__ = ["compiled", "fastest_precision", "keras", "ops", "silenced_stderr", "value_and_gradient"]


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


@functools.cache
def fastest_precision():
    """Time one convolution in both precisions, once in a process, within a fraction of a second.

    bfloat16 is chosen where it is faster by a clear margin: that is where the processor has
    matrix units for it (AMX, AVX512-BF16). NST_PRECISION, where set, decides instead.
    """
    chosen = os.environ.get("NST_PRECISION")
    if chosen not in (None, "float32", "bfloat16"):
        raise NSTError(f"NST_PRECISION is {chosen!r}; it must be float32 or bfloat16.")
    faster = _seconds_of_a_layer("float32") > 1.25 * _seconds_of_a_layer("bfloat16")
    return chosen or ("bfloat16" if faster else "float32")


def _seconds_of_a_layer(precision, seconds=0.1):
    layer = keras.layers.Conv2D(64, 3, dtype=precision)
    x = ops.ones((1, 96, 96, 64), dtype=precision)
    ops.convert_to_numpy(layer(x))
    best, stop = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < stop:
        start = time.perf_counter()
        ops.convert_to_numpy(layer(x))
        best = min(best, time.perf_counter() - start)
    return best
