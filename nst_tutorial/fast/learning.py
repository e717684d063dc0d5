"""How a network learns: the loss of lesson 07, now over the network's weights."""

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nst_tutorial.extractors import Extractor, load_extractor
from nst_tutorial.fast.callbacks import Keep, Tell, TrainStep
from nst_tutorial.fast.config import TrainConfig
from nst_tutorial.fast.crops import Crops, pictures_in
from nst_tutorial.fast.memory import check_training, memory_errors_as_sentences
from nst_tutorial.fast.network import ConditionalInstanceNormalization, StyleNetwork, cast, copy
from nst_tutorial.fast.objective import BatchObjective, one_a_style
from nst_tutorial.images import load_image
from nst_tutorial.runs.provenance import digest
from nst_tutorial.runtime.backend import backend_name, keras, ops
from nst_tutorial.runtime.errors import NSTError
from nst_tutorial.runtime.interrupts import hold_interrupts
from nst_tutorial.runtime.types import Array, PathLike, Source

Learned = tuple[StyleNetwork, dict[PathLike, str]]  # and {path: sentence} of broken photographs


class StyleMuon(keras.optimizers.Muon):
    r"""Muon for the convolutions; Adam, with longer steps, for the tables of γ and β.

    $W \leftarrow W - 0.2\, \eta \sqrt{\max(n, m)}\, U V^\top$, where $U \Sigma V^\top = G$

    (2502.16982, eq. 4); G is the gradient with its momentum as a matrix n×m, one row for each
    number that a channel sees. All its directions get one length: no few of them use up the step.

    Differs: Keras gives convolutions to Adam; the paper decays weights, which normalization makes
    needless. Three of the methods take the place of Keras' own, which are no public names: tests of
    a step say whether they still act, with the lowest Keras that is allowed and the newest.
    """

    LONGER = 5  # times; all of a style hangs on a few numbers

    def __init__(self, learning_rate: Any) -> None:
        super().__init__(learning_rate, weight_decay=None, adam_weight_decay=None)

    def _should_use_adamw(self, variable):
        return len(variable.shape) != 4

    def update_step(self, gradient: Array, variable: Array, learning_rate: Array) -> None:
        longer = self.LONGER if self._should_use_adamw(variable) else 1
        super().update_step(gradient, variable, learning_rate * longer)

    def zeropower_via_newtonschulz5(self, x: Array, steps: int) -> Array:
        return ops.reshape(super().zeropower_via_newtonschulz5(_matrix(x), steps), x.shape)

    def lr_adjust(self, x: Array) -> Array:
        return self.rms_rate * max(_matrix(x).shape) ** 0.5 * x


def _matrix(kernel):
    return ops.reshape(kernel, (-1, kernel.shape[-1]))


class Learner(keras.Model):
    """A network and what it is judged by: all that `fit` needs."""

    def __init__(self, network: StyleNetwork, objective: BatchObjective, ramp: float) -> None:
        super().__init__()
        self.network, self.objective, self.ramp = network, objective, ramp
        told = ("content", "style", "tv", "total")
        self.terms = {name: keras.metrics.Mean(name=name) for name in told}

    def call(self, inputs: Sequence[Array]) -> tuple[Array, Array]:
        images, rippled, weights = inputs
        return images, self.network([rippled, weights])

    def compute_loss(
        self,
        x: Array = None,
        y: Array = None,
        y_pred: Any = None,
        sample_weight: Array = None,
        training: bool = True,
    ) -> Array:
        """The mean over the batch of what `BatchObjective` says of each picture."""
        share = ops.minimum((ops.cast(self.optimizer.iterations, "float32") + 1) / self.ramp, 1)
        images, painted = y_pred
        terms = self.objective(images, painted, y, share)
        for name, tracker in self.terms.items():
            tracker.update_state(terms[name])
        return ops.mean(terms["loss"])


def train(
    styles: dict[str, Source],
    images: PathLike | Sequence[PathLike],
    extractor: Extractor | PathLike | None = None,
    config: TrainConfig | None = None,
    callback: Callable[[TrainStep], object] | None = None,
    checkpoint: PathLike | None = None,
    network: StyleNetwork | None = None,
) -> Learned:
    """Train one network for several styles.

    Args:
        styles: `{name: anything load_image takes}`.
        images: a folder of photographs, or a list of their files.
        extractor: an `Extractor`, a name for `load_extractor`, or None for its default.
        config: a `TrainConfig`, or None for its defaults.
        callback: called with a `TrainStep` after each step.
        checkpoint: a file to save to every few seconds, and to go on from if it is there; None for
            none. Remove it once the network is saved.
        network: a `StyleNetwork` of these styles to go on from, which is not changed; None for a
            new one of the config's shape.

    Returns:
        the `StyleNetwork`, and `{path: sentence}` of the photographs that could not be read.

    Raises:
        NSTError: a picture, a layer or a setting is not usable, the network has other styles, the
            loss is no longer a number, there is too little memory, or Keras runs on JAX.
        KeyboardInterrupt: after Ctrl-C, once the checkpoint is saved.

    Taught in: 09_fast_styles.
    """
    config = config or TrainConfig()
    keras.utils.set_random_seed(config.seed)
    if network and network.styles != list(styles):
        raise NSTError(
            f"the network paints {', '.join(network.styles)}; give those styles, in that order."
        )
    shape = config.width, config.blocks, config.normalize, config.precision
    network = copy(network, config.precision) if network else StyleNetwork(styles, *shape)
    pictures = _load(styles.values(), config)
    rows = np.eye(len(styles), dtype="float32")
    return _learn(network, rows, pictures, images, extractor, config, callback, checkpoint)


def learn_style(
    network: StyleNetwork,
    style: str,
    picture: Source,
    images: PathLike | Sequence[PathLike],
    extractor: Extractor | PathLike | None = None,
    config: TrainConfig | None = None,
    callback: Callable[[TrainStep], object] | None = None,
    checkpoint: PathLike | None = None,
) -> Learned:
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
    network = copy(network, config.precision)
    for layer in network.layers:
        layer.trainable = isinstance(layer, ConditionalInstanceNormalization)
    pictures = _load([picture], config)
    learned = _learn(network, rows, pictures, images, extractor, config, callback, checkpoint)
    network.trainable = True
    return learned


def _load(pictures, config):
    sizes = one_a_style(config, "style_size", len(pictures))
    return [load_image(picture, size) for picture, size in zip(pictures, sizes, strict=True)]


def _learn(network, rows, pictures, images, extractor, config, callback, checkpoint):
    """Train what is trainable: the style of the n-th picture is asked for by the n-th row."""
    if backend_name() == "jax":
        raise NSTError(
            "networks are trained on TensorFlow or PyTorch, not on JAX; set KERAS_BACKEND."
        )
    if not isinstance(extractor, Extractor):
        extractor = load_extractor(extractor, config.content_layers + config.style_layers)
    paths = images if isinstance(images, (list, tuple)) else pictures_in(images)
    check_training(network, config, extractor, [picture.shape for picture in pictures])
    learner = _learner(network, BatchObjective(pictures, extractor, config), config)
    keep = Keep(checkpoint, _origin(network, pictures, extractor, config), config.save_every)
    keep.restore(learner)
    tell = Tell(callback, config.steps)
    broken: dict[PathLike, str] = {}
    with hold_interrupts() as keep.interrupts, memory_errors_as_sentences():
        for size, batches in stages_left(config, done=int(learner.optimizer.iterations)):
            crops = Crops(paths, size, config.batch_size, rows, batches, config.seed, broken)
            learner.make_train_function(force=True)  # the old one would take sizes for unknown
            learner.fit(crops, shuffle=False, verbose=0, callbacks=[tell, keep])
    return cast(network, "float32"), broken


def stages_left(config: TrainConfig, done: int) -> list[tuple[int, range]]:
    """Crops' sizes, each with the numbers of its batches, from small to full; none that is done."""
    ends = [round(share * config.steps) for share in (0, *config.coarse_shares(), 1)]
    stages = [
        (config.size >> halvings, range(max(done, begin), end))
        for halvings, (begin, end) in enumerate(reversed(list(itertools.pairwise(ends))))
    ]
    return [(size, batches) for size, batches in reversed(stages) if batches]


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
