"""The playground in a real JupyterLab: each test on a new panel; `long`: lesson 08 as it is.

Each waits for what is seen or for what the kernel says, never for a time. Each leaves a screenshot
in results/browser.
"""

import contextlib
import re
import time

import pytest
from conftest import LESSON, PANEL, PATIENCE, SHOTS
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
BAD = re.compile(r"Error displaying widget|Error creating widget|Loading widget|Traceback")
RUN_ALL = "async () => { await window.jupyterapp.commands.execute('notebook:run-all-cells'); }"
SHUT_DOWN = "() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()"
ASK = """async code => {
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const asked = kernel.requestExecute({code, silent: false, store_history: false});
  let said = "";
  asked.onIOPub = message => { said += message.content.text ?? message.content.evalue ?? ""; };
  await asked.done;
  return said.trim();
}"""


class Notebook:
    """A page with an open notebook, in a visitor's words."""

    def __init__(self, page):
        self.page, self.complaints = page, []
        page.set_default_timeout(1000 * PATIENCE)
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
        expect(self.status).to_contain_text(words)

    def run(self):
        self.press("Run")
        self.says("steps a second")

    def pause(self):
        self.press("Pause")
        self.says("paused after step")

    def step(self):
        """Take one step more; return the number of that step."""
        taken = int(self.ask("print(playground.worker._step)")) + 1
        self.press("Step")
        self.says(f"paused after step {taken}")
        return taken

    def ask(self, code):
        return self.page.evaluate(ASK, code)

    def until(self, condition):
        """Wait until the kernel finds a condition true."""
        stop = time.perf_counter() + PATIENCE
        while (said := self.ask(f"print({condition})")) != "True":
            assert time.perf_counter() < stop, f"{condition}: {said}"

    def menu(self, name, entry):
        self.page.locator(".lm-MenuBar-itemLabel", has_text=re.compile(f"^{name}$")).click()
        self.page.locator(".lm-Menu-itemLabel", has_text=re.compile(f"^{entry}")).first.click()

    def cell(self, words):
        return self.page.locator(".jp-CodeCell").filter(has_text=words)

    def run_cell(self, words):
        """Run a cell by keyboard, and wait for its end."""
        prompt = self.cell(words).locator(".jp-InputArea-prompt")
        ended = re.compile(rf"^(?!{re.escape(prompt.inner_text())})\[\d+\]:$")
        self.cell(words).locator(".cm-content").click()
        self.page.keyboard.press("Shift+Enter")
        expect(prompt).to_have_text(ended)

    def run_the_panels_cell(self):
        self.run_cell("playground = Playground(")

    def slider(self, name):
        return self.panel.locator(".widget-slider").filter(has_text=name).first

    def readout(self, name):
        return self.slider(name).locator(".widget-readout")

    def push(self, name, key):
        """Move a slider by a key; return the number that it shows then."""
        before = self.readout(name).inner_text()
        self.slider(name).locator(".noUi-handle").focus()
        self.page.keyboard.press(key)
        expect(self.readout(name)).not_to_have_text(before)
        return float(self.readout(name).inner_text())

    def changes(self, times):
        """Wait until the preview has changed so many times."""
        for _ in range(times):
            seen = self.preview.get_attribute("src")
            expect(self.preview).not_to_have_attribute("src", seen)

    def renew(self, action):
        """Do what replaces the panel, and wait for the new one."""
        mark = "all => all.forEach(one => one.classList.add('of-the-old-panel'))"
        self.panel.locator("img").evaluate_all(mark)
        action()
        expect(self.page.locator(".of-the-old-panel")).to_have_count(0)
        expect(self.panel).to_have_count(1)
        self.says("ready")

    def is_sound(self):
        text = self.page.locator(".jp-Notebook").inner_text()
        assert not BAD.search(text), BAD.search(text)
        assert not self.page.locator(".jupyter-widgets-error-widget").count()
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
    page.wait_for_function("window.jupyterapp.shell.currentWidget?.sessionContext?.isReady")
    try:
        yield one
    finally:
        page.evaluate(SHUT_DOWN)
        page.close()


@pytest.fixture(scope="module")
def desk(browser, server):
    with opened(browser, server, PANEL) as one:
        one.renew(lambda: one.page.evaluate(RUN_ALL))
        yield one


@pytest.fixture
def panel(desk, request):
    """A new panel, nothing of which has been touched."""
    desk.renew(desk.run_the_panels_cell)
    desk.look()
    yield desk
    desk.shoot(request.node.name.removeprefix("test_"))
    desk.is_sound()


def test_a_notebook_that_was_not_run_says_how_to_see_the_panel(browser, server):
    with opened(browser, server, PANEL) as one:
        expect(one.page.get_by_text("Playground: run this cell in Jupyter")).to_have_count(1)
        assert not one.page.locator(".jupyter-widgets").count()
        one.is_sound()


@pytest.mark.long
def test_lesson_08_as_it_is(browser, server):
    with opened(browser, server, LESSON) as lesson:
        lesson.renew(lambda: lesson.menu("Run", "Run All Cells"))
        last = lesson.page.locator(".jp-CodeCell").last.locator(".jp-InputArea-prompt")
        expect(last).to_have_text(re.compile(r"^\[\d+\]:$"))
        lesson.look()
        seen = lesson.preview.get_attribute("src")
        lesson.press("Run")
        expect(lesson.preview).not_to_have_attribute("src", seen)
        lesson.press("Pause")
        lesson.says("after step")
        lesson.shoot("lesson_08")
        lesson.is_sound()


def test_run(panel):
    panel.run()
    panel.changes(6)


def test_the_style_slider_while_it_runs(panel):
    panel.run()
    before = float(panel.readout("style weight").inner_text())
    handle = panel.slider("style weight").locator(".noUi-handle")
    place = handle.bounding_box()
    x, y = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2
    panel.page.mouse.move(x, y)
    panel.page.mouse.down()
    panel.page.mouse.move(x + 30, y, steps=10)
    panel.page.mouse.up()
    after = float(panel.readout("style weight").inner_text())
    assert after > before
    panel.until(f"playground.worker._job.config.style_weight == {after}")
    panel.changes(2)


def test_another_cell_executes_while_it_runs(panel):
    panel.run()
    panel.run_cell("asked = playground.job().config")
    panel.look()
    panel.changes(3)


def test_pause_holds_the_step_count(panel):
    panel.run()
    panel.pause()
    assert panel.ask("print(playground.worker._something_to_do())") == "False"
    panel.says(f"after step {panel.ask('print(playground.worker._step)')}")
    panel.run()
    panel.changes(2)


def test_step(panel):
    assert panel.step() == 1
    assert panel.step() == 2


def test_a_slider_by_keyboard(panel):
    before = float(panel.readout("content weight").inner_text())
    after = panel.push("content weight", "ArrowRight")
    assert 1.2 < after / before < 1.3
    panel.until(f"playground.job().config.content_weight == {after}")


def test_every_control_is_reached_by_tab(panel):
    panel.button("Run").focus()
    reached = []
    for _ in range(26):
        reached.append(panel.page.evaluate(
            "(document.activeElement.innerText || document.activeElement.className).trim()"
        ))  # fmt: skip
        panel.page.keyboard.press("Tab")
    order = ["Run", "Pause", "Step", "Reset", "A weight for each style layer", "More settings",
             "Keep this picture", "chelsea", "Upload a photograph (0)", "swirls"]  # fmt: skip
    assert sum("noUi-handle" in one for one in reached) == 3
    assert [one for one in reached if one in order] == order


def test_folds_and_what_is_in_them(panel):
    for name in ("A weight for each style layer", "More settings"):
        panel.press(name)
    expect(panel.slider("block2_conv1")).to_be_visible()
    expect(panel.slider("learning rate")).to_be_visible()
    wide = "e => e.scrollWidth - e.clientWidth"
    assert panel.panel.evaluate(wide) <= 1, "nothing to scroll sideways"
    panel.page.set_viewport_size({"width": 1280, "height": 1500})
    panel.look()
    panel.shoot("unfolded")
    panel.page.set_viewport_size({"width": 1280, "height": 800})


def test_keep_and_go_back(panel):
    panel.step()
    held, seen = panel.status.inner_text(), panel.preview.get_attribute("src")
    panel.press("Keep this picture")
    kept = panel.button("step 1")
    expect(kept).to_be_visible()
    weight = panel.readout("style weight").inner_text()
    panel.push("style weight", "ArrowLeft")
    panel.step()
    expect(panel.preview).not_to_have_attribute("src", seen)
    kept.click()
    panel.says(held)
    expect(panel.readout("style weight")).to_have_text(weight)


def test_reset(panel):
    panel.step()
    panel.press("Reset")
    panel.says("ready")
    expect(panel.panel.get_by_text("after 0 steps")).to_be_visible()


def test_upload(panel, tmp_path):
    from PIL import Image

    Image.linear_gradient("L").resize((200, 140)).save(tmp_path / "ramp.png")
    upload(panel, tmp_path / "ramp.png")
    expect(panel.panel.get_by_text("style picture: ramp.png")).to_be_visible()
    panel.until("playground.worker._job.style.name == 'ramp.png'")
    panel.step()
    (tmp_path / "broken.png").write_bytes(b"this is no picture")
    upload(panel, tmp_path / "broken.png")
    expect(panel.panel.get_by_text("is not a picture")).to_be_visible()


def upload(panel, path):
    with panel.page.expect_file_chooser() as chooser:
        panel.press("Upload a style picture (0)")
    chooser.value.set_files(path)


def test_take_home(panel):
    panel.press("Take home")
    with panel.page.expect_download() as download:
        panel.panel.get_by_role("link", name="Download the PNG").click()
    assert download.value.suggested_filename == "painted.png"
    assert download.value.path().read_bytes().startswith(b"\x89PNG")
    assert "stylize(" in panel.panel.locator("textarea").input_value()
    panel.panel.locator("textarea").scroll_into_view_if_needed()


def test_running_the_cell_again_closes_the_old_panel(panel):
    panel.run()
    panel.renew(panel.run_the_panels_cell)
    painters = "[t.name for t in threading.enumerate()].count('painter')"
    assert panel.ask(f"import threading; print({painters})") == "1"


def test_restart_the_kernel_and_run_again(panel):
    panel.run()
    panel.renew(lambda: restart(panel))
    panel.look()
    panel.run()
    panel.changes(3)
    panel.pause()


def restart(panel):
    panel.menu("Kernel", "Restart Kernel and Run All Cells")
    panel.page.get_by_role("button", name="Confirm Kernel Restart").or_(
        panel.page.locator(".jp-Dialog button.jp-mod-warn")
    ).first.click()
