"""Draw the project's own style pictures, from seeds: `python images/make_styles.py`.

Each has strokes, scales and a palette of its own: a transfer is only as good as its style. How
each is drawn stands in `drawing/`.
"""

from importlib import import_module
from pathlib import Path

import numpy as np

SEEDS = {  # another seed draws another picture
    "swirls": 0,
    "pointillism": 0,
    "woodblock_wave": 0,
    "engraving": 0,
    "watercolour": 5,
    "abstraction": 3,
    "stained_glass": 3,
    "impasto": 3,
}


def draw(name):
    """Draw one of the pictures."""
    drawer = getattr(import_module(f"drawing.{name}"), name)
    return drawer(np.random.default_rng(SEEDS[name]))


def main():
    for name in SEEDS:
        draw(name).save(Path(__file__).parent / f"{name}.jpg", quality=92)
        print(f"{name}.jpg")


if __name__ == "__main__":
    main()
