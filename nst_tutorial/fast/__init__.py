"""Fast styles: one network that paints any photograph at once, in any of several styles.

`network` paints, `crops` is what it learns from, `learning` how, and `archive` is its file.
`load_network()` gives the one that is shipped.
"""

from nst_tutorial.fast.archive import check_network, load_network, save_network
from nst_tutorial.fast.callbacks import TrainStep
from nst_tutorial.fast.crops import Crops, pictures_in
from nst_tutorial.fast.learning import TrainConfig, learn_style, train
from nst_tutorial.fast.network import (
    ConditionalInstanceNormalization,
    StyleNetwork,
    add_style,
    apply,
)
from nst_tutorial.fast.objective import BatchObjective

__all__ = [
    "BatchObjective",
    "ConditionalInstanceNormalization",
    "Crops",
    "StyleNetwork",
    "TrainConfig",
    "TrainStep",
    "add_style",
    "apply",
    "check_network",
    "learn_style",
    "load_network",
    "pictures_in",
    "save_network",
    "train",
]
