"""What students write: wrong answers, each with the name of its mistake, and right ones.

`WRONG[exercise]` is a list of (mistake, function), `RIGHT[exercise]` a list of functions.
"""

from answers import features, pictures, steps

WRONG = pictures.WRONG | features.WRONG | steps.WRONG
RIGHT = pictures.RIGHT | features.RIGHT | steps.RIGHT
