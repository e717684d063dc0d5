"""Panels for the lessons: `Playground`, and `explore`, which puts sliders on a function.

What is seen, and nothing of how a picture is made: that is `worker`. The worker's thread and the
browser meet in the widgets' traits alone; nothing is printed and nothing captured.
"""

import atexit
import dataclasses
import threading
import time
import weakref
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import ipywidgets as widgets
from ipywidgets import Layout

from nst_tutorial.config import TransferConfig, layer_weights
from nst_tutorial.extractors import Extractor, load_extractor
from nst_tutorial.runtime.errors import NSTError
from nst_tutorial.runtime.types import PathLike, Source
from nst_tutorial.widgets.parts import (
    Chooser,
    Fold,
    Seen,
    Strip,
    bundled,
    button,
    caption,
    close_parts,
    column,
    curves,
    decades,
    download,
    encoded,
    in_a_row,
    in_words,
    menu,
    slider,
)
from nst_tutorial.widgets.souvenir import as_code
from nst_tutorial.widgets.worker import Job, News, Painted, Picture, Worker

DWARFS = 0.95  # a term with more of the total than this hides the others
STILL = 0.5  # grey levels in ten steps, below which a picture has stopped changing
FIRST = TransferConfig(size=256, optimizer="adam", scales=1, steps=150, init="content")

WEIGHTS: dict[str, Any] = {
    "content_weight": ("content weight", decades(-1, 3),
        "How much it counts to show what the photograph shows."),
    "style_weight": ("style weight", decades(0, 4),
        "How much it counts to be painted as the style picture is."),
    "tv_weight": ("tv weight", decades(0, 5),
        "Total variation: how much it counts that neighbouring pixels are alike."),
}  # fmt: skip
MORE: dict[str, Any] = {
    "tv_exponent": ("tv exponent", [1.0, 1.25, 1.5, 1.75, 2.0, 2.25, 2.5, 2.75, 3.0],
        "Of total variation: above 1 ramps are cheaper than edges."),
    "learning_rate": ("learning rate", decades(-1, 2, zero=False),
        "How far Adam and Nadam move a pixel in a step, in grey levels; L-BFGS needs none."),
    "steps": ("steps", [25, 50, 100, 150, 200, 300, 500, 1000],
        "How many steps a run has; on the way the learning rate falls to a tenth."),
    "size": ("size", [64, 96, 128, 192, 256, 320, 384, 512],
        "Longest side in pixels; twice as long takes four times the time. Starts again."),
    "style_scale": ("style size", [0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0],
        "Size of the style picture, as a multiple of the other's: twice as large, strokes twice."),
    "colors": ("colors", ["style", "match", "luminance"],
        "The style's; the photograph's, given to the style first; or the photograph's own, with "
        "only light and dark painted. Starts again."),
    "content_layers": ("content layer", (),
        "Where picture and photograph are compared: the deeper, the freer the picture."),
    "init": ("start", ["content", "recolored", "style", "noise"],
        "The photograph, the photograph in the style's colors, the style, or noise. Starts again."),
    "optimizer": ("optimizer", ["adam", "nadam", "lbfgs"],
        "What moves the pixels. L-BFGS forgets its history whenever a setting changes."),
    "seed": ("seed", list(range(10)),
        "Another seed, another noise; counts where the start is noise. Starts again."),
}  # fmt: skip
MENUS = ("colors", "content_layers", "init", "optimizer")
TOO_MUCH = {
    "content": "The picture stays a photograph: raise the style weight to let the style in.",
    "style": "Raise the content weight to bring the photograph back.",
    "tv": "Everything is being smoothed away: lower the tv weight.",
}


class Playground(widgets.VBox):
    """A panel that paints while its sliders are moved. Show it by putting it last in a cell.

    There is one at a time: a new one closes the one before it, as `close()` does; then its thread
    has ended and its memory is free.

    Args:
        content: anything `load_image` takes; by default the first bundled photograph.
        style: anything `load_image` takes; by default the first bundled style.
        extractor: an `Extractor` with all layers, a name for `load_extractor`, or None for its
            default.
        config: where the controls stand at first; one size is painted at a time (`scales=1`).
        images: the folder of bundled pictures.

    Raises:
        NSTError: a picture or a setting cannot be used.

    Taught in: 08_playground.
    """

    def __init__(
        self,
        content: Source | None = None,
        style: Source | None = None,
        extractor: Extractor | PathLike | None = None,
        config: TransferConfig | None = None,
        images: PathLike = "../images",
    ) -> None:
        close_latest()
        if not isinstance(extractor, Extractor):
            extractor = load_extractor(extractor)
        self._extractor = extractor
        self._config = dataclasses.replace(config or FIRST, scales=1)
        self._lock, self._quiet, self._mistake = threading.Lock(), False, ""
        self._news, self._drawn = None, 0.0
        self._make_choosers({"content": content, "style": style}, images)
        self._make_controls()
        self._make_display()
        super().__init__(self._lay_out(), layout=Layout(width="100%", overflow="hidden"))
        self.worker = Worker(self.job(), self._extractor, self._show)
        _open.append(weakref.ref(self))
        self.worker.paint(self.job())

    def __repr__(self) -> str:
        return "Playground: run this cell in Jupyter to see the panel."

    def job(self) -> Job:
        """What the controls ask for now.

        Raises:
            NSTError: these settings cannot be, such as layer weights that are all 0.
        """
        fields = {name: control.value for name, control in self.controls.items()}
        weights: Any = tuple(control.value for control in self.layers.values())
        if weights == (1 / len(weights),) * len(weights):
            weights = None
        config = dataclasses.replace(self._config, layer_weights=weights, **fields)
        return Job(self._pictures["content"], self._pictures["style"], config)

    def close(self) -> None:
        """End the thread, free its memory, and take the panel off the page."""
        if worker := self.__dict__.get("worker"):
            worker.close()
            self._news = None
            close_parts(self)
        super().close()

    # The parts, from left to right --------------------------------------------------------------

    def _make_choosers(self, given, images):
        photographs, styles = bundled(images)
        self.choosers = {
            "content": Chooser("photograph", photographs, self._chosen("content"), self._refuse),
            "style": Chooser("style picture", styles, self._chosen("style"), self._refuse),
        }
        bundles = {"content": photographs, "style": styles}
        self._pictures = {
            role: self.choosers[role].show(_picture(role, given[role], bundles[role]))
            for role in given
        }

    def _make_controls(self):
        values = dataclasses.asdict(self._config)
        own = {"content_layers": [(layer,) for layer in self._extractor.layers]}
        self.controls = {
            name: (menu if name in MENUS else slider)(
                label, own.get(name, options), values[name], tooltip
            )
            for name, (label, options, tooltip) in (WEIGHTS | MORE).items()
        }
        weights = layer_weights(self._config, self._config.style_layers)
        tooltip = "How much this layer counts in the style: shallow for colour, deep for forms."
        self.layers = {
            layer: slider(layer, decades(-2, 1), weight, tooltip)
            for layer, weight in weights.items()
        }
        for control in (*self.controls.values(), *self.layers.values()):
            control.observe(self._changed, "value")
        self.buttons = {
            "Run": button("Run", "play", "Take steps.", lambda: self.worker.run()),
            "Pause": button("Pause", "pause", "Hold the picture.", lambda: self.worker.pause()),
            "Step": button("Step", "step-forward", "Take one step.", lambda: self.worker.step()),
            "Reset": button("Reset", "undo", "Back to the start.", lambda: self.worker.reset()),
            "Keep": button("Keep this picture", "thumb-tack", "Press it, once kept, to go back.",
                           self._keep),
        }  # fmt: skip

    def _make_display(self):
        self.preview, self.words = Seen("420px"), widgets.HTML()
        self.status, self.note, self.curves = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self.kept, self.link = Strip(), widgets.HTML()
        self.code = widgets.Textarea(
            layout=Layout(width="auto", height="260px"), tooltip="The code of a cell."
        )

    def _lay_out(self):
        """In the order of the Tab key: buttons and sliders, the picture, the choice of pictures."""
        *drive, keep = self.buttons.values()
        keep.layout.flex = "0 0 auto"
        more = [self.controls[name] for name in MORE]
        left = [
            widgets.HBox(drive),
            self.status,
            *(self.controls[name] for name in WEIGHTS),
            Fold("A weight for each style layer", "Five more sliders.", [*self.layers.values()]),
            Fold("More settings", "Exponent, size, start, optimizer and so on.", more),
            self.note,
            self.curves,
        ]
        middle = [self.preview, self.words, keep, self.kept]
        right = [part for one in self.choosers.values() for part in (one.shown, one.words)]
        return [
            in_a_row(
                column(left, "2 1 300px"), column(middle, "3 1 340px"), column(right, "1 1 130px")
            ),
            in_a_row(*self.choosers.values()),
            Fold("Take home", "The picture, and code that makes it.", [self.link, self.code]),
        ]

    # What the controls do: on whichever thread Jupyter calls them -------------------------------

    def _changed(self, change=None):
        if not self._quiet:
            self._asking_for(lambda: self.worker.paint(self.job()))

    def _chosen(self, role):
        def choose(picture):
            self._pictures[role] = picture
            self._changed()

        return choose

    def _keep(self):
        if self._news:
            painted = self._news.painted
            config = painted.job.config
            names = (*WEIGHTS, *MORE)
            words = ", ".join(
                f"{(WEIGHTS | MORE)[n][0]} {in_words(getattr(config, n))}" for n in names
            )
            self.kept.add(
                painted.shown, f"step {painted.step}", words, lambda: self._go_back(painted)
            )

    def _go_back(self, painted):
        with self._lock:
            self._quiet = True
            try:
                self._set_controls(painted.job)
            finally:
                self._quiet = False
            self.worker.go_back(painted)

    def _set_controls(self, job):
        for name, control in self.controls.items():
            control.value = getattr(job.config, name)
        for layer, control in self.layers.items():
            control.value = layer_weights(job.config, self.layers)[layer]
        self._pictures = {"content": job.content, "style": job.style}
        for role, picture in self._pictures.items():
            self.choosers[role].show(picture)

    def _asking_for(self, wish):
        try:
            with self._lock:
                wish()
            self._refuse("")
        except NSTError as error:
            self._refuse(str(error))

    def _refuse(self, sentence):
        self._mistake = sentence
        self._say()

    # What the worker shows: on its thread -------------------------------------------------------

    def _show(self, news):
        self._news = news
        if news.painted.image is not None:
            self.preview.value = encoded(news.painted.shown)
        self.preview.tooltip = described(news.painted)
        self.words.value = caption(described(news.painted))
        self.buttons["Run"].button_style = "success" if news.phase == "running" else ""
        self._say()
        rests = news.phase != "running"
        if rests or time.perf_counter() - self._drawn > 1:
            self._drawn = time.perf_counter()
            self.curves.value = curves(news.history)
        if rests and news.painted.image is not None:
            self.link.value = download(news.painted.shown)
            self.code.value = as_code(news.painted, self._extractor)
        self.status.value = caption(status(news), lines=2)  # last: what it announces is there

    def _say(self):
        news = self._news
        self.note.value = caption(self._mistake or said(news), lines=3)


def described(painted: Painted) -> str:
    """Say what is seen; where settings have just been changed, what it will turn into."""
    pair = f"{painted.job.content.name} in the style of {painted.job.style.name}"
    if painted.breaks[-1:] == (painted.step,):
        return f"after {painted.step} steps; from here on {pair}"
    return f"{pair}, after {painted.step} steps"


def status(news: News) -> str:
    """Say in a line how the run stands."""
    step = news.painted.step
    if news.phase == "preparing":
        return "preparing: the network looks at both pictures …"
    if news.phase == "running":
        left = f", {news.seconds_left:.0f} s left" if news.rate else ""
        return f"step {step} of {news.planned}, {news.rate:.1f} steps a second{left}"
    return {
        "ready": "ready: press Run",
        "paused": f"paused after step {step}",
        "done": f"done after step {step}: move a slider, or run on",
        "failed": "stopped by an error",
    }[news.phase]


def said(news: News | None) -> str:
    """Say in plain words what went wrong, or what the student might do now, if anything."""
    if news is None or news.message:
        return news.message if news else ""
    if news.change < STILL:
        return "The picture has all but stopped changing: keep it, or change a weight."
    if len(news.history) < 10:  # at its start a term may be zero
        return ""
    last = news.history[-1]
    term = max(TOO_MUCH, key=lambda term: last[term])
    if last[term] <= DWARFS * last["total"]:
        return ""
    return f"{term} is {last[term] / last['total']:.0%} of the total. {TOO_MUCH[term]}"


def _picture(role, given, pictures):
    """The picture that was given, one of the bundled where it is; the first where none was."""
    if given is None and not pictures:
        raise NSTError(f"there is no bundled {role} picture here; give one: Playground({role}=…).")
    if given is None:
        return pictures[0]
    if not (isinstance(given, str) or hasattr(given, "__fspath__")):
        return Picture(role, given)
    same = [one for one in pictures if Path(one.source).resolve() == Path(given).resolve()]
    return same[0] if same else Picture(Path(given).name, str(given))


_open: list[weakref.ref] = []  # a weak reference to the panel that is open


def close_latest() -> None:
    """Close the playground that is open, if any: Jupyter does not say when a cell is run anew."""
    while _open:
        if panel := _open.pop()():
            panel.close()


@atexit.register
def _end_thread():
    """At the end of the process only the thread is ended: no browser is told of widgets then."""
    for panel in filter(None, (reference() for reference in _open)):
        panel.worker.close()


class Explorer(widgets.VBox):
    """Sliders on a function that returns a Figure; see `explore`."""

    def __init__(self, function: Callable, choices: dict[str, list[Any]]) -> None:
        self._function, self._lock = function, threading.Lock()
        self._seen: dict[tuple, bytes] = {}
        self.sliders = {
            name: slider(name.replace("_", " "), options, options[0], f"Choose {name}.",
                         continuous_update=False)
            for name, options in choices.items()
        }  # fmt: skip
        self.picture, self.note = Seen("none"), widgets.HTML()
        for one in self.sliders.values():
            one.observe(self._changed, "value")
        super().__init__([*self.sliders.values(), self.note, self.picture])
        self._changed()

    def __repr__(self) -> str:
        return "Sliders: run this cell in Jupyter to see them."

    def close(self) -> None:
        """Take the panel off the page, with what it remembers."""
        self._seen = {}
        close_parts(self)
        super().close()

    def _changed(self, change=None):
        with self._lock:
            values = {name: one.value for name, one in self.sliders.items()}
            said = ", ".join(f"{name} {in_words(value)}" for name, value in values.items())
            self.note.value = caption(f"working on {said} …")
            try:
                self.picture.value = self._figure(values)
                self.picture.tooltip = said
                self.note.value = caption(said)
            except Exception as error:  # shown, so that the panel lives on
                known = isinstance(error, NSTError)
                self.note.value = caption(
                    str(error) if known else f"{type(error).__name__}: {error}"
                )

    def _figure(self, values):
        key = tuple(values.values())
        if key not in self._seen:
            figure = self._function(**values)
            forms = (getattr(figure, f"_repr_{kind}_", None) for kind in ("png", "jpeg"))
            self._seen[key] = next(form() for form in forms if form)
        return self._seen[key]


def explore(function: Callable, **choices: Iterable[Any]) -> Explorer:
    """Put a slider on each argument of a function, and show the Figure that it returns.

        explore(reconstruct, layer=LAYERS, seed=range(3))

    What was seen once is remembered, so that sliding back takes no time.

    Args:
        function: called with one value of each choice; returns a Figure of `plots`.
        choices: for each argument, the values to choose from, the first shown first.

    Returns:
        the panel; put it last in a cell.
    """
    return Explorer(function, {name: list(options) for name, options in choices.items()})
