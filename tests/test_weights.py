"""Weights from a file, from Keras' cache, from a seed; and files that do not fit."""

import contextlib
import hashlib
import io
import os
import pickle
import random
import shutil
import struct
import tracemalloc
import zipfile

import h5py
import keras
import numpy as np
import pytest
from mutants import SECONDS, mutated, stopped_after

from nst_tutorial import NSTError, load_extractor
from nst_tutorial.runtime import download, memory, weights
from nst_tutorial.runtime.weights import (
    LAYERS,
    POCKET_WIDTHS,
    VGG19_WIDTHS,
    random_weights,
    read_weights,
)


def write_h5(path, kernels_and_biases):
    """Write the form that Keras' own VGG19 file has."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [name.encode() for name in kernels_and_biases]
        for layer, (kernel, bias) in kernels_and_biases.items():
            group = file.create_group(layer)
            group.attrs["weight_names"] = [f"{layer}_W_1:0".encode(), f"{layer}_b_1:0".encode()]
            group[f"{layer}_W_1:0"], group[f"{layer}_b_1:0"] = kernel, bias
    return path


def write_npz(path, kernels_and_biases):
    arrays = {f"{layer}:w": kernel for layer, (kernel, _) in kernels_and_biases.items()}
    biases = {f"{layer}:b": bias for layer, (_, bias) in kernels_and_biases.items()}
    np.savez(path, **arrays, **biases)
    return path


@pytest.fixture(scope="module")
def vgg19_file(tmp_path_factory):
    """A file of the right form with random numbers in it."""
    path = tmp_path_factory.mktemp("weights") / download.VGG19_FILE
    return write_h5(path, random_weights(VGG19_WIDTHS, LAYERS, seed=1))


def test_vgg19_from_a_file_agrees_with_keras_own(vgg19_file, monkeypatch, rng):
    monkeypatch.setenv("NST_VGG19_WEIGHTS", str(vgg19_file))
    image = rng.uniform(0, 255, (1, 64, 96, 3)).astype("float32")
    ours = load_extractor("vgg19", border="zero", precision="float32")(image)

    keras_own = keras.applications.VGG19(weights=str(vgg19_file), include_top=False)
    outputs = {layer: keras_own.get_layer(layer).output for layer in LAYERS}
    preprocessed = keras.applications.vgg19.preprocess_input(image.copy())
    theirs = keras.Model(keras_own.input, outputs)(preprocessed)
    for layer in LAYERS:
        scale = np.abs(theirs[layer]).max()
        np.testing.assert_allclose(ours[layer] / scale, theirs[layer] / scale, atol=1e-5)


def test_vgg19_comes_from_keras_cache(vgg19_file, monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(download, "VGG19_MD5", hashlib.md5(vgg19_file.read_bytes()).hexdigest())
    (tmp_path / "models").mkdir()
    shutil.copy(vgg19_file, weights.vgg19_file())
    extractor = load_extractor("vgg19", ["block1_conv1"], precision="float32")
    expected = load_extractor(vgg19_file, ["block1_conv1"], precision="float32")
    picture = np.ones((1, 8, 8, 3))
    np.testing.assert_array_equal(*(e(picture)["block1_conv1"] for e in (extractor, expected)))


def test_npz_and_h5_hold_the_same(tmp_path):
    drawn = random_weights(POCKET_WIDTHS, LAYERS[:3], seed=0)
    for path in (write_npz(tmp_path / "a.npz", drawn), write_h5(tmp_path / "a.h5", drawn)):
        read = read_weights(path, LAYERS[:3])
        for layer in LAYERS[:3]:
            np.testing.assert_array_equal(read[layer][0], drawn[layer][0])


def test_random_weights_follow_the_seed():
    one, same, other = (random_weights(POCKET_WIDTHS, LAYERS, seed) for seed in (0, 0, 1))
    assert all((one[layer][0] == same[layer][0]).all() for layer in LAYERS)
    assert (one["block1_conv1"][0] != other["block1_conv1"][0]).any()


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder):
        self.folder = str(folder)

    def __reduce__(self):
        return os.mkdir, (self.folder,)


def test_nothing_is_unpickled(tmp_path):
    trap = np.full((3, 3, 3, 1), Trap(tmp_path / "sprung"), dtype=object)
    np.savez(tmp_path / "a.npz", **{"block1_conv1:w": trap, "block1_conv1:b": trap[0, 0, 0]})
    with pytest.raises(NSTError, match="not of floating-point numbers"):
        read_weights(tmp_path / "a.npz", LAYERS[:1])
    assert not (tmp_path / "sprung").exists()
    np.load(tmp_path / "a.npz", allow_pickle=True)["block1_conv1:w"]
    assert (tmp_path / "sprung").exists()  # the trap works


def test_files_that_do_not_fit(tmp_path, monkeypatch):
    drawn = random_weights(POCKET_WIDTHS, LAYERS, seed=0)
    text, empty = tmp_path / "text.h5", tmp_path / "empty.npz"
    text.write_text("no weights")
    empty.write_bytes(b"")
    few = write_npz(tmp_path / "few.npz", {"block1_conv1": drawn["block1_conv1"]})
    slim = write_h5(tmp_path / "slim.h5", drawn)
    odd = write_npz(tmp_path / "odd.npz", drawn | {"block3_conv2": drawn["block2_conv2"]})
    pickled = tmp_path / "pickled.npz"
    pickled.write_bytes(pickle.dumps(drawn))
    for path, words in [
        (tmp_path / "none.npz", "does not exist"),
        (tmp_path, "is a folder"),
        (text, "cannot be read"),
        (empty, "is empty"),
        (pickled, "cannot be read"),
        (few, "block1_conv2"),
        (odd, r"block3_conv2 should be \(\(3, 3, 128, 128\), \(128,\)\)"),
    ]:
        with pytest.raises(NSTError, match=words):
            read_weights(path)
    monkeypatch.setenv("NST_VGG19_WEIGHTS", str(slim))
    with pytest.raises(NSTError, match=r"slim.h5 does not fit: block1_conv1 should be .* 64\)"):
        load_extractor("vgg19")


# Files made to do harm --------------------------------------------------------------------------

KERNEL, BIAS = np.ones((3, 3, 3, 2), "float32"), np.ones(2, "float32")


def refused(path, words):
    with pytest.raises(NSTError, match=words) as caught:
        read_weights(path, LAYERS[:1])
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    ("kernel", "words"),
    [
        (np.full((3, 3, 3, 2), np.nan, "float32"), "not finite"),
        (np.full((3, 3, 3, 2), 1e300), "not finite"),
        (np.ones((3, 3, 3, 2), "int64"), "not of floating-point numbers"),
        (np.ones((3, 3, 3, 2), complex), "not of floating-point numbers|holds no numbers"),
        (np.ones((3, 3, 3, 2), "S1"), "not of floating-point numbers|holds no numbers"),
        (np.ones((3, 3, 3, 0), "float32"), r"\[0\] channels, not 1 to 4096"),
        (np.ones((3, 3, 3, 5000), "float16"), r"\[5000\] channels, not 1 to 4096"),
        (np.ones((), "float32"), "channels, not 1 to 4096|block1_conv1 should be"),
        (np.ones((3, 3, 4, 2), "float32"), r"block1_conv1 should be \(\(3, 3, 3, 2\), \(2,\)\)"),
        (np.ones((2, 3, 3, 3), "float32"), "block1_conv1 should be"),
    ],
)
@pytest.mark.parametrize("kind", ["npz", "h5"])
def test_arrays_that_are_no_kernel(tmp_path, kind, kernel, words):
    write = write_npz if kind == "npz" else write_h5
    refused(write(tmp_path / f"a.{kind}", {"block1_conv1": (kernel, BIAS)}), words)


@pytest.mark.parametrize("dtype", ["<f2", ">f4", "<f8"])
@pytest.mark.parametrize("write", [write_npz, write_h5])
def test_every_width_of_floating_point_number(tmp_path, write, dtype):
    path = tmp_path / ("a.npz" if write is write_npz else "a.h5")
    pair = np.full((3, 3, 3, 2), 0.25, dtype), np.zeros(2, dtype)
    kernel, bias = read_weights(write(path, {"block1_conv1": pair}), LAYERS[:1])["block1_conv1"]
    assert kernel.dtype == bias.dtype == np.float32
    assert (kernel == 0.25).all()


def promise(shape, dtype="<f4"):
    """The header of an array in NumPy's format, and nothing of the array."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        file, {"shape": shape, "fortran_order": False, "descr": dtype}
    )
    return file.getvalue()


def write_members(path, members, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)
    return path


def test_an_npz_that_promises_more_than_it_should_is_not_read(tmp_path, monkeypatch):
    """Neither an array of terabytes, nor zeros by the gigabyte, nor a million members."""
    monkeypatch.setattr(np.lib.format, "read_array", None)
    path = tmp_path / "a.npz"
    bias = {"block1_conv1:b": promise((2,))}
    for shape, words in [
        ((3, 3, 3, 10**12), "channels, not 1 to 4096"),
        ((10**9, 3, 3, 2), "block1_conv1 should be"),
        ((-3, 3, 3, 2), "block1_conv1 should be"),
    ]:
        refused(write_members(path, {"block1_conv1:w": promise(shape), **bias}), words)
    members = {"block1_conv1:w": promise((3, 3, 3, 2)), **bias}
    for compression in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        refused(write_members(path, members, compression), "its compression is not NumPy's")
    refused(
        write_members(path, members | {f"{n}": b"" for n in range(2000)}), "as NumPy's files do"
    )
    for rest in (b"comment", bytes(70000)):
        path.write_bytes(write_members(path, members).read_bytes() + rest)
        refused(path, "as NumPy's files do")


def test_weights_that_the_memory_cannot_hold(tmp_path, monkeypatch):
    path = write_npz(tmp_path / "a.npz", {"block1_conv1": (KERNEL, BIAS)})
    monkeypatch.setattr(memory, "available_memory", lambda: 56 * 12 - 1)
    refused(path, "has 56 weights, too many for the memory")
    monkeypatch.setattr(memory, "available_memory", lambda: 56 * 12)
    read_weights(path, LAYERS[:1])


def test_only_as_many_numbers_are_unpacked_as_the_header_says(tmp_path):
    path = tmp_path / "a.npz"
    zeros = promise((3, 3, 3, 2)) + bytes(2**24)
    write_members(path, {"block1_conv1:w": zeros, "block1_conv1:b": promise((2,)) + bytes(2**24)})
    tracemalloc.start()
    try:
        with contextlib.suppress(NSTError):
            read_weights(path, LAYERS[:1])
        assert tracemalloc.get_traced_memory()[1] < 2**22
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("header", [b"(" * 9000, b"{'shape': (3,", b"9" * 9000, b"\xff" * 60])
def test_headers_that_are_no_headers(tmp_path, header):
    array = b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header
    refused(
        write_members(tmp_path / "a.npz", {"block1_conv1:w": array}), "cannot be read as weights"
    )


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
@pytest.mark.parametrize("ending", ["npz", "h5"])
def test_a_pipe_is_not_waited_for(tmp_path, ending):
    os.mkfifo(tmp_path / f"a.{ending}")
    refused(tmp_path / f"a.{ending}", "a pipe or a device")


def first_in_h5(path):
    return write_h5(path, {"block1_conv1": (KERNEL, BIAS)})


def test_an_h5_leads_to_no_other_file(tmp_path):
    first_in_h5(tmp_path / "other.h5")
    (tmp_path / "secret").write_bytes(bytes(54 * 4))
    kernel, bias = "block1_conv1/block1_conv1_W_1:0", "block1_conv1/block1_conv1_b_1:0"
    elsewhere = h5py.ExternalLink(str(tmp_path / "other.h5"), kernel)
    layout = h5py.VirtualLayout((3, 3, 3, 2), "float32")
    layout[:] = h5py.VirtualSource(tmp_path / "other.h5", kernel, (3, 3, 3, 2))
    external = [(str(tmp_path / "secret"), 0, 54 * 4)]
    for lead in (
        lambda file: file.create_virtual_dataset(kernel, layout),
        lambda file: file.create_dataset(kernel, (3, 3, 3, 2), "float32", external=external),
        lambda file: file.__setitem__(kernel, elsewhere),
        lambda file: file.__setitem__(kernel, h5py.SoftLink(bias)),
    ):
        path = first_in_h5(tmp_path / "a.h5")
        with h5py.File(path, "r+") as file:
            del file[kernel]
            lead(file)
        refused(path, "is kept elsewhere|is a link to elsewhere")


def test_an_h5_of_other_forms(tmp_path):
    path, kernel = tmp_path / "a.h5", KERNEL
    for change, words in [
        (lambda group: group.create_dataset("more", data=kernel), "holds 3 arrays"),
        (lambda group: group.pop("block1_conv1_b_1:0"), "holds 1 arrays"),
        (lambda group: group.clear(), "holds 0 arrays"),
    ]:
        with h5py.File(first_in_h5(path), "r+") as file:
            change(file["block1_conv1"])
        refused(path, words)
    with h5py.File(path, "w") as file:
        file["block1_conv1"] = kernel
    refused(path, "cannot be read as weights")
    with h5py.File(path, "w") as file:
        file.create_dataset("block1_conv1/w", data=kernel, compression="gzip")
        file["block1_conv1/b"] = BIAS
    refused(path, "stored in chunks; save it in one piece")


def test_names_that_command_the_terminal_are_made_harmless(tmp_path):
    refused(tmp_path / "\x1b[31mred\n.npz", "^[^\x1b\n]*does not exist")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["\x1b[31mred"] = h5py.SoftLink("/")
    refused(tmp_path / "a.h5", "^[^\x1b\n]*is a link to elsewhere")


def test_mutated_weights(tmp_path):
    campaign(tmp_path, 400)


@pytest.mark.long
def test_twenty_thousand_mutated_weights(tmp_path):
    campaign(tmp_path, 20000)


def campaign(folder, count):
    """Read mutants of both kinds of file; print how it went, which may only be in two ways."""
    arrays = {"block1_conv1:w": KERNEL, "block1_conv1:b": BIAS}
    np.savez(folder / "stored.npz", **arrays)
    np.savez_compressed(folder / "packed.npz", **arrays)
    first_in_h5(folder / "plain.h5")
    files = [(path.suffix, path.read_bytes()) for path in sorted(folder.iterdir())]
    rng, others, read = random.Random(count), [data for _, data in files], 0
    for number in range(count):
        ending, data = files[number % len(files)]
        path = folder / f"mutant{ending}"
        path.write_bytes(mutated(data, others, rng))
        with stopped_after(SECONDS), contextlib.suppress(NSTError):
            weights = read_weights(path, LAYERS[:1])
            assert all(np.isfinite(part).all() for part in weights["block1_conv1"])
            read += 1
    print(f"\n{count} mutants: {read} extractors, {count - read} sentences, 0 failures")
    assert 0.02 * count < read < 0.95 * count
