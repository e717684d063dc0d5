"""Fast styles: one network that paints any photograph at once, in any of several styles.

`network` paints, `crops` is what it learns from, `learning` how, and `archive` is its file;
`export` writes it for browsers.
`load_network()` gives the one that is shipped.
"""

import importlib

_MODULES = {
    "archive": ["check_network", "load_network", "save_network"],
    "callbacks": ["TrainStep"],
    "config": ["TrainConfig"],
    "crops": ["Crops", "pictures_in"],
    "export": ["check_export", "export_network"],
    "learning": ["learn_style", "train"],
    "network": ["ConditionalInstanceNormalization", "StyleNetwork", "add_style", "apply"],
    "objective": ["BatchObjective"],
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}
__all__ = sorted(_HOME)


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
