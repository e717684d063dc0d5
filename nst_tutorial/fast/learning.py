"""How a network learns: the loss of lesson 07, now over the network's weights."""

import dataclasses
import math

import numpy as np

from nst_tutorial.backend import keras, ops
from nst_tutorial.errors import NSTError
from nst_tutorial.extractors import Extractor, load_extractor
from nst_tutorial.fast.callbacks import Keep, Tell
from nst_tutorial.fast.crops import Crops, pictures_in
from nst_tutorial.fast.network import ConditionalInstanceNormalization, StyleNetwork, cast
from nst_tutorial.fast.objective import BatchObjective, one_a_style
from nst_tutorial.images import load_image
from nst_tutorial.interrupts import noted
from nst_tutorial.provenance import digest
from nst_tutorial.records import TransferConfig


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """One training's settings; a value that cannot be is an NSTError at once.

    The loss is that of `TransferConfig`, in its relative units and with its weights, but at the
    layers of Johnson et al. (1603.08155). Small crops are cheap and teach strokes; a style that
    comes in slowly leaves the network time to learn what a photograph is.
    """

    steps: int = 2500
    batch_size: int = 4
    size: int = 128  # of the crops, in pixels
    coarse: float = 0.8  # share of the steps, from the first, on crops of half the size
    ramp: float = 0.3  # share of the steps in which the style's weight grows to its full size
    style_size: int | tuple[int, ...] = 256  # longest side of the styles, or one a style: the
    # larger, the bolder the strokes
    width: int = 16  # channels at the full size; four times as many in the middle
    blocks: int = 4  # residual blocks
    learning_rate: float = 4e-3  # of Muon, five times that for γ and β; falls to 0 on a cosine
    content_weight: float | tuple[float, ...] = TransferConfig.content_weight  # or one a style
    style_weight: float | tuple[float, ...] = TransferConfig.style_weight  # or one a style
    tv_weight: float = TransferConfig.tv_weight
    tv_exponent: float = TransferConfig.tv_exponent
    content_layers: tuple[str, ...] = ("block3_conv3",)
    style_layers: tuple[str, ...] = ("block1_conv2", "block2_conv2", "block3_conv3", "block4_conv3")
    layer_weights: tuple[float, ...] | None = None  # one a style layer; None: 1/L each
    normalize: str = "instance"  # or "batch", for the comparison in the lesson
    precision: str = "float32"  # or "bfloat16": what the network computes in while it learns
    save_every: float = 30.0  # seconds between two checkpoints
    seed: int = 0

    def __post_init__(self):
        for field in ("content_layers", "style_layers"):
            object.__setattr__(self, field, getattr(self.transfer(), field))  # tuples
        for field in ("steps", "batch_size", "style_size", "width", "blocks"):
            self._demand(field, _are_counts, "must be a whole number from 1 up")
        self._demand("size", lambda x: x >= 32 and x % 8 == 0, "must be a multiple of 8 from 32 up")
        for field in ("coarse", "ramp"):
            self._demand(field, lambda x: 0 <= x <= 1, "must be a share, from 0 to 1")
        self._demand("seed", lambda x: x >= 0 and x % 1 == 0, "must be a whole number from 0 up")
        self._demand("learning_rate", lambda x: 0 < x < math.inf, "must be a number above 0")
        self._demand("save_every", lambda x: x >= 0, "must be 0 seconds or more")
        self._demand("normalize", ("instance", "batch").__contains__, "must be instance or batch")
        self._demand(
            "precision", ("float32", "bfloat16").__contains__, "must be float32 or bfloat16"
        )
        for field in ("content_weight", "style_weight"):
            self._demand(field, lambda x: np.all(np.array(x) >= 0), "must be from 0 up")

    def _demand(self, field, holds, demand):
        try:
            good = holds(getattr(self, field))
        except TypeError:  # not a number at all
            good = False
        if not good:
            raise NSTError(f"{field} is {getattr(self, field)}; it {demand}.")

    def transfer(self, style=0, **settings):
        """The slow way's config with the same loss, for the style of that number."""
        return TransferConfig(
            content_weight=_of_style(self.content_weight, style),
            style_weight=_of_style(self.style_weight, style),
            tv_weight=self.tv_weight,
            tv_exponent=self.tv_exponent,
            content_layers=self.content_layers,
            style_layers=self.style_layers,
            layer_weights=self.layer_weights,
            style_size=_of_style(self.style_size, style),
            **settings,
        )


def _are_counts(numbers):
    numbers = np.array(numbers)
    return np.all((numbers >= 1) & (numbers % 1 == 0))


def _of_style(value, style):
    return value[style] if isinstance(value, (tuple, list)) else value


class StyleMuon(keras.optimizers.Muon):
    r"""Muon for the convolutions; Adam, with longer steps, for the tables of γ and β.

    $W \leftarrow W - 0.2\, \eta \sqrt{\max(n, m)}\, U V^\top$, where $U \Sigma V^\top = G$

    (2502.16982, eq. 4); G is the gradient with its momentum as a matrix n×m, one row for each
    number that a channel sees. All its directions get one length: no few of them use up the step.

    Differs: Keras gives convolutions to Adam; the paper decays weights, which normalization makes
    needless.
    """

    LONGER = 5  # times; all of a style hangs on a few numbers

    def __init__(self, learning_rate):
        super().__init__(learning_rate, weight_decay=None, adam_weight_decay=None)

    def _should_use_adamw(self, variable):
        return len(variable.shape) != 4

    def update_step(self, gradient, variable, learning_rate):
        longer = self.LONGER if self._should_use_adamw(variable) else 1
        super().update_step(gradient, variable, learning_rate * longer)

    def zeropower_via_newtonschulz5(self, x, steps):
        return ops.reshape(super().zeropower_via_newtonschulz5(_matrix(x), steps), x.shape)

    def lr_adjust(self, x):
        return self.rms_rate * max(_matrix(x).shape) ** 0.5 * x


def _matrix(kernel):
    return ops.reshape(kernel, (-1, kernel.shape[-1]))


class Learner(keras.Model):
    """A network and what it is judged by: all that `fit` needs."""

    def __init__(self, network, objective, ramp):
        super().__init__()
        self.network, self.objective, self.ramp = network, objective, ramp
        told = ("content", "style", "tv", "total")
        self.terms = {name: keras.metrics.Mean(name=name) for name in told}

    def call(self, inputs):
        return inputs[0], self.network(list(inputs))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The mean over the batch of what `BatchObjective` says of each picture."""
        share = ops.minimum((ops.cast(self.optimizer.iterations, "float32") + 1) / self.ramp, 1)
        terms = self.objective(*y_pred, y, share)
        for name, tracker in self.terms.items():
            tracker.update_state(terms[name])
        return ops.mean(terms["loss"])


def train(styles, images, extractor=None, config=None, callback=None, checkpoint=None):
    """Train one network for several styles.

    Args:
        styles: `{name: anything load_image takes}`.
        images: a folder of photographs, or a list of their files.
        extractor: an `Extractor`, a name for `load_extractor`, or None for its default.
        config: a `TrainConfig`, or None for its defaults.
        callback: called with a `TrainStep` after each step.
        checkpoint: a file ending in .weights.h5, to save to every few seconds and to go on from if
            it is there; None for none. Remove it once the network is saved.

    Returns:
        the `StyleNetwork`, and `{path: sentence}` of the photographs that could not be read.

    Raises:
        NSTError: a picture, a layer or a setting is not usable, or the loss is no longer a number.
        KeyboardInterrupt: after Ctrl-C, once the checkpoint is saved.

    Taught in: 09_fast_styles.
    """
    config = config or TrainConfig()
    keras.utils.set_random_seed(config.seed)
    names = list(styles)
    network = StyleNetwork(names, config.width, config.blocks, config.normalize, config.precision)
    pictures = _load(styles.values(), config)
    rows = np.eye(len(names), dtype="float32")
    return _learn(network, rows, pictures, images, extractor, config, callback, checkpoint)


def learn_style(
    network, style, picture, images, extractor=None, config=None, callback=None, checkpoint=None
):
    """Train γ and β of one style, which `add_style` added: all the others stay to the byte.

    Their optimizer, Adam, does not move what has no gradient, and no batch asks for another style.

    Args:
        network: a `StyleNetwork`; it is not changed.
        style: the style's name.
        picture: anything `load_image` takes.
        images, extractor, config, callback, checkpoint: as `train` takes them.

    Returns:
        a `StyleNetwork`, and `{path: sentence}` of the photographs that could not be read.

    Raises:
        NSTError: as `train`; and where the network has no such style.

    Taught in: 09_fast_styles.
    """
    config = config or TrainConfig()
    rows = network.weights_of(style)
    network = _copy(network, config.precision)
    for layer in network.layers:
        layer.trainable = isinstance(layer, ConditionalInstanceNormalization)
    pictures = _load([picture], config)
    learned = _learn(network, rows, pictures, images, extractor, config, callback, checkpoint)
    network.trainable = True
    return learned


def _load(pictures, config):
    sizes = one_a_style(config, "style_size", len(pictures))
    return [load_image(picture, size) for picture, size in zip(pictures, sizes, strict=True)]


def _copy(network, precision):
    copy = StyleNetwork(**{**network.get_config(), "precision": precision})
    copy.set_weights(network.get_weights())
    return copy


def _learn(network, rows, pictures, images, extractor, config, callback, checkpoint):
    """Train what is trainable: the style of the n-th picture is asked for by the n-th row."""
    if not isinstance(extractor, Extractor):
        extractor = load_extractor(extractor, config.content_layers + config.style_layers)
    paths = images if isinstance(images, (list, tuple)) else pictures_in(images)
    learner = _learner(network, BatchObjective(pictures, extractor, config), config)
    keep = Keep(checkpoint, _origin(network, pictures, extractor, config), config.save_every)
    keep.restore(learner)
    tell, broken = Tell(callback, config.steps), {}
    with noted() as keep.interrupts:
        for size, batches in _stages(config, done=int(learner.optimizer.iterations)):
            crops = Crops(paths, size, config.batch_size, rows, batches, config.seed, broken)
            learner.make_train_function(force=True)  # the old one would take sizes for unknown
            learner.fit(crops, shuffle=False, verbose=0, callbacks=[tell, keep])
    return cast(network, "float32"), broken


def _stages(config, done):
    """Crops' sizes, each with the numbers of its batches, from small to full; none that is done."""
    small = round(config.coarse * config.steps)
    stages = (
        (config.size // 2, range(done, small)),
        (config.size, range(max(done, small), config.steps)),
    )
    return [(size, batches) for size, batches in stages if batches]


def _learner(network, objective, config):
    learner = Learner(network, objective, max(config.ramp * config.steps, 1))
    rate = keras.optimizers.schedules.CosineDecay(config.learning_rate, config.steps)
    learner.compile(optimizer=StyleMuon(rate), jit_compile=False)
    learner.optimizer.build(network.trainable_variables)
    learner.built = True
    return learner


def _origin(network, pictures, extractor, config):
    """What a checkpoint belongs to."""
    settings = {**dataclasses.asdict(config), "save_every": None}
    hashes = [
        digest(*of) for of in (pictures, extractor.model.get_weights(), network.get_weights())
    ]
    return [network.styles, hashes, settings]
