"""Make the embedded extractor: VGG19 with fewer channels, fitted layer by layer.

    python training/train_pocket.py --pictures FOLDER                    # Keras downloads VGG19
    python training/train_pocket.py --pictures FOLDER --teacher FILE.npz # as many layers as it has

1. Each layer keeps those of VGG19's channels that tell most about the others. Its kernel is the
   one that reproduces them best from the slim layer below: least squares, in the spirit of He,
   Zhang and Sun 2017, arXiv 1707.06168. Two minutes.
2. All layers are refined together until gradients of the style loss with respect to the pixels
   point where VGG19's do, since those gradients are all that a transfer ever sees of a network.
3. Blocks that the teacher does not have are trained on top, to tell the classes of labeled
   pictures apart.

Steps 2 and 3 take some twenty minutes each on two cores; killed, the same command goes on. It runs
on each of Keras' backends, with whatever GPU that has: KERAS_BACKEND=jax, or torch. The recipe, its
results and its limits are in MODEL_CARD.md.
"""

import argparse
import functools
import io
from pathlib import Path

import keras
import numpy as np
from keras import layers, ops
from PIL import Image, ImageFilter, ImageOps

from nst_tutorial import TransferConfig
from nst_tutorial.extractors import Mirror, build_network, mirror
from nst_tutorial.fast import pictures_in
from nst_tutorial.images import to_vgg
from nst_tutorial.losses import gram_distance, gram_matrix
from nst_tutorial.runtime.backend import compiled, differentiate
from nst_tutorial.runtime.weights import (
    LAYERS,
    POCKET_FILE,
    POCKET_WIDTHS,
    layers_in,
    load_weights,
)

SIDE = 80  # pixels of a crop
BATCH = 16  # crops
REFINED_SIDE, REFINED_BATCH, REFINED_EPOCH = 64, 8, 40  # pixels, crops, steps
LABELED_SIDE, LABELED_BATCH = 64, 64
VIEWS = 3  # crops of each labeled picture
MOVES = 4  # steps that a picture is moved on by the teacher's gradients, on average
STRIDE = 8  # gray levels of each
RATE = 1.5e-3  # of refining, as a share of a kernel's size
ANCHOR = 0.1  # of the features, where the gradients weigh 1
BLOCK_5_SIZE = 0.1  # of block 4's features, about as in VGG19
RIDGE = 1e-6  # added to the diagonal of normal equations, as a share of its mean


# --------------------------------------------------------------------------------------- pictures


class Collection:
    """Pictures of a folder, or of an .npz that holds JPEG files end to end, perhaps with labels.

    Args:
        path: a folder, or an .npz of `jpeg` (bytes), `offset` (where each file begins, and the
            end) and, for labeled pictures, `label`.
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
    kind, strength, side = rng.integers(6), rng.uniform(5, 40), picture.width
    if kind == 0:
        picture = picture.filter(ImageFilter.GaussianBlur(strength / 15))
    noise = np.zeros((side, side, 3))
    if kind in (1, 2):
        coarse = (1, 4)[kind - 1]
        noise = rng.normal(0, strength, (side // coarse, side // coarse, 3))
        noise = noise.repeat(coarse, axis=0).repeat(coarse, axis=1)
    return np.clip(np.asarray(picture, "float32") + noise, 0, 255)


def draw_batch(collections, rng, count, side):
    """Draw crops `(count, side, side, 3)`, RGB, from all collections in equal parts."""

    def draw():
        collection = collections[rng.integers(len(collections))]
        return disturb(crop(collection[rng.integers(len(collection))], rng, side), rng)

    return np.stack([draw() for _ in range(count)]).astype("float32")


# ------------------------------------------------------------------- the layers that VGG19 teaches


def slim(teacher, batches, widths):
    """Give VGG19's layers fewer channels: `{layer: (kernel, bias)}` of the given widths.

    Args:
        teacher: `{layer: (kernel, bias)}`, the first of VGG19's layers.
        batches: list of pictures `(B, H, W, 3)`, RGB, 0..255.
        widths: channels of the five blocks.

    Returns:
        the weights, `{layer: channels of the teacher that were kept}`, and `{layer: share of the
        teacher's mean square that is not explained}`.
    """
    full = slender = [compute(to_vgg, batch) for batch in batches]
    weights, kept, errors = {}, {}, {}
    for layer, (kernel, bias) in teacher.items():
        if starts_block(layer) and weights:  # VGG19 takes maxima, the slim one averages
            full = [compute(lambda x: ops.max_pool(x, 2, 2), x) for x in full]
            slender = [compute(lambda x: ops.average_pool(x, 2, 2), x) for x in slender]
        targets = [convolve(x, kernel, bias) for x in full]  # before the ReLU
        full = [np.maximum(y, 0) for y in targets]
        width = widths[int(layer[len("block")]) - 1]
        kept[layer] = choose_channels(second_moment(full), width)
        weights[layer] = fit_layer(slender, [y[..., kept[layer]] for y in targets])
        slender = [np.maximum(convolve(x, *weights[layer]), 0) for x in slender]
        errors[layer] = unexplained(full, slender)
        print(f"{layer}  {width} channels, {errors[layer]:.3f} not explained", flush=True)
    return weights, kept, errors


def compute(function, *arrays):
    """Compute on Keras' backend what takes arrays of NumPy's and gives one."""
    return ops.convert_to_numpy(function(*(ops.convert_to_tensor(a, "float32") for a in arrays)))


def convolve(x, kernel, bias):
    return compute(lambda x, kernel, bias: ops.conv(mirror(x, 1), kernel) + bias, x, kernel, bias)


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
        A = neighborhoods(x)
        normal, right = normal + A.T @ A, right + A.T @ y.reshape(-1, y.shape[-1])
    solution = solve(normal, right).astype("float32")
    return solution[:-1].reshape(3, 3, inputs[0].shape[-1], -1), solution[-1]


def neighborhoods(x):
    """Write each position's 3×3 neighborhood, and a 1 for the bias, as a row."""
    _, h, w, channels = x.shape
    x = compute(lambda x: mirror(x, 1), x)
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


# ------------------------------------------------------------------ the gradients, which paint


def refine(weights, kept, teacher, collections, steps, backup, seed=0):
    """Turn the student's gradients of the style loss towards the teacher's.

    Args:
        weights: `{layer: (kernel, bias)}`, the student's.
        kept: `{layer: channels of the teacher that the student's stand for}`.
        teacher: `{layer: (kernel, bias)}`.
        collections: of pictures.
        steps: how many, of eight crops each.
        backup: a folder; killed, training goes on from the last epoch there.

    Returns:
        `{layer: (kernel, bias)}`, refined.
    """
    if not steps:
        return weights
    student = Student(build_network(weights, tuple(weights), "average", "reflect", "float32"))
    rate = rise_and_fall(RATE, steps)
    student.compile(keras.optimizers.Lamb(rate))  # its steps are relative to each kernel's size
    lessons = Lessons(teacher, kept, collections, seed)
    callbacks = [keras.callbacks.BackupAndRestore(backup)]
    student.fit(lessons, epochs=-(-steps // len(lessons)), verbose=2, callbacks=callbacks)
    return {layer: student.network.get_layer(layer).get_weights() for layer in weights}


def rise_and_fall(rate, steps):
    """A learning rate that rises for a twentieth of the steps, and falls as a cosine."""
    return keras.optimizers.schedules.CosineDecay(
        0.0, steps, warmup_target=rate, warmup_steps=steps // 20
    )


def style_gradient(network, images, styles, weights):
    """Differentiate the style loss with respect to the pixels.

    Args:
        images, styles: `(B, H, W, 3)`, RGB; each picture has a style of its own.
        weights: `(B, style layers)`.

    Returns:
        the images' features `{layer: (B, h, w, N)}`, and the gradient `(B, H, W, 3)`.
    """
    targets = mean_grams(network(to_vgg(styles)))

    def style_loss(images):
        features = network(to_vgg(images))
        losses = [
            gram_distance(G, A) / gram_distance(ops.zeros_like(A), A)
            for G, A in zip(mean_grams(features), targets, strict=True)
        ]
        return ops.sum(ops.stack(losses, axis=1) * weights), features

    return differentiate(style_loss, again=True, x=images)


def mean_grams(features):
    """Compute the mean Gram matrices of the style layers.

    `losses.mean_gram_matrix` holds one factor constant, which is right for a gradient, but not for
    the gradient of a gradient that refining needs.
    """
    style = [features[layer] for layer in style_layers_in(features)]
    return [gram_matrix(F) / (F.shape[1] * F.shape[2]) for F in style]


def style_layers_in(layers):
    """List the default style layers that are among `layers`."""
    return [layer for layer in TransferConfig().style_layers if layer in layers]


class Lessons(keras.utils.PyDataset):
    """What the teacher makes of pictures: its gradients, and its features in the kept channels.

    A batch comes again, moved on by the teacher's gradient, until it is replaced, with one chance
    in four: an optimizer asks for gradients half-way too.
    """

    def __init__(self, teacher, kept, collections, seed):
        super().__init__(workers=1)
        network = build_network(teacher, tuple(kept), "max", "reflect", "float32")
        self.ask = compiled(functools.partial(style_gradient, network))
        self.kept, self.collections = kept, collections
        self.rng, self.images = np.random.default_rng(seed), None

    def __len__(self):
        return REFINED_EPOCH

    def __getitem__(self, index):
        if self.images is None or self.rng.random() < 1 / MOVES:
            self.images, self.styles = (self.draw() for _ in range(2))
        count = len(style_layers_in(self.kept))
        weights = self.rng.lognormal(size=(REFINED_BATCH, count)).astype("float32")
        asked = self.images, self.styles, weights
        features, gradients = keras.tree.map_structure(
            ops.convert_to_numpy, self.ask(*map(ops.convert_to_tensor, asked))
        )
        self.images = move(self.images, gradients)
        kept = {layer: features[layer][..., channels] for layer, channels in self.kept.items()}
        return ({"asked": asked}, {"gradients": gradients, "features": kept})

    def draw(self):
        return draw_batch(self.collections, self.rng, REFINED_BATCH, REFINED_SIDE)


def move(images, gradients):
    """Move pictures down their gradients by about `STRIDE` gray levels."""
    size = np.sqrt(np.mean(gradients**2, axis=(1, 2, 3), keepdims=True)) + 1e-30
    return np.clip(images - STRIDE * np.clip(gradients / size, -3, 3), 0, 255)


class Student(keras.Model):
    """A network whose loss is how far its gradients and features are from the teacher's."""

    def __init__(self, network):
        super().__init__()
        self.network, self.cosine = network, keras.metrics.Mean(name="cosine")
        network.trainable = self.built = True

    def call(self, lesson):
        features, gradients = style_gradient(self.network, *lesson["asked"])
        return {"gradients": gradients, "features": features}

    def compute_loss(self, x, y, y_pred, sample_weight=None, training=True):
        errors = [
            relative_error(y_pred["features"][layer], F) for layer, F in y["features"].items()
        ]
        return 1 - ops.mean(cosines(y_pred["gradients"], y["gradients"])) + ANCHOR * sum(errors)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        self.cosine.update_state(cosines(y_pred["gradients"], y["gradients"]))
        return self.get_metrics_result()


def cosines(g, h):
    """Cosines between two gradients `(B, H, W, 3)`: `(B,)`."""
    products = (ops.sum(a * b, axis=(1, 2, 3)) for a, b in ((g, h), (g, g), (h, h)))
    both, one, other = products
    return both / ops.sqrt(one * other + 1e-30)


def relative_error(F, target):
    return ops.sum((F - target) ** 2) / (ops.sum(target**2) + 1e-9)


# ---------------------------------------------------------------------- the layers on top of them


class Labeled:
    """Pictures of all labeled collections: each collection has its own classes."""

    def __init__(self, collections, seed=0):
        self.pictures, self.classes = [], 0
        for collection in collections:
            if collection.labels is not None:
                labels = collection.labels + self.classes
                self.pictures += [(collection, *pair) for pair in enumerate(labels)]
                self.classes += int(collection.labels.max()) + 1
        self.rng = np.random.default_rng(seed)

    def look(self, below):
        """Show crops of each to the taught layers: features `(n, h, w, C)` in float16, labels."""
        features, labels = [], []
        for _ in range(VIEWS):
            for start in range(0, len(self.pictures), LABELED_BATCH):
                batch = self.pictures[start : start + LABELED_BATCH]
                crops = np.stack([self.draw(collection[number]) for collection, number, _ in batch])
                seen = compute(lambda crops: below(to_vgg(crops)), crops)
                features.append(seen.astype("float16"))
                labels += [label for *_, label in batch]
        return np.concatenate(features), np.array(labels)

    def draw(self, picture):
        """Resize a picture a little more or less, and cut a square out of it."""
        picture = resize(picture, round(LABELED_SIDE * self.rng.uniform(1.0, 1.4)))
        return np.asarray(crop(picture, self.rng, LABELED_SIDE), "float32")


def grow(taught, widths, pictures, epochs, backup):
    """Train the blocks that the teacher does not have to tell labeled pictures apart.

    Args:
        taught: `{layer: (kernel, bias)}`, the layers below; they stay as they are, and see each
            crop once.
        widths: channels of the five blocks.
        pictures: a `Labeled`.
        epochs: how many times the crops are seen.
        backup: a folder; killed, training goes on from the last epoch there.

    Returns:
        `{layer: (kernel, bias)}` of the layers above, and the accuracy on the training pictures.
    """
    features, labels = pictures.look(build_below(taught))
    size = float(np.sqrt(np.mean(features[:LABELED_BATCH].astype("float32") ** 2)))
    missing = LAYERS[len(taught) :]
    model = build_classifier(missing, features.shape[-1], widths, pictures.classes)
    steps = epochs * -(-len(labels) // LABELED_BATCH)
    rate = rise_and_fall(3e-3, steps)
    model.compile(
        keras.optimizers.AdamW(rate, weight_decay=0.02),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    history = model.fit(
        features / size,
        labels,
        LABELED_BATCH,
        epochs,
        verbose=2,
        callbacks=[keras.callbacks.BackupAndRestore(backup)],
    )
    sizes = {layer: size * (BLOCK_5_SIZE if layer > "block5" else 1) for layer in missing}
    return fold(model, size, sizes), history.history["accuracy"][-1]


def build_classifier(missing, channels, widths, classes):
    """Stack convolutions with batch normalization, and a linear head."""
    x = inputs = keras.Input((None, None, channels))
    for layer in missing:
        x = layers.AveragePooling2D(2)(x) if starts_block(layer) and layer != missing[0] else x
        width = widths[int(layer[len("block")]) - 1]
        x = layers.Conv2D(width, 3, use_bias=False, kernel_initializer="he_normal", name=layer)(
            Mirror()(x)
        )
        x = layers.BatchNormalization(momentum=0.9, name=f"{layer}_bn")(x)
        x = layers.ReLU()(x)
    x = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, layers.Dense(classes)(x))


def build_below(taught):
    """The taught layers as a network from `to_vgg(picture)` to what the next layer takes."""
    network = build_network(taught, tuple(taught)[-1:], "average", "reflect", "float32")
    (x,) = network.output.values()
    pooled = layers.AveragePooling2D(2)(x) if starts_block(LAYERS[len(taught)]) else x
    return keras.Model(network.input, pooled)


def starts_block(layer):
    return layer.endswith("conv1")


def fold(model, size, sizes):
    """Fold each batch normalization into its convolution: `{layer: (kernel, bias)}`.

    Args:
        model: what `build_classifier` returns; its features, and those it takes, are of size 1.
        size: of the features of the layer below.
        sizes: `{layer: size}` that its features are to have.
    """
    folded = {}
    for name, new in sizes.items():
        (kernel,) = model.get_layer(name).get_weights()
        normalization = model.get_layer(f"{name}_bn")
        gamma, beta, mean, variance = normalization.get_weights()
        gain = gamma / np.sqrt(variance + normalization.epsilon)
        folded[name] = new / size * gain * kernel, new * (beta - mean * gain)
        size = new
    return folded


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--pictures", type=Path, nargs="+", required=True, help="folders, or .npz of JPEG files")
    add("--teacher", default="vgg19", help="vgg19, or a file of as many of its layers as it has")
    add("--output", type=Path, default=POCKET_FILE)
    add("--widths", type=int, nargs=5, default=POCKET_WIDTHS, help="channels of the five blocks")
    add("--batches", type=int, default=16, help="of 16 crops that the layers are fitted to")
    add("--steps", type=int, default=360, help="of refining, 8 crops each")
    add("--epochs", type=int, default=1, help="of the layers that the teacher does not have")
    add("--backup", type=Path, default=Path("results/train_pocket"), help="where those go on from")
    add("--seed", type=int, default=0)
    options = parser.parse_args()

    keras.utils.set_random_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    collections = [Collection(path) for path in options.pictures]
    teacher = load_weights(options.teacher, layers_in(options.teacher))
    taught = options.backup / "taught.npz"
    if not taught.is_file():
        batches = [draw_batch(collections, rng, BATCH, SIDE) for _ in range(options.batches)]
        weights, kept, _ = slim(teacher, batches, options.widths)
        backup = options.backup / "refine"
        weights = refine(weights, kept, teacher, collections, options.steps, backup, options.seed)
        save(weights, taught)
    weights = load_weights(str(taught), tuple(teacher))
    if len(weights) < len(LAYERS):
        pictures = Labeled(collections, options.seed)
        backup = options.backup / "grow"
        above, _ = grow(weights, options.widths, pictures, options.epochs, backup)
        weights |= above
    save(weights, options.output)
    taught.unlink()


def save(weights, path):
    """Save `{layer: (kernel, bias)}` in float16, `layer:w` and `layer:b`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kernels = {f"{layer}:w": kernel.astype("float16") for layer, (kernel, _) in weights.items()}
    biases = {f"{layer}:b": bias.astype("float16") for layer, (_, bias) in weights.items()}
    np.savez(path, **kernels, **biases)


if __name__ == "__main__":
    main()
