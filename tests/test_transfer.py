"""Transfer: the objective is the losses', the picture moves down it, and nothing loses it."""

import dataclasses
import itertools

import keras
import numpy as np
import pytest
from keras import ops
from quick import QUICK

from nst_tutorial import (
    NSTError,
    StyleTransfer,
    content_loss,
    load_extractor,
    load_image,
    style_layer_loss,
    style_loss,
    stylize,
    total_loss,
    total_variation_loss,
)
from nst_tutorial.config import layer_weights
from nst_tutorial.lbfgs import StalledWarning
from nst_tutorial.objective import Objective
from nst_tutorial.optimizers import Descent
from nst_tutorial.transfer import paint

QUICK_LAYERS = QUICK.content_layers + QUICK.style_layers


def transfer(photograph, painting, extractor, config=QUICK):
    return StyleTransfer(photograph, [painting], extractor, config, photograph)


def terms(photograph, painting, extractor, config, at=None):
    at = photograph if at is None else at
    return StyleTransfer(photograph, [painting], extractor, config, at).step()


# The objective ----------------------------------------------------------------------------------


def test_paper_units_are_the_losses(photograph, painting, extractor, rng):
    """To the last bit, layer by layer; eq. 5 and 7 then add up what the lessons derive."""
    weights = {"content_weight": 3.0, "style_weight": 50.0, "tv_weight": 0.5}
    config = dataclasses.replace(
        QUICK, **weights, convention="paper", layer_weights=(1, 4), tv_exponent=2.0
    )
    noise = rng.uniform(0, 255, photograph.shape).astype("float32")
    objective = Objective(photograph, [painting], extractor, config, noise.shape)
    total, came = objective(noise, objective.weights(config))
    F, P, S = (extractor.select(QUICK_LAYERS)(image) for image in (noise, photograph, painting))
    content = content_loss(F["block2_conv1"], P["block2_conv1"])
    assert came["content"] == content[0]
    assert came["style"] == {
        layer: style_layer_loss(F[layer], S[layer])[0] for layer in config.style_layers
    }
    style = style_loss(F, S, layer_weights(config, config.style_layers))
    tv = total_variation_loss(noise, 2.0)
    assert came["tv"] == tv[0]
    assert total == came["total"] == total_loss(content, style, tv, **weights)[0]
    terms, _ = objective.differentiate(ops.convert_to_tensor(noise), objective.weights(config))
    assert float(terms["total"]) == pytest.approx(float(total), rel=1e-5)


def test_relative_units_by_their_definition(photograph, painting, extractor, rng):
    noise = rng.uniform(0, 255, photograph.shape).astype("float32")
    came = terms(photograph, painting, extractor, QUICK, at=noise)
    cut = extractor.select(QUICK_LAYERS)  # how far a picture is mirrored depends on the deepest
    F, P, S = (
        {layer: np.asarray(f, "float64")[0] for layer, f in cut(image).items()}
        for image in (noise, photograph, painting)
    )
    difference = (F["block2_conv1"] - P["block2_conv1"]) ** 2
    assert came["content"] == pytest.approx(difference.mean() / (P["block2_conv1"] ** 2).mean())
    for layer in QUICK.style_layers:
        G, A = (np.einsum("hwi,hwj->ij", X, X) / X[..., 0].size for X in (F[layer], S[layer]))
        expected = ((G - A) ** 2).mean() / (A**2).mean()
        assert came["style"][layer] == pytest.approx(expected, rel=1e-4)
    x = noise[0].astype("float64")
    dx, dy = x[:-1, 1:] - x[:-1, :-1], x[1:, :-1] - x[:-1, :-1]
    assert came["tv"] == pytest.approx((((dx**2 + dy**2) / 255**2) ** 1.25).mean(), rel=1e-4)


def test_zero_at_the_targets(photograph, extractor):
    came = terms(photograph, photograph, extractor, QUICK)
    assert came["content"] == 0
    assert sum(came["style"].values()) == pytest.approx(0, abs=1e-9)


def test_layer_weights_count(photograph, painting, extractor):
    config = dataclasses.replace(
        QUICK, layer_weights=(0, 2), content_weight=0, tv_weight=0, style_weight=10
    )
    came = terms(photograph, painting, extractor, config)
    assert came["total"] == pytest.approx(20 * came["style"]["block2_conv1"])


def test_a_blend_has_the_gradient_of_the_blended_losses(photograph, painting, extractor):
    """So the picture moves alike: Σ b |G - A_i|² and |G - Σ b A_i|² differ by a constant."""
    other = photograph[:, ::-1, :, ::-1] / 2
    only = dataclasses.replace(QUICK, content_weight=0, tv_weight=0, convention="paper")
    gradients = []
    for styles, blend in [([painting], None), ([other], None), ([painting, other], (1, 3))]:
        config = dataclasses.replace(only, blend=blend)
        one = StyleTransfer(photograph, styles, extractor, config, photograph)
        _, gradient = one.objective.differentiate(
            ops.convert_to_tensor(photograph), one.objective.weights(config)
        )
        gradients.append(np.asarray(gradient))
    first, second, blended = gradients
    expected = 0.25 * first + 0.75 * second
    np.testing.assert_allclose(blended, expected, atol=1e-4 * np.abs(expected).max())


# Steps ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", ["adam", "nadam", "lbfgs"])
def test_three_steps_lower_the_loss(photograph, painting, extractor, optimizer):
    config = dataclasses.replace(QUICK, optimizer=optimizer, steps=4)
    history = stylize(photograph, painting, extractor, config).history
    assert history[-1]["total"] < history[0]["total"]
    assert [row["step"] for row in history] == [1, 2, 3, 4]


def test_the_picture_stays_in_range_and_the_targets_stay_put(photograph, painting, extractor):
    before = photograph.copy(), painting.copy()
    config = dataclasses.replace(QUICK, learning_rate=100)
    image = stylize(photograph, painting, extractor, config).image
    assert 0 <= image.min() < image.max() <= 255
    assert image.dtype == np.float32
    np.testing.assert_array_equal(before[0], photograph)
    np.testing.assert_array_equal(before[1], painting)


def test_a_changed_weight_acts_on_the_next_step_without_compiling(
    photograph, painting, extractor, monkeypatch
):
    looks, look = [], type(extractor).__call__
    monkeypatch.setattr(
        type(extractor), "__call__", lambda self, image: looks.append(1) or look(self, image)
    )
    one = transfer(photograph, painting, extractor)
    one.step()
    compiled = len(looks)
    one.config = dataclasses.replace(QUICK, style_weight=0, tv_weight=0, tv_exponent=1.5)
    came = one.step()
    assert came["total"] == pytest.approx(QUICK.content_weight * came["content"])
    if keras.backend.backend() == "torch":
        return  # it compiles nothing
    assert len(looks) == compiled  # a compiled graph calls no Python
    transfer(photograph, painting, extractor).step()  # nor does another picture of that size
    assert len(looks) == compiled + 2  # its content and its style


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="others trace each size")
def test_one_graph_serves_all_sizes(photograph, painting, extractor, monkeypatch):
    transfer(photograph, painting, extractor).step()
    looks, look = [], type(extractor).__call__
    monkeypatch.setattr(
        type(extractor), "__call__", lambda self, image: looks.append(1) or look(self, image)
    )
    transfer(photograph[:, :48, :52], painting, extractor).step()
    assert len(looks) == 2  # content and style; no graph is traced


def test_lbfgs_goes_on_at_the_next_size_with_strides_that_were_right(
    photograph, painting, extractor
):
    config = dataclasses.replace(QUICK, optimizer="lbfgs")
    smaller = transfer(photograph[:, ::2, ::2], painting, extractor, config)
    larger = transfer(photograph, painting, extractor, config)
    assert larger.learn_from(smaller) is larger  # it has learned nothing yet
    assert "scale" not in larger.state()
    smaller.run(4)
    larger.learn_from(smaller).run(1)
    alone = transfer(photograph, painting, extractor, config)
    alone.run(1)
    assert (larger.image != alone.image).any()
    assert (
        larger.objective(larger.image, larger.objective.weights(config))[0]
        < alone.objective(alone.image, alone.objective.weights(config))[0]
    )


def test_a_picture_of_the_same_size_shares_the_graph_and_nothing_else(
    photograph, painting, extractor
):
    first, second, alone = (transfer(photograph, painting, extractor) for _ in range(3))
    for _ in range(4):
        first.step()
        second.step(learning_rate=100.0)
    for _ in range(4):
        alone.step()
    np.testing.assert_array_equal(first.image, alone.image)
    assert (first.image != second.image).any()


def test_the_learning_rate_falls_to_a_tenth(photograph, painting, extractor, monkeypatch):
    one, rates = transfer(photograph, painting, extractor), []
    monkeypatch.setattr(Descent, "take", lambda self, evaluate, rate: rates.append(rate) or {})
    one.run(10, learning_rate=5.0)
    assert rates[0] == 5
    assert rates[-1] == pytest.approx(0.5 * 10**0.1)
    assert sorted(rates, reverse=True) == rates


# The whole --------------------------------------------------------------------------------------


def test_arrays_in_and_an_array_out(photograph, painting, extractor):
    """What `stylize` adds are files; the picture is the loop's."""
    content, style, taken = load_image(photograph, 64), load_image(painting, 64), []
    image, stopped = paint(content, [style], extractor, QUICK, callback=taken.append)
    assert (stopped, len(taken)) == (None, QUICK.steps)
    result = stylize(photograph, painting, extractor, QUICK)
    np.testing.assert_array_equal(image, result.image)
    assert [row["total"] for row in result.history] == [terms["total"] for terms in taken]


def test_the_same_seed_gives_the_same_bytes(photograph, painting, extractor):
    config = dataclasses.replace(QUICK, init="noise")
    one, same = (stylize(photograph, painting, extractor, config).image for _ in range(2))
    np.testing.assert_array_equal(one, same)
    other = stylize(photograph, painting, extractor, dataclasses.replace(config, seed=1)).image
    assert (one != other).any()


def test_coarse_to_fine_ends_at_the_full_size(extractor, rng):
    content = rng.uniform(0, 255, (1, 128, 150, 3)).astype("float32")
    config = dataclasses.replace(QUICK, size=150, scales=2)
    seen = []
    result = stylize(content, content[:, ::-1], extractor, config, seen.append)
    assert result.image.shape == content.shape
    assert [step.size for step in seen] == [75] * 3 + [150] * 3
    assert [step.step for step in seen] == [1, 2, 3, 4, 5, 6]
    assert seen[-1].image.shape == content.shape
    assert set(result.history[0]) == {"size", "step", "content", "style", "tv", "total", "seconds"}


def test_texture_synthesis_and_feature_inversion(photograph, painting, extractor):
    texture = stylize(None, painting, extractor, QUICK)
    assert texture.image.shape == load_image(painting, 64).shape
    assert texture.history[-1]["content"] == 0
    assert texture.history[-1]["total"] < texture.history[0]["total"]
    config = dataclasses.replace(QUICK, init="noise", tv_weight=0)
    inverted = stylize(photograph, None, extractor, config)
    assert inverted.history[-1]["content"] < inverted.history[0]["content"]
    assert inverted.history[-1]["style"] == {}


def test_only_the_layers_that_are_needed_are_asked_for(photograph, painting, extractor):
    textures = extractor.select(QUICK.style_layers)
    assert stylize(None, painting, textures, QUICK).stopped is None
    contents = extractor.select(QUICK.content_layers)
    assert stylize(photograph, None, contents, QUICK).stopped is None


def test_style_pictures_of_any_shape(photograph, extractor):
    styles = [np.zeros((200, 9, 3)), np.full((33, 300, 3), 200.0)]
    assert stylize(photograph, styles, extractor, QUICK).stopped is None


@pytest.mark.parametrize(("init", "index"), [("content", 0), ("style", 1), ("given", 2)])
def test_where_it_starts(photograph, painting, extractor, init, index):
    pictures = [photograph, painting, np.full(photograph.shape, 9.0)]
    config = dataclasses.replace(QUICK, size=90, steps=1, learning_rate=1e-6)
    if init == "given":
        result = stylize(photograph, painting, extractor, config, start=pictures[2])
    else:
        result = stylize(photograph, painting, extractor, dataclasses.replace(config, init=init))
    expected = pictures[index]
    if init == "style":
        assert abs(result.image.mean() - expected.mean()) < 5
    else:
        np.testing.assert_allclose(result.image, expected, atol=1e-3)


def test_the_noise_start(photograph, painting, extractor):
    config = dataclasses.replace(QUICK, steps=1, learning_rate=1e-6, init="noise")
    image = stylize(photograph, painting, extractor, config).image
    assert image.std() == pytest.approx(60, abs=5)
    flat = stylize(photograph, painting, extractor, dataclasses.replace(config, noise_std=0)).image
    np.testing.assert_allclose(flat, 127.5, atol=1e-3)


# Faults -----------------------------------------------------------------------------------------


def test_ctrl_c_returns_the_picture_so_far(photograph, painting, extractor):
    def interrupt(step):
        if step.step == 3:
            raise KeyboardInterrupt

    result = stylize(photograph, painting, extractor, QUICK, interrupt)
    assert len(result.history) == 3
    assert result.stopped == "interrupted, after step 3"
    assert result.image.shape == load_image(photograph, 64).shape
    assert np.isfinite(result.image).all()


def test_a_loss_that_is_no_number_keeps_the_last_good_picture(photograph, painting, extractor):
    kept = []

    def spoil(step):
        kept.append(step.image)
        if step.step == 2:
            step.transfer.config = dataclasses.replace(
                QUICK, style_weight=1e38, content_weight=1e38
            )

    result = stylize(photograph, painting, extractor, QUICK, spoil)
    assert "is no longer a number; lower" in result.stopped
    assert f"after step {len(kept)}" in result.stopped
    assert np.isfinite(result.image).all()
    np.testing.assert_array_equal(result.image, kept[-1])


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_the_sentence_names_the_layer_that_is_lost(photograph, painting, optimizer):
    broken = load_extractor("random", QUICK_LAYERS, precision="float32")
    kernel, bias = broken.model.get_layer("block2_conv1").get_weights()
    broken.model.get_layer("block2_conv1").set_weights([kernel * 1e30, bias])
    config = dataclasses.replace(QUICK, optimizer=optimizer)
    result = stylize(photograph, painting, broken, config)
    assert result.stopped == (
        "no longer a number: the loss of style at block2_conv1; lower learning_rate, after step 0"
    )
    np.testing.assert_array_equal(result.image, load_image(photograph, 64))


def test_total_variation_that_overflows(photograph, painting, extractor):
    config = dataclasses.replace(QUICK, tv_exponent=60, convention="paper")
    result = stylize(255 * (photograph % 2), painting, extractor, config)
    assert result.stopped.startswith("total variation is no longer a number; lower tv_exponent")


def test_a_line_search_that_fails_is_tried_once_more(photograph, painting, extractor):
    config = dataclasses.replace(QUICK, optimizer="lbfgs")
    one, taken = transfer(photograph, painting, extractor, config), []
    right, calls = one.objective.differentiate, itertools.count()

    def wrong_for_a_while(image, weights):
        terms, gradient = right(image, weights)
        return terms, -gradient if 4 <= next(calls) < 22 else gradient

    one.objective.differentiate = wrong_for_a_while
    one.run(8, taken.append)
    assert len(taken) == 8
    assert taken[-1]["total"] < taken[0]["total"]


def test_a_line_search_that_fails_twice_is_reported(photograph, painting, extractor):
    config = dataclasses.replace(QUICK, optimizer="lbfgs")
    one, taken = transfer(photograph, painting, extractor, config), []
    right = one.objective.differentiate

    def wrong_from_the_third_step_on(image, weights):
        terms, gradient = right(image, weights)
        return terms, gradient if len(taken) < 3 else -gradient

    one.objective.differentiate = wrong_from_the_third_step_on
    with pytest.warns(StalledWarning, match=r"no way down after \d of 8 steps at 90 px"):
        one.run(8, taken.append)
    assert np.isfinite(one.image).all()


def test_lbfgs_gets_float32_by_itself(photograph, painting):
    narrow = load_extractor("random", QUICK_LAYERS, precision="bfloat16")
    config = dataclasses.replace(QUICK, optimizer="lbfgs")
    result = stylize(photograph, painting, narrow, config)
    assert result.precision == "float32"
    assert len(result.history) == QUICK.steps


def test_lbfgs_has_no_single_steps(photograph, painting, extractor):
    config = dataclasses.replace(QUICK, optimizer="lbfgs")
    with pytest.raises(NSTError, match="call run"):
        transfer(photograph, painting, extractor, config).step()


@pytest.mark.parametrize(
    ("content", "style", "config", "words"),
    [
        (None, None, QUICK, "neither a content nor a style"),
        (np.zeros((1, 1, 3)), np.zeros((64, 64, 3)), QUICK, "1×1 is too small"),
        (np.zeros((64, 64, 3)), [np.zeros((64, 64, 3))] * 2,
         dataclasses.replace(QUICK, blend=(1, 1, 1)), "blend has 3 weights for 2"),
        (np.zeros((64, 64, 3)), np.zeros((64, 64, 3)),
         dataclasses.replace(QUICK, content_layers="conv9"), "'conv9' is not in this extractor"),
    ],
)  # fmt: skip
def test_mistakes(content, style, config, words, extractor):
    with pytest.raises(NSTError, match=words):
        stylize(content, style, extractor, config)
