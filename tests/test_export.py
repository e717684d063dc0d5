"""A network as an ONNX file: it paints as Keras does and says its styles."""

import json
import sys

import numpy as np
import onnx
import onnxruntime
import pytest

from nst_tutorial import NSTError
from nst_tutorial.__main__ import main
from nst_tutorial.fast import StyleNetwork, apply, export_network, save_network


@pytest.fixture(scope="module")
def network():
    """Three styles; γ and β are random, so that they differ."""
    network, rng = StyleNetwork(["stripes", "dark", "größer"], width=4, blocks=1), seeded()
    network.set_weights([w + rng.normal(0, 0.3, w.shape) for w in network.get_weights()])
    return network


def seeded():
    return np.random.default_rng(3)


@pytest.fixture(scope="module")
def path(network, tmp_path_factory):
    path = tmp_path_factory.mktemp("export") / "net.onnx"
    export_network(network, path)
    return path


@pytest.fixture(scope="module")
def paint(path):
    """What the file paints: of pictures `(1 or B, H, W, 3)` and weights `(B, S)`."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return lambda pictures, weights: session.run(None, {"picture": pictures, "weights": weights})[0]


def noise(*shape):
    return seeded().uniform(0, 255, (*shape, 3)).astype("float32")


@pytest.mark.parametrize("style", ["dark", {"stripes": 0.3, "größer": 0.7}])
@pytest.mark.parametrize("size", [(48, 80), (36, 36)])
def test_it_paints_as_keras_does(network, paint, size, style):
    picture = noise(1, *size)
    weights = network.weights_of(style)
    painted = paint(picture, weights)
    assert painted.dtype == np.float32
    np.testing.assert_allclose(painted, network.paint(picture, weights), atol=0.5)


def test_by_what_its_metadata_say_it_paints_what_apply_does(network, path, paint):
    told = {one.key: json.loads(one.value) for one in onnx.load(path).metadata_props}
    margin, picture, (y, x) = told["margin"], noise(1, 20, 28), np.mgrid[:20, :28]
    assert (20 + 2 * margin) % told["stride"] == 0
    waves = [np.sin(right * x + down * y + phase) for right, down, phase in told["waves"]]
    field = told["ripple"] * np.sqrt(2 / len(waves)) * sum(waves)
    rippled = np.clip(picture + field[..., None], 0, 255).astype("float32")
    wide = np.pad(rippled, ((0, 0), (margin, margin), (margin, margin), (0, 0)), mode="reflect")
    painted = paint(wide, network.weights_of("dark"))[:, margin:-margin, margin:-margin]
    np.testing.assert_allclose(painted, apply(network, picture, "dark"), atol=0.5)


def test_one_picture_in_each_style_and_a_style_for_each_picture(network, paint):
    pictures, weights = noise(3, 20, 24), np.eye(3, dtype="float32")
    apart = network.paint(pictures, weights)
    np.testing.assert_allclose(paint(pictures, weights), apart, atol=0.5)
    first = network.paint(pictures[[0, 0, 0]], weights)
    np.testing.assert_allclose(paint(pictures[:1], weights), first, atol=0.5)
    assert np.abs(first[0] - first[1]).mean() > 5, "otherwise the styles could be mixed up"


def test_the_file_is_sound_and_says_its_styles_and_stride(path):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    told = {one.key: one.value for one in model.metadata_props}
    assert json.loads(told["styles"]) == ["stripes", "dark", "größer"]
    assert told["stride"] == "4"


def test_the_shipped_network_from_the_command_line(tmp_path, capsys):
    from nst_tutorial.fast import load_network

    assert main(["export", "shipped", "-o", str(tmp_path / "net.onnx")]) == 0
    styles = load_network(precision="float32").styles
    assert f"net.onnx saved; its styles are {', '.join(styles)}." in capsys.readouterr().out
    told = onnxruntime.InferenceSession(tmp_path / "net.onnx").get_modelmeta().custom_metadata_map
    assert json.loads(told["styles"]) == styles


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("export none.keras -o net.onnx", "there is no network none.keras"),
        ("export three.keras -o net.keras", "net.keras must end in .onnx"),
        ("export three.keras -o three.keras", "three.keras must end in .onnx"),
        ("export three.keras -o link.onnx", "would be overwritten"),
        ("export three.keras -o no/net.onnx", "the folder no does not exist"),
        ("export folder -o net.onnx", "folder is a folder"),
        ("export three.keras -o folder.onnx", "folder.onnx is a folder"),
        ("export broken.keras -o net.onnx", "broken.keras is damaged or no network"),
        ("export batch.keras -o net.onnx", "normalizes by batch cannot be exported"),
    ],
)
def test_mistakes_are_one_sentence(network, tmp_path, monkeypatch, capsys, command, sentence):
    monkeypatch.chdir(tmp_path)
    save_network(network, "three.keras")
    (tmp_path / "link.onnx").hardlink_to("three.keras")
    (tmp_path / "broken.keras").write_bytes(b"broken")
    for name in ("folder", "folder.onnx"):
        (tmp_path / name).mkdir()
    if "batch" in command:
        save_network(StyleNetwork(["a"], width=4, blocks=0, normalize="batch"), "batch.keras")
    assert main(command.split()) == 2
    err = capsys.readouterr().err
    assert err.startswith("nst-tutorial: ")
    assert sentence in err
    assert err.count("\n") == 1
    assert not (tmp_path / "net.onnx").exists()


def test_without_onnx_the_sentence_says_what_to_install(network, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(NSTError, match=r"onnx is missing; install it with .*\[web\]"):
        export_network(network, tmp_path / "net.onnx")
