"""Fast styles: the network, its losses, its training, killed and resumed, and the command line."""

import contextlib
import dataclasses
import math
import os
import re
import runpy
import signal
import subprocess
import sys
import time
from functools import partialmethod
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from PIL import Image

from nst_tutorial import NSTError, load_image, save_image
from nst_tutorial.__main__ import main
from nst_tutorial.cli import fast as fast_commands
from nst_tutorial.fast import (
    BatchObjective,
    ConditionalInstanceNormalization,
    Crops,
    StyleNetwork,
    TrainConfig,
    add_style,
    apply,
    learn_style,
    load_network,
    pictures_in,
    save_network,
    train,
)
from nst_tutorial.fast.callbacks import Tell
from nst_tutorial.fast.learning import Learner, StyleMuon, stages_left
from nst_tutorial.fast.memory import check_painting, check_training
from nst_tutorial.fast.network import RIPPLE, make_waves, ripple
from nst_tutorial.objective import Objective

ROOT = Path(__file__).parent.parent
TINY = TrainConfig(
    steps=4,
    batch_size=2,
    size=32,
    style_size=48,
    width=4,
    blocks=1,
    content_layers=("block2_conv1",),
    style_layers=("block1_conv1", "block2_conv1"),
)


@pytest.fixture(scope="module")
def small(extractor):
    return extractor.select(TINY.content_layers + TINY.style_layers)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, photograph, painting):
    folder = tmp_path_factory.mktemp("photos")
    for number in range(3):
        save_image(folder / f"{number}.png", np.roll(photograph, 20 * number, axis=2))
    return folder


@pytest.fixture(scope="module")
def styles(painting):
    return {"stripes": painting, "dark": painting[:, ::-1] / 3}


@pytest.fixture(scope="module")
def network(rng_of):
    """Two styles; γ and β are random, so that they differ."""
    network = StyleNetwork(["stripes", "dark"], width=4, blocks=1)
    return randomized(network, rng_of(1))


@pytest.fixture(scope="module")
def rng_of():
    return np.random.default_rng


@pytest.fixture
def uncompiled(monkeypatch):
    """A few steps take less time than to compile them."""
    compile_it = Learner.compile
    monkeypatch.setattr(Learner, "compile", partialmethod(compile_it, run_eagerly=True))


def randomized(network, rng):
    network.set_weights([w + rng.normal(0, 0.3, w.shape) for w in network.get_weights()])
    return network


# Normalization ----------------------------------------------------------------------------------


def test_instance_normalization_by_hand():
    """The channel is 0, 2, 4, 6: mean 3, variance 5; γ is 2, β is 1."""
    layer = ConditionalInstanceNormalization(2, epsilon=0.0)
    x = np.array([0, 2, 4, 6], "float32").reshape(1, 2, 2, 1)
    layer.build([x.shape, (1, 2)])
    layer.set_weights([np.array([[9.0], [2.0]]), np.array([[9.0], [1.0]])])
    z = ops.convert_to_numpy(layer([x, np.array([[0.0, 1.0]], "float32")]))
    expected = 1 + 2 * np.array([-3, -1, 1, 3]) / np.sqrt(5)
    np.testing.assert_allclose(z.ravel(), expected, rtol=1e-5)


def test_each_picture_is_normalized_alone_and_batch_normalization_mixes(rng):
    x = rng.normal(2, 3, (2, 5, 6, 3)).astype("float32")
    x[1] *= 10
    z, alone, mixed = plain(x), plain(x[:1]), plain(x, "batch")
    np.testing.assert_array_equal(z[:1], alone)
    np.testing.assert_allclose(z.mean((1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(z.std((1, 2)), 1, atol=1e-3)
    np.testing.assert_allclose(mixed.mean((0, 1, 2)), 0, atol=1e-5)
    assert mixed[0].std() < 0.5 < mixed[1].std()


def plain(x, kind="instance"):
    """`x` normalized, with a γ of 1 and a β of 0."""
    layer = ConditionalInstanceNormalization(1, kind)
    layer.build([x.shape, (len(x), 1)])
    layer.set_weights([np.ones((1, 3)), np.zeros((1, 3))])
    return ops.convert_to_numpy(layer([x, np.ones((len(x), 1), "float32")]))


def test_a_blend_has_the_blended_parameters(rng):
    x = rng.normal(size=(1, 4, 4, 2)).astype("float32")
    layer = ConditionalInstanceNormalization(2)
    layer.build([x.shape, (1, 2)])
    layer.set_weights([rng.normal(size=(2, 2)) for _ in "γβ"])
    at = {
        w: ops.convert_to_numpy(layer([x, np.array([[1 - w, w]], "float32")])) for w in (0, 0.25, 1)
    }
    np.testing.assert_allclose(at[0.25], 0.75 * at[0] + 0.25 * at[1], atol=1e-6)


# The network ------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(16, 16), (17, 30), (33, 22), (70, 90)])
def test_a_picture_of_any_size_comes_back_at_its_size(network, rng, size):
    image = rng.uniform(0, 255, (1, *size, 3)).astype("float32")
    painted = apply(network, image, "dark")
    assert painted.shape == image.shape
    assert painted.dtype == np.float32
    assert 0 <= painted.min() < painted.max() <= 255


def test_pictures_of_a_batch_do_not_meet(network, rng):
    images = rng.uniform(0, 255, (3, 24, 32, 3)).astype("float32")
    together = apply(network, images, "stripes")
    for image, painted in zip(images, together, strict=True):
        np.testing.assert_allclose(apply(network, image[None], "stripes")[0], painted, atol=1e-3)


def test_a_picture_is_not_shifted(rng):
    """What is cut off is what was added: a margin, and what is missing of a multiple of four."""
    network = StyleNetwork(["one"], width=4, blocks=0)
    image = rng.uniform(0, 255, (1, 24, 26, 3)).astype("float32")
    wide = np.pad(image, ((0, 0), (12, 12), (12, 12), (0, 0)), mode="reflect")
    wide = np.pad(wide, ((0, 0), (0, 0), (1, 1), (0, 0)), mode="reflect")
    expected = network.paint(wide, [[1.0]])[:, 12:-12, 13:-13]
    np.testing.assert_array_equal(apply(network, image, "one", strength=0), expected)


def test_the_ripple_is_gray_faint_and_the_same_each_time():
    waves = ripple(384, 512)
    assert waves.shape == (384, 512, 1)
    assert waves.dtype == np.float32
    assert abs(waves.mean()) < 0.02
    assert 0.9 < waves.std() < 1.1
    assert np.abs(waves).max() < 4.5
    np.testing.assert_array_equal(ripple(384, 512), waves)
    np.testing.assert_allclose(ripple(20, 30), waves[:20, :30], atol=1e-5)
    y, x = np.mgrid[:20, :30]
    by_hand = sum(np.sin(right * x + down * y + phase) for right, down, phase in make_waves())
    np.testing.assert_allclose(ripple(20, 30)[..., 0], np.sqrt(2 / 32) * by_hand, atol=1e-5)


@pytest.mark.parametrize("style", ["impasto", "watercolour", "woodblock_wave"])
def test_an_even_sky_is_no_weave(style):
    """A weave looks alike a few pixels further on; strokes do not."""
    shipped = load_network("shipped", "float32")

    def repeats(strength):
        sky = np.full((1, 96, 96, 3), [[[60.0, 90.0, 150.0]]], "float32")
        painted = apply(shipped, sky, style, strength)[0, 16:80, 16:80]
        painted = painted - painted.mean((0, 1))
        moves = [(y, x) for y in range(0, 24) for x in range(0, 24) if max(y, x) > 5]
        alike = [np.mean(painted * np.roll(painted, move, (0, 1))) for move in moves]
        return max(alike) / np.mean(painted**2)

    assert repeats(RIPPLE) < 0.7 * repeats(0)


def test_blending_is_continuous_and_ends_at_the_styles(network, photograph):
    def blend(w):
        return apply(network, photograph, {"stripes": 1 - w, "dark": w})

    first, second = apply(network, photograph, "stripes"), apply(network, photograph, "dark")
    np.testing.assert_array_equal(blend(0), first)
    np.testing.assert_array_equal(blend(1), second)
    np.testing.assert_array_equal(apply(network, photograph, {"stripes": 2, "dark": 2}), blend(0.5))
    whole = np.abs(second - first).mean()
    assert whole > 5
    for w in (0, 0.25, 0.5, 0.75, 0.99):
        assert np.abs(blend(w + 0.01) - blend(w)).mean() < whole / 10


@pytest.mark.parametrize(
    ("style", "sentence"),
    [
        ("cubism", "style 'cubism' is not here; there are stripes, dark"),
        ({"dark": -1.0}, "give numbers from 0 up"),
        ({"dark": 0.0}, "not all 0"),
        ({"dark": float("nan")}, "give numbers"),
    ],
)
def test_styles_that_cannot_be(network, photograph, style, sentence):
    with pytest.raises(NSTError, match=sentence):
        apply(network, photograph, style)


def test_a_picture_too_small_and_names_that_cannot_be(network):
    with pytest.raises(NSTError, match="15×20 is too small; it needs 16"):
        apply(network, np.zeros((1, 20, 15, 3)), "dark")
    for names in ([], ["a", "a"]):
        with pytest.raises(NSTError, match="each once"):
            StyleNetwork(names)
    for name in ("", "a/b", "..\\a", "\x1b[2J", "x" * 201):
        with pytest.raises(NSTError, match="cannot be called"):
            StyleNetwork([name])


# Files ------------------------------------------------------------------------------------------


def saved_and_loaded(network, path, precision="float32"):
    save_network(network, path)
    return load_network(path, precision)


def test_saved_and_loaded_it_paints_the_same(network, photograph, tmp_path, bfloat16):
    loaded = saved_and_loaded(network, tmp_path / "net.keras")
    assert loaded.styles == ["stripes", "dark"]
    expected = apply(network, photograph, "dark")
    np.testing.assert_allclose(apply(loaded, photograph, "dark"), expected, atol=0.01)
    halved = load_network(tmp_path / "net.keras", bfloat16)
    assert halved.precision == bfloat16
    assert 0 < np.abs(apply(halved, photograph, "dark") - expected).mean() < 8


def test_the_shipped_network_is_small_and_knows_eight_styles(photograph):
    from nst_tutorial.fast.archive import SHIPPED

    assert SHIPPED.stat().st_size <= 3_000_000
    network = load_network()
    assert len(network.styles) == 8
    painted = {style: apply(network, photograph, style) for style in network.styles}
    assert all(np.isfinite(image).all() for image in painted.values())
    first, *others = painted.values()
    assert all(np.abs(first - other).mean() > 10 for other in others)


def test_the_training_script_keeps_every_tenth_photograph_out(tmp_path):
    script = runpy.run_path(str(ROOT / "training" / "train_fast.py"))
    for number in range(21):
        Image.new("RGB", (8, 8)).save(tmp_path / f"{number:02}.png")
    kept, learnt = script["kept_out"](tmp_path), script["learnt_from"](tmp_path)
    assert [path.name for path in kept] == ["00.png", "10.png", "20.png"]
    assert sorted([*kept, *learnt]) == pictures_in(tmp_path)
    assert tuple(load_network(precision="float32").styles) == script["STYLES"]


# The objective ----------------------------------------------------------------------------------


def test_it_is_the_slow_ways_objective_of_each_picture(small, styles, rng):
    """Two photographs, two styles with weights of their own: as `Objective` says of each."""
    config = dataclasses.replace(TINY, content_weight=(3.0, 7.0), style_weight=(50.0, 20.0))
    images = rng.uniform(0, 255, (2, 32, 32, 3)).astype("float32")
    painted = rng.uniform(0, 255, (2, 32, 32, 3)).astype("float32")
    pictures = [styles["stripes"], styles["dark"]]
    terms = BatchObjective(pictures, small, config)(
        images, painted, np.eye(2, dtype="float32")[::-1]
    )
    for number, style in enumerate((1, 0)):
        slow = config.transfer(style)
        image, one = images[number : number + 1], painted[number : number + 1]
        objective = Objective(image, [pictures[style]], small, slow, image.shape)
        total, expected = objective(ops.convert_to_tensor(one), objective.weights(slow))
        assert float(terms["total"][number]) == pytest.approx(float(total), rel=1e-4)
        assert float(terms["content"][number]) == pytest.approx(
            float(expected["content"]), rel=1e-4
        )
        assert float(terms["tv"][number]) == pytest.approx(float(expected["tv"]), rel=1e-4)


def test_the_loss_has_the_share_of_style_that_it_is_told(small, painting, rng):
    pictures = rng.uniform(0, 255, (2, 1, 32, 32, 3)).astype("float32")
    row = np.ones((1, 1), "float32")
    terms = BatchObjective([painting], small, TINY)(*pictures, row, share=0.25)
    missing = 0.75 * TINY.style_weight * float(terms["style"][0])
    assert float(terms["total"][0] - terms["loss"][0]) == pytest.approx(missing, rel=1e-4)
    assert missing > 1


def test_a_style_picture_may_have_a_size_of_its_own(small, styles, folder, uncompiled):
    seen = {}
    for size in (48, (48, 32)):
        config = dataclasses.replace(TINY, steps=1, style_size=size)
        assert config.transfer(1).style_size == np.broadcast_to(size, 2)[1]
        seen[size] = train(styles, folder, small, config)[0].get_weights()
    assert any((one != other).any() for one, other in zip(*seen.values(), strict=True))
    with pytest.raises(NSTError, match="style_size has 2 values for 1 styles"):
        train({"dark": styles["dark"]}, folder, small, config)


def test_jax_is_refused_in_a_sentence(small, styles, folder, monkeypatch):
    monkeypatch.setattr("nst_tutorial.fast.learning.backend_name", lambda: "jax")
    with pytest.raises(NSTError, match="trained on TensorFlow or PyTorch, not on JAX"):
        train(styles, folder, small, TINY)


def test_weights_must_be_one_a_style(small, painting):
    config = dataclasses.replace(TINY, style_weight=(1.0, 2.0))
    with pytest.raises(NSTError, match="style_weight has 2 values for 1 styles"):
        BatchObjective([painting], small, config)


@pytest.mark.parametrize(
    ("field", "value"),
    [("steps", 0), ("steps", 10**7), ("size", 36), ("size", 10**5), ("coarse", 1.5),
     ("ramp", -0.1), ("batch_size", 1.5), ("learning_rate", 0), ("seed", -1), ("seed", 2**32),
     ("normalize", "layer"), ("precision", "int8"), ("content_weight", -1),
     ("content_weight", (1.0, "x")), ("style_weight", ()), ("style_size", (48, 0)),
     ("style_size", None), ("tv_exponent", 0), ("save_every", -1), ("width", "x"),
     ("width", 1000), ("blocks", 33), ("layer_weights", (1.0,)), ("style_layers", 4)],
)  # fmt: skip
def test_settings_that_cannot_be(field, value):
    with pytest.raises(NSTError, match=field):
        TrainConfig(**{field: value})


def test_lists_and_numpys_numbers_become_tuples_and_pythons():
    config = TrainConfig(content_layers=["block2_conv1"], width=np.int64(8), style_size=[48, 32])
    assert (config.content_layers + config.style_layers)[0] == "block2_conv1"
    assert type(config.width) is int
    assert config.style_size == (48, 32)


# Photographs ------------------------------------------------------------------------------------


def test_crops_are_the_same_again_and_styles_take_turns(folder):
    paths = pictures_in(folder)
    assert [path.name for path in paths] == ["0.png", "1.png", "2.png"]
    rows = np.eye(3, dtype="float32")
    crops, later = (Crops(paths, 32, 2, rows, batches) for batches in (range(6), range(4, 6)))
    (images, rippled, weights), targets = crops[4]
    (again, rippled_again, _), _ = later[0]
    np.testing.assert_array_equal(images, again)
    np.testing.assert_array_equal(rippled, rippled_again)
    assert images.shape == (2, 32, 32, 3)
    assert 0 <= images.min() < images.max() <= 255
    np.testing.assert_array_equal(weights, targets)
    given = sum(crops[number][1].sum(axis=0) for number in range(6))
    assert given.tolist() == [4, 4, 4]
    assert not np.array_equal(images, crops[0][0][0])


def test_the_network_sees_crops_as_apply_will_show_it_pictures(tmp_path):
    gray = np.full((1, 60, 60, 3), 128.0)
    gray[:, :, 30:] = 100
    save_image(tmp_path / "gray.png", gray)
    crops = Crops(pictures_in(tmp_path), 96, 2, np.eye(1, dtype="float32"), range(1))
    (images, rippled, _), _ = crops[0]
    one, other = rippled - images
    assert one.std() == pytest.approx(RIPPLE, rel=0.3)
    assert np.ptp(one, axis=-1).max() < 1e-4, "it is gray"
    assert np.abs(one - other).mean() > 1, "each lies at a place of its own"


def test_the_ripple_of_a_place_is_cut_from_that_of_the_whole():
    np.testing.assert_allclose(ripple(20, 30, 5, 7), ripple(40, 40)[5:25, 7:37], atol=1e-4)


def test_what_cannot_be_read_is_left_out_and_told(folder, tmp_path):
    good, bad = tmp_path / "good.png", tmp_path / "bad.png"
    good.write_bytes((folder / "0.png").read_bytes())
    bad.write_bytes(b"no picture")
    (tmp_path / "notes.txt").write_text("no picture at all")
    crops = Crops(pictures_in(tmp_path), 32, 4, np.eye(1, dtype="float32"), range(3))
    assert all(crops[number][0][0].shape == (4, 32, 32, 3) for number in range(3))
    assert list(crops.broken) == [bad]
    with pytest.raises(NSTError, match="none of the photographs can be read"):
        Crops([bad], 32, 1, np.eye(1, dtype="float32"), range(1))[0]
    for path, sentence in (("nowhere", "No such file"), ("good.png", "Not a directory")):
        with pytest.raises(NSTError, match=f"{path} is no folder of photographs: {sentence}"):
            pictures_in(tmp_path / path)
    (tmp_path / "none.png").mkdir()
    with pytest.raises(NSTError, match="there is no picture in"):
        pictures_in(tmp_path / "none.png")


def test_a_crop_that_shows_nothing_is_drawn_again(tmp_path, photograph):
    half = photograph.copy()
    half[:, :, half.shape[2] // 3 :] = 255
    save_image(tmp_path / "half.png", half)
    save_image(tmp_path / "white.png", np.full((1, 60, 60, 3), 255.0))
    row = np.eye(1, dtype="float32")
    crops = Crops(pictures_in(tmp_path), 32, 8, row, range(4))
    assert all(batch[0][0].std(axis=(1, 2, 3)).min() > 3 for batch in crops)
    with pytest.raises(NSTError, match="flat surfaces"):
        Crops([tmp_path / "white.png"], 32, 1, row, range(1))[0]


# Training ---------------------------------------------------------------------------------------


def test_the_loss_falls_and_every_style_learns_but_the_extractor_does_not(small, styles, folder):
    told, before = [], small.model.get_weights()
    config = dataclasses.replace(TINY, steps=24, coarse=0, learning_rate=1e-2)
    network, broken = train(styles, folder, small, config, told.append)
    assert [step.step for step in told] == list(range(1, 25))
    assert broken == {}
    first, last = (np.mean([step.total for step in part]) for part in (told[:4], told[-4:]))
    assert last < 0.8 * first
    gamma = next(w for w in network.get_weights() if w.shape[0] == 2 and w.ndim == 2)
    assert np.abs(gamma[0] - gamma[1]).max() > 1e-3
    for old, new in zip(before, small.model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_new_style_leaves_the_others_to_the_byte(
    small, network, painting, folder, photograph, tmp_path, uncompiled
):
    config = dataclasses.replace(TINY, steps=2, learning_rate=0.02)
    grown = add_style(network, "bright")
    learned, _ = learn_style(grown, "bright", 255 - painting, folder, small, config)
    assert learned.styles == ["stripes", "dark", "bright"]
    before, after = (saved_and_loaded(one, tmp_path / "net.keras") for one in (network, learned))
    for style in network.styles:
        one, other = (apply(one, photograph, style) for one in (before, after))
        assert one.tobytes() == other.tobytes()
    moved = apply(learned, photograph, "bright") - apply(grown, photograph, "bright")
    assert np.abs(moved).mean() > 1
    with pytest.raises(NSTError, match="each once"):
        add_style(network, "dark")


def test_after_ctrl_c_it_goes_on_and_ends_where_the_unbroken_one_does(
    small, styles, folder, tmp_path, uncompiled
):
    config = dataclasses.replace(TINY, steps=3)
    whole, _ = train(styles, folder, small, config)
    checkpoint, rest = tmp_path / "net.keras.checkpoint", []

    def interrupt(step):
        if step.step == 2:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(styles, folder, small, config, interrupt, checkpoint)
    other = dataclasses.replace(config, seed=1)
    with pytest.raises(NSTError, match=r"settings \(seed is 1, not 0, other"):
        train(styles, folder, small, other, checkpoint=checkpoint)
    resumed, _ = train(styles, folder, small, config, rest.append, checkpoint)
    assert [step.step for step in rest] == [3]
    for one, other in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    again, _ = train(styles, folder, small, config, rest.append, checkpoint)
    assert len(rest) == 1, "what is done is not done again"
    np.testing.assert_array_equal(again.get_weights()[0], resumed.get_weights()[0])


def test_a_training_goes_on_from_a_trained_network(small, network, styles, folder, uncompiled):
    config = dataclasses.replace(TINY, steps=1, learning_rate=1e-6, width=8)
    before = network.get_weights()
    further, _ = train(styles, folder, small, config, network=network)
    assert further.width == network.width, "its own shape, not the config's"
    for old, kept, new in zip(before, network.get_weights(), further.get_weights(), strict=True):
        np.testing.assert_array_equal(old, kept)
        np.testing.assert_allclose(old, new, atol=1e-3)
    assert any(map(np.any, map(np.subtract, before, further.get_weights()))), "it learned"
    with pytest.raises(NSTError, match="give those styles, in that order"):
        train({"dark": styles["dark"]}, folder, small, config, network=network)


def test_styles_begin_apart():
    layer = ConditionalInstanceNormalization(2)
    layer.build([(1, 4, 4, 9), (1, 2)])
    gamma, beta = layer.get_weights()
    assert np.abs(gamma[0] - gamma[1]).max() > 0.05 < np.abs(beta[0] - beta[1]).max()


def stepped(shape, gradient, rate=0.01):
    """What one step of `StyleMuon` takes from zeros."""
    variable = keras.Variable(ops.zeros(shape))
    muon = StyleMuon(rate)
    muon.build([variable])
    muon.apply([ops.convert_to_tensor(gradient, "float32")])
    return -ops.convert_to_numpy(variable)


def test_tables_of_styles_take_longer_steps_of_adam():
    """Adam's first step is the learning rate, whatever the gradient."""
    np.testing.assert_allclose(stepped((2, 3), np.full((2, 3), 7)), 0.05, rtol=1e-5)


@pytest.mark.parametrize("shape", [(3, 3, 2, 8), (1, 1, 4, 8)])
def test_convolutions_step_equally_far_in_all_directions(shape, rng):
    """0.2 η √max(n, m) U Vᵀ; Newton and Schulz leave the lengths between 0.68 and 1.14."""
    gradient = rng.normal(size=shape) * 10.0 ** -np.linspace(0, 1, 8)
    u, lengths, v = np.linalg.svd(gradient.reshape(-1, 8), full_matrices=False)
    assert lengths[0] > 5 * lengths[-1]
    matrix = stepped(shape, gradient).reshape(-1, 8) / (
        0.01 * 0.2 * max(shape[2] * shape[0] ** 2, 8) ** 0.5
    )
    turned = u.T @ matrix @ v.T
    assert np.diag(turned).min() > 0.65
    assert np.diag(turned).max() < 1.2
    np.testing.assert_allclose(turned, np.diag(np.diag(turned)), atol=1e-3)


def test_crops_are_small_at_first(small, styles, folder, monkeypatch, uncompiled):
    seen, objective = [], BatchObjective.__call__

    def look(self, images, painted, weights, share):
        seen.append(images.shape[1])
        return objective(self, images, painted, weights, share)

    monkeypatch.setattr(BatchObjective, "__call__", look)
    config = dataclasses.replace(TINY, size=64, steps=4, coarse=0.5, ramp=0.5)
    assert [list(stage[1]) for stage in stages_left(config, done=1)] == [[1], [2, 3]]
    train(styles, folder, small, dataclasses.replace(config, steps=2))
    assert list(dict.fromkeys(seen)) == [32, 64]
    seen.clear()
    train(styles, folder, small, dataclasses.replace(config, steps=1, coarse=0))
    assert set(seen) == {64}


def test_crops_double_as_often_as_there_are_shares():
    config = TrainConfig(steps=100, size=256, coarse=(0.96, 0.7))
    stages = [(64, range(70)), (128, range(70, 96)), (256, range(96, 100))]
    assert stages_left(config, done=0) == stages
    assert stages_left(config, done=96) == stages[2:]
    with pytest.raises(NSTError, match="multiple of 16"):
        TrainConfig(size=72, coarse=(0.5, 0.9))


def test_style_comes_in_slowly():
    shares = []

    def objective(images, painted, weights, share):
        shares.append(float(share))
        return dict.fromkeys(("content", "style", "tv", "total", "loss"), ops.ones(1))

    learner = Learner(None, objective, ramp=4)
    learner.compile(keras.optimizers.Adam())
    learner.optimizer.build([])
    for step in (0, 1, 3, 9):
        learner.optimizer.iterations.assign(step)
        learner.compute_loss(y_pred=(None, None))
    assert shares == [0.25, 0.5, 1, 1]


def limit(monkeypatch, memory=math.inf, addresses=math.inf):
    monkeypatch.setattr("nst_tutorial.fast.memory.available_memory", lambda: memory)
    monkeypatch.setattr("nst_tutorial.fast.memory.address_space", lambda: addresses)


@pytest.mark.parametrize("limits", [{"memory": 2**30}, {"addresses": 3 * 2**30}])
def test_a_picture_too_large_for_the_memory_is_refused_with_a_size_that_fits(
    network, monkeypatch, limits
):
    limit(monkeypatch, **limits)
    image = np.broadcast_to(np.float32(0), (1, 4000, 3000, 3))
    monkeypatch.setattr(network, "largest", 0)
    with pytest.raises(NSTError, match="painting 3000×4000 pixels takes more memory") as told:
        apply(network, image, "dark")
    size = int(re.search(r"size=(\d+) it would fit", str(told.value))[1])
    assert 300 < size < 4000
    check_painting(network, (1, size, size * 3 // 4, 3))
    with pytest.raises(NSTError, match="takes more memory"):
        check_painting(network, (1, size + 10, (size + 10) * 3 // 4, 3))
    limit(monkeypatch, 2**20)
    with pytest.raises(NSTError, match="close other programs"):
        apply(network, image, "dark")


def test_what_was_painted_once_needs_no_more_addresses(network, photograph, monkeypatch):
    monkeypatch.setattr(network, "largest", 0)
    apply(network, photograph, "stripes")
    limit(monkeypatch, addresses=0)
    apply(network, photograph, "dark")
    with pytest.raises(NSTError, match="takes more memory"):
        apply(network, np.tile(photograph, (1, 2, 1, 1)), "dark")


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the error is TensorFlow's")
def test_a_lack_of_memory_that_was_not_foreseen_is_a_sentence(network, photograph, monkeypatch):
    def fail(*_):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    monkeypatch.setattr(StyleNetwork, "paint", fail)
    with pytest.raises(NSTError, match="there is too little memory"):
        apply(network, photograph, "dark")


@pytest.mark.parametrize("change", [{"size": 1024}, {"batch_size": 1000}, {"width": 128}])
def test_a_training_too_large_for_the_memory_is_refused(network, small, monkeypatch, change):
    config = dataclasses.replace(TINY, **change)
    wide = StyleNetwork(["one"], config.width, config.blocks)
    limit(monkeypatch, 2**28)
    check_training(network, TINY, small, [(1, 48, 48, 3)])
    with pytest.raises(NSTError, match="this training takes about"):
        check_training(wide, config, small, [(1, 48, 48, 3)])
    with pytest.raises(NSTError, match="this training takes about"):
        check_training(network, TINY, small, [(1, 4000, 4000, 3)])


def test_a_loss_that_is_no_number_ends_the_training():
    with pytest.raises(NSTError, match="lower learning_rate"):
        Tell(None, 4).on_train_batch_end(0, {"loss": float("nan")})


# The command line -------------------------------------------------------------------------------

TINY_OPTIONS = """--extractor random --steps 3 --batch-size 2 --size 32 --style-size 48 --width 4
    --blocks 1 --content-layers block2_conv1 --style-layers block1_conv1 block2_conv1"""
TINY_OPTIONS = TINY_OPTIONS.split()


@pytest.fixture
def place(folder, painting, tmp_path, monkeypatch):
    save_image(tmp_path / "stripes.png", painting)
    save_image(tmp_path / "dark.png", painting / 3)
    (tmp_path / "photos").mkdir()
    for path in pictures_in(folder):
        (tmp_path / "photos" / path.name).write_bytes(path.read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_train_and_apply(place, capsys):
    (place / "photos" / "3.png").write_bytes(b"broken")
    command = ["train", "stripes.png", "dark.png", "--images", "photos", "-o", "net.keras"]
    weights = ["--content-weight", "5", "6", "--style-weight", "50"]
    status = main([*command, *TINY_OPTIONS, *weights, "--coarse", "0", "--steps", "6"])
    out, err = capsys.readouterr()
    assert "net.keras saved; its styles are stripes, dark." in out
    assert status == ("photos/3.png" in err)
    assert not (place / "net.keras.checkpoint").exists()

    assert (
        main(["apply", "net.keras", "photos", "--style", "stripes=0.3", "dark=0.7", "-o", "out"])
        == 1
    )
    out, err = capsys.readouterr()
    assert "3 of 4 pictures painted" in out
    assert "photos/3.png" in err.splitlines()[-1]
    assert sorted(path.name for path in (place / "out").iterdir()) == ["0.png", "1.png", "2.png"]
    expected = apply(
        load_network("net.keras"), load_image("photos/0.png"), {"stripes": 0.3, "dark": 0.7}
    )
    assert np.abs(load_image("out/0.png") - expected).max() <= 0.51

    every = ["apply", "net.keras", "photos/1.png", "--style", "all", "-o", "one.png"]
    assert main([*every, "--size", "40"]) == 0
    assert capsys.readouterr().out == "painted: one-stripes.png, one-dark.png\n"
    assert load_image("one-dark.png").shape == load_image("one-stripes.png").shape == (1, 31, 40, 3)


def test_a_network_may_have_a_style_called_all():
    assert fast_commands.read_blends(["all"], ["all", "dark"]) == {"all": {"all": 1.0}}
    both = fast_commands.read_blends([], ["dark", "light"])
    assert both == fast_commands.read_blends(["all"], ["dark", "light"])
    assert list(both) == ["dark", "light"]


def test_ctrl_c_stops_between_two_pictures_and_says_how_many_are_done(
    place, network, capsys, monkeypatch
):
    save_network(network, "two.keras")

    def paint(network, image, blend):
        if blend == {"dark": 1.0}:
            signal.raise_signal(signal.SIGINT)
        return image

    monkeypatch.setattr("nst_tutorial.fast.apply", paint)
    assert main(["apply", "two.keras", "photos", "-o", "out"]) == 130
    assert "1 of 3 pictures painted, each in 2 styles, in out" in capsys.readouterr().out


def test_pictures_that_cannot_be_saved_as_they_are_become_png(place, network, capsys):
    save_network(network, "two.keras")
    Image.new("RGB", (20, 20)).save(place / "photos" / "flat.gif")
    command = ["apply", "two.keras", "photos", "--style", "dark", "-o", "out"]
    assert main(command) == 0
    assert "pictures cannot be saved as .gif" in capsys.readouterr().err
    assert load_image("out/flat.gif.png").shape == (1, 20, 20, 3)


@pytest.mark.long
def test_a_style_is_added_from_the_command_line(place, network, painting, capsys):
    save_network(network, "two.keras")
    save_image("bright.png", 255 - painting)
    command = ["train", "bright.png", "--add-to", "two.keras", "--images", "photos"]
    assert main([*command, "-o", "three.keras", *TINY_OPTIONS]) == 0
    assert "its styles are stripes, dark, bright" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("train a.png --images photos -o net.h5", "must end in .keras"),
        ("train a.png b/a.png --images photos -o net.keras", "two styles have the same name"),
        ("train stripes.png --images nowhere -o net.keras", "nowhere is no folder"),
        ("train stripes.png --images photos -o two.keras --add-to two.keras", "would be overwr"),
        ("train stripes.png --images photos -o photos/", "must end in .keras"),
        ("train stripes.png --images photos -o n.keras --style-weight 1 2", "2 values for 1"),
        ("train stripes.png --images photos -o no/net.keras", "the folder no does not exist"),
        ("train a.png b.png --add-to two.keras --images photos -o net.keras", "one style can be"),
        ("apply none.keras photos/0.png -o out.png", "there is no network none.keras"),
        ("apply two.keras photos/0.png --style cubism -o out.png", "'cubism' is not here"),
        ("apply two.keras photos/0.png --style dark=x -o out.png", "dark=x is no style"),
        ("apply two.keras nowhere.png --style dark -o out.png", "nowhere.png"),
        ("apply two.keras photos/0.png --style dark -o photos/0.png", "would be overwritten"),
        ("apply two.keras photos/0.png --style dark -o out.xyz", "has no ending"),
        ("apply two.keras photos/0.png --style dark dark=2 -o out.png", "is given twice"),
        ("apply two.keras photos/0.png --style dark --size 9 -o out.png", "9×7 is too small"),
        ("apply two.keras photos -o photos", "the photographs are in photos"),
        ("apply two.keras photos -o stripes.png", "stripes.png is a file"),
        ("apply two.keras photos -o stripes.png/out", "cannot be made: Not a directory"),
        ("apply stripes.png photos -o out", "stripes.png is damaged or no network"),
        ("apply photos photos -o out", "photos is a folder"),
    ],
)
def test_mistakes_are_one_sentence(place, network, capsys, command, sentence):
    save_network(network, "two.keras")
    assert main(command.split()) == 2
    err = capsys.readouterr().err
    assert err.startswith("nst-tutorial: ")
    assert sentence in err
    assert err.count("\n") == 1


def test_the_help_names_the_settings_defaults(capsys):
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    settings = """steps batch_size size style_size width blocks learning_rate content_weight
        style_weight tv_weight tv_exponent save_every seed precision coarse ramp"""
    for option in settings.split():
        described = text.split(f"--{option.replace('_', '-')} ", 2)[2].split(" --")[0]
        assert f"({getattr(TrainConfig(), option)}".removesuffix(".0") in described, option


def start(place, steps, stdout=subprocess.DEVNULL):
    command = [sys.executable, "-m", "nst_tutorial", "train", "stripes.png", "dark.png"]
    command += ["--images", "photos", "-o", "net.keras", *TINY_OPTIONS, "--steps", str(steps)]
    environment = {**os.environ, "NST_PRECISION": "float32"}
    return subprocess.Popen(
        [*command, "--save-every", "0"],
        cwd=place, env=environment, stdout=stdout, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip


def wait_for_another(path, process):
    """Wait for a new checkpoint; return whether the training goes on."""
    before = path.stat().st_mtime_ns if path.exists() else None
    while process.poll() is None:
        with contextlib.suppress(FileNotFoundError):  # it ends in this moment
            if path.stat().st_mtime_ns != before:
                return True
        time.sleep(0.01)
    return False


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM] * 3)
def test_a_request_to_end_leaves_a_checkpoint_and_the_process_ends(place, number):
    """It once waited for ever, as it left, for a thread that could run no more."""
    process = start(place, 100000, subprocess.PIPE)
    for _ in range(20):
        assert wait_for_another(place / "net.keras.checkpoint", process)
    process.send_signal(number)
    assert "Go on by the same command." in process.communicate(timeout=600)[0]
    assert process.returncode == 128 + number
    assert not (place / "net.keras").exists()


@pytest.mark.long
def test_killed_at_random_moments_it_ends_as_the_unbroken_one(place, rng):
    """Ten times killed with -9; the same command each time; weights agree to rounding."""
    assert start(place, 100).wait(timeout=600) == 0
    whole = load_network(place / "net.keras", "float32").get_weights()
    (place / "net.keras").unlink()
    kills, process = 0, start(place, 100)
    while wait_for_another(place / "net.keras.checkpoint", process) and kills < 10:
        time.sleep(rng.uniform(0, 0.3))
        process.kill()
        process.wait()
        kills, process = kills + 1, start(place, 100)
    assert process.wait(timeout=600) == 0
    again = load_network(place / "net.keras", "float32").get_weights()
    apart = max(np.abs(one - other).max() for one, other in zip(whole, again, strict=True))
    print(f"killed {kills} times; weights {apart:.2g} apart")
    assert kills > 3
    assert apart < 0.02
