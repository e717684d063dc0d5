"""What students write: wrong answers, each with the name of its mistake, and right ones.

`WRONG[exercise]` is a list of (mistake, function), `RIGHT[exercise]` a list of functions; `PAPERS`
and `FOLDED` are right for one picture.
"""

from answers import control, features, network, papers, pictures, steps

WRONG = pictures.WRONG | network.WRONG | features.WRONG | steps.WRONG | control.WRONG
WRONG = {name: [*rows, *papers.WRONG.get(name, [])] for name, rows in WRONG.items()}
RIGHT = pictures.RIGHT | network.RIGHT | features.RIGHT | steps.RIGHT | control.RIGHT
PAPERS, FOLDED = papers.PAPERS, papers.FOLDED | control.FOLDED | network.FOLDED
