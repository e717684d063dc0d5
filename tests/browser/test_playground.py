"""The playground in a real JupyterLab: each test on a new panel; `long`: lesson 08 as it is.

Each waits for what is seen or for what the kernel says, never for a time. Each leaves a screenshot
in results/browser.
"""

import contextlib
import re
import time

import numpy as np
import pytest
from conftest import LESSON, PANEL, PATIENCE, RELOADED, SHOTS
from PIL import Image
from playwright.sync_api import expect

from nst_tutorial.runs.provenance import read

pytestmark = pytest.mark.browser
BAD = re.compile(r"Error displaying widget|Error creating widget|Loading widget|Traceback")
RUN_ALL = "async () => { await window.jupyterapp.commands.execute('notebook:run-all-cells'); }"
RUN_CELL = "async () => { await window.jupyterapp.commands.execute('notebook:run-cell'); }"
SAVE = "async () => { await window.jupyterapp.commands.execute('docmanager:save'); }"
SHUT_DOWN = "() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()"
RESTART = "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"
READY = "window.jupyterapp?.shell.currentWidget?.sessionContext?.isReady"
ASK = """async code => {
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const asked = kernel.requestExecute({code, silent: false, store_history: false});
  let said = "";
  asked.onIOPub = message => { said += message.content.text ?? message.content.evalue ?? ""; };
  await asked.done;
  return said.trim();
}"""
FOUND = """document.querySelector(".nst-play")
  || document.querySelector(".jp-OutputArea").textContent.includes("model not found")"""
BROKEN = """all => all.filter(one => one.checkVisibility() && one.complete && !one.naturalWidth)
  .map(one => one.outerHTML.slice(0, 200))"""
SCROLLS = """all => all.filter(one => one.checkVisibility()
    && (one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + 1)
    && /auto|scroll/.test(getComputedStyle(one).overflow)).map(one => one.className)"""
SETTLED = """() => { const panel = document.querySelector(".nst-play");
  return panel.ariaBusy === "false" || panel.innerText.includes("does not answer"); }"""
FOCUSED = """() => { const one = document.activeElement;
  return (one.ariaLabel || one.labels?.[0]?.innerText || one.innerText).trim(); }"""
IN_ORDER = [
    "Picture: arrows look back, + and - enlarge", "Wipe", "look back at the run",
    "Play", "Step", "Reset", "Undo", "Keep", "Full screen", "Keys",
    "content weight", "style weight", "tv weight", "Balanced", "Curve",
    "Upload", "Chelsea the cat", "Upload", "brush strokes along a flow field, blue and gold",
]  # fmt: skip


class Notebook:
    """A page with an open notebook, in a visitor's words."""

    def __init__(self, page):
        self.page, self.complaints = page, []
        page.set_default_timeout(1000 * PATIENCE)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._hear)
        self.panel = page.locator(".nst-play")
        self.picture = self.panel.locator(".nst-sheet > canvas")
        self.line = self.panel.locator(".nst-line")
        self.note = self.panel.locator(".nst-note")
        self.still = page.locator(".nst-still")

    def _hear(self, message):
        if message.type == "error":
            self.complaints.append(message.text)

    def button(self, name):
        return self.panel.get_by_role("button", name=name, exact=True)

    def slider(self, name):
        return self.panel.get_by_role("slider", name=name, exact=True)

    def press(self, name):
        self.button(name).click()

    def tab(self, name):
        self.panel.get_by_role("tab", name=name).click()

    def says(self, words):
        expect(self.line).to_contain_text(words)

    def play(self):
        self.press("Play")
        self.says("steps a second")

    def pause(self):
        self.press("Pause")
        self.says("Paused after step")

    def seen(self):
        return self.picture.evaluate("e => e.toDataURL()")

    def rests(self):
        """Wait until the picture is the same before and after a question to the kernel."""
        seen = None
        while seen != (seen := self.seen()):
            self.now("step")
        return seen

    def changes(self, times=1):
        """Wait until the picture has changed so many times."""
        for _ in range(times):
            self.page.wait_for_function(
                "seen => document.querySelector('.nst-sheet > canvas').toDataURL() !== seen",
                arg=self.seen(),
            )

    def ask(self, code):
        return self.page.evaluate(ASK, code)

    def now(self, what):
        """What the kernel tells the panel."""
        return self.ask(f"print(playground.get_state()['_now'][{what!r}])")

    def until(self, condition):
        """Wait until the kernel finds a condition true."""
        stop = time.perf_counter() + PATIENCE
        while (said := self.ask(f"print({condition})")) != "True":
            assert time.perf_counter() < stop, f"{condition}: {said}"

    def cell(self, words):
        return self.page.locator(".jp-CodeCell").filter(has_text=words)

    def run_cell(self, words):
        """Run a cell, and wait for its end."""
        self.cell(words).locator(".cm-content").click()
        self.page.evaluate(RUN_CELL)

    def run_the_panels_cell(self):
        self.run_cell("playground = Playground(")

    def renew(self, action):
        """Do what replaces the panel, and wait for the new one."""
        self.panel.evaluate_all("all => all.forEach(one => one.dataset.old = true)")
        action()
        expect(self.page.locator("[data-old]")).to_have_count(0)
        expect(self.panel).to_have_count(1)
        self.is_ready()

    def is_ready(self):
        self.says("Ready")
        expect(self.panel).to_have_attribute("aria-busy", "false")  # the kernel has answered

    def open(self):
        """Open the page again, as a visitor who comes back."""
        self.page.reload()
        self.page.wait_for_selector(".jp-Notebook .jp-Cell")
        self.page.wait_for_function(READY)

    def open_with_its_panel(self):
        """Open the page again, until ipywidgets has found the panel and the kernel hears it.

        On a busy machine either may fail: the page says then that it should be opened once more.
        """
        while True:
            self.open()
            self.page.wait_for_function(FOUND)
            if self.panel.count():
                self.page.wait_for_function(SETTLED)
                if self.panel.get_attribute("aria-busy") == "false":  # the kernel has answered
                    return
            self.complaints.clear()

    def is_sound(self):
        text = self.page.locator(".jp-Notebook").inner_text()
        assert not BAD.search(text), BAD.search(text)
        assert not self.page.locator(".jupyter-widgets-error-widget").count()
        assert not self.page.locator(".jp-Notebook img").evaluate_all(BROKEN)
        assert not self.complaints, self.complaints

    def look(self):
        """Bring the panel to the top of the page."""
        self.panel.evaluate("e => e.scrollIntoView({block: 'start'})")

    def shoot(self, name):
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}.png")


@contextlib.contextmanager
def opened(browser, server, name):
    """Open a notebook on a page of its own; shut its kernel down in the end."""
    address, token = server
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    one = Notebook(page)
    page.goto(f"{address}/lab/tree/notebooks/{name}?reset&token={token}")
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    page.wait_for_function(READY)
    try:
        yield one
    finally:
        page.evaluate(SHUT_DOWN)
        page.close()


@pytest.fixture(scope="module")
def desk(browser, server):
    with opened(browser, server, PANEL) as one:
        yield one


@pytest.fixture
def panel(desk, request):
    """A new panel, nothing of which has been touched."""
    desk.complaints.clear()
    desk.renew(desk.run_the_panels_cell)
    desk.look()
    yield desk
    desk.shoot(request.node.name.removeprefix("test_"))
    desk.is_sound()


@pytest.mark.long
def test_lesson_08_as_it_is(browser, server):
    with opened(browser, server, LESSON) as lesson:
        lesson.page.evaluate(RUN_ALL)
        lesson.is_ready()
        lesson.look()
        lesson.play()
        lesson.changes(3)
        lesson.pause()
        lesson.shoot("lesson_08")
        lesson.is_sound()


def test_play_and_pause(panel):
    panel.play()
    panel.changes(5)
    panel.run_cell("asked = ")  # the notebook stays free
    panel.changes(2)
    panel.pause()
    step, seen = panel.now("step"), panel.rests()
    assert int(step) > 5
    panel.says(f"Paused after step {step}")
    assert panel.ask("print(playground.worker.busy, playground.worker.live)") == "False False"
    assert (panel.now("step"), panel.seen()) == (step, seen)


def test_a_slider_while_it_runs(panel):
    panel.play()
    slider = panel.slider("style weight")
    before = float(slider.get_attribute("aria-valuetext"))
    slider.press("ArrowRight")
    after = float(slider.get_attribute("aria-valuetext"))
    assert 1.2 < after / before < 1.3
    panel.until(f"playground.news.painted.job.config.style_weight == {after}")
    slider.hover()  # which waits until the page stands still
    box = slider.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    panel.page.mouse.move(x, y)
    panel.page.mouse.down()
    panel.page.mouse.move(x + box["width"] / 4, y, steps=10)
    panel.page.mouse.up()
    dragged = float(slider.get_attribute("aria-valuetext"))
    assert dragged > after
    panel.until(f"playground.job().config.style_weight == {dragged}")
    panel.until("playground.news.painted.job == playground.job() and not playground.worker.held")
    panel.changes(2)
    expect(panel.panel.locator(".nst-mark")).to_have_count(2)  # a key, and a drag
    panel.press("Undo")
    panel.until(f"playground.news.painted.job.config.style_weight == {after}")
    panel.press("Undo")
    panel.until(f"playground.news.painted.job.config.style_weight == {before}")
    panel.says("steps a second")


def test_wipe_and_go_back(panel):
    panel.play()
    panel.until("len(playground.news.film) > 3")
    panel.pause()
    panel.press("Wipe")
    expect(panel.panel.get_by_role("slider", name="Wipe between both pictures")).to_be_visible()
    panel.press("Wipe")
    late, step = panel.seen(), int(panel.now("step"))
    for _ in range(3):
        panel.slider("look back at the run").press("ArrowLeft")
    panel.page.wait_for_function(
        "late => document.querySelector('.nst-sheet > canvas').toDataURL() !== late", arg=late
    )
    there = panel.panel.locator(".nst-when").inner_text()
    panel.press("Go on from here")
    panel.says("steps a second")  # it plays
    assert 0 < int(there.removeprefix("step ")) < step
    panel.until(f"playground.get_state()['_now']['step'] > {step}")
    panel.press("Undo")
    panel.says("Paused")


def test_upload(panel, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (2600, 3200, 3), "uint8")
    Image.fromarray(noise).save(tmp_path / "large.png")
    assert (tmp_path / "large.png").stat().st_size > 24e6
    upload(panel, tmp_path / "large.png")
    panel.until("playground.news.painted.job.content.name == 'large.png'")
    panel.says("Ready")
    panel.play()
    panel.changes(2)
    expect(panel.panel.locator(".nst-alt")).to_contain_text("large.png in the style of swirls")
    (tmp_path / "notes.txt").write_text("no picture")
    upload(panel, tmp_path / "notes.txt")
    expect(panel.note).to_contain_text("is not a picture")
    assert panel.ask("print(playground.job().content.name)") == "large.png"


def upload(panel, path):
    with panel.page.expect_file_chooser() as chooser:
        panel.panel.locator("[data-role=content] [name=upload]").click()
    chooser.value.set_files(path)


def test_take_home_while_it_runs(panel):
    panel.play()
    panel.slider("style weight").press("ArrowRight")
    panel.until("len(playground.news.painted.path[-1].schedule) > 0")
    panel.tab("Take home")
    with panel.page.expect_download() as download:
        panel.press("Picture (PNG)")
    name = download.value.suggested_filename
    origin = read(download.value.path())
    assert origin["config"]["style_weight"] == 100
    (_, changed), (stop, how) = origin["schedule"]
    assert (changed, how) == ({"style_weight": 125}, "stop")
    assert name == f"chelsea-swirls-{stop}.png"
    panel.press("Code")
    expect(panel.panel.locator("textarea")).to_have_value(re.compile(r"stylize\(.*schedule", re.S))
    panel.says("steps a second")


def test_running_the_cell_again(panel):
    panel.play()
    panel.renew(panel.run_the_panels_cell)
    painters = "[t.name for t in threading.enumerate()].count('painter')"
    assert panel.ask(f"import threading; print({painters})") == "1"


@pytest.mark.long  # alone: with a second page open, JupyterLab restores another workspace
def test_the_page_is_reloaded_while_it_runs(browser, server):
    with opened(browser, server, RELOADED) as panel:
        panel.run_the_panels_cell()
        panel.says("Ready")
        panel.play()
        panel.press("Keep")
        kept = panel.panel.locator(".nst-row").last.locator("img")
        expect(kept).to_have_count(1)
        panel.page.evaluate(SAVE)
        panel.open_with_its_panel()
        panel.says("steps a second")
        panel.look()
        expect(kept).to_have_count(1)
        panel.changes(2)
        panel.pause()
        panel.says(f"after step {panel.now('step')}")
        panel.shoot("reloaded")
        panel.is_sound()


def test_the_kernel_is_restarted_and_the_notebook_opened_again(panel):
    panel.play()
    panel.changes(2)
    panel.pause()
    step = panel.now("step")
    expect(panel.still).to_contain_text(f"after {step} steps")
    expect(panel.still).to_be_hidden()
    panel.page.evaluate(SAVE)
    panel.play()
    panel.page.evaluate(RESTART)
    expect(panel.panel.locator(".nst-rest")).to_have_text(
        "The kernel was restarted: run this cell again."
    )
    panel.is_sound()
    panel.shoot("restarted")
    panel.open()
    expect(panel.still).to_be_visible()
    expect(panel.still).to_contain_text(f"after {step} steps. Run this cell to see the panel")
    expect(panel.page.get_by_text("Error displaying widget")).to_be_hidden()
    panel.shoot("opened_again")
    panel.page.evaluate(RUN_ALL)
    panel.is_ready()
    panel.complaints.clear()  # ipywidgets said on the console that it had no such model
    expect(panel.still).to_be_hidden()
    panel.play()
    panel.changes(2)


def test_every_control_is_reached_by_tab(panel):
    panel.panel.locator(".nst-frame").focus()
    reached = []
    while panel.panel.locator(":focus").count():
        reached.append(panel.page.evaluate(FOCUSED))
        panel.page.keyboard.press("Tab")
    assert [one for one in reached if one in IN_ORDER] == IN_ORDER
    assert all(reached), "everything has a name"


def test_nothing_scrolls_but_the_rows_of_pictures(panel):
    inside = panel.page.locator(".jp-OutputArea:has(.nst-play), .jp-OutputArea:has(.nst-play) *")
    for name in ("Layers", "Math", "Challenge", "Take home", "Curve"):
        panel.tab(name)
        scrolling = inside.evaluate_all(SCROLLS)
        assert all(one.startswith("nst-thumbs") for one in scrolling), scrolling
    wide = "e => e.scrollWidth - e.clientWidth"
    assert panel.page.locator(".jp-WindowedPanel-outer").evaluate(wide) <= 0


def test_explore_has_no_scrollbars(panel):
    panel.run_cell("explore(")
    output = panel.cell("explore(").locator(".jp-OutputArea")
    expect(output.locator("img")).to_be_visible()
    output.locator(".noUi-handle").press("ArrowRight")
    expect(output.get_by_role("status")).to_have_text("size 64")
    assert not output.locator("xpath=.//*").evaluate_all(SCROLLS)


def test_a_notebook_that_was_not_run_says_how_to_see_the_panel(browser, server):
    with opened(browser, server, LESSON) as one:
        expect(one.page.get_by_text("Playground: run this cell in Jupyter")).to_have_count(1)
        assert not one.panel.count()
        one.is_sound()
