"""Film the playground of lesson 08 in JupyterLab: `make film` writes images/playground.webp.

The picture paints itself, the style weight is raised while it does, a wipe compares it with the
photograph, and the film of the run is scrubbed back. Lesson 11's canvas holds still.
"""

import io

import nbformat
import numpy as np
import pytest
from conftest import LESSON, ROOT
from PIL import Image
from playwright.sync_api import expect
from test_mask_canvas import Easel, put
from test_playground import RUN_ALL, opened

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


CANVAS = """from nst_tutorial.widgets.canvas import MaskCanvas

MaskCanvas("../images/coffee.png", ["cup", "table"], size=480)"""


def test_canvas(browser, server):
    """The still of lesson 11: a cup outlined and filled, and a table begun."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CANVAS)])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    put(server, "still.ipynb", notebook)
    with opened(browser, server, "still.ipynb") as one:
        one.page.evaluate(RUN_ALL)
        expect(one.page.locator(".nst-canvas")).to_have_count(1)
        easel, turns = Easel(one), np.linspace(0, 2 * np.pi, 33)
        for y, x, high, wide in ((0.54, 0.465, 0.42, 0.335), (0.28, 0.485, 0.23, 0.2)):
            easel.stroke(*zip(x + wide * np.cos(turns), y + high * np.sin(turns), strict=True))
        easel.press("Fill")
        for place in ((0.465, 0.8), (0.465, 0.3), (0.465, 0.09)):  # three parts
            easel.click(place)
        easel.press("Fill")
        easel.choose("table")
        easel.stroke((0.9, 0.05), (0.78, 0.12), (0.97, 0.12), (0.86, 0.22), (0.96, 0.3))
        shot = Image.open(io.BytesIO(easel.panel.screenshot(animations="disabled")))
        shot = shot.convert("RGB").crop((0, 0, 490, 430))  # without the hint
        shot.save(ROOT / "images" / "lessons" / "11_canvas.jpg", quality=88)
