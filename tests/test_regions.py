"""Regions: each has Gram matrices of its own, and what is in none stays as it is."""

import dataclasses
import io

import numpy as np
import pytest
from PIL import Image
from quick import OPTIONS, QUICK

from nst_tutorial import Checkpoint, NSTError, TransferConfig, load_extractor, load_image, stylize
from nst_tutorial.__main__ import main
from nst_tutorial.control.masks import load_alpha, load_mask
from nst_tutorial.control.regions import GuidedObjective, Guides, make_guides, propagate
from nst_tutorial.images import save_image
from nst_tutorial.losses import StyleTarget, guided_gram_matrix, mean_gram_matrix, style_layer_loss
from nst_tutorial.objective import Objective
from nst_tutorial.runs.tiles import GuidedTiledObjective
from nst_tutorial.runtime.backend import backend_name, ops, value_and_gradient

LEFT = np.repeat([[True] * 45 + [False] * 45], 70, axis=0)  # of the photograph, 70×90


def noise(height, width, channels=3, seed=0, most=255):
    shape = (1, height, width, channels)
    return np.random.default_rng(seed).uniform(0, most, shape).astype("float32")


# The guided Gram matrix -------------------------------------------------------------------------


def test_by_hand():
    """Four positions, two channels; the first two are inside, the third is by half."""
    F = np.array([[[[1.0, 2], [3, 0], [2, 2], [9, 9]]]])
    T = np.array([[[[1.0], [1], [0.5], [0]]]])
    # Σ T² = 2.25; T F has the rows (1, 2), (3, 0), (1, 1), (0, 0).
    np.testing.assert_allclose(
        guided_gram_matrix(F, T)[0], np.array([[11, 3], [3, 5]]) / 2.25, 1e-6
    )


def test_as_a_loop():
    F, T = noise(3, 4, 5, most=1), noise(3, 4, 1, seed=1, most=1)
    expected = np.zeros((5, 5))
    for i in range(5):
        for j in range(5):
            for y in range(3):
                for x in range(4):
                    expected[i, j] += T[0, y, x, 0] ** 2 * F[0, y, x, i] * F[0, y, x, j]
    np.testing.assert_allclose(guided_gram_matrix(F, T)[0], expected / (T**2).sum(), rtol=1e-5)


def test_a_guide_of_ones_changes_no_byte():
    F = noise(7, 5, 4)
    ones = np.ones((1, 7, 5, 1), "float32")
    np.testing.assert_array_equal(guided_gram_matrix(F, ones), mean_gram_matrix(F))


def test_several_guides_give_several_matrices():
    F, T = noise(6, 5, 4), np.concatenate([noise(6, 5, 1, seed=s, most=1) for s in (1, 2)])
    both = np.asarray(guided_gram_matrix(F, T))
    for number in (0, 1):
        np.testing.assert_allclose(
            both[number], guided_gram_matrix(F, T[number][None])[0], rtol=1e-6
        )


def test_what_is_outside_does_not_count():
    F, T = noise(6, 5, 4), np.zeros((1, 6, 5, 1), "float32")
    T[:, :, :3] = 1
    other = F.copy()
    other[:, :, 3:] += 1000
    np.testing.assert_array_equal(guided_gram_matrix(F, T), guided_gram_matrix(other, T))
    np.testing.assert_allclose(guided_gram_matrix(F, T), mean_gram_matrix(F[:, :, :3]), rtol=1e-5)


def test_the_gradient_is_the_formula():
    r"""$\partial E / \partial F = T^2 \circ F (G - A) / (N^2 \sum T^2)$."""
    F, T = noise(5, 6, 3, most=1), noise(5, 6, 1, seed=1, most=1)
    A = np.asarray(mean_gram_matrix(noise(4, 4, 3, seed=2, most=1)))
    target = StyleTarget(ops.convert_to_tensor(A), ops.convert_to_tensor(T))
    compute = value_and_gradient(lambda x: (style_layer_loss(x, target)[0], {}))
    gradient = np.asarray(compute(ops.convert_to_tensor(F))[1])
    gap = np.asarray(guided_gram_matrix(F, T)) - A
    expected = T**2 * (F.reshape(1, -1, 3) @ gap).reshape(F.shape) / (9 * (T**2).sum())
    np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-7)


# The objective ----------------------------------------------------------------------------------


def evaluated(objective, image):
    terms, gradient = objective.differentiate(image, objective.weights(QUICK))
    return {**terms, "style": dict(terms["style"])}, np.asarray(gradient)


def test_one_mask_of_ones_is_the_plain_objective_to_the_byte(extractor):
    content, style, image = noise(40, 64), noise(50, 60, seed=1), noise(40, 64, seed=2)
    given = content, [style], extractor, QUICK, image.shape
    guides = Guides(np.ones((1, 40, 64, 1), "float32"), ({0: 1.0},), (None,))
    image = ops.convert_to_tensor(image)
    (plain, g), (guided, h) = (
        evaluated(one, image) for one in (Objective(*given), GuidedObjective(*given, guides=guides))
    )
    rounding = 1e-6 if backend_name() == "jax" else 0  # JAX compiles each as a whole
    np.testing.assert_allclose(float(plain["total"]), float(guided["total"]), rtol=rounding)
    np.testing.assert_allclose(g, h, rtol=0, atol=rounding * np.abs(g).max())


def three_regions(height, width):
    """Two soft masks, which overlap, and a blend in the rest; a mask on one of the styles."""
    masks = [noise(height, width, 1, seed=s, most=1) ** 2 for s in (5, 6)]
    on_styles = [None, None, noise(70, 90, 1, seed=7, most=1), None]
    return make_guides(masks, on_styles, None, (1.0, 3.0), (1, height, width, 3))


STYLES = [
    noise(*sides, seed=s) for s, sides in enumerate([(64, 50), (70, 66), (70, 90), (33, 80)], 11)
]


def test_the_style_term_is_the_papers_sum(extractor):
    """Once more in NumPy, from the features and the masks on."""
    content, image = noise(40, 64), noise(40, 64, seed=2)
    guides = three_regions(40, 64)
    config = dataclasses.replace(QUICK, convention="paper")
    objective = GuidedObjective(content, STYLES, extractor, config, image.shape, guides=guides)
    terms, _ = evaluated(objective, ops.convert_to_tensor(image))
    extractor = objective.extractor  # cut at the deepest layer: the poolings' grid is that one's
    F = extractor(image)
    for layer, found in terms["style"].items():
        matrices = []
        for style, mask in zip(STYLES, guides.style_masks, strict=True):
            mask = np.ones((1, *style.shape[1:3], 1), "float32") if mask is None else mask
            guide = propagate(mask, extractor, layer)
            matrices.append(np.asarray(guided_gram_matrix(extractor(style)[layer], guide)[0]))
        expected = 0.0
        for mask, mixture in zip(guides.masks, guides.mixtures, strict=True):
            T = propagate(mask[None], extractor, layer)[0]
            flat = (T * np.asarray(F[layer][0])).reshape(-1, F[layer].shape[-1]).astype("float64")
            G, A = flat.T @ flat / (T**2).sum(), sum(w * matrices[n] for n, w in mixture.items())
            expected += mask.mean() * ((G - A) ** 2).sum() / (4 * len(G) ** 2)
        assert float(found) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("border", ["reflect", "zero"])
def test_tiles_have_the_gradient_of_the_whole(border):
    extractor = load_extractor("random", precision="float32", border=border)
    content, image = noise(49, 66), ops.convert_to_tensor(noise(49, 66, seed=2))
    given = content, STYLES, extractor, QUICK, image.shape
    guides = {"guides": three_regions(49, 66)}
    whole, expected = evaluated(GuidedObjective(*given, **guides), image)
    tiled, gradient = evaluated(GuidedTiledObjective(*given, **guides, tile=32), image)
    assert float(tiled["total"]) == pytest.approx(float(whole["total"]), rel=1e-5)
    assert np.linalg.norm(gradient - expected) < 1e-5 * np.linalg.norm(expected)


def test_masks_are_averaged_as_pooling_would(extractor):
    extractor, mask = extractor.select("block2_conv1"), noise(8, 12, 1, most=1)
    small = propagate(mask, extractor, "block2_conv1")
    assert small[0, 1, 2, 0] == pytest.approx(mask[0, 2:4, 4:6].mean(), rel=1e-6)
    assert small.shape == (1, 4, 6, 1)


# Which style goes where -------------------------------------------------------------------------


def test_overlapping_masks_get_their_shares():
    one, other = np.full((2, 1, 4, 6, 1), 1.0)
    other[:, :, 3:] = 0.5
    guides = make_guides([one, other], [None, None], None, None, (1, 4, 6, 3))
    np.testing.assert_allclose(
        guides.masks[:, 0, :, 0].T, [[1 / 2, 1 / 2]] * 3 + [[2 / 3, 1 / 3]] * 3
    )


def test_styles_without_a_mask_get_the_rest_and_blend():
    mask = np.zeros((1, 4, 6, 1))
    mask[:, :, :2] = 0.75
    guides = make_guides([mask], [None, None, None], None, (1, 3), (1, 4, 6, 3))
    np.testing.assert_allclose(guides.masks[1, 0, :, 0], [0.25, 0.25, 1, 1, 1, 1])
    assert guides.mixtures == ({2: 1.0}, {0: 0.25, 1: 0.75})


def test_without_masks_or_transparency_there_are_no_guides():
    assert make_guides([], [None], None, None, (1, 4, 6, 3)) is None


def painted(photograph, painting, extractor, **more):
    regions = more.pop("regions", None) or [(LEFT, painting[:, ::-1] / 2)]
    config = TransferConfig(size=90, steps=4, **more)
    return stylize(photograph, None, extractor, config, regions=regions)


def test_what_no_mask_covers_is_kept_to_the_byte(photograph, painting, extractor):
    image = painted(photograph, painting, extractor).image
    np.testing.assert_array_equal(image[:, :, 45:], photograph[:, :, 45:])
    assert np.abs(image[:, :, :45] - photograph[:, :, :45]).mean() > 10


@pytest.mark.parametrize("truncate", [True, False])
def test_what_is_kept_is_kept_whole_in_luminance_too(photograph, painting, extractor, truncate):
    settings = {"colors": "luminance", "truncate": truncate, "tile": 48, "margin": 0.1}
    image = painted(np.rint(photograph), painting, extractor, **settings).image
    np.testing.assert_array_equal(image[:, :, 45:], np.rint(photograph)[:, :, 45:])


def test_each_region_starts_in_its_own_colors(photograph, extractor):
    red, blue = (np.full((1, 70, 90, 3), color, "float32") for color in ([200, 0, 0], [0, 0, 200]))
    red, blue = (style + noise(70, 90, most=40) for style in (red, blue))
    regions = [(LEFT, red), (~LEFT, blue)]
    image = painted(photograph, None, extractor, regions=regions).image
    left, right = image[:, :, :45].mean((0, 1, 2)), image[:, :, 45:].mean((0, 1, 2))
    assert left[0] > left[2] + 100
    assert right[2] > right[0] + 100


@pytest.mark.parametrize("colors", ["match", "luminance"])
def test_regions_in_the_photographs_colors(photograph, painting, extractor, colors):
    image = painted(photograph, painting, extractor, colors=colors).image
    np.testing.assert_allclose(image[:, :, 45:], photograph[:, :, 45:], atol=1e-3)
    assert np.abs(image - photograph).max() > 5


# Bad input --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("regions", "words"),
    [
        ([(LEFT[:, :60], "style")], "mask of 60×70 does not fit a picture of 64×50"),
        ([(LEFT & False, "style")], "black everywhere"),
        ([(b"hello", "style")], "is not a picture"),
        ([("style",)], r"a region must be \(mask, style\)"),
        ([LEFT], "a region must be"),
        ([(LEFT, None)], "neither a picture nor an array|a picture is an array"),
        ([(np.where(LEFT, np.nan, 1.0), "style")], "not numbers"),
        ([(LEFT, "style", np.zeros((80, 64)))], "black everywhere"),
        ([(LEFT, "style")] * 17, "at most 16"),
        ("style", "regions must be a list"),
    ],
)
def test_mistakes(photograph, painting, extractor, regions, words):
    def with_a_style(region):
        if not isinstance(region, tuple):
            return region
        given = {"style": painting}
        return tuple(given.get(one, one) if isinstance(one, str) else one for one in region)

    if isinstance(regions, list):
        regions = [with_a_style(region) for region in regions]
    with pytest.raises(NSTError, match=words):
        stylize(photograph, None, extractor, QUICK, regions=regions)


@pytest.mark.parametrize(("free", "blend"), [(1, (1, 2)), (2, (1,)), (0, (1,))])
def test_a_blend_is_of_the_styles_without_a_region(photograph, painting, extractor, free, blend):
    config, region = dataclasses.replace(QUICK, blend=blend), (LEFT, painting)
    with pytest.raises(NSTError, match=f"{len(blend)} weights for {free} styles that have no reg"):
        stylize(photograph, [painting] * free, extractor, config, regions=[region])


def test_transparent_everywhere(photograph, painting, extractor):
    nothing = np.zeros((40, 50, 4), "uint8")
    with pytest.raises(NSTError, match="style picture is transparent"):
        stylize(photograph, nothing, extractor, QUICK)
    with pytest.raises(NSTError, match="photograph is transparent everywhere"):
        stylize(nothing, painting, extractor, QUICK)


def test_soft_masks_that_overlap_leave_no_negative_rest(photograph, painting, extractor):
    soft = np.linspace(0.3, 0.9, 90) * np.ones((70, 1))
    config = dataclasses.replace(QUICK, steps=1, colors="match")
    regions = [(soft, painting), (1.0 * LEFT, painting)]
    assert stylize(photograph, painting, extractor, config, regions=regions).stopped is None
    masks = [mask[None, ..., None] for mask, _ in regions]
    guides = make_guides(masks, [None] * 3, None, None, photograph.shape)
    assert guides.masks.min() == 0
    np.testing.assert_allclose(guides.masks.sum(0), 1, rtol=1e-6)


def test_more_mistakes(photograph, painting, extractor):
    everywhere = np.ones((70, 90))
    with pytest.raises(NSTError, match="left for the style that has no mask"):
        stylize(photograph, painting, extractor, QUICK, regions=[(everywhere, painting)])
    with pytest.raises(NSTError, match="there is none"):
        stylize(None, None, extractor, QUICK, regions=[(everywhere, painting)])
    waves = dataclasses.replace(QUICK, parameterization="fourier")
    with pytest.raises(NSTError, match="waves move every pixel"):
        stylize(photograph, None, extractor, waves, regions=[(LEFT, painting)])


# Masks and transparency -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "mask",
    [
        LEFT,
        LEFT.astype("float32"),
        255 * LEFT.astype("uint8"),
        Image.fromarray(LEFT),
        load_mask(LEFT),
    ],
)
def test_kinds_of_masks(mask):
    np.testing.assert_allclose(load_mask(mask)[0, :, :, 0], LEFT, atol=1e-6)


@pytest.mark.parametrize("kind", ["int64", "uint8", "float64", "list"])
def test_where_no_value_is_above_1_1_is_inside(kind):
    mask = np.eye(4).tolist() if kind == "list" else np.eye(4, dtype=kind)
    np.testing.assert_array_equal(load_mask(mask)[0, :, :, 0], np.eye(4))


@pytest.mark.parametrize(("color", "inside"), [((0, 0, 0, 128), 0), ((255, 255, 255, 128), 0.5)])
def test_half_transparent_black_is_outside(color, inside):
    mask = load_mask(Image.new("RGBA", (4, 4), color))
    np.testing.assert_allclose(mask, inside, atol=0.005)


def test_gray_is_in_part_and_transparent_is_outside():
    pixels = np.full((4, 6, 4), 128, "uint8")
    pixels[:, :3, 3] = 0
    pixels[:, 3:, 3] = 255
    np.testing.assert_allclose(load_mask(pixels)[0, 0, :, 0], [0] * 3 + [128 / 255] * 3, rtol=1e-5)


def cut_out(photograph):
    """The photograph with a transparent right half and a soft edge, as a PNG's bytes."""
    alpha = np.clip((50 - np.arange(90)) / 10, 0, 1) * np.ones((70, 1)) * 255
    pixels = np.concatenate([photograph[0], alpha[..., None]], axis=-1)
    file = io.BytesIO()
    Image.fromarray(np.rint(pixels).astype("uint8")).save(file, "PNG")
    return file.getvalue()


def test_transparency_is_kept(photograph, painting, extractor, tmp_path):
    source = cut_out(photograph)
    result = stylize(source, painting, extractor, TransferConfig(size=90, steps=3))
    result.save(tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as picture:
        assert picture.mode == "RGBA"
    np.testing.assert_array_equal(load_alpha(tmp_path / "out.png"), load_alpha(source))
    on_white = load_image(tmp_path / "out.png")
    opaque = load_alpha(source)[..., 0] == 1  # elsewhere white shines through, and limits the dark
    assert np.abs(on_white - result.image)[opaque].max() <= 1
    np.testing.assert_array_equal(on_white[:, :, 50:], 255)
    assert np.abs(on_white - load_image(source))[:, :, :40].mean() > 10
    result.save(tmp_path / "out.jpg")
    assert load_alpha(tmp_path / "out.jpg") is None


def test_transparent_parts_of_a_style_give_nothing(photograph, painting, extractor):
    """What is behind them does not matter."""
    opaque = np.where(np.arange(painting.shape[2]) < 40, 255, 0) * np.ones(painting.shape[1:3])
    config = TransferConfig(size=64, steps=2, init="content", style_resize="own")

    def picture(hidden):
        seen = np.where(opaque[..., None] > 0, painting[0], hidden)
        return np.concatenate([seen, opaque[..., None]], axis=-1)

    images = [stylize(photograph, picture(hidden), extractor, config).image for hidden in (0, 255)]
    np.testing.assert_array_equal(*images)
    assert np.abs(images[0] - stylize(photograph, painting, extractor, config).image).max() > 1


# Runs that last ---------------------------------------------------------------------------------

COMMAND = ["stylize", "photo.png", "--size", "64", "--steps", "4", *OPTIONS, "-o", "out.png"]
REGIONS = ["--region", "left.png", "stripes.png", "--region", "rest.png", "dark.png", "spot.png"]


@pytest.fixture
def folder(tmp_path, photograph, painting, monkeypatch):
    save_image(tmp_path / "photo.png", photograph)
    save_image(tmp_path / "stripes.png", painting)
    save_image(tmp_path / "dark.png", painting / 3)
    soft = np.clip((60 - np.arange(90)) / 30, 0, 1) * np.ones((70, 1))
    spot = np.zeros(painting.shape[1:3])
    spot[10:40, 10:40] = 1
    for name, mask in {"left": soft, "rest": 1 - soft, "spot": spot, "black": 0 * soft}.items():
        save_image(tmp_path / f"{name}.png", np.repeat(255 * mask[..., None], 3, -1))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("tiles", [[], ["--tile", "48"]])
def test_a_region_picture_is_made_again_to_the_byte(folder, capsys, tiles):
    assert main([*COMMAND, *REGIONS, *tiles]) == 0
    assert main(["rerun", "out.png"]) == 0
    assert "the same, byte for byte" in capsys.readouterr().out
    Image.new("L", (90, 70), 200).save("left.png")
    assert main(["rerun", "out.png"]) == 2
    assert "the mask left.png is another picture" in capsys.readouterr().err
    (folder / "spot.png").unlink()
    assert main(["rerun", "out.png"]) == 2
    assert "spot.png" in capsys.readouterr().err


def test_a_region_picture_goes_on_to_the_same_bytes(folder, monkeypatch):
    monkeypatch.setattr(Checkpoint, "due", lambda self: True)
    styles = [("left.png", "stripes.png"), ("rest.png", "dark.png", "spot.png")]
    config = TransferConfig(size=64, steps=6, margin=0.05)
    stylize("photo.png", None, None, config, regions=styles).save("whole.png")

    def stop(step):
        if step.step == 4:
            raise KeyboardInterrupt

    def run(callback=None, resume=False, styles=styles):
        checkpoint = Checkpoint("run.checkpoint", 0, resume)
        return stylize("photo.png", None, None, config, callback, None, checkpoint, styles)

    assert run(stop).stopped
    run(resume=True).save("resumed.png")
    assert (folder / "whole.png").read_bytes() == (folder / "resumed.png").read_bytes()
    run(stop)
    with pytest.raises(NSTError, match=r"another run: .*the mask left.png is another picture"):
        run(resume=True, styles=styles[::-1])


def test_all_styles_of_a_region_picture_or_none(folder, capsys):
    assert main([*COMMAND, *REGIONS]) == 0
    assert main(["rerun", "out.png", "--style", "stripes.png"]) == 2
    assert "was made of 2 style pictures" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("regions", "words"),
    [
        (["--region", "left.png", "stripes.png", "--one-picture-per-style"], "needs a STYLE"),
        (["--region", "black.png", "stripes.png"], "black everywhere"),
        (["--region", "none.png", "stripes.png"], "none.png does not exist"),
        (["--region", "spot.png", "stripes.png"], "does not fit a picture of"),
        (["--region", "left.png", "stripes.png", "left.png", "left.png"], "MASK STYLE"),
        (["--region", "left.png", "stripes.png", "--output", "left.png"], "would be overwritten"),
    ],
)
def test_mistakes_on_the_command_line(folder, capsys, regions, words):
    assert main([*COMMAND, *regions]) == 2
    err = capsys.readouterr().err
    assert words in err
    assert err.count("\n") == 1


# A picture that closes --------------------------------------------------------------------------


def test_a_wrapped_picture_has_no_border():
    """Turned around by a layer's stride, its features are turned around with it."""
    extractor = load_extractor("random", "block3_conv1", precision="float32", border="wrap")
    image = noise(32, 48)
    features = np.asarray(extractor(image)["block3_conv1"])
    turned = np.asarray(extractor(np.roll(image, (8, 20), (1, 2)))["block3_conv1"])
    np.testing.assert_allclose(turned, np.roll(features, (2, 5), (1, 2)), rtol=1e-4, atol=1e-4)


def seam(image):
    """The step from the right side to the left, in steps between neighbors."""
    across = np.abs(image[:, :, 0] - image[:, :, -1]).mean()
    return across / np.abs(np.diff(image, axis=2)).mean()


def test_a_texture_tiles_without_a_seam():
    """Whatever is in it: seen alone, its two sides have nothing to do with each other."""
    painting, config = noise(64, 64), TransferConfig(size=64, steps=30, init="noise")
    loaded = {
        b: load_extractor("pocket", border=b, precision="float32") for b in ("reflect", "wrap")
    }
    images = {b: stylize(None, painting, one, config).image for b, one in loaded.items()}
    assert seam(images["wrap"]) < 1.6 < seam(images["reflect"])


@pytest.mark.parametrize("scales", [2, 20])
def test_a_wrapped_picture_is_no_larger_than_it_was_asked_for(photograph, painting, scales):
    """And masks must fit the photograph, not the grid."""
    wrapped = load_extractor("random", precision="float32", border="wrap")
    config = dataclasses.replace(QUICK, size=90, scales=scales, steps=2)
    image = stylize(photograph, None, wrapped, config, regions=[(LEFT, painting)]).image
    assert image.shape == photograph.shape  # both sides are even: the grid of block 2


def test_a_wrapped_picture_is_not_tiled(photograph, painting):
    wrapped = load_extractor("random", precision="float32", border="wrap")
    with pytest.raises(NSTError, match="not computed in tiles"):
        stylize(photograph, painting, wrapped, dataclasses.replace(QUICK, tile=32))
