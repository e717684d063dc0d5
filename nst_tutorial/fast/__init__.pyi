"""What the room has, for type checkers; `__init__.py` loads it when it is used."""

from nst_tutorial.fast.archive import check_network as check_network
from nst_tutorial.fast.archive import load_network as load_network
from nst_tutorial.fast.archive import save_network as save_network
from nst_tutorial.fast.callbacks import TrainStep as TrainStep
from nst_tutorial.fast.config import TrainConfig as TrainConfig
from nst_tutorial.fast.crops import Crops as Crops
from nst_tutorial.fast.crops import pictures_in as pictures_in
from nst_tutorial.fast.export import check_export as check_export
from nst_tutorial.fast.export import export_network as export_network
from nst_tutorial.fast.learning import learn_style as learn_style
from nst_tutorial.fast.learning import train as train
from nst_tutorial.fast.network import (
    ConditionalInstanceNormalization as ConditionalInstanceNormalization,
)
from nst_tutorial.fast.network import StyleNetwork as StyleNetwork
from nst_tutorial.fast.network import add_style as add_style
from nst_tutorial.fast.network import apply as apply
from nst_tutorial.fast.objective import BatchObjective as BatchObjective
