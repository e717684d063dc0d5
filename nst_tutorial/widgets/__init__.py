"""Panels for the lessons: `Playground`; `explore`, sliders on a function; `MaskCanvas`, a brush."""

from nst_tutorial.widgets.canvas import MaskCanvas
from nst_tutorial.widgets.explore import explore
from nst_tutorial.widgets.playground import Playground

__all__ = ["MaskCanvas", "Playground", "explore"]
