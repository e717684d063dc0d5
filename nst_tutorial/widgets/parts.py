"""Parts of the panels: sliders in decades, strips of small pictures, curves, a link to download.

Each is a widget, or the text of one, that knows nothing of what it is used for.
"""

import base64
import html
import io
import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import traitlets
from ipywidgets import Layout
from PIL import Image

from nst_tutorial.images import load_image, to_uint8
from nst_tutorial.runtime.errors import NSTError
from nst_tutorial.runtime.types import Array, PathLike
from nst_tutorial.widgets.worker import Picture

DIGITS = (1, 1.25, 1.6, 2, 2.5, 3.15, 4, 5, 6.3, 8)  # ten steps of nearly one ratio
STROKES = {  # colours that the colour-blind can tell apart, and dashes for print
    "total": ("#777777", "1"),
    "content": ("#0072b2", "none"),
    "style": ("#d55e00", "8 3"),
    "tv": ("#009e73", "2 3"),
}
THUMBNAIL = """<style>
.nst-thumb.jupyter-button { width: 92px; height: 76px; padding: 0 1px 2px; margin: 2px;
  border: 3px solid transparent; background-size: cover; background-position: center;
  display: flex; align-items: flex-end; justify-content: center; white-space: normal;
  color: white; font-size: 12px; line-height: 13px; text-shadow: 0 0 3px black; }
.nst-thumb.jupyter-button.nst-chosen { border-color: #d55e00; }
.nst-thumb.jupyter-button:focus-visible { outline: 3px solid #0072b2; }
%s</style>"""
BACKGROUND = """.nst-%s.jupyter-button { background-image:
  linear-gradient(transparent 45%%, rgba(0, 0, 0, 0.8)), url(%s); }
"""


def encoded(image: Array, kind: str = "jpeg", longest: int | None = None) -> bytes:
    """A picture `(1, H, W, 3)` as the bytes of a file."""
    picture, file = Image.fromarray(to_uint8(image)), io.BytesIO()
    if longest:
        picture.thumbnail((longest, longest))
    picture.save(file, format=kind, quality=90)
    return file.getvalue()


def data_uri(content: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


# Controls ---------------------------------------------------------------------------------------


def decades(low: int, high: int, zero: bool = True) -> list[float]:
    """The positions of a logarithmic slider: 10^low … 10^high, and 0 below them all."""
    numbers = [float(f"{digit}e{power}") for power in range(low, high) for digit in DIGITS]
    return [0.0] * zero + [*numbers, 10.0**high]


def slider(
    label: str, options: Sequence[Any], value: Any, tooltip: str, **settings: Any
) -> widgets.SelectionSlider:
    """A slider over given positions; a value that is not among them becomes one."""
    options = list(options) if value in options else sorted([*options, value])
    return widgets.SelectionSlider(
        options=[(in_words(option), option) for option in options], value=value, tooltip=tooltip,
        description=label, style={"description_width": "105px"}, layout=Layout(width="auto"),
        **settings,
    )  # fmt: skip


def menu(label: str, options: Sequence[Any], value: Any, tooltip: str) -> widgets.Dropdown:
    """A list to choose from; a value that is not in it joins it."""
    options = list(options) if value in options else [*options, value]
    return widgets.Dropdown(
        options=[(in_words(option), option) for option in options], value=value, tooltip=tooltip,
        description=label, style={"description_width": "105px"}, layout=Layout(width="auto"),
    )  # fmt: skip


def in_words(value: object) -> str:
    if isinstance(value, tuple):
        return " + ".join(map(in_words, value))
    return f"{value:g}" if isinstance(value, (int, float)) else str(value)


def button(label: str, icon: str, tooltip: str, action: Callable[[], object]) -> widgets.Button:
    made = widgets.Button(
        description=label, icon=icon, tooltip=tooltip, layout=Layout(width="auto", flex="1 1 auto")
    )
    made.style.font_size = "12px"
    made.on_click(lambda _: action())
    return made


class Fold(widgets.VBox):
    """A button that shows and hides what is below it: reached by keyboard, unlike an Accordion."""

    def __init__(self, label: str, tooltip: str, parts: Sequence[widgets.Widget]) -> None:
        self.toggle = widgets.ToggleButton(
            value=False, description=label, tooltip=tooltip, icon="caret-right",
            layout=Layout(width="auto"),
        )  # fmt: skip
        self.inside = widgets.VBox(parts, layout=Layout(display="none"))
        self.toggle.observe(self._turn, "value")
        super().__init__([self.toggle, self.inside])

    def _turn(self, change):
        self.inside.layout.display = "flex" if change.new else "none"
        self.toggle.icon = "caret-down" if change.new else "caret-right"


# Pictures ---------------------------------------------------------------------------------------


class Seen(widgets.Image):
    """A picture as wide as its place allows, with `tooltip` for those who do not see it.

    The browser's half of ipywidgets 8.1 shows a tooltip only where there is a description too.
    """

    description = traitlets.Unicode("").tag(sync=True)

    def __init__(self, height: str) -> None:
        layout = Layout(width="100%", max_height=height, object_fit="contain")
        super().__init__(format="jpeg", layout=layout)


def caption(words: str, lines: int = 1) -> str:
    """A text that is read aloud when it changes, with room for so many lines."""
    style = f"line-height: 1.35; min-height: {1.35 * lines}em"
    return f'<div role="status" style="{style}">{html.escape(words)}</div>'


def in_a_row(*parts: widgets.Widget) -> widgets.HBox:
    """Beside each other, as many as there is room for."""
    return widgets.HBox(parts, layout=Layout(flex_flow="row wrap", width="100%", grid_gap="12px"))


def column(parts: Sequence[widgets.Widget], flex: str) -> widgets.VBox:
    return widgets.VBox(parts, layout=Layout(flex=flex))


class Strip(widgets.HBox):
    """Small pictures in a row, each a button: seen, reached by keyboard, named in words."""

    def __init__(self) -> None:
        self._style = widgets.HTML(layout=Layout(display="none"))
        self._rules: list[str] = []
        self.buttons: tuple[widgets.Button, ...] = ()
        super().__init__([self._style], layout=Layout(flex_flow="row wrap", width="100%"))

    def add(
        self, image: Array, label: str, tooltip: str, action: Callable[[], object]
    ) -> widgets.Button:
        """Append a picture; `action` is called when it is pressed."""
        one = widgets.Button(description=label, tooltip=tooltip)
        one.add_class("nst-thumb")
        one.add_class(f"nst-{one.model_id}")
        one.on_click(lambda _: action())
        self._rules.append(
            BACKGROUND % (one.model_id, data_uri(encoded(image, longest=92), "jpeg"))
        )
        self._style.value = THUMBNAIL % "".join(self._rules)
        self.buttons += (one,)
        self.children = (self._style, *self.buttons)
        return one

    def choose(self, chosen: Any) -> None:
        """Mark one of the buttons, or none."""
        for one in self.buttons:
            (one.add_class if one is chosen else one.remove_class)("nst-chosen")


class Chooser(widgets.VBox):
    """Choose a picture, from a strip or by upload.

    Args:
        role: "photograph" or "style picture".
        pictures: the `Picture`s of the strip.
        choose: called with the `Picture` that was chosen.
        refuse: called with the sentence that says why an upload is no picture.
    """

    def __init__(
        self,
        role: str,
        pictures: Sequence[Picture],
        choose: Callable[[Picture], object],
        refuse: Callable[[str], object],
    ) -> None:
        self._role, self._tell, self._refuse = role, choose, refuse
        self.strip, self.shown, self.words = Strip(), Seen("160px"), widgets.HTML()
        self._known: dict[Picture, widgets.Button] = {}
        for picture in pictures:
            self._add(picture, load_image(picture.source, 92))
        self.upload = widgets.FileUpload(
            accept="image/*", description=f"Upload a {role}", layout=Layout(width="auto"),
            tooltip=f"Take any picture from your computer as the {role}.",
        )  # fmt: skip
        self.upload.observe(self._uploaded, "value")
        super().__init__([self.strip, self.upload], layout=Layout(flex="1 1 380px"))

    def show(self, picture: Picture) -> Picture:
        """Make a picture the chosen one.

        Raises:
            NSTError: it cannot be read.
        """
        image = load_image(picture.source, 320)
        if picture not in self._known:
            self._add(picture, image)
        self.shown.value = encoded(image)
        words = f"{self._role}: {picture.words or picture.name}"
        self.shown.tooltip, self.words.value = words, caption(words)
        self.strip.choose(self._known[picture])
        return picture

    def take(self, picture: Picture) -> None:
        """Show a picture and say that it was chosen; one that cannot be read is refused."""
        try:
            self._tell(self.show(picture))
        except NSTError as error:
            self._refuse(str(error))

    def _add(self, picture, image):
        tooltip = f"Take this {self._role}: {picture.words or picture.name}."
        self._known[picture] = self.strip.add(
            image, picture.name, tooltip, lambda: self.take(picture)
        )

    def _uploaded(self, change):
        for file in change.new:
            self.take(Picture(file["name"], bytes(file["content"])))
        self.upload.value = ()  # so that the same file may come once more


def bundled(folder: PathLike) -> tuple[list[Picture], list[Picture]]:
    """The pictures of a folder, `(photographs, styles)`, with the words of its LICENSES.md.

    Sheets of several pictures are left out.

    Without that list every picture is in both.
    """
    folder = Path(folder)
    files = sorted(p for p in folder.glob("*.*") if p.suffix in (".png", ".jpg", ".jpeg"))
    if not (folder / "LICENSES.md").is_file():
        both = [Picture(path.stem, str(path)) for path in files]
        return both, both
    listed = re.findall(r"^\| (\S+\.\w+) \| (style: |sheet: )?(.*?) \|", _licences(folder), re.M)
    named = [
        (Picture(Path(name).stem.replace("_", " "), str(folder / name), words), kind)
        for name, kind, words in listed
        if folder / name in files
    ]
    return [p for p, kind in named if not kind], [p for p, kind in named if kind == "style: "]


def _licences(folder):
    return (folder / "LICENSES.md").read_text("utf-8")


def download(image: Array) -> str:
    """A link that saves a picture, wherever the panel is shown."""
    link = data_uri(encoded(image, "png"), "png")
    return f'<a download="painted.png" href="{link}" style="color: #0072b2">Download the PNG</a>'


# Curves -----------------------------------------------------------------------------------------


def curves(history: list[dict[str, float]], width: int = 420, height: int = 170) -> str:
    """Draw what each term adds to the total, by step, on a logarithmic scale: an SVG.

    Not by matplotlib, whose fonts are not safe in two threads at once.
    """
    rows = history[:: len(history) // 200 + 1] + history[-1:]
    if not rows:
        return ""
    top = math.ceil(math.log10(max(max(row["total"] for row in rows), 1e-9)))
    low = top - 4
    across = (width - 50) / max(rows[-1]["step"] - rows[0]["step"], 1)
    up = (height - 40) / (top - low)

    def place(row, term):
        exponent = max(math.log10(max(row[term], 1e-30)), low)
        x, y = 42 + across * (row["step"] - rows[0]["step"]), 18 + up * (top - exponent)
        return f"{x:.1f},{y:.1f}"

    drawn = [_tick(power, 18 + up * (top - power), width) for power in range(low, top + 1)]
    for number, (term, (colour, dashes)) in enumerate(STROKES.items()):
        line = f'fill="none" stroke="{colour}" stroke-width="2.2" stroke-dasharray="{dashes}"'
        points = " ".join(place(row, term) for row in rows)
        drawn.append(f'<polyline points="{points}" {line}/>')
        drawn.append(f'<path d="M{60 + 92 * number} 6h24" {line}/>')
        drawn.append(f'<text x="{88 + 92 * number}" y="10">{term}</text>')
    last = ", ".join(f"{term} {rows[-1][term]:.3g}" for term in STROKES)
    drawn.append(f'<text x="42" y="{height - 4}">step {rows[0]["step"]}</text>')
    drawn.append(
        f'<text x="{width - 8}" y="{height - 4}" text-anchor="end">step {rows[-1]["step"]}</text>'
    )
    return (
        f'<svg role="img" aria-label="What each term adds: {last}" width="100%" '
        f'viewBox="0 0 {width} {height}" font-size="12" fill="currentColor">{"".join(drawn)}</svg>'
    )


def _tick(power, y, width):
    line = f'<path d="M42 {y:.1f}H{width - 8}" stroke="currentColor" stroke-opacity="0.2"/>'
    return f'{line}<text x="36" y="{y + 4:.1f}" text-anchor="end">{10.0**power:g}</text>'


def close_parts(box: widgets.Widget) -> None:
    """Close all that is in a box: children close with no parent, nor layouts with a widget."""
    for part in getattr(box, "children", ()):
        close_parts(part)
        part.close()
    for trait in ("layout", "style"):
        if own := getattr(box, trait, None):
            own.close()
