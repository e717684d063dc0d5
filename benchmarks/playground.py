"""How fast does the playground answer?

    python benchmarks/playground.py              # about two minutes on two cores
    python benchmarks/playground.py --browser    # the same, as JupyterLab and Chromium show it

At 256 pixels with `pocket`. The first drives the panel from Python: seconds from a slider's event
to the first picture that reflects it, pictures a second, and the memory of the process after each
of ten Resets with a short run before it. The second has a real JupyterLab and a real browser, and
counts until the picture is on the screen.
"""

import argparse
import contextlib
import gc
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

from nst_tutorial import TransferConfig, load_extractor
from nst_tutorial.widgets import Playground

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "images"
EVENTS = 30
WEIGHTS = 50.0, 100.0, 200.0, 400.0
PANEL = """import json, time
from nst_tutorial import TransferConfig
from nst_tutorial.widgets import Playground

class Watched(Playground):
    log = []
    def _show(self, news):
        before = self._picture
        super()._show(news)
        if self._picture is not before and news.painted.step:
            job = news.painted.job
            self.log.append((time.time(), f"{job.config.style_weight:g}", job.content.name))

config = TransferConfig(size=256, optimizer="adam", scales=1, steps=100_000)
playground = Watched("../images/chelsea.png", "../images/swirls.jpg", config=config)
playground"""


class Watched(Playground):
    """A playground whose browser sees every picture, and which notes when each was there."""

    def _show(self, news):
        super()._show(news)
        self.seen.append((time.perf_counter(), news))
        self.on_saw()


def open_panel():
    Watched.seen = []
    config = TransferConfig(size=256, optimizer="adam", scales=1, steps=100_000)
    pictures = IMAGES / "chelsea.png", IMAGES / "swirls.jpg"
    return Watched(*pictures, load_extractor("pocket"), config, images=IMAGES)


def wait(holds, seconds=120):
    stop = time.perf_counter() + seconds
    while not holds():
        if time.perf_counter() > stop:
            raise TimeoutError("the panel did not answer")
        time.sleep(0.002)


def latency(panel, value):
    """Seconds from the event to the first picture painted with its weight."""
    began = time.perf_counter()
    panel.set(style_weight=value)

    def answered():
        when, news = panel.seen[-1]
        config = news.painted.job.config
        return when > began and news.phase == "running" and config.style_weight == value

    wait(answered)
    return panel.seen[-1][0] - began


def waits(panel, held):
    """Latencies at any moment of a step, with the slider held or not."""
    panel.on_hold() if held else panel.on_release()
    found = []
    for number in range(EVENTS):
        time.sleep(0.1 + 0.037 * (number % 7))
        found.append(latency(panel, WEIGHTS[number % len(WEIGHTS)]))
    panel.on_release()
    return found


def pictures_a_second(panel, seconds=10):
    count = len(panel.seen)
    time.sleep(seconds)
    return (len(panel.seen) - count) / seconds


def memory():
    gc.collect()
    return psutil.Process().memory_info().rss / 2**20


def from_python():
    panel = open_panel()
    panel.on_play()
    wait(lambda: panel.seen and panel.seen[-1][1].painted.step > 20)
    rate, previews = panel.seen[-1][1].rate, pictures_a_second(panel)
    report("slider to picture", waits(panel, held=False))
    report("slider to picture, held", waits(panel, held=True))
    grown = []
    for _ in range(10):
        panel.on_reset()
        wait(lambda: panel.seen[-1][1].phase == "ready")
        panel.on_play()
        wait(lambda: panel.seen[-1][1].painted.step > 20)
        panel.seen = panel.seen[-1:]
        grown.append(memory())
    panel.close()
    print(f"| pictures a second | {previews:.1f} (at {rate:.1f} steps a second) | ≥ 4 |")
    print(f"| memory after Reset 1, 5, 10 | {grown[0]:.0f}, {grown[4]:.0f}, {grown[9]:.0f} MiB "
          f"| flat |")  # fmt: skip


def report(what, seconds):
    print(f"| {what}, median of {len(seconds)} | {statistics.median(seconds):.2f} s | < 0.3 s |")
    print(f"| {what}, worst | {max(seconds):.2f} s | < 0.8 s |", flush=True)


# In JupyterLab and a browser --------------------------------------------------------------------

TRACE = """() => {
  const now = () => (performance.timeOrigin + performance.now()) / 1000;
  const pen = document.querySelector(".nst-sheet > canvas").getContext("2d");
  const draw = pen.drawImage.bind(pen);
  Object.assign(window, { now, drawn: [], moved: [] });
  pen.drawImage = (...given) => { draw(...given); drawn.push(now()); };
  addEventListener("input", ({ target }) => moved.push([now(), target.ariaValueText]));
  addEventListener("change", ({ target }) => target.files && moved.push([now(), "large.png"]));
}"""


def in_a_browser():
    sys.path.insert(0, str(ROOT / "tests" / "browser"))
    import conftest
    from test_playground import RUN_ALL, opened

    conftest.CELLS = (PANEL,)
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.contextmanager(conftest.browser.__wrapped__)() as browser,
        contextlib.contextmanager(conftest.start_server)(Path(folder)) as server,
        opened(browser, server, conftest.PANEL) as one,
    ):
        one.page.evaluate(RUN_ALL)
        one.says("Ready")
        one.look()
        one.page.evaluate(TRACE)
        one.play()
        one.until("playground._now['step'] > 20")
        for number in range(EVENTS):
            one.slider("style weight").press("ArrowRight" if number % 8 < 4 else "ArrowLeft")
            pause(one, number)
        report("slider to screen, by keyboard", answers(one))
        drag(one)
        report("slider to screen, held", answers(one)[-EVENTS:])
        print(f"| upload of 24 MB to its first picture | {upload(one, Path(folder)):.1f} s | |")


def pause(one, number):
    """Let the change be seen, so that the next is at any moment of a step."""
    one.page.wait_for_timeout(1000 + 37 * (number % 7))


def answers(one):
    """Seconds from each event in the browser to the first picture painted with it, as drawn.

    An event that the next one overtook has no such picture, and is left out.
    """
    moved, drawn = one.page.evaluate("[moved, drawn]")
    log = json.loads(one.ask("print(json.dumps(playground.log))"))
    found = []
    for began, value in moved:
        sent = next((at for at, *what in log if at > began and value in what), float("inf"))
        found += [at - began for at in drawn if at > sent][:1]
    return found


def drag(one):
    box = one.slider("style weight").bounding_box()
    y = box["y"] + box["height"] / 2
    one.page.mouse.move(box["x"] + box["width"] / 2, y)
    one.page.mouse.down()
    for number in range(EVENTS):
        place = 0.35 + 0.04 * (number % 8)
        one.page.mouse.move(box["x"] + box["width"] * place, y)
        pause(one, number)
    one.page.mouse.up()


def upload(one, folder):
    noise = np.random.default_rng(0).integers(0, 256, (2600, 3200, 3), "uint8")
    Image.fromarray(noise).save(folder / "large.png")
    one.panel.locator("[data-role=content] input").set_input_files(folder / "large.png")
    one.until("any('large.png' in what for at, *what in playground.log)")
    pause(one, 0)
    return answers(one)[-1]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--browser", action="store_true", help="measure in JupyterLab")
    drive = in_a_browser if parser.parse_args().browser else from_python
    print(f"256 px, pocket, Adam, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    print("| what | measured | aim |\n|---|---|---|")
    drive()


if __name__ == "__main__":
    main()
