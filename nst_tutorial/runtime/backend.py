"""Keras and its backend: imported once, quietly; its gradient and its compiled graphs."""

import contextlib
import functools
import os
from collections.abc import Callable, Iterator
from typing import Any

from nst_tutorial.runtime import machine
from nst_tutorial.runtime.errors import NSTError

NO_GRADIENTS = "gradients need KERAS_BACKEND tensorflow, jax or torch; it is {}."
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
        if os.environ.get("KERAS_BACKEND") == "numpy":  # for which Keras imports JAX
            raise NSTError(NO_GRADIENTS.format("numpy")) from None
        name = str(error.name).split(".")[0]
        extra = name if name in ("jax", "torch") else "cpu"
        raise ModuleNotFoundError(
            f"{error.name} is missing: install the package with it, pip install -e '.[{extra}]' "
            "from the clone (with an NVIDIA card on Linux '.[gpu]')."
        ) from None
    except Exception as error:  # what Keras says of settings that it does not know
        raise NSTError(
            f"Keras could not be loaded ({error}); set KERAS_BACKEND to tensorflow, jax or torch, "
            f"and look at the settings in {machine.keras_home() / 'keras.json'}."
        ) from error

if keras.config.floatx() != "float32":  # Keras' optimizers would keep their rates in it
    raise NSTError(
        f"Keras is set to compute in {keras.config.floatx()}; set floatx to float32 in "
        f"{machine.keras_home() / 'keras.json'}."
    )

__all__ = ["compiled", "differentiate", "keras", "ops", "silenced_stderr", "value_and_gradient"]


def value_and_gradient(function: Callable, any_size: bool = False) -> Callable:
    """Compile `function(x, *rest) -> (value, extras)` into `(x, *rest) -> (extras, gradient)`.

    The gradient is d value / d x. `any_size` is that of `compiled`.
    """
    # A partial function counts as one of its own, so that TensorFlow takes the graphs of several
    # networks and sizes for what they are, not for one that is compiled again and again.
    return compiled(functools.partial(differentiate, function, False), any_size=any_size)


def differentiate(function: Callable, again: bool, x: Any, *rest: Any) -> tuple[Any, Any]:
    """Return the extras of `function(x, *rest) -> (value, extras)`, and d value / d x.

    `again`: the gradient is to be differentiated itself, for which PyTorch must keep more.
    """
    if backend_name() == "jax":
        import jax

        (_, extras), gradient = jax.value_and_grad(function, has_aux=True)(x, *rest)
        return extras, gradient
    if backend_name() == "torch":
        return _differentiate_by_torch(function, x, rest, again)
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(x)
        value, extras = function(x, *rest)
    return extras, tape.gradient(value, x)


def _differentiate_by_torch(function, x, rest, again):
    import torch

    x = keras.tree.map_structure(lambda part: part.detach().requires_grad_(), x)
    value, extras = function(x, *rest)
    gradient = torch.autograd.grad(value, keras.tree.flatten(x), create_graph=again)
    if not again:
        extras = keras.tree.map_structure(lambda e: e.detach() if torch.is_tensor(e) else e, extras)
    return extras, keras.tree.pack_sequence_as(x, gradient)


def compiled(function: Callable, any_size: bool = False) -> Callable:
    """Compile a function of tensors.

    One graph serves all numbers; new shapes are traced once. On TensorFlow XLA stays off: on
    processors it is slower than a plain graph. PyTorch runs the function as it is.

    Args:
        function: of tensors, and of trees of them.
        any_size: on TensorFlow, let one graph serve batches and pictures of all sizes.
    """
    if backend_name() == "torch":
        return functools.partial(_call_with_tensors, function)
    if backend_name() == "jax":
        import jax

        return jax.jit(function)
    import tensorflow as tf

    graph = tf.function(function, autograph=False, jit_compile=False)
    return functools.partial(_call_at_any_size, graph) if any_size else graph


def _call_at_any_size(graph, *arguments):
    specs = keras.tree.map_structure(_of_any_size, arguments)
    return graph.get_concrete_function(*specs)(*arguments)


def _of_any_size(tensor):
    """Describe a tensor; of features `(B, H, W, N)` and weights `(B, S)` by the last axis alone."""
    import tensorflow as tf

    shape = list(tensor.shape)
    if len(shape) in (2, 4):
        shape[:-1] = [None] * (len(shape) - 1)
    return tf.TensorSpec(shape, tensor.dtype)


def _call_with_tensors(function, *arguments):
    return function(*keras.tree.map_structure(ops.convert_to_tensor, arguments))


def backend_name() -> str:
    """Return the name of Keras' backend, if gradients can be had of it.

    Raises:
        NSTError: they cannot.
    """
    backend = keras.backend.backend()
    if backend not in ("tensorflow", "jax", "torch"):
        raise NSTError(NO_GRADIENTS.format(backend))
    return backend
