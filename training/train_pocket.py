"""Train the embedded extractor: a slim VGG19 that withstands small perturbations.

    python training/train_pocket.py                      # CIFAR-10 through Keras
    python training/train_pocket.py --data cifar10.npz   # the same four arrays from a file

Features of a network trained against perturbations have smooth gradients towards the pixels
(Engstrom et al. 2019, arXiv 1906.00945; Nakano 2019), so style moves into a picture as strokes
and not as grain. The recipe, its results and its limits stand in MODEL_CARD.md.
"""

import argparse
import dataclasses
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from nst_tutorial.extractors import Mirror
from nst_tutorial.images import to_vgg
from nst_tutorial.runtime.weights import BLOCKS, POCKET_FILE, POCKET_WIDTHS

INPUT_SCALE = 64.0  # mean-centred pixels are divided by this; folded into the first convolution


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What a candidate may differ in; the defaults made the embedded one."""

    norm: str = "l2"  # of the perturbation's ball; or "linf"
    radius: float = 0.5  # of the ball, for pixels in 0..1; 0 trains on the pictures as they are
    pooling: str = "average"  # or "max"
    border: str = "reflect"  # or "zero"
    widths: tuple[int, ...] = POCKET_WIDTHS


class Augmented(keras.utils.PyDataset):
    """Shuffled batches: flips, shifts of up to 4 px, contrast ±20 % a channel, brightness ±20."""

    def __init__(self, images, labels, batch_size, seed):
        super().__init__()
        self.padded = np.pad(images, ((0, 0), (4, 4), (4, 4), (0, 0)), mode="reflect")
        self.labels, self.batch_size = labels, batch_size
        self.rng = np.random.default_rng(seed)
        self.on_epoch_end()

    def __len__(self):
        return len(self.labels) // self.batch_size

    def __getitem__(self, index):
        batch = self.order[index * self.batch_size :][: self.batch_size]
        return self.jitter_colours(self.shift_and_flip(batch)), self.labels[batch]

    def on_epoch_end(self):
        self.order = self.rng.permutation(len(self.labels))

    def shift_and_flip(self, batch):
        down, right = self.rng.integers(0, 9, (2, len(batch), 1))
        rows, columns = down + np.arange(32), right + np.arange(32)
        flip = self.rng.random((len(batch), 1)) < 0.5
        columns = np.where(flip, columns[:, ::-1], columns)
        return self.padded[batch[:, None, None], rows[:, :, None], columns[:, None, :]]

    def jitter_colours(self, images):
        images = images.astype("float32")
        mean = images.mean(axis=(1, 2), keepdims=True)
        contrast = self.rng.uniform(0.8, 1.2, (len(images), 1, 1, 3))
        brightness = self.rng.uniform(-20, 20, (len(images), 1, 1, 1))
        return np.clip((images - mean) * contrast + mean + brightness, 0, 255).astype("float32")


class RobustClassifier(keras.Model):
    """A classifier trained on pictures moved one gradient step against it, inside a ball."""

    def __init__(self, *args, recipe=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.recipe = recipe or Recipe()

    def loss_of(self, images, labels, training):
        predictions = self(to_vgg(images) / INPUT_SCALE, training=training)
        return self.compute_loss(images, labels, predictions), predictions

    def perturb(self, images, labels):
        if not self.recipe.radius:
            return images
        start = random_start(tf.shape(images), self.recipe)
        with tf.GradientTape() as tape:
            tape.watch(start)
            loss, _ = self.loss_of(images + start, labels, training=False)
        step = steepest(tape.gradient(loss, start), self.recipe)
        return tf.clip_by_value(images + project(start + step, self.recipe), 0.0, 255.0)

    def train_step(self, data):
        images, labels = data
        images = self.perturb(images, labels)
        with tf.GradientTape() as tape:
            loss, predictions = self.loss_of(images, labels, training=True)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        return self.record(loss, images, labels, predictions)

    def test_step(self, data):
        images, labels = data
        loss, predictions = self.loss_of(tf.cast(images, tf.float32), labels, training=False)
        return self.record(loss, images, labels, predictions)

    def record(self, loss, images, labels, predictions):
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss)
        return self.compute_metrics(images, labels, predictions)


def random_start(shape, recipe):
    """Draw an offset of a random size, at most the radius."""
    if recipe.norm == "linf":
        return tf.random.uniform(shape, -255.0, 255.0) * recipe.radius
    offset = steepest(tf.random.normal(shape), recipe)
    return offset * tf.random.uniform((shape[0], 1, 1, 1))


def steepest(gradient, recipe):
    """The offset on the ball's surface along which a loss with this gradient rises the most."""
    if recipe.norm == "linf":
        return 255.0 * recipe.radius * tf.sign(gradient)
    return 255.0 * recipe.radius * gradient / tf.maximum(length(gradient), 1e-30)


def project(offset, recipe):
    """Bring each offset back into the ball."""
    radius = 255.0 * recipe.radius
    if recipe.norm == "linf":
        return tf.clip_by_value(offset, -radius, radius)
    return offset * tf.minimum(1.0, radius / tf.maximum(length(offset), 1e-12))


def length(offset):
    return tf.sqrt(tf.reduce_sum(offset**2, axis=(1, 2, 3), keepdims=True))


def build_classifier(recipe=None):
    """VGG19's sixteen convolutions, slim, each with batch normalisation, and a linear head."""
    recipe = recipe or Recipe()
    pool = layers.MaxPooling2D if recipe.pooling == "max" else layers.AveragePooling2D
    settings = {"use_bias": False, "kernel_initializer": "he_normal"}
    settings["padding"] = "same" if recipe.border == "zero" else "valid"
    x = inputs = keras.Input((32, 32, 3))
    for block, (width, convolutions) in enumerate(zip(recipe.widths, BLOCKS, strict=True), start=1):
        for convolution in range(1, convolutions + 1):
            name = f"block{block}_conv{convolution}"
            x = Mirror()(x) if recipe.border == "reflect" else x
            x = layers.Conv2D(width, 3, name=name, **settings)(x)
            x = layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(x)
            x = layers.ReLU()(x)
        if block < len(BLOCKS):
            x = pool(2)(x)
    x = layers.GlobalAveragePooling2D()(x)
    return RobustClassifier(inputs, layers.Dense(10, dtype="float32")(x), recipe=recipe)


def compile_classifier(model, steps):
    warmup = min(400, steps // 4)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, decay_steps=steps - warmup, warmup_target=0.1, warmup_steps=warmup
    )
    model.compile(
        optimizer=keras.optimizers.SGD(schedule, momentum=0.9, nesterov=True, weight_decay=2e-3),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,
    )


def fold(model):
    """Fold each batch normalisation, and INPUT_SCALE, into its convolution: {name:w, name:b}."""
    folded = {}
    for layer in model.layers:
        if isinstance(layer, layers.Conv2D):
            (kernel,) = layer.get_weights()
            gamma, beta, mean, variance = model.get_layer(f"{layer.name}_bn").get_weights()
            gain = gamma / np.sqrt(variance + model.get_layer(f"{layer.name}_bn").epsilon)
            scale = INPUT_SCALE if layer.name == "block1_conv1" else 1.0
            folded[f"{layer.name}:w"] = kernel * gain / scale
            folded[f"{layer.name}:b"] = beta - mean * gain
    return folded


def load_data(path):
    if path is None:
        (x_train, y_train), (x_test, y_test) = keras.datasets.cifar10.load_data()
        return x_train, y_train, x_test, y_test
    with np.load(path) as file:
        return tuple(file[key] for key in ("x_train", "y_train", "x_test", "y_test"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help=".npz with x_train, y_train, x_test, y_test")
    parser.add_argument("--output", type=Path, default=POCKET_FILE)
    parser.add_argument("--norm", choices=("l2", "linf"), default=Recipe.norm)
    parser.add_argument("--radius", type=float, default=Recipe.radius)
    parser.add_argument("--pooling", choices=("average", "max"), default=Recipe.pooling)
    parser.add_argument("--border", choices=("reflect", "zero"), default=Recipe.border)
    parser.add_argument("--widths", type=int, nargs=5, default=Recipe.widths)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    keras.utils.set_random_seed(options.seed)
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    x_train, y_train, x_test, y_test = load_data(options.data)
    batches = Augmented(x_train, y_train, options.batch_size, options.seed)
    fields = {field.name for field in dataclasses.fields(Recipe)}
    model = build_classifier(
        Recipe(**{name: value for name, value in vars(options).items() if name in fields})
    )
    compile_classifier(model, len(batches) * options.epochs)

    started = time.perf_counter()
    model.fit(batches, epochs=options.epochs, verbose=2)
    _, accuracy = model.evaluate(x_test, y_test, batch_size=500, verbose=0)
    print(f"test accuracy {accuracy:.3f} after {(time.perf_counter() - started) / 60:.1f} minutes")
    np.savez(options.output, **{name: w.astype("float16") for name, w in fold(model).items()})


if __name__ == "__main__":
    main()
