"""What an HDF5 file may hold: arrays of its own, and nothing that leads elsewhere."""

import os
import sys

import h5py
import numpy as np
import pytest

from nst_tutorial import NSTError
from nst_tutorial.runtime.hdf5 import check_plain


def make_plain(file):
    file.create_dataset("block/kernel", data=np.ones((3, 3, 2, 4), "float32"))
    file.create_dataset("block/packed", data=np.ones((64, 64), "float32"), compression="gzip")
    file["block"].attrs["weight_names"] = np.array([b"kernel"])
    file["circle"] = file["/"]


def link_softly(file):
    file["elsewhere"] = h5py.SoftLink("/block")


def link_to_another_file(file):
    file["elsewhere"] = h5py.ExternalLink("pipe", "/")


def store_in_another_file(file):
    file.create_dataset("w", (4,), "float32", external=[("pipe", 0, h5py.h5f.UNLIMITED)])


def map_another_file(file):
    layout = h5py.VirtualLayout((4, 2), "float32", maxshape=(None, 2))
    source = h5py.VirtualSource("pipe", "w", (4, 2), maxshape=(None, 2))
    layout[0 : h5py.h5s.UNLIMITED, :] = source[0 : h5py.h5s.UNLIMITED, :]
    file.create_virtual_dataset("w", layout)


def declare_too_much(file):
    file.create_dataset("w", (10**9, 10**3), "float32", chunks=(1024, 1))


def hold_words(file):
    file["w"] = "words"


def hold_a_type(file):
    file["kind"] = np.dtype("float32")


def hold_too_many(file):
    for number in range(10_001):
        file.create_group(str(number), track_order=False)


@pytest.fixture
def path(tmp_path, monkeypatch):
    """In a folder with a pipe, which whoever opens it waits for."""
    monkeypatch.chdir(tmp_path)
    if sys.platform != "win32":
        os.mkfifo("pipe")
    return tmp_path / "weights.h5"


def test_arrays_of_its_own_are_plain(path):
    with h5py.File(path, "w") as file:
        make_plain(file)
    with h5py.File(path) as file:
        assert check_plain(file, path) is None


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (link_softly, r"weights\.h5 is not read: 'elsewhere' is a link"),
        (link_to_another_file, "'elsewhere' is a link"),
        (store_in_another_file, "'w' is kept elsewhere"),
        (map_another_file, "'w' is kept elsewhere"),
        (declare_too_much, "'w' is larger than the file"),
        (hold_words, "'w' holds no numbers"),
        (hold_a_type, "'kind' is kept elsewhere"),
        (hold_too_many, "more than 10000 parts"),
    ],
)
def test_what_leads_elsewhere_is_refused(path, make, sentence):
    with h5py.File(path, "w") as file:
        make(file)
    with h5py.File(path) as file, pytest.raises(NSTError, match=sentence):
        check_plain(file, path)
