"""Make the embedded extractor: VGG19 with fewer channels, fitted layer by layer.

    python training/train_pocket.py --pictures FOLDER                    # Keras downloads VGG19
    python training/train_pocket.py --pictures FOLDER --teacher FILE.npz # as many layers as it has

Each layer keeps those of VGG19's channels that tell most about the others, and its kernel is the
one that reproduces them best from the slim layer below: least squares, no gradient descent (in the
spirit of He, Zhang and Sun 2017, arXiv 1707.06168). It takes minutes. Blocks that the teacher does
not have are trained on top, to tell the classes of labelled pictures apart; killed, the same
command goes on. The recipe, its results and its limits are in MODEL_CARD.md.
"""

import argparse
import io
from pathlib import Path

import keras
import numpy as np
from keras import layers, ops
from PIL import Image, ImageFilter, ImageOps

from nst_tutorial.extractors import Mirror, build_network, mirror
from nst_tutorial.fast import pictures_in
from nst_tutorial.images import to_vgg
from nst_tutorial.runtime.weights import (
    LAYERS,
    POCKET_FILE,
    POCKET_WIDTHS,
    layers_in,
    load_weights,
)

SIDE = 80  # pixels of a crop
BATCH = 16  # crops
LABELLED_SIDE, LABELLED_BATCH = 64, 64
RIDGE = 1e-6  # added to the diagonal of normal equations, as a share of its mean


# --------------------------------------------------------------------------------------- pictures


class Collection:
    """Pictures of a folder, or of an .npz that holds JPEG files end to end, perhaps with labels.

    Args:
        path: a folder, or an .npz of `jpeg` (bytes), `offset` (where each file begins, and the
            end) and, for labelled pictures, `label`.
    """

    def __init__(self, path):
        self.files, self.labels = pictures_in(path) if path.is_dir() else [], None
        if not self.files:
            with np.load(path) as file:
                self._bytes, self._ends = file["jpeg"].tobytes(), file["offset"]
                self.labels = file.get("label")

    def __len__(self):
        return len(self.files) or len(self._ends) - 1

    def __getitem__(self, number):
        if self.files:
            return Image.open(self.files[number]).convert("RGB")
        jpeg = self._bytes[self._ends[number] : self._ends[number + 1]]
        return Image.open(io.BytesIO(jpeg)).convert("RGB")


def crop(picture, rng, side):
    """Cut a random square out of a picture, mirrored half of the time; a small one is enlarged."""
    if min(picture.size) < side:
        picture = resize(picture, side)
    x, y = (rng.integers(length - side + 1) for length in picture.size)
    picture = picture.crop((x, y, x + side, y + side))
    return ImageOps.mirror(picture) if rng.random() < 0.5 else picture


def resize(picture, side):
    """Give the shorter side a length."""
    return ImageOps.scale(picture, (side + 0.5) / min(picture.size))


def disturb(picture, rng):
    """Make it noisy, blotchy or blurred, as an optimizer's pictures are; half are left alone."""
    kind, strength = rng.integers(6), rng.uniform(5, 40)
    if kind == 0:
        picture = picture.filter(ImageFilter.GaussianBlur(strength / 15))
    noise = np.zeros((SIDE, SIDE, 3))
    if kind in (1, 2):
        coarse = (1, 4)[kind - 1]
        noise = rng.normal(0, strength, (SIDE // coarse, SIDE // coarse, 3))
        noise = noise.repeat(coarse, axis=0).repeat(coarse, axis=1)
    return np.clip(np.asarray(picture, "float32") + noise, 0, 255)


def draw_batches(collections, count, seed):
    """Draw batches `(16, 80, 80, 3)`, RGB, from all collections in equal parts."""
    rng = np.random.default_rng(seed)

    def draw():
        collection = collections[rng.integers(len(collections))]
        return disturb(crop(collection[rng.integers(len(collection))], rng, SIDE), rng)

    return [np.stack([draw() for _ in range(BATCH)]).astype("float32") for _ in range(count)]


# ------------------------------------------------------------------- the layers that VGG19 teaches


def slim(teacher, batches, widths):
    """Give VGG19's layers fewer channels: `{layer: (kernel, bias)}` of the given widths.

    Args:
        teacher: `{layer: (kernel, bias)}`, the first of VGG19's layers.
        batches: list of pictures `(B, H, W, 3)`, RGB, 0..255.
        widths: channels of the five blocks.

    Returns:
        the weights, and `{layer: share of the teacher's mean square that is not explained}`.
    """
    full = slender = [np.array(to_vgg(batch)) for batch in batches]
    weights, errors = {}, {}
    for layer, (kernel, bias) in teacher.items():
        if layer.endswith("conv1") and weights:  # VGG19 takes maxima, the slim one averages
            full = [np.array(ops.max_pool(x, 2)) for x in full]
            slender = [np.array(ops.average_pool(x, 2)) for x in slender]
        targets = [convolve(x, kernel, bias) for x in full]  # before the ReLU
        full = [np.maximum(y, 0) for y in targets]
        kept = choose_channels(second_moment(full), widths[int(layer[len("block")]) - 1])
        weights[layer] = fit_layer(slender, [y[..., kept] for y in targets])
        slender = [np.maximum(convolve(x, *weights[layer]), 0) for x in slender]
        errors[layer] = unexplained(full, slender)
        print(f"{layer}  {len(kept)} channels, {errors[layer]:.3f} not explained", flush=True)
    return weights, errors


def convolve(x, kernel, bias):
    return np.array(ops.conv(mirror(x, 1), kernel) + bias)


def second_moment(xs):
    """Mean of x xᵀ over all positions of all batches: `(N, N)`."""
    rows = [x.reshape(-1, x.shape[-1]) for x in xs]
    return sum(x.T @ x for x in rows).astype("float64") / sum(map(len, rows))


def choose_channels(moment, count):
    """Choose channels one at a time, each the one that tells most about all that is unexplained.

    Args:
        moment: `(N, N)`, mean products of channels; what is chosen is projected out of it.
        count: how many.
    """
    left, chosen = moment.copy(), []
    for _ in range(count):
        told = (left**2).sum(axis=0) / np.maximum(np.diag(left), 1e-9 * np.trace(moment))
        told[chosen] = -1
        best = int(told.argmax())
        left -= np.outer(left[:, best], left[best]) / max(left[best, best], 1e-9 * np.trace(moment))
        chosen.append(best)
    return sorted(chosen)


def fit_layer(inputs, targets):
    """Find the convolution that comes nearest to the targets, by least squares.

    Args:
        inputs: list of `(B, H, W, C)`.
        targets: list of `(B, H, W, N)`.

    Returns:
        kernel `(3, 3, C, N)` and bias `(N,)`.
    """
    normal = right = 0
    for x, y in zip(inputs, targets, strict=True):
        A = neighbourhoods(x)
        normal, right = normal + A.T @ A, right + A.T @ y.reshape(-1, y.shape[-1])
    solution = solve(normal, right).astype("float32")
    return solution[:-1].reshape(3, 3, inputs[0].shape[-1], -1), solution[-1]


def neighbourhoods(x):
    """Write each position's 3×3 neighbourhood, and a 1 for the bias, as a row."""
    _, h, w, channels = x.shape
    x = np.array(mirror(x, 1))
    near = [x[:, i : i + h, j : j + w] for i in range(3) for j in range(3)]
    rows = np.concatenate(near, axis=-1).reshape(-1, 9 * channels)
    return np.concatenate([rows, np.ones((len(rows), 1), "float32")], axis=1)


def solve(normal, right):
    """Solve the normal equations, with a ridge for channels that are never active."""
    normal = np.array(normal, "float64")
    normal[np.diag_indices_from(normal)] += RIDGE * np.trace(normal) / len(normal)
    return np.linalg.solve(normal, np.array(right, "float64"))


def unexplained(targets, features):
    """Share of the targets' mean square that no linear map of the features, and a 1, explains."""
    pairs = zip(features, targets, strict=True)
    moment = second_moment([np.concatenate([np.ones_like(x[..., :1]), x, y], -1) for x, y in pairs])
    n = features[0].shape[-1] + 1
    explained = moment[n:, :n] @ solve(moment[:n, :n], moment[:n, n:])
    return 1 - np.trace(explained) / np.trace(moment[n:, n:])


# ---------------------------------------------------------------------- the layers on top of them


class Labelled(keras.utils.PyDataset):
    """Shuffled batches of crops, with labels: of each collection its own classes."""

    def __init__(self, collections, seed=0):
        super().__init__(workers=1)
        self.pictures, self.classes = [], 0
        for collection in collections:
            if collection.labels is not None:
                labels = collection.labels + self.classes
                self.pictures += [(collection, *pair) for pair in enumerate(labels)]
                self.classes += int(collection.labels.max()) + 1
        self.rng = np.random.default_rng(seed)
        self.on_epoch_end()

    def __len__(self):
        return len(self.pictures) // LABELLED_BATCH

    def __getitem__(self, index):
        chosen = self.order[index * LABELLED_BATCH :][:LABELLED_BATCH]
        batch = [self.pictures[number] for number in chosen]
        crops = [self.draw(collection[number]) for collection, number, _ in batch]
        return np.stack(crops), np.array([label for *_, label in batch])

    def draw(self, picture):
        """Resize a picture a little more or less, and cut a square out of it."""
        picture = resize(picture, round(LABELLED_SIDE * self.rng.uniform(1.0, 1.4)))
        return np.asarray(crop(picture, self.rng, LABELLED_SIDE), "float32")

    def on_epoch_end(self):
        self.order = self.rng.permutation(len(self.pictures))


def grow(taught, widths, pictures, epochs, backup):
    """Train the blocks that the teacher does not have to tell labelled pictures apart.

    Args:
        taught: `{layer: (kernel, bias)}`, the layers below; they stay as they are.
        widths: channels of the five blocks.
        pictures: a `Labelled`.
        epochs: how many times it is seen.
        backup: a folder; killed, training goes on from the last epoch there.

    Returns:
        `{layer: (kernel, bias)}` of the layers above, and the accuracy on the training pictures.
    """
    model = build_classifier(taught, widths, pictures.classes)
    steps = epochs * len(pictures)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, steps, warmup_target=3e-3, warmup_steps=steps // 20
    )
    model.compile(
        keras.optimizers.AdamW(rate, weight_decay=0.02),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    kept = keras.callbacks.BackupAndRestore(backup)
    history = model.fit(pictures, epochs=epochs, verbose=2, callbacks=[kept])
    batch, _ = pictures[0]
    (features,) = build_below(taught)(to_vgg(batch)).values()
    return fold(model, float(np.sqrt(ops.mean(features**2)))), history.history["accuracy"][-1]


def build_classifier(taught, widths, classes):
    """Stack convolutions with batch normalization on the taught layers, and a linear head."""
    inputs = keras.Input((None, None, 3))
    (x,) = build_below(taught)(layers.Lambda(to_vgg)(inputs)).values()
    for layer in LAYERS[len(taught) :]:
        x = layers.AveragePooling2D(2)(x) if layer.endswith("conv1") else x
        width = widths[int(layer[len("block")]) - 1]
        x = layers.Conv2D(width, 3, use_bias=False, kernel_initializer="he_normal", name=layer)(
            Mirror()(x)
        )
        x = layers.BatchNormalization(momentum=0.9, name=f"{layer}_bn")(x)
        x = layers.ReLU()(x)
    x = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, layers.Dense(classes)(x))


def build_below(taught):
    """The taught layers as a network that returns the last of them."""
    return build_network(taught, tuple(taught)[-1:], "average", "reflect", "float32")


def fold(model, size=1.0):
    """Fold each batch normalization into its convolution: `{layer: (kernel, bias)}`.

    Args:
        model: what `build_classifier` returns.
        size: of the features; with 1 they are of about size 1, and VGG19's are larger.
    """
    folded, first = {}, size
    for layer in (layer for layer in model.layers if isinstance(layer, layers.Conv2D)):
        (kernel,) = layer.get_weights()
        normalization = model.get_layer(f"{layer.name}_bn")
        gamma, beta, mean, variance = normalization.get_weights()
        gain = gamma / np.sqrt(variance + normalization.epsilon)
        folded[layer.name] = first * gain * kernel, size * (beta - mean * gain)
        first = 1.0
    return folded


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--pictures", type=Path, nargs="+", required=True, help="folders, or .npz of JPEG files")
    add("--teacher", default="vgg19", help="vgg19, or a file of as many of its layers as it has")
    add("--output", type=Path, default=POCKET_FILE)
    add("--widths", type=int, nargs=5, default=POCKET_WIDTHS, help="channels of the five blocks")
    add("--batches", type=int, default=16, help="of 16 crops that the layers are fitted to")
    add("--epochs", type=int, default=3, help="of the layers that the teacher does not have")
    add("--backup", type=Path, default=Path("results/train_pocket"), help="where those go on from")
    add("--seed", type=int, default=0)
    options = parser.parse_args()

    keras.utils.set_random_seed(options.seed)
    collections = [Collection(path) for path in options.pictures]
    teacher = load_weights(options.teacher, layers_in(options.teacher))
    batches = draw_batches(collections, options.batches, options.seed)
    weights, _ = slim(teacher, batches, options.widths)
    if len(weights) < len(LAYERS):
        pictures = Labelled(collections, options.seed)
        above, _ = grow(weights, options.widths, pictures, options.epochs, options.backup)
        weights |= above
    save(weights, options.output)


def save(weights, path):
    """Save `{layer: (kernel, bias)}` in float16, `layer:w` and `layer:b`."""
    kernels = {f"{layer}:w": kernel.astype("float16") for layer, (kernel, _) in weights.items()}
    biases = {f"{layer}:b": bias.astype("float16") for layer, (_, bias) in weights.items()}
    np.savez(path, **kernels, **biases)


if __name__ == "__main__":
    main()
