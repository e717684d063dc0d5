"""Which statistic of the features makes the best texture? Three of them, matched from noise.

    python benchmarks/style_statistics.py        # some six minutes on two cores; prints the table

A corner of each style picture is the target: Gram matrices, means and deviations, or the sliced
Wasserstein distance of the default style layers. Patch distance is none of the three and needs no
network: the mean RMSE, in pixel values, from each 7×7 patch of one picture to the nearest of the
other, both ways, at full and at half size. Lesson 10 teaches all of it.
"""

import itertools

import numpy as np
import tensorflow as tf
from scipy.optimize import Bounds, minimize

from nst_tutorial import TransferConfig, load_extractor, load_image, total_variation_loss
from nst_tutorial.losses import gram_distance, mean_gram_matrix
from nst_tutorial.runtime.backend import value_and_gradient

SIDE, STEPS, SEEDS = 96, 40, (0, 1)
STYLES = ("swirls.jpg", "stained_glass.jpg", "woodblock_wave.jpg", "pointillism.jpg")
LAYERS = TransferConfig().style_layers


def bag(features):
    return tf.reshape(features, (-1, features.shape[-1]))


def gram_gap(F, S, V):
    return gram_distance(mean_gram_matrix(F), mean_gram_matrix(S))[0]


def moments(features):
    x = bag(features)
    mean, variance = tf.nn.moments(x, axes=0)
    return tf.concat([mean, tf.sqrt(variance + 1e-5)], axis=0)


def moment_gap(F, S, V):
    return tf.reduce_sum((moments(F) - moments(S)) ** 2)


def sliced_gap(F, S, V):
    x, y = (tf.sort(tf.transpose(bag(features) @ V)) for features in (F, S))
    return tf.reduce_mean((x - y) ** 2)


GAPS = {"Gram matrix": gram_gap, "mean and deviation": moment_gap, "sliced": sliced_gap}


def distance(gap, extractor, style, V):
    """The mean over layers of a gap, relative to that of no features at all."""
    target = {layer: tf.constant(features) for layer, features in extractor(style).items()}

    def to(image):
        F = extractor(image)
        gaps = [gap(F[l], S, V[l]) / gap(0 * S, S, V[l]) for l, S in target.items()]  # noqa: E741
        return tf.add_n(gaps) / len(gaps)

    return to


def synthesise(distance, start, V):
    """Match a statistic from noise; pixels in 0..1 for the optimizer, L-BFGS's first step is 1."""
    positions = 3 * (start.shape[1] - 1) * (start.shape[2] - 1)

    def objective(image, _):
        loss = 100 * (distance(image) + total_variation_loss(image / 255, 2.5)[0] / positions)
        return loss, loss

    differentiate = value_and_gradient(objective)

    def evaluate(flat):
        image = tf.constant(255 * flat.reshape(start.shape), "float32")
        loss, gradient = differentiate(image, V)
        return float(loss), 255 * np.asarray(gradient, "float64").ravel()

    found = minimize(
        evaluate, start.ravel() / 255.0, jac=True, method="L-BFGS-B", bounds=Bounds(0, 1),
        options={"maxiter": STEPS, "ftol": 0, "gtol": 0},
    )  # fmt: skip
    return (255 * found.x.reshape(start.shape)).astype("float32")


def patches(image, stride):
    windows = np.lib.stride_tricks.sliding_window_view(image[0], (7, 7), axis=(0, 1))
    return windows[::stride, ::stride].reshape(-1, 147)


def patch_distance(image, other):
    def to_nearest(image, other):
        A, B = patches(image, 3), patches(other, 1)
        squared = (A**2).sum(1)[:, None] + (B**2).sum(1) - 2 * A @ B.T
        return np.sqrt(np.maximum(squared.min(1), 0) / 147).mean()

    halves = [p.reshape(1, SIDE // 2, 2, SIDE // 2, 2, 3).mean((2, 4)) for p in (image, other)]
    pairs = [(image, other), halves]
    return np.mean([to_nearest(a, b) + to_nearest(b, a) for a, b in pairs]) / 2


def main():
    extractor = load_extractor(layers=LAYERS, precision="float32")
    rng = np.random.default_rng(0)
    widths = {layer: extractor.model.output[layer].shape[-1] for layer in LAYERS}
    V = {layer: rng.normal(size=(N, N)) for layer, N in widths.items()}
    V = {layer: tf.constant(v / np.linalg.norm(v, axis=0), "float32") for layer, v in V.items()}
    print("| style | matched | patch distance | Gram | moments | sliced |")
    print("|---|---|---|---|---|---|")
    for file in STYLES:
        big = load_image(f"images/{file}", 2 * SIDE)
        style, other = big[:, :SIDE, :SIDE], big[:, SIDE:, SIDE:]
        distances = [distance(gap, extractor, style, V) for gap in GAPS.values()]
        rows = {"another corner": [other], "noise": []}
        for seed, (name, to) in itertools.product(SEEDS, zip(GAPS, distances, strict=True)):
            start = np.random.default_rng(seed).normal(127.5, 64, style.shape).clip(0, 255)
            rows["noise"] = [start.astype("float32")]
            rows.setdefault(name, []).append(synthesise(to, start, V))
        for name, made in rows.items():
            table = [[patch_distance(x, style), *(float(to(x)) for to in distances)] for x in made]
            mean, spread = np.mean(table, 0), np.ptp(table, 0)[0] / 2
            cells = " | ".join(f"{number:.4f}" for number in mean[1:])
            print(f"| {file} | {name} | {mean[0]:.1f} ± {spread:.1f} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
