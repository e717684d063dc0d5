"""The mask canvas, Python's half: tests/browser/test_mask_canvas.py paints."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nst_tutorial import NSTError, save_image
from nst_tutorial.widgets.canvas import MaskCanvas, decode, encode

IMAGES = Path(__file__).parent.parent / "images"
H, W = 70, 90  # of the photograph


@pytest.fixture
def canvas(photograph):
    return MaskCanvas(photograph, ["sky", "house"])


@pytest.fixture
def halves():
    """The sky is the upper third, the house the left half of what is below."""
    sky, house = np.zeros((2, H, W), "float32")
    sky[:20], house[20:, :45] = 1, 1
    return {"sky": sky, "house": house}


def assert_equal(masks, others):
    assert masks.keys() == others.keys()
    for name in masks:
        np.testing.assert_array_equal(masks[name], others[name])


# What is painted --------------------------------------------------------------------------------


def test_runs_by_hand():
    """Three pixels of region 0, one of 2, and twenty of 8, which are two runs."""
    runs = bytes([16 * 0 + 2, 16 * 2 + 0, 16 * 8 + 15, 16 * 8 + 3])
    labels = np.array([[0, 0, 0, 2] + 8 * [8], 12 * [8]], "uint8")
    np.testing.assert_array_equal(decode(runs, (2, 12)), labels)


@pytest.mark.parametrize("shape", [(1, 1), (1, 16), (3, 17), (70, 90)])
@pytest.mark.parametrize("regions", [1, 9])
def test_any_labels_survive_the_way_there_and_back(rng, shape, regions):
    labels = rng.integers(0, regions, shape, "uint8")
    runs = encode(labels)
    assert len(runs) <= labels.size
    np.testing.assert_array_equal(decode(runs, shape), labels)


def test_large_masks_stay_small_on_their_way_to_the_browser():
    assert len(encode(np.zeros((2000, 2000), "uint8"))) == 2000 * 2000 / 16


def test_it_opens_unpainted(canvas):
    for mask in canvas.masks.values():
        assert mask.shape == (H, W)
        assert mask.dtype == "float32"
        assert not mask.any()
    assert repr(canvas) == "MaskCanvas: run this cell in Jupyter to paint on the photograph."


def test_what_the_browser_sends_becomes_masks(canvas):
    """The first row is the sky's and the last pixel the house's."""
    first, middle, last = 5 * [16 + 15] + [16 + 9], 68 * (5 * [15] + [9]), 5 * [15] + [8, 32]
    canvas.set_state({"_labels": memoryview(bytes(first + middle + last))})  # as Jupyter does it
    masks = canvas.masks
    assert masks["sky"].sum() == masks["sky"][0].sum() == W
    assert masks["house"].sum() == masks["house"][-1, -1] == 1


def test_masks_that_are_given_come_back(canvas, halves):
    canvas.masks = halves
    assert_equal(canvas.masks, halves)


def test_masks_are_copies(canvas, halves):
    canvas.load(halves)
    canvas.masks["sky"][:] = 0.5
    halves["house"][:] = 0
    assert canvas.masks["sky"].sum() == 20 * W
    assert canvas.masks["house"].sum() == 50 * 45


def test_each_pixel_has_one_owner_at_most(canvas):
    canvas.load({"sky": np.ones((H, W)), "house": np.eye(H, W)})
    assert_equal(canvas.masks, {"sky": 1 - np.eye(H, W), "house": np.eye(H, W)})


def test_what_is_not_given_becomes_empty(canvas, halves):
    canvas.load(halves)
    canvas.load({"house": halves["house"]})
    assert not canvas.masks["sky"].any()
    assert canvas.masks["house"].sum() == 50 * 45


def test_masks_of_another_size_are_resized(canvas, halves):
    large = {name: np.kron(mask, np.ones((3, 3))) for name, mask in halves.items()}
    small = {"sky": [[1, 1, 1, 1], [0, 0, 0, 0], [0, 0, 0, 0]]}
    canvas.load(large)
    assert_equal(canvas.masks, halves)
    canvas.load(small)
    assert canvas.masks["sky"][:22].all()
    assert not canvas.masks["sky"][24:].any()


@pytest.mark.parametrize("size", [89, 64, 33, 7])
def test_the_photographs_mask_at_any_size_fits(photograph, size):
    """Its sides were rounded; that is no other aspect ratio."""
    canvas = MaskCanvas(photograph, ["all"], size)
    canvas.load({"all": np.ones((H, W), bool)})
    assert canvas.masks["all"].all()
    assert max(canvas.masks["all"].shape) == size


def test_masks_of_8_bits_are_read_as_pictures(canvas):
    gray = np.tile(np.arange(W, dtype="uint8") + 80, (H, 1))  # 80 … 169
    canvas.load({"sky": gray})
    np.testing.assert_array_equal(canvas.masks["sky"], gray >= 128)


# What is refused --------------------------------------------------------------------------------


@pytest.mark.parametrize("names", [
    [], "sky", None, 3, ["sky", "sky"], ["sky", "Sky"], [""], [" "], ["sky", 2], ["sky "],
    ["../sky"], ["a/b"], ["a\\b"], ["a\nb"], [".sky"], ["\ud800"], ["x" * 41], list("abcdefghi"),
], ids=repr)  # fmt: skip
def test_names_that_are_none(photograph, names):
    with pytest.raises(NSTError, match=r"^regions is .* 1 to 8 different names"):
        MaskCanvas(photograph, names)


@pytest.mark.parametrize("names", [list("abcdefgh"), ("left wall",), ["ciel, été", "空"]])
def test_names_that_are_some(photograph, names, tmp_path):
    paths = MaskCanvas(photograph, names).save(tmp_path)
    assert list(paths) == list(names)
    assert sorted(tmp_path.iterdir()) == sorted(paths.values())


def test_a_photograph_that_is_none(tmp_path):
    (tmp_path / "words.png").write_text("this is no picture")
    with pytest.raises(NSTError, match=r"words\.png is not a picture"):
        MaskCanvas(tmp_path / "words.png", ["sky"])
    with pytest.raises(NSTError, match="does not exist"):
        MaskCanvas(tmp_path / "nowhere.png", ["sky"])


@pytest.mark.parametrize("size", [0, -1, 2001, 1.5, "large", None])
def test_a_size_that_is_none(photograph, size):
    with pytest.raises(NSTError, match=r"^size is "):
        MaskCanvas(photograph, ["sky"], size)


@pytest.mark.parametrize("masks", [None, [np.ones((H, W))], np.ones((H, W))], ids=type)
def test_masks_without_names(canvas, masks):
    with pytest.raises(NSTError, match=r"^masks is a "):
        canvas.masks = masks


BAD = {
    "NaN": np.full((H, W), np.nan),
    "infinite": np.full((H, W), np.inf),
    "negative": -np.ones((H, W)),
    "too large": np.full((H, W), 256),
    "words": [["a", "b"]],
    "ragged": [[1, 0], [1]],
    "empty": np.ones((0, W)),
    "a picture": np.ones((H, W, 3)),
    "None": None,
}


@pytest.mark.parametrize("mask", BAD.values(), ids=BAD)
def test_a_mask_that_is_none_is_refused_and_nothing_changes(canvas, halves, mask):
    canvas.load(halves)
    with pytest.raises(NSTError, match=r"^the mask of sky must be an array"):
        canvas.load({"house": np.zeros((H, W)), "sky": mask})
    assert_equal(canvas.masks, halves)


@pytest.mark.parametrize("shape", [(W, H), (H, H), (H, 2 * W), (H - 2, W + 2)])
def test_a_mask_of_another_aspect_ratio(canvas, shape):
    with pytest.raises(NSTError, match=r"^the mask of sky is .* same aspect ratio\.$"):
        canvas.load({"sky": np.ones(shape)})


def test_a_region_that_is_not_there(canvas):
    with pytest.raises(NSTError, match="no region 'sea' on this canvas; it has sky, house"):
        canvas.load({"sea": np.ones((H, W))})


# Files ------------------------------------------------------------------------------------------


def test_save_writes_what_masks_says(canvas, halves, tmp_path):
    canvas.load(halves)
    paths = canvas.save(tmp_path / "new" / "masks")
    assert paths == {name: tmp_path / "new" / "masks" / f"{name}.png" for name in halves}
    for name, path in paths.items():
        picture = Image.open(path)
        assert (picture.format, picture.mode, picture.size) == ("PNG", "L", (W, H))
        np.testing.assert_array_equal(np.asarray(picture), 255 * canvas.masks[name])


def test_what_was_saved_can_be_given_again(canvas, halves, tmp_path):
    canvas.load(halves)
    paths = canvas.save(tmp_path)
    other = MaskCanvas(IMAGES / "chelsea.png", ["sky", "house"])
    with pytest.raises(NSTError, match="aspect ratio"):
        other.load({name: np.asarray(Image.open(path)) for name, path in paths.items()})
    canvas.load({})
    canvas.load({name: np.asarray(Image.open(path)) for name, path in paths.items()})
    assert_equal(canvas.masks, halves)


def test_save_does_not_write_over_the_photograph(photograph, tmp_path):
    photo = tmp_path / "sky.png"
    save_image(photo, photograph)
    before = photo.read_bytes()
    with pytest.raises(NSTError, match="would be overwritten"):
        MaskCanvas(photo, ["house", "sky"]).save(tmp_path)
    assert photo.read_bytes() == before
    assert not (tmp_path / "house.png").exists()


def test_save_where_it_cannot(canvas, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NSTError, match="is a file; give the name of a folder"):
        canvas.save(tmp_path / "file")


# What the browser gets --------------------------------------------------------------------------


def test_the_browser_gets_the_photograph_at_its_size_and_all_code():
    canvas = MaskCanvas(IMAGES / "chelsea.png", ["cat"], size=200)
    state = canvas.get_state()
    picture = Image.open(io.BytesIO(state["_photograph"]))
    assert list(picture.size[::-1]) == state["_shape"] == list(canvas.masks["cat"].shape)
    assert max(picture.size) == 200
    assert "export default" in state["_esm"]
    assert ".nst-canvas" in state["_css"]
    assert sum(map(len, (state["_photograph"], state["_labels"]))) < 100_000


@pytest.mark.parametrize("trait", ["_esm", "_css"])
def test_the_browser_fetches_nothing(canvas, trait):
    words = ("://", "import ", "import(", "fetch(", "url(", "@import")
    assert not [word for word in words if word in canvas.get_state()[trait]]
