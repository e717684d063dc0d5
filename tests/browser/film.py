"""Film the playground of lesson 08 in JupyterLab: `make film` writes images/playground.webp.

The picture paints itself, the style weight is raised while it does, a wipe compares it with the
photograph, and the film of the run is scrubbed back.
"""

import io

import numpy as np
import pytest
from conftest import LESSON, ROOT
from PIL import Image
from test_playground import opened

pytestmark = pytest.mark.browser
FILM = ROOT / "images" / "playground.webp"
WIDTH, MOST_BYTES = 760, 3_000_000
MOMENT, REST = 90, 1800  # milliseconds


class Camera:
    """Takes pictures of a panel, and knows how long each is to be seen."""

    def __init__(self, notebook):
        self.notebook, self.frames, self.durations = notebook, [], []

    def shoot(self, milliseconds=MOMENT):
        shot = self.notebook.panel.screenshot(animations="disabled")
        picture = Image.open(io.BytesIO(shot)).convert("RGB")
        height = round(WIDTH * picture.height / picture.width)
        self.frames.append(picture.resize((WIDTH, height), Image.Resampling.LANCZOS))
        self.durations.append(milliseconds)

    def save(self, path):
        first, *others = self.frames
        first.save(
            path, save_all=True, append_images=others, duration=self.durations, loop=0,
            quality=55, method=6,
        )  # fmt: skip


def test_film(browser, server):
    with opened(browser, server, LESSON) as one:
        one.run_cell("import Playground")
        one.run_the_panels_cell()
        one.says("Ready")
        one.look()
        camera = Camera(one)
        camera.shoot(REST)
        paint(one, camera)
        wipe(one, camera)
        scrub(one, camera)
        camera.save(FILM)
    assert len(camera.frames) > 40
    assert FILM.stat().st_size <= MOST_BYTES


def paint(one, camera):
    """Play, and raise the style weight on the way."""
    one.play()
    for taken in range(60):
        one.changes()
        camera.shoot()
        if taken in (14, 15, 16, 17):
            one.slider("style weight").focus()
            one.page.keyboard.press("ArrowRight")
    one.pause()
    camera.shoot(REST)


def wipe(one, camera):
    """Drag the handle over the picture, to and fro."""
    one.press("Wipe")
    box = one.picture.bounding_box()
    y, mouse = box["y"] + box["height"] / 2, one.page.mouse
    mouse.move(box["x"] + box["width"] / 2, y)
    mouse.down()
    for share in [*np.linspace(0.5, 0.1, 9), *np.linspace(0.1, 0.9, 17), *np.linspace(0.9, 0.5, 9)]:
        mouse.move(box["x"] + share * box["width"], y)
        camera.shoot()
    mouse.up()
    camera.shoot(REST)
    one.press("Wipe")


def scrub(one, camera):
    film = one.panel.locator(".nst-film input")
    film.focus()
    for _ in range(16):
        one.page.keyboard.press("ArrowLeft")
        one.page.keyboard.press("ArrowLeft")
        camera.shoot()
    one.page.keyboard.press("End")
    camera.shoot(REST)
