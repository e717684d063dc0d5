"""The training script: what it folds is what it trained, and its attack stays in the ball."""

import runpy
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from nst_tutorial import load_extractor, to_vgg
from nst_tutorial.runtime.weights import LAYERS

SCRIPT = Path(__file__).parent.parent / "training" / "train_pocket.py"


@pytest.fixture(scope="module")
def training():
    return runpy.run_path(str(SCRIPT))


@pytest.fixture(scope="module")
def model(training):
    keras.utils.set_random_seed(0)
    model = training["build_classifier"]()
    training["compile_classifier"](model, steps=1000)
    model.run_eagerly = True  # two steps take a second; to compile them takes twenty
    return model


@pytest.fixture
def pictures(rng):
    return rng.integers(0, 256, (8, 32, 32, 3), "uint8"), rng.integers(0, 10, (8, 1))


def test_folding_changes_nothing(training, pictures, tmp_path, rng):
    model = training["build_classifier"]()
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
    np.savez(tmp_path / "folded.npz", **training["fold"](model))
    folded = load_extractor(tmp_path / "folded.npz", precision="float32")

    images = pictures[0].astype("float32")
    relus = [layer.output for layer in model.layers if isinstance(layer, keras.layers.ReLU)]
    trained = keras.Model(model.input, relus)(to_vgg(images) / training["INPUT_SCALE"])
    for layer, expected in zip(LAYERS, trained, strict=True):
        scale = np.abs(expected).max()
        np.testing.assert_allclose(folded(images)[layer] / scale, expected / scale, atol=1e-5)


def test_the_attack_raises_the_loss_within_its_ball(training, model, pictures):
    images, labels = tf.cast(pictures[0], tf.float32) / 2 + 64, pictures[1]
    perturbed = model.perturb(images, labels)
    length = np.sqrt(np.sum((perturbed - images) ** 2, axis=(1, 2, 3))) / 255
    assert 0.1 < length.min() <= length.max() < training["Recipe"].radius * 1.001
    before, after = (model.loss_of(x, labels, training=False)[0] for x in (images, perturbed))
    assert after > before


def test_a_step_of_training(training, model, pictures):
    batches = training["Augmented"](*pictures, batch_size=4, seed=0)
    images, labels = batches[0]
    assert images.shape == (4, 32, 32, 3)
    assert 0 <= images.min() <= images.max() <= 255
    assert labels.shape == (4, 1)
    history = model.fit(batches, epochs=1, verbose=0).history
    assert history["loss"][0] > 0
