"""Style transfer: an optimizer moves the pixels until the losses are low.

Arrays in, an array out. `StyleTransfer` is one picture at one size: its objective and its
optimizer's state. `paint` runs one after another, from a small picture to the full size. Files,
checkpoints and whatever else a run needs that lasts are the business of `runs`.
"""

import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nst_tutorial.config import TransferConfig
from nst_tutorial.lbfgs import LBFGS, StalledWarning
from nst_tutorial.objective import Objective
from nst_tutorial.optimizers import Descent, DivergedError, FourierSeries, make_optimizer, rate_at
from nst_tutorial.runtime.backend import keras, ops
from nst_tutorial.runtime.errors import NSTError
from nst_tutorial.runtime.types import Array, FeatureExtractor, Terms
from nst_tutorial.scales import at_scale, coarse_to_fine, enlarge, starting_picture


def paint(
    content_image: Array | None,
    style_images: Sequence[Array],
    extractor: FeatureExtractor,
    config: TransferConfig,
    start: Array | None = None,
    callback: Callable[[Terms], object] | None = None,
    *,
    objective: Callable[..., Objective] = Objective,
    begin: Callable[..., tuple[np.ndarray, Array | None]] = starting_picture,
    enter: "Callable[[int, StyleTransfer], int] | None" = None,
    first: int = 0,
) -> tuple[np.ndarray, KeyboardInterrupt | DivergedError | None]:
    """Repaint a picture in the style of others, from coarse to fine.

    Args:
        content_image: `(1, H, W, 3)`, RGB, 0..255; None to synthesise the style's texture.
        style_images: list of such, of any size; empty to rebuild the content from its features.
        extractor: an `Extractor` that has the config's layers.
        config: a `TransferConfig`.
        start: `(1, H, W, 3)`, where to start instead of the config's `init`; or None.
        callback: called with the terms of each step, as `StyleTransfer.step` returns them; or None.
        objective: makes the objective of each size, from `Objective`'s arguments.
        begin: makes the first picture, from the arguments of `scales.starting_picture`.
        enter: called with the number and the `StyleTransfer` of each size; returns how many of its
            steps were taken before. None: none was.
        first: the number of the size to begin with, among those of `coarse_to_fine`.

    Returns:
        the picture `(1, H, W, 3)` at its full size, and what stopped it early: None, or the
        KeyboardInterrupt or `DivergedError`. Then the picture is the last good one.

    Taught in: 07_full_transfer.
    """
    full = (style_images[0] if content_image is None else content_image).shape
    stages = coarse_to_fine(full, config.scales, config.steps, config.learning_rate)
    given = content_image, style_images, start, config
    image, detail = begin(stages[0].shape, *given)
    transfer, stopped = None, None
    try:
        for number, stage in enumerate(stages[first:], first):
            scale = max(stage.shape) / max(full)
            targets = at_scale(scale, content_image, style_images, extractor.least_side)
            image = enlarge(image, stage.shape, detail)
            larger = StyleTransfer(*targets, extractor, config, image, objective)
            transfer = larger if transfer is None else larger.learn_from(transfer)
            done = enter(number, transfer) if enter else 0
            transfer.run(stage.steps, callback, stage.learning_rate, done)
            image = transfer.image
    except (KeyboardInterrupt, DivergedError) as error:
        image, stopped = transfer.image if transfer else image, error
    return enlarge(image, full, detail), stopped


class StyleTransfer:
    r"""One picture at one size, moved down the gradient of the total loss, a step at a time.

    $\arg\min_x \alpha L_{content}(x) + \beta L_{style}(x) + \gamma TV(x)$   (1508.06576, eq. 7)

    Args:
        content_image: `(1, H, W, 3)`, RGB, 0..255; None for texture synthesis.
        style_images: list of such, of any size; empty or None for feature inversion.
        extractor: an `Extractor` that has the config's layers.
        config: a `TransferConfig`. Assigning another to `.config` changes the weights, exponent
            and learning rate of the next step, without recompiling and from where the picture is.
        start: `(1, H, W, 3)`, where the picture starts.
        objective: makes its objective, from `Objective`'s arguments.

    Raises:
        NSTError: an argument is of the wrong kind, a layer is not in the extractor, or a picture is
            too small for the layers.

    Taught in: 07_full_transfer.
    """

    def __init__(
        self,
        content_image: Array | None,
        style_images: Sequence[Array] | None,
        extractor: FeatureExtractor,
        config: TransferConfig,
        start: Array,
        objective: Callable[..., Objective] = Objective,
    ) -> None:
        _check_kinds(content_image, style_images, extractor, config, start)
        self.config, self.shape = config, tuple(start.shape)
        self._margin = round(config.margin * max(self.shape))
        content_image = None if content_image is None else mirrored(content_image, self._margin)
        pictures = content_image, list(style_images or ())
        shape = mirrored(start, self._margin).shape
        self.objective = objective(*pictures, extractor, config, shape)
        self.restart(start)

    def restart(self, start: Array) -> None:
        """Start anew from a picture of the same shape, with nothing compiled again."""
        self._begin(mirrored(start, self._margin))

    def learn_from(self, smaller: "StyleTransfer") -> "StyleTransfer":
        """Begin with strides as long as L-BFGS found right for a smaller size, and return self.

        The loss is a mean over the pixels: the more there are, the smaller is each one's gradient.
        """
        if isinstance(self._descent, LBFGS) and smaller._descent.scale:
            pixels = self._descent.picture.size / smaller._descent.picture.size
            self._descent.scale = pixels * smaller._descent.scale
        return self

    def _begin(self, picture):
        """Let an optimizer that remembers nothing go on from a picture."""
        self._begun, config = self.config, self.config
        series = FourierSeries(picture.shape) if config.parameterization == "fourier" else None
        if config.optimizer == "lbfgs":
            self._descent: Any = LBFGS(picture, config.clip, series)
        else:
            self._descent = Descent(picture, make_optimizer(config), config.clip, series)

    def _keep_up(self):
        """Forget what L-BFGS learned of another objective, where the config has changed."""
        if self.config != self._begun and "lbfgs" in (self.config.optimizer, self._begun.optimizer):
            self._begin(np.array(self._descent.picture))

    def state(self) -> dict[str, np.ndarray]:
        """Return the picture and all that the optimizer remembers, `{name: array}`."""
        return self._descent.state()

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Go on from what `state` returned, to the same bytes.

        Raises:
            NSTError: it is not what a transfer of this shape and optimizer would have saved.
        """
        self._descent.restore(state)

    @property
    def image(self) -> np.ndarray:
        """The picture so far, `(1, H, W, 3)`, RGB, 0..255."""
        m, (_, height, width, _) = self._margin, self.shape
        return np.array(self._descent.picture)[:, m : m + height, m : m + width]

    def step(self, learning_rate: float | None = None) -> Terms:
        """Move the picture once by Adam or another, and return the terms from before the move.

        Args:
            learning_rate: of this step; by default the config's.

        Returns:
            `{"content": float, "style": {layer: float}, "tv": float, "total": float}`

        Raises:
            DivergedError: a term or the gradient is NaN or infinite; the picture has not moved.
            NSTError: the optimizer is L-BFGS, which lives by its history: call `run`.
        """
        if self.config.optimizer == "lbfgs":
            raise NSTError("L-BFGS has no single steps: call run(steps), or choose adam.")
        self._keep_up()
        return self._descent.take(self._evaluate, learning_rate or self.config.learning_rate)

    def run(
        self,
        steps: int,
        callback: Callable[[Terms], object] | None = None,
        learning_rate: float | None = None,
        done: int = 0,
    ) -> None:
        """Take many steps, with a learning rate that falls (`rate_at`), or L-BFGS iterations.

        Args:
            steps: how many in all.
            callback: called with the terms of each; or None.
            learning_rate: of the first step; by default the config's. L-BFGS has none.
            done: how many of them were taken before; see `restore`.

        Warns:
            StalledWarning: L-BFGS found no way down twice in a row, and ends early.
        """
        first = learning_rate or self.config.learning_rate
        for taken in range(done, steps):
            self._keep_up()
            terms = self._descent.take(self._evaluate, rate_at(self.config, taken, steps, first))
            if terms is None:
                told = f"after {taken} of {steps} steps at {max(self.shape)} px, and stopped there"
                told = f"L-BFGS found no way down {told}; try adam, or another start."
                return warnings.warn(told, StalledWarning, stacklevel=2)
            if callback:
                callback(terms)

    def _evaluate(self, image):
        """Return the terms, as numbers, and the gradient.

        Raises:
            DivergedError: one of them is NaN or infinite.
        """
        image = ops.convert_to_tensor(image)
        terms, gradient = self.objective.differentiate(image, self.objective.weights(self.config))
        terms = keras.tree.map_structure(float, terms)
        if not (math.isfinite(terms["total"]) and ops.all(ops.isfinite(gradient))):
            raise DivergedError(_culprit(terms))
        return terms, gradient


def mirrored(image: Array, m: int) -> np.ndarray:
    """Continue pictures by m mirrored pixels: borders are where reflection draws stripes."""
    return np.pad(image, ((0, 0), (m, m), (m, m), (0, 0)), mode="reflect")


def _check_kinds(content_image, style_images, extractor, config, start):
    """Refuse what is of the wrong kind, before an error from inside speaks of something else."""
    if not (hasattr(extractor, "select") and isinstance(config, TransferConfig)):
        raise NSTError("StyleTransfer takes an Extractor and a TransferConfig.")
    if not isinstance(style_images, (list, tuple, type(None))):
        raise NSTError("style_images must be a list of pictures.")
    contents = [] if content_image is None else [content_image]
    for image in (*contents, *(style_images or ()), start):
        shape = tuple(getattr(image, "shape", ()))
        if len(shape) != 4 or shape[::3] != (1, 3):
            came = f"an array {shape}" if shape else f"a {type(image).__name__}"
            raise NSTError(f"a picture must be an array (1, H, W, 3), RGB, 0..255, not {came}.")


def _culprit(terms):
    """Say which of the terms is no number, and what to lower."""
    losses = {name: loss for name, loss in terms.items() if name not in ("style", "total")}
    losses |= {f"style at {layer}": loss for layer, loss in terms["style"].items()}
    lost = [name for name, loss in losses.items() if not math.isfinite(loss)]
    if lost == ["tv"]:
        return "total variation is no longer a number; lower tv_exponent"
    if lost:
        return f"no longer a number: the loss of {', '.join(lost)}; lower learning_rate"
    if not math.isfinite(terms["total"]):
        return "the weighted sum of the losses is no longer a number; lower the weights"
    return "the gradient is no longer a number, though the losses are; lower the weights"
