"""How fast does the playground answer?

    python benchmarks/playground.py     # about two minutes on two cores

Drives the panel from Python, at 256 pixels, with no browser: what the way through Jupyter and the
browser adds is not in these numbers. Prints how long it takes from a slider's event to the first
picture that reflects it, how many pictures a second the panel shows, and the memory of the process
after each of ten Resets with a short run before it.
"""

import gc
import os
import statistics
import time
from pathlib import Path

import psutil

from nst_tutorial import TransferConfig, load_extractor
from nst_tutorial.widgets.panels import Playground

IMAGES = Path(__file__).parent.parent / "images"
EVENTS = 40


class Watched(Playground):
    """A playground that notes when each picture was there, and what it was painted with."""

    def _show(self, news):
        super()._show(news)
        self.seen.append((time.perf_counter(), news))


def open_panel():
    Watched.seen = []
    config = TransferConfig(size=256, optimizer="adam", scales=1, steps=1000)
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
    panel.controls["style_weight"].value = value

    def answered():
        when, news = panel.seen[-1]
        config = news.painted.job.config
        return when > began and news.phase == "running" and config.style_weight == value

    wait(answered)
    return panel.seen[-1][0] - began


def pictures_a_second(panel, seconds=10):
    count = len(panel.seen)
    time.sleep(seconds)
    return (len(panel.seen) - count) / seconds


def memory():
    gc.collect()
    return psutil.Process().memory_info().rss / 2**20


def main():
    panel = open_panel()
    panel.buttons["Run"].click()
    wait(lambda: panel.seen and panel.seen[-1][1].painted.step > 20)
    rate, previews = panel.seen[-1][1].rate, pictures_a_second(panel)
    waits = []
    for number in range(EVENTS):
        time.sleep(0.1 + 0.037 * (number % 7))  # at any moment of a step
        waits.append(latency(panel, [50.0, 100.0, 200.0, 400.0][number % 4]))
    grown = []
    for _ in range(10):
        panel.buttons["Reset"].click()
        wait(lambda: panel.seen[-1][1].phase == "ready")
        panel.buttons["Run"].click()
        wait(lambda: panel.seen[-1][1].painted.step > 20)
        panel.seen = panel.seen[-1:]
        grown.append(memory())
    panel.close()
    print(f"256 px, pocket, {panel._extractor.precision}, Adam, {os.cpu_count()} cores, load "
          f"{os.getloadavg()[0]:.1f}\n")  # fmt: skip
    print("| what | measured | aim |\n|---|---|---|")
    print(f"| slider to picture, median of {EVENTS} | {statistics.median(waits):.2f} s | < 0.5 s |")
    print(f"| slider to picture, worst | {max(waits):.2f} s | < 1 s |")
    print(f"| pictures a second | {previews:.1f} (at {rate:.1f} steps a second) | ≥ 4 |")
    print(f"| memory after Reset 1, 5, 10 | {grown[0]:.0f}, {grown[4]:.0f}, {grown[9]:.0f} MiB "
          f"| flat |")  # fmt: skip


if __name__ == "__main__":
    main()
