"""Weights from a file, from Keras' cache, from a seed; and files that do not fit."""

import hashlib
import os
import pickle
import shutil

import h5py
import keras
import numpy as np
import pytest

from nst_tutorial import NSTError, download, load_extractor, weights
from nst_tutorial.weights import LAYERS, POCKET_WIDTHS, VGG19_WIDTHS, random_weights, read_weights


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
    trap = np.array([Trap(tmp_path / "sprung")], dtype=object)
    np.savez(tmp_path / "a.npz", **{"block1_conv1:w": trap, "block1_conv1:b": trap})
    with pytest.raises(NSTError, match="cannot be read as weights"):
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
        (tmp_path / "none.npz", "no file of weights"),
        (text, "cannot be read"),
        (empty, "cannot be read"),
        (pickled, "cannot be read"),
        (few, "block1_conv2"),
        (odd, r"block3_conv2 should be \(\(3, 3, 96, 96\), \(96,\)\)"),
    ]:
        with pytest.raises(NSTError, match=words):
            load_extractor(path)
    monkeypatch.setenv("NST_VGG19_WEIGHTS", str(slim))
    with pytest.raises(NSTError, match=r"slim.h5 does not fit: block1_conv1 should be .* 64\)"):
        load_extractor("vgg19")
