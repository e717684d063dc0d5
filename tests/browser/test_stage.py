"""The browser's half of `Playground` on a page of its own: no kernel, no JupyterLab.

A model made of a few lines of JavaScript stands where the kernel would be: each test says what
Python says and reads what Python would hear. Each waits for a state, never for a time.
"""

import base64
import io
import json
import struct
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from conftest import PATIENCE, ROOT, SHOTS
from PIL import Image
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
STAGE = ROOT / "nst_tutorial" / "widgets" / "stage"
SCRIPTS = ("film", "charts", "picture", "gallery", "controls", "stage")
ADDRESS = "http://localhost/"  # never asked: the page is given to the browser by hand
LAYERS = ["block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1", "block5_conv1"]
WEIGHTS = ["0", "0.1", "0.2", "0.5", "1", "2", "5", "10", "20", "50", "100", "200", "500", "1000"]
PAGE = """<!doctype html><meta name="viewport" content="width=device-width"><link rel="stylesheet"
  href="stage.css"><style>body { margin: 0; font: 14px sans-serif; background: var(--paper) }
  </style><div class="jp-OutputArea"><div id="stage"></div><p class="nst-still">still</p></div>"""
MODEL = """
const bytes = (text) => new DataView(Uint8Array.from(atob(text), c => c.charCodeAt(0)).buffer);
const alive = (value) => value?.base64 !== undefined ? bytes(value.base64)
  : Array.isArray(value) ? value.map(alive) : value?.constructor === Object
  ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, alive(v)])) : value;
class Model {
  constructor(state) { this.state = alive(state); this.ears = []; this.sent = []; this.saved = []; }
  get(name) { return this.state[name]; }
  set(name, value) { this.state[name] = value; this.fire(`change:${name}`); }
  save_changes() { this.saved.push({ ...this.state._at, move: this.state._move }); }
  send(message, _, buffers = []) {
    this.sent.push(message);
    if (buffers.length) this.buffers = buffers;
  }
  on(name, ear) { this.ears.push([name, ear]); }
  off(name, ear) { this.ears = this.ears.filter(([a, b]) => a !== name || b !== ear); }
  fire(name, ...given) { for (const [one, ear] of [...this.ears]) if (one === name) ear(...given); }
}
window.show = async (state) => {
  window.model = new Model(state);
  window.widget = (await import("./stage.js")).default();
  widget.initialize({ model });
  window.take_down = widget.render({ model, el: document.querySelector("#stage") });
};
window.python = (traits) => { for (const [name, value] of Object.entries(alive(traits)))
  model.set(name, value); };
window.say = (message, buffers = []) => model.fire("msg:custom", message, alive(buffers));
"""


def encoded(image, kind="JPEG", **settings):
    file = io.BytesIO()
    image.save(file, kind, **settings)
    return {"base64": base64.b64encode(file.getvalue()).decode()}


@cache
def picture(name, longest=256):
    image = Image.open(ROOT / "images" / name).convert("RGB")
    image.thumbnail((longest, longest))
    return image


def mixed(share, size=(256, 192)):
    """A picture on its way from the photograph to the style."""
    content, style = (picture(n).resize(size) for n in ("coffee.png", "swirls.jpg"))
    return encoded(Image.blend(content, style, share))


def curve(rows):
    return {"base64": base64.b64encode(struct.pack(f"<{5 * len(rows)}f", *sum(rows, ()))).decode()}


def falling(steps, content=True):
    rows = []
    for step in range(steps):
        style, tv = 2e5 * 0.96**step + 3000, 900 + 40 * step
        rows.append((step, style + tv + 4000, 40.0 * step * content, style, tv))
    return curve(rows)


def entries(names, own=()):
    made = [
        {"name": Path(name).stem, "words": Path(name).stem, "own": name in own,
         "thumb": encoded(picture(name, 96))}
        for name in names
    ]  # fmt: skip
    return made


def slider(name, group="main", options=WEIGHTS, **more):
    label = name.replace("_", " ") if group != "layers" else name
    return {"name": name, "label": label, "kind": "slider", "group": group, "options": options,
            "help": f"What {label} does.", "formula": "", **more}  # fmt: skip


def menu(name, options):
    return slider(name, "more", options, kind="menu")


PHOTOGRAPHS = ("coffee.png", "chelsea.png", "astronaut.png", "rocket.jpg", "hubble_deep_field.jpg")
STYLES = (
    "swirls.jpg", "woodblock_wave.jpg", "stained_glass.jpg", "watercolour.jpg", "pointillism.jpg",
    "impasto.jpg", "engraving.jpg", "abstraction.jpg", "ihc.png",
)  # fmt: skip
NOW = {
    "phase": "paused", "status": "paused after step 60", "note": "", "alt": "coffee as swirls",
    "live": False, "step": 60, "planned": 150, "upload_side": 1024, "can_undo": True, "ended": "",
    "sum": "total 28300 = content weight 5 × content 472 + style weight 100 × style 206 "
    "+ tv weight 200 × tv 16.3",
}  # fmt: skip


@cache
def state():
    return {
        "_setup": {
            "controls": [
                slider("content_weight", formula="L_content = ½ Σ (F − P)²"),
                slider("style_weight"),
                slider("tv_weight"),
                *(slider(layer, "layers") for layer in LAYERS),
                *(slider(name, "more") for name in (
                    "tv_exponent", "learning_rate", "steps", "size", "style_scale", "seed")),
                menu("colors", ["style", "match", "luminance"]),
                menu("content_layers", ["block4_conv2", "block5_conv2"]),
                menu("init", ["content", "recolored", "style", "noise"]),
                menu("optimizer", ["adam", "nadam", "lbfgs"]),
            ],
            "layers": LAYERS,
            "presets": [
                {"name": name, "help": f"{name}: five words of help", "at": {"style_weight": place}}
                for name, place in (("Barely there", 6), ("Balanced", 10), ("As in the paper", 13),
                                    ("Melted", 9), ("Only texture", 8))
            ],
            "challenges": [
                {"name": "A calm portrait", "help": "The subject is all there, in soft strokes."},
                {"name": "Lost in paint", "help": "Hardly anything of the photograph is left."},
                {"name": "Wax", "help": "Strong style, melted by smoothing."},
            ],
        },
        "_at": {
            "content_weight": 5, "style_weight": 10, "tv_weight": 11, "tv_exponent": 3,
            "learning_rate": 7, "steps": 10, "size": 11, "style_scale": 4, "seed": 0, "colors": 0,
            "content_layers": 0, "init": 0, "optimizer": 0, **dict.fromkeys(LAYERS, 3),
        },
        "_gallery": {"content": entries(PHOTOGRAPHS, ["rocket.jpg"]), "style": entries(STYLES)},
        "_chosen": {"content": 0, "style": 0},
        "_now": NOW,
        "_picture": mixed(0.5),
        "_photograph": mixed(0),
        "_style": encoded(picture("swirls.jpg", 320)),
        "_curve": falling(60),
        "_marks": [],
        "_bars": dict(zip(LAYERS, (900, 2500, 1800, 3100, 400), strict=True)),
        "_kept": [],
        "_gram": {},
        "_challenge": {},
    }  # fmt: skip


KEPT = [
    {"label": "step 20", "words": "style weight 20", "picture": mixed(0.2)},
    {"label": "step 60", "words": "style weight 100", "picture": mixed(0.7)},
    {"label": "step 90", "words": "tv weight 5", "picture": mixed(0.9)},
]
FRAMES = 13  # of the film, one in five steps


class Stage:
    """A stage on a page, in the words of its visitor and of Python."""

    def __init__(self, page):
        self.page, self.complaints = page, []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._hear)
        self.root = page.locator("#stage")
        self.picture = page.locator(".nst-frame")
        self.film = page.get_by_role("slider", name="look back at the run")

    def _hear(self, message):
        if message.type == "error":
            self.complaints.append(message.text)

    def button(self, name):
        return self.root.get_by_role("button", name=name, exact=True)

    def slider(self, name):
        return self.root.get_by_role("slider", name=name, exact=True)

    def tab(self, name):
        self.root.get_by_role("tab", name=name).click()

    def keys(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def python(self, **traits):
        self.page.evaluate("traits => python(traits)", traits)

    def says(self, message, *buffers):
        """Python sends a message."""
        self.page.evaluate("([message, buffers]) => say(message, buffers)", [message, buffers])

    def heard(self, **expected):
        """Wait until the latest message of this kind is as expected.

        Compared as text, since Playwright 1.58 and older make `undefined` of a null.
        """
        latest = f"model.sent.findLast(one => one.do === {expected['do']!r})"
        text = json.dumps(expected, separators=(",", ":"))
        self.until(f"JSON.stringify({latest} ?? null) === given", text)

    def count(self, action):
        return self.page.evaluate("a => model.sent.filter(one => one.do === a).length", action)

    def until(self, condition, given=None):
        self.page.wait_for_function(f"given => {condition}", arg=given)

    def stop_time(self):
        self.page.clock.install(time=0)
        self.page.clock.pause_at(1)

    def sent_file(self):
        """What the latest upload carried."""
        listed = self.page.evaluate(
            "[...new Uint8Array(model.buffers[0].buffer ?? model.buffers[0])]"
            if self.page.evaluate("model.buffers[0].byteLength") < 1e5
            else "new Promise(r => { const f = new FileReader(); f.onload = () => r(f.result);"
            " f.readAsDataURL(new Blob(model.buffers)); })"
        )
        return base64.b64decode(listed.split(",")[1]) if isinstance(listed, str) else bytes(listed)

    def color(self, place, selector=".nst-sheet > canvas"):
        """A pixel of a canvas at a place in fractions of its width and height."""
        return self.page.locator(selector).evaluate(
            "(e, [x, y]) => [...e.getContext('2d').getImageData(x * e.width, y * e.height, 1, 1)"
            ".data].slice(0, 3)", place,
        )  # fmt: skip

    def at(self, place):
        box = self.page.locator(".nst-sheet").bounding_box()
        return box["x"] + place[0] * box["width"], box["y"] + place[1] * box["height"]

    def drag(self, *places):
        self.page.mouse.move(*self.at(places[0]))
        self.page.mouse.down()
        for place in places[1:]:
            self.page.mouse.move(*self.at(place), steps=4)
        self.page.mouse.up()

    def show_film(self, start=0, end=FRAMES):
        frames = [{"step": 5 * i, "words": f"after {5 * i} steps"} for i in range(start, end)]
        pictures = [plain(10 * i) for i in range(start, end)]
        self.says({"film": {"from": start, "frames": frames}}, *pictures)


def plain(gray):
    return encoded(Image.new("RGB", (64, 48), (gray, gray, gray)))


@pytest.fixture
def open_stage(browser, request):
    """Show a stage: `open_stage(width, height, cell=None, **traits)`."""
    opened = []

    def show(width=1280, height=800, cell=None, style="", **traits):
        page = browser.new_page(viewport={"width": width, "height": height})
        page.set_default_timeout(1000 * PATIENCE)
        page.route("**/*", give)
        page.goto(ADDRESS)
        page.add_script_tag(content=MODEL)
        page.add_style_tag(content=f"#stage {{ max-width: {cell or 9999}px }} {style}")
        one = Stage(page)
        opened.append(one)
        page.evaluate("state => show(state)", {**state(), **traits})
        one.heard(do="saw")
        one.says({"film": {"from": 0, "frames": [], "asked": True}})  # else it says: no answer
        return one

    yield show
    SHOTS.mkdir(parents=True, exist_ok=True)
    for one in opened:
        name = request.node.name.removeprefix("test_")
        one.page.screenshot(path=SHOTS / f"stage_{name}.png")
        one.page.close()
        assert not one.complaints


@pytest.fixture
def stage(open_stage):
    return open_stage(cell=840)


def give(route):
    name = route.request.url.removeprefix(ADDRESS)
    if name == "stage.js":
        text = "\n".join((STAGE / f"{one}.js").read_text("utf-8") for one in SCRIPTS)
        route.fulfill(body=text, content_type="text/javascript; charset=utf-8")
    elif name == "stage.css":
        route.fulfill(path=STAGE / name)
    else:
        route.fulfill(body=PAGE, content_type="text/html; charset=utf-8")


# Layout -----------------------------------------------------------------------------------------

OUTSIDE = """root => [...root.querySelectorAll('*:not(.nst-say, option)')].filter(one => {
  const box = one.getBoundingClientRect(), all = root.getBoundingClientRect();
  const wide = one.closest('.nst-thumbs, .nst-sheet, dialog') === null && box.width > 0;
  return wide && (box.right > all.right + 1 || box.bottom > all.bottom + 1 || box.left < all.left);
}).map(one => one.outerHTML.slice(0, 90))"""
SCROLLS = """root => [root, ...root.querySelectorAll('*:not(.nst-thumbs, .nst-say)')].filter(
one => {
  const may = ['auto', 'scroll'], { overflowX, overflowY } = getComputedStyle(one);
  return may.includes(overflowX) && one.scrollWidth > one.clientWidth
    || may.includes(overflowY) && one.scrollHeight > one.clientHeight;
}).map(one => one.outerHTML.slice(0, 90))"""
NOTE = "tv is 97% of the total. Everything is being smoothed away: lower the tv weight."


def has_no_flaw(stage):
    assert stage.root.evaluate(OUTSIDE) == []
    assert stage.root.evaluate(SCROLLS) == []
    assert stage.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_all_is_seen_in_a_cell_of_840_by_620(open_stage):
    stage = open_stage(cell=840, _kept=KEPT, _now={**NOW, "note": NOTE})
    stage.show_film()
    for name in ("Layers", "More", "Math", "Challenge", "Take home", "Curve"):
        stage.tab(name)
        has_no_flaw(stage)
        assert stage.root.bounding_box()["height"] <= 620
    assert stage.picture.bounding_box()["height"] > 340


@pytest.mark.parametrize(("width", "height"), [(840, 620), (1280, 800), (700, 900), (390, 844)])
def test_nothing_overflows(open_stage, width, height):
    stage = open_stage(width, height, _kept=KEPT, _now={**NOW, "note": NOTE})
    has_no_flaw(stage)
    look, side, rows = (stage.page.locator(f".nst-{one}").bounding_box()
                        for one in ("look", "side", "rows"))  # fmt: skip
    if width <= 700:
        assert look["x"] == side["x"] == rows["x"]
        assert look["y"] < side["y"] < rows["y"]
    else:
        assert side["y"] == look["y"]
        assert side["x"] > look["x"] + look["width"]


@pytest.mark.parametrize("size", [(256, 192), (512, 512), (192, 256), (256, 144)])
def test_on_a_projector_the_picture_is_large(open_stage, size):
    stage = open_stage(1920, 1080, _picture=mixed(0.5, size), _photograph=mixed(0, size))
    box = stage.page.locator(".nst-sheet").bounding_box()
    assert 0.55 * 1080 <= box["height"] <= 0.7 * 1080
    assert box["width"] / box["height"] == pytest.approx(size[0] / size[1], rel=0.01)
    has_no_flaw(stage)


def test_presentation_mode_enlarges_the_panel(open_stage):
    stage = open_stage(1280, 800)
    height = stage.button("Keep").bounding_box()["height"]
    stage.page.add_style_tag(content=LARGE)
    assert stage.button("Keep").bounding_box()["height"] > 1.15 * height
    has_no_flaw(stage)


LARGE = ":root { --jp-content-font-size1: 17px }"  # as JupyterLab's Presentation Mode


def test_presentation_mode_leaves_room_to_the_picture(open_stage):
    status = "Step 50 of 150, 10.0 steps a second, 10 s left"
    stage = open_stage(1280, 720, cell=800, style=LARGE, _now={**NOW, "status": status})
    assert stage.picture.bounding_box()["width"] > 400
    stage.show_film()
    stage.film.fill("4")
    has_no_flaw(stage)
    back = stage.page.locator(".nst-back")
    assert back.bounding_box()["height"] < 0.15 * stage.picture.bounding_box()["height"]
    stage.keys("Escape")
    line = stage.page.locator(".nst-line")
    expect(line).to_have_text(status)
    assert line.bounding_box()["height"] < 30, "in one line, and whole"


def test_a_dark_theme_colors_everything(open_stage):
    dark = """:root { --jp-ui-font-color1: rgb(222 222 222); --jp-layout-color0: rgb(17 17 17);
      --jp-brand-color1: rgb(33 150 243); --jp-ui-inverse-font-color0: black }"""
    stage = open_stage(1280, 800, style=dark, _kept=KEPT)
    assert stage.button("Step").evaluate("e => getComputedStyle(e).color") == "rgb(222, 222, 222)"
    assert stage.button("Step").evaluate(BACKGROUND) == "rgb(17, 17, 17)"
    assert stage.button("Play").evaluate(BACKGROUND) == "rgb(33, 150, 243)"
    line = stage.page.locator("path[data-term=total]").evaluate("e => getComputedStyle(e).stroke")
    assert line == "rgb(222, 222, 222)"


BACKGROUND = "e => getComputedStyle(e).backgroundColor"


def test_full_screen(stage):
    stage.button("Full screen").click()
    stage.until("document.fullscreenElement?.id === 'stage'")
    expect(stage.button("Leave full screen")).to_have_attribute(
        "title", "Leave full screen (Esc or F)"
    )
    stage.until("document.querySelector('.nst-frame').getBoundingClientRect().height > 560")
    has_no_flaw(stage)
    stage.root.press("f")
    stage.until("document.fullscreenElement === null")
    expect(stage.button("Full screen")).to_be_visible()


def test_the_stored_picture_gives_way(stage):
    expect(stage.page.locator(".nst-still")).to_be_hidden()


# Driving ----------------------------------------------------------------------------------------


def test_play_and_pause_are_one_button(stage):
    stage.button("Play").click()
    stage.heard(do="play")
    stage.python(_now={**NOW, "phase": "running", "live": True})
    expect(stage.button("Play")).to_have_count(0)
    stage.button("Pause").click()
    stage.heard(do="pause")


def test_who_looks_back_reads_where_and_where_play_goes_on(stage):
    stage.show_film()
    stage.film.fill("4")
    line = stage.page.locator(".nst-line")
    expect(line).to_have_text("Looking back at step 20 of 60")
    expect(stage.button("Play")).to_have_count(0)
    stage.button("Play from the end").click()
    stage.heard(do="play")
    expect(stage.page.locator("[aria-live]")).to_have_text("Back at the latest step")
    expect(stage.film).to_have_value(str(FRAMES))
    expect(line).to_have_text(NOW["status"])
    stage.python(_now={**NOW, "phase": "running", "live": True})
    stage.film.fill("4")
    stage.button("Pause").click()
    stage.heard(do="pause")
    expect(stage.film).to_have_value("4")


def test_progress_is_shown_and_nobody_knows_how_long_preparing_takes(stage):
    bar = stage.root.get_by_role("progressbar", name="Steps")
    assert bar.evaluate("e => e.position") == pytest.approx(60 / 150)
    stage.python(_now={**NOW, "phase": "preparing"})
    assert bar.evaluate("e => e.position") == -1
    expect(stage.button("Play")).to_be_visible()


def test_small_buttons_say_what_they_do(stage):
    for name in ("Step", "Reset", "Undo", "Keep"):
        stage.button(name).click()
        stage.heard(do=name.lower())
    stage.python(_now={**NOW, "can_undo": False})
    stage.button("Undo").click(force=True)
    assert stage.count("undo") == 1
    stage.button("Melted").click()
    stage.heard(do="preset", index=3)


def test_the_preset_whose_weights_are_set_is_marked(stage):
    expect(stage.button("Balanced")).to_have_attribute("aria-pressed", "true")
    stage.slider("style weight").fill("9")
    expect(stage.button("Melted")).to_have_attribute("aria-pressed", "true")
    expect(stage.button("Balanced")).to_have_attribute("aria-pressed", "false")


def test_keys(stage):
    stage.root.focus()
    for key, action in {" ": "play", "s": "step", "K": "keep", "z": "undo"}.items():
        stage.keys(key)
        stage.heard(do=action)
    stage.keys("w")
    expect(stage.button("Wipe")).to_have_attribute("aria-pressed", "true")
    stage.keys("?")
    expect(stage.page.get_by_role("dialog", name="Keys")).to_contain_text("Space")
    stage.keys("s", "Escape")
    expect(stage.page.get_by_role("dialog", name="Keys")).to_be_hidden()
    assert stage.count("step") == 1


def test_keys_stay_inside_and_leave_fields_alone(stage):
    stage.page.evaluate("() => { document.onkeydown = event => { window.escaped = event.key; }; }")
    stage.tab("More")
    stage.page.get_by_label("colors").focus()
    stage.keys("s", "k")
    stage.slider("seed").focus()
    stage.keys("ArrowLeft", "Control+z", "x")
    stage.tab("Take home")
    stage.button("Code").focus()
    stage.keys("Space")
    stage.heard(do="take", kind="code")
    assert stage.count("step") == stage.count("keep") == stage.count("undo") == 0
    assert stage.count("play") == 0
    assert stage.page.evaluate("window.escaped") is None


def test_notebooks_own_keys_do_not_reach_a_slider(stage):
    """Notebook 7 looks for the mark on the element that has the focus, before the panel hears."""
    slider = stage.slider("style weight")
    slider.focus()
    expect(slider).to_have_attribute("data-lm-suppress-shortcuts", "true")


def test_everything_has_a_name(open_stage):
    stage = open_stage(_kept=KEPT, _marks=[{"step": 12, "words": "tv weight 5"}])
    nameless = """root => [...root.querySelectorAll('button, input, select, [tabindex="0"]')]
      .filter(one => !(one.ariaLabel || one.innerText || one.labels?.[0]?.innerText
        || one.labels?.[0]?.textContent || one.type === 'file')).map(one => one.outerHTML)"""
    assert stage.root.evaluate(nameless) == []


def test_only_news_are_announced(stage):
    region = stage.page.locator("[aria-live]")
    expect(region).to_have_count(1)
    stage.page.evaluate("""() => { window.news = []; new MutationObserver(() => news.push(
      document.querySelector('[aria-live]').textContent
    )).observe(document.querySelector('[aria-live]'), { childList: true, subtree: true }); }""")
    for step in range(61, 70):
        stage.python(_now={**NOW, "phase": "running", "step": step, "status": f"step {step}"})
    stage.python(_now={**NOW, "phase": "running", "note": NOTE})
    stage.python(_now={**NOW, "phase": "running", "note": NOTE, "step": 99, "status": "step 99"})
    stage.python(_now={**NOW, "phase": "done", "note": ""})
    expect(stage.page.locator(".nst-line")).to_have_text(NOW["status"])
    stage.until("news.length === 3")
    assert stage.page.evaluate("news") == ["Running", NOTE, "Done"]


# Sliders and menus ------------------------------------------------------------------------------


def test_sliders_have_names_and_say_words(stage):
    one = stage.slider("style weight")
    expect(one).to_have_attribute("aria-valuetext", "100")
    one.focus()
    stage.keys("ArrowRight")
    expect(one).to_have_attribute("aria-valuetext", "200")
    stage.until("model.saved.at(-1)?.style_weight === 11 && model.saved.at(-1).tv_weight === 11")
    stage.python(_at={**state()["_at"], "style_weight": 0})
    expect(one).to_have_attribute("aria-valuetext", "0")
    stage.heard(do="release")  # nobody has pressed a key for a while
    assert stage.count("hold") == 1


def test_a_held_slider_is_left_alone(stage):
    one = stage.slider("style weight")
    box = one.bounding_box()
    stage.page.mouse.move(box["x"] + 0.77 * box["width"], box["y"] + box["height"] / 2)
    stage.page.mouse.down()
    stage.heard(do="hold")
    stage.page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + box["height"] / 2, steps=9)
    stage.until("model.saved.at(-1)?.style_weight === 4")
    stage.python(_at={**state()["_at"], "style_weight": 13, "tv_weight": 2})
    expect(stage.slider("tv weight")).to_have_value("2")
    expect(one).to_have_value("4")
    assert set(stage.page.evaluate("model.saved.map(one => one.move)")) == {1}
    stage.page.mouse.move(5, 700)  # far from the slider
    stage.page.mouse.up()
    stage.heard(do="release")
    stage.python(_at={**state()["_at"], "style_weight": 12})
    expect(one).to_have_value("12")


def test_menus_and_layers(stage):
    stage.tab("More")
    stage.page.get_by_label("start").or_(stage.page.get_by_label("init")).select_option("noise")
    stage.until("model.saved.at(-1)?.init === 3")
    first = stage.page.evaluate("model.saved.at(-1).move")
    stage.tab("Layers")
    stage.slider("block4_conv1").fill("0")
    stage.until("model.saved.at(-1)?.block4_conv1 === 0 && model.saved.at(-1).init === 3")
    stage.until("model.saved.at(-1).move === given", first + 1)  # a move of its own, to be undone
    panel = stage.root.get_by_role("tabpanel")
    fine, coarse = (panel.get_by_text(f"{one} strokes").bounding_box()["y"]
                    for one in ("fine", "coarse"))  # fmt: skip
    assert fine < stage.slider("block1_conv1").bounding_box()["y"]
    assert stage.slider("block5_conv1").bounding_box()["y"] < coarse
    bar = stage.root.get_by_role("tabpanel").locator(".nst-bar[data-layer=block4_conv1]")
    expect(bar).to_have_text("36%")


def test_the_last_value_of_a_drag_comes_before_its_end(stage):
    one = stage.slider("style weight")
    box = one.bounding_box()
    stage.page.evaluate("""() => { window.order = []; const { send, save_changes } = model;
      model.send = (...all) => { order.push(all[0].do); send.apply(model, all); };
      model.save_changes = () => { order.push("save"); save_changes.call(model); };
      window.requestAnimationFrame = () => {}; }""")
    stage.page.mouse.move(box["x"] + 0.77 * box["width"], box["y"] + box["height"] / 2)
    stage.page.mouse.down()
    stage.page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + box["height"] / 2)
    stage.page.mouse.up()
    stage.heard(do="release")
    assert stage.page.evaluate("order") == ["hold", "save", "release"]


def test_tabs_by_arrow_keys_keep_the_height(stage):
    stage.tab("Curve")
    height = stage.root.bounding_box()["height"]
    for name in ("Layers", "More", "Math", "Challenge", "Take home"):
        stage.keys("ArrowRight")
        tab = stage.root.get_by_role("tab", name=name)
        expect(tab).to_be_focused()
        expect(tab).to_have_attribute("aria-selected", "true")
        expect(stage.root.get_by_role("tabpanel", name=name)).to_be_visible()
        assert stage.root.bounding_box()["height"] == height
    stage.keys("Home")
    expect(stage.root.get_by_role("tabpanel", name="Curve")).to_be_visible()


# Charts -----------------------------------------------------------------------------------------


def test_a_term_without_weight_is_said_and_not_drawn(stage):
    stage.python(_at={**state()["_at"], "content_weight": 0}, _curve=falling(60, content=False))
    expect(stage.button("content: 0 (off)")).to_be_visible()
    assert stage.page.locator("path[data-term=content]").get_attribute("d") == ""
    assert stage.page.locator("path[data-term=style]").get_attribute("d").count("L") == 59


def test_ticks_are_powers_of_ten_and_whole_steps(stage):
    ticks = stage.page.locator("svg.nst-curve text").all_inner_texts()
    texts = stage.page.locator("svg.nst-curve text").evaluate_all(
        "all => all.map(e => e.textContent)"
    )
    assert not any(ticks) or ticks == texts
    assert {"10⁵", "10⁴", "0", "20", "40", "step"} <= set(texts)
    inside = """root => { const all = root.getBoundingClientRect();
      return [...root.querySelectorAll('text')].every(one => {
        const { left, right, bottom } = one.getBoundingClientRect();
        return left >= all.left - 1 && right <= all.right + 1 && bottom <= all.bottom + 1;
      }); }"""
    assert stage.page.locator("svg.nst-curve").evaluate(inside)


def test_the_legend_explains_each_term(stage):
    stage.button("content: 2360").hover()
    expect(stage.page.locator(".nst-explain")).to_contain_text("What content weight does.")
    expect(stage.page.locator(".nst-explain sub")).to_have_text("content")
    stage.button("total: 28300").focus()
    expect(stage.page.locator(".nst-explain")).to_contain_text("weighted sum")


def test_marks_are_hair_lines_on_the_curve(stage):
    stage.python(_marks=[{"step": 12, "words": "style weight 300"}])
    expect(stage.page.locator(".nst-hair title")).to_have_text("A setting changed here, at step 12")


def test_gram_matrices_are_painted_while_they_are_looked_at(stage):
    stage.tab("Math")
    stage.heard(do="gram", layer="block1_conv1")
    stage.page.get_by_label("Layer", exact=True).select_option("block3_conv1")
    stage.heard(do="gram", layer="block3_conv1")
    values = np.array([[0, 255], [128, 255]], "uint8")
    some = {"base64": base64.b64encode(values.tobytes()).decode()}
    stage.python(_gram={"layer": "block3_conv1", "n": 2, "picture": some, "style": some,
                        "difference": some, "words": "They are alike.", "top": 0.51, "apart": 0.1,
                        })  # fmt: skip
    maps = stage.root.get_by_role("tabpanel").locator("canvas")
    expect(maps).to_have_count(3)
    colors = maps.evaluate_all(
        "all => all.map(e => [...e.getContext('2d').getImageData(0, 0, 2, 2).data])"
    )
    assert colors[0][:3] == [0x44, 0x01, 0x54], "as viridis begins"
    assert colors[2][:3] == [0x21, 0x66, 0xAC], "less is blue"
    assert colors[2][4] > colors[2][6], "more is red"
    assert min(colors[2][8:11]) > 240, "alike is white"
    panel = stage.root.get_by_role("tabpanel")
    for words in ("G = FTF", "They are alike.", "≥ 0.51", "≤ −0.1", "≥ +0.1", NOW["sum"]):
        expect(panel).to_contain_text(words)
    has_no_flaw(stage)
    box = maps.first.bounding_box()
    stage.page.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 0.75 * box["height"])
    expect(panel).to_contain_text(
        "Channels 1 and 0: picture 0.256, style 0.256, difference +3.9·10⁻⁴"
    )
    stage.tab("Curve")
    stage.heard(do="gram", layer=None)


# The picture ------------------------------------------------------------------------------------

AT = "parseFloat(document.querySelector('.nst-sheet').style.getPropertyValue('--at'))"


def test_each_picture_is_drawn_and_answered_once(stage):
    assert stage.count("saw") == 1
    stage.page.evaluate("both => { for (const one of both) python({ _picture: one }); }",
                        [plain(50), plain(200)])  # fmt: skip
    stage.until("model.sent.filter(one => one.do === 'saw').length === 3")
    assert stage.color((0.5, 0.5)) == pytest.approx([200] * 3, abs=3)
    stage.python(_picture={"base64": ""})
    assert stage.color((0.5, 0.5)) == pytest.approx([200] * 3, abs=3)


def test_wipe_by_pointer_and_by_key(stage):
    handle = stage.slider("Wipe between both pictures")
    expect(handle).to_be_hidden()
    stage.button("Wipe").click()
    stage.drag((0.5, 0.5), (0.2, 0.6))
    stage.until(f"Math.abs({AT} - 20) < 1")
    handle.focus()
    stage.keys("ArrowRight", "ArrowRight")
    expect(handle).to_have_attribute("aria-valuenow", "24")
    expect(handle).to_have_attribute("aria-valuetext", "24% photograph, 76% now")
    stage.keys("End")
    expect(handle).to_have_attribute("aria-valuenow", "100")
    left = stage.color((0.5, 0.5), ".nst-clip canvas")
    assert left != stage.color((0.5, 0.5))
    stage.page.get_by_label("On the left").select_option("style")
    stage.until("document.querySelector('.nst-clip canvas').width === 320")
    stage.keys("w")
    expect(handle).to_be_hidden()


def test_zoom_moves_both_sides_and_a_page_still_scrolls(stage):
    moves = """[...document.querySelectorAll('.nst-sheet canvas')].map(
      e => new DOMMatrix(getComputedStyle(e).transform)).map(m => [m.a, m.e, m.f].join())"""
    stage.page.mouse.move(*stage.at((0.25, 0.5)))
    stage.page.mouse.wheel(0, -300)
    stage.python(_now={**NOW, "status": "later"})
    expect(stage.page.locator(".nst-line")).to_have_text("later")
    assert stage.page.evaluate(moves) == ["1,0,0"] * 2, "without focus the page scrolls"
    stage.button("Wipe").click()
    stage.page.mouse.move(*stage.at((0.25, 0.5)))
    stage.page.keyboard.down("Control")
    stage.page.mouse.wheel(0, -200)
    stage.page.keyboard.up("Control")
    stage.until(f"(([a, b]) => a === b && parseFloat(a) > 2)({moves})")
    before = stage.page.evaluate(moves)[0]
    stage.drag((0.3, 0.3), (0.4, 0.4))
    stage.until(f"(([a, b]) => a === b && a !== given)({moves})", before)
    stage.page.mouse.dblclick(*stage.at((0.3, 0.3)))
    stage.until(f"{moves}[0] === '1,0,0'")
    stage.picture.focus()
    stage.keys("+", "+")
    stage.until(f"parseFloat({moves}[0]) === 2.25")
    stage.keys("0")
    stage.until(f"{moves}[1] === '1,0,0'")


def test_two_fingers_enlarge(stage):
    pinch = """e => { const [x, y] = [e.getBoundingClientRect().x + 200, 150];
      const send = (type, pointerId, dx) => e.dispatchEvent(new PointerEvent(type,
        { pointerId, clientX: x + dx, clientY: y, bubbles: true, pointerType: 'touch' }));
      e.setPointerCapture = () => {};
      send('pointerdown', 2, -20); send('pointerdown', 3, 20); send('pointermove', 3, 60);
      send('pointerup', 2, -20); send('pointerup', 3, 60); }"""
    stage.picture.evaluate(pinch)
    zoomed = (
        "new DOMMatrix(getComputedStyle(document.querySelector('.nst-sheet canvas')).transform)"
    )
    stage.until(f"Math.abs({zoomed}.a - 2) < 0.01")


def test_any_two_kept_pictures_are_compared(open_stage):
    stage = open_stage(cell=840, _kept=KEPT)
    stage.button("2 · step 60").click()
    expect(stage.page.locator(".nst-back")).to_contain_text("style weight 100")
    stage.button("1 · step 20").click(modifiers=["Shift"])
    expect(stage.page.get_by_label("On the left")).to_have_value("kept 0")
    expect(stage.page.get_by_label("On the right")).to_have_value("kept 1")
    expect(stage.button("1 · step 20")).to_have_attribute("data-side", "A")
    expect(stage.page.locator(".nst-line")).to_have_text("Looking at kept picture 2")
    stage.button("Remove 1 · step 20").focus()
    stage.keys("Enter")
    stage.heard(do="forget", kept=0)
    stage.python(_kept=KEPT[1:])
    expect(stage.page.get_by_label("On the left")).to_have_value("photograph")
    expect(stage.page.get_by_label("On the right")).to_have_value("kept 0")
    stage.button("Go on from here").click()
    stage.heard(do="back", kept=0)
    expect(stage.page.get_by_label("On the right")).to_have_value("now")


# The film ---------------------------------------------------------------------------------------


def test_the_film_is_asked_for_and_looked_through(stage):
    stage.heard(do="film")
    expect(stage.film).to_be_disabled()
    stage.show_film()
    expect(stage.film).to_have_value(str(FRAMES))
    expect(stage.film).to_have_attribute("aria-valuetext", "now")
    stage.film.fill("4")
    stage.until("document.querySelector('.nst-sheet > canvas').width === 64")
    assert stage.color((0.5, 0.5)) == pytest.approx([40] * 3, abs=2)
    expect(stage.film).to_have_attribute("aria-valuetext", "after 20 steps")
    stage.picture.focus()
    stage.keys("ArrowLeft", "ArrowLeft")
    expect(stage.film).to_have_value("2")
    stage.keys("Escape")
    expect(stage.film).to_have_value(str(FRAMES))
    stage.film.fill("1")
    stage.button("Go on from here").click()
    stage.heard(do="back", frame=5)
    expect(stage.film).to_have_value(str(FRAMES))
    stage.until("document.querySelector('.nst-sheet > canvas').width === 256")


def test_new_frames_do_not_move_who_looks_back(stage):
    stage.show_film()
    stage.film.fill("4")
    stage.until("document.querySelector('.nst-sheet > canvas').width === 64")
    stage.show_film(FRAMES, FRAMES + 3)
    stage.python(_picture=plain(255))
    stage.until("model.sent.filter(one => one.do === 'saw').length === 2")
    expect(stage.film).to_have_value("4")
    assert stage.color((0.5, 0.5)) == pytest.approx([40] * 3, abs=2)
    thinned = [{"step": 10 * i, "words": f"after {10 * i} steps"} for i in range(8)]
    stage.says({"film": {"from": 0, "frames": thinned}}, *[plain(20 * i) for i in range(8)])
    expect(stage.film).to_have_value("2")
    stage.says({"film": {"from": 1, "frames": []}})
    expect(stage.film).to_have_value("1")
    expect(stage.film).to_have_attribute("aria-valuetext", "now")


def test_a_change_is_looked_at_where_it_is_seen(stage):
    stage.show_film()
    stage.film.fill("4")
    expect(stage.film).to_have_attribute("aria-valuetext", "after 20 steps")
    stage.slider("style weight").fill("3")
    expect(stage.film).to_have_attribute("aria-valuetext", "now")


def test_what_is_kept_is_what_is_seen(stage):
    stage.button("Keep").click()
    stage.heard(do="keep")
    stage.show_film()
    stage.film.fill("4")
    stage.button("Keep").click()
    stage.heard(do="keep", frame=20)
    expect(stage.film).to_have_attribute("aria-valuetext", "after 20 steps")


def test_marks_say_what_was_changed_and_lead_there(stage):
    stage.show_film()
    stage.python(_marks=[{"step": 11, "words": "style weight 300"}, {"step": 31, "words": "tv 5"}])
    first, second = (
        stage.button(name)
        for name in ("changed at step 11: style weight 300", "changed at step 31: tv 5")
    )
    left = [one.bounding_box()["x"] for one in (first, second)]
    assert left[0] < left[1]
    first.focus()
    content = "e => getComputedStyle(e, '::after').display"
    assert first.evaluate(content) == "block"
    stage.keys("ArrowRight")
    expect(second).to_be_focused()
    second.click()
    expect(stage.film).to_have_value("6")


# Pictures of one's own --------------------------------------------------------------------------


def choose_file(stage, path, role="content"):
    stage.page.locator(f"[data-role={role}] input[type=file]").set_input_files(path)


@pytest.fixture(scope="module")
def noise(tmp_path_factory):
    """A PNG of 24 MB that nothing makes smaller."""
    path = tmp_path_factory.mktemp("noise") / "holiday photo.png"
    pixels = np.random.default_rng(0).integers(0, 256, (2000, 4000, 3), "uint8")
    Image.fromarray(pixels).save(path, compress_level=0)
    assert path.stat().st_size > 24e6
    return path


def test_a_large_file_is_shrunk_first(stage, noise):
    choose_file(stage, noise)
    stage.heard(do="upload", role="content", name="holiday photo.png")
    sent = Image.open(io.BytesIO(stage.sent_file()))
    assert (sent.format, sent.size) == ("PNG", (1024, 512))
    assert np.asarray(sent.convert("L")).std() < 20, "noise becomes gray: nothing was skipped"
    expect(stage.root.get_by_role("button", name="Upload").first).to_be_enabled()


def test_no_message_exceeds_8_megabytes(open_stage, noise):
    stage = open_stage(_now={**NOW, "upload_side": 4000})
    choose_file(stage, noise, "style")
    expect(stage.page.locator("[data-role=style] [name=upload]")).to_have_text("Shrinking …")
    stage.heard(do="upload", role="style", name="holiday photo.png")
    assert stage.page.evaluate("model.buffers[0].byteLength") < 8e6


def test_a_photograph_that_lies_on_its_side_is_turned(stage, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = np.random.default_rng(1).integers(0, 256, (1500, 2000, 3), "uint8")
    Image.fromarray(pixels).save(tmp_path / "phone.JPG", quality=95, exif=exif)
    assert (tmp_path / "phone.JPG").stat().st_size > 3e6
    choose_file(stage, tmp_path / "phone.JPG")
    stage.heard(do="upload", role="content", name="phone.png")
    assert Image.open(io.BytesIO(stage.sent_file())).size == (768, 1024)


@pytest.mark.parametrize(("size", "sent"), [(2000, 2000), (4_000_000, 1_000_000)])
def test_what_is_no_picture_travels_for_python_to_refuse(stage, tmp_path, size, sent):
    (tmp_path / "notes.txt").write_bytes(b"x" * size)
    choose_file(stage, tmp_path / "notes.txt")
    stage.heard(do="upload", role="content", name="notes.txt")
    assert stage.page.evaluate("model.buffers[0].byteLength") == sent


GIVE = """(e, [type, name, text]) => {
  const bytes = Uint8Array.from(atob(text), c => c.charCodeAt(0)), data = new DataTransfer();
  data.items.add(new File([bytes], name, { type: "image/jpeg" }));
  const more = { bubbles: true, cancelable: true, dataTransfer: data, clipboardData: data };
  const event = type === "paste" ? new ClipboardEvent(type, more) : new DragEvent(type, more);
  return !e.dispatchEvent(event);
}"""


@pytest.mark.parametrize("how", ["drop", "paste"])
def test_pictures_are_dropped_and_pasted(stage, how):
    text = plain(9)["base64"]
    for selector, role in ((".nst-frame", "content"), ("[data-role=style]", "style")):
        place = stage.page.locator(selector)
        if how == "drop":
            assert place.evaluate(GIVE, ["dragover", "a.jpg", text]), "the browser must not open it"
            expect(stage.page.locator(".nst-drop")).to_have_attribute("data-role", role)
        assert place.evaluate(GIVE, [how, "a.jpg", text])
        stage.heard(do="upload", role=role, name="a.jpg")
        assert stage.sent_file() == base64.b64decode(text)
        expect(stage.page.locator(".nst-drop")).to_have_count(0)


def test_choose_and_remove(stage):
    stage.button("chelsea").click()
    stage.heard(do="choose", role="content", index=1)
    stage.python(_chosen={"content": 1, "style": 2})
    expect(stage.button("chelsea")).to_have_attribute("aria-pressed", "true")
    expect(stage.button("stained_glass")).to_have_attribute("aria-pressed", "true")
    stage.keys("ArrowRight")
    expect(stage.button("astronaut")).to_be_focused()
    assert stage.count("choose") == 1, "arrows only look"
    expect(stage.root.get_by_role("button", name="Remove")).to_have_count(1)
    stage.button("Remove rocket").focus()
    stage.keys("Enter")
    stage.heard(do="remove", role="content", index=3)
    some = [one for one in PHOTOGRAPHS if one != "rocket.jpg"]
    stage.python(_gallery={**state()["_gallery"], "content": entries(some)})
    expect(stage.root.get_by_role("button", name="Remove")).to_have_count(0)


def test_rows_say_that_there_is_more_and_a_wheel_moves_them(stage):
    row = stage.page.locator("[data-role=style] .nst-thumbs")
    stage.until("[...document.images].every(one => one.complete)")
    expect(row).to_have_class("nst-thumbs nst-after")
    box = row.bounding_box()
    stage.page.mouse.move(box["x"] + 50, box["y"] + 20)
    stage.page.mouse.wheel(0, 60)
    stage.until("document.querySelector('[data-role=style] .nst-thumbs').scrollLeft === 60")
    expect(row).to_have_class("nst-thumbs nst-after nst-before")
    taken = """(e, deltaY) => { const event = new WheelEvent("wheel", { deltaY, cancelable: true });
      return !e.dispatchEvent(event); }"""
    assert row.evaluate(taken, 5000)
    assert not row.evaluate(taken, 60), "at its end the page scrolls"
    expect(row).to_have_class("nst-thumbs nst-before")


def test_the_chosen_picture_is_in_sight(open_stage):
    stage = open_stage(cell=840, _chosen={"content": 0, "style": 8})
    inside = """() => { const row = document.querySelector("[data-role=style] .nst-thumbs");
      const one = row.querySelector("[aria-pressed=true]").getBoundingClientRect();
      const { left, right } = row.getBoundingClientRect();
      return one.left >= left && one.right <= right; }"""
    stage.page.wait_for_function(inside)
    stage.button("Full screen").click()
    stage.until("document.fullscreenElement?.id === 'stage'")
    stage.page.wait_for_function(inside)


def test_the_camera_is_closed_after_the_picture(stage):
    stage.page.evaluate("""() => { navigator.mediaDevices.getUserMedia = async () => {
      const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 240 });
      const pen = canvas.getContext("2d");
      setInterval(() => { pen.fillStyle = "rgb(200 30 30)"; pen.fillRect(0, 0, 320, 240); }, 20);
      return window.stream = canvas.captureStream(30);
    }; }""")
    stage.button("Take a style with the camera").click()
    stage.until("document.querySelector('video').videoWidth === 320 && "
                "document.querySelector('video').currentTime > 0")  # fmt: skip
    stage.button("Take the picture").click()
    stage.heard(do="upload", role="style", name="camera.png")
    sent = Image.open(io.BytesIO(stage.sent_file()))
    assert sent.size == (320, 240)
    assert sent.getpixel((9, 9))[:3] == pytest.approx((200, 30, 30), abs=12)
    stage.until("stream.getTracks().every(track => track.readyState === 'ended')")
    expect(stage.page.locator(".nst-camera")).to_be_hidden()


def test_a_camera_that_is_refused_is_said(stage):
    stage.page.evaluate(
        "() => { navigator.mediaDevices.getUserMedia = async () => { throw new Error(); }; }"
    )
    stage.button("Take a photograph with the camera").click()
    expect(stage.page.locator(".nst-note")).to_have_text("No camera can be used here.")
    expect(stage.page.locator(".nst-camera")).to_be_hidden()


# Challenge and take home ------------------------------------------------------------------------


def test_a_challenge_from_choice_to_find(stage):
    stage.tab("Challenge")
    stage.button("Wax").click()
    stage.heard(do="challenge", index=2)
    wax = {"name": "Wax", "target": {"base64": ""}, "distance": None, "best": None, "found": "",
           "start": None, "goal": None, "answer": ""}  # fmt: skip
    panel = stage.root.get_by_role("tabpanel")
    stage.python(_challenge=wax)
    expect(panel).to_contain_text("is being painted")
    wax |= {"target": mixed(0.8), "start": 40, "goal": 6}
    stage.python(_challenge={**wax, "distance": 12.345, "best": 8.1})
    expect(panel).to_contain_text("distance 12.3")
    expect(panel).to_contain_text("best 8.1")
    expect(panel).to_contain_text("Closer is better: under 6 wins.")
    meter = panel.get_by_role("meter", name="How close")
    expect(meter).to_have_attribute("aria-valuenow", "69")  # fuller is closer
    full = meter.bounding_box()["width"]
    wide = meter.locator("i").evaluate("e => parseFloat(getComputedStyle(e).width)")
    assert wide < full
    stage.until("Math.abs(document.querySelector('.nst-meter i').getBoundingClientRect().width"
                " - given) < 2", 0.69 * full)  # fmt: skip
    has_no_flaw(stage)
    expect(panel.locator("canvas")).to_be_visible()
    stage.button("Wipe").click()
    stage.page.get_by_label("On the left").select_option("target")
    stage.python(_challenge={**wax, "distance": 1, "best": 1, "found": "Found: tv weight 31500."})
    expect(panel).to_contain_text("Found: tv weight 31500.")
    stage.button("Choose another").click()
    stage.heard(do="challenge", index=None)
    stage.python(_challenge={})
    expect(stage.button("Lost in paint")).to_be_visible()
    expect(stage.page.get_by_label("On the left")).to_have_value("photograph")


def test_who_gives_up_is_told_the_weights_and_may_use_them(stage):
    stage.tab("Challenge")
    wax = {"name": "Wax", "target": mixed(0.8), "distance": 20, "best": 20, "found": "",
           "start": 40, "goal": 6, "answer": ""}  # fmt: skip
    stage.python(_challenge=wax)
    expect(stage.button("Use these weights")).to_be_hidden()
    stage.button("Give up").click()
    stage.heard(do="reveal")
    stage.python(_challenge={**wax, "answer": "content 1, style 200, tv 31500"})
    panel = stage.root.get_by_role("tabpanel")
    expect(panel).to_contain_text("My weights: content 1, style 200, tv 31500. Press Reset first")
    has_no_flaw(stage)
    stage.button("Use these weights").click()
    stage.heard(do="apply")
    stage.button("Choose another").click()
    stage.heard(do="challenge", index=None)


def test_the_size_is_said_and_can_be_larger(open_stage):
    stage = open_stage(cell=840, _at={**state()["_at"], "size": 3})
    stage.tab("Take home")
    panel = stage.root.get_by_role("tabpanel")
    expect(panel).to_contain_text("Picture: 256 × 192 px.")
    stage.button("Paint it larger: size 1000 (starts again)").click()
    stage.until("model.saved.at(-1)?.size === 13 && model.saved.at(-1).move === 1")
    expect(panel.get_by_text("Paint it larger")).to_be_hidden()


def test_what_is_taken_home_is_what_is_shown(stage, tmp_path):
    stage.show_film()
    stage.film.fill("3")
    stage.tab("Take home")
    stage.button("Picture (PNG)").click()
    stage.heard(do="take", kind="png", frame=15)
    expect(stage.button("Picture (PNG)")).to_have_attribute("aria-busy", "true")
    with stage.page.expect_download() as download:
        stage.says({"take": {"kind": "png", "name": "cup.png", "mime": "image/png"}}, plain(7))
    assert download.value.suggested_filename == "cup.png"
    assert Path(download.value.path()).read_bytes() == base64.b64decode(plain(7)["base64"])
    expect(stage.root.get_by_role("tabpanel")).to_contain_text("Saved as cup.png")
    expect(stage.page.locator("[aria-live]")).to_contain_text("Saved as cup.png")
    expect(stage.button("Picture (PNG)")).to_have_attribute("aria-busy", "false")
    stage.button("Film (GIF)").click()
    stage.heard(do="take", kind="film", format="gif")
    own = stage.button("My photograph, so that the code finds it")
    expect(own).to_have_count(0)
    stage.python(_chosen={"content": 3, "style": 0})
    own.click()
    stage.heard(do="take", kind="upload")


def test_code_is_shown_to_copy(stage):
    stage.tab("Take home")
    stage.button("Code").click()
    stage.heard(do="take", kind="code")
    stage.says({"take": {"kind": "code", "name": "", "mime": "", "text": "paint()"}}, plain(0))
    code = stage.page.get_by_label("Code that paints what is shown")
    expect(code).to_have_value("paint()")
    expect(code).to_have_attribute("readonly", "")
    assert stage.button("Copy").bounding_box()["y"] < code.bounding_box()["y"]
    has_no_flaw(stage)
    stage.stop_time()
    stage.button("Copy").click()
    expect(stage.button("Copied")).to_be_visible()
    stage.page.clock.resume()
    expect(stage.button("Copy")).to_be_visible()  # after a while
    with stage.page.expect_download() as download:
        stage.button("Save (.py)").click()
    assert download.value.suggested_filename == "painted.py"
    assert Path(download.value.path()).read_text() == "paint()"


def test_the_code_goes_with_what_is_shown(stage):
    stage.tab("Take home")
    stage.show_film()
    stage.button("Code").click()
    stage.heard(do="take", kind="code")
    answer_with_code(stage, "first()")
    stage.stop_time()
    stage.button("Copy").click()
    expect(stage.button("Copied")).to_be_visible()
    stage.film.fill("3")
    stage.heard(do="take", kind="code", frame=15)
    answer_with_code(stage, "frame()")
    expect(stage.button("Copy")).to_be_visible()
    stage.page.clock.resume()
    stage.keys("Escape")
    stage.heard(do="take", kind="code")
    asked = stage.count("take")
    for step in range(61, 65):
        now = {"phase": "running", "live": True, "step": step, "alt": f"after {step} steps"}
        stage.python(_now=NOW | now)
    assert stage.count("take") == asked + 1, "while it runs, its words say which step it paints"
    stage.python(_now=NOW | {"step": 65, "alt": "after 65 steps"})
    stage.until("model.sent.filter(one => one.do === 'take').length === given", asked + 2)
    stage.python(_chosen={"content": 1, "style": 0})
    stage.until("model.sent.filter(one => one.do === 'take').length === given", asked + 3)
    answer_with_code(stage, "last()")


def answer_with_code(stage, text):
    taken = {"kind": "code", "name": "", "mime": "", "text": text, "words": f"what {text} paints"}
    stage.says({"take": taken}, plain(0))
    expect(stage.page.get_by_label("Code that paints what is shown")).to_have_value(text)
    expect(stage.page.locator(".nst-code")).to_contain_text(f"what {text} paints")


# Life -------------------------------------------------------------------------------------------


def test_a_kernel_that_does_not_answer(stage):
    stage.page.evaluate(
        """state => {
          const wait = setTimeout;
          window.setTimeout = (act, after) => wait(act, after / 1000); // time flies
          Model.prototype.widget_manager = {kernel: {commsOverSubshells: "perCommTarget"}};
          return show(state);
        }""",
        state(),
    )
    words = stage.page.locator(".nst-rest")
    expect(words).to_contain_text("The kernel does not answer.")
    stage.until("model.widget_manager.kernel.commsOverSubshells === 'disabled'")
    assert stage.count("film") == 5
    expect(stage.root).to_have_attribute("aria-busy", "true")
    stage.button("Play").click()
    stage.heard(do="play")
    stage.says({"film": {"from": 0, "frames": [], "asked": True}})
    expect(words).to_be_hidden()
    expect(stage.root).to_have_attribute("aria-busy", "false")


@pytest.mark.parametrize("how", ["restarted", "ended"])
def test_in_the_end_the_picture_stays_and_says_why(stage, how):
    before = stage.color((0.5, 0.5))
    if how == "restarted":
        words = "The kernel was restarted: run this cell again."
        stage.page.evaluate("model.fire('comm_live_update')")
    else:
        words = "Another panel was opened: it goes on there."
        stage.python(_now={**NOW, "ended": words})
    expect(stage.page.locator(".nst-rest")).to_have_text(words)
    expect(stage.page.locator("[aria-live]")).to_have_text(words)
    stage.button("Play").click(force=True)
    stage.root.press("s")
    assert stage.count("play") == stage.count("step") == 0
    assert stage.page.locator(".nst-grid").evaluate("e => e.inert")
    assert stage.color((0.5, 0.5)) == before
    broken = "[...document.images].filter(one => one.checkVisibility() && !one.naturalWidth).length"
    assert stage.page.evaluate(broken) == 0


def test_an_image_without_bytes_is_not_shown(open_stage):
    gallery = {"content": [{"name": "x", "words": "x", "own": False, "thumb": {"base64": ""}}]}
    stage = open_stage(_gallery=gallery)
    stage.until("[...document.images].every(one => one.hidden)")


def test_two_views_are_in_step(open_stage):
    stage = open_stage(cell=840, _kept=KEPT)
    stage.page.evaluate("""() => { const el = document.createElement("div"); el.id = "other";
      document.body.append(el); window.take_down_other = widget.render({ model, el }); }""")
    stage.show_film()
    other = stage.page.locator("#other")
    stage.film.first.fill("4")
    expect(other.get_by_role("slider", name="look back at the run")).to_have_value("4")
    other.get_by_role("button", name="Wipe").click()
    expect(stage.button("Wipe")).to_have_attribute("aria-pressed", "true")
    stage.slider("style weight").fill("3")
    expect(other.get_by_role("slider", name="style weight")).to_have_value("3")
    stage.python(_picture=plain(99))
    stage.until("model.sent.filter(one => one.do === 'saw').length === 2")
    other.get_by_role("tab", name="Take home").click()
    other.get_by_role("button", name="Code").click()
    stage.says({"take": {"kind": "code", "name": "", "mime": "", "text": "paint()"}}, plain(0))
    expect(other.locator("textarea")).to_have_value("paint()")
    expect(stage.root.locator("textarea")).to_have_value("")


def test_what_is_taken_down_leaves_nothing_behind(open_stage):
    stage = open_stage(_kept=KEPT)
    stage.page.evaluate("""() => { window.revoked = 0;
      const revoke = URL.revokeObjectURL.bind(URL);
      URL.revokeObjectURL = address => { revoked++; revoke(address); }; }""")
    stage.tab("Math")
    shared = stage.page.evaluate("model.ears.length")
    stage.page.evaluate("take_down()")
    stage.heard(do="gram", layer=None)
    images = stage.page.evaluate("document.images.length")
    assert stage.page.evaluate("revoked") == images == len(PHOTOGRAPHS) + len(STYLES) + len(KEPT)
    assert stage.page.evaluate("model.ears.length") == shared - 12
    stage.python(_now={**NOW, "status": "unseen"}, _picture=plain(4))
    expect(stage.page.locator(".nst-line")).to_have_text(NOW["status"])
