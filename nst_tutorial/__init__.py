"""Neural style transfer, taught from the formulas up.

    from nst_tutorial import stylize
    stylize("photo.jpg", "painting.jpg").save("result.png")

Importing the package is instant; Keras loads when the first name that needs it is used.
"""

import importlib

__version__ = "0.8.0"

_MODULES = {
    "nst_tutorial.conventions.convert": ["apply_weights", "convert_weights", "recipe"],
    "nst_tutorial.runtime.errors": ["NSTError", "NSTWarning"],
    "nst_tutorial.images": [
        "from_vgg",
        "load_image",
        "save_image",
        "to_uint8",
        "to_vgg",
    ],
    "nst_tutorial.control.colors": ["match_colors"],
    "nst_tutorial.control.luminance": ["luminance_only"],
    "nst_tutorial.control.masks": ["load_mask"],
    "nst_tutorial.control.regions": ["Region"],
    "nst_tutorial.extractors": ["Extractor", "load_extractor"],
    "nst_tutorial.losses": [
        "content_loss",
        "content_loss_gradient",
        "gram_distance",
        "gram_matrix",
        "guided_gram_matrix",
        "mean_gram_matrix",
        "style_layer_loss",
        "style_layer_loss_gradient",
        "style_loss",
        "total_loss",
        "total_variation_loss",
    ],
    "nst_tutorial.runs.checkpoints": ["Checkpoint"],
    "nst_tutorial.runs.reruns": ["rerun"],
    "nst_tutorial.config": ["TransferConfig"],
    "nst_tutorial.runs.progress": ["Step"],
    "nst_tutorial.runs.run": ["Result", "stylize"],
    "nst_tutorial.study.study": ["Study"],
    "nst_tutorial.transfer": ["StyleTransfer"],
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}
__all__ = sorted(_HOME)


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
