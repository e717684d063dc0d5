"""What the package has, for type checkers; `__init__.py` loads it when it is used."""

from nst_tutorial.config import TransferConfig as TransferConfig
from nst_tutorial.control.colors import match_colors as match_colors
from nst_tutorial.control.luminance import luminance_only as luminance_only
from nst_tutorial.control.masks import load_mask as load_mask
from nst_tutorial.control.regions import Region as Region
from nst_tutorial.conventions.convert import apply_weights as apply_weights
from nst_tutorial.conventions.convert import convert_weights as convert_weights
from nst_tutorial.conventions.convert import recipe as recipe
from nst_tutorial.extractors import Extractor as Extractor
from nst_tutorial.extractors import load_extractor as load_extractor
from nst_tutorial.images import from_vgg as from_vgg
from nst_tutorial.images import load_image as load_image
from nst_tutorial.images import save_image as save_image
from nst_tutorial.images import to_uint8 as to_uint8
from nst_tutorial.images import to_vgg as to_vgg
from nst_tutorial.losses import content_loss as content_loss
from nst_tutorial.losses import content_loss_gradient as content_loss_gradient
from nst_tutorial.losses import gram_distance as gram_distance
from nst_tutorial.losses import gram_matrix as gram_matrix
from nst_tutorial.losses import guided_gram_matrix as guided_gram_matrix
from nst_tutorial.losses import mean_gram_matrix as mean_gram_matrix
from nst_tutorial.losses import style_layer_loss as style_layer_loss
from nst_tutorial.losses import style_layer_loss_gradient as style_layer_loss_gradient
from nst_tutorial.losses import style_loss as style_loss
from nst_tutorial.losses import total_loss as total_loss
from nst_tutorial.losses import total_variation_loss as total_variation_loss
from nst_tutorial.runs.checkpoints import Checkpoint as Checkpoint
from nst_tutorial.runs.progress import Step as Step
from nst_tutorial.runs.reruns import rerun as rerun
from nst_tutorial.runs.run import Result as Result
from nst_tutorial.runs.run import stylize as stylize
from nst_tutorial.runtime.errors import NSTError as NSTError
from nst_tutorial.runtime.errors import NSTWarning as NSTWarning
from nst_tutorial.study.study import Study as Study
from nst_tutorial.transfer import StyleTransfer as StyleTransfer

__version__: str
