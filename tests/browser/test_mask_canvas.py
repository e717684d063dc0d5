"""The mask canvas in a real JupyterLab: each test paints on an empty canvas, shown twice.

Each waits for what is seen or for what the kernel says, never for a time. Places on the photograph
are fractions of its width and height.
"""

import contextlib
import json
import urllib.request

import nbformat
import pytest
from conftest import SHOTS
from playwright.sync_api import expect
from test_playground import RUN_ALL, opened

pytestmark = pytest.mark.browser
CELLS = (
    "import numpy as np\n"
    "from nst_tutorial.widgets.canvas import MaskCanvas\n"
    'canvas = MaskCanvas("../images/chelsea.png", ["sky", "house"], size=300)\n'
    "canvas",
    "canvas",
)
THEME = "theme => { window.jupyterapp.commands.execute('apputils:change-theme', {theme}); }"
SIDEBAR = "() => window.jupyterapp.shell.collapseLeft()"
RESTART = "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"
OVERFLOW = """e => [...e.querySelectorAll(':not(.nst-brush)')].filter(
  one => one.getBoundingClientRect().right > e.getBoundingClientRect().right + 1
).map(one => one.outerHTML)"""


class Easel:
    """A canvas on a page, in the words of someone who paints on it."""

    def __init__(self, notebook, number=0):
        self.notebook, self.page = notebook, notebook.page
        self.panel = self.page.locator(".nst-canvas").nth(number)
        self.photograph = self.panel.locator("canvas")
        self.status = self.panel.get_by_role("status")

    def says(self, words):
        expect(self.status).to_have_text(words)

    def press(self, name):
        self.panel.get_by_role("button", name=name, exact=True).click()

    def choose(self, region):
        self.panel.get_by_role("radio", name=region).check()

    def chosen(self):
        return self.panel.locator("input:checked").locator("xpath=..").inner_text()

    def at(self, place):
        box = self.photograph.bounding_box()
        return box["x"] + place[0] * box["width"], box["y"] + place[1] * box["height"]

    def click(self, place):
        self.page.mouse.click(*self.at(place))

    def stroke(self, *places):
        self.photograph.click(trial=True)  # wait until nothing moves, nor lies over it
        self.page.mouse.move(*self.at(places[0]))
        self.page.mouse.down()
        for place in places[1:]:
            self.page.mouse.move(*self.at(place), steps=5)
        self.page.mouse.up()

    def keys(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def masks_are(self, condition):
        """Wait until the kernel finds a condition on `sky` and `house` true."""
        names = "(lambda sky, house: bool({}))(*canvas.masks.values())"
        self.notebook.until(names.format(condition))


@contextlib.contextmanager
def shown_twice(browser, server, name):
    """A page of its own, with a kernel of its own, that shows one canvas twice."""
    notebook = nbformat.v4.new_notebook(cells=[*map(nbformat.v4.new_code_cell, CELLS)])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    put(server, name, notebook)
    with opened(browser, server, name) as one:
        one.page.evaluate(RUN_ALL)
        expect(one.page.locator(".nst-canvas")).to_have_count(2)
        yield one


def put(server, name, notebook):
    """Write a notebook where JupyterLab finds it."""
    address, token = server
    request = urllib.request.Request(
        f"{address}/api/contents/notebooks/{name}",
        json.dumps({"type": "notebook", "content": notebook}).encode(),
        {"Authorization": f"token {token}"},
        method="PUT",
    )
    urllib.request.urlopen(request).close()


@pytest.fixture(scope="module")
def notebook(browser, server):
    with shown_twice(browser, server, "canvas.ipynb") as one:
        yield one


@pytest.fixture
def easel(notebook, request):
    """An empty canvas, with the first region and a brush of 20 pixels."""
    one = Easel(notebook)
    one.panel.evaluate("e => e.scrollIntoView({block: 'start'})")
    one.press("Clear")
    one.choose("sky")
    one.panel.get_by_label("Brush size").fill("20")
    one.says("sky 0%, house 0%, unpainted 100%")
    one.masks_are("sky.shape == (200, 300) and not sky.any() and not house.any()")
    yield one
    SHOTS.mkdir(parents=True, exist_ok=True)
    one.page.screenshot(path=SHOTS / f"canvas_{request.node.name.removeprefix('test_')}.png")
    notebook.is_sound()


SQUARE = (0.3, 0.3), (0.7, 0.3), (0.7, 0.7), (0.3, 0.7), (0.3, 0.3)


def test_a_stroke_arrives_in_python(easel):
    easel.stroke((0.2, 0.5), (0.8, 0.5))
    easel.masks_are("sky[100, 60:240].all() and sky[91:109, 150].all()")
    easel.masks_are("not sky[:89].any() and not sky[111:].any() and not sky[:, :49].any()")
    easel.masks_are("set(np.unique(sky)) == {0, 1} and not house.any()")
    easel.says("sky 7%, house 0%, unpainted 93%")


def test_both_views_show_what_python_and_the_other_view_change(easel):
    other = Easel(easel.notebook, 1)
    easel.stroke((0.2, 0.5), (0.8, 0.5))
    other.says("sky 7%, house 0%, unpainted 93%")
    easel.masks_are("sky[100, 60:240].all()")  # else the stroke may come after what follows
    easel.notebook.ask("canvas.masks = {'house': np.eye(2, 3).repeat(100, 0).repeat(100, 1)}")
    for one in (easel, other):
        one.says("sky 0%, house 33%, unpainted 67%")
        assert colors(one, (0.1, 0.1), (0.5, 0.1)) == pytest.approx(ORANGE + UNPAINTED, abs=2)


BLUE, ORANGE, UNPAINTED = [0, 114, 178, 128], [230, 159, 0, 128], [0, 0, 0, 0]


def colors(easel, *places):
    """The colors over the photograph, one after another; half transparent ones are rounded."""
    read = """(e, at) => [...e.getContext('2d').getImageData(
      Math.floor(at[0] * e.width), Math.floor(at[1] * e.height), 1, 1).data]"""
    return [byte for place in places for byte in easel.photograph.evaluate(read, place)]


def test_fill_inside_an_outline_and_then_the_rest(easel):
    easel.stroke(*SQUARE)
    easel.press("Fill")
    easel.click((0.5, 0.5))
    easel.masks_are("sky[60:140, 90:210].all() and not sky[:49].any() and not sky[151:].any()")
    easel.choose("house")
    easel.click((0.05, 0.05))
    easel.press("Fill")
    easel.masks_are("(sky + house == 1).all() and house[0].all() and house[-1].all()")


def test_fill_stays_inside_the_picture(easel):
    """A wall from top to bottom: what is filled on its right must not leak to its left."""
    easel.stroke((0.5, 0.01), (0.5, 1.1))
    easel.press("Fill")
    easel.click((0.9, 0.5))
    easel.press("Fill")
    easel.masks_are("sky[:, 140:].all() and not sky[:, :139].any()")


def test_the_second_region_replaces_the_first_and_the_eraser_both(easel):
    easel.stroke((0.1, 0.5), (0.9, 0.5))
    easel.choose("house")
    easel.stroke((0.5, 0.5), (0.9, 0.5))
    easel.masks_are("sky[100, 60] == 1 and house[100, 200] == 1 and not (sky * house).any()")
    easel.masks_are("not sky[100, 150:].any() and not house[100, :138].any()")
    easel.choose("Eraser")
    easel.stroke((0.1, 0.5), (0.9, 0.5))
    easel.masks_are("not sky.any() and not house.any()")


def test_undo_and_redo(easel):
    easel.stroke((0.2, 0.2), (0.8, 0.2))
    easel.stroke((0.2, 0.8), (0.8, 0.8))
    easel.masks_are("sky[40, 150] and sky[160, 150]")
    easel.press("Undo")
    easel.masks_are("sky[40, 150] and not sky[160, 150]")
    easel.press("Redo")
    easel.masks_are("sky[40, 150] and sky[160, 150]")
    easel.press("Clear")
    easel.masks_are("not sky.any()")
    easel.press("Undo")
    easel.masks_are("sky[40, 150] and sky[160, 150]")
    easel.keys("Control+z", "Control+z")
    easel.says("sky 0%, house 0%, unpainted 100%")
    easel.keys("Control+Shift+z")
    easel.masks_are("sky[40, 150] and not sky[160, 150]")


def test_by_keyboard_alone(easel):
    easel.stroke((0.5, 0.5))  # leaves a dot, and the brush in the middle
    easel.keys("2", *6 * ["ArrowLeft"], *8 * ["ArrowDown"], "]", "Space")
    easel.masks_are("sky[100, 150] == 1 and house[140, 120] == 1 and house.sum() < 600")
    easel.page.keyboard.down("Space")
    easel.keys(*10 * ["ArrowRight"])
    easel.page.keyboard.up("Space")
    easel.masks_are("house[140, 120:180].all() and not house[:125].any() and sky[100, 150]")
    easel.keys("e", *8 * ["ArrowUp"], "Space", "f", "1", "Space", "f")
    easel.masks_are("sky[0, 0] == sky[100, 150] == 1 and house[140, 120:150].all()")


def test_keys_do_not_reach_the_notebook(easel):
    """There A and B insert cells, X and DD delete them, and 1 makes a heading."""
    cells = easel.page.locator(".jp-Cell").count()
    easel.photograph.focus()
    easel.keys("a", "b", "d", "d", "x", "1", "m", "Enter", "e", "2")
    assert easel.chosen().split() == ["2", "house"]
    easel.keys("3", "ArrowDown")
    assert easel.chosen().split() == ["2", "house"], "there is no third region"
    assert easel.page.locator(".jp-Cell").count() == cells == 2
    expect(easel.photograph).to_be_focused()


def test_every_control_is_reached_by_tab_and_has_a_name(easel):
    easel.panel.get_by_role("radio", name="sky").focus()
    reached = []
    for _ in range(7):
        reached.append(easel.page.evaluate(
            "document.activeElement.ariaLabel ?? document.activeElement.innerText"
        ) or easel.chosen())  # fmt: skip
        easel.page.keyboard.press("Tab")
    assert [one.split()[-1] for one in reached[:6]] == [
        "sky", "size", "Fill", "Undo", "Redo", "Clear",
    ]  # fmt: skip
    assert reached[6].startswith("Photograph to paint on")
    expect(easel.panel.get_by_role("group", name="Region to paint")).to_have_count(1)


@pytest.fixture
def as_it_was(easel):
    yield
    wear(easel, "JupyterLab Light")
    easel.page.set_viewport_size({"width": 1280, "height": 800})


def wear(easel, theme):
    """Change JupyterLab's theme, and wait until it is there."""
    easel.page.evaluate(THEME, theme)
    expect(easel.page.locator("body")).to_have_attribute("data-jp-theme-name", theme)


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
@pytest.mark.parametrize("width", [1280, 500])
def test_nothing_overflows_and_words_are_legible(easel, as_it_was, theme, width):
    wear(easel, theme)
    easel.page.evaluate(SIDEBAR)
    easel.page.set_viewport_size({"width": width, "height": 800})
    easel.panel.evaluate("e => e.scrollIntoView({block: 'start'})")
    assert easel.panel.evaluate("e => e.scrollWidth - e.clientWidth") <= 0
    assert easel.panel.evaluate("e => e.scrollHeight - e.clientHeight") <= 0
    assert easel.panel.evaluate(OVERFLOW) == []
    easel.stroke((0.2, 0.5), (0.8, 0.5))
    easel.masks_are("sky[100, 60:240].all() and not sky[:88].any() and not sky[112:].any()")
    for selector in (".nst-status", "button[name=undo]", "fieldset span"):
        words = easel.panel.locator(selector).first
        red = words.evaluate("e => parseInt(getComputedStyle(e).color.match(/\\d+/)[0])")
        assert red > 170 if "Dark" in theme else red < 85


def test_after_a_restart_the_picture_stays_and_says_what_to_do(browser, server):
    with shown_twice(browser, server, "restart.ipynb") as notebook:
        easel = Easel(notebook)
        easel.stroke((0.2, 0.5), (0.8, 0.5))
        easel.masks_are("sky[100, 60:240].all()")
        notebook.page.evaluate(RESTART)
        easel.says("The kernel was restarted; run this cell again to paint.")
        assert colors(easel, (0.5, 0.5), (0.5, 0.1)) == pytest.approx(BLUE + UNPAINTED, abs=2)
        assert easel.panel.evaluate("e => getComputedStyle(e, '::before').content") == "none"
        notebook.is_sound()
