"""Each implementation's numbers against a transcription of its row; weights from one to another.

The transcriptions are NumPy, in double precision, and share nothing with the package but the
features they are given.
"""

import dataclasses
import functools
import itertools

import numpy as np
import pytest
import tensorflow as tf
from quick import SHALLOW

from nst_tutorial import (
    NSTError,
    StyleTransfer,
    TransferConfig,
    apply_weights,
    convert_weights,
    load_extractor,
    load_image,
    recipe,
    stylize,
)
from nst_tutorial.config import weighted
from nst_tutorial.conventions.convert import evaluate_as
from nst_tutorial.conventions.known import CONVENTIONS
from nst_tutorial.conventions.recipes import SETTINGS
from nst_tutorial.objective import Objective
from nst_tutorial.runs.inputs import load_pictures
from nst_tutorial.scales import resize

CONV1 = [f"block{block}_conv1" for block in range(1, 6)]
EXACT = [name for name, convention in CONVENTIONS.items() if not convention.inexact]
INEXACT = [name for name, convention in CONVENTIONS.items() if convention.inexact]
RECIPES = [name for name, convention in CONVENTIONS.items() if not convention.trains]


@pytest.fixture(scope="module")
def pictures():
    """A painted picture, a photograph, a style picture of their odd size, and one of its own."""
    rng = np.random.default_rng(3)
    shapes = [(1, 45, 53, 3)] * 3 + [(1, 77, 40, 3)]  # features: 48×64 and 80×48
    return [rng.uniform(0, 255, shape).astype("float32") for shape in shapes]


@pytest.fixture(scope="module")
def pocket():
    return load_extractor("pocket", precision="float32")


# Transcriptions ---------------------------------------------------------------------------------


def flat(features):
    """Features of one picture, channels in rows as in the papers, and their shape."""
    features = np.asarray(features, "float64")[0]
    return features.reshape(-1, features.shape[-1]).T, features.shape


def gram(features):
    rows, _ = flat(features)
    return rows @ rows.T


def squares_2_5(x):
    down = (x[:, :-1, :-1] - x[:, 1:, :-1]) ** 2
    right = (x[:, :-1, :-1] - x[:, :-1, 1:]) ** 2
    return np.sum((down + right) ** 1.25)


def squares_2(x):
    down = (x[:, :-1, :-1] - x[:, 1:, :-1]) ** 2
    right = (x[:, :-1, :-1] - x[:, :-1, 1:]) ** 2
    return np.sum(down + right)


def relative(x, F, P, S):
    content = np.mean((F["block3_conv3"] - P["block3_conv3"]) ** 2)
    content /= np.mean(P["block3_conv3"] ** 2)
    style = 0.0
    for layer in ("block1_conv1", "block2_conv1", "block3_conv1", "block3_conv4"):
        G = gram(F[layer]) / flat(F[layer])[0].shape[1]
        A = gram(S[layer]) / flat(S[layer])[0].shape[1]
        style += np.mean((G - A) ** 2) / np.mean(A**2) / 4
    return 2.5 * content, 100 * style, 200 * squares_2_5(x / 255) / x[:, 1:, 1:].size


def paper(x, F, P, S):
    content = np.sum((F["block4_conv2"] - P["block4_conv2"]) ** 2) / 2
    style = 0.0
    for layer in CONV1:
        N, M = flat(F[layer])[0].shape
        style += np.sum((gram(F[layer]) - gram(S[layer])) ** 2) / (4 * N**2 * M**2) / 5
    return content, 1e3 * style, 0.0


def original_notebook(x, F, P, S):
    content = np.sum((F["block5_conv2"] - P["block5_conv2"]) ** 2)
    style, (height, width) = 0.0, x.shape[1:3]
    for layer in CONV1:
        (_, w, c), (_, w_style, _) = flat(F[layer])[1], flat(S[layer])[1]
        difference = gram(F[layer]) / (w * c) - gram(S[layer]) / (w_style * c)
        style += 50000 * np.sum(difference**2) / (4 * 3**2 * (height * width) ** 2)
    return 0.001 * content, style, 1e-4 * squares_2_5(x)


def keras_io(x, F, P, S):
    content = np.sum((F["block5_conv2"] - P["block5_conv2"]) ** 2)
    style, size = 0.0, x.shape[1] * x.shape[2]
    for layer in CONV1:
        distance = np.sum((gram(S[layer]) - gram(F[layer])) ** 2)
        style += 1e-6 / 5 * distance / (4.0 * 3**2 * size**2)
    return 2.5e-8 * content, style, 1e-6 * squares_2_5(x)


def tensorflow_tutorial(x, F, P, S):
    content = 1e4 * np.mean((F["block5_conv2"] - P["block5_conv2"]) ** 2)
    style, x = 0.0, x / 255
    for layer in CONV1:
        G = np.einsum("bijc,bijd->cd", F[layer], F[layer]) / np.prod(F[layer].shape[1:3])
        A = np.einsum("bijc,bijd->cd", S[layer], S[layer]) / np.prod(S[layer].shape[1:3])
        style += np.mean((G - A) ** 2)
    tv = np.abs(np.diff(x, axis=1)).sum() + np.abs(np.diff(x, axis=2)).sum()
    return content, style * 1e-2 / 5, 30 * tv


def johnson(x, F, P, S):
    content = np.mean((F["block3_conv3"] - P["block3_conv3"]) ** 2)
    style = 0.0
    for layer in ("block1_conv2", "block2_conv2", "block3_conv3", "block4_conv3"):
        style += np.sum((gram(F[layer]) / F[layer].size - gram(S[layer]) / S[layer].size) ** 2)
    return content, style, 1e-6 * squares_2(x)


def neural_style_keras(x, F, P, S, by_channels=False):
    content = np.mean((F["block4_conv2"] - P["block4_conv2"]) ** 2)
    style = 0.0
    for layer in CONV1:
        c = F[layer].shape[-1]
        divisors = [
            features.size if by_channels else features.size / c for features in (F[layer], S[layer])
        ]
        style += np.mean((gram(F[layer]) / divisors[0] - gram(S[layer]) / divisors[1]) ** 2)
    return content, 1e-4 * style, 1e-4 * squares_2(x)


def neural_style_keras_by_channels(x, F, P, S):
    return neural_style_keras(x, F, P, S, by_channels=True)


def d2l(x, F, P, S):
    """Its formulas, on our features after the ReLU."""
    content = np.mean((F["block4_conv4"] - P["block4_conv4"]) ** 2)
    style = 0.0
    for layer in CONV1:
        G, A = (gram(features) / features.size for features in (F[layer], S[layer]))
        style += 1e4 * np.mean((G - A) ** 2)
    x = x / 255 / np.array([0.229, 0.224, 0.225])
    tv = 0.5 * (np.abs(np.diff(x, axis=1)).mean() + np.abs(np.diff(x, axis=2)).mean())
    return content, style, 10 * tv


def pytorch_tutorial(x, F, P, S):
    content = np.mean((F["block2_conv2"] - P["block2_conv2"]) ** 2)
    style = 0.0
    for layer in ("block1_conv1", "block1_conv2", "block2_conv1", "block2_conv2", "block3_conv1"):
        G, A = (gram(features) / features.size for features in (F[layer], S[layer]))
        style += np.mean((G - A) ** 2)
    return content, 1e6 * style, 0.0


@pytest.mark.parametrize("name", CONVENTIONS)
def test_the_terms_are_those_of_the_row(name, pictures, extractor):
    image, content, style, _ = pictures
    features = features_for(name, extractor, (image, content, style))
    expected = globals()[name](image.astype("float64"), *features)
    terms = evaluate_as(name, image, content, style, extractor)
    found = [terms[term] for term in ("content", "style", "tv")]
    np.testing.assert_allclose(found, expected, rtol=2e-5)
    assert terms["total"] == pytest.approx(sum(expected), rel=2e-5)
    assert min(found[:2]) > 0


OWN_SIZE = [name for name in EXACT if SETTINGS[name].get("style_resize") != "squash"]


@pytest.mark.parametrize("name", OWN_SIZE)
def test_a_style_picture_of_its_own_size(name, pictures, extractor):
    image, content, _, style = pictures
    features = features_for(name, extractor, (image, content, style))
    expected = globals()[name](image.astype("float64"), *features)
    terms = evaluate_as(name, image, content, style, extractor)
    np.testing.assert_allclose([terms[t] for t in ("content", "style", "tv")], expected, rtol=2e-5)


@pytest.mark.parametrize("name", ["paper", "keras_io"])
def test_a_style_picture_that_the_author_squashes(name, pictures, extractor):
    image, content, _, style = pictures
    squashed = resize(style, image.shape)
    expected = evaluate_as(name, image, content, squashed, extractor)
    assert evaluate_as(name, image, content, style, extractor) == expected


def features_for(name, extractor, images):
    """Features of the row's layers alone: how far a picture is mirrored depends on the deepest."""
    config = TransferConfig(**SETTINGS[name])
    extractor = extractor.select(config.content_layers + config.style_layers)
    return [{k: np.asarray(v, "float64") for k, v in extractor(x).items()} for x in images]


def test_pictures_as_files(pictures, extractor, photograph):
    """Whole numbers are the same as an array and as a picture of 8 bits."""
    array, picture = photograph, photograph[0].astype("uint8")
    terms = [evaluate_as("keras_io", array + 0, array, one, extractor) for one in (array, picture)]
    assert terms[0] == terms[1]
    assert terms[0]["content"] == terms[0]["style"] == 0
    assert terms[0]["tv"] > 0


# Weights from one to another --------------------------------------------------------------------


def gradient(name, weights, pictures, extractor):
    image, content, style, _ = pictures
    config = apply_weights(TransferConfig(convention=name), weights)
    objective = Objective(content, [style], extractor, config, image.shape)
    x = tf.constant(image)
    with tf.GradientTape() as tape:
        tape.watch(x)
        total, _ = objective(x, objective.weights(config))
    return np.asarray(tape.gradient(total, x), "float64").ravel()


def cosine(a, b):
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


def has_same_variation(a, b):
    one, other = CONVENTIONS[a], CONVENTIONS[b]
    exponents = {one.exponent or 2.5, other.exponent or 2.5}
    return one.variation == other.variation == "squares" and len(exponents) == 1


@pytest.fixture(scope="module")
def start(pictures, pocket):
    """Weights in a convention's units by which each term counts, and the gradient they give."""

    @functools.cache
    def start_of(name, tv):
        _, content, style, _ = pictures
        exponent = CONVENTIONS[name].exponent or 2.5
        weights = {"content": 1.0, "style": 1.0, "tv": 1.0 if tv else 0.0, "tv_exponent": exponent}
        weights = convert_weights(weights, "relative", name, content, style, pocket)
        return weights, gradient(name, weights, pictures, pocket)

    return start_of


def pairs():
    """Each to the next in a ring, and in a longer run each to each."""
    for source, target in itertools.permutations(EXACT, 2):
        steps = (EXACT.index(target) - EXACT.index(source)) % len(EXACT)
        yield pytest.param(source, target, marks=() if steps == 1 else pytest.mark.long)


@pytest.mark.parametrize(("source", "target"), list(pairs()))
def test_round_trips_and_gradients(source, target, start, pictures, pocket):
    """There and back the weights are the same, and there the picture is pulled the same way."""
    _, content, style, _ = pictures
    weights, here = start(source, has_same_variation(source, target))
    converted = convert_weights(weights, source, target, content, style, pocket)
    there = gradient(target, converted, pictures, pocket)
    assert cosine(here, there) > 0.9999
    np.testing.assert_allclose(np.linalg.norm(there), np.linalg.norm(here), rtol=1e-3)
    back = convert_weights(converted, target, source, content, style, pocket)
    for term in ("content", "style", "tv"):
        assert back[term] == pytest.approx(weights[term], rel=1e-6), term


def test_weights_as_they_are_do_not_pull_the_same_way(start, pictures, pocket):
    """The test above could fail: unconverted weights give another direction."""
    _, content, style, _ = pictures
    weights, here = start("keras_io", True)
    unconverted = convert_weights(weights, "paper", "paper", content, style, pocket)
    assert cosine(here, gradient("paper", unconverted, pictures, pocket)) < 0.99


def test_a_conversion_by_hand(pictures, pocket):
    """From mean squares to the paper's ¼ of them, and from the mean to ½ of the sum."""
    _, content, style, _ = pictures
    weights = {"content": {"block4_conv2": 1.0}, "style": 1.0}
    paper = convert_weights(weights, "tensorflow_tutorial", "paper", content, style, pocket)
    numbers = 6 * 8 * 128  # 45×53 is mirrored to 48×64 and halved three times
    assert paper["style"] == pytest.approx(4)
    assert paper["content"] == pytest.approx(2 / numbers)
    assert paper["tv"] == 0


def test_layers_are_named_where_they_are_not_the_targets(pictures, pocket):
    _, content, style, _ = pictures
    paper = convert_weights(None, "keras_io", "paper", content, style, pocket)
    assert set(paper["content"]) == {"block5_conv2"}
    assert list(paper["style"]) == CONV1
    config = apply_weights(recipe("paper"), paper)
    assert config.content_layers == ("block5_conv2",)
    assert sum(config.layer_weights) == pytest.approx(1)
    ratio = paper["style"]["block1_conv1"] / paper["style"]["block5_conv1"]
    shapes = [pocket(content)[layer].shape[1:] for layer in ("block1_conv1", "block5_conv1")]
    assert ratio == pytest.approx((np.prod(shapes[0]) / np.prod(shapes[1])) ** 2)


@pytest.mark.parametrize("name", INEXACT)
def test_what_cannot_be_converted_says_so(name, pictures, pocket):
    _, content, style, _ = pictures
    for pair in ((name, "relative"), ("relative", name)):
        with pytest.raises(NSTError, match=f"{name} differs beyond weights .*nearest=True"):
            convert_weights({"style": 1.0}, *pair, content, style, pocket)
    near = convert_weights(None, name, "relative", content, style, pocket, nearest=True)
    here = evaluate_as(name, pictures[0], content, style, pocket)
    config = apply_weights(TransferConfig(), near)
    objective = Objective(content, [style], pocket, config, pictures[0].shape)
    there = weighted(objective(pictures[0], objective.weights(config))[1], config)
    for term in ("content", "style"):
        assert there[term] == pytest.approx(here[term], rel=1e-4)


def test_another_total_variation_cannot_be_converted(pictures, pocket):
    _, content, style, _ = pictures
    weights = {"tv": 30.0}
    with pytest.raises(NSTError, match=r"absolute.*squares, exponent 2.5.*set tv to 0"):
        convert_weights(weights, "tensorflow_tutorial", "keras_io", content, style, pocket)
    with pytest.raises(NSTError, match=r"exponent 2.5.*exponent 2"):
        convert_weights(weights, "keras_io", "neural_style_keras", content, style, pocket)
    near = convert_weights(
        weights, "tensorflow_tutorial", "keras_io", content, style, pocket, nearest=True
    )
    settings = [SETTINGS[n] for n in ("tensorflow_tutorial", "keras_io")]
    values = [
        evaluate_as(name, content, content, style, pocket)["tv"] / own["tv_weight"]
        for name, own in zip(("tensorflow_tutorial", "keras_io"), settings, strict=True)
    ]
    assert near["tv"] * values[1] == pytest.approx(30 * values[0], rel=1e-5)


def test_a_style_of_another_size_may_have_no_conversion(pictures, pocket):
    _, content, _, style = pictures
    with pytest.raises(NSTError, match="resize the style to the content's shape first"):
        convert_weights(None, "keras_io", "paper", content, style, pocket)
    same = convert_weights({"style": 1.0}, "tensorflow_tutorial", "paper", content, style, pocket)
    assert same["style"] == pytest.approx(4)


def test_an_unknown_convention_is_a_sentence():
    with pytest.raises(NSTError, match="no convention 'torch'; there are relative, paper"):
        recipe("torch")


# Recipes ----------------------------------------------------------------------------------------


def recipes():
    """One for each optimizer, and in a longer run all."""
    short = {recipe(name).optimizer: name for name in RECIPES}.values()
    for name in RECIPES:
        yield pytest.param(name, marks=() if name in short else pytest.mark.long)


@pytest.mark.parametrize("name", list(recipes()))
def test_a_recipe_runs_and_its_terms_are_the_conventions(name, photograph, painting, extractor):
    config = dataclasses.replace(recipe(name), steps=2, size=48)
    rows = []
    result = stylize(photograph, painting, extractor, config, lambda step: rows.append(step))
    assert np.isfinite(result.image).all()
    assert result.stopped is None
    assert len(rows) == 2


def test_keeping_in_range_is_a_setting(photograph, painting, extractor):
    """Free of clipping a picture leaves 0..255, for a while; its file does not."""
    base = dataclasses.replace(recipe("original_notebook"), steps=4, size=48)
    ranges = {}
    for clip in (True, False):
        seen = []
        config = dataclasses.replace(base, clip=clip)
        result = stylize(
            photograph, painting, extractor, config, lambda step, seen=seen: seen.append(step.image)
        )
        ranges[clip] = np.min(seen), np.max(seen)
        assert (result.image >= 0).all()
        assert (result.image <= 255).all()
    assert ranges[True] == (0, 255)
    assert ranges[False][0] < -1
    assert ranges[False][1] > 256


def test_cutting_fractions_off_is_a_setting(photograph, painting, extractor, tmp_path):
    config = dataclasses.replace(recipe("keras_io"), steps=1, size=48, learning_rate=1.0)
    result = stylize(photograph, painting, extractor, config)
    assert (result.image % 1 > 0.5).any()
    for truncate, whole in ((True, np.floor), (False, np.rint)):
        config = dataclasses.replace(config, truncate=truncate)
        dataclasses.replace(result, config=config).save(tmp_path / "out.png")
        np.testing.assert_array_equal(load_image(tmp_path / "out.png"), whole(result.image))


@pytest.mark.parametrize(
    ("how", "shape"), [("fit", (40, 32)), ("own", (80, 64)), ("squash", (31, 40))]
)
def test_the_style_pictures_size_is_a_setting(how, shape, photograph, painting):
    config = TransferConfig(size=40, style_resize=how)
    content, styles, _ = load_pictures(photograph, painting, None, config)
    assert content.shape == (1, 31, 40, 3)
    assert styles[0].shape == (1, *shape, 3)


def test_adams_settings_reach_it_and_its_state_is_kept(photograph, painting, extractor):
    """A run that is put back to a state goes on to the same picture."""
    own = recipe("original_notebook")
    config = dataclasses.replace(own, **SHALLOW, layer_weights=None, steps=4)
    small = resize(photograph, (1, 32, 32, 3)), [resize(painting, (1, 32, 32, 3))]
    transfer = StyleTransfer(*small, extractor, config, small[0])
    transfer.run(2)
    state = transfer.state()
    transfer.run(4, done=2)
    once = transfer.image
    transfer.restart(small[0])
    transfer.restore(state)
    transfer.run(4, done=2)
    np.testing.assert_array_equal(transfer.image, once)


def test_a_network_has_no_recipe():
    with pytest.raises(NSTError, match="johnson trains a network"):
        recipe("johnson")


def test_the_default_recipe():
    assert recipe("relative") == TransferConfig()
