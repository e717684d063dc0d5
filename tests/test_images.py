"""Pictures of every kind in, the same picture out; and what is no picture gets one sentence."""

import contextlib
import io
import struct
import sys
import threading

import numpy as np
import pytest
from PIL import Image, ImageCms

from nst_tutorial import NSTError, from_vgg, load_image, save_image, to_uint8, to_vgg
from nst_tutorial.runtime.encoding import ENDINGS, check_picture


def png(image, **settings):
    buffer = io.BytesIO()
    image.save(buffer, format=settings.pop("format", "PNG"), **settings)
    return buffer.getvalue()


def color(source):
    """The one color of a picture that has only one."""
    pixels = load_image(source)[0]
    assert np.ptp(pixels, axis=(0, 1)).max() == 0
    return pixels[0, 0].tolist()


# What the network eats --------------------------------------------------------------------------


def test_to_vgg_by_hand():
    red = np.array([[[[255.0, 0.0, 0.0]]]], "float32")
    np.testing.assert_allclose(to_vgg(red), [[[[-103.939, -116.779, 131.32]]]], rtol=1e-6)


def test_to_vgg_agrees_with_keras():
    import keras

    image = np.random.default_rng(0).integers(0, 256, (1, 5, 4, 3)).astype("float32")
    expected = keras.applications.vgg19.preprocess_input(image.copy())
    np.testing.assert_array_equal(to_vgg(image), expected)


def test_from_vgg_is_the_inverse(rng):
    whole = np.arange(256, dtype="float32")[:, None].repeat(3, axis=1)
    np.testing.assert_array_equal(from_vgg(to_vgg(whole)), whole)
    any_value = rng.uniform(0, 255, (1, 9, 7, 3)).astype("float32")
    np.testing.assert_allclose(from_vgg(to_vgg(any_value)), any_value, atol=2e-5)


def test_to_vgg_leaves_its_argument_alone():
    image = np.full((1, 2, 2, 3), 9.0, "float32")
    to_vgg(image)
    assert (image == 9).all()


# Loading ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["path", "string", "bytes", "file", "array", "batch", "PIL"])
def test_every_kind_of_source(tmp_path, kind):
    pixels = np.arange(5 * 4 * 3, dtype="uint8").reshape(5, 4, 3)
    path = tmp_path / "a.png"
    Image.fromarray(pixels).save(path)
    sources = {
        "path": path,
        "string": str(path),
        "bytes": path.read_bytes(),
        "file": io.BytesIO(path.read_bytes()),
        "array": pixels,
        "batch": pixels[None].astype("float64"),
        "PIL": Image.fromarray(pixels),
    }
    image = load_image(sources[kind])
    assert image.dtype == np.float32
    np.testing.assert_array_equal(image[0], pixels)


@pytest.mark.parametrize(
    ("size", "shape"), [(32, (1, 16, 32, 3)), (64, (1, 32, 64, 3)), (500, (1, 32, 64, 3))]
)
def test_the_longest_side_is_at_most_size(size, shape):
    assert load_image(np.zeros((32, 64, 3)), size).shape == shape


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image.new("1", (3, 2), 1), [255, 255, 255]),
        (Image.new("L", (3, 2), 90), [90, 90, 90]),
        (Image.new("LA", (3, 2), (0, 0)), [255, 255, 255]),
        (Image.new("RGBA", (3, 2), (255, 0, 0, 0)), [255, 255, 255]),
        (Image.new("RGBA", (3, 2), (255, 0, 0, 255)), [255, 0, 0]),
        (Image.new("I;16", (3, 2), 65535), [255, 255, 255]),
        (Image.new("I;16", (3, 2), 128 * 257), [128, 128, 128]),
    ],
)
def test_modes(image, expected):
    assert color(png(image)) == expected


def test_palette_with_transparency():
    image = Image.new("P", (3, 2), 1)
    image.putpalette([0, 0, 0, 10, 200, 30])
    assert color(png(image)) == [10, 200, 30]
    assert color(png(image, transparency=1)) == [255, 255, 255]


def test_cmyk():
    white = Image.new("CMYK", (16, 16), (0, 0, 0, 0))
    assert color(png(white, format="JPEG")) == [255, 255, 255]


@pytest.mark.parametrize(("value", "gray"), [(0.5, 128), (200.0, 200)])
def test_floating_point_tiff(value, gray):
    assert color(png(Image.new("F", (3, 2), value), format="TIFF")) == [gray] * 3


def test_color_profiles_are_converted_to_srgb():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    red = Image.new("LAB", (2, 2), (139, 208, 195))  # L 54.5, a 80, b 67
    data = png(red, format="TIFF", icc_profile=profile.tobytes())
    np.testing.assert_allclose(color(data), [255, 0, 0], atol=16)


def test_a_damaged_profile_is_ignored():
    assert color(png(Image.new("RGB", (2, 2), "red"), icc_profile=b"nonsense")) == [255, 0, 0]


# Mistakes ---------------------------------------------------------------------------------------


def bad_sources(folder):
    (folder / "text.png").write_text("hello")
    (folder / "empty.png").write_bytes(b"")
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), "uint8")
    whole = png(Image.fromarray(noise), format="JPEG")
    (folder / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    return {
        folder / "none.png": "does not exist",
        folder: "is a folder",
        folder / "empty.png": "is empty",
        folder / "text.png": "not a picture",
        folder / "cut.jpg": "damaged",
    }


def test_files_that_are_no_pictures(tmp_path):
    for source, words in bad_sources(tmp_path).items():
        with pytest.raises(NSTError, match=words):
            load_image(source)


def test_a_huge_picture_is_refused_before_it_is_read():
    huge = png(Image.new("1", (16, 16)))
    header = huge[:16] + (30000).to_bytes(4, "big") * 2 + huge[24:29]
    checksum = __import__("zlib").crc32(header[12:29]).to_bytes(4, "big")
    with pytest.raises(NSTError, match="million pixels"):
        load_image(header + checksum + huge[33:])


@pytest.mark.parametrize(
    "array",
    [np.zeros((2, 2, 2)), np.zeros(3), np.zeros((0, 2, 3)), np.zeros((2, 3, 4, 3)), np.array("a")],
)
def test_arrays_that_are_no_pictures(array):
    with pytest.raises(NSTError, match="a picture is an array"):
        load_image(array)


@pytest.mark.parametrize("size", [8, 8.0, np.int64(8), np.float32(8)])
def test_sizes_of_any_kind_of_number(size):
    assert load_image(np.zeros((16, 4, 3)), size).shape == (1, 8, 2, 3)


def test_values_that_are_no_numbers():
    with pytest.raises(NSTError, match="not numbers"):
        load_image(np.full((2, 2, 3), np.nan))


@pytest.mark.parametrize("size", [0, -3, 1.5, np.nan, np.inf, "64", (64, 64), True])
def test_sizes_that_cannot_be(size):
    with pytest.raises(NSTError, match="it must be a whole number from 1"):
        load_image(np.zeros((4, 4, 3)), size)


# Saving -----------------------------------------------------------------------------------------


def test_saving_clips_and_rounds(tmp_path):
    image = np.array([[[[-5.0, 12.6, 300.0]]]])
    np.testing.assert_array_equal(to_uint8(image), [[[0, 13, 255]]])
    save_image(tmp_path / "a.png", image)
    assert color(tmp_path / "a.png") == [0, 13, 255]
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize("ending", [*ENDINGS, ".TIFF"])
@pytest.mark.parametrize("shape", [(1, 16, 9, 3), (300, 200, 3)])
def test_every_ending_gives_back_what_was_saved(tmp_path, ending, shape):
    rows = np.linspace(0, 255, shape[-3])[:, None, None]
    path = check_picture(tmp_path / f"a{ending}", longest=300)
    save_image(path, np.broadcast_to(rows, shape))
    loaded = load_image(path)
    assert loaded.shape == (1, *shape[-3:])
    np.testing.assert_allclose(loaded[0], np.broadcast_to(rows, shape[-3:]), atol=6)


OTHERS = ["xbm", "msp", "palm", "h5", "hdf", "grib", "bufr", "wmf", "emf", "blp", "ico", "icns"]
OTHERS += ["gif", "pdf", "eps", "avif", "txt"]


@pytest.mark.parametrize("ending", [*OTHERS, ""])
def test_other_endings_are_refused_before_the_work(tmp_path, ending):
    for refuse in (check_picture, lambda path: save_image(path, np.zeros((4, 4, 3)))):
        with pytest.raises(NSTError, match=r"no ending that pictures are saved with; .*\.png"):
            refuse(tmp_path / f"a.{ending}")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("ending", "most"), [(".webp", 16_383), (".jpg", 65_500), (".jpeg", 65_500)]
)
def test_what_a_kind_of_file_cannot_hold_is_refused_before_the_work(tmp_path, ending, most):
    check_picture(tmp_path / f"a{ending}", longest=most)
    save_image(tmp_path / f"a{ending}", np.zeros((1, most, 3)))
    assert load_image(tmp_path / f"a{ending}").shape == (1, 1, most, 3)
    for refuse in (
        lambda path: check_picture(path, longest=most + 1),
        lambda path: save_image(path, np.zeros((most + 1, 1, 3))),
    ):
        with pytest.raises(NSTError, match=f"holds at most {most} pixels on a side"):
            refuse(tmp_path / f"b{ending}")


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.full((4, 4, 3), np.nan), "not numbers"),
        (np.full((1, 4, 4, 3), np.inf), "not numbers"),
        (np.zeros((2, 4, 4, 3)), "a picture is an array"),
        (np.zeros((4, 4)), "a picture is an array"),
        (np.zeros((4, 4, 4)), "a picture is an array"),
        (np.zeros((0, 4, 3)), "a picture is an array"),
        (np.zeros((4, 4, 3), complex), "a picture is an array"),
        (np.zeros((4, 4, 3), object), "a picture is an array"),
        (np.full((4, 4, 3), "1"), "a picture is an array"),
        (None, "a picture is an array"),
        ([[1], [1, 2]], "no array of numbers"),
    ],
)
def test_what_is_no_picture_is_not_saved(tmp_path, image, words):
    for refuse in (to_uint8, lambda image: save_image(tmp_path / "a.png", image)):
        with pytest.raises(NSTError, match=words):
            refuse(image)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "error", [KeyError("x"), struct.error("x"), SystemError("x"), MemoryError(), TypeError("x")]
)
def test_whatever_an_encoder_raises_is_one_sentence(tmp_path, monkeypatch, error):
    def fail(*args, **kwargs):
        raise error

    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(NSTError, match=r"cannot hold this picture \(.*\); save it as \.png\.$"):
        save_image(tmp_path / "a.bmp", np.zeros((4, 4, 3)))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("text", [3, "abc", {"key": 3}, {3: "word"}, {"中": "word"}])
def test_text_that_a_png_cannot_hold(tmp_path, text):
    with pytest.raises(NSTError, match=r"text is .*; it must be \{key: string\}"):
        save_image(tmp_path / "a.png", np.zeros((4, 4, 3)), text)


def test_a_write_that_fails_leaves_the_earlier_file(tmp_path, monkeypatch):
    save_image(tmp_path / "a.png", np.full((1, 2, 2, 3), 50.0))

    def full_disk(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full_disk)
    with pytest.raises(NSTError, match="No space left"):
        save_image(tmp_path / "a.png", np.zeros((1, 2, 2, 3)))
    assert color(tmp_path / "a.png") == [50, 50, 50]
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_two_that_save_to_one_place_leave_a_whole_picture(tmp_path):
    path, wrong = tmp_path / "a.png", []
    busy = NSTError if sys.platform == "win32" else ()  # no open file is replaced there
    save_image(path, np.zeros((1, 64, 64, 3)))

    def save_often(value):
        for _ in range(30):
            with contextlib.suppress(busy):
                save_image(path, np.full((1, 64, 64, 3), value))

    writers = [threading.Thread(target=save_often, args=(value,)) for value in (0, 255)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        with contextlib.suppress(busy):
            wrong += [spread for spread in [np.ptp(load_image(path))] if spread]
    assert not wrong
    assert [one.name for one in tmp_path.iterdir()] == ["a.png"]


def test_places_where_nothing_can_be_saved(tmp_path):
    (tmp_path / "folder.png").mkdir()
    for path, words in [
        (tmp_path / "none" / "a.png", "does not exist"),
        (tmp_path / "folder.png", "is a folder"),
        (None, "None is not the name of a file"),
        (7, "7 is not the name of a file"),
    ]:
        with pytest.raises(NSTError, match=words):
            check_picture(path)
