"""Well-known implementations: how each divides its losses, as data.

Divisors are functions of a layer's shape, h×w positions and N channels, and of the picture's, H×W.
Each row was read in its published source, unless it says otherwise; the code is this project's own.
The settings that they ran with are in `recipes`.
"""

import dataclasses
import types
from collections.abc import Callable

DEVIATIONS = (58.395, 57.12, 57.375)  # of ImageNet's R, G, B, by which PyTorch divides pixels


def _positions(h, w, N):
    return h * w


def _numbers(h, w, N):
    return h * w * N


@dataclasses.dataclass(frozen=True, eq=False)  # each is itself alone, and can be looked up by
class Convention:
    """One implementation's divisors, and the network that it has."""

    source: str
    gram: Callable  # (h, w, N) to what its Gram matrix is divided by
    distance: Callable  # (N, H, W) to what Σ (G − A)² is then divided by
    content: Callable  # (h, w, N) to what Σ (F − P)² is divided by
    variation: str = "squares"  # Σ (dx² + dy²)^(β/2), or "absolute": Σ |dx| + Σ |dy|, or "mean"
    pixel: float | tuple = 1.0  # what pixel values 0..255 are divided by before total variation
    pixels: Callable = lambda H, W: 1.0  # what total variation is divided by
    exponent: float | None = None  # β; None: any
    relative: bool = False  # content and style are divided by their value for no features instead
    pooling: str | None = None  # of its network; None: what the weights were trained with
    border: str = "zero"  # what its network continues a picture with
    inexact: str = ""  # why no extractor here gives its numbers
    prints: int = 100  # steps between its printed lines
    trains: bool = False  # it trains a network: there is no run to repeat

    def layer_divisor(self, h: int, w: int, N: int, H: int, W: int) -> float:
        """What Σ (G − A)² of raw Gram matrices is divided by, for two pictures of one size."""
        return self.gram(h, w, N) ** 2 * self.distance(N, H, W)


_KNOWN = {
    # This project's default: see `TransferConfig`.
    "relative": Convention(
        source="this project",
        gram=_positions,
        distance=lambda N, H, W: 4 * N**2,
        content=lambda h, w, N: 2,
        pixel=255.0,
        pixels=lambda H, W: 3 * (H - 1) * (W - 1),
        relative=True,
        border="reflect",
        prints=10,
    ),
    # Deviation: each Gram matrix is divided by its own M_l, so that sizes may differ. Neither
    # the paper's rescaled VGG, whose mean activation is 1, nor its number of steps is here.
    "paper": Convention(
        source="https://arxiv.org/abs/1508.06576",
        gram=_positions,
        distance=lambda N, H, W: 4 * N**2,
        content=lambda h, w, N: 2,
        pooling="average",
    ),
    # From a description of that notebook: it is not published. Its Gram matrices are divided
    # by width and channels, where positions were meant: an (H, W, C) tensor's shape[1]·shape[2].
    "original_notebook": Convention(
        source="the course notebook that this project grew from (Keras 2)",
        gram=lambda h, w, N: w * N,
        distance=lambda N, H, W: 4 * 3**2 * (H * W) ** 2,
        content=lambda h, w, N: 1,
        exponent=2.5,
        prints=10,
    ),
    "keras_io": Convention(
        source="https://keras.io/examples/generative/neural_style_transfer/",
        gram=lambda h, w, N: 1,
        distance=lambda N, H, W: 4 * 3**2 * (H * W) ** 2,
        content=lambda h, w, N: 1,
        exponent=2.5,
    ),
    "tensorflow_tutorial": Convention(
        source="https://www.tensorflow.org/tutorials/generative/style_transfer",
        gram=_positions,
        distance=lambda N, H, W: N**2,
        content=_numbers,
        variation="absolute",
        pixel=255.0,
    ),
    # arXiv 1603.08155. Its published code takes the mean of squares, Σ / N², half of this
    # total variation, and 1 : 5 : 1e-6; the paper gives no weight but that of total variation.
    # Its network is VGG16; the layers of these names in VGG19 are the nearest.
    "johnson": Convention(
        source="https://arxiv.org/abs/1603.08155",
        gram=_numbers,
        distance=lambda N, H, W: 1,
        content=_numbers,
        exponent=2.0,
        trains=True,
    ),
    # Its noise lies around the mean color of ImageNet, ours around middle gray.
    "neural_style_keras": Convention(
        source="https://github.com/robertomest/neural-style-keras",
        gram=_positions,
        distance=lambda N, H, W: N**2,
        content=_numbers,
        exponent=2.0,
    ),
    # The nearest to these two takes features after the ReLU, and as large as they come: some 57
    # times larger than theirs.
    "d2l": Convention(
        source="https://d2l.ai/chapter_computer-vision/neural-style.html",
        gram=_numbers,
        distance=lambda N, H, W: N**2,
        content=_numbers,
        variation="mean",
        pixel=DEVIATIONS,
        prints=10,
        inexact="its VGG19 has other weights, sees pixels divided by their deviations, and is "
        "taken before the ReLU",
    ),
    "pytorch_tutorial": Convention(
        source="https://pytorch.org/tutorials/advanced/neural_style_tutorial.html",
        gram=_numbers,
        distance=lambda N, H, W: N**2,
        content=_numbers,
        prints=50,
        inexact="its VGG19 has other weights, sees pixels divided by their deviations, and is "
        "taken before the ReLU",
    ),
}
# Its option --norm_by_channels.
_KNOWN["neural_style_keras_by_channels"] = dataclasses.replace(
    _KNOWN["neural_style_keras"], gram=_numbers
)
CONVENTIONS = types.MappingProxyType(_KNOWN)
