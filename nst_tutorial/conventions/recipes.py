"""The settings that well-known implementations ran with, as data: what `recipe` makes.

How each divides its losses is in `known`, with the source that both were read in. What an author
did not choose is the paper's, or `TransferConfig`'s.
"""

import types
from collections.abc import Mapping
from typing import Any

from nst_tutorial.conventions.known import DEVIATIONS

OWN = 100_000  # a longest side that no picture reaches: each keeps its own size
PAPER_LAYERS = {  # unless an author chose others
    "content_layers": ("block4_conv2",),
    "style_layers": tuple(f"block{block}_conv1" for block in range(1, 6)),
}

_CHOSEN: dict[str, dict[str, Any]] = {
    "paper": {
        "content_weight": 1.0,  # α/β is 1e-3 or 1e-4 in the paper
        "style_weight": 1e3,
        "tv_weight": 0.0,
        "optimizer": "lbfgs",  # of the version of CVPR 2016, as is the style's size
        "steps": 300,
        "init": "noise",
        "size": 512,
        "style_resize": "squash",
    },
    "original_notebook": {
        "content_layers": ("block5_conv2",),
        "layer_weights": (1.0,) * 5,
        "content_weight": 0.001,
        "style_weight": 50000.0,
        "tv_weight": 1e-4,
        "tv_exponent": 2.5,
        "optimizer": "nadam_keras2",
        "learning_rate": 10.0,
        "decay": 1.0,
        "steps": 250,  # it ran up to 1000, and showed this one
        "size": OWN,
        "style_resize": "own",
        "clip": False,
        "truncate": True,
    },
    "keras_io": {
        "content_layers": ("block5_conv2",),
        "content_weight": 2.5e-8,
        "style_weight": 1e-6,
        "tv_weight": 1e-6,
        "tv_exponent": 2.5,
        "optimizer": "sgd",
        "learning_rate": 100.0,
        "decay": 0.96,
        "steps": 4000,
        "size": 600,  # it makes 400 rows: this is so for a picture of 3 to 2
        "style_resize": "squash",
        "clip": False,
        "truncate": True,
    },
    "tensorflow_tutorial": {
        "content_layers": ("block5_conv2",),
        "content_weight": 1e4,
        "style_weight": 1e-2,
        "tv_weight": 30.0,
        "optimizer": "adam",
        # In pixel values of 0..255: 0.02 of its 0..1, where gradients are 255 times larger.
        "learning_rate": 0.02 * 255,
        "epsilon": 0.1 / 255,
        "beta_1": 0.99,
        "decay": 1.0,
        "steps": 1000,
        "size": 512,
        "truncate": True,
    },
    "johnson": {
        "content_layers": ("block3_conv3",),
        "style_layers": ("block1_conv2", "block2_conv2", "block3_conv3", "block4_conv3"),
        "layer_weights": (1.0,) * 4,
        "content_weight": 1.0,
        "style_weight": 1.0,
        "tv_weight": 1e-6,  # between 1e-6 and 1e-4, chosen for each style
        "tv_exponent": 2.0,
    },
    "neural_style_keras": {
        "layer_weights": (1.0,) * 5,
        "content_weight": 1.0,
        "style_weight": 1e-4,
        "tv_weight": 1e-4,
        "tv_exponent": 2.0,
        "optimizer": "adam",
        "learning_rate": 10.0,
        "decay": 1.0,
        "steps": 1000,
        "init": "noise",
        "noise_std": 0.001,
        "size": 512,
        "style_resize": "own",
        "clip": False,
        "truncate": True,
    },
    "d2l": {
        "content_layers": ("block4_conv4",),
        "layer_weights": (1.0,) * 5,
        "content_weight": 1.0,
        "style_weight": 1e4,
        "tv_weight": 10.0,
        "optimizer": "adam",
        "learning_rate": 0.3 * DEVIATIONS[2],  # 0.3 of its pixels
        "decay": 0.8**2,  # × 0.8 every 50 steps
        "steps": 500,
        "size": 450,
        "style_resize": "squash",
        "clip": False,
    },
    "pytorch_tutorial": {
        "content_layers": ("block2_conv2",),  # its conv_4
        "style_layers": (  # its conv_1 to conv_5
            "block1_conv1",
            "block1_conv2",
            "block2_conv1",
            "block2_conv2",
            "block3_conv1",
        ),
        "layer_weights": (1.0,) * 5,
        "content_weight": 1.0,
        "style_weight": 1e6,
        "tv_weight": 0.0,
        "optimizer": "lbfgs",
        "steps": 300,
        "size": 512,
        "style_resize": "squash",
    },
}
_CHOSEN["neural_style_keras_by_channels"] = _CHOSEN["neural_style_keras"]
SETTINGS: Mapping[str, dict[str, Any]] = types.MappingProxyType(
    {"relative": {}} | {name: PAPER_LAYERS | chosen for name, chosen in _CHOSEN.items()}
)
