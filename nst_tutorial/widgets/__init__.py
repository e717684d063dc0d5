"""Panels for the lessons: `Playground`, and `explore`, which puts sliders on a function."""

from nst_tutorial.widgets.panels import Playground, explore

__all__ = ["Playground", "explore"]
