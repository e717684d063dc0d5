"""Style transfer: an optimizer moves the pixels until the losses are low.

`StyleTransfer` is one picture at one size: its objective, its optimizer's state.
`stylize` runs one after another from a small picture to the full size.
"""

import warnings

import numpy as np

from nst_tutorial.backend import ops
from nst_tutorial.checkpoints import Checkpoint
from nst_tutorial.descent import Descent, DivergedError, checked
from nst_tutorial.errors import NSTError
from nst_tutorial.extractors import Extractor
from nst_tutorial.images import demand_picture
from nst_tutorial.inputs import at_scale, listed, load_pictures, ready, starting_picture
from nst_tutorial.interrupts import noted
from nst_tutorial.lbfgs import LBFGS, StalledWarning
from nst_tutorial.memory import fitting_tile
from nst_tutorial.objective import Objective
from nst_tutorial.optimizers import rate_at
from nst_tutorial.provenance import describe
from nst_tutorial.records import Progress, Result, TransferConfig
from nst_tutorial.scales import coarse_to_fine, enlarge
from nst_tutorial.settings import argument, whole
from nst_tutorial.tiles import TiledObjective


class StyleTransfer:
    r"""One picture at one size, moved down the gradient of the total loss, a step at a time.

    $\arg\min_x \alpha L_{content}(x) + \beta L_{style}(x) + \gamma TV(x)$   (1508.06576, eq. 7)

    Args:
        content_image: `(1, H, W, 3)`, RGB, 0..255; None for texture synthesis.
        style_images: list of such, of any size; empty for feature inversion.
        extractor: an `Extractor` that has the config's layers.
        config: a `TransferConfig`. Assigning another to `.config` changes the weights, exponent
            and learning rate of the next step, without recompiling and from where the picture is.
        start: `(1, H, W, 3)`, where the picture starts.
        tile: side of the tiles to go through the network in; None: all at once.

    Raises:
        NSTError: an argument is of the wrong kind, a layer is not in the extractor, or a picture is
            too small for the layers.

    Taught in: 07_full_transfer.
    """

    def __init__(self, content_image, style_images, extractor, config, start, tile=None):
        if not (isinstance(extractor, Extractor) and isinstance(config, TransferConfig)):
            raise NSTError("StyleTransfer takes an Extractor and a TransferConfig.")
        tile = argument("tile", whole(None, optional=True), tile)
        style_images = listed(style_images)
        for image in (*style_images, start, *([] if content_image is None else [content_image])):
            demand_picture(image)
        self.config, self.shape = config, tuple(start.shape)
        self._margin = round(config.margin * max(self.shape))
        content_image = None if content_image is None else self._with_margin(content_image)
        given = content_image, style_images, extractor, config, self._with_margin(start).shape
        self.objective = TiledObjective(*given, tile) if tile else Objective(*given)
        self.ahead = 0
        self.restart(start)

    def restart(self, start):
        """Start anew from a picture of the same shape, with nothing compiled again."""
        self._begin(self._with_margin(start))

    def _begin(self, picture):
        """Let an optimizer that remembers nothing go on from a picture."""
        self._begun = self.config
        if self.config.optimizer == "lbfgs":
            self._descent = LBFGS(picture, self.config.clip, self._colour_stride())
        else:
            self._descent = Descent(self.objective, self.config, picture)

    def _keep_up(self):
        """Forget what L-BFGS learned of another objective, where the config has changed."""
        if self.config != self._begun and "lbfgs" in (self.config.optimizer, self._begun.optimizer):
            self._begin(np.array(self._descent.picture))

    def state(self):
        """Return the picture and all that the optimizer remembers, `{name: array}`."""
        return self._descent.state()

    def restore(self, state):
        """Go on from what `state` returned, to the same bytes.

        Raises:
            NSTError: it is not what a transfer of this shape and optimizer would have saved.
        """
        self._descent.restore(state)

    @property
    def image(self):
        """The picture so far, `(1, H, W, 3)`, RGB, 0..255."""
        m, (_, height, width, _) = self._margin, self.shape
        return np.array(self._descent.picture)[:, m : m + height, m : m + width]

    def step(self, learning_rate=None):
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
        [terms] = self._descent.take([learning_rate or self.config.learning_rate], self.config)
        return terms

    def run(self, steps, callback=None, learning_rate=None, done=0, together=False):
        """Take many steps, with a learning rate that falls (`rate_at`), or L-BFGS iterations.

        Args:
            steps: how many in all.
            callback: called with the terms of each; or None.
            learning_rate: of the first step; by default the config's. L-BFGS has none.
            done: how many of them were taken before; see `restore`.
            together: take several steps at once, half a second's; when the callback hears of a
                step, the picture is `.ahead` of it by so many. L-BFGS takes its steps one by one.

        Warns:
            StalledWarning: L-BFGS found no way down twice in a row, and ends early.
        """
        callback = callback or (lambda terms: None)
        if self.config.optimizer == "lbfgs":
            return self._run_lbfgs(steps, callback, done)
        self._keep_up()
        first = learning_rate or self.config.learning_rate
        while done < steps:
            count = min(self._descent.pace, steps - done) if together else 1
            rates = [rate_at(self.config, done + more, steps, first) for more in range(count)]
            done += count
            for number, terms in enumerate(self._descent.take(rates, self.config), 1):
                self.ahead = count - number
                callback(terms)

    def _run_lbfgs(self, steps, callback, done):
        for taken in range(done, steps):
            self._keep_up()
            terms = self._descent.take(self._evaluate)
            if not terms:
                warnings.warn(
                    f"L-BFGS found no way down after {taken} of {steps} steps at "
                    f"{max(self.shape)} px, and stopped there; try adam, or another start.",
                    StalledWarning,
                    stacklevel=3,
                )
                return
            callback(terms)

    def _evaluate(self, image):
        image = ops.convert_to_tensor(image)
        terms, gradient = self.objective.differentiate(image, self.objective.weights(self.config))
        return checked(terms, gradient), ops.convert_to_numpy(gradient)

    def _colour_stride(self):
        """Of L-BFGS: a photograph's colours are good to start from, noise's must all change."""
        repaints = all(self.objective.targets.values())
        return self.config.colour_stride if repaints and self.config.init == "content" else 1.0

    def _with_margin(self, image):
        """Continue a picture by its mirror image: borders are where reflection draws stripes."""
        m = self._margin
        return np.pad(image, ((0, 0), (m, m), (m, m), (0, 0)), mode="reflect")


def stylize(
    content, style, extractor=None, config=None, callback=None, start=None, checkpoint=None
):
    """Repaint a photograph in the style of a picture, from coarse to fine.

    Args:
        content: anything `load_image` takes; None to synthesise the style's texture from noise.
        style: anything `load_image` takes, or a list of such to blend; None to rebuild the
            content from its features alone.
        extractor: an `Extractor`, a name for `load_extractor`, or None for its default.
        config: a `TransferConfig`, or None for its defaults.
        callback: called with a `Step` after each step.
        start: anything `load_image` takes: where to start, instead of the config's `init`.
        checkpoint: a `Checkpoint` to save to, and to go on from; None for none.

    Returns:
        a `Result`. Ctrl-C, and losses that are no longer numbers, end the run early but lose
        nothing: the result has the last good picture, and says in `.stopped` what happened.

    Raises:
        NSTError: a picture, a layer or a setting is not usable; said before the first step.

    Taught in: 07_full_transfer.
    """
    config = TransferConfig() if config is None else config
    if not (callback is None or callable(callback)):
        raise NSTError(f"callback is {callback!r}; it must be a function of a Step.")
    if not (checkpoint is None or isinstance(checkpoint, Checkpoint)):
        raise NSTError(f"checkpoint is {checkpoint!r}; it must be a Checkpoint.")
    sources = {"content": content, "styles": listed(style), "start": start}
    pictures = dict(zip(sources, load_pictures(content, style, start, config), strict=True))
    extractor = ready(extractor, config, pictures["content"], pictures["styles"])
    return paint(sources, pictures, extractor, config, callback, checkpoint)


def paint(sources, pictures, extractor, config, callback=None, checkpoint=None, like=None):
    """Paint pictures that are loaded: what `stylize` does once all is there.

    Args:
        sources, pictures: as `provenance.describe` takes them.
        extractor: an `Extractor` with the layers that are needed.
        config, callback, checkpoint: as `stylize` takes them.
        like: the description of an earlier run, which this one is to repeat in the same tiles.

    Returns:
        a `Result`.
    """
    content, styles, start = pictures.values()
    full = (styles[0] if content is None else content).shape
    if checkpoint and checkpoint.moment:
        like = checkpoint.moment.origin
    tile = _choose_tile(full, styles, extractor, config, like)
    origin = describe(config, extractor, sources, pictures, tile)
    stages = coarse_to_fine(full, config.scales, config.steps, config.learning_rate)
    progress = Progress(config.steps, callback, checkpoint, origin, stages)
    image, detail = starting_picture(stages[0].shape, content, styles, start, config)
    stopped = None
    with noted() as progress.interrupts:
        try:
            for number, stage in enumerate(stages[progress.stage :], progress.stage):
                targets = at_scale(
                    max(stage.shape) / max(full), content, styles, extractor.layers[-1]
                )
                image = enlarge(image, stage.shape, detail)
                transfer = StyleTransfer(*targets, extractor, config, image, tile)
                done = progress.enter(number, transfer)
                transfer.run(stage.steps, progress, stage.learning_rate, done, callback is None)
                image = transfer.image
        except (KeyboardInterrupt, DivergedError) as error:
            image = progress.transfer.image if progress.transfer else image
            why = "interrupted" if isinstance(error, KeyboardInterrupt) else error
            stopped = f"{why}, after step {len(progress.history)}"
        image = enlarge(image, full, detail)
    return Result(
        image, progress.history, config, extractor.name, extractor.precision, stopped, origin
    )


def _choose_tile(full, styles, extractor, config, like):
    """Return the config's tiles; else those of the run to repeat, or what fits if that is less."""
    if config.tile:
        return config.tile
    fitting = fitting_tile(
        full, [style.shape for style in styles], extractor, config.optimizer, config.margin
    )
    repeated = like["machine"]["tile"] if like and "machine" in like else None
    return min(filter(None, (repeated, fitting)), default=None)
