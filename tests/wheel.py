"""Try a wheel without a clone: `python tests/wheel.py WHEEL`, where its requirements are there."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

DRAW = """
from PIL import Image
Image.effect_noise((64, 48), 90).convert("RGB").save("photo.png")
Image.radial_gradient("L").convert("RGB").save("style.png")
"""
PANEL = """
import os, nst_tutorial.widgets
assert nst_tutorial.__file__.startswith(os.environ["PYTHONPATH"])
nst_tutorial.widgets.Playground("photo.png", "style.png").close()
"""
TOOL = "-m", "nst_tutorial"
PROGRAMS = (
    ("-c", DRAW),
    (*TOOL, "stylize", "photo.png", "style.png", "-o", "one.png", "--size", "64", "--steps", "2"),
    (*TOOL, "apply", "shipped", "photo.png", "--style", "all", "-o", "fast.png"),
    ("-c", PANEL),
)


def main(wheel):
    with tempfile.TemporaryDirectory() as folder:
        site = str(Path(folder, "site"))
        install = "-m", "pip", "install", "-q", "--no-deps", "--target", site, str(wheel)
        for program in (install, *PROGRAMS):
            environment = {**os.environ, "PYTHONPATH": site}
            subprocess.run([sys.executable, *program], check=True, cwd=folder, env=environment)
    print(f"{wheel.name} works without a clone; the lessons need one.")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
