"""Feature extractors: a picture in, `{layer: features}` out.

All are VGG19 in shape: sixteen 3×3 convolutions in five blocks, named as in Keras, each taken
after its ReLU, with 2×2 pooling between the blocks. They differ in widths and weights.
"""

import dataclasses
import functools
import os
from collections.abc import Callable, Sequence
from typing import Any

from nst_tutorial.images import to_vgg
from nst_tutorial.runtime.backend import keras, ops, value_and_gradient
from nst_tutorial.runtime.errors import NSTError
from nst_tutorial.runtime.precision import fastest_precision
from nst_tutorial.runtime.settings import argument, names, whole
from nst_tutorial.runtime.types import Array, Features, PathLike, Shape, Tree
from nst_tutorial.runtime.weights import LAYERS, Weights, load_weights

BORDERS = ("reflect", "zero", "wrap")


@dataclasses.dataclass(frozen=True)
class Extractor:
    """A callable picture → `{layer: features}`, and what it was made from.

    It owns what was made of it: networks that are cut or cast, and compiled graphs. They are found
    again as long as it lives, and freed with it.
    """

    model: keras.Model  # from to_vgg(picture) to {layer: features}
    name: str
    pooling: str
    border: str
    precision: str
    _made: dict = dataclasses.field(default_factory=dict, init=False, compare=False, repr=False)

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers it returns, shallowest first."""
        return tuple(self.model.output)

    def __call__(self, image: Array) -> Features:
        """Extract features.

        Args:
            image: `(B, H, W, 3)`, RGB in 0..255.

        Returns:
            `{layer: (B, H_l, W_l, N_l)}`, in the extractor's precision; H_l is H halved once for
            each block above the layer, rounded up (down with border "zero", as in Keras).

        Raises:
            NSTError: it is no such picture, or too small for the deepest layer.
        """
        return self.visit(image, lambda layer, F: F)

    def visit(self, image: Array, look: Callable[[str, Array], Any]) -> dict[str, Any]:
        """Call `look(layer, features)` on the way up, and return its answers `{layer: answer}`.

        The answers are those that the features of `__call__` would give. Their gradients take less
        memory: each waits for that of the layers above.
        """
        self.check_shape(getattr(image, "shape", ()))
        x, answers = to_vgg(self.on_grid(ops.cast(image, "float32"))), {}
        for layer in self.model.layers[1:]:  # a chain; nothing is kept that no one asked for
            x = layer(x)
            if layer.name in self.layers:
                x, answers[layer.name] = in_turn(x, look(layer.name, x))
        return answers

    def check_shape(self, shape: Shape) -> None:
        """Check that pictures have a shape which this extractor can take; None is any side.

        Raises:
            NSTError: it is not `(B, H, W, 3)`, or too small for the deepest layer.
        """
        if len(shape) != 4:
            raise NSTError("an extractor takes a batch of pictures, (B, H, W, 3).")
        if min(side or self.least_side for side in shape[1:3]) < self.least_side:
            raise NSTError(
                f"a picture of {shape[2]}×{shape[1]} is too small for {self.layers[-1]}, "
                f"which needs at least {self.least_side} pixels on each side."
            )

    def cast(self, precision: str) -> "Extractor":
        """Return an extractor with the same weights that computes in another precision."""
        _one_of("precision", precision, ("float32", "bfloat16"))
        if precision == self.precision:
            return self
        return self._once(("cast", precision), self._rebuild, precision)

    def _rebuild(self, precision):
        deep = [layer for layer in LAYERS if layer in {part.name for part in self.model.layers}]
        weights = {layer: self.model.get_layer(layer).get_weights() for layer in deep}
        model = build_network(weights, self.layers, self.pooling, self.border, precision)
        return dataclasses.replace(self, model=model, precision=precision)

    def select(self, layers: str | Sequence[str]) -> "Extractor":
        """Cut the network at the deepest of `layers`, and return only those; weights are shared.

        Raises:
            NSTError: a layer is not in this extractor, or none is given.
        """
        layers = in_order(layers, self.layers)
        return self if layers == self.layers else self._once(("select", layers), self._cut, layers)

    def _cut(self, layers):
        outputs = {layer: self.model.output[layer] for layer in layers}
        return dataclasses.replace(self, model=keras.Model(self.model.input, outputs))

    def compile(self, function: Callable, *settings: Any, shape: Shape | None = None) -> Callable:
        """Compile `function(self, *settings, x, *rest)` with its gradient by x, once.

        Args:
            function: returns a value and extras, as `backend.value_and_gradient` takes it.
            settings: what the graph is made for; they can be looked up by.
            shape: of the picture, which the graph is made for; None: one graph for all shapes.
        """
        part = functools.partial(function, self, *settings)
        return self._once((function, *settings, shape), value_and_gradient, part, shape is None)

    def _once(self, key, make, *arguments):
        if key not in self._made:
            self._made[key] = make(*arguments)
        return self._made[key]

    def alone(self) -> "Extractor":
        """Return an extractor with the same network that has nothing made of it yet."""
        return dataclasses.replace(self)

    @property
    def least_side(self) -> int:
        """Pixels that a picture needs on each side, at least."""
        return smallest_side(self.layers[-1])

    def on_grid(self, x: Array) -> Array:
        """Continue a picture so that poolings leave no rest; other borders drop it, as Keras."""
        grid = stride(self.layers[-1])
        return mirror_to_multiple(x, grid) if self.border == "reflect" else x

    def closed(self, x: Array) -> Array:
        """Continue a picture by what follows on its right and bottom; border "wrap" knows it."""
        return wrap(x, 1)[:, 1:, 1:] if self.border == "wrap" else x

    def feature_shape(self, layer: str, shape: Shape) -> Shape:
        """`(h, w, N)` of a layer's features for a picture `(1, H, W, 3)`."""
        sides, grid = shape[1:3], stride(self.layers[-1])
        if self.border == "reflect":
            sides = tuple(-(-side // grid) * grid for side in sides)
        return *(side // stride(layer) for side in sides), self.model.output[layer].shape[-1]


def load_extractor(
    name: PathLike | None = None,
    layers: str | Sequence[str] = LAYERS,
    *,
    pooling: str | None = None,
    border: str = "reflect",
    precision: str | None = None,
    seed: int = 0,
) -> Extractor:
    """Load an extractor, built only up to the deepest layer asked for.

    Args:
        name: `"pocket"` (embedded, the default unless the environment variable NST_EXTRACTOR
            names another), `"vgg19"` (ImageNet weights, downloaded once by Keras, or the file
            that NST_VGG19_WEIGHTS names), `"random"` and `"random-vgg19"` (seeded random weights
            in either shape), or a path to weights (.npz as `training/` writes, .h5 as Keras does).
        layers: names of the layers to return.
        pooling: `"average"` or `"max"`; by default what the weights were trained with.
        border: `"reflect"`; `"zero"` as in Keras, which darkens features along the border; or
            `"wrap"`, where the right side follows on the left and the bottom on the top, for
            pictures that tile without a seam.
        precision: `"float32"`, `"bfloat16"`, or None for the faster here (measured once).
        seed: of the random weights.

    Returns:
        an `Extractor`.

    Raises:
        NSTError: an unknown name, layer, pooling, border or precision; a seed that is no whole
            number; weights that do not fit.

    Taught in: 02_what_the_network_sees.
    """
    name = str(os.environ.get("NST_EXTRACTOR", "pocket") if name is None else name)
    layers = in_order(layers, LAYERS)
    if pooling is None:
        pooling = "max" if name.endswith(("vgg19", ".h5")) else "average"
    _one_of("pooling", pooling, ("average", "max"))
    _one_of("border", border, BORDERS)
    _one_of("precision", precision, (None, "float32", "bfloat16"))
    precision = precision or fastest_precision()
    seed = argument("seed", whole(0, least=0, most=2**64), seed)
    weights = load_weights(name, LAYERS[: LAYERS.index(layers[-1]) + 1], seed)
    model = build_network(weights, layers, pooling, border, precision)
    return Extractor(model, name, pooling, border, precision)


def in_order(layers: str | Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """Sort layers by depth, shallowest first; what is not `known` is an NSTError."""
    layers = argument("layers", names(LAYERS), layers)
    for layer in layers:
        if layer not in known:
            raise NSTError(f"layer {layer!r} is not in this extractor; it has {', '.join(known)}.")
    if not layers:
        raise NSTError(f"no layer was asked for; choose from {', '.join(known)}.")
    return tuple(layer for layer in known if layer in layers)


def smallest_side(layer: str) -> int:
    """Pixels a picture needs on each side so that reflection has a neighbor at `layer`."""
    return 2 ** int(layer[len("block")])


def stride(layer: str) -> int:
    """Pixels from one of a layer's positions to the next."""
    return smallest_side(layer) // 2


def mirror_to_multiple(x: Array, multiple: int) -> Array:
    """Continue a picture by its mirror image until both sides are multiples, half on each side.

    Pooling drops an odd last row or column: no loss would see it, and stripes would stay there.
    """
    missing = [-side % multiple for side in ops.shape(x)[-3:-1]]
    if None not in x.shape and not any(missing):
        return x
    return ops.pad(x, ((0, 0), *((m // 2, m - m // 2) for m in missing), (0, 0)), mode="reflect")


def mirror(x: Array, margin: int) -> Array:
    """Continue a picture, or its features, by `margin` mirrored positions on each side."""
    return ops.pad(x, ((0, 0), (margin, margin), (margin, margin), (0, 0)), mode="reflect")


def in_turn(x: Array, answer: Tree) -> tuple[Array, Tree]:
    """Return both unchanged; the answer's gradient is begun when that of x has been taken.

    TensorFlow begins all that it can. It would take the gradients of every layer's loss at once,
    and keep them until that of the layers above has come down to them.
    """
    if keras.backend.backend() != "tensorflow":
        return x, answer
    import tensorflow as tf

    @tf.custom_gradient
    def unchanged(x, *parts):
        def pull_back(above, *slopes):
            with tf.control_dependencies([above]):
                return above, *map(tf.identity, slopes)

        return (x, *parts), pull_back

    x, *parts = unchanged(x, *keras.tree.flatten(answer))
    return x, keras.tree.pack_sequence_as(answer, parts)


class Convolution(keras.layers.Conv2D):
    """A convolution whose gradient, once it is frozen, is taken by a convolution too.

    Its kernel is turned by 180° and sends each derivative back to the inputs that it came from. It
    is the gradient that TensorFlow has, which on processors takes up to twice as long for it.
    """

    def convolution_op(self, inputs: Array, kernel: Array) -> Array:
        if self.trainable or keras.backend.backend() != "tensorflow":
            return super().convolution_op(inputs, kernel)
        return convolve(self.padding, inputs, kernel)


def convolve(padding: str, x: Array, kernel: Array) -> Array:
    """Convolve with a kernel that is a constant to the gradient; padding "valid" or "same"."""
    kernel = ops.stop_gradient(kernel)

    @ops.custom_gradient
    def constant_kernel(x):
        def pull_back(upstream):
            turned = ops.swapaxes(ops.flip(kernel, (0, 1)), 2, 3)
            if padding == "valid":
                upstream = ops.pad(upstream, ((0, 0), (2, 2), (2, 2), (0, 0)))
            return ops.conv(upstream, turned, padding=padding, data_format="channels_last")

        return ops.conv(x, kernel, padding=padding, data_format="channels_last"), pull_back

    return constant_kernel(x)


def wrap(x: Array, margin: int) -> Array:
    """Continue a picture, or its features, by `margin` positions of the opposite side."""
    x = ops.concatenate([x[:, -margin:], x, x[:, :margin]], axis=1)
    return ops.concatenate([x[:, :, -margin:], x, x[:, :, :margin]], axis=2)


class Mirror(keras.layers.Layer):
    """Continue a picture by its mirror image, so that a convolution keeps its size."""

    def __init__(self, margin: int = 1, **settings: Any) -> None:
        super().__init__(**settings)
        self.margin = margin

    def call(self, x: Array) -> Array:
        return mirror(x, self.margin)

    def compute_output_shape(self, shape: Shape) -> Shape:
        return (shape[0], *(side and side + 2 * self.margin for side in shape[1:3]), shape[3])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "margin": self.margin}


class Wrap(Mirror):
    """Continue a picture by its opposite sides, as if it lay on a tube that is closed to a ring."""

    def call(self, x: Array) -> Array:
        return wrap(x, self.margin)


def build_network(
    weights: Weights, layers: Sequence[str], pooling: str, border: str, precision: str
) -> keras.Model:
    """Stack convolutions and poolings up to the deepest layer and give them their weights."""
    pool = keras.layers.MaxPooling2D if pooling == "max" else keras.layers.AveragePooling2D
    dtype: dict[str, Any] = {"dtype": "mixed_bfloat16" if precision == "bfloat16" else "float32"}
    settings = {"data_format": "channels_last", **dtype}
    padding = "same" if border == "zero" else "valid"
    x = inputs = keras.Input((None, None, 3), dtype="float32")
    outputs = {}
    for layer, (kernel, _) in weights.items():
        if layer.endswith("conv1") and layer != LAYERS[0]:
            x = pool(2, **settings)(x)
        if border != "zero":
            x = {"reflect": Mirror, "wrap": Wrap}[border](**dtype)(x)
        convolution = Convolution(
            kernel.shape[-1], 3, padding=padding, activation="relu", name=layer, **settings
        )
        x = outputs[layer] = convolution(x)
        convolution.set_weights(weights[layer])
    model = keras.Model(inputs, {layer: outputs[layer] for layer in layers})
    model.trainable = False
    return model


def _one_of(what, value, known):
    if not isinstance(value, (str, type(None))) or value not in known:
        known = " or ".join(str(name) for name in known if name)
        raise NSTError(f"{what} is {value!r}; it must be {known}.")
