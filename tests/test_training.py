"""The script that makes the embedded extractor: what it chooses, fits, refines, folds and saves."""

import io
import itertools
import runpy
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from nst_tutorial import TransferConfig, load_extractor
from nst_tutorial.extractors import Extractor, build_network
from nst_tutorial.objective import Objective
from nst_tutorial.runtime.weights import LAYERS, random_weights

SCRIPT = Path(__file__).parent.parent / "training" / "train_pocket.py"
WIDTHS = (4, 6, 8, 5, 7)


@pytest.fixture(scope="module")
def training():
    return runpy.run_path(str(SCRIPT))


@pytest.fixture
def collection(tmp_path, rng):
    """Twelve labeled pictures as JPEG files end to end, a few smaller than a crop."""
    files = []
    for number in range(12):
        side = 60 + 10 * number
        pixels = rng.integers(0, 256, (side, side + 8, 3), "uint8")
        Image.fromarray(pixels).save(file := io.BytesIO(), "JPEG")
        files.append(file.getvalue())
    path = tmp_path / "pictures.npz"
    np.savez(
        path,
        jpeg=np.frombuffer(b"".join(files), "uint8"),
        offset=np.cumsum([0, *map(len, files)]),
        label=np.arange(12) % 3,
    )
    return path


def test_channels_that_tell_most_are_chosen_first(training):
    """The third is twice the first, the fourth the sum of first and second, the fifth is small."""
    rows = np.random.default_rng(0).normal(size=(4000, 2)) * [3, 2]
    x = np.stack([rows[:, 0], rows[:, 1], 2 * rows[:, 0], rows.sum(axis=1)], axis=1)
    x = np.concatenate([x, 0.1 * np.random.default_rng(1).normal(size=(4000, 1))], axis=1)
    moment = x.T @ x / len(x)
    assert training["choose_channels"](moment, 1) in ([0], [2])
    two = training["choose_channels"](moment, 2)
    left = x - x[:, two] @ np.linalg.lstsq(x[:, two], x, rcond=None)[0]
    np.testing.assert_allclose(left[:, :4], 0, atol=1e-10)
    assert 4 in training["choose_channels"](moment, 3)


def test_a_convolution_is_found_again(training, rng):
    kernel, bias = rng.normal(size=(3, 3, 2, 5)), rng.normal(size=5)
    inputs = [rng.normal(size=(3, 12, 10, 2)).astype("float32") for _ in range(2)]
    targets = [training["convolve"](x, kernel.astype("float32"), bias) for x in inputs]
    found_kernel, found_bias = training["fit_layer"](inputs, targets)
    np.testing.assert_allclose(found_kernel, kernel, atol=1e-3)
    np.testing.assert_allclose(found_bias, bias, atol=1e-3)


def test_what_a_linear_map_explains(training, rng):
    features = [rng.normal(size=(2, 8, 8, 3)).astype("float32")]
    targets = [3 + features[0] @ rng.normal(size=(3, 4))]
    assert training["unexplained"](targets, features) == pytest.approx(0, abs=1e-4)
    noise = [rng.normal(size=(2, 8, 8, 4))]
    assert training["unexplained"](noise, features) > 0.8


def test_with_all_channels_nothing_changes_up_to_the_first_pooling(training, rng):
    teacher = random_weights((8, 8, 8, 8, 8), LAYERS[:3], seed=0)
    batches = [rng.uniform(0, 255, (4, 24, 24, 3)).astype("float32") for _ in range(4)]
    slim, kept, errors = training["slim"](teacher, batches, (8, 8, 8, 8, 8))
    assert kept == {layer: list(range(8)) for layer in LAYERS[:3]}
    assert errors["block1_conv2"] < 1e-4 < 1e-3 < errors["block2_conv1"]
    for part in range(2):
        scale = np.abs(teacher["block1_conv2"][part]).max()
        np.testing.assert_allclose(
            slim["block1_conv2"][part], teacher["block1_conv2"][part], atol=0.02 * scale + 1e-3
        )


def test_fewer_channels_explain_less(training, rng):
    teacher = random_weights((8, 8, 8, 8, 8), LAYERS[:2], seed=0)
    batches = [rng.uniform(0, 255, (4, 24, 24, 3)).astype("float32") for _ in range(4)]
    errors = [training["slim"](teacher, batches, (width,) * 5)[2] for width in (2, 4, 8)]
    few, more, all_of_them = (error["block1_conv2"] for error in errors)
    assert few > more > all_of_them


def test_the_gradient_is_that_of_the_style_loss(training, rng):
    weights = random_weights(WIDTHS, LAYERS[:3], seed=0)
    network = build_network(weights, LAYERS[:3], "average", "reflect", "float32")
    image, style = rng.uniform(0, 255, (2, 1, 16, 16, 3)).astype("float32")
    even = np.ones((1, 2), "float32")
    features, gradient = training["style_gradient"](network, *map(tensor, (image, style, even)))
    config = TransferConfig(
        content_layers=LAYERS[:1], style_layers=("block1_conv1", "block2_conv1"), tv_weight=0.0
    )
    extractor = Extractor(network, "random", "average", "reflect", "float32")
    objective = Objective(None, [style], extractor, config, image.shape)
    _, expected = objective.differentiate(image, objective.weights(config))
    cosine = as_numpy(training["cosines"](gradient, tensor(expected)))
    np.testing.assert_allclose(cosine, 1, atol=1e-5)
    assert tuple(features) == LAYERS[:3]


def tensor(array):
    return keras.ops.convert_to_tensor(array)


def as_numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)


def test_a_student_that_is_its_teacher_has_nothing_to_learn(training, collection):
    teacher = random_weights((4,) * 5, LAYERS[:2], seed=0)  # no pooling: nothing tells them apart
    kept = dict.fromkeys(LAYERS[:2], range(4))
    lessons = training["Lessons"](teacher, kept, [training["Collection"](collection)], seed=0)
    network = build_network(teacher, LAYERS[:2], "average", "reflect", "float32")
    student = training["Student"](network)
    asked, answered = lessons[0]
    answered = keras.tree.map_structure(tensor, answered)
    loss = as_numpy(student.compute_loss(asked, answered, student(asked)))
    np.testing.assert_allclose(loss, 0, atol=1e-5)


def test_pictures_are_moved_along_and_drawn_anew(training, collection):
    teacher = random_weights((4,) * 5, LAYERS[:2], seed=0)
    kept = dict.fromkeys(LAYERS[:2], range(4))
    lessons = training["Lessons"](teacher, kept, [training["Collection"](collection)], seed=0)
    seen = [lessons[0][0]["asked"][0] for _ in range(41)]
    moves = [np.abs(after - before).mean() for before, after in itertools.pairwise(seen)]
    anew = [move for move in moves if move > 2 * training["STRIDE"]]
    assert all(1 < move < training["STRIDE"] for move in moves if move not in anew)
    assert 3 <= len(anew) <= 20


def test_refining_turns_the_gradients(training, collection, tmp_path, rng):
    pictures = [training["Collection"](collection)]
    teacher = random_weights((8, 8, 8, 8, 8), LAYERS[:3], seed=0)
    batches = [rng.uniform(0, 255, (4, 24, 24, 3)).astype("float32")]
    weights, kept, _ = training["slim"](teacher, batches, (4, 4, 4, 4, 4))
    refined = training["refine"](weights, kept, teacher, pictures, 40, tmp_path / "backup", seed=1)
    before, after = (
        np.mean(cosines(training, one, teacher, kept, pictures)) for one in (weights, refined)
    )
    assert before + 0.02 < after < 1
    assert training["refine"](weights, kept, teacher, pictures, 0, tmp_path) is weights


def cosines(training, weights, teacher, kept, pictures):
    """How well a student does in eight lessons."""
    lessons = training["Lessons"](teacher, kept, pictures, seed=2)
    network = build_network(weights, tuple(weights), "average", "reflect", "float32")
    student = training["Student"](network)
    turned = []
    for index in range(8):
        asked, answered = lessons[index]
        gradients = student(asked)["gradients"]
        turned += [*as_numpy(training["cosines"](gradients, tensor(answered["gradients"])))]
    return turned


def test_folding_changes_nothing_but_the_sizes(training, rng):
    keras.utils.set_random_seed(0)  # with some, no channel of a layer is ever above 0
    missing, sizes = LAYERS[8:], {layer: 50 if layer < "block5" else 5 for layer in LAYERS[8:]}
    model = training["build_classifier"](missing, 3, WIDTHS, 2)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
    folded = training["fold"](model, 20, sizes)
    x = rng.uniform(0, 2, (2, 8, 8, 3)).astype("float32")
    relus = [layer.output for layer in model.layers if isinstance(layer, keras.layers.ReLU)]
    expected = dict(zip(missing, map(as_numpy, keras.Model(model.input, relus)(x)), strict=True))
    features = 20 * x
    for layer, (kernel, bias) in folded.items():
        if layer == "block5_conv1":
            features = as_numpy(keras.ops.average_pool(tensor(features), 2, 2))
        features = np.maximum(training["convolve"](features, kernel, bias), 0)
        scale = np.abs(expected[layer]).max()
        np.testing.assert_allclose(
            features / sizes[layer] / scale, expected[layer] / scale, atol=1e-4
        )


def test_crops_and_their_disturbances(training, rng):
    picture = Image.fromarray(np.full((70, 90, 3), 128, "uint8"))
    changed = 0
    for _ in range(30):
        cut = training["crop"](picture, rng, training["SIDE"])
        assert cut.size == (training["SIDE"],) * 2
        pixels = training["disturb"](cut, rng)
        assert 0 <= pixels.min() <= pixels.max() <= 255
        changed += pixels.std() > 1
    assert 3 < changed < 27


def test_a_folder_and_labels(training, collection, tmp_path, rng):
    Image.fromarray(rng.integers(0, 256, (90, 90, 3), "uint8")).save(tmp_path / "a.png")
    folder = training["Collection"](tmp_path)
    labeled = training["Labeled"]([folder, training["Collection"](collection)] * 2)
    assert (len(folder), folder.labels, labeled.classes) == (1, None, 6)
    assert sorted({label for *_, label in labeled.pictures}) == [0, 1, 2, 3, 4, 5]


def test_from_a_teacher_to_an_extractor(training, collection, tmp_path, monkeypatch, rng, capsys):
    """A teacher of three layers: they are slimmed, the rest is trained, and all is loaded again."""
    teacher = random_weights((8, 8, 8, 8, 8), LAYERS[:3], seed=0)
    training["save"](teacher, tmp_path / "teacher.npz")
    arguments = ["--pictures", collection, "--teacher", tmp_path / "teacher.npz", "--batches", 2]
    arguments += ["--steps", 2, "--epochs", 1]
    arguments += ["--backup", tmp_path / "backup", "--output", tmp_path / "new.npz"]
    monkeypatch.setattr(sys, "argv", ["train_pocket.py", *map(str, arguments)])
    for name, value in {"LABELED_BATCH": 4, "REFINED_EPOCH": 1, "POCKET_WIDTHS": WIDTHS}.items():
        monkeypatch.setitem(training["main"].__globals__, name, value)
    training["main"]()
    assert "block2_conv1  6 channels" in capsys.readouterr().out
    extractor = load_extractor(tmp_path / "new.npz")
    features = extractor(rng.uniform(0, 255, (1, 48, 48, 3)).astype("float32"))
    assert [features[layer].shape[-1] for layer in LAYERS[1::4]] == [4, 8, 5, 7]
