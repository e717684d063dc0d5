"""A TransferConfig that cannot be is refused, in a sentence, where it is made."""

import dataclasses
import json

import numpy as np
import pytest

from nst_tutorial import NSTError, TransferConfig
from nst_tutorial.config import layer_weights


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("content_weight", -1, "from 0 up"),
        ("style_weight", float("nan"), "from 0 up"),
        ("tv_weight", float("inf"), "from 0 up"),
        ("noise_std", -0.1, "from 0 up"),
        ("size", 0, "whole number from 1"),
        ("size", "big", "whole number from 1"),
        ("size", None, "whole number from 1"),
        ("size", True, "whole number from 1"),
        ("size", "64", "whole number from 1"),
        ("scales", 10**10, "whole number from 1 to 32"),
        ("steps", 10**14, "whole number from 1 to 1000000"),
        ("seed", 2**65, "whole number from 0"),
        ("tv_weight", 1e39, "from 0"),
        ("style_layers", None, "list of names"),
        ("style_layers", ("block1_conv1", 2), "list of names"),
        ("content_layers", "x" * 65, "list of names"),
        ("convention", None, "relative, paper"),
        ("steps", 2.5, "whole number from 1"),
        ("style_size", 0, "whole number from 1"),
        ("steps", 0, "whole number from 1"),
        ("scales", 0, "whole number from 1"),
        ("tv_exponent", 0, "above 0"),
        ("learning_rate", 0, "above 0"),
        ("optimizer", "adagrad", "lbfgs, adam, nadam"),
        ("decay", 0, "above 0"),
        ("epsilon", -1, "above 0"),
        ("beta_1", 1, "below 1"),
        ("clip", "never", "True or False"),
        ("style_resize", "crop", "fit, own, squash"),
        ("init", "black", "content, style, noise"),
        ("convention", "mine", "relative, paper"),
        ("layer_weights", (1, 2), "2 weights for 4 style"),
        ("layer_weights", (0, 0, 0, 0, 0), "not all 0"),
        ("layer_weights", (1, 1, 1, 1, -1), "not all 0"),
        ("blend", (0, 0), "not all 0"),
    ],
)
def test_values_that_cannot_be(field, value, words):
    with pytest.raises(NSTError, match=f"{field} (is|has) .*{words}"):
        TransferConfig(**{field: value})


def test_a_number_that_python_does_not_write_out():
    with pytest.raises(NSTError, match="steps is a number of hundreds of digits; it must be"):
        TransferConfig(steps=10**5000)


def test_numpys_numbers_and_lists_become_pythons():
    config = TransferConfig(size=np.int64(64), tv_weight=np.float32(3), blend=np.ones(2))
    assert config == TransferConfig(size=64, tv_weight=3.0, blend=(1.0, 1.0))
    assert json.loads(json.dumps(dataclasses.asdict(config)))["tv_weight"] == 3.0


def test_one_layer_may_be_given_by_its_name():
    config = TransferConfig(content_layers="block5_conv2", style_layers=["block1_conv1"])
    assert config.content_layers == ("block5_conv2",)
    assert config.style_layers == ("block1_conv1",)


def test_it_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        TransferConfig().size = 3


def test_layer_weights():
    config = TransferConfig(style_layers=("a", "b"))
    assert layer_weights(config, ("a", "b")) == {"a": 0.5, "b": 0.5}
    config = dataclasses.replace(config, layer_weights=(2, 3))
    assert layer_weights(config, ("a", "b")) == {"a": 2, "b": 3}
