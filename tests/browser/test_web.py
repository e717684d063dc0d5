"""The page that paints in a visitor's browser, built and opened as a visitor does.

Each test waits for what is seen, never for a time. The page may ask nothing of other places.
"""

import base64
import contextlib
import functools
import http.server
import io
import json
import re
import runpy
import subprocess
import sys
import threading

import numpy as np
import pytest
from conftest import PATIENCE, ROOT, SHOTS
from PIL import Image
from playwright.sync_api import expect

from nst_tutorial import NSTError, save_image
from nst_tutorial.fast import apply, load_network

pytestmark = pytest.mark.browser
BUILD = ROOT / "web" / "build.py"
GIVE = """([kind, name, encoded]) => {
  const bytes = Uint8Array.from(atob(encoded), letter => letter.charCodeAt(0));
  const files = new DataTransfer();
  files.items.add(new File([bytes], name, {type: 'image/png'}));
  document.dispatchEvent(kind === 'paste'
    ? new ClipboardEvent('paste', {clipboardData: files})
    : new DragEvent('drop', {dataTransfer: files, cancelable: true}));
}"""


@pytest.fixture(scope="module")
def network():
    return load_network(precision="float32")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("web") / "site"
    built = subprocess.run(
        [sys.executable, BUILD, "-o", folder], capture_output=True, text=True, timeout=600
    )
    if built.returncode:
        pytest.fail(f"the page was not built: {built.stdout[-2000:]}{built.stderr[-2000:]}")
    return folder


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture(scope="module")
def address(site):
    handler = functools.partial(Quiet, directory=site)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class Visit:
    """A page, in the words of its visitor."""

    def __init__(self, page):
        self.page = page
        self.stage, self.status = page.locator("#stage"), page.get_by_role("status")
        self.wipe = page.get_by_role("slider", name="Compare")
        self.rate = page.locator("#rate")

    def press(self, name):
        self.page.get_by_role("button", name=name, exact=True).click()

    def choose(self, file):
        self.page.locator("#file").set_input_files(file)

    def says(self, words):
        expect(self.status).to_contain_text(words)

    def rests(self):
        expect(self.stage).to_have_attribute("aria-busy", "false")

    def pixels(self, name):
        """What a canvas shows, `(H, W, 3)`."""
        encoded = self.page.locator(f"#{name}").evaluate("e => e.toDataURL().split(',')[1]")
        return pixels_of(io.BytesIO(base64.b64decode(encoded)))


def pixels_of(file):
    with Image.open(file) as picture:
        return np.asarray(picture.convert("RGB"), "float32")


@contextlib.contextmanager
def visited(browser, address, **settings):
    """A page that asks nothing of others, and in which nothing goes wrong."""
    context = browser.new_context(**settings)
    context.set_default_timeout(1000 * PATIENCE)
    page, asked, wrong = context.new_page(), [], []
    context.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.goto(address)
    yield Visit(page)
    context.close()
    own = (address.rpartition("/")[0], "data:", "blob:")
    assert len(asked) > 8
    assert [url for url in asked if not url.startswith(own)] == []
    assert wrong == []


@pytest.fixture(scope="module")
def open_page(browser, address):
    with visited(browser, address, viewport={"width": 1440, "height": 900}) as visit:
        visit.rests()
        yield visit


@pytest.fixture
def visit(open_page, request):
    """The first style alone, at 512 pixels; the picture is what an earlier test has left."""
    open_page.page.locator("#styles button").first.click()
    open_page.page.get_by_label("512").check()
    open_page.rests()
    yield open_page
    SHOTS.mkdir(parents=True, exist_ok=True)
    open_page.page.screenshot(path=SHOTS / f"web_{request.node.name.removeprefix('test_')}.png")


@pytest.fixture
def photo(photograph, tmp_path):
    """Neither side is a multiple of 4."""
    save_image(tmp_path / "photo.png", photograph)
    return tmp_path / "photo.png"


def agrees(painted, expected):
    apart = np.abs(painted - expected)
    return apart.mean() <= 1 and apart.max() <= 2


def test_the_sample_is_painted_at_once(browser, address, network):
    with visited(browser, address) as fresh:
        fresh.says("512 × 384 painted in")
        fresh.rests()
        photograph, painting = fresh.pixels("before"), fresh.pixels("after")
    assert painting.shape == photograph.shape == (384, 512, 3)
    assert agrees(painting, apply(network, photograph[None], network.styles[0])[0])


def test_the_styles_are_the_networks(open_page, network):
    names = [name.replace("_", " ").capitalize() for name in network.styles]
    assert open_page.page.locator("#styles .name").all_inner_texts() == names
    widths = "all => all.map(one => one.naturalWidth)"
    assert open_page.page.locator("#styles img").evaluate_all(widths) == [240] * len(names)
    assert "never leaves this device" in open_page.page.locator(".privacy").inner_text()


def test_a_photograph_is_painted_as_python_paints_it(visit, network, photo, photograph):
    visit.choose(photo)
    visit.says("90 × 70 painted")
    visit.rests()
    np.testing.assert_array_equal(visit.pixels("before"), photograph[0])
    for style in network.styles[:2]:
        visit.press(style.replace("_", " ").capitalize())
        visit.rests()
        assert agrees(visit.pixels("after"), apply(network, photograph, style)[0])


def test_styles_are_blended_by_sliders(visit, network, photo, photograph):
    visit.choose(photo)
    visit.says("90 × 70 painted")
    visit.page.get_by_text("Blend styles").click()
    visit.page.locator("#sliders input").nth(1).fill("50")
    visit.rests()
    first, second, *_ = network.styles
    blend = apply(network, photograph, {first: 1, second: 0.5})[0]
    assert agrees(visit.pixels("after"), blend)
    shares = visit.page.locator("#styles .share")
    expect(shares.nth(0)).to_have_text("67%")
    expect(shares.nth(1)).to_have_text("33%")


def test_the_wipe_follows_pointer_and_keys(visit):
    box = visit.stage.bounding_box()
    visit.page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 50)
    visit.page.mouse.down()
    visit.page.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 50, steps=4)
    visit.page.mouse.up()
    expect(visit.wipe).to_have_attribute("aria-valuenow", "25")
    visit.page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 50)
    visit.page.keyboard.press("ArrowRight")
    expect(visit.wipe).to_have_attribute("aria-valuetext", "27% photograph, 73% painting")
    expect(visit.page.locator("#after")).to_have_css("clip-path", "inset(0px 0px 0px 27%)")
    for key, value in (("Home", "0"), ("End", "100"), ("PageDown", "90")):
        visit.page.keyboard.press(key)
        expect(visit.wipe).to_have_attribute("aria-valuenow", value)


@pytest.mark.parametrize("kind", ["paste", "drop"])
def test_pictures_are_pasted_and_dropped(visit, kind):
    picture, size = io.BytesIO(), {"paste": (40, 30), "drop": (30, 40)}[kind]
    Image.new("RGB", size, "olive").save(picture, "PNG")
    visit.page.evaluate(GIVE, [kind, "one.png", base64.b64encode(picture.getvalue()).decode()])
    visit.says(f"{size[0]} × {size[1]} painted")


def test_a_large_photograph_is_shrunk_to_the_chosen_size_and_saved(visit, tmp_path):
    Image.effect_noise((700, 350), 80).save(tmp_path / "large.png")
    visit.choose(tmp_path / "large.png")
    visit.says("512 × 256 painted")
    visit.page.get_by_label("256").check()
    visit.says("256 × 128 painted")
    visit.rests()
    with visit.page.expect_download() as download:
        visit.press("Save")
    first = visit.page.locator("#styles .name").first.inner_text()
    assert download.value.suggested_filename == f"painted-{first.lower().replace(' ', '_')}.png"
    np.testing.assert_array_equal(pixels_of(download.value.path()), visit.pixels("after"))


def test_what_cannot_be_painted_is_said(visit, tmp_path):
    (tmp_path / "notes.png").write_text("no picture")
    visit.choose(tmp_path / "notes.png")
    visit.says("cannot read that file as a picture")
    Image.new("RGB", (15, 60)).save(tmp_path / "thin.png")
    visit.choose(tmp_path / "thin.png")
    visit.says("too small; it needs 16 pixels")


def test_the_camera_is_painted_frame_by_frame_and_one_is_kept(visit):
    visit.press("Camera")
    expect(visit.rate).to_have_text(re.compile(r"^[\d.]+ frames a second$"))
    assert max(visit.pixels("after").shape) == 256
    visit.press("Take this picture")
    visit.says("painted in")
    visit.rests()
    expect(visit.rate).to_be_hidden()
    assert max(visit.pixels("after").shape) == 512
    visit.page.get_by_role("button", name="Camera", exact=True).wait_for()
    assert visit.page.locator("#video").evaluate("e => e.srcObject") is None


@pytest.mark.parametrize("size", [(390, 844), (1440, 900)])
def test_nothing_overflows_and_fingers_find_their_targets(visit, size):
    visit.page.set_viewport_size({"width": size[0], "height": size[1]})
    visit.page.locator("#blend").evaluate("e => { e.open = true; }")
    assert visit.page.evaluate("document.documentElement.scrollWidth") == size[0]
    for target in visit.page.locator("button, summary, .grip, .sizes label, #sliders label").all():
        box = target.bounding_box()
        assert min(box["width"], box["height"]) >= 44, target
    visit.page.locator("#blend").evaluate("e => { e.open = false; }")


def test_links_lead_to_lessons_that_are_there(visit, site):
    links = visit.page.locator("a[href]").evaluate_all("all => all.map(e => e.pathname)")
    assert all((site / link.lstrip("/")).exists() for link in links)
    assert bool(links) == (ROOT / "results" / "handout" / "index.html").exists()
    lessons = visit.page.locator("[data-lesson]").evaluate_all(
        "all => all.map(e => e.dataset.lesson)"
    )
    notebooks = {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert len(lessons) == 3
    assert set(lessons) <= notebooks | {"index"}


def test_it_paints_from_a_disk(browser, site, network):
    with visited(browser, (site / "index.html").as_uri()) as visit:
        visit.rests()
        visit.says("painted in")
        photograph = visit.pixels("before")[None]
        assert agrees(visit.pixels("after"), apply(network, photograph, network.styles[0])[0])


def test_without_npm_a_sentence_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    install = runpy.run_path(str(BUILD))["install"]
    (tmp_path / "package.json").write_text(json.dumps({"dependencies": {"onnxruntime-web": "1"}}))
    monkeypatch.setitem(install.__globals__, "HERE", tmp_path)
    with pytest.raises(NSTError, match=r"npm is missing; install Node\.js"):
        install()


def test_a_folder_of_other_things_is_not_emptied(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(NSTError, match="holds something else"):
        runpy.run_path(str(BUILD))["build"]("shipped", tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"
