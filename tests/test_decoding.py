"""No file breaks it: a picture or one of the package's own errors, in bounded time and memory."""

import contextlib
import functools
import gc
import io
import itertools
import os
import random
import struct
import sys
import time
import warnings
import zlib

import children
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from mutants import SECONDS, mutated, stopped_after
from PIL import Image, ImageCms

from nst_tutorial import NSTError, load_image
from nst_tutorial.runtime import decoding, memory
from nst_tutorial.runtime.decoding import BYTES_PER_PIXEL, MAX_PIXELS, MOST_SCANS
from nst_tutorial.runtime.errors import NSTWarning

MEMORY = MAX_PIXELS * BYTES_PER_PIXEL + 2**26  # for one file, in bytes


def encoded(picture, kind="PNG", **settings):
    buffer = io.BytesIO()
    picture.save(buffer, format=kind, **settings)
    return buffer.getvalue()


def one_color(source):
    pixels = load_image(source)[0]
    assert np.ptp(pixels, axis=(0, 1)).max() == 0
    return pixels[0, 0].tolist()


# Files made by hand, of kinds and depths that Pillow does not write ------------------------------


def png_of(depth, kind, pixels, size=(2, 2), extra=()):
    """A PNG whose rows are the given bytes; kind is the header's color type."""
    header = struct.pack(">IIBBBBB", *size, depth, kind, 0, 0, 0)
    row = b"\0" + pixels * size[0]
    chunks = [(b"IHDR", header), *extra, (b"IDAT", zlib.compress(row * size[1])), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*named) for named in chunks)


def chunk(name, data):
    checksum = zlib.crc32(name + data)
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", checksum)


def tiff_of(samples, kind, photometric=2, bits=16):
    """A little-endian TIFF of 2×2 pixels, uncompressed; kind is 1 unsigned, 2 signed, 3 float."""
    pixels = np.asarray(samples).tobytes() * 4
    each = len(samples)
    tags = [
        (256, 3, 1, 2), (257, 3, 1, 2), (258, 3, each, 200), (259, 3, 1, 1),
        (262, 3, 1, photometric), (273, 4, 1, 300), (277, 3, 1, each), (278, 3, 1, 2),
        (279, 4, 1, len(pixels)), (339, 3, each, 250),
    ]  # fmt: skip
    if each == 1:
        tags = [(t, k, n, {258: bits, 339: kind}.get(t, v)) for t, k, n, v in tags]
    directory = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *t) for t in tags)
    file = (b"II*\0" + struct.pack("<I", 8) + directory + bytes(4)).ljust(200, b"\0")
    file = (file + struct.pack("<H", bits) * each).ljust(250, b"\0")
    return (file + struct.pack("<H", kind) * each).ljust(300, b"\0") + pixels


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (png_of(16, 0, b"\x80\x80"), [128] * 3),
        (png_of(16, 2, b"\x10\x10\x80\x80\xff\xff"), [16, 128, 255]),
        (png_of(16, 4, b"\x10\x10\xff\xff"), [16] * 3),
        (png_of(16, 4, b"\x10\x10\0\0"), [255] * 3),
        (png_of(16, 6, b"\x10\x10\x80\x80\xff\xff\xff\xff"), [16, 128, 255]),
        (tiff_of(np.array([16, 128, 255], "<u2") * 257, kind=1), [16, 128, 255]),
        (tiff_of(np.array([128 * 257], "<u2"), kind=1, photometric=1), [128] * 3),
        (tiff_of(np.array([0.5], "<f4"), 3, 1, 32), [128] * 3),
        (tiff_of(np.array([200], "<f4"), 3, 1, 32), [200] * 3),
        (tiff_of(np.array([32768], "<f4"), 3, 1, 32), [128] * 3),
        (tiff_of(np.array([np.nan], "<f4"), 3, 1, 32), [0] * 3),
        (tiff_of(np.array([-np.inf], "<f4"), 3, 1, 32), [0] * 3),
        (tiff_of(np.array([2**31 - 1], "<i4"), 2, 1, 32), [255] * 3),
    ],
)
def test_depths(data, expected):
    assert one_color(data) == expected


def test_one_pixel_that_is_no_number_changes_no_other():
    pixels = np.array([[np.nan, np.inf], [0.5, 1.0]], "float32")
    image = load_image(encoded(Image.fromarray(pixels), "TIFF"))
    assert image[0, ..., 0].tolist() == [[0, 0], [128, 255]]


def test_floating_point_colors_are_refused_in_a_sentence():
    with pytest.raises(NSTError, match="of a kind that cannot be read; save it as PNG"):
        load_image(tiff_of(np.array([0.1, 0.5, 0.9], "<f4"), kind=3, bits=32))


def test_gray_with_transparency_lies_on_white():
    half = Image.new("LA", (2, 2), (100, 128))
    np.testing.assert_allclose(one_color(encoded(half)), [177] * 3, atol=1)


def test_cmyk_as_photoshop_and_as_others_store_it():
    red = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    jpeg = encoded(red, "JPEG", quality=100)
    assert b"Adobe" in jpeg
    np.testing.assert_allclose(one_color(jpeg), [255, 0, 0], atol=2)
    np.testing.assert_allclose(one_color(encoded(red, "TIFF")), [255, 0, 0], atol=2)


def test_a_wide_gamut_is_brought_to_srgb():
    """Display P3's profile, made of sRGB's by exchanging the primaries' coordinates."""
    primaries = {
        b"rXYZ": (0.51512, 0.24120, -0.00105),
        b"gXYZ": (0.29198, 0.69225, 0.04189),
        b"bXYZ": (0.15710, 0.06657, 0.78407),
    }
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for name, xyz in primaries.items():
        entry = profile.index(name)
        place = struct.unpack_from(">I", profile, entry + 4)[0] + 8
        struct.pack_into(">iii", profile, place, *(round(value * 65536) for value in xyz))
    # sRGB's (200, 100, 50) has these numbers in P3, by the two spaces' matrices.
    p3 = Image.new("RGB", (4, 4), (187, 105, 62))
    assert one_color(encoded(p3)) == [187, 105, 62]
    found = one_color(encoded(p3, icc_profile=bytes(profile)))
    np.testing.assert_allclose(found, [200, 100, 50], atol=2)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_eight_orientations(kind, orientation):
    """Stored as a camera held that way stores it; upright, every quarter has its own gray."""
    upright = np.kron([[20, 80], [140, 220]], np.ones((16, 24))).astype("uint8")
    stored = {
        1: upright, 2: upright[:, ::-1], 3: upright[::-1, ::-1], 4: upright[::-1],
        5: upright.T, 6: upright.T[::-1], 7: upright[::-1, ::-1].T, 8: upright.T[:, ::-1],
    }[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = load_image(encoded(Image.fromarray(np.ascontiguousarray(stored)), kind, exif=exif))
    np.testing.assert_allclose(image[0, ..., 0], upright, atol=3)


def test_damaged_exif_is_no_fault_of_the_picture():
    data = encoded(Image.new("RGB", (8, 8)), exif=b"Exif\0\0no such thing")
    with pytest.raises(SyntaxError):
        Image.open(io.BytesIO(data)).getexif()
    assert one_color(data) == [0, 0, 0]


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF", "AVIF"])
def test_the_first_of_several_pictures_is_taken_and_said_so(kind):
    red, blue = (Image.new("RGB", (16, 16), color) for color in ("red", "blue"))
    several = encoded(red, kind, save_all=True, append_images=[blue])
    with pytest.warns(NSTWarning, match="^the data holds several pictures; the first is taken"):
        np.testing.assert_allclose(load_image(several)[0, 0, 0], [255, 0, 0], atol=3)
    assert load_image(encoded(blue, kind))[0, 0, 0, 2] > 250  # a single one: no warning


def test_the_preview_in_a_photograph_is_not_worth_a_word():
    red, preview = Image.new("RGB", (16, 16), "red"), Image.new("RGB", (4, 4), "red")
    mpo = encoded(red, "MPO", save_all=True, append_images=[preview])
    assert load_image(mpo).shape == (1, 16, 16, 3)


def test_the_ending_of_the_name_decides_nothing(tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(encoded(Image.new("RGB", (3, 2), "red")))
    assert one_color(path) == [255, 0, 0]


def test_programs_are_not_run():
    """EPS is PostScript: Pillow would have Ghostscript run it."""
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n"
    with Image.open(io.BytesIO(eps)) as picture:
        assert picture.format == "EPS"
    with pytest.raises(NSTError, match="kind that cannot be read"):
        load_image(eps)


# Sizes ------------------------------------------------------------------------------------------


def test_thin_pictures():
    thin = encoded(Image.new("L", (1, 5000), 9))
    assert load_image(thin).shape == (1, 5000, 1, 3)
    assert load_image(thin, 64).shape == (1, 64, 1, 3)


def headers_of(width, height):
    """Files that promise a picture of that size and have none."""
    png = png_of(8, 2, b"", (1, 1))
    yield png[:8] + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) + png[33:]
    yield b"P6 %d %d 255\n" % (width, height)
    yield b"BM" + struct.pack("<IHHIIiiHHIIiiII", 70, 0, 0, 54, 40, width, height, 1, 24, *[0] * 6)
    yield (
        b"GIF89a"
        + struct.pack("<HHBBB", width, height, 0, 0, 0)
        + (b"," + struct.pack("<HHHHBB", 0, 0, width, height, 0, 8) + bytes(9) + b";")
    )


@pytest.mark.parametrize("kind", range(4))
def test_huge_pictures_are_refused_before_memory_is_spent(kind):
    data = list(headers_of(30000, 30000))[kind]
    with peak_memory() as peak, pytest.raises(NSTError, match="over 80 million pixels"):
        load_image(data)
    assert peak() < 2**26


def test_what_does_not_fit_into_the_free_memory_is_refused(monkeypatch):
    big = encoded(Image.new("L", (1000, 1000)))
    monkeypatch.setattr(memory, "available_memory", lambda: 10**6 * BYTES_PER_PIXEL - 1)
    with pytest.raises(NSTError, match=r"^the data has 1000×1000 pixels, too many for the memory"):
        load_image(big)
    monkeypatch.setattr(memory, "available_memory", lambda: 10**6 * BYTES_PER_PIXEL)
    assert load_image(big).shape == (1, 1000, 1000, 3)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the peak")
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "P", "I;16"])
def test_the_memory_of_a_pixel(mode, tmp_path):
    """In a process that has done nothing else: what one has freed before, it may still hold."""
    small, large = (encoded(Image.new(mode, size)) for size in ((25, 20), (2500, 2000)))
    child = children.start(note_peak, small, large, tmp_path / "peak")
    child.join()
    assert int((tmp_path / "peak").read_text()) < 2500 * 2000 * BYTES_PER_PIXEL * 1.05


def note_peak(small, large, path):
    load_image(small)  # whose code is then in memory
    with peak_memory() as peak:
        load_image(large)
    path.write_text(str(peak()))


def test_bombs_in_a_pngs_text(monkeypatch):
    """A kilobyte each that would be megabytes: Pillow's limits hold, and are one sentence."""
    packed = b"a\0\0" + zlib.compress(bytes(2**26))
    with peak_memory() as peak, pytest.raises(NSTError, match="damaged"):
        load_image(png_of(8, 0, b"\x01", extra=[(b"zTXt", packed)] * 3))
    assert peak() < 2**26
    profile = [(b"iCCP", packed)]
    with peak_memory() as peak, contextlib.suppress(NSTError):
        load_image(png_of(8, 0, b"\x01", extra=profile))
    assert peak() < 2**26


def scans_of(jpeg):
    """Cut a progressive JPEG into what precedes its scans, and the scans."""
    head, *scans = jpeg.removesuffix(b"\xff\xd9").split(b"\xff\xda")
    return head, [b"\xff\xda" + scan for scan in scans]


def test_a_jpeg_of_ten_thousand_scans_is_refused():
    noise = Image.effect_noise((200, 200), 60)
    head, scans = scans_of(encoded(noise, "JPEG", progressive=True))
    for count in (len(scans), MOST_SCANS):
        several = scans + scans[-1:] * (count - len(scans))
        assert load_image(head + b"".join(several) + b"\xff\xd9").shape == (1, 200, 200, 3)
    with pytest.raises(NSTError, match=r"^the data is in too many parts .* save it as PNG\.$"):
        load_image(head + b"".join(scans) + scans[-1] * 10000 + b"\xff\xd9")


def test_what_lies_before_and_behind_a_photograph_is_no_scan():
    """Heat cameras write megabytes in front of their pictures, telephones a film behind."""
    film = random.Random(0).randbytes(8 * 10**6)
    assert film.count(b"\xff\xda") > MOST_SCANS
    jpeg = encoded(Image.effect_noise((200, 200), 60), "JPEG", progressive=True)
    parts = [film[at : at + 65000] for at in range(0, len(film), 65000)]
    heat = b"".join(b"\xff\xeb" + struct.pack(">H", len(part) + 2) + part for part in parts)
    assert load_image(jpeg[:2] + heat + jpeg[2:] + film).shape == (1, 200, 200, 3)


@pytest.mark.parametrize("kind", [b"teSt", b"IDAT"], ids=["header", "pixels"])
def test_a_picture_in_thousands_of_parts_is_refused(monkeypatch, kind):
    parts = png_of(8, 0, b"\x01", extra=[(kind, b"")] * 20000)
    monkeypatch.setattr(decoding, "MOST_READS", 20000)
    with pytest.raises(NSTError, match="in too many parts"):
        load_image(parts)


@pytest.mark.parametrize(
    "data",
    [
        b"P3 2 1 255 1 2 3 4 5 6 ",
        b"P2 2000 2000 255 " + b"#\n" * 10**6,
        b"P1 2 1 1 0",
        b"P5 2 1 100 ab",
        b"BM" + struct.pack("<IHHIIiiHHIIiiII", 70, 0, 0, 54, 40, 2, 1, 1, 8, 1, *[0] * 5),
    ],
)
def test_what_python_decodes_pixel_after_pixel_is_refused(data):
    with pytest.raises(NSTError, match=r"slow to decode; save it as PNG\.$"):
        load_image(data)


def test_a_tiff_whose_tag_promises_gigabytes():
    data = bytearray(tiff_of(np.array([7], "<u2"), kind=1, photometric=1))
    struct.pack_into("<HHII", data, 10 + 12 * 9, 700, 1, 2**32 - 1, 100)
    with peak_memory() as peak, contextlib.suppress(NSTError):
        load_image(bytes(data))
    assert peak() < 2**26


@contextlib.contextmanager
def peak_memory():
    """Measure the peak of the memory in use, above what is in use now; 0 where nobody tells."""
    if sys.platform == "linux":
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    before = memory_now("VmRSS")
    yield lambda: memory_now("VmHWM") - before


def memory_now(which):
    if sys.platform != "linux":
        return 0
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(which))


# What is no file, or none for long --------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_pipes_and_devices_do_not_hang(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    for source in (tmp_path / "pipe.png", "/dev/zero", "/dev/null"):
        with pytest.raises(NSTError, match="a pipe or a device; save"):
            load_image(source)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a\0b.png", "cannot be read: embedded null"),
        ("x" * 5000 + ".png", "xxx…xxx.*cannot be read: File name too long"),
        ("", "does not exist"),
        ("a\ud800.png", "cannot be read"),
        ("none/none.png", "does not exist"),
    ],
)
def test_names_that_cannot_be(name, words):
    with pytest.raises(NSTError, match=words.replace("…xxx", "…[x.png]+")):
        load_image(name)


def test_a_file_without_permission(tmp_path, monkeypatch):
    def denied(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    (tmp_path / "a.png").write_bytes(b"x")
    monkeypatch.setattr("builtins.open", denied)
    with pytest.raises(NSTError, match=r"a\.png cannot be read: Permission denied\.$"):
        load_image(tmp_path / "a.png")


@pytest.mark.parametrize("kind", ["BMP", "TIFF", "PNG", "JPEG"])
@pytest.mark.parametrize("fault", ["cut", "removed", "exchanged"])
def test_a_file_that_changes_between_its_header_and_its_pixels(tmp_path, monkeypatch, kind, fault):
    path = tmp_path / f"a.{kind.lower()}"
    noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3), "uint8")
    whole = encoded(Image.fromarray(noise), kind)
    path.write_bytes(whole)
    opened = Image.open

    def then_changes(file, **settings):
        picture = opened(file, **settings)
        if fault == "removed":
            path.unlink()
        else:
            path.write_bytes(whole[:200] if fault == "cut" else whole[:200] + bytes(9000))
        return picture

    monkeypatch.setattr(Image, "open", then_changes)
    if fault == "removed" and sys.platform != "win32":
        assert load_image(path).shape == (1, 256, 256, 3)
    else:
        with contextlib.suppress(NSTError):
            assert load_image(path).shape == (1, 256, 256, 3)


def test_file_objects_that_fail(tmp_path):
    class Failing(io.BytesIO):
        def read(self, *args):
            raise OSError(5, "Input/output error")

    closed = io.BytesIO()
    closed.close()
    for source in (Failing(b"x"), closed, io.StringIO("text")):
        with pytest.raises(NSTError, match="cannot be read"):
            load_image(source)


def test_pillows_own_pictures_that_cannot_be_read():
    whole = encoded(Image.effect_noise((64, 64), 60), "JPEG")
    with pytest.raises(NSTError, match="the picture is damaged"):
        load_image(Image.open(io.BytesIO(whole[: len(whole) // 2])))


def test_arrays_of_gray_and_with_transparency():
    gray, clear = np.full((2, 2), 9.0), np.zeros((2, 2, 4), "uint8")
    assert one_color(gray) == [9, 9, 9]
    assert one_color(clear) == [255, 255, 255]


@pytest.mark.parametrize("source", [None, 3, object(), [[1, 2], [3]], {"a": 1}, "a".join, 1j])
def test_things_that_are_no_pictures(source):
    with pytest.raises(NSTError, match=r"a picture is an array|neither a picture"):
        load_image(source)


# Fuzzing ----------------------------------------------------------------------------------------


def a_picture_or_a_sentence(source, size=None):
    """Load; return whether it was a picture. Any exception but NSTError is a failure."""
    refusal = ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NSTWarning)
        try:
            image = load_image(source, size)
        except NSTError as error:
            refusal = f"{error}"
    if refusal:
        assert refusal.endswith(".")
        assert "\n" not in refusal
        return False
    assert image.shape[::3] == (1, 3)
    assert image.min() >= 0
    assert image.max() <= 255
    return True


@functools.cache
def originals():
    """A small file of every kind and mode that is read, and some that are made by hand."""
    picture = Image.effect_noise((24, 17), 60)
    modes = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F")
    files = [
        png_of(16, 2, b"\x10\x10\x80\x80\xff\xff"),
        png_of(16, 4, b"\x10\x10\xff\xff"),
        tiff_of(np.array([16, 128, 255], "<u2"), kind=1),
        b"P3 2 1 255 1 2 3 4 5 6 ",
        b"8BPS" + struct.pack(">H6xHIIHHIIIH", 1, 3, 2, 4, 8, 3, 0, 0, 0, 0) + bytes(range(24)),
        *(data for data in headers_of(24, 17)),
    ]
    for kind, mode in itertools.product(decoding.KINDS, modes):
        with contextlib.suppress(OSError, ValueError, KeyError):
            files.append(encoded(picture.convert(mode), kind))  # not every kind has every mode
    rgb, exif = picture.convert("RGB"), Image.Exif()
    exif[0x0112] = 6
    for kind in ("GIF", "WEBP", "PNG", "TIFF", "AVIF"):
        files.append(encoded(rgb, kind, save_all=True, append_images=[rgb.rotate(90)]))
    for compression in ("raw", "tiff_lzw", "tiff_deflate", "packbits", "jpeg"):
        files.append(encoded(rgb, "TIFF", compression=compression))
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    files.append(encoded(rgb, "JPEG", progressive=True, exif=exif, icc_profile=srgb))
    files.append(encoded(rgb, "PNG", exif=exif, icc_profile=srgb))
    files.append(encoded(picture.convert("1"), "TIFF", compression="group4"))
    files.append(encoded(rgb, "WEBP", lossless=True))
    return [file for file in files if file]


@settings(max_examples=150, deadline=None, database=None)
@given(
    arrays.arrays(
        st.sampled_from(["u1", "i4", "f2", "f8", "bool", "c8"]),
        arrays.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=4),
    )
)
def test_any_array(array):
    a_picture_or_a_sentence(array)


@settings(max_examples=150, deadline=None, database=None)
@given(start=st.sampled_from([b"", *(seed[:24] for seed in originals())]), rest=st.binary())
def test_any_bytes(start, rest):
    a_picture_or_a_sentence(start + rest)


def test_mutated_files():
    campaign(1000)


@pytest.mark.long
def test_twenty_thousand_mutated_files():
    campaign(20000)


def campaign(count):
    """Load mutants of every original in turn; print and judge how it went."""
    rng, originals_ = random.Random(count), originals()
    pictures, slowest = 0, 0.0
    with peak_memory() as peak:
        begun_with = memory_now("VmRSS")
        for number in range(count):
            mutant = mutated(originals_[number % len(originals_)], originals_, rng)
            began = time.process_time()
            with stopped_after(SECONDS):
                pictures += a_picture_or_a_sentence(mutant, rng.choice((None, 64)))
            if memory_now("VmRSS") > begun_with + 2**27:
                gc.collect()  # an error holds its picture until then, and would count twice
            slowest = max(slowest, time.process_time() - began)
    print(
        f"\n{count} mutants of {len(originals_)} files: {pictures} pictures, "
        f"{count - pictures} sentences, 0 failures; slowest {slowest:.2f} s, "
        f"largest {peak() / 2**20:.0f} MiB"
    )
    assert 0.05 * count < pictures < 0.95 * count
    assert peak() < MEMORY
