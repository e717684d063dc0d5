"""Extractors: the layers asked for and no deeper, pooling and border as said, odd sizes whole."""

import dataclasses
import itertools
import runpy

import keras
import numpy as np
import pytest
import tensorflow as tf
from quick import QUICK, SHALLOW

from nst_tutorial import NSTError, load_extractor, stylize, to_vgg
from nst_tutorial.extractors import mirror_to_multiple, smallest_side
from nst_tutorial.runtime import backend, precision
from nst_tutorial.runtime.backend import ops, value_and_gradient
from nst_tutorial.runtime.weights import LAYERS, POCKET_FILE, POCKET_WIDTHS, random_weights


def reference_features(image, pooling, padding, deepest):
    """The network in plain TensorFlow, written from VGG19's plan."""
    x, features = tf.constant(to_vgg(image)), {}
    for layer, (kernel, bias) in random_weights(POCKET_WIDTHS, LAYERS, seed=0).items():
        if layer.endswith("conv1") and layer != "block1_conv1":
            x = tf.nn.pool(x, (2, 2), pooling, (2, 2), "VALID")
        if padding == "REFLECT":
            x = tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]], mode="REFLECT")
        x = tf.nn.relu(
            tf.nn.conv2d(x, kernel, 1, "VALID" if padding == "REFLECT" else "SAME") + bias
        )
        features[layer] = x
        if layer == deepest:
            return features


@pytest.mark.parametrize(("pooling", "kind"), [("average", "AVG"), ("max", "MAX")])
@pytest.mark.parametrize(("border", "padding"), [("reflect", "REFLECT"), ("zero", "SAME")])
def test_it_computes_what_the_plan_says(rng, pooling, kind, border, padding):
    image = rng.uniform(0, 255, (2, 32, 48, 3)).astype("float32")
    settings = {"pooling": pooling, "border": border, "precision": "float32"}
    features = load_extractor("random", **settings)(image)
    expected = reference_features(image, kind, padding, "block5_conv4")
    assert list(features) == list(LAYERS)
    for layer in LAYERS:
        scale = np.abs(expected[layer]).max()
        np.testing.assert_allclose(features[layer] / scale, expected[layer] / scale, atol=1e-5)


def test_it_is_built_only_to_the_deepest_layer_asked_for():
    extractor = load_extractor("random", ["block3_conv1", "block1_conv2"], precision="float32")
    assert extractor.layers == ("block1_conv2", "block3_conv1")
    convolutions = [layer.name for layer in extractor.model.layers if "conv" in layer.name]
    assert convolutions == list(LAYERS[: LAYERS.index("block3_conv1") + 1])


def test_losses_taken_on_the_way_up_have_the_same_gradient(rng, extractor):
    image = ops.convert_to_tensor(rng.uniform(0, 255, (1, 32, 32, 3)), "float32")

    def on_the_way(x):
        losses = extractor.visit(x, lambda layer, F: {"loss": ops.sum(ops.square(F))})
        return sum(of["loss"] for of in losses.values()), losses

    def at_the_end(x):
        losses = {layer: {"loss": ops.sum(ops.square(F))} for layer, F in extractor(x).items()}
        return sum(of["loss"] for of in losses.values()), losses

    (losses, gradient), (expected, right) = (
        keras.tree.map_structure(ops.convert_to_numpy, value_and_gradient(way)(image))
        for way in (on_the_way, at_the_end)
    )
    keras.tree.map_structure(np.testing.assert_allclose, losses, expected)
    np.testing.assert_allclose(gradient, right, rtol=1e-4, atol=1e-4 * np.abs(right).max())


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="others go in order anyway")
def test_their_gradients_are_taken_in_turn_deepest_first(extractor):
    """TensorFlow would take all at once, and keep them until it needs them."""

    def look(layer, F):
        @tf.custom_gradient
        def loss(F):
            return ops.sum(F), lambda slope: tf.add(slope, tf.zeros_like(F), name=f"begun_{layer}")

        return loss(F)

    differentiate = value_and_gradient(lambda x: (sum(extractor.visit(x, look).values()), {}))
    graph = differentiate.get_concrete_function(ops.zeros((1, 32, 32, 3))).graph
    begun = [graph.get_operation_by_name(f"begun_{layer}") for layer in extractor.layers]
    for shallow, deep in itertools.pairwise(begun):
        assert deep in before(shallow)
        assert shallow not in before(deep)


def before(operation):
    """All that a graph computes before an operation."""
    found, left = set(), [operation]
    while left:
        one = left.pop()
        nearest = {*(tensor.op for tensor in one.inputs), *one.control_inputs} - found
        found |= nearest
        left += nearest
    return found


def test_select_cuts_and_shares_weights(extractor):
    cut = extractor.select("block2_conv1")
    assert cut.layers == ("block2_conv1",)
    assert "block2_conv2" not in [layer.name for layer in cut.model.layers]
    shared = cut.model.get_layer("block1_conv1").kernel
    assert shared is extractor.model.get_layer("block1_conv1").kernel


def test_cast_keeps_the_weights(rng, bfloat16):
    wide = load_extractor("random", ["block2_conv1"], precision="float32")
    image = rng.uniform(0, 255, (1, 16, 16, 3)).astype("float32")
    narrow = wide.cast(bfloat16)
    assert keras.backend.standardize_dtype(narrow(image)["block2_conv1"].dtype) == bfloat16
    back = narrow.cast("float32")(image)["block2_conv1"]
    np.testing.assert_array_equal(back, wide(image)["block2_conv1"])
    assert wide.cast("float32") is wide


@pytest.mark.parametrize("border", ["reflect", "zero"])
def test_a_frozen_convolution_has_the_gradient_of_any(border, rng):
    frozen = load_extractor("random", "block2_conv1", precision="float32", border=border).model
    thawed = keras.models.clone_model(frozen)
    thawed.set_weights(frozen.get_weights())
    thawed.trainable = True
    image = ops.convert_to_tensor(rng.uniform(-100, 100, (2, 22, 18, 3)), "float32")
    one, other = (gradient_of_squares(network, image) for network in (frozen, thawed))
    assert np.abs(other).max() > 0
    np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5 * np.abs(other).max())


def gradient_of_squares(network, image):
    squares = value_and_gradient(lambda x: (ops.sum(network(x)["block2_conv1"] ** 2), {}))
    return ops.convert_to_numpy(squares(image)[1])


def test_every_pixel_of_an_odd_picture_reaches_the_deepest_layer(extractor):
    deep = extractor.select("block5_conv1")
    image = ops.full((1, 45, 51, 3), 100.0)
    squares = value_and_gradient(lambda x: (ops.sum(deep(x)["block5_conv1"] ** 2), {}))
    gradient = np.abs(ops.convert_to_numpy(squares(image)[1])).sum(axis=(0, 3))
    assert (gradient[[0, -1]] > 0).all()
    assert (gradient[:, [0, -1]] > 0).all()


def test_mirroring_by_hand():
    row = np.array([1.0, 2.0, 3.0, 4.0, 5.0]).reshape(1, 1, 5, 1).repeat(4, axis=1)
    mirrored = np.asarray(mirror_to_multiple(row, 4))
    assert mirrored.shape == (1, 4, 8, 1)
    assert mirrored[0, 0, :, 0].tolist() == [2, 1, 2, 3, 4, 5, 4, 3]


def test_the_embedded_extractor_has_every_layer_and_is_small(monkeypatch):
    extractor = load_extractor(precision="float32")
    assert extractor.name == "pocket"
    assert extractor.layers == LAYERS
    assert POCKET_FILE.stat().st_size < 4e6
    monkeypatch.setenv("NST_EXTRACTOR", "random")
    assert load_extractor(precision="float32").name == "random"


def test_the_smallest_picture_each_block_takes(extractor):
    for layer in ("block1_conv2", "block3_conv1", "block5_conv4"):
        cut, side = extractor.select(layer), smallest_side(layer)
        assert cut(np.zeros((1, side, side + 1, 3), "float32"))[layer].shape[0] == 1
        with pytest.raises(NSTError, match=f"{layer}, which needs at least {side} pixels"):
            cut(np.zeros((1, side - 1, side, 3), "float32"))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"name": "vgg16"}, "no extractor 'vgg16'; choose pocket"),
        ({"layers": ["block6_conv1"]}, "'block6_conv1' is not in.*block1_conv1.*block5_conv4"),
        ({"layers": []}, "no layer was asked for"),
        ({"pooling": "median"}, "average or max"),
        ({"border": "mirror"}, "reflect or zero or wrap"),
        ({"precision": "int8"}, "float32 or bfloat16"),
    ],
)
def test_settings_that_cannot_be(settings, words):
    with pytest.raises(NSTError, match=words):
        load_extractor(**{"name": "random", **settings})


@pytest.fixture
def new_machine(monkeypatch, tmp_path):
    """A machine that has never chosen a precision; returns a function that sets what it has."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.delenv("NST_PRECISION", raising=False)

    def have(units, seconds=()):
        precision.choose_precision.cache_clear()
        clock = itertools.cycle(np.repeat(seconds, 3).tolist())
        monkeypatch.setattr(precision.processor, "has_bfloat16_units", lambda: units)
        monkeypatch.setattr(precision, "seconds_of", lambda run: next(clock))

    yield have
    precision.choose_precision.cache_clear()


def test_without_units_nothing_is_measured(new_machine):
    new_machine(units=False)
    assert precision.choose_precision() == ("float32", "no units for bfloat16 were found here")


def test_bfloat16_must_win_every_round_and_the_choice_is_kept(new_machine, tmp_path, bfloat16):
    new_machine(units=True, seconds=[4, 1])
    assert precision.choose_precision() == (bfloat16, "the faster, measured now")
    new_machine(units=True, seconds=[1, 4])  # another start, on a busy machine
    assert precision.choose_precision()[0] == bfloat16
    [kept] = tmp_path.iterdir()
    kept.write_text("[]")
    new_machine(units=True, seconds=[4, 1, 4, 1, 1, 1, 4, 1, 4, 1])
    assert precision.choose_precision()[0] == "float32"


def test_the_environment_decides(new_machine, monkeypatch):
    new_machine(units=False)
    monkeypatch.setenv("NST_PRECISION", "bfloat16")
    assert precision.fastest_precision() == "bfloat16"
    precision.choose_precision.cache_clear()
    monkeypatch.setenv("NST_PRECISION", "float8")
    with pytest.raises(NSTError, match="NST_PRECISION"):
        precision.fastest_precision()


@pytest.fixture
def channels_first():
    yield lambda: keras.config.set_image_data_format("channels_first")
    keras.config.set_image_data_format("channels_last")


def test_keras_order_of_axes_changes_no_picture(rng, channels_first):
    content, style = rng.uniform(0, 255, (64, 70, 3)), rng.uniform(0, 255, (80, 50, 3))
    config = dataclasses.replace(QUICK, style_resize="squash")

    def painted():
        random = load_extractor("random", SHALLOW["style_layers"], precision="float32")
        return stylize(content, style, random, config).image

    expected = painted()
    channels_first()
    np.testing.assert_array_equal(painted(), expected)


def test_another_precision_for_all_of_keras_is_refused_in_a_sentence(monkeypatch):
    monkeypatch.setattr(keras.config, "floatx", lambda: "float64")
    with pytest.raises(NSTError, match=r"set to compute in float64; set floatx to .*keras\.json"):
        runpy.run_path(backend.__file__)
