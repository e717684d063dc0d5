"""Arguments of the wrong kind are refused in one sentence, not by an error from inside."""

import inspect
import itertools

import numpy as np
import pytest

import nst_tutorial
from nst_tutorial import NSTError, TransferConfig, load_extractor

FEATURES = np.ones((1, 4, 4, 2), "float32")
PICTURE = np.full((1, 32, 32, 3), 90.0, "float32")
WEIGHTS = {"content": 1.0, "style": 1.0, "tv": 1.0}
SHALLOW = TransferConfig(
    content_layers="block1_conv1", style_layers="block1_conv1", steps=1, optimizer="adam"
)
# For each function, arguments with which it works.
CALLS = {
    "apply_weights": {"config": SHALLOW, "weights": WEIGHTS},
    "convert_weights": {
        "weights": WEIGHTS,
        "source": "keras_io",
        "target": "keras_io",
        "content": PICTURE,
        "style": PICTURE,
        "extractor": "random",
        "nearest": True,
    },
    "recipe": {"name": "keras_io"},
    "from_vgg": {"prepared": PICTURE},
    "to_vgg": {"image": PICTURE},
    "to_uint8": {"image": PICTURE},
    "load_image": {"source": PICTURE, "size": 8},
    "save_image": {"path": "a.png", "image": PICTURE, "text": {"key": "word"}},
    "load_extractor": {
        "name": "random",
        "layers": ["block1_conv1"],
        "pooling": "max",
        "border": "zero",
        "precision": "float32",
        "seed": 0,
    },
    "stylize": {
        "content": PICTURE,
        "style": None,
        "extractor": "random",
        "config": SHALLOW,
        "callback": lambda step: None,
        "start": PICTURE,
        "checkpoint": None,
        "regions": [(np.ones((32, 32)), PICTURE)],
    },
    "StyleTransfer": {
        "content_image": PICTURE,
        "style_images": [PICTURE],
        "extractor": load_extractor("random", "block1_conv1", precision="float32"),
        "config": SHALLOW,
        "start": PICTURE,
    },
    "content_loss": {"generated": FEATURES, "target": FEATURES},
    "content_loss_gradient": {"generated": FEATURES, "target": FEATURES},
    "gram_matrix": {"features": FEATURES},
    "guided_gram_matrix": {"features": FEATURES, "guide": FEATURES[..., :1]},
    "match_colors": {"image": PICTURE, "reference": PICTURE},
    "luminance_only": {"painted": PICTURE, "photograph": PICTURE},
    "load_mask": {"source": PICTURE},
    "mean_gram_matrix": {"features": FEATURES},
    "gram_distance": {"generated": FEATURES[0], "style": FEATURES[0]},
    "style_layer_loss": {"generated": FEATURES, "style": FEATURES},
    "style_layer_loss_gradient": {"generated": FEATURES, "style": FEATURES},
    "style_loss": {
        "generated": {"one": FEATURES},
        "style": {"one": FEATURES},
        "layer_weights": {"one": 1.0},
    },
    "total_variation_loss": {"image": PICTURE},
}
# Where None stands for a default.
TAKES_NONE = {"convert_weights weights", "convert_weights extractor", "load_image size"}
TAKES_NONE |= {"save_image text", *(f"load_extractor {one}" for one in ("name", "pooling"))}
TAKES_NONE |= {f"stylize {one}" for one in CALLS["stylize"]} | {"style_loss layer_weights"}
TAKES_NONE |= {f"StyleTransfer {one}" for one in ("content_image", "style_images")}
TAKES_NONE |= {"load_extractor precision"}
TAKES_ANY = {"convert_weights nearest"}  # true or false
JUNK = [None, np.nan, -1.5, "no such thing", {"no": 1}, object(), np.zeros(4), [[]]]


def wrong_calls():
    for function, arguments in CALLS.items():
        for argument, junk in itertools.product(arguments, JUNK):
            name = f"{function} {argument}"
            if name not in TAKES_ANY and not (junk is None and name in TAKES_NONE):
                yield pytest.param(function, argument, junk, id=f"{name} {str(junk)[:14]}")


@pytest.mark.parametrize(("function", "argument", "junk"), list(wrong_calls()))
def test_what_cannot_be_is_refused_in_a_sentence(tmp_path, monkeypatch, function, argument, junk):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NST_PRECISION", "float32")
    with pytest.raises(NSTError) as caught:
        getattr(nst_tutorial, function)(**{**CALLS[function], argument: junk})
    assert str(caught.value).endswith(".")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("function", list(CALLS))
def test_the_calls_work_as_they_stand(tmp_path, monkeypatch, function):
    """Otherwise the sentences above might be about something else."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NST_PRECISION", "float32")
    known = inspect.signature(getattr(nst_tutorial, function)).parameters
    assert CALLS[function].keys() <= known.keys()
    getattr(nst_tutorial, function)(**CALLS[function])
