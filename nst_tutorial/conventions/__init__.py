"""Other implementations' units and settings, as data, and how to convert weights between them."""

from nst_tutorial.conventions.known import CONVENTIONS, Convention

__all__ = ["CONVENTIONS", "Convention"]
