"""A real JupyterLab on a copy of lesson 08, and a real browser that has it open."""

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import Error, sync_playwright

ROOT = Path(__file__).parent.parent.parent
SHOTS = ROOT / "results" / "browser"
LESSON = "08_playground.ipynb"
BROWSERS = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge",
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
                opened = playwright.chromium.launch(args=["--no-sandbox"], **candidate)
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
    """JupyterLab on a copy of the lesson, with settings of its own; yields (address, token)."""
    place = tmp_path_factory.mktemp("lab")
    shutil.copytree(ROOT / "images", place / "images")
    (place / "notebooks").mkdir()
    shutil.copy(ROOT / "notebooks" / LESSON, place / "notebooks")
    port, token = free_port(), secrets.token_hex(8)
    with open(place / "lab.log", "w") as log:
        process = subprocess.Popen(
            [
                sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root",
                "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}",
                f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={place}",
                "--LabApp.expose_app_in_browser=True",
            ],
            stdout=log, stderr=log, env=own_settings(place),
        )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{address}/api?token={token}", process, place / "lab.log")
        yield address, token
    finally:
        process.terminate()
        process.wait(30)


def own_settings(place):
    folder = place / "settings" / "@jupyterlab" / "apputils-extension"
    folder.mkdir(parents=True)
    (folder / "notification.jupyterlab-settings").write_text(json.dumps(QUIET))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NST_")}
    return kept | {
        "JUPYTERLAB_SETTINGS_DIR": str(place / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(place / "workspaces"),
        "JUPYTER_CONFIG_DIR": str(place / "config"),
        "IPYTHONDIR": str(place / "ipython"),
    }


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_for(address, process, log, seconds=60):
    stop = time.perf_counter() + seconds
    while time.perf_counter() < stop and process.poll() is None:
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            return urllib.request.urlopen(address, timeout=5).close()
        time.sleep(0.2)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")
