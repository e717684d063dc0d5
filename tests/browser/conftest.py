"""A real JupyterLab on a copy of lesson 08 and on a small panel, and a real browser."""

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Error, expect, sync_playwright

ROOT = Path(__file__).parent.parent.parent
SHOTS = ROOT / "results" / "browser"
LESSON = "08_playground.ipynb"
PANEL, RELOADED = "panel.ipynb", "reloaded.ipynb"  # alike; each has a kernel of its own
CELLS = (  # of the panel's notebook
    """from nst_tutorial import TransferConfig
from nst_tutorial.widgets import Playground

config = TransferConfig(
    size=96, optimizer="adam", scales=1, steps=100_000,  # no run ends by itself
    content_layers="block2_conv1", style_layers=("block1_conv1", "block2_conv1"),
)
playground = Playground("../images/chelsea.png", "../images/swirls.jpg", config=config)
playground""",
    "asked = playground.job().config",
    """from nst_tutorial.images import load_image
from nst_tutorial.plots import show_images
from nst_tutorial.widgets import explore


def shown(size):
    return show_images({f"{size} pixels": load_image("../images/chelsea.png", size)}, width=9)


explore(shown, size=[32, 64])""",
)
PATIENCE = 900  # seconds after which a wait has certainly failed, on whatever machine
expect.set_options(timeout=1000 * PATIENCE)
BROWSERS = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge",
)  # fmt: skip
ARGUMENTS = (  # a camera that shows moving colors, and needs no permission
    "--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
)  # fmt: skip
QUIET = {"fetchNews": "false", "checkForUpdates": False}


@pytest.fixture(scope="session")
def browser():
    """Any Chromium or Chrome: one on the path, Playwright's own, or one where it is installed."""
    found = filter(None, map(shutil.which, BROWSERS))
    candidates = [{"executable_path": path} for path in found]
    candidates += [{}, {"channel": "chrome"}, {"channel": "msedge"}]
    with sync_playwright() as playwright:
        for candidate in candidates:
            with contextlib.suppress(Error):
                opened = playwright.chromium.launch(
                    args=ARGUMENTS, timeout=1000 * PATIENCE, **candidate
                )
                break
        else:
            pytest.fail(
                "no Chromium or Chrome was found: install one (apt-get install chromium), or run "
                "python -m playwright install --with-deps chromium."
            )
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    yield from start_server(tmp_path_factory.mktemp("lab"))


def start_server(place):
    """JupyterLab on a copy of the lesson, with settings of its own; yields (address, token)."""
    shutil.copytree(ROOT / "images", place / "images")
    (place / "notebooks").mkdir()
    shutil.copy(ROOT / "notebooks" / LESSON, place / "notebooks")
    for name in (PANEL, RELOADED):
        write_notebook(place / "notebooks" / name, CELLS)
    token = secrets.token_hex(8)
    with open(place / "lab.log", "w") as log:
        process = subprocess.Popen(
            [
                sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root",
                "--ServerApp.ip=127.0.0.1", "--ServerApp.port=0",
                f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={place}",
                "--LabApp.expose_app_in_browser=True",
            ],
            stdout=log, stderr=log, env=own_settings(place),
        )  # fmt: skip
    try:
        yield address_of(process, place), token
    finally:
        process.kill()  # asked politely, it may wait for a thread of its own for ever
        process.wait()


def write_notebook(path, cells):
    """Write a notebook that was not run."""
    notebook = nbformat.v4.new_notebook(cells=[*map(nbformat.v4.new_code_cell, cells)])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, path)


def own_settings(place):
    folder = place / "settings" / "@jupyterlab" / "apputils-extension"
    folder.mkdir(parents=True)
    (folder / "notification.jupyterlab-settings").write_text(json.dumps(QUIET))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NST_")}
    return kept | {
        "NST_PRECISION": "float32",  # on every processor the same
        "JUPYTERLAB_SETTINGS_DIR": str(place / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(place / "workspaces"),
        "JUPYTER_CONFIG_DIR": str(place / "config"),
        "JUPYTER_RUNTIME_DIR": str(place / "runtime"),
        "IPYTHONDIR": str(place / "ipython"),
    }


def address_of(process, place):
    """Wait until JupyterLab answers, at the port that it found free."""
    stop = time.perf_counter() + PATIENCE
    while time.perf_counter() < stop and process.poll() is None:
        with contextlib.suppress(OSError, ValueError):  # half written, refused, or no answer yet
            for notice in (place / "runtime").glob("jpserver-*.json"):
                address = json.loads(notice.read_text())["url"].rstrip("/")
                urllib.request.urlopen(f"{address}/login", timeout=5).close()
                return address
        time.sleep(0.2)
    pytest.fail(f"JupyterLab did not start:\n{(place / 'lab.log').read_text()[-2000:]}")
