"""Networks' files and checkpoints of trainings: whole, or refused by one sentence."""

import functools
import io
import json
import types
import zipfile

import h5py
import keras
import numpy as np
import pytest

from nst_tutorial import NSTError, NSTWarning
from nst_tutorial.cli.saving import save
from nst_tutorial.fast import StyleNetwork, archive, check_network, load_network, save_network
from nst_tutorial.fast.callbacks import Keep
from nst_tutorial.runtime.files import replace_file


@pytest.fixture(scope="module")
def network():
    return StyleNetwork(["stripes", "dark"], width=4, blocks=1)


@pytest.fixture(scope="module")
def members(network, tmp_path_factory):
    """The parts of its file, `{name: bytes}`."""
    path = tmp_path_factory.mktemp("network") / "net.keras"
    save_network(network, path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write(path, members, **more):
    with zipfile.ZipFile(path, "w", **more) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def are_equal(one, other):
    pairs = zip(one.get_weights(), other.get_weights(), strict=True)
    return one.get_config() == other.get_config() and all(np.array_equal(a, b) for a, b in pairs)


def test_keras_reads_what_is_saved_and_what_it_saves_is_read(network, tmp_path):
    save_network(network, tmp_path / "ours.keras")
    theirs = keras.saving.load_model(tmp_path / "ours.keras", compile=False)
    assert are_equal(theirs, network)
    theirs.save(tmp_path / "theirs.keras")
    assert are_equal(load_network(tmp_path / "theirs.keras", "float32"), network)


def test_a_file_is_the_same_each_time(network, tmp_path):
    for name in ("one.keras", "other.keras"):
        save_network(network, tmp_path / name)
    assert (tmp_path / "one.keras").read_bytes() == (tmp_path / "other.keras").read_bytes()


def test_damaged_bytes_are_found(network, members, tmp_path, rng):
    """What is accepted, as where the damage is in a date, has the same weights."""
    path = tmp_path / "net.keras"
    write(path, members)
    whole = path.read_bytes()
    refused = 0
    for kind in range(60):
        damaged = bytearray(whole)
        start = int(rng.integers(len(whole)))
        if kind % 3 == 0:
            damaged[start] ^= 1 << int(rng.integers(8))
        elif kind % 3 == 1:
            del damaged[start:]
        else:
            damaged[start : start + 200] = rng.bytes(200)
        path.write_bytes(damaged)
        try:
            assert are_equal(load_network(path, "float32"), network)
        except NSTError:
            refused += 1
    assert refused > 50


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (["registered_name"], "nst_tutorial>Mirror"),
        (["registered_name"], None),
        (["config"], []),
        (["config", "width"], 0),
        (["config", "width"], 8),
        (["config", "width"], 10**9),
        (["config", "width"], "4"),
        (["config", "blocks"], 2),
        (["config", "blocks"], 32),
        (["config", "blocks"], 10**9),
        (["config", "styles"], []),
        (["config", "styles"], ["stripes"]),
        (["config", "styles"], ["stripes", "stripes"]),
        (["config", "styles"], ["stripes", "../dark"]),
        (["config", "styles"], ["stripes", 7]),
        (["config", "styles"], [f"{number}" for number in range(1001)]),
        (["config", "normalize"], "layer"),
        (["config", "precision"], "float64"),
        (["config", "trainable"], True),
    ],
)
def test_a_configuration_that_cannot_be(members, tmp_path, place, value):
    config = json.loads(members["config.json"])
    part = config
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = value
    write(tmp_path / "net.keras", {**members, "config.json": json.dumps(config)})
    with pytest.raises(
        NSTError, match=r"net\.keras (is damaged|cannot be used)|a style cannot|each once"
    ):
        load_network(tmp_path / "net.keras")


KERNEL = "layers/conv2d_1/vars/0"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda array: np.where(array > 0, np.nan, array), "values that are not numbers"),
        (lambda array: np.full_like(array, np.inf), "values that are not numbers"),
        (lambda array: array.astype("float64"), "is float64"),
        (lambda array: array[..., :-1], r"not float32 \(3, 3, 8, 16\)"),
        (lambda array: h5py.ExternalLink("other.h5", "/w"), "is a link to elsewhere"),
        (lambda array: np.array([b"words"]), "holds no numbers"),
    ],
)
def test_weights_that_cannot_be(members, tmp_path, change, sentence):
    weights = io.BytesIO(members["model.weights.h5"])
    with h5py.File(weights, "r+") as file:
        array = file[KERNEL][()]
        del file[KERNEL]
        file[KERNEL] = change(array)
    write(tmp_path / "net.keras", {**members, "model.weights.h5": weights.getvalue()})
    with pytest.raises(NSTError, match=sentence):
        load_network(tmp_path / "net.keras")


def test_archives_of_another_kind(members, tmp_path):
    path = tmp_path / "net.keras"
    write(path, {**members, "assets/more": b"more"})
    with pytest.raises(NSTError, match="it holds other files"):
        load_network(path)
    write(path, members, compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(NSTError, match="it is compressed"):
        load_network(path)
    unsafe = keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x)])
    unsafe.save(path)
    with pytest.raises(NSTError, match=r"net\.keras cannot be used"):
        load_network(path)
    with pytest.raises(NSTError, match="there is no network"):
        load_network(tmp_path / "none.keras")
    with pytest.raises(NSTError, match="is a folder"):
        load_network(tmp_path)


def test_a_network_is_saved_where_it_can_be(network, tmp_path):
    with pytest.raises(NSTError, match=r"must end in \.keras"):
        save_network(network, tmp_path / "net.h5")
    with pytest.raises(NSTError, match=r"the folder .*none does not exist"):
        check_network(tmp_path / "none" / "net.keras")
    there = tmp_path / "there.keras"
    there.touch()
    with pytest.raises(NSTError, match="would be overwritten"):
        check_network(there, [there])


def test_keras_own_settings_change_nothing(network, tmp_path):
    """A user's keras.json may say channels_first."""
    save_network(network, tmp_path / "net.keras")
    keras.config.set_image_data_format("channels_first")
    try:
        loaded = load_network(tmp_path / "net.keras", "float32")
        shape = (1, 16, 16, 3)
        painted = loaded.paint(np.ones(shape, "float32"), loaded.weights_of("dark"))
    finally:
        keras.config.set_image_data_format("channels_last")
    assert painted.shape == shape
    assert are_equal(loaded, network)


def test_a_network_whose_place_refuses_is_saved_elsewhere(network, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    output = tmp_path / "net.keras"

    def full(path):
        if path == output:
            raise NSTError(f"cannot write {path}: No space left on device.")
        return replace_file(path)

    monkeypatch.setattr(archive, "replace_file", full)
    with pytest.raises(NSTError, match="No space left on device") as told:
        save(functools.partial(save_network, network), output, "network.keras")
    (place,) = tmp_path.rglob("network.keras")
    assert f"The network is in {place}." in str(told.value)
    assert are_equal(load_network(place, "float32"), network)


def test_where_every_place_refuses_nothing_is_left(tmp_path, monkeypatch):
    def full(path):
        raise NSTError(f"cannot write {path}: No space left on device.")

    (tmp_path / "home").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NSTError, match=r"net\.keras: No space left on device\.$"):
        save(full, tmp_path / "net.keras", "network.keras")
    assert [*tmp_path.rglob("*")] == [tmp_path / "home"]


# Checkpoints ------------------------------------------------------------------------------------

TRAINING = {"styles": ["stripes", "dark"], "sha256": ["0" * 64] * 3, "settings": {"steps": 9}}


def learner_of(seed):
    """What `Keep` knows of one: a network, and an optimizer after some steps."""
    network = StyleNetwork(["stripes", "dark"], width=4, blocks=0)
    optimizer = keras.optimizers.Adam()
    optimizer.build(network.trainable_variables)
    rng = np.random.default_rng(seed)
    for variable in (*network.weights, *optimizer.variables[1:]):
        variable.assign(rng.normal(size=variable.shape))
    optimizer.iterations.assign(seed)
    return types.SimpleNamespace(network=network, optimizer=optimizer)


def state_of(learner):
    return [np.array(one) for one in (*learner.network.weights, *learner.optimizer.variables)]


def same_state(one, other):
    return all(map(np.array_equal, state_of(one), state_of(other)))


def keep_of(path, learner, origin=TRAINING, seconds=0):
    keep = Keep(path, origin, seconds)
    keep.set_model(learner)
    return keep


@pytest.fixture
def kept(tmp_path):
    """A learner after seven steps, and the file that keeps it."""
    learner, path = learner_of(7), tmp_path / "net.keras.checkpoint"
    keep_of(path, learner).on_train_end()
    return learner, path


def test_a_checkpoint_brings_everything_back(kept):
    learner, path = kept
    other = learner_of(3)
    Keep(path, TRAINING, 0).restore(other)
    assert same_state(other, learner)
    assert int(other.optimizer.iterations) == 7


def test_damaged_bytes_of_a_checkpoint_are_found(kept, rng):
    learner, path = kept
    whole, other, refused = path.read_bytes(), learner_of(3), 0
    for number in range(60):
        damaged = bytearray(whole)
        start = int(rng.integers(len(whole)))
        if number % 2:
            damaged[start] ^= 1 << int(rng.integers(8))
        else:
            damaged[start : start + 300] = rng.bytes(300)
        path.write_bytes(damaged)
        try:
            Keep(path, TRAINING, 0).restore(other)
        except NSTError:
            refused += 1
        else:
            assert same_state(other, learner)
            other = learner_of(3)
    assert refused > 40


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        ("done", lambda x: x - 12, "it says that -5 of 9 steps are done"),
        ("done", lambda x: x + 3, "it says that 10 of 9 steps are done"),
        ("network-0", lambda x: x[:1], r"network-0 is float32 \(1, 9, 3, 8\)"),
        ("network-0", lambda x: x.astype("float64"), "network-0 is float64"),
        ("optimizer-1", lambda x: np.full_like(x, np.nan), "values that are not numbers"),
        ("optimizer-1", lambda x: np.array({}), "is no checkpoint"),  # a pickle
        ("more", lambda x: np.zeros(1), "it holds other arrays"),
        ("origin", lambda x: np.array("{"), "is no JSON"),
        ("origin", lambda x: np.array("{}"), "cannot be used"),
    ],
)
def test_a_checkpoint_that_cannot_be(kept, name, change, sentence):
    _, path = kept
    with np.load(path) as stored:
        arrays = dict(stored)
    arrays[name] = change(arrays.get(name))
    with path.open("wb") as file:
        np.savez(file, **arrays)
    other = learner_of(3)
    with pytest.raises(NSTError, match=sentence):
        Keep(path, TRAINING, 0).restore(other)
    assert same_state(other, learner_of(3)), "nothing has changed"


def test_a_full_disk_is_said_once_and_the_last_checkpoint_stays(kept, monkeypatch):
    def full(path):
        raise NSTError(f"cannot write {path}: No space left on device.")

    learner, path = kept
    before = path.read_bytes()
    monkeypatch.setattr("nst_tutorial.fast.callbacks.replace_file", full)
    keep = keep_of(path, learner)
    with pytest.warns(NSTWarning, match="no checkpoint") as told:
        assert list(map(keep.on_train_batch_end, range(3))) == [None] * 3
    assert [one.category for one in told].count(NSTWarning) == 1
    assert path.read_bytes() == before


def test_ctrl_c_saves_first(tmp_path):
    path = tmp_path / "net.keras.checkpoint"
    keep = keep_of(path, learner_of(7), seconds=1e9)
    keep.on_train_batch_end(0)
    assert not path.exists()
    keep.interrupts = [15]
    with pytest.raises(KeyboardInterrupt) as request:
        keep.on_train_batch_end(1)
    assert request.value.args == (15,)
    assert path.exists()
