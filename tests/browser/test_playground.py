"""Lesson 08 in a real JupyterLab: one visit, from opening the page to restarting the kernel.

The tests run in this order, on one page. Each leaves a screenshot in results/browser.
"""

import re
import time

import pytest
from conftest import LESSON, SHOTS
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
LONG = 240_000  # milliseconds: the whole lesson on a slow machine
BAD = re.compile(r"Error displaying widget|Error creating widget|Loading widget|Traceback")
ASK = """async code => {
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const asked = kernel.requestExecute({code, silent: false, store_history: false});
  let said = "";
  asked.onIOPub = message => { said += message.content.text ?? message.content.evalue ?? ""; };
  await asked.done;
  return said.trim();
}"""


class Lesson:
    """The page, in a visitor's words."""

    def __init__(self, page):
        self.page, self.complaints = page, []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._hear)

    def _hear(self, message):
        if message.type == "error":
            self.complaints.append(message.text)

    @property
    def panel(self):
        return self.page.locator(".jp-OutputArea-output").filter(has_text="Keep this picture")

    @property
    def preview(self):
        return self.panel.locator("img").first

    @property
    def status(self):
        return self.panel.locator("[role=status]").first

    def button(self, name):
        return self.panel.locator("button", has_text=re.compile(f"^{re.escape(name)}$"))

    def press(self, name):
        self.button(name).click()

    def says(self, words):
        expect(self.status).to_contain_text(words, timeout=60_000)

    def step(self):
        return int(re.search(r"step (\d+)", self.status.inner_text())[1])

    def ask(self, code):
        return self.page.evaluate(ASK, code)

    def menu(self, name, entry):
        self.page.locator(".lm-MenuBar-itemLabel", has_text=re.compile(f"^{name}$")).click()
        self.page.locator(".lm-Menu-itemLabel", has_text=re.compile(f"^{entry}")).first.click()

    def slider(self, name):
        return self.panel.locator(".widget-slider").filter(has_text=name).first

    def changes(self, times, seconds=60):
        """Wait until the preview has shown so many different pictures."""
        seen, stop = set(), time.perf_counter() + seconds
        while len(seen) < times:
            assert time.perf_counter() < stop, f"the preview showed {len(seen)} pictures"
            seen.add(self.preview.get_attribute("src"))
            self.page.wait_for_timeout(30)

    def is_sound(self):
        text = self.page.locator(".jp-Notebook").inner_text()
        assert not BAD.search(text), BAD.search(text)
        assert not self.page.locator(".jupyter-widgets-error-widget").count()
        assert not self.complaints, self.complaints

    def look(self):
        """Bring the panel to the top of the page."""
        for one in self.panel.all():
            one.evaluate("e => e.scrollIntoView({block: 'start'})")

    def shoot(self, name):
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}.png")


@pytest.fixture(scope="module")
def lesson(browser, server):
    address, token = server
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    one = Lesson(page)
    page.goto(f"{address}/lab/tree/notebooks/{LESSON}?token={token}", timeout=LONG)
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=LONG)
    page.wait_for_function("window.jupyterapp.shell.currentWidget?.sessionContext?.isReady")
    yield one
    page.close()


@pytest.fixture(autouse=True)
def sound_before_and_after(lesson, request):
    yield
    lesson.shoot(request.node.name.removeprefix("test_"))
    lesson.is_sound()


def test_01_opened_and_nothing_run_yet(lesson):
    assert not lesson.page.locator(".jupyter-widgets").count()
    expect(lesson.page.get_by_text("Playground: run this cell in Jupyter")).to_have_count(1)


def test_02_run_all_then_run(lesson):
    lesson.menu("Run", "Run All Cells")
    expect(lesson.preview).to_be_visible(timeout=LONG)
    lesson.look()
    lesson.says("ready")
    lesson.page.wait_for_timeout(1000)
    lesson.shoot("02_ready")
    lesson.press("Run")
    lesson.says("steps a second")
    lesson.changes(6)


def test_03_the_style_slider_while_it_runs(lesson):
    lesson.look()
    lesson.press("Run")
    lesson.says("steps a second")
    before = lesson.ask("print(playground.job().config.style_weight)")
    handle = lesson.slider("style weight").locator(".noUi-handle")
    step, place = lesson.step(), handle.bounding_box()
    x, y = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2
    lesson.page.mouse.move(x, y)
    lesson.page.mouse.down()
    lesson.page.mouse.move(x + 30, y, steps=10)
    lesson.page.mouse.up()
    lesson.changes(5)
    assert float(lesson.ask("print(playground.job().config.style_weight)")) > float(before)
    painted = lesson.ask("print(playground.worker._job.config.style_weight)")
    assert painted == lesson.slider("style weight").locator(".widget-readout").inner_text() + ".0"
    assert lesson.step() > step


def test_04_another_cell_executes_while_it_runs(lesson):
    lesson.says("steps a second")
    cell = lesson.page.locator(".jp-CodeCell").filter(has_text="asked = playground.job().config")
    counted = cell.locator(".jp-InputArea-prompt").inner_text()
    cell.locator(".cm-content").click()
    lesson.page.keyboard.press("Shift+Enter")
    expect(cell.locator(".jp-InputArea-prompt")).not_to_have_text(counted, timeout=20_000)
    expect(cell.locator(".jp-InputArea-prompt")).not_to_have_text("[*]:", timeout=20_000)
    lesson.look()
    lesson.changes(3)


def test_05_pause_holds_the_step_count(lesson):
    lesson.press("Pause")
    lesson.says("after step")
    held, seen = lesson.step(), lesson.preview.get_attribute("src")
    lesson.page.wait_for_timeout(1500)
    assert lesson.step() == held
    assert lesson.preview.get_attribute("src") == seen


def test_06_step(lesson):
    held = lesson.step()
    lesson.press("Step")
    lesson.says(f"paused after step {held + 1}")
    assert lesson.step() == held + 1


def test_07_a_slider_by_keyboard(lesson):
    slider = lesson.slider("content weight")
    before = float(slider.locator(".widget-readout").inner_text())
    slider.locator(".noUi-handle").focus()
    lesson.page.keyboard.press("ArrowRight")
    expect(slider.locator(".widget-readout")).not_to_have_text(f"{before:g}")
    after = float(slider.locator(".widget-readout").inner_text())
    assert 1.2 < after / before < 1.3
    asked = lesson.ask("print(playground.job().config.content_weight)")
    assert float(asked) == after


def test_08_every_control_is_reached_by_tab(lesson):
    lesson.button("Run").focus()
    reached = []
    for _ in range(26):
        reached.append(lesson.page.evaluate(
            "(document.activeElement.innerText || document.activeElement.className).trim()"
        ))  # fmt: skip
        lesson.page.keyboard.press("Tab")
    order = ["Run", "Pause", "Step", "Reset", "A weight for each style layer", "More settings",
             "Keep this picture", "chelsea", "Upload a photograph (0)", "swirls"]  # fmt: skip
    assert sum("noUi-handle" in one for one in reached) == 3
    assert [one for one in reached if one in order] == order


def test_09_folds_and_what_is_in_them(lesson):
    for name in ("A weight for each style layer", "More settings"):
        lesson.press(name)
    expect(lesson.slider("block3_conv1")).to_be_visible()
    expect(lesson.slider("learning rate")).to_be_visible()
    wide = "e => e.scrollWidth - e.clientWidth"
    assert lesson.panel.evaluate(wide) <= 1, "nothing to scroll sideways"
    lesson.page.set_viewport_size({"width": 1280, "height": 1500})
    lesson.look()
    lesson.shoot("09_unfolded")
    lesson.page.set_viewport_size({"width": 1280, "height": 800})
    for name in ("A weight for each style layer", "More settings"):
        lesson.press(name)


def test_10_keep_and_go_back(lesson):
    held, seen = lesson.status.inner_text(), lesson.step()
    lesson.press("Keep this picture")
    kept = lesson.button(f"step {seen}")
    expect(kept).to_be_visible()
    weight = lesson.slider("style weight").locator(".widget-readout").inner_text()
    lesson.slider("style weight").locator(".noUi-handle").focus()
    lesson.page.keyboard.press("ArrowLeft")
    expect(lesson.slider("style weight").locator(".widget-readout")).not_to_have_text(weight)
    lesson.press("Step")
    lesson.says(f"after step {seen + 1}")
    kept.click()
    lesson.says(held)
    expect(lesson.slider("style weight").locator(".widget-readout")).to_have_text(weight)


def test_11_reset(lesson):
    lesson.press("Reset")
    lesson.says("ready")
    expect(lesson.panel.get_by_text("after 0 steps")).to_be_visible()


def test_12_upload(lesson, tmp_path):
    from PIL import Image

    Image.linear_gradient("L").resize((200, 140)).save(tmp_path / "ramp.png")
    with lesson.page.expect_file_chooser() as chooser:
        lesson.press("Upload a style picture (0)")
    chooser.value.set_files(tmp_path / "ramp.png")
    expect(lesson.panel.get_by_text("style picture: ramp.png")).to_be_visible()
    lesson.press("Step")
    lesson.says("paused after step 1")
    (tmp_path / "broken.png").write_bytes(b"this is no picture")
    with lesson.page.expect_file_chooser() as chooser:
        lesson.press("Upload a style picture (0)")
    chooser.value.set_files(tmp_path / "broken.png")
    expect(lesson.panel.get_by_text("is not a picture")).to_be_visible()
    lesson.press("swirls")


def test_13_take_home(lesson):
    lesson.press("Take home")
    with lesson.page.expect_download() as download:
        lesson.panel.get_by_role("link", name="Download the PNG").click()
    assert download.value.suggested_filename == "painted.png"
    assert download.value.path().read_bytes().startswith(b"\x89PNG")
    assert "stylize(" in lesson.panel.locator("textarea").input_value()
    lesson.panel.locator("textarea").scroll_into_view_if_needed()


def test_14_running_the_cell_again_closes_the_old_panel(lesson):
    lesson.press("Run")
    lesson.says("steps a second")
    cell = lesson.page.locator(".jp-CodeCell").filter(has_text="playground = Playground(")
    cell.locator(".cm-content").click()
    lesson.page.keyboard.press("Shift+Enter")
    lesson.says("ready")
    expect(lesson.panel).to_have_count(1)
    painters = "import threading; print([t.name for t in threading.enumerate()].count('painter'))"
    assert lesson.ask(painters) == "1"


def test_15_restart_the_kernel_and_again(lesson):
    lesson.press("Run")
    lesson.says("steps a second")
    lesson.menu("Kernel", "Restart Kernel and Run All Cells")
    lesson.page.get_by_role("button", name="Confirm Kernel Restart").or_(
        lesson.page.locator(".jp-Dialog button.jp-mod-warn")
    ).first.click()
    lesson.page.wait_for_timeout(3000)
    expect(lesson.preview).to_be_visible(timeout=LONG)
    lesson.says("ready")
    lesson.press("Run")
    lesson.says("steps a second")
    lesson.changes(6)
    lesson.press("Pause")
    lesson.says("after step")
