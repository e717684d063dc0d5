"""How a network learns: the loss of lesson 07, now over the network's weights."""

import dataclasses

import numpy as np

from nst_tutorial.backend import keras, ops
from nst_tutorial.errors import NSTError
from nst_tutorial.extractors import Extractor, load_extractor
from nst_tutorial.fast.callbacks import Keep, Tell
from nst_tutorial.fast.crops import Crops, pictures_in
from nst_tutorial.fast.memory import check_training, memory_errors_as_sentences
from nst_tutorial.fast.network import (
    MOST_BLOCKS,
    MOST_WIDTH,
    ConditionalInstanceNormalization,
    StyleNetwork,
    cast,
)
from nst_tutorial.fast.objective import BatchObjective, one_a_style
from nst_tutorial.images import load_image
from nst_tutorial.interrupts import noted
from nst_tutorial.provenance import digest
from nst_tutorial.records import TransferConfig
from nst_tutorial.settings import check, choice, names, number, one_or_several, weights, whole

TRANSFER = TransferConfig()  # the slow way's defaults


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """One training's settings; a value that cannot be is an NSTError at once.

    The loss is that of `TransferConfig`, in its relative units and with its weights, but at the
    layers of Johnson et al. (1603.08155). Small crops are cheap and teach strokes; a style that
    comes in slowly leaves the network time to learn what a photograph is.
    """

    steps: int = whole(2500)
    batch_size: int = whole(4, most=1024)
    size: int = whole(128, least=32, most=4096)  # of the crops, in pixels; a multiple of 8
    # Share of the steps, from the first, on crops of half the size.
    coarse: float = number(0.8, most=1)
    # Share of the steps in which the style's weight grows to its full size.
    ramp: float = number(0.3, most=1)
    # Longest side of the styles, or one for each style: the larger, the bolder the strokes.
    style_size: int | tuple[int, ...] = one_or_several(whole(256))
    width: int = whole(16, most=MOST_WIDTH)  # channels at the full size; four times in the middle
    blocks: int = whole(4, most=MOST_BLOCKS)  # residual blocks
    # Of Muon, and five times that for γ and β; falls to 0 on a cosine.
    learning_rate: float = number(4e-3, above=True)
    # Each of the two weights is one number, or one for each style.
    content_weight: float | tuple[float, ...] = one_or_several(number(TRANSFER.content_weight))
    style_weight: float | tuple[float, ...] = one_or_several(number(TRANSFER.style_weight))
    tv_weight: float = number(TRANSFER.tv_weight)
    tv_exponent: float = number(TRANSFER.tv_exponent, above=True, most=100)
    content_layers: tuple[str, ...] = names(("block3_conv3",))
    style_layers: tuple[str, ...] = names(
        ("block1_conv2", "block2_conv2", "block3_conv3", "block4_conv3")
    )
    layer_weights: tuple[float, ...] | None = weights()  # one for each style layer; None: 1/L each
    normalize: str = choice("instance", "instance", "batch")  # "batch": for the lesson's comparison
    precision: str = choice("float32", "float32", "bfloat16")  # which the network learns in
    save_every: float = number(30.0)  # seconds between two checkpoints
    seed: int = whole(0, least=0, most=2**32 - 1)

    def __post_init__(self):
        check(self)
        if self.size % 8:
            raise NSTError(f"size is {self.size}; it must be a multiple of 8.")
        self.transfer()  # checks what concerns several settings

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
        checkpoint: a file to save to every few seconds, and to go on from if it is there; None for
            none. Remove it once the network is saved.

    Returns:
        the `StyleNetwork`, and `{path: sentence}` of the photographs that could not be read.

    Raises:
        NSTError: a picture, a layer or a setting is not usable, the loss is no longer a number, or
            there is too little memory.
        KeyboardInterrupt: after Ctrl-C, once the checkpoint is saved.

    Taught in: 09_fast_styles.
    """
    config = config or TrainConfig()
    keras.utils.set_random_seed(config.seed)
    network = StyleNetwork(styles, config.width, config.blocks, config.normalize, config.precision)
    pictures = _load(styles.values(), config)
    rows = np.eye(len(styles), dtype="float32")
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
    check_training(network, config, extractor, [picture.shape for picture in pictures])
    learner = _learner(network, BatchObjective(pictures, extractor, config), config)
    keep = Keep(checkpoint, _origin(network, pictures, extractor, config), config.save_every)
    keep.restore(learner)
    tell, broken = Tell(callback, config.steps), {}
    with noted() as keep.interrupts, memory_errors_as_sentences():
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
    """What a checkpoint belongs to, as `callbacks.ORIGIN` says."""
    hashed = (pictures, extractor.model.get_weights(), network.get_weights())
    return {
        "styles": network.styles,
        "sha256": [digest(*arrays) for arrays in hashed],
        "settings": {**dataclasses.asdict(config), "save_every": None},
    }
