"""Keras and its backend: imported once, quietly; its gradient and its compiled graphs."""

import contextlib
import functools
import os
from collections.abc import Callable, Iterator, Sequence

from nst_tutorial.runtime import machine
from nst_tutorial.runtime.errors import NSTError

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
machine.limit_threads()


@contextlib.contextmanager
def silenced_stderr() -> Iterator[None]:
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
        extra = "jax" if str(error.name).startswith("jax") else "cpu"
        raise ModuleNotFoundError(
            f"{error.name} is missing: install the package with it, pip install -e '.[{extra}]' "
            "from the clone (with an NVIDIA card on Linux '.[gpu]')."
        ) from None
    except Exception as error:  # what Keras says of settings that it does not know
        raise NSTError(
            f"Keras could not be loaded ({error}); set KERAS_BACKEND to tensorflow or jax, and "
            f"look at the settings in {machine.keras_home() / 'keras.json'}."
        ) from error

if keras.config.floatx() != "float32":  # Keras' optimizers would keep their rates in it
    raise NSTError(
        f"Keras is set to compute in {keras.config.floatx()}; set floatx to float32 in "
        f"{machine.keras_home() / 'keras.json'}."
    )

__all__ = ["compiled", "keras", "ops", "silenced_stderr", "value_and_gradient"]


def value_and_gradient(function: Callable) -> Callable:
    """Compile `function(x, *rest) -> (value, extras)` into `(x, *rest) -> (extras, gradient)`.

    The gradient is d value / d x.

    Raises:
        NSTError: Keras runs on neither TensorFlow nor JAX.
    """
    differentiate = {"tensorflow": _differentiate_by_tape, "jax": _differentiate_by_jax}
    # A partial function counts as one of its own, so that TensorFlow takes the graphs of several
    # networks and sizes for what they are, not for one that is compiled again and again.
    return compiled(functools.partial(differentiate[backend_name()], function))


def _differentiate_by_tape(function, x, *rest):
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(x)
        value, extras = function(x, *rest)
    return extras, tape.gradient(value, x)


def _differentiate_by_jax(function, x, *rest):
    import jax

    (_, extras), gradient = jax.value_and_grad(function, has_aux=True)(x, *rest)
    return extras, gradient


def compiled(function: Callable, ranks: Sequence[int] | None = None) -> Callable:
    """Compile a function of tensors.

    One graph serves all numbers; new shapes are traced once. On TensorFlow XLA stays off: on
    processors it is slower than a plain graph.

    Args:
        function: of tensors, and of trees of them.
        ranks: of its arguments, then float32 tensors: one graph for all their shapes too.

    Raises:
        NSTError: Keras runs on neither TensorFlow nor JAX; with `ranks`, on JAX.
    """
    if backend_name() == "jax" and ranks:
        raise NSTError("networks that paint at once need KERAS_BACKEND=tensorflow.")
    if backend_name() == "jax":
        import jax

        return jax.jit(function)
    import tensorflow as tf

    signature = ranks and [tf.TensorSpec((None,) * rank, "float32") for rank in ranks]
    return tf.function(function, signature, autograph=False, jit_compile=False)


def backend_name() -> str:
    """Return the name of Keras' backend, if gradients can be had of it.

    Raises:
        NSTError: they cannot.
    """
    backend = keras.backend.backend()
    if backend not in ("tensorflow", "jax"):
        raise NSTError(f"gradients need KERAS_BACKEND tensorflow or jax; it is {backend}.")
    return backend
