"""Colors: means and covariances, taken over or left alone."""

import numpy as np
import pytest

from nst_tutorial import TransferConfig, stylize
from nst_tutorial.control.colors import (
    cholesky_root,
    color_statistics,
    match_colors,
    symmetric_root,
)
from nst_tutorial.control.luminance import luminance, luminance_only
from nst_tutorial.control.plan import make_plan
from nst_tutorial.runtime.errors import NSTError

YIQ = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
ROOTS = pytest.mark.parametrize("root", [symmetric_root, cholesky_root])


def moments(*pictures, weights=None):
    """Mean and covariance of colors as a loop has them."""
    pixels = np.concatenate([np.reshape(picture, (-1, 3)) for picture in pictures])
    w = np.ones(len(pixels)) if weights is None else np.ravel(weights)
    mean = sum(wk * x for wk, x in zip(w, pixels, strict=True)) / w.sum()
    outer = [wk * np.outer(x - mean, x - mean) for wk, x in zip(w, pixels, strict=True)]
    return mean, sum(outer) / w.sum()


@pytest.fixture
def pictures(rng):
    mixing = np.array([[20, 5, 0], [0, 15, 10], [5, 0, 25]])
    style = 120 + rng.normal(0, 1, (1, 20, 30, 3)) @ mixing
    photo = 90 + 2 * rng.normal(0, 1, (1, 17, 23, 3)) @ mixing.T
    return style, photo


def test_by_hand():
    """Reds 0 and 2 around 1; wanted are 10 and 16: three times as far from 13."""
    style = np.array([[[[0.0, 5, 5], [2.0, 5, 5]]]])
    photo = np.array([[[[10.0, 7, 8], [16.0, 7, 8]]]])
    for root in (symmetric_root, cholesky_root):
        np.testing.assert_allclose(match_colors(style, photo, root), photo, atol=1e-5)


@ROOTS
def test_mean_and_covariance_are_the_references(pictures, root):
    style, photo = pictures
    found, wanted = moments(match_colors(style, photo, root)), moments(photo)
    np.testing.assert_allclose(found[0], wanted[0], rtol=1e-4)
    np.testing.assert_allclose(found[1], wanted[1], atol=1e-4 * np.abs(wanted[1]).max())


def test_several_references_count_as_one_picture(pictures):
    style, photo = pictures
    both = np.concatenate([photo, photo + 40], axis=1)
    np.testing.assert_array_equal(
        match_colors(style, [photo, photo + 40]), match_colors(style, both)
    )


@ROOTS
def test_a_root_times_its_transpose_is_the_covariance(pictures, root):
    for covariance in (
        *(moments(picture)[1] for picture in pictures),
        np.outer([1, 2, 0], [1, 2, 0]),
    ):
        L = root(covariance)
        np.testing.assert_allclose(L @ L.T, covariance, atol=1e-6 * np.abs(covariance).max())


def test_the_roots_are_symmetric_and_triangular(pictures):
    covariance = moments(pictures[0])[1]
    np.testing.assert_allclose(symmetric_root(covariance), symmetric_root(covariance).T)
    np.testing.assert_allclose(cholesky_root(covariance), np.linalg.cholesky(covariance), atol=1e-9)


@pytest.mark.parametrize(("root", "alike"), [(symmetric_root, True), (cholesky_root, False)])
def test_the_order_of_the_channels_counts_for_cholesky_alone(pictures, root, alike):
    matched = match_colors(*pictures, root)
    turned = match_colors(*(picture[..., ::-1] for picture in pictures), root)[..., ::-1]
    assert np.allclose(turned, matched, atol=1e-3) == alike


def test_weights(pictures, rng):
    w = rng.uniform(0, 1, (1, 20, 30, 1))
    for found, wanted in zip(
        color_statistics(pictures[:1], w), moments(pictures[0], weights=w), strict=True
    ):
        np.testing.assert_allclose(found, wanted, rtol=1e-9)
    whole = color_statistics(pictures[:1])
    np.testing.assert_allclose(color_statistics(pictures[:1], np.ones_like(w))[1], whole[1])


@pytest.mark.parametrize("weights", [np.ones(3), *(np.full(600, one) for one in (-1, 0, np.nan))])
def test_weights_that_cannot_be(pictures, weights):
    with pytest.raises(NSTError, match="weights must be one number"):
        match_colors(*pictures, weights=weights)


def test_a_gray_picture_takes_over_the_luminance(pictures):
    """Its covariance has one dimension: what it lacks it does not get."""
    gray, photo = luminance(pictures[0]), luminance(pictures[1])
    matched = match_colors(gray, photo)
    assert np.ptp(matched, axis=-1).max() < 1e-3
    assert matched.std() == pytest.approx(photo.std(), rel=1e-5)


def test_luminance_by_hand():
    np.testing.assert_allclose(
        luminance(np.array([[[[100.0, 10, 200]]]])), [[[[58.57] * 3]]], rtol=1e-6
    )


def test_only_the_luminance_is_painted(pictures):
    painted, photo = (picture.clip(60, 190)[:, :17, :23] for picture in pictures)
    mixed = luminance_only(painted, photo)
    np.testing.assert_allclose((mixed @ YIQ.T)[..., 0], (painted @ YIQ.T)[..., 0], atol=0.02)
    np.testing.assert_allclose((mixed @ YIQ.T)[..., 1:], (photo @ YIQ.T)[..., 1:], atol=0.02)
    np.testing.assert_array_equal(luminance_only(photo, photo), photo.astype("float32"))


@pytest.mark.parametrize("colors", ["match", "luminance"])
def test_a_transfer_keeps_the_photographs_colors(photograph, painting, extractor, colors):
    """The style's own, a blue and an orange, are nowhere."""
    settings = {"size": 64, "steps": 4, "tv_weight": 0.0}
    images = {
        one: stylize(photograph, painting, extractor, TransferConfig(colors=one, **settings)).image
        for one in ("style", colors)
    }
    means = {one: image.mean((0, 1, 2)) for one, image in images.items()}
    wanted = photograph.mean((0, 1, 2))
    assert np.abs(means[colors] - wanted).max() < 0.5 * np.abs(means["style"] - wanted).max()


def test_the_photographs_colors_are_back_in_every_step(photograph, painting, extractor):
    config = TransferConfig(size=64, steps=2, colors="luminance")
    seen = []
    stylize(photograph, painting, extractor, config, lambda step: seen.append(step.image))
    assert len(seen) == 2
    for image in seen:
        assert np.ptp(image, axis=-1).max() > 50  # no gray picture


def test_colors_need_a_photograph(painting, extractor):
    with pytest.raises(
        NSTError, match=r"colors='match' keeps a photograph's colors, and there is none"
    ):
        stylize(None, painting, extractor, TransferConfig(colors="match"))


def test_a_plan_of_the_styles_colors_leaves_all_as_it_is(pictures):
    style, photo = pictures
    plan = make_plan(photo, [style], "style")
    assert plan.content is photo
    assert plan.finish(style) is style
