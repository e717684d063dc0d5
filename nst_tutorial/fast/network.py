"""The network that paints at once: a photograph and a style's weights in, a picture out.

Johnson, Alahi and Fei-Fei, "Perceptual losses for real-time style transfer", arXiv 1603.08155, with
the normalization of Ulyanov, Vedaldi and Lempitsky, arXiv 1607.08022, and the many styles of
Dumoulin, Shlens and Kudlur, "A learned representation for artistic style", arXiv 1610.07629.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from nst_tutorial.extractors import Mirror, mirror, mirror_to_multiple
from nst_tutorial.fast.config import MOST_STYLES
from nst_tutorial.fast.memory import check_painting, memory_errors_as_sentences
from nst_tutorial.runtime.backend import compiled, keras, ops
from nst_tutorial.runtime.errors import NSTError
from nst_tutorial.runtime.types import Array, Shape

PACKAGE = "nst_tutorial"  # under which Keras knows the classes below
STRIDE = 4  # the network halves a picture twice
MARGIN = 12  # pixels around a picture that are painted too and cut off: borders come out specked
RIPPLE = 4.0  # gray levels, the standard deviation of what `apply` adds to a picture
WAVES, SHORTEST, LONGEST = 32, 10.0, 40.0  # how many, and from what length to what, in pixels
GOLDEN = np.pi * (3 - 5**0.5)  # radians: turned by it again and again, no direction comes back
LAYOUT = "channels_last"  # whatever Keras' own settings say
SPREAD = 0.3  # of the first γ and β: styles that begin apart stay apart
LONGEST_NAME = 200  # characters; it becomes a part of files' names
LEAST = 16  # pixels on each side, so that reflection has neighbors at a quarter of the size


keras.saving.register_keras_serializable(PACKAGE)(Mirror)


@keras.saving.register_keras_serializable(PACKAGE)
class ConditionalInstanceNormalization(keras.layers.Layer):
    r"""Give each channel of each picture mean 0 and variance 1, then its style's own two numbers.

    $z = \gamma_s \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}} + \beta_s$   (1610.07629, eq. 5)

    where μ and σ² are those of one channel over the positions of one picture (1607.08022, eq. 3),
    and γ_s, β_s belong to the style s. All else in the network is common to the styles.

    Args:
        styles: how many styles there are, S.
        normalize: "instance"; or "batch", over the positions of all pictures of a batch, for the
            comparison in the lesson.
        epsilon: added to the variance.

    Takes `[x, weights]`: `(B, H, W, C)`, and `(B, S)` whose rows add up to 1. A row with several
    weights interpolates γ and β.

    Differs: batch normalization proper keeps running means for later; here a batch is all there is.
    Taught in: 09_fast_styles.
    """

    def __init__(
        self, styles: int, normalize: str = "instance", epsilon: float = 1e-3, **settings: Any
    ) -> None:
        super().__init__(**settings)
        self.styles, self.normalize, self.epsilon = styles, normalize, epsilon

    def build(self, shapes: Sequence[Shape]) -> None:
        shape = (self.styles, shapes[0][-1])
        gamma, beta = (keras.initializers.RandomNormal(mean, SPREAD) for mean in (1, 0))
        self.gamma = self.add_weight(shape=shape, initializer=gamma, name="gamma")
        self.beta = self.add_weight(shape=shape, initializer=beta, name="beta")

    def call(self, inputs: Sequence[Array]) -> Array:
        x, weights = inputs[0], ops.cast(inputs[1], "float32")
        gamma, beta = (
            ops.matmul(weights, ops.convert_to_tensor(table, "float32"))[:, None, None, :]
            for table in (self.gamma, self.beta)
        )  # (B, 1, 1, C), in float32
        axes = (0, 1, 2) if self.normalize == "batch" else (1, 2)
        mean, variance = ops.moments(ops.cast(x, "float32"), axes, keepdims=True)
        scale = gamma / ops.sqrt(variance + self.epsilon)
        shift = beta - mean * scale
        return x * ops.cast(scale, x.dtype) + ops.cast(shift, x.dtype)

    def compute_output_shape(self, shapes: Sequence[Shape]) -> Shape:
        return shapes[0]

    def get_config(self) -> dict[str, Any]:
        mine = {name: getattr(self, name) for name in ("styles", "normalize", "epsilon")}
        return {**super().get_config(), **mine}


@keras.saving.register_keras_serializable(PACKAGE)
class StyleNetwork(keras.Model):
    """A picture and weights of styles in, the painted picture out; saved and loaded as any model.

    Args:
        styles: the styles' names.
        width: channels at the full size; there are four times as many in the middle.
        blocks: residual blocks in the middle.
        normalize: "instance" or "batch"; see `ConditionalInstanceNormalization`.
        precision: what it computes in, "float32" or "bfloat16"; weights stay in float32.

    Called with `[pictures, weights]`, `(B, H, W, 3)` RGB in 0..255, H and W multiples of 4, and
    `(B, S)`; returns `(B, H, W, 3)`, 0..255, float32. `apply` takes any size.

    Differs: Johnson et al. normalize by batch, mirror the border once and cut it off on the way,
    and enlarge by strided convolutions, which draw checkerboards; here as in 1610.07629. Their
    first convolution keeps the size; here it halves it, and the last one is 5×5, not 9×9.
    Taught in: 09_fast_styles.
    """

    def __init__(
        self,
        styles: Iterable[str],
        width: int = 16,
        blocks: int = 4,
        normalize: str = "instance",
        precision: str = "float32",
        **settings: Any,
    ) -> None:
        names, width, blocks = _checked(styles), int(width), int(blocks)
        policy = "mixed_bfloat16" if precision == "bfloat16" else "float32"
        picture = keras.Input((None, None, 3), name="picture")
        weights = keras.Input((len(names),), name="weights")
        parts = _Parts(weights, normalize, policy)
        super().__init__([picture, weights], _paint(picture, parts, width, blocks), **settings)
        self.styles, self.width, self.blocks = names, width, blocks
        self.normalize, self.precision = normalize, precision
        self.largest = 0  # pixels that it has painted at once
        self._compiled = compiled(lambda *inputs: self(inputs), any_size=True)

    def get_config(self) -> dict[str, Any]:
        fields = ("styles", "width", "blocks", "normalize", "precision")
        return {"name": self.name, **{field: getattr(self, field) for field in fields}}

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> "StyleNetwork":
        return cls(**config)

    def paint(self, pictures: Array, weights: Array) -> np.ndarray:
        """What calling it gives, compiled, as an array."""
        given = (ops.convert_to_tensor(array, "float32") for array in (pictures, weights))
        return ops.convert_to_numpy(self._compiled(*given))

    def weights_of(self, style: str | dict[str, float]) -> np.ndarray:
        """Turn a name, or `{name: weight}`, into `(1, S)` that adds up to 1.

        Raises:
            NSTError: an unknown style, a weight below 0, or none above it.
        """
        shares = {style: 1.0} if isinstance(style, str) else dict(style)
        for name in shares:
            if name not in self.styles:
                raise NSTError(f"style {name!r} is not here; there are {', '.join(self.styles)}.")
        row = np.array([[float(shares.get(name, 0)) for name in self.styles]], "float32")
        if not (np.isfinite(row).all() and row.min() >= 0 and row.sum() > 0):
            raise NSTError(
                f"the weights of styles are {shares}; give numbers from 0 up, not all 0."
            )
        return row / row.sum()


class _Parts:
    """What the network is built of, with the settings that all have in common."""

    def __init__(self, weights, normalize, policy):
        self.weights, self.normalize, self.policy = weights, normalize, policy

    def convolve(self, x, channels, size=3, stride=1, activation="relu"):
        """Mirror the border, convolve, normalize by style, and maybe cut off below 0."""
        x = Mirror(size // 2, dtype=self.policy)(x)
        x = keras.layers.Conv2D(
            channels, size, stride, data_format=LAYOUT, use_bias=False, dtype=self.policy
        )(x)  # β is the bias
        x = ConditionalInstanceNormalization(
            self.weights.shape[-1], self.normalize, dtype=self.policy
        )([x, self.weights])
        return keras.layers.Activation(activation, dtype=self.policy)(x)

    def residual(self, x):
        """Two convolutions that add to what is there."""
        y = self.convolve(self.convolve(x, x.shape[-1]), x.shape[-1], activation="linear")
        return keras.layers.Add(dtype=self.policy)([x, y])

    def enlarge(self, x, channels):
        """Repeat each pixel twice a side, then convolve: evenly, so that no checkerboard comes."""
        x = keras.layers.UpSampling2D(2, LAYOUT, "nearest", dtype=self.policy)(x)
        return self.convolve(x, channels)


def _paint(picture, parts, width, blocks):
    x = keras.layers.Rescaling(1 / 127.5, -1.0, dtype="float32")(picture)
    x = parts.convolve(x, 2 * width, 9, stride=2)
    x = parts.convolve(x, 4 * width, stride=2)
    for _ in range(blocks):
        x = parts.residual(x)
    x = parts.enlarge(x, 2 * width)
    x = parts.enlarge(x, width)
    x = parts.convolve(x, 3, 5, activation="sigmoid")
    return keras.layers.Rescaling(255.0, dtype="float32")(x)


def _checked(styles):
    names = [str(name) for name in styles]
    if not 0 < len(names) <= MOST_STYLES or len(set(names)) < len(names):
        raise NSTError(f"the styles are {names}; give 1 to {MOST_STYLES} names, each once.")
    for name in names:
        if not (0 < len(name) <= LONGEST_NAME and name.isprintable()) or set(name) & set("/\\"):
            raise NSTError(
                f"a style cannot be called {name!r}: its name becomes a part of files' names; "
                f"take 1 to {LONGEST_NAME} printable characters without / and \\."
            )
    return names


def make_waves() -> np.ndarray:
    """Return what `ripple` adds up: `(32, 3)`, radians a pixel to the right, down, and a phase."""
    number = np.arange(WAVES)
    length = SHORTEST * (LONGEST / SHORTEST) ** (number / (WAVES - 1))
    angle = GOLDEN * number
    return np.stack([*2 * np.pi / length * [np.cos(angle), np.sin(angle)], number**2.0], axis=1)


def ripple(height: int, width: int, top: int = 0, left: int = 0) -> np.ndarray:
    r"""Return faint waves in all directions, `(H, W, 1)`, of mean 0 and standard deviation 1.

    $\sqrt{2/K} \sum_k \sin(u_k x + v_k y + \phi_k)$   for the pixels from (left, top) on

    To convolutions all places of an even sky look alike, so they fill it with one stroke over and
    over, like a weave. The waves tell the places apart. They are the same for every picture of a
    size, so that painting stays repeatable, and a film flickers no more than without them.

    Taught in: 09_fast_styles.
    """
    right, down, phase = make_waves().T
    rows = np.exp(1j * (np.outer(top + np.arange(height), down) + phase))
    columns = np.exp(1j * np.outer(right, left + np.arange(width)))
    return (np.sqrt(2 / WAVES) * (rows @ columns).imag).astype("float32")[..., None]


def apply(
    network: StyleNetwork, image: Array, style: str | dict[str, float], strength: float = RIPPLE
) -> np.ndarray:
    """Paint a picture of any size in a style, or in a blend of styles.

    Args:
        network: a `StyleNetwork`.
        image: `(B, H, W, 3)`, RGB, 0..255, at least 16 pixels on each side.
        style: a name, or `{name: weight}`: γ and β of the styles are interpolated.
        strength: of the `ripple` that is added to the picture before, in gray levels; 0: none.

    Returns:
        float32 `(B, H, W, 3)`, RGB, 0..255.

    Raises:
        NSTError: an unknown style, weights that cannot be, a picture that is too small, or one
            that is too large for the memory that is free.

    Taught in: 09_fast_styles.
    """
    batch, height, width, _ = image.shape
    if min(height, width) < LEAST:
        raise NSTError(
            f"a picture of {width}×{height} is too small; it needs {LEAST} pixels a side."
        )
    weights = np.repeat(network.weights_of(style), batch, axis=0)
    check_painting(network, image.shape)
    with memory_errors_as_sentences():
        x = ops.clip(ops.cast(image, "float32") + strength * ripple(height, width), 0, 255)
        x = mirror_to_multiple(mirror(x, MARGIN), STRIDE)
        painted = network.paint(x, weights)
    network.largest = max(network.largest, batch * height * width)
    top, left = (painted.shape[1] - height) // 2, (painted.shape[2] - width) // 2
    return painted[:, top : top + height, left : left + width]


def add_style(network: StyleNetwork, name: str) -> StyleNetwork:
    """Return a network that knows one style more, which begins at the mean of the others.

    All else is copied; what the others paint stays the same to the byte. `learn_style` trains it.

    Raises:
        NSTError: the name is taken.
    """
    grown = StyleNetwork(**{**network.get_config(), "styles": [*network.styles, name]})
    grown.set_weights([
        np.concatenate([old, old.mean(axis=0, keepdims=True)]) if old.shape != new.shape else old
        for old, new in zip(network.get_weights(), grown.get_weights(), strict=True)
    ])  # fmt: skip
    return grown


def cast(network: StyleNetwork, precision: str) -> StyleNetwork:
    """Return a network with the same weights that computes in another precision."""
    return network if precision == network.precision else copy(network, precision)


def copy(network: StyleNetwork, precision: str) -> StyleNetwork:
    """Return a new network with the same weights, in a precision."""
    new = StyleNetwork(**{**network.get_config(), "precision": precision})
    new.set_weights(network.get_weights())
    return new
